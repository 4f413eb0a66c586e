"""README's table of modules, made from the models. Run this file to write it into the README."""

from __future__ import annotations

from pathlib import Path

from rockpool.nn.models.catalogue import BACKENDS, ROWS

README = Path(__file__).parents[2] / "README.md"
BEGIN, END = "<!-- modules -->\n", "<!-- /modules -->"


def table() -> str:
    """Return the table in Markdown."""
    lines = [f"| | {' | '.join(BACKENDS)} |", "|---" * (1 + len(BACKENDS)) + "|"]
    for row in ROWS:
        cells = (" ".join(f"`{name}`" for name in row.names(backend)) for backend in BACKENDS)
        lines.append(f"| {' | '.join([row.title, *cells])} |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    before, _, rest = README.read_text().partition(BEGIN)
    README.write_text(before + BEGIN + table() + END + rest.partition(END)[2])
