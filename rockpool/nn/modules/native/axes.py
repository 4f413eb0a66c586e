"""Layers that go by the axes of their input, in numpy: `Flatten` and `Scale`."""

from __future__ import annotations

import math
from typing import Any, Unpack

import numpy as np
from numpy.typing import DTypeLike

import rockpool.graph
from rockpool.nn.models.axes import FLATTEN, SCALE, flattened, unchanged
from rockpool.nn.modules._module_base import Evolve
from rockpool.nn.modules.module import Module, ModuleArguments
from rockpool.nn.modules.native.shaped import ShapedMixin
from rockpool.parameters import Shape, to_numpy
from rockpool.typehints import ArrayLike

__all__ = ["Flatten", "FlattenMixin", "Scale", "ScaleMixin"]


class FlattenMixin(ShapedMixin):
    """What the layers of all back-ends share that make one axis of all; see `Flatten`."""

    _model = FLATTEN
    _geometry_of = staticmethod(flattened)

    def _applied(self, steps: Any) -> Any:
        return steps

    def as_graph(self) -> rockpool.graph.GraphHolder:
        """Return the layer as a graph, whose output nodes are its input nodes."""
        from rockpool.graph.from_modules import flat_graph

        return flat_graph(self)


class ScaleMixin(ShapedMixin):
    """What the layers of all back-ends share that scale each entry; see `Scale`."""

    _model = SCALE
    _geometry_of = staticmethod(unchanged)

    weight: Any

    def _applied(self, steps: Any) -> Any:
        weight = self.weight
        return steps * (weight.reshape((1, *self.shape_in)) if weight.shape else weight)

    def as_graph(self) -> rockpool.graph.LinearWeights:
        """Return the layer as dense weights; too many are a NotImplementedError."""
        from rockpool.graph.from_modules import linear_graph

        self._check_dense()
        size = math.prod(self.shape_in)
        weights = np.broadcast_to(to_numpy(self.weight).ravel(), (size,))
        return linear_graph(self, np.diag(weights))


class Flatten(FlattenMixin, Module):
    """All axes of a time step as one, in C order, as dense weights and neurons take them.

    Parameters
    ----------
    shape_in : int or tuple of int
        The axes of the input, such as ``(C, H, W)``.
    dtype : dtype
        As for `LIF`.

    Attributes
    ----------
    shape_in, shape_out : tuple of int
        Those axes, and ``(N,)``.

    Raises
    ------
    ValueError
        An entry < 1, or too many in all.
    TypeError
        Entries that are no ints.

    Examples
    --------
    >>> import numpy as np
    >>> from rockpool.nn.modules import Flatten
    >>> output, _, _ = Flatten((2, 4, 4))(np.zeros((1, 10, 2, 4, 4)))
    >>> output.shape
    (1, 10, 32)
    """

    evolve: Evolve[np.ndarray]

    def __init__(
        self,
        shape_in: int | Shape,
        *args: Any,
        dtype: DTypeLike = np.float64,
        **kwargs: Unpack[ModuleArguments],
    ) -> None:
        self._declare(locals(), super().__init__)


class Scale(ScaleMixin, Module):
    """A weight for each entry of a time step: ``output = weight * input``.

    Parameters
    ----------
    shape_in : int or tuple of int
        The axes of input and output.
    weight : array_like, optional
        Weights, shape (N,) for ``N`` entries in C order, or () for one that all share. Default: 1.
    dtype : dtype
        As for `LIF`.

    Raises
    ------
    ValueError
        An entry < 1, or too many in all; weights of another number, NaN.
    TypeError
        Entries that are no ints.

    Examples
    --------
    >>> import numpy as np
    >>> from rockpool.nn.modules import Scale
    >>> Scale(3, weight=[1.0, 2.0, 4.0])(np.ones((1, 3)))[0]
    array([[[1., 2., 4.]]])
    """

    evolve: Evolve[np.ndarray]

    def __init__(
        self,
        shape_in: int | Shape,
        weight: ArrayLike | None = None,
        *args: Any,
        dtype: DTypeLike = np.float64,
        **kwargs: Unpack[ModuleArguments],
    ) -> None:
        self._declare(locals(), super().__init__)
