"""Input of one axis is time, for every module, container and network on every back-end.

It is T time steps of one channel, which all channels get. Some modules refuse such input, by its
shape; so do `Linear` and `LinearJax`, which get all of their channels, unless they have but one.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import rockpool.nn.modules
from rockpool import convert
from rockpool.nn.combinators import FFwdStack, Residual, Sequential, Wired
from rockpool.nn.modules import LIF, LIFNumba, Linear, Module
from rockpool.nn.networks import SynNet, WaveNet, WaveSenseNet
from rockpool.nn.networks.wavesense import WaveSenseBlock

N = 3  # input channels
LENGTHS = (3, 5)  # as many time steps as channels, and another number

ABSTRACT = {"JaxModule", "Module", "TimedModule", "TimedModuleWrapper", "TorchModule"}
ABSTRACT |= {"TorchModuleParameters", "WeightedSmoothBase"}
REFUSE = {"UpDown", "LowPass", "Conv1d", "Conv2d", "AvgPool2d", "SumPool2d"}

MAKERS: dict[str, Callable[[Any], Any]] = {
    "Linear": lambda kind: kind((N, 2), weight_init_func=_weights),
    "Softmax": lambda kind: kind((N, 2), weight=_weights((N, 2))),
    "LogSoftmax": lambda kind: kind((N, 2), weight=_weights((N, 2))),
    "ButterFilter": lambda kind: kind([1000.0, 2000.0], 100.0, fs=16000.0),
    "ButterMelFilter": lambda kind: kind((1, 4), fs=16000.0),
    "Conv1d": lambda kind: kind((1, N), 1, 1),
    "Conv2d": lambda kind: kind((1, 1, N), 1, 1),
    "AvgPool2d": lambda kind: kind((1, 1, N), 1),
    "SumPool2d": lambda kind: kind((1, 1, N), 1),
    "LowPass": lambda kind: kind(N, 1e-3, torch.tensor([0.01])),
}


def _weights(shape: tuple[int, ...]) -> Any:
    return np.linspace(-0.5, 1, np.prod(shape)).reshape(shape).astype(np.float32)


def model_of(name: str) -> str:
    """Return the name of a class without its back-end."""
    return name.removesuffix("Torch").removesuffix("Jax")


def classes() -> list[str]:
    """Return the names of all classes of modules that can be made here."""
    found = []
    for name in rockpool.nn.modules.__all__:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            kind = getattr(rockpool.nn.modules, name)
        is_module = inspect.isclass(kind) and issubclass(kind, Module)
        if is_module and name not in ABSTRACT and "Exodus" not in name and name != "LIFSlayer":
            found.append(name)
    return found


def made(name: str) -> Any:
    kind = getattr(rockpool.nn.modules, name)
    module = MAKERS.get(model_of(name), lambda kind: kind(N))(kind)
    return module.eval() if isinstance(module, torch.nn.Module) else module


def steps(length: int, module: Any) -> Any:
    """Return input (T,) for a module, weak enough for those of NEST."""
    data = np.linspace(0.1, 0.3, length).astype(np.float32)
    return torch.from_numpy(data) if isinstance(module, torch.nn.Module) else data


def as_batch(data: Any, module: Any) -> Any:
    """Return the same as (1, T, size_in)."""
    data = np.repeat(np.asarray(data)[None, :, None], module.size_in, axis=2)
    return torch.from_numpy(data) if isinstance(module, torch.nn.Module) else data


def values(output: Any) -> list[np.ndarray]:
    """Return the values of an output, which may be several."""
    parts = output if isinstance(output, tuple) else (output,)
    return [
        np.asarray(part.detach() if hasattr(part, "detach") else part).ravel() for part in parts
    ]


def leaves(tree: dict[str, Any], path: str = "") -> list[tuple[str, np.ndarray]]:
    """Return the arrays of a nested dict, with their places."""
    found = []
    for name, value in tree.items():
        inner = leaves(value, f"{path}{name}.") if isinstance(value, dict) else None
        found += [(path + name, np.asarray(value))] if inner is None else inner
    return found


def check(module: Any, length: int) -> None:
    """Check that one axis is time."""
    data = steps(length, module)
    module = module.reset_state()
    found, state, _ = module(data)
    wanted, wanted_state, _ = module.reset_state()(as_batch(data, module))
    for one, other in zip(values(found), values(wanted), strict=True):
        np.testing.assert_array_equal(one, other)
    for (path, one), (_, other) in zip(leaves(state), leaves(wanted_state), strict=True):
        np.testing.assert_array_equal(one, other, path)


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("name", classes())
def test_modules(name: str, length: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        module = made(name)
    if model_of(name) in REFUSE:
        with pytest.raises(ValueError, match=rf"must have the shape .*, got \({length},\)"):
            module(steps(length, module))
    elif name in ("Linear", "LinearJax"):
        with pytest.raises(
            ValueError,
            match=rf"channels \(its last .* got {length} time steps of one channel in shape "
            rf"\({length},\); give one time step as \(1, {N}\), and T time steps as \(T, {N}\)",
        ):
            module(steps(length, module))
    else:
        check(module, length)


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("kind", [rockpool.nn.modules.Linear, rockpool.nn.modules.LinearJax])
def test_weights_of_one_channel(kind: Any, length: int) -> None:
    module = kind((1, 2), weight=_weights((1, 2)))
    data = steps(length, module)
    np.testing.assert_array_equal(module(data)[0], module(data[:, None])[0])


NETWORKS: dict[str, Callable[[], Any]] = {
    "Sequential": lambda: Sequential(Linear((N, 2), weight=2 * np.ones((N, 2))), LIF(2)),
    "one Linear": lambda: Sequential(Linear((N, 2), weight=_weights((N, 2)))),
    "nested": lambda: Sequential(Sequential(Linear((N, 2), weight=2 * np.ones((N, 2)))), LIF(2)),
    "Residual": lambda: Residual(Linear((N, N), weight=_weights((N, N))), LIF(N)),
    "Residual of neurons": lambda: Residual(LIF(N)),
    "FFwdStack": lambda: FFwdStack(
        Linear((N, 2), weight=_weights((N, 2))), LIF(N), weight_init_func=np.ones
    ),
    "Wired": lambda: Wired(
        {"a": Linear((N, N), weight=_weights((N, N))), "b": LIF(N)},
        [("input", "a"), ("a", "b"), ("input", "b"), ("b", "output"), ("input", "output")],
    ),
}


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("backend", ["numpy", "numba", "torch", "jax", "sinabs"])
@pytest.mark.parametrize("name", NETWORKS)
def test_containers(name: str, backend: str, length: int) -> None:
    check(convert(NETWORKS[name](), backend), length)


def test_lists_and_single_numbers() -> None:
    net = NETWORKS["Sequential"]()
    wanted, _, _ = net(np.full((1, 4, N), 0.25))
    found, _, _ = net.reset_state()([0.25] * 4)
    np.testing.assert_array_equal(found, wanted)
    with pytest.raises(ValueError, match="must have a time dimension, got a scalar"):
        net(2.0)
    with pytest.raises(ValueError, match="got lists of unequal length"):
        net([[1.0], [1.0, 2.0]])


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("backend", ["torch", "numpy", "jax"])
@pytest.mark.parametrize("output", ["spikes", "vmem"])
def test_synnet(output: str, backend: str, length: int) -> None:
    torch.manual_seed(0)
    net = SynNet(2, N, output=output)
    for layer in ("0_linear", "out_linear"):
        net.seq[layer].weight.data.abs_().mul_(100)
    check(convert(net, backend), length)


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("backend", ["torch", "numpy", "jax"])
def test_block_of_wavesense(backend: str, length: int) -> None:
    check(convert(WaveSenseBlock(N, 2, dilation=2), backend), length)


@pytest.mark.parametrize("net", [WaveSenseNet([2], 2, N), WaveNet(2, N)])
def test_networks_that_want_a_batch(net: Any) -> None:
    with pytest.raises(ValueError, match=rf"must have the shape \(batch, time, {N}\), got \(5,\)"):
        net(torch.zeros(5))


def test_modules_of_torch_alone_get_what_is_given() -> None:
    net = Sequential(torch.nn.Linear(N, 2))
    assert net(torch.ones(N))[0].shape == (2,)


def test_numba_in_single_precision() -> None:
    net = Sequential(Linear((N, 2), dtype="float32"), LIFNumba(2, dtype="float32"))
    assert net(np.ones(5, np.float32))[0].dtype == np.float32
