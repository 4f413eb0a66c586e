"""The neurons of NIR: the same step on every back-end, whatever the settings."""

from __future__ import annotations

import copy
import itertools
import pickle
from typing import Any

import jax
import numpy as np
import pytest
import torch
from support.nir_neurons import (
    BACKENDS,
    MODELS,
    OTHERS,
    SPIKING,
    N,
    events,
    layer,
    parameters,
    some,
)

import rockpool
from rockpool.nn.combinators import Sequential
from rockpool.nn.conversion import describe
from rockpool.nn.kernels.switch import use_kernels
from rockpool.parameters import to_numpy
from rockpool.timeseries import TSEvent

AHEAD = {"reset_delay": "snntorch", "reset": "subtract"}


def given(backend: str, data: np.ndarray) -> Any:
    return torch.tensor(data) if backend == "torch" else data


def reference(
    name: str, p: dict[str, Any], s: dict[str, Any], data: np.ndarray, dt: float = 1e-3
) -> tuple[np.ndarray, np.ndarray]:
    """Return output and membrane by the equations, one neuron and one step after the other."""
    output, course = np.zeros_like(data), np.zeros_like(data)
    for b in range(len(data)):
        v, i, z = np.zeros((3, N))
        for t in range(data.shape[1]):
            late = z if name in SPIKING else v
            x = data[b, t] + (z @ p["w_rec"] if "w_rec" in p else 0.0)
            i, current = synapse(p, s, i, x, dt) if name.startswith("Cuba") else (i, x)
            before = v
            v = membrane(p, s, v, current, dt)
            if name in SPIKING:
                ahead = s["reset_delay"] == "snntorch" and s["reset"] == "subtract"
                if s["reset_delay"] is True:
                    v = reset(p, s, v, z)
                again = ahead & passed(p, s, before)
                z = fired(p, s, v - again * (p["threshold"] - p["v_reset"]))
                if s["reset_delay"] is not True:
                    v = reset(p, s, v, z)
            course[b, t] = v
            output[b, t] = late if s["delay"] else z if name in SPIKING else v
    return output, course


def left(s: dict[str, Any], tau: Any, dt: float) -> Any:
    return 1 - dt / tau if s["decay"] == "euler" else np.exp(-dt / tau)


def synapse(p: dict[str, Any], s: dict[str, Any], i: Any, x: Any, dt: float) -> Any:
    a = left(s, p["tau_syn"], dt)
    gain = {"w_in": p["w_in"] * (1 - a), "unit": 1.0, "decay": a}[s["gain_syn"]]
    new = a * i + gain * x
    return new, (new if s["synapse"] == "new" else i)


def membrane(p: dict[str, Any], s: dict[str, Any], v: Any, i: Any, dt: float) -> Any:
    if "tau_mem" not in p:
        return v + (p["r"] * dt if s["gain"] == "r" else 1.0) * i
    a = left(s, p["tau_mem"], dt)
    return a * v + (1 - a) * p["v_leak"] + (p["r"] * (1 - a) if s["gain"] == "r" else 1.0) * i


def passed(p: dict[str, Any], s: dict[str, Any], v: np.ndarray) -> np.ndarray:
    return v > p["threshold"] if s["fires"] == ">" else v >= p["threshold"]


def fired(p: dict[str, Any], s: dict[str, Any], v: np.ndarray) -> np.ndarray:
    most = s["max_spikes_per_dt"] if s["reset"] == "subtract" else 1.0
    count = np.zeros(N)
    for k in range(N):
        left_over = v[k]
        while count[k] < most and (
            left_over > p["threshold"][k] if s["fires"] == ">" else left_over >= p["threshold"][k]
        ):
            count[k] += 1
            left_over -= p["threshold"][k] - p["v_reset"][k]
    return count


def reset(p: dict[str, Any], s: dict[str, Any], v: Any, z: Any) -> Any:
    if s["reset"] == "value":
        return np.where(z > 0, p["v_reset"], v)
    return v - z * (p["threshold"] - p["v_reset"]) if s["reset"] == "subtract" else v


@pytest.fixture(params=["float32", "float64"])
def precision(request: pytest.FixtureRequest) -> Any:
    with jax.enable_x64(request.param == "float64"):
        yield request.param


