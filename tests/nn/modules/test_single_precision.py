"""Numpy and numba modules in single precision: the bits of the torch modules on their kernels."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
import torch

from rockpool import convert, describe
from rockpool.nn.combinators import Sequential
from rockpool.nn.modules import (
    LIF,
    ExpSyn,
    ExpSynNumba,
    ExpSynTorch,
    LIFBrian,
    LIFNumba,
    LIFTorch,
    Linear,
    Rate,
    RateNumba,
    RateTorch,
)
from rockpool.parameters import to_numpy

RNG = np.random.default_rng(0)
TAU_MEM, BIAS = RNG.uniform(0.005, 0.05, 7), RNG.normal(size=7) / 50
DATA = (RNG.random((3, 60, 14)) * (RNG.random((3, 60, 14)) < 0.3)).astype(np.float32)


@pytest.mark.parametrize("kind", [LIF, LIFNumba])
def test_neurons_have_the_bits_of_torch(kind: Any) -> None:
    options = {"tau_mem": TAU_MEM, "bias": BIAS, "threshold": 0.7}
    layer = kind((14, 7), **options, dtype="float32")
    other = LIFTorch((14, 7), **options)
    for _ in range(2):  # from rest, and from where that ended
        output, state, record = layer(DATA, record=True)
        wanted, wanted_state, wanted_record = other(torch.from_numpy(DATA), record=True)
        assert output.any() and output.dtype == np.float32
        assert np.array_equal(output, to_numpy(wanted))
        for name, value in wanted_state.items():
            assert state[name].dtype == np.float32
            assert np.array_equal(state[name], to_numpy(value)), name
        for name, value in wanted_record.items():
            assert record[name].dtype == np.float32
            assert np.array_equal(record[name], to_numpy(value)), name
    assert other.last_path.startswith("numba")


@pytest.mark.parametrize("kind", [ExpSyn, ExpSynNumba])
def test_synapses_have_the_bits_of_torch(kind: Any) -> None:
    output, state, _ = kind(14, tau=0.013, dtype=np.float32)(DATA)
    wanted = to_numpy(ExpSynTorch(14, tau=0.013)(torch.from_numpy(DATA))[0])
    assert np.array_equal(output, wanted) and output.dtype == state["isyn"].dtype == np.float32


@pytest.mark.parametrize("kind", [Rate, RateNumba])
def test_rates_have_the_bits_of_torch(kind: Any) -> None:
    data = DATA[..., :7].copy()
    output = kind(7, tau=TAU_MEM, bias=BIAS, dtype="float32")(data)[0]
    wanted = to_numpy(RateTorch(7, tau=TAU_MEM, bias=BIAS)(torch.from_numpy(data))[0])
    assert np.array_equal(output, wanted) and output.dtype == np.float32


def test_weights_are_multiplied_in_single_precision() -> None:
    layer = Linear((14, 3), dtype="float32")
    assert layer(DATA)[0].dtype == layer(DATA.astype(np.float64))[0].dtype == np.float32


def test_values_that_are_assigned_become_single() -> None:
    layer = LIF(2, dtype="float32")
    layer.tau_mem = np.array([0.01, 0.1])
    assert layer.tau_mem.dtype == np.float32
    layer.set_attributes({"vmem": np.array([0.1, 0.2])})
    assert layer.vmem.dtype == np.float32
    layer.reset_state().reset_parameters()
    assert {v.dtype for v in (*layer.state().values(), *layer.parameters().values())} == {
        np.dtype(np.float32)
    }
    again = pickle.loads(pickle.dumps(layer))
    assert again(np.ones((1, 3, 2)))[0].dtype == np.float32


def test_double_precision_is_the_default() -> None:
    assert LIF(2)(DATA[..., :2])[0].dtype == LIFNumba(2)(DATA[..., :2])[0].dtype == np.float64


def test_precision_is_named_if_it_cannot_be() -> None:
    for wrong in ("float16", "int", None, "single precision"):
        with pytest.raises(ValueError, match=r"LIF: dtype must be 'float32' or 'float64', got"):
            LIF(2, dtype=wrong)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"unexpected.*dtype"):
        LIFBrian(2, dtype="float32")


def test_networks_are_converted_to_single_precision_and_back() -> None:
    net = Sequential(Linear((14, 7)), LIF(7), ExpSyn(7))
    single = convert(net, "numba", dtype="float32")
    assert single[0].weight.dtype == single[1].vmem.dtype == np.float32
    assert convert(single, "numpy")[1].tau_mem.dtype == np.float32
    assert convert(single, "nest")[1].tau_mem.dtype == np.float64
    assert describe(convert(single, "torch")) == describe(single)
    with pytest.raises(ValueError, match=r"dtype must be 'float64' for 'brian', got 'float32'"):
        convert(net, "brian", dtype="float32")
