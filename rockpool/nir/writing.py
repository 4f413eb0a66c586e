"""A file of NIR from a network: `to_nir`."""

import json
import warnings
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from rockpool._version import __version__
from rockpool.nir.dialects import DIALECTS
from rockpool.nir.graph import INPUT, OUTPUT, Graph, GraphNode
from rockpool.nir.hdf5_writing import write_graph
from rockpool.nir.kept import NOTE, VERSION, note_of
from rockpool.nir.nearest import EULER, Made, nearest, weights_node
from rockpool.nir.objects import to_object
from rockpool.nir.old_rockpool import of_old_rockpool
from rockpool.nir.source import NirWarning
from rockpool.nir.targets import TARGETS, translated
from rockpool.nir.units import Units, axes_in, axes_out, units_of
from rockpool.nn.conversion import describe
from rockpool.nn.description import Node
from rockpool.nn.models import checks
from rockpool.utilities._atomic import check_path

__all__ = ["graph_of", "to_nir"]


class _Written(NamedTuple):
    """A graph that was made of layers."""

    nodes: dict[str, GraphNode | Graph]
    edges: list[tuple[str, str]]
    lost: list[str]  # what readers other than this package will not see
    layers: dict[str, Any]  # the note of each layer
    arrays: dict[str, np.ndarray]  # of the notes


VERSIONS = ("1.0.4", "1.0.8")


def to_nir(
    network: Any,
    path: Any = None,
    dialect: str = "nir",
    dt: float | int | None = None,
    *,
    nir_version: str | None = None,
    name: str = "rockpool",
) -> Any:
    """Write a network to a file of NIR, or return it as a graph of the package `nir`.

    `from_nir` gives the same network again, with all of its bits, names and settings: what NIR's
    nodes do not hold is noted in their metadata, which other readers ignore. What others will read
    differently is warned of by name ("nir"), or refused (the other dialects). With "nir" an output
    delay is a Delay, and several synapses of each neuron are LI side by side before a LIF.

    Parameters
    ----------
    network : Module, or Node
        The network, of any back-end, or a description of one.
    path : str or path, optional
        The file. It is replaced as a whole, or stays as it was. Default: none, return the graph.
    dialect : str, optional
        For whom: "nir" (default), which holds every model that comes near a node of NIR;
        "snntorch", "norse", "sinabs", "spikingjelly" or "spyx", whose importers then run the same
        network; "rockpool", as version 3.1 writes.
    dt : float, optional
        The time step in seconds (sinabs, spyx: in steps) that the importer takes. Default: that of
        the network ("nir", "rockpool"), or that which the importer takes by itself: 0.1 ms
        (snntorch, spikingjelly), 1 ms (norse), 1 (sinabs, spyx). Decays stay as they are: time
        constants are scaled.
    nir_version : str, optional
        The version of `nir` that has to read it, "1.0.8" or "1.0.4", which knows no ``v_reset``
        and no `CubaLI`. Default: "1.0.8", and "1.0.4" for sinabs, which needs it.
    name : str, optional
        The name of the node of a network that is one layer. Default: "rockpool".

    Returns
    -------
    nir.NIRGraph or None
        The graph, if there is no `path`.

    Raises
    ------
    ValueError
        A layer or setting that cannot be held, by name; a `dt` that does not fit.
    TypeError
        `network` is no module.
    OSError
        The file cannot be written.

    Warns
    -----
    NirWarning
        Once, with what other readers of the file will not see ("nir"), and of which layers nir
        1.0.8 reckons wrong shapes.

    Examples
    --------
    >>> from rockpool.nn.modules import LIFEuler
    >>> to_nir(LIFEuler(3), "net.nir", dialect="norse")                     # doctest: +SKIP
    """
    node = network if isinstance(network, Node) else describe(network)
    graph, lost = graph_of(node, dialect=dialect, dt=dt, nir_version=nir_version, name=name)
    if lost:
        listed = "".join(f"\n- {text}" for text in lost)
        warnings.warn(
            f"to_nir: readers other than this package will not see:{listed}",
            NirWarning,
            stacklevel=2,
        )
    if path is None:
        return to_object(graph)
    write_graph(check_path("to_nir", path, "path"), graph)
    return None


