"""Large batches on several threads: the same numbers, to the last bit."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch

from rockpool.nn.kernels import threads
from rockpool.nn.modules import (
    ExpSynNumba,
    ExpSynTorch,
    LIFNumba,
    LIFTorch,
    RateNumba,
    RateTorch,
    aLIFTorch,
)

B, T, N = 18, 80, 100
DATA = np.random.default_rng(0).integers(0, 4, (B, T, N)) / 2.0
WEIGHTS = np.random.default_rng(1).integers(-4, 5, (N, N)) / 64.0


@pytest.fixture
def on(monkeypatch: pytest.MonkeyPatch) -> Any:
    def set_number(n: int) -> None:
        monkeypatch.setenv(threads.VARIABLE, str(n))
        torch.set_num_threads(n)

    before = torch.get_num_threads()
    yield set_number
    torch.set_num_threads(before)


NATIVE = {
    "LIF": lambda: LIFNumba(N, tau_mem=10e-3),
    "recurrent": lambda: LIFNumba(N, has_rec=True, w_rec=WEIGHTS),
    "ExpSyn": lambda: ExpSynNumba(N),
    "Rate": lambda: RateNumba(N, has_rec=True, w_rec=WEIGHTS),
}


@pytest.mark.parametrize("kind", NATIVE)
def test_any_number_of_threads_gives_the_same_on_numba(kind: str, on: Any) -> None:
    found = []
    for n in (1, 2, 5):
        on(n)
        module = NATIVE[kind]()
        module(DATA[:1])
        output, _, record = module(DATA, record=True) if kind != "ExpSyn" else module(DATA)
        found.append([output, *module.state().values(), *record.values()])
    assert threads.pieces_of(found[0][0]) == [slice(i, i + 4) for i in range(0, B, 4)]
    for other in found[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(found[0], other, strict=True))


@pytest.mark.parametrize("n_threads", [1, 3])
@pytest.mark.parametrize("kind", ["LIF", "recurrent"])
def test_numbers_that_are_none_are_found_in_every_piece(kind: str, n_threads: int, on: Any) -> None:
    on(n_threads)
    for element in (0, B - 1):
        data = DATA.copy()
        data[element, 7, 3] = np.nan
        with pytest.raises(ValueError, match=f"time step 7 of batch element {element}, channel 3"):
            NATIVE[kind]()(data)
    large = NATIVE[kind]()(DATA * 1e200)[1]["isyn"]  # finite, though the sum of its squares is not
    assert np.isfinite(large).all() and np.abs(large).max() > 1e160


TRAINED = {
    "LIF": lambda: LIFTorch(N, tau_mem=10e-3),
    "recurrent": lambda: LIFTorch(N, has_rec=True, w_rec=WEIGHTS),
    "adaptive": lambda: aLIFTorch(N, w_ahp=-0.1),
    "ExpSyn": lambda: ExpSynTorch(N),
    "Rate": lambda: RateTorch(N, has_rec=True, w_rec=WEIGHTS),
}


@pytest.mark.parametrize("kind", TRAINED)
def test_any_number_of_threads_gives_the_same_gradients(kind: str, on: Any) -> None:
    found = []
    for n in (1, 2, 5):
        on(n)
        module = TRAINED[kind]()
        data = torch.as_tensor(DATA, dtype=torch.float32).requires_grad_()
        output, state, _ = module(data)
        (output * torch.linspace(-1, 1, N)).sum().backward()
        gradients = [p.grad for p in torch.nn.Module.parameters(module)]
        found.append([output, *state.values(), data.grad, *gradients])
    for other in found[1:]:
        assert all(torch.equal(a, b) for a, b in zip(found[0], other, strict=True))


def test_a_batch_in_pieces_is_what_its_elements_are(on: Any) -> None:
    on(3)
    whole = LIFNumba(N)(DATA)[0]
    alone = [LIFNumba(N)(DATA[b : b + 1])[0] for b in range(B)]
    assert np.array_equal(whole, np.concatenate(alone))


def test_small_batches_stay_whole() -> None:
    assert threads.pieces_of(np.empty((64, 10, 10))) == [slice(0, 64)]
    assert threads.pieces_of(np.empty((7, 1000, 100))) == [slice(0, 7)]
    assert len(threads.pieces_of(np.empty((1000, 100, 10)))) == 8


def test_users_threads_may_call_at_once(on: Any) -> None:
    on(2)
    expected = LIFNumba(N)(DATA)[0]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: LIFNumba(N)(DATA)[0], range(8)))
    assert all(np.array_equal(expected, one) for one in found)


def _sum_in_child(queue: Any) -> None:
    queue.put(float(LIFNumba(N)(DATA)[0].sum()))


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_has_threads_of_its_own(on: Any) -> None:
    on(2)
    expected = float(LIFNumba(N)(DATA)[0].sum())
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    process = context.Process(target=_sum_in_child, args=(queue,))
    process.start()
    assert queue.get(timeout=120) == expected
    process.join(60)


@pytest.mark.parametrize("text", ["0", "-1", "two", "1.5"])
def test_a_bad_number_of_threads_is_named(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv(threads.VARIABLE, text)
    with pytest.raises(ValueError, match=f"ROCKPOOL_NUM_THREADS must be .* got '{text}'"):
        LIFNumba(N)(DATA)
