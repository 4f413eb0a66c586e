"""Saving parameters as JSON and as a state_dict, and copies of modules."""

from __future__ import annotations

import copy
import io
import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from rockpool.nn.combinators import FFwdStack, Residual, Sequential
from rockpool.nn.modules.torch import (
    BooleanState,
    CubaLIEulerTorch,
    ExpSynTorch,
    IFEulerTorch,
    InstantTorch,
    LIFBitshiftTorch,
    LIFEulerTorch,
    LIFNeuronTorch,
    LIFTorch,
    LinearTorch,
    RateTorch,
    TimeStepDropout,
    TorchModule,
    UnitDropout,
    UpDownTorch,
    aLIFTorch,
)
from rockpool.nn.modules.torch.lif_torch import PeriodicExponential
from rockpool.parameters import Constant, Parameter, SimulationParameter


def network() -> Any:
    return Sequential(
        LinearTorch((3, 4), has_bias=True),
        LIFTorch(4, has_rec=True, threshold=Constant(0.5)),
        Residual(LinearTorch((4, 4)), ExpSynTorch(4)),
        FFwdStack(RateTorch(4, activation_func="tanh"), RateTorch(2), weight_init_func=torch.ones),
    )


def output_from_rest(module: Any, x: torch.Tensor) -> torch.Tensor:
    module.reset_state()
    return module(x)[0]


X = torch.rand(2, 12, 3, generator=torch.Generator().manual_seed(3))


# -- JSON -----------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_full_disk_leaves_the_file_that_was_there(full_python: Any, tmp_path: Path) -> None:
    code = """
import resource
from rockpool.nn.modules import LinearTorch
LinearTorch((2, 2)).save("network.json")
before = open("network.json").read()
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
try:
    LinearTorch((99, 9)).save("network.json")
except OSError:
    print(open("network.json").read() == before)
"""
    assert full_python.python(code, cwd=tmp_path) == "True"
    assert [file.name for file in tmp_path.iterdir()] == ["network.json"]


@pytest.mark.parametrize("method", ["save", "load"])
def test_a_descriptor_is_no_file_name(method: str) -> None:
    with pytest.raises(TypeError, match="LinearTorch: filename must be a path, got 2"):
        getattr(LinearTorch((2, 2)), method)(2)


def test_another_network_becomes_the_same(tmp_path: Path) -> None:
    one, other = network(), network()
    optimiser = torch.optim.SGD(other.parameters().astorch(), lr=0.0)
    one[1].noise_std, one[1].max_spikes_per_dt = 0.0, torch.tensor(3.0)
    for layer in (one[1], one[2][1], one[3][0], one[3][1]):
        layer.dt = 2e-3
    one.save(tmp_path / "network.json")
    other.load(str(tmp_path / "network.json"))
    assert torch.equal(output_from_rest(one, X), output_from_rest(other, X))
    assert (other[1].dt, other[1].max_spikes_per_dt.item()) == (2e-3, 3.0)
    assert optimiser.param_groups[0]["params"][0] is other[0].weight


@pytest.mark.parametrize("shape", [3, (2, 3)], ids=str)
@pytest.mark.parametrize("kind", [LIFEulerTorch, IFEulerTorch, CubaLIEulerTorch])
def test_neurons_with_axes_read_what_they_wrote(kind: Any, shape: Any, tmp_path: Path) -> None:
    one, other = kind(shape, r=np.full(shape, 0.75)), kind(shape)
    one.save(tmp_path / "neurons.json")
    other.load(tmp_path / "neurons.json")
    assert torch.equal(one.r, other.r) and other._neuron_shape == one._neuron_shape
    with pytest.raises(ValueError, match="must have the shape"):
        kind(6 if shape == 3 else 3).load(tmp_path / "neurons.json")


def test_the_form_of_the_file() -> None:
    layer = LIFTorch(2, tau_mem=[0.25, 0.5], has_rec=True, w_rec=torch.ones(2, 2))
    assert layer.to_json() == {
        "leak_mode": '"taus"',
        "dt": "0.001",
        "_has_rec": "true",
        "w_rec": "[[1.0, 1.0], [1.0, 1.0]]",
        "noise_std": "0.0",
        "tau_mem": "[0.25, 0.5]",
        "tau_syn": "[[0.019999999552965164], [0.019999999552965164]]",
        "bias": "[0.0, 0.0]",
        "threshold": "[1.0, 1.0]",
        "learning_window": "0.5",
        "spike_generation_fn": None,
        "max_spikes_per_dt": "65536.0",
    }
    assert network().to_json()["3_TorchFFwdStack"].keys() == {
        "0_1_weight",
        "0_RateTorch",
        "1_RateTorch",
    }


