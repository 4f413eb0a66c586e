"""What the commands about networks share: their file, their input, and a raster of spikes."""

from __future__ import annotations

import os
import zlib
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

from rockpool.backends.plain_text import said_by
from rockpool.cli._output import CommandError, tell
from rockpool.cli._recordings import holds_events, recorded_input
from rockpool.cli._requirements import need, require_regular

if TYPE_CHECKING:
    from numpy import ndarray

    from rockpool.files import NetworkFile
    from rockpool.nn.description import Node
else:  # for those who check annotations at run time
    ndarray = NetworkFile = Node = Any

# What numpy and zipfile raise for files that are cut off, damaged or of another kind
_DAMAGED = (ValueError, EOFError, BadZipFile, zlib.error, NotImplementedError, RuntimeError)

__all__ = ["described_file", "input_data", "network_and_input", "network_file", "time_step"]

HDF5 = b"\x89HDF\r\n\x1a\n"

ENDINGS = (".npy", ".npz", ".csv")


def network_and_input(command: str, words: list[str], needs_input: bool) -> tuple[str, str]:
    """Return the words NET and INPUT; a missing INPUT is "" where none is needed."""
    usage = f"rockpool {command} NET " + ("INPUT" if needs_input else "[INPUT]")
    if not words or len(words) > 2 or (needs_input and len(words) < 2):
        raise CommandError(f"usage: {usage}", code=2, hint=f"See 'rockpool {command} --help'.")
    return words[0], words[1] if len(words) > 1 else ""


def network_file(path: str) -> NetworkFile:
    """Read the description of a network, or say why that does not work; tell what was assumed."""
    header = described_file(path)
    if "not in the file" in header.notes and hasattr(header, "source"):
        for warning in header.source.warnings:
            tell(f"{path}: {warning}\n")
    return header


def described_file(path: str) -> NetworkFile:
    """Read the description of a network, or say why that does not work."""
    need("numpy", "networks are read with numpy")
    require_regular(path)
    try:
        return _header(path)
    except OSError as error:
        raise CommandError(f"cannot read {path!r}: {error.strerror or error}") from error
    except ValueError as error:
        raise CommandError(str(error)) from error


def _header(path: str) -> NetworkFile:
    """Return what a file of safetensors or of NIR, as its first bytes say, has."""
    with open(path, "rb") as file:
        is_nir = file.read(8) == HDF5
    if is_nir:
        need("nir", "files of NIR are read with nir")
        from rockpool.nir import read_nir_header

        return read_nir_header(path)
    from rockpool.files import read_header

    return read_header(path)


def time_step(node: Node) -> float:
    """Return the time step of a network in seconds; 1 ms where no layer has one."""
    return next((n.settings["dt"] for _, n in node.walk() if "dt" in n.settings), 1e-3)


def input_data(text: str, node: Node) -> ndarray:
    """Return the input (B, T, N) that the word INPUT names: a file, or ``digits``."""
    import numpy as np

    from rockpool.nn.description import flat_input

    channels = node.shape[0]
    if text == "digits":
        from rockpool.data import load_digit_spikes

        if channels not in (None, 64):
            raise CommandError(f"the digits have 64 channels, the network takes {channels}")
        return load_digit_spikes()[0]
    ending = os.path.splitext(text)[1].lower()
    if ending not in ENDINGS and not os.path.exists(text):
        raise CommandError(
            f"INPUT must be digits, or a file that ends in {', '.join(ENDINGS)}, or a recording; "
            f"there is no file {text!r}",
            code=2,
        )
    require_regular(text)
    try:
        if ending not in ENDINGS or holds_events(text, ending):
            return recorded_input(text, channels, time_step(node))
        array = _read(text, ending)
    except OSError as error:
        raise CommandError(f"cannot read {text!r}: {error.strerror or error}") from error
    except _DAMAGED as error:
        raise CommandError(f"cannot read {text!r}: {said_by(error)}") from error
    if array.dtype.kind not in "biuf":
        raise CommandError(f"{text!r} must hold real numbers, got {array.dtype}")
    array = flat_input(node, array)
    if array.ndim == 2:
        array = array[np.newaxis]
    if array.ndim != 3 or channels not in (None, array.shape[-1]):
        raise CommandError(
            f"{text!r} must have the shape (batch, time, {channels}) or (time, {channels}), "
            f"got {array.shape}"
        )
    if not array.size:
        what = "batch element" if not len(array) else "time step"
        raise CommandError(f"{text!r} must have at least one {what}, got the shape {array.shape}")
    floats = array.astype(np.float64)
    if not np.isfinite(floats).all():
        raise CommandError(f"{text!r} must hold finite numbers, got NaN or infinity")
    return floats


def _read(path: str, ending: str) -> Any:
    """Return the one array of a file."""
    import numpy as np

    if ending == ".csv":
        if not os.path.getsize(path):
            raise ValueError("it is empty")
        return np.loadtxt(path, delimiter=",", ndmin=2, dtype=np.float64, encoding="utf-8-sig")
    if ending == ".npy":
        return np.load(path, allow_pickle=False)
    with open(path, "rb") as file, np.load(file, allow_pickle=False) as loaded:
        names = loaded.files
        name = "input" if "input" in names else names[0] if len(names) == 1 else None
        if name is None:
            raise ValueError(f"it has the arrays {', '.join(names)}; one must be called 'input'")
        return loaded[name]
