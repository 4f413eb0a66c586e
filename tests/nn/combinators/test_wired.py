"""`Wired`: modules connected by edges, on every back-end that has containers."""

from __future__ import annotations

import copy
import pickle
from functools import partial
from itertools import permutations
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from support.network_files import changed

import rockpool
from rockpool.graph import bag_graph
from rockpool.nn.combinators import JaxWired, ModWired, Residual, Sequential, TorchWired, Wired
from rockpool.nn.modules import (
    LIF,
    Conv2d,
    Flatten,
    Instant,
    InstantJax,
    InstantTorch,
    Linear,
    LinearTorch,
    Module,
)
from rockpool.parameters import Constant, to_numpy
from rockpool.timeseries import TSContinuous, TSEvent

BACKENDS = ["numpy", "torch", "jax"]
CLASSES = {"numpy": ModWired, "torch": TorchWired, "jax": JaxWired}
DATA = (np.random.default_rng(0).random((2, 30, 2)) < 0.4).astype(np.float32)
EDGES = [
    ("input", "a"),
    ("input", "b"),
    ("a", "neurons"),
    ("neurons", "c"),
    ("c", "sum"),
    ("b", "sum"),
    ("sum", "output"),
    ("neurons", "output"),
]


def linear(n_in: int, n_out: int, seed: int) -> Linear:
    """Weights that are multiples of 1/16, so that sums are exact in any order."""
    weights = np.random.default_rng(seed).integers(-8, 24, (n_in, n_out)) / 16
    return Linear((n_in, n_out), weight=weights)


def members() -> dict[str, Any]:
    return {
        "sum": LIF(3, max_spikes_per_dt=1),
        "b": linear(2, 3, 1),
        "neurons": LIF(3, tau_mem=5e-3, max_spikes_per_dt=1),
        "a": linear(2, 3, 2),
        "c": linear(3, 3, 3),
    }


def network(backend: str = "numpy") -> Any:
    return rockpool.convert(Wired(members(), EDGES), backend)


def data_for(backend: str, array: np.ndarray = DATA) -> Any:
    return torch.from_numpy(array) if backend == "torch" else array


def by_hand() -> dict[str, np.ndarray]:
    """The outputs of all modules and of the network, module by module."""
    found: dict[str, np.ndarray] = {}
    single = members()
    found["a"] = single["a"](DATA)[0]
    found["b"] = single["b"](DATA)[0]
    found["neurons"] = single["neurons"](found["a"])[0]
    found["c"] = single["c"](found["neurons"])[0]
    found["sum"] = single["sum"](found["c"] + found["b"])[0]
    found["output"] = found["sum"] + found["neurons"]
    return found


@pytest.mark.parametrize("backend", BACKENDS)
class TestEvolution:
    def test_each_module_gets_the_sum_of_what_its_edges_bring(self, backend: str) -> None:
        expected = by_hand()

        net = network(backend)
        output, state, record = net(data_for(backend), record=True)

        assert type(net) is CLASSES[backend]
        np.testing.assert_array_equal(to_numpy(output), expected.pop("output"))
        assert expected["sum"].any()
        for name, array in expected.items():
            np.testing.assert_allclose(to_numpy(record[f"{name}_output"]), array, atol=1e-6)
        assert set(record["neurons"]) >= {"vmem", "isyn"}
        assert set(state) == set(members())

    def test_input_of_one_batch_element_has_no_batch(self, backend: str) -> None:
        output, _, _ = network(backend)(data_for(backend, DATA[0]))

        assert tuple(output.shape) == (1, 30, 3)

    def test_it_goes_on_from_its_state_and_starts_anew(self, backend: str) -> None:
        net = network(backend)
        whole = to_numpy(net(data_for(backend, DATA[:1]))[0])
        net = net.reset_state()
        first, state, _ = net(data_for(backend, DATA[:1, :10]))
        net = net.set_attributes(state)
        second, _, _ = net(data_for(backend, DATA[:1, 10:]))

        np.testing.assert_array_equal(
            np.concatenate([to_numpy(first), to_numpy(second)], axis=1), whole
        )

    def test_parameters_states_and_settings_are_nested_by_name(self, backend: str) -> None:
        net = network(backend)

        assert set(net.parameters()) == set(members())
        assert set(net.parameters("weights")) == {"a", "b", "c"}
        assert set(net.state()["sum"]) >= {"vmem", "isyn", "spikes"}
        changed = net.set_attributes({"a": {"weight": to_numpy(net["a"].weight) * 0}})
        assert not to_numpy(changed["a"].weight).any()

    def test_the_description_survives_all_ways(self, backend: str, tmp_path: Path) -> None:
        net = network(backend)
        net.set_attributes({"sum": {"bias": np.full(3, 0.25)}})
        net(data_for(backend))
        node = rockpool.describe(net)
        rockpool.save(net, tmp_path / "net.safetensors")

        assert node.settings == {"edges": tuple(EDGES)}
        assert rockpool.describe(rockpool.load(tmp_path / "net.safetensors")) == node
        assert rockpool.describe(copy.deepcopy(net)) == node
        assert rockpool.describe(pickle.loads(pickle.dumps(net))) == node
        assert rockpool.load(tmp_path / "net.safetensors", "numba")["sum"].class_name == "LIFNumba"