# -- what they compute --------------------------------------------------------------------


@pytest.mark.parametrize("recurrent", [False, True])
@pytest.mark.parametrize("name", MODELS)
def test_numpy_does_what_the_equations_say(name, recurrent) -> None:
    recurrent = recurrent and name in SPIKING
    p, fires = parameters(name, recurrent), 0.0
    for s in some(name, 48):
        data = events(name, s["gain"])
        output, _, record = layer(name, "numpy", **p, **s)(data, record=True)
        wanted, vmem = reference(name, p, s, data)
        np.testing.assert_allclose(record["vmem"], vmem, rtol=1e-9, atol=1e-9, err_msg=str(s))
        np.testing.assert_allclose(output, wanted, rtol=1e-9, atol=1e-9, err_msg=str(s))
        fires += output.sum()
    assert fires > 0


@pytest.mark.parametrize("recurrent", [False, True])
@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("backend", OTHERS)
def test_every_back_end_answers_as_numpy_does(backend, name, recurrent, precision) -> None:
    recurrent = recurrent and name in SPIKING
    for s in some(name, 3 if backend == "jax" else 12):  # which compiles each of them
        data = events(name, s["gain"]).astype(precision)
        numpy = layer(name, "numpy", **parameters(name, recurrent), **s, dtype=precision)
        other = rockpool.convert(numpy, backend, dtype=precision)
        wanted, state, record = numpy(data, record=True)
        output, other_state, other_record = other(given(backend, data), record=True)

        close = {"rtol": 1e-12, "atol": 1e-12} if precision == "float64" else {"atol": 1e-4}
        exact = {"rtol": 0, "atol": 0} if name in SPIKING else close
        np.testing.assert_allclose(to_numpy(output), wanted, **exact, err_msg=str(s))
        assert set(other_record) == set(record) == set(state) == set(other_state)
        for key in record:
            np.testing.assert_allclose(to_numpy(other_record[key]), record[key], **close)
            np.testing.assert_allclose(to_numpy(other_state[key]), state[key], **close)


@pytest.mark.parametrize(
    "s", [{}, {"delay": 1}, {"reset_delay": True, "reset": "subtract"}, AHEAD], ids=str
)
@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_run_in_pieces_is_a_whole_run(backend, name, s) -> None:
    s = {key: value for key, value in s.items() if name in SPIKING or key == "delay"}
    data = events(name).astype(np.float32)
    module = layer(name, backend, **parameters(name, name in SPIKING), **s).keep_batch_state()
    whole, _, _ = module(given(backend, data))
    pieces = []
    module = module.reset_state()
    for piece in np.split(data, 4, axis=1):
        output, state, _ = module(given(backend, piece))
        module = module.set_attributes(state)
        pieces.append(to_numpy(output))
    np.testing.assert_array_equal(np.concatenate(pieces, axis=1), to_numpy(whole))


# -- arrays of neurons --------------------------------------------------------------------


@pytest.mark.parametrize("backend", BACKENDS)
def test_neurons_can_be_an_array(backend) -> None:
    module = layer("CubaLIFEuler", backend, (2, 3, 4), r=40.0, w_in=20.0)
    data = np.random.default_rng(1).random((5, 7, 2, 3, 4)).astype(np.float32)

    output, _, _ = module(given(backend, data))
    flat, _, _ = module.reset_state()(given(backend, data.reshape(5, 7, 24)))
    single, _, _ = module.reset_state()(given(backend, data[0]))

    assert module.shape == (24, 24) and module.neuron_shape == (2, 3, 4)
    assert output.shape == flat.shape == data.shape and to_numpy(output).any()
    np.testing.assert_array_equal(to_numpy(flat), to_numpy(output))
    np.testing.assert_array_equal(to_numpy(single)[0], to_numpy(output)[0])


@pytest.mark.parametrize("backend", BACKENDS)
def test_neurons_in_a_row_are_a_layer_like_any_other(backend) -> None:
    module = layer("LIFEuler", backend, 3, r=40.0)
    data = np.ones((7, 3), np.float32)
    assert module(given(backend, data))[0].shape == (1, 7, 3)
    assert module(given(backend, data[:, 0]))[0].shape == (1, 7, 3)


