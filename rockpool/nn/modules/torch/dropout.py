"""Dropout of whole units and of time steps, in torch: `UnitDropout`, `TimeStepDropout`.

Elsewhere, where networks are not trained or have no dropout, `convert` makes of them what passes
all on.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, Unpack

import torch
from torch import Tensor

import rockpool.graph
from rockpool.nn.models import checks
from rockpool.nn.modules.torch._base.checks import same_in_and_out
from rockpool.nn.modules.torch.torch_module import TorchModule, TorchModuleArguments
from rockpool.parameters import SimulationParameter

__all__ = ["TimeStepDropout", "UnitDropout"]


def _probability(owner: str, name: str, value: Any) -> None:
    checks.scalar(owner, name, value)
    checks.within(owner, name, value, 0.0, 1.0)


def _probability_below_1(owner: str, name: str, value: Any) -> None:
    checks.scalar(owner, name, value)
    if not 0.0 <= float(value) < 1.0:
        raise ValueError(f"{owner}: {name} must be within [0, 1), got {value}")


class _Dropout(TorchModule):
    """Common part of the dropouts: active in training mode only, transparent in a graph."""

    _checks = MappingProxyType({"p": _probability})

    p: Any
    training: Any

    def __init__(
        self,
        shape: int | tuple[int, ...],
        p: float | int = 0.5,
        training: bool = True,
        *args: Any,
        **kwargs: Unpack[TorchModuleArguments],
    ) -> None:
        owner = type(self).__name__
        entries = same_in_and_out(owner, shape)
        self._checks["p"](owner, "p", p)
        super().__init__(*args, shape=entries, **kwargs)
        self.p = SimulationParameter(float(p))
        self.training = SimulationParameter(bool(training))

    def forward(self, data: Tensor) -> Tensor:
        """Return the data, in training mode with some of them put to zero."""
        data = self._input(data)
        return self._dropped(data) if self.training else data

    def _dropped(self, data: Tensor) -> Tensor:
        raise NotImplementedError

    def as_graph(self) -> rockpool.graph.GraphHolder:
        """Return a graph without modules, whose outputs are its inputs."""
        from rockpool.graph import GraphHolder, GraphNode
        from rockpool.graph.graph_base import SetList

        nodes = SetList([GraphNode() for _ in range(self.size_in)])
        name = f"{type(self).__name__}_{self.name}_{id(self)}"
        return GraphHolder(nodes, nodes, name, self)


class UnitDropout(_Dropout):
    """Put whole units to zero for the duration of a call, in training mode.

    For each batch element, each unit is dropped with the probability `p`, in all time steps; the
    others are scaled by ``1 / (1 - p)``, which keeps the mean.

    Parameters
    ----------
    shape : int or tuple of int
        Number of units, ``N``, ``(N,)`` or ``(N, N)``.
    p : float
        Probability to drop a unit, in [0, 1). Default: 0.5.
    training : bool
        Whether to start in training mode; ``train()`` and ``eval()`` switch. Default: True.

    References
    ----------
    N. Srivastava et al., Dropout: a simple way to prevent neural networks from overfitting, Journal
    of Machine Learning Research 15 (2014).

    Examples
    --------
    >>> import torch
    >>> from rockpool.nn.modules import UnitDropout
    >>> output, _, _ = UnitDropout(2, p=0.5).eval()(torch.ones(1, 1, 2))
    >>> output.tolist()
    [[[1.0, 1.0]]]
    """

    _checks = MappingProxyType({"p": _probability_below_1})

    def _dropped(self, data: Tensor) -> Tensor:
        kept = torch.rand((data.shape[0], 1, data.shape[2]), device=data.device) >= self.p
        return data * (kept / (1.0 - self.p)).to(data.dtype)


class TimeStepDropout(_Dropout):
    """Put single values to zero, in training mode.

    Each value in each time step is dropped with the probability `p`. The others stay as they are,
    so that spikes remain whole numbers.

    Parameters
    ----------
    shape, p, training
        As for `UnitDropout`, but that `p` may be 1.

    Examples
    --------
    >>> import torch
    >>> from rockpool.nn.modules import TimeStepDropout
    >>> output, _, _ = TimeStepDropout(2, p=1.0)(torch.ones(1, 1, 2))
    >>> output.tolist()
    [[[0.0, 0.0]]]
    """

    def _dropped(self, data: Tensor) -> Tensor:
        kept = torch.rand(data.shape, device=data.device) >= self.p
        return data * kept
