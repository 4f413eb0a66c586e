"""Whole numbers for hardware."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.golden import weights

from rockpool.transform.quantize_methods import channel_quantize, global_quantize


def specification(**changes: Any) -> dict[str, Any]:
    w_in, w_rec = weights(3, 4, 1), weights(4, 4, 0.8)
    return {
        "weights_in": np.stack((w_in, 0.5 * w_in), -1),
        "weights_rec": np.stack((0.7 * w_rec, w_rec), -1),
        "weights_out": weights(4, 2, 0.6),
        "threshold": np.array([1, 0.5, 0.8, 2]),
        "threshold_out": np.array([1, 3]),
        "dash_mem": [2.4, 3.6, 1, 2],
        "dash_mem_out": [2.2, 3],
        "dash_syn": [1.6, 2, 3, 4],
        "dash_syn_2": [1, 1, 1, 1],
        "dash_syn_out": [2, 2.7],
        "bias": np.array([0.1, -0.1, 0.2, 0.3]),
        "bias_out": np.array([0.05, -0.2]),
        **changes,
    }


# fmt: off
DASHES = {"dash_mem": [2, 4, 1, 2], "dash_mem_out": [2, 3], "dash_syn": [2, 2, 3, 4],
          "dash_syn_2": [1, 1, 1, 1], "dash_syn_out": [2, 3]}
GLOBAL = {
    "weights_in": [-97, -49, 34, 17, -78, -39, 52, 26, -60, -30, 71, 35, -41, -21, 90, 45, -22,
                   -11, 108, 54, -4, -2, 127, 64],
    "weights_rec": [-54, -78, 19, 27, -44, -63, 29, 42, -33, -48, 40, 57, -23, -33, 50, 72, -13,
                    -18, 61, 87, -2, -3, 71, 102, 8, 12, -54, -78, 19, 27, -44, -63],
    "weights_out": [-127, 44, -103, 68, -78, 93, -54, 117],
    "threshold": [243, 121, 194, 486], "threshold_out": [529, 1588],
    "bias": [24, -24, 49, 73], "bias_out": [12, -49], **DASHES}
CHANNEL = {
    "weights_in": [-127, -64, 39, 20, -127, -64, 52, 26, -78, -39, 83, 42, -67, -33, 90, 45, -29,
                   -15, 127, 64, -6, -3, 127, 64],
    "weights_rec": [-71, -102, 22, 32, -71, -102, 29, 42, -44, -63, 47, 67, -37, -53, 50, 72, -16,
                    -23, 71, 102, -3, -5, 71, 102, 11, 16, -64, -91, 30, 44, -44, -63],
    "weights_out": [-127, 48, -103, 74, -78, 101, -54, 127],
    "threshold": [318, 142, 314, 486], "threshold_out": [529, 1720],
    "bias": [32, -28, 79, 73], "bias_out": [26, -115], **DASHES}
# fmt: on


def as_lists(found: dict[str, Any]) -> dict[str, list[int]]:
    return {name: value.flatten().tolist() for name, value in found.items()}


def test_one_scale_as_in_3_1() -> None:
    assert as_lists(global_quantize(**specification(), like_3_1=True)) == GLOBAL


def test_biases_of_the_output_have_the_scale_of_the_output() -> None:
    scale = 127 / np.abs(weights(4, 2, 0.6)).max()
    expected = np.round(np.array([0.05, -0.2]) * scale).astype(int).tolist()
    assert as_lists(global_quantize(**specification())) == {**GLOBAL, "bias_out": expected}


@pytest.mark.parametrize("like_3_1", [True, False])
def test_a_scale_for_each_neuron(like_3_1: bool) -> None:
    assert as_lists(channel_quantize(**specification(), like_3_1=like_3_1)) == CHANNEL


def test_with_one_synapse_biases_have_the_scale_of_their_neuron() -> None:
    one = specification(weights_in=weights(3, 4, 1), weights_rec=weights(4, 4, 0.8))
    found = channel_quantize(**one)
    assert found["weights_in"].shape == (3, 4, 1)
    ratio = found["bias"] / np.array([0.1, -0.1, 0.2, 0.3])
    np.testing.assert_allclose(ratio, found["threshold"] / one["threshold"], rtol=0.05)
    assert channel_quantize(**one, like_3_1=True)["bias"].tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize(("n_synapses", "bias"), [(1, [0, 0, 0, 0]), (2, [159, -28, 79, 0])])
def test_thresholds_beyond_the_limit_as_in_3_1(n_synapses: int, bias: list[int]) -> None:
    given = specification(
        threshold=np.array([1e4, 0.5, 0.8, 1e5]),
        threshold_out=np.array([1, 1e4]),
        bias=np.array([0.5, -0.1, 0.2, 0.3]),
        bias_out=np.array([0.05, -0.3]),
    )
    for name in ("weights_in", "weights_rec"):
        given[name] = given[name][..., :n_synapses]
        given[name][:, 3] = 0
    found = channel_quantize(**given, like_3_1=True)
    assert found["bias"].tolist() == bias and found["bias_out"].tolist() == [26, -172]
    assert found["threshold"].tolist() == [32767, 142, 314, 100000]
    assert found["threshold_out"].tolist() == [529, 32767]

    found = channel_quantize(**given)  # all of a neuron has one scale, and fits
    assert found["threshold"].tolist() == [32767, 142, 314, 32767]
    assert found["bias"].tolist() == [2, -28, 79, 0] and found["bias_out"].tolist() == [26, -1]


def test_nothing_is_changed_in_place() -> None:
    given = specification()
    channel_quantize(**given)
    assert given["bias"].tolist() == [0.1, -0.1, 0.2, 0.3]


@pytest.mark.parametrize("quantize", [global_quantize, channel_quantize])
def test_thresholds_stay_within_their_bits(quantize: Any) -> None:
    found = quantize(**specification(), bits_per_threshold=9)
    assert found["threshold"].max() <= 255
    assert found["threshold_out"].max() == 255
    ratio = found["threshold_out"][1] / found["weights_out"][3, 1]
    assert ratio == pytest.approx(3 / weights(4, 2, 0.6)[3, 1], rel=0.03)


def test_a_typical_weight_gives_the_scale() -> None:
    w = specification()["weights_in"], specification()["weights_rec"]
    values = np.concatenate([a[a != 0] for a in w])
    scale = 127 / (abs(values.mean()) + 2 * values.std())
    found = global_quantize(**specification(), fuzzy_scaling=True)
    np.testing.assert_array_equal(found["weights_in"], np.round(w[0] * scale))


def test_no_weights() -> None:
    zeros = specification(weights_in=np.zeros((3, 4)), weights_rec=np.zeros((4, 4)))
    assert channel_quantize(**zeros)["threshold"].tolist() == [1, 0, 1, 2]


@pytest.mark.parametrize("quantize", [global_quantize, channel_quantize])
@pytest.mark.parametrize("name", specification())
def test_what_is_not_finite_is_refused_by_name(quantize: Any, name: str) -> None:
    values = np.array(specification()[name], float)
    for wrong in (np.nan, np.inf):
        values.flat[0] = wrong
        with pytest.raises(ValueError, match=f": {name} must be finite, got {wrong}"):
            quantize(**specification(**{name: values}))


def test_errors() -> None:
    with pytest.raises(AssertionError, match=r"weights must have the shape \(from, to\), got"):
        global_quantize(**specification(weights_out=np.zeros(3)))
    with pytest.raises(AssertionError, match=r"\(from, to, synapses\), got"):
        channel_quantize(**specification(weights_in=np.zeros(3)))


def test_one_threshold_for_all_neurons_and_too_few_bits() -> None:
    values = {**specification(), "threshold": 1.0, "threshold_out": 1.0}
    n_hidden, n_out = np.shape(values["weights_in"])[1], np.shape(values["weights_out"])[1]
    alike = {"threshold": np.ones(n_hidden), "threshold_out": np.ones(n_out)}
    found, expected = channel_quantize(**values), channel_quantize(**{**values, **alike})
    for name, numbers in expected.items():
        np.testing.assert_array_equal(found[name], numbers)
    for quantize in (global_quantize, channel_quantize):
        with pytest.raises(ValueError, match="bits_per_weight must be >= 2, got 1"):
            quantize(**values, bits_per_weight=1)
