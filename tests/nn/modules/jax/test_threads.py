"""Large batches of jax modules on several threads: the same numbers, to the last bit."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from support.patience import PATIENCE

from rockpool.nn.kernels import threads
from rockpool.nn.kernels.ffi import handler_address
from rockpool.nn.kernels.switch import use_kernels
from rockpool.nn.modules import CubaLIFEulerJax, ExpSynJax, LIFJax, RateJax

B, T, N = 18, 80, 100  # pieces of four, the last one of two
DATA = jnp.asarray(np.random.default_rng(0).integers(0, 4, (B, T, N)) / 2.0, jnp.float32)
SLOPES = np.linspace(-1, 1, N, dtype=np.float32)
WEIGHTS = np.random.default_rng(1).integers(-4, 5, (N, N)) / 64.0

MODULES = {
    "LIF": lambda: LIFJax(N, tau_mem=10e-3),
    "two synapses": lambda: LIFJax((2 * N, N)),
    "recurrent": lambda: LIFJax(N, has_rec=True, w_rec=WEIGHTS),
    "ExpSyn": lambda: ExpSynJax(N),
    "Rate": lambda: RateJax(N, has_rec=True, w_rec=WEIGHTS),
    "Euler": lambda: CubaLIFEulerJax(N, has_rec=True, w_rec=WEIGHTS),
}


@pytest.fixture
def on(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    return lambda n: monkeypatch.setenv(threads.VARIABLE, str(n))


def with_gradients(module: Any) -> Callable[..., Any]:
    """Return a function of parameters and input: output, state, and the gradients of both."""

    def loss(parameters: Any, data: Any) -> Any:
        output, state, _ = module.set_attributes(parameters)(data)
        return (output * SLOPES).sum(), (output, state)

    return jax.value_and_grad(loss, (0, 1), has_aux=True)


def arrays(tree: Any) -> list[np.ndarray]:
    return [np.asarray(leaf) for leaf in jax.tree.leaves(tree) if hasattr(leaf, "dtype")]


def same(one: Any, other: Any) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(arrays(one), arrays(other), strict=True))


@pytest.mark.parametrize("kind", MODULES)
def test_any_number_of_threads_gives_the_same(kind: str, on: Any) -> None:
    module = MODULES[kind]()
    data = jnp.tile(DATA, (1, 1, 2)) if kind == "two synapses" else DATA
    function = jax.jit(with_gradients(module))
    found = []
    for n in (1, 2, 3):
        on(n)
        found.append(function(module.parameters(), data))
    assert same(found[0], found[1]) and same(found[0], found[2])


@pytest.mark.parametrize("kind", ["recurrent", "Rate", "Euler"])
def test_in_double_precision(kind: str, on: Any) -> None:
    with jax.enable_x64(True):
        module, data = MODULES[kind](), DATA.astype(jnp.float64)
        function = jax.jit(with_gradients(module))
        found = []
        for n in (1, 3):
            on(n)
            found.append(function(module.parameters(), data))
        with use_kernels(False):
            expected = jax.jit(with_gradients(module))(module.parameters(), data)
    assert same(*found)
    for a, b in zip(arrays(found[0]), arrays(expected), strict=True):
        assert a.dtype == b.dtype
        if a.dtype == np.float64:  # sums in another order
            np.testing.assert_allclose(a, b, rtol=0, atol=1e-10 * max(1, np.abs(b).max()))


@pytest.mark.parametrize("kind", ["LIF", "ExpSyn"])
def test_a_batch_in_pieces_is_what_its_elements_are(kind: str, on: Any) -> None:
    on(3)
    module = MODULES[kind]()
    whole = module(DATA)[0]
    alone = [module(DATA[b : b + 1])[0] for b in range(B)]
    assert np.array_equal(whole, np.concatenate(alone))


def test_gradients_in_pieces_are_those_of_the_loop_in_jax(on: Any) -> None:
    on(2)
    module = MODULES["recurrent"]()
    found = jax.jit(with_gradients(module))(module.parameters(), DATA)
    with use_kernels(False):
        expected = jax.jit(with_gradients(module))(module.parameters(), DATA)
    for a, b in zip(arrays(found), arrays(expected), strict=True):  # single precision, summed up
        assert np.allclose(a, b, rtol=0, atol=2e-5 * max(1, np.abs(b).max()))


def test_any_number_of_threads_gives_the_same_under_vmap(on: Any) -> None:
    module = MODULES["LIF"]()
    function = jax.jit(jax.vmap(with_gradients(module), in_axes=(None, 0)))
    data = jnp.stack([DATA, DATA[:, ::-1]])
    found = []
    for n in (1, 3):
        on(n)
        found.append(function(module.parameters(), data))
    assert same(*found)
    on(2)
    (_, evolved), gradients = jax.jit(with_gradients(module))(module.parameters(), data[1])
    (_, all_evolved), all_gradients = found[0]
    assert same(evolved, jax.tree.map(lambda leaf: leaf[1], all_evolved))
    assert same(gradients[1], all_gradients[1][1])  # those of the input


@pytest.mark.parametrize("text", ["0", "-1", "two", "1.5"])
def test_a_bad_number_of_threads_is_named(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv(threads.VARIABLE, text)
    with pytest.raises(ValueError, match=f"ROCKPOOL_NUM_THREADS must be .* got '{text}'"):
        LIFJax(N)(DATA)


IN_A_FORK = """
import os, sys
import numpy as np
from rockpool.nn.modules import LIFJax, LIFNumba

