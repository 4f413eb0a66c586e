"""The directory of models: one page each, from the tables of `rockpool.nn.models`.

The verdicts are those that ``tests/conformance/table.py --write`` has kept.
"""

from __future__ import annotations

import ast
import inspect
import json
import sys
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from docstrings import Described, docstring, parameters
from formulas import formulas, legend
from reference import in_a_cell, place, relative
from surface import Name, defined, sections

from rockpool.nn.models.catalogue import BACKENDS, LACKING, MODELS
from rockpool.nn.models.model import Model, ParameterSpec, SettingSpec
from rockpool.nn.modules import native

RESULTS = Path(__file__).resolve().parents[2] / "tests" / "conformance" / "results.json"
_FILES = ("lif", "exp_syn", "rate", "linear", "convolution", "axes", "euler")
# Back-ends that the grid runs in two precisions.
_COLUMNS = {"torch": ("torch", "torch, double")}
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
# Parts of a model that have rows of their own in the grid.
_ROWS = {"LIF": ("LIF", "LIF recurrent")}

_VERDICTS = """\
Each class runs the cases of the [conformance grid](index.md#verdicts) and is held against the
numpy one. **exact**: each spike and each value is the same. A bound: of spikes, how many may be
elsewhere, in parts of all; of values, how far the output may be off, in parts of the largest."""

_INDEX = """\
---
hide:
  - toc
---

# Models

What each model *is*: its equations, parameters and states, said once for every back-end; and how
near each back-end comes to it. The pages are made from the tables that the modules themselves are
built from, `rockpool.nn.models`. What has no such table (functions, filter banks, dropout,
readouts) is in the [reference](../reference/nn/modules/index.md).

{table}

## Verdicts

Every class of a model is run on the same {cases} cases, hard ones among them (long runs, time
constants of a single step, saturating input, calls in chunks), and compared with the numpy class:
output, states and records. **exact**: each spike, each value. A bound: of spikes, how many may be
elsewhere, in parts of all; of values, the deviation in parts of the largest. The reason for each
bound stands on the page of its model. A back-end in brackets was not run: it needs a CUDA device.

{settings}The verdicts are those of `tests/conformance/results.json`, which
`python tests/conformance/table.py --write` makes; last with {versions}.
"""


@cache
def results() -> dict[str, Any]:
    """Return what the conformance grid found."""
    found: dict[str, Any] = json.loads(RESULTS.read_text())
    return found


@cache
def _names() -> dict[str, Name]:
    return {name.name: name for section in sections() for name in section.own}


def _link(name: str, page: str) -> str:
    return f"[`{name}`]({relative(place(_names()[name]), page)})"


def page_of(model: Model) -> str:
    """Return the page of a model, in ``docs/``."""
    return f"models/{model.name}.md"


def pages() -> dict[str, str]:
    """Return the pages by their paths in ``docs/``."""
    return {"models/index.md": _index()} | {page_of(model): _page(model) for model in MODELS}


def nav() -> list[str]:
    """Return the models' part of the navigation, as lines of ``mkdocs.yml``."""
    lines = ["  - Models:", "    - models/index.md"]
    return lines + [f"    - {model.name}: {page_of(model)}" for model in MODELS]


def _index() -> str:
    page = "models/index.md"
    lines = [f"| model | {' | '.join(BACKENDS)} |", "| --- " * (1 + len(BACKENDS)) + "|"]
    for model in MODELS:
        cells = [f"[{model.name}]({relative(page_of(model), page)}): {model.title}"]
        for backend in BACKENDS:
            cells.append(_short(model, backend) if backend in model.classes else "")
        lines.append(f"| {' | '.join(cells)} |")
    counts = {
        row: max((verdict["cases"] for verdict in verdicts.values()), default=0)
        for row, verdicts in results()["verdicts"].items()
    }
    said = [
        f"On {backend}, with `{name}={value:g}`, as the reference that it is compared with.\n"
        for backend, settings in results()["settings"].items()
        for name, value in settings.items()
    ]
    versions = [f"{name} {version}" for name, version in results()["versions"].items()]
    return _INDEX.format(
        table="\n".join(lines),
        cases=sum(counts.values()),
        settings="".join(said) + "\n" if said else "",
        versions=", ".join(versions),
    )


