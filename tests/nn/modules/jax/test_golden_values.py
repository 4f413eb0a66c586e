"""Known answers of the jax modules to deterministic inputs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from support import golden

from rockpool import convert, save
from rockpool.nn.combinators import FFwdStack, Residual
from rockpool.nn.modules.jax import (
    ExpSmoothJax,
    ExpSynJax,
    LIFJax,
    LIFODEJax,
    LinearJax,
    LogSoftmaxJax,
    RateJax,
    SoftmaxJax,
)
from rockpool.nn.modules.jax.softmax_jax import WeightedSmoothBase

by_both_paths = pytest.mark.usefixtures("both_paths")


def assert_flat(found: Any, expected: list[float], rtol: float = 1e-6, atol: float = 2e-6) -> None:
    """Compare values in row-major order; printed numbers have six or seven digits."""
    np.testing.assert_allclose(np.ravel(found), expected, rtol=rtol, atol=atol)


def recurrent_lif() -> LIFJax:
    return LIFJax((4, 2), has_rec=True, w_rec=golden.weights(2, 4), **golden.LIF_CONSTANTS)


def squared_output(parameters: dict[str, Any], net: LIFJax, data: Any) -> jax.Array:
    return jnp.sum(net.set_attributes(parameters)(data)[0] ** 2)


@by_both_paths
def test_lif() -> None:
    spikes, state, record = recurrent_lif()(golden.inputs(2, 6, 4, 1.5))

    assert spikes.reshape(2, -1).tolist() == golden.LIF_SPIKES
    # Membranes that were up to 11 before the reset have their rounding errors after it.
    atol = 11e-6
    assert_flat(record["vmem"][0], golden.LIF_VMEM, rtol=3e-6, atol=atol)
    assert_flat(record["isyn"][0], golden.LIF_ISYN)
    assert_flat(record["irec"][0], golden.LIF_IREC)
    assert_flat(state["vmem"], [0.2473071, 0.3713242], rtol=1e-5, atol=atol)
    assert state["spikes"].tolist() == [6, 11]


@by_both_paths
def test_lif_goes_on_from_its_new_state() -> None:
    layer = recurrent_lif()
    data = golden.inputs(2, 6, 4, 1.5)

    layer = layer.set_attributes(layer(data)[1])
    spikes, state, _ = layer(data[:1])

    assert spikes.ravel().tolist() == [6, 13, 8, 15, 8, 18, 11, 20, 11, 21, 13, 24]
    assert_flat(state["vmem"], [0.8645473, 0.6730488], atol=24e-6)  # after 24 spikes a step


@by_both_paths
@pytest.mark.parametrize("transform", [lambda f: f, jax.jit], ids=["plain", "jit"])
def test_lif_gradients(transform: Any) -> None:
    layer = recurrent_lif()
    data = jnp.asarray(golden.inputs(2, 6, 4, 1.5))

    of_parameters, of_input = transform(jax.grad(squared_output, (0, 2)))(
        layer.parameters(), layer, data
    )

    # fmt: off
    expected = {
        "w_rec": [353.656555, 472.479767, 1236.331177, 1313.859497, 581.671021, 779.764893,
                  2140.039307, 2277.603271],
        "tau_mem": [257.382111, 99.946533],
        "tau_syn": [-140.0746, 1775.595337, 7818.088867, 10506.864258],
        "bias": [41.982399, 261.294464],
        "threshold": [-243.563293, -1592.172729],
    }
    # fmt: on
    assert set(of_parameters) == set(expected)
    for name, values in expected.items():
        assert_flat(of_parameters[name], values, rtol=5e-6)
    # fmt: off
    assert_flat(of_input[0, :2], [4.1962414, 13.0981979, 102.4078827, 114.7635422, 9.7648096,
                                  18.4092655, 92.5561218, 102.0531464])
    # fmt: on


def test_lif_by_euler_steps() -> None:
    spikes, _, record = LIFODEJax((4, 2), **golden.LIF_CONSTANTS)(golden.inputs(1, 6, 4, 30))

    assert spikes.ravel().tolist() == [0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 1, 0]
    # fmt: off
    assert_flat(record["vmem"], [0.0731818, 0.1144849, 0.4083637, 0.2750526, 0.9958798, 0.521992,
                                 0.9565674, 0.0239151, 0.876168, 0.3449233, 0.9831284, 0.7036515])
    assert_flat(record["isyn"][0, :3], [0., 0.6818182, 2.727273, 0.7272728, 1.6363637, 1.7386366,
                                        3.0000002, 1.9515154, 4.5818186, 1.6517047, 4.0636368,
                                        3.6395965])
    # fmt: on


@by_both_paths
def test_exp_syn() -> None:
    output, state, record = ExpSynJax(2, tau=[0.01, 0.02])(golden.inputs(1, 5, 2))

    # fmt: off
    assert_flat(output, [0., 0.432377, 0.2467739, 1.1030931, 0.7168379, 1.0492947, 1.3889432,
                         1.2575462, 1.3390257, 1.7150674])
    # fmt: on
    assert_flat(state["isyn"], [1.3390258, 1.7150672])
    assert record == {}


@by_both_paths
def test_rate() -> None:
    layer = RateJax(
        2,
        tau=[0.02, 0.05],
        bias=0.1,
        threshold=0.01,
        w_rec=golden.weights(2, 2, 1.0),
        has_rec=True,
        activation_func="tanh",
    )

    output, _, record = layer(golden.inputs(1, 5, 2))

    # fmt: off
    assert_flat(output, [-0.0046384, 0.0010201, 0.0138052, 0.017335, 0.0443034, 0.0189007,
                         0.0861196, 0.0259777, 0.0886866, 0.0385043])
    assert_flat(record["x"], [0.0053615, 0.0110201, 0.0238061, 0.0273367, 0.0543324, 0.0289029,
                              0.0963335, 0.0359835, 0.0989202, 0.0485233])
    assert_flat(record["rec_input"], [0.0072305, -0.0035383, 0.0015258, -0.0004225, -0.0111226,
                                      0.0056452, -0.0238277, 0.0102052, -0.0428406, 0.0175194])
    # fmt: on


def test_softmax() -> None:
    arguments = {"weight": golden.weights(2, 3, 1.0), "bias": [0.1, 0.2, 0.3], "tau": 0.1}
    data = golden.inputs(1, 4, 2)

    output, state, record = SoftmaxJax((2, 3), **arguments)(data)
    logarithm, _, _ = LogSoftmaxJax((2, 3), **arguments)(data)

    # fmt: off
    assert_flat(output, [0.060902, 0.0546292, 0.0768529, 0.0703442, 0.0578502, 0.1164987,
                         0.0623654, 0.0758837, 0.1305846, 0.052666, 0.0964252, 0.1449979])
    assert_flat(logarithm, [-2.7984896, -2.9071875, -2.5658627, -2.654355, -2.8498988, -2.1498749,
                            -2.7747445, -2.5785537, -2.0357337, -2.943785, -2.3389871, -1.9310361])
    # fmt: on
    assert set(state) == {"linear", "smooth"} and record == {"linear": {}, "smooth": {}}


def test_softmax_along_one_dimension() -> None:
    output, _, _ = SoftmaxJax((2, 3), axis=-1)(golden.inputs(2, 4, 2))

    np.testing.assert_allclose(output.sum(-1), np.ones((2, 4)), rtol=1e-6)


def test_a_function_of_your_own_behind_weights_and_smoothing() -> None:
    arguments = {"weight": golden.weights(2, 3, 1.0), "has_bias": False, "tau": 0.1}
    data = golden.inputs(1, 4, 2)
    layer = WeightedSmoothBase(activation_fun=jnp.tanh, **arguments)

    smoothed, _, _ = WeightedSmoothBase(**arguments)(data)
    output, _, _ = layer(data)

    weighted, _, _ = LinearJax((2, 3), weight=arguments["weight"], has_bias=False)(data)
    np.testing.assert_array_equal(smoothed, ExpSynJax(3, tau=0.1)(weighted)[0])
    np.testing.assert_array_equal(output, jnp.tanh(smoothed))
    np.testing.assert_array_equal(convert(layer, "jax")(data)[0], output)
    with pytest.raises(TypeError, match="activation_fun must be callable, got 'tanh'"):
        WeightedSmoothBase((2, 3), activation_fun="tanh")  # type: ignore[arg-type]


def test_a_function_of_your_own_is_in_no_file(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="activation_fun of WeightedSmoothBase"):
        save(WeightedSmoothBase((2, 3), activation_fun=jnp.tanh), tmp_path / "net.safetensors")

    assert not list(tmp_path.iterdir())


def test_exp_smooth() -> None:
    with pytest.warns(DeprecationWarning, match="ExpSynJax"):
        layer = ExpSmoothJax(2, tau=0.02)

    output, state, record = layer(golden.inputs(1, 4, 2)[0])

    # fmt: off
    assert_flat(output, [0., 0.4545455, 0.2727273, 1.1596497, 0.8048808, 1.103093, 1.5838082,
                         1.3220218])
    # fmt: on
    assert output.shape == record["activation"].shape == (4, 2)
    assert state["activation"].tolist() == output[-1].tolist()


def test_stack() -> None:
    def weights(shape: tuple[int, ...]) -> np.ndarray:
        return golden.weights(*shape, 1.0)

    stack = FFwdStack(RateJax(2, tau=0.02), RateJax(3, tau=0.02), weight_init_func=weights)

    output, _, record = stack(golden.inputs(1, 4, 2))

    # fmt: off
    assert_flat(output, [0.000245, 0., 0.000332, 0.000584, 0., 0.000942, 0.000343, 0., 0.00105, 0.,
                         0., 0.000683])
    # fmt: on
    assert set(record) == {"0_RateJax", "0_RateJax_output", "1_RateJax"}


def test_residual() -> None:
    linear = LinearJax((2, 2), weight=golden.weights(2, 2, 1.0))

    output, _, _ = Residual(linear, RateJax(2, tau=0.02))(golden.inputs(1, 4, 2))

    # fmt: off
    assert_flat(output, [0., 0.459441, 0.272727, 0.741643, 0.545455, 0.017428, 0.818182, 0.297886])
    # fmt: on


@by_both_paths
def test_noise() -> None:
    key, silence = jax.random.PRNGKey(0), np.zeros((1, 3, 2))
    lif = LIFJax(2, noise_std=1.0, rng_key=key)

    _, state, record = lif(silence)
    rates = RateJax(2, noise_std=1.0, rng_key=key)(silence)[2]["x"]
    currents = ExpSynJax(2, noise_std=1.0, rng_key=key)(silence)[0]

    assert lif.rng_key.tolist() == [928981903, 3453687069]
    assert state["rng_key"].tolist() == [346279018, 360566543]
    # fmt: off
    assert_flat(record["vmem"],
                [-0.042236, -0.011149, -0.030383, -0.042258, -0.031351, -0.068982])
    assert_flat(rates, [-0.002112, -0.000557, -0.001517, -0.002112, -0.001563, -0.003446])
    assert_flat(currents, [-0.038217, -0.010088, -0.025718, -0.037769, -0.025488, -0.06022])
    # fmt: on


@by_both_paths
@pytest.mark.parametrize("exponent", [-126, -127, -130, -149])
def test_a_threshold_below_what_xla_tells_from_zero(exponent: int) -> None:
    layer = LIFJax(1, tau_mem=0.02, threshold=2.0**exponent)

    spikes, _, record = layer(np.array([[[0.0], [1e-37], [1e-37]]], np.float32))

    assert_flat(spikes, [0, 8, 15])  # as with 2**-126
    assert_flat(record["vmem"], [0, 0, 0])