@pytest.mark.parametrize("order", list(permutations(members()))[::17])
def test_the_order_of_the_dict_does_not_matter(order: tuple[str, ...]) -> None:
    given = members()
    net = Wired({name: given[name] for name in order}, EDGES)

    assert [module.name for module in net] == [module.name for module in network()]
    assert rockpool.describe(net) == rockpool.describe(network())
    np.testing.assert_array_equal(net(DATA)[0], by_hand()["output"])


def test_modules_are_found_by_name_and_by_place() -> None:
    net = network()

    assert net["sum"] is net[-1] is net.sum
    assert net.shape == (2, 3)


def test_a_sum_is_of_spikes_if_all_of_it_is() -> None:
    edges = [("input", "a"), ("input", "b"), ("a", "output"), ("b", "output")]

    assert Wired(two(LIF(2), LIF(2)), edges).spiking_output
    assert not Wired(two(LIF(2), Linear((2, 2))), edges).spiking_output


def test_several_edges_add_up_in_their_order() -> None:
    large = {"l": Instant(1, lambda x: x * 0 + 1e16), "m": Instant(1, lambda x: x * 0 - 1e16)}
    modules = {**large, "one": Instant(1, lambda x: x * 0 + 1.0)}
    inputs = [("input", name) for name in modules]

    lost = Wired(modules, [*inputs, ("l", "output"), ("one", "output"), ("m", "output")])
    kept = Wired(modules, [*inputs, ("l", "output"), ("m", "output"), ("one", "output")])

    assert (lost([[0.0]])[0].item(), kept([[0.0]])[0].item()) == (0.0, 1.0)


def test_an_edge_from_end_to_end_is_a_residual_connection() -> None:
    weights = linear(2, 2, 4)
    wired = Wired({"w": weights}, [("input", "w"), ("w", "output"), ("input", "output")])

    expected = Residual(copy.deepcopy(weights))(DATA)[0]
    np.testing.assert_array_equal(wired(DATA)[0], expected)


@pytest.mark.parametrize("kind", ["float32", "float64"])
@pytest.mark.parametrize("of_input", ["float32", "float64"])
def test_input_that_is_added_takes_the_type_of_what_it_meets(kind: str, of_input: str) -> None:
    around = [("input", "a"), ("a", "output"), ("input", "output")]
    within = [("input", "a"), ("input", "b"), ("a", "b"), ("b", "output")]
    made = [
        lambda: Wired({"a": LIF(2, dtype=kind)}, around),
        lambda: Wired({name: LIF(2, dtype=kind) for name in "ab"}, within),
        lambda: Residual(LIF(2, dtype=kind)),
    ]
    data = np.random.default_rng(0).random((1, 30, 2)).astype(of_input)
    for make in made:
        output = make()(data)[0]
        in_torch = to_numpy(rockpool.convert(make(), "torch", dtype=kind)(torch.tensor(data))[0])
        assert output.dtype == in_torch.dtype == kind
        if kind == of_input:
            np.testing.assert_array_equal(output, in_torch)
            np.testing.assert_array_equal(output[0], make().stream().run(data[0]))


