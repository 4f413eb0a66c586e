"""Event Stream (``.es``), read by event_stream; whether its rows count from below is up to you."""

from __future__ import annotations

from collections.abc import Iterator

import event_stream
import numpy as np

from rockpool.data.recording import SENSOR_EVENT, Recording
from rockpool.files.tensors import FileFormatError

__all__ = ["read"]


def read(
    path: str, *, flip_y: bool = False, sensor_size: tuple[int, int] | None = None
) -> Iterator[Recording]:
    """Read a file.

    Parameters
    ----------
    path : str
        The file.
    flip_y : bool
        Whether to turn the rows over. The format counts them from below, and many a writer does
        not. Default: False, the numbers of the file.
    sensor_size : tuple of int, optional
        Height and width in pixels. Default: what the header says.
    """
    with event_stream.Decoder(path) as decoder:
        if decoder.type != "dvs":
            raise FileFormatError(
                f"{path}: it holds events of the type {decoder.type!r}; those of 'dvs' are read"
            )
        height, width = sensor_size or (decoder.height, decoder.width)
        packets = []
        for packet in decoder:
            if len(packet) and (packet["x"].max() >= width or packet["y"].max() >= height):
                raise FileFormatError(
                    f"{path}: there are events outside of the {height} x {width} pixels"
                )
            events = np.empty(len(packet), dtype=SENSOR_EVENT)
            events["t"], events["x"], events["p"] = packet["t"], packet["x"], packet["p"]
            events["y"] = height - 1 - packet["y"].astype(np.int64) if flip_y else packet["y"]
            packets.append(events)
    yield Recording(
        np.concatenate([np.empty(0, dtype=SENSOR_EVENT), *packets]),
        sensor_size=(height, width),
        source=path,
        format="es",
        info={"flip_y": flip_y},
    )
