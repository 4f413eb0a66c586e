"""The Heidelberg spike sets (SHD, SSC): spoken words as spikes of 700 channels, in HDF5.

``spikes/times`` has for each sample a list of times in seconds, mostly of float16,
``spikes/units`` the channels, ``labels`` the words.

Source: B. Cramer et al. (2022), The Heidelberg Spiking Data Sets for the Systematic Evaluation of
Spiking Neural Networks, IEEE Transactions on Neural Networks and Learning Systems 33, 2744.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import h5py
import numpy as np

from rockpool.data.formats.columns import channel_events, ticks_of
from rockpool.data.formats.hdf5 import check_lists, opened
from rockpool.data.recording import Recording
from rockpool.files.tensors import FileFormatError

__all__ = ["read"]

_N_CHANNELS = 700


def read(
    path: str, *, sample: int | None = None, n_channels: int | None = None
) -> Iterator[Recording]:
    """Read a file.

    Parameters
    ----------
    path : str
        The file.
    sample : int, optional
        Only this one. Default: all.
    n_channels : int, optional
        Number of channels. Default: 700.
    """
    with opened(path) as file:
        times, units = file["spikes/times"], file["spikes/units"]
        if times.ndim != 1 or times.shape != units.shape:
            raise FileFormatError(
                f"{path}: spikes/times and spikes/units must be lists of the same length, got "
                f"{times.shape} and {units.shape}"
            )
        for dataset in (times, units):
            check_lists(path, dataset)
        n_samples = len(times)
        if sample is not None and not 0 <= sample < n_samples:
            raise ValueError(f"{path}: sample must be from 0 to {n_samples - 1}, got {sample}")
        for number in range(n_samples) if sample is None else [sample]:
            seconds = np.atleast_1d(np.asarray(times[number]))
            ticks, unit = ticks_of(path, seconds, "s")
            yield Recording(
                channel_events(path, ticks, np.atleast_1d(np.asarray(units[number]))),
                unit=unit,
                n_channels=_N_CHANNELS if n_channels is None else n_channels,
                source=path,
                format="shd",
                info={
                    "sample": number,
                    "samples": n_samples,
                    "time_dtype": str(seconds.dtype),
                    **_said(file, number),
                },
            )


def _said(file: h5py.File, number: int) -> dict[str, Any]:
    """Return the label of a sample, its word and its speaker, as far as they are there."""
    said: dict[str, Any] = {}
    labels = file.get("labels")
    if isinstance(labels, h5py.Dataset) and number < len(labels):
        said["label"] = int(labels[number])
        words = file.get("extra/keys")
        if isinstance(words, h5py.Dataset) and said["label"] < len(words):
            word = words[said["label"]]
            said["word"] = word.decode("utf-8", "replace") if isinstance(word, bytes) else str(word)
    speakers = file.get("extra/speaker")
    if isinstance(speakers, h5py.Dataset) and number < len(speakers):
        said["speaker"] = int(speakers[number])
    return said