data = np.tile(np.float32([0.0, 0.5, 1.5]), (16, 90, 40))
expected = LIFNumba(120)(data)[0].sum()
child = os.fork()  # before jax has begun: what it has used hangs after a fork, whoever calls it
same = LIFJax(120)(data)[0].sum() == expected
if child == 0:
    os._exit(int(not same))
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) or not same)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_process_that_was_forked_has_threads_too(on: Any) -> None:
    on(3)
    command = [sys.executable, "-W", "ignore", "-c", IN_A_FORK]
    subprocess.run(command, check=True, timeout=PATIENCE)


# -- how often XLA is asked for a thread, seen from the other side of its interface


class Caller:
    """What XLA is to a handler of exponential synapses, with threads that do as they are told."""

    word, function = ctypes.c_int64, ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)

    def __init__(self, n_threads: int, *, error: int = 0, at_once: bool = False) -> None:
        self.tasks: list[tuple[int, int]] = []
        self.destroyed: list[int] = []
        self._n_threads, self._error, self._at_once = n_threads, error, at_once

    def call(self, kernel: str, arguments: list[np.ndarray], results: list[np.ndarray]) -> None:
        table = np.zeros(25, np.int64)
        made = [self.function(f) for f in (self._destroy, self._schedule, self._number)]
        table[0] = table.nbytes
        for place, function in zip((8, 17, 18), made, strict=True):
            table[place] = ctypes.cast(function, ctypes.c_void_p).value
        frame, kept = np.zeros(20, np.int64), []
        frame[2] = table.ctypes.data
        for place, given in ((7, arguments), (12, results)):
            buffers = [self._buffer(array, kept) for array in given]
            addresses = np.array([buffer.ctypes.data for buffer in buffers])
            kept += [*buffers, addresses]
            frame[place], frame[place + 2] = len(given), addresses.ctypes.data
        handler = self.function(handler_address(kernel, "float32"))
        assert handler(frame.ctypes.data) == 0

    @staticmethod
    def _buffer(array: np.ndarray, kept: list[np.ndarray]) -> np.ndarray:
        shape = np.array(array.shape, np.int64)
        kept.append(shape)
        return np.array([48, 0, 11, array.ctypes.data, array.ndim, shape.ctypes.data])

    def run(self) -> None:
        """Let all threads begin that have been asked for."""
        while self.tasks:
            task, data = self.tasks.pop()
            ctypes.CFUNCTYPE(None, ctypes.c_int64)(task)(data)

    def _schedule(self, address: int) -> int:
        if self._error:
            return self._error
        task, data = (self.word * 5).from_address(address)[3:]
        self.tasks.append((task, data))
        if self._at_once:
            self.run()
        return 0

    def _number(self, address: int) -> int:
        if not self._error:
            self.word.from_address(
                self.word.from_address(address + 24).value
            ).value = self._n_threads
        return self._error

    def _destroy(self, address: int) -> int:
        self.destroyed.append(self.word.from_address(address + 16).value)
        return 0


