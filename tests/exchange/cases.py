"""What the exporters have in common: inputs, weights and the form in which a case is written.

Runs inside every environment of the matrix, so numpy is all that it needs. A case is two files:
``NAME.nir``, which the package wrote, and ``NAME.npz`` with the ``x`` (steps x channels, or steps x
channels x height x width) that its network was given, the ``y`` that came out, the output of its
first layer of neurons (``hidden``) and the ``dt`` that the exporter was given, if it takes one. All
of them are float32.
"""

from collections.abc import Callable
from pathlib import Path
from sys import argv

import numpy as np

STEPS = 100

# Inputs and outputs of the layers of the deep networks: with their neurons twelve nodes, so that
# "10" stands before "2" where names are sorted.
DEEP = ((8, 16), (16, 12), (12, 16), (16, 12), (12, 10), (10, 5))


def inputs(seed: int, *shape: int, steps: int = STEPS) -> np.ndarray:
    """Uniform numbers of 0 to 1, the same for the same seed.

    Parameters
    ----------
    seed : int
        Seed of the numbers.
    *shape : int
        Shape of one step.
    steps : int, default 100
        Number of steps.

    Returns
    -------
    numpy.ndarray
        The numbers, steps x shape, float32.
    """
    return np.random.default_rng(seed).random((steps, *shape), dtype=np.float32)


def weights(seed: int, *shape: int, gain: float = 1.0) -> np.ndarray:
    """Weights of which three in four excite, the same for the same seed.

    Parameters
    ----------
    seed : int
        Seed of the numbers.
    *shape : int
        Shape of the weights, outputs first.
    gain : float, default 1.0
        The largest weight; the smallest is a third of it below zero.

    Returns
    -------
    numpy.ndarray
        The weights, float32.
    """
    drawn = np.random.default_rng(1000 + seed).uniform(-1 / 3, 1.0, shape)
    return (gain * drawn).astype(np.float32)


def between(seed: int, low: float, high: float, *shape: int) -> np.ndarray:
    """One parameter for each neuron, uniform from low to high (float32)."""
    return np.random.default_rng(2000 + seed).uniform(low, high, shape).astype(np.float32)


def save(
    folder: Path,
    name: str,
    x: np.ndarray,
    y: np.ndarray,
    hidden: np.ndarray,
    dt: float | None = None,
) -> None:
    """Write what the network of a case did beside its file.

    Parameters
    ----------
    folder : Path
        Folder of the case.
    name : str
        Name of the case.
    x, y, hidden : numpy.ndarray
        Input, output and output of the first layer of neurons, steps first.
    dt : float, optional
        The step that the exporter was given, in seconds.
    """
    arrays = {"x": x, "y": y, "hidden": hidden}
    arrays = {key: np.asarray(value, dtype=np.float32) for key, value in arrays.items()}
    if dt is not None:
        arrays["dt"] = np.asarray(dt)
    np.savez(folder / f"{name}.npz", **arrays)
    print(f"{name}: hidden {hidden.sum():.6g}, output {y.sum():.6g} over {len(y)} steps")


def write_all(cases: dict[str, Callable[[Path, str], None]]) -> None:
    """Write the cases into the folder that the command line names.

    A case that its package cannot export is said, with the error, and the others are written.

    Parameters
    ----------
    cases : dict
        For each name of a case, what writes it: called with the folder and the name.
    """
    folder = Path(argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, write in cases.items():
        try:
            write(folder, name)
        except Exception as error:
            print(f"{name}: not exported, {type(error).__name__}: {error}")
            (folder / f"{name}.nir").unlink(missing_ok=True)
