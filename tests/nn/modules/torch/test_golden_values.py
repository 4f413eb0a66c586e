"""Known answers of the torch modules to deterministic inputs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from support import golden

from rockpool.nn.modules.torch import (
    BooleanState,
    ExpSynTorch,
    LIFBitshiftTorch,
    LIFNeuronTorch,
    LIFTorch,
    RateTorch,
    UpDownTorch,
    aLIFTorch,
)
from rockpool.nn.modules.torch.lif_torch import PeriodicExponential

pytestmark = pytest.mark.usefixtures("both_paths")


def inputs(*shape: int, scale: float = 1.0) -> torch.Tensor:
    return torch.tensor(golden.inputs(*shape, scale), dtype=torch.float32)


def assert_flat(
    found: torch.Tensor, expected: list[float], rtol: float = 1e-6, atol: float = 2e-6
) -> None:
    """Compare values in row-major order; printed numbers have seven digits behind the point."""
    np.testing.assert_allclose(found.detach().flatten(), expected, rtol=rtol, atol=atol)


def gradients(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: parameter.grad for name, parameter in module.named_parameters()}


def recurrent_lif() -> LIFTorch:
    return LIFTorch((4, 2), **golden.LIF_CONSTANTS, has_rec=True, w_rec=golden.weights(2, 4))


def test_lif() -> None:
    output, state, record = recurrent_lif()(inputs(2, 6, 4, scale=1.5), record=True)
    assert output.flatten(1).tolist() == golden.LIF_SPIKES
    assert torch.equal(record["spikes"], output)
    # What is left of membranes of up to 9.2 after the reset: either path is 3.1e-6 to 3.5e-6 away
    # from double precision; some processors round the loop as the golden values, others do not.
    atol = 1e-5
    assert_flat(record["vmem"][0], golden.LIF_VMEM, atol=atol)
    assert_flat(record["isyn"][0], golden.LIF_ISYN)
    assert_flat(record["irec"][0], golden.LIF_IREC)
    assert_flat(state["vmem"], golden.LIF_VMEM[-2:], atol=atol)
    assert_flat(state["isyn"], golden.LIF_ISYN[-4:])
    assert state["spikes"].tolist() == [6, 11]


def test_lif_goes_on_from_where_it_was() -> None:
    layer, x = recurrent_lif(), inputs(2, 6, 4, scale=1.5)
    layer(x)
    output, state, _ = layer(x[:1])
    assert output.flatten().tolist() == [6, 13, 8, 15, 8, 18, 11, 20, 11, 21, 13, 24]
    # after twelve steps with currents of twenty, this is what is left of single precision
    assert_flat(state["vmem"], [0.8645473, 0.6730488], rtol=2e-5)


def test_gradients_of_lif() -> None:
    layer, x = recurrent_lif(), inputs(2, 6, 4, scale=1.5).requires_grad_()
    (layer(x)[0] ** 2).sum().backward()
    expected = {
        "w_rec": [
            *(353.65662, 472.47983, 1236.33105, 1313.85962),
            *(581.67108, 779.76489, 2140.03931, 2277.60327),
        ],
        "tau_mem": [257.3825684, 99.946579],
        "tau_syn": [-140.0740967, 1775.5958252, 7818.0883789, 10506.8671875],
        "bias": [41.982399, 261.2944641],
        "threshold": [-243.5633545, -1592.1728516],
    }
    found = gradients(layer)
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        assert_flat(found[name], values, rtol=5e-6)
    dx = [4.1962414, 13.0981979, 102.4078827, 114.7635422]
    dx += [9.7648096, 18.4092655, 92.5561218, 102.0531464]
    assert_flat(x.grad[0, :2], dx)


def test_gradients_with_the_periodic_surrogate() -> None:
    layer = LIFTorch((4, 2), **golden.LIF_CONSTANTS, spike_generation_fn=PeriodicExponential)
    (layer(inputs(2, 6, 4, scale=1.5))[0] ** 2).sum().backward()
    found = gradients(layer)
    assert_flat(found["tau_mem"], [377.1558533, 41.9608688])
    assert_flat(found["tau_syn"], [11983.6572266, 1076.0574951, 7718.4208984, 2963.8918457])
    assert_flat(found["bias"], [74.7780838, 128.9562988])
    assert_flat(found["threshold"], [-298.9705505, -708.4212646])


# fmt: off
CASES: dict[str, tuple[Any, torch.Tensor, list[float] | None, dict[str, list[float]]]] = {
    "aLIFTorch": (
        lambda: aLIFTorch(2, tau_mem=0.01, tau_syn=0.02, tau_ahp=0.03, w_ahp=[-0.5, -0.2]),
        inputs(1, 6, 2, scale=2),
        [0, 0, 0, 2, 2, 2, 2, 2, 1, 2, 1, 3],
        {
            "iahp": [0, 0, 0, 0, 0, -0.3868864, -0.9672161, -0.7610892, -1.902723, -1.1230241,
                     -2.3239522, -1.4730934],
            "vmem": [0, 0.8647541, 0.5188525, 0.9886482, 0.0007298, 0.6062689, 0.0465744, 0.302578,
                     0.1785481, 0.5808947, 0.4203169, 0.8719239],
        },
    ),
    "LIFNeuronTorch": (
        lambda: LIFNeuronTorch(2, tau_mem=0.01, bias=0.1),
        inputs(1, 6, 2),
        [0, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 1],
        {"vmem": [0.1, 0.5545455, 0.463211, 0.3290462, 0.0645852, 0.3977334, 0.976621, 0.7326113,
                  0.0745924, 0.3083488, 0.5311303, 0.1971873]},
    ),
    "LIFBitshiftTorch": (
        lambda: LIFBitshiftTorch(2, tau_mem=0.01, tau_syn=0.005),
        inputs(1, 6, 2, scale=2),
        [0, 0, 0, 2, 1, 1, 2, 1, 2, 2, 1, 2],
        {"vmem": [0, 0.6818182, 0.4090909, 0.1988637, 0.4829545, 0.3757102, 0.4936078, 0.6391157,
                  0.1215372, 0.3601851, 0.9190224, 0.8931539]},
    ),
    "ExpSynTorch": (
        lambda: ExpSynTorch(2, tau=[0.01, 0.02]),
        inputs(1, 5, 2),
        [0, 0.432377, 0.2467739, 1.1030931, 0.7168379, 1.0492947, 1.3889432, 1.2575462, 1.3390257,
         1.7150674],
        {},
    ),
    "RateTorch": (
        lambda: RateTorch(2, has_rec=True, w_rec=golden.weights(2, 2, 1), tau=[0.02, 0.05],
                          bias=0.1, threshold=0.01, activation_func="tanh"),
        inputs(1, 5, 2),
        [-0.0046384, 0.0010201, 0.0138052, 0.017335, 0.0443034, 0.0189007, 0.0861196, 0.0259777,
         0.0886866, 0.0385043],
        {
            "x": [0.0053615, 0.0110201, 0.0238061, 0.0273367, 0.0543324, 0.0289029, 0.0963335,
                  0.0359835, 0.0989202, 0.0485233],
            "rec_input": [0.0072305, -0.0035383, 0.0015258, -0.0004225, -0.0111226, 0.0056452,
                          -0.0238277, 0.0102052, -0.0428406, 0.0175194],
        },
    ),
    "LIFTorch, decays": (
        lambda: LIFTorch(2, leak_mode="decays", alpha=[0.8, 0.9], beta=0.7),
        inputs(1, 4, 2),
        None,
        {"vmem": [0, 0.3181818, 0.1909091, 0.0181818, 0.6681818, 0.5286363, 0.4680908, 0.0252726]},
    ),
    "LIFTorch, bitshifts": (
        lambda: LIFTorch(2, leak_mode="bitshifts", dash_mem=3, dash_syn=2),
        inputs(1, 4, 2),
        None,
        {"vmem": [0, 0.3409091, 0.2045455, 0.0994319, 0.7414773, 0.6878551, 0.6843039, 0.2570579]},
    ),
}
# fmt: on


@pytest.mark.parametrize("name", CASES)
def test_other_modules(name: str) -> None:
    make, x, expected, records = CASES[name]
    output, _, record = make()(x, record=True)
    if expected is not None:
        assert_flat(output, expected)
    for key, values in records.items():
        assert_flat(record[key], values)


def test_leaks_of_hardware() -> None:
    layer = LIFBitshiftTorch(2, tau_mem=0.01, tau_syn=0.005)
    assert_flat(layer.tau_mem, [0.0074889])
    assert_flat(layer.tau_syn, [0.0034761])
    assert (layer.alpha.item(), layer.beta.item()) == (0.875, 0.75)
    assert LIFBitshiftTorch(1).tau_mem.item() == pytest.approx(15.494622e-3, rel=1e-6)


def test_leaks_that_follow_from_others() -> None:
    decays = LIFTorch(2, leak_mode="decays", alpha=[0.8, 0.9], beta=0.7)
    assert_flat(decays.tau_mem, [0.0044814, 0.0094912])
    assert_flat(decays.dash_mem, [2.3219283, 3.3219278])
    bitshifts = LIFTorch(2, leak_mode="bitshifts", dash_mem=3, dash_syn=2)
    assert_flat(bitshifts.alpha, [0.875])
    assert_flat(bitshifts.tau_mem, [0.0074889])


@pytest.mark.parametrize(
    ("n_ref_steps", "events", "reference"),
    [
        (
            0,
            [0, 0, 0, 0, 1, 0, 3, 0, 0, 2, 0, 2, 0, 0, 4, 0],
            [0, 0, 0, 0.1, 0.4, 0.1, -0.2, -0.2],
        ),
        (
            2,
            [0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0],
            [0, 0, 0, 0.13, 0.42, 0.1, -0.31, -0.31],
        ),
    ],
)
def test_up_down(n_ref_steps: int, events: list[float], reference: list[float]) -> None:
    x = torch.tensor([0, 0.05, 0.13, 0.42, 0.1, -0.31, -0.3, 0.2]).reshape(1, -1, 1)
    layer = UpDownTorch(1, thr_up=0.1, thr_down=0.15, n_ref_steps=n_ref_steps)
    output, _, record = layer(x, record=True)
    assert_flat(output, events)
    assert_flat(record["analog_value"], reference)


def test_boolean_state() -> None:
    steps = torch.tensor([[0.0, 1.0], [1.0, 0.0], [0.0, -1.0], [-2.0, 0.0], [0.0, 0.0]])
    output, state, record = BooleanState(2)(steps[None], record=True)
    assert output.flatten().int().tolist() == [0, 1, 1, 1, 1, 0, 0, 0, 0, 0]
    assert state["bool_state"].tolist() == [False, False]
    assert torch.equal(record["bool_state"], output)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (LIFTorch, [0.048731, -0.009279, -0.022545, 0.009149, -0.055741, -0.035525]),
        (ExpSynTorch, [0.044093, -0.008396, -0.022446, 0.008668, -0.051341, -0.032176]),
        (RateTorch, [0.002437, -0.000464, -0.00113, 0.000458, -0.002789, -0.001776]),
    ],
)
def test_noise_of_a_seed(kind: Any, expected: list[float]) -> None:
    torch.manual_seed(0)
    output, _, record = kind(2, noise_std=1.0)(torch.zeros(1, 3, 2), record=True)
    assert_flat(record.get("vmem", record.get("x", output)), expected)


def test_a_bias_alone_gives_exact_values() -> None:
    layer = LIFTorch(3, bias=[0.1, 0.2, 0.3], tau_mem=[0.007, 0.02, 0.05])
    _, _, record = layer(torch.zeros(1, 2, 3), record=True)
    bias, alpha = layer.bias.detach(), torch.exp(-1e-3 / layer.tau_mem.detach())
    assert torch.equal(record["vmem"][0, 0], bias)
    assert torch.equal(record["vmem"][0, 1], bias * alpha + bias)
