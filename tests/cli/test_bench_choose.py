"""`rockpool bench --choose`: costs are measured, kept and told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rockpool.cli import main
from rockpool.cli.bench.costing import fitted
from rockpool.nn.costs import KINDS, Cost, read_costs


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the costs are to be kept."""
    file = tmp_path / "cache" / "costs.json"
    monkeypatch.setenv("ROCKPOOL_COST_FILE", str(file))
    return file


def test_costs_are_measured_and_kept(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = "bench --choose --rounds 1 --backends".split()
    assert main([*words, "numpy", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["file"] == str(path) and said["reasons"] == {}
    assert set(read_costs(str(path))) == set(said["columns"]) == {"numpy"}
    assert tuple(said["columns"]["numpy"]["layers"]) == KINDS
    assert read_costs(str(path))["numpy"].layers["LIF"].step > 0

    assert main([*words, "numba"]) == 0
    out = capsys.readouterr().out
    assert set(read_costs(str(path))) == {"numpy", "numba"}
    assert "BACK-END  LAYER" in out and "numba     recurrent LIF" in out
    assert out.endswith(f"chosen by {path}, which may be deleted.\n")


def test_what_is_missing_is_said(numpy_python: Any, tmp_path: Path) -> None:
    done = numpy_python.run(
        *"-m rockpool bench --choose --rounds 1".split(), XDG_CACHE_HOME=str(tmp_path)
    )
    file = tmp_path / "rockpool" / "costs.json"
    assert set(read_costs(str(file))) == {"numpy"}
    assert "not measured: torch: " in done.stdout and "to get it: pip install" in done.stdout


def test_a_back_end_that_fails_is_told_and_the_others_are_kept(
    full_python: Any, tmp_path: Path
) -> None:
    (tmp_path / "numba").mkdir()
    (tmp_path / "numba" / "__init__.py").write_text("raise OSError('no such library')")
    file = tmp_path / "costs.json"
    done = full_python.run(
        *"-m rockpool bench --choose --rounds 1 --backends numpy,numba".split(),
        path=tmp_path,
        check=False,
        ROCKPOOL_COST_FILE=str(file),
    )
    assert done.returncode == 1 and set(read_costs(str(file))) == {"numpy"}
    assert "not measured: numba: ModuleNotFoundError" in done.stdout
    assert "no such library" in done.stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("--backends nest", "'auto' is one of numpy, numba, torch, jax, and never 'nest'"),
        ("--plot a.png", "there is no picture of what --choose measures"),
    ],
)
def test_what_cannot_be_chosen_is_refused(
    path: Path, words: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", "--choose", *words.split()]) == 2
    assert told in capsys.readouterr().err and not path.exists()


def test_a_place_that_cannot_be_written_is_told(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path.parent.write_text("a file where a folder has to be")
    assert main("bench --choose --rounds 1 --backends numpy".split()) == 1
    assert f"cannot write {path}" in capsys.readouterr().err


def test_costs_are_fitted_and_never_negative() -> None:
    terms = [(1, 1, 8, 0, 0), (1, 100, 800, 0, 0), (1, 100, 51200, 0, 0), (1, 100, 10**6, 0, 0)]
    exact = [100 + 3 * steps + 0.5 * values for _, steps, values, *_ in terms]
    assert fitted(terms, exact) == pytest.approx(Cost(100, 3, 0.5))
    falling = [100 - 0.1 * steps + 0.5 * values for _, steps, values, *_ in terms]
    found = fitted(terms, falling)
    assert min(found) == 0 and found.value == pytest.approx(0.5, rel=0.1)
