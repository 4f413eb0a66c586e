"""Modules that evolve another one with parameters rounded by chance: `StochasticQuantize`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rockpool.nn.modules.module import Module
from rockpool.transform.param_transformer import (
    NOT_ZERO,
    ParameterTransformerMixin,
    is_of_jax,
    lazy_classes,
)

if TYPE_CHECKING:
    from rockpool.transform import JaxStochasticQuantize

__all__ = ["JaxStochasticQuantize", "ModStochasticQuantize", "StochasticQuantize"]

__getattr__ = lazy_classes(__name__, "JaxStochasticQuantize")


class ModStochasticQuantize(ParameterTransformerMixin, Module):  # type: ignore[misc]
    """A native module around another one, as `StochasticQuantize` makes it."""

    _left_alone = NOT_ZERO

    def _transform(self, param: Any, transform_param: Any) -> Any:
        whole = np.floor(param)
        return whole + (param - whole > np.random.random(np.shape(param)))


def StochasticQuantize(mod: Any, families: Any = None, *args: Any, **kwargs: Any) -> Any:
    """Return a module that evolves another one with parameters that are rounded by chance.

    A parameter becomes one of the two next whole numbers, the nearer one more often, so that its
    mean over many evolutions is the parameter.

    Parameters
    ----------
    mod : Module
        The module, of numpy or jax.
    families : str or list of str, optional
        Families of parameters to round. Default: all but time constants, decays, bit-shifts and
        thresholds, which can be named.
    *args, **kwargs
        Further arguments of the class, such as `rng_key` for jax.

    Returns
    -------
    ModStochasticQuantize or JaxStochasticQuantize
        The module. ``transformed_parameters()`` is what an evolution would use.

    Raises
    ------
    TypeError
        `mod` is no module of numpy or jax.
    ValueError
        There are no parameters to round.
    """
    if is_of_jax("StochasticQuantize", mod):
        from rockpool.transform import JaxStochasticQuantize

        return JaxStochasticQuantize(mod, families, *args, **kwargs)
    return ModStochasticQuantize(mod, families, *args, **kwargs)
