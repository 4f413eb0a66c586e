"""The validators: what they let through, what they say, and values of every kind of array."""

from __future__ import annotations

import numpy as np
import pytest
from support.golden import LIF_CONSTANTS

from rockpool.nn.models import checks
from rockpool.nn.models.exp_syn import EXP_SYN, decay
from rockpool.nn.models.lif import LIF
from rockpool.nn.models.linear import LINEAR
from rockpool.nn.models.model import StateSpec
from rockpool.nn.models.rate import RATE


def torch_tensor(values, **options):
    import torch

    return torch.tensor(values, **options)


def torch_trainable(values):
    return torch_tensor(values, requires_grad=True)


def torch_bfloat16(values):
    import torch

    return torch_tensor(values, dtype=torch.bfloat16)


def jax_array(values):
    import jax.numpy as jnp

    return jnp.array(values)


@pytest.mark.parametrize(
    "kind", [float, list, np.array, torch_tensor, torch_trainable, torch_bfloat16, jax_array]
)
class TestKindsOfValues:
    def test_allowed(self, kind):
        checks.positive("Neurons", "tau", kind([0.5, 1.0]) if kind is not float else 0.5, "s")

    def test_not_allowed(self, kind):
        value = kind([0.5, -2.0]) if kind is not float else -2.0
        with pytest.raises(ValueError, match="Neurons: tau must be > 0 s, got -2"):
            checks.positive("Neurons", "tau", value, "s")


class TestValuesThatAreNotKnownYet:
    """Their shapes are checked, their values are not."""

    shape = (4, 2)

    def test_jax_tracer(self):
        import jax
        import jax.numpy as jnp

        @jax.jit
        def build(tau, dt):
            LIF.check("LIFJax", self.shape, {"tau_mem": tau, "dt": dt})
            with pytest.raises(ValueError, match=r"LIFJax: tau_mem must have shape \(2,\) or \(\)"):
                LIF.check("LIFJax", self.shape, {"tau_mem": jnp.concatenate([tau, tau])})
            return tau

        assert build(jnp.array([-1.0, 1.0]), -1.0).shape == (2,)

    def test_torch_meta_tensor(self):
        import torch

        LIF.check("LIFTorch", self.shape, {"tau_mem": torch.empty(2, device="meta")})
        with pytest.raises(ValueError, match="LIFTorch: tau_mem must have shape"):
            LIF.check("LIFTorch", self.shape, {"tau_mem": torch.empty(3, device="meta")})


@pytest.mark.parametrize(
    ("check", "value", "message"),
    [
        (checks.positive, np.nan, "must be > 0, got nan"),
        (checks.positive, np.inf, "must be finite, got inf"),
        (checks.non_negative, -1e-9, "must be >= 0, got -1e-09"),
        (checks.non_negative, np.nan, "must be >= 0, got nan"),
        (checks.non_negative, np.inf, "must be finite, got inf"),
        (checks.finite, [1.0, np.nan], r"must be finite, got nan \(in an array of shape \(2,\)\)"),
        (checks.finite, -np.inf, "must be finite, got -inf"),
        (checks.whole_count, 0, "must be a whole number >= 1, got 0"),
        (checks.whole_count, 2.5, "must be a whole number >= 1, got 2.5"),
        (checks.whole_count, np.inf, "must be a whole number >= 1, got inf"),
        (checks.whole_count, [1, 2], r"must be a single number, got shape \(2,\)"),
        (checks.scalar, [1.0, 2.0], r"must be a single number, got shape \(2,\)"),
        (checks.function, 3, "must be callable, got 3"),
    ],
)
def test_refused(check, value, message):
    with pytest.raises(ValueError, match=f"Neurons: setting {message}"):
        check("Neurons", "setting", value)


@pytest.mark.parametrize(
    ("check", "value"),
    [
        (checks.positive, 1e-300),
        (checks.positive, [1, 2]),
        (checks.non_negative, 0),
        (checks.finite, [[-1.0, 2.0]]),
        (checks.whole_count, np.float64(3.0)),
        (checks.scalar, [[1.0]]),
        (checks.function, len),
        *[
            (check, None)
            for check in (
                checks.positive,
                checks.non_negative,
                checks.finite,
                checks.whole_count,
                checks.scalar,
                checks.function,
            )
        ],
    ],
)
def test_accepted(check, value):
    check("Neurons", "setting", value)


@pytest.mark.parametrize("value", ["0.5", "a", [0.5, "a"], 1j, object(), {"a": 1}])
def test_what_is_not_numbers(value):
    with pytest.raises(TypeError, match="Neurons: tau must be a number or an array of numbers"):
        checks.positive("Neurons", "tau", value)


