"""Initial weights with which deep networks of spiking neurons neither fall silent nor explode."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch

from rockpool.data import load_digit_spikes
from rockpool.nn.combinators import ModSequential, Residual, Sequential, Wired
from rockpool.nn.modules import (
    LIF,
    ExpSyn,
    LIFJax,
    LIFTorch,
    Linear,
    LinearJax,
    LinearTorch,
    Module,
    TimeStepDropout,
    aLIFTorch,
)
from rockpool.nn.networks import SynNet, WaveSenseBlock, WaveSenseNet
from rockpool.training.encoders import rate as poisson
from rockpool.training.init import spiking

N = 100
KINDS = {"numpy": (Linear, LIF), "torch": (LinearTorch, LIFTorch), "jax": (LinearJax, LIFJax)}


def stack(backend: str, depth: int = 8, init: Any = "spiking", **arguments: Any) -> Any:
    linear, lif = KINDS[backend]
    sizes = [64, *[N] * depth]
    layers: list[Any] = []
    for n_in, n_out in pairwise(sizes):
        layers += [linear((n_in, n_out), weight_init_func=init), lif(n_out, **arguments)]
    return Sequential(*layers)


def gains(net: Any, rate: float, seed: int = 9, dt: float = 1e-3) -> list[float]:
    """Return the mean rate of each layer, by that of the input."""
    data = poisson(np.ones((4, 64), np.float32), 500, rate, dt, seed)
    given = torch.from_numpy(data) if isinstance(net, torch.nn.Module) else data
    _, _, record = net(given, record=True)
    found = []
    for name, layer in record.items():
        if "LIF" in name and not name.endswith("_output"):
            spikes = layer["spikes"]
            spikes = spikes.detach() if isinstance(spikes, torch.Tensor) else spikes
            found.append(float(np.asarray(spikes).mean() / data.mean()))
    return found


@pytest.mark.parametrize("backend", KINDS)
@pytest.mark.parametrize("seed", range(3))
def test_eight_layers_by_name(backend: str, seed: int) -> None:
    np.random.seed(seed)
    torch.manual_seed(seed)
    found = gains(stack(backend), 50.0)
    assert len(found) == 8 and min(found) > 0.5 and max(found) < 3


@pytest.mark.parametrize("backend", KINDS)
@pytest.mark.parametrize(
    ("rate", "arguments"),
    [
        (20.0, {}),
        (50.0, {"tau_mem": 5e-3, "tau_syn": 10e-3}),
        (100.0, {"threshold": 0.3, "tau_mem": np.linspace(10e-3, 40e-3, N)}),
    ],
)
def test_eight_layers_as_they_are(backend: str, rate: float, arguments: dict[str, Any]) -> None:
    net = spiking(stack(backend, init=np.ones, **arguments), rate)
    found = gains(net, rate)
    assert len(found) == 8 and min(found) > 0.5 and max(found) < 3


@pytest.mark.parametrize(
    ("steps", "arguments"),
    [(4000, {"dt": 1e-4}), (2000, {"tau_mem": 0.1, "tau_syn": 0.1}), (1500, {"tau_syn": 60e-3})],
    ids=str,
)
def test_neurons_that_take_long_to_start_up(steps: int, arguments: dict[str, Any]) -> None:
    net = spiking(stack("numpy", 6, np.ones, **arguments))
    dt = arguments.get("dt", 1e-3)
    data = np.random.default_rng(3).poisson(50 * dt, (4, steps, 64)).astype(float)
    _, _, record = net(data, record=True)
    found = [record[f"{2 * k + 1}_LIF"]["spikes"].mean() / data.mean() for k in range(6)]
    assert min(found) > 0.5 and max(found) < 3


def pair(n_in: int = N) -> list[Any]:
    return [Linear((n_in, N), weight=np.full((n_in, N), 0.1)), LIF(N)]


NESTED = {
    "a row": lambda: Sequential(*pair(64), Sequential(*pair()), *pair()),
    "a row that begins with neurons": lambda: Sequential(
        *pair(64), pair()[0], Sequential(LIF(N), pair()[0]), LIF(N)
    ),
    "a residual": lambda: Sequential(*pair(64), Residual(*pair()), *pair()),
    "a readout between": lambda: Sequential(
        *pair(64), Linear((N, N)), ExpSyn(N, tau=0.05), *pair(), *pair()
    ),
    "edges": lambda: Wired(
        {"a": Sequential(*pair(64)), "b": pair()[0], "LIF c": LIF(N), "d": Sequential(*pair())},
        [("input", "a"), ("a", "b"), ("b", "LIF c"), ("LIF c", "d"), ("a", "d"), ("d", "output")],
    ),
}


@pytest.mark.parametrize("make", NESTED.values(), ids=NESTED)
def test_all_layers_of_containers_inside(make: Any) -> None:
    net = spiking(make())
    data = poisson(np.ones((4, 64), np.float32), 500, 50.0, 1e-3, 9)
    _, _, record = net(data, record=True)
    found = [spikes.mean() / data.mean() for spikes in _spikes(record)]
    assert len(found) == 3 and min(found) > 0.5 and max(found) < 3


@pytest.mark.parametrize(
    "first", [lambda: Residual(Linear((64, 64)), LIF(64)), lambda: ExpSyn(64, tau=5e-3)]
)
def test_what_stands_at_the_input_is_gone_through(first: Any) -> None:
    net = spiking(Sequential(first(), *pair(64)))
    data = np.random.default_rng(3).poisson(0.05, (4, 1500, 64)).astype(float)
    assert 0.5 < net(data)[0].mean() / 0.05 < 2


class Rows(ModSequential):
    """A row by another name."""


class Wired_(Module):
    """Layers that stand in a row, in a module of one's own."""

    def __init__(self) -> None:
        super().__init__((64, N))
        self.weights, self.neurons = pair(64)

    def evolve(self, input_data: Any, record: bool = False) -> Any:
        return self.neurons(0.1 * self.weights(input_data)[0], record=record)


