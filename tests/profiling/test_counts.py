"""Counts are exact, whether a kernel counts on the way or the arrays are gone through."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np
import pytest

import rockpool
from rockpool.nn.combinators import Sequential
from rockpool.nn.kernels.tallies import tally_for
from rockpool.nn.modules import LIF, Linear, Module
from rockpool.profiling import profile

from .networks import weights

RNG = np.random.default_rng(21)
# one number is minus zero, one the smallest of its kind
ODD = np.array([[0.0, 1.0, -1.0, -0.0], [1e-40, 0.0, 2.0, -0.0]] * 6)
UNITS = RNG.integers(0, 2, (5, 40, 16))
INPUTS: dict[str, tuple[np.ndarray, bool]] = {
    "minus zero and subnormal": (np.tile(ODD, (3, 4, 4)), False),
    "minus zero alone": (np.full((2, 3, 16), -0.0), True),
    "minus one": (RNG.integers(-1, 2, (2, 30, 16)).astype(np.float32), True),
    "bool": (UNITS.astype(bool), True),
    "int8": (UNITS.astype(np.int8), True),
    "strided": (RNG.integers(0, 3, (4, 90, 32)).astype(float)[::2, ::-3, ::2], False),
    "the same in all steps": (np.broadcast_to(UNITS[:, :1], (5, 70, 16)).astype(float), True),
    "a view of one step": (np.broadcast_to(UNITS[:1, :1].astype(float), (6, 70, 16)), True),
    "a view of one number": (np.broadcast_to(np.float32(1), (2, 70, 16)), True),
    "units up to the last": (np.append(np.ones(2**16 - 1), 2.0).reshape(2, 2048, 16), False),
}


def network() -> Any:
    return Sequential(
        Linear((16, 12), weight=weights(1, 16, 12)),
        LIF(12, tau_mem=10e-3, tau_syn=5e-3),
        Linear((12, 4), weight=weights(2, 12, 4)),
        LIF(4, max_spikes_per_dt=1, tau_mem=10e-3, tau_syn=5e-3),
    )


@pytest.mark.parametrize("backend", ["numpy", "numba", "torch", "jax"])
@pytest.mark.parametrize("name", INPUTS)
def test_input_of_any_kind_is_counted(name: str, backend: str) -> None:
    data, binary = INPUTS[name]
    found = profile(rockpool.convert(network(), backend), data)

    first = found.layers[0]
    assert first.effective == 12 * np.count_nonzero(data)
    assert (first.dense_macs == 0) == binary
    plain = np.ascontiguousarray(data, dtype=float)
    assert found.to_dict() == profile(network(), plain).to_dict()


def layer(n: int, **options: Any) -> LIF:
    times = {"tau_mem": 10e-3, "tau_syn": [[5e-3, 20e-3]] if options.pop("two", 0) else 5e-3}
    shape = (2 * n, n) if isinstance(times["tau_syn"], list) else n
    return LIF(shape, **times, **options)


LAYERS: dict[str, Any] = {
    "several spikes": lambda: layer(30),
    "one spike": lambda: layer(30, max_spikes_per_dt=1),
    "many neurons": lambda: layer(300, threshold=2.0),
    "two synapses": lambda: layer(30, two=True),
    "recurrent": lambda: layer(30, has_rec=True, w_rec=weights(3, 30, 30) / 16),
    "recurrent, one spike": lambda: layer(
        30, has_rec=True, w_rec=weights(4, 30, 30) / 16, max_spikes_per_dt=1
    ),
    "recurrent, some weights zero": lambda: layer(
        30, has_rec=True, w_rec=weights(5, 30, 30, zeros=0.5) / 16
    ),
    "in single precision": lambda: layer(30, dtype="float32"),
}


@pytest.mark.parametrize("by_step", [False, True])
@pytest.mark.parametrize("zeros", [0.0, 0.4])
@pytest.mark.parametrize("name", LAYERS)
def test_kernels_count_what_there_is(name: str, zeros: float, by_step: bool) -> None:
    first = LAYERS[name]()
    weight = weights(6, first.size_out, 3, zeros=zeros)
    net = Sequential(first, Linear((first.size_out, 3), weight=weight))
    data = np.random.default_rng(7).integers(0, 9, (17, 50, first.size_in)) // 6 * 0.75

    found = [
        profile(rockpool.convert(net, backend), data, by_step=by_step)
        for backend in ("numpy", "numba", "torch")
    ]

    assert found[0].layers[0].active > 0
    assert found[1].to_dict() == found[0].to_dict()
    assert found[2].to_dict() == found[0].to_dict()


def test_a_large_batch_on_several_threads_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROCKPOOL_NUM_THREADS", "2")
    data = np.random.default_rng(8).integers(0, 9, (40, 60, 64)) // 6 * 0.75
    found = [profile(rockpool.convert(layer(64), name), data) for name in ("numpy", "numba")]
    assert found[0].total.active == found[1].total.active > 0


class Muted(Module):
    """A layer of a user that changes its input in place, and does not say so."""

    def evolve(self, input_data: Any, record: bool = False) -> Any:
        input_data[..., ::2] = 0
        return input_data, {}, {}


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_output_that_is_changed_in_place_is_counted_as_it_is(backend: str) -> None:
    neurons = rockpool.convert(layer(30), backend)
    data = np.random.default_rng(10).integers(0, 3, (2, 40, 30)).astype(float)
    left = np.count_nonzero(neurons(data)[0][..., 1::2])
    net = Sequential(neurons, Muted((30, 30)), Linear((30, 2), weight=weights(9, 30, 2)))
    assert profile(net, data).layers[2].effective == 2 * left > 0


def test_kernels_count_for_profile_alone() -> None:
    net, data = rockpool.convert(layer(30), "numba"), np.ones((1, 5, 30))
    profile(net, data)
    output = net(data)[0]
    assert tally_for(output) == {}
    with suppress(ValueError):
        profile(net, data * np.nan)
    assert tally_for(output) == {}
