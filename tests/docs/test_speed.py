"""The figures of speed: README, page and chart have those that the benchmark has kept."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "docs" / "_make"))

import speed  # noqa: E402
from chart import Bar, chart  # noqa: E402

FIGURES = json.loads((ROOT / "tests" / "benchmarks" / "results.json").read_text())


def figures_of(text: str) -> dict[str, list[list[tuple[float, bool]]]]:
    """Return the figures of the table in a text, and which have a mark, by row and case."""
    found = {}
    for line in text.partition("| ns per neuron and step |")[2].splitlines()[2:]:
        if not line.startswith("| "):
            break
        row, *cells = (cell.strip() for cell in line.strip("|").split("|"))
        found[row] = [
            [(float(part.strip(" ~")), "~" in part) for part in cell.split("/")] for cell in cells
        ]
    return found


@pytest.mark.parametrize("file", ["README.md", "docs/speed.md"])
def test_each_figure_is_one_of_the_benchmark(file: str) -> None:
    text = (ROOT / file).read_text()
    shown = figures_of(text)
    assert list(shown) == [row.format(**FIGURES["versions"]) for row in speed._ROWS]
    for row, name in speed._ROWS.items():
        kept = [
            [(value["median"], value["noisy"]) for value in case if value]
            for case in FIGURES["results"][name]
        ]
        for case, wanted in zip(shown[row.format(**FIGURES["versions"])], kept, strict=True):
            assert [mark for _, mark in case] == [mark for _, mark in wanted]
            for (value, _), (median, _) in zip(case, wanted, strict=True):
                assert value == pytest.approx(median, rel=5e-3)
    for told in (FIGURES["date"], FIGURES["machine"], f"{FIGURES['rounds']} interleaved rounds"):
        assert told in " ".join(text.split())
    for name, version in FIGURES["versions"].items():
        assert f"{name} {version}" in " ".join(text.split())


def test_what_is_measured_anew_is_what_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    other = json.loads(json.dumps(FIGURES))
    other["results"]["C"][0] = [
        {"median": 1234.5, "noisy": True},
        {"median": 0.98765, "noisy": False},
    ]
    other["versions"]["Rockpool"], other["noise"] = "3.2.0", {}
    monkeypatch.setattr(speed, "results", lambda: other)
    table = speed.table()
    assert "| the same loops in C (gcc -O3) | ~1234 / 0.988 |" in table
    assert "| Rockpool 3.2.0 LIF |" in table and "differed" not in table


def test_bars_are_as_long_as_their_logarithms() -> None:
    drawn = chart("ns", [Bar("ours", 1.0, 10.0, True), Bar("theirs", 100.0, None, False)])
    lengths = [float(width) for width in re.findall(r'<rect[^>]* width="([\d.]+)"', drawn)]
    assert lengths[1] == 0 and lengths[2] == pytest.approx(2 * lengths[0], abs=0.2)
