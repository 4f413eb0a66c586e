"""The dense linear layer (Linear): ``output = input @ weight + bias``, without time or state."""

from __future__ import annotations

from typing import Any

from rockpool.nn.models import checks
from rockpool.nn.models.model import Model, ParameterSpec, SettingSpec
from rockpool.nn.models.weights import spiking_weights

__all__ = ["LINEAR"]


def module_shape(owner: str, shape: Any) -> tuple[int, int]:
    """Return the shape argument ``(Nin, Nout)``.

    Raises
    ------
    ValueError
        Not exactly two entries, or an entry < 1.
    TypeError
        Not ints.
    """
    entries = checks.shape_entries(owner, shape)
    if len(entries) != 2:
        raise ValueError(f"{owner}: shape must be (Nin, Nout), got {shape!r}")
    return entries[0], entries[1]


LINEAR = Model(
    name="Linear",
    title="linear weights",
    module_shape=module_shape,
    dimensions=lambda shape: {"Nin": shape[0], "Nout": shape[1]},
    attributes=(
        SettingSpec("has_bias", False, stored_as=None),
        ParameterSpec(
            "weight",
            "weights",
            (("Nin", "Nout"),),
            drawn_by="weight_init_func",
            named={"spiking": spiking_weights},
        ),
        ParameterSpec(
            "bias",
            "biases",
            (("Nout",), ()),
            drawn_by="bias_init_func",
            only_with="has_bias",
            implies_flag=True,
        ),
    ),
    equations="output = input @ weight + bias",
    classes={"numpy": "Linear", "torch": "LinearTorch", "jax": "LinearJax"},
)
