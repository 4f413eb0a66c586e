"""All models, which class is which model on which back-end, and what else `nn.modules` offers.

The rows are those of README's table of modules.
"""

from collections.abc import Mapping
from typing import NamedTuple

from rockpool.nn.models.axes import FLATTEN, SCALE
from rockpool.nn.models.convolution import AVG_POOL_2D, CONV_1D, CONV_2D, SUM_POOL_2D
from rockpool.nn.models.euler import (
    CUBA_LI_EULER,
    CUBA_LIF_EULER,
    IF_EULER,
    LI_EULER,
    LIF_EULER,
)
from rockpool.nn.models.exp_syn import EXP_SYN
from rockpool.nn.models.lif import ALIF, LIF
from rockpool.nn.models.linear import LINEAR
from rockpool.nn.models.model import Model
from rockpool.nn.models.rate import RATE

__all__ = [
    "BACKENDS",
    "CHOOSES_DTYPE",
    "DOUBLE_ONLY",
    "LACKING",
    "LIBRARY",
    "MODELS",
    "PLAIN",
    "ROWS",
    "Row",
    "class_on",
    "classes_of",
    "model_named",
    "model_of",
]

BACKENDS = ("numpy", "numba", "torch", "jax", "brian", "nest", "sinabs", "sinabs-exodus")

OF_NIR = (IF_EULER, LIF_EULER, CUBA_LIF_EULER, LI_EULER, CUBA_LI_EULER)

_SHAPED = (CONV_2D, CONV_1D, SUM_POOL_2D, AVG_POOL_2D, FLATTEN, SCALE)

MODELS = (LIF, ALIF, EXP_SYN, RATE, LINEAR, *_SHAPED, *OF_NIR)


# Layers without parameters, states or a table: model -> back-end -> class
PLAIN = {"Instant": {"numpy": "Instant", "torch": "InstantTorch", "jax": "InstantJax"}}

# Models without neurons: weights, functions and filters
NEURONLESS = frozenset(
    {"ExpSyn", "Instant", "Linear", *(model.name for model in _SHAPED)}
    | {"UnitDropout", "TimeStepDropout"}
)

# The back-end whose arrays and containers a back-end uses
LIBRARY = {
    "numpy": "numpy",
    "numba": "numpy",
    "brian": "numpy",
    "nest": "numpy",
    "torch": "torch",
    "sinabs": "torch",
    "sinabs-exodus": "torch",
    "jax": "jax",
}


# Simulators that compute in double precision alone, and models of which the numpy and numba
# classes can be made for single precision
DOUBLE_ONLY = frozenset({"brian", "nest"})
CHOOSES_DTYPE = frozenset(
    {"LIF", "ExpSyn", "Rate", "Linear", *(model.name for model in (*_SHAPED, *OF_NIR))}
)

# What a class has not of its model: nothing else than the default can be computed there
LACKING = {
    "LIFExodus": ("w_rec", "noise_std", "max_spikes_per_dt"),
    "ExpSynExodus": ("noise_std",),
}


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
    Row("neurons of NIR", OF_NIR, {}),
    Row("exponential synapse", (EXP_SYN,), {"torch": "LowPass", "jax": "ExpSmoothJax"}),
    Row("rate neuron", (RATE,), {}),
    Row("linear weights", (LINEAR,), {}),
    Row("convolution", (CONV_2D, CONV_1D), {}),
    Row("pooling", (SUM_POOL_2D, AVG_POOL_2D), {}),
    Row("axes as one, scaling", (FLATTEN, SCALE), {}),
    Row(
        "function, at once",
        (),
        PLAIN["Instant"],
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
            "torch": "from_nir to_nir",
            "nest": "NestWorkerError",
        },
    ),
)


def classes_of(name: str) -> Mapping[str, str]:
    """Return the classes of a model by back-end; empty for a name that is none.

    The name is that of a model, or of a class that is on one back-end only.
    """
    model = model_named(name)
    if model is not None:
        return model.classes
    if name in PLAIN:
        return PLAIN[name]
    homes = (backend for row in ROWS for backend in row.others if name in row.names(backend))
    return {backend: name for backend in homes}


def class_on(name: str, backend: str) -> str | None:
    """Return the class of a model on a back-end, or None.

    What has no neurons is run by the library that the back-end has its arrays from, where the
    back-end itself has no class for it.
    """
    classes = classes_of(name)
    return classes.get(backend) or (classes.get(LIBRARY[backend]) if name in NEURONLESS else None)


def model_named(name: str) -> Model | None:
    """Return the model of that name, or None."""
    return next((model for model in MODELS if model.name == name), None)


def model_of(class_name: str) -> Model | None:
    """Return the model that a class is on its back-end, or None; nothing is imported for it."""
    return next((model for model in MODELS if class_name in model.classes.values()), None)
