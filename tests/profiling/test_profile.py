"""`rockpool.profiling.profile`: operations, sparsity and memory of a network."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import rockpool
from rockpool.backends.queries import backend_available
from rockpool.nn.combinators import FFwdStack, Sequential
from rockpool.nn.modules import LIF, ExpSyn, Instant, JaxModule, LIFJax, Linear, LinearJax, Module
from rockpool.parameters import Constant, Parameter
from rockpool.profiling import profile

from .networks import BATCH, NETWORKS, STEPS, feed_forward, graded, spikes, weights

# What NeuroBench 2.3.0 says of the same networks in torch (torch 2.13, snntorch 1.0): linear layers
# are nn.Linear, and so are the recurrent weights, called in each step with the spikes of the last
NEUROBENCH: dict[str, dict[str, Any]] = {
    "feed_forward": {
        "Footprint": 4200,
        "ParameterCount": 920,
        "ConnectionSparsity": 0.0,
        "ActivationSparsity": 0.680952380952381,
        "SynapticOperations": {"Effective_MACs": 0.0, "Effective_ACs": 12835.0, "Dense": 41600.0},
    },
    "pruned": {
        "Footprint": 3104,
        "ParameterCount": 676,
        "ConnectionSparsity": 0.5729,
        "ActivationSparsity": 0.67078125,
        "SynapticOperations": {"Effective_MACs": 9304.5, "Effective_ACs": 935.0, "Dense": 28800.0},
    },
    "recurrent": {
        "Footprint": 3812,
        "ParameterCount": 874,
        "ConnectionSparsity": 0.1451,
        "ActivationSparsity": 0.5576,
        "SynapticOperations": {"Effective_MACs": 0.0, "Effective_ACs": 12151.75, "Dense": 41000.0},
    },
    "graded": {
        "Footprint": 1468,
        "ParameterCount": 309,
        "ConnectionSparsity": 0.0,
        "ActivationSparsity": 0.74,
        "SynapticOperations": {"Effective_MACs": 381.0, "Effective_ACs": 3057.0, "Dense": 13200.0},
    },
    "analogue": {
        "Footprint": 1896,
        "ParameterCount": 450,
        "ConnectionSparsity": 0.099,
        "ActivationSparsity": 0.536875,
        "SynapticOperations": {"Effective_MACs": 13836.0, "Effective_ACs": 0.0, "Dense": 19200.0},
    },
}
BACKENDS = ("numpy", "numba", "torch", "jax", "brian", "sinabs")


@pytest.mark.parametrize("name", NETWORKS)
def test_the_numbers_are_those_of_neurobench(name: str) -> None:
    network, data = NETWORKS[name]()
    assert profile(network, data).neurobench() == NEUROBENCH[name]


def test_step_by_step_too_the_numbers_are_those_of_neurobench() -> None:
    """It called the network `graded` with one time step after the other."""
    network, data = graded()
    expected = {"Effective_MACs": 61.5, "Effective_ACs": 3376.5, "Dense": 13200.0}
    assert profile(network, data, by_step=True).neurobench()["SynapticOperations"] == expected


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("backend", BACKENDS)
def test_the_numbers_are_the_same_on_every_backend(name: str, backend: str) -> None:
    network, data = NETWORKS[name]()
    description = rockpool.describe(network)
    if not backend_available(backend) or rockpool.nn.conversion.backends_for(description)[backend]:
        pytest.skip(f"{name} cannot be on {backend} here")
    moved = profile(rockpool.convert(network, backend), data)
    assert moved.to_dict() == profile(network, data).to_dict()


def test_counts_of_a_layer_by_hand() -> None:
    data = np.array([[1.0, 0.0], [1.0, 1.0], [0.0, 0.0]])
    (layer,) = profile(Linear((2, 3), weight=[[1, 2, 0], [0, 0, 5]]), data).layers
    assert (layer.weights, layer.zero_weights) == (6, 3)
    assert (layer.dense_acs, layer.effective_acs) == (3 * 6, 2 * 2 + 1)
    assert (layer.dense_macs, layer.effective_macs) == (0, 0)


def test_inputs_other_than_units_are_multiplied() -> None:
    layer = Linear((1, 2), weight=[[1, 2]])
    assert profile(layer, np.array([[1.0], [-1.0], [0.0]])).total.effective_acs == 4
    assert profile(layer, np.array([[1.0], [2.0], [0.0]])).total.effective_macs == 4
    by_step = profile(layer, np.array([[1.0], [2.0], [0.0]]), by_step=True).total
    assert (by_step.effective_acs, by_step.effective_macs, by_step.dense_acs) == (2, 2, 4)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_recurrent_operations_by_hand(dtype: str) -> None:
    weight = np.ones((2, 2))
    layer = LIF(2, has_rec=True, w_rec=weight * 0, tau_mem=1e-4, tau_syn=1e-4, dtype=dtype)
    layer.w_rec = weight * 1e-6
    data = np.zeros((2, 4, 2))
    data[0, :, 0] = 3e4  # a spike or none in each step, and in one of them several
    data[1, 1, :] = 9e4
    output = layer.reset_state()(data)[0]
    layer.reset_state()
    (found,) = profile(layer, data.astype(dtype)).layers
    single = [bool((output[:, step] <= 1).all()) for step in range(3)]
    reached = [2 * np.count_nonzero(output[:, step]) for step in range(3)]
    assert output.max() > 1 and not all(single)
    assert found.dense_acs == (1 + sum(single)) * 2 * 4
    assert found.dense_macs == (3 - sum(single)) * 2 * 4
    assert found.effective_acs == sum(n for n, one in zip(reached, single, strict=True) if one)
    assert found.effective == sum(reached)
    assert found.active == np.count_nonzero(output)
    assert profile(layer, data[:, :1]).total.effective == 0  # nothing has come back yet


def test_large_counts_are_exact() -> None:
    """In single precision, it would be 100333224."""
    layer = Linear((301, 1001), weight=np.ones((301, 1001)))
    assert profile(layer, np.ones((333, 301))).total.dense_acs == 333 * 301 * 1001


def test_weights_of_a_stack_are_counted() -> None:
    stack = FFwdStack(LIF(16), LIF(3), weight_init_func=lambda shape: np.ones(shape))
    found = profile(stack, spikes(1))
    assert [layer.name for layer in found.layers] == ["0_LIF", "0_1_weight", "1_LIF"]
    weight, first = found.layers[1], found.layers[0]
    assert weight.dense == BATCH * STEPS * 48
    assert weight.effective == 3 * first.active


def test_filters_have_no_activations() -> None:
    found = profile(Sequential(ExpSyn(16), Linear((16, 2))), spikes(1))
    assert (found.total.activations, found.total.dense_acs) == (0, 0)
    assert found.total.dense_macs == BATCH * STEPS * 32


def test_constants_take_memory_and_are_no_parameters() -> None:
    trained, kept = Linear((2, 3)), Linear((2, 3), weight=Constant(np.ones((2, 3))))
    found = [profile(layer, np.ones((1, 2))).total for layer in (trained, kept)]
    assert [(one.parameters, one.constants, one.memory) for one in found] == [
        (6, 0, 24),
        (0, 6, 24),
    ]
    assert profile(trained, np.ones((1, 2)), dtype="float64").total.memory == 48


def test_the_network_stays_as_it_is() -> None:
    network, data = feed_forward()
    network(data[:, :7])
    before = rockpool.describe(network)
    first = profile(network, data).to_dict()
    assert rockpool.describe(network) == before
    assert profile(network, data).to_dict() == first


def test_memory_is_that_at_rest() -> None:
    network, data = feed_forward()
    at_rest = profile(network, data).total.memory
    network.keep_batch_state()(data)
    assert profile(network, data).total.memory == at_rest


class Gain(Module):
    """A layer of which only its code knows what it does."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__(shape)
        self.gain = Parameter(np.ones(shape), "weights")

    def evolve(self, input_data: Any, record: bool = False) -> Any:
        return input_data @ self.gain, {}, {}


