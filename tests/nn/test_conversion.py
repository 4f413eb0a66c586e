"""`rockpool.convert` and `rockpool.describe`: one network on every back-end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
import torch
from torch.nn.utils import prune

from rockpool import convert, describe, load, save, verify
from rockpool.nn.combinators import FFwdStack, Residual, Sequential, Wired
from rockpool.nn.modules import (
    LIF,
    BooleanState,
    ButterFilter,
    ButterMelFilter,
    ExpSmoothJax,
    ExpSyn,
    Instant,
    LIFBitshiftTorch,
    LIFEuler,
    LIFNeuronTorch,
    LIFTorch,
    Linear,
    LinearJax,
    LinearTorch,
    LowPass,
    Module,
    Rate,
    SoftmaxJax,
    TimedModuleWrapper,
    TimeStepDropout,
    TorchModule,
    UnitDropout,
    UpDownTorch,
    aLIFTorch,
)
from rockpool.nn.networks import SynNet
from rockpool.parameters import Constant, Parameter, to_numpy
from rockpool.timeseries import TSEvent

SPIKING_BACKENDS = ("numpy", "numba", "torch", "jax", "brian", "nest", "sinabs")
RATE_BACKENDS = ("numpy", "numba", "torch", "jax", "brian")


def weights(*shape: int, seed: int = 0) -> np.ndarray:
    """Multiples of 1 / 16, of which sums are exact in every order and precision."""
    return np.random.default_rng(seed).integers(-12, 16, shape) / 16


def spiking_network() -> Any:
    """Recurrent and residual layers, several synapses, constants, one spike a step."""
    return Sequential(
        Linear((3, 8), weight=weights(3, 8), has_bias=True, bias=np.full(8, 0.25)),
        LIF(
            (8, 4),
            tau_mem=Constant([0.01, 0.02, 0.03, 0.04]),
            tau_syn=np.array([[0.005, 0.02]]),
            threshold=0.75,
            has_rec=True,
            w_rec=weights(4, 8, seed=1) / 4,
            max_spikes_per_dt=1,
        ),
        {"skip": Residual(Linear((4, 4), weight=weights(4, 4, seed=2)), one_spike(4))},
        ExpSyn(4, tau=0.03),
    )


def one_spike(n: int) -> LIF:
    return LIF(n, tau_mem=0.015, bias=0.125, max_spikes_per_dt=1)


def spikes(*shape: int) -> np.ndarray:
    return (np.random.default_rng(3).random(shape) < 0.4).astype(np.float64)


def output(network: Any, data: np.ndarray) -> np.ndarray:
    if isinstance(network, torch.nn.Module):
        dtype = next(iter(network.parameters().astorch())).dtype
        return to_numpy(network(torch.from_numpy(data).to(dtype))[0])
    return to_numpy(network(data)[0])


@pytest.mark.parametrize("backend", SPIKING_BACKENDS)
def test_a_network_is_the_same_on_each_backend(backend: str) -> None:
    network = spiking_network()
    moved = convert(network, backend)
    data = spikes(2, 40, 3)
    assert np.allclose(output(moved, data), output(network, data), rtol=1e-5, atol=1e-5)
    assert list(moved.modules()) == ["0_Linear", "1_LIF", "skip", "3_ExpSyn"]


@pytest.mark.parametrize("backend", SPIKING_BACKENDS)
def test_there_and_back_again_nothing_is_lost(backend: str) -> None:
    network = spiking_network()
    network(spikes(1, 20, 3))
    precision = None if backend == "jax" else "float64"
    if backend == "jax":  # in single precision: of numbers that it can hold
        network = convert(convert(network, "jax", state=True), "numpy", state=True)
    there = convert(network, backend, dtype=precision, state=True)
    back = convert(there, "numpy", state=True)
    assert describe(back) == describe(network)


@pytest.mark.parametrize("backend", RATE_BACKENDS)
def test_stacks_and_rates_move(backend: str) -> None:
    network = FFwdStack(
        Rate(2, activation_func="tanh", has_rec=True, w_rec=weights(2, 2)),
        Rate(3, tau=Constant(0.04)),
        weight_init_func=lambda shape: weights(*shape, seed=5),
    )
    moved = convert(network, backend)
    data = spikes(1, 20, 2)
    assert np.allclose(output(moved, data), output(network, data), atol=1e-5)
    assert describe(convert(moved, "numpy"), state=False).settings == {}
    assert np.array_equal(to_numpy(moved.parameters()["0_1_weight"]), weights(2, 3, seed=5))
    assert "tau" in moved[1].simulation_parameters()


def test_the_original_is_untouched_and_shares_nothing() -> None:
    network = Sequential(Linear((2, 2), weight=np.eye(2)), LIF(2))
    before = describe(network)
    moved = convert(network, "numpy")
    moved[0].weight[...] = 7.0
    moved(np.ones((1, 3, 2)))
    assert describe(network) == before


def test_states_are_taken_along_when_asked() -> None:
    network = LIF(2)
    network(np.full((1, 5, 2), 0.1))
    assert not convert(network, "torch").vmem.any()
    assert np.allclose(to_numpy(convert(network, "torch", state=True).vmem), network.vmem)


def test_states_of_a_batch_are_taken_along() -> None:
    network = Sequential(LIF(2))
    network.keep_batch_state()
    data = spikes(3, 8, 2) * 0.6
    first, rest = data[:, :4], data[:, 4:]
    network(first)
    moved = convert(network, "torch", state=True, dtype="float64")
    assert np.array_equal(output(moved, rest), output(network, rest))


def test_precision_is_as_asked_and_else_that_of_the_backend() -> None:
    network = LIF(2, tau_mem=0.1)
    assert convert(network, "torch").tau_mem.dtype == torch.float32
    double = convert(network, "torch", dtype="float64")
    assert double.tau_mem.dtype == double.vmem.dtype == torch.float64
    assert convert(double, "sinabs").tau_mem.dtype == torch.float64
    assert to_numpy(double.tau_mem) == 0.1
    with pytest.raises(ValueError, match=r"dtype must be 'float32' or 'float64', got 'int8'"):
        convert(network, "torch", dtype="int8")


@pytest.mark.parametrize("mode", ["decays", "bitshifts"])
def test_leaks_that_are_stated_in_another_way_become_time_constants(mode: str) -> None:
    given = {"alpha": 0.9, "beta": 0.75} if mode == "decays" else {"dash_mem": 4.0, "dash_syn": 3.0}
    layer = LIFTorch(2, leak_mode=mode, **given)
    native = convert(layer, "numpy")
    data = spikes(1, 50, 2)
    assert np.array_equal(output(native, data), output(layer, data))
    again = convert(layer, "torch")
    assert again.leak_mode == mode
    for name, value in given.items():
        assert float(to_numpy(getattr(again, name))) == pytest.approx(value)


def test_a_decay_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match=r"tau_mem of LIF is 0 s, it must be > 0 s"):
        convert(LIFTorch(2, leak_mode="decays", alpha=0.0), "numpy")


@pytest.mark.parametrize(
    "make",
    [
        lambda: aLIFTorch(2, tau_ahp=0.05),
        lambda: LIFBitshiftTorch(2, tau_mem=0.03),
        lambda: LIFNeuronTorch(3, tau_mem=0.01, learning_window=0.25),
        lambda: UnitDropout(3, p=0.25),
        lambda: TimeStepDropout(3, p=0.75, training=False),
        lambda: UpDownTorch(2, thr_up=0.25, n_ref_steps=2),
        lambda: BooleanState(2, threshold=torch.tensor(0.5)),
        lambda: SoftmaxJax((2, 3), tau=0.05),
        lambda: Instant(3),
        lambda: Instant(3, np.tanh),
        lambda: ButterFilter([500.0, 1000.0], [100.0, 200.0], fs=8000.0, order=3),
        lambda: ButterMelFilter(4, fs=8000.0, filter_width=3.5, normalize=True),
        pytest.param(
            lambda: LowPass(2, 2e-3, 0.02),
            marks=pytest.mark.filterwarnings("ignore:LowPass is deprecated"),
        ),
        pytest.param(
            lambda: ExpSmoothJax(2, tau=0.02),
            marks=pytest.mark.filterwarnings("ignore:ExpSmoothJax is deprecated"),
        ),
    ],
)
def test_what_is_on_one_backend_converts_to_itself(make: Any) -> None:
    module = make()
    home = {"torch": "torch", "jax": "jax"}.get(type(module).__module__.split(".")[3], "numpy")
    again = convert(module, home)
    assert type(again) is type(module) and again is not module
    assert describe(again) == describe(module)
    if "Butter" in type(module).__name__:
        sound = np.random.default_rng(0).random((1, 30, 1))
        assert np.array_equal(module(sound)[0], again(sound)[0])


def test_one_error_names_all_modules_that_cannot_move() -> None:
    network = Sequential(aLIFTorch(2), {"drop": LIFNeuronTorch(2)}, LIFTorch(2))
    with pytest.raises(ValueError) as caught:
        convert(network, "numba")
    assert str(caught.value).splitlines() == [
        "this network cannot be on the back-end 'numba':",
        "- '0_aLIFTorch': there is no aLIF on 'numba'; it is on torch",
        "- 'drop': there is no LIFNeuronTorch on 'numba'; it is on torch",
    ]


def test_functions_stay_with_their_library() -> None:
    with pytest.raises(ValueError, match=r"function of Instant is the function 'tanh'"):
        convert(Instant(2, np.tanh), "torch")
    with pytest.raises(ValueError, match=r"settings.*|activation_func of Rate is the function"):
        convert(Rate(2, activation_func=lambda x, threshold: x), "jax")


def test_layers_of_torch_itself_move() -> None:
    linear = torch.nn.Linear(3, 2)
    network = Sequential(linear, torch.nn.Identity(), torch.nn.Flatten(2), LIFTorch(2))
    native = convert(network, "numpy", dtype="float64")
    assert [m.class_name for m in native] == ["Linear", "Instant", "Instant", "LIF"]
    data = spikes(2, 9, 3)
    assert np.allclose(output(native[:3], data), output(network[:3], data), atol=1e-6)
    with pytest.raises(ValueError, match=r"there is no torch.nn.Conv1d on 'numpy'"):
        convert(Sequential(torch.nn.Conv1d(2, 2, 1)), "numpy")


class Both(Module):
    """Two modules side by side, whose outputs are added."""

    def __init__(self, left: Any, right: Any) -> None:
        super().__init__((left.size_in, left.size_out))
        self.left, self.right = left, right

    def evolve(self, input_data: Any, record: bool = False) -> Any:
        return self.left(input_data)[0] + self.right(input_data)[0], self.state(), {}

    def _convert(self, modules: dict[str, Any], backend: str) -> Any:
        return (BothTorch if backend == "torch" else Both)(**modules)


class BothTorch(TorchModule):
    """The same in torch."""

    def __init__(self, left: Any, right: Any) -> None:
        super().__init__(shape=(left.size_in, left.size_out))
        self.left, self.right = left, right

    def forward(self, data: torch.Tensor) -> torch.Tensor:
        return self.left(data)[0] + self.right(data)[0]


class Untold(Module):
    """A container that does not say how to convert it."""

    def __init__(self, inner: Any) -> None:
        super().__init__(inner.shape)
        self.inner = inner

    def evolve(self, input_data: Any, record: bool = False) -> Any:
        return self.inner(input_data)


def test_a_container_of_ones_own_converts_itself() -> None:
    network = Sequential(
        Both(LIF(2), LIF(2, threshold=0.5)), Linear((2, 1), weight=np.ones((2, 1)))
    )
    moved = convert(network, "torch")
    assert type(moved[0]) is BothTorch and type(moved[0].right) is LIFTorch
    data = spikes(1, 20, 2)
    assert np.array_equal(output(moved, data), output(network, data))


def test_a_container_that_says_nothing_is_named() -> None:
    with pytest.raises(ValueError, match=r"Untold is a container of your own and has no method"):
        convert(Untold(LIF(2)), "torch")


class Times(Module):
    """A layer of one's own: each channel times a number."""

    def __init__(self, shape: int) -> None:
        super().__init__((shape, shape))
        self.factor = Parameter(np.ones(shape))

    def evolve(self, input_data: Any, record: bool = False) -> Any:
        data, _ = self._auto_batch(input_data)
        return data * self.factor, self.state(), {}

    def _convert(self, modules: dict[str, Any], backend: str) -> Any:
        return (TimesTorch if backend == "torch" else Times)(self.size_out)


