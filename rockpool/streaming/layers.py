"""What each model becomes in a plan, and which networks cannot be streamed."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from rockpool.nn.description import Node
from rockpool.nn.kernels import operations as op
from rockpool.nn.models import convolution, euler
from rockpool.nn.models.catalogue import OF_NIR, model_named
from rockpool.nn.models.connections import Connections, connections, n_connections
from rockpool.nn.models.exp_syn import decay
from rockpool.nn.networks.lowering import SEPARATOR, has_two_outputs, lowered, potentials_of
from rockpool.nn.networks.makers import maker_of
from rockpool.streaming.plan import Builder, Part

__all__ = ["add_module", "obstacles"]

Path = tuple[str, ...]

MOST_CONNECTIONS = 2**24  # of which single precision holds each number

_WINDOWS = ("Conv1d", "Conv2d", "SumPool2d", "AvgPool2d")

# Where the functions of each library are looked for, and names that they have there
_HOMES = {"numpy": ("numpy",), "torch": ("torch",), "jax": ("jax.numpy", "jax.nn")}
_OTHER_NAMES = {"abs": "absolute", "neg": "negative"}


def obstacles(node: Node) -> Iterator[str]:
    """Say, module by module, why a network cannot be streamed; nothing if it can."""
    if has_two_outputs(node):
        yield f"{node.model} has two outputs, of which a stream has one"
    for path, inner in node.walk():
        where = f"{'.'.join(path)!r}: " if path else ""
        yield from (f"{where}{text}" for text in _own_obstacles(inner))


def _own_obstacles(node: Node) -> Iterator[str]:
    """Say why a module cannot be streamed, those inside it left aside."""
    name = node.model
    if maker_of(node) is not None:
        last = potentials_of(node)
        if last is not None and last[1].model not in ("LIF", "aLIF"):
            yield f"{name} gives the potentials of {last[1].model}; streams have those of LIF, aLIF"
        return
    if node.user_class is not None:
        kind = "container" if node.children else "layer"
        yield f"{name} is a {kind} of your own, of which only its code knows what it does"
        return
    if name not in _ADD:
        known = ", ".join(sorted(_ADD, key=str.lower))
        yield f"{name} cannot be streamed; what can: {known}"
        return
    if not node.shape or None in (node.shape[0], node.shape[-1]):
        yield f"the size of {name} is not known: {node.shape}"
    elif (number := _n_connections(node)) > MOST_CONNECTIONS:
        yield f"{name} has {number} connections, of which streams hold {MOST_CONNECTIONS} at most"
    if node.settings.get("noise_std") not in (None, 0):
        yield f"{name} has noise, noise_std = {node.settings['noise_std']:g}; streams have none"
    if name == "Rate" and _setting(node, "activation_func") not in op.ACTIVATIONS:
        yield f"activation_func of Rate must be {_listed(op.ACTIVATIONS)}, got {_called(node)}"
    if name == "Instant" and _function(node) is None:
        known = _listed(("identity", *op.FUNCTIONS))
        yield (
            f"function of Instant must be a function of {node.library}: {known}, got "
            f"{_called(node)}"
        )
    elif name == "Instant" and node.shape[0] != node.shape[-1]:
        yield f"Instant must have as many outputs as inputs, got shape {node.shape}"


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names[:-1]) + f" or {names[-1]}"


def _called(node: Node) -> str:
    """Return what the function of a module is called."""
    value = _setting(node, "activation_func") if node.model == "Rate" else node.settings["function"]
    return repr(getattr(value, "__name__", value))


def _function(node: Node) -> str | None:
    """Return the name in `FUNCTIONS` of the function of an `Instant`; None for another one.

    It must be the function of the library itself, and not just have its name.
    """
    function = node.settings["function"]
    if function == "identity":
        return "identity"
    name = str(getattr(function, "__name__", ""))
    known = _OTHER_NAMES.get(name, name)
    if known not in op.FUNCTIONS:
        return None
    homes = (sys.modules.get(home) for home in _HOMES[node.library])
    return known if any(getattr(home, name, None) is function for home in homes) else None


def add_module(builder: Builder, path: Path, node: Node, source: int, size: int) -> tuple[int, int]:
    """Add a module to a plan.

    Parameters
    ----------
    builder : Builder
        The plan.
    path : tuple of str
        Names that lead to the module.
    node : Node
        Its description, of which `obstacles` says nothing.
    source, size : int
        Where in the memory its input is, and how many channels it has.

    Returns
    -------
    tuple of int
        Where its output is, and how many channels it has.

    Raises
    ------
    ValueError, TypeError
        A description that was not made of a network, and does not fit together.
    """
    if path:
        builder.branches.append(path)
    if node.shape[0] != size:
        where = ".".join(path) or node.model
        raise ValueError(f"{where!r} has {node.shape[0]} input channels, but gets {size}")
    plain = lowered(node)
    if plain is node:
        return _ADD[node.model](builder, path, node, source, size)
    target, size = _ADD[plain.model](builder, path, plain, source, size)
    last = potentials_of(node)
    if last is not None:
        target = builder.place_of((*path, *last[0], "vmem"))
    return target, size


# --- containers -----------------------------------------------------------------------------------


def _sequential(b: Builder, path: Path, node: Node, source: int, size: int) -> tuple[int, int]:
    for name, child in node.children.items():
        source, size = add_module(b, (*path, name), child, source, size)
    return source, size


def _residual(b: Builder, path: Path, node: Node, source: int, size: int) -> tuple[int, int]:
    target, size_out = _sequential(b, path, node, source, size)
    if size_out != size:
        raise ValueError(
            f"{'.'.join(path)!r} must have as many outputs as inputs, got {node.shape}"
        )
    added = b.operation(_part(path, node), op.ADD, target, (size_out, size_out), OTHER=source)
    return added, size_out


def _wired(b: Builder, path: Path, node: Node, source: int, size: int) -> tuple[int, int]:
    ends = {"input": (source, size)}

    def arriving(name: str) -> tuple[int, int]:
        """Return where the sum of what edges bring is, in their order."""
        givers = [giver for giver, taker in node.settings["edges"] if taker == name]
        if not givers or not ends.keys() >= set(givers):
            raise ValueError(f"{'.'.join((*path, name))!r} comes before what leads to it")
        (total, width), *others = (ends[giver] for giver in givers)
        for other, other_width in others:
            if other_width != width:
                raise ValueError(f"{'.'.join((*path, name))!r} gets {width} and {other_width}")
            total = b.operation(_part(path, node), op.ADD, total, (width, width), OTHER=other)
        return total, width

    for name, child in node.children.items():
        ends[name] = add_module(b, (*path, *name.split(SEPARATOR)), child, *arriving(name))
    return arriving("output")


def _stack(b: Builder, path: Path, node: Node, source: int, size: int) -> tuple[int, int]:
    weights = iter(node.parameters.items())
    for index, (name, child) in enumerate(node.children.items()):
        if index:
            weight_name, weight = next(weights)
            part = Part(".".join((*path, weight_name)), node.model)
            shape = weight.array.shape
            if shape != (size, child.shape[0]):
                wanted = size, child.shape[0]
                raise ValueError(f"{part.name!r} must have shape {wanted}, got {shape}")
            kept = b.keep(weight.array)
            source = b.operation(part, op.PRODUCT, source, shape, WEIGHT=kept)
            size = weight.array.shape[1]
        source, size = add_module(b, (*path, name), child, source, size)
    return source, size


def _values(b: Builder, node: Node) -> dict[str, np.ndarray]:
    """Return the parameters of a layer in the type of the plan, once they have been checked.

    A description may be of a file: what does not fit must not get to a kernel.
    """
    model: Any = model_named(node.model)
    given = {name: value.array for name, value in node.parameters.items()}
    flags = {spec.only_with: spec.name in given for spec in model.parameters if spec.only_with}
    shape = model.described_shape(node.model, node.shape, node.settings)
    settings = {spec.name: spec.default for spec in model.settings} | node.settings
    model.check(node.model, shape, {**settings, **flags, **given})
    values = {}
    for spec in model.parameters:
        if spec.name in given:
            array = np.asarray(given[spec.name], b.dtype)
            shapes = model.parameter_shapes(shape, spec)
            values[spec.name] = array if array.shape in shapes else array.reshape(shapes[0])
        elif not spec.only_with:
            raise ValueError(f"{node.model}: there is no {spec.name}")
    return values


def _setting(node: Node, name: str) -> Any:
    """Return a setting of a layer; by default that of its model."""
    model: Any = model_named(node.model)
    return node.settings.get(name, model[name].default)


# --- layers ---------------------------------------------------------------------------------------


def _linear(b: Builder, path: Path, node: Node, source: int, size: int) -> tuple[int, int]:
    values = _values(b, node)
    shape = values["weight"].shape
    more = {"WEIGHT": b.keep(values["weight"])}
    if "bias" in values:
        more["BIAS"] = b.keep(values["bias"], shape[1:])
    return b.operation(_part(path, node), op.PRODUCT, source, shape, **more), shape[1]


def _geometry(node: Node) -> convolution.Geometry:
    settings: Any = node.settings
    if node.model.startswith("Conv"):
        return convolution.convolution_geometry(int(node.model[4]), node.model, settings)
    return convolution.pooling_geometry(2, node.model, settings)


def _n_connections(node: Node) -> int:
    """Return how many connections a layer has one by one; those of dense weights do not count."""
    if node.model == "Scale":
        return int(node.shape[-1])  # type: ignore[arg-type]
    return n_connections(_geometry(node)) if node.model in _WINDOWS else 0


def _connected(b: Builder, path: Path, node: Node, source: int, size: int) -> tuple[int, int]:
    values, size_out = _values(b, node), int(node.shape[-1])  # type: ignore[arg-type]
    if node.model == "Scale":
        weights = np.broadcast_to(values["weight"].ravel(), (size,))
        made = Connections(np.arange(size + 1), np.arange(size), weights)
    else:
        made = connections(_geometry(node), values.get("weight"))
    more = {
        "ALPHA": b.keep(made.starts),
        "BETA": b.keep(made.targets),
        "WEIGHT": b.keep(made.weights),
    }
    if node.model == "AvgPool2d":
        more["LIMIT"] = b.keep(math.prod(node.settings["kernel_size"]), (1,))
    if "bias" in values:
        channels = node.settings["n_channels"]
        along = np.broadcast_to(values["bias"], (channels,)).repeat(size_out // channels)
        more["BIAS"] = b.keep(along)
    return b.operation(_part(path, node), op.CONNECT, source, (size, size_out), **more), size_out


def _lif(b: Builder, path: Path, node: Node, source: int, size: int) -> tuple[int, int]:
    n_in, n_out = (int(n) for n in (node.shape[0], node.shape[-1]))  # type: ignore[arg-type]
    values = _values(b, node)
    dt, per_neuron = _setting(node, "dt"), (n_out,)
    more = {
        "ALPHA": b.keep(decay(dt, values["tau_mem"], b.dtype), per_neuron),
        "BETA": b.keep(decay(dt, values["tau_syn"], b.dtype), (n_out, n_in // n_out)),
        "BIAS": b.keep(values["bias"], per_neuron),
        "THRESHOLD": b.keep(values["threshold"], per_neuron),
        "LIMIT": b.keep(_setting(node, "max_spikes_per_dt"), (1,)),
        "VMEM": b.state(path, node, "vmem"),
        "ISYN": b.state(path, node, "isyn"),
    }
    if "w_rec" in values:
        more["WEIGHT"] = b.keep(values["w_rec"])
    if "tau_ahp" in values:
        more["GAMMA"] = b.keep(decay(dt, values["tau_ahp"], b.dtype), per_neuron)
        more["W_AHP"] = b.keep(values["w_ahp"], per_neuron)
        more["IAHP"] = b.state(path, node, "iahp")
    spikes = b.state(path, node, "spikes")
    part = _part(path, node)
    return b.operation(part, op.LIF, source, (n_in, n_out), target=spikes, **more), n_out


def _exp_syn(b: Builder, path: Path, node: Node, source: int, size: int) -> tuple[int, int]:
    tau = _values(b, node)["tau"]
    beta = b.keep(decay(_setting(node, "dt"), tau, b.dtype), (size,))
    isyn = b.state(path, node, "isyn")
    part = _part(path, node)
    return b.operation(part, op.EXP_SYN, source, (size, size), target=isyn, BETA=beta), size


def _rate(b: Builder, path: Path, node: Node, source: int, size: int) -> tuple[int, int]:
    values = _values(b, node)
    gain = _setting(node, "dt") / values["tau"].astype(np.float64)
    more = {
        "OPTION": op.ACTIVATIONS.index(_setting(node, "activation_func")),
        "ALPHA": b.keep(gain, (size,)),
        "BIAS": b.keep(values["bias"], (size,)),
        "THRESHOLD": b.keep(values["threshold"], (size,)),
        "VMEM": b.state(path, node, "x"),
    }
    if "w_rec" in values:
        more["WEIGHT"] = b.keep(values["w_rec"])
    return b.operation(_part(path, node), op.RATE, source, (size, size), **more), size


def _euler(b: Builder, path: Path, node: Node, source: int, size: int) -> tuple[int, int]:
    values, per_neuron = _values(b, node), (size,)
    model: Any = model_named(node.model)
    settings = {spec.name: spec.default for spec in model.settings} | node.settings
    double = {
        name: np.asarray(values[name], np.float64) for name in euler.OF_CONSTANTS & values.keys()
    }
    c = euler.constants(double, settings, np.exp)

    def rows(*some: Any) -> int:
        """Keep several rows of numbers, one after the other; return where the first is."""
        return min(b.keep(row, per_neuron) for row in some)

    more = {
        "ALPHA": rows(c.a_mem, c.g_mem, c.leak),
        "BIAS": b.keep(np.array(euler.rules(settings), b.dtype)),
        "VMEM": b.state(path, node, "vmem"),
        "ARRIVING": b.room(size),
        "TOTAL": b.room(3 * size),
    }
    if "tau_syn" in values:
        more |= {"BETA": rows(c.a_syn, c.g_syn), "ISYN": b.state(path, node, "isyn")}
    if "threshold" in values:
        more["THRESHOLD"] = rows(values["threshold"], values["v_reset"])
        more["IAHP"] = b.state(path, node, "spikes")
    if "w_rec" in values:
        more |= {"WEIGHT": b.keep(values["w_rec"]), "OTHER": b.room(size)}
    return b.operation(_part(path, node), op.EULER, source, (size, size), **more), size


def _instant(b: Builder, path: Path, node: Node, source: int, size: int) -> tuple[int, int]:
    function = _function(node)
    if function == "identity":
        return source, size
    option = op.FUNCTIONS.index(str(function))
    part = _part(path, node)
    return b.operation(part, op.FUNCTION, source, (size, size), OPTION=option), size


def _flatten(b: Builder, path: Path, node: Node, source: int, size: int) -> tuple[int, int]:
    return source, size  # all that is in the memory is flat


def _part(path: Path, node: Node) -> Part:
    return Part(".".join(path), node.model)


_ADD: dict[str, Callable[[Builder, Path, Node, int, int], tuple[int, int]]] = {
    "Sequential": _sequential,
    "TimedModuleWrapper": _sequential,
    "Residual": _residual,
    "FFwdStack": _stack,
    "Wired": _wired,
    "Flatten": _flatten,
    "Linear": _linear,
    **dict.fromkeys((*_WINDOWS, "Scale"), _connected),
    "LIF": _lif,
    "aLIF": _lif,
    "ExpSyn": _exp_syn,
    "Rate": _rate,
    "Instant": _instant,
    **dict.fromkeys((model.name for model in OF_NIR), _euler),
}
