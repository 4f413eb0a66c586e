"""`verify`: does a network give the same answer on every back-end, and where not, why."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rockpool.backends.queries import backend_status
from rockpool.nn.conversion import build, describe, library_of, obstacles
from rockpool.nn.description import Node, flat_input
from rockpool.nn.models.catalogue import BACKENDS
from rockpool.nn.models.checks import one_of, real_input
from rockpool.nn.modules._observed import torch_for, unwrapped, without_training
from rockpool.verification.compare import Comparison, compared
from rockpool.verification.layers import Activity, evolved, is_spiking, layers_of
from rockpool.verification.table import VerdictRow, table

__all__ = ["Verdict", "VerdictRow", "verify"]

REFERENCE = "numpy"
AS_GIVEN = "as given"
_HERE = ("available", "installed")
LOGGER = logging.getLogger("rockpool.verification")


@dataclass(frozen=True)
class Verdict:
    """The answers of all back-ends, which prints as a table.

    Attributes
    ----------
    rows : list of VerdictRow
        One for each back-end.
    ok : bool
        Whether nothing differs, on any of them, but for rounding.
    compared : bool
        Whether a back-end besides numpy could be compared at all.
    """

    rows: list[VerdictRow]

    @property
    def ok(self) -> bool:
        """Whether nothing differs but for rounding."""
        return all(row.state != "fault" for row in self.rows)

    @property
    def compared(self) -> bool:
        """Whether there is something that could have differed."""
        return any(row.state in ("equal", "rounding", "fault") for row in self.rows)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values, fit for JSON."""
        rows = [row.to_dict() for row in self.rows]
        return {"ok": self.ok, "compared": self.compared, "rows": rows}

    def __str__(self) -> str:
        return table(self.rows)

    __repr__ = __str__


def verify(
    network: Any,
    data: Any = None,
    *,
    backends: Iterable[str] | None = None,
    dtype: Any = None,
    one_spike: bool = False,
    advance: Callable[[str], object] | None = None,
) -> Verdict:
    """Run a network on every back-end, and compare all layers with those of numpy.

    Parameters
    ----------
    network : Module or Node
        The network, of any back-end; it stays as it is. It is run from rest.
    data : array_like, optional
        Input (B, T, Nin) or (T, Nin), or with the axes of a time step. Default: 4 random spike
        trains of 100 time steps, in which each channel spikes in three of ten steps.
    backends : iterable of str, optional
        Which back-ends to run besides numpy. Default: all that are here and can hold the network.
    dtype : str, optional
        "float32" or "float64", for the back-ends that compute in either. Default: the precision
        that each has by itself.
    one_spike : bool, optional
        Whether to run all neurons with at most one spike in a time step, as NEST does always.
        Default: False.
    advance : callable, optional
        Called with the name of each back-end before it is run.

    Returns
    -------
    Verdict
        A row for each back-end. A difference is put down to rounding if both membranes lie within 8
        units in the last place of the threshold where the first spike differs; or if each time step
        of that neuron, from the state and input that were recorded, is what numpy makes of them to
        within 8 units, and the input of its layer is numpy's to within 64. What follows from it is
        not judged. A network with modules of your own is run itself as well, without `one_spike`;
        if it is another one than what their `_convert` makes for numpy, there is a last row, "as
        given".

    A back-end on which a `_convert` of your own raises is not run; the logger
    ``rockpool.verification`` has the traceback, at the level INFO.

    Raises
    ------
    ValueError
        Input of a wrong shape, without a time step or with NaN; a network with noise; an unknown
        back-end, or one that was asked for and cannot hold the network; a network that numpy cannot
        hold.
    TypeError
        One name as a text where `backends` is a list of them.
    ModuleNotFoundError
        A back-end that was asked for is missing.

    Examples
    --------
    >>> from rockpool.nn.modules import LIF
    >>> verify(LIF(3), backends=["numba"]).ok                        # doctest: +SKIP
    True
    """
    if isinstance(backends, str):
        raise TypeError(f"verify: backends must be a list of names, got {backends!r}")
    chosen = list(dict.fromkeys(backends)) if backends is not None else None
    for name in chosen or ():
        if name not in BACKENDS:
            known = one_of(map(repr, BACKENDS))
            raise ValueError(f"verify: each of backends must be {known}, got {name!r}")
    node = (network if isinstance(network, Node) else describe(network)).without_states()
    node = node.without_dropout()  # which one of a file would be in training
    if one_spike:
        node = with_one_spike(node)
    _require_no_noise(node)
    data = checked_input(node, data)
    if not data.size:
        what = "batch element" if not len(data) else "time step"
        raise ValueError(f"verify: data must have at least one {what}, got the shape {data.shape}")
    problems = list(obstacles(node, REFERENCE))
    if problems:
        raise ValueError(f"verify: numpy, the reference, cannot hold this network: {problems[0]}")
    advance = advance or (lambda name: None)
    advance(REFERENCE)
    began = time.perf_counter()
    expected, precision = evolved(node, REFERENCE, data)
    rows = [VerdictRow(REFERENCE, precision, "reference", seconds=time.perf_counter() - began)]
    for backend in BACKENDS if chosen is None else chosen:
        if backend != REFERENCE:
            advance(backend)
            rows.append(_row(node, backend, data, dtype, expected, asked=chosen is not None))
    if not (isinstance(network, Node) or one_spike) and _has_own(node):
        row = _row_as_given(network, node, data, expected)
        rows += [row] if row is not None and row.state == "fault" else []
    total = _spiking_size(expected)
    rows[0] = replace(rows[0], neuron_steps=total)
    return Verdict(rows)


