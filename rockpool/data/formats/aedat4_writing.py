"""AEDAT4 files of the events of a sensor, written by dv-processing."""

from __future__ import annotations

import os
import shutil
import tempfile
from typing import IO

import dv_processing as dv
import numpy as np

from rockpool.data.recording import Recording

__all__ = ["write"]


def write(recording: Recording, file: IO[bytes]) -> None:
    """Write the events of a recording, in the order of their times."""
    if recording.sensor_size is None or recording.unit != "us":
        raise ValueError(
            "write: an AEDAT4 has the events of a sensor in microseconds, got channels or another "
            "unit"
        )
    height, width = recording.sensor_size
    events = recording.events[np.argsort(recording.events["t"], kind="stable")]
    if len(events) and events["t"][0] < 0:
        raise ValueError(f"write: an AEDAT4 has no times < 0, got {events['t'][0]} us")
    with tempfile.TemporaryDirectory() as folder:  # dv-processing opens files by their names
        path = os.path.join(folder, "events.aedat4")
        configuration = dv.io.MonoCameraWriter.EventOnlyConfig("rockpool", (width, height))
        writer = dv.io.MonoCameraWriter(path, configuration)
        store = dv.EventStore()
        for t, x, y, p in events.tolist():
            store.push_back(t, x, y, bool(p))
        writer.writeEvents(store)
        del writer  # which closes the file
        with open(path, "rb") as written:
            shutil.copyfileobj(written, file)