class Pair(Module):
    """A container that is none of this package's."""

    def __init__(self) -> None:
        super().__init__((16, 4))
        self.first = Linear((16, 4), weight=weights(1, 16, 4))
        self.second = LIF(4)

    def evolve(self, input_data: Any, record: bool = False) -> Any:
        data, _, _ = self.first(input_data)
        output, _, _ = self.second(data)
        return output, self.state(), {}


def test_layers_of_which_nothing_is_known_are_named() -> None:
    found = profile(Sequential(Gain((16, 16)), LIF(16)), spikes(1))
    assert found.uncounted == ["0_Gain"]
    assert "not counted, as its work is not known: 0_Gain" in str(found)


def test_layers_in_a_container_of_the_user_are_counted() -> None:
    plain = Sequential({"first": Linear((16, 4), weight=weights(1, 16, 4)), "second": LIF(4)})
    assert profile(Pair(), spikes(2)).to_dict() == profile(plain, spikes(2)).to_dict()


@pytest.mark.parametrize("way", ["as they are", "by evolve", "as copies", "step by step"])
def test_jax_layers_in_a_container_of_the_user_are_counted(way: str) -> None:
    class PairJax(JaxModule):
        """A container of jax that is none of this package's."""

        def __init__(self) -> None:
            super().__init__((16, 4))
            self.first = LinearJax((16, 4), weight=weights(1, 16, 4))
            self.second = LIFJax(4)

        def evolve(self, input_data: Any, record: bool = False) -> Any:
            first, second = self.first, self.second
            if way == "step by step":
                outputs = []
                for step in range(input_data.shape[1]):
                    output, state, _ = second(first(input_data[:, step : step + 1])[0])
                    second = second.set_attributes(state)
                    outputs.append(output)
                return jnp.concatenate(outputs, axis=1), self.state(), {}
            if way == "as copies":
                first = first.set_attributes({"weight": first.weight})
                second = second.reset_state()
            if way == "by evolve":
                return second.evolve(first.evolve(input_data)[0])[0], self.state(), {}
            return second(first(input_data)[0])[0], self.state(), {}

    network, data = PairJax(), spikes(2)[:1]
    output = network(data)[0]
    assert profile(network, data).to_dict() == profile(Pair(), data).to_dict()
    assert (network(data)[0] == output).all()