class TimesTorch(TorchModule):
    """The same in torch."""

    def __init__(self, shape: int) -> None:
        super().__init__(shape=(shape, shape))
        self.factor = Parameter(torch.ones(shape))

    def forward(self, data: torch.Tensor) -> torch.Tensor:
        return self._auto_batch(data)[0] * self.factor


def test_a_layer_of_ones_own_converts_itself(tmp_path: Path) -> None:
    network = Sequential(Times(2), LIF(2))
    network[0].factor = np.array([0.5, 2.0])
    moved = convert(network, "torch")
    assert type(moved[0]) is TimesTorch and moved[0].factor.tolist() == [0.5, 2.0]
    data = spikes(1, 20, 2)
    assert np.array_equal(output(moved, data), output(network, data))
    with pytest.raises(ValueError, match="Times is a layer of your own"):
        network.stream()
    save(network, tmp_path / "net.safetensors")
    again = load(tmp_path / "net.safetensors", containers={"Times": lambda modules: Times(2)})
    assert np.array_equal(again[0].factor, [0.5, 2.0])
    with pytest.raises(ValueError, match="there is a layer of your own, Times"):
        load(tmp_path / "net.safetensors")


def test_a_layer_of_ones_own_is_named() -> None:
    class Mine(LIF):
        """Neurons of one's own."""

    with pytest.raises(ValueError, match=r"there is no Mine on 'torch'|Mine"):
        convert(Sequential(Mine(2)), "torch")


