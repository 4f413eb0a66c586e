"""What the importers have in common: the jobs, and how an output is held against the right one.

Runs inside every environment of the matrix, so numpy is all that it needs. An importer is called as
``import_NAME.py JOBS.json RESULTS.json``; each job names a ``file``, the ``case`` (.npz) with the
input and the right output. Its result is either what was seen or the error.
"""

import contextlib
import io
import json
import warnings
from collections.abc import Callable
from pathlib import Path
from sys import argv
from typing import Any

import numpy as np

# Membranes are sums of float32 numbers; spikes have to be the same.
CLOSE = {"rtol": 1e-4, "atol": 1e-5}

Opener = Callable[..., np.ndarray]
Teller = Callable[[str, dict[str, np.ndarray]], dict[str, Any]]


def compared(y: np.ndarray, right: np.ndarray) -> dict[str, Any]:
    """How far an output is the right one.

    Parameters
    ----------
    y, right : numpy.ndarray
        What came out and what should have, steps first.

    Returns
    -------
    dict
        ``equal``: the share of entries that are the same (0 to 1); ``sum`` of the output.

    Raises
    ------
    ValueError
        If the output has another number of entries.
    """
    y = np.asarray(y, dtype=np.float64)
    if y.size != right.size:
        raise ValueError(f"the output has the shape {y.shape}, the right one {right.shape}")
    same = np.isclose(y.reshape(right.shape), right, **CLOSE)
    return {"equal": float(same.mean()), "sum": float(np.round(y.sum(), 4))}


def read_nir(path: str) -> Any:
    """Read a file with the package nir, without its checks of types where those refuse it."""
    import nir

    try:
        return nir.read(path)
    except ValueError:
        return nir.read(path, type_check=False)


def stepped(network: Any, x: np.ndarray, batch: bool = True) -> np.ndarray:
    """Run a network of nirtorch on torch step by step.

    Parameters
    ----------
    network : torch.nn.Module
        Called with one step and the state, gives the output and the state.
    x : numpy.ndarray
        Input, steps first.
    batch : bool, default True
        Whether a step is given as a batch of one. Norse and snntorch take the axes of a Flatten as
        they stand in the file, so what they open is right without a batch only.

    Returns
    -------
    numpy.ndarray
        Output, steps first.
    """
    import torch

    out, state = [], None
    with torch.no_grad():
        for step in x:
            given = torch.tensor(step)
            result = network(given[None] if batch else given, state)
            y, state = result if isinstance(result, tuple) else (result, None)
            out.append(y[0] if batch else y)
    return torch.stack(out).numpy()


def the_step(file: str, case: dict[str, np.ndarray]) -> dict[str, Any]:
    """Return the time step that the exporter was given, as an argument ``dt``, if it was given one."""
    return {"dt": float(case["dt"])} if "dt" in case else {}


def run_all(open_and_run: Opener, told: Teller = lambda file, case: {}) -> None:
    """Do the jobs that the command line names and write the results.

    Parameters
    ----------
    open_and_run : callable
        Opens a file and gives its output: called with the path and the input, and with what it is
        told.
    told : callable, optional
        What a user knows of a case and the file does not hold: called with the path and the case,
        gives arguments. Where the first try does not give what the network did, a second one is
        made with them (``told`` in the result). Default: nothing.
    """
    jobs = json.loads(Path(argv[1]).read_text())
    results = []
    for job in jobs:
        file, case = job["file"], dict(np.load(job["case"]))
        result = {**job, **_tried(open_and_run, file, case, {})}
        known = told(file, case)
        if result.get("equal") != 1 and known:
            result["told"] = {"with": repr(known), **_tried(open_and_run, file, case, known)}
        results.append(result)
    Path(argv[2]).write_text(json.dumps(results, indent=1))


def _tried(
    open_and_run: Opener, file: str, case: dict[str, np.ndarray], known: dict[str, Any]
) -> dict[str, Any]:
    """What came of one file; whatever the package raises is a result too."""
    said = io.StringIO()
    with warnings.catch_warnings(record=True) as caught, contextlib.redirect_stdout(said):
        warnings.simplefilter("always")
        try:
            seen = compared(open_and_run(file, case["x"], **known), case["y"])
        except Exception as error:
            seen = {"error": f"{type(error).__name__}: {error}"}
    warned = [
        str(each.message) for each in caught if not issubclass(each.category, DeprecationWarning)
    ]
    return {**seen, "warnings": list(dict.fromkeys(warned))}
