"""Every file that a package wrote does here what its network did, or says what it does not hold."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pytest
from support import nir_cases

from rockpool.nir import NirWarning, from_nir
from rockpool.parameters import to_numpy

BACKENDS = ("numpy", "numba", "torch", "jax")
# One of each kind on the back-ends that take longer to start
FEW = (
    "snntorch_leaky snntorch_rsynaptic snntorch_leaky_conv snntorch_synaptic_nodelay_strong snntorch_leaky_beta1 spikingjelly_lif_branches norse_lif norse_iaf sinabs_lif "
    "sinabs_iaf_many sinabs_expleak spikingjelly_cubalif spyx_rlif spyx_rcubalif spyx_lif_conv "
    "spyx_psu_lif spyx_lif_pool_same sinabs_iaf_conv_groups spikingjelly_lif_conv1d_same rockpool_lif rockpool_lifneuron"
).split()

# What files do not hold, and how it is said
_TO_ZERO = {"reset": "value"}
_AT_ONCE = {"reset_delay": False}
_TO_ZERO_AT_ONCE = {**_TO_ZERO, **_AT_ONCE}
_NO_RESET = {"reset": "none"}
_NO_NORM = {"gain": "unit"}
_TO_HALF = {"v_reset": -0.5}
TOLD: dict[str, dict[str, Any]] = {
    **dict.fromkeys(
        "snntorch_leaky_zero snntorch_leaky_conv_zero snntorch_synaptic_zero snntorch_rleaky_zero "
        "snntorch_leaky_zero_nodelay snntorch_rsynaptic_zero".split(),
        _TO_ZERO,
    ),
    **dict.fromkeys(
        "snntorch_synaptic_zero_nodelay snntorch_rleaky_zero_nodelay".split(),
        _TO_ZERO_AT_ONCE,
    ),
    **dict.fromkeys(
        "snntorch_leaky_none snntorch_synaptic_none snntorch_rleaky_none".split(), _NO_RESET
    ),
    **dict.fromkeys(
        "snntorch_leaky_nodelay snntorch_leaky_nodelay_strong snntorch_synaptic_nodelay "
        "snntorch_synaptic_nodelay_strong snntorch_rleaky_nodelay".split(),
        _AT_ONCE,
    ),
    **dict.fromkeys("norse_lifbox_vreset norse_lif_vreset norse_iaf_vreset".split(), _TO_HALF),
    **dict.fromkeys(
        "sinabs_lif_nonorm sinabs_lif_nonorm_bias sinabs_lif_nonorm_tau3 sinabs_lif_hetero "
        "sinabs_lif_deep sinabs_lif_readout sinabs_lif_tau1 sinabs_lif_tau300 sinabs_lif_threshold "
        "sinabs_lif_squeezed".split(),
        _NO_NORM,
    ),
    "sinabs_expleak_norm": {"gain": "r"},
    "sinabs_lif_single": {"gain": "unit", "max_spikes_per_dt": 1},
    "sinabs_lif_reset": {"gain": "unit", "reset": "value"},
    "sinabs_lif_reset_norm": {"reset": "value"},
    "sinabs_iaf_reset": {"reset": "value"},
    "sinabs_iaf_single": {"max_spikes_per_dt": 1},
    "rockpool_lif_1spike": {"max_spikes_per_dt": 1},
}
# What no setting can say, by a word of the warning
NOT_HELD = {
    "rockpool_lif_bias": "bias",
    "rockpool_lif_rec": "recurrent weights",
    "sinabs_lif_tausyn": "tau_syn",
    "sinabs_lif_minv": "min_v_mem",
    "sinabs_iaf_minv": "min_v_mem",
    "sinabs_lif_subtract_value": "reset_fn",
    "snntorch_leaky_graded": "graded_spikes_factor",
    "spyx_lif_left_out": "there is no 'layer_2'",
    "spyx_lif_readout": "a readout behind 'layer_2'",
    "rockpool_lifneuron_bias": "bias",
}
EXPORTED = [
    *(("export", name) for name in nir_cases.names("export") if name not in NOT_HELD),
    *(("first", name) for name in nir_cases.names("first") if name not in NOT_HELD),
]


def _opened(path: Any, backend: str, **told: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NirWarning)
        return from_nir(path, backend, **told)


def _output(network: Any, x: np.ndarray, backend: str) -> np.ndarray:
    data: Any = x[None]
    if backend == "torch":
        import torch

        data = torch.from_numpy(data)
    output, _, _ = network(data)
    return to_numpy(output)[0]


def _assert_same(output: np.ndarray, expected: np.ndarray) -> None:
    output = output.reshape(expected.shape)
    if (expected == expected.round()).all():
        np.testing.assert_array_equal(output, expected)
    else:
        np.testing.assert_allclose(output, expected, rtol=1e-4, atol=1e-5)


def _told(name: str, case: dict[str, np.ndarray]) -> dict[str, Any]:
    told = dict(TOLD.get(name, {}))
    return told | ({"dt": float(case["dt"])} if "dt" in case else {})


@pytest.mark.parametrize(("part", "name"), EXPORTED)
def test_a_file_does_what_its_network_did(part: str, name: str) -> None:
    path, case = nir_cases.case(part, name)

    network = _opened(path, "numpy", **_told(name, case))

    _assert_same(_output(network, case["x"].astype(np.float64), "numpy"), case["y"])
    assert network.nir_source.dialect == name.partition("_")[0]


@pytest.mark.parametrize("name", FEW)
@pytest.mark.parametrize("backend", BACKENDS[1:])
def test_it_does_so_on_every_back_end(backend: str, name: str) -> None:
    path, case = nir_cases.case("export", name)

    network = _opened(path, backend, **_told(name, case))

    _assert_same(_output(network, case["x"], backend), case["y"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("part", "name"), [case for case in EXPORTED if case not in {("export", few) for few in FEW}]
)
@pytest.mark.parametrize("backend", BACKENDS[1:])
def test_all_others_do_so_on_every_back_end(backend: str, part: str, name: str) -> None:
    path, case = nir_cases.case(part, name)

    network = _opened(path, backend, **_told(name, case))

    _assert_same(_output(network, case["x"], backend), case["y"])


@pytest.mark.parametrize("name", [*TOLD, *NOT_HELD])
def test_what_a_file_does_not_hold_is_warned_of_by_name(name: str) -> None:
    path, case = nir_cases.case("export", name)
    setting = next(iter(TOLD.get(name, {})), "")
    word = {
        "reset": "reset_mechanism|reset_fn",
        "gain": "norm_input",
        "max_spikes_per_dt": "spike_fn|max_spikes",
    }
    expected = NOT_HELD.get(name) or word.get(setting, setting)

    with pytest.warns(NirWarning, match=expected) as caught:
        from_nir(path, dt=float(case["dt"]) if "dt" in case else None)

    assert len(caught) == 1


@pytest.mark.parametrize("name", ["spikingjelly_kinds_dt1e-3", "spyx_rlif", "spyx_cubalif"])
def test_a_file_that_holds_all_is_opened_without_a_warning(name: str) -> None:
    path, case = nir_cases.case("export", name)
    network = from_nir(path)
    assert network.nir_source.warnings == ()
    _assert_same(_output(network, case["x"].astype(np.float64), "numpy"), case["y"])


@pytest.mark.parametrize("setting", ["reset", "reset_delay"])
def test_what_has_been_said_is_not_warned_of(setting: str) -> None:
    path, _ = nir_cases.case("export", "snntorch_leaky")
    with pytest.warns(NirWarning) as caught:
        from_nir(path, **{setting: {"reset": "subtract", "reset_delay": True}[setting]})
    assert f"{setting}=..." not in str(caught[0].message)


# Files of which the numbers tell the time step
TELLING = [
    name
    for part, name in EXPORTED
    if part == "export"
    and name.startswith(("spyx", "rockpool", "spikingjelly", "snntorch"))
    and "decay_input" not in name.replace("no_decay_input", "")
    and not any(
        word in name
        for word in "_if_dt lif_bias plif multistep deep tau20 lif_conv lif_vreset psu lif_named "
        "lif_inner residual branches lif_pool lif_rows rif_dt leaky_beta1".split()
    )
]


@pytest.mark.parametrize("name", TELLING)
def test_the_time_step_is_found_in_the_numbers(name: str) -> None:
    path, case = nir_cases.case("export", name)
    expected = float(case["dt"]) if "dt" in case else 1e-4
    assert math.isclose(_opened(path, "numpy").nir_source.dt, expected, rel_tol=1e-9)


@pytest.mark.parametrize("name", ["spikingjelly_plif", "norse_lif", "norse_lifbox_conv"])
def test_a_time_step_that_no_number_tells_is_warned_of(name: str) -> None:
    path, _ = nir_cases.case("export", name)
    with pytest.warns(NirWarning, match=r"does not hold dt \(taken: "):
        from_nir(path)


def test_a_time_step_against_the_numbers_is_warned_of() -> None:
    path, _ = nir_cases.case("export", "spyx_cubalif")
    with pytest.warns(NirWarning, match=r"dt = 0.5 was asked for; by tau \(1 - r\) it is 1"):
        from_nir(path, dt=0.5)


# -- NIR's own equations ---------------------------------------------------------------------------


def _readings() -> list[tuple[str, str]]:
    found = []
    for name in nir_cases.names("import"):
        with np.load(nir_cases.folder() / "import" / f"{name}.expected.npz") as arrays:
            found += [(name, key) for key in arrays.files if key != "dt"]
    return found


@pytest.mark.parametrize(("name", "reading"), _readings())
def test_the_equations_of_nir_are_read_in_every_way(name: str, reading: str) -> None:
    root = nir_cases.folder() / "import"
    with np.load(root / f"{name}.expected.npz") as arrays:
        expected, dt = arrays[reading], float(arrays["dt"])
    given = "input_conv_1x6x6x200" if "conv" in name else "input_8x200"
    with np.load(root / f"{given}.npz") as arrays:
        x = arrays["x"].astype(np.float64)
    settings = {"decay": reading.partition("_")[0]}
    if not reading.endswith("_v"):
        settings["reset"] = "value" if reading.endswith("reset_to") else "subtract"
    if "_old" in reading:
        settings["synapse"] = "old"

    network = from_nir(root / f"{name}.nir", dt=dt, **settings)

    assert network.nir_source.dialect == "nir"
    output = _output(network, x, "numpy").reshape(expected.shape)
    if reading.endswith("_v"):
        np.testing.assert_allclose(output, expected, rtol=1e-9, atol=1e-12)
    else:
        np.testing.assert_array_equal(output, expected)