def test_double_precision_survives() -> None:
    one, other = network().double(), network().double()
    for p in one.parameters().astorch():
        p.data.mul_(1 + 1e-12)
    other.json_to_param(json.loads(json.dumps(one.to_json())))
    for p, q in zip(one.parameters().astorch(), other.parameters().astorch(), strict=True):
        assert torch.equal(p, q)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tau_mem": "[0.1, 0.2, 0.3]"}, r"tau_mem must have the shape \(2,\), got \(3,\)"),
        ({"tau_mem": "[0.1, [0.2]]"}, "tau_mem is not an array of numbers"),
        ({"tau_mem": '"abc"'}, "tau_mem is not an array of numbers"),
        ({"tau_mem": "[0.1, "}, "tau_mem is not a JSON text"),
        ({"tau_mem": [0.1, 0.2]}, "tau_mem is not a JSON text"),
        ({"dt": '"abc"'}, "dt must be float as in the module, got 'abc'"),
        ({"dt": "null"}, "dt must be float as in the module, got None"),
        ({"_has_rec": "true"}, "of a module with _has_rec = True, this one has _has_rec = False"),
        ({"leak_mode": '"decays"'}, "of a module with leak_mode = 'decays'"),
        ({"unknown": "1"}, r"no place for \['unknown'\] in the module"),
        ({"vmem": "[1.0, 2.0]"}, r"no place for \['vmem'\] in the module"),
        ({"threshold": "[1, 2, 3]"}, "threshold must have the shape"),
        ({"bias": None}, "bias must have a value, got null"),
        ({"bias": "null"}, "bias is not an array of numbers"),
        ({"tau_mem": "[-1.0, 1.0]"}, "tau_mem must be > 0 s, got -1"),
        ({"tau_syn": "[[NaN], [1.0]]"}, "tau_syn must be > 0 s, got nan"),
        ({"dt": "0"}, "dt must be > 0 s, got 0"),
        ({"max_spikes_per_dt": "-3"}, "max_spikes_per_dt must be a whole number >= 1, got -3"),
        ({"noise_std": "NaN"}, "noise_std must be >= 0, got nan"),
        ({"tau_mem": "[1e400, 1.0]"}, "tau_mem is not a JSON text: 1e400 is beyond the range"),
        ({"tau_mem": "[1e300, 1.0]"}, "tau_mem has a number beyond the range of torch.float32"),
        ({"tau_mem": f"[1{'0' * 400}, 1]"}, "tau_mem is not an array of numbers"),
        ({"tau_mem": "[" * 10**5}, "tau_mem is nested too deeply"),
    ],
)
def test_values_that_do_not_fit(change: dict[str, Any], message: str) -> None:
    layer = LIFTorch(2)
    before = layer.to_json()
    with pytest.raises(ValueError, match=f"LIFTorch: .*{message}"):
        layer.json_to_param({"bias": "[7.0, 7.0]", **before, **change})
    assert layer.to_json() == before


