"""`rockpool.stream`: a network that goes on step by step."""

from __future__ import annotations

import copy
import gc
import pickle
import tracemalloc
from typing import Any

import numpy as np
import pytest

import rockpool
from rockpool.nn.combinators import FFwdStack, Residual, Sequential
from rockpool.nn.description import Node, Value
from rockpool.nn.kernels.switch import use_kernels
from rockpool.nn.models.finite_input import check_input
from rockpool.nn.modules import LIF, Conv2d, ExpSyn, Instant, Linear, Module, Rate, Scale
from rockpool.streaming import Stream, compiled_plan, stream

from .networks import EXACT, IMAGES, N_IN, ROUNDED, STEPS, batch_run, feed_forward, spikes

ENGINES = ("numpy", "numba")


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    return request.param


def any_weights(seed: int, n_in: int, n_out: int, dtype: str) -> Any:
    """A network whose sums are not exact."""
    rng = np.random.default_rng(seed)
    return Sequential(
        Linear((n_in, n_out), weight=rng.normal(size=(n_in, n_out)) / np.sqrt(n_in), dtype=dtype),
        LIF(n_out, has_rec=True, w_rec=rng.normal(size=(n_out, n_out)) / 9, dtype=dtype),
    )


# --- the same as a batch ---------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", EXACT)
def test_it_gives_to_the_bit_what_the_batch_run_gives(name: str, dtype: str, engine: str) -> None:
    network, data = EXACT[name](dtype), spikes(1)
    with network.stream(dtype=dtype, engine=engine) as running:
        assert running.dtype == dtype
        output = running.run(data)
    wanted = batch_run(network, data)
    assert wanted.any()
    assert np.array_equal(output, wanted)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ROUNDED)
def test_what_libraries_round_is_the_same_but_for_that(name: str, dtype: str, engine: str) -> None:
    network, data = ROUNDED[name](dtype), spikes(2)
    output = network.stream(dtype=dtype, engine=engine).run(data)
    wanted = batch_run(network, data)
    assert np.allclose(output, wanted, rtol=2e-5 if dtype == "float32" else 1e-12, atol=1e-7)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", IMAGES)
def test_images_are_streamed_with_all_axes_in_one(name: str, dtype: str, engine: str) -> None:
    network, data = IMAGES[name](dtype), spikes(5, channels=72)
    wanted = network(data.reshape((1, -1, 2, 6, 6)))[0].reshape((STEPS, -1))
    network.reset_state()
    running = network.stream(dtype=dtype, engine=engine, batch=2)
    output = running.run(np.stack([data, data[::-1]]))
    assert 20 < np.count_nonzero(wanted) < 0.9 * wanted.size
    assert np.array_equal(output[0], wanted)
    times, channels = np.nonzero(data)
    running = network.stream(dtype=dtype, engine=engine)
    found = running.events(times, channels, STEPS, counts=data[times, channels])
    assert np.array_equal(found, wanted)


def test_a_layer_with_too_many_connections_is_named() -> None:
    network = Sequential(Conv2d((64, 64, 64), 64, 9))
    with pytest.raises(ValueError, match="'0_Conv2d': Conv2d has 1040449536 connections, of which"):
        network.stream()
    with pytest.raises(ValueError, match="Scale has 16781312 connections, of which streams hold"):
        Scale((4097, 4096), weight=2.0).stream()


@pytest.mark.parametrize("backend", ["torch", "jax", "numba"])
def test_networks_of_any_backend_are_streamed(backend: str, engine: str) -> None:
    network = rockpool.convert(feed_forward("float32"), backend)
    wanted = batch_run(feed_forward("float32"), spikes(3))
    running = network.stream(engine=engine)
    assert running.dtype == "float32"
    assert np.array_equal(running.run(spikes(3)), wanted)