def test_infinite_where_it_is_allowed():
    checks.positive("Neurons", "tau", np.inf, finite=False)
    checks.whole_count("Neurons", "n", np.inf, infinite=True)


def test_within():
    checks.within("Neurons", "alpha", [0.0, 0.5, 1.0], 0, 1)
    for value in (-0.1, 1.1, np.nan):
        with pytest.raises(ValueError, match=r"Neurons: alpha must be within \[0, 1\], got"):
            checks.within("Neurons", "alpha", [0.5, value], 0, 1)


@pytest.mark.parametrize(
    ("model", "shape", "expected"),
    [
        (LIF, 3, (3, 3)),
        (LIF, (3,), (3, 3)),
        (LIF, [6, 2], (6, 2)),
        (LIF, np.int64(3), (3, 3)),
        (LIF, (np.int32(4), 2), (4, 2)),
        (RATE, 3, (3,)),
        (RATE, (3, 3), (3, 3)),
        (EXP_SYN, 3, (3,)),
        (EXP_SYN, (3,), (3,)),
        (LINEAR, (3, 2), (3, 2)),
    ],
)
def test_module_shapes(model, shape, expected):
    found = model.module_shape("Layer", shape)
    assert found == expected and all(type(entry) is int for entry in found)


@pytest.mark.parametrize(
    ("model", "shape"),
    [
        (LIF, (1, 2, 3)),
        (LIF, (5, 2)),
        (LIF, ()),
        (LIF, (0, 0)),
        (LIF, -1),
        (RATE, (2, 3)),
        (RATE, (3, 2, 3)),
        (EXP_SYN, (3, 3)),
        (LINEAR, 3),
        (LINEAR, (3, 2, 1)),
    ],
)
def test_shapes_that_are_refused(model, shape):
    with pytest.raises(ValueError, match=r"Layer: "):
        model.module_shape("Layer", shape)


@pytest.mark.parametrize("model", [LIF, RATE, EXP_SYN, LINEAR])
@pytest.mark.parametrize("shape", [None, 2.0, "ab", (2, 2.0), (None, 2)])
def test_shapes_that_are_no_ints(model, shape):
    with pytest.raises(TypeError, match="Layer: shape must be an int or a tuple of ints, got"):
        model.module_shape("Layer", shape)


def test_decay_is_computed_in_float64_and_cast_once():
    tau = np.array([3e-3, 20e-3], dtype=np.float32)
    exact = np.exp(-1e-3 / tau.astype(np.float64))
    np.testing.assert_array_equal(decay(1e-3, tau), exact)
    single = decay(1e-3, tau, np.float32)
    assert single.dtype == np.float32
    np.testing.assert_array_equal(single, exact.astype(np.float32))
    assert decay(1e-3, 20e-3).shape == ()


class TestTables:
    def test_lif(self):
        assert [spec.name for spec in LIF.parameters] == [
            "w_rec",
            "tau_mem",
            "tau_syn",
            "bias",
            "threshold",
        ]
        assert LIF.parameter_shapes((4, 2), LIF["tau_syn"]) == [(2, 2), (1, 2), ()]
        assert {state.name: LIF.sized((4, 2), state.shape) for state in LIF.states} == {
            "spikes": (2,),
            "isyn": (2, 2),
            "vmem": (2,),
        }
        LIF.check("LIF", (4, 2), LIF_CONSTANTS)

    def test_default_is_filled_in(self):
        assert LIF["tau_mem"].init_func({})((2,)).tolist() == [0.02, 0.02]

    def test_weights_are_drawn_by_an_argument(self):
        assert LIF["w_rec"].init_func({"weight_init_func": np.ones})((1, 2)).tolist() == [[1, 1]]

    def test_a_value_without_its_flag_is_refused_unless_it_implies_the_flag(self):
        weights = {"w_rec": np.ones((2, 2)), "has_rec": False}
        with pytest.raises(ValueError, match="LIF: w_rec was given, but has_rec is False"):
            LIF.check("LIF", (2, 2), weights)
        assert LINEAR["bias"].is_present({"bias": 0.5, "has_bias": False})
        assert not LINEAR["bias"].is_present({"has_bias": False})

    def test_a_table_for_a_class_that_has_less_or_more(self):
        short = LIF.arranged("vmem tau_mem").extended(StateSpec("iahp", ("Nout",)))
        assert [spec.name for spec in short.attributes] == ["vmem", "tau_mem", "iahp"]
        assert short.changed("tau_mem", family="decays")["tau_mem"].family == "decays"
