"""Event and spike files as other packages write them, made of known events by numpy alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

CASES = Path(__file__).resolve().parents[1] / "data" / "cases"
GEOMETRY = "% geometry 128x128\n"


def dvs_truth() -> dict[str, np.ndarray]:
    """The 2000 events of a sensor of 128 x 128 pixels that the cases ``dvs_*`` have."""
    with np.load(CASES / "dvs_truth.npz") as arrays:
        return {name: arrays[name].astype(np.int64) for name in "txyp"}


def some_events(number: int, until: int, seed: int = 0, size: int = 128) -> dict[str, np.ndarray]:
    """Events at random, in the order of their times."""
    rng = np.random.default_rng(seed)
    return {
        "t": np.sort(rng.integers(0, until, number)),
        "x": rng.integers(0, size, number),
        "y": rng.integers(0, size, number),
        "p": rng.integers(0, 2, number),
    }


def evt2(events: dict[str, np.ndarray], header: str = "% evt 2.0\n" + GEOMETRY) -> bytes:
    """EVT 2.0, with a TIME_HIGH word wherever the upper part of the time changes."""
    high = events["t"] >> 6
    changes = np.diff(high, prepend=-1) != 0
    place = np.arange(len(high)) + np.cumsum(changes)
    words = np.empty(len(high) + changes.sum(), dtype="<u4")
    words[place] = events["p"] << 28 | (events["t"] & 63) << 22 | events["x"] << 11 | events["y"]
    words[place[changes] - 1] = 8 << 28 | (high[changes] & 0xFFFFFFF)
    return header.encode() + words.tobytes()


def evt3(
    events: dict[str, np.ndarray], header: str = "% evt 3.0\n" + GEOMETRY, one_high: bool = False
) -> bytes:
    """EVT 3.0 with single pixels; `one_high` leaves out all TIME_HIGH words but the first."""
    words: list[int] = []
    last_high = last_row = None
    for t, x, y, p in zip(*(events[name].tolist() for name in "txyp"), strict=True):
        if t >> 12 != last_high and not (one_high and words):
            words.append(0x8000 | (t >> 12) & 0xFFF)
        last_high = t >> 12
        words.append(0x6000 | t & 0xFFF)
        if y != last_row:
            words.append(y)
            last_row = y
        words.append(0x2000 | p << 11 | x)
    return header.encode() + np.array(words, dtype="<u2").tobytes()


def evt3_words(*words: int) -> bytes:
    """EVT 3.0 of these words."""
    return ("% evt 3.0\n" + GEOMETRY + "% end\n").encode() + np.array(words, "<u2").tobytes()


def dat(events: dict[str, np.ndarray], header: str = "% Version 2\n", version: int = 2) -> bytes:
    """DAT of version 1 or 2."""
    x, y, p = (0, 14, 28) if version == 2 else (0, 9, 17)
    words = np.empty((len(events["t"]), 2), dtype="<u4")
    words[:, 0] = events["t"] & 0xFFFFFFFF
    words[:, 1] = events["x"] << x | events["y"] << y | events["p"] << p
    return header.encode() + bytes([0, 8]) + words.tobytes()


def nmnist(t: Any, x: Any, y: Any, p: Any) -> bytes:
    """N-MNIST's five bytes an event."""
    t, p = np.asarray(t), np.asarray(p)
    columns = (x, y, p << 7 | (t >> 16) & 0x7F, (t >> 8) & 0xFF, t & 0xFF)
    return np.stack(np.broadcast_arrays(*columns), axis=1).astype(np.uint8).tobytes()


def sonata(path: Path, times: Any, nodes: Any, units: str | None = "ms", sorting: int = 0) -> None:
    """SONATA's spikes of one population, in the order that they are given."""
    import h5py

    with h5py.File(path, "w") as file:
        group = file.create_group("spikes/cells")
        kinds = h5py.enum_dtype({"none": 0, "by_id": 1, "by_time": 2}, basetype=np.uint8)
        group.attrs.create("sorting", sorting, dtype=kinds)
        group["node_ids"] = np.asarray(nodes, dtype=np.uint64)
        group["timestamps"] = np.asarray(times)
        if units is not None:
            group["timestamps"].attrs["units"] = units


def shd(path: Path, times: list[Any], units: list[Any], dtype: Any = np.float16) -> None:
    """The form of the Heidelberg spike sets, of samples of times in seconds."""
    import h5py

    with h5py.File(path, "w") as file:
        for name, lists, kind in (("times", times, dtype), ("units", units, np.uint16)):
            dataset = file.create_dataset(
                f"spikes/{name}", (len(lists),), dtype=h5py.vlen_dtype(np.dtype(kind))
            )
            for number, values in enumerate(lists):
                dataset[number] = np.asarray(values, dtype=kind)
        file["labels"] = np.arange(len(times), dtype=np.uint16)
