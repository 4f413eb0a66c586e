"""All models, which class is which model on which back-end, and what else `nn.modules` offers.

The rows are those of README's table of modules.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from rockpool.nn.models.exp_syn import EXP_SYN
from rockpool.nn.models.lif import ALIF, LIF
from rockpool.nn.models.linear import LINEAR
from rockpool.nn.models.model import Model
from rockpool.nn.models.rate import RATE

__all__ = ["BACKENDS", "MODELS", "ROWS", "Row", "model_of"]

BACKENDS = ("numpy", "numba", "torch", "jax", "brian", "nest", "sinabs", "sinabs-exodus")

MODELS = (LIF, ALIF, EXP_SYN, RATE, LINEAR)


class Row(NamedTuple):
    """Names of `rockpool.nn.modules` of one kind: classes of models, and others beside them."""

    title: str
    models: tuple[Model, ...]
    others: Mapping[str, str]  # back-end -> names, with spaces between them

    def names(self, backend: str) -> list[str]:
        """Return the names on a back-end."""
        classes = [m.classes[backend] for m in self.models if backend in m.classes]
        return [*classes, *self.others.get(backend, "").split()]


ROWS = (
    Row("leaky integrate-and-fire", (LIF,), {"sinabs-exodus": "LIFSlayer"}),
    Row(
        "LIF, other forms",
        (ALIF,),
        {
            "torch": "LIFBitshiftTorch LIFNeuronTorch",
            "jax": "LIFODEJax",
            "sinabs-exodus": "LIFMembraneExodus",
        },
    ),
    Row("exponential synapse", (EXP_SYN,), {"torch": "LowPass", "jax": "ExpSmoothJax"}),
    Row("rate neuron", (RATE,), {}),
    Row("linear weights", (LINEAR,), {}),
    Row(
        "function, at once",
        (),
        {"numpy": "Instant", "torch": "InstantTorch", "jax": "InstantJax"},
    ),
    Row("filter bank (scipy)", (), {"numpy": "ButterFilter ButterMelFilter"}),
    Row("event coding, latch", (), {"torch": "UpDownTorch BooleanState"}),
    Row("dropout", (), {"torch": "UnitDropout TimeStepDropout"}),
    Row("readout", (), {"jax": "SoftmaxJax LogSoftmaxJax"}),
    Row(
        "base classes",
        (),
        {
            "numpy": "Module TimedModule TimedModuleWrapper astimedmodule",
            "torch": "TorchModule TorchModuleParameters",
            "jax": "JaxModule",
        },
    ),
    Row(
        "functions, others",
        (),
        {
            "numpy": "kaiming spike_subtract_threshold unit_eigs xavier",
            "jax": "H_LReLU H_ReLU H_sigmoid H_tanh RateEulerJax WeightedSmoothBase "
            "clip_gradient step_pwl",
            "nest": "NestWorkerError",
        },
    ),
)


def model_of(class_name: str) -> Model | None:
    """Return the model that a class is on its back-end, or None; nothing is imported for it."""
    return next((model for model in MODELS if class_name in model.classes.values()), None)