@pytest.mark.parametrize("backend", BACKENDS)
def test_input_stays_what_it_is_where_it_meets_no_floats(backend: str) -> None:
    kind: Any = {"numpy": Instant, "torch": InstantTorch, "jax": InstantJax}[backend]
    above = kind(2, lambda x: x > 0.5)
    data = np.array([[[0.25, 0.75], [1.5, -0.5]]], np.float32)
    given = torch.tensor(data) if backend == "torch" else data
    edges = [("input", "a"), ("a", "output"), ("input", "output")]
    for network in (Wired({"a": above}, edges), Residual(kind(2, lambda x: x > 0.5))):
        np.testing.assert_array_equal(to_numpy(network(given)[0]), data + (data > 0.5))


def test_containers_stand_within_each_other() -> None:
    inner = Wired({"w": linear(3, 3, 5)}, [("input", "w"), ("w", "output"), ("input", "output")])
    net = Sequential(linear(2, 3, 6), inner, LIF(3))
    outer = Wired(
        {"net": net, "x": Linear((2, 3))},
        [("input", "net"), ("net", "output"), ("input", "x"), ("x", "output")],
    )

    assert rockpool.describe(rockpool.convert(outer, "numba")) == rockpool.describe(outer)
    verdict = rockpool.verify(outer, DATA, backends=["numba", "torch"])
    assert verdict.ok and verdict.rows[0].neuron_steps == 2 * 30 * 3


class Square(Module):
    """Fails on the second call."""

    def __init__(self) -> None:
        super().__init__((3, 3))
        self.calls = 0

    def evolve(self, input_data: Any, record: bool = False) -> Any:
        self.calls += 1
        if self.calls == 2:
            raise RuntimeError("enough")
        return input_data, {}, {}


def test_all_modules_evolve_or_none() -> None:
    net = Wired(
        {"n": LIF(3), "last": Square()}, [("input", "n"), ("n", "last"), ("last", "output")]
    )
    data = np.ones((1, 5, 3))
    net(data)
    before = net.n.vmem.copy()

    with pytest.raises(RuntimeError, match="enough"):
        net(data)

    np.testing.assert_array_equal(net.n.vmem, before)


def two(first: Any, second: Any) -> dict[str, Any]:
    return {"a": first, "b": second}


CHAIN = [("input", "a"), ("a", "b"), ("b", "output")]


