"""Layers of the neurons of NIR for tests: their settings, numbers and input."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

import rockpool.nn.modules
from rockpool.nn.models.catalogue import OF_NIR

MODELS = [model.name for model in OF_NIR]
SPIKING = [name for name in MODELS if "IF" in name]
BACKENDS = tuple(OF_NIR[0].classes)
OTHERS = [backend for backend in BACKENDS if backend != "numpy"]
N = 4


def layer(name: str, backend: str, shape: Any = N, **arguments: Any) -> Any:
    model = next(model for model in OF_NIR if model.name == name)
    return getattr(rockpool.nn.modules, model.classes[backend])(shape, **arguments)


def settings(name: str) -> list[dict[str, Any]]:
    """All combinations of the settings of a model."""
    choices: dict[str, list[Any]] = {"decay": ["euler", "exp"], "gain": ["r", "unit"]}
    choices |= {"delay": [0, 1]}
    if name.startswith("Cuba"):
        choices |= {"gain_syn": ["w_in", "unit", "decay"], "synapse": ["new", "old"]}
    if name in SPIKING:
        choices |= {
            "reset": ["value", "subtract", "none"],
            "reset_delay": [False, True, "snntorch"],
        }
        choices |= {"fires": [">", ">="], "max_spikes_per_dt": [1.0, 3.0]}
    return [
        dict(zip(choices, values, strict=True)) for values in itertools.product(*choices.values())
    ]


def some(name: str, count: int) -> list[dict[str, Any]]:
    """Some combinations of settings, different ones for each model."""
    every = settings(name)
    order = np.random.default_rng(len(every)).permutation(len(every))
    return [every[i] for i in order[:count]]


def parameters(name: str, recurrent: bool = False) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(5)

    def dyadic(low: float, high: float, *shape: int) -> np.ndarray:
        return np.round(rng.uniform(low, high, shape) * 2**12) / 2**12

    values = {
        "tau_mem": dyadic(5e-3, 30e-3, N),
        "tau_syn": dyadic(5e-3, 30e-3, N),
        "r": dyadic(0.5, 2.0, N),
        "w_in": dyadic(2.0, 4.0, N),
        "v_leak": dyadic(-0.2, 0.2, N),
        "threshold": dyadic(0.5, 2.0, N),
        "v_reset": dyadic(-0.3, 0.2, N),
    }
    model = next(model for model in OF_NIR if model.name == name)
    present = {spec.name: values[spec.name] for spec in model.parameters if spec.name in values}
    return present | ({"w_rec": dyadic(-0.5, 0.5, N, N), "has_rec": True} if recurrent else {})


def events(name: str, gain: str = "r", batch: int = 2, steps: int = 40) -> np.ndarray:
    """Input that makes the neurons fire, sums of which are exact."""
    rng = np.random.default_rng(6)
    strength = {"unit": 1.0, "r": 16.0}[gain] * (32.0 if gain == "r" and name == "IFEuler" else 1.0)
    data = rng.uniform(0.0, 2.0, (batch, steps, N)) * (rng.random((batch, steps, N)) < 0.3)
    return np.round(data * 2**6) / 2**6 * strength
