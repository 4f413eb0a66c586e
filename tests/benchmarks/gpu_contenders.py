"""Linear weights and spiking layers on a GPU, by several packages: who takes part in `bench_gpu`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any, NamedTuple

TAU_MEM, TAU_SYN, DT = 0.02, 0.01, 1e-3
KERNEL, LOOP = "ours, kernel", "ours, loop"


class Pair(NamedTuple):
    """A layer of a contender: called for its output, and told to start anew."""

    call: Callable[[Any], Any]
    reset: Callable[[], object]
    parameters: list[Any]
    time_first: bool


def ours(n: int, device: str, linear: bool = True) -> Pair:
    import torch

    from rockpool.nn.combinators import Sequential
    from rockpool.nn.modules.torch import LIFTorch, LinearTorch

    torch.manual_seed(0)
    neurons = LIFTorch(n, tau_mem=TAU_MEM, tau_syn=TAU_SYN)
    weights = LinearTorch((n, n), weight=torch.randn(n, n) / n**0.5) if linear else None
    layer: Any = neurons if weights is None else Sequential(weights, neurons)
    layer = layer.to(device)
    parameters = [p for p in torch.nn.Module.parameters(layer) if p.requires_grad]
    return Pair(lambda x: layer(x)[0], layer.reset_state, parameters, False)


def behind_weights(make: Callable[[], tuple[Any, Any]]) -> Callable[[int, str], Pair]:
    """Return a contender: weights of torch in front of a layer, which is made with its reset."""

    def build(n: int, device: str) -> Pair:
        import torch

        torch.manual_seed(0)
        weights = torch.nn.Linear(n, n, bias=False).to(device)
        layer, reset = make()
        layer = layer.to(device)
        parameters = [*weights.parameters(), *layer.parameters()]
        return Pair(lambda x: layer(weights(x)), reset, parameters, True)

    return build


def weights_alone(n: int, device: str) -> Pair:
    import torch

    weights = torch.nn.Linear(n, n, bias=False).to(device)
    return Pair(weights, lambda: None, list(weights.parameters()), False)


def spikingjelly(n: int, device: str) -> Pair:
    def make() -> tuple[Any, Any]:
        from spikingjelly.activation_based import functional, neuron

        node = neuron.LIFNode(tau=TAU_MEM / DT, decay_input=False, v_reset=None, step_mode="m")
        return node, lambda: functional.reset_net(node)

    return behind_weights(make)(n, device)


def snntorch(n: int, device: str) -> Pair:
    def make() -> tuple[Any, Any]:
        import numpy as np
        import snntorch
        import torch

        decays = [float(np.exp(-DT / tau)) for tau in (TAU_SYN, TAU_MEM)]
        cell = snntorch.Synaptic(alpha=decays[0], beta=decays[1], learn_alpha=True, learn_beta=True)

        class Layer(torch.nn.Module):
            """The loop over time of the tutorials."""

            def __init__(self) -> None:
                super().__init__()
                self.cell = cell

            def forward(self, x: Any) -> Any:
                current, membrane = cell.reset_mem()
                outputs = []
                for step in x:
                    spikes, current, membrane = cell(step, current, membrane)
                    outputs.append(spikes)
                return torch.stack(outputs)

        return Layer(), lambda: None

    return behind_weights(make)(n, device)


def sinabs(module: str) -> Callable[[int, str], Pair]:
    def build(n: int, device: str) -> Pair:
        from importlib import import_module

        layer = import_module(module).LIF(
            tau_mem=TAU_MEM / DT, tau_syn=TAU_SYN / DT, norm_input=False
        )
        pair = behind_weights(lambda: (layer, layer.reset_states))(n, device)
        return pair._replace(time_first=False)

    return build


CONTENDERS: dict[str, Callable[[int, str], Pair]] = {
    "weights alone": weights_alone,
    KERNEL: ours,
    LOOP: ours,
    "spikingjelly, triton": spikingjelly,
    "spikingjelly, cuda": spikingjelly,
    "spikingjelly, torch": spikingjelly,
    "snnTorch": snntorch,
    "sinabs": sinabs("sinabs.layers"),
    "EXODUS": sinabs("sinabs.exodus.layers"),
}
# what reads its settings when it is imported: each in a process of its own
SETTINGS = {
    f"spikingjelly, {kind}": {"SJ_LIF_CUDA_IMPLEMENTATION": kind}
    for kind in ("triton", "cuda", "torch")
}
SETTINGS["ours, jax"] = {"XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
NEEDS = {"spikingjelly": "spikingjelly", "snnTorch": "snntorch", "sinabs": "sinabs"}
NEEDS |= {"EXODUS": "sinabs.exodus", "ours, jax": "jax"}


def missing(name: str) -> str:
    """Return the package that a contender needs and that is not here, or ""."""
    package = NEEDS.get(name) or NEEDS.get(name.partition(",")[0], "")
    try:
        return "" if not package or find_spec(package) else package
    except ModuleNotFoundError:
        return package


@contextmanager
def way(name: str) -> Iterator[None]:
    """Let our layers take kernels or loops."""
    from rockpool.nn.kernels.switch import use_kernels

    with use_kernels(name != LOOP):
        yield
