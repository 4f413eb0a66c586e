"""Timing of layers."""

from __future__ import annotations

from typing import Any

import pytest

from rockpool.utilities import backend_available, benchmarking
from rockpool.utilities.benchmarking import (
    benchmark_neurons,
    lif_benchmarks,
    plot_benchmark_results,
    timeit,
)


def test_calls_are_counted() -> None:
    calls: list[None] = []
    times = timeit(lambda: calls.append(None), min_runs=4, max_runs=9, min_time=0, warmup_calls=2)
    assert (len(times), len(calls)) == (4, 6)
    assert all(time >= 0 for time in times)
    assert len(timeit(lambda: None, max_runs=7, min_time=100)) == 7
    with pytest.raises(ValueError, match="min_runs must be >= 1 and at most max_runs, 2; got 3"):
        timeit(lambda: None, max_runs=2)


@pytest.mark.parametrize(
    "name", ["lif_benchmark", "lif_torch_benchmark", "jax_lif_nojit_benchmark"]
)
def test_layers_are_made_and_evolved(name: str) -> None:
    prepare, create, evolve, title = getattr(benchmarking, name)()
    creation, evolution, sizes, said = benchmark_neurons(
        prepare,
        create,
        evolve,
        title,
        layer_sizes=[1, 3],
        num_batches=2,
        num_timesteps=5,
        min_runs=2,
        min_time=0,
    )
    assert (sizes, said) == ([1, 3], title)
    assert [len(times) for times in (*creation, *evolution)] == [2] * 4


def test_jitted_layers_are_evolved() -> None:
    prepare, create, evolve, _ = benchmarking.jax_lif_jit_cpu_benchmark()
    prepared = prepare(5, 3, 2)
    evolve(prepared, create(prepared))


@pytest.mark.skipif(backend_available("cuda"), reason="there is a GPU")
@pytest.mark.parametrize("name", ["lif_torch_cuda_benchmark", "lif_torch_cuda_graph_benchmark"])
def test_without_a_gpu_it_is_said(name: str) -> None:
    with pytest.raises(ModuleNotFoundError, match=r"Missing the `cuda` backend\. `LIFTorch`"):
        getattr(benchmarking, name)()


def test_all_are_listed() -> None:
    names = {function.__name__ for function in lif_benchmarks.all_lif_benchmarks}
    assert names == {name for name in benchmarking.__all__ if name.endswith("_benchmark")}


def test_a_plot() -> None:
    pytest.importorskip("matplotlib").use("Agg")
    axes: Any = plot_benchmark_results([[1.0, 2.0]] * 2, [[0.1, 0.2]] * 2, [1, 10], "layers")
    assert [ax.get_title() for ax in axes] == ["Creation", "Evolution"]
    assert axes[0].lines[0].get_ydata().tolist() == [1.5, 1.5]
