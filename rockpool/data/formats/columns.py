"""Events made of columns: what a column is by its name, and in which unit its times are."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rockpool.data.recording import CHANNEL_EVENT, SENSOR_EVENT
from rockpool.files.tensors import FileFormatError, shown

__all__ = ["UNITS", "Columns", "channel_events", "events_of", "is_time", "ticks_of", "unit_named"]

# Seconds that a unit of time has, as a power of ten
UNITS = {"s": 0, "ms": -3, "us": -6, "ns": -9}
_UNIT_NAMES = {
    **{name: name for name in UNITS},
    **dict.fromkeys(("sec", "second", "seconds"), "s"),
    **dict.fromkeys(("msec", "millisecond", "milliseconds"), "ms"),
    **dict.fromkeys(("usec", "µs", "μs", "microsecond", "microseconds"), "us"),
    **dict.fromkeys(("nsec", "nanosecond", "nanoseconds"), "ns"),
}
_ROLES = {
    **dict.fromkeys(("t", "ts", "time", "times", "timestamp", "timestamps"), "t"),
    **dict.fromkeys(("x", "xs", "col", "column"), "x"),
    **dict.fromkeys(("y", "ys", "row"), "y"),
    **dict.fromkeys(("p", "ps", "pol", "polarity", "on", "is_increase"), "p"),
    **dict.fromkeys(
        (
            *("channel", "channels", "unit", "units", "neuron", "neurons", "neuron_id", "id"),
            *("ids", "node_id", "node_ids", "sender", "senders", "addr", "address", "i"),
        ),
        "channel",
    ),
}
_WORDS = {"true": 1, "on": 1, "false": 0, "off": 0}


def unit_named(path: str, text: str) -> str:
    """Return the unit of time that a text names: s, ms, us or ns."""
    unit = _UNIT_NAMES.get(text.strip().lower()) if isinstance(text, str) else None
    if unit is None:
        got = shown(text) if isinstance(text, str) else repr(text)
        raise FileFormatError(f"{path}: the unit of time must be {', '.join(UNITS)}, got {got}")
    return unit


class Columns:
    """Which of the named columns are the events.

    Names may say the unit of the times, as ``t_us``, ``time (ms)`` and ``t[s]``, and the size of
    the sensor, as ``x@128``.

    Parameters
    ----------
    path : str
        The file, for errors.
    names : sequence of str
        The names of the columns.

    Attributes
    ----------
    place : dict of str by int
        Where the columns t, x, y, p or t, channel stand among the names.
    unit : str or None
        The unit of the times, where a name says it.
    sensor_size : tuple of int or None
        Height and width, where names say them.
    n_channels : int or None
        The number of channels, where the name of their column says it.
    """

    def __init__(self, path: str, names: Sequence[str]) -> None:
        self.place: dict[str, int] = {}
        self.unit: str | None = None
        sizes: dict[str, int] = {}
        for number, name in enumerate(names):
            text, _, length = name.strip().strip("\"'").lower().partition("@")
            role, unit = _role(text)
            if role is None:
                continue
            if role in self.place:
                raise FileFormatError(f"{path}: two of its columns are the {role} of the events")
            self.place[role] = number
            if role == "t":
                self.unit = unit
            if re.fullmatch(r"\d{1,5}", length):
                sizes[role] = int(length)
        found = self.place.keys()
        self.is_sensor = {"t", "x", "y", "p"} <= found
        if not self.is_sensor and not {"t", "channel"} <= found:
            raise FileFormatError(
                f"{path}: its columns must be t, x, y, p or t, channel, by these or the usual "
                f"other names; got {shown(', '.join(names))}"
            )
        if self.is_sensor:
            self.place.pop("channel", None)
        else:
            self.place = {name: self.place[name] for name in ("t", "channel")}
        self.sensor_size: tuple[int, int] | None = None
        if self.is_sensor and {"x", "y"} <= sizes.keys():
            self.sensor_size = sizes["y"], sizes["x"]
        self.n_channels = None if self.is_sensor else sizes.get("channel")

    def channels_or(self, given: int | None) -> int | None:
        """Return how many channels there are: as given, else as names say; None of a sensor."""
        return given if given is not None and not self.is_sensor else self.n_channels


def is_time(name: str) -> bool:
    """Return whether the name of a column says that it has times."""
    return _role(name.strip("\"' ").lower())[0] == "t"


def _role(text: str) -> tuple[str | None, str | None]:
    """Return what a column is, and the unit that its name ends in."""
    if text in _ROLES:
        return _ROLES[text], None
    match = re.fullmatch(r"(\w+?)\s*[_ (\[/]\s*(\w+)\s*[)\]]?", text)
    if match and _ROLES.get(match[1]) == "t" and match[2] in _UNIT_NAMES:
        return "t", _UNIT_NAMES[match[2]]
    return None, None


def ticks_of(
    path: str, times: NDArray[Any], unit: str | None, *, as_stored: str | None = None
) -> tuple[NDArray[np.int64], str]:
    """Return times as ticks, and what a tick is.

    Parameters
    ----------
    path : str
        The file, for errors.
    times : ndarray (E,)
        Of integers or floats.
    unit : str, optional
        Of these times: s, ms, us or ns. None is microseconds for whole numbers, and else refused.
    as_stored : str, optional
        The unit of the ticks. Default: microseconds where the times are in them, else nanoseconds,
        to which times are rounded.

    Raises
    ------
    FileFormatError
        A time is not finite, or too large; or the unit is not known.
    """
    if times.dtype.kind not in "iuf":
        raise FileFormatError(f"{path}: times must be numbers, got {times.dtype}")
    is_float = times.dtype.kind == "f"
    if is_float:
        times = times.astype(np.float64)
        if not np.isfinite(times).all():
            raise FileFormatError(f"{path}: a time is NaN or infinite")
        # Whole microseconds are no rarity in files that have floats alone
        whole = unit in (None, "us") and not (times % 1).any()
    else:
        whole = True
    if unit is None:
        if not whole:
            raise FileFormatError(
                f"{path}: it does not say in which unit its times are; give time_unit='s' or "
                "another one"
            )
        unit = "us"
    ticks = as_stored or ("us" if unit == "us" and whole else "ns")
    power = UNITS[unit] - UNITS[ticks]
    most = 2**61 // 10**power if power > 0 else 2**61
    if len(times) and max(abs(float(times.min())), abs(float(times.max()))) > most:
        raise FileFormatError(f"{path}: a time is too large, got {times.max()} {unit}")
    if not is_float:
        whole_times = times.astype(np.int64)
        return (whole_times * 10**power if power >= 0 else whole_times // 10**-power), ticks
    scaled = times * 10.0**power if power >= 0 else times / 10.0**-power
    return np.rint(scaled).astype(np.int64), ticks


def events_of(
    path: str, columns: Columns, arrays: Mapping[str, NDArray[Any]], time_unit: str | None
) -> tuple[NDArray[Any], str]:
    """Return the events of the columns t, x, y, p or t, channel, and what a tick is."""
    unit = columns.unit if time_unit is None else unit_named(path, time_unit)
    ticks, tick = ticks_of(path, arrays["t"], unit)
    if not columns.is_sensor:
        return channel_events(path, ticks, arrays["channel"]), tick
    events = np.empty(len(ticks), dtype=SENSOR_EVENT)
    events["t"] = ticks
    for name in ("x", "y"):
        events[name] = _whole(path, name, arrays[name], 2**15 - 1)
    events["p"] = _polarities(path, arrays["p"])
    return events, tick


def channel_events(path: str, ticks: NDArray[np.int64], channels: NDArray[Any]) -> NDArray[Any]:
    """Return events of ticks and channels."""
    if len(ticks) != len(channels):
        raise FileFormatError(f"{path}: it has {len(ticks)} times and {len(channels)} channels")
    events = np.empty(len(ticks), dtype=CHANNEL_EVENT)
    events["t"] = ticks
    events["channel"] = _whole(path, "channel", channels, 2**53)
    return events


def _whole(path: str, name: str, values: NDArray[Any], most: int) -> NDArray[Any]:
    """Return whole numbers from 0 on."""
    if values.dtype.kind not in "iuf" or (values.dtype.kind == "f" and (values % 1 != 0).any()):
        raise FileFormatError(f"{path}: {name} must be whole numbers")
    if len(values) and not (values.min() >= 0 and values.max() <= most):
        raise FileFormatError(
            f"{path}: {name} must be from 0 to {most}, got {values.min()} to {values.max()}"
        )
    return values


def _polarities(path: str, values: NDArray[Any]) -> NDArray[np.bool_]:
    """Return whether pixels became brighter, of 0 and 1, -1 and 1, or words."""
    if values.dtype.kind in "US":
        try:
            values = np.array([_WORDS[str(word).strip().lower()] for word in values.astype(str)])
        except KeyError as error:
            raise FileFormatError(
                f"{path}: a polarity must be a number, true, false, on or off, got {error}"
            ) from None
    if values.dtype.kind not in "biuf" or not np.isin(values, (-1, 0, 1)).all():
        raise FileFormatError(f"{path}: polarities must be 0 and 1, or -1 and 1")
    if (values == 0).any() and (values < 0).any():
        raise FileFormatError(f"{path}: its polarities are -1, 0 and 1; two were expected")
    return values > 0
