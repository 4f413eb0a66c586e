"""Columns of text, as records print themselves."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["text_table"]


def text_table(lines: Sequence[Sequence[str]], left: int) -> str:
    """Return lines of cells in columns, the first `left` of them flush left, the others right."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if index < left else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )
