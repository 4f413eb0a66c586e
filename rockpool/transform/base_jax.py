"""Jax modules that evolve another one with changed parameters: `JaxParameterTransformerMixin`."""

from __future__ import annotations

from typing import Any

import jax

from rockpool.nn.modules.jax._base.rng import initial_key, split_key
from rockpool.nn.modules.jax.jax_module import JaxModule
from rockpool.parameters import State
from rockpool.transform.param_transformer import ParameterTransformerMixin

__all__ = ["JaxParameterTransformerMixin"]


class JaxParameterTransformerMixin(ParameterTransformerMixin, JaxModule):  # type: ignore[misc]
    """What jax modules have in common that evolve another one with changed parameters.

    As `ParameterTransformerMixin`; a subclass has ``_transform(param, transform_param, rng_key)``.

    Parameters
    ----------
    module, families, transform_params
        As for `ParameterTransformerMixin`.
    rng_key : jax.Array, optional
        Key for random numbers, a state; each evolution has the next one in its new state. Default:
        drawn from numpy's random state.
    """

    def __init__(
        self,
        module: Any,
        families: Any = None,
        transform_params: Any = None,
        rng_key: Any = None,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(module, families, transform_params, *args, **kwargs)
        key = initial_key(type(self).__name__, rng_key)
        self.rng_key = State(key, shape=key.shape)

    def _transform(self, param: Any, transform_param: Any, rng_key: Any = None) -> Any:
        """Return a changed parameter."""
        raise NotImplementedError

    def transformed_parameters(self) -> dict[str, Any]:
        """Return the tree of parameters of the module, with those of the families changed."""
        tree: dict[str, Any] = self.module.parameters()
        _, key = split_key(self.rng_key)
        for family, transform_param in zip(self.families, self.transform_params, strict=True):
            for branch in self._chosen(self.module, family):
                key, own = jax.random.split(key)
                node = tree
                for name in branch[:-1]:
                    node = node[name]
                node[branch[-1]] = self._transform(node[branch[-1]], transform_param, own)
        return tree

    def evolve(
        self, input_data: Any, record: bool = False
    ) -> tuple[Any, dict[str, Any], dict[str, Any]]:
        """Evolve the module with changed parameters.

        The new state has that of the module under the name ``"module"``, and the next key.
        """
        module = self.module.set_attributes(self.transformed_parameters())
        output, state, records = module(input_data, record=record)
        next_key, _ = split_key(self.rng_key)
        return output, {"module": state, "rng_key": next_key}, {"module": records}
