"""``rockpool bench``: one layer, one input, every back-end: how fast, how large, and how equal."""

import sys

from rockpool.cli import exit_code_of
from rockpool.cli._options import flag, integer, seconds, value
from rockpool.cli._output import CommandError, did_you_mean, in_json, paint, table, tell, write
from rockpool.cli._requirements import need_numpy, write_picture

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rockpool.cli.bench.children import Record
else:  # for those who check annotations at run time
    Any = Record = object

DESCRIPTION = """\
Run the same layer on the same input on each back-end that is installed, each in a
process of its own, and compare: time, neuron-steps per second, memory, start-up, and
how far the answer is from that of numpy, the reference.

TIME is the median of the rounds, after a first one that also compiles what there is to
be compiled; START-UP is all up to the end of that one, from the start of the process.
MEMORY is the most that the process, or one that it started, had. Layers run without
gradients, on one thread unless --threads says more.

With --choose, measure instead what calls of all kinds of layers cost on numpy, numba,
torch and jax, on one thread, and keep it in a file, whose place is told: from it the
back-end 'auto' is chosen. The file may be deleted; then defaults hold."""

EXAMPLES = """\
  rockpool bench                                  LIF neurons, on all back-ends
  rockpool bench --backends numba,torch           on these, beside numpy
  rockpool bench --model Rate --neurons 500       another model, another size
  rockpool bench --plot speed.png                 draws a bar chart, too
  rockpool bench --json                           the same for programs
  rockpool bench --choose                         measures for --backend auto"""

MODELS = ("LIF", "ExpSyn", "Rate", "Linear")
# Back-end -> end of the names of its classes.
SUFFIXES = {
    "numpy": "",
    "numba": "Numba",
    "torch": "Torch",
    "jax": "Jax",
    "brian": "Brian",
    "nest": "Nest",
    "sinabs": "Sinabs",
    "sinabs-exodus": "Exodus",
}
REFERENCE = "numpy"
# The most numbers that go in.
LARGEST = 2 * 10**8


def model(text: str) -> str:
    """A model that several back-ends have."""
    if text not in MODELS:
        raise ValueError(f"there is no model {text!r}{did_you_mean(text, MODELS)}")
    return text


def chosen(text: str) -> "list[str]":
    """Names of back-ends, with commas between them."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in SUFFIXES:
            raise ValueError(f"there is no back-end {name!r}{did_you_mean(name, SUFFIXES)}")
    if not names:
        raise ValueError("must name a back-end")
    return names


count = integer(1, LARGEST)

OPTIONS = {
    "--model": value("NAME", f"what to run: {', '.join(MODELS)}", "LIF", model),
    "--neurons": value("N", "neurons in the layer", 100, count),
    "--steps": value("T", "time steps", 1000, count),
    "--batch": value("B", "inputs at a time", 1, count),
    "--backends": value("NAMES", "only these back-ends, with commas between them", None, chosen),
    "--rounds": value("R", "how often each one is timed", 5, count),
    "--threads": value("K", "threads that each one may use", 1, count),
    "--timeout": value("S", "seconds that each back-end may take in all", 300.0, seconds),
    "--choose": flag("measure what 'auto' is chosen by, and keep it in a file"),
    "--json": flag("print JSON instead of a table"),
    "--plot": value("FILE.png", "draw a bar chart of the speeds into this file"),
}


def run(values: "dict[str, Any]") -> int:
    """Run the layer everywhere; the exit code is 1 where an answer is wrong, or there is none."""
    if values["choose"]:
        need_numpy("what is measured are its arrays", None)
        from rockpool.cli.bench.choosing import measure_and_keep

        return measure_and_keep(values)
    size = values["neurons"] * values["steps"] * values["batch"]
    if size > LARGEST:
        raise CommandError(f"{size} numbers are too many: at most {LARGEST} can go in", code=2)
    picture = values["plot"]
    need_numpy("numpy is the reference", picture)
    from rockpool.cli.bench.children import SETTINGS, run_all

    names = [REFERENCE, *(values["backends"] or SUFFIXES)]
    classes = {name: values["model"] + SUFFIXES[name] for name in names}
    records: list[Record] = []
    interrupted = 0
    try:
        for record in run_all(classes, values):
            records.append(record)
    except OSError as error:
        raise CommandError(f"no process can be started to run in: {error.strerror}") from error
    except KeyboardInterrupt as interrupt:
        if not any(record.seconds for record in records):
            raise
        interrupted = exit_code_of(interrupt)
    if values["json"]:
        settings = {name: values[name] for name in SETTINGS}
        write(in_json({"settings": settings, "results": [record.to_dict() for record in records]}))
    else:
        write(_as_text(records, values))
    if picture is not None:
        from rockpool.cli.bench.picture import draw

        ran = [record for record in records if record.seconds]
        write_picture(picture, lambda file, kind: draw(ran, _title(values), file, kind))
        if not values["json"]:
            write(f"\nThe speeds are drawn in {picture}\n")
    if interrupted:
        tell("Interrupted: the other back-ends have not been run.\n")
        return interrupted
    wanted = {REFERENCE, *(values["backends"] or ())}
    failed = any(record.backend in wanted and not record.seconds for record in records)
    return int(failed or any(record.agrees is False for record in records))


def _title(values: "dict[str, Any]") -> str:
    return (
        f"{values['model']}: {values['neurons']} neurons, {values['steps']} time steps, "
        f"batch {values['batch']}"
    )


def _as_text(records: "list[Record]", values: "dict[str, Any]") -> str:
    size = values["neurons"] * values["steps"] * values["batch"]
    rows, colours = [], []
    for record in records:
        if not record.seconds:
            rows.append((record.backend, "-", "-", "-", "-", record.reason))
            colours.append(("", "", "", "", "", "dim" if record.agrees is None else "red"))
            continue
        rows.append(
            (
                record.backend,
                f"{1e3 * record.seconds:.4g} ms",
                f"{size / record.seconds:.3g}",
                f"{record.memory / 1e6:.0f} MB" if record.memory else "-",
                f"{record.start_up:.1f} s",
                record.answer,
            )
        )
        colours.append(("", "", "", "", "", "" if record.agrees else "red"))
    header = ("BACK-END", "TIME", "NEURON-STEPS/S", "MEMORY", "START-UP", "ANSWER")
    title = paint(_title(values), "bold", sys.stdout)
    return f"{title}\n\n{table(header, rows, right=(1, 2, 3, 4), colours=colours)}"
