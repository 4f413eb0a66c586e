"""A package's stub becomes its lazy face (see `rockpool.backends.lazy`)."""

from rockpool.backends.lazy import advertised, attach

__all__ = ["advertised", "attach"]
