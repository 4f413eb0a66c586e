"""Networks of this package, written for each of the others (dt is 0.1 ms).

Every network is written in every dialect, or refused. ``networks.json`` has for each network and
dialect the refusal (``refused``) or the warnings (``warned``).
"""

import json
import warnings
from pathlib import Path
from sys import argv
from typing import Any

import cases
import numpy as np

from rockpool.nir import to_nir
from rockpool.nn.combinators import Residual, Sequential, Wired
from rockpool.nn.modules import (
    LIF,
    AvgPool2d,
    Conv2d,
    CubaLIEuler,
    CubaLIFEuler,
    Flatten,
    IFEuler,
    LIEuler,
    LIFEuler,
    Linear,
    SumPool2d,
)

DT = 1e-4
TAU, TAU_SYN = 20 * DT, 10 * DT
DIALECTS = ("nir", "snntorch", "norse", "sinabs", "spikingjelly", "spyx", "rockpool")

# What the importers make of a neuron, beside the step that NIR's equations have by default
UNIT = {"gain": "unit"}
SPYX = {"gain": "unit", "reset": "subtract", "reset_delay": True, "delay": 1}
SPYX_CUBA = {**SPYX, "gain_syn": "unit", "reset_delay": False}
SINABS = {
    "decay": "exp",
    "gain": "unit",
    "reset": "subtract",
    "fires": ">=",
    "max_spikes_per_dt": float("inf"),
}


def linear(seed, n_out, n_in, gain=1.0, bias=None, above=-np.inf):
    """A linear layer with the weights of a seed; bias is the largest of its biases."""
    how = {} if bias is None else {"has_bias": True, "bias": cases.weights(seed + 50, n_out) * bias}
    weight = np.maximum(cases.weights(seed, n_out, n_in, gain=gain).T, above)
    return Linear((n_in, n_out), weight=weight, **how)


def of_two(kind, weight=0.5, bias=None, seed=0, neuron_bias=None, above=-np.inf, **how):
    """A network of 3, 4 and 2 of one kind of neuron."""
    how = {"dt": DT, **how}
    if neuron_bias is not None:
        how["bias"] = neuron_bias
    first = linear(seed, 4, 3, weight, bias, above), kind(4, **how)
    return Sequential(*first, linear(seed + 1, 2, 4, 2 * weight, bias, above), kind(2, **how))


def lif(weight=0.5, **how):
    """LIFEuler of 20 steps."""
    return of_two(LIFEuler, weight, tau_mem=TAU, **how)


def cubalif(weight=0.2, **how):
    """CubaLIFEuler of 20 and 10 steps."""
    return of_two(CubaLIFEuler, weight, tau_mem=TAU, tau_syn=TAU_SYN, **how)


def readout(kind, spiking=UNIT, **how):
    """Spikes, then a layer that does not fire."""
    spikes = LIFEuler(4, tau_mem=TAU, dt=DT, **spiking)
    return Sequential(linear(0, 4, 3, 0.5), spikes, linear(1, 2, 4), kind(2, dt=DT, **how))


def hetero(kind, weight, **taus):
    """Other time constants and another threshold for each neuron."""

    def neurons(n, seed):
        values = {
            name: DT * cases.between(seed + i, *steps, n)
            for i, (name, steps) in enumerate(taus.items())
        }
        return kind(n, threshold=cases.between(seed + 9, 0.7, 1.4, n), dt=DT, **values, **how)

    how = {"LIFEuler": UNIT, "CubaLIFEuler": {**UNIT, "gain_syn": "unit"}}.get(kind.__name__, {})
    return Sequential(
        linear(0, 4, 3, weight), neurons(4, 1), linear(1, 2, 4, weight), neurons(2, 2)
    )


def recurrent(kind, weight, **how):
    """A recurrent layer of four, then two neurons without."""
    weights = cases.weights(3, 4, 4, gain=weight / 2)
    first = kind(4, has_rec=True, w_rec=weights, dt=DT, **how)
    return Sequential(
        linear(0, 4, 3, weight), first, linear(1, 2, 4, weight), kind(2, dt=DT, **how)
    )


def two_synapses(weight, **how):
    """LIF of this package, each neuron with a fast synapse and a slow one."""

    def neurons(n, **more):
        tau_syn = np.tile([TAU_SYN / 2, TAU_SYN], (n, 1))
        return LIF((2 * n, n), tau_mem=TAU, tau_syn=tau_syn, dt=DT, **more)

    last = linear(1, 4, 4, weight), neurons(2)
    return Sequential(linear(0, 8, 3, weight), neurons(4, **how), *last)