def test_timed_modules_move() -> None:
    timed = TimedModuleWrapper(Sequential(LIF(2)), add_events=False)
    moved = convert(timed, "torch")
    assert type(moved.module[0]) is LIFTorch
    assert (moved.dt, moved.add_events) == (timed.dt, False)


def test_what_does_not_keep_its_arguments_is_named() -> None:
    class Forgetful(Module):
        """A layer that needs a number and does not keep it."""

        def __init__(self, shape: Any, number: float) -> None:
            super().__init__(shape)

        def evolve(self, input_data: Any, record: bool = False) -> Any:
            return input_data, {}, {}

    with pytest.raises(TypeError, match=r"Forgetful does not keep the number"):
        describe(Forgetful(2, 0.02))


def test_jax_has_double_precision_only_if_it_is_told_so() -> None:
    with pytest.raises(ValueError, match=r"dtype must be 'float32' for 'jax' as long as its"):
        convert(LIF(2), "jax", dtype="float64")
    with jax.enable_x64(True):
        assert convert(LIF(2), "jax", dtype="float64").tau_mem.dtype == np.float64


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(TypeError, match=r"network must be a module, got 3"):
        convert(3, "torch")
    with pytest.raises(ValueError, match=r"backend must be 'numpy', 'numba'.*got 'tensorflow'"):
        convert(LIF(2), "tensorflow")


