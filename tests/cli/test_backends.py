"""`rockpool backends`."""

from __future__ import annotations

import json
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from support.fakes import FAKES, WORKING
from support.patience import within_a_limit

from rockpool.cli import main
from rockpool.utilities.backend_management import backend_status, known_backends


def rows(text: str) -> dict[str, list[str]]:
    """The cells of the table by back-end."""
    lines = text.partition("\n\n")[0].splitlines()
    return {
        line.split()[0]: [cell.strip() for cell in line.split("  ") if cell][1:] for line in lines
    }


def test_every_backend_has_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["backends"]) == 0
    out = capsys.readouterr().out
    table = rows(out)
    assert tuple(table)[1:] == known_backends()
    numpy = backend_status("numpy")
    assert table["numpy"][:2] == [numpy.state, numpy.version]
    assert int(table["numpy"][2]) > 5
    assert int(table["torch"][2]) > 0


def test_backends_without_modules_stand_apart(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["backends", "nir", "torch", "cuda"]) == 0
    out = capsys.readouterr().out
    assert list(rows(out)) == ["BACK-END", "torch", "nir", "cuda"]
    assert rows(out)["nir"][2] == "-"
    assert "Without modules of their own: nir, cuda.\n" in out


def test_json_has_the_whole_record(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["backends", "--json", "numpy", "sinabs-exodus"]) == 0
    numpy, exodus = json.loads(capsys.readouterr().out)
    assert {**backend_status("numpy").to_dict(), "modules": numpy["modules"]} == numpy
    assert exodus["name"] == "sinabs-exodus"
    assert exodus["install"].startswith("pip install ")


def test_without_any_backend_each_line_says_how_to_get_it(bare_python) -> None:
    done = bare_python.run("-m", "rockpool", "backends")
    assert done.stderr == ""
    table = rows(done.stdout)
    for name in known_backends():
        assert table[name][0] == "missing"
        assert table[name][-1] == backend_status(name).install
    assert "0 of 12 installed" in done.stdout


def test_looking_imports_no_backend(full_python) -> None:
    code = """
import sys
from rockpool.cli import main
main(["backends"]); main(["backends", "--json"]); main(["modules"])
loaded = {name.partition(".")[0] for name in sys.modules}
others = {"numpy", "scipy", "torch", "jax", "numba", "brian2", "nest", "sinabs", "nir", "samna"}
print(*sorted(loaded & others), file=sys.stderr)
"""
    assert full_python.run("-c", code).stderr.strip() == ""


@pytest.fixture
def faulty(tmp_path: Path) -> Path:
    """A folder with a back-end for each kind of fault."""
    fakes = {fake.name: fake for fake in FAKES}
    for fault, module in (
        ("segfault", "scipy"),
        ("attribute_error", "numba"),
        ("endless", "brian2"),
        ("too_old", "sinabs"),
        ("system_exit", "jax"),
        ("shadowing_file", "nest"),
    ):
        fakes[fault].write(tmp_path, module)
    (tmp_path / "jaxlib").mkdir()
    (tmp_path / "jaxlib" / "__init__.py").write_text("")
    WORKING.write(tmp_path, "torch")
    return tmp_path


def test_check_tells_what_each_import_does(bare_python, faulty: Path) -> None:
    limits = []

    def check(limit: int) -> CompletedProcess[str]:
        limits.append(limit)
        arguments = ("-m", "rockpool", "backends", "--check", "--timeout", str(limit))
        return bare_python.run(*arguments, path=faulty)

    def states(done: CompletedProcess[str]) -> dict[str, str]:
        return {name: cells[0] for name, cells in rows(done.stdout).items()}

    def is_fair(done: CompletedProcess[str]) -> bool:
        """Whether all but the one that never answers had time to do so."""
        late = {name for name, state in states(done).items() if state.startswith("no answer")}
        return late <= {"brian"}

    done = within_a_limit(check, is_fair)
    state = states(done)
    assert state["numpy"] == "missing"
    assert state["scipy"] == "crashes on import (signal 11)"
    assert state["numba"] == state["jax"] == "broken"
    assert state["torch"] == "available"
    assert state["brian"] == f"no answer within {limits[-1]} s"
    assert state["nest"] == "shadowed"
    assert state["sinabs"] == "too old"
    notes = done.stdout.partition("\n\n")[2]
    assert "numba: importing numba 99.0" in notes
    assert "no_such_attribute" in notes
    assert "SystemExit: fake licence check failed" in notes
    assert "1 of 12 can be used; --verbose shows the errors." in notes
    assert "banner" not in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_verbose_shows_the_end_of_each_error(bare_python, faulty: Path) -> None:
    arguments = ("-m", "rockpool", "backends", "--check", "--verbose", "scipy", "numba", "torch")
    notes = bare_python.run(*arguments, path=faulty).stdout.partition("\n\n")[2]
    assert "    AttributeError: module 'sys' has no attribute 'no_such_attribute'" in notes
    assert "    Fatal Python error: Segmentation fault" in notes
    assert "torch: imported, and works\n" in notes
    assert "banner" not in notes


def test_looking_says_what_is_in_the_way(bare_python, faulty: Path) -> None:
    done = bare_python.run("-m", "rockpool", "backends", path=faulty)
    table = rows(done.stdout)
    assert table["nest"][0] == "shadowed"
    assert table["sinabs"][0] == "too old"
    assert "nest.py is in the place of the package" in done.stdout
    # a CUDA device is not seen by looking
    assert table["cuda"][0] == "not checked"
    assert "cuda: found, not imported yet; whether there is a CUDA device is known" in done.stdout
    assert "5 of 12 installed" in done.stdout
