"""What the losses have in common: `_Loss`."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from torch import nn

__all__ = ["_Loss"]


class _Loss(nn.Module):
    """The base class of losses: a module of torch whose call returns a scalar tensor."""

    def log_params(self, parser: ArgumentParser) -> ArgumentParser:
        """Add an option to a parser for each setting of the loss, with its value as the default.

        Parameters
        ----------
        parser : argparse.ArgumentParser
            The parser. Its options are named after the public attributes of the loss.

        Returns
        -------
        argparse.ArgumentParser
            The same parser.
        """
        settings = {name: value for name, value in vars(self).items() if name[0] != "_"}
        settings.pop("training", None)
        for name, value in settings.items():
            kind: Any = type(value) if isinstance(value, (int, float)) else str
            parser.add_argument(f"--{name}", default=value, type=kind)
        return parser
