"""Layers of LIF neurons to measure, for `benchmark_neurons`.

Each function returns what that takes: ``(prepare_fn, create_fn, evolve_fn, title)``. It is a
ModuleNotFoundError if the back-end is missing. The input is spikes with a probability of 0.01.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from rockpool.backends.queries import backend_available, missing_backend_error

__all__ = [
    "all_lif_benchmarks",
    "jax_lif_jit_cpu_benchmark",
    "jax_lif_jit_gpu_benchmark",
    "jax_lif_jit_tpu_benchmark",
    "jax_lif_nojit_benchmark",
    "lif_benchmark",
    "lif_exodus_cuda_benchmark",
    "lif_torch_benchmark",
    "lif_torch_cuda_benchmark",
    "lif_torch_cuda_graph_benchmark",
]

Benchmark = tuple[
    Callable[[int, int, int], Any], Callable[[Any], Any], Callable[[Any, Any], Any], str
]


class Prepared(NamedTuple):
    """What a benchmark is made with: the number of neurons, and an input (B, T, N)."""

    n_neurons: int
    data: Any


def _spikes(num_timesteps: int, layer_size: int, num_batches: int) -> Prepared:
    random = np.random.default_rng(0)
    spikes = random.random((num_batches, num_timesteps, layer_size)) < 0.01
    return Prepared(layer_size, spikes.astype(np.float32))


def lif_benchmark() -> Benchmark:
    """Measure `LIF`, of numpy."""
    from rockpool.nn.modules import LIF

    return _spikes, lambda prepared: LIF(prepared.n_neurons), _called, "LIF, numpy"


def lif_torch_benchmark() -> Benchmark:
    """Measure `LIFTorch`, on the CPU."""
    return _torch_benchmark("torch", "LIFTorch", "cpu", "LIFTorch, CPU")


def lif_torch_cuda_benchmark() -> Benchmark:
    """Measure `LIFTorch` on a GPU."""
    return _torch_benchmark("cuda", "LIFTorch", "cuda", "LIFTorch, GPU")


def lif_exodus_cuda_benchmark() -> Benchmark:
    """Measure `LIFExodus` on a GPU."""
    return _torch_benchmark("sinabs-exodus", "LIFExodus", "cuda", "LIFExodus, GPU")


def lif_torch_cuda_graph_benchmark() -> Benchmark:
    """Measure `LIFTorch` on a GPU, as a CUDA graph that is recorded once and replayed."""
    _, create_layer, _, _ = lif_torch_cuda_benchmark()
    import torch

    def prepare(num_timesteps: int, layer_size: int, num_batches: int) -> Prepared:
        return _on_device(_spikes(num_timesteps, layer_size, num_batches), "cuda")

    def create(prepared: Prepared) -> Any:
        layer = create_layer(prepared)
        aside = torch.cuda.Stream()
        with torch.no_grad(), torch.cuda.stream(aside):  # memory is allotted before the recording
            layer(prepared.data)
        aside.synchronize()
        graph = torch.cuda.CUDAGraph()
        with torch.no_grad(), torch.cuda.graph(graph):
            layer(prepared.data)
        return graph

    def evolve(prepared: Prepared, graph: Any) -> None:
        graph.replay()
        torch.cuda.synchronize()

    return prepare, create, evolve, "LIFTorch, GPU, CUDA graph"


def jax_lif_nojit_benchmark() -> Benchmark:
    """Measure `LIFJax`, without a `jax.jit` around it."""
    return _jax_benchmark(None, "LIFJax, not jitted", jitted=False)


def jax_lif_jit_cpu_benchmark() -> Benchmark:
    """Measure `LIFJax`, jitted on the CPU."""
    return _jax_benchmark("cpu", "LIFJax, jitted, CPU")


def jax_lif_jit_gpu_benchmark() -> Benchmark:
    """Measure `LIFJax`, jitted on a GPU; without one it is a RuntimeError."""
    return _jax_benchmark("gpu", "LIFJax, jitted, GPU")


def jax_lif_jit_tpu_benchmark() -> Benchmark:
    """Measure `LIFJax`, jitted on a TPU; without one it is a RuntimeError."""
    return _jax_benchmark("tpu", "LIFJax, jitted, TPU")


all_lif_benchmarks: list[Callable[[], Benchmark]] = [
    lif_benchmark,
    lif_torch_benchmark,
    lif_torch_cuda_benchmark,
    lif_torch_cuda_graph_benchmark,
    lif_exodus_cuda_benchmark,
    jax_lif_nojit_benchmark,
    jax_lif_jit_cpu_benchmark,
    jax_lif_jit_gpu_benchmark,
    jax_lif_jit_tpu_benchmark,
]


def _called(prepared: Prepared, layer: Any) -> Any:
    return layer(prepared.data)


def _require(name: str, backend: str) -> None:
    if not backend_available(backend):
        missing_backend_error(name, backend)()


def _on_device(prepared: Prepared, device: str) -> Prepared:
    import torch

    return prepared._replace(data=torch.from_numpy(prepared.data).to(device))


def _torch_benchmark(backend: str, name: str, device: str, title: str) -> Benchmark:
    _require(name, backend)
    import torch

    from rockpool.nn import modules

    layer_class = getattr(modules, name)

    def prepare(num_timesteps: int, layer_size: int, num_batches: int) -> Prepared:
        return _on_device(_spikes(num_timesteps, layer_size, num_batches), device)

    def create(prepared: Prepared) -> Any:
        return layer_class(prepared.n_neurons).to(device)

    def evolve(prepared: Prepared, layer: Any) -> None:
        with torch.no_grad():
            layer(prepared.data)
        if device == "cuda":
            torch.cuda.synchronize()

    return prepare, create, evolve, title


def _jax_benchmark(platform: str | None, title: str, jitted: bool = True) -> Benchmark:
    _require("LIFJax", "jax")
    import jax

    from rockpool.nn.modules import LIFJax

    device = None if platform is None else jax.devices(platform)[0]

    def prepare(num_timesteps: int, layer_size: int, num_batches: int) -> Prepared:
        prepared = _spikes(num_timesteps, layer_size, num_batches)
        return prepared._replace(data=jax.device_put(prepared.data, device))

    def create(prepared: Prepared) -> Any:
        layer = jax.device_put(LIFJax(prepared.n_neurons), device)
        return jax.jit(lambda data: layer(data)[0]) if jitted else lambda data: layer(data)[0]

    def evolve(prepared: Prepared, layer: Any) -> None:
        jax.block_until_ready(layer(prepared.data))

    return prepare, create, evolve, title
