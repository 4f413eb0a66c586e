"""Every standard back-end x every fault: what stays usable, and what is said of it.

The back-ends are small packages on disk, in real interpreters without any other back-end.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock
from typing import Any

import pytest
from support.fakes import FAKES, HARMLESS, INIT, Fake
from support.patience import PATIENCE, within_a_limit

from rockpool.backends.specs import STANDARD
from rockpool.utilities.backend_management import known_backends

BACKENDS = known_backends()
FAULTS = {fake.name: fake for fake in (*FAKES, *HARMLESS)}
# The module in which each back-end is given its fault.
MODULES = {name: STANDARD[name].own_module for name in BACKENDS}
DISTRIBUTIONS = {"nest": "nest-simulator", "sinabs.exodus": "sinabs-exodus"}
CELLS = [(backend, fault) for backend in BACKENDS for fault in FAULTS]

SOUND = Fake("sound", {INIT: "__version__ = '99.0'"}, "installed", "available", ("works",))
# A torch that sees a CUDA device.
CUDA = "\nclass cuda:\n    is_available = staticmethod(lambda: True)\n"
# What is seen without an import, and what comes out when it is tried.
SEEN = {"missing": "missing", "empty_folder": "shadowed", "shadowing_file": "shadowed"}
BREAKING = {name for name, fake in FAULTS.items() if fake.dies or fake.state == "broken"}


@dataclass
class Disk:
    """A folder for each module in each state, to be combined on `sys.path`.

    Threads may ask at once: a folder is made by one of them, and whole before another sees it.
    """

    root: Path
    lock: Lock = field(default_factory=Lock)

    def path(self, faults: dict[str, str]) -> list[str]:
        """Entries for `sys.path` on which these modules are faulty and all others are sound."""
        folders = []
        for module in dict.fromkeys([*MODULES.values(), "jaxlib"]):
            if module == "sinabs.exodus":  # it lies inside of sinabs
                continue
            parts = [(part, faults.get(part)) for part in (module, f"{module}.exodus")]
            if module != "sinabs" or faults.get(module) in SEEN:
                parts.pop()
            folder = self.root / "_".join(f"{part}-{fault}" for part, fault in parts)
            with self.lock:
                if not folder.exists():
                    folder.mkdir()
                    for part, fault in parts:
                        write(folder, part, fault)
            folders.append(str(folder))
        return folders


def write(folder: Path, module: str, fault: str | None) -> None:
    """Put a module into a folder, sound or with a fault."""
    fake = FAULTS[fault] if fault else SOUND
    if module == "torch" and INIT in fake.files and fault not in BREAKING:
        fake = replace(fake, files={INIT: fake.files[INIT] + CUDA})
    fake.write(folder, module.replace(".", "/"), DISTRIBUTIONS.get(module, module))


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Disk:
    return Disk(tmp_path_factory.mktemp("back-ends"))


def state_of(backend: str, faults: dict[str, str], *, imported: bool) -> str:
    """The state that a back-end has to be in while these modules are faulty."""
    spec = STANDARD[backend]
    for module in spec.modules:
        fault = faults.get(module, "")
        # a part of a package may well be a file
        if fault in SEEN and (module, fault) != ("sinabs.exodus", "shadowing_file"):
            return SEEN[fault]
    if faults.get(spec.own_module) == "too_old":
        return "outdated"
    if imported and any(faults.get(module) in BREAKING for module in spec.modules):
        return "broken"
    return "available" if imported else "installed"


# --- in one process -------------------------------------------------------------------------------

IN_PROCESS = """
import importlib, json, sys

