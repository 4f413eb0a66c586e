"""The modules on sinabs-exodus, with its compiled functions replaced by the same ones in torch."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import sinabs
import support
import torch

from rockpool.nn.modules.native import LIF, ExpSyn
from rockpool.nn.modules.torch import LIFTorch

DOUBLE = Path(support.__file__).parent / "exodus_double"
TAUS = {"tau_mem": [0.01, 0.03], "tau_syn": [[0.005, 0.02], [0.01, 0.015]]}


@pytest.fixture(scope="module")
def exodus() -> Iterator[ModuleType]:
    """The file with the classes, as it is where sinabs-exodus is installed."""
    before = set(sys.modules)
    sinabs.__path__.append(str(DOUBLE))
    try:
        yield import_module("rockpool.nn.modules.sinabs.lif_exodus")
    finally:
        sinabs.__path__.remove(str(DOUBLE))
        for name in set(sys.modules) - before:
            if "exodus" in name:
                del sys.modules[name]


def data(*shape: int, strength: float = 0.5, seed: int = 0) -> torch.Tensor:
    values = np.random.default_rng(seed).random(shape) * strength
    return torch.as_tensor(values, dtype=torch.float32)


@pytest.mark.parametrize("max_spikes", [1, 3, 2**16])
def test_lif_exodus_gives_the_spikes_gradients_and_states_of_lif_torch(
    exodus: ModuleType, max_spikes: int
) -> None:
    common = {"bias": [0.05, -0.02], "max_spikes_per_dt": max_spikes, **TAUS}
    ours = exodus.LIFExodus((4, 2), threshold=[1.0, 0.8], **common)
    theirs = LIFTorch((4, 2), threshold=[1.0, 0.8], **common)
    x, other_x = data(3, 40, 4).requires_grad_(), data(3, 40, 4).requires_grad_()
    weights = data(3, 40, 2, seed=1)

    spikes, state, record = ours(x, record=True)
    other_spikes, other_state, other_record = theirs(other_x, record=True)
    (spikes * weights).sum().backward()
    (other_spikes * weights).sum().backward()

    assert torch.equal(spikes, other_spikes) and spikes.sum() > 50
    assert state.keys() == other_state.keys() and record.keys() == other_record.keys()
    for name in state:
        torch.testing.assert_close(state[name], other_state[name])
    for name in record:
        torch.testing.assert_close(record[name], other_record[name])
    torch.testing.assert_close(x.grad, other_x.grad)
    for name in ("tau_mem", "tau_syn", "bias"):
        torch.testing.assert_close(getattr(ours, name).grad, getattr(theirs, name).grad)


def test_a_run_in_chunks_is_a_whole_run(exodus: ModuleType) -> None:
    x = data(3, 40, 4)
    whole = exodus.LIFExodus((4, 2), **TAUS)(x)[0]
    module = exodus.LIFExodus((4, 2), **TAUS).keep_batch_state()
    assert torch.equal(torch.cat([module(x[:, :15])[0], module(x[:, 15:])[0]], 1), whole)


def test_the_bias_is_added_once_for_several_synapses(exodus: ModuleType) -> None:
    module = exodus.LIFExodus((6, 2), bias=0.25, threshold=10.0)
    assert module(torch.zeros(1, 1, 6), record=True)[2]["vmem"].tolist() == [[[0.25, 0.25]]]


def test_the_threshold_is_not_trained(exodus: ModuleType) -> None:
    module = exodus.LIFExodus(3, threshold=0.5)
    assert set(module.parameters()) == {"tau_mem", "tau_syn", "bias"}
    assert float(module.simulation_parameters()["threshold"]) == 0.5


def test_leaks_can_be_stated_as_decays(exodus: ModuleType) -> None:
    module = exodus.LIFExodus(2, leak_mode="decays", alpha=0.5, beta=0.25)
    record = module(torch.tensor([[[4.0, 4.0], [0.0, 0.0]]]) / 8, record=True)[2]
    assert record["isyn"].flatten().tolist() == [0.125, 0.125, 0.03125, 0.03125]
    with pytest.raises(ValueError, match="tau_mem was given"):
        exodus.LIFExodus(2, leak_mode="decays", tau_mem=0.5)


def test_lif_membrane_exodus_is_a_lif_without_spikes(exodus: ModuleType) -> None:
    module = exodus.LIFMembraneExodus((4, 2), bias=[0.05, -0.02], **TAUS)
    reference = LIF((4, 2), bias=[0.05, -0.02], threshold=1e9, **TAUS)
    for seed in range(2):
        x = data(1, 30, 4, seed=seed)
        output, state, record = module(x, record=True)
        _, wanted, recorded = reference(x.numpy(), record=True)
        np.testing.assert_allclose(output.detach(), recorded["vmem"], rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(record["isyn"].detach(), recorded["isyn"], rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(state["vmem"], wanted["vmem"], rtol=1e-5, atol=1e-6)
    assert set(record) == {"vmem", "isyn"}
    with pytest.raises(NotImplementedError):
        module.as_graph()


def test_exp_syn_exodus_is_exp_syn(exodus: ModuleType) -> None:
    module, reference = exodus.ExpSynExodus(3, tau=0.02), ExpSyn(3, tau=0.02)
    for seed in range(2):
        x = data(1, 30, 3, seed=seed)
        output, state, record = module(x)
        wanted = reference(x.numpy())[0]
        np.testing.assert_allclose(output.detach(), wanted, rtol=1e-5)
        assert torch.equal(state["isyn"], output[0, -1].detach())
    assert record == {}
    assert set(module.parameters()) == {"tau_syn"}


def test_gradients_reach_the_time_constants_of_membranes_and_synapses(exodus: ModuleType) -> None:
    for module in (exodus.LIFMembraneExodus(2), exodus.ExpSynExodus(2)):
        module(data(1, 10, 2))[0].sum().backward()
        assert all(float(p.grad.abs().sum()) > 0 for p in module.parameters().astorch())


@pytest.mark.parametrize(
    ("name", "arguments", "error"),
    [
        ("LIFExodus", {"has_rec": True}, ValueError),
        ("LIFExodus", {"noise_std": 0.1}, ValueError),
        ("LIFExodus", {"tau_mem": -1.0}, ValueError),
        ("LIFMembraneExodus", {"threshold": 1.0}, TypeError),
        ("LIFMembraneExodus", {"has_rec": False}, TypeError),
        ("LIFMembraneExodus", {"noise_std": 0.0}, TypeError),
        ("ExpSynExodus", {"threshold": 1.0}, TypeError),
        ("ExpSynExodus", {"has_rec": False}, TypeError),
        ("ExpSynExodus", {"bias": 0.0}, TypeError),
        ("ExpSynExodus", {"tau_mem": 0.1}, TypeError),
        ("ExpSynExodus", {"noise_std": 0.1}, ValueError),
    ],
)
def test_what_cannot_be_had_is_refused(
    exodus: ModuleType, name: str, arguments: dict, error: type[Exception]
) -> None:
    with pytest.raises(error, match=name):
        getattr(exodus, name)(2, **arguments)


def test_lif_slayer_is_lif_exodus_and_says_so(exodus: ModuleType) -> None:
    with pytest.warns(DeprecationWarning, match="LIFExodus") as warned:
        module = exodus.LIFSlayer(2)
    assert isinstance(module, exodus.LIFExodus)
    assert warned[0].filename == __file__


def test_no_time_is_no_problem(exodus: ModuleType) -> None:
    for module in (exodus.LIFExodus(2), exodus.LIFMembraneExodus(2), exodus.ExpSynExodus(2)):
        output, _, record = module(torch.zeros(2, 0, 2), record=True)
        _, _, expected = module(torch.zeros(2, 1, 2), record=True)
        assert output.shape == (2, 0, 2)
        assert {k: v.shape for k, v in record.items()} == {
            k: (2, 0, *v.shape[2:]) for k, v in expected.items()
        }


def test_a_device_that_the_functions_refuse_is_named(
    exodus: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError("input must be a CUDA tensor")

    monkeypatch.setattr("sinabs.exodus.leaky.LeakyIntegrator.apply", staticmethod(refuse))
    with pytest.raises(ValueError, match=r"LIFExodus: .* CUDA device, got cpu"):
        exodus.LIFExodus(2)(torch.zeros(1, 5, 2))


def test_without_a_cuda_device_the_classes_are_stand_ins_that_say_so() -> None:
    from rockpool.nn.modules import LIFExodus

    with pytest.raises(ModuleNotFoundError, match="LIFExodus") as raised:
        LIFExodus(2)
    assert any("CUDA device" in note for note in raised.value.__notes__)
