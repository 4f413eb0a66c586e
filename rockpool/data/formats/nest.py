"""What NEST's recording backend ``ascii`` writes for a spike recorder.

Lines of comments, a line of names, then a line for each spike with the number of the neuron and,
as the recorder's `time_in_steps` was, the time in milliseconds or a number of time steps and by how
many milliseconds the spike came before the end of the last one.

Source: NEST 3.10, Store recordings to files,
https://nest-simulator.readthedocs.io/en/stable/devices/record_from_simulations.html
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from rockpool.data.binning import exact_seconds
from rockpool.data.formats.columns import channel_events, ticks_of
from rockpool.data.formats.text_table import read_table
from rockpool.data.recording import Recording
from rockpool.files.tensors import FileFormatError, shown

__all__ = ["read"]

_TIMES = ["sender", "time_ms"]
_STEPS = ["sender", "time_step", "time_offset"]


def read(
    path: str,
    *,
    first_id: int = 1,
    resolution: float | int | None = None,
    n_channels: int | None = None,
) -> Iterator[Recording]:
    """Read a file.

    Parameters
    ----------
    path : str
        The file.
    first_id : int
        The neuron that becomes channel 0. Default: 1, as NEST counts.
    resolution : float, optional
        Length of a time step of the simulation in seconds, which a file with steps does not say.
    n_channels : int, optional
        Number of channels. Default: as many as the events need.
    """
    table = read_table(path)
    if table.names not in (_TIMES, _STEPS):
        recorded = [name for name in table.names if name not in (*_TIMES, *_STEPS)]
        what = (
            f"it records {shown(', '.join(recorded))}, as a multimeter does; " if recorded else ""
        )
        raise FileFormatError(
            f"{path}: {what}spikes have the columns {', '.join(_TIMES)} or {', '.join(_STEPS)}"
        )
    values = table.numbers(range(len(table.names)))
    if table.names == _TIMES:
        ticks, unit = ticks_of(path, values[1], "ms")
    else:
        if resolution is None:
            raise FileFormatError(
                f"{path}: its times are in time steps; give resolution, the length of one in "
                "seconds"
            )
        step = exact_seconds("read", "resolution", resolution) * 10**9
        if step <= 0 or step.denominator != 1:
            raise ValueError(
                f"read: resolution must be a whole number of nanoseconds, > 0, got {resolution!r} s"
            )
        steps, _ = ticks_of(path, values[1], "ns")
        offsets, unit = ticks_of(path, values[2], "ms")
        most = int(np.abs(steps).max(initial=0))
        if most * step > 2**61:
            raise FileFormatError(f"{path}: a time step is too large, got {most}")
        ticks = steps * int(step) - offsets
    yield Recording(
        channel_events(path, ticks, values[0] - first_id),
        unit=unit,
        n_channels=n_channels,
        source=path,
        format="nest",
        info={"first_id": first_id},
    )
