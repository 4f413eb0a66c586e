"""How fast: the table of the README and the page on speed, made of what the benchmark has kept.

``python tests/benchmarks/bench_kernels.py ... --json tests/benchmarks/results.json`` keeps it.
"""

from __future__ import annotations

import json
import textwrap
from functools import cache
from pathlib import Path
from typing import Any

from chart import Bar, chart

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
RESULTS = ROOT / "tests" / "benchmarks" / "results.json"
BEGIN, END = "<!-- speed -->\n", "<!-- /speed -->"

_OURS, _THEIRS = "this package: ", "upstream: "
# Rows of the table, and what the benchmark calls them where it has another name for them.
_ROWS = {
    "the same loops in C (gcc -O3)": "C",
    "the same loops in C, double precision": "C, double",
    "LIFJax": f"{_OURS}LIFJax",
    "LIFTorch": f"{_OURS}LIFTorch",
    "LIFNumba": f"{_OURS}LIFNumba",
    "LIFNumba, dtype float32": f"{_OURS}LIFNumba, single",
    "LIFNumba, input in double precision": f"{_OURS}LIFNumba, double",
    "LIF (numpy)": f"{_OURS}LIF",
    "LIFTorch recurrent": f"{_OURS}LIFTorch recurrent",
    "LIFJax, without numba": f"{_OURS}LIFJax, lax.scan",
    "LIFTorch, without numba": f"{_OURS}LIFTorch, loop in torch",
    "Rockpool {Rockpool} LIFJax": f"{_THEIRS}LIFJax",
    "Rockpool {Rockpool} LIFTorch": f"{_THEIRS}LIFTorch",
    "Rockpool {Rockpool} LIFTorch recurrent": f"{_THEIRS}LIFTorch recurrent",
    "Rockpool {Rockpool} LIF": f"{_THEIRS}LIF",
    "sinabs LIF": "sinabs LIF",
    "snnTorch Synaptic": "snnTorch Synaptic",
    "Norse LIF": "Norse LIF",
    "ExpSynNumba": f"{_OURS}ExpSynNumba",
    "ExpSynTorch": f"{_OURS}ExpSynTorch",
    "Rockpool {Rockpool} ExpSyn": f"{_THEIRS}ExpSyn",
    "Rockpool {Rockpool} ExpSynTorch": f"{_THEIRS}ExpSynTorch",
}
_OTHERS = ("the same loops", "Rockpool", "sinabs", "snnTorch", "Norse")  # not of this package
_DRAWN = (100, 100, 64)  # neurons, steps, batch
_HEAD = """\
# Speed

Made of `tests/benchmarks/results.json`, what `tests/benchmarks/bench_kernels.py` has kept; the
command below the table measures it anew. {remark}

{chart}
{section}
"""


@cache
def results() -> dict[str, Any]:
    """Return what the benchmark has kept."""
    found: dict[str, Any] = json.loads(RESULTS.read_text())
    return found


def rows() -> dict[str, list[list[dict[str, Any] | None]]]:
    """Return what was measured, by the rows of the table: forward, and with backward, by case."""
    found = results()
    return {
        row.format(**found["versions"]): found["results"][name]
        for row, name in _ROWS.items()
        if name in found["results"]
    }


def number(value: float) -> str:
    """Return three digits of a number, or all of its whole ones."""
    return f"{value:.3g}" if value < 1000 else f"{value:.0f}"


def _cell(values: list[dict[str, Any] | None]) -> str:
    known = [value for value in values if value is not None]
    return " / ".join("~" * value["noisy"] + number(value["median"]) for value in known)


def table() -> str:
    """Return what was measured as a table, and above it when, on what and how."""
    found = results()
    versions = ", ".join(f"{name} {version}" for name, version in found["versions"].items())
    noise = [f"{100 * apart:.0f} % {part}" for part, apart in found["noise"].items()]
    text = (
        f"{found['date']}, {found['machine']}; {versions}. Medians of {found['rounds']} "
        f"interleaved rounds{', in which C against itself differed by up to ' * bool(noise)}"
        f"{' and '.join(noise)}; each contender on one processor:"
    )
    cases = [", ".join(map(str, case)) for case in found["cases"]]
    lines = [f"| ns per neuron and step | {' | '.join(cases)} |", "|---" * (1 + len(cases)) + "|"]
    for row, values in rows().items():
        lines.append(f"| {row} | {' | '.join(map(_cell, values))} |")
    return "\n".join([*textwrap.wrap(text, 120), "", *lines, ""])


def drawing() -> str:
    """Return a chart of one of the cases."""
    case = results()["cases"].index(list(_DRAWN))
    bars = []
    for row, values in rows().items():
        forward, both = (value and value["median"] for value in values[case])
        assert forward is not None
        bars.append(Bar(row, forward, both, not row.startswith(_OTHERS)))
    title = (
        "{} neurons, {} steps, batch {}: ns per neuron and step, forward; lighter: with backward"
    )
    return chart(title.format(*_DRAWN), bars)


def readme() -> str:
    """Return the README with the table in its place."""
    before, _, rest = README.read_text().partition(BEGIN)
    return f"{before}{BEGIN}{table()}{END}{rest.partition(END)[2]}"


def pages() -> dict[str, str]:
    """Return the page by its path in ``docs/``."""
    section = readme().partition("## How fast\n")[2].partition("\n## ")[0].strip()
    section = section.replace(BEGIN, "").replace(f"{END}\n", "")
    remark = results().get("remark", "")
    text = _HEAD.format(remark=remark, chart=drawing(), section=section)
    return {"speed.md": text.replace(" \n", "\n")}