def test_neurons_with_an_after_spike_current_are_streamed(engine: str) -> None:
    import torch

    from rockpool.nn.modules import aLIFTorch

    network = aLIFTorch((N_IN, 3), tau_ahp=30e-3, w_ahp=[-0.5, -0.25, 0.125], tau_mem=10e-3)
    data = spikes(4)
    output = network.stream(engine=engine).run(data)
    wanted, state, _ = network(torch.as_tensor(data[np.newaxis], dtype=torch.float32))
    assert wanted.any() and state["iahp"].any()
    assert np.array_equal(output, wanted[0].detach().numpy())


@pytest.mark.parametrize(
    ("library", "names"),
    [("torch", "tanh relu abs neg exp sqrt square floor"), ("jax", "tanh relu abs negative exp")],
)
def test_functions_of_other_libraries_are_known(library: str, names: str, engine: str) -> None:
    if library == "torch":
        import torch as home
    else:
        import jax

        home = type("Home", (), {**vars(jax.numpy), "relu": jax.nn.relu})
    from rockpool.nn import modules

    layer = getattr(modules, f"Instant{library.capitalize()}")
    x = np.array([0.5, 2.25, 0.0])
    for name in names.split():
        found = layer(3, getattr(home, name)).stream("float64", engine=engine).step(x)
        wanted = getattr(np, {"relu": "abs", "neg": "negative"}.get(name, name))(x)
        assert np.allclose(found, wanted, rtol=1e-15), name


# --- neither chunks, nor the form of the input, nor the engine matter --------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("n_in", "n_out"), [(N_IN, 30), (1, 1), (7, 1), (1, 9), (600, 2)])
def test_steps_pieces_events_and_engines_give_the_same(n_in: int, n_out: int, dtype: str) -> None:
    network = any_weights(1, n_in, n_out, dtype)
    data = spikes(5, channels=n_in)
    times, channels = data.nonzero()
    outputs = []
    for engine in ENGINES:
        running = stream(network, engine=engine)
        outputs.append(running.run(data))
        running.reset()
        outputs.append(np.array([running.step(x, copy=True) for x in data]))
        running.reset()
        outputs.append(np.concatenate([running.run(x) for x in np.split(data, [1, 2, 40])]))
        running.reset()
        order = np.random.default_rng(6).permutation(len(times))
        at, where = times[order], channels[order]
        outputs.append(running.events(at, where, STEPS, counts=data[at, where]))
    assert outputs[0].any()
    for output in outputs[1:]:
        assert np.array_equal(output, outputs[0])


def test_dense_input_is_added_up_in_the_same_order() -> None:
    network = any_weights(2, 300, 17, "float32")
    data = np.random.default_rng(7).normal(size=(50, 300))
    first, second = (stream(network, engine=engine).run(data) for engine in ENGINES)
    assert first.any() and np.array_equal(first, second)


def test_events_in_one_place_add_up(engine: str) -> None:
    running = LIF(2).stream(engine=engine)
    output = running.events([3, 0, 3], [1, 0, 1])
    data = np.zeros((4, 2))
    data[0, 0], data[3, 1] = 1, 2
    assert np.array_equal(output, LIF(2)(data)[0][0])
    # nothing of them is left over
    assert np.array_equal(
        running.run(np.zeros((5, 2))), LIF(2).stream().run([*data, *np.zeros((5, 2))])[4:]
    )
    assert running.events([], []).shape == (0, 2)
    assert running.events([], [], 3).shape == (3, 2)


# --- batches ---------------------------------------------------------------------------------------


def test_streams_of_a_batch_are_independent(engine: str) -> None:
    network = any_weights(3, N_IN, 10, "float32")
    data = np.stack([spikes(seed) for seed in range(3)])
    singly = np.stack([stream(network, engine=engine).run(x) for x in data])
    together = stream(network, batch=3, engine=engine)
    assert together.batch == 3
    assert np.array_equal(together.run(data), singly)
    together.reset()
    assert np.array_equal(
        np.stack([together.step(x, copy=True) for x in data.swapaxes(0, 1)], 1), singly
    )
    together.reset()
    which, times, channels = data.nonzero()
    output = together.events(
        times[::-1], channels[::-1], STEPS, counts=data[data != 0][::-1], streams=which[::-1]
    )
    assert np.array_equal(output, singly)
    assert together.state["1_LIF"]["vmem"].shape == (3, 10)


