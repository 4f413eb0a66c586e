"""What each torch module registers: names, kinds, families, shapes, types and defaults, in order."""

from __future__ import annotations

import inspect
import warnings
from typing import Any

import numpy as np
import pytest
import torch

import rockpool.nn.modules.torch as modules
from rockpool.nn.modules.torch import (
    BooleanState,
    ExpSynTorch,
    InstantTorch,
    LIFBitshiftTorch,
    LIFNeuronTorch,
    LIFTorch,
    LinearTorch,
    LowPass,
    RateTorch,
    TimeStepDropout,
    TorchModule,
    UnitDropout,
    UpDownTorch,
    aLIFTorch,
)
from rockpool.nn.modules.torch.lif_base_torch import LIFBaseTorch

P, S, C = "Parameter", "State", "SimulationParameter"


def deprecated_low_pass() -> LowPass:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return LowPass(3, 1e-3, 1e-2)


def lif_table(
    mem: str, syn: str, family: str, default: float, *, n_syn: int = 1, w_rec: Any, most: float
) -> list[tuple]:
    n_in = 2 * n_syn
    return [
        ("leak_mode", C, None, (), family),
        ("dt", C, None, (), 1e-3),
        ("_has_rec", C, None, (), w_rec == P),
        ("w_rec", w_rec, "weights" if w_rec == P else None, (2, n_in), None if w_rec == P else 0.0),
        ("noise_std", C, None, (), 0.0),
        (mem, P, family, (2,), default),
        (syn, P, family, (2, n_syn), default),
        ("bias", P, "bias", (2,), 0.0),
        ("threshold", P, "thresholds", (2,), 1.0),
        ("learning_window", C, None, (), 0.5),
        ("vmem", S, None, (2,), 0.0),
        ("isyn", S, None, (2, n_syn), 0.0),
        ("spikes", S, None, (2,), 0.0),
        ("spike_generation_fn", C, None, (), None),
        ("max_spikes_per_dt", C, None, (), most),
    ]


TAUS = ("tau_mem", "tau_syn", "taus", 0.02)
# name -> (constructor, shape, spiking input, spiking output, attributes)
TABLES: dict[str, tuple[Any, tuple, bool, bool, list[tuple]]] = {
    "LIFTorch recurrent": (
        lambda: LIFTorch((4, 2), has_rec=True),
        (4, 2),
        True,
        True,
        lif_table(*TAUS, n_syn=2, w_rec=P, most=65536.0),
    ),
    "LIFTorch": (lambda: LIFTorch(2), (2, 2), True, True, lif_table(*TAUS, w_rec=C, most=65536.0)),
    "LIFTorch decays": (
        lambda: LIFTorch(2, leak_mode="decays"),
        (2, 2),
        True,
        True,
        lif_table("alpha", "beta", "decays", 0.5, w_rec=C, most=65536.0),
    ),
    "LIFTorch bitshifts": (
        lambda: LIFTorch(2, leak_mode="bitshifts"),
        (2, 2),
        True,
        True,
        lif_table("dash_mem", "dash_syn", "bitshifts", 1.0, w_rec=C, most=65536.0),
    ),
    "LIFBitshiftTorch": (
        lambda: LIFBitshiftTorch(2),
        (2, 2),
        True,
        True,
        lif_table("tau_mem", "tau_syn", "taus", 0.015494622, w_rec=C, most=31.0),
    ),
    "aLIFTorch": (
        lambda: aLIFTorch((4, 2)),
        (4, 2),
        True,
        True,
        [
            *lif_table(*TAUS, n_syn=2, w_rec=C, most=65536.0),
            ("w_ahp", P, "weights", (2,), -0.9),
            ("tau_ahp", P, "taus", (2,), 0.02),
            ("iahp", S, None, (2,), 0.0),
        ],
    ),
    "LIFNeuronTorch": (
        lambda: LIFNeuronTorch(3),
        (3,),
        False,
        True,
        [
            ("n_neurons", C, None, (), 3),
            ("noise_std", C, None, (), 0.0),
            ("tau_mem", P, "taus", (3,), 0.02),
            ("threshold", P, "thresholds", (3,), 1.0),
            ("bias", P, "bias", (), 0.0),
            ("dt", C, None, (), 1e-3),
            ("vmem", S, None, (3,), 0.0),
            ("spike_generation_fn", C, None, (), None),
            ("max_spikes_per_dt", C, None, (), 65536.0),
            ("learning_window", C, None, (), 0.5),
        ],
    ),
    "RateTorch": (
        lambda: RateTorch(3, has_rec=True),
        (3,),
        False,
        False,
        [
            ("dt", C, None, (), 1e-3),
            ("w_rec", P, "weights", (3, 3), None),
            ("noise_std", C, None, (), 0.0),
            ("tau", P, "taus", (3,), 0.02),
            ("bias", P, "biases", (3,), 0.0),
            ("threshold", P, "thresholds", (3,), 0.0),
            ("act_fn", C, None, (), None),
            ("x", S, None, (3,), 0.0),
        ],
    ),
    "LinearTorch with bias": (
        lambda: LinearTorch((3, 2), has_bias=True),
        (3, 2),
        False,
        False,
        [("weight", P, "weights", (3, 2), None), ("bias", P, "biases", (2,), None)],
    ),
    "LinearTorch": (
        lambda: LinearTorch((3, 2)),
        (3, 2),
        False,
        False,
        [("weight", P, "weights", (3, 2), None)],
    ),
    "ExpSynTorch": (
        lambda: ExpSynTorch(3),
        (3,),
        True,
        False,
        [
            ("tau", P, "taus", (3,), 0.01),
            ("noise_std", C, None, (), 0.0),
            ("isyn", S, None, (3,), 0.0),
            ("dt", C, None, (), 1e-3),
        ],
    ),
    "InstantTorch": (
        lambda: InstantTorch(3),
        (3,),
        False,
        False,
        [("function", C, None, (), None)],
    ),
    "BooleanState": (
        lambda: BooleanState(3),
        (3,),
        False,
        False,
        [("threshold", C, None, (), 1e-10), ("bool_state", S, None, (3,), False)],
    ),
    "UpDownTorch": (
        lambda: UpDownTorch(3),
        (3, 6),
        False,
        True,
        [
            ("repeat_output", C, None, (), 1),
            ("n_ref_steps", C, None, (), 0),
            ("thr_up", P, "thresholds", (1, 3), 1e-3),
            ("thr_down", P, "thresholds", (1, 3), 1e-3),
        ],
    ),
    "UnitDropout": (
        lambda: UnitDropout(3),
        (3,),
        False,
        False,
        [("p", C, None, (), 0.5), ("training", C, None, (), True)],
    ),
    "TimeStepDropout": (
        lambda: TimeStepDropout(3),
        (3,),
        False,
        False,
        [("p", C, None, (), 0.5), ("training", C, None, (), True)],
    ),
    "LowPass": (
        deprecated_low_pass,
        (None,),
        False,
        False,
        [("vmem", S, None, (1, 3), 0.0), ("alpha_mem", S, None, (1,), 0.9048374)],
    ),
}


