"""The modules on Brian 2: what they do to Brian, and what the conformance suite does not look at."""

from __future__ import annotations

import _thread
import copy
import time
import warnings
from threading import Thread
from typing import Any

import numpy as np
import pytest

from rockpool.nn.models.finite_input import check_input
from rockpool.nn.modules.brian import LIFBrian, RateBrian
from rockpool.nn.modules.brian.simulation import TARGETS, Feed, brian2
from rockpool.nn.modules.native import LIF, Rate

LAYER = {
    "tau_mem": [0.01, 0.03],
    "tau_syn": [[0.005, 0.02], [0.01, 0.015]],
    "bias": [0.05, -0.02],
    "threshold": [1.0, 0.8],
    "has_rec": True,
    "w_rec": np.arange(-4.0, 4.0).reshape(2, 4) / 64,
}


def data(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).random(shape) * 0.5


def assert_same(found: tuple, wanted: tuple) -> None:
    """Compare what two calls returned, number by number."""
    np.testing.assert_array_equal(found[0], wanted[0])
    for got, expected in zip(found[1:], wanted[1:], strict=True):
        assert got.keys() == expected.keys()
        for name in expected:
            np.testing.assert_array_equal(got[name], expected[name], err_msg=name)


@pytest.mark.slow
@pytest.mark.parametrize("target", [target for target in TARGETS if target != "numpy"])
def test_a_compiled_target_gives_the_same_numbers(target: str) -> None:
    layer = {"bias": [0.05, -0.02], "has_rec": True, "w_rec": LAYER["w_rec"][:, :2]}
    module, reference = LIFBrian(2, codegen_target=target, **layer), LIF(2, **layer)
    assert_same(module(data(2, 20, 2)), reference(data(2, 20, 2)))


@pytest.mark.parametrize("cls", [(LIFBrian, LIF), (RateBrian, Rate)])
def test_noise_is_that_of_numpy(cls: tuple[type, type]) -> None:
    results = []
    for kind in cls:
        np.random.seed(0)
        results.append(kind(3, noise_std=2.0)(np.ones((2, 20, 3)), record=True))
    assert_same(*results)


def test_layers_without_effective_recurrent_weights_have_no_synapses() -> None:
    layer = {**LAYER, "w_rec": np.zeros((2, 4))}
    assert_same(LIFBrian((4, 2), **layer)(data(1, 9, 4)), LIF((4, 2), **layer)(data(1, 9, 4)))
    weights = {"has_rec": True, "w_rec": np.zeros((2, 2))}
    assert_same(RateBrian(2, **weights)(data(1, 9, 2)), Rate(2, **weights)(data(1, 9, 2)))


@pytest.mark.parametrize("cls", [LIFBrian, RateBrian])
def test_brian_is_left_as_it_was(cls: type) -> None:
    before = {name: brian2.prefs[name] for name in brian2.prefs}
    device, dt = brian2.get_device(), brian2.defaultclock.dt
    cls(2)(np.ones((5, 2)))
    assert {name: brian2.prefs[name] for name in brian2.prefs} == before
    assert brian2.get_device() is device and brian2.defaultclock.dt == dt


def test_brian_is_left_as_it_was_after_an_error() -> None:
    def fails(x: Any, threshold: Any) -> Any:
        if fails.armed:
            raise ZeroDivisionError
        return x - threshold

    fails.armed = False
    module = RateBrian(2, activation_func=fails)
    before = {name: brian2.prefs[name] for name in brian2.prefs}
    fails.armed = True
    with pytest.raises(ZeroDivisionError):
        module(np.ones((5, 2)))
    assert {name: brian2.prefs[name] for name in brian2.prefs} == before
    fails.armed = False
    np.testing.assert_array_equal(module.x, 0.0)
    assert_same(module(np.ones((5, 2))), Rate(2, activation_func=fails)(np.ones((5, 2))))


@pytest.mark.parametrize("cls", [LIFBrian, RateBrian])
def test_ctrl_c_at_work_is_raised_and_the_state_is_as_before(cls: type) -> None:
    module = cls(2, bias=[0.3, 0.2])
    module(data(20, 2))
    before = copy.deepcopy(module.state())

    def strike() -> None:
        while not brian2.Network._globally_running:
            time.sleep(0)
        _thread.interrupt_main()

    thread = Thread(target=strike)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        module(np.ones((200_000, 2)))
    thread.join()
    assert all((values == before[name]).all() for name, values in module.state().items())
    assert not brian2.Network._globally_running  # else the next Ctrl-C would be taken for a wish
    module(data(20, 2))


