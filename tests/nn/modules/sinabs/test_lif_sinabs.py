"""`LIFSinabs` beside `LIFTorch`; `tests/conformance` has it beside `LIF`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from rockpool.nn.modules.sinabs import LIFSinabs
from rockpool.nn.modules.sinabs.lif_sinabs import PeriodicExponential
from rockpool.nn.modules.torch import LIFTorch
from rockpool.parameters import Constant

CASES = {
    "one loop": ((3, 3), {"has_bias": False}),
    "bias": ((3, 3), {"bias": [0.05, -0.02, 0.1]}),
    "synapses": ((6, 3), {"bias": [0.05, -0.02, 0.1]}),
    "recurrent": (
        (6, 3),
        {"bias": 0.0, "has_rec": True, "w_rec": 0.02 * np.arange(-9.0, 9.0).reshape(3, 6)},
    ),
    "spike function": ((3, 3), {"bias": 0.0, "spike_generation_fn": PeriodicExponential}),
    "at most two": ((3, 3), {"bias": 0.0, "max_spikes_per_dt": 2.0}),
}


def both(shape: tuple[int, int], arguments: dict[str, Any]) -> tuple[LIFSinabs, LIFTorch]:
    common = {"tau_mem": [0.01, 0.02, 0.03], "tau_syn": 0.015625, "threshold": [1.0, 0.8, 0.5]}
    ours = LIFSinabs(shape, **common, **arguments).double()
    arguments = {name: value for name, value in arguments.items() if name != "has_bias"}
    return ours, LIFTorch(shape, **common, **arguments).double()


@pytest.mark.parametrize("case", CASES)
def test_spikes_states_records_and_gradients_are_those_of_lif_torch(case: str) -> None:
    shape, arguments = CASES[case]
    ours, theirs = both(shape, arguments)
    rng = np.random.default_rng(0)
    values = torch.as_tensor(rng.random((2, 60, shape[0])) * 0.4)
    weights = torch.as_tensor(rng.random((2, 60, 3)))
    x, other_x = values.clone().requires_grad_(), values.clone().requires_grad_()

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
    for name in ours.parameters():
        torch.testing.assert_close(getattr(ours, name).grad, getattr(theirs, name).grad)


def test_noise_is_that_of_lif_torch() -> None:
    ours, theirs = both((3, 3), {"noise_std": 2.0})
    outputs = []
    for module in (ours, theirs):
        torch.manual_seed(1)
        outputs.append(module(torch.zeros(2, 50, 3, dtype=torch.float64))[0])
    assert torch.equal(*outputs) and outputs[0].sum() > 0


@pytest.mark.parametrize("case", ["one loop", "synapses", "recurrent"])
def test_a_run_in_chunks_is_a_whole_run(case: str) -> None:
    shape, arguments = CASES[case]
    x = torch.as_tensor(np.random.default_rng(0).random((3, 40, shape[0])) * 0.4)
    whole = both(shape, arguments)[0](x)[0]
    module = both(shape, arguments)[0].keep_batch_state()
    chunks = [module(x[:, :15])[0], module(x[:, 15:])[0]]
    assert torch.equal(torch.cat(chunks, 1), whole)


def test_it_is_trained() -> None:
    torch.manual_seed(0)
    taus = {"tau_mem": Constant(0.02), "tau_syn": Constant(0.01)}
    module = LIFSinabs(4, bias=[0.0] * 4, threshold=[1.0] * 4, **taus)
    x = 0.3 * (torch.rand(8, 50, 4) < 0.3)
    optimiser = torch.optim.Adam(module.parameters().astorch(), lr=0.03)
    losses = []
    for _ in range(20):
        module.reset_state()
        loss = (module(x)[0].mean() - 0.4) ** 2
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.2 * losses[0]


def test_defaults() -> None:
    module = LIFSinabs(3)
    values = {name: float(value.detach()) for name, value in module.parameters().items()}
    assert values == pytest.approx(
        {"tau_mem": 0.02, "tau_syn": 0.02, "bias": 0.0, "threshold": 1.0}
    )
    assert module.shape == (3, 3)
    assert set(LIFSinabs(3, has_bias=False).parameters()) == {"tau_mem", "tau_syn", "threshold"}
    assert LIFSinabs(3, device="cpu").tau_mem.device.type == "cpu"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"tau_mem": -0.02}, "LIFSinabs: tau_mem must be > 0 s, got -0.02"),
        ({"has_bias": False, "bias": 0.5}, "LIFSinabs: bias was given, but has_bias is False"),
        ({"w_rec": np.ones((3, 3))}, "LIFSinabs: w_rec was given, but has_rec is False"),
    ],
)
def test_wrong_arguments_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LIFSinabs(3, **arguments)


@pytest.mark.parametrize("shape", [(2, 0, 6), (0, 4, 6)])
def test_no_time_and_no_batch_are_no_problem(shape: tuple[int, ...]) -> None:
    output, _, record = LIFSinabs((6, 3))(torch.zeros(shape), record=True)
    _, _, expected = LIFTorch((6, 3))(torch.zeros(shape), record=True)
    assert output.shape == (*shape[:2], 3)
    assert {k: v.shape for k, v in record.items()} == {k: v.shape for k, v in expected.items()}


def test_it_has_a_graph() -> None:
    from rockpool.graph import LIFNeuronWithSynsRealValue, bag_graph

    nodes, modules = bag_graph(LIFSinabs((6, 3), has_rec=True).as_graph())
    assert len(nodes) > 0
    assert any(isinstance(m, LIFNeuronWithSynsRealValue) for m in modules)
