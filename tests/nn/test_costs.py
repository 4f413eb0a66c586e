"""The file with measured costs: where it is, what it may hold, and what is done about a damaged one."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import pytest

from rockpool import describe
from rockpool.nn.choice import choose
from rockpool.nn.costs import COLUMNS, KINDS, Column, Cost, cost_file, known_costs, write_costs
from rockpool.nn.modules import LIF

COLUMN = Column(5.0, dict.fromkeys(KINDS, Cost(1.0, 2.0, 3.0, 4.0, 5.0)))


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the costs are; there is no such file yet, nor its folder."""
    file = tmp_path / "folder" / "costs.json"
    monkeypatch.setenv("ROCKPOOL_COST_FILE", str(file))
    return file


def test_it_is_in_the_folder_for_caches(tmp_path: Path, full_python: Any) -> None:
    code = "from rockpool.nn.costs import cost_file; print(cost_file())"
    said = full_python.python(code, ROCKPOOL_COST_FILE="", XDG_CACHE_HOME=str(tmp_path))
    assert said == str(tmp_path / "rockpool" / "costs.json")


def test_the_life_of_the_file(path: Path) -> None:
    assert cost_file() == str(path)
    defaults, measured = known_costs()
    choose(describe(LIF(2)))
    assert set(defaults) == set(COLUMNS) and not measured
    assert not path.parent.exists()  # nothing is written by asking

    assert write_costs({"numpy": COLUMN}) == str(path)
    costs, measured = known_costs()
    assert costs["numpy"] == COLUMN and measured == {"numpy"}
    assert costs["numba"] == defaults["numba"]
    assert choose(describe(LIF(2))).reason.endswith("(costs some by default)")

    write_costs({"numba": COLUMN})
    assert known_costs()[1] == {"numpy", "numba"}

    path.unlink()
    assert known_costs() == (defaults, frozenset())


def test_each_kind_has_a_default() -> None:
    for column in known_costs()[0].values():
        assert tuple(column.layers) == KINDS and column.start > 0
        assert all(min(cost) >= 0 and cost.call > 0 for cost in column.layers.values())


def changed(said: dict[str, Any], where: str, value: Any) -> None:
    *path, last = where.split("/")
    for name in path:
        said = said[name]
    said[last] = value


@pytest.mark.parametrize(
    ("where", "value", "told"),
    [
        ("format", 2, "format 1"),
        ("columns", [], "columns must be an object"),
        ("columns/torhc", {}, "'torhc' must be one of numpy"),
        ("columns/numpy", {}, "numpy: layers must be an object"),
        ("columns/numpy/start", -1, "numpy: start must be a number of nanoseconds, got -1"),
        ("columns/numpy/start", "1", "numpy: start must be a number"),
        ("columns/numpy/start", True, "numpy: start must be a number"),
        ("columns/numpy/start", 10**400, "numpy: start must be a number"),
        ("columns/numpy/start", float("nan"), "numpy: start must be a number"),
        ("columns/numpy/layers/LIF", {"call": 1}, "numpy: LIF must have call, step"),
        ("columns/numpy/layers/LIF/call", None, "numpy: LIF: call must be a number"),
        ("columns/numpy/layers/GRU", {}, "'GRU' must be one of LIF"),
        ("columns/numpy/layers", {}, "numpy must have start and layers"),
    ],
)
def test_a_damaged_file_is_passed_over(path: Path, where: str, value: Any, told: str) -> None:
    write_costs({"numpy": COLUMN})
    said = json.loads(path.read_text())
    changed(said, where, value)
    path.write_text(json.dumps(said))
    check_passed_over(path, told)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "no JSON"),
        (b"{", "no JSON"),
        (b"\xff\xfe\x00", "no JSON"),
        (b"[" * 60_000, "no JSON"),
        (b"[]", "must be an object"),
        (b" " * 70_000, "more than 65536 bytes"),
    ],
)
def test_what_is_no_such_file_is_passed_over(path: Path, content: bytes, told: str) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    check_passed_over(path, told)


def check_passed_over(path: Path, told: str) -> None:
    """Defaults hold, with one warning that names the file; writing it again mends it."""
    with pytest.warns(UserWarning, match="are not used") as caught:
        costs, measured = known_costs()
    (warning,) = caught
    assert str(path) in str(warning.message) and told in str(warning.message)
    assert not measured and set(costs) == set(COLUMNS)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not known_costs()[1]
    write_costs({"numpy": COLUMN})
    assert known_costs()[1] == {"numpy"}


def test_a_folder_in_its_place_is_passed_over(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.warns(UserWarning, match="are not used"):
        assert not known_costs()[1]
    with pytest.raises(OSError):
        write_costs({"numpy": COLUMN})
