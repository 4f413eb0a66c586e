"""Spikes in SONATA's HDF5: ``spikes/POPULATION`` with node_ids and timestamps.

The unit that the times say is applied; what the file says of their order is not trusted, nor
needed.

Source: K. Dai et al. (2020), The SONATA data format for efficient description of large-scale
network models, PLoS Computational Biology 16, e1007696.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any

import h5py
import numpy as np
from numpy.typing import NDArray

from rockpool.data.formats.columns import channel_events, ticks_of, unit_named
from rockpool.data.formats.hdf5 import array_of, opened
from rockpool.data.recording import TICKS, Recording
from rockpool.files.tensors import FileFormatError, shown

__all__ = ["read", "write"]

_MAGIC = 0x0A7A
_SORTING = h5py.enum_dtype({"none": 0, "by_id": 1, "by_time": 2}, basetype=np.uint8)


def read(
    path: str,
    *,
    population: str | None = None,
    time_unit: str | None = None,
    n_channels: int | None = None,
) -> Iterator[Recording]:
    """Read a file.

    Parameters
    ----------
    path : str
        The file.
    population : str, optional
        Which one. Default: the only one.
    time_unit : str, optional
        s, ms, us or ns. Default: what the file says.
    n_channels : int, optional
        Number of nodes. Default: what `write` noted, or as many as the events need.
    """
    with opened(path) as file:
        spikes = file.get("spikes")
        groups = spikes if isinstance(spikes, h5py.Group) else {}
        names = [name for name, group in groups.items() if isinstance(group, h5py.Group)]
        if population is None and len(names) != 1:
            raise FileFormatError(
                f"{path}: it must have one population, got {len(names)}"
                + (f"; give population, one of {shown(', '.join(names))}" if names else "")
            )
        name = names[0] if population is None else population
        if name not in names:
            raise ValueError(
                f"{path}: population must be one of {shown(', '.join(names))}, got {name!r}"
            )
        group = groups[name]
        said = time_unit
        if said is None:
            said = _text(group["timestamps"].attrs.get("units")) if "timestamps" in group else None
        if said is None:
            raise FileFormatError(
                f"{path}: its timestamps do not say their unit; give time_unit, 'ms' or another"
            )
        unit = unit_named(path, said)
        noted = group.attrs.get("n_channels")
        times, nodes = array_of(path, group, "timestamps"), array_of(path, group, "node_ids")
    if n_channels is None and isinstance(noted, np.integer) and noted > nodes.max(initial=0):
        n_channels = int(noted)
    ticks, tick = ticks_of(path, times, unit, as_stored="ns")
    yield Recording(
        channel_events(path, ticks, nodes),
        unit=tick,
        n_channels=n_channels,
        source=path,
        format="sonata",
        info={"population": name},
    )


def _text(value: Any) -> str | None:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return None if value is None else str(value)


def write(recording: Recording, file: IO[bytes]) -> None:
    """Write the spikes of a recording, in the order of their times, in milliseconds.

    Raises
    ------
    ValueError
        The file would have other times, or its population a name that none can have.
    """
    order = np.argsort(recording.events["t"], kind="stable")
    ticks = recording.events["t"][order]
    times = ticks / (TICKS[recording.unit] / 1000)
    _require_times(ticks, times, recording.unit)
    population = recording.info.get("population", "cells")
    if not isinstance(population, str) or not population.strip(".") or set(population) & set("/\0"):
        raise ValueError(
            f"write: info['population'] must be a name without '/', got {population!r}"
        )
    with h5py.File(file, "w") as out:
        out.attrs["magic"] = np.uint32(_MAGIC)
        out.attrs["version"] = np.array([0, 1], dtype=np.uint32)
        group = out.create_group(f"spikes/{population}")
        group.attrs.create("sorting", 2, dtype=_SORTING)
        if recording.n_channels > 1 + recording.channels.max(initial=-1):  # silent ones
            group.attrs["n_channels"] = recording.n_channels  # which SONATA has no place for
        group["node_ids"] = recording.channels[order].astype(np.uint64)
        group["timestamps"] = times
        group["timestamps"].attrs["units"] = "ms"


def _require_times(ticks: NDArray[np.int64], times: NDArray[np.float64], unit: str) -> None:
    """Require that times in milliseconds are read as the ticks that they are of."""
    try:
        found, _ = ticks_of("", times, "ms", as_stored="ns")
    except FileFormatError:
        found = np.full_like(ticks, -1)
    ratio = 10**9 // TICKS[unit]
    changed = np.flatnonzero((found // ratio != ticks) | (found % ratio != 0))
    if len(changed):
        raise ValueError(
            "write: the times of SONATA are milliseconds in double precision, which cannot hold "
            f"{ticks[changed[0]]} {unit}; take an offset from the times, or another format"
        )
