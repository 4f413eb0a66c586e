"""The benchmark of single steps runs as it stands. Nothing is said of speed."""

from __future__ import annotations

import importlib.util
import json
import shutil
from pathlib import Path
from types import ModuleType

import pytest

HERE = Path(__file__).parent


@pytest.fixture
def bench() -> ModuleType:
    """Return the script as a module."""
    spec = importlib.util.spec_from_file_location("bench_streaming", HERE / "bench_streaming.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_the_tables_and_the_figures(
    bench: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert shutil.which("cc"), "the benchmark compares with C"
    file = tmp_path / "figures.json"
    found = bench.main([*"--rounds 1 --steps 20 --latencies 50 --json".split(), str(file)])
    assert json.loads(file.read_text()) == found
    assert found["cost"].keys() == bench.CONTENDERS.keys() - {"snnTorch"}
    assert len(found["latency"]) == 12 and found["sparse"]["numpy"].keys() >= {"dense", "events"}
    printed = capsys.readouterr().out
    assert all(goal.name in printed for goal in bench.GOALS if "snnTorch" not in goal.name)


def test_contenders_give_the_same_spikes(bench: ModuleType) -> None:
    x = bench.inputs(200)
    batch = bench.network()(x)[0][0]
    assert 0.05 < batch.mean() < 1
    for engine in ("numba", "numpy"):
        assert (bench.network().stream(engine=engine).run(x) == batch).mean() > 0.99


def test_wrong_arguments_are_refused(bench: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        bench.main(["--rounds", "0"])
    assert "--rounds must be at least 1, got 0" in capsys.readouterr().err
