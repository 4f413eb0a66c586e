"""Layers that go by the axes of their input, in jax: `FlattenJax` and `ScaleJax`."""

from __future__ import annotations

from typing import Any, Unpack

import jax
import numpy  # noqa: F401 - waits where another thread is importing it

from rockpool.nn.modules._module_base import Evolve
from rockpool.nn.modules.jax.jax_module import JaxModule
from rockpool.nn.modules.module import ModuleArguments
from rockpool.nn.modules.native.axes import FlattenMixin, ScaleMixin
from rockpool.parameters import Shape
from rockpool.typehints import ArrayLike

__all__ = ["FlattenJax", "ScaleJax"]


class FlattenJax(FlattenMixin, JaxModule):
    """All axes of a time step as one, in jax, in C order.

    Parameters and errors are those of `Flatten`.
    """

    evolve: Evolve[jax.Array]

    def __init__(
        self, shape_in: int | Shape, *args: Any, **kwargs: Unpack[ModuleArguments]
    ) -> None:
        self._declare(locals(), super().__init__)


class ScaleJax(ScaleMixin, JaxModule):
    """A weight for each entry of a time step, in jax: ``output = weight * input``.

    Parameters and errors are those of `Scale`.
    """

    weight: jax.Array

    evolve: Evolve[jax.Array]

    def __init__(
        self,
        shape_in: int | Shape,
        weight: ArrayLike | None = None,
        *args: Any,
        **kwargs: Unpack[ModuleArguments],
    ) -> None:
        self._declare(locals(), super().__init__)
