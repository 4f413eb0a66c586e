"""Edges between modules by name: which are allowed, and the order in which modules evolve."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

__all__ = ["INPUT", "OUTPUT", "Edge", "checked_edges", "evolution_order", "sources_of"]

INPUT, OUTPUT = "input", "output"

Edge = tuple[str, str]


def checked_edges(owner: str, names: Collection[str], edges: Iterable[Any]) -> tuple[Edge, ...]:
    """Return edges as pairs of names.

    Parameters
    ----------
    owner : str
        The class, for messages.
    names : collection of str
        The modules.
    edges : iterable of pairs of str
        From one module, or "input", to another one, or "output".

    Raises
    ------
    TypeError
        No pairs of names.
    ValueError
        An edge to a name that there is not, from the output or to the input, or given twice; edges
        in a circle; a module without a way from the input or to the output.
    """
    if isinstance(edges, str) or not isinstance(edges, Iterable):
        raise TypeError(f"{owner}: edges must be pairs of names, got {edges!r}")
    pairs: dict[Edge, None] = {}
    for given in edges:
        if isinstance(given, str) or not isinstance(given, Iterable):
            raise TypeError(f"{owner}: each edge must be a pair of names, got {given!r}")
        edge = tuple(given)
        if len(edge) != 2 or not all(isinstance(name, str) for name in edge):
            raise TypeError(f"{owner}: each edge must be a pair of names, got {given!r}")
        if edge in pairs:
            raise ValueError(f"{owner}: the edge {edge} is given twice")
        _check_ends(owner, names, edge)
        pairs[edge] = None
    evolution_order(owner, pairs)
    _check_ways(owner, names, pairs)
    return tuple(pairs)


def _check_ends(owner: str, names: Collection[str], edge: Edge) -> None:
    """Raise a ValueError if an edge begins or ends where none can."""
    first, second = edge
    if first == OUTPUT or second == INPUT:
        raise ValueError(f"{owner}: no edge leads from {OUTPUT!r} or to {INPUT!r}, got {edge}")
    for name, terminal in ((first, INPUT), (second, OUTPUT)):
        if name not in names and name != terminal:
            known = ", ".join(map(repr, [terminal, *names]))
            raise ValueError(f"{owner}: the edge {edge} has {name!r}, which is none of {known}")


def evolution_order(owner: str, edges: Iterable[Edge]) -> list[str]:
    """Return the modules in an order in which each comes after all that it gets something from.

    It follows from the edges alone.

    Raises
    ------
    ValueError
        Edges lead round in a circle.
    """
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for first, second in edges:
        sorter.add(second, first)
    try:
        order = list(sorter.static_order())
    except CycleError as error:
        circle = " -> ".join(map(repr, error.args[1]))
        raise ValueError(
            f"{owner}: the edges lead round in a circle, {circle}; what comes back has to come "
            "from within one module, such as recurrent neurons"
        ) from None
    return [name for name in order if name not in (INPUT, OUTPUT)]


def _check_ways(owner: str, names: Collection[str], edges: Iterable[Edge]) -> None:
    """Raise a ValueError if a module gets nothing of the input, or the output nothing of it."""
    forward: dict[str, list[str]] = {}
    backward: dict[str, list[str]] = {}
    for first, second in edges:
        forward.setdefault(first, []).append(second)
        backward.setdefault(second, []).append(first)
    from_input, to_output = _reached(INPUT, forward), _reached(OUTPUT, backward)
    for name in [*names, OUTPUT]:
        if name not in from_input:
            raise ValueError(f"{owner}: there is no way from {INPUT!r} to {name!r}")
        if name not in to_output:
            raise ValueError(f"{owner}: there is no way from {name!r} to {OUTPUT!r}")


def _reached(start: str, neighbours: Mapping[str, list[str]]) -> set[str]:
    """Return a name and all names that can be reached from it."""
    found, pending = {start}, [start]
    while pending:
        new = [name for name in neighbours.get(pending.pop(), ()) if name not in found]
        found.update(new)
        pending.extend(new)
    return found


def sources_of(edges: Iterable[Edge]) -> dict[str, list[str]]:
    """Return by name what each module, and the output, gets, in the order of the edges."""
    sources: dict[str, list[str]] = {}
    for first, second in edges:
        sources.setdefault(second, []).append(first)
    return sources