def _rows(model: Model, backend: str) -> list[tuple[str, str, dict[str, Any]]]:
    """Return the verdicts on one class of a model: what of it, which precision, verdict."""
    found = []
    for row in _ROWS.get(model.name, (model.name,)):
        for column in _COLUMNS.get(backend, (backend,)):
            verdict = results()["verdicts"].get(row, {}).get(column)
            if verdict is not None and verdict["class"] == model.classes[backend]:
                found.append((row.removeprefix(model.name).strip(), column, verdict))
    return found


def _short(model: Model, backend: str) -> str:
    if backend == "numpy":
        return "reference"
    verdicts = [verdict for _, _, verdict in _rows(model, backend)]
    if not verdicts:
        return "tested by itself"
    if any(verdict["verdict"] == "not run" for verdict in verdicts):
        return "(needs CUDA)"
    bound = max(verdict.get("bound", 0.0) for verdict in verdicts)
    return _at_most(bound) if bound else "exact"


def _at_most(bound: float) -> str:
    """Return a bound as "≤ 2·10⁻⁶", which no line end divides."""
    mantissa, _, exponent = f"{bound:.0e}".partition("e")
    power = "10" + str(int(exponent)).translate(_RAISED)
    return f"≤&nbsp;{power}" if mantissa == "1" else f"≤&nbsp;{mantissa}·{power}"


def _page(model: Model) -> str:
    page = page_of(model)
    parts = [f"# {model.name}", "", f"{model.title[0].upper()}{model.title[1:]}.", ""]
    parts += ["## Equations", "", *_equations(model), ""]
    if model.source:
        parts += [f"Source: {model.source}.", ""]
    if model.parameters:
        parts += ["## Parameters", "", *_parameters(model), ""]
    if model.states:
        parts += ["## States", "", "Zero at rest.", "", "| name | shape |", "| --- | --- |"]
        parts += [f"| `{state.name}` | {_shape(state.shape)} |" for state in model.states]
        parts += [""]
    settings = [spec for spec in model.settings if not spec.name.startswith("neuron_shape")]
    if settings:
        parts += ["## Settings", "", "What is not trained.", "", *_settings(model, settings), ""]
    parts += ["## Back-ends", "", _VERDICTS, "", *_backends(model, page), ""]
    parts += ["## More of it", "", _notes(model)]
    return "\n".join(parts).rstrip() + "\n"


def _equations(model: Model) -> list[str]:
    names = [spec.name for spec in model.attributes]
    step = "One time step"
    if model.states:
        step += r", in this order; $\leftarrow$ gives a state its new value"
    if "decay" in names:
        step += ". The settings are as they are by default; [below](#more-of-it) is what others do"
    text = legend(model.equations, names)
    return [f"{step}:", "", formulas(model.equations), "", *([text] if text else [])]


def _shape(symbolic: tuple[Any, ...]) -> str:
    inside = ", ".join(map(str, symbolic))
    return f"`({inside},)`" if len(symbolic) == 1 else f"`({inside})`"


def _descriptions(model: Model) -> dict[str, str]:
    """Return what the docstring of the model's first class says of each argument, in a sentence."""
    name = next(iter(model.classes.values()))
    said = {spec.name: _described(name, spec.name) for spec in model.attributes}
    known = {key: entry.text for key, entry in said.items() if entry is not None}
    return {key: in_a_cell(" ".join(text.split())) for key, text in known.items()}


def _described(name: str, parameter: str, depth: int = 0) -> Described | None:
    """Return what a class says of a parameter, or the class that it refers to or stands on."""
    known = _names().get(name)
    node = defined(known.module, known.name)[1] if known else None
    said = parameters(docstring(node))
    entry = said.get(parameter) or said.get("...")
    if not isinstance(node, ast.ClassDef) or depth > 6 or (entry and not entry.elsewhere):
        return entry
    others = [str(entry.elsewhere)] if entry else [ast.unparse(base) for base in node.bases]
    found = (_described(other.rpartition(".")[2], parameter, depth + 1) for other in others)
    first = next(filter(None, found), None)
    return entry.joined(first) if entry and first else first or entry