# --- the state -------------------------------------------------------------------------------------


def test_it_goes_on_from_the_state_of_the_network_and_back(engine: str) -> None:
    data = spikes(8)
    wanted = batch_run(EXACT["residual"]("float64"), data)
    network = EXACT["residual"]("float64")
    network(data[:20])
    running = network.stream(engine=engine)
    assert np.array_equal(running.run(data[20:50]), wanted[20:50])
    network.set_attributes(running.state)
    assert np.array_equal(batch_run(network, data[50:]), wanted[50:])


def test_a_state_can_be_kept_and_set_again(engine: str) -> None:
    data = spikes(9)
    running = EXACT["stack"]("float64").stream(engine=engine)
    running.run(data[:30])
    kept = running.state
    first = running.run(data[30:])
    again = running.set_state(kept).run(data[30:])
    assert first.any() and np.array_equal(first, again)
    anew = EXACT["stack"]("float64").stream(engine=engine)
    assert np.array_equal(anew.set_state(kept).run(data[30:]), first)
    at_rest = running.reset().state
    assert at_rest.keys() == kept.keys() and not at_rest["0_LIF"]["vmem"].any()


@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_states_of_other_libraries_can_be_set(backend: str, engine: str) -> None:
    network = rockpool.convert(feed_forward("float32"), backend)
    running = network.stream(engine=engine)
    running.run(spikes(10))
    state = network.state()
    assert not running.set_state(state).state["1_LIF"]["vmem"].any()


def test_batches_of_states_are_taken_along(engine: str) -> None:
    network = LIF(2)
    network.keep_batch_state()
    network(np.arange(12.0).reshape(2, 3, 2))
    running = network.stream(batch=2, engine=engine)
    assert np.array_equal(running.state["vmem"], network.vmem)
    with pytest.raises(ValueError, match=r"the state vmem must have the shape \(2,\) or \(1, 2\)"):
        network.stream()
    assert np.array_equal(running.set_state({"vmem": [1, 2]}).state["vmem"], [[1, 2], [1, 2]])


def test_a_wrong_state_changes_nothing(engine: str) -> None:
    running = feed_forward("float64").stream(engine=engine)
    running.run(spikes(11))
    before = running.state["1_LIF"]["vmem"]
    for state, message in [
        ({"1_LIF": {"vmem": np.zeros(20), "isyn": np.zeros(3)}}, "the state 1_LIF.isyn must have"),
        ({"1_LIF": {"vmem": np.zeros(20)}, "8_LIF": {"vmem": 1}}, "no state '8_LIF.vmem'; there"),
        ({"1_LIF": {"vmem": np.full(20, np.nan)}}, "the state 1_LIF.vmem must be finite, got nan"),
    ]:
        with pytest.raises(ValueError, match=message):
            running.set_state(state)
        assert np.array_equal(running.state["1_LIF"]["vmem"], before)
    with pytest.raises(TypeError, match="state must be a dict of states by name, got array"):
        running.set_state(before)  # type: ignore[arg-type]


def test_what_single_precision_does_not_hold_is_refused(engine: str) -> None:
    running = LIF(2).stream(dtype="float32", engine=engine)
    with pytest.raises(ValueError, match="input must be finite, got inf in time step 1 of batch"):
        running.run([[0.0, 1.0], [1e39, 0.0]])
    with pytest.raises(ValueError, match="input must be finite, got -inf in time step 0 of batch"):
        running.step([0.0, -1e39])
    with pytest.raises(ValueError, match=r"counts must be finite, got 1e\+39 in float32"):
        running.events([0], [1], counts=[1e39])
    with pytest.raises(ValueError, match=r"the state vmem must be finite, got 1e\+39 in float32"):
        running.set_state({"vmem": [0.0, 1e39]})
    assert not running.state["vmem"].any()