def test_a_description_is_compared_by_value() -> None:
    one, other = describe(LIF(2, tau_mem=0.01)), describe(LIF(2, tau_mem=0.02))
    assert one == describe(LIF(2, tau_mem=0.01)) != other
    assert describe(LIF(2, tau_mem=Constant(0.01))) != one
    assert jax.numpy.float32 is not None


def test_a_missing_backend_is_said_in_its_own_words(numpy_python: Any) -> None:
    said = numpy_python.python(
        "from rockpool import convert\n"
        "from rockpool.nn.modules import LIF\n"
        "try: convert(LIF(2), 'torch')\n"
        "except ModuleNotFoundError as error: print(error)"
    )
    assert said == (
        "Missing the `torch` backend. `LIFTorch` objects, and others relying on `torch` are not "
        "available."
    )


@pytest.mark.filterwarnings("ignore:LowPass is deprecated")
@pytest.mark.parametrize("make", [lambda: LowPass(2, 2e-3, 0.02), lambda: BooleanState(2)])
def test_what_has_no_parameters_keeps_its_precision(make: Any, tmp_path: Path) -> None:
    save(make(), tmp_path / "a")
    for again in (convert(make(), "torch"), load(tmp_path / "a")):
        assert again(torch.ones(1, 2, 2))[0].dtype == make()(torch.ones(1, 2, 2))[0].dtype
        assert not any(state.dtype == torch.float64 for state in again.state().values())


