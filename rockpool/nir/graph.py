"""A graph of NIR as the reader and the writer hold it: `Graph`, of plain nodes with their fields.

It knows no version of the package `nir`: what 1.0.4 and 1.0.8 hold differently (``v_reset``,
``CubaLI``) is settled where a graph comes in and where it goes out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rockpool.files.tensors import FileFormatError, shown
from rockpool.nn.models.checks import one_of

__all__ = ["FIELDS", "INPUT", "NEURONS", "OUTPUT", "SPIKING", "Graph", "GraphNode", "checked_node"]

INPUT, OUTPUT = "Input", "Output"

# The fields of each type of node: those that it must have, and those that files may lack
FIELDS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    INPUT: (("shape",), ()),
    OUTPUT: (("shape",), ()),
    "Linear": (("weight",), ()),
    "Affine": (("weight", "bias"), ()),
    "Scale": (("scale",), ()),
    "Conv1d": (("weight", "stride", "padding", "dilation", "groups", "bias"), ("input_shape",)),
    "Conv2d": (("weight", "stride", "padding", "dilation", "groups", "bias"), ("input_shape",)),
    "SumPool2d": (("kernel_size", "stride", "padding"), ()),
    "AvgPool2d": (("kernel_size", "stride", "padding"), ()),
    "Flatten": (("start_dim", "end_dim"), ("input_type",)),
    "I": (("r",), ()),
    "Delay": (("delay",), ()),
    "Threshold": (("threshold",), ()),
    "IF": (("r", "v_threshold"), ("v_reset",)),
    "LI": (("tau", "r", "v_leak"), ()),
    "LIF": (("tau", "r", "v_leak", "v_threshold"), ("v_reset",)),
    "CubaLI": (("tau_mem", "tau_syn", "r", "v_leak"), ("w_in",)),
    "CubaLIF": (("tau_mem", "tau_syn", "r", "v_leak", "v_threshold"), ("v_reset", "w_in")),
}
SPIKING = ("IF", "LIF", "CubaLIF")
NEURONS = (*SPIKING, "LI", "CubaLI")

# What is infinite where nothing decays: snntorch writes r = tau / dt
_MAY_BE_INFINITE = frozenset({"tau", "tau_mem", "tau_syn", "r", "w_in"})
# What nir itself leaves in some nodes, and which says nothing of its own
_EMPTY_WORDS = frozenset({"input_type", "output_type"})


@dataclass(frozen=True)
class GraphNode:
    """One node of a graph.

    Attributes
    ----------
    kind : str
        Its type: a key of `FIELDS`.
    fields : dict
        Arrays, whole numbers and texts by name.
    metadata : dict
        What the writer noted.
    unknown : tuple of str
        Fields that the type has not.
    """

    kind: str
    fields: dict[str, Any]
    metadata: dict[str, Any] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True)
class Graph:
    """Nodes by name, and edges between them.

    Attributes
    ----------
    name : str
        What messages call it: the file.
    nodes : dict of GraphNode or Graph by name
        The nodes; a Graph is one of its own inside.
    edges : list of pairs of names
        From a node, to a node.
    metadata : dict
        What the writer noted.
    version : str
        The version of `nir` that wrote it; "" where that is not said.
    """

    name: str
    nodes: dict[str, GraphNode | Graph]
    edges: list[tuple[str, str]]
    metadata: dict[str, Any] = field(default_factory=dict)
    version: str = ""

    def of_kind(self, *kinds: str) -> dict[str, GraphNode]:
        """Return the nodes of some types, those of inner graphs too, by their names with dots."""
        found: dict[str, GraphNode] = {}
        for name, node in self.nodes.items():
            if isinstance(node, Graph):
                inner = node.of_kind(*kinds)
                found |= {f"{name}.{inner_name}": n for inner_name, n in inner.items()}
            elif node.kind in kinds:
                found[name] = node
        return found


def checked_node(where: str, kind: str, given: dict[str, Any], metadata: Any) -> GraphNode:
    """Return a node of which the fields are there and are of the kind that they must be.

    Parameters
    ----------
    where : str
        The file and the node, for messages.
    kind : str
        The type that the node says that it has.
    given : dict
        Its fields.
    metadata : dict
        What the writer noted.

    Raises
    ------
    FileFormatError
        The type is not known, a field is missing or is no number.
    """
    if kind not in FIELDS:
        raise FileFormatError(
            f"{where} is of the type {shown(kind)}, which this reader does not know; it knows "
            f"{one_of([*FIELDS, 'NIRGraph'])}"
        )
    needed, optional = FIELDS[kind]
    missing = [name for name in needed if name not in given]
    if missing:
        raise FileFormatError(f"{where}: a {kind} has no {missing[0]}")
    fields = {
        name: _number(f"{where}: {name}", name, given[name])
        for name in (*needed, *optional)
        if name in given and not _is_absent(given[name])
    }
    for name in needed:
        if name not in fields:
            raise FileFormatError(f"{where}: {name} of a {kind} has no value")
    unknown = tuple(sorted(set(given) - set(needed) - set(optional) - _EMPTY_WORDS))
    return GraphNode(kind, fields, dict(metadata or {}), unknown)


def _is_absent(value: Any) -> bool:
    """Return whether a value stands for none."""
    return value is None or (isinstance(value, np.ndarray) and value.dtype == object)


def _number(where: str, name: str, value: Any) -> Any:
    """Return a field as an array of numbers in the byte order of the machine, or as a text."""
    if isinstance(value, str):
        if name == "padding" and value in ("same", "valid"):
            return value
        raise FileFormatError(f"{where} must be numbers, got {shown(value)}")
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise FileFormatError(f"{where} must be numbers: {error}") from error
    if array.dtype.kind not in "biuf":
        raise FileFormatError(f"{where} must be numbers, got {array.dtype}")
    if array.dtype.kind == "f":
        single = array.dtype.itemsize <= 4
        array = array.astype(np.float32 if single else np.float64)
        if np.isnan(array).any():
            raise FileFormatError(f"{where} has NaN in it")
        if np.isinf(array).any() and name not in _MAY_BE_INFINITE:
            raise FileFormatError(f"{where} has infinity in it")
    return array