# --- memory ----------------------------------------------------------------------------------------


def test_the_output_is_a_view_of_one_place_unless_a_copy_is_wanted(engine: str) -> None:
    running = LIF(3).stream(engine=engine)
    first, second = running.step(np.ones(3)), running.step(np.ones(3))
    assert np.shares_memory(first, second) and first.ctypes.data == second.ctypes.data
    with pytest.raises(ValueError, match="read-only"):
        second[0] = 5
    copied = running.step(np.ones(3), copy=True)
    assert not np.shares_memory(copied, second)
    copied[0] = 5


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))]
)
def test_a_copy_goes_on_by_itself(copied: Any, engine: str) -> None:
    data = spikes(13)
    wanted = feed_forward("float64").stream(engine=engine).run(data)
    running = feed_forward("float64").stream(engine=engine)
    running.run(data[:20])
    other = copied(running)
    assert np.array_equal(running.run(data[20:]), wanted[20:])
    assert np.array_equal([other.step(x, copy=True) for x in data[20:]], wanted[20:])


def test_steps_leave_nothing_behind(engine: str) -> None:
    running = any_weights(4, 64, 64, "float32").stream(engine=engine)
    data = list(spikes(12, channels=64).astype(np.float32))

    def go() -> None:
        for x in data:
            running.step(x)

    go()
    gc.collect()
    tracemalloc.start()
    try:
        go()
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        for _ in range(5):
            go()
        after, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after <= before + 64
    # numpy itself buffers factors of weights, for the time of a product
    buffers = 64 * 64 * 4 + 2048 if engine == "numpy" else 0
    # the rest is for what counts the lines that are run
    assert peak <= before + 1024 + buffers


# --- what cannot be --------------------------------------------------------------------------------


class Doubled(Module):
    """A container of one's own."""

    def __init__(self, inner: Module) -> None:
        super().__init__(inner.shape)
        self.inner = inner

    def evolve(self, input_data: Any, record: bool = False) -> Any:
        return 2 * self.inner(input_data)[0], {}, {}


class Own(Module):
    """A layer of one's own."""

    def evolve(self, input_data: Any, record: bool = False) -> Any:
        return input_data, {}, {}


def test_all_that_cannot_be_streamed_is_named_at_once() -> None:
    network = Sequential(
        LIF(2, noise_std=0.5),
        Doubled(LIF(2)),
        Own(2),
        Rate(2, activation_func=lambda x, threshold: x),
        Instant(2, lambda x: x),
        Instant((2, 1), np.tanh),
        ExpSyn(1, noise_std=0.1),
    )
    with pytest.raises(ValueError) as caught:
        network.stream()
    lines = str(caught.value).splitlines()
    assert lines[0] == "this network cannot be streamed:"
    for line, words in zip(
        lines[1:],
        [
            "'0_LIF': LIF has noise, noise_std = 0.5; streams have none",
            "'1_Doubled': Doubled is a container of your own",
            "'2_Own': Own cannot be streamed; what can: aLIF, AvgPool2d, Conv1d,",
            "'3_Rate': activation_func of Rate must be relu, tanh or sigmoid, got '<lambda>'",
            "'4_Instant': function of Instant must be a function of numpy: identity, absolute",
            "'5_Instant': Instant must have as many outputs as inputs, got shape (2, 1)",
            "'6_ExpSyn': ExpSyn has noise",
        ],
        strict=True,
    ):
        assert words in line


