"""The benchmark runs as it stands: contenders, the table, the chart. Nothing is said of speed."""

from __future__ import annotations

import importlib.util
import json
import math
import shutil
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

HERE = Path(__file__).parent


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return the script as a module, with tiny sizes."""
    spec = importlib.util.spec_from_file_location("bench_kernels", HERE / "bench_kernels.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "CASES", ((3, 5, 2),) * 4)
    monkeypatch.setattr(module, "LONG", ((3, 5, 1), (3, 10, 1)))
    monkeypatch.setattr(module, "SECONDS", 0.0)
    return module


def only(bench: ModuleType, monkeypatch: pytest.MonkeyPatch, *labels: str) -> None:
    """Let these contenders take part, and no other."""
    everybody = bench.contenders

    def chosen(options: Any, libraries: dict[str, str]) -> list[Any]:
        found = everybody(options, libraries)
        return [c._replace(cases=bench.CASES) for c in found if c.label in labels] + [
            c._replace(cases=bench.LONG) for c in found if c.label.endswith("long")
        ]

    monkeypatch.setattr(bench, "contenders", chosen)


def script(file: Path, command: str) -> str:
    """Write a command as a program."""
    file.write_text(f"#!/bin/sh\n{command}\n")
    file.chmod(0o755)
    return str(file)


@pytest.mark.slow
def test_the_table_the_figures_and_the_chart(
    bench: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert shutil.which("cc"), "the benchmark compares with C"
    everybody = "C", "C, again", "C, double", "this package: LIFNumba", "upstream: LIF"
    only(bench, monkeypatch, *everybody)
    figures, chart = tmp_path / "figures.json", tmp_path / "chart.png"
    # this package plays the part of the other release
    path = f"PYTHONPATH='{HERE.parents[1]}'"
    other = script(tmp_path / "upstream", f"{path} exec '{sys.executable}' \"$@\"")
    arguments = ["--rounds", "1", "--upstream", other]
    found = bench.main([*arguments, "--json", str(figures), "--plot", str(chart)])
    printed = capsys.readouterr().out
    assert "LIFNumba, forward" in printed and "x (200x)" in printed
    assert "noise: C against itself" in printed and "a step of 10 costs" in printed
    written = json.loads(figures.read_text())
    assert written["results"] == found["results"] and written["date"] and written["machine"]
    assert written["rounds"] == 1 and written["versions"]["Rockpool"]
    assert written["noise"].keys() == {"forward", "forward + backward"}
    for label, cases in found["results"].items():
        for forward, both in cases:
            assert forward["median"] > 0
            assert (both is None) == (label in ("this package: LIFNumba", "upstream: LIF"))
            assert both is None or math.isfinite(both["median"])
    assert chart.read_bytes().startswith(b"\x89PNG")


def test_a_contender_that_fails_is_named(
    bench: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    only(bench, monkeypatch, "Norse LIF")
    broken = script(tmp_path / "python", "echo no such package >&2; exit 3")
    with pytest.raises(SystemExit, match=r"Norse LIF \(.*\) failed:\nno such package"):
        bench.main(["--rounds", "1", "--cc", "", "--norse", broken])


def test_wrong_arguments_are_refused(bench: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        bench.main(["--rounds", "0"])
    assert "--rounds must be at least 1, got 0" in capsys.readouterr().err
