"""The full environment without one back-end, and with a back-end that lacks one symbol.

Only the names whose files use what is gone are affected.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from support.closure import ROOT, used_with

from rockpool.backends.specs import STANDARD
from rockpool.utilities.lazy_loading import advertised

PACKAGES = sorted(
    ".".join(stub.parent.relative_to(ROOT.parent).parts) for stub in ROOT.rglob("__init__.pyi")
)
REMOVED = "numpy scipy numba torch jax brian nest sinabs nir".split()
# What is advertised where: (package, name) -> (module, back-end).
NAMES = {
    (package, name): home
    for package in PACKAGES
    for name, home in advertised(package).items()
    if home[1] is not None
}

BLOCK = """
import sys

class Gone:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {modules!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Gone())
"""
LOOK_UP = """
import importlib, json, sys, warnings
warnings.simplefilter("ignore")
target, wanted, prepare = sys.argv[1:]
exec(prepare)
said = {"names": {}}
import rockpool.nn.modules
said["listed"] = dir(rockpool.nn.modules)
for package, name in json.loads(wanted):
    try:
        thing = getattr(importlib.import_module(package), name)
    except Exception as error:
        said["names"][f"{package}.{name}"] = f"{type(error).__name__}: {error}"
        continue
    standin = type(thing).__name__ == "StandIn"
    said["names"][f"{package}.{name}"] = thing._home.backend if standin else ""
from rockpool.utilities.backend_management import backend_available, known_backends
said["works"] = {backend: backend_available(backend) for backend in known_backends()}
with open(target, "w") as file:
    json.dump(said, file)
"""


def look_up(python, target: Path, names: list[Any], prepare: str = "", **options: Any) -> Any:
    """What each name is in a process of its own: "" for the real thing, or its back-end."""
    python.run("-c", LOOK_UP, str(target), json.dumps(names), prepare, PYNEST_QUIET="1", **options)
    return json.loads(target.read_text())


# --- without one back-end -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def without(full_python, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """For each back-end what is left without it."""
    folder = tmp_path_factory.mktemp("removed")

    def remove(backend: str) -> Any:
        site = folder / backend
        site.mkdir()
        modules = {module.partition(".")[0] for module in STANDARD[backend].modules}
        (site / "sitecustomize.py").write_text(BLOCK.format(modules=modules))
        return look_up(full_python, site / "said.json", list(NAMES), path=site)

    with ThreadPoolExecutor(2) as pool:
        return dict(zip(REMOVED, pool.map(remove, REMOVED), strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("backend", REMOVED)
def test_without_a_backend_the_others_are_as_they_were(
    backend: str, without: dict[str, Any]
) -> None:
    said = without[backend]
    assert said["listed"] == without["nest"]["listed"]
    assert not said["works"][backend]
    gone = {module.partition(".")[0] for module in STANDARD[backend].modules}
    for (package, name), (module, needs) in NAMES.items():
        used = {name.partition(".")[0] for name in used_with(module)}
        lacks = used & gone
        found = said["names"][f"{package}.{name}"]
        if not said["works"][needs]:  # it is the one, or cannot do without it
            own = {module.partition(".")[0] for module in STANDARD[needs].modules}
            may_be_real = set() if used & (gone | own) else {""}
            assert found in {needs} | may_be_real, (package, name)
        else:
            assert found == (backend if lacks else ""), (package, name)


@pytest.mark.slow
def test_the_removal_of_one_takes_few_with_it(without: dict[str, Any]) -> None:
    real = {
        backend: {name for name, found in said["names"].items() if not found}
        for backend, said in without.items()
    }
    without_numpy = {f"{package}.{name}": module for (package, name), (module, _) in NAMES.items()}
    assert not any(
        used.partition(".")[0] == "numpy"
        for name in real["numpy"]
        for used in used_with(without_numpy[name])
    )
    for backend in ("torch", "jax", "numba", "nest", "brian", "sinabs", "nir", "scipy"):
        assert "rockpool.nn.modules.LIF" in real[backend]
        assert len(real[backend]) > 0.4 * len(NAMES), backend


# --- without one symbol ---------------------------------------------------------------------------


def users_of(backend: str) -> dict[str, set[tuple[str, str]]]:
    """Symbols of a back-end, each with the names whose files use it when they are imported."""
    users: dict[str, set[tuple[str, str]]] = {}
    for name, (module, needs) in NAMES.items():
        if needs == backend and name[0] == f"rockpool.nn.modules.{backend}":
            for symbol in used_with(module):
                if symbol.startswith(f"{STANDARD[backend].own_module}."):
                    users.setdefault(symbol, set()).add(name)
    return users


@pytest.mark.parametrize("backend", ["torch", "jax"])
@pytest.mark.slow
def test_without_one_symbol_only_its_users_are_affected(
    backend: str, full_python, tmp_path: Path
) -> None:
    users = users_of(backend)
    names = [name for name in NAMES if name[0] == f"rockpool.nn.modules.{backend}"]
    some = {symbol: by for symbol, by in users.items() if 0 < len(by) < len(names)}
    assert some, users
    symbol, affected = min(some.items(), key=lambda item: (len(item[1]), item[0]))
    owner, _, attribute = symbol.rpartition(".")
    prepare = f"import {owner.partition('.')[0]}\nimport importlib\n"
    prepare += f"owner = importlib.import_module({owner!r})\ndelattr(owner, {attribute!r})"
    said = look_up(full_python, tmp_path / "said.json", names, prepare)
    assert said["works"][backend]
    for name in names:
        found = said["names"][".".join(name)]
        if name in affected:
            assert found.startswith("ImportError: "), (name, found)
            assert repr(attribute) in found
        else:
            assert found == "", name