def test_a_function_that_only_has_a_known_name_is_not_taken_for_it() -> None:
    def tanh(x: Any) -> Any:
        return x + 1

    with pytest.raises(ValueError, match="got 'tanh'"):
        Instant(2, tanh).stream()


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"dtype": "float16"}, ValueError, "stream: dtype must be 'float32' or 'float64'"),
        ({"batch": 0}, ValueError, "stream: batch must be an int >= 1 or None, got 0"),
        ({"batch": 1.5}, TypeError, "stream: batch must be an int >= 1 or None, got 1.5"),
        ({"engine": "c"}, ValueError, "stream: engine must be 'numba' or 'numpy', got 'c'"),
    ],
)
def test_wrong_arguments_are_refused(given: dict[str, Any], error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        LIF(2).stream(**given)
    with pytest.raises(TypeError, match="network must be a module, got 3"):
        stream(3)


@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        (np.ones(3), ValueError, r"the input must have shape \(2,\), got \(3,\)"),
        (np.ones((1, 2)), ValueError, r"the input must have shape \(2,\), got \(1, 2\)"),
        (1.0, ValueError, r"the input must have shape \(2,\), got \(\)"),
        (["a", "b"], TypeError, "must be an array of real numbers"),
        (np.array(["a", "b"]), (TypeError, ValueError), "real numbers|could not convert"),
        (np.ones(2) * 1j, TypeError, "must be an array of real numbers"),
        (np.ma.masked_equal([1, 0], 0), TypeError, "masked array"),
        (
            [1.0, np.nan],
            ValueError,
            "input must be finite, got nan in time step 0 of batch element 0",
        ),
    ],
)
def test_wrong_input_is_refused(x: Any, error: Any, message: str, engine: str) -> None:
    running = LIF(2).stream(engine=engine)
    with pytest.raises(error, match=message):
        running.step(x)
    assert np.array_equal(running.step([1, True]), LIF(2)(np.ones((1, 1, 2)))[0][0, 0])
    bad = np.ones((4, 2))
    bad[2, 1] = -np.inf
    with pytest.raises(ValueError, match="got -inf in time step 2 of batch element 0, channel 1"):
        running.run(bad)
    with check_input(False):
        running.run(bad)
    with pytest.raises(ValueError, match=r"must have shape \(T, 2\), got \(4, 1, 2\)"):
        running.run(np.ones((4, 1, 2)))
    with pytest.raises(ValueError, match=r"must have shape \(3, T, 2\), got \(4, 2\)"):
        LIF(2).stream(batch=3, engine=engine).run(np.ones((4, 2)))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([0.5], [0]), TypeError, "times must be whole numbers, got float64"),
        (([0, 1], [0]), ValueError, r"channels must have shape \(2,\), got \(1,\)"),
        (([0], [2]), ValueError, "channels must be >= 0 and < 2, got 2"),
        (([0], [-1]), ValueError, "channels must be >= 0 and < 2, got -1"),
        (([5], [1], 5), ValueError, "times must be >= 0 and < 5, got 5"),
        (([[0]], [[1]]), ValueError, r"times must have shape \(E,\), got \(1, 1\)"),
        (([0], [1], -1), ValueError, "n_steps must be an int >= 0, got -1"),
    ],
)
def test_wrong_events_are_refused(arguments: Any, error: Any, message: str, engine: str) -> None:
    running = LIF(2).stream(engine=engine)
    with pytest.raises(error, match=message):
        running.events(*arguments)
    with pytest.raises(ValueError, match="counts must be finite, got nan"):
        running.events([0, 1], [0, 1], counts=[1.0, np.nan])
    with pytest.raises(ValueError, match="streams must not be given without a batch"):
        running.events([0], [0], streams=[0])
    with pytest.raises(ValueError, match="streams must be given for a batch"):
        LIF(2).stream(batch=2, engine=engine).events([0], [0])
    with pytest.raises(ValueError, match=r"counts must have shape \(1,\), got \(2,\)"):
        running.events([0], [0], counts=[1, 2])


