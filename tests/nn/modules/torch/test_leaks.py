"""Time constants, decay factors and bit-shifts: conversion, reading and writing."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from rockpool.nn.modules.torch import LIFBitshiftTorch, LIFTorch, RateTorch
from rockpool.nn.modules.torch.lif_bitshift_torch import (
    Bitshift,
    calc_bitshift_decay,
    inv_calc_bitshift_decay,
)
from rockpool.nn.modules.torch.lif_torch import (
    bitshift_to_decay,
    bitshift_to_tau,
    decay_to_bitshift,
    decay_to_tau,
    sigmoid,
    tau_to_bitshift,
    tau_to_decay,
)

DT = 1e-3


def test_conversions() -> None:
    tau = torch.tensor([2e-3, 20e-3, 0.2], dtype=torch.float64)
    (decay,) = tau_to_decay(DT, tau)
    torch.testing.assert_close(decay, torch.exp(-DT / tau))
    (dash,) = tau_to_bitshift(DT, tau)
    torch.testing.assert_close(dash, -torch.log2(1 - decay))
    for back in (decay_to_tau(DT, decay), bitshift_to_tau(DT, dash)):
        torch.testing.assert_close(back, (tau,))
    torch.testing.assert_close(decay_to_bitshift(decay), (dash,))
    torch.testing.assert_close(bitshift_to_decay(dash), (decay,))


def test_conversions_take_any_number_and_keep_the_type() -> None:
    several = tau_to_decay(DT, torch.tensor(0.02), torch.tensor([0.01]).half(), 0.05)
    assert [value.dtype for value in several] == [torch.float32, torch.float16, torch.float32]
    assert several[2].item() == pytest.approx(math.exp(-DT / 0.05))
    assert tau_to_decay(DT) == ()


def test_decays_are_rounded_once() -> None:
    tau = torch.linspace(2e-3, 0.2, 1000)
    (decay,) = tau_to_decay(DT, tau)
    assert torch.equal(decay, torch.exp(-DT / tau.double()).float())


def test_an_infinite_time_constant_does_not_leak() -> None:
    assert tau_to_decay(DT, torch.tensor(float("inf")))[0] == 1.0
    _, _, record = LIFTorch(1, tau_mem=math.inf, bias=0.25)(torch.zeros(1, 4, 1), record=True)
    assert record["vmem"].flatten().tolist() == [0.25, 0.5, 0.75, 0.0]


@pytest.mark.parametrize("mode", ["taus", "decays", "bitshifts"])
def test_all_leaks_can_be_read_in_all_modes(mode: str) -> None:
    layer = LIFTorch((4, 2), leak_mode=mode)
    alpha, beta = layer.alpha, layer.beta
    assert alpha.shape == (2,) and beta.shape == (2, 2)
    torch.testing.assert_close(layer.tau_mem, -DT / torch.log(alpha))
    torch.testing.assert_close(layer.dash_syn, -torch.log2(1 - beta))
    own = {"taus": "tau_mem", "decays": "alpha", "bitshifts": "dash_mem"}[mode]
    assert next(iter(layer.parameters(mode))) == own
    assert isinstance(getattr(layer, own), torch.nn.Parameter)


@pytest.mark.parametrize("mode", ["taus", "decays", "bitshifts"])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("tau_mem", [0.01, 0.03]),
        ("alpha", [0.9, 0.8]),
        ("dash_mem", [2.5, 4.0]),
        ("tau_syn", [[0.01, 0.03], [0.01, 0.02]]),
        ("beta", [[0.9, 0.8], [0.7, 0.6]]),
        ("dash_syn", [[2.5, 4.0], [1.0, 1.5]]),
    ],
)
def test_all_leaks_can_be_set_in_all_modes(mode: str, name: str, value: Any) -> None:
    layer = LIFTorch((4, 2), leak_mode=mode)
    names = list(layer.parameters())
    setattr(layer, name, torch.tensor(value))
    torch.testing.assert_close(getattr(layer, name).detach(), torch.tensor(value))
    assert list(layer.parameters()) == names
    assert name not in layer.__dict__


def test_one_setting_of_another_mode_against_the_formula() -> None:
    layer = LIFTorch(1, tau_mem=[0.02])
    layer.alpha = torch.tensor([0.9])
    assert layer.tau_mem.item() == pytest.approx(-DT / math.log(0.9))


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("alpha", [1.5, 0.5], r"alpha must be within \[0, 1\], got 1.5"),
        ("tau_mem", [-0.1, 0.1], "tau_mem must be > 0 s, got -0.1"),
        ("dash_mem", [-1.0, 1.0], "dash_mem must be >= 0, got -1"),
    ],
)
@pytest.mark.parametrize("mode", ["taus", "decays", "bitshifts"])
def test_leaks_out_of_range_in_another_mode(mode: str, name: str, value: Any, message: str) -> None:
    layer = LIFTorch(2, leak_mode=mode)
    if isinstance(getattr(layer, name), torch.nn.Parameter):
        return  # what is trained may go anywhere; it is checked when it is used
    before = layer.alpha.clone()
    with pytest.raises(ValueError, match=message):
        setattr(layer, name, torch.tensor(value))
    assert torch.equal(layer.alpha, before)


def test_a_decay_of_zero_has_no_time_constant() -> None:
    layer = LIFTorch(2)
    with pytest.raises(ValueError, match="tau_mem must be > 0 s, got 0"):
        layer.alpha = torch.tensor([0.0, 0.5])
    with pytest.raises(ValueError, match=r"alpha must have the shape \(2,\), got \(3,\)"):
        layer.alpha = torch.tensor([0.2, 0.5, 0.6])


# -- leaks of hardware ----------------------------------------------------------------------------


def test_bitshifts_of_time_constants() -> None:
    tau = torch.tensor([0.2e-3, 1e-3, 2e-3, 20e-3, 24e-3, 1.0])
    dash = calc_bitshift_decay(tau, DT)
    assert dash.tolist() == [0, 0, 1, 4, 5, 10] and dash.dtype == torch.int64
    assert inv_calc_bitshift_decay(4, DT) == pytest.approx(16e-3)


def test_halves_are_rounded_to_even() -> None:
    tau = torch.tensor([2.0**0.5, 2.0**1.5, 2.0**2.5], dtype=torch.float64)
    assert [round(v, 12) for v in torch.log2(tau).tolist()] == [0.5, 1.5, 2.5]
    exact = torch.exp2(torch.tensor([0.5, 1.5, 2.5], dtype=torch.float64))
    rounded = torch.round(torch.log2(exact))
    assert calc_bitshift_decay(exact, 1.0).tolist() == rounded.tolist()


def test_time_constants_become_those_of_the_hardware() -> None:
    layer = LIFBitshiftTorch((4, 2), tau_mem=[0.01, 0.05], tau_syn=0.02)
    torch.testing.assert_close(
        layer.tau_mem.detach(), -DT / torch.log(torch.tensor([1 - 2.0**-3, 1 - 2.0**-6]))
    )
    assert torch.equal(layer.alpha, torch.tensor([0.875, 1 - 2.0**-6]))
    assert (layer.dash_mem.tolist(), layer.dash_syn.item()) == ([3, 6], 4)
    layer.tau_mem = torch.tensor([0.004, 0.008])
    assert layer.alpha.tolist() == [0.75, 0.875]
    layer.reset_parameters()
    assert layer.alpha.tolist() == [0.875, 1 - 2.0**-6]


def test_no_gradient_reaches_the_time_constants() -> None:
    layer = LIFBitshiftTorch(2)
    layer(torch.rand(1, 10, 2))[0].sum().backward()
    assert layer.tau_mem.grad is None and layer.threshold.grad is not None


@pytest.mark.parametrize("name", ["alpha", "beta", "dash_mem", "dash_syn"])
def test_leaks_of_the_hardware_follow(name: str) -> None:
    with pytest.raises(AttributeError, match=f"LIFBitshiftTorch: {name} cannot be set"):
        setattr(LIFBitshiftTorch(2), name, torch.tensor(0.5))


def test_a_time_step_that_leaves_no_shift_is_refused() -> None:
    layer = LIFBitshiftTorch(2)
    with pytest.raises(ValueError, match=r"tau_mem must be above sqrt\(2\) dt = 0.0282843 s"):
        layer.dt = 20e-3
    assert layer.dt == 1e-3
    layer.dt = 2e-3
    layer.set_attributes({"dt": 1e-3, "tau_mem": torch.full((2,), 1.8e-3)})
    assert layer.alpha.tolist() == [0.5, 0.5]


def test_the_way_to_state_leaks_stays() -> None:
    layer = LIFTorch(2)
    for change in (
        lambda: setattr(layer, "leak_mode", "decays"),
        lambda: layer.set_attributes({"leak_mode": "decays"}),
    ):
        with pytest.raises(ValueError, match="LIFTorch: leak_mode is 'taus' and cannot be changed"):
            change()
    layer.leak_mode = "taus"
    layer(torch.ones(1, 3, 2))


def test_bitshift_function() -> None:
    data = torch.tensor([8.0, 4.0], requires_grad=True)
    output = Bitshift.apply(data, torch.tensor(2), torch.tensor([0.5, 0.25]))
    assert output.tolist() == [6.0, 3.0]
    output.sum().backward()
    assert data.grad.tolist() == [0.5, 0.25]


def test_sigmoid() -> None:
    assert sigmoid(torch.tensor(0.0), 1.0).item() == 0.5


def test_the_gain_of_a_rate_neuron_is_not_limited() -> None:
    output, _, _ = RateTorch(1, tau=DT)(torch.ones(1, 2, 1))
    assert output.flatten().tolist() == pytest.approx([1.0, 1.0])


def test_a_leak_is_set_as_precisely_as_the_module_is() -> None:
    module = LIFTorch(2, tau_mem=0.02).double()
    module.tau_mem = 0.1
    assert module.tau_mem.item() == 0.1
    module.set_attributes({"tau_syn": [[0.1], [0.3]]})
    assert module.tau_syn.tolist() == [[0.1], [0.3]]
    module.alpha = 0.9
    assert module.tau_mem.item() == pytest.approx(-1e-3 / math.log(0.9), rel=1e-14)
