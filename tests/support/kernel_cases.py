"""Time loops of torch called with tensors, and what comes out compared: results and gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from rockpool.nn.modules.torch._base.surrogates import StepPWL
from rockpool.nn.modules.torch._loops.lif import LIFParameters, LIFState

F32, F64 = torch.float32, torch.float64
# largest difference of gradients, in parts of the largest gradient of the same tensor
TOLERANCE = {F32: 2e-6, F64: 1e-12}


class Way(NamedTuple):
    """What came out of one way of doing it."""

    results: dict[str, Tensor]
    gradients: dict[str, Tensor]


def take(loop: Callable[..., Any], tensors: dict[str, Tensor], call: Callable[..., Any]) -> Way:
    """Call a loop with copies of tensors that have gradients, and go back from all results."""
    leaves = {name: value.clone().requires_grad_() for name, value in tensors.items()}
    output, state, *records = call(loop, leaves)
    results = {"output": output}
    states = enumerate(state if isinstance(state, tuple) else [state])
    results |= {f"last {i}": value for i, value in states if value is not None}
    for record in records:
        results |= record
    loss = torch.zeros((), dtype=output.dtype)
    for seed, (_, value) in enumerate(sorted(results.items())):
        weight = torch.rand(value.shape, generator=torch.Generator().manual_seed(seed))
        loss = loss + (value * weight.to(value)).sum()
    loss.backward()
    gradients = {
        name: torch.zeros_like(leaf) if leaf.grad is None else leaf.grad
        for name, leaf in leaves.items()
    }
    return Way(results, gradients)


def assert_same(kernel: Way, loop: Way, exact: tuple[str, ...] = ()) -> None:
    dtype = loop.results["output"].dtype
    assert kernel.results.keys() == loop.results.keys()
    for name, expected in loop.results.items():
        found = kernel.results[name]
        assert found.requires_grad == expected.requires_grad, name
        assert found.dtype == dtype and found.shape == expected.shape, name
        if name in exact:
            assert torch.equal(found, expected), name
        else:
            torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-6)
    for name, expected in loop.gradients.items():
        found, largest = kernel.gradients[name], expected.abs().max() if expected.numel() else 0.0
        assert found.shape == expected.shape
        assert torch.all((found - expected).abs() <= TOLERANCE[dtype] * largest), name


def numbers(*shape: int, low: float = 0.0, high: float = 1.0, dtype: torch.dtype = F32) -> Tensor:
    return low + (high - low) * torch.rand(shape, dtype=dtype)


def dyadic(values: Tensor) -> Tensor:
    """Return values whose sums are exact, whatever the order."""
    return torch.round(values * 2**16) / 2**16


B, T, N = 3, 30, 5


def lif_tensors(
    n_synapses: int,
    recurrent: bool,
    adaptive: bool,
    dtype: torch.dtype,
    n_batch: int = B,
    n_steps: int = T,
    n: int = N,
) -> dict[str, Tensor]:
    torch.manual_seed(n_synapses + 2 * recurrent + 4 * adaptive)
    tensors = {
        "x": numbers(n_batch, n_steps, n * n_synapses, high=0.6 / n_synapses, dtype=dtype),
        "tau_mem": numbers(n, low=0.01, high=0.03, dtype=dtype),
        "tau_syn": numbers(n, n_synapses, low=0.01, high=0.03, dtype=dtype),
        "bias": numbers(n, low=-0.02, high=0.05, dtype=dtype),
        "threshold": numbers(n, low=0.7, high=1.2, dtype=dtype),
        "vmem": numbers(n_batch, n, low=-0.5, high=0.5, dtype=dtype),
        "isyn": numbers(n_batch, n, n_synapses, high=0.1, dtype=dtype),
        "spikes": torch.randint(0, 2, (n_batch, n)).to(dtype),
    }
    if recurrent:
        weights = numbers(n, n * n_synapses, low=-0.1, high=0.05, dtype=dtype)
        tensors["w_rec"] = dyadic(weights)
    if adaptive:
        tensors["tau_ahp"] = numbers(n, low=0.01, high=0.03, dtype=dtype)
        tensors["w_ahp"] = numbers(n, low=-0.3, high=0.0, dtype=dtype)
        tensors["iahp"] = numbers(n_batch, n, low=-0.1, high=0.0, dtype=dtype)
    return tensors


def evolve_lif(
    loop: Callable[..., Any],
    p: dict[str, Tensor],
    spike_fn: Any = StepPWL,
    noise: Tensor | None = None,
    record: bool = False,
    window: float = 0.5,
    max_spikes: float = 2.0**16,
) -> Any:
    def decay(name: str) -> Tensor:
        return torch.exp(-1e-3 / p[name])

    parameters = LIFParameters(
        decay("tau_mem"),
        decay("tau_syn"),
        p["bias"],
        p["threshold"],
        p.get("w_rec"),
        spike_fn.apply,
        window,
        max_spikes,
    )
    state = LIFState(p["vmem"], p["isyn"], p["spikes"], p.get("iahp"))
    if "iahp" in p:
        parameters = parameters._replace(gamma=decay("tau_ahp"), w_ahp=p["w_ahp"])
    return loop(p["x"], state, parameters, noise, record)
