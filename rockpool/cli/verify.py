"""``rockpool verify``: one network on every back-end, compared spike for spike."""

from __future__ import annotations

from typing import Any

from rockpool.cli._networks import input_data, network_and_input, network_file
from rockpool.cli._options import flag, value
from rockpool.cli._output import CommandError, did_you_mean, in_json, write

DESCRIPTION = """\
Run a network of a file on every back-end that is here and can hold it, and compare the
spikes and values of all layers with those of numpy. Where spikes differ, the first one
is shown with the membranes on both sides. The exit code is 0 if nothing differs but for
rounding: both membranes within 8 units in the last place of the threshold; it is 1 if
something does, or if numpy is all that could be run.

INPUT is digits (the data that come with the package), or an array (batch, time,
channels) or (time, channels) in a file .npy, .npz or .csv; without it, random spikes."""

EXAMPLES = """\
  rockpool verify net.safetensors                         on random spikes
  rockpool verify net.safetensors digits                  on handwritten digits
  rockpool verify net.safetensors --backends numba,nest   on these, beside numpy
  rockpool verify net.safetensors --one-spike             at most one spike a step
  rockpool verify net.safetensors --json                  the same for programs"""

DTYPES = ("float32", "float64")


def chosen(text: str) -> list[str]:
    """Names of back-ends, with commas between them."""
    from rockpool.nn.models.catalogue import BACKENDS

    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in BACKENDS:
            raise ValueError(f"there is no back-end {name!r}{did_you_mean(name, BACKENDS)}")
    if not names:
        raise ValueError("must name a back-end")
    return names


def dtype(text: str) -> str:
    """A precision."""
    if text not in DTYPES:
        raise ValueError(f"must be {' or '.join(DTYPES)}, got {text!r}")
    return text


OPTIONS = {
    "names": value("NET [INPUT]", "the file of the network, and its input"),
    "--backends": value("A,B", "only these, beside numpy", None, chosen),
    "--dtype": value("TYPE", "float32 or float64, where a back-end has both", None, dtype),
    "--one-spike": flag("run all neurons with at most one spike in a time step, as NEST does"),
    "--json": flag("print JSON instead of a table"),
}


def run(values: dict[str, Any]) -> int:
    """Compare the back-ends; 0 if they agree but for rounding."""
    path, given = network_and_input("verify", values["names"], needs_input=False)
    header = network_file(path)
    data = input_data(given, header.network) if given else None
    from rockpool.cli._progress import Progress
    from rockpool.nn.models.catalogue import BACKENDS
    from rockpool.verification import verify

    total = len({"numpy", *(values["backends"] or BACKENDS)})
    with Progress("back-ends", total) as progress:
        try:
            verdict = verify(
                header.network,
                data,
                backends=values["backends"],
                dtype=values["dtype"],
                one_spike=values["one-spike"],
                advance=lambda _: progress.advance(1),
            )
        except (ValueError, TypeError, ModuleNotFoundError) as error:
            raise CommandError.of(error) from error
    write(in_json(verdict.to_dict()) if values["json"] else f"{verdict}\n")
    if not verdict.compared:
        raise CommandError("nothing was compared: no back-end but numpy could run the network")
    return 0 if verdict.ok else 1