@pytest.mark.parametrize(
    "make", [lambda: LIFNeuronTorch(4), lambda: LIFBitshiftTorch(4), lambda: BooleanState(4)]
)
def test_a_batch_of_states_is_kept_in_files_of_any_class(make: Any, tmp_path: Path) -> None:
    for module in (make(), Sequential(make())):
        module.keep_batch_state()
        module(torch.randn(3, 5, 4))
        save(module, tmp_path / "a")
        again = load(tmp_path / "a")
        assert again.keeps_batch_state
        for state, known in zip(leaves(again.state()), leaves(module.state()), strict=True):
            assert torch.equal(state, known)


def leaves(tree: dict[str, Any]) -> list[torch.Tensor]:
    return [
        leaf
        for value in tree.values()
        for leaf in (leaves(value) if isinstance(value, dict) else [value])
    ]


@pytest.mark.parametrize("kind", ["Sequential", "Residual", "FFwdStack", "Wired", "torch"])
def test_what_a_container_does_not_evolve_is_left_out_with_a_word(
    kind: str, tmp_path: Path
) -> None:
    if kind == "torch":
        network: Any = Sequential(LIFTorch(2), LIFTorch(2))
        network.extra = torch.nn.MSELoss()
        data: Any = torch.ones(1, 10, 2)
    else:
        modules = ExpSyn(2), ExpSyn(2)
        edges = [("input", "a"), ("a", "b"), ("b", "output")]
        network = {
            "Sequential": lambda: Sequential(*modules),
            "Residual": lambda: Residual(*modules),
            "FFwdStack": lambda: FFwdStack(*modules),
            "Wired": lambda: Wired(dict(zip("ab", modules, strict=True)), edges),
        }[kind]()
        network.extra = ExpSyn(2)
        data = np.ones((1, 10, 2))
    expected = to_numpy(network(data)[0])
    network.reset_state()
    with pytest.warns(UserWarning, match="'extra' is not evolved with it, and left out"):
        other = convert(network, "numpy")
    assert len(other) == 2
    np.testing.assert_allclose(other(np.asarray(data))[0], expected, rtol=1e-5)
    with pytest.warns(UserWarning, match="'extra' is not evolved with it, and left out"):
        save(network, tmp_path / "a")
    assert len(load(tmp_path / "a", "numpy")) == 2
    with pytest.warns(UserWarning, match="'extra' is not evolved with it, and left out"):
        stream = network.stream(dtype="float64")
    np.testing.assert_allclose(stream.run(np.asarray(data[0])), expected[0], rtol=1e-5)


def test_one_threshold_for_all_neurons_stays_one() -> None:
    layer = LIFEuler(3, threshold=0.5, v_reset=[0.1, 0.2, -0.1])
    assert convert(layer, "numpy").threshold.shape == ()


@pytest.mark.parametrize("backend", ["numpy", "numba", "torch", "jax"])
@pytest.mark.parametrize("flags", [(True, False), (False, True)])
@pytest.mark.parametrize("kind", [LIF, ExpSyn, Rate, Linear, LIFEuler])
def test_whether_input_and_output_are_events_moves(
    kind: Any, flags: tuple[bool, bool], backend: str, tmp_path: Path
) -> None:
    made = {"spiking_input": flags[0], "spiking_output": flags[1]}
    net = kind((3, 3) if kind is Linear else 3, **made)
    moved = convert(net, backend)
    save(net, tmp_path / "net.safetensors")
    for found in (moved, convert(moved, "numpy"), load(tmp_path / "net.safetensors", backend)):
        assert (found.spiking_input, found.spiking_output) == flags
    given = {"dt": 1e-3} if kind is Linear else {}
    timed = load(tmp_path / "net.safetensors", backend).timed(**given)
    assert (timed.input_type is TSEvent) is flags[0]


