"""`Module.summary`: what there is in a network, and how it fires."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import rockpool
from rockpool.backends.queries import backend_available
from rockpool.nn.combinators import FFwdStack, Residual, Sequential
from rockpool.nn.modules import LIF, Linear, Module
from rockpool.parameters import Constant

BACKENDS = ("numpy", "numba", "torch", "jax", "brian", "nest", "sinabs")


def network(threshold: float = 1.0) -> Any:
    weight = np.array([[1.0, 0.0, 0.5], [0.0, 0.0, 0.5]])
    neurons = LIF(
        3, tau_mem=Constant(np.full(3, 0.01)), threshold=np.full(3, threshold), max_spikes_per_dt=1
    )
    return Sequential(Linear((2, 3), weight=weight), neurons)


DATA = np.ones((2, 50, 2)) * 0.3


def test_layers_and_their_parameters_are_told() -> None:
    linear, neurons = network().summary().layers
    assert (linear.name, linear.model, linear.shape) == ("0_Linear", "Linear", (2, 3))
    assert (linear.parameters, linear.constants) == (6, 0)
    assert (neurons.parameters, neurons.constants) == (9, 3)
    assert neurons.rate is None


def test_all_numbers_of_a_network_are_in_the_sum() -> None:
    net = Sequential(
        Linear((2, 3), has_bias=True), Residual(LIF(3, has_rec=True)), FFwdStack(LIF(3), LIF(2))
    )
    found = net.summary()
    sizes = [v.array.size for _, n in rockpool.describe(net).walk() for v in n.parameters.values()]
    assert found.parameters == sum(sizes)
    assert found.layers[-2].name == "2_ModFFwdStack.0_1_weight"


def test_spikes_are_told_per_neuron_and_second() -> None:
    neurons = LIF(2, tau_mem=np.inf, tau_syn=1e-6, bias=[0.25, 0.0])
    (layer,) = neurons.summary(np.zeros((1, 100, 2))).layers
    assert layer.rate == pytest.approx(25 / 0.1 / 2)
    assert (layer.silent, layer.saturated) == (1, 0)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_summary_is_the_same_on_every_backend(backend: str) -> None:
    if not backend_available(backend):
        pytest.skip(f"there is no {backend}")
    moved = rockpool.convert(network(), backend)
    assert moved.summary(DATA).to_dict() == network().summary(DATA).to_dict()


@pytest.mark.parametrize("backend", ["numpy", "numba", "torch", "jax"])
def test_the_network_stays_as_it_is(backend: str) -> None:
    if not backend_available(backend):
        pytest.skip(f"there is no {backend}")
    net = rockpool.convert(network(), backend)
    net.summary(DATA)
    net = net.set_attributes({"1_LIF": {"vmem": net[1].vmem + 0.5}})
    before = rockpool.describe(net)
    first = net.summary(DATA)
    assert rockpool.describe(net) == before
    assert net.summary(DATA) == first


def test_dropout_is_off_and_the_mode_stays() -> None:
    torch = pytest.importorskip("torch")
    from rockpool.nn.modules import LIFTorch, TimeStepDropout

    net = Sequential(
        TimeStepDropout(2, p=1.0), LIFTorch(2, bias=0.5), torch.nn.Linear(2, 2)
    ).train()
    assert net.summary(DATA).layers[1].silent == 0
    assert net.training and net[0].training and net[2].training


def test_a_layer_that_is_silent_or_saturated_is_warned_of_once() -> None:
    with pytest.warns(UserWarning, match="layer '1_LIF' is silent: none of its 3 neurons") as told:
        network(threshold=1e6).summary(DATA)
    assert len(told) == 1 and told[0].filename == __file__
    with pytest.warns(UserWarning, match="layer '1_LIF' is saturated: all 3 neurons fire in every"):
        Sequential(Linear((2, 3)), LIF(3, bias=9.0, max_spikes_per_dt=1)).summary(DATA * 0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        network().summary(DATA)


def test_it_prints_as_a_table() -> None:
    lines = str(network().summary(DATA)).splitlines()
    assert lines[0].split() == [
        *("layer", "model", "shape", "parameters", "constant"),
        *("spikes/neuron/s", "silent", "saturated"),
    ]
    assert lines[1].split() == ["0_Linear", "Linear", "(2,", "3)", "6", "0"]
    assert lines[-1].split() == ["in", "all", "15", "3"]


class Own(Module):
    """A container of the user's, which keeps not all that it is made with."""

    def __init__(self, inner: Any) -> None:
        super().__init__(inner.shape)
        self.inner = inner

    def evolve(self, input_data: Any, record: bool = False) -> Any:
        output, state, _ = self.inner(input_data, record)
        return output, {"inner": state}, {}


def test_layers_in_a_container_of_the_user_are_seen() -> None:
    names = [layer.name for layer in network().summary().layers]
    own = Own(network()).summary(DATA).layers
    assert [layer.name for layer in own] == [f"inner.{name}" for name in names]
    assert own[1].rate == network().summary(DATA).layers[1].rate
    in_torch = Own(LIF(2, bias=0.3)).timed(dt=1e-3).summary(DATA).layers
    assert in_torch[0].rate is not None


def test_a_network_of_torch_alone_is_seen() -> None:
    torch = pytest.importorskip("torch")
    from rockpool.nn.modules import LIFTorch, TorchModule

    class Net(TorchModule):
        def __init__(self) -> None:
            super().__init__(shape=(2, 3))
            self.inputs = torch.nn.Linear(2, 3)
            torch.nn.init.ones_(self.inputs.weight)
            self.neurons = LIFTorch(3, bias=0.3)

        def forward(self, data: Any) -> Any:
            return self.neurons(self.inputs(data))[0]

    inputs, neurons = Net().summary(DATA).layers
    assert (inputs.model, inputs.parameters) == ("Linear", 9)
    assert neurons.rate is not None


def test_data_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match=r"must have the shape \(B, T, 2\) or \(T, 2\), got \(4,"):
        network().summary(np.ones((4, 3)))
    with pytest.raises(ValueError, match="must have at least one time step"):
        network().summary(np.ones((1, 0, 2)))
