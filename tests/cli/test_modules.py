"""`rockpool modules`."""

from __future__ import annotations

import json

import pytest

import rockpool.nn.combinators
import rockpool.nn.modules
from rockpool.cli import main
from rockpool.utilities.lazy_loading import advertised

FACES = {
    "rockpool.nn.modules": rockpool.nn.modules,
    "rockpool.nn.combinators": rockpool.nn.combinators,
}


def listed(capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, object]]:
    assert main(["modules", "--json", *words]) == 0
    return json.loads(capsys.readouterr().out)


def test_everything_advertised_is_listed_with_its_backend(
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows = {(row["package"], row["name"]): row for row in listed(capsys)}
    assert {name for package, name in rows if package == "rockpool.nn.modules"} == set(
        dir(rockpool.nn.modules)
    )
    for package in FACES:
        for name, (module, backend) in advertised(package).items():
            assert rows[package, name]["module"] == module
            assert rows[package, name]["backend"] == backend


@pytest.mark.slow
def test_classes_and_functions_are_told_apart_by_their_spelling(
    full_python, capsys: pytest.CaptureFixture[str]
) -> None:
    """Against the real things, in a process of its own that loads every back-end."""
    code = """
import inspect, json, sys
import rockpool.nn.modules as modules
kinds = {name: inspect.isclass(getattr(modules, name)) for name in modules.__all__}
print(json.dumps(kinds), file=sys.stderr)
"""
    kinds = json.loads(full_python.run("-c", code).stderr.splitlines()[-1])
    rows = [row for row in listed(capsys) if row["package"] == "rockpool.nn.modules"]
    assert {row["name"]: row["kind"] == "class" for row in rows} == kinds


def test_the_table_has_a_line_for_each_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["modules"]) == 0
    table = capsys.readouterr().out.partition("\n\n")[0].splitlines()
    assert table[0].split() == ["NAME", "BACK-END", "USABLE", "HERE", "IMPORT", "FROM"]
    names = [line.split()[0] for line in table[1:]]
    assert names == [row["name"] for row in listed(capsys)]
    lif = next(line.split() for line in table if line.startswith("LIF "))
    assert lif == ["LIF", "numpy", "yes", "rockpool.nn.modules"]


def test_one_backend_can_be_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    rows = listed(capsys, "--backend", "torch")
    assert "RateTorch" in {row["name"] for row in rows}
    assert {row["backend"] for row in rows} == {"torch"}
    assert rows == [row for row in listed(capsys) if row["backend"] == "torch"]


def test_backends_are_asked_for_as_elsewhere(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["modules", "--backend", "torch"]) == 0
    wanted = capsys.readouterr().out
    assert main(["modules", "torch"]) == 0
    assert capsys.readouterr().out == wanted
    assert main(["modules", "brian", "nest"]) == 0
    out = capsys.readouterr().out
    assert "LIFBrian" in out and "LIFNest" in out and "LIFTorch" not in out


def test_a_backend_without_modules_is_no_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["modules", "--backend", "cuda"]) == 0
    assert capsys.readouterr().out == "No module needs cuda.\n"


def test_where_a_backend_is_missing_its_modules_cannot_be_used(bare_python, numpy_python) -> None:
    for python, numpy_here in ((bare_python, False), (numpy_python, True)):
        rows = json.loads(python.run("-m", "rockpool", "modules", "--json").stdout)
        usable = {row["backend"]: row["usable"] for row in rows}
        assert usable["numpy"] is numpy_here
        assert usable["torch"] is False
        text = python.run("-m", "rockpool", "modules").stdout
        assert "no, torch is missing" in text
        assert text.endswith("'rockpool backends' shows how to get what is missing.\n")


def test_a_condition_that_was_not_tested_is_not_claimed(full_python, bare_python, tmp_path) -> None:
    """CUDA, for example: the modules of the back-end are here, a device perhaps not."""
    for package in ("torch", "sinabs"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text("__version__ = '99.0'")
    (tmp_path / "sinabs" / "exodus.py").write_text("")
    done = bare_python.run("-m", "rockpool", "modules", "--json", path=tmp_path)
    usable = {row["backend"]: row["usable"] for row in json.loads(done.stdout)}
    assert usable["torch"] is True
    assert usable.get("sinabs-exodus") is None
