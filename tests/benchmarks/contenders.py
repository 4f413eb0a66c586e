"""One layer of neurons in one package: what `bench_kernels.py` starts, in whatever interpreter.

    python contenders.py NAME '[[neurons, steps, batch], ...]' SECONDS [LIBRARY]

Prints, as JSON, for each size the CPU nanoseconds per neuron and time step: forward, and forward
and backward with the gradients of the input and of every parameter that the layer trains (null
where there is no backward). On one processor; warm; median of as many runs as fit into SECONDS, three at
least. With another package of the name rockpool the same code runs that one.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

warnings.simplefilter("ignore")

Run = Callable[[], Any]
DT, TAU_MEM, TAU_SYN = 1e-3, 0.02, 0.02


def spikes(n: int, steps: int, batch: int) -> np.ndarray:
    """Return input (B, T, N) of which one in twenty is a spike."""
    rng = np.random.default_rng(0)
    return np.float32(0.3) * (rng.random((batch, steps, n)) < 0.05)


def numpy_layer(
    name: str, given: Any = np.float32, **arguments: Any
) -> Callable[..., tuple[Run, Run | None]]:
    """Return a contender of modules that take and give arrays, and do not train."""

    def build(n: int, steps: int, batch: int) -> tuple[Run, Run | None]:
        from rockpool.nn import modules

        layer = getattr(modules, name)(n, **arguments)
        x = spikes(n, steps, batch).astype(given)
        return lambda: layer(x), None

    return build


def torch_layer(make: Callable[[int], Any], *, time_first: bool = False) -> Any:
    """Return a contender of torch layers that take time as an axis."""

    def build(n: int, steps: int, batch: int) -> tuple[Run, Run]:
        import torch

        torch.set_num_threads(1)
        torch.manual_seed(0)
        layer, data = make(n), spikes(n, steps, batch)
        x = torch.tensor(data.swapaxes(0, 1) if time_first else data).requires_grad_()

        def output() -> Any:
            result = layer(x)
            return result[0] if isinstance(result, tuple) else result

        def forward() -> None:
            with torch.no_grad():
                output()

        def both() -> None:
            for tensor in (x, *torch.nn.Module.parameters(layer)):
                tensor.grad = None
            output().sum().backward()

        return forward, both

    return build


def rockpool_torch(name: str, **arguments: Any) -> Any:
    def make(n: int) -> Any:
        import torch

        from rockpool.nn.modules import torch as modules

        if arguments.get("has_rec"):
            w_rec = (torch.rand(n, n) - 0.5) / n**0.5
            return getattr(modules, name)(n, w_rec=w_rec, **arguments)
        return getattr(modules, name)(n, **arguments)

    return torch_layer(make)


def sinabs_lif(n: int) -> Any:
    from sinabs.layers import LIF

    class Layer(LIF):
        def forward(self, x: Any) -> Any:
            self.reset_states()
            return super().forward(x)

    return Layer(tau_mem=TAU_MEM / DT, tau_syn=TAU_SYN / DT, norm_input=False, train_alphas=True)


def snntorch_synaptic(n: int) -> Any:
    import snntorch
    import torch

    decay = torch.full((n,), float(np.exp(-DT / TAU_MEM)))
    cell = snntorch.Synaptic(
        alpha=decay, beta=decay, learn_alpha=True, learn_beta=True, learn_threshold=True
    )

    class Layer(torch.nn.Module):
        """The loop over time of the tutorials."""

        def forward(self, x: Any) -> Any:
            current, membrane = cell.reset_mem()
            outputs = []
            for step in x:
                spike, current, membrane = cell(step, current, membrane)
                outputs.append(spike)
            return torch.stack(outputs)

    return Layer()


def norse_lif(n: int) -> Any:
    from norse.torch import LIF

    return LIF()


def rockpool_jax(name: str) -> Any:
    def build(n: int, steps: int, batch: int) -> tuple[Run, Run]:
        import jax
        import jax.numpy as jnp

        from rockpool.nn import modules

        layer, data = getattr(modules, name)(n), jnp.asarray(spikes(n, steps, batch))
        parameters = layer.parameters()

        @jax.jit
        def forward(parameters: Any, data: Any) -> Any:
            return layer.set_attributes(parameters)(data)[0]

        @jax.jit
        def both(parameters: Any, data: Any) -> Any:
            def loss(p: Any, x: Any) -> Any:
                return jnp.sum(layer.set_attributes(p)(x)[0])

            return jax.grad(loss, (0, 1))(parameters, data)

        return (
            lambda: jax.block_until_ready(forward(parameters, data)),
            lambda: jax.block_until_ready(both(parameters, data)),
        )

    return build


def c(dtype: Any) -> Callable[..., tuple[Run, Run | None]]:
    """Return the loops in C, compiled for numbers of a type, on memory that is there already."""

    def build(n: int, steps: int, batch: int) -> tuple[Run, Run]:
        library = ctypes.CDLL(sys.argv[4])
        real = ctypes.c_float if dtype == np.float32 else ctypes.c_double
        pointer = ctypes.POINTER(real)
        x = spikes(n, steps, batch).astype(dtype)
        size = [ctypes.c_long(number) for number in (batch, steps, n)]

        def row(value: float = 0.0, count: int = 1) -> np.ndarray:
            return np.full((count, n), value, dtype)

        def at(*arrays: np.ndarray) -> list[Any]:
            return [array.ctypes.data_as(pointer) for array in arrays]

        alpha, beta = row(np.exp(-DT / TAU_MEM)), row(np.exp(-DT / TAU_SYN))
        bias, threshold = row(), row(1.0)

        output, before, grad_x = np.empty_like(x), np.empty_like(x), np.empty_like(x)
        grad_output, state = np.ones_like(x), np.zeros((2, batch, n), x.dtype)
        gradients, scratch = row(count=4), row(count=4)

        def forward() -> None:
            state[:] = 0
            library.forward(*size, *at(x, alpha, beta, bias, threshold, *state, output, before))

        def both() -> None:
            forward()
            gradients[:] = 0
            library.backward(
                *size,
                *at(grad_output, x, before, alpha, beta, threshold),
                real(0.5),
                *at(*scratch, grad_x, *gradients),
            )

        return forward, both

    return build


CONTENDERS: dict[str, Callable[..., tuple[Run, Run | None]]] = {
    "C": c(np.float32),
    "C, double": c(np.float64),
    "LIF": numpy_layer("LIF"),
    "LIFNumba": numpy_layer("LIFNumba"),
    "LIFNumba, single": numpy_layer("LIFNumba", dtype=np.float32),
    "LIF, double": numpy_layer("LIF", np.float64),
    "LIFNumba, double": numpy_layer("LIFNumba", np.float64),
    "ExpSyn": numpy_layer("ExpSyn"),
    "ExpSynNumba": numpy_layer("ExpSynNumba"),
    "ExpSyn, double": numpy_layer("ExpSyn", np.float64),
    "ExpSynNumba, double": numpy_layer("ExpSynNumba", np.float64),
    "LIFTorch": rockpool_torch("LIFTorch"),
    "LIFTorch recurrent": rockpool_torch("LIFTorch", has_rec=True),
    "ExpSynTorch": rockpool_torch("ExpSynTorch"),
    "LIFJax": rockpool_jax("LIFJax"),
    "sinabs LIF": torch_layer(sinabs_lif),
    "snnTorch Synaptic": torch_layer(snntorch_synaptic, time_first=True),
    "Norse LIF": torch_layer(norse_lif, time_first=True),
}


def cost(run: Run | None, seconds: float) -> float | None:
    """Return the median CPU time of a run, in seconds."""
    if run is None:
        return None
    run()
    times: list[float] = []
    while len(times) < 3 or sum(times) < seconds:
        start = time.process_time()
        run()
        times.append(time.process_time() - start)
    return sorted(times)[len(times) // 2]


def main() -> None:
    """Measure one contender in all sizes."""
    if hasattr(os, "sched_setaffinity"):  # on one processor, whatever threads it starts
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    build, results = CONTENDERS[sys.argv[1]], []
    for case in json.loads(sys.argv[2]):
        per_step = 1e9 / np.prod(case)
        found = [cost(run, float(sys.argv[3])) for run in build(*case)]
        results.append([None if value is None else value * per_step for value in found])
    print(json.dumps(results))


if __name__ == "__main__":
    main()