@pytest.mark.parametrize("backend", BACKENDS)
def test_data_of_another_shape_are_refused(backend) -> None:
    module = layer("LIFEuler", backend, (2, 3))
    for shape in [(5, 7, 3, 2), (5, 7, 5), (5, 7, 1, 2, 3)]:
        with pytest.raises(ValueError, match="LIFEuler"):
            module(given(backend, np.zeros(shape, np.float32)))


# -- what is refused ----------------------------------------------------------------------

REFUSED = [
    ({"decay": "exact"}, "decay must be 'euler' or 'exp', got 'exact'"),
    ({"gain": "w_in"}, "gain must be 'r' or 'unit', got 'w_in'"),
    ({"gain_syn": "r"}, "gain_syn must be 'w_in', 'unit' or 'decay', got 'r'"),
    ({"synapse": 1}, "synapse must be 'new' or 'old', got 1"),
    ({"reset": "zero"}, "reset must be 'value', 'subtract' or 'none', got 'zero'"),
    ({"reset_delay": "no"}, "reset_delay must be False, True or 'snntorch', got 'no'"),
    ({"fires": "=>"}, "fires must be '>' or '>=', got '=>'"),
    ({"delay": 2}, "delay must be 0 or 1, got 2"),
    ({"max_spikes_per_dt": 0}, "max_spikes_per_dt must be a whole number >= 1, got 0"),
    ({"tau_mem": 0.5e-3}, "tau_mem must be >= dt = 0.001 s, got 0.0005"),
    ({"dt": 0.1}, "tau_.* must be >= dt = 0.1 s, got 0.02"),
    ({"tau_syn": -1.0}, "tau_syn must be > 0 s, got -1"),
    ({"v_reset": 1.0}, "threshold must be > v_reset"),
    ({"threshold": [1.0, -0.5]}, "threshold must be > v_reset"),
    ({"v_leak": np.nan}, "v_leak must be finite, got nan"),
    ({"w_rec": np.eye(2)}, "w_rec was given, but has_rec is False"),
    ({"r": [1.0, 2.0, 3.0]}, r"r must have shape \(2,\) or \(\), got \(3,\)"),
]


@pytest.mark.parametrize(("arguments", "message"), REFUSED, ids=lambda value: str(value)[:30])
@pytest.mark.parametrize("backend", BACKENDS)
def test_what_means_nothing_is_refused_by_name(backend, arguments, message) -> None:
    with pytest.raises(ValueError, match=f"CubaLIFEuler.*: {message}"):
        layer("CubaLIFEuler", backend, 2, **arguments)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_setting_is_checked_when_it_is_assigned_too(backend) -> None:
    module = layer("LIFEuler", backend, 2, decay="exp", tau_mem=0.5e-3)
    with pytest.raises(ValueError, match="reset must be"):
        module.reset = "zero"
    with pytest.raises(ValueError, match="tau_mem must be >= dt"):
        module.decay = "euler"
    assert (module.reset, module.decay) == ("value", "exp")


@pytest.mark.parametrize("shape", [(), (2, 0), -1])
def test_a_shape_without_neurons_is_refused(shape) -> None:
    with pytest.raises(ValueError, match="LIFEuler: "):
        layer("LIFEuler", "numpy", shape)


def test_training_may_not_take_a_threshold_below_the_reset() -> None:
    module = layer("LIFEuler", "torch", 2)
    with torch.no_grad():
        module.threshold.fill_(-1.0)
    with pytest.warns(UserWarning, match="threshold came to -1 in training, and is taken as 0.001"):
        module(torch.zeros(1, 3, 2))


# -- they travel --------------------------------------------------------------------------


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize(("source", "target"), list(itertools.product(BACKENDS, BACKENDS)))
def test_a_layer_goes_from_one_back_end_to_another_and_back(source, target, name) -> None:
    s = some(name, 1)[0]
    module = layer(name, source, (2, 2), **parameters(name, name in SPIKING), **s)
    there = rockpool.convert(module, target)
    assert there.neuron_shape == (2, 2)
    back = rockpool.convert(there, source)
    assert describe(back, state=False) == describe(module, state=False)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_layer_is_kept_in_a_file(backend, name, tmp_path) -> None:
    s = some(name, 2)[1]
    module = Sequential(layer(name, backend, (2, 2), **parameters(name), **s))
    rockpool.save(module, tmp_path / "net.safetensors")
    for other in BACKENDS:
        loaded = rockpool.load(tmp_path / "net.safetensors", backend=other)
        assert loaded[0].neuron_shape == (2, 2)
        assert describe(loaded, state=False) == describe(module, state=False)


