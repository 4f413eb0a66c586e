"""Graphs of any form: by their edges, with recurrences, inner graphs, old versions; and refusals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import nir
import numpy as np
import pytest
import torch
from support.nir_cases import ends, lif, linear, row, write

from rockpool import FileFormatError, describe
from rockpool.nir import NirWarning, from_nir, to_nir
from rockpool.nn.modules import LIFEuler

X = (np.random.default_rng(5).random((1, 60, 3)) < 0.3).astype(np.float64)


def run(network: Any, x: np.ndarray = X) -> np.ndarray:
    return np.asarray(network(x)[0])


@pytest.fixture
def file(tmp_path: Path) -> Any:
    def make(nodes: Any, edges: Any, n_in: Any = 3, n_out: Any = 4, **options: Any) -> Path:
        return write(tmp_path / "net.nir", {**ends(n_in, n_out), **nodes}, edges, **options)

    return make


# -- edges -----------------------------------------------------------------------------------------


def test_layers_follow_the_edges_not_their_names(file: Any) -> None:
    nodes = {"z": linear(3, 4), "10": lif(4), "2": linear(4, 4, 1), "a": lif(4)}
    network = from_nir(file(nodes, row("z", "10", "2", "a")))
    assert list(describe(network).children) == ["z", "10", "2", "a"]
    assert network["10"].tau_mem[0] == 0.02


def test_edges_that_meet_are_added_up(file: Any) -> None:
    weights = [linear(3, 4, seed) for seed in (1, 2)]
    both = {"type": "Linear", "weight": weights[0]["weight"] + weights[1]["weight"]}
    nodes = {"a": weights[0], "b": weights[1], "n": lif(4, r=4.0)}
    edges = [("input", "a"), ("input", "b"), ("a", "n"), ("b", "n"), ("n", "output")]

    apart = run(from_nir(file(nodes, edges)))
    together = run(from_nir(file({"a": both, "n": lif(4, r=4.0)}, row("a", "n"))))

    assert apart.sum() > 0
    np.testing.assert_array_equal(apart, together)


def test_names_of_nodes_become_names_of_modules(file: Any) -> None:
    nodes = {"conv.1": linear(3, 4), "threshold": lif(4)}
    network = from_nir(file(nodes, row("conv.1", "threshold")))
    assert list(describe(network).children) == ["conv_1", "node_threshold"]


# -- recurrence ------------------------------------------------------------------------------------


def recurrent(matrix: np.ndarray, x: np.ndarray, bias: Any = 0.0) -> np.ndarray:
    """The spikes of a LIF of four, tau 20 steps, with weights from all to all."""
    weight = linear(3, 4)["weight"] * 0.2
    v, z, spikes = np.zeros(4), np.zeros(4), []
    for step in x[0]:
        v = 0.95 * v + weight @ step + matrix @ z + bias
        z = (v > 1).astype(float)
        v = np.where(z > 0, 0.0, v)
        spikes.append(z)
    return np.array(spikes)


def first() -> dict[str, Any]:
    node = linear(3, 4)
    return {**node, "weight": node["weight"] * 0.2}


W_REC = np.array([[0, 0.5, -0.3, 0], [0.2, 0, 0, 0.4], [0, 0, 0.3, 0], [-0.5, 0, 0.1, 0]])


def test_weights_from_neurons_to_themselves_are_recurrent(file: Any) -> None:
    nodes = {"in": first(), "n": lif(4), "w": {"type": "Linear", "weight": W_REC}}
    edges = [*row("in", "n"), ("n", "w"), ("w", "n")]
    network = from_nir(file(nodes, edges))
    np.testing.assert_array_equal(run(network)[0], recurrent(W_REC, X))


def test_an_edge_from_neurons_to_themselves_is_recurrent(file: Any) -> None:
    edges = [*row("in", "n"), ("n", "n")]
    network = from_nir(file({"in": first(), "n": lif(4)}, edges))
    np.testing.assert_array_equal(run(network)[0], recurrent(np.eye(4), X))


@pytest.mark.parametrize("with_other_use", [False, True])
def test_a_bias_of_recurrent_weights_is_added_in_each_step(file: Any, with_other_use: bool) -> None:
    bias = np.array([0.1, 0.0, 0.02, -0.1])
    nodes = {"in": first(), "n": lif(4), "w": {"type": "Affine", "weight": W_REC, "bias": bias}}
    edges = [*row("in", "n"), ("n", "w"), ("w", "n")]
    if with_other_use:
        edges.append(("in", "output"))
    output = run(from_nir(file(nodes, edges)))[0]
    if with_other_use:
        output = output - X[0] @ first()["weight"].T
    np.testing.assert_allclose(output, recurrent(W_REC, X, bias), atol=1e-12)


def test_weights_that_others_use_too_are_used_by_them(file: Any) -> None:
    nodes = {"in": first(), "n": lif(4), "w": {"type": "Linear", "weight": W_REC}}
    edges = [("input", "in"), ("in", "n"), ("n", "w"), ("w", "n"), ("w", "output")]
    output = run(from_nir(file(nodes, edges)))[0]
    np.testing.assert_allclose(output, recurrent(W_REC, X) @ W_REC.T, atol=1e-12)


def inner(edges: list[tuple[str, str]]) -> dict[str, Any]:
    nodes = {**ends(4, 4), "lif": lif(4), "w_rec": {"type": "Linear", "weight": W_REC}}
    return {"in": first(), "rec": (nodes, edges)}


def test_an_inner_graph_is_opened(file: Any) -> None:
    edges = [("input", "lif"), ("lif", "w_rec"), ("w_rec", "lif"), ("lif", "output")]
    network = from_nir(file(inner(edges), row("in", "rec")))
    np.testing.assert_array_equal(run(network)[0], recurrent(W_REC, X))
    assert list(describe(network).children) == ["in", "rec_lif"]


def test_input_on_recurrent_weights_is_taken_as_each_package_means_it(file: Any) -> None:
    edges = [("input", "w_rec"), ("w_rec", "lif"), ("lif", "w_rec"), ("lif", "output")]
    path = file(inner(edges), row("in", "rec"))

    by_spikes = from_nir(path, dialect="spyx", reset="value", reset_delay=False, delay=0, dt=1e-3)
    literal = from_nir(path)

    np.testing.assert_array_equal(run(by_spikes)[0], recurrent(W_REC, X))
    assert "gets the last spikes alone" in " ".join(by_spikes.nir_source.assumed)
    weight = W_REC @ first()["weight"]
    assert np.allclose(describe(literal).children["rec_w_rec"].parameters["weight"].array, W_REC.T)
    assert not np.array_equal(run(literal)[0], run(by_spikes)[0]), weight


# -- shapes, versions, old files -------------------------------------------------------------------


@pytest.mark.parametrize("shapes", [([1, 3], [1, 1, 4]), ([7, 3], [7, 4]), ([3], [4])])
def test_axes_of_batch_and_time_are_left_out(file: Any, shapes: Any) -> None:
    nodes = {"a": linear(3, 4), "n": lif(4)}
    network = from_nir(file(nodes, row("a", "n"), *shapes), dialect="nir")
    assert network.shape == (3, 4)


def test_what_old_files_lack_is_zero(file: Any) -> None:
    cuba = {
        "type": "CubaLIF",
        **{key: np.full(4, 0.02) for key in ("tau_mem", "tau_syn")},
        **{key: np.ones(4) for key in ("r", "v_threshold")},
        "v_leak": np.zeros(4),
    }
    with pytest.warns(NirWarning, match="does not hold dt"):
        network = from_nir(file({"a": linear(3, 4), "n": cuba}, row("a", "n"), version="1.0.4"))
    assert network["n"].v_reset.item() == 0.0 and network["n"].w_in.item() == 1.0
    assert network.nir_source.nir_version == "1.0.4"


def test_parameters_stay_those_of_each_neuron(file: Any) -> None:
    taus = np.array([0.01, 0.02, 0.03, 0.04])
    network = from_nir(
        file({"a": linear(3, 4), "n": lif(4, tau=taus, r=taus * 1e3)}, row("a", "n"))
    )
    np.testing.assert_array_equal(network["n"].tau_mem, taus)
    assert network.nir_source.dt == 1e-3


def test_neurons_without_leak_start_where_norse_and_spikingjelly_start_them(file: Any) -> None:
    node = {**lif(4, v_leak=0.25, v_reset=0.25)}
    network = from_nir(file({"a": linear(3, 4), "n": node}, row("a", "n")), dialect="spikingjelly")
    assert (network["n"].vmem == 0.25).all()


def test_metadata_say_the_time_step(file: Any) -> None:
    path = file({"a": linear(3, 4), "n": lif(4, r=1.0)}, row("a", "n"), metadata={"dt": 5e-4})
    source = from_nir(path).nir_source
    assert (source.dt, source.dt_from) == (5e-4, "the metadata")


@pytest.mark.parametrize(("noted", "reset"), [("subtract", "subtract"), ("zero", "value")])
def test_metadata_say_the_reset(file: Any, noted: str, reset: str) -> None:
    nodes = {"a": linear(3, 4), "n": lif(4)}
    path = file(nodes, row("a", "n"), metadata={"dt": 1e-3, "reset": noted, "producer": "x"})
    network = from_nir(path)
    assert network["n"].reset == reset and network.nir_source.warnings == ()


@pytest.mark.parametrize("n_steps", [1, 2])
def test_gains_in_proportion_to_time_constants_of_few_steps_tell_no_time_step(
    file: Any, n_steps: int
) -> None:
    tau = np.array([0.01, 0.02, 0.03, 0.04])
    path = file({"a": linear(3, 4), "n": lif(4, tau=tau, r=tau * n_steps / 0.01)}, row("a", "n"))

    with pytest.warns(NirWarning, match=r"does not hold dt \(taken: 0\.001\)"):
        network = from_nir(path)

    assert network.nir_source.dt_from == "the default for nir"


@pytest.mark.filterwarnings("ignore::rockpool.nir.NirWarning")
@pytest.mark.parametrize(("tau", "dt"), [(5e-3, 1e-3), (2e-4, 1e-4), (1e-4, 1e-4)])
def test_gains_that_add_the_input_as_it_is_tell_the_time_step(
    file: Any, tau: float, dt: float
) -> None:
    taus = tau * np.array([1, 2, 3, 4])
    network = from_nir(file({"a": linear(3, 4), "n": lif(4, tau=taus, r=taus / dt)}, row("a", "n")))
    assert (network.nir_source.dialect, network.nir_source.dt) == ("nir", dt)


def test_numbers_that_snntorch_writes_too_are_warned_of(file: Any) -> None:
    """Its nodes have other names where its modules have."""
    path = file({"fc": linear(3, 4), "lif": lif(4, r=200.0)}, row("fc", "lif"))
    with pytest.warns(NirWarning, match="are those of snntorch too"):
        assert from_nir(path).nir_source.dt == 1e-4


def test_a_graph_in_memory_is_read_as_its_file() -> None:
    four = np.ones(4)
    neurons = nir.LI(tau=four * 0.02, r=four * 20, v_leak=four * 0)
    nodes = {
        "input": nir.Input({"input": np.array([3])}),
        "lin": nir.Affine(weight=np.ones((4, 3)), bias=four),
        "li": neurons,
        "output": nir.Output({"output": np.array([4])}),
    }
    graph = nir.NIRGraph(nodes, [("input", "lin"), ("lin", "li"), ("li", "output")])
    network = from_nir(graph)
    assert [child.model for child in describe(network).children.values()] == ["Linear", "LIEuler"]


def test_one_axis_convolutions_scales_and_thresholds_are_read(file: Any) -> None:
    kernel = {
        "type": "Conv1d",
        "weight": np.ones((2, 1, 3)),
        "bias": np.zeros(2),
        "input_shape": 5,
        **{"stride": 1, "padding": 1, "dilation": 1, "groups": 1},
    }
    scale = {"type": "Scale", "scale": np.full((2, 5), 0.5)}
    fires = {"type": "Threshold", "threshold": np.full((2, 5), 1.2)}
    nodes = {"c": kernel, "s": scale, "t": fires}
    network = from_nir(file(nodes, row("c", "s", "t"), (1, 5), (2, 5)))
    output = run(network, np.ones((1, 2, 1, 5))).reshape(2, 2, 5)
    assert output[0, 0].tolist() == [0.0, 1.0, 1.0, 1.0, 0.0]
    np.testing.assert_array_equal(output[0], output[1])


@pytest.mark.parametrize(
    ("sides", "said", "true"),
    [((3, 5), (2, 6, 6), (2, 6, 4)), ((4, 1), (2, 5, 5), (2, 5, 8))],  # as nir 1.0.4, 1.0.8 infer
    ids=str,
)
def test_oblong_kernels_give_what_they_give(file: Any, sides: Any, said: Any, true: Any) -> None:
    rng = np.random.default_rng(3)
    weight, data = rng.normal(size=(2, 1, *sides)), rng.normal(size=(1, 3, 1, 8, 8))
    kernel = {
        "type": "Conv2d",
        "weight": weight,
        "bias": np.zeros(2),
        "input_shape": (8, 8),
        **dict.fromkeys(("stride", "dilation"), (1, 1)),
        **{"padding": (0, 0), "groups": 1},
    }
    expected = torch.conv2d(torch.from_numpy(data[0]), torch.from_numpy(weight))
    for shape in (said, true):
        network = from_nir(file({"c": kernel}, row("c"), (1, 8, 8), shape))
        np.testing.assert_allclose(run(network, data).reshape(3, *true), expected, atol=1e-12)
    with pytest.raises(FileFormatError, match=r"the output has the shape \(2, .* the file says"):
        from_nir(file({"c": kernel}, row("c"), (1, 8, 8), (3, *true[1:])))


# -- delays, integrators, several terminals --------------------------------------------------------


def late(*seconds: float) -> dict[str, Any]:
    return {"type": "Delay", "delay": np.broadcast_to(seconds, 4).copy()}


@pytest.mark.parametrize("steps", [(0,), (1,), (3,), (0, 1, 3, 1), (2, 2, 1, 5)], ids=str)
def test_a_delay_is_so_many_time_steps(file: Any, steps: tuple[int, ...]) -> None:
    nodes = {"a": linear(3, 4), "d": late(*(1e-3 * k for k in steps))}
    data = X @ nodes["a"]["weight"].T
    expected = np.zeros_like(data)
    for neuron, k in enumerate(np.broadcast_to(steps, 4)):
        expected[:, k:, neuron] = data[:, : data.shape[1] - k, neuron]
    np.testing.assert_allclose(run(from_nir(file(nodes, row("a", "d")), dt=1e-3)), expected)


@pytest.mark.parametrize("backend", ["numpy", "torch", "jax"])
@pytest.mark.parametrize("dt", [1e-3, 1e-4, 7e-4])
def test_a_delay_hands_on_the_same_bits_in_single_precision(
    file: Any, dt: float, backend: str
) -> None:
    nodes = {"d": late(dt), "t": {"type": "Threshold", "threshold": np.full(4, 0.3)}}
    data = np.random.default_rng(9).random((1, 50, 4)).astype(np.float32)
    delayed = from_nir(file({"d": nodes["d"]}, row("d"), 4), backend, dt=dt, dtype="float32")
    fires = from_nir(file(nodes, row("d", "t"), 4), backend, dt=dt, dtype="float32")
    for network, expected in ((delayed, data), (fires, data > np.float32(0.3))):
        given = torch.from_numpy(data) if backend == "torch" else data
        output = network(given)[0]
        output = output.detach() if backend == "torch" else output
        assert np.array_equal(np.asarray(output)[:, 1:], expected[:, :-1])
    with_neurons = {"n": lif(4, r=3.0), "d": nodes["d"]}
    again = from_nir(file(with_neurons, row("n", "d"), 4), backend, dt=dt)
    assert to_nir(again).metadata["dt"] == dt


def test_an_integrator_adds_up(file: Any) -> None:
    nodes = {"a": linear(3, 4), "i": {"type": "I", "r": np.array([1.0, 2.0, 30.0, 1000.0])}}
    expected = np.cumsum(X @ nodes["a"]["weight"].T * nodes["i"]["r"] * 1e-3, axis=1)
    np.testing.assert_allclose(run(from_nir(file(nodes, row("a", "i")), dt=1e-3)), expected)


def test_several_inputs_and_outputs_are_side_by_side(file: Any) -> None:
    both = ends(3, 4)
    nodes = {"a": linear(3, 4), "b": linear(2, 4, 1), "n": lif(4), "m": lif(4, r=4.0)}
    nodes |= {"in_b": ends(2, 4)["input"], "out_b": both["output"]}
    edges = [*row("a", "n"), ("in_b", "b"), ("b", "n"), ("b", "m"), ("m", "out_b")]
    data = (np.random.default_rng(6).random((1, 60, 5)) < 0.3).astype(float)

    with pytest.warns(NirWarning, match=r"2 nodes Input; .* side by side: 'in_b' \(2\), 'input'"):
        network = from_nir(file(nodes, edges), dt=1e-3)

    assert network.shape == (5, 8)
    sums = data[..., :2] @ nodes["b"]["weight"].T
    other = data[..., 2:] @ nodes["a"]["weight"].T
    first = LIFEuler(4, r=20.0)(sums + other)[0]
    second = LIFEuler(4, r=4.0)(sums)[0]
    output = run(network, data)
    np.testing.assert_array_equal(output, np.concatenate([second, first], -1))


# -- refusals --------------------------------------------------------------------------------------

OK = {"a": linear(3, 4), "n": lif(4)}


@pytest.mark.parametrize(
    ("nodes", "edges", "said"),
    [
        ({**OK, "n": {"type": "Izhikevich"}}, row("a", "n"), "'n' is of the type 'Izhikevich'"),
        ({**OK, "n": {**lif(4, tau=None)}}, row("a", "n"), "'n': a LIF has no tau"),
        (
            {**OK, "n": late(0.0105)},
            row("a", "n"),
            "'n': a Delay must be a whole number of time st",
        ),
        ({**OK, "n": late(-0.01)}, row("a", "n"), "'n': a Delay must be a whole number of time st"),
        ({**OK, "n": late(1.0)}, row("a", "n"), "'n': delays of 1000 time steps take more than"),
        ({**OK, "n": lif(4, tau=np.nan)}, row("a", "n"), "tau has NaN"),
        ({**OK, "n": lif(4, tau=-1.0)}, row("a", "n"), "'n': tau must be > 0"),
        (
            {**OK, "n": lif(4, v_reset=2.0)},
            row("a", "n"),
            "v_threshold must be above v_reset, got one that is 1 below",
        ),
        ({**OK, "n": lif(4, tau=1e-4, r=0.1)}, row("a", "n"), "tau_mem is 0.0001 s, less than"),
        ({**OK, "n": lif(5)}, row("a", "n"), r"'n': .* of the shape \(5,\) does not fit input"),
        ({**OK, "a": linear(5, 4)}, row("a", "n"), "'a': it cannot take the input"),
        (OK, [*row("a", "n"), ("n", "nowhere")], "names no node 'nowhere'"),
        (OK, [*row("a", "n"), ("a", "n")], "stands twice"),
        (OK, [("input", "a"), ("a", "n")], "leads to nothing"),
        (OK, [("input", "a"), ("a", "output")], "nothing leads to 'n'"),
        (OK, [("input", "output")], "nothing leads to 'a'"),
        ({}, [("input", "output")], "no layer stands between the input and the output"),
        ({**OK, "in2": ends(10**4, 4)["input"]}, row("a", "n"), "2 nodes Input of 10003 channels"),
        (
            {**OK, "b": linear(4, 4), "m": lif(4), "c": linear(4, 4)},
            [*row("a", "n", "b", "m"), ("m", "c"), ("c", "n")],
            "the loop 'n' -> 'c' -> 'm' -> 'b' -> 'n' cannot be read: .* where in it a time step",
        ),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(
    file: Any, nodes: Any, edges: Any, said: str
) -> None:
    with pytest.raises(FileFormatError, match=said):
        from_nir(file(nodes, edges), dt=1e-3)


def test_a_field_that_is_not_known_is_warned_of(file: Any) -> None:
    nodes = {**OK, "n": {**lif(4), "refractory": np.ones(4)}}
    with pytest.warns(NirWarning, match="'n': a LIF has no field 'refractory'"):
        from_nir(file(nodes, row("a", "n")))


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ({"dialect": "lava"}, ValueError, "from_nir: dialect must be 'auto'"),
        ({"dt": -1.0}, ValueError, "from_nir: dt"),
        ({"backend": "nowhere"}, ValueError, "backend must be"),
        ({"reset": "half"}, ValueError, "from_nir: reset must be"),
        ({"v_reset": 1.5}, ValueError, "from_nir: v_reset must be below the v_threshold of 'n'"),
    ],
)
def test_arguments_are_checked(file: Any, arguments: Any, error: Any, said: str) -> None:
    with pytest.raises(error, match=said):
        from_nir(file(OK, row("a", "n")), **arguments)


@pytest.mark.parametrize(
    ("setting", "value", "error", "said"),
    [
        ("decay", "none", ValueError, "'euler' or 'exp', got 'none'"),
        ("gain", ["r"], ValueError, r"'r' or 'unit', got \['r'\]"),
        ("gain_syn", 3, ValueError, "'w_in', 'unit' or 'decay', got 3"),
        ("synapse", "x", ValueError, "'new' or 'old', got 'x'"),
        ("reset", "half", ValueError, "'value', 'subtract' or 'none', got 'half'"),
        ("reset_delay", 1, ValueError, "False, True or 'snntorch', got 1"),
        ("fires", "<", ValueError, "'>' or '>=', got '<'"),
        ("max_spikes_per_dt", 2.5, ValueError, "a whole number >= 1, got 2.5"),
        ("max_spikes_per_dt", "many", TypeError, "a number, got 'many'"),
        ("delay", 2, ValueError, "0 or 1, got 2"),
        ("v_reset", "a", TypeError, "a number, got 'a'"),
        ("v_reset", [0, 0, 0, 0], ValueError, r"a single number, got shape \(4,\)"),
        ("v_reset", np.nan, ValueError, "finite, got nan"),
        ("dt", [1e-3, 1e-3], ValueError, r"a single number, got shape \(2,\)"),
        ("dt", True, TypeError, "a number, got True"),
    ],
)
def test_settings_are_checked_before_the_file_is_read(
    tmp_path: Path, setting: str, value: Any, error: Any, said: str
) -> None:
    with pytest.raises(error, match=f"from_nir: {setting} must be {said}"):
        from_nir(tmp_path / "there is none.nir", **{setting: value})


@pytest.mark.parametrize("value", [[0.25], np.float32(0.25), torch.tensor(0.25)])
def test_a_single_number_of_any_library_is_a_setting(file: Any, value: Any) -> None:
    network = from_nir(file(OK, row("a", "n")), v_reset=value, dt=1e-3)
    assert np.all(network["n"].v_reset == 0.25)


def test_only_paths_and_graphs_are_read() -> None:
    with pytest.raises(TypeError, match=r"from_nir: source must be a path or a nir\.NIRGraph"):
        from_nir(3)


def test_files_that_are_none_of_nir_are_named(tmp_path: Path) -> None:
    (tmp_path / "text.nir").write_text("something else")
    with h5py.File(tmp_path / "other.nir", "w") as other:
        other["data"] = np.ones(3)
    with pytest.raises(FileFormatError, match=r"text\.nir: this is no file of NIR"):
        from_nir(tmp_path / "text.nir")
    with pytest.raises(FileFormatError, match=r"other\.nir: .* no group 'node'"):
        from_nir(tmp_path / "other.nir")
    with pytest.raises(FileNotFoundError):
        from_nir(tmp_path / "none.nir")
