"""Looking for NaNs in jax networks."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from rockpool.nn.combinators import Sequential
from rockpool.nn.modules.jax import InstantJax, LinearJax, RateJax
from rockpool.training.jax_debug import debug_evolution, debug_optimisation, flatten
from rockpool.training.jax_loss import mse

DATA = jnp.ones((1, 5, 2))
LAYER = RateJax(2)
VGF = jax.value_and_grad(lambda p, net, x, y: mse(net.set_attributes(p)(x)[0], y))


def test_flatten() -> None:
    tree = {"a": {"b": 1, "c": np.array([1.0, 2.0])}, "d": [1, {"e": 2}]}

    assert dict(flatten(tree)) == {"a_b_0": 1, "a_c_0_0": 1, "a_c_1_0": 2, "d_0_0": 1, "d_1_e_0": 2}
    assert list(flatten({"a": np.ones((2, 2))}, sep=".")) == [
        "a.0.0.0",
        "a.0.1.0",
        "a.1.0.0",
        "a.1.1.0",
    ]
    assert flatten({}) == {}


def test_nothing_is_wrong() -> None:
    debug_evolution(LAYER, LAYER.state(), LAYER.parameters(), DATA)
    debug_optimisation(LAYER, LAYER.parameters(), DATA, DATA, VGF)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_nans_before_the_evolution(dtype: str) -> None:
    state = {"x": jnp.array([0.0, np.nan], dtype)}
    parameters = {"tau": jnp.array([np.nan, 1.0], dtype)}
    data = DATA.astype(dtype)

    with pytest.raises(
        ValueError, match=r"state x_1_0 .*\n.*parameter tau_0_0 .*\nInput .* step 2"
    ):
        debug_evolution(LAYER, state, parameters, data.at[0, 2].set(np.nan))
    with pytest.raises(ValueError, match=r"^Network parameter tau_0_0 contains NaNs$"):
        debug_optimisation(LAYER, parameters, data, data, VGF)


def root(x: Any) -> Any:
    return jnp.sqrt(x)


def test_nans_after_the_evolution() -> None:
    net = Sequential(LinearJax((2, 2), weight=-np.eye(2)), InstantJax(2, root), RateJax(2))

    with pytest.raises(
        ValueError, match=r"Output contains NaNs, in 5 time steps from step 0 on\n.*x_0_0"
    ):
        debug_evolution(net, net.state(), net.parameters(), DATA)


@pytest.mark.slow
def test_the_first_time_step_that_breaks_a_gradient() -> None:
    net = Sequential(LinearJax((2, 2), weight=np.eye(2)), InstantJax(2, root))
    data = DATA.at[0, 3].set(0.0)  # where the root has no finite gradient

    with pytest.raises(
        ValueError, match="Gradient 0_LinearJax_weight_0_0_0 contains NaNs"
    ) as error:
        debug_optimisation(net, net.parameters(), data, DATA, VGF)

    assert "first time step with which there are NaNs is 3" in str(error.value)
