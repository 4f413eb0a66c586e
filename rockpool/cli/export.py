"""``rockpool export``: a network of a file as the source of a program."""

from __future__ import annotations

import os
from typing import Any

from rockpool.backends.specs import INSTALL_FILES
from rockpool.cli._networks import network_file
from rockpool.cli._options import flag, value
from rockpool.cli._output import CommandError, in_json, write
from rockpool.cli._requirements import check_file, need

DESCRIPTION = """\
Write a network of a file as C99 that needs no library: net.h, net.c, and a main.c that
answers lines of numbers on stdin. It computes in single precision, gives spike for spike
what the network gives as a stream of that precision, allocates nothing and has no data but
constants.

With --weights int8 each matrix of weights is whole numbers times a scale of its own.
--save writes the network of these weights, to be run and verified as any other."""

EXAMPLES = """\
  rockpool export net.safetensors --to c -o made                  the three files in made/
  rockpool export net.safetensors --to c -o made --weights int8   a quarter of the size
  rockpool export net.safetensors --to c -o made --weights int8 --save small.safetensors
  cd made && gcc -O2 -std=c99 main.c net.c -o net -lm && ./net < in.csv"""

WEIGHTS = ("float32", "int8")


def target(text: str) -> str:
    """What to write."""
    if text != "c":
        raise ValueError(f"must be c, got {text!r}")
    return text


def weights(text: str) -> str:
    """The type of the weights."""
    if text not in WEIGHTS:
        raise ValueError(f"must be {' or '.join(WEIGHTS)}, got {text!r}")
    return text


OPTIONS = {
    "names": value("NET", "the file of the network"),
    "--to": value("WHAT", "what to write: c", None, target),
    "-o": value("DIR", "the folder to write into; it is made where it is not there"),
    "--weights": value("TYPE", "float32 or int8", "float32", weights),
    "--save": value("FILE", "write the network of these weights into this file as well"),
    "--json": flag("print JSON instead of a report"),
}


def run(values: dict[str, Any]) -> int:
    """Write the files."""
    if len(values["names"]) != 1 or values["to"] is None or values["o"] is None:
        raise CommandError(
            "usage: rockpool export NET --to c -o DIR", code=2, hint="See 'rockpool export --help'."
        )
    saved = values["save"]
    if saved is not None:
        need("safetensors", "--save needs safetensors", INSTALL_FILES)
    if saved is not None and os.path.dirname(saved) != os.path.normpath(values["o"]):
        check_file("--save", saved)  # the folder -o is made
    header = network_file(values["names"][0])
    from rockpool.files import save
    from rockpool.streaming import export_c

    try:
        made = export_c(header.network, values["o"], weights=values["weights"])
        if values["save"] is not None:
            save(made.description, values["save"])
    except OSError as error:
        reason = (
            f"cannot write {error.filename or values['o']!r}: {error.strerror}"
            if error.errno
            else error
        )
        raise CommandError(str(reason)) from error
    except (ValueError, TypeError, ModuleNotFoundError) as error:
        raise CommandError.of(error) from error
    n_numbers = sum(v.array.size for _, n in made.description.walk() for v in n.parameters.values())
    facts = {"files": made.paths, "weights": made.weights, "parameters": n_numbers}
    if values["json"]:
        write(in_json(facts))
        return 0
    lines = [f"{path}\n" for path in made.paths]
    lines.append(f"{n_numbers:,} parameters, weights in {made.weights}\n")
    write("".join(lines))
    return 0
