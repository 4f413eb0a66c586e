"""One clear error for each bad input, raised before or while a function is traced."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

from rockpool.nn.combinators import Sequential
from rockpool.nn.modules import LIF, Linear, Module
from rockpool.nn.modules.jax import (
    ExpSynJax,
    IFEulerJax,
    InstantJax,
    JaxModule,
    LIFEulerJax,
    LIFJax,
    LIFODEJax,
    LinearJax,
    LogSoftmaxJax,
    RateJax,
    SoftmaxJax,
)

DYNAMICAL = [LIFJax((4, 2)), RateJax(4), ExpSynJax(4), InstantJax(4)]


@pytest.mark.parametrize("transform", [lambda f: f, jax.jit], ids=["plain", "jit"])
@pytest.mark.parametrize("module", DYNAMICAL, ids=lambda module: type(module).__name__)
def test_input_of_a_wrong_shape(module: JaxModule, transform: Callable[..., Any]) -> None:
    function = transform(lambda data: module(data)[0])
    with pytest.raises(ValueError, match=r"4 channels .* got 3 in the shape \(2, 5, 3\)"):
        function(jnp.ones((2, 5, 3)))
    with pytest.raises(ValueError, match=r"\(B, T, N\), got 4 dimensions"):
        function(jnp.ones((1, 2, 5, 4)))


@pytest.mark.parametrize("transform", [lambda f: f, jax.jit], ids=["plain", "jit"])
@pytest.mark.parametrize(
    "module",
    [*DYNAMICAL, LIFEulerJax(4), IFEulerJax((2, 2)), Sequential(LIFJax(4), LinearJax((4, 2)))],
    ids=lambda module: type(module).__name__,
)
def test_a_scalar_has_no_time(module: JaxModule, transform: Callable[..., Any]) -> None:
    with pytest.raises(ValueError, match="must have a time dimension, got a scalar"):
        transform(lambda data: module(data)[0])(3.0)


def test_weights_of_bools_are_refused() -> None:
    layer = LinearJax((2, 1))
    mask = np.array([[True], [True]])
    with pytest.raises(
        TypeError, match="LinearJax: weight must be of a floating-point type, got b"
    ):
        layer.weight = mask
    with pytest.raises(
        TypeError, match="LinearJax: weight must be of a floating-point type, got b"
    ):
        layer.set_attributes({"weight": jnp.asarray(mask)})
    data = np.full((1, 1, 2), 200, np.uint8)
    assert LinearJax((2, 1), weight=mask)(data)[0].item() == 400


NO_REALS = [np.ones((1, 2, 4), complex), jnp.ones((1, 2, 4), complex), [["a"]], jax.random.key(0)]


@pytest.mark.parametrize("data", NO_REALS)
def test_input_that_is_not_real_numbers(data: Any) -> None:
    with pytest.raises(TypeError, match="LIFJax: the input must be an array of real numbers"):
        LIFJax((4, 2))(data)
    with pytest.raises(TypeError, match="LinearJax: the input must be an array of real numbers"):
        LinearJax((4, 2))(data)


@pytest.mark.parametrize("module", [LIF(4), Linear((4, 2))], ids=lambda m: type(m).__name__)
def test_complex_numbers_of_jax_are_no_input_of_numpy_either(module: Module) -> None:
    with pytest.raises(TypeError, match="must be an array of real numbers, got complex64"):
        module(jnp.ones((1, 2, 4), complex))


def test_linear_input_of_a_wrong_size() -> None:
    with pytest.raises(ValueError, match="LinearJax: input must have 2 channels"):
        LinearJax((2, 3))(jnp.ones((5, 3)))


@pytest.mark.parametrize("dtype", [bool, np.int64, np.uint8, np.float16])
def test_counts_of_spikes_are_input_of_any_type(dtype: Any) -> None:
    data = np.random.default_rng(0).integers(0, 2, (1, 5, 4)).astype(dtype)
    for module in (ExpSynJax(4), LinearJax((4, 2))):
        expected = module(data.astype(np.float32))[0]
        np.testing.assert_allclose(module(data)[0], expected, rtol=1e-3)


@pytest.mark.parametrize(
    "shape", [(5,), (5, 4), (5, 1), (2, 5, 1)], ids=lambda shape: f"{len(shape)}-d {shape}"
)
def test_input_is_brought_into_shape(shape: tuple[int, ...]) -> None:
    data, _ = LIFJax((4, 2))._auto_batch(np.ones(shape))

    assert data.shape == (2 if shape == (2, 5, 1) else 1, 5, 4)
    assert data.dtype == jnp.float32


@pytest.mark.parametrize(
    ("module", "arguments", "message"),
    [
        (LIFJax, {"tau_mem": -0.02}, "LIFJax: tau_mem must be > 0 s, got -0.02"),
        (LIFJax, {"tau_syn": [0.1, 0]}, "LIFJax: tau_syn must be > 0 s, got 0"),
        (LIFJax, {"threshold": -1}, "LIFJax: threshold must be > 0, got -1"),
        (LIFJax, {"bias": np.ones(3)}, r"LIFJax: bias must have shape \(2,\) or \(\), got \(3,\)"),
        (LIFJax, {"w_rec": np.ones((2, 2))}, "LIFJax: w_rec was given, but has_rec is False"),
        (LIFJax, {"dt": 0}, "LIFJax: dt must be > 0 s, got 0"),
        (LIFJax, {"noise_std": -1}, "LIFJax: noise_std must be >= 0, got -1"),
        (LIFJax, {"shape": (3, 2)}, "LIFJax: Nin must be a multiple of Nout"),
        (LIFJax, {"shape": (4, 2, 1)}, "LIFJax: shape must be N or"),
        (RateJax, {"shape": (3, 2)}, "RateJax: shape must be N or"),
        (RateJax, {"tau": -1}, "RateJax: tau must be > 0 s, got -1"),
        (RateJax, {"activation_func": "square"}, "RateJax: activation_func must be callable or"),
        (RateJax, {"activation_func": 3}, "RateJax: activation_func must be callable, got 3"),
        (ExpSynJax, {"shape": (2, 2)}, "ExpSynJax: shape must be N or"),
        (ExpSynJax, {"tau": 0}, "ExpSynJax: tau must be > 0 s, got 0"),
        (LinearJax, {}, r"LinearJax: shape must be \(Nin, Nout\), got 2"),
        (InstantJax, {"shape": None}, "InstantJax: shape must be given"),
        (LogSoftmaxJax, {}, r"^LogSoftmaxJax: shape must be \(Nin, Nout\), got 2"),
        (SoftmaxJax, {"shape": 3}, r"^SoftmaxJax: shape must be \(Nin, Nout\), got 3"),
        (SoftmaxJax, {"shape": (2, 3), "bias": [1.0, 2.0]}, "^SoftmaxJax: bias must have shape"),
        (SoftmaxJax, {"shape": (2, 3), "tau": -1}, "^SoftmaxJax: tau must be > 0 s, got -1"),
        (LogSoftmaxJax, {"shape": None}, "LogSoftmaxJax: one of shape and weight must be given"),
    ],
)
def test_bad_arguments(module: Any, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        module(**{"shape": 2, **arguments})


@pytest.mark.parametrize("flag", [0.5, 2, "no"])
def test_a_flag_is_true_or_false(flag: Any) -> None:
    with pytest.raises(TypeError, match="LIFJax: has_rec must be True or False, got"):
        LIFJax(2, has_rec=flag)


@pytest.mark.parametrize("key", [5, 2.5, "key", np.ones(2), jax.random.split(jax.random.key(0))])
def test_a_key_must_be_a_key(key: Any) -> None:
    with pytest.raises(TypeError, match=r"ExpSynJax: rng_key must be (a|one) key"):
        ExpSynJax(2, rng_key=key)


def test_parameters_must_be_floats() -> None:
    layer = LIFJax(2, tau_mem=1, bias=[0, 1])  # numbers may be given as they come
    assert layer.tau_mem.dtype == layer.bias.dtype == jnp.float32
    layer.tau_mem = 2

    for integers in (np.array([1, 2]), jnp.array([1, 2]), np.array([True, False])):
        with pytest.raises(TypeError, match="LIFJax: bias must be of a floating-point type"):
            layer.set_attributes({"bias": integers})
        with pytest.raises(TypeError, match="LIFJax: bias must be of a floating-point type"):
            jax.jit(lambda value: layer.set_attributes({"bias": value}).bias)(integers)
    assert layer.bias.tolist() == [0, 1]


def test_attributes_of_a_wrong_shape() -> None:
    with pytest.raises(ValueError, match=r"LIFJax: bias must have the shape \(2,\), got \(3,\)"):
        jax.jit(lambda value: LIFJax(2).set_attributes({"bias": value}).bias)(jnp.ones(3))


@pytest.mark.parametrize(
    ("build", "value", "message"),
    [
        (lambda flag: LIFJax(2, has_rec=flag), True, "LIFJax: has_rec must be True or False"),
        (lambda flag: RateJax(2, has_rec=flag), True, "RateJax: has_rec must be True or False"),
        (lambda f: LIFJax(2, spiking_input=f), True, "LIFJax: spiking_input must be True or False"),
        (lambda n: LIFJax(n), 2, "LIFJax: shape must be an int or a tuple of ints that is known"),
        (lambda n: LinearJax((n, 2)), 2, "LinearJax: shape must be an int or a tuple"),
        (lambda flag: LinearJax((2, 2), has_bias=flag), True, "LinearJax: has_bias must be True"),
        (lambda f: RateJax(2, activation_func=f), 2.0, "RateJax: activation_func must be callable"),
    ],
)
def test_a_tracer_where_a_static_value_is_needed(build: Any, value: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        jax.jit(lambda value: build(value).size_out)(value)


def test_settings_may_be_traced() -> None:
    def vmem(dt: Any, tau: Any, max_spikes: Any, noise_std: Any) -> Any:
        layer = LIFJax(
            2, dt=dt, tau_mem=tau, max_spikes_per_dt=max_spikes, noise_std=noise_std, bias=1.5
        )
        return layer(np.zeros((1, 3, 2)))[2]["vmem"]

    found = jax.jit(vmem)(2e-3, 0.01, 1.0, 0.0)
    np.testing.assert_allclose(found, vmem(2e-3, 0.01, 1.0, 0.0), rtol=1e-6)


def test_a_traced_flag_for_keeping_states() -> None:
    with pytest.raises(TypeError, match="LIFJax: keep must be True or False"):
        jax.jit(lambda flag: LIFJax(2).keep_batch_state(flag).vmem)(True)


LAYERS = [
    (LIFJax, "tau_mem", "vmem"),
    (LIFODEJax, "threshold", "vmem"),
    (RateJax, "tau", "x"),
    (ExpSynJax, "tau", "isyn"),
]
NUMBERS = {
    "tensor": torch.tensor([0.5, 0.25]),
    "parameter": torch.nn.Parameter(torch.tensor([0.5, 0.25])),
    "another byte order": np.array([0.5, 0.25], ">f8"),
    "long double": np.array([0.5, 0.25], np.longdouble),
    "objects": np.array([0.5, 0.25], object),
}


@pytest.mark.parametrize("values", NUMBERS.values(), ids=NUMBERS)
@pytest.mark.parametrize(("layer", "parameter", "state"), LAYERS)
def test_numbers_that_jax_does_not_take_become_its_arrays(
    layer: Any, parameter: str, state: str, values: Any
) -> None:
    module = layer(2).set_attributes({parameter: values})
    setattr(module, state, values)
    for found in (module, layer(2, **{parameter: values})):
        assert isinstance(getattr(found, parameter), jax.Array)
        assert getattr(found, parameter).tolist() == [0.5, 0.25]
    assert getattr(module, state).tolist() == [0.5, 0.25]
    assert jax.tree.leaves(jax.tree.map(jnp.isfinite, module(np.ones((1, 2, 2)))[0]))[0].all()


def test_settings_that_jax_does_not_take() -> None:
    layer = LIFJax(2)
    layer.noise_std = torch.tensor(0.5)
    layer.max_spikes_per_dt = np.longdouble(3)
    assert (layer.noise_std, layer.max_spikes_per_dt) == (0.5, 3.0)
    assert type(layer.noise_std) is type(layer.max_spikes_per_dt) is float


@pytest.mark.parametrize("dtype", [">f4", ">i2", np.longdouble])
@pytest.mark.parametrize("module", [LIFJax(2), LinearJax((2, 2), weight=np.eye(2)), RateJax(2)])
def test_input_of_types_that_jax_does_not_take(module: JaxModule, dtype: Any) -> None:
    data = np.arange(6.0).reshape(1, 3, 2)
    assert jnp.array_equal(module(data.astype(dtype))[0], module(data)[0])


@pytest.mark.parametrize("value", [np.array(["a", "b"]), np.array([0, 1], "M8[s]"), [1j, 2]])
def test_what_is_no_real_number_is_no_value(value: Any) -> None:
    layer = LIFJax(2)
    for name in ("tau_mem", "vmem"):
        with pytest.raises(TypeError, match=f"LIFJax: {name} must be "):
            setattr(layer, name, value)
    assert layer.vmem.tolist() == [0, 0]
