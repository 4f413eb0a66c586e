"""Modules whose input is added to their output: :func:`Residual` and its native class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

import numpy as np

import rockpool.graph
from rockpool.nn.combinators._factory import container_class, lazy_classes
from rockpool.nn.combinators.sequential import SequentialMixin
from rockpool.nn.modules._module_base import Evolve
from rockpool.nn.modules.module import Module

if TYPE_CHECKING:
    from rockpool.nn.combinators import JaxResidual, TorchResidual
    from rockpool.nn.combinators._factory import JaxMember, Member, TorchMember

__all__ = ["ModResidual", "Residual", "ResidualMixin"]

__getattr__ = lazy_classes(__name__, "Residual")


class ResidualMixin(SequentialMixin):
    """What the residual containers of all back-ends have in common; see :func:`Residual`."""

    _model_name = "Residual"

    def __init__(self, *modules: Any, **kwargs: Any) -> None:
        super().__init__(*modules, **kwargs)
        self._check_square()

    def _check_square(self) -> None:
        if self.size_in != self.size_out:
            raise ValueError(
                f"{self._label}: input and output must have the same number of channels, "
                f"got {self.size_in} and {self.size_out}"
            )

    def evolve(
        self, input_data: Any, record: bool = False
    ) -> tuple[Any, dict[str, Any], dict[str, Any]]:
        """Evolve the modules one after the other, and add the input to the last output.

        Parameters, returned values and record are as for :meth:`SequentialMixin.evolve`; the
        record holds the outputs of the modules, without the input that is added.
        """
        self._check_square()
        return super().evolve(input_data, record)

    def _evolve_members(
        self, input_data: Any, record: bool
    ) -> tuple[Any, dict[str, Any], dict[str, Any]]:
        output, new_state, records = super()._evolve_members(input_data, record)
        return self._added(output, input_data), new_state, records

    def as_graph(self) -> rockpool.graph.GraphHolder:
        """Return the graph as :meth:`SequentialMixin.as_graph`, inputs as aliases of outputs."""
        from rockpool.graph import AliasConnection, LinearWeights, as_GraphHolder

        chain = super().as_graph()
        size = len(chain.input_nodes)
        # of layers that a graph looks through, the nodes are the same
        if list(chain.input_nodes) == list(chain.output_nodes):
            doubled = LinearWeights._factory(
                size, size, f"Residual_{self.name}_weights", self, 2 * np.eye(size)
            )
            return as_GraphHolder(doubled)
        aliases = AliasConnection(
            chain.input_nodes, chain.output_nodes, f"Residual_{self.name}_aliases", self
        )
        return as_GraphHolder(aliases)

    def _alike(self, data: Any, output: Any) -> Any:
        """Return input with the axes of the output, where input or output have several."""
        if len(self._shape_in) < 2 and len(self._shape_out) < 2:
            return data
        return data.reshape(output.shape)

    # -- hooks of a back-end ------------------------------------------------------------------

    def _added(self, output: Any, data: Any) -> Any:
        """Return the sum of output and input."""
        array = np.asarray(data, output.dtype if output.dtype.kind == "f" else None)
        return output + self._alike(array[:, np.newaxis] if array.ndim == 1 else array, output)


class ModResidual(ResidualMixin, Module):
    """Native modules, their input added to the output; made by :func:`Residual`, as it says."""

    evolve: Evolve[np.ndarray]


@overload
def Residual(*modules: TorchMember, **kwargs: Any) -> TorchResidual: ...
@overload
def Residual(*modules: JaxMember, **kwargs: Any) -> JaxResidual: ...
@overload
def Residual(*modules: Member, **kwargs: Any) -> ModResidual: ...


def Residual(*modules: Any, **kwargs: Any) -> Any:
    """Combine modules as :func:`Sequential` does, and add the input to the output.

    Parameters
    ----------
    *modules : Module, or dict of Module by name
        As for :func:`Sequential`. The last must have as many output channels as the first has input
        channels.
    **kwargs
        Keyword arguments of the module class of the back-end.

    Returns
    -------
    ModResidual, JaxResidual or TorchResidual
        The container; used as a sequential one.

    Raises
    ------
    ValueError, TypeError
        As for :func:`Sequential`; and if the numbers of input and output channels differ.

    References
    ----------
    K. He, X. Zhang, S. Ren, J. Sun, Deep residual learning for image recognition, CVPR (2016).
    """
    return container_class("Residual", modules)(*modules, **kwargs)
