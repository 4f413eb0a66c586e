"""Networks written to NIR come back as they were; others get what their importers run, or nothing."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

import h5py
import nir
import numpy as np
import pytest
import torch
from support import nir_cases

from rockpool import describe
from rockpool.nir import NirWarning, from_nir, to_nir
from rockpool.nn.combinators import FFwdStack, Residual, Sequential, Wired
from rockpool.nn.modules import (
    LIF,
    AvgPool2d,
    Conv1d,
    Conv2d,
    CubaLIEuler,
    CubaLIFEuler,
    ExpSyn,
    Flatten,
    IFEuler,
    Instant,
    LIEuler,
    LIFEuler,
    LIFTorch,
    Linear,
    Rate,
    Scale,
    SumPool2d,
    UpDownTorch,
)
from rockpool.nn.modules.torch.lif_torch import PeriodicExponential
from rockpool.parameters import Constant

RNG = np.random.default_rng(3)


def linear(n_in: int, n_out: int, **options: Any) -> Any:
    return Linear((n_in, n_out), weight=RNG.random((n_in, n_out)), **options)


def branching() -> Any:
    modules = {"a": linear(3, 4), "b": linear(3, 4), "n": LIFEuler(4, tau_mem=0.03)}
    edges = [("input", "a"), ("input", "b"), ("a", "n"), ("b", "n"), ("n", "output")]
    return Wired(modules, [*edges, ("a", "output")])


def images() -> Any:
    return Sequential(
        Conv2d((2, 6, 8), 4, (3, 5), stride=(1, 2), padding=(1, 2), groups=2),
        IFEuler((4, 6, 4)),
        AvgPool2d((4, 6, 4), 2),
        SumPool2d((4, 3, 2), (3, 1)),
        Flatten((4, 1, 2)),
        linear(8, 4),
        LIFEuler(4),
    )


NETWORKS: dict[str, Any] = {
    "one layer": LIFEuler(3, tau_mem=np.array([0.01, 0.02, 0.05])),
    "a row": Sequential(linear(3, 4, bias=RNG.random(4)), LIFEuler(4, r=0.3), linear(4, 2)),
    "recurrent": Sequential(
        linear(3, 4), LIFEuler(4, has_rec=True, w_rec=RNG.random((4, 4))), linear(4, 2)
    ),
    "named": Sequential({"in": linear(3, 4), "out": CubaLIFEuler(4, w_in=2.0, v_leak=0.1)}),
    "other steps": Sequential(
        linear(3, 4),
        CubaLIFEuler(
            4,
            decay="exp",
            gain="unit",
            gain_syn="decay",
            synapse="old",
            reset="subtract",
            reset_delay=True,
            fires=">=",
            max_spikes_per_dt=np.inf,
            delay=1,
            dt=5e-4,
        ),
    ),
    "readout": Sequential(linear(3, 4), LIEuler(4, tau_mem=0.1), CubaLIEuler(4)),
    "LIF": Sequential(
        linear(3, 4),
        LIF(
            4,
            tau_mem=RNG.random(4) + 0.01,
            bias=RNG.random(4),
            has_rec=True,
            w_rec=RNG.random((4, 4)),
            threshold=Constant(np.full(4, 0.7)),
            noise_std=0.1,
        ),
    ),
    "synapse and rate": Sequential(ExpSyn(3), Rate(3, has_rec=True, w_rec=RNG.random((3, 3)))),
    "nested": Sequential(linear(3, 4), Residual(Sequential(linear(4, 4), LIFEuler(4)))),
    "stack": FFwdStack(LIFEuler(3), LIFEuler(2)),
    "wired": branching(),
    "images": images(),
    "row of one axis": Sequential(Conv1d((2, 7), 3, 3, padding=1), IFEuler((3, 7))),
    "even kernel": Sequential(Conv2d((1, 5, 5), 1, 2, padding="same"), IFEuler((1, 5, 5))),
    "gains": Sequential(Instant(3), Scale((3,), weight=RNG.random(3))),
}


def written(network: Any, path: Path, **options: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NirWarning)
        to_nir(network, path, **options)
    return from_nir(path)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_comes_back_with_all_of_its_bits(tmp_path: Path, name: str) -> None:
    network = NETWORKS[name]
    again = written(network, tmp_path / "net.nir")
    assert describe(again, state=False) == describe(network, state=False)
    assert again.nir_source.warnings == ()


@pytest.mark.parametrize("name", sorted(set(NETWORKS) - {"readout"}))
def test_it_comes_back_from_a_graph_in_memory(name: str) -> None:
    network = NETWORKS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NirWarning)
        graph = to_nir(network)
    assert isinstance(graph, nir.NIRGraph)
    assert describe(from_nir(graph), state=False) == describe(network, state=False)


@pytest.mark.parametrize("backend", ["numba", "torch", "jax"])
def test_a_network_of_any_back_end_comes_back(tmp_path: Path, backend: str) -> None:
    import rockpool

    network = rockpool.convert(Sequential(linear(3, 4), LIF(4)), backend)
    with pytest.warns(NirWarning):
        to_nir(network, tmp_path / "net.nir")
    again = from_nir(tmp_path / "net.nir", backend)
    assert describe(again, state=False) == describe(network, state=False)
    assert type(again) is type(network)


def test_what_other_readers_do_not_see_is_warned_of_by_name() -> None:
    with pytest.warns(NirWarning, match=r"'1_LIF': decay='exp', .* noise_std=0.1") as caught:
        to_nir(NETWORKS["LIF"])
    assert len(caught) == 1


def test_the_equations_of_nir_are_written_without_a_warning(tmp_path: Path) -> None:
    to_nir(NETWORKS["a row"], tmp_path / "net.nir", nir_version=nir.version)
    graph = nir.read(tmp_path / "net.nir")
    assert set(graph.nodes) == {"input", "output", "0_Linear", "1_LIFEuler", "2_Linear"}
    assert graph.nodes["1_LIFEuler"].r.tolist() == [0.3] * 4
    assert graph.metadata["dt"] == 1e-3 and graph.metadata["reset"] == "value"
    assert graph.metadata["producer"].startswith("rockpool ")


def test_a_reader_that_does_not_know_our_notes_reads_the_same(tmp_path: Path) -> None:
    network = NETWORKS["recurrent"]
    written(network, tmp_path / "net.nir")
    other = from_nir(tmp_path / "net.nir", dialect="nir")
    x = (RNG.random((1, 50, 3)) < 0.5).astype(float)
    np.testing.assert_array_equal(network(x)[0], other(x)[0])
    network.reset_state()


def test_a_file_that_was_changed_is_read_by_its_nodes(tmp_path: Path) -> None:
    path = tmp_path / "net.nir"
    written(NETWORKS["recurrent"], path)
    with h5py.File(path, "r+") as file:
        file["node/nodes/1_LIFEuler/v_threshold"][...] = 3.0
        del file["node/nodes/1_LIFEuler/r"]
        file["node/nodes/1_LIFEuler/r"] = np.full(4, 2.0)
    again = from_nir(path)
    assert (again["1_LIFEuler"].threshold == 3.0).all() and (again["1_LIFEuler"].r == 2.0).all()


def test_notes_that_do_not_fit_the_nodes_are_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "net.nir"
    network = Sequential(linear(3, 4), LIFEuler(4, gain="unit"))
    written(network, path)
    with h5py.File(path, "r+") as file:
        file["node/nodes/1_LIFEuler/r"][...] = 7.0
    with pytest.warns(NirWarning, match="nodes have been changed since rockpool wrote it"):
        again = from_nir(path)
    assert again["1_LIFEuler"].gain == "r" and (again["1_LIFEuler"].r == 7.0).all()


def test_membranes_start_where_they_did(tmp_path: Path) -> None:
    network = LIFEuler(2, v_leak=0.5)
    network.vmem = np.array([0.5, 0.5])
    again = written(network, tmp_path / "net.nir")
    assert again.vmem.tolist() == [0.5, 0.5]


@pytest.mark.parametrize("dialect", ["nir", "norse", "snntorch", "spikingjelly"])
def test_where_a_network_has_come_to_is_no_start(dialect: str, tmp_path: Path) -> None:
    network = Sequential(linear(6, 4), LIFEuler(4, tau_mem=0.01, dt=1e-4))
    data = np.ones((1, 3, 6))
    wanted, state, _ = network(data)
    assert state["1_LIFEuler"]["vmem"].any() and not state["1_LIFEuler"]["spikes"].any()
    to_nir(network, tmp_path / "net.nir", dialect=dialect)
    again = from_nir(tmp_path / "net.nir")
    assert not again.state()["1_LIFEuler"]["vmem"].any()
    np.testing.assert_array_equal(again(data)[0], wanted)


@pytest.mark.filterwarnings("ignore::rockpool.nir.NirWarning")
def test_what_torch_alone_knows_of_its_neurons_is_kept(tmp_path: Path) -> None:
    decays = {"alpha": [0.9, 0.95], "beta": [[0.8], [0.7]]}
    network = LIFTorch(
        2,
        leak_mode="decays",
        learning_window=0.25,
        spike_generation_fn=PeriodicExponential,
        alpha=Constant(torch.tensor(decays["alpha"])),
        beta=torch.tensor(decays["beta"]),
    )
    to_nir(network, tmp_path / "net.nir")
    again = from_nir(tmp_path / "net.nir", "torch")
    assert describe(again) == describe(network)
    assert list(again.parameters()) == list(network.parameters())
    assert (again.leak_mode, float(again.learning_window)) == ("decays", 0.25)
    assert describe(from_nir(tmp_path / "net.nir")).parameters.keys() >= {"tau_mem", "tau_syn"}


@pytest.mark.parametrize("dt", [np.float32(1e-3), np.array(1e-3), torch.tensor(1e-3)])
def test_a_time_step_may_be_a_number_of_any_library(dt: Any) -> None:
    with pytest.warns(NirWarning):
        graph = to_nir(Sequential(LIF(2)))
    assert describe(from_nir(graph, dt=dt), state=False) == describe(
        Sequential(LIF(2)), state=False
    )


def test_a_spike_function_that_a_note_made_up_is_refused() -> None:
    with pytest.warns(NirWarning):
        graph = to_nir(LIFTorch(2))
    graph.metadata["rockpool"] = graph.metadata["rockpool"].replace("StepPWL", "other")
    with pytest.raises(ValueError, match="must be 'StepPWL' or 'PeriodicExponential', got 'other'"):
        from_nir(graph, "torch")


# -- for others ------------------------------------------------------------------------------------

SPYX = {"gain": "unit", "reset": "subtract", "reset_delay": True, "delay": 1}
SINABS = {
    "decay": "exp",
    "reset": "subtract",
    "fires": ">=",
    "max_spikes_per_dt": np.inf,
}


def of(kind: Any, **options: Any) -> Any:
    return Sequential(linear(3, 4), kind(4, **options), linear(4, 2), kind(2, **options))


def joining() -> Any:
    modules = {"a": linear(3, 4), "b": linear(3, 4), "n": LIFEuler(4, r=8.0), "c": linear(4, 2)}
    modules |= {"d": linear(3, 2), "m": LIFEuler(2, r=8.0)}
    edges = [("input", "a"), ("input", "b"), ("input", "d"), ("a", "n"), ("b", "n")]
    return Wired(modules, [*edges, ("n", "c"), ("c", "m"), ("d", "m"), ("m", "output")])


def convolved(**options: Any) -> Any:
    return Sequential(Conv2d((2, 6, 6), 3, 3, **options))


def spyx_images() -> Any:
    layers = (LIFEuler((3, 4, 4), **SPYX), SumPool2d((3, 4, 4), 2), Flatten((3, 2, 2)))
    return Sequential(Conv2d((2, 6, 6), 3, 3), *layers, linear(12, 4), LIFEuler(4, r=3.0, **SPYX))


@pytest.mark.parametrize(
    ("dialect", "network"),
    [
        ("snntorch", of(LIFEuler)),
        ("snntorch", of(CubaLIFEuler)),
        ("norse", of(IFEuler)),
        ("norse", of(LIFEuler)),
        ("norse", of(CubaLIFEuler, decay="exp")),
        ("spikingjelly", of(LIFEuler, gain="unit", fires=">=")),
        ("spikingjelly", of(IFEuler)),
        ("spyx", of(LIFEuler, **SPYX)),
        ("spyx", of(LIFEuler, has_rec=True, **SPYX)),
        ("spyx", spyx_images()),
        ("norse", of(LIFEuler, has_rec=True)),
        ("spikingjelly", of(CubaLIFEuler, has_rec=True)),
        ("spikingjelly", joining()),
        ("snntorch", joining()),
        ("snntorch", Sequential(linear(3, 4), Residual(linear(4, 4)), LIFEuler(4))),
        ("spyx", of(CubaLIFEuler, **{**SPYX, "reset_delay": False, "gain_syn": "unit"})),
        ("sinabs", of(LIFEuler, **SINABS)),
        ("rockpool", of(LIF)),
    ],
)
def test_what_is_written_for_others_comes_back_too(
    tmp_path: Path, dialect: str, network: Any
) -> None:
    to_nir(network, tmp_path / "net.nir", dialect=dialect)
    again = from_nir(tmp_path / "net.nir")
    assert describe(again, state=False) == describe(network, state=False)
    assert again.nir_source.dialect == dialect


@pytest.mark.parametrize(
    ("dialect", "network", "settings"),
    [
        # the step of each importer, as seen in runs
        ("snntorch", of(LIFEuler, r=8.0), {"dialect": "nir"}),
        ("norse", of(CubaLIFEuler, w_in=3.0, r=4.0), {"dialect": "nir"}),
        ("spikingjelly", of(LIFEuler, r=8.0), {"dialect": "spikingjelly"}),
        ("spikingjelly", joining(), {"dialect": "spikingjelly"}),
        ("snntorch", joining(), {"dialect": "nir"}),
        ("norse", of(LIFEuler, r=8.0, has_rec=True), {"dialect": "nir"}),
        ("spyx", of(LIFEuler, has_rec=True, w_rec=None, **SPYX), {"dialect": "spyx", "dt": 1.0}),
        ("sinabs", of(LIFEuler, r=8.0, **SINABS), {"dialect": "sinabs", "gain": "unit"}),
    ],
)
def test_the_nodes_say_it_to_the_importer(
    tmp_path: Path, dialect: str, network: Any, settings: Any
) -> None:
    to_nir(network, tmp_path / "net.nir", dialect=dialect)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NirWarning)
        other = from_nir(tmp_path / "net.nir", **settings)
    x = (RNG.random((1, 80, 3)) < 0.4).astype(float)
    output = network(x)[0]
    network.reset_state()
    assert output.sum() > 5
    np.testing.assert_array_equal(np.asarray(other(x)[0]), output)


def test_weights_behind_images_are_in_the_order_of_spyx(tmp_path: Path) -> None:
    network = spyx_images()
    to_nir(network, tmp_path / "net.nir", dialect="spyx")
    with h5py.File(tmp_path / "net.nir") as file:
        columns = file["node/nodes/4_Linear/weight"][0].reshape(2, 2, 3)
    weight = network["4_Linear"].weight[:, 0].reshape(3, 2, 2)
    np.testing.assert_allclose(columns, weight.transpose(1, 2, 0), rtol=1e-6)
    x = (RNG.random((1, 40, 2, 6, 6)) < 0.4).astype(float)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NirWarning)
        other = from_nir(tmp_path / "net.nir", dialect="spyx", dt=1.0)
    output = network(x)[0]
    assert output.sum() > 5
    np.testing.assert_array_equal(np.asarray(other(x)[0]), output)


@pytest.mark.parametrize(
    ("options", "warned"), [({}, 0), ({"groups": 2}, 1), ({"kernel": (3, 2)}, 1)]
)
def test_a_convolution_that_nir_itself_refuses_is_warned_of(
    tmp_path: Path, options: Any, warned: int
) -> None:
    layer = Conv2d((2, 6, 6), 4, options.get("kernel", 3), groups=options.get("groups", 1))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        to_nir(Sequential(layer), tmp_path / "net.nir")
    assert len(caught) == warned
    assert all("nir.read refuses the file without" in str(each.message) for each in caught)


@pytest.mark.parametrize("name", ["lif_vreset", "if_vreset", "cubalif_vreset", "kinds_dt1e-3"])
def test_a_file_of_spikingjelly_is_written_for_it_again(tmp_path: Path, name: str) -> None:
    path, case = nir_cases.case("export", f"spikingjelly_{name}")
    dt = float(case["dt"])
    to_nir(from_nir(path, dt=dt), tmp_path / "net.nir", dialect="spikingjelly", dt=dt)

    again = from_nir(tmp_path / "net.nir", dialect="spikingjelly", dt=dt)

    np.testing.assert_array_equal(np.asarray(again(case["x"][None])[0])[0], case["y"])


@pytest.mark.parametrize(
    ("dialect", "network", "said"),
    [
        ("snntorch", of(LIFEuler, reset="subtract"), "'1_LIFEuler' has reset='subtract'"),
        ("snntorch", of(LIFEuler, v_reset=-0.5), "has v_reset other than 0"),
        ("snntorch", of(IFEuler), "'1_IFEuler' is a IFEuler, which cannot be held"),
        ("snntorch", of(LIFEuler, has_rec=True), "has recurrent weights"),
        ("norse", of(LIFEuler, v_leak=0.1), "has v_leak other than 0"),
        ("norse", of(LIF), "'1_LIF' is a LIF, which cannot be held"),
        ("spikingjelly", of(LIFEuler, tau_mem=np.array([0.01, 0.02])[0]), ""),
        ("spikingjelly", Sequential(linear(3, 2), LIFEuler(2, tau_mem=[0.01, 0.02])), "tau_mem of"),
        ("spyx", of(LIFEuler), "has reset='value', it must be 'subtract'"),
        ("sinabs", of(CubaLIFEuler), "'1_CubaLIFEuler' is a CubaLIFEuler"),
        ("sinabs", of(LIFEuler, **{**SINABS, "max_spikes_per_dt": 3.0}), "max_spikes_per_dt=3"),
        (
            "sinabs",
            Sequential(Linear((1, 1), weight=-np.ones((1, 1))), IFEuler(1, **SINABS)),
            "neg",
        ),
        ("norse", joining(), "in a graph that branches"),
        ("spikingjelly", branching(), "'a' is one of several that add up to the output"),
        ("norse", images(), "has groups, which its importer does not take"),
        ("spyx", convolved(dilation=2), "has a dilation, which its importer does not take"),
        ("spyx", Sequential(SumPool2d((2, 4, 4), 2, padding=1)), "has padding, which its"),
        ("sinabs", Sequential(SumPool2d((2, 4, 4), 2, padding=1)), "has padding, which its"),
        ("snntorch", Sequential(linear(3, 2)), "the last layer there must fire"),
        ("norse", LIF((6, 3)), "'rockpool' is a LIF, which cannot be held"),
        ("nir", LIF((4000, 2000)), "'rockpool' has 2 synapses for each of 2000 neurons"),
    ],
)
def test_what_others_cannot_hold_is_refused_by_name(
    tmp_path: Path, dialect: str, network: Any, said: str
) -> None:
    path = tmp_path / "net.nir"
    if not said:
        to_nir(network, path, dialect=dialect)
        return
    with pytest.raises(ValueError, match=f"to_nir: .*{said}"):
        to_nir(network, path, dialect=dialect)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"dialect": "lava"}, "to_nir: dialect must be"),
        ({"nir_version": "2"}, "to_nir: nir_version must be"),
        ({"dt": 1e-4}, "dt of the network is 0.001 s, so it cannot be 0.0001"),
        ({"dialect": "snntorch", "dt": 1e-3}, "snntorch takes dt = 0.0001 s always"),
    ],
)
def test_arguments_are_checked(options: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        to_nir(of(LIFEuler), **options)


def test_layers_of_one_back_end_and_containers_of_users_are_refused() -> None:
    with pytest.raises(ValueError, match="'0_UpDownTorch' is a UpDownTorch, which NIR cannot hold"):
        to_nir(Sequential(UpDownTorch(2)))
    with pytest.raises(TypeError, match="describe: network must be a module"):
        to_nir(3)


# -- versions and files ----------------------------------------------------------------------------


def test_a_file_for_nir_1_0_4_has_no_v_reset(tmp_path: Path) -> None:
    to_nir(NETWORKS["a row"], tmp_path / "net.nir", nir_version="1.0.4")
    with h5py.File(tmp_path / "net.nir") as file:
        assert file["version"][()] == b"1.0.4"
        assert "v_reset" not in file["node/nodes/1_LIFEuler"]
    network = NETWORKS["a row"]
    assert describe(from_nir(tmp_path / "net.nir"), state=False) == describe(network, state=False)


@pytest.mark.parametrize(
    ("network", "said"),
    [
        (LIFEuler(2, v_reset=-1.0), "has v_reset other than 0, which nir 1.0.4 cannot hold"),
        (CubaLIEuler(2), "is a CubaLI, which nir 1.0.4 has not"),
    ],
)
def test_what_nir_1_0_4_has_not_is_refused(network: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        to_nir(network, nir_version="1.0.4")


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "net.nir"
    to_nir(NETWORKS["a row"], path)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="which cannot be held"):
        to_nir(LIF((6, 3)), path, dialect="spyx")
    assert path.read_bytes() == before and os.listdir(tmp_path) == ["net.nir"]


def test_load_says_who_reads_the_file(tmp_path: Path) -> None:
    import rockpool

    to_nir(NETWORKS["a row"], tmp_path / "net.nir")
    with pytest.raises(rockpool.FileFormatError, match=r"HDF5.*rockpool\.nir\.from_nir"):
        rockpool.load(tmp_path / "net.nir")


@pytest.mark.parametrize("delay", [0, 1])
def test_an_integrator_without_a_leak_is_written_as_one(delay: int) -> None:
    layer = LIEuler(3, tau_mem=np.inf, gain="unit", dt=0.5e-3, delay=delay)
    graph = to_nir(layer)
    kinds = [type(node).__name__ for node in graph.nodes.values()]
    assert kinds == ["I", *["Delay"] * delay, "Input", "Output"]
    assert np.array_equal(graph.nodes["rockpool"].r, [2000.0] * 3)
    data = RNG.random((2, 9, 3))
    expected = layer(data)[0]
    assert np.array_equal(from_nir(graph)(data)[0], expected)
    others = from_nir(graph, dialect="nir", dt=0.5e-3)(data)[0]  # by the nodes alone
    assert np.allclose(others, expected)


def test_an_infinite_time_constant_that_nodes_do_not_hold_is_told() -> None:
    with pytest.warns(NirWarning, match="gain='unit' with an infinite tau_mem"):
        to_nir(LIFEuler(3, tau_mem=np.inf, gain="unit"))


def test_the_time_step_that_is_noted_changes_nothing() -> None:
    network = Sequential(LIEuler(3, tau_mem=1e-3, gain="unit", delay=1), LIFEuler(3))
    assert describe(from_nir(to_nir(network), dt=1e-3)) == describe(network)


# -- what takes more than one node -----------------------------------------------------------------


def test_an_output_delay_is_a_node_that_others_read(tmp_path: Path) -> None:
    network = Sequential(
        linear(3, 4),
        LIFEuler(4, r=9.0, delay=1, has_rec=True, w_rec=RNG.random((4, 4))),
        linear(4, 2),
        LIFEuler(2, r=9.0, delay=1),
    )
    to_nir(network, tmp_path / "net.nir", nir_version=nir.version)
    graph = nir.read(tmp_path / "net.nir")
    assert graph.nodes["1_LIFEuler_delay"].delay.ravel().tolist() == [1e-3] * 4
    assert ("1_LIFEuler", "1_LIFEuler_w_rec") in graph.edges
    x = (RNG.random((1, 80, 3)) < 0.4).astype(float)
    expected = network(x)[0]
    assert expected.sum() > 10
    for options in ({}, {"dialect": "nir"}):
        assert np.array_equal(from_nir(tmp_path / "net.nir", **options)(x)[0], expected)


@pytest.mark.parametrize("recurrent", [False, True])
def test_several_synapses_are_currents_side_by_side(tmp_path: Path, recurrent: bool) -> None:
    more = {"has_rec": True, "w_rec": RNG.normal(0, 0.3, (4, 8))} if recurrent else {}
    neurons = LIF(
        (8, 4), tau_syn=0.01 + RNG.random((4, 2)) / 50, tau_mem=0.01 + RNG.random(4) / 50, **more
    )
    network = Sequential(linear(3, 8), neurons)
    again = written(network, tmp_path / "net.nir", nir_version=nir.version)
    assert describe(again) == describe(network)
    graph = nir.read(tmp_path / "net.nir")
    kinds = [type(graph.nodes[f"1_LIF_isyn_{s}"]).__name__ for s in (0, 1)]
    assert kinds == ["LI", "LI"] and type(graph.nodes["1_LIF"]).__name__ == "LIF"
    assert len([edge for edge in graph.edges if edge[1] == "1_LIF"]) == 2


def test_the_nodes_of_several_synapses_do_what_the_layer_does(tmp_path: Path) -> None:
    dt, tau_mem, tau_syn = 1e-3, 0.02, np.array([0.005, 0.02])
    rng = np.random.default_rng(7)
    weight = rng.normal(0.2, 0.3, (3, 8))
    neurons = LIF((8, 4), tau_syn=np.tile(tau_syn, (4, 1)), tau_mem=tau_mem, dt=dt)
    written(Sequential(Linear((3, 8), weight=weight), neurons), tmp_path / "net.nir")
    x = (rng.random((1, 200, 3)) < 0.3).astype(float)
    with pytest.warns(NirWarning, match="'1_LIF' was written with LIF"):
        by_nodes = from_nir(tmp_path / "net.nir", dialect="nir", reset="value")(x)[0][0]

    v, i, expected = np.zeros(4), np.zeros((4, 2)), []
    for arriving in (x[0] @ weight).reshape(-1, 4, 2):  # decays by Euler steps
        i = i * (1 - dt / tau_syn) + arriving * np.exp(-dt / tau_syn)
        v = v * (1 - dt / tau_mem) + i.sum(axis=1)
        expected.append(v > 1)
        v = np.where(v > 1, 0, v)
    assert 20 < np.sum(expected) < 700
    assert np.array_equal(by_nodes, expected)


def test_what_nodes_do_not_hold_is_warned_of_where_they_alone_are_read(tmp_path: Path) -> None:
    network = Sequential(linear(3, 4), LIFEuler(4, fires=">=", decay="exp"), LIF(4))
    written(network, tmp_path / "net.nir")
    with pytest.warns(NirWarning) as caught:
        from_nir(tmp_path / "net.nir", dialect="nir")
    said = str(caught[0].message)
    assert "'1_LIFEuler' was written with decay='exp', fires='>='" in said
    assert "'2_LIF' was written with LIF" in said


def test_a_name_that_another_layer_has_is_not_taken(tmp_path: Path) -> None:
    modules = {
        "n": LIFEuler(3, has_rec=True, w_rec=RNG.random((3, 3)), delay=1),
        "n_w_rec": LIFEuler(3, r=4.0),
        "n_delay": linear(3, 2),
    }
    again = written(Sequential(modules), tmp_path / "net.nir")
    assert describe(again) == describe(Sequential(modules))


@pytest.mark.parametrize("kind", [LIFEuler, CubaLIFEuler])
def test_what_was_written_for_norse_is_read_as_norse_reads_it(kind: Any, tmp_path: Path) -> None:
    """Norse takes time constants in seconds, and writes them in time steps."""
    network = Sequential(linear(3, 4), kind(4, tau_mem=0.01, threshold=0.2))
    data = RNG.normal(0, 3, (1, 300, 3))
    expected = network(data)[0]
    to_nir(network, tmp_path / "a.nir", dialect="norse")
    again = from_nir(tmp_path / "a.nir", dialect="norse", v_reset=0.0)
    assert expected.any() and np.array_equal(again(data)[0], expected)