target, cells = sys.argv[1], json.loads(sys.argv[2])
base, ours = list(sys.path), {"rockpool", "sinabs", *cells["modules"]}
table = {}
for backend, (path, deadly) in cells["cells"].items():
    for name in list(sys.modules):
        if name.partition(".")[0] in ours:
            del sys.modules[name]
    sys.path[:] = path + base
    said = table[backend] = {}
    import rockpool.nn.modules
    said["listed"] = dir(rockpool.nn.modules)
    from rockpool.utilities.backend_management import backend_available, backend_status, known_backends
    from rockpool.utilities.lazy_loading import advertised
    said["looks"] = {name: backend_status(name).state for name in known_backends()}
    said["standins"] = {}
    for package in cells["packages"]:
        for name, (module, needs) in advertised(package).items():
            if needs == backend and not deadly and len(said["standins"]) < 3:
                if said["looks"][backend] != "installed" or not backend_available(backend):
                    thing = getattr(importlib.import_module(package), name)
                    try: thing()
                    except ModuleNotFoundError as error:
                        said["standins"][name] = [str(error), error.name, error.__notes__]
    deadly = set(deadly)
    said["works"] = {name: backend_available(name) for name in known_backends() if name not in deadly}
    status = backend_status(backend)
    said |= {"state": status.state, "reason": status.reason, "install": status.install}
with open(target, "w") as file:
    json.dump(table, file)
"""
PACKAGES = ["rockpool.nn.modules", "rockpool.nn.combinators"]


@pytest.fixture(scope="module")
def in_process(
    disk: Disk, any_bare_python, tmp_path_factory
) -> dict[tuple[str, str], dict[str, Any]]:
    """What is said in each cell by a process that meets the fault itself: one for each fault."""
    folder = tmp_path_factory.mktemp("in-process")

    def meet(fault: str) -> dict[str, Any]:
        cells = {}
        for backend in BACKENDS:
            module = MODULES[backend]
            deadly = [
                name
                for name in BACKENDS
                if FAULTS[fault].dies is not None
                and state_of(name, {module: fault}, imported=True) == "broken"
            ]
            cells[backend] = (disk.path({module: fault}), deadly)
        modules = [*MODULES.values(), "jaxlib"]
        asked = json.dumps({"cells": cells, "modules": modules, "packages": PACKAGES})
        any_bare_python.run("-c", IN_PROCESS, str(folder / fault), asked)
        return json.loads((folder / fault).read_text())

    with ThreadPoolExecutor(2) as pool:
        answers = dict(zip(FAULTS, pool.map(meet, FAULTS), strict=True))
    return {(backend, fault): answers[fault][backend] for backend, fault in CELLS}


@pytest.mark.parametrize(("backend", "fault"), CELLS)
def test_a_process_that_meets_the_fault_goes_on(
    backend: str, fault: str, in_process: dict[tuple[str, str], dict[str, Any]]
) -> None:
    said = in_process[backend, fault]
    fake = FAULTS[fault]
    faults = {MODULES[backend]: fault}
    # the list is whole, and looking tells what looking can tell
    assert said["listed"] == in_process["numpy", "missing"]["listed"]
    assert said["looks"] == {name: state_of(name, faults, imported=False) for name in BACKENDS}
    # the others work
    for name, works in said["works"].items():
        assert works == (state_of(name, faults, imported=True) == "available"), name
    if fake.dies is not None:
        return
    assert said["state"] == state_of(backend, faults, imported=True)
    if said["state"] == "available":
        assert said["standins"] == {}
        return
    # and what cannot be used says why
    for word in fake.words:
        assert word in said["reason"]
    for name, (message, missing, notes) in said["standins"].items():
        assert message == (
            f"Missing the `{backend}` backend. `{name}` objects, and others relying on "
            f"`{backend}` are not available."
        )
        assert missing in (*STANDARD[backend].modules, "fake_dependency_of_fake")
        assert notes[0] == f"The `{backend}` back-end is {said['state']}: {said['reason']}."
        assert notes[1].endswith(f"it: {said['install']}")


def test_most_backends_have_names_to_be_put_to_the_test(
    in_process: dict[tuple[str, str], dict[str, Any]],
) -> None:
    with_names = {backend for backend in BACKENDS if in_process[backend, "missing"]["standins"]}
    assert {"numpy", "scipy", "torch"} <= with_names


# --- in child processes ---------------------------------------------------------------------------
#
# In each of a number of visits, half of the back-ends have a fault, each another one, and half are
# sound. Over all visits each back-end has each fault once. Those that hang are visited apart, as it
# takes time.

QUICK = [fault for fault in FAULTS if fault != "endless"]
TURNS: list[str | None] = [turn for fault in QUICK for turn in (fault, None)]
SLOTS = list(dict.fromkeys(MODULES.values()))


def visits() -> Iterator[tuple[dict[str, str], list[str]]]:
    """Faults by module, and the back-ends to be named in each visit."""
    for number in range(len(TURNS)):
        turns = {
            module: TURNS[(number + 3 * slot) % len(TURNS)] for slot, module in enumerate(SLOTS)
        }
        yield {module: fault for module, fault in turns.items() if fault}, []
    for module in SLOTS:
        backend = next(name for name in BACKENDS if MODULES[name] == module)
        other = next(name for name in BACKENDS if module not in STANDARD[name].modules)
        yield {module: "endless"}, [backend, other]


VISITS = list(visits())


@pytest.fixture(scope="module")
def told(disk: Disk, bare_python) -> list[tuple[list[dict[str, Any]], dict[str, Any], int]]:
    """For each visit what ``backends --check`` and ``doctor`` say, and the doctor's exit code."""

    def visit(planned: tuple[dict[str, str], list[str]]) -> tuple[Any, Any, int]:
        faults, names = planned
        path = ":".join(disk.path(faults))

        def ask(limit: float) -> tuple[Any, Any, int]:
            words = ("--json", "--timeout", str(limit), *names)
            check = bare_python.run("-m", "rockpool", "backends", "--check", *words, path=path)
            doctor = bare_python.run("-m", "rockpool", "doctor", *words, path=path, check=False)
            assert check.stderr == doctor.stderr == ""
            return json.loads(check.stdout), json.loads(doctor.stdout), doctor.returncode

        def is_fair(answer: tuple[Any, Any, int]) -> bool:
            """Whether the one that does not hang had time enough."""
            rows = [*answer[0], *answer[1]["backends"]]
            return all(row["state"] == "available" for row in rows if row["name"] == names[1])

        return within_a_limit(ask, is_fair) if names else ask(PATIENCE)

    quick = len(TURNS)
    with ThreadPoolExecutor(2) as pool, ThreadPoolExecutor(6) as idle:
        waiting = idle.map(visit, VISITS[quick:])
        return [*pool.map(visit, VISITS[:quick]), *waiting]