def test_classes_of_ones_own() -> None:
    for net, weights in (
        (rows := Rows(*pair(64)), lambda: rows[0].weight),
        (own := Wired_(), lambda: own.weights.weight),
    ):
        assert np.all(weights() == 0.1)
        spiking(net)
        assert np.all(weights() != 0.1)
    Residual_ = type("Residual", (Wired_,), {})
    net = spiking(Sequential(*pair(64), Linear((N, 64)), Residual_()))
    assert np.all(net[3].weights.weight == 0.1)  # only its code knows how it is wired


def _spikes(record: dict[str, Any]) -> Iterator[np.ndarray]:
    if "vmem" in record:
        yield record["spikes"]
    for inner in record.values():
        if isinstance(inner, dict):
            yield from _spikes(inner)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Sequential(
            LinearTorch((64, N)), TimeStepDropout(N), LIFTorch(N), LinearTorch((N, N)), LIFTorch(N)
        ),
        lambda: SynNet(5, 64, [N, N], [4, 2], p_dropout=0.3),
        lambda: WaveSenseNet([2, 4], 5, 64),
        lambda: WaveSenseBlock(64, 32, 2),
    ],
)
def test_networks_of_this_package_and_dropout_between(make: Any) -> None:
    net = spiking(make()).eval()
    data = torch.from_numpy(poisson(np.ones((4, 64), np.float32), 1500, 50.0, 1e-3, 9))
    with torch.no_grad():
        _, _, record = net(data, record=True)
    found = [float(spikes.mean() / data.mean()) for spikes in _spikes(record)]
    assert len(found) >= 2 and min(found) > 0.4 and max(found) < 3


def test_other_weights_stay() -> None:
    net = Sequential(Linear((64, N)), LIF((N, N)), Linear((N, 10)), ExpSyn(10))
    readout, first = net[2].weight.copy(), net[0].weight.copy()
    assert spiking(net, 20.0) is net
    np.testing.assert_array_equal(net[2].weight, readout)
    assert not np.array_equal(net[0].weight, first)


