"""Jax modules that evolve another one with some of its parameters at zero: `JaxDropout`."""

from __future__ import annotations

from typing import Any

import jax

from rockpool.transform.base_jax import JaxParameterTransformerMixin
from rockpool.transform.param_transformer import NOT_ZERO

__all__ = ["JaxDropout"]


class JaxDropout(JaxParameterTransformerMixin):
    """A jax module around another one, as `Dropout` makes it."""

    _left_alone = NOT_ZERO

    def _transform(self, param: Any, transform_param: Any, rng_key: Any = None) -> Any:
        return param * jax.random.bernoulli(rng_key, 1.0 - transform_param, param.shape)
