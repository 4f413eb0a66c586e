"""Modules that evolve another one with some of its parameters at zero: `Dropout`."""

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
    from rockpool.transform import JaxDropout

__all__ = ["Dropout", "JaxDropout", "ModDropout"]

__getattr__ = lazy_classes(__name__, "JaxDropout")


class ModDropout(ParameterTransformerMixin, Module):  # type: ignore[misc]
    """A native module around another one, as `Dropout` makes it."""

    _left_alone = NOT_ZERO

    def _transform(self, param: Any, transform_param: Any) -> Any:
        return param * (np.random.random(np.shape(param)) >= transform_param)


def Dropout(mod: Any, families: Any = None, prob: Any = 0.5, *args: Any, **kwargs: Any) -> Any:
    """Return a module that evolves another one, each time with other parameters at zero.

    Parameters
    ----------
    mod : Module
        The module, of numpy or jax.
    families : str or list of str, optional
        Families of parameters to drop from. Default: all but time constants, decays, bit-shifts
        and thresholds, which can be named.
    prob : float or list of float
        Probability to drop a parameter, of all families or of each. Default: 0.5.
    *args, **kwargs
        Further arguments of the class, such as `rng_key` for jax.

    Returns
    -------
    ModDropout or JaxDropout
        The module. ``transformed_parameters()`` is what an evolution would use.

    Raises
    ------
    TypeError
        `mod` is no module of numpy or jax.
    ValueError
        A probability is not within [0, 1], or there are no parameters to drop.

    Examples
    --------
    >>> import numpy as np
    >>> from rockpool.nn.modules import Linear
    >>> output, _, _ = Dropout(Linear((2, 3)), "weights", 1.0)(np.ones((1, 4, 2)))
    >>> float(abs(output).sum())
    0.0
    """
    for value in prob if isinstance(prob, (list, tuple)) else [prob]:
        if not 0 <= value <= 1:
            raise ValueError(f"Dropout: prob must be within [0, 1], got {value}")
    if is_of_jax("Dropout", mod):
        from rockpool.transform import JaxDropout

        return JaxDropout(mod, families, prob, *args, **kwargs)
    return ModDropout(mod, families, prob, *args, **kwargs)
