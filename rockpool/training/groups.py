"""Learning rates for what differs in size by orders of magnitude: `parameter_groups`.

A time constant of 20 ms and a step of 1e-3, the usual one of Adam, do not go together: after twenty
steps it is zero. Here each time constant and each threshold has a rate in proportion to its size.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from rockpool.nn.modules.module import ModuleBase
from rockpool.parameters import is_jax_array, to_numpy

__all__ = ["Labelled", "parameter_groups"]

# family, as modules call it -> its group
_GROUPS = {
    "bias": "biases",
    "biases": "biases",
    "threshold": "thresholds",
    "thresholds": "thresholds",
    "taus": "taus",
    "decays": "decays",
    "bitshifts": "bitshifts",
}
_BIAS_RATE = 0.1  # of the rate of weights: between theirs and that of time constants


class Labelled(NamedTuple):
    """Groups for ``optax.multi_transform``: a label for each parameter, and the rate of each label.

    ``optax.multi_transform({k: optax.adam(rate) for k, rate in groups.rates.items()},
    groups.labels)``
    """

    labels: dict[str, Any]  # nested as the parameters
    rates: dict[str, float]


def parameter_groups(net: Any, lr: float | int = 1e-3) -> Any:
    """Return the parameters of a network in groups, each with a learning rate of its own.

    Weights, and parameters of no family, have the rate `lr`; time constants, thresholds, decay
    factors and bit-shifts ``lr`` times their mean size; biases a tenth of `lr`.

    Parameters
    ----------
    net : module
        A network of torch or of jax, also a timed one.
    lr : float
        Learning rate of the weights, > 0. Default: 1e-3.

    Returns
    -------
    list of dict, or Labelled
        Of torch: groups for any optimizer, ``torch.optim.Adam(parameter_groups(net))``, with
        ``params``, ``lr``, ``name``, and without weight decay but for weights. Parameters that are
        not trained are left out; after ``fully_shard`` all processes must call it. Of jax: labels
        and rates, for ``optax.multi_transform``.

    Raises
    ------
    ValueError
        `lr` is not > 0, or there is nothing to be trained.
    TypeError
        `net` is no module of torch or jax.

    Examples
    --------
    >>> from rockpool.nn.modules import LIFJax
    >>> from rockpool.training import parameter_groups
    >>> parameter_groups(LIFJax(2, tau_mem=0.05)).labels["tau_mem"]
    'taus x 0.05'
    """
    if not lr > 0:
        raise ValueError(f"parameter_groups: lr must be > 0, got {lr!r}")
    if not isinstance(net, ModuleBase):
        raise TypeError(f"parameter_groups: net must be a module, got {type(net).__name__}")
    found = list(every_parameter(net))
    if not found:
        raise ValueError(f"parameter_groups: {type(net).__name__} has no parameters to be trained")
    if all(is_jax_array(value) for _, value, _ in found):
        return _labelled(net, found, lr)
    if not all(hasattr(value, "requires_grad") for _, value, _ in found):
        raise TypeError(
            f"parameter_groups: net must be a module of torch or jax, got {type(net).__name__}"
        )
    return _groups(found, lr)


def every_parameter(
    module: Any, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Any, str]]:
    """Go through a network: the path of each parameter, its value and its group."""
    for name, entry in module._attributes_of("Parameter"):
        value = module._load_attribute(name)
        yield (*path, name), value, _GROUPS.get(entry.family, "weights")
    for name, child in module._registered_modules.items():
        yield from every_parameter(child, (*path, name))


def _label(group: str, value: Any) -> str:
    """Return the name of a group of parameters with one rate."""
    if group in ("weights", "biases"):
        return group
    # of `fully_shard`, each process has a shard, and all must have the rate of the whole
    known = to_numpy(value.full_tensor() if hasattr(value, "full_tensor") else value)
    size = float(np.mean(np.abs(known))) if known.size else 0.0
    return f"{group} x {size or 1.0:.3g}"


def _rate(label: str, lr: float | int) -> float:
    group, _, size = label.partition(" x ")
    return lr * (float(size) if size else _BIAS_RATE if group == "biases" else 1.0)


def _groups(found: list[tuple[tuple[str, ...], Any, str]], lr: float | int) -> list[dict[str, Any]]:
    groups: dict[str, dict[str, Any]] = {}
    seen: set[int] = set()
    for _, value, group in found:
        # what was computed and put in the place of a parameter is trained where it came from
        if id(value) in seen or not (value.requires_grad and value.is_leaf):
            continue
        seen.add(id(value))
        label = _label(group, value)
        if label not in groups:
            groups[label] = {"params": [], "lr": _rate(label, lr), "name": label}
            if group != "weights":
                groups[label]["weight_decay"] = 0.0
        groups[label]["params"].append(value)
    if not groups:
        raise ValueError("parameter_groups: no parameter of the network is to be trained")
    return list(groups.values())


def _labelled(net: Any, found: list[tuple[tuple[str, ...], Any, str]], lr: float | int) -> Labelled:
    labels: dict[str, Any] = _empty_tree(net.parameters())
    for path, value, group in found:
        branch = labels
        for name in path[:-1]:
            branch = branch[name]
        branch[path[-1]] = _label(group, value)
    names = sorted({_label(group, value) for _, value, group in found})
    return Labelled(labels, {name: _rate(name, lr) for name in names})


def _empty_tree(tree: dict[str, Any]) -> dict[str, Any]:
    return {name: _empty_tree(v) if isinstance(v, dict) else None for name, v in tree.items()}