def _default(model: Model, spec: SettingSpec) -> str:
    """Return the default of a setting; "–" if it follows from others."""
    if "numpy" in model.classes:
        signature = inspect.signature(getattr(native, model.classes["numpy"]))
        parameter = signature.parameters.get(spec.name)
        if parameter is not None and parameter.default is parameter.empty:
            return "has to be given"
        if parameter is not None and parameter.default is None:
            return "–"
    return f"`{spec.default!r}`"


def _parameters(model: Model) -> list[str]:
    said = _descriptions(model)
    lines = ["| name | family | shape | unit | default | |", "| --- " * 6 + "|"]
    for spec in model.parameters:
        shapes = " or ".join(_shape(shape) for shape in spec.shapes)
        default = f"{spec.default:g}" if spec.default is not None else f"by `{spec.drawn_by}`"
        note = said.get(spec.name, "")
        if spec.only_with and f"`{spec.only_with}`" not in note:
            note = f"{note}; only with `{spec.only_with}`"
        lines.append(
            f"| `{spec.name}` | {spec.family} | {shapes} | {_unit(spec)} | {default} | {note} |"
        )
    names = sorted({entry for spec in model.parameters for s in spec.shapes for entry in s} - {1})
    meaning = {
        "Nin": "inputs",
        "Nout": "neurons",
        "N": "neurons",
        "S": "synapses per neuron, `Nin // Nout`",
        "Cin": "input channels of a group",
        "Cout": "output channels",
    }
    known = [f"`{name}`: {meaning[name]}" for name in map(str, names) if name in meaning]
    return [*lines, "", *([f"{'; '.join(known)}."] if known else [])]


def _unit(spec: ParameterSpec | SettingSpec) -> str:
    return spec.unit or "–"


def _settings(model: Model, settings: list[SettingSpec]) -> list[str]:
    said = _descriptions(model)
    lines = ["| name | unit | default | |", "| --- " * 4 + "|"]
    for spec in settings:
        note = said.get(spec.name, "")
        lines.append(f"| `{spec.name}` | {_unit(spec)} | {_default(model, spec)} | {note} |")
    return lines


def _backends(model: Model, page: str) -> list[str]:
    lines = ["| back-end | class | verdict | reason |", "| --- " * 4 + "|"]
    for backend, name in model.classes.items():
        link = _link(name, page)
        if backend == "numpy":
            lines.append(f"| numpy | {link} | the reference | |")
            continue
        rows = _rows(model, backend)
        if not rows:
            lines.append(f"| {backend} | {link} | not in the grid | has tests of its own |")
        for part, column, verdict in rows:
            said = {"exact": "exact", "not run": "not run", "fails": "**fails**"}
            text = said.get(verdict["verdict"]) or _at_most(verdict["bound"])
            of = f" ({part})" if part else ""
            precision = f", {verdict['precision']}"
            about = f"{verdict['cases']} cases{of}{precision}"
            lines.append(f"| {column} | {link} | {text}: {about} | {verdict.get('reason', '')} |")
        lacking = LACKING.get(name, ())
        if lacking:
            names = ", ".join(f"`{entry}`" for entry in lacking)
            lines.append(f"| | | has no {names} | |")
    return lines


def _notes(model: Model) -> str:
    """Return the documentation of the file in which the model's table stands."""
    for file in _FILES:
        module = import_module(f"rockpool.nn.models.{file}")
        if any(value is model for value in vars(module).values()):
            return (
                f"::: rockpool.nn.models.{file}\n    options:\n      members: false\n"
                "      show_root_heading: false\n      show_root_toc_entry: false\n"
            )
    print(f"no file has the table of {model.name}", file=sys.stderr)
    raise SystemExit(1)
