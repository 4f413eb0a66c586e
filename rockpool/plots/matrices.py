"""Weights as images: `weights`."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from rockpool.nn.conversion import describe
from rockpool.nn.description import Node
from rockpool.plots.canvas import centred, new_figure, whole_numbers

__all__ = ["weights"]


def weights(network: Any) -> Any:
    """Draw the weights of a network: an image for each matrix, red above zero and blue below.

    Parameters
    ----------
    network : Module or Node
        A layer or a network of any back-end, or a description of one.

    Returns
    -------
    matplotlib.figure.Figure
        With a panel for each parameter of the family "weights", (Nin, Nout) or, of recurrent ones,
        (Nout, Nin): to the right is the neuron that gets the input, upward from 0 whence it comes.

    Raises
    ------
    TypeError
        `network` is no module.
    ValueError
        It has no weights.
    ModuleNotFoundError
        There is no matplotlib (``pip install "matplotlib>=3.7"``).

    Examples
    --------
    >>> from rockpool.nn.modules import Linear
    >>> from rockpool.plots import weights
    >>> weights(Linear((8, 4))).savefig("weights.png")               # doctest: +SKIP
    """
    node = network if isinstance(network, Node) else describe(network)
    matrices = dict(_matrices(node))
    if not matrices:
        raise ValueError(f"weights: {node.model} {node.shape} has no weights")
    n_columns = min(3, len(matrices))
    n_rows = math.ceil(len(matrices) / n_columns)
    figure = new_figure(1.0 + 3.4 * n_columns, 0.4 + 2.8 * n_rows)
    axes = figure.subplots(n_rows, n_columns, squeeze=False).flat
    # the matrices first: zip takes no panel then that it has no matrix for
    for (name, matrix), ax in zip(matrices.items(), axes, strict=False):
        finite = matrix[np.isfinite(matrix)]
        most = float(np.abs(finite).max(initial=0.0)) or 1.0
        image = ax.imshow(matrix, aspect="auto", origin="lower", **centred(-most, most))
        figure.colorbar(image, ax=ax)
        size = " x ".join(map(str, matrix.shape))
        ax.set_title(f"{name} ({size})", fontsize="medium")
        ax.set(xlabel="To", ylabel="From")
        for axis in (ax.xaxis, ax.yaxis):
            whole_numbers(axis)
    for ax in axes:  # those left over in the last row
        ax.remove()
    return figure


def _matrices(node: Node) -> Iterator[tuple[str, np.ndarray]]:
    """Go over the weights of a network as matrices with something in them, by name."""
    for path, inner in node.walk():
        for name, value in inner.parameters.items():
            if value.family == "weights" and value.array.size:
                array = value.array
                matrix = array.reshape(len(array), -1) if array.ndim > 1 else array.reshape(1, -1)
                yield ".".join((*path, name)), matrix
