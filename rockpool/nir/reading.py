"""A network from a file of NIR: `from_nir`."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np

from rockpool.files.tensors import FileFormatError
from rockpool.nir.dialects import DIALECTS
from rockpool.nir.graph import SPIKING, Graph, GraphNode
from rockpool.nir.hdf5 import read_graph
from rockpool.nir.kept import NOTE, description_of, dialect_noted, same_graph
from rockpool.nir.layers import Reading
from rockpool.nir.network import network_of
from rockpool.nir.objects import from_object, is_graph_object
from rockpool.nir.signs import could_be_snntorch, dialect_of
from rockpool.nir.source import NirSource, NirWarning
from rockpool.nir.time_steps import TimeStep, time_step
from rockpool.nir.units import units_of
from rockpool.nir.wiring import wiring_of
from rockpool.nir.writing import graph_of
from rockpool.nn.conversion import build
from rockpool.nn.description import Node
from rockpool.nn.models import checks
from rockpool.nn.models.euler import EULER
from rockpool.parameters import to_numpy

__all__ = ["described", "from_nir"]

# What a description may raise that a file made up
_ODD = (ArithmeticError, AttributeError, LookupError, NotImplementedError, TypeError, ValueError)

# What writers call a reset in the metadata
_RESETS = {"subtract": "subtract", "soft": "subtract", "zero": "value", "hard": "value"}

# The packages whose inner graphs lead the input through recurrent weights, but do not run it there
_RUN_ON_SPIKES = ("snntorch", "spyx")

_MOST_NAMED = 10

# What says how neurons run, beside gains, which nodes hold; and layers whose nodes come near them
_STEPS = ("decay", "synapse", "reset", "reset_delay", "fires", "max_spikes_per_dt")
_OWN_STEPS = ("LIF", "ExpSyn", "Rate")


def from_nir(
    source: Any,
    backend: str = "numpy",
    dialect: str = "auto",
    dt: float | int | None = None,
    *,
    dtype: Any = None,
    decay: str | None = None,
    gain: str | None = None,
    gain_syn: str | None = None,
    synapse: str | None = None,
    reset: str | None = None,
    reset_delay: bool | str | None = None,
    fires: str | None = None,
    max_spikes_per_dt: float | int | None = None,
    delay: int | None = None,
    v_reset: float | int | None = None,
) -> Any:
    """Return the network of a file of NIR; it does what the network did that the file is of.

    NIR's nodes are continuous equations. Each package that writes them runs steps of its own, and
    files do not say which: they are found by the names and the numbers in them, or given. What the
    package computed and its files do not hold is taken to be its default, and warned of by name.
    What `to_nir` wrote comes back as it was, unless a dialect, another `dt` or a setting is given:
    then its nodes alone count, and what they do not hold is warned of.

    Parameters
    ----------
    source : str, path or nir.NIRGraph
        The file, which may come from anywhere and need not pass nir's own checks; or a graph.
    backend : str, optional
        As for `rockpool.convert`. Default: "numpy".
    dialect : str, optional
        Whose steps to take: "nir" (Euler steps of NIR's equations), "snntorch", "norse", "sinabs",
        "spikingjelly", "spyx" or "rockpool" (3.1). Default: "auto", by the signs in the file.
    dt : float, optional
        The time step in seconds that the writer had. Default: what the file's metadata or numbers
        tell; else that of the dialect, with a warning where it makes a difference.
    dtype : str or dtype, optional
        As for `rockpool.convert`.
    decay, gain, gain_syn, synapse, reset, reset_delay, fires, max_spikes_per_dt, delay : optional
        Settings of the neurons, as for `CubaLIFEuler`. Default: those of the dialect.
    v_reset : float, optional
        The potential after a spike, for all neurons. Default: that of the file.

    Returns
    -------
    Module
        A `Sequential` of layers called by the nodes of the file, or a `Wired` where nodes branch
        or join. A Delay is as many layers as time steps; several inputs or outputs are side by
        side, in the order of their names. Its attribute ``nir_source``, a `NirSource`, says how the
        file was read.

    Raises
    ------
    FileFormatError
        A ValueError: the file is no file of NIR or is damaged, or has a node, loop or value that
        cannot be held, which it names.
    ValueError, ModuleNotFoundError
        As for `rockpool.convert`; an argument that is not allowed.
    TypeError
        `source` is neither a path nor a graph; `dt`, `v_reset` or `max_spikes_per_dt` is no number.
    OSError
        The file cannot be read.

    Warns
    -----
    NirWarning
        Once, with all that the file does not hold and that was taken.

    Examples
    --------
    >>> from rockpool.nir import from_nir
    >>> network = from_nir("net.nir", dialect="snntorch", reset="value")     # doctest: +SKIP
    >>> network.nir_source.dt, network.nir_source.dt_from                    # doctest: +SKIP
    (0.0001, 'tau / r, tau_syn / w_in and 1 / r')
    """
    node, found = described(
        source,
        dialect=dialect,
        dt=dt,
        decay=decay,
        gain=gain,
        gain_syn=gain_syn,
        synapse=synapse,
        reset=reset,
        reset_delay=reset_delay,
        fires=fires,
        max_spikes_per_dt=max_spikes_per_dt,
        delay=delay,
        v_reset=v_reset,
    )
    try:
        network = build(node, backend, dtype=dtype)
    except (TypeError, OverflowError) as error:  # a setting that the notes of a file made up
        raise FileFormatError(f"{found.name}: {error}") from error
    if found.warnings:
        text = "".join(f"\n- {warning}" for warning in found.warnings)
        warnings.warn(f"{found.name}, read as {found.dialect}:{text}", NirWarning, stacklevel=2)
    network.nir_source = found
    return network


def described(
    source: Any, *, dialect: str = "auto", dt: float | int | None = None, **settings: Any
) -> tuple[Node, NirSource]:
    """Return the description of the network of a file of NIR, and how it was read.

    Parameters and errors are as for `from_nir`; nothing is built, and no warning is given.
    """
    known = ("auto", *DIALECTS)
    if dialect not in known:
        allowed = checks.one_of(map(repr, known))
        raise ValueError(f"from_nir: dialect must be {allowed}, got {dialect!r}")
    asked = _checked({"dt": dt, **settings})
    dt = asked.pop("dt", None)
    graph = _graph(source)
    as_noted = dialect == "auto" and not asked
    own, changed = _own(graph) if as_noted else (_own_or_none(graph), "")
    if as_noted and own is not None and dt in (None, own[1].dt):
        return own
    name, why = (dialect, ("the argument",)) if dialect != "auto" else _found(graph)
    if name == "nir" and "reset" not in asked:
        noted = _RESETS.get(str(graph.metadata.get("reset", "")).lower())
        asked |= {"reset": noted} if noted else {}
    step = time_step(graph, name, dt)
    wiring = wiring_of(graph, recurrent_input=name not in _RUN_ON_SPIKES)
    scale = {"norse": 1.0 / step.dt, "sinabs": step.dt}.get(name, 1.0)
    if name == "norse" and NOTE in graph.metadata:  # it takes seconds, where it writes steps
        scale = 1.0
    node = network_of(Reading(graph.name, name, step.dt, scale, asked), wiring)
    if any("vmem" in inner.states for _, inner in node.walk()):
        wiring.notes.append(
            f"membranes start at v_leak or v_reset, as with {name}; reset_state() sets them to 0"
        )
    return node, NirSource(
        graph.name,
        name,
        why,
        step.dt,
        step.found,
        (DIALECTS[name].title, *wiring.notes, *(f"{k} = {v!r}" for k, v in asked.items())),
        (
            *((changed,) if changed else ()),
            *(_left_aside(own[0], node, asked) if own is not None else ()),
            *wiring.warnings,
            *_warnings(graph, name, step, asked),
        ),
        graph.version,
    )


def _checked(settings: dict[str, Any]) -> dict[str, Any]:
    """Return the settings that are given, numbers as floats; the table of neurons judges them."""
    asked = {name: value for name, value in settings.items() if value is not None}
    for name, value in asked.items():
        spec = EULER[name]
        if isinstance(spec.default, float):
            asked[name] = _number(name, value)
        spec.check("from_nir", name, asked[name])
    return asked


def _number(name: str, value: Any) -> float:
    """Return one number as a float, whatever library it is of."""
    try:
        values = checks.known_values("from_nir", name, value)
    except TypeError:
        values = None
    if values is None or isinstance(value, bool | np.bool_):
        raise TypeError(f"from_nir: {name} must be a number, got {value!r}")
    checks.scalar("from_nir", name, values)
    given = to_numpy(value)
    single = given.dtype == np.float32  # in which 1 ms means 1 ms
    return float(str(given.reshape(())[()])) if single else float(values.item())


def _found(graph: Graph) -> tuple[str, tuple[str, ...]]:
    """Return the dialect of a graph, and the signs; ours is that which other readers see."""
    if NOTE not in graph.metadata:
        return dialect_of(graph)
    target = dialect_noted(graph)
    name = target if target in ("sinabs", "spyx", "rockpool") else "nir"
    return name, (f"written by rockpool for {target}",)


def _own(graph: Graph) -> tuple[tuple[Node, NirSource] | None, str]:
    """Return what a graph says that this package wrote, or why that does not count."""
    kept = description_of(graph)
    if kept is None:
        return None, ""
    node, options = kept
    try:
        with np.errstate(all="ignore"):
            again, _ = graph_of(node, **options)
    except _ODD as error:
        return None, f"it notes a network that cannot be written ({error}); read by its nodes"
    if not same_graph(graph, again):
        return None, "nodes have been changed since rockpool wrote it; it is read by them alone"
    dt = again.metadata.get("dt", DIALECTS["nir"].dt)
    found = NirSource(
        graph.name,
        options["dialect"],
        (f"written by {graph.metadata.get('producer', 'rockpool')}",),
        float(dt),
        "the metadata",
        ("what rockpool noted",),
        (),
        graph.version,
    )
    return (node, found), ""


def _own_or_none(graph: Graph) -> tuple[Node, NirSource] | None:
    """Return the same; None where its notes are damaged, which nobody wants to read."""
    try:
        return _own(graph)[0]
    except FileFormatError:
        return None


def _left_aside(own: Node, read: Node, asked: dict[str, Any]) -> Iterator[str]:
    """Say of the layers that this package noted which run otherwise where their nodes are read."""
    for unit in units_of(own).units:
        there = read.children.get(unit.name)
        if there is None:
            continue
        had = unit.node.settings
        found = [
            f"{key}={had[key]!r}"
            for key in _STEPS
            if key not in asked and key in had and there.settings.get(key) != had[key]
        ]
        if there.model != unit.node.model and unit.node.model in _OWN_STEPS:
            found.insert(0, unit.node.model)
        if found:
            yield (
                f"{unit.name!r} was written with {', '.join(found)}; where a dialect, another dt "
                "or a setting is given, its node alone counts"
            )


def _graph(source: Any) -> Graph:
    if isinstance(source, (str, bytes)) or hasattr(source, "__fspath__"):
        return read_graph(os.fsdecode(source))
    if is_graph_object(source):
        return from_object(source)
    raise TypeError(f"from_nir: source must be a path or a nir.NIRGraph, got {source!r}")


def _warnings(graph: Graph, name: str, step: TimeStep, asked: dict[str, Any]) -> Iterator[str]:
    """Say what the file does not hold, and what in it is not used."""
    dialect = DIALECTS[name]
    kinds = {node.kind for node in graph.of_kind(*SPIKING, "LI", "CubaLI").values()}
    for key, text in dialect.lost.items():
        setting = key.removeprefix("!")
        if setting in asked or not kinds & set(dialect.lost_in.get(key, SPIKING)):
            continue
        other = f"; other: {setting}=..." if setting == key else ""
        yield f"files of {name} do not hold {text}{other}"
    if step.warning:
        yield (
            step.warning
            if step.warning[:4] != "dt ("
            else f"the file does not hold {step.warning}; other: dt=..."
        )
    if name == "nir" and "reset" not in asked and could_be_snntorch(graph):
        yield (
            "the numbers are those of snntorch too, which resets by subtraction; if it wrote the "
            "file: dialect='snntorch'"
        )
    if name == "spyx":
        yield from _left_out(graph)
    for label, node in _all_nodes(graph):
        for field in node.unknown:
            yield f"{label!r}: a {node.kind} has no field {field!r}; it is not used"


def _left_out(graph: Graph) -> Iterator[str]:
    """Say which layers spyx has not written: it counts those that it does not know."""
    known = [re.fullmatch(r"layer_(\d+).*", name) for name in graph.nodes]
    there = {int(found[1]) for found in known if found}
    absent = (number for number in range(max(there, default=0)) if number not in there)
    for number in islice(absent, _MOST_NAMED):
        yield f"there is no 'layer_{number}': spyx leaves out layers that it cannot write"
    last = {a for a, b in graph.edges if b == "output"}
    for name in last & graph.of_kind("Linear", "Affine").keys():
        yield f"a readout behind {name!r}, LI, would not be in the file"


def _all_nodes(graph: Graph, prefix: str = "") -> Iterator[tuple[str, GraphNode]]:
    for name, node in graph.nodes.items():
        if isinstance(node, Graph):
            yield from _all_nodes(node, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", node
