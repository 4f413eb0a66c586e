"""The back-ends, one line each, and how near they have to come to the numpy modules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from conformance.cases import OF_NIR, SHAPED, Case
from rockpool.utilities.backend_management import backend_available
from rockpool.utilities.lazy_loading import advertised


class Bound(NamedTuple):
    """How far an output may be from the reference (see `running.difference`), and why."""

    limit: float
    reason: str


class Backend(NamedTuple):
    """What one back-end offers."""

    name: str
    package: str  # in rockpool.nn.modules
    framework: str  # "numpy", "torch", "cuda" or "jax": what goes in and comes out
    classes: Mapping[str, str]  # model -> class
    precision: str = "float64"
    values: float = 1e-12  # how far states and records may be, in parts of the largest value
    # model, or "model, case" -> bound for the output; without one, it must be exact
    bounds: Mapping[str, Bound] = {}
    settings: Mapping[str, Any] = {}  # for LIF, here and in the reference

    def offers(self, model: str) -> bool:
        """Whether there is a class for the model."""
        return self.classes.get(model) in advertised(f"rockpool.nn.modules.{self.package}")

    @property
    def is_here(self) -> bool:
        """Whether it can be run: all can be, but those that need a CUDA device."""
        return self.framework != "cuda" or backend_available("sinabs-exodus")

    def bound(self, case: Case) -> Bound | None:
        """Return the bound for the output of a case; None: it must be exact."""
        return self.bounds.get(f"{case.model}, {case.name}") or self.bounds.get(case.model)


def _named(suffix: str, *models: str) -> dict[str, str]:
    """Name the classes as they are mostly named."""
    classes = {model: model + suffix for model in models}
    return classes | ({"LIF recurrent": classes["LIF"]} if "LIF" in models else {})


_ALL = ("LIF", "ExpSyn", "Rate", "Linear", *SHAPED, *OF_NIR)

_VALUES = ("ExpSyn", "Rate", "Linear", *SHAPED)

_TANH = Bound(1e-14, "tanh, and the order of recurrent sums")
_ORDER = Bound(1e-14, "the order of recurrent sums")
_DOUBLE = {
    model: Bound(1e-14, "decays may differ in the last bit") for model in ("LIEuler", "CubaLIEuler")
}
_SINGLE = {
    **{model: Bound(2e-6, "single precision") for model in (*_VALUES, "LIEuler", "CubaLIEuler")},
    **{
        f"{model}, long run": Bound(
            1e-3, "single precision: of 1000 spikes, one may come a step early or late"
        )
        for model in ("LIF", "LIF recurrent")
    },
}

BACKENDS = (
    Backend(
        "numba",
        "numba",
        "numpy",
        _named("Numba", "LIF", "ExpSyn", "Rate", *OF_NIR),
        values=1e-14,
        bounds={"Rate": _TANH},
    ),
    Backend("torch", "torch", "torch", _named("Torch", *_ALL), "float32", 3e-4, _SINGLE),
    Backend(
        "torch, double",
        "torch",
        "torch",
        _named("Torch", *_ALL),
        bounds={
            "Rate": Bound(1e-12, "its update is written in another order"),
            "ExpSyn": Bound(1e-12, "its update is written in another order"),
            **_DOUBLE,
        },
    ),
    Backend("jax", "jax", "jax", _named("Jax", *_ALL), "float32", 3e-4, _SINGLE),
    Backend("brian", "brian", "numpy", _named("Brian", "LIF", "Rate"), bounds={"Rate": _ORDER}),
    Backend(
        "nest",
        "nest",
        "numpy",
        _named("Nest", "LIF", "ExpSyn"),
        values=1e-10,
        bounds={"ExpSyn": Bound(1e-12, "NEST computes decays in milliseconds")},
        settings={"max_spikes_per_dt": 1.0},
    ),
    Backend("sinabs", "sinabs", "torch", _named("Sinabs", "LIF"), "float32", 3e-4, _SINGLE),
    Backend(
        "sinabs-exodus",
        "sinabs",
        "cuda",
        {"LIF": "LIFExodus", "ExpSyn": "ExpSynExodus"},
        "float32",
        3e-4,
        _SINGLE,
    ),
)

NATIVE = Backend("numpy", "native", "numpy", _named("", *_ALL))