@pytest.mark.parametrize(
    ("modules", "edges", "error", "message"),
    [
        (two(Linear((2, 3)), LIF(2)), CHAIN, ValueError, "output of 'a' has 3 .* 'b' has 2"),
        (two(LIF(2), LIF(2)), CHAIN[:2], ValueError, "no way from 'a' to 'output'"),
        (two(LIF(2), LIF(2)), CHAIN[1:], ValueError, "no way from 'input' to 'a'"),
        (
            {**two(LIF(2), LIF(2)), "c": LIF(2)},
            [*CHAIN, ("input", "c")],
            ValueError,
            "no way from 'c' to 'output'",
        ),
        (
            {**two(LIF(2), LIF(2)), "c": LIF(2)},
            [*CHAIN, ("c", "output")],
            ValueError,
            "no way from 'input' to 'c'",
        ),
        (
            two(LIF(2), LIF(2)),
            [*CHAIN, ("b", "a")],
            ValueError,
            "round in a circle, '(a|b)' -> '(a|b)' -> '(a|b)'",
        ),
        (two(LIF(2), LIF(2)), [*CHAIN, ("a", "a")], ValueError, "in a circle, 'a' -> 'a'"),
        (two(LIF(2), LIF(2)), [*CHAIN, ("a", "d")], ValueError, "'d', which is none of 'output'"),
        (two(LIF(2), LIF(2)), [*CHAIN, ("d", "a")], ValueError, "'d', which is none of 'input'"),
        (two(LIF(2), LIF(2)), [*CHAIN, ("a", "input")], ValueError, "no edge leads from 'output'"),
        (two(LIF(2), LIF(2)), [*CHAIN, ("output", "a")], ValueError, "no edge leads from"),
        (two(LIF(2), LIF(2)), [*CHAIN, CHAIN[0]], ValueError, "'a'.* is given twice"),
        (two(LIF(2), LIF(2)), "ab", TypeError, "edges must be pairs of names, got 'ab'"),
        (two(LIF(2), LIF(2)), ["ab"], TypeError, "each edge must be a pair of names, got 'ab'"),
        (two(LIF(2), LIF(2)), [("a", 1)], TypeError, "each edge must be a pair"),
        (two(LIF(2), LIF(2)), 3, TypeError, "edges must be pairs of names, got 3"),
        ([LIF(2)], CHAIN, TypeError, "modules must be a dict of modules"),
        ({}, CHAIN, TypeError, "modules must be a dict of modules"),
        ({"input": LIF(2)}, CHAIN, ValueError, "no module can be called 'input'"),
        (two(LIF(2), 3), CHAIN, TypeError, "'b' must be a module, got 3"),
        (two(LIF(2), LIF(2, dt=2e-3)), CHAIN, ValueError, "the same time step dt"),
        (
            two(LIF(2), LIF(3)),
            [("input", "a"), ("input", "b"), ("a", "output"), ("b", "output")],
            ValueError,
            "the input of 'a' has 2 channels, but the input of 'b' has 3",
        ),
        (
            two(Linear((2, 3)), Linear((2, 4))),
            [("input", "a"), ("input", "b"), ("a", "output"), ("b", "output")],
            ValueError,
            "the output of 'a' has 3 channels, but the output of 'b' has 4",
        ),
        (
            two(Linear((2, 3)), LIF(3)),
            [*CHAIN, ("input", "output")],
            ValueError,
            "the output of 'b' has 3 channels, but the input has 2",
        ),
        (
            two(Conv2d((1, 4, 6), 1, 1), Conv2d((1, 6, 4), 1, 1)),
            CHAIN,
            ValueError,
            r"output of 'a' has the axes \(1, 4, 6\), but the input of 'b' has \(1, 6, 4\)",
        ),
    ],
)
def test_what_cannot_be_is_refused_by_name(
    modules: Any, edges: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        Wired(modules, edges)

    for module in modules.values() if isinstance(modules, dict) else ():
        assert getattr(module, "name", "") == ""  # it belongs to no container


def test_one_module_cannot_stand_at_two_places() -> None:
    layer = LIF(2)
    with pytest.raises(ValueError, match="one and the same LIF stands at two places"):
        Wired({"a": layer, "b": layer}, CHAIN)


def test_a_module_with_edges_cannot_be_deleted() -> None:
    net = network()
    with pytest.raises(ValueError, match="'sum' cannot be deleted"):
        del net.sum


def test_a_time_step_that_is_changed_afterwards_is_seen() -> None:
    net = network()
    net["sum"].dt = 2e-3
    with pytest.raises(ValueError, match="the same time step dt"):
        net(DATA)


def test_modules_of_torch_alone_are_taken() -> None:
    net = Wired({"w": torch.nn.Linear(2, 3)}, [("input", "w"), ("w", "output")])

    assert type(net) is TorchWired
    assert tuple(net(torch.from_numpy(DATA))[0].shape) == (2, 30, 3)


def test_a_layer_of_torch_has_the_size_of_what_comes_before_it() -> None:
    net = Wired(
        {"f": torch.nn.Identity(), "w": LinearTorch((2, 3))},
        [("input", "w"), ("w", "f"), ("f", "output")],
    )
    node = rockpool.describe(net)

    assert (node.children["f"].shape, node.shape) == ((3, 3), (2, 3))
    assert rockpool.convert(net, "numpy").shape == (2, 3)


def test_torch_has_its_state_dict_and_gradients() -> None:
    net, other = network("torch"), network("torch")
    other.load_state_dict(net.state_dict())
    output, _, _ = net(torch.from_numpy(DATA))
    output.sum().backward()

    assert "neurons.tau_mem" in net.state_dict() and "a.weight" in dict(net.named_parameters())
    assert all(net[name].weight.grad.abs().sum() > 0 for name in "abc")
    assert tuple(net.to_torch()(torch.from_numpy(DATA)).shape) == (2, 30, 3)


def test_jax_compiles_it_and_has_gradients() -> None:
    net = network("jax")

    @jax.jit
    def loss(net: Any, parameters: Any) -> Any:
        return jnp.sum(net.set_attributes(parameters)(DATA)[0] ** 2)

    gradients = jax.grad(loss, argnums=1)(net, net.parameters())

    assert loss(net, net.parameters()) == jnp.sum(net(DATA)[0] ** 2)
    assert all(bool(jnp.any(gradients[name]["weight"] != 0)) for name in "abc")
    flat, structure = jax.tree.flatten(net)
    assert jax.tree.unflatten(structure, flat).edges == net.edges


@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_sequences_of_unequal_length(backend: str) -> None:
    output, _, _ = network(backend)(data_for(backend), lengths=np.array([30, 10]))

    expected = by_hand()["output"]
    expected[1, 10:] = 0
    np.testing.assert_array_equal(to_numpy(output), expected)


def test_constants_stay_constants() -> None:
    net = Wired({"n": LIF(2, threshold=Constant(0.5))}, [("input", "n"), ("n", "output")])

    converted = rockpool.convert(net, "torch")
    assert "threshold" not in converted.parameters()["n"]


def test_axes_go_through() -> None:
    net = Wired(
        {
            "same": Conv2d((2, 4, 4), 2, 3, padding=1),
            "flat": Flatten((2, 4, 4)),
            "neurons": LIF(32),
        },
        [
            ("input", "same"),
            ("same", "flat"),
            ("flat", "neurons"),
            ("neurons", "output"),
            ("same", "output"),
            ("input", "output"),
        ],
    )
    data = np.random.default_rng(1).random((2, 6, 2, 4, 4))

    output, _, record = net(data)

    assert output.shape == (2, 6, 2, 4, 4)
    expected = record["neurons_output"].reshape(data.shape) + record["same_output"] + data
    np.testing.assert_array_equal(output, expected)
    np.testing.assert_array_equal(net.reset_state()(data.reshape(2, 6, 32))[0], output)
    assert rockpool.verify(net, data, backends=["torch", "jax"]).ok


def test_the_graph_has_each_module_once_and_sums_as_aliases() -> None:
    graph = network().as_graph()
    _, modules = bag_graph(graph)
    kinds = sorted(type(module).__name__ for module in modules)

    assert (len(graph.input_nodes), len(graph.output_nodes)) == (2, 3)
    assert kinds.count("LinearWeights") == 3
    assert kinds.count("AliasConnection") == 4


def test_it_is_summarised_and_run_over_time_series() -> None:
    net = network()
    summary = net.summary(DATA)
    assert [layer.name for layer in summary.layers] == ["a", "b", "neurons", "c", "sum"]
    assert summary.layers[-1].rate is not None and summary.layers[-1].rate > 0

    timed = rockpool.convert(net, "numba").timed(dt=1e-3)
    output, _, record = timed(TSContinuous.from_clocked(DATA[0], dt=1e-3), record=True)

    raster = output.raster(1e-3, num_timesteps=30, channels=np.arange(3), add_events=True)
    np.testing.assert_array_equal(raster, by_hand()["output"][0])
    assert isinstance(record["neurons_output"], TSEvent)


def test_a_file_with_other_edges_is_refused(tmp_path: Path) -> None:
    cases: dict[str, Any] = {
        "round in a circle": [*EDGES, ("sum", "b")],
        "do not stand in the order": EDGES[::-1],
        "no way from": EDGES[:-3],
        "'edges' is missing|edges is missing": None,
    }
    for message, edges in cases.items():
        path = tmp_path / "net.safetensors"
        rockpool.save(network(), path)
        changed(path, partial(with_edges, edges=edges))
        with pytest.raises(rockpool.FileFormatError, match=message):
            rockpool.load(path)


def with_edges(said: dict[str, Any], arrays: Any, edges: Any) -> None:
    said["network"]["settings"] = {} if edges is None else {"edges": edges}