def test_events_go_into_a_moved_network(tmp_path: Path) -> None:
    events = TSEvent([0.0005, 0.0032], [0, 1], t_stop=0.01, num_channels=2)
    weights = Linear((2, 3), weight=np.full((2, 3), 1.5), spiking_input=True)
    net = Sequential(weights, LIF(3)).timed()
    save(net, tmp_path / "net.safetensors")
    wanted = net(events)[0].raster(1e-3, add_events=True)
    assert wanted.any()
    for backend in ("numba", "torch", "jax", "brian", "sinabs"):
        for moved in (convert(net, backend), load(tmp_path / "net.safetensors", backend)):
            np.testing.assert_array_equal(moved(events)[0].raster(1e-3, add_events=True), wanted)


@pytest.mark.parametrize("backend", ["numpy", "numba", "torch", "jax"])
def test_pruned_parameters_move_as_they_are(backend: str, tmp_path: Path) -> None:
    net = Sequential(
        LinearTorch((8, 6), has_bias=True), torch.nn.Linear(6, 4), LIFTorch(4, has_rec=True)
    )
    pruned = [(net[0], "weight"), (net[0], "bias"), (net[1], "weight"), (net[2], "w_rec")]
    for module, name in pruned:
        prune.random_unstructured(module, name, amount=0.5)
    save(net, tmp_path / "net.safetensors")
    for moved in (convert(net, backend), load(tmp_path / "net.safetensors", backend)):
        for module, name in pruned:
            found = to_numpy(getattr(moved[list(net).index(module)], name))
            wanted = to_numpy(getattr(module, name))
            turned = isinstance(module, torch.nn.Linear)
            np.testing.assert_array_equal(found, wanted.T if turned else wanted)
            assert (found == 0).sum() == found.size // 2


def test_parameters_that_are_computed_do_not_move(tmp_path: Path) -> None:
    net = Sequential(LinearTorch((8, 6)), LIFBitshiftTorch(6))
    with pytest.warns(FutureWarning, match="weight_norm"):
        torch.nn.utils.weight_norm(net[0])
    message = "LinearTorch '0_LinearTorch': weight is no parameter any longer but computed"
    for move in (
        lambda: convert(net, "torch"),
        lambda: save(net, tmp_path / "net.safetensors"),
        lambda: net.stream(),
    ):
        with pytest.raises(TypeError, match=message):
            move()
    torch.nn.utils.remove_weight_norm(net[0])
    np.testing.assert_array_equal(
        convert(net[0], "numpy").weight, to_numpy(net[0].weight).astype(np.float64)
    )
    prune.random_unstructured(net[1], "bias", amount=6)
    assert not convert(net, "torch")[1].bias.any()
    linear = torch.nn.utils.parametrizations.weight_norm(torch.nn.Linear(2, 2))
    with pytest.raises(
        TypeError, match=r"0_ParametrizedLinear': weight is no parameter any longer"
    ):
        convert(Sequential(linear, LIFTorch(2)), "numpy")


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_pruned_weights_of_a_stack_move(backend: str, tmp_path: Path) -> None:
    net = FFwdStack(LIFTorch(4), LIFTorch(3), weight_init_func=lambda shape: torch.rand(shape))
    prune.random_unstructured(net, "0_1_weight", amount=0.5)
    wanted = to_numpy(getattr(net, "0_1_weight"))
    save(net, tmp_path / "net.safetensors")
    for moved in (convert(net, backend), load(tmp_path / "net.safetensors", backend)):
        np.testing.assert_array_equal(to_numpy(getattr(moved, "0_1_weight")), wanted)


def test_what_a_layer_of_ones_own_has_pruned_is_its_own_affair() -> None:
    class Own(TorchModule):
        def __init__(self, inner: Any, gain: Any) -> None:
            super().__init__(shape=(2, 2))
            self.inner = inner
            self.gain = Parameter(gain)

        def forward(self, data: Any) -> Any:
            return self.inner(data)[0] * self.gain

        def _convert(self, modules: dict[str, Any], backend: str) -> Any:
            return Own(modules["inner"], self.gain.detach().clone())

    net = Own(LIFTorch(2), torch.rand(2))
    prune.random_unstructured(net, "gain", amount=1)
    torch.testing.assert_close(convert(net, "torch").gain.detach(), net.gain.detach())