def _row(
    node: Node, backend: str, data: np.ndarray, dtype: Any, expected: list[Activity], asked: bool
) -> VerdictRow:
    """Return the row of one back-end."""
    problems = list(obstacles(node, backend))
    if problems:
        if asked:
            raise ValueError(f"verify: {backend!r} cannot hold this network: {problems[0]}")
        return VerdictRow(backend, "", "not run", problems[0])
    if not asked:
        obstacle = _of_user(node, backend)
        if obstacle:
            return VerdictRow(backend, "", "not run", obstacle)
    status = backend_status(backend)
    if not asked and status.state not in _HERE:
        return VerdictRow(backend, "", "not run", f"{backend} is {status.state}")
    began = time.perf_counter()
    try:
        got, precision = evolved(node, backend, data, dtype)
    except ModuleNotFoundError:
        if asked:
            raise
        return VerdictRow(backend, "", "not run", backend_status(backend).reason)
    except ValueError as error:
        if asked or backend != "nest":
            raise
        return VerdictRow(backend, "", "not run", f"{error}; see --one-spike")
    seconds = time.perf_counter() - began
    return _judged(backend, precision, compared(expected, got, precision), seconds)


def _row_as_given(
    network: Any, node: Node, data: np.ndarray, expected: list[Activity]
) -> VerdictRow | None:
    """Return the row of a network as it is: a `_convert` may have forgotten something.

    None: it is on another device, in half precision or in the mode of torch, or it does not run.
    """
    library, torch = library_of(network), torch_for(unwrapped(network))
    if torch is not None and not _is_plain(network, torch):
        return None
    began, states = time.perf_counter(), network.state()
    with without_training(unwrapped(network)):
        resting = network.reset_state()
        try:
            got, output = layers_of(resting, node, library, data)
        except Exception:  # modules of a user, and back-ends that cannot follow, may raise anything
            LOGGER.info("the network itself does not run", exc_info=True)
            return None
        finally:
            network.set_attributes(states)
    seconds = time.perf_counter() - began
    precision = "float64" if output.dtype == np.float64 else "float32"
    return _judged(AS_GIVEN, precision, compared(expected, got, precision), seconds)


def _is_plain(network: Any, torch: Any) -> bool:
    """Return whether a network of torch is called as others are, on numbers that they have too."""
    inner = unwrapped(network)
    found = [*torch.nn.Module.parameters(inner), *torch.nn.Module.buffers(inner)]
    floats = [tensor for tensor in found if tensor.is_floating_point()]
    return not any(module.__dict__.get("_has_torch_api") for module in (network, inner)) and all(
        tensor.dtype in (torch.float32, torch.float64) and tensor.device.type == "cpu"
        for tensor in floats
    )


def _judged(name: str, precision: str, comparison: Comparison, seconds: float | int) -> VerdictRow:
    """Return the row that says how a run compares."""
    return VerdictRow(
        name,
        precision,
        _state(comparison),
        _note(comparison),
        comparison.differing,
        comparison.neuron_steps,
        comparison.first,
        comparison.value_difference,
        seconds,
    )


def _has_own(node: Node) -> bool:
    """Return whether there is a module of a user's own in a network."""
    return any(inner.user_class is not None for _, inner in node.walk())


def _of_user(node: Node, backend: str) -> str:
    """Return why modules of a user's own cannot be on a back-end, as they find out themselves."""
    if _has_own(node) and backend_status(backend).state in _HERE:
        try:
            build(node, backend)
        except Exception as error:  # their _convert may raise anything
            LOGGER.info("%s: a _convert failed", backend, exc_info=True)
            return f"{type(error).__name__} of a _convert: {error}"
    return ""


def _state(comparison: Comparison) -> str:
    first = comparison.first
    if not comparison.values_agree or (first is not None and not first.rounding):
        return "fault"
    return "equal" if first is None else "rounding"


def _note(comparison: Comparison) -> str:
    if not comparison.values_agree:
        return f"values of {comparison.value_layer!r} differ"
    first = comparison.first
    return "gathered over time" if first and first.rounding and first.step_ulp is not None else ""


def with_one_spike(node: Node) -> Node:
    """Return a description whose neurons emit at most one spike in a time step."""
    settings = dict(node.settings)
    if "max_spikes_per_dt" in settings:
        settings["max_spikes_per_dt"] = 1.0
    children = {name: with_one_spike(child) for name, child in node.children.items()}
    return replace(node, settings=settings, children=children)


def checked_input(node: Node, data: Any, what: str = "verify") -> np.ndarray:
    """Return input as floats (B, T, Nin), random where none is given."""
    channels = node.shape[0]
    if data is None:
        if channels is None:
            raise ValueError(f"{what}: data must be given, as the number of channels is not known")
        return (np.random.default_rng(0).random((4, 100, channels)) < 0.3).astype(np.float64)
    array = flat_input(node, real_input(what, data).astype(np.float64))
    if array.ndim == 2:
        array = array[np.newaxis]
    if array.ndim != 3 or channels not in (None, array.shape[-1]):
        raise ValueError(
            f"{what}: data must have the shape (B, T, {channels}) or (T, {channels}), "
            f"got {np.shape(data)}"
        )
    if not np.isfinite(array).all():
        raise ValueError(f"{what}: data must be finite, got {array[~np.isfinite(array)][0]}")
    return array


def _require_no_noise(node: Node) -> None:
    for path, inner in node.walk():
        if inner.settings.get("noise_std"):
            where = ".".join(path) or inner.model
            raise ValueError(
                f"verify: {where} has noise_std = {inner.settings['noise_std']:g}; networks with "
                "noise cannot be compared, set it to 0"
            )


def _spiking_size(expected: list[Activity]) -> int:
    return sum(activity.output.size for activity in expected if is_spiking(activity.node))
