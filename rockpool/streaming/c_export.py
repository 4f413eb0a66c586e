"""A network as C: `export_c`."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from rockpool.nn.conversion import build, describe
from rockpool.nn.description import Node, Value
from rockpool.nn.kernels import operations as op
from rockpool.nn.models.checks import one_of
from rockpool.streaming.c_source import KINDS, MARK, c_files, quantised
from rockpool.streaming.compilation import compiled_plan
from rockpool.utilities._atomic import check_path, replacing

__all__ = ["WEIGHTS", "CExport", "export_c"]

WEIGHTS = ("float32", "int8")


@dataclass(frozen=True, eq=False)
class CExport:
    """What `export_c` has written.

    Attributes
    ----------
    paths : list of str
        The files.
    weights : str
        "float32" or "int8".
    description : Node
        The network that the files are, with the weights that they have, in single precision; to be
        streamed, built or compared.
    network : Module
        The same as a network of numpy.
    """

    paths: list[str]
    weights: str
    description: Node

    @cached_property
    def network(self) -> Any:
        """The network that the files are, on numpy; a ValueError where numpy has not its models."""
        return build(self.description, "numpy", dtype="float32")


def export_c(network: Any, directory: str | os.PathLike[str], weights: str = "float32") -> CExport:
    """Write a network as C99 that needs no library: ``net.h``, ``net.c`` and ``main.c``.

    The network computes in single precision. It gives, spike for spike, what `stream` gives with
    ``dtype="float32"`` (Rate and functions such as tanh are rounded as the library of C does).

    Parameters
    ----------
    network : Module or Node
        A network of any back-end, or its description.
    directory : path
        A folder, which is made where it is not there.
    weights : str, optional
        "float32", or "int8": each matrix of weights, recurrent ones too, becomes whole numbers from
        -127 to 127 times a scale of its own. The network of these weights is in what is returned.
        Default: "float32".

    Returns
    -------
    CExport

    Raises
    ------
    ValueError
        Another `weights`, or a module that cannot be streamed, or not in C, as convolutions, pools
        and `Scale`: each one is named.
    TypeError
        `network` is no module, or `directory` no path.
    FileExistsError
        A file of that name is there, and was not written by rockpool. Nothing is written then.
    OSError
        A file cannot be written.

    Examples
    --------
    >>> from rockpool.streaming import export_c
    >>> from rockpool.nn.modules import LIF
    >>> export_c(LIF(2), "made", weights="int8").paths           # doctest: +SKIP
    ['made/net.h', 'made/net.c', 'made/main.c']
    """
    if weights not in WEIGHTS:
        raise ValueError(f"export_c: weights must be {one_of(map(repr, WEIGHTS))}, got {weights!r}")
    folder = check_path("export_c", directory, "directory")
    node = network if isinstance(network, Node) else describe(network)
    plan = compiled_plan(node, "float32")
    kinds = plan.operations[1:, op.KIND]
    left = [part for part, kind in zip(plan.parts, kinds, strict=True) if kind not in KINDS]
    if left:
        listed = "".join(f"\n- {part.name!r}: {part.model} is not written in C" for part in left)
        raise ValueError(f"export_c: this network is streamed, but not in C:{listed}")
    files = c_files(plan, weights)
    os.makedirs(folder, exist_ok=True)
    paths = {os.path.join(folder, name): text for name, text in files.items()}
    for path in paths:
        _check_replaceable(path)
    for path, text in paths.items():
        with replacing(path, "w", "ascii") as file:
            file.write(text)
    return CExport(list(paths), weights, _with_weights(node, weights))


def _check_replaceable(path: str) -> None:
    """Raise where a file is there that somebody else has written."""
    try:
        with open(path, "rb") as file:
            if file.read(len(MARK)) == MARK.encode():
                return
    except FileNotFoundError:
        return
    raise FileExistsError(f"{path} is there already, and was not written by rockpool")


def _with_weights(node: Node, weights: str) -> Node:
    """Return a description with the parameters that the files have."""
    names = node.parameters if node.model == "FFwdStack" else ("weight", "w_rec")
    parameters = {}
    for name, value in node.parameters.items():
        array = np.asarray(value.array, np.float32)
        if weights == "int8" and name in names:
            whole, scale = quantised(array)
            array = whole.astype(np.float32) * scale
        parameters[name] = Value(array, value.family, value.constant)
    children = {name: _with_weights(child, weights) for name, child in node.children.items()}
    return replace(node, parameters=parameters, children=children)