def test_jax_layers_of_which_the_calls_are_traced_are_named() -> None:
    class Traced(JaxModule):
        """A container that calls its layer within `jit`, with other weights than it has."""

        def __init__(self) -> None:
            super().__init__((16, 4))
            self.first = LinearJax((16, 4), weight=weights(1, 16, 4))

        def evolve(self, input_data: Any, record: bool = False) -> Any:
            def doubled(layer: Any, data: Any) -> Any:
                return layer.set_attributes({"weight": 2 * layer.weight})(data)[0]

            return jax.jit(doubled)(self.first, input_data), self.state(), {}

    network, data = Traced(), spikes(2)
    output = network(data)[0]
    assert profile(network, data).uncounted == ["first"]
    assert (network(data)[0] == output).all()


def test_energy_is_operations_times_the_figures_of_a_source() -> None:
    network, data = graded()
    energy = {"ac": 0.9e-12, "mac": 4.6e-12, "source": "Horowitz 2014"}
    found = profile(network, data, energy)
    total = found.total
    expected = total.effective_acs * 0.9e-12 + total.effective_macs * 4.6e-12
    assert found.joules == pytest.approx(expected)
    assert "not measured" in str(found) and "Horowitz 2014" in str(found)
    assert found.to_dict()["energy"]["measured"] is False
    assert profile(network, data).joules is None


@pytest.mark.parametrize(
    ("energy", "text"),
    [
        ({"ac": 1e-12, "mac": 1e-12}, "energy must have ac, mac, source"),
        ({"ac": 0, "mac": 1e-12, "source": "A"}, "ac of energy must be > 0 J, got 0"),
        ({"ac": 1e-12, "mac": "1", "source": "A"}, "mac of energy must be a number, got '1'"),
        ({"ac": 1e-12, "mac": 1e-12, "source": " "}, "source of energy must name a source"),
    ],
)
def test_energy_needs_figures_and_their_source(energy: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        profile(LIF(2), np.ones((3, 2)), energy)


def test_other_mistakes_are_named() -> None:
    with pytest.raises(TypeError, match="network must be a module, got 3"):
        profile(3, np.ones((3, 2)))
    with pytest.raises(ValueError, match=r"LIF: data must have the shape \(B, T, 2\) or \(T, 2\)"):
        profile(LIF(2), np.ones((3, 5)))
    with pytest.raises(ValueError, match="LIF: the input must be finite, got nan"):
        profile(LIF(2), np.full((3, 2), np.nan))
    with pytest.raises(ValueError, match="Sequential: the input must be finite, got inf"):
        profile(Sequential(Instant(2)), np.full((3, 2), np.inf))
    with pytest.raises(ValueError, match="dtype must be 'float32' or 'float64', got 'int8'"):
        profile(LIF(2), np.ones((3, 2)), dtype="int8")


def test_numpy_alone_suffices(numpy_python) -> None:
    code = """
import numpy as np
from rockpool.nn.modules import LIF
from rockpool.profiling import profile
print(profile(LIF(2), np.ones((3, 2))).total.activations)
"""
    assert numpy_python.run("-c", code).stdout == "6\n"