@pytest.mark.parametrize("name", TABLES)
def test_what_is_registered(name: str) -> None:
    make, shape, spiking_input, spiking_output, expected = TABLES[name]
    module = make()
    assert (module.shape, module.spiking_input, module.spiking_output) == (
        shape,
        spiking_input,
        spiking_output,
    )
    attributes, submodules = module._get_attribute_registry()
    assert submodules == {}
    assert list(attributes) == [row[0] for row in expected]
    for attribute, kind, family, attribute_shape, default in expected:
        value, *rest = attributes[attribute]
        assert [rest[0], rest[1], rest[3]] == [kind, family, attribute_shape], attribute
        assert np.shape(value) == attribute_shape
        if default is None:
            continue
        if isinstance(value, torch.Tensor):
            np.testing.assert_allclose(value.detach(), default, rtol=1e-6, err_msg=attribute)
        else:
            assert (value, type(value)) == (default, type(default))


@pytest.mark.parametrize("name", TABLES)
def test_where_torch_keeps_it(name: str) -> None:
    module = TABLES[name][0]()
    parameters = [row[0] for row in TABLES[name][4] if row[1] == P]
    states = [row[0] for row in TABLES[name][4] if row[1] == S]
    assert [key for key, _ in module.named_parameters()] == parameters
    assert list(module.state_dict()) == parameters + states
    for key, value in module.named_parameters():
        assert value.dtype == torch.float32 and value.requires_grad, key


@pytest.mark.parametrize("name", TABLES)
def test_the_module_is_both(name: str) -> None:
    module = TABLES[name][0]()
    assert isinstance(module, TorchModule) and isinstance(module, torch.nn.Module)


def test_families_are_found_by_both_spellings() -> None:
    layer = LIFTorch(2)
    assert layer.parameters("threshold").keys() == layer.parameters("thresholds").keys()
    assert list(layer.parameters("thresholds")) == ["threshold"]
    assert list(RateTorch(2).parameters("bias")) == ["bias"]


def test_alternative_shapes() -> None:
    layer = LIFTorch((4, 2), tau_mem=0.01, tau_syn=[0.01, 0.02], bias=0.1, threshold=2.0)
    assert {name: tuple(value.shape) for name, value in layer.parameters().items()} == {
        "tau_mem": (),
        "tau_syn": (1, 2),
        "bias": (),
        "threshold": (),
    }
    assert LIFTorch((4, 2), tau_syn=[0.01] * 4).tau_syn.shape == (2, 2)
    assert aLIFTorch(2, tau_ahp=[0.01], w_ahp=-0.5).tau_ahp.shape == (1,)


MODULES = [
    name
    for name in modules.__all__
    if inspect.isclass(kind := getattr(modules, name)) and issubclass(kind, torch.nn.Module)
]


@pytest.mark.parametrize("name", MODULES)
def test_signatures_are_those_of_the_constructors(name: str) -> None:
    kind = getattr(modules, name)
    expected = list(inspect.signature(kind.__init__).parameters)[1:]
    assert list(inspect.signature(kind).parameters) == expected
    assert kind is TorchModule or expected[0] in ("shape", "shape_in", "n_neurons")


def test_arguments_of_lif_layers_come_in_the_same_order() -> None:
    base = list(inspect.signature(LIFBaseTorch).parameters)
    for kind in (LIFTorch, LIFBitshiftTorch):
        assert list(inspect.signature(kind).parameters) == base
    assert list(inspect.signature(aLIFTorch).parameters) == [
        *("shape", "tau_ahp", "w_ahp", "w_ahp_init_func"),
        *base[1:],
    ]
