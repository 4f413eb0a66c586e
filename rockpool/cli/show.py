"""``rockpool show``: what a network in a file is made of, or a recording. Imports numpy alone.

For a recording it imports the library that its format needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rockpool.cli._networks import described_file
from rockpool.cli._options import flag, value
from rockpool.cli._output import CommandError, in_json, paint, table, write
from rockpool.cli._recordings import recording_format, shown_recording

if TYPE_CHECKING:
    from numpy import ndarray

    from rockpool.files import NetworkFile
    from rockpool.nn.description import Node
else:  # for those who check annotations at run time
    ndarray = NetworkFile = Node = Any

DESCRIPTION = """\
Show what a network in a file is made of: its layers with shapes, parameters and time
constants, the size of the file, and which back-ends can hold it, or why not. Nothing but
numpy is imported (for a file of NIR, also nir), and nothing is run.

Of a recording (AEDAT4, EVT2, EVT3, DAT, SHD, SONATA, NEST, ...) show its format, how many
events it has, of which sensor or channels, and when."""

EXAMPLES = """\
  rockpool show net.safetensors          the network
  rockpool show net.safetensors --json   the same for programs
  rockpool show net.nir                  one of NIR, and how it was read
  rockpool show gesture.aedat4           a recording"""

OPTIONS = {
    "names": value("NET", "the file of a network, or a recording"),
    "--json": flag("print JSON instead of a table"),
}


def run(values: dict[str, Any]) -> int:
    """Show a network, or a recording."""
    if len(values["names"]) != 1:
        raise CommandError("usage: rockpool show NET", code=2, hint="See 'rockpool show --help'.")
    (path,) = values["names"]
    format = recording_format(path)
    if format is not None:
        write(shown_recording(path, format, values["json"]))
        return 0
    header = described_file(path)
    facts = _facts(header)
    write(in_json({"file": path, **facts}) if values["json"] else _as_text(path, facts))
    return 0


def _facts(header: NetworkFile) -> dict[str, Any]:
    """Return all that is shown, as plain values."""
    from rockpool.nn.conversion import backends_for

    return {
        "bytes": header.size,
        "written_by": header.written_by,
        "library": header.library,
        "notes": header.notes,
        "parameters": sum(layer["parameters"] for layer in _layers(header.network)),
        "layers": _layers(header.network),
        "backends": backends_for(header.network),
    }


def _layers(network: Node) -> list[dict[str, Any]]:
    return [
        {
            "name": ".".join(path),
            "depth": len(path),
            "model": node.model,
            "shape": list(node.shape),
            "parameters": sum(v.array.size for v in node.parameters.values()),
            "values": {name: _range(v.array) for name, v in node.parameters.items()},
            "constant": [name for name, v in node.parameters.items() if v.constant],
            "settings": {
                name: setting if _is_plain(setting) else str(setting)
                for name, setting in node.settings.items()
            },
        }
        for path, node in network.walk()
    ]


def _is_plain(setting: Any) -> bool:
    return setting is None or isinstance(setting, (bool, int, float, str, tuple))


def _range(array: ndarray) -> list[float]:
    """Return the least and the largest value."""
    return [float(array.min()), float(array.max())] if array.size else []


def _as_text(path: str, facts: dict[str, Any]) -> str:
    rows = [
        (
            "  " * layer["depth"] + (layer["name"].rpartition(".")[2] or "network"),
            layer["model"],
            " x ".join("?" if n is None else str(n) for n in layer["shape"]),
            str(layer["parameters"] or ""),
            _values(layer),
        )
        for layer in facts["layers"]
    ]
    head = f"{paint(path, 'bold')}  {facts['bytes']:,} bytes, {facts['parameters']:,} parameters, "
    lines = [f"{head}written by {facts['written_by']}\n\n"]
    lines += [f"{name}: {note}\n" for name, note in facts["notes"].items()]
    lines.append(table(("LAYER", "MODEL", "SHAPE", "PARAMETERS", "VALUES"), rows, right=(3,)))
    lines.append("\n")
    for backend, problems in facts["backends"].items():
        verdict = paint("yes", "green") if not problems else paint(f"no: {problems[0]}", "dim")
        lines.append(f"{backend:<14}{verdict}\n")
    return "".join(lines)


def _values(layer: dict[str, Any]) -> str:
    """Return the ranges of a layer's values, and what it computes with besides."""
    said = []
    for name, span in layer["values"].items():
        if not span:
            continue
        low, high = span
        text = f"{low:.3g}" if low == high else f"{low:.3g}..{high:.3g}"
        said.append(f"{name} {text}" + (" (constant)" if name in layer["constant"] else ""))
    said += [f"{name} {_said(setting)}" for name, setting in layer["settings"].items()]
    return ", ".join(said)


def _said(setting: Any) -> str:
    """Return a setting as text; edges as arrows."""
    if isinstance(setting, tuple) and any(_is_edge(entry) for entry in setting):
        return ", ".join(" -> ".join(edge) for edge in setting)
    return f"{setting:g}" if isinstance(setting, float) else str(setting)


def _is_edge(entry: Any) -> bool:
    return isinstance(entry, tuple) and all(isinstance(name, str) for name in entry)
