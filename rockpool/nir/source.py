"""What the reader found out about a file of NIR: `NirSource`, the `nir_source` of a network."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["NirSource", "NirWarning"]


class NirWarning(UserWarning):
    """A file of NIR does not hold all that its network did, or all that a network does."""


@dataclass(frozen=True)
class NirSource:
    """Where a network comes from, and what was taken for what its file does not say.

    Attributes
    ----------
    name : str
        The file, or "the graph".
    dialect : str
        How the file was read: "nir", "snntorch", "norse", "sinabs", "spikingjelly", "spyx" or
        "rockpool".
    why : tuple of str
        The signs by which the dialect was found.
    dt : float
        The time step in seconds (steps where time constants are in steps).
    dt_from : str
        How it was found.
    assumed : tuple of str
        What the equations of the dialect are, and what was read into the file.
    warnings : tuple of str
        What the file does not hold, and what was taken instead.
    nir_version : str
        The version of `nir` that wrote the file; "" where that is not said.
    """

    name: str
    dialect: str
    why: tuple[str, ...]
    dt: float
    dt_from: str
    assumed: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    nir_version: str = ""
