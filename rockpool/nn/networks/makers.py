"""How networks are made again of their modules, by what their descriptions say: `maker_of`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rockpool.nn.description import Node
from rockpool.nn.networks.potentials import potentials_on
from rockpool.nn.networks.wiring import wired_on

__all__ = ["maker_of", "row_on"]


def maker_of(node: Node) -> Callable[[str, dict[str, Any]], Any] | None:
    """Return what makes such a network of its modules on a back-end; None: it is none."""
    wiring = node.settings.get("wiring") if node.user_class is not None else None
    return _MAKERS.get(wiring) if isinstance(wiring, str) else None


def row_on(backend: str, modules: dict[str, Any]) -> Any:
    """Return a row of layers."""
    from rockpool.nn.combinators import Sequential

    return Sequential({"seq": modules["seq"]})


_MAKERS: dict[str, Callable[..., Any]] = {
    "row": row_on,
    "potentials": potentials_on,
    "wavesense": wired_on,
}
