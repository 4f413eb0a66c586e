"""Networks of layers with axes, in containers and over all back-ends."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
import torch
from support.network_files import changed
from support.shaped_layers import BACKENDS, double

import rockpool
from rockpool.nn.combinators import FFwdStack, Residual, Sequential, Wired
from rockpool.nn.modules import (
    LIF,
    AvgPool2d,
    Conv2d,
    Conv2dTorch,
    Flatten,
    LIFEuler,
    LIFTorch,
    Linear,
    LinearTorch,
    SumPool2d,
    TorchModule,
)
from rockpool.parameters import to_numpy

RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def _double_precision() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


def network() -> Any:
    rng = np.random.default_rng(3)
    return Sequential(
        Conv2d((2, 8, 6), 4, 3, padding=1, weight=rng.normal(size=(4, 2, 3, 3)), bias=0.1),
        SumPool2d((4, 8, 6), 2),
        Flatten((4, 4, 3)),
        LIF(48, max_spikes_per_dt=1),
        Linear((48, 3), weight=rng.normal(size=(48, 3))),
        LIF(3, max_spikes_per_dt=1),
    )


def test_a_network_agrees_on_all_backends() -> None:
    data = (np.random.default_rng(4).random((2, 40, 2, 8, 6)) < 0.2).astype(float)

    verdict = rockpool.verify(network(), data, backends=["numba", "torch", "jax", "sinabs"])

    assert verdict.ok, str(verdict)
    assert verdict.rows[0].neuron_steps == 2 * 40 * 51
    output, _, _ = network()(data)
    assert output.any()


def test_a_network_is_summarised_with_its_axes() -> None:
    data = (np.random.default_rng(4).random((2, 40, 2, 8, 6)) < 0.2).astype(float)

    summary = network().summary(data)

    assert [layer.shape for layer in summary.layers[:3]] == [(96, 192), (192, 48), (48, 48)]
    assert summary.layers[3].rate > 0
    with pytest.raises(ValueError, match="data must have the shape"):
        network().summary(data.swapaxes(3, 4))


def test_axes_that_do_not_fit_are_refused_at_once() -> None:
    with pytest.raises(ValueError, match=r"output of '0_Conv2d' has the axes \(1, 4, 6\), but"):
        Sequential(Conv2d((1, 4, 6), 1, 1), SumPool2d((1, 6, 4), 2))
    with pytest.raises(ValueError, match=r"'0_Conv2d' has 24 channels, but .*'1_Flatten' has 12"):
        Sequential(Conv2d((1, 4, 6), 1, 1), Flatten((1, 4, 3)))


def test_dense_weights_want_flat_input() -> None:
    message = (
        r"'0_Conv2d' has the axes \(1, 4, 6\), but .*'1_Linear' has one; Flatten\(\(1, 4, 6\)\)"
    )
    with pytest.raises(ValueError, match=message):
        Sequential(Conv2d((1, 4, 6), 1, 1), Linear((24, 2)))
    with pytest.raises(ValueError, match=message.replace("1_Linear", "1_ModSequential")):
        Sequential(Conv2d((1, 4, 6), 1, 1), Sequential(Linear((24, 2))))
    edges = [("input", "a"), ("a", "b"), ("b", "output")]
    with pytest.raises(ValueError, match=r"'a' has the axes \(2, 3\), but .*'b' has one"):
        Wired({"a": LIFEuler((2, 3)), "b": LIF(6)}, edges)
    with pytest.raises(ValueError, match="Linear: input must have 24 channels"):
        Linear((24, 2))(np.zeros((1, 1, 1, 4, 6)))


@pytest.mark.parametrize("backend", BACKENDS)
def test_residuals_and_stacks_take_axes(backend: str) -> None:
    layer = Conv2d((2, 3, 4), 2, 3, padding=1)
    data = RNG.normal(size=(2, 5, 2, 3, 4))
    plain = layer(data)[0]

    residual = double(Residual(copy.deepcopy(layer)), backend)
    stack = FFwdStack(copy.deepcopy(layer), Flatten(3), weight_init_func=lambda s: np.ones(s))
    stacked = double(stack, backend)
    tensor = torch.from_numpy if backend == "torch" else np.asarray

    for form in (data, data.reshape(2, 5, 24)):
        output = to_numpy(residual(tensor(form))[0])
        np.testing.assert_allclose(output, plain + data, rtol=1e-9)
        output = to_numpy(stacked(tensor(form))[0])
        sums = plain.sum(axis=(2, 3, 4))[..., np.newaxis]
        np.testing.assert_allclose(output, sums.repeat(3, -1), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_sequences_of_unequal_length(backend: str) -> None:
    net = rockpool.convert(network(), backend)
    data = np.ones((2, 12, 2, 8, 6), np.float32)

    output, _, _ = net(torch.from_numpy(data) if backend == "torch" else data, lengths=[12, 4])

    assert to_numpy(output)[0, 11].any() or to_numpy(output)[0, 10].any()
    assert not to_numpy(output)[1, 4:].any()


def test_records_become_time_series() -> None:
    net = network()
    _, _, record = net(np.ones((1, 6, 2, 8, 6)), record=True)

    wrapped = net._wrap_recorded_state(record, 0.0)

    assert wrapped["0_Conv2d_output"].samples.shape[1] == 4 * 8 * 6


def test_a_file_with_another_geometry_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "layer.safetensors"
    for message, changes in {
        r"the shape \(32, 8\) is not \(32, 18\)": {"kernel_size": (2, 2)},
        "the output would be empty": {"kernel_size": (9, 9)},
        "weight has the shape": {"groups": 2},
        "stride must be of tuple, got 1": {"stride": 1},
        "padding must": {"padding": ("a", "b")},
        "groups must be of int": {"groups": 1.0},
    }.items():
        rockpool.save(Conv2d((2, 4, 4), 2, 3), path)
        changed(path, partial(with_settings, changes=changes))
        with pytest.raises(rockpool.FileFormatError, match=message):
            rockpool.load(path)


def with_settings(said: dict[str, Any], arrays: Any, changes: dict[str, Any]) -> None:
    said["network"]["settings"].update(changes)


def test_torch_trains_a_network() -> None:
    torch.manual_seed(0)
    net = rockpool.convert(
        Sequential(Conv2d((1, 6, 6), 2, 3), AvgPool2d((2, 4, 4), 2), Flatten((2, 2, 2))), "torch"
    )
    net = Sequential(*net, LinearTorch((8, 1)))
    target, data = torch.rand(4, 3, 1), torch.rand(4, 3, 1, 6, 6)
    optimiser = torch.optim.Adam(net.parameters().astorch(), 1e-2)

    losses = []
    for _ in range(30):
        optimiser.zero_grad()
        loss = ((net(data)[0] - target) ** 2).mean()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())

    assert losses[-1] < 0.5 * losses[0]


def test_layers_of_others_take_what_they_take() -> None:
    data = torch.rand(1, 5, 1, 4, 6)

    class Own(TorchModule):
        def forward(self, data: torch.Tensor) -> torch.Tensor:
            return data.flatten(2)

    Own.__name__ = "Flatten"  # the name of one of this package says nothing
    layer = Conv2dTorch((1, 4, 6), 1, 1)
    for flatten in (torch.nn.Flatten(2), Own(shape=(24, 24))):
        assert Sequential(copy.deepcopy(layer), flatten, LIFTorch(24))(data)[0].shape == (1, 5, 24)
    assert Sequential(layer, torch.nn.Linear(6, 3))(data)[0].shape == (1, 5, 1, 4, 3)


def test_flat_input_goes_to_layers_with_axes_and_without() -> None:
    net = Wired(
        {
            "kernels": Conv2d((1, 4, 4), 2, 3),
            "flat": Flatten((2, 2, 2)),
            "one": Linear((8, 3)),
            "other": Linear((16, 3)),
            "neurons": LIF(3),
        },
        [
            *pairwise(["input", "kernels", "flat", "one", "neurons", "output"]),
            *pairwise(["input", "other", "neurons"]),
        ],
    )
    assert net(np.ones((1, 7, 16)))[0].shape == (1, 7, 3)
