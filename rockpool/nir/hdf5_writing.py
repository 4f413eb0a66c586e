"""Files of NIR, written: a graph as groups of HDF5, whole or not at all."""

from __future__ import annotations

import io
from typing import Any

import h5py
import numpy as np

from rockpool.nir.graph import Graph, GraphNode
from rockpool.utilities._atomic import replacing

__all__ = ["write_graph"]


def write_graph(path: str, graph: Graph) -> None:
    """Write a graph to a file, which is replaced as a whole or stays as it was.

    Parameters
    ----------
    path : str
        The file.
    graph : Graph
        The graph; its version is that which the file says.

    Raises
    ------
    OSError
        The file cannot be written.
    """
    memory = io.BytesIO()
    with h5py.File(memory, "w") as file:
        file.create_dataset("version", data=graph.version, dtype=h5py.string_dtype())
        _write(file.create_group("node"), graph)
    with replacing(path, "wb") as opened:
        opened.write(memory.getvalue())


def _write(group: h5py.Group, node: Graph | GraphNode) -> None:
    if isinstance(node, Graph):
        _put(group, "type", "NIRGraph")
        nodes = group.create_group("nodes")
        for name, inner in node.nodes.items():
            _write(nodes.create_group(name), inner)
        edges = np.array(node.edges, dtype=object).reshape(-1, 2)
        group.create_dataset("edges", data=edges, dtype=h5py.string_dtype())
    else:
        _put(group, "type", node.kind)
        for key, value in node.fields.items():
            _put(group, key, value)
    if node.metadata:
        held = group.create_group("metadata")
        for key, value in node.metadata.items():
            _put(held, key, value)


def _put(group: h5py.Group, key: str, value: Any) -> None:
    if isinstance(value, str):
        group.create_dataset(key, data=value, dtype=h5py.string_dtype())
    elif isinstance(value, np.ndarray) and value.ndim:
        group.create_dataset(key, data=value, compression="gzip")
    else:
        group.create_dataset(key, data=value)
