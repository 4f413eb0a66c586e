"""The dense linear layer in numpy, `Linear`, and the functions that draw initial weights."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Unpack

import numpy as np
from numpy.typing import DTypeLike

import rockpool.graph
from rockpool.nn.models import linear
from rockpool.nn.modules.module import Module, ModuleArguments, ModuleBase
from rockpool.typehints import ArrayLike

if TYPE_CHECKING:
    _ModuleClass = Module  # a mix-in's other base, for the type checker
else:
    _ModuleClass = object

__all__ = ["Linear", "LinearMixin", "kaiming", "uniform_sqrt", "unit_eigs", "xavier"]

Shape = tuple[int, ...]


def kaiming(s: Shape) -> np.ndarray:
    """Draw weights of shape `s` from U(-a, a) with ``a = sqrt(6 / s[0])``.

    K. He, X. Zhang, S. Ren, J. Sun, Delving deep into rectifiers, ICCV (2015).
    """
    limit = np.sqrt(6.0 / s[0])
    return np.random.uniform(-limit, limit, size=s)


def xavier(s: Shape) -> np.ndarray:
    """Draw weights of shape `s` from U(-a, a) with ``a = sqrt(6 / sum(s))``.

    X. Glorot, Y. Bengio, Understanding the difficulty of training deep feedforward neural
    networks, AISTATS (2010).
    """
    limit = np.sqrt(6.0 / np.sum(s))
    return np.random.uniform(-limit, limit, size=s)


def uniform_sqrt(s: Shape) -> np.ndarray:
    """Draw values of shape `s` from U(-a, a) with ``a = sqrt(1 / s[0])``."""
    limit = np.sqrt(1.0 / s[0])
    return np.random.uniform(-limit, limit, size=s)


def unit_eigs(s: Shape) -> np.ndarray:
    """Draw weights of shape `s` from N(0, 1 / s[0]).

    The eigenvalues of a square matrix of such weights lie near the unit disc.
    """
    return np.random.normal(size=s) / np.sqrt(s[0])


@np.errstate(invalid="ignore", over="ignore")
def _times(data: np.ndarray, weight: np.ndarray) -> Any:
    """Return ``data @ weight``; a single number scales the weights.

    With infinite input some processors come upon products in BLAS that are no part of the result,
    of which numpy would warn.
    """
    return data @ weight if data.ndim else data * weight


class LinearMixin(_ModuleClass):
    """What the linear layers of numpy and of jax share; to be combined with a module class.

    A subclass sets `_dot` and `_plus` to its back-end's functions.

    Parameters
    ----------
    shape, weight, bias, has_bias, weight_init_func, bias_init_func
        As for `Linear`.
    """

    _model = linear.LINEAR
    _dot: ClassVar[Callable[..., Any]] = staticmethod(_times)
    _plus: ClassVar[Callable[..., Any]] = staticmethod(operator.add)

    weight: Any
    bias: Any

    def __init__(
        self,
        shape: tuple[int, int],
        weight: ArrayLike | None = None,
        bias: ArrayLike | None = None,
        has_bias: bool = False,
        weight_init_func: Callable[[Shape], Any] | str = kaiming,
        bias_init_func: Callable[[Shape], Any] = uniform_sqrt,
        *args: Any,
        **kwargs: Unpack[ModuleArguments],
    ) -> None:
        if not isinstance(self, ModuleBase):
            owner = type(self).__name__
            raise TypeError(f"{owner}: LinearMixin must be combined with a class of modules")
        self._declare(locals(), super().__init__)

    def _declare_absent(self, name: str, shape: Shape) -> None:
        self.bias = 0

    def evolve(
        self, input_data: ArrayLike, record: bool = False
    ) -> tuple[Any, dict[str, Any], dict[str, Any]]:
        """Return ``input_data @ weight + bias``, without state and without record.

        Input of the shape (..., Nin) gives output of the shape (..., Nout); a single number scales
        the weights. One axis is time, as for all modules: (T,) is one channel, and gives (T, Nout).
        Another number of channels than Nin is a ValueError.
        """
        data = self._real_input(input_data)
        shape, size_in = data.shape, self._shape[0]
        if len(shape) == 1 and size_in == 1:
            data = data.reshape(-1, 1)
        elif shape and (shape[-1] != size_in or len(shape) == 1):
            raise self._other_channels(tuple(shape))
        output, bias = self._dot(data, self.weight), self.bias
        if type(bias) is not int or bias:  # else there is none
            output = self._plus(output, bias)
        self._require_finite_data(data, output)
        return output, {}, {}

    def _other_channels(self, shape: Shape) -> ValueError:
        """Return the error for input of a shape that has another number of channels."""
        size_in = self._shape[0]
        got, remedy = "", ""
        if len(shape) == 1:
            got = " time steps of one channel"
            remedy = f"; give one time step as (1, {size_in}), and T time steps as (T, {size_in})"
        return ValueError(
            f"{type(self).__name__}: input must have {size_in} channels (its last dimension), "
            f"got {shape[-1]}{got} in shape {shape}{remedy}"
        )

    def as_graph(self) -> rockpool.graph.LinearWeights:
        """Return the layer as one node of dense weights."""
        from rockpool.graph.from_modules import linear_graph

        has_bias = self._has_registered_attribute("bias")
        return linear_graph(self, self.weight, self.bias if has_bias else None)

    @classmethod
    def from_graph(cls, graph: rockpool.graph.GraphModule) -> LinearMixin:
        """Build a layer from a ``LinearWeights`` node, or from one that can be converted to it.

        Raises a ValueError if it cannot.
        """
        from rockpool.graph import LinearWeights

        node: Any = graph
        if not isinstance(graph, LinearWeights):
            node = LinearWeights._convert_from(graph)
        shape = (len(node.input_nodes), len(node.output_nodes))
        return cls(shape, weight=node.weights, bias=node.biases)


class Linear(LinearMixin, Module):
    """A dense linear layer: ``output = input @ weight + bias``.

    The layer has no time: it treats each time step of each batch element alike, and its output has
    as many dimensions as its input.

    Parameters
    ----------
    shape : tuple of int
        ``(Nin, Nout)``.
    weight : array_like, optional
        Weights, shape (Nin, Nout); drawn by `weight_init_func`.
    bias : array_like, optional
        Biases, shape (Nout,) or (); drawn by `bias_init_func` if `has_bias`. A bias that is given
        implies `has_bias`.
    has_bias : bool
        Whether the layer has biases. Default: False; the attribute `bias` is then the number 0.
    weight_init_func, bias_init_func : callable
        ``shape -> values``. Default: `kaiming` and `uniform_sqrt`. For weights also "spiking": such
        that LIF neurons with their default values pass on about as many spikes as they get, at
        about 50 Hz; `rockpool.training.init.spiking` fits the weights of a whole network.
    dtype : dtype
        As for `LIF`.

    Raises
    ------
    ValueError, TypeError
        As for `LIF`; `shape` must be two ints.

    Examples
    --------
    >>> import numpy as np
    >>> from rockpool.nn.modules import Linear
    >>> output, _, _ = Linear((2, 3), weight=np.ones((2, 3)))(np.ones((5, 2)))
    >>> output.shape, output[0, 0]
    ((5, 3), np.float64(2.0))
    """

    def __init__(
        self,
        shape: tuple[int, int],
        weight: ArrayLike | None = None,
        bias: ArrayLike | None = None,
        has_bias: bool = False,
        weight_init_func: Callable[[Shape], Any] | str = kaiming,
        bias_init_func: Callable[[Shape], Any] = uniform_sqrt,
        *args: Any,
        dtype: DTypeLike = np.float64,
        **kwargs: Unpack[ModuleArguments],
    ) -> None:
        self._declare(locals(), super(LinearMixin, self).__init__)

    def _require_finite_data(self, data: np.ndarray, output: np.ndarray) -> None:
        # each output of a single time step has all of its input in it, so that one tells
        if data.size != self._shape[0] or not -np.inf < output.item(0) < np.inf:
            super()._require_finite_data(data, output)

    def _dot(self, data: ArrayLike, weight: np.ndarray) -> np.ndarray:
        array = np.asarray(data, self._dtype)
        if array.ndim < 3 or len(array) < 2 or np.ndim(weight) != 2:
            return _times(array, weight)
        # one product: numpy would make one of each batch element
        output = _times(array.reshape(-1, array.shape[-1]), weight)
        return output.reshape(*array.shape[:-1], output.shape[-1])