@pytest.mark.parametrize("cls", [LIFBrian, RateBrian])
def test_a_simulation_that_is_stopped_gives_no_result(
    cls: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopping(self: Feed, group: Any) -> list[Any]:
        return [*operations(self, group), brian2.NetworkOperation(brian2.stop, clock=group.clock)]

    operations, module = Feed.operations, cls(2)
    with monkeypatch.context() as patch:
        patch.setattr(Feed, "operations", stopping)
        with pytest.raises(RuntimeError, match=f"{cls.__name__}: Brian was stopped"):
            module(np.ones((5, 2)))
    assert all((values == 0).all() for values in module.state().values())


@pytest.mark.slow
def test_a_model_of_ones_own_goes_on_beside_the_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(brian2.prefs, "codegen.target", "numpy")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        group = brian2.NeuronGroup(1, "dv/dt = 1/second : 1", method="euler")
        network = brian2.Network(group)
        network.run(2 * brian2.ms)
        LIFBrian(2)(np.ones((5, 2)))
        network.run(3 * brian2.ms)
    assert float(group.v[0]) == pytest.approx(5e-3)
    assert float(network.t_) == pytest.approx(5e-3)


def test_importing_the_modules_changes_no_hooks(full_python: Any) -> None:
    code = """
import sys, warnings
hook, show = sys.excepthook, warnings.showwarning
from rockpool.nn.modules import LIFBrian
import brian2
print(sys.excepthook is hook, warnings.showwarning is show)
"""
    assert full_python.python(code, PYTHONWARNINGS="error") == "True True"


@pytest.mark.slow
def test_a_step_far_in_the_future_is_still_at_its_place() -> None:
    pulse = np.zeros((30_000, 1))
    pulse[-1] = 2.0
    arguments = {"dt": 1e-4, "tau_mem": 1e-3, "tau_syn": 1e-3}
    assert_same(LIFBrian(1, **arguments)(pulse), LIF(1, **arguments)(pulse))


def test_the_number_of_spikes_may_be_unlimited() -> None:
    arguments = {"max_spikes_per_dt": np.inf, "bias": 1e9}
    assert_same(LIFBrian(2, **arguments)(data(5, 2)), LIF(2, **arguments)(data(5, 2)))


def test_no_time_is_no_problem() -> None:
    assert LIFBrian(3)(np.zeros((2, 0, 3)))[0].shape == (2, 0, 3)
    assert RateBrian(3)(np.zeros((2, 0, 3)))[0].shape == (2, 0, 3)


@pytest.mark.slow
def test_a_copy_goes_on_where_the_original_was() -> None:
    module = LIFBrian((4, 2), **LAYER)
    module(data(10, 4))
    assert_same(copy.deepcopy(module)(data(10, 4)), module(data(10, 4)))


@pytest.mark.parametrize("cls", [LIFBrian, RateBrian])
def test_an_unknown_target_is_refused(cls: type) -> None:
    with pytest.raises(
        ValueError, match=f"{cls.__name__}: codegen_target must be 'numpy', 'cython'"
    ):
        cls(2, codegen_target="fortran")
    module = cls(2)
    with pytest.raises(ValueError, match="codegen_target"):
        module.codegen_target = "fortran"


def test_a_function_of_ones_own_needs_the_numpy_target() -> None:
    def square(x: Any, threshold: Any) -> Any:
        return x**2 - threshold

    arguments = {"activation_func": square, "threshold": 0.25}
    x = data(2, 12, 3)
    assert_same(RateBrian(3, **arguments)(x, record=True), Rate(3, **arguments)(x, record=True))
    with pytest.raises(ValueError, match="RateBrian: activation_func must be 'relu'"):
        RateBrian(3, codegen_target="cython", **arguments)


@pytest.mark.parametrize("target", ["numpy", pytest.param("cython", marks=pytest.mark.slow)])
@pytest.mark.parametrize("value", [2.0**40, np.nan, np.inf, -np.inf, 2.5, -1e12])
@pytest.mark.parametrize("limit", [2.0**16, 2.0**50])
def test_any_number_of_thresholds_is_counted(target, value, limit):
    data = np.full((1, 3, 1), value)
    with check_input(False):
        wanted, state, _ = LIF(1, max_spikes_per_dt=limit)(data)
        output, found, _ = LIFBrian(1, max_spikes_per_dt=limit, codegen_target=target)(data)
    np.testing.assert_array_equal(output, wanted)
    np.testing.assert_array_equal(found["vmem"], state["vmem"])