@pytest.mark.parametrize(
    "make",
    [
        lambda: LIFBitshiftTorch(4, tau_mem=Constant(0.004), tau_syn=Constant(0.008)),
        lambda: LIFBitshiftTorch(2, has_rec=True, w_rec=Constant(torch.eye(2))),
        lambda: LIFNeuronTorch(4, tau_mem=Constant(0.01)),
        lambda: LIFTorch(4, leak_mode="decays", alpha=Constant(torch.tensor(0.9))),
        lambda: aLIFTorch(4, leak_mode="bitshifts", dash_mem=Constant(torch.tensor(3.0))),
        lambda: SynNet(3, 4, [6], [4], neuron_model=LIFBitshiftTorch, threshold=0.3),
    ],
)
def test_constants_stay_constants(make: Any, tmp_path: Path) -> None:
    torch.manual_seed(0)
    net = make()
    data = torch.rand(1, 30, net.size_in)
    wanted = net(data)[0]
    trained = [tuple(p.shape) for p in net.parameters().astorch()]
    save(net.reset_state(), tmp_path / "net.safetensors")
    for moved in (convert(net, "torch"), load(tmp_path / "net.safetensors", "torch")):
        torch.testing.assert_close(moved(data)[0], wanted)
        assert [tuple(p.shape) for p in moved.parameters().astorch()] == trained


@pytest.mark.parametrize("made", [LIF, LIFTorch])
def test_constant_recurrent_weights_move_to_jax(made: Any) -> None:
    weights = np.array([[0.0, 0.5], [0.25, 0.0]])
    moved = convert(made(2, has_rec=True, w_rec=Constant(weights)), "jax")
    np.testing.assert_array_equal(moved.w_rec, weights)
    assert "w_rec" not in moved.parameters()


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16])
def test_half_precision_comes_back_single(kind: torch.dtype, tmp_path: Path) -> None:
    net = LinearTorch((4, 4)).to(kind)
    assert convert(net, "torch").weight.dtype == torch.float32
    save(net, tmp_path / "net.safetensors")
    assert load(tmp_path / "net.safetensors", "torch").weight.dtype == torch.float32


def thirds(*shape: int) -> np.ndarray:
    """Numbers that single precision rounds."""
    return np.arange(1, 1 + np.prod(shape)).reshape(shape) / 3


@pytest.mark.parametrize(
    ("make", "backend"),
    [
        (lambda: Sequential(Linear((2, 3), weight=thirds(2, 3)), LIF(3, dtype="float32")), "numpy"),
        (lambda: FFwdStack(LIF(2, dtype="float32"), LIF(3, dtype="float32")), "numpy"),
        (lambda: Sequential(LinearTorch((2, 3)).double(), LIFTorch(3)), "torch"),
        (lambda: Residual(LinearTorch((3, 3)), Sequential(LIFTorch(3).double())), "torch"),
    ],
)
def test_modules_of_different_precision_keep_theirs(
    make: Any, backend: str, tmp_path: Path
) -> None:
    net = make()
    save(net, tmp_path / "net.safetensors")
    for again in (convert(net, backend), load(tmp_path / "net.safetensors", backend)):
        assert describe(again) == describe(net)
        types = [
            [
                value.array.dtype
                for _, node in describe(one).walk()
                for value in node.parameters.values()
            ]
            for one in (again, net)
        ]
        assert types[0] == types[1] and len(set(types[0])) == 2
    single = describe(convert(net, backend, dtype="float32"))
    assert {v.array.dtype for _, n in single.walk() for v in n.parameters.values()} == {
        np.dtype("float32")
    }


@pytest.mark.parametrize(
    "make", [lambda: Sequential(Instant(2, spiking_input=True)), lambda: SynNet(2, 3)]
)
def test_what_networks_take_moves(make: Any, tmp_path: Path) -> None:
    net = make()
    save(net, tmp_path / "net.safetensors")
    assert net.spiking_input and convert(net, "numpy").spiking_input
    assert load(tmp_path / "net.safetensors", "numpy").spiking_input