def test_a_closed_stream_says_so(engine: str) -> None:
    with LIF(2).stream(engine=engine) as running:
        assert repr(running) == f"<Stream 2 -> 2, float64, {engine}>"
    assert running.closed and repr(running).endswith("closed>")
    running.close()
    for use in (
        lambda: running.step(np.ones(2)),
        lambda: running.run(np.ones((1, 2))),
        lambda: running.events([0], [0]),
        lambda: running.state,
        lambda: running.reset(),
        lambda: running.set_state({}),
        lambda: running.__enter__(),
    ):
        with pytest.raises(ValueError, match="Stream: it is closed"):
            use()


def misfits() -> list[Any]:
    """Descriptions that no network gives, as a file may have them."""
    lif = rockpool.describe(LIF(2))
    linear = rockpool.describe(Linear((2, 3)))
    few = {**lif.parameters, "bias": Value(np.zeros(7))}
    stacked = rockpool.describe(FFwdStack(LIF(2), LIF(3)))
    return [
        Node("Sequential", (2, 2), children={"a": linear, "b": lif}),
        Node("Residual", (2, 2), children={"a": linear}),
        Node("Wired", (2, 3), settings={"edges": (("b", "output"),)}, children={"a": linear}),
        Node(
            "Wired",
            (2, 3),
            settings={"edges": (("input", "a"), ("a", "output"), ("input", "output"))},
            children={"a": linear},
        ),
        Node("LIF", (2, 2), few, settings=lif.settings),
        Node("LIF", (2, 2), {"tau_mem": lif.parameters["tau_mem"]}),
        Node("LIF", (3, 2), lif.parameters),
        Node("LIF", (2, 2), lif.parameters, {"vmem": np.zeros((9, 9))}, lif.settings),
        Node("Linear", (2, 3), {"weight": Value(np.zeros((2, 2)))}),
        Node(
            "FFwdStack",
            (2, 3),
            {"0_1_weight": Value(np.zeros((5, 5)))},
            children=stacked.children,
        ),
    ]


@pytest.mark.parametrize("node", misfits(), ids=lambda node: node.model)
def test_a_description_that_does_not_fit_together_is_refused(node: Node) -> None:
    with pytest.raises((ValueError, TypeError)):
        stream(node)


# --- which engine ----------------------------------------------------------------------------------


def test_numba_is_taken_where_it_is_and_not_switched_off() -> None:
    assert LIF(2).stream().engine == "numba"
    with use_kernels(False):
        assert LIF(2).stream().engine == "numpy"


def test_with_numpy_alone_networks_are_streamed(numpy_python: Any) -> None:
    said = numpy_python.python(
        "import numpy as np, rockpool\n"
        "from rockpool.nn.modules import LIF\n"
        "print(LIF(2).stream(), LIF(2).stream().run(np.ones((2, 2))).tolist())\n"
        "try: LIF(2).stream(engine='numba')\n"
        "except ModuleNotFoundError as error: print(error.name, error)"
    )
    first, second = said.splitlines()
    wanted = LIF(2)(np.ones((2, 2)))[0][0].tolist()
    assert first == f"<Stream 2 -> 2, float64, numpy> {wanted}"
    assert second.startswith("numba stream: the engine 'numba' needs numba: no module named")
    assert "pip install" in second


def test_streams_are_made_of_one_plan() -> None:
    plan = compiled_plan(feed_forward("float32"))
    assert (plan.size_in, plan.size_out, plan.dt, plan.dtype) == (N_IN, 1, 1e-3, np.float32)
    assert [part.name for part in plan.parts] == [
        "0_Linear", "1_LIF", "2_Linear", "3_LIF", "4_ExpSyn"
    ]  # fmt: skip
    assert isinstance(feed_forward("float32").stream(), Stream)


def test_an_empty_run_is_empty(engine: str) -> None:
    network = Sequential(Residual(LIF(2)))
    assert network.stream(engine=engine).run(np.zeros((0, 2))).shape == (0, 2)