def graph_of(
    node: Node,
    *,
    dialect: str = "nir",
    dt: float | int | None = None,
    nir_version: str | None = None,
    name: str = "rockpool",
) -> tuple[Graph, list[str]]:
    """Return the graph of a network, and what readers other than this package will not see.

    Parameters and errors are as for `to_nir`.
    """
    version = nir_version or ("1.0.4" if dialect == "sinabs" else "1.0.8")
    for argument, value, allowed in (
        ("dialect", dialect, tuple(DIALECTS)),
        ("nir_version", version, VERSIONS),
    ):
        if value not in allowed:
            known = checks.one_of(map(repr, allowed))
            raise ValueError(f"to_nir: {argument} must be {known}, got {value!r}")
    if dt is not None:
        checks.time_step("to_nir", "dt", dt)
    units = units_of(node, name)
    own, written, step = _own_step(units), units, dt
    if dialect in TARGETS:
        written, step = translated(units, dialect, dt)
    elif dt is not None and own is not None and dt != own:
        raise ValueError(
            f"to_nir: dt of the network is {own:g} s, so it cannot be {dt:g} with {dialect!r}"
        )
    step = own if step is None else step
    nodes, edges, lost, layers, arrays = _nodes(units, written, dialect, version)
    metadata: dict[str, Any] = {"producer": f"rockpool {__version__}"}
    if step is not None:
        metadata["dt"] = float(step)
    resets = {u.node.settings.get("reset", "subtract") for u in units.units if _fires(u.node)}
    if len(resets) == 1:
        metadata["reset"] = resets.pop()
    note = {
        "version": VERSION,
        "dialect": dialect,
        "dt": dt,
        "nir_version": nir_version,
        "name": name,
        "tree": units.tree,
        "layers": layers,
    }
    metadata |= {NOTE: json.dumps(note), **arrays}
    return Graph("the graph", nodes, edges, metadata, version), lost


def _fires(node: Node) -> bool:
    return "threshold" in node.parameters and node.model != "Rate"


def _own_step(units: Units) -> float | None:
    """Return the time step of a network, or None where it has none."""
    steps = sorted({u.node.settings["dt"] for u in units.units if "dt" in u.node.settings})
    if steps and steps[-1] - steps[0] > 1e-6 * steps[0]:  # single precision may have rounded some
        raise ValueError(f"to_nir: the layers have different time steps, {steps}")
    return float(min(steps, key=lambda step: len(repr(float(step))))) if steps else None


def _nodes(units: Units, written: Units, dialect: str, version: str) -> _Written:
    """Return the nodes and edges of a graph, what is noted of each layer, and what is lost."""
    made_of = _Written({}, [], [], {}, {})
    nodes, edges, lost, layers, arrays = made_of
    ends = {INPUT: "input"}  # the node that gives what a layer gives
    for unit, translated_unit in zip(units.units, written.units, strict=True):
        made = _made(unit.name, translated_unit.node, dialect)
        if made.lost and dialect not in TARGETS:
            lost.append(f"{unit.name!r}: {', '.join(made.lost)}")
        if version != "1.0.4" and _unlike_nir(unit.node):
            lost.append(
                f"{unit.name!r}: that its shapes fit; nir.read refuses the file without "
                "type_check=False"
            )
        nested = dialect == "spyx"
        weights = None if made.w_rec is None else weights_node(made.w_rec)
        place = [unit.name, "w_rec"] if nested else [_free(units, nodes, f"{unit.name}_w_rec")]
        layers[unit.name], own = note_of(unit, made.node, place, weights)
        arrays |= own
        node = _of_version(unit.name, made.node, version)
        node = replace(node, metadata=_plain_note(unit.node))
        given = [ends[source] for source in unit.sources]
        nodes[unit.name] = node
        if made.synapses:
            _add_synapses(made_of, units, unit.name, made, given)
        else:
            edges += [(source, unit.name) for source in given]
        if weights is not None and nested:
            nodes[unit.name] = _inner(unit.name, node, weights, axes_in(unit.node))
        elif weights is not None:
            nodes[place[0]] = weights
            edges += [(unit.name, place[0]), (place[0], unit.name)]
        ends[unit.name] = unit.name
        if made.delay is not None and dialect not in TARGETS:
            ends[unit.name] = late = _free(units, nodes, f"{unit.name}_delay")
            nodes[late] = made.delay
            edges.append((unit.name, late))
    edges += [(ends[source], "output") for source in units.outputs]
    first = next((u for u in units.units if INPUT in u.sources), units.units[0])
    last = next((u for u in units.units if u.name in units.outputs), units.units[-1])
    nodes["input"] = GraphNode(INPUT, {"shape": np.array(axes_in(first.node))})
    nodes["output"] = GraphNode(OUTPUT, {"shape": np.array(axes_out(last.node))})
    return made_of


