"""``rockpool demo``: handwritten digits become spike trains, and a spiking network reads them."""

from __future__ import annotations

import sys

from rockpool.cli._options import integer, value
from rockpool.cli._output import paint, write
from rockpool.cli._requirements import need_numpy, write_picture

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rockpool.cli.demo.experiment import Example, Result
else:  # for those who check annotations at run time
    Any = Example = Result = object

DESCRIPTION = """\
Read handwritten digits with spiking neurons. 1797 scanned digits of 8 x 8 pixels become
spike trains, run through a network of LIF neurons with random weights, and a ridge
regression on the spike counts, fitted to one half of the digits, reads the other half.
It takes a few seconds and needs numpy only; --plot needs matplotlib."""

EXAMPLES = """\
  rockpool demo                     as it is
  rockpool demo --neurons 100       with a smaller network
  rockpool demo --seed 1            with other weights and another split
  rockpool demo --plot digits.png   draws spikes and confusion matrix, too"""

MOST_NEURONS = 5000
BACKENDS = ("numpy",)


def backend(text: str) -> str:
    """A back-end that the demo runs on."""
    if text not in BACKENDS:
        raise ValueError(f"the demo runs on {' and '.join(BACKENDS)} only, not on {text!r}")
    return text


OPTIONS = {
    "--plot": value("FILE.png", "draw the spikes and the confusion matrix into this file"),
    "--seed": value("N", "seed of the split, the weights and the spikes", 0, integer(0, 2**32 - 1)),
    "--neurons": value("N", "hidden neurons", 400, integer(1, MOST_NEURONS)),
    "--backend": value("NAME", "what to run on; there is only numpy yet", "numpy", backend),
}


def run(values: dict[str, Any]) -> int:
    """Train, test, and show what happened."""
    picture = values["plot"]
    need_numpy("the demo runs on numpy", picture)
    from rockpool.cli._progress import Progress
    from rockpool.cli.demo.experiment import DigitReader, digits

    data = digits(values["seed"])
    reader = DigitReader(values["neurons"], values["seed"])
    write(_introduction(data.n_train, data.n_test, values["neurons"], values["seed"]))
    if sys.stdout is not None:
        sys.stdout.flush()  # to be read while the network runs
    with Progress("digits seen", len(data.images)) as progress:
        result = reader.run(data, progress.advance)
    write(_raster(result.example))
    write(_summary(result))
    if picture is not None:
        from rockpool.cli.demo.picture import draw

        write_picture(picture, lambda file, kind: draw(result, file, kind))
        write(f"\nThe spikes and the confusion matrix are drawn in {picture}\n")
    return 0


def _introduction(n_train: int, n_test: int, n_neurons: int, seed: int) -> str:
    from rockpool.cli.demo.experiment import DT, N_PIXELS, PEAK_RATE, STEPS

    title = paint("Handwritten digits, read by spiking neurons", "bold")
    return f"""\
{title}

data      {n_train + n_test} images of 8 x 8 pixels, split at random (seed {seed}):
          {n_train} to learn from, {n_test} for the test
spikes    one LIF neuron a pixel, up to {PEAK_RATE:.0f} spikes/s, {STEPS * DT * 1e3:.0f} ms an image
network   {N_PIXELS} LIF > {N_PIXELS} x {n_neurons} random weights > {n_neurons} LIF, on numpy
readout   ridge regression on the spike counts of the {n_neurons} neurons

"""


def _raster(example: Example) -> str:
    from rockpool.cli.demo.experiment import DT, STEPS
    from rockpool.cli.demo.raster import show

    verdict = "rightly" if example.label == example.read_as else "wrongly"
    title = f"One test image, a {example.label}, {verdict} read as a {example.read_as}"
    return f"{paint(title, 'bold')}\n\n{show(example, STEPS * DT)}\n"


def _summary(result: Result) -> str:
    right = int(result.confusion.trace())
    total = int(result.confusion.sum())
    accuracy = paint(f"accuracy  {100 * right / total:.1f} %", "bold")
    left_out = f"{100 * result.loo_accuracy:.1f} %"
    lines = [
        f"{accuracy} of the {total} test images, {total - right} wrong (by chance: 10 %)",
        f"          {left_out} of the training images, each left out in turn;",
        f"          that chose the ridge penalty ({result.penalty:.3g}), the test half nothing",
    ]
    if result.mistakes:
        worst = ", ".join(f"{a} read as {b} ({_times(n)})" for n, a, b in result.mistakes[:3])
        lines.append(f"mistakes  {worst}")
    lines += [
        f"activity  {result.pixel_rate:.0f} spikes/s in the mean pixel neuron, "
        f"{result.hidden_rate:.0f} in the mean hidden one",
        f"speed     {result.simulated:.1f} s of network time in {result.wall:.2f} s: "
        f"{result.simulated / result.wall:.0f} simulated seconds per second",
    ]
    return "\n".join(lines) + "\n"


def _times(number: int) -> str:
    return {1: "once", 2: "twice"}.get(number, f"{number} times")