def test_over_all_visits_every_backend_has_every_fault() -> None:
    seen = {(module, fault) for faults, _ in VISITS for module, fault in faults.items()}
    assert seen == {(module, fault) for module in SLOTS for fault in FAULTS}


@pytest.mark.slow
@pytest.mark.parametrize("number", range(len(VISITS)))
def test_the_commands_go_on_and_say_what_is_wrong(number: int, told: list[Any]) -> None:
    faults, names = VISITS[number]
    check, doctor, code = told[number]
    rows = {row["name"]: row for row in check}
    examined = {row["name"]: row for row in doctor["backends"]}
    assert set(rows) == set(examined) == set(names or BACKENDS)
    problems = [finding for finding in doctor["findings"] if finding["level"] == "problem"]
    for name, row in rows.items():
        state = state_of(name, faults, imported=True)
        assert row["state"] == examined[name]["state"] == state, name
        about = [finding for finding in problems if name in finding["about"]]
        if state == "available" or (state == "missing" and name != "numpy" and not names):
            assert about == [], name
            continue
        (finding,) = about
        assert finding["mend"], name
        # one of its modules is at fault, and its words are in the message
        culprits = [
            FAULTS[fault]
            for module, fault in faults.items()
            for needed in STANDARD[name].modules
            if f"{needed}.".startswith(f"{module}.")
        ]
        wanted = [fake.words if fake.dies is None else (fake.dies,) for fake in culprits]
        for text in (row["reason"], finding["what"]):
            assert any(all(word in text for word in words) for words in wanted), (name, text)
    assert code == (1 if problems else 0)
