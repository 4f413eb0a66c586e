"""What layers share whose time steps have axes: `ShapedMixin`, and `WindowsMixin` for windows."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

import rockpool.graph
from rockpool.nn.models.connections import dense
from rockpool.nn.models.convolution import Geometry, Padding
from rockpool.nn.models.model import SettingSpec, Spec
from rockpool.nn.modules.module import Module
from rockpool.parameters import Shape, to_numpy

if TYPE_CHECKING:
    _ModuleClass = Module  # a mix-in's other base, for the type checker
else:
    _ModuleClass = object

__all__ = ["ShapedMixin", "WindowsMixin"]

MOST_WEIGHTS = 10**7  # of a dense matrix that stands for single connections


class ShapedMixin(_ModuleClass):
    """A layer that treats all time steps alike, each an array of some axes, without state.

    The shape of the module, as of any other, is ``(Nin, Nout)``, the numbers of entries. How axes
    become others is settled when it is made. To be combined with a class of modules; a subclass has
    `_geometry_of` and `_applied`.
    """

    _geometry: Any  # has `shape_in` and `shape_out`
    # (class that the user constructs, arguments of its constructor) -> geometry
    _geometry_of: ClassVar[Any]

    def _declare(self, arguments: Mapping[str, Any], base_init: Callable[..., None]) -> None:
        geometry = type(self)._geometry_of(type(self).__name__, arguments)
        super()._declare(arguments, base_init)
        self._geometry = geometry

    def _declare_attribute(self, spec: Spec, shape: Shape, arguments: Mapping[str, Any]) -> None:
        if not isinstance(spec, SettingSpec):  # those are the geometry's, and for good
            super()._declare_attribute(spec, shape, arguments)

    @property
    def shape_in(self) -> Shape:
        """The axes of one time step of the input."""
        shape: Shape = self._geometry.shape_in
        return shape

    @property
    def shape_out(self) -> Shape:
        """The axes of one time step of the output."""
        shape: Shape = self._geometry.shape_out
        return shape

    @property
    def _shape_in(self) -> Shape:
        return self.shape_in

    @property
    def _shape_out(self) -> Shape:
        return self.shape_out

    def evolve(
        self, input_data: Any, record: bool = False
    ) -> tuple[Any, dict[str, Any], dict[str, Any]]:
        """Return the output, without state and without record.

        Input of the shape (B, T, *shape_in) gives output of the shape (B, T, *shape_out). It may
        also be (T, *shape_in), for one batch element, or flat in C order, (B, T, Nin) or (T, Nin).
        What can be read as (B, T, Nin) is that: with a `shape_in` of (1, Nin), steps of one batch
        element are (1, T, 1, Nin).
        """
        data, _ = self._auto_batch(input_data)
        return self._of_steps(data), {}, {}

    def _of_steps(self, data: Any) -> Any:
        """Return output (B, T, *shape_out) for input (B, T, Nin)."""
        leading = data.shape[:2]
        output = self._applied(data.reshape((math.prod(leading), *self.shape_in)))
        return output.reshape((*leading, *self.shape_out))

    def _applied(self, steps: Any) -> Any:
        """Return output (M, *shape_out) for M time steps (M, *shape_in)."""
        raise NotImplementedError

    def _check_dense(self) -> None:
        """Raise a NotImplementedError if there would be too many dense weights."""
        size = math.prod(self.shape_in) * math.prod(self.shape_out)
        if size > MOST_WEIGHTS:
            raise NotImplementedError(
                f"{self._label}: its graph would have {size} weights, {MOST_WEIGHTS} are the most"
            )


class WindowsMixin(ShapedMixin):
    """A layer that goes over windows of its input; see `Geometry`."""

    _geometry: Geometry

    def as_graph(self) -> rockpool.graph.LinearWeights:
        """Return the layer as dense weights; too many are a NotImplementedError."""
        from rockpool.graph.from_modules import linear_graph

        self._check_dense()
        geometry, kernels = self._geometry, getattr(self, "weight", None)
        weights = dense(geometry, None if kernels is None else to_numpy(kernels))
        if self._model.name == "AvgPool2d":
            weights /= math.prod(self.kernel_size)
        biases = getattr(self, "bias", None)
        if biases is not None:
            along = np.broadcast_to(to_numpy(biases), (geometry.n_channels,))
            biases = along.repeat(math.prod(geometry.axes_out))
        return linear_graph(self, weights, biases)

    @property
    def kernel_size(self) -> Shape:
        """Entries of a window, along each axis."""
        return self._geometry.kernel_size

    @property
    def stride(self) -> Shape:
        """How far windows are apart, along each axis."""
        return self._geometry.stride

    @property
    def padding(self) -> Padding:
        """Zeros on both sides of each axis; pairs, before and behind, where these differ."""
        return self._geometry.padding
