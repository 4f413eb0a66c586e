"""What each model becomes in a plan, and which networks cannot be streamed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

import numpy as np

from rockpool.nn.description import Node
from rockpool.nn.kernels import operations as op
from rockpool.nn.models.exp_syn import decay
from rockpool.streaming.plan import Builder, Part

__all__ = ["add_module", "obstacles"]

Path = tuple[str, ...]

# Where the functions of each library are looked for, and names that they have there
_HOMES = {"numpy": ("numpy",), "torch": ("torch",), "jax": ("jax.numpy", "jax.nn")}
_OTHER_NAMES = {"abs": "absolute", "neg": "negative"}


def obstacles(node: Node) -> Iterator[str]:
    """Say, module by module, why a network cannot be streamed; nothing if it can."""
    for path, inner in node.walk():
        where = f"{'.'.join(path)!r}: " if path else ""
        yield from (f"{where}{text}" for text in _own_obstacles(inner))


def _own_obstacles(node: Node) -> Iterator[str]:
    """Say why a module cannot be streamed, those inside it left aside."""
    name = node.model
    if node.user_class is not None:
        yield f"{name} is a container of your own, of which only its code knows what it does"
        return
    if name not in _ADD:
        known = ", ".join(sorted(_ADD, key=str.lower))
        yield f"{name} cannot be streamed; what can: {known}"
        return
    if not node.shape or None in (node.shape[0], node.shape[-1]):
        yield f"the size of {name} is not known: {node.shape}"
    if node.settings.get("noise_std", 0.0) != 0:
        yield f"{name} has noise, noise_std = {node.settings['noise_std']:g}; streams have none"
    if name == "Rate" and node.settings["activation_func"] not in op.ACTIVATIONS:
        yield f"activation_func of Rate must be {_listed(op.ACTIVATIONS)}, got {_called(node)}"
    if name == "Instant" and _function(node) is None:
        known = _listed(("identity", *op.FUNCTIONS))
        yield f"function of Instant must be a function of {node.library}: {known}, got "\
            f"{_called(node)}"
    elif name == "Instant" and node.shape[0] != node.shape[-1]:
        yield f"Instant must have as many outputs as inputs, got shape {node.shape}"


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names[:-1]) + f" or {names[-1]}"


def _called(node: Node) -> str:
    """Return what the function of a module is called."""
    value = node.settings["activation_func" if node.model == "Rate" else "function"]
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


def add_module(
    builder: Builder, path: Path, node: Node, source: int, size: int
) -> tuple[int, int]:
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
    """
    if path:
        builder.branches.append(path)
    return _ADD[node.model](builder, path, node, source, size)


# --- containers ------------------------------------------------------------------------------------


def _sequential(b: Builder, path: Path, node: Node, source: int, size: int) -> tuple[int, int]:
    for name, child in node.children.items():
        source, size = add_module(b, (*path, name), child, source, size)
    return source, size


def _residual(b: Builder, path: Path, node: Node, source: int, size: int) -> tuple[int, int]:
    target, size_out = _sequential(b, path, node, source, size)
    added = b.operation(_part(path, node), op.ADD, target, (size_out, size_out), OTHER=source)
    return added, size_out


def _stack(b: Builder, path: Path, node: Node, source: int, size: int) -> tuple[int, int]:
    weights = iter(node.parameters.items())
    for index, (name, child) in enumerate(node.children.items()):
        if index:
            weight_name, weight = next(weights)
            part = Part(".".join((*path, weight_name)), node.model)
            shape = weight.array.shape
            kept = b.keep(weight.array)
            source, size = b.operation(part, op.PRODUCT, source, shape, WEIGHT=kept), shape[1]
        source, size = add_module(b, (*path, name), child, source, size)
    return source, size


# --- layers ----------------------------------------------------------------------------------------


def _linear(b: Builder, path: Path, node: Node, source: int, size: int) -> tuple[int, int]:
    shape = node.parameters["weight"].array.shape
    more = {"WEIGHT": b.keep(node.parameters["weight"].array)}
    if "bias" in node.parameters:
        more["BIAS"] = b.keep(node.parameters["bias"].array, shape[1:])
    return b.operation(_part(path, node), op.PRODUCT, source, shape, **more), shape[1]


def _lif(b: Builder, path: Path, node: Node, source: int, size: int) -> tuple[int, int]:
    n_in, n_out = (int(n) for n in (node.shape[0], node.shape[-1]))  # type: ignore[arg-type]
    values = {name: np.asarray(v.array, b.dtype) for name, v in node.parameters.items()}
    dt, per_neuron = node.settings["dt"], (n_out,)
    more = {
        "ALPHA": b.keep(decay(dt, values["tau_mem"], b.dtype), per_neuron),
        "BETA": b.keep(decay(dt, values["tau_syn"], b.dtype), (n_out, n_in // n_out)),
        "BIAS": b.keep(values["bias"], per_neuron),
        "THRESHOLD": b.keep(values["threshold"], per_neuron),
        "LIMIT": b.keep(node.settings["max_spikes_per_dt"], (1,)),
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
    tau = np.asarray(node.parameters["tau"].array, b.dtype)
    beta = b.keep(decay(node.settings["dt"], tau, b.dtype), (size,))
    isyn = b.state(path, node, "isyn")
    part = _part(path, node)
    return b.operation(part, op.EXP_SYN, source, (size, size), target=isyn, BETA=beta), size


def _rate(b: Builder, path: Path, node: Node, source: int, size: int) -> tuple[int, int]:
    values = {name: np.asarray(v.array, b.dtype) for name, v in node.parameters.items()}
    gain = node.settings["dt"] / values["tau"].astype(np.float64)
    more = {
        "OPTION": op.ACTIVATIONS.index(node.settings["activation_func"]),
        "ALPHA": b.keep(gain, (size,)),
        "BIAS": b.keep(values["bias"], (size,)),
        "THRESHOLD": b.keep(values["threshold"], (size,)),
        "VMEM": b.state(path, node, "x"),
    }
    if "w_rec" in values:
        more["WEIGHT"] = b.keep(values["w_rec"])
    return b.operation(_part(path, node), op.RATE, source, (size, size), **more), size


def _instant(b: Builder, path: Path, node: Node, source: int, size: int) -> tuple[int, int]:
    function = _function(node)
    if function == "identity":
        return source, size
    option = op.FUNCTIONS.index(str(function))
    part = _part(path, node)
    return b.operation(part, op.FUNCTION, source, (size, size), OPTION=option), size


def _part(path: Path, node: Node) -> Part:
    return Part(".".join(path), node.model)


_ADD: dict[str, Callable[[Builder, Path, Node, int, int], tuple[int, int]]] = {
    "Sequential": _sequential,
    "TimedModuleWrapper": _sequential,
    "Residual": _residual,
    "FFwdStack": _stack,
    "Linear": _linear,
    "LIF": _lif,
    "aLIF": _lif,
    "ExpSyn": _exp_syn,
    "Rate": _rate,
    "Instant": _instant,
}
