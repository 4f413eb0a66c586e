"""The page on speed: what the benchmark printed, as README has it."""

from __future__ import annotations

from pathlib import Path

README = Path(__file__).resolve().parents[2] / "README.md"

_HEAD = """\
# Speed

Made from what `tests/benchmarks/bench_kernels.py` printed; the command below measures it anew.
"""


def pages() -> dict[str, str]:
    """Return the page by its path in ``docs/``."""
    section = README.read_text().partition("## How fast\n")[2].partition("\n## ")[0]
    kept = [line for line in section.strip().splitlines() if "speed -->" not in line]
    return {"speed.md": f"{_HEAD}\n" + "\n".join(kept) + "\n"}