@pytest.mark.parametrize("name", MODELS)
def test_a_network_of_them_is_verified_on_other_back_ends(name) -> None:
    verdict = rockpool.verify(layer(name, "numpy", **parameters(name)), backends=OTHERS)
    assert verdict.ok


# -- as any other layer -------------------------------------------------------------------


@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_batch_elements_may_end_earlier(backend) -> None:
    module = layer("CubaLIFEuler", backend, (2, 2), r=40.0, w_in=20.0).keep_batch_state()
    data = np.random.default_rng(3).random((2, 9, 2, 2)).astype(np.float32)
    output, state, _ = module(given(backend, data), lengths=[4, 9])
    short, short_state, _ = module.reset_state()(given(backend, data[:, :4]))

    np.testing.assert_array_equal(to_numpy(output)[0, :4], to_numpy(short)[0])
    assert to_numpy(output)[1].any() and not to_numpy(output)[0, 4:].any()
    for key in state:
        np.testing.assert_array_equal(to_numpy(state[key])[0], to_numpy(short_state[key])[0])


@pytest.mark.parametrize("shape", [(0, 5, 2, 3), (2, 0, 2, 3)])
@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("backend", BACKENDS)
def test_there_may_be_nothing_to_do(backend, name, shape) -> None:
    module = layer(name, backend, (2, 3), delay=1)
    output, state, _ = module(given(backend, np.zeros(shape, np.float32)), record=True)
    assert output.shape == shape
    assert all(to_numpy(value).shape == (6,) for value in state.values())


@pytest.mark.parametrize("backend", BACKENDS)
def test_copies_and_pickles_answer_the_same(backend) -> None:
    module = layer("LIFEuler", backend, (2, 2), **parameters("LIFEuler", recurrent=True))
    data = given(backend, events("LIFEuler").astype(np.float32))
    copies = [copy.deepcopy(module), pickle.loads(pickle.dumps(module))]
    wanted = to_numpy(module(data)[0])
    for other in copies:
        np.testing.assert_array_equal(to_numpy(other(data)[0]), wanted)


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_time_series_go_in_and_come_out(backend) -> None:
    module = layer("CubaLIFEuler", backend, 2, r=40.0, w_in=99.0, spiking_input=True).timed()
    series = TSEvent([1e-3, 1e-3, 2e-3, 4e-3], [0, 1, 0, 1], t_start=0.0, t_stop=8e-3)
    output, _, record = module(series, record=True)
    assert isinstance(output, TSEvent) and len(output.times)
    assert set(record) >= {"vmem", "isyn", "spikes"} and record["vmem"].num_channels == 2


@pytest.mark.parametrize("name", ["CubaLIFEuler", "LIEuler"])
def test_torch_has_them_as_one_operator_in_a_graph(name) -> None:
    module = rockpool.convert(layer(name, "numpy", **parameters(name)), "torch").to_torch()
    data = torch.tensor(events(name, batch=1), dtype=torch.float32)
    program = torch.export.export(copy.deepcopy(module), (data,))
    targets = {str(node.target) for node in program.graph.nodes}
    assert "rockpool.euler.default" in targets
    torch.testing.assert_close(program.module()(data), module(data), rtol=0.0, atol=0.0)


@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_answers_are_the_same_with_kernels_and_without(backend) -> None:
    for name, recurrent in itertools.product(SPIKING, [False, True]):
        s = some(name, 5)[4]
        numpy = layer(name, "numpy", **parameters(name, recurrent), **s)
        data = given(backend, events(name, s["gain"]).astype(np.float32))
        found = []
        for kernels in (True, False):
            with use_kernels(kernels):
                found.append(to_numpy(rockpool.convert(numpy, backend)(data)[0]))
        np.testing.assert_array_equal(found[0], found[1])