def test_a_surrogate_that_jax_has_not_is_warned_of() -> None:
    net = Sequential(LIFTorch(2, learning_window=0.25), LIFTorch(2))
    with pytest.warns(
        UserWarning, match="0_LIFTorch has learning_window = 0.25, of which jax"
    ) as w:
        convert(net, "jax")
    assert len(w) == 1
    convert(net, "numpy")
    assert float(convert(net, "sinabs")[0].learning_window) == 0.25


def test_a_container_for_jax_is_one_of_jax() -> None:
    class Twice(Module):
        def __init__(self, inner: Any) -> None:
            super().__init__(inner.shape)
            self.inner = inner

        def evolve(self, input_data: Any, record: bool = False) -> Any:
            return self.inner(self.inner(input_data)[0])[0], self.state(), {}

        def _convert(self, modules: dict[str, Any], backend: str) -> Any:
            return Twice(**modules)

    convert(Twice(LIF(2)), "numba")
    convert(Twice(Linear((2, 2))), "jax")  # there is nothing to be forgotten
    with pytest.raises(ValueError, match="Twice: _convert must give a JaxModule for 'jax', got Tw"):
        convert(Twice(LIF(2)), "jax")


class Scaled(Module):
    """Weights and a gain, which `Linear` has in one."""

    def __init__(self, weight: Any, gain: float) -> None:
        super().__init__(np.shape(weight))
        self.weight = Parameter(np.asarray(weight, float), family="weights")
        self.gain = Parameter(float(gain))

    def evolve(self, input_data: Any, record: bool = False) -> Any:
        data, _ = self._auto_batch(input_data)
        return data @ self.weight * self.gain, self.state(), {}

    def _convert(self, modules: dict[str, Any], backend: str) -> Any:
        kinds = {"torch": LinearTorch, "sinabs": LinearTorch, "jax": LinearJax}
        return kinds.get(backend, Linear)(self.shape, weight=self.weight * self.gain)


class Leveled(LIF):
    """Neurons with one bias in place of one for each."""

    def _convert(self, modules: dict[str, Any], backend: str) -> Any:
        bias = np.full(self.size_out, 2 * np.max(self.bias))
        return (LIFTorch if backend == "torch" else LIF)(self.shape, bias=bias)


@pytest.mark.parametrize("backend", ["numpy", "torch", "jax"])
def test_a_layer_that_a_user_made_of_his_own_keeps_what_it_was_made_with(backend: str) -> None:
    moved = convert(Scaled([[1.0, 2.0]], gain=10), backend)
    assert to_numpy(moved.weight).tolist() == [[10.0, 20.0]]
    assert verify(Scaled([[1.0, 2.0]], gain=10), np.ones((1, 3, 1))).ok


def test_what_does_not_fit_a_back_end_is_refused() -> None:
    with pytest.raises(ValueError, match="_convert must give a TorchModule for 'sinabs-exodus', g"):
        convert(Scaled([[1.0, 2.0]], gain=10), "sinabs-exodus")


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_its_states_are_taken_along(backend: str) -> None:
    layer = Leveled(3, bias=0.25)
    layer(np.ones((1, 4, 3)))
    moved = convert(layer, backend, state=True)
    assert to_numpy(moved.bias).tolist() == [0.5, 0.5, 0.5]
    np.testing.assert_allclose(to_numpy(moved.vmem), layer.vmem, rtol=1e-6)


def test_timed_networks_have_a_precision_too() -> None:
    network = Sequential(Linear((2, 3)), LIF(3)).timed()
    moved = convert(network, "torch", dtype="float64")
    assert moved.module[0].weight.dtype == moved.module[1].tau_mem.dtype == torch.float64


def test_a_class_of_a_user_that_is_called_as_dropout_is_none() -> None:
    kind = type("UnitDropout", (Scaled,), {})
    network = Sequential(kind([[1.0, 2.0]], 10))
    assert convert(network, "numpy")(np.ones((1, 1, 1)))[0].tolist() == [[[10.0, 20.0]]]
    with pytest.raises(ValueError, match="UnitDropout is a layer of your own"):
        network.stream()
