"""Imports of this package that load nothing until the names are used."""

from rockpool.backends.lazy_block import lazy_imports

__all__ = ["lazy_imports"]
