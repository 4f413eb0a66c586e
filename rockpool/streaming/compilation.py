"""From a network to its plan: `compiled_plan`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from rockpool.nn.conversion import describe
from rockpool.nn.description import Node
from rockpool.nn.kernels import operations as op
from rockpool.nn.models.checks import precision
from rockpool.streaming.layers import add_module, obstacles
from rockpool.streaming.plan import Builder, Plan

__all__ = ["compiled_plan"]


def compiled_plan(network: Any, dtype: Any = None) -> Plan:
    """Return a network, or the description of one, as a plan.

    Parameters
    ----------
    network : Module or Node
        The network, or its description (`rockpool.describe`).
    dtype : str or dtype, optional
        "float32" or "float64". Default: the precision that the network has.

    Raises
    ------
    ValueError
        `dtype` is another one; or a module cannot be streamed: then each such module is named.
    TypeError
        `network` is no module, or has one that does not keep what it was made with.
    """
    node = network if isinstance(network, Node) else describe(network)
    node = node.without_dropout()
    kind = precision("stream", "dtype", _own_precision(node) if dtype is None else dtype)
    problems = list(obstacles(node))
    if problems:
        listed = "".join(f"\n- {problem}" for problem in problems)
        raise ValueError(f"this network cannot be streamed:{listed}")
    builder = Builder(kind)
    size_in = int(node.shape[0])  # type: ignore[arg-type]
    source = builder.room(size_in)
    target, size_out = add_module(builder, (), node, source, size_in)
    _add_scratch(builder)
    head = [op.WHOLE, source, target, size_in, size_out]
    head += [-1] * (op.COLUMNS - len(head))
    return Plan(
        dtype=kind,
        operations=np.array([head, *builder.rows], np.int64),
        numbers=np.concatenate([np.zeros(0, kind), *builder.numbers]),
        memory_size=builder.n_memory,
        slots=builder.slots,
        parts=builder.parts,
        dt=next(_time_steps(node), 0.0),
        branches=builder.branches,
    )


def _add_scratch(builder: Builder) -> None:
    """Make the room to compute in that operations share."""
    neurons = [row for row in builder.rows if row[op.KIND] in (op.LIF, op.RATE)]
    if not neurons:
        return
    arriving = builder.room(max(row[op.N_IN] for row in neurons))
    total = builder.room(max(row[op.N_OUT] for row in neurons))
    for row in neurons:
        row[op.ARRIVING], row[op.TOTAL] = arriving, total


def _own_precision(node: Node) -> str:
    """Return the precision of a network by that of its parameters."""
    types = {v.array.dtype.name for _, inner in node.walk() for v in inner.parameters.values()}
    return "float32" if "float32" in types else "float64"


def _time_steps(node: Node) -> Iterator[float]:
    """Go over the time steps of the modules in a network."""
    for _, inner in node.walk():
        if "dt" in inner.settings:
            yield float(inner.settings["dt"])