def currents(caller: Caller, n_batch: int, n_steps: int = T) -> list[np.ndarray]:
    """Return what a handler gives of a batch, after it has been compared with a plain loop."""
    x = np.asarray(jnp.resize(DATA, (n_batch, n_steps, N)))
    beta, isyn = np.full(N, 0.5, np.float32), np.full((n_batch, N), 2, np.float32)
    output, last = np.empty_like(x), np.empty_like(isyn)
    caller.call("exp_syn_forward", [x, beta, isyn], [output, last])
    for t in range(n_steps):
        isyn = (isyn + x[:, t]) * beta
        assert np.array_equal(output[:, t], isyn)
    assert np.array_equal(last, isyn)
    return [output, last]


@pytest.mark.parametrize("n_threads", [1, 2, 4, 100])
def test_a_large_batch_asks_for_as_many_threads_as_there_may_be(n_threads: int, on: Any) -> None:
    on(n_threads)
    caller = Caller(2)
    currents(caller, B)  # with no thread that begins in time
    assert len(caller.tasks) == min(n_threads, 5) - 1  # there are five pieces
    caller.run()  # too late, which does no harm


def test_by_default_there_are_as_many_as_xla_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(threads.VARIABLE, raising=False)
    caller = Caller(3)
    currents(caller, B)
    assert len(caller.tasks) == 2
    caller.run()


@pytest.mark.parametrize(("n_batch", "n_steps"), [(7, 1000), (64, 10)])
def test_a_small_batch_asks_for_no_thread(n_batch: int, n_steps: int, on: Any) -> None:
    on(8)
    caller = Caller(8)
    currents(caller, n_batch, n_steps)
    assert not caller.tasks


def test_one_thread_may_run_all_pieces(on: Any) -> None:
    on(4)
    caller = Caller(4, at_once=True)
    currents(caller, B)
    assert not caller.tasks


def test_where_xla_has_no_threads_the_one_that_is_called_does_all(
    monkeypatch: pytest.MonkeyPatch, on: Any
) -> None:
    on(3)
    caller = Caller(2, error=1234)
    currents(caller, B)
    assert caller.destroyed == [1234, 1234]  # of two threads that were asked for
    monkeypatch.delenv(threads.VARIABLE)
    currents(caller, B)
    assert caller.destroyed == [1234] * 3  # of the number of threads


def test_sums_over_the_batch_are_those_of_its_pieces_in_order(on: Any) -> None:
    x = np.asarray(DATA)
    beta, isyn = np.full(N, 0.9, np.float32), np.zeros((B, N), np.float32)
    output, last = np.empty_like(x), np.empty_like(isyn)
    on(1)
    Caller(1).call("exp_syn_forward", [x, beta, isyn], [output, last])

    def gradients(first: int, end: int) -> list[np.ndarray]:
        cut = slice(first, end)
        given = [x[cut], beta, isyn[cut], output[cut], np.ones_like(x[cut]), isyn[cut]]
        found = [np.empty_like(x[cut]), np.empty_like(beta), np.empty_like(isyn[cut])]
        Caller(2, at_once=True).call("exp_syn_backward", given, found)
        return found

    on(2)
    whole = gradients(0, B)
    parts = [gradients(first, min(first + 4, B)) for first in range(0, B, 4)]
    total = np.zeros(N)
    for part in parts:
        total += part[1]
    assert np.array_equal(whole[1], total.astype(np.float32))
    assert np.array_equal(whole[0], np.concatenate([part[0] for part in parts]))
    assert np.array_equal(whole[2], np.concatenate([part[2] for part in parts]))
