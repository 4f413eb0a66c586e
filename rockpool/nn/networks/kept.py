"""What a description, and so a file, says of how the layers of a whole network are wired."""

from __future__ import annotations

from typing import Any

from rockpool.nn.description import Node
from rockpool.nn.modules._described import described_container, spiking_flags

__all__ = ["described"]


def described(module: Any, wiring: str) -> Node:
    """Return the description of a network; a class that is derived from it may be wired otherwise.

    Parameters
    ----------
    module : Module
        The network.
    wiring : str
        How it is wired, as `makers` knows it.
    """
    kind = type(module)
    settings = {"wiring": wiring} if kind.__module__.startswith("rockpool.") else {}
    node = described_container(module, kind.__name__, settings=settings, user_class=kind)
    node.local.update(spiking_flags(module))
    return node
