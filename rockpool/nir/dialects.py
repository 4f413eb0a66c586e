"""What each package means by a file of NIR, and the signs by which its files are known.

NIR's nodes are equations without a time step. The packages that write them run steps of their own,
and no file says which: the names of its nodes and its numbers do. What is here was seen in runs of
nir 1.0.4 and 1.0.8, snntorch 1.0.0, norse 1.1.0, sinabs 3.1.3, spikingjelly 2.0.0, spyx 1.0.0 and
rockpool 3.1.0.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rockpool.nir.graph import INPUT, NEURONS, OUTPUT, SPIKING, Graph

__all__ = ["DIALECTS", "Dialect", "dialect_of"]

# One step of NIR's own equations, as `rockpool.nn.models.euler` has it
_NIR = {
    "decay": "euler",
    "gain": "r",
    "gain_syn": "w_in",
    "synapse": "new",
    "reset": "value",
    "reset_delay": False,
    "fires": ">",
    "max_spikes_per_dt": 1.0,
    "delay": 0,
}


@dataclass(frozen=True)
class Dialect:
    """How a package runs the nodes that it writes.

    Attributes
    ----------
    title : str
        The step, in words.
    settings : dict
        The settings of its neurons.
    of_kind : dict of dict by type of node
        Where a type of node has others.
    lost : dict of str by setting
        What its files do not hold: by the setting that stands for it, what is taken instead; names
        with a "!" in front are no settings.
    lost_in : dict of types of nodes by the same names
        Which nodes lose it.
    dt : float
        The time step that is taken where a file does not tell it.
    start : dict of str by type of node
        The parameter at which membranes start, where that is not 0; "" for all other types.
    """

    title: str
    settings: Mapping[str, Any]
    of_kind: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    lost: Mapping[str, str] = field(default_factory=dict)
    lost_in: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    dt: float = 1e-3
    start: Mapping[str, str] = field(default_factory=dict)

    def settings_of(self, kind: str) -> dict[str, Any]:
        """Return the settings for a type of node."""
        return {**self.settings, **self.of_kind.get(kind, {})}

    def start_of(self, kind: str) -> str:
        """Return the parameter at which the membranes of a type of node start; "" for 0."""
        return self.start.get(kind, self.start.get("", ""))


DIALECTS: dict[str, Dialect] = {
    "nir": Dialect("NIR's equations by Euler steps, to v_reset at v > v_threshold", _NIR),
    "snntorch": Dialect(
        "Euler steps, unit gains, v > v_threshold",
        _NIR | {"reset": "subtract", "reset_delay": True},
        lost={
            "reset": "reset_mechanism (taken: 'subtract')",
            "reset_delay": "reset_delay (taken: True, a reset comes one step late)",
        },
        dt=1e-4,
    ),
    "norse": Dialect(
        "Euler steps, a spike adds 1 to the current, to 0 at v > v_threshold",
        _NIR | {"gain_syn": "unit"},
        of_kind={"IF": {"gain": "unit"}},
        lost={"v_reset": "v_reset (taken: 0)"},
        start={"IF": "v_reset", "": "v_leak"},
    ),
    "sinabs": Dialect(
        "exponential decays over steps, subtraction at v >= v_threshold, several spikes a step",
        _NIR | {"decay": "exp", "reset": "subtract", "fires": ">=", "max_spikes_per_dt": math.inf},
        of_kind={"IF": {"gain": "unit"}, "LI": {"gain": "unit"}},
        lost={
            "gain": "norm_input (taken: True for LIF, False for ExpLeak, which are the defaults)",
            "!tau_syn": "tau_syn (taken: none)",
            "max_spikes_per_dt": "spike_fn (taken: MultiSpike)",
            "reset": "reset_fn (taken: MembraneSubtract)",
            "!min_v_mem": "min_v_mem (taken: none)",
        },
        lost_in={"gain": ("LIF", "LI"), "!tau_syn": ("LIF",), "!min_v_mem": (*SPIKING, "LI")},
        dt=1.0,
    ),
    "spikingjelly": Dialect(
        "Euler steps, to v_reset at v >= v_threshold",
        _NIR | {"fires": ">="},
        dt=1e-4,
        start={"": "v_reset"},
    ),
    "spyx": Dialect(
        "Euler steps, unit gains, subtraction (LIF: one step late), output one step late",
        _NIR
        | {
            "gain": "unit",
            "gain_syn": "unit",
            "reset": "subtract",
            "reset_delay": True,
            "delay": 1,
        },
        of_kind={"CubaLIF": {"reset_delay": False}, "LI": {"delay": 0}, "CubaLI": {"delay": 0}},
        dt=1.0,
    ),
    "rockpool": Dialect(
        "exponential decays, i = a (i + x), v = b v + i, subtraction at v >= v_threshold, several "
        "spikes a step",
        _NIR
        | {
            "decay": "exp",
            "gain": "unit",
            "gain_syn": "decay",
            "reset": "subtract",
            "fires": ">=",
            "max_spikes_per_dt": 31.0,
        },
        lost={
            "!bias": "the bias of neurons (taken: 0)",
            "!w_rec": "recurrent weights (taken: none)",
            "max_spikes_per_dt": "max_spikes_per_dt (taken: 31)",
            "!noise_std": "noise_std (taken: 0)",
        },
        lost_in={"!w_rec": ("CubaLIF",), "!bias": ("CubaLIF", "LIF")},
    ),
}

_CLOSE = 1e-4  # relative: what single precision and a quotient of small numbers may differ by


def dialect_of(graph: Graph) -> tuple[str, tuple[str, ...]]:
    """Return the dialect of a graph, and the signs of it."""
    for name, signs in _SIGNS.items():
        found = signs(_Look(graph))
        if found:
            return name, tuple(found)
    return "nir", ("no sign of a package that means anything else",)


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

    def discrete(self, dt: float, *kinds: str) -> bool:
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
        return self.all_like(r"\d+(\.\w+)?")

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
    return signs


def _spyx(look: _Look) -> Iterable[str]:
    named = look.first_like(r"layer_\d+") if look.all_like(r"layer_\d+(_\w+)?") else None
    return [f"nodes are called {named!r} and so on"] if named else []


def _spikingjelly(look: _Look) -> Iterable[str]:
    traced = "input_1" in look.graph.nodes
    if not traced or look.kinds - set(SPIKING) or not look.kinds:
        return []
    return ["the input is called 'input_1', nodes '_0' and so on or by their attributes"]


def _snntorch(look: _Look) -> Iterable[str]:
    if not look.numbered() or look.kinds - {"LIF", "CubaLIF"}:
        return []
    if not look.discrete(1e-4, "LIF", "CubaLIF"):
        return []
    return ["nodes are called by numbers", "r = tau / dt and w_in = tau_syn / dt at dt = 0.1 ms"]


def _norse(look: _Look) -> Iterable[str]:
    taus = look.taus()
    if not look.numbered() or not look.all_one() or look.graph.of_kind("Linear"):
        return []
    if (taus.size and taus.max() >= 1e-3) or not (taus.size or look.keep_v_reset()):
        return []
    signs = ["nodes are called by numbers", "r = 1, weights are Affine"]
    return [*signs, f"tau is {taus.min():.3g}"] if taus.size else signs


def _sinabs(look: _Look) -> Iterable[str]:
    taus = look.taus()
    known = {"IF", "LIF", "LI"}
    if look.keep_v_reset() or not look.all_one() or look.kinds - known:
        return []
    if look.graph.of_kind("Linear") or (taus.size and taus.min() < 1.0) or not look.numbered():
        return []
    signs = ["nodes are called by numbers", "r = 1, weights are Affine, there is no v_reset"]
    return [*signs, f"tau is {taus.min():.3g}"] if taus.size else signs


# in this order: the first whose signs are there
_SIGNS: dict[str, Callable[[_Look], Iterable[str]]] = {
    "rockpool": _rockpool,
    "spyx": _spyx,
    "spikingjelly": _spikingjelly,
    "snntorch": _snntorch,
    "norse": _norse,
    "sinabs": _sinabs,
}
