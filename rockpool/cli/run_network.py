"""``rockpool run``: a network of a file, on an input, on any back-end."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from rockpool.cli._networks import input_data, network_and_input, network_file, time_step
from rockpool.cli._options import flag, integer, value
from rockpool.cli._output import CommandError, did_you_mean, in_json, tell, write
from rockpool.cli._requirements import check_file, check_picture, need_plots, write_picture
from rockpool.cli.verify import dtype

if TYPE_CHECKING:
    from numpy import ndarray

    from rockpool.nn.choice import Choice
    from rockpool.nn.description import Node
else:  # for those who check annotations at run time
    ndarray = Choice = Node = Any

DESCRIPTION = """\
Run a network of a file on an input, from the state that the file has, and say how many
spikes each layer emitted and how long it took. Numpy alone is enough.

INPUT is digits (the data that come with the package), an array (batch, time, channels) or
(time, channels) in a file .npy, .npz or .csv, a recording (AEDAT4, EVT2, EVT3, DAT, SHD,
SONATA, NEST, ...; 'rockpool show' tells what is in it), counted in the network's time step
from the time 0 on, or - for lines of numbers with commas between them on stdin, one a time
step: each is answered at once by a line of output."""

EXAMPLES = """\
  rockpool run net.safetensors digits                     handwritten digits
  rockpool run net.safetensors in.npy -o out.npz          keeps the output
  rockpool run net.safetensors in.npy -o out.npz --record vmem,isyn
  rockpool run net.safetensors shd_test.h5                a recording
  sensor | rockpool run net.safetensors -                 answers step by step"""

OUTPUTS = (".npz", ".npy", ".csv")


def backend(text: str) -> str:
    """A back-end, or ``auto``."""
    from rockpool.nn.models.catalogue import BACKENDS

    if text != "auto" and text not in BACKENDS:
        raise ValueError(f"there is no back-end {text!r}{did_you_mean(text, BACKENDS)}")
    return text


def output_file(text: str) -> str:
    """The name of a file for the output."""
    if not text.lower().endswith(OUTPUTS):
        raise ValueError(f"must end in {', '.join(OUTPUTS)}, got {text!r}")
    return text


def names(text: str) -> list[str]:
    """Names with commas between them."""
    return [name.strip() for name in text.split(",") if name.strip()]


OPTIONS = {
    "names": value("NET INPUT", "the file of the network, and its input"),
    "--backend": value("NAME", "what to run on; auto: the fastest that is here", "auto", backend),
    "--dtype": value("TYPE", "float32 or float64, where the back-end has both", None, dtype),
    "--batch": value("N", "how many inputs to run at a time", 256, integer(1, 10**6)),
    "-o": value("OUT", "write the output: .npz, .npy, or .csv (of one input)", None, output_file),
    "--record": value("A,B", "records to write as well, into the .npz", None, names),
    "--plot": value("FILE.png", "draw input, spikes and output into this file"),
    "--json": flag("print JSON instead of a report"),
}


def run(values: dict[str, Any]) -> int:
    """Run the network."""
    path, given = network_and_input("run", values["names"], needs_input=True)
    if values["record"] and not str(values["o"]).lower().endswith(".npz"):
        raise CommandError("--record: records go into a file -o OUT.npz", code=2)
    if values["plot"] is not None:
        check_picture(values["plot"])
        need_plots()
    if values["o"] is not None:
        check_file("-o", values["o"])
    if given == "-":
        for option in ("-o", "--record", "--plot", "--json"):
            if values[option.lstrip("-")]:
                raise CommandError(f"{option}: lines of stdin are answered on stdout", code=2)
    header = network_file(path)
    node, name = header.network, values["backend"]
    choice = None
    if given == "-":
        if name == "auto":
            choice = _chosen(node, (1, 1))
            tell(f"rockpool run: on {choice.backend}: {choice.reason}\n")
        return _stream(node, choice.backend if choice else name, values["dtype"])
    data = input_data(given, node)
    if str(values["o"]).lower().endswith(".csv") and len(data) != 1:
        raise CommandError(f"-o: a .csv holds the output of one input, and there are {len(data)}")
    if name == "auto":
        batch = max(min(len(data), values["batch"]), 1)
        shape = (batch, max(data.shape[1], 1))
        choice = _chosen(node, shape, max(math.ceil(len(data) / batch), 1))
    report, arrays = _evolved(node, choice.backend if choice else name, data, values)
    report["choice"] = {"reason": choice.reason, "costs": choice.costs} if choice else None
    if values["o"] is not None:
        _write_output(values["o"], arrays)
    if given == "digits":
        report["digits_read"] = _digits_read(arrays["output"])
    write(in_json(report) if values["json"] else _as_text(report, arrays))
    if values["plot"] is not None:
        from rockpool.nn.conversion import build
        from rockpool.plots import report as draw

        picture = draw(build(node, "numpy"), data[:1])
        write_picture(values["plot"], lambda file, kind: picture.savefig(file, format=kind))
    return 0


def _chosen(node: Node, shape: tuple[int, ...], calls: int | None = None) -> Choice:
    """Return the fastest back-end that is here and can hold the network."""
    from rockpool.nn.choice import choose

    try:
        return choose(node, shape, calls=calls)
    except ValueError as error:
        raise CommandError(str(error)) from error


def _built(node: Node, name: str, dtype: str | None) -> Any:
    """Return the network, or say why there is none."""
    from rockpool.nn.conversion import build

    try:
        return build(node.without_dropout(), name, dtype=dtype)
    except (ValueError, TypeError, ModuleNotFoundError) as error:
        raise CommandError.of(error) from error


def _evolved(
    node: Node, name: str, data: ndarray, values: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, ndarray]]:
    """Run the network batch by batch, each from the state of the file."""
    import numpy as np

    from rockpool.cli._progress import Progress
    from rockpool.nn.models.checks import one_of
    from rockpool.verification.layers import is_spiking, layers_of

    network = _built(node, name, values["dtype"])
    kept: dict[str, list[ndarray]] = {"output": []}
    spikes: dict[str, float] = {}
    neurons: dict[str, int] = {}
    wall = 0.0
    with Progress("inputs", max(len(data), 1)) as progress:
        for start in range(0, len(data), values["batch"]):
            part = data[start : start + values["batch"]]
            began = time.perf_counter()
            try:
                layers, output = layers_of(network, node, name, part)
            except (ValueError, TypeError, RuntimeError) as error:
                raise CommandError(str(error)) from error
            wall += time.perf_counter() - began
            kept["output"].append(output)
            for layer in layers:
                label = layer.name or layer.node.model
                if is_spiking(layer.node):
                    spikes[label] = spikes.get(label, 0.0) + float(layer.output.sum())
                    neurons[label] = layer.output.shape[-1]
                for key in values["record"] or ():
                    if key in layer.record:
                        kept.setdefault(f"{label}.{key}", []).append(layer.record[key])
            for key in values["record"] or ():
                known = sorted({each for layer in layers for each in layer.record})
                if key not in known:
                    raise CommandError(f"--record: must be {one_of(known)}, got {key!r}", code=2)
            progress.advance(len(part))
    arrays = {key: np.concatenate(parts) for key, parts in kept.items()}
    dt = time_step(node)
    simulated = data.shape[0] * data.shape[1] * dt
    report = {
        "backend": name,
        "inputs": len(data),
        "steps": data.shape[1],
        "dt": dt,
        "spikes": spikes,
        "rates": {key: spikes[key] / neurons[key] / simulated for key in spikes},
        "wall_seconds": wall,
        "simulated_seconds": simulated,
    }
    return report, arrays


def _digits_read(output: ndarray) -> float | None:
    """Return which part of the digits got the largest mean output, for ten output channels."""
    from rockpool.data import load_digits

    if output.ndim != 3 or output.shape[-1] != 10:
        return None
    return float((output.mean(1).argmax(-1) == load_digits()[1]).mean())


def _write_output(path: str, arrays: dict[str, ndarray]) -> None:
    """Write the output, and what was recorded."""
    import io

    import numpy as np

    from rockpool.utilities._atomic import replacing

    buffer = io.BytesIO()
    output = arrays["output"]
    if path.lower().endswith(".npz"):
        np.savez(buffer, **arrays)  # type: ignore[arg-type]
    elif path.lower().endswith(".npy"):
        np.save(buffer, output, allow_pickle=False)
    else:
        np.savetxt(buffer, output[0].reshape(len(output[0]), -1), delimiter=",", fmt="%.17g")
    try:
        with replacing(path, "wb") as file:
            file.write(buffer.getvalue())
    except OSError as error:
        raise CommandError(f"cannot write {path}: {error.strerror or error}") from error


def _as_text(report: dict[str, Any], arrays: dict[str, ndarray]) -> str:
    lines = [
        f"{report['inputs']} inputs of {report['steps']} time steps of {report['dt'] * 1e3:g} ms, "
        f"on {report['backend']}\n"
    ]
    if report["choice"] is not None:
        lines.append(f"choice      {report['choice']['reason']}\n")
    for name, count in report["spikes"].items():
        rate = report["rates"][name]
        lines.append(f"{name:<24}{count:>12,.0f} spikes, {rate:.1f} /s in the mean neuron\n")
    if report.get("digits_read") is not None:
        read = f"{100 * report['digits_read']:.1f} % read rightly, of all there are"
        lines.append(f"digits      {read}: those that it learnt from too\n")
    wall, simulated = report["wall_seconds"], report["simulated_seconds"]
    lines.append(f"speed       {simulated:.3g} s of network time in {wall:.3g} s\n")
    raster = _raster(arrays["output"], report["steps"] * report["dt"])
    return "".join(lines) + raster


def _raster(output: ndarray, duration: float) -> str:
    """Return the output of the first input as a raster, where it is spikes."""
    from rockpool.cli.demo.raster import raster_lines

    first = output[0].reshape(output.shape[1], -1) if output.size else output
    if not first.size or (first != first.round()).any() or not first.any():
        return ""
    return "\nthe output of the first input\n" + "".join(raster_lines(first, duration))


def _stream(node: Node, name: str, dtype: str | None) -> int:
    """Answer each line of stdin, a time step, by a line of output."""
    import numpy as np

    from rockpool.verification.layers import evolve_arrays

    network = _built(node, name, dtype)
    if sys.stdin is None:
        raise CommandError("there is no stdin to read time steps from")
    for number, step in _steps(node.shape[0]):
        try:
            network, output = evolve_arrays(network, name, step[np.newaxis, np.newaxis])
        except (ValueError, TypeError, RuntimeError) as error:
            raise CommandError(f"line {number}: {error}") from error
        write(",".join(f"{x:.9g}" for x in output[0, 0].flat) + "\n")
        if sys.stdout is not None:
            sys.stdout.flush()
    return 0


def _steps(channels: int | None) -> Iterator[tuple[int, ndarray]]:
    """Go over the lines of stdin that are not empty, with their numbers."""
    import numpy as np

    for number, line in enumerate(sys.stdin, 1):
        line = line.removeprefix("\ufeff")  # as some programs begin a text
        if not line.strip():
            continue
        try:
            step = np.array([float(word) for word in line.split(",")])
        except ValueError:
            raise CommandError(
                f"line {number} of stdin must be numbers, with commas between them, got "
                f"{line.strip()[:60]!r}"
            ) from None
        if channels not in (None, len(step)) or not np.isfinite(step).all():
            said = line.strip()[:60]
            raise CommandError(
                f"line {number} of stdin must be {channels} finite numbers, got {said!r}"
            )
        yield number, step
