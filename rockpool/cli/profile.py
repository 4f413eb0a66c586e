"""``rockpool profile``: what a network costs on an input."""

from __future__ import annotations

from typing import Any

from rockpool.cli._networks import input_data, network_and_input, network_file
from rockpool.cli._options import flag, value
from rockpool.cli._output import CommandError, in_json, write

DESCRIPTION = """\
Run a network of a file on numpy, and count for each layer and in all: synaptic operations
(accumulations, where inputs are -1, 0 and 1 alone, and multiply-accumulations; dense, and
effective, without zeros), the sparsity of activations, parameters, and bytes of memory in
single precision. The definitions, and the numbers, are those of NeuroBench 2.3.

INPUT is digits (the data that come with the package), or an array (batch, time,
channels) or (time, channels) in a file .npy, .npz or .csv."""

EXAMPLES = """\
  rockpool profile net.safetensors digits         on handwritten digits
  rockpool profile net.safetensors in.npy --json  the same for programs
  rockpool profile net.safetensors digits --energy "0.9e-12,4.6e-12,Horowitz 2014"
                                                  operations times the figures of a source"""


def energy(text: str) -> dict[str, Any]:
    """The figures of a source: AC,MAC,SOURCE."""
    from rockpool.profiling.energy import figures

    ac, _, rest = text.partition(",")
    mac, _, source = rest.partition(",")
    try:
        said = {"ac": float(ac), "mac": float(mac), "source": source.strip()}
    except ValueError:
        raise ValueError(
            f"must be joules of an accumulation, joules of a multiply-accumulation, and the source "
            f"of these figures, with commas between them; got {text!r}"
        ) from None
    figures(said)
    return said


OPTIONS = {
    "names": value("NET INPUT", "the file of the network, and its input"),
    "--energy": value("AC,MAC,SOURCE", "joules of operations, and who says so", None, energy),
    "--by-step": flag("tell accumulations in each time step, not in the whole input"),
    "--json": flag("print JSON instead of a table"),
}


def run(values: dict[str, Any]) -> int:
    """Count, and show the table."""
    path, given = network_and_input("profile", values["names"], needs_input=True)
    header = network_file(path)
    data = input_data(given, header.network)
    from rockpool.profiling import profile

    try:
        found = profile(header.network, data, values["energy"], by_step=values["by-step"])
    except (ValueError, TypeError) as error:
        raise CommandError(str(error)) from error
    write(in_json(found.to_dict()) if values["json"] else f"{found}\n")
    return 0