def conv2d(kernel=(3, 3), n_out=3, **how):
    """A convolution of 2 x 6 x 6."""
    weight = cases.weights(42, n_out, 2 // how.get("groups", 1), *kernel, gain=0.2)
    bias = cases.weights(43, n_out, gain=0.05)
    return Conv2d((2, 6, 6), n_out, kernel, weight=weight, bias=bias, **{"padding": 1, **how})


def convolved(**how):
    """A convolution and neurons of its shape."""
    first = conv2d(**how)
    channels, height, width = first.shape_out
    return Sequential(first, LIFEuler((channels, height, width), tau_mem=TAU, dt=DT, **UNIT))


def residual(kind, weight, **how):
    """Weights and neurons around which their input is led, then others."""

    def neurons():
        return kind(4, dt=DT, **how)

    inner = Residual(linear(1, 4, 4, weight), neurons())
    last = linear(2, 2, 4, weight), kind(2, dt=DT, **how)
    return Sequential(linear(0, 4, 3, weight), neurons(), inner, *last)


def branches(kind, weight, **how):
    """Two branches from the input that add up, and one past them."""
    modules = {
        "a": linear(3, 4, 3, weight),
        "b": linear(4, 4, 3, weight),
        "n": kind(4, dt=DT, **how),
        "c": linear(5, 2, 4, weight),
        "d": linear(6, 2, 3, weight),
        "m": kind(2, dt=DT, **how),
    }
    edges = ["input a", "input b", "input d", "a n", "b n", "n c", "c m", "d m", "m output"]
    return Wired(modules, [tuple(edge.split()) for edge in edges])


def images(kind, pool, **how):
    """Conv2d, neurons, a pool, Flatten, Linear, neurons."""
    return Sequential(
        conv2d(),
        kind((3, 6, 6), dt=DT, **how),
        pool((3, 6, 6), 2),
        Flatten((3, 3, 3)),
        linear(44, 4, 27, 0.3),
        kind(4, dt=DT, **how),
    )


def networks():
    """The networks by name; those of images take 2 x 6 x 6 channels, the others 3."""
    unit_syn = {**UNIT, "gain_syn": "unit"}
    sinabs_if = {name: value for name, value in SINABS.items() if name != "decay"}
    return {
        "lif, to 0, >": lif(**UNIT),
        "lif, to 0, >=": lif(**UNIT, fires=">="),
        "lif, r = 1": lif(8.0),
        "lif, bias in the weights": lif(**UNIT, bias=0.1),
        "lif, to -0.5": lif(**UNIT, v_reset=-0.5),
        "lif, v_leak = v_reset = 0.2": lif(**UNIT, v_leak=0.2, v_reset=0.2, fires=">="),
        "lif, subtract": lif(**UNIT, reset="subtract"),
        "lif, a tau per neuron": hetero(LIFEuler, 0.5, tau_mem=(5.0, 40.0)),
        "lif, as spyx": lif(**SPYX),
        "lif, as sinabs": lif(**SINABS),
        "cubalif, r = w_in = 1": cubalif(6.0),
        "cubalif, to 0, >": cubalif(**unit_syn),
        "cubalif, to 0, >=": cubalif(**unit_syn, fires=">="),
        "cubalif, a tau per neuron": hetero(
            CubaLIFEuler, 0.2, tau_mem=(10.0, 40.0), tau_syn=(5.0, 15.0)
        ),
        "cubalif, as spyx": cubalif(**SPYX_CUBA),
        "if, r = 1 / dt, >=": of_two(IFEuler, r=1 / DT, fires=">="),
        "if, r = 1 / dt, >=, to -0.5": of_two(IFEuler, r=1 / DT, fires=">=", v_reset=-0.5),
        "if, gain 1, >": of_two(IFEuler, **UNIT),
        "if, as spyx": of_two(IFEuler, **SPYX),
        "if, as sinabs": of_two(IFEuler, **sinabs_if),
        "if, as sinabs, weights above 0": of_two(IFEuler, above=0.0, **sinabs_if),
        "lif, to 0, a step late": lif(**UNIT, delay=1),
        "cubalif, to 0, a step late": cubalif(**unit_syn, delay=1),
        "li": readout(LIEuler, tau_mem=TAU),
        "li, as sinabs": readout(LIEuler, SINABS, tau_mem=TAU, decay="exp", gain="unit"),
        "cubali": readout(CubaLIEuler, tau_mem=TAU, tau_syn=TAU_SYN),
        "recurrent lif": recurrent(LIFEuler, 0.4, tau_mem=TAU, **UNIT),
        "recurrent cubalif": recurrent(
            CubaLIFEuler, 0.15, tau_mem=TAU, tau_syn=TAU_SYN, **unit_syn
        ),
        "recurrent lif, a step late": recurrent(LIFEuler, 0.4, tau_mem=TAU, delay=1, **UNIT),
        "recurrent lif, as spyx": recurrent(LIFEuler, 0.4, tau_mem=TAU, **SPYX),
        "images, if, AvgPool2d": images(IFEuler, AvgPool2d, r=1 / DT, fires=">="),
        "images, if, SumPool2d": images(IFEuler, SumPool2d, **UNIT),
        "images, lif, AvgPool2d": images(LIFEuler, AvgPool2d, tau_mem=TAU, **UNIT),
        "images, lif, as spyx, SumPool2d": images(LIFEuler, SumPool2d, tau_mem=TAU, **SPYX),
        "images, if, as spyx, SumPool2d": images(IFEuler, SumPool2d, **SPYX),
        "images, if, as sinabs, SumPool2d": images(IFEuler, SumPool2d, **sinabs_if),
        "images, kernel of 3 x 2": convolved(kernel=(3, 2)),
        "images, groups": convolved(groups=2, n_out=4),
        "images, dilation": convolved(dilation=2),
        "images, stride": convolved(stride=2, padding=0),
        "images, the same": convolved(kernel=(4, 4), padding="same"),
        "residual lif": residual(LIFEuler, 0.4, tau_mem=TAU, **UNIT),
        "residual cubalif": residual(CubaLIFEuler, 0.15, tau_mem=TAU, tau_syn=TAU_SYN, **unit_syn),
        "residual if": residual(IFEuler, 0.5, r=1 / DT, fires=">="),
        "branches of lif": branches(LIFEuler, 0.3, tau_mem=TAU, **UNIT),
        "recurrent lif, >=": recurrent(LIFEuler, 0.4, tau_mem=TAU, fires=">=", **UNIT),
        "LIF of this package": of_two(LIF, 0.2, tau_mem=TAU, tau_syn=TAU_SYN),
        "LIF, a tau per neuron": hetero(LIF, 0.2, tau_mem=(10.0, 40.0), tau_syn=(5.0, 15.0)),
        "LIF, one spike a step": of_two(
            LIF, 0.2, tau_mem=TAU, tau_syn=TAU_SYN, max_spikes_per_dt=1
        ),
        "LIF with a bias": of_two(LIF, 0.2, tau_mem=TAU, tau_syn=TAU_SYN, neuron_bias=0.05),
        "LIF, two synapses": two_synapses(0.1),
        "recurrent LIF, two synapses": two_synapses(
            0.1, has_rec=True, w_rec=cases.weights(3, 4, 8, gain=0.02)
        ),
    }


def main(folder: Path) -> None:
    """Write every network in every dialect, what it did, and what was refused."""
    folder.mkdir(parents=True, exist_ok=True)
    seen: dict[str, dict[str, dict[str, Any]]] = {}
    for number, (name, network) in enumerate(networks().items()):
        x = cases.inputs(0, *((2, 6, 6) if name.startswith("images") else (3,)))
        y = np.asarray(network(x[None])[0])[0]
        network.reset_state()
        cases.save(folder, f"{number:02}", x, y, y, DT)
        seen[name] = {
            dialect: written(network, folder / f"{number:02}.{dialect}.nir", dialect)
            for dialect in DIALECTS
        }
    (folder / "networks.json").write_text(json.dumps(seen, indent=1))


def written(network: Any, path: Path, dialect: str) -> dict[str, Any]:
    """Write a network, and return what was said."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            to_nir(network, path, dialect=dialect)
        except (ValueError, NotImplementedError) as error:
            return {"refused": f"{type(error).__name__}: {error}"}
    return {"warned": [str(each.message) for each in caught]}


if __name__ == "__main__":
    main(Path(argv[1]))
