"""The signs by which files of NIR are known: names of nodes, numbers, and the order of edges."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

import numpy as np

from rockpool.nir.graph import INPUT, NEURONS, OUTPUT, SPIKING, Graph
from rockpool.nir.time_steps import exponential_step

__all__ = ["could_be_snntorch", "dialect_of"]

_SHORTEST = 0.2  # a time constant in steps, where seconds would be very long
_CLOSE = 1e-4  # relative: what single precision and a quotient of small numbers may differ by


def dialect_of(graph: Graph) -> tuple[str, tuple[str, ...]]:
    """Return the dialect of a graph, and the signs of it."""
    for name, signs in _SIGNS.items():
        found = signs(_Look(graph))
        if found:
            return name, tuple(found)
    return "nir", ("no sign of a package that means anything else",)


def could_be_snntorch(graph: Graph) -> bool:
    """Return whether the gains are those of snntorch's step, though names do not tell."""
    look = _Look(graph)
    return not look.kinds - {"LIF", "CubaLIF"} and look.discrete(1e-4, "LIF", "CubaLIF")


class _Look:
    """What there is to see in a graph."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.names = [
            name
            for name, node in graph.nodes.items()
            if isinstance(node, Graph) or node.kind not in (INPUT, OUTPUT)
        ]
        self.neurons = list(graph.of_kind(*NEURONS).values())
        self.kinds = {node.kind for node in self.neurons}

    def first_like(self, pattern: str) -> str | None:
        """Return the first name of that form."""
        return next((name for name in self.names if re.fullmatch(pattern, name)), None)

    def all_like(self, pattern: str) -> bool:
        """Return whether all names have that form."""
        return bool(self.names) and all(re.fullmatch(pattern, name) for name in self.names)

    def values(self, name: str, *kinds: str) -> np.ndarray:
        """Return all values of a field, of nodes of some types or of all neurons."""
        found = [
            np.ravel(np.asarray(node.fields[name], np.float64))
            for node in self.neurons
            if name in node.fields and (not kinds or node.kind in kinds)
        ]
        return np.concatenate(found) if found else np.empty(0)

    def taus(self) -> np.ndarray:
        """Return all time constants."""
        return np.concatenate([self.values(name) for name in ("tau", "tau_mem", "tau_syn")])

    def all_one(self) -> bool:
        """Return whether all gains are 1."""
        return bool(self.neurons) and all((self.values(n) == 1).all() for n in ("r", "w_in"))

    def discrete(self, dt: float | int, *kinds: str) -> bool:
        """Return whether gains are those that make each step add its input as it is."""
        for node in self.neurons:
            f = {k: np.asarray(v, np.float64) for k, v in node.fields.items()}
            if node.kind in kinds and node.kind in ("LIF", "LI"):
                pairs = [(f["r"] * dt, f["tau"])]
            elif node.kind in kinds and node.kind in ("CubaLIF", "CubaLI"):
                w_in = f.get("w_in", np.ones(()))
                pairs = [(f["r"] * dt, f["tau_mem"]), (w_in * dt, f["tau_syn"])]
            else:
                continue
            if not all(np.allclose(a, b, rtol=_CLOSE, atol=0) for a, b in pairs):
                return False
        return bool(self.kinds & set(kinds))

    def keep_v_reset(self) -> bool:
        """Return whether some neuron has a v_reset."""
        return any("v_reset" in node.fields for node in self.neurons)

    def numbered(self) -> bool:
        """Return whether nodes are called by numbers, as modules of torch in a row are."""
        return self.all_like(r"(\w+\.)*\d+(\.\w+)?")

    def zero_biases(self) -> bool:
        """Return whether there are Affine nodes, of which no one needs its bias."""
        nodes = list(self.graph.of_kind("Affine").values())
        return bool(nodes) and not any(np.any(node.fields["bias"]) for node in nodes)

    def shuffled(self) -> bool:
        """Return whether an edge stands before one that leads to where it begins."""
        both = set(self.graph.edges)
        edges = [(a, b) for a, b in self.graph.edges if (b, a) not in both]  # without recurrences
        first = {b: place for place, (_, b) in reversed(list(enumerate(edges)))}
        return any(first.get(a, -1) > place for place, (a, _) in enumerate(edges))

    def double_neurons(self) -> bool:
        """Return whether neurons are in double precision, but weights in single precision."""
        weights = self.graph.of_kind("Linear", "Affine", "Conv2d", "Conv1d").values()
        single = all(node.fields["weight"].dtype == np.float32 for node in weights)
        double = all(np.asarray(node.fields["r"]).dtype == np.float64 for node in self.neurons)
        return single and double and bool(weights) and bool(self.neurons)

    def shapes(self) -> tuple[list[int], list[int]]:
        """Return the shapes of the first input and output."""
        found = []
        for kind in (INPUT, OUTPUT):
            nodes = list(self.graph.of_kind(kind).values())
            shape = np.atleast_1d(nodes[0].fields["shape"]) if nodes else np.empty(0)
            found.append([int(n) for n in np.ravel(shape)])
        return found[0], found[1]


def _rockpool(look: _Look) -> Iterable[str]:
    named = look.first_like(r"(.*_)?\w*(LIF|LIFNeuron|ExpSyn|Linear)Torch")
    given, taken = look.shapes()
    signs = [f"a node is called {named!r}"] if named else []
    if len(given) == 2 and given[0] == 1 and len(taken) == 3 and taken[:2] == [1, 1]:
        signs.append(f"input {given} and output {taken} have axes of batch and time")
    step = exponential_step(look.neurons)
    is_round = step is not None and f"{step:.5e}"[3:7] == "0000"
    if is_round and (look.values("w_in") == 1).all():
        signs.append(f"r = tau / dt exp(-dt / tau) at dt = {step:g} s")
    return signs


def _spyx(look: _Look) -> Iterable[str]:
    named = look.first_like(r"layer_\d+") if look.all_like(r"layer_\d+(_\w+)?") else None
    return [f"nodes are called {named!r} and so on"] if named else []


def _spikingjelly(look: _Look) -> Iterable[str]:
    (name, *others) = look.graph.of_kind(INPUT) or [""]
    if name in ("", "input") or others or look.kinds - set(SPIKING) or not look.kinds:
        return []
    signs = [f"the input is called {name!r}, as an argument of torch is"]
    if look.double_neurons():
        return [*signs, "neurons are in double precision, weights are not"]
    return signs if name == "input_1" else []


def _snntorch(look: _Look) -> Iterable[str]:
    if look.kinds - {"LIF", "CubaLIF"} or not look.discrete(1e-4, "LIF", "CubaLIF"):
        return []
    signs = ["r = tau / dt and w_in = tau_syn / dt at dt = 0.1 ms"]
    if look.numbered():
        return ["nodes are called by numbers", *signs]
    if look.shuffled() and not look.double_neurons():
        return ["edges are in no order", *signs]
    return []


def _norse(look: _Look) -> Iterable[str]:
    taus = look.taus()
    if not look.all_one() or look.graph.of_kind("Linear"):
        return []
    signs = ["r = 1, weights without bias are Affine"]
    if taus.size:
        return [*signs, f"tau is {taus.max():.3g}"] if taus.max() < 1e-3 else []
    if look.keep_v_reset() and (look.numbered() or (look.zero_biases() and look.shuffled())):
        return signs
    return []


def _sinabs(look: _Look) -> Iterable[str]:
    taus = look.taus()
    if look.keep_v_reset() or not look.all_one() or look.kinds - {"IF", "LIF", "LI"}:
        return []
    given, taken = look.shapes()
    with_time = len(given) > 1 and len(taken) > 1 and given[0] == taken[0]
    least = _SHORTEST if with_time else 1.0
    if look.graph.of_kind("Linear") or (taus.size and taus.min() < least):
        return []
    signs = ["r = 1, weights without bias are Affine, there is no v_reset"]
    if taus.size:
        return [*signs, f"tau is {taus.min():.3g}"]
    return signs if look.numbered() or with_time or look.zero_biases() else []


# in this order: the first whose signs are there
_SIGNS: dict[str, Callable[[_Look], Iterable[str]]] = {
    "rockpool": _rockpool,
    "spyx": _spyx,
    "spikingjelly": _spikingjelly,
    "snntorch": _snntorch,
    "norse": _norse,
    "sinabs": _sinabs,
}
