"""Bad arguments, bad input and bad values: one clear error each, and nothing changed."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
import torch

from rockpool.nn.modules.torch import (
    BooleanState,
    ExpSynTorch,
    InstantTorch,
    LIFBitshiftTorch,
    LIFNeuronTorch,
    LIFTorch,
    LinearTorch,
    RateTorch,
    TimeStepDropout,
    UnitDropout,
    UpDownTorch,
    aLIFTorch,
)

ARGUMENTS: list[tuple[Any, tuple, dict[str, Any], type[Exception], str]] = [
    (LIFTorch, ((4, 2, 2),), {}, ValueError, "shape must be N or (Nin, Nout), got (4, 2, 2)"),
    (LIFTorch, ((3, 2),), {}, ValueError, "Nin must be a multiple of Nout"),
    (LIFTorch, (0,), {}, ValueError, "each entry of shape must be >= 1, got 0"),
    (LIFTorch, ("ab",), {}, TypeError, "shape must be an int or a tuple of ints, got 'ab'"),
    (LIFTorch, (2,), {"tau_mem": -0.02}, ValueError, "tau_mem must be > 0 s, got -0.02"),
    (LIFTorch, (2,), {"tau_syn": 0.0}, ValueError, "tau_syn must be > 0 s, got 0"),
    (
        LIFTorch,
        (2,),
        {"tau_mem": torch.tensor([0.1, float("nan")])},
        ValueError,
        "tau_mem must be > 0 s, got nan (in an array of shape (2,))",
    ),
    (LIFTorch, (2,), {"tau_mem": [0.1] * 3}, ValueError, "tau_mem must have shape (2,) or ()"),
    (LIFTorch, (2,), {"tau_mem": "long"}, TypeError, "tau_mem must be a number or an array"),
    (LIFTorch, (2,), {"threshold": 0}, ValueError, "threshold must be > 0, got 0"),
    (LIFTorch, (2,), {"bias": np.inf}, ValueError, "bias must be finite, got inf"),
    (LIFTorch, (2,), {"w_rec": torch.ones(2, 2)}, ValueError, "w_rec was given, but has_rec is"),
    (
        LIFTorch,
        (2,),
        {"w_rec": torch.ones(3, 2), "has_rec": True},
        ValueError,
        "w_rec must have shape (2, 2), got (3, 2)",
    ),
    (LIFTorch, (2,), {"noise_std": -1}, ValueError, "noise_std must be >= 0, got -1"),
    (LIFTorch, (2,), {"dt": 0.0}, ValueError, "dt must be > 0 s, got 0"),
    (LIFTorch, (2,), {"dt": None}, TypeError, "dt must be a number of seconds > 0, got None"),
    (LIFTorch, (2,), {"max_spikes_per_dt": 0}, ValueError, "max_spikes_per_dt must be a whole"),
    (LIFTorch, (2,), {"learning_window": 0}, ValueError, "learning_window must be > 0, got 0"),
    (LIFTorch, (2,), {"spike_generation_fn": 3}, TypeError, "spike_generation_fn must be"),
    (
        LIFTorch,
        (2,),
        {"leak_mode": "tau"},
        ValueError,
        "leak_mode must be 'taus', 'decays' or 'bitshifts', got 'tau'",
    ),
    (
        LIFTorch,
        (2,),
        {"alpha": 0.5},
        ValueError,
        "alpha was given, but with leak_mode='taus' the leaks are tau_mem and tau_syn",
    ),
    (LIFTorch, (2,), {"dash_syn": 0}, ValueError, "dash_syn was given, but with leak_mode='taus'"),
    (
        LIFTorch,
        (2,),
        {"leak_mode": "decays", "tau_mem": torch.ones(2)},
        ValueError,
        "tau_mem was given, but with leak_mode='decays' the leaks are alpha and beta",
    ),
    (
        LIFTorch,
        (2,),
        {"leak_mode": "decays", "alpha": 1.5},
        ValueError,
        "alpha must be within [0, 1], got 1.5",
    ),
    (
        LIFTorch,
        (2,),
        {"leak_mode": "bitshifts", "dash_mem": -1},
        ValueError,
        "dash_mem must be >= 0, got -1",
    ),
    (
        LIFTorch,
        (2,),
        {"leak_mode": "decays", "beta": [0.5] * 3},
        ValueError,
        "beta must have shape (2, 1), (1, 1) or (), got (3,)",
    ),
    (LIFBitshiftTorch, (2,), {"leak_mode": "decays"}, ValueError, "leak_mode must be 'taus'"),
    (
        LIFBitshiftTorch,
        (2,),
        {"tau_mem": 1.4e-3},
        ValueError,
        "tau_mem must be above sqrt(2) dt = 0.00141421 s, to leave a bit-shift of at least 1, "
        "got 0.0014",
    ),
    (aLIFTorch, (2,), {"tau_ahp": -1}, ValueError, "tau_ahp must be > 0 s, got -1"),
    (aLIFTorch, (2,), {"w_ahp": np.nan}, ValueError, "w_ahp must be finite, got nan"),
    (aLIFTorch, (2,), {"w_ahp": [1, 2, 3]}, ValueError, "w_ahp must have shape (2,) or ()"),
    (LIFNeuronTorch, (), {}, ValueError, "shape must be given: the number of neurons"),
    (LIFNeuronTorch, ((2, 2),), {}, ValueError, "shape must be N or (N,), got (2, 2)"),
    (LIFNeuronTorch, (2,), {"tau_mem": -1}, ValueError, "tau_mem must be > 0 s, got -1"),
    (ExpSynTorch, ((2, 2),), {}, ValueError, "shape must be N or (N,), got (2, 2)"),
    (ExpSynTorch, (2,), {"tau": -1}, ValueError, "tau must be > 0 s, got -1"),
    (RateTorch, ((3, 2),), {}, ValueError, "shape must be N or (N, N), as many inputs as outputs"),
    (RateTorch, (2,), {"tau": 0}, ValueError, "tau must be > 0 s, got 0"),
    (RateTorch, (2,), {"w_rec": torch.ones(2, 2)}, ValueError, "w_rec was given, but has_rec is"),
    (RateTorch, (2,), {"activation_func": 3}, ValueError, "activation_func must be callable"),
    (RateTorch, (2,), {"activation_func": "x"}, ValueError, "activation_func must be callable"),
    (LinearTorch, (2,), {}, ValueError, "shape must be (Nin, Nout), got 2"),
    (LinearTorch, ((2, 3, 4),), {}, ValueError, "shape must be (Nin, Nout), got (2, 3, 4)"),
    (
        LinearTorch,
        ((2, 3),),
        {"weight": torch.ones(3, 3)},
        ValueError,
        "weight must have shape (2, 3), got (3, 3)",
    ),
    (LinearTorch, ((2, 3),), {"bias": np.nan}, ValueError, "bias must be finite, got nan"),
    (InstantTorch, (), {}, ValueError, "shape must be given"),
    (InstantTorch, (2, 3), {}, ValueError, "function must be callable, got 3"),
    (BooleanState, ((2, 3),), {}, ValueError, "as many outputs as inputs are needed, got (2, 3)"),
    (BooleanState, (2, 0.5), {}, TypeError, "threshold must be a torch tensor, got 0.5"),
    (BooleanState, (2, torch.tensor(-1.0)), {}, ValueError, "threshold must be >= 0, got -1"),
    (UpDownTorch, (), {}, ValueError, "shape must be given"),
    (UpDownTorch, ((2, 4),), {}, ValueError, "shape must be N or (N,), got (2, 4)"),
    (UpDownTorch, (2,), {"thr_up": 0}, ValueError, "thr_up must be > 0, got 0"),
    (UpDownTorch, (2,), {"thr_down": [1, 2, 3]}, ValueError, "thr_down must have shape (1, 2)"),
    (
        UpDownTorch,
        (2,),
        {"n_ref_steps": -1},
        ValueError,
        "n_ref_steps must be a whole number >= 0, got",
    ),
    (
        UpDownTorch,
        (2,),
        {"n_ref_steps": 1.5},
        ValueError,
        "n_ref_steps must be a whole number >= 0, got",
    ),
    (UpDownTorch, (2,), {"spiking_input": True}, TypeError, "spiking_input is always False, and"),
    (LIFTorch, (2,), {"spiking_output": True}, TypeError, "spiking_output is always True, and"),
    (UpDownTorch, (2,), {"repeat_output": 0}, ValueError, "repeat_output must be a whole number"),
    (UnitDropout, (2,), {"p": 1.0}, ValueError, "p must be within [0, 1), got 1"),
    (UnitDropout, (2,), {"p": -0.1}, ValueError, "p must be within [0, 1), got -0.1"),
    (TimeStepDropout, (2,), {"p": 1.1}, ValueError, "p must be within [0, 1], got 1.1"),
    (TimeStepDropout, ((2, 3),), {}, ValueError, "as many outputs as inputs are needed"),
]


@pytest.mark.parametrize(
    ("kind", "args", "kwargs", "error", "message"),
    ARGUMENTS,
    ids=[f"{row[0].__name__} {row[4][:40]}" for row in ARGUMENTS],
)
def test_arguments(
    kind: Any, args: tuple, kwargs: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=re.escape(f"{kind.__name__}: {message}")):
        kind(*args, **kwargs)


def recurrent_lif() -> LIFTorch:
    return LIFTorch((4, 2), has_rec=True)


DYNAMICAL: dict[str, Any] = {
    "LIFTorch": recurrent_lif,
    "LIFBitshiftTorch": lambda: LIFBitshiftTorch(2),
    "aLIFTorch": lambda: aLIFTorch(2),
    "LIFNeuronTorch": lambda: LIFNeuronTorch(2),
    "ExpSynTorch": lambda: ExpSynTorch(2),
    "RateTorch": lambda: RateTorch(2),
    "LinearTorch": lambda: LinearTorch((2, 3)),
    "BooleanState": lambda: BooleanState(2),
    "UpDownTorch": lambda: UpDownTorch(2),
    "UnitDropout": lambda: UnitDropout(2),
}


def bad_inputs(n: int) -> dict[str, tuple[Any, type[Exception], str]]:
    x = torch.rand(1, 5, n)
    return {
        "channels": (torch.rand(1, 5, n + 1), ValueError, "the input must have"),
        "rank": (x[None], ValueError, "the input must have"),
        "scalar": (torch.tensor(1.0), ValueError, "the input must have"),
        "ints": (x.int(), TypeError, "numbers, got torch.int32; convert it with .float()"),
        "bools": (x > 0, TypeError, "numbers, got torch.bool; convert it with .float()"),
        "complex": (x.to(torch.complex64), TypeError, "numbers, got torch.complex64"),
        "numpy": (x.numpy(), TypeError, "got numpy.ndarray; convert it with torch.as_tensor"),
        "list": (x.tolist(), TypeError, "got list; convert it with torch.as_tensor"),
        "nothing": (None, TypeError, "got NoneType; convert it with torch.as_tensor"),
        "device": (x.to("meta"), ValueError, "is on the device meta, the module on cpu"),
    }


@pytest.mark.parametrize(
    ("name", "what"),
    # a module without tensors is on no device
    [(n, w) for n in DYNAMICAL for w in bad_inputs(1) if (n, w) != ("UnitDropout", "device")],
)
def test_input(name: str, what: str) -> None:
    module = DYNAMICAL[name]()
    module(torch.rand(1, 5, module.size_in))
    before = {key: value.clone() for key, value in module.state().items()}
    x, error, message = bad_inputs(module.size_in)[what]
    with pytest.raises(error, match=re.escape(message)) as caught:
        module(x)
    assert str(caught.value).startswith(f"{type(module).__name__}: ")
    assert all(torch.equal(before[key], value) for key, value in module.state().items())


# module -> parameter -> a value that training might leave there -> what is said about it
VALUES = [
    ("LIFTorch", "tau_mem", float("nan"), "tau_mem must be > 0 s, got nan"),
    ("LIFTorch", "tau_syn", float("nan"), "tau_syn must be > 0 s, got nan"),
    ("LIFTorch", "bias", float("nan"), "bias must be finite, got nan"),
    ("LIFTorch", "threshold", float("nan"), "threshold must be > 0, got nan"),
    ("LIFTorch", "threshold", -float("inf"), "threshold must be > 0, got -inf"),
    ("LIFTorch", "w_rec", float("inf"), "w_rec must be finite, got inf"),
    ("LIFBitshiftTorch", "tau_syn", float("nan"), "tau_syn must be > 0 s, got nan"),
    ("aLIFTorch", "tau_ahp", float("nan"), "tau_ahp must be > 0 s, got nan"),
    ("aLIFTorch", "w_ahp", float("nan"), "w_ahp must be finite, got nan"),
    ("LIFNeuronTorch", "tau_mem", float("nan"), "tau_mem must be > 0 s, got nan"),
    ("LIFNeuronTorch", "bias", float("nan"), "bias must be finite, got nan"),
    ("ExpSynTorch", "tau", float("nan"), "tau must be > 0 s, got nan"),
    ("RateTorch", "tau", float("nan"), "tau must be > 0 s, got nan"),
    ("RateTorch", "threshold", float("nan"), "threshold must be finite, got nan"),
    ("LinearTorch", "weight", float("nan"), "weight must be finite, got nan"),
    ("UpDownTorch", "thr_down", float("nan"), "thr_down must be > 0, got nan"),
]


@pytest.mark.parametrize(("name", "parameter", "value", "message"), VALUES)
def test_values_of_parameters(name: str, parameter: str, value: float, message: str) -> None:
    module = DYNAMICAL[name]()
    module(torch.rand(1, 5, module.size_in))
    before = {key: state.clone() for key, state in module.state().items()}
    with torch.no_grad():
        getattr(module, parameter).view(-1)[-1] = value
    with pytest.raises(ValueError, match=re.escape(f"{name}: {message}")) as caught:
        module(torch.rand(1, 5, module.size_in))
    assert any("training" in note for note in caught.value.__notes__)
    assert all(torch.equal(before[key], state) for key, state in module.state().items())


@pytest.mark.parametrize("name", ["weight", "bias"])
def test_weights_that_are_no_numbers_are_found_behind_others_that_are(name: str) -> None:
    module = LinearTorch((2, 3), has_bias=True)
    module(torch.rand(1, 5, 2))
    getattr(module, name).data.view(-1)[1] = torch.inf
    with pytest.raises(ValueError, match=f"LinearTorch: {name} must be finite, got inf"):
        module(torch.rand(1, 5, 2))


def test_the_module_is_named_within_a_network() -> None:
    from rockpool.nn.combinators import Sequential

    net = Sequential(LinearTorch((2, 3)), LIFTorch(3))
    net[1].tau_mem.data.fill_(torch.nan)
    with pytest.raises(ValueError, match="LIFTorch '1_LIFTorch': tau_mem must be > 0 s, got nan"):
        net(torch.rand(1, 3, 2))
