"""`Residual`: modules whose input is added to their output."""

from __future__ import annotations

import numpy as np
import pytest

from rockpool.nn.combinators import ModResidual, ModSequential, Residual
from rockpool.nn.modules import Linear, Rate
from tests.support.golden import inputs, weights


def test_golden_value():
    net = Residual(Linear((2, 2), weight=weights(2, 2, 1)), Rate(2, tau=0.02))

    output, _, _ = net(inputs(1, 4, 2))

    expected = [0, 0.459441, 0.272727, 0.741643, 0.545455, 0.017428, 0.818182, 0.297886]
    np.testing.assert_allclose(output.ravel(), expected, atol=1e-6)


def test_the_input_is_added_to_the_output_but_not_to_the_record():
    net = Residual(Linear((2, 2)), Rate(2))
    data = np.random.default_rng(0).random((3, 5, 2))

    output, state, record = net(data, record=True)

    np.testing.assert_array_equal(output, record["1_Rate_output"] + data)
    assert list(state) == ["0_Linear", "1_Rate"]


@pytest.mark.parametrize(
    "shape, expected", [((4,), (1, 4, 2)), ((4, 1), (1, 4, 2)), ((3, 4, 2), (3, 4, 2))]
)
def test_input_of_any_rank(shape, expected):
    data = np.random.default_rng(0).random(shape)

    output, _, _ = Residual(Rate(2))(data)

    chain = Rate(2)(data)[0]
    added = data[:, np.newaxis] if data.ndim == 1 else data
    assert output.shape == expected
    np.testing.assert_array_equal(output, chain + added)


def test_input_and_output_must_have_the_same_size():
    with pytest.raises(ValueError, match=r"ModResidual: .*same number of channels, got 2 and 3"):
        Residual(Linear((2, 3)))


def test_it_can_grow_step_by_step():
    net = Residual()
    assert isinstance(net, ModResidual) and net.shape == (0, 0)

    net.append(Linear((2, 3)))
    with pytest.raises(ValueError, match="got 2 and 3"):
        net(np.ones((1, 2, 2)))
    net.append(Linear((3, 2)))

    assert net(np.ones((1, 2, 2)))[0].shape == (1, 2, 2)


def test_a_slice_is_the_chain_without_the_addition():
    net = Residual(Linear((2, 3)), Linear((3, 2)))

    part = net[:1]

    assert isinstance(part, ModSequential) and part.shape == (2, 3)


@pytest.mark.parametrize("keyword", ["shape", "spiking_input", "spiking_output"])
def test_what_follows_from_the_modules_cannot_be_given(keyword):
    with pytest.raises(ValueError, match=keyword):
        Residual(Rate(2), **{keyword: 2})


def test_input_in_another_order_of_bytes_is_added_in_jax():
    from rockpool.nn.modules import LinearJax

    data = np.arange(12.0).reshape(1, 4, 3)
    residual = Residual(LinearJax((3, 3)))
    np.testing.assert_array_equal(residual(data.astype(">f8"))[0], residual(data)[0])
