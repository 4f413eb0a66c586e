"""Recurrent weights that are assigned to a layer: used, or refused where it was made without."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rockpool.nn import modules
from rockpool.parameters import to_numpy

torch = pytest.importorskip("torch")

WITHOUT = [
    *("LIF", "LIFNumba", "LIFJax", "LIFODEJax", "LIFBrian", "LIFNest"),
    *("Rate", "RateNumba", "RateJax", "RateTorch", "RateBrian"),
    *("IFEuler", "LIFEuler", "CubaLIFEuler", "LIFEulerNumba", "LIFEulerJax", "LIFEulerTorch"),
]
USED = ["LIFTorch", "aLIFTorch", "LIFBitshiftTorch", "LIFSinabs"]
WEIGHTS = np.full((2, 2), 0.5, np.float32)


def weights(name: str) -> Any:
    return torch.tensor(WEIGHTS) if name.endswith(("Torch", "Sinabs")) else WEIGHTS


@pytest.mark.parametrize("name", WITHOUT)
def test_a_layer_without_recurrence_refuses_them(name: str) -> None:
    layer = getattr(modules, name)(2)
    with pytest.raises(ValueError, match="w_rec was given, but the layer is not recurrent; make"):
        layer.w_rec = weights(name)
    assert "w_rec" not in layer.parameters()


@pytest.mark.parametrize("name", [name for name in WITHOUT if name != "LIFNest"])
def test_a_recurrent_layer_takes_them(name: str) -> None:
    layer = getattr(modules, name)(2, has_rec=True)
    layer.w_rec = weights(name)
    assert np.array_equal(to_numpy(layer.parameters()["w_rec"]), WEIGHTS)


@pytest.mark.parametrize("name", USED)
def test_torch_uses_values_and_trains_none(name: str) -> None:
    """The API of Rockpool: a layer without the flag has weights, and none that are trained."""
    data = torch.ones(1, 4, 2)
    layer = getattr(modules, name)(2)
    plain = layer(data)[0].detach()
    layer.reset_state()
    with pytest.raises(ValueError, match="w_rec was given, but the layer is not recurrent; make"):
        layer.w_rec = torch.nn.Parameter(weights(name))
    with pytest.raises(ValueError, match="w_rec was given, but the layer is not recurrent; make"):
        layer.w_rec = 2 * torch.ones(2, 2, requires_grad=True)
    layer.w_rec = weights(name)
    assert not torch.equal(layer(data)[0].detach(), plain)
    assert "w_rec" not in layer.parameters()