def test_parameters_that_are_missing() -> None:
    layer = LIFTorch(2)
    tree = layer.to_json()
    del tree["learning_window"], tree["threshold"]
    with pytest.raises(ValueError, match=r"nothing for \['threshold'\] in the file"):
        layer.json_to_param(tree)
    net = Sequential(LinearTorch((2, 2)), LIFTorch(2))
    with pytest.raises(ValueError, match=r"nothing for \['1_LIFTorch'\] in the file"):
        net.json_to_param({"0_LinearTorch": net[0].to_json()})
    with pytest.raises(
        ValueError, match=r"LinearTorch.*expected a dict of its parameters, got '3'"
    ):
        net.json_to_param({**net.to_json(), "0_LinearTorch": "3"})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"tau_mem = 3", "is not a JSON file"),
        (b"\xff\xfe{}", "is not a JSON file"),
        (b'{"dt": "1", "dt": "2"}', "is not a JSON file: there are two values for 'dt'"),
        (b"[" * 10**5, "is nested too deeply"),
        (b'{"dt": 1e400}', "is not a JSON file: 1e400 is beyond the range"),
        (b"null", "expected a dict of its parameters, got None"),
    ],
)
def test_a_file_that_is_no_json(text: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "values.json"
    path.write_bytes(text)
    with pytest.raises(ValueError, match=rf"LIFTorch: .*{message}"):
        LIFTorch(2).load(path)


def test_a_value_that_json_cannot_hold() -> None:
    module = TorchModule()
    module.where = SimulationParameter(torch.device("cpu"))
    with pytest.raises(TypeError, match="TorchModule: where has no form in JSON"):
        module.to_json()


def test_values_of_all_kinds() -> None:
    def make(scale: int) -> TorchModule:
        module = TorchModule()
        module.tensor = Parameter(torch.full((2, 2), float(scale)))
        module.array = SimulationParameter(torch.arange(3).numpy() * scale)
        module.number = SimulationParameter(0.5 * scale)
        module.count = SimulationParameter(scale)
        module.text = SimulationParameter("x" * scale)
        module.flag = SimulationParameter(scale > 1)
        module.function = SimulationParameter(torch.relu)
        return module

    one, other = make(2), make(1)
    other.json_to_param(one.to_json())
    assert other.to_json() == one.to_json()
    assert other.array.dtype == one.array.dtype and other.function is torch.relu


def test_helpers() -> None:
    assert TorchModule.param_to_json(torch.tensor([1.5])) == "[1.5]"
    assert TorchModule.param_to_json(torch.relu) is None
    assert TorchModule.merge({"a": {"b": 1}}, {"a": {"c": 2}, "d": 3}) == {
        "a": {"b": 1, "c": 2},
        "d": 3,
    }
    with pytest.raises(ValueError, match="two values for 'b'"):
        TorchModule.merge({"a": {"b": 1}}, {"a": {"b": 2}})


# -- copies ---------------------------------------------------------------------------------------


def converted() -> Any:
    module = nn.Sequential(nn.Linear(3, 4), nn.Upsample(scale_factor=1))
    TorchModule.from_torch(module)
    return module


ALL = {
    "network": network,
    "network in torch mode": lambda: network().to_torch(),
    "LIFTorch": lambda: LIFTorch(3, spike_generation_fn=PeriodicExponential),
    "decays": lambda: LIFTorch(3, leak_mode="decays"),
    "LIFBitshiftTorch": lambda: LIFBitshiftTorch(3),
    "aLIFTorch": lambda: aLIFTorch(3),
    "LIFNeuronTorch": lambda: LIFNeuronTorch(3),
    "UpDownTorch": lambda: UpDownTorch(3),
    "BooleanState": lambda: BooleanState(3),
    "UnitDropout": lambda: UnitDropout(3).eval(),
    "TimeStepDropout": lambda: TimeStepDropout(3).eval(),
    "InstantTorch": lambda: InstantTorch(3, torch.sin),
    "with modules of torch": lambda: Sequential(nn.Linear(3, 3), LIFTorch(3), nn.ReLU()),
    "converted": converted,
}


def by_torch(module: Any) -> Any:
    file = io.BytesIO()
    torch.save(module, file)
    file.seek(0)
    return torch.load(file, weights_only=False)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize(
    "copied", [copy.deepcopy, lambda module: pickle.loads(pickle.dumps(module)), by_torch]
)
def test_copies(name: str, copied: Any) -> None:
    module = ALL[name]()
    module(X)  # states other than those at rest, and a graph behind the output
    other = copied(module)
    assert type(other) is type(module) and repr(other) == repr(module)
    result, expected = other(X), module(X)
    if isinstance(result, tuple):
        result, expected = result[0], expected[0]
    assert torch.equal(result, expected)
    other.reset_parameters()
    assert other.reset_state() is other
    for p, q in zip(other.state_dict().values(), module.state_dict().values(), strict=True):
        assert p.data_ptr() != q.data_ptr()


def test_a_state_dict_goes_through_a_file() -> None:
    one, other = network(), network()
    one(X)
    file = io.BytesIO()
    torch.save(one.state_dict(), file)
    file.seek(0)
    other.load_state_dict(torch.load(file, weights_only=True))
    assert torch.equal(one(X)[0], other(X)[0])  # states are in it


@pytest.mark.parametrize("tree", ["parameters", "state"])
def test_trees_go_through_a_file_that_is_not_trusted(tree: str) -> None:
    one, other = network(), network()
    one(X)
    values = getattr(one, tree)()
    file = io.BytesIO()
    torch.save({"values": values, "copied": {**values}}, file)
    file.seek(0)
    loaded = torch.load(file, weights_only=True)
    other.set_attributes(loaded["copied"]).set_attributes(loaded["values"])
    for value, expected in zip(getattr(other, tree)().astorch(), values.astorch(), strict=True):
        assert torch.equal(value, expected)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda tree: pickle.loads(pickle.dumps(tree))])
def test_trees_stay_trees_in_copies(copied: Any) -> None:
    assert len(list(copied(network().parameters()).astorch())) > 1


@pytest.mark.parametrize("assign", [False, True])
def test_a_state_dict_loaded_keeps_what_is_known_of_the_values(assign: bool) -> None:
    one, other = LIFTorch(2, tau_mem=[0.1, 0.2]), LIFTorch(2)
    other.load_state_dict(one.state_dict(), assign=assign)
    assert list(other.parameters("taus")) == ["tau_mem", "tau_syn"]
    assert torch.equal(other.tau_mem, one.tau_mem)


def test_names_in_a_state_dict() -> None:
    module = Sequential(LinearTorch((2, 2)), LIFTorch(2))
    assert list(module.state_dict()) == [
        "0_LinearTorch.weight",
        *(f"1_LIFTorch.{name}" for name in ("tau_mem", "tau_syn", "bias", "threshold")),
        *(f"1_LIFTorch.{name}" for name in ("vmem", "isyn", "spikes")),
    ]


def test_states_of_a_batch_in_a_state_dict() -> None:
    one, other = (LIFTorch(3).keep_batch_state() for _ in range(2))
    one(X)
    other.load_state_dict(one.state_dict())
    assert torch.equal(one(X)[0], other(X)[0])
    other.load_state_dict(LIFTorch(3).state_dict())
    assert other.vmem.shape == (3,)
    with pytest.raises(RuntimeError, match="size mismatch for vmem"):
        LIFTorch(3).load_state_dict(one.state_dict())