def _add_synapses(made_of: _Written, units: Units, name: str, made: Made, given: list[str]) -> None:
    """Add the nodes of several synapses of each neuron, in parallel, before the neurons."""
    nodes, edges = made_of.nodes, made_of.edges
    for number, synapse in enumerate(made.synapses):
        chosen, current, back = (
            _free(units, nodes, f"{name}_{part}_{number}") for part in ("to", "isyn", "w_rec")
        )
        nodes[chosen], nodes[current] = weights_node(synapse.chosen), synapse.current
        edges += [*((source, chosen) for source in given), (chosen, current), (current, name)]
        if synapse.w_rec is not None:
            nodes[back] = weights_node(synapse.w_rec)
            edges += [(name, back), (back, current)]


def _free(units: Units, nodes: dict[str, Any], name: str) -> str:
    """Return a name that neither a node nor a layer has."""
    while name in nodes or name in {unit.name for unit in units.units}:
        name += "_"
    return name


def _unlike_nir(node: Node) -> bool:
    """Return whether nir 1.0.8 reckons another shape: with groups, and kernels for square."""
    if not node.model.startswith("Conv"):
        return False
    return node.settings["groups"] != 1 or len(set(node.settings["kernel_size"])) > 1


def _made(name: str, node: Node, dialect: str) -> Made:
    """Return the node of a layer."""
    if dialect == "rockpool":
        return of_old_rockpool(name, node)
    if dialect not in TARGETS:
        return nearest(name, node)
    plain = {"gain": "r", "gain_syn": "w_in"} if node.model in EULER else {}
    made = nearest(name, replace(node, settings={**node.settings, **plain}))
    if TARGETS[dialect].affine and made.node.kind == "Linear":
        weight = made.node.fields["weight"]
        bias = np.zeros(weight.shape[0], weight.dtype)
        made.node = GraphNode("Affine", {"weight": weight, "bias": bias})
    return made


def _of_version(name: str, node: GraphNode, version: str) -> GraphNode:
    """Return a node as a version of `nir` knows it."""
    if version != "1.0.4":
        return node
    if node.kind == "CubaLI":
        raise ValueError(f"to_nir: {name!r} is a CubaLI, which nir 1.0.4 has not")
    if np.any(node.fields.get("v_reset", 0)):
        raise ValueError(f"to_nir: {name!r} has v_reset other than 0, which nir 1.0.4 cannot hold")
    fields = {key: value for key, value in node.fields.items() if key != "v_reset"}
    return replace(node, fields=fields)


def _plain_note(node: Node) -> dict[str, Any]:
    """Return what everybody may want to know of neurons, whose nodes can have metadata."""
    keys = ("dt", "reset", "decay")
    return {key: node.settings[key] for key in keys if key in node.settings}


def _inner(name: str, node: GraphNode, weights: GraphNode, axes: tuple[int, ...]) -> Graph:
    """Return recurrent neurons as spyx has them: a graph of their own, the input on the weights."""
    shape = {"shape": np.array(axes)}
    ends: dict[str, GraphNode | Graph] = {
        "input": GraphNode(INPUT, shape),
        "output": GraphNode(OUTPUT, shape),
    }
    edges = [("input", "w_rec"), ("w_rec", "lif"), ("lif", "w_rec"), ("lif", "output")]
    return Graph(name, {**ends, "lif": node, "w_rec": weights}, edges)
