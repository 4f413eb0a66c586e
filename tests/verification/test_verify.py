"""`rockpool.verify`: one network on several back-ends, compared spike for spike."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import rockpool
from rockpool.nn.combinators import Residual, Sequential
from rockpool.nn.modules import (
    LIF,
    ExpSyn,
    LIFTorch,
    Linear,
    LinearTorch,
    Module,
    Rate,
    TimedModuleWrapper,
    TorchModule,
    aLIFTorch,
)
from rockpool.verification.compare import compared
from rockpool.verification.layers import Activity, evolved


def network(**options: Any) -> Any:
    rng = np.random.default_rng(1)
    return Sequential(
        Linear((4, 6), weight=rng.normal(size=(4, 6))),
        LIF((6, 3), tau_mem=0.01, **options),
        {"skip": Residual(Linear((3, 3), weight=rng.normal(size=(3, 3))), LIF(3, **options))},
        ExpSyn(3),
    )


@pytest.mark.slow
def test_all_backends_agree() -> None:
    verdict = rockpool.verify(network(max_spikes_per_dt=1))
    states = {row.backend: row.state for row in verdict.rows}
    assert verdict.ok
    assert states.pop("numpy") == "reference"
    assert states.pop("sinabs-exodus") == "not run"
    assert set(states) == {"numba", "torch", "jax", "brian", "nest", "sinabs"}
    assert set(states.values()) <= {"equal", "rounding"}
    assert {row.neuron_steps for row in verdict.rows if row.precision} == {4 * 100 * 6}
    assert [row.precision for row in verdict.rows][:4] == [
        "float64",
        "float64",
        "float32",
        "float32",
    ]


def test_it_prints_as_a_table_and_goes_into_json() -> None:
    verdict = rockpool.verify(network(), backends=["numba", "torch"], dtype="float64")
    lines = str(verdict).splitlines()
    assert lines[0].split()[:2] == ["back-end", "precision"]
    assert [line.split()[0] for line in lines[1:4]] == ["numpy", "numba", "torch"]
    assert "0 of 2,400" in lines[2] and lines[2].endswith("equal")
    said = json.loads(json.dumps(verdict.to_dict()))
    assert said["ok"] and said["rows"][2]["precision"] == "float64"


@pytest.mark.slow
def test_several_spikes_in_a_step_are_too_many_for_nest() -> None:
    rows = {row.backend: row for row in rockpool.verify(network()).rows}
    assert rows["nest"].state == "not run" and "--one-spike" in rows["nest"].note
    verdict = rockpool.verify(network(), backends=["nest"], one_spike=True)
    assert verdict.rows[1].state == "equal"


def test_the_network_stays_where_it_is() -> None:
    net = network()
    net(np.ones((1, 5, 4)))
    before = rockpool.describe(net)
    rockpool.verify(net, backends=["numba"])
    assert rockpool.describe(net) == before


def one_layer(output: np.ndarray, vmem: np.ndarray, threshold: float = 1.0) -> list[Activity]:
    node = rockpool.describe(LIF(output.shape[-1], threshold=threshold))
    return [Activity("layer", node, output, record={"vmem": vmem})]


def two_runs(distance: float) -> Any:
    """Two runs, one of which spikes and the other stays a little below the threshold."""
    spikes, membrane = np.zeros((2, 5, 3)), np.full((2, 5, 3), 0.5)
    others, other_membrane = spikes.copy(), membrane.copy()
    spikes[1, 2, 0] = 1.0
    membrane[1, 2, 0] = 0.0  # after the reset: it was just at threshold
    other_membrane[1, 2, 0] = 1.0 - distance
    spikes[0, 4, 1] = 1.0  # later, and of no interest
    return one_layer(spikes, membrane), one_layer(others, other_membrane)


def test_the_first_difference_is_told_in_units_in_the_last_place() -> None:
    unit = float(np.spacing(np.float32(1.0)))
    found = compared(*two_runs(3 * unit), "float32")
    first = found.first
    assert (found.differing, found.neuron_steps) == (2, 30)
    assert first is not None
    assert (first.layer, first.batch, first.step, first.neuron) == ("layer", 1, 2, 0)
    assert (first.expected, first.got, first.threshold) == (1, 0, 1.0)
    assert first.ulp == (0.0, -3.0)
    assert first.rounding


def test_what_is_farther_from_the_threshold_than_rounding_is_a_fault() -> None:
    unit = float(np.spacing(np.float32(1.0)))
    first = compared(*two_runs(9 * unit), "float32").first
    assert first is not None and not first.rounding
    first = compared(*two_runs(3 * unit), "float64").first
    assert first is not None and not first.rounding


def test_two_equal_membranes_are_no_rounding() -> None:
    first = compared(*two_runs(0.0), "float32").first
    assert first is not None and first.ulp == (0.0, 0.0)
    assert not first.rounding


def readme_network(seed: int, **wrong: float) -> tuple[Any, np.ndarray]:
    """The first network of the README, and its input; with a parameter that is off by a part."""
    rng = np.random.default_rng(seed)
    weights = rng.uniform(-1, 1, (2, 100)) * np.sqrt(6 / 2)
    data = (rng.random((1, 500, 2)) < 0.05).astype(float)
    given = {"tau_mem": 10e-3, "tau_syn": 20e-3, "threshold": 1.0, "weight": 1.0, "bias": 1.0}
    given |= {name: given[name] * (1.0 + part) for name, part in wrong.items()}
    network = Sequential(
        Linear((2, 100), weight=weights * given.pop("weight")),
        LIF(100, **given | {"bias": 0.01 * given["bias"]}),
        Linear((100, 3), weight=rng.uniform(-1, 1, (100, 3)) * np.sqrt(6 / 100)),
        LIF(3),
    )
    return rockpool.describe(network), data


def difference(seed: int, **wrong: float) -> Any:
    """The first difference of numpy from numpy in single precision, where that has it wrong."""
    right, data = readme_network(seed)
    expected, _ = evolved(right, "numpy", data)
    got, _ = evolved(readme_network(seed, **wrong)[0], "numpy", data, "float32")
    got = [replace(b, node=a.node) for a, b in zip(expected, got, strict=True)]
    return compared(expected, got, "float32").first


SEEDS = range(20)


def test_rounding_that_gathers_over_time_is_rounding() -> None:
    firsts = [first for first in map(difference, SEEDS) if first is not None]
    gathered = [first for first in firsts if first.step_ulp is not None]
    assert len(gathered) >= 2
    assert max(abs(ulp) for first in gathered for ulp in first.ulp) > 30
    assert max(first.step_ulp for first in gathered) < 3
    assert max(first.input_ulp for first in gathered) < 3
    assert all(first.rounding for first in firsts)


@pytest.mark.parametrize(
    "wrong",
    [
        {"tau_mem": 1e-4},  # the decay in a step is off by 1e-5
        {"tau_mem": -1e-4},
        {"tau_syn": 2e-4},
        {"tau_syn": -2e-4},
        {"threshold": 1e-5},
        {"bias": 1e-3},
        {"weight": 1e-5},
    ],
    ids=str,
)
def test_a_small_fault_in_each_step_is_a_fault(wrong: dict[str, float]) -> None:
    firsts = [first for seed in range(6) if (first := difference(seed, **wrong)) is not None]
    first_layer = [first for first in firsts if first.layer == "1_LIF"]
    assert len(first_layer) >= 4
    assert not any(first.rounding for first in first_layer)


def recurrent_layer(seed: int, dtype: str, data: np.ndarray) -> list[Activity]:
    weights = np.random.default_rng(seed).normal(size=(20, 40)) / 5
    layer = LIF((40, 20), tau_mem=10e-3, has_rec=True, w_rec=weights, bias=0.01)
    return evolved(rockpool.describe(layer), "numpy", data, dtype)[0]


def test_recurrent_layers_with_several_synapses_are_judged_step_by_step() -> None:
    gathered = []
    for seed in range(5):
        data = np.random.default_rng(seed).normal(size=(2, 500, 40)) / 3
        expected = recurrent_layer(seed, "float64", data)
        got = recurrent_layer(seed, "float32", data)
        first = compared(expected, got, "float32").first
        assert first is not None and first.rounding
        gathered += [first.step_ulp] * (first.step_ulp is not None)

        # neuron n has the synapses 2 n and 2 n + 1, and not n and n + 20
        mixed = recurrent_layer(
            seed, "float32", data.reshape(2, 500, 2, 20).swapaxes(2, 3).reshape(data.shape)
        )
        mixed = [replace(layer, given=data) for layer in mixed]
        first = compared(expected, mixed, "float32").first
        assert first is not None and not first.rounding
    assert len(gathered) >= 2 and max(gathered) < 5


def test_the_table_says_where_rounding_has_gathered() -> None:
    node, data = readme_network(next(s for s in SEEDS if (f := difference(s)) and f.step_ulp))
    verdict = rockpool.verify(node, data, backends=["numba"], dtype="float32")
    row = verdict.rows[1]
    assert row.state == "rounding" and verdict.ok
    assert "rounding: gathered over time" in str(verdict)
    first = row.first
    assert first is not None and first.step_ulp is not None
    assert f"each time step alone is within {first.step_ulp:.2g} ulp" in str(verdict)
    assert json.loads(json.dumps(verdict.to_dict()))["rows"][1]["first"]["step_ulp"] < 3


def test_values_are_compared_up_to_the_first_difference() -> None:
    node = rockpool.describe(Rate(1))
    values = np.ones((1, 4, 1))
    spiking, quiet = np.zeros((1, 4, 1)), np.zeros((1, 4, 1))
    spiking[0, 2] = 1.0
    membranes = np.zeros((1, 4, 1))
    for step, agree in ((3, True), (1, False)):
        other = values.copy()
        other[0, step] = 2.0
        found = compared(
            [*one_layer(spiking, membranes), Activity("rate", node, values)],
            [*one_layer(quiet, membranes), Activity("rate", node, other)],
            "float64",
        )
        assert found.values_agree is agree
        assert found.value_layer == ("" if agree else "rate")


def test_a_fault_is_no_success() -> None:
    verdict = rockpool.verify(network(), backends=["numba"])
    bad = replace(verdict.rows[1], state="fault")
    assert not replace(verdict, rows=[verdict.rows[0], bad]).ok


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"data": np.ones((2, 5, 3))}, r"data must have the shape \(B, T, 4\).*got \(2, 5, 3\)"),
        ({"data": np.full((5, 4), np.nan)}, "data must be finite, got nan"),
        ({"data": np.full((5, 4), 1 + 5j)}, "must be an array of real numbers, got complex128"),
        ({"data": np.full((5, 4), "1")}, "must be an array of real numbers, got <U1"),
        ({"data": np.ones((2, 0, 4))}, r"at least one time step, got the shape \(2, 0, 4\)"),
        ({"backends": ["tensorflow"]}, "backends must be .*got 'tensorflow'"),
        ({"backends": "numba"}, "backends must be a list of names, got 'numba'"),
        ({"backends": ["sinabs-exodus"]}, "cannot hold this network|Missing"),
    ],
)
def test_wrong_arguments_are_named(arguments: Any, message: str) -> None:
    with pytest.raises((ValueError, TypeError, ModuleNotFoundError), match=message):
        rockpool.verify(network(), **arguments)


def test_noise_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match=r"1_LIF has noise_std = 0.5"):
        rockpool.verify(network(noise_std=0.5))


class Own(Module):
    """A container that knows how to be on numpy and numba."""

    def __init__(self, inner: Any) -> None:
        super().__init__(inner.shape)
        self.inner = inner

    def evolve(self, input_data: Any, record: bool = False) -> Any:
        return self.inner(input_data)[0], self.state(), {}

    def _convert(self, modules: dict[str, Any], backend: str) -> Any:
        return {"numpy": Own, "numba": Own}[backend](**modules)


def test_where_a_module_of_the_user_cannot_be_it_is_not_run(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", "rockpool.verification")
    verdict = rockpool.verify(Sequential(Own(LIF(2))), np.ones((1, 5, 2)))
    rows = {row.backend: row for row in verdict.rows}
    assert verdict.ok and rows["numba"].state == "equal"
    assert {row.state for row in verdict.rows[2:]} == {"not run"}
    assert rows["torch"].note == "KeyError of a _convert: 'torch'"
    assert "torch: a _convert failed" in caplog.text and "in _convert" in caplog.text
    with pytest.raises(KeyError, match="torch"):
        rockpool.verify(Sequential(Own(LIF(2))), backends=["torch"])


def test_jax_is_judged_by_the_precision_that_it_has() -> None:
    verdict = rockpool.verify(network(), backends=["jax"], dtype="float64")
    assert verdict.ok and verdict.rows[1].precision == "float32"


def test_what_numpy_cannot_hold_has_no_reference() -> None:
    with pytest.raises(ValueError, match=r"numpy, the reference, cannot hold.*no aLIF on 'numpy'"):
        rockpool.verify(Sequential(aLIFTorch(2)))


def test_a_network_of_torch_is_verified_as_well() -> None:
    assert rockpool.verify(Sequential(LIFTorch(3)), backends=["torch", "numba"]).ok


def test_a_network_for_time_series_is_verified_as_the_one_inside() -> None:
    verdict = rockpool.verify(TimedModuleWrapper(network()), backends=["numba", "torch"])
    assert verdict.ok and verdict.rows[1].neuron_steps == 2400


def test_with_numpy_alone_the_others_are_not_run(numpy_python: Any) -> None:
    said = numpy_python.python(
        "import rockpool\n"
        "from rockpool.nn.modules import LIF\n"
        "print([r.state for r in rockpool.verify(LIF(2)).rows])"
    )
    assert said == str(["reference"] + ["not run"] * 7)


class Gain(Module):
    """A layer whose conversion forgets what it multiplies by."""

    def __init__(self, gain: float = 1.0) -> None:
        super().__init__((4, 4))
        self.gain = gain

    def evolve(self, input_data: Any, record: bool = False) -> Any:
        data, _ = self._auto_batch(input_data)
        return self.gain * data, self.state(), {}

    def _convert(self, modules: dict[str, Any], backend: str) -> Any:
        return Gain()


def test_a_conversion_that_forgets_is_found() -> None:
    net = Sequential(Gain(2.0), LIF(4))
    data = np.random.default_rng(0).random((2, 20, 4))
    net(data)
    membranes = net[1].vmem.copy()
    verdict = rockpool.verify(net, data, backends=["numba"])
    states = {row.backend: row.state for row in verdict.rows}
    assert states == {"numpy": "reference", "numba": "equal", "as given": "fault"}
    assert not verdict.ok
    np.testing.assert_array_equal(net[1].vmem, membranes)
    assert rockpool.verify(Sequential(Gain(), LIF(4)), data, backends=["numba"]).ok


class Sum(Module):
    """Two modules side by side, which may be one and the same."""

    def __init__(self, left: Any, right: Any) -> None:
        super().__init__((left.size_in, left.size_out))
        self.left, self.right = left, right

    def evolve(self, input_data: Any, record: bool = False) -> Any:
        return self.left(input_data)[0] + self.right(input_data)[0], self.state(), {}

    def _convert(self, modules: dict[str, Any], backend: str) -> Any:
        return Sum(**modules)


def test_a_module_under_two_names_is_looked_at_once() -> None:
    layer = Linear((3, 4))
    net, data = Sequential(Sum(layer, layer), LIF(4, threshold=0.3)), np.ones((1, 5, 3))
    net.summary(data)
    assert rockpool.verify(net, data, backends=["numba"]).ok
    assert "evolve" not in vars(layer)


def test_a_network_that_its_own_back_end_refuses_is_verified_on_others() -> None:
    net = rockpool.convert(Sequential(Gain(), LIF(4)), "nest")
    data = np.full((1, 10, 4), 9.0)
    verdict = rockpool.verify(net, data)
    states = {row.backend: row.state for row in verdict.rows}
    assert states["numba"] == "equal" and states["nest"] == "not run"
    assert "as given" not in states


def test_nothing_compared_is_nothing_verified() -> None:
    nothing = rockpool.verify(network(), backends=[])
    assert nothing.ok and not nothing.compared and nothing.to_dict()["compared"] is False
    assert rockpool.verify(network(), backends=["numba"]).compared


class SumTorch(TorchModule):
    """The same in torch."""

    def __init__(self, left: Any, right: Any) -> None:
        super().__init__(shape=(left.size_in, left.size_out))
        self.left, self.right = left, right

    def forward(self, data: Any) -> Any:
        return self.left(data)[0] + self.right(data)[0]

    def _convert(self, modules: dict[str, Any], backend: str) -> Any:
        return {"torch": SumTorch}.get(backend, Sum)(**modules)


@pytest.mark.parametrize("as_it_is", [lambda net: net, lambda net: net.half()])
def test_a_network_of_torch_with_modules_of_ones_own(as_it_is: Any) -> None:
    net = as_it_is(SumTorch(LIFTorch(3), LIFTorch(3, tau_mem=5e-3)))
    data = np.random.default_rng(0).random((1, 20, 3))
    assert rockpool.verify(net, data, backends=["numba", "torch"]).ok


def test_a_network_in_the_mode_of_torch_with_modules_of_ones_own() -> None:
    net = SumTorch(LinearTorch((3, 3)), LinearTorch((3, 3))).to_torch()
    assert rockpool.verify(net, np.ones((1, 5, 3)), backends=["numba"]).ok
