"""Files of NIR with what their networks did, and files made node by node.

``tests/nir/cases.tar.xz`` has them as the named packages wrote them: ``export/`` and ``first/``,
each NAME.nir with a NAME.npz of input ``x``, output ``y`` and the time step ``dt`` that the exporter
was given, if any; and ``import/``, files of nir itself with readings of its equations.
"""

from __future__ import annotations

import atexit
import shutil
import tarfile
import tempfile
from collections.abc import Mapping
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import h5py
import numpy as np

ARCHIVE = Path(__file__).resolve().parents[1] / "nir" / "cases.tar.xz"


@cache
def folder() -> Path:
    """The unpacked cases; the folder is removed at the end."""
    root = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(root, filter="data")
    return root


def names(part: str) -> list[str]:
    """The names of the cases in a part of the archive."""
    return sorted(path.stem for path in (folder() / part).glob("*.nir"))


def case(part: str, name: str) -> tuple[Path, dict[str, np.ndarray]]:
    """A file, and what its network did."""
    path = folder() / part / f"{name}.nir"
    with np.load(path.with_suffix(".npz")) as arrays:
        return path, dict(arrays)


def write(
    path: Path,
    nodes: Mapping[str, Any],
    edges: list[tuple[str, str]],
    version: str = "1.0.8",
    metadata: Mapping[str, Any] | None = None,
) -> Path:
    """Write a file of NIR: nodes are dicts of fields with their ``type``, or (nodes, edges)."""

    def put(group: h5py.Group, fields: Mapping[str, Any]) -> None:
        for key, value in fields.items():
            if isinstance(value, Mapping):
                put(group.create_group(key), value)
            elif isinstance(value, str):
                group.create_dataset(key, data=value, dtype=h5py.string_dtype())
            else:
                group.create_dataset(key, data=np.asarray(value))

    def graph(group: h5py.Group, nodes: Mapping[str, Any], edges: list[tuple[str, str]]) -> None:
        put(group, {"type": "NIRGraph"})
        inner = group.create_group("nodes")
        for name, node in nodes.items():
            if isinstance(node, tuple):
                graph(inner.create_group(name), *node)
            else:
                put(inner.create_group(name), node)
        pairs = np.array(edges, dtype=object).reshape(-1, 2)
        group.create_dataset("edges", data=pairs, dtype=h5py.string_dtype())

    with h5py.File(path, "w") as file:
        put(file, {"version": version})
        graph(file.create_group("node"), nodes, edges)
        if metadata:
            put(file["node"].create_group("metadata"), metadata)
    return path


def lif(size: int, **fields: Any) -> dict[str, Any]:
    """A LIF that adds its input as it is, at 1 ms."""
    values = {"tau": 0.02, "r": 20.0, "v_leak": 0.0, "v_threshold": 1.0, "v_reset": 0.0, **fields}
    return {"type": "LIF", **{k: np.zeros(size) + v for k, v in values.items() if v is not None}}


def linear(n_in: int, n_out: int, seed: int = 0, bias: bool = False) -> dict[str, Any]:
    """Random weights."""
    rng = np.random.default_rng(seed)
    node = {"type": "Affine" if bias else "Linear", "weight": rng.random((n_out, n_in))}
    return node | ({"bias": rng.random(n_out)} if bias else {})


def ends(n_in: Any, n_out: Any) -> dict[str, Any]:
    """The terminals."""
    return {
        "input": {"type": "Input", "shape": np.atleast_1d(n_in)},
        "output": {"type": "Output", "shape": np.atleast_1d(n_out)},
    }


def row(*inner: str) -> list[tuple[str, str]]:
    """Edges from the input through nodes in a row to the output."""
    path = ["input", *inner, "output"]
    return list(pairwise(path))
