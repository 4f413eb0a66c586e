"""The models and the cases: what is built, what goes in.

All numbers are multiples of a power of two that fit single precision. A back-end that computes in
another type then starts from the same numbers, and sums of weights do not depend on their order.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

SHAPED = ("Conv2d", "Conv1d", "SumPool2d", "AvgPool2d", "Flatten", "Scale")
OF_NIR = ("IFEuler", "LIFEuler", "CubaLIFEuler", "LIEuler", "CubaLIEuler")
MODELS = ("LIF", "LIF recurrent", "ExpSyn", "Rate", "Linear", *SHAPED, *OF_NIR)

# time constants in time steps of 2**-10 s, so that they are exact in single precision
STEPS = (1, 2, 5, 20)
DT = 2.0**-10


class Case(NamedTuple):
    """A layer, its input, and how that is handed over."""

    model: str
    name: str
    shape: tuple[int, ...]  # or `shape_in`
    arguments: dict[str, Any]
    data: np.ndarray  # (B, T, Nin), or with the axes of a time step
    chunks: int = 1  # calls in which the input is handed over, each with the states of all elements

    @property
    def spikes(self) -> bool:
        """Whether the output is spikes."""
        return "IF" in self.model

    def __str__(self) -> str:
        return f"{self.model}-{self.name}".replace(" ", "_")


def dyadic(values: Any, bits: int = 12) -> np.ndarray:
    """Round to multiples of ``2**-bits``."""
    return np.round(np.asarray(values) * 2.0**bits) / 2.0**bits


class _Maker:
    """Draws the numbers of the cases of one model."""

    def __init__(self, model: str, seed: int) -> None:
        self.model = model
        self.rng = np.random.default_rng(seed)

    def uniform(self, low: float, high: float, *shape: int) -> np.ndarray:
        return dyadic(self.rng.uniform(low, high, shape))

    def events(self, batch: int, steps: int, channels: int, strength: float) -> np.ndarray:
        """Return sparse input of random strength."""
        shape = (batch, steps, channels)
        return dyadic(strength * self.rng.random(shape) * (self.rng.random(shape) < 0.2))


def lif_cases(recurrent: bool) -> list[Case]:
    """Return the cases for LIF layers."""
    make = _Maker("LIF recurrent" if recurrent else "LIF", seed=1 + recurrent)

    def case(
        name: str,
        shape: tuple[int, int] = (5, 5),
        batch: int = 1,
        steps: int = 100,
        strength: float = 0.8,
        chunks: int = 1,
        **arguments: Any,
    ) -> Case:
        arguments = {"tau_mem": 0.01953125, "tau_syn": 0.01953125, **arguments}
        if recurrent:
            # a weight has an effect of about 400 times itself: in a long run, too much grows
            low, high = (-0.006, 0.0005) if steps > 1000 else (-0.08, 0.04)
            weights = make.rng.uniform(low, high, (shape[1], shape[0]))
            arguments |= {"has_rec": True, "w_rec": dyadic(weights, 16)}
        data = make.events(batch, steps, shape[0], strength)
        return Case(make.model, name, shape, arguments, data, chunks)

    def per_neuron(n_in: int, n_out: int) -> dict[str, np.ndarray]:
        return {
            "tau_mem": make.uniform(5e-3, 60e-3, n_out),
            "tau_syn": make.uniform(5e-3, 60e-3, n_out, n_in // n_out),
            "bias": make.uniform(-0.05, 0.1, n_out),
            "threshold": make.uniform(0.5, 2.0, n_out),
        }

    return [
        case("single"),
        case("batch", batch=4),
        case("several synapses", (12, 4), tau_syn=make.uniform(5e-3, 60e-3, 4, 3)),
        case("bias", bias=make.uniform(0.0, 0.25, 5), strength=0.25),
        case("bias at the threshold", bias=1.0, threshold=1.0, strength=0.0),
        case("per-neuron constants", **per_neuron(5, 5)),
        case("shared constants", tau_mem=0.03125, tau_syn=0.015625, bias=0.0625, threshold=0.5),
        case("other time step", dt=2.0**-7, tau_mem=0.25, tau_syn=0.125),
        case("long run", (4, 4), steps=4000, strength=0.4),
        case("chunked run", (8, 4), batch=3, steps=90, chunks=3, **per_neuron(8, 4)),
        case("zero input", strength=0.0),
        case("saturating input", strength=64.0, max_spikes_per_dt=4.0),
        *(  # the shorter its time constants, the more input a neuron needs
            case(f"tau of {n} steps", dt=DT, tau_mem=n * DT, tau_syn=n * DT, strength=8.0 / n)
            for n in STEPS
        ),
    ]


def exp_syn_cases() -> list[Case]:
    """Return the cases for exponential synapses."""
    make = _Maker("ExpSyn", seed=3)

    def case(
        name: str,
        batch: int = 1,
        steps: int = 100,
        strength: float = 1.0,
        chunks: int = 1,
        **arguments: Any,
    ) -> Case:
        data = make.events(batch, steps, 5, strength)
        return Case(make.model, name, (5,), {"tau": 0.0078125, **arguments}, data, chunks)

    return [
        case("single"),
        case("batch", batch=4),
        case("per-neuron constants", tau=make.uniform(2e-3, 60e-3, 5)),
        case("shared constants", tau=0.03125),
        case("other time step", dt=2.0**-7, tau=0.25),
        case("long run", steps=4000),
        case("chunked run", batch=3, steps=90, chunks=3, tau=make.uniform(2e-3, 60e-3, 5)),
        case("zero input", strength=0.0),
        case("strong input", strength=2.0**16),
        *(case(f"tau of {n} steps", dt=DT, tau=n * DT) for n in STEPS),
    ]


def rate_cases() -> list[Case]:
    """Return the cases for rate neurons."""
    make = _Maker("Rate", seed=4)

    def case(
        name: str,
        batch: int = 1,
        steps: int = 100,
        strength: float = 4.0,
        chunks: int = 1,
        **arguments: Any,
    ) -> Case:
        data = make.events(batch, steps, 5, strength)
        settings = {"tau": 0.03125, "bias": 0.0, "threshold": 0.0, **arguments}
        return Case(make.model, name, (5,), settings, data, chunks)

    def per_neuron() -> dict[str, np.ndarray]:
        return {
            "tau": make.uniform(20e-3, 60e-3, 5),
            "bias": make.uniform(-0.5, 0.5, 5),
            "threshold": make.uniform(0.0, 0.5, 5),
        }

    weights = dyadic(make.rng.normal(0.0, 0.4, (5, 5)))
    return [
        case("single"),
        case("batch", batch=4),
        case("bias", bias=make.uniform(-0.5, 0.5, 5)),
        case("per-neuron constants", **per_neuron()),
        case("tanh", activation_func="tanh", **per_neuron()),
        case("sigmoid", activation_func="sigmoid", **per_neuron()),
        case("recurrent", has_rec=True, w_rec=weights),
        case("recurrent tanh", has_rec=True, w_rec=weights, activation_func="tanh"),
        case("long run", steps=4000),
        case("chunked run", batch=3, steps=90, chunks=3, **per_neuron()),
        case("zero input", strength=0.0),
        case("saturating input", strength=2.0**16, activation_func="tanh"),
        *(case(f"tau of {n} steps", dt=DT, tau=n * DT) for n in STEPS),
    ]


def linear_cases() -> list[Case]:
    """Return the cases for linear layers."""
    make = _Maker("Linear", seed=5)

    def case(
        name: str, batch: int = 1, strength: float = 1.0, chunks: int = 1, **arguments: Any
    ) -> Case:
        data = make.events(batch, 30, 6, strength)
        settings = {"weight": make.uniform(-1.0, 1.0, 6, 4), **arguments}
        return Case(make.model, name, (6, 4), settings, data, chunks)

    return [
        case("single"),
        case("batch", batch=4),
        case("bias", bias=make.uniform(-1.0, 1.0, 4), has_bias=True),
        case("chunked run", batch=3, chunks=3),
        case("zero input", strength=0.0),
        case("strong input", strength=2.0**16),
    ]


def shaped_cases() -> list[Case]:
    """Return the cases for layers whose time steps have axes."""
    make = _Maker("Conv2d", seed=6)

    def case(
        model: str,
        name: str,
        shape: tuple[int, ...],
        batch: int = 2,
        strength: float = 1.0,
        chunks: int = 1,
        **arguments: Any,
    ) -> Case:
        data = make.events(batch, 12, int(np.prod(shape)), strength)
        return Case(model, name, shape, arguments, data.reshape(batch, 12, *shape), chunks)

    def kernels(*shape: int) -> dict[str, Any]:
        weights = {"weight": make.uniform(-1.0, 1.0, *shape), "has_bias": False}
        return {"n_channels": shape[0], "kernel_size": shape[2:], **weights}

    image = (4, 7, 10)
    return [
        case("Conv2d", "batch", image, **kernels(3, 4, 3, 3)),
        case("Conv2d", "bias", image, **kernels(3, 4, 1, 1), bias=make.uniform(-1.0, 1.0, 3)),
        case("Conv2d", "oblong", image, **kernels(2, 4, 2, 5), stride=(2, 1), padding=(1, 2)),
        case("Conv2d", "same", image, **kernels(2, 4, 2, 4), padding="same"),
        case("Conv2d", "groups", image, **kernels(6, 2, 3, 2), groups=2, dilation=(1, 3)),
        case("Conv2d", "depthwise", image, **kernels(4, 1, 3, 3), groups=4, padding=1),
        case("Conv2d", "chunked run", image, chunks=3, **kernels(3, 4, 3, 3)),
        case("Conv2d", "zero input", image, strength=0.0, **kernels(3, 4, 3, 3)),
        case("Conv2d", "strong input", image, strength=2.0**16, **kernels(3, 4, 3, 3)),
        case("Conv1d", "batch", (4, 16), **kernels(2, 4, 3)),
        case("Conv1d", "all else", (4, 16), **kernels(4, 2, 4), stride=2, padding=3, groups=2),
        case("SumPool2d", "batch", image, kernel_size=2),
        case("SumPool2d", "oblong", image, kernel_size=(3, 2), stride=(2, 3), padding=1),
        case("AvgPool2d", "batch", image, kernel_size=2),
        case("AvgPool2d", "oblong", image, kernel_size=(3, 2), stride=(2, 3), padding=1),
        case("Flatten", "batch", image),
        case("Scale", "single weight", image, weight=0.25),
        case("Scale", "weights", image, weight=make.uniform(-1.0, 1.0, 280)),
    ]


# the steps of packages that write NIR, as settings
SNNTORCH = {"reset": "subtract", "reset_delay": True}
SPIKINGJELLY = {"fires": ">="}
SPYX = {"gain": "unit", "gain_syn": "unit", **SNNTORCH, "delay": 1}
ROCKPOOL = {"decay": "exp", "gain": "unit", "gain_syn": "decay", "reset": "subtract"} | {
    "fires": ">=",
    "max_spikes_per_dt": 8.0,
}


def nir_cases(model: str) -> list[Case]:
    """Return the cases for neurons of NIR."""
    make = _Maker(model, seed=6 + OF_NIR.index(model))
    spiking, synaptic = "IF" in model, model.startswith("Cuba")
    known = {"decay", "gain", "delay", "tau_mem", "r", "v_leak"}
    known |= {"gain_syn", "synapse", "tau_syn", "w_in"} if synaptic else set()
    if spiking:
        known |= {"reset", "reset_delay", "fires", "max_spikes_per_dt", "threshold", "v_reset"}
        known |= {"has_rec", "w_rec"}
    if model == "IFEuler":
        known -= {"tau_mem", "v_leak"}

    def case(
        name: str,
        batch: int = 1,
        steps: int = 100,
        strength: float = 1.0,
        chunks: int = 1,
        **arguments: Any,
    ) -> Case:
        # a gain of one has a step do at once what takes some time else
        slow = 1.0 if arguments.get("gain") == "unit" else 2.0**10 if model == "IFEuler" else 2.0**5
        slow *= 4.0 if synaptic and arguments.get("gain_syn") in (None, "w_in") else 1.0
        data = make.events(batch, steps, 5, strength * slow)
        numbers = {"tau_mem": 0.01953125, "tau_syn": 0.01171875, "dt": DT, **arguments}
        own = {key: value for key, value in numbers.items() if key in known | {"dt"}}
        return Case(make.model, name, (5,), own, data, chunks)

    def per_neuron() -> dict[str, np.ndarray]:
        return {
            "tau_mem": make.uniform(5e-3, 60e-3, 5),
            "tau_syn": make.uniform(5e-3, 60e-3, 5),
            "r": make.uniform(0.5, 2.0, 5),
            "w_in": make.uniform(0.5, 2.0, 5),
            "v_leak": make.uniform(-0.25, 0.25, 5),
            "threshold": make.uniform(0.5, 2.0, 5),
            "v_reset": make.uniform(-0.5, 0.25, 5),
        }

    recurrent = {"has_rec": True, "w_rec": make.uniform(-0.5, 0.5, 5, 5)}
    cases = [
        case("single"),
        case("batch", batch=4),
        case("per-neuron constants", **per_neuron()),
        case("exponential decay", decay="exp", **per_neuron()),
        case("old current", synapse="old", **per_neuron()),
        case("snntorch", **SNNTORCH),
        case("spikingjelly", **SPIKINGJELLY, **per_neuron()),
        case("spyx", **SPYX),
        case("rockpool", **ROCKPOOL, strength=4.0),
        case("chunked run", batch=3, steps=90, chunks=3, **SPYX, **per_neuron()),
        case("zero input", strength=0.0),
    ]
    if spiking:
        cases += [
            case("recurrent", **recurrent),
            case("recurrent, all of a step late", **SPYX, **recurrent),
        ]
    return cases


CASES = [
    *lif_cases(recurrent=False),
    *lif_cases(recurrent=True),
    *exp_syn_cases(),
    *rate_cases(),
    *linear_cases(),
    *shaped_cases(),
    *(case for model in OF_NIR for case in nir_cases(model)),
]