def test_a_seed_gives_the_same_weights_on_each_back_end() -> None:
    found = [spiking(stack(backend, 1), seed=3)[0].weight for backend in KINDS]
    arrays = [np.asarray(w.detach() if isinstance(w, torch.Tensor) else w) for w in found]
    np.testing.assert_allclose(arrays[1], arrays[0], rtol=1e-6)
    np.testing.assert_allclose(arrays[2], arrays[0], rtol=1e-6)
    other = spiking(stack("numpy", 1), seed=4)[0].weight
    assert not np.array_equal(other, arrays[0])


def test_several_synapses_for_each_neuron() -> None:
    net = spiking(Sequential(Linear((64, 2 * N)), LIF((2 * N, N))), 50.0)
    assert 0.5 < gains(net, 50.0)[0] < 3


def test_the_default_is_what_it_was() -> None:
    np.random.seed(0)
    weight = Linear((64, 100)).weight
    assert abs(weight).max() == pytest.approx(np.sqrt(6 / 64), rel=1e-2)


@pytest.mark.parametrize(
    ("net", "rate", "error", "message"),
    [
        (LIF(2), 50.0, TypeError, "net must be a Sequential of layers, got LIF"),
        (stack("numpy", 1), 0.0, ValueError, "rate must be > 0 Hz, got 0"),
        (stack("numpy", 1), 2e3, ValueError, "at most one spike in each time step"),
        (Sequential(Linear((2, 2)), ExpSyn(2)), 50.0, ValueError, "there are no linear weights"),
        (
            Sequential(LinearTorch((4, 9)), aLIFTorch(9)),
            50.0,
            ValueError,
            "there are no linear weights with LIF neurons .* that is on numpy as well",
        ),
        (stack("numpy", 1, bias=1.0), 20.0, RuntimeError, "spike whatever their input"),
        (stack("numpy", 1, bias=-1e9), 20.0, RuntimeError, "do not spike"),
    ],
)
def test_what_cannot_be_drawn(net: Any, rate: float, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        spiking(net, rate)


@pytest.mark.parametrize("kind", [Linear, LinearTorch, LinearJax])
def test_another_name(kind: Any) -> None:
    with pytest.raises(ValueError, match=f"{kind.__name__}: weight_init_func must be a function"):
        kind((2, 2), weight_init_func="spikes")


@pytest.mark.parametrize("bias", [0.0, 0.002, -0.02])
def test_biases_of_the_weights_count(bias: float) -> None:
    net = Sequential(Linear((20, 30), bias=np.full(30, bias)), LIF(30))
    spiking(net, rate=20.0)
    data = (np.random.default_rng(1).random((8, 1000, 20)) < 0.02).astype(float)
    assert 0.5 < net(data)[0].mean() / 0.02 < 2


def test_biases_that_make_neurons_spike_by_themselves_are_told() -> None:
    net = Sequential(Linear((20, 30), bias=np.full(30, 0.5)), LIF(30))
    with pytest.raises(RuntimeError, match="biases and recurrent weights may do that"):
        spiking(net, rate=20.0)


@pytest.mark.parametrize(("seed", "error"), [(-1, ValueError), (1.5, TypeError), ("1", TypeError)])
def test_a_seed_is_an_int(seed: Any, error: Any) -> None:
    net = Sequential(Linear((20, 30)), LIF(30))
    before = net[0].weight.copy()
    with pytest.raises(error, match=rf"spiking: seed must be .*>= 0, got {seed!r}"):
        spiking(net, seed=seed)
    assert np.array_equal(net[0].weight, before)
    with pytest.raises(error, match=rf"rate: seed must be .*>= 0, got {seed!r}"):
        poisson(np.ones(3), 5, seed=seed)
    with pytest.raises(error, match=rf"load_digit_spikes: seed must be .*>= 0, got {seed!r}"):
        load_digit_spikes(seed=seed)
