"""Jax modules that evolve another one with rounded parameters: `JaxStochasticQuantize`."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from rockpool.transform.base_jax import JaxParameterTransformerMixin
from rockpool.transform.param_transformer import NOT_ZERO

__all__ = ["JaxStochasticQuantize"]


class JaxStochasticQuantize(JaxParameterTransformerMixin):
    """A jax module around another one, as `StochasticQuantize` makes it."""

    _left_alone = NOT_ZERO

    def _transform(self, param: Any, transform_param: Any, rng_key: Any = None) -> Any:
        whole = jnp.floor(param)
        return whole + (param - whole > jax.random.uniform(rng_key, param.shape))
