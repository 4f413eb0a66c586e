"""What the reference does not say: parameters without description, shape or unit.

Each parameter of a class is described, and each of a function that has a list of them; an array
has a shape, a time a unit. ``python docs/_make/undescribed.py`` prints a line for each that lacks
it, in an environment with the extra `docs`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import griffe

sys.path.insert(0, str(Path(__file__).parent))

from docstrings import Described, parameters
from reference import has_page
from surface import ROOT, Name, sections

_ARRAY = re.compile(r"\barray|\bTensor\b|\bndarray\b|\btensor\b")
# "shape (N,)", "of the shape of `x`", "(B, T, Nin)", "(from, to)", "(T,)", "one number"
_SHAPE = re.compile(r"\b[Ss]hape|\([A-Za-z.]+,|\(\)|\bone number\b")
_TIME = re.compile(r"^(tau|dt$|t_start|t_stop|t0|duration|delay_in_s)")
_UNIT = re.compile(r"\bseconds?\b|\bms\b|\btime steps?\b|\bin s\b|\bs\b")


def load() -> Any:
    """Return the package, read as the site reads it."""
    extensions = griffe.load_extensions(
        "dataclasses", str(Path(__file__).with_name("griffe_rst.py"))
    )
    loader = griffe.GriffeLoader(
        search_paths=[str(ROOT)], extensions=extensions, allow_inspection=False
    )
    return loader.load("rockpool")


def faults(package: Any) -> Iterator[str]:
    """Yield a line for each thing that is not said."""
    for section in sections():
        for name in section.own:
            if name.kind != "value":
                yield from _faults_of(name, package[f"{name.module}.{name.name}"[9:]])


def _faults_of(name: Name, thing: Any) -> Iterator[str]:
    if not thing.docstring:
        yield f"{name.path}: no docstring"
        return
    text = thing.docstring.value
    # a record says of its fields what they are as attributes
    said = (parameters(text, "Attributes") if thing.is_class else {}) | parameters(text)
    if not said and not has_page(name):
        return  # a small function says it in its one sentence
    several = (griffe.ParameterKind.var_positional, griffe.ParameterKind.var_keyword)
    for parameter in thing.parameters:
        if parameter.name in ("self", "cls") or parameter.kind in several:
            continue
        entry = said.get(parameter.name)
        if entry is None or not entry.text:
            yield f"{name.path}: {parameter.name} is not described"
        else:
            for fault in _lacks(parameter.name, entry):
                yield f"{name.path}: {parameter.name} {fault}"


def _lacks(name: str, entry: Described) -> Iterator[str]:
    if entry.elsewhere:
        yield f"is described elsewhere only: {entry.text!r}"
        return
    text = f"{entry.type} {entry.text}"
    if _ARRAY.search(entry.type) and not _SHAPE.search(text):
        yield f"has no shape: {text!r}"
    if _TIME.search(name) and not _UNIT.search(text):
        yield f"has no unit: {text!r}"


if __name__ == "__main__":
    found = list(faults(load()))
    print("\n".join(found))
    sys.exit(bool(found))
