"""What a file of NIR says of its network, as files of this package are told of: `NirFile`."""

from __future__ import annotations

import os
from dataclasses import dataclass

from rockpool.files import NetworkFile
from rockpool.nir.reading import described
from rockpool.nir.source import NirSource

__all__ = ["NirFile", "read_nir_header"]


@dataclass(frozen=True)
class NirFile(NetworkFile):
    """A file of NIR: as `NetworkFile`, and how it was read.

    Attributes
    ----------
    network, notes, library, package_version, size
        As for `NetworkFile`.
    source : NirSource
        How it was read.
    """

    source: NirSource

    @property
    def written_by(self) -> str:
        """What wrote the file."""
        return f"nir {self.package_version}" if self.package_version else "nir"


def read_nir_header(path: str | os.PathLike[str]) -> NirFile:
    """Return the description of the network in a file of NIR, and how it was read.

    Raises
    ------
    FileFormatError, OSError
        As for `rockpool.nir.from_nir`.
    """
    node, found = described(path)
    notes = {
        "read as": f"{found.dialect} ({'; '.join(found.why)})",
        "time step": f"{found.dt:g}, from {found.dt_from}",
        "equations": "; ".join(found.assumed),
    }
    if found.warnings:
        notes["not in the file"] = "; ".join(found.warnings)
    return NirFile(node, notes, "numpy", found.nir_version, os.stat(path).st_size, found)
