"""Spike trains that neo wrote, into NIX (HDF5) or a file of Matlab; each train is a channel."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import neo
import numpy as np

from rockpool.data.formats.columns import channel_events, ticks_of, unit_named
from rockpool.data.formats.mat_structure import checked_content
from rockpool.data.recording import Recording
from rockpool.files.tensors import FileFormatError

__all__ = ["read_mat", "read_nix"]


def read_nix(path: str, *, sample: int | None = None) -> Iterator[Recording]:
    """Read a ``.nix``; each segment is a recording, `sample` the number of the only one to read."""
    reader = neo.io.NixIO(path, "ro")
    try:
        blocks = reader.read_all_blocks()
    finally:
        reader.close()
    yield from _recordings(path, "nix", blocks, sample)


def read_mat(path: str, *, sample: int | None = None) -> Iterator[Recording]:
    """Read a ``.mat`` of neo; the argument is that of `read_nix`."""
    block = neo.io.NeoMatlabIO(io.BytesIO(checked_content(path))).read_block()
    yield from _recordings(path, "mat", [block] if block is not None else [], sample)


def _recordings(
    path: str, format: str, blocks: list[Any], sample: int | None
) -> Iterator[Recording]:
    segments = [segment for block in blocks for segment in block.segments]
    if not segments:
        raise FileFormatError(f"{path}: there is no segment in it")
    if sample is not None and not 0 <= sample < len(segments):
        raise ValueError(f"{path}: sample must be from 0 to {len(segments) - 1}, got {sample}")
    for number in range(len(segments)) if sample is None else [sample]:
        trains = segments[number].spiketrains
        ticks = [_ticks(path, train, np.asarray(train.magnitude)) for train in trains]
        channels = np.repeat(np.arange(len(trains)), [len(each) for each in ticks])
        ends = [
            float(_ticks(path, train, np.asarray(train.t_stop.magnitude))[0]) for train in trains
        ]
        yield Recording(
            channel_events(path, np.concatenate([np.empty(0, np.int64), *ticks]), channels),
            unit="ns",
            n_channels=len(trains),
            t_stop=max(ends) / 1e9 if ends else None,
            source=path,
            format=format,
            info={
                "names": [str(train.name) if train.name else "" for train in trains],
                **({"sample": number, "samples": len(segments)} if len(segments) > 1 else {}),
            },
        )


def _ticks(path: str, train: Any, values: np.ndarray) -> np.ndarray:
    """Return times of a train in nanoseconds."""
    unit = unit_named(path, str(train.units.dimensionality))
    return ticks_of(path, np.atleast_1d(values).astype(np.float64), unit, as_stored="ns")[0]
