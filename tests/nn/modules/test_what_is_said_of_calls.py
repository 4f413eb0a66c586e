"""What a user is told: input that is no number, a state of another batch, milliseconds."""

from __future__ import annotations

import re
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

from rockpool.nn.combinators import Sequential
from rockpool.nn.kernels.switch import use_kernels
from rockpool.nn.models.finite_input import check_input
from rockpool.nn.modules import (
    LIF,
    BooleanState,
    Conv1d,
    Conv1dJax,
    Conv1dTorch,
    Conv2d,
    Conv2dJax,
    Conv2dTorch,
    CubaLIFEulerTorch,
    ExpSyn,
    ExpSynJax,
    ExpSynNest,
    ExpSynNumba,
    ExpSynTorch,
    IFEuler,
    IFEulerJax,
    LIEulerJax,
    LIFEulerJax,
    LIFEulerNumba,
    LIFJax,
    LIFNeuronTorch,
    LIFNumba,
    LIFSinabs,
    LIFTorch,
    Linear,
    LinearJax,
    LinearTorch,
    LowPass,
    Rate,
    RateJax,
    RateNumba,
    RateTorch,
    TorchModule,
    UpDownTorch,
    aLIFTorch,
)

N = 3
LAYERS = [
    LIF,
    ExpSyn,
    Rate,
    LIFNumba,
    ExpSynNumba,
    RateNumba,
    LIFTorch,
    aLIFTorch,
    LIFNeuronTorch,
    ExpSynTorch,
    RateTorch,
    LIFJax,
    ExpSynJax,
    RateJax,
    IFEulerJax,
    LIFEulerJax,
    ExpSynNest,
    BooleanState,
]
DATA = np.random.default_rng(0).random((2, 20, N), np.float32)


def given(kind: Any, data: np.ndarray) -> Any:
    return torch.from_numpy(data) if issubclass(kind, TorchModule) else data


def states(module: Any) -> dict[str, Any]:
    return {name: np.asarray(state).tolist() for name, state in module.state().items()}


@pytest.mark.parametrize("kernels", [True, False], ids=["kernels", "loop"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("kind", LAYERS)
def test_input_that_is_no_number(kind: Any, value: float, kernels: bool) -> None:
    data = DATA.copy()
    data[1, 7, 2] = data[0, 9, 1] = value
    module = kind(N)
    message = f"{kind.__name__}: the input must be finite, got {value} in time step 7 of batch "
    with use_kernels(kernels), np.errstate(all="ignore"):
        module(given(kind, DATA[:1]))
        before = states(module)
        with pytest.raises(ValueError, match=re.escape(message + "element 1, channel 2")):
            module(given(kind, data))
        assert states(module) == before
        with check_input(False):
            module(given(kind, data))


@pytest.mark.parametrize("kind", [LIFJax, ExpSynJax, RateJax, LIEulerJax, LinearJax, Linear])
def test_input_in_bfloat16(kind: Any) -> None:
    module = kind((N, N)) if kind in (Linear, LinearJax) else kind(N)
    data = jnp.asarray(DATA, "bfloat16").at[1, 7, 2].set(np.nan)
    with pytest.raises(ValueError, match="got nan in time step 7 of batch element 1, channel 2"):
        module(data)


@pytest.mark.filterwarnings("ignore:LowPass is deprecated")
def test_input_whose_first_axis_is_time() -> None:
    module, data = LowPass(N, dt=1e-3, tau_mem=0.02), torch.from_numpy(DATA).transpose(0, 1).clone()
    data[7, 1, 2] = torch.nan
    with pytest.raises(ValueError, match="nan in time step 7 of batch element 1, channel 2"):
        module(data)
    assert not module.vmem.any()


def test_input_of_one_dimension() -> None:
    with pytest.raises(ValueError, match="got nan in time step 1 of batch element 0, channel 0"):
        LIF(1)([0.0, np.nan])


def test_within_a_network() -> None:
    data = torch.from_numpy(DATA.copy())
    data[1, 4, 0] = torch.nan
    net = Sequential(LinearTorch((N, N)), LIFTorch(N))
    with pytest.raises(
        ValueError, match="LinearTorch '0_LinearTorch': the input must be finite, got nan"
    ):
        net(data)


def test_within_jit_nothing_is_looked_at() -> None:
    layer, data = LIFJax(N), jnp.asarray(DATA).at[0, 0, 0].set(jnp.nan)
    assert np.isnan(jax.jit(lambda x: layer(x)[1]["isyn"])(data)).any()


def test_large_numbers_are_numbers() -> None:
    ExpSyn(N)(DATA * 1e30)
    ExpSynTorch(N)(torch.from_numpy(DATA) * 1e30)


def test_the_environment_turns_it_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROCKPOOL_CHECK_INPUT", "0")
    assert np.isnan(LIF(1)([[np.nan]])[1]["isyn"]).all()
    with pytest.raises(TypeError, match="check_input: wanted must be True, False or None, got 1"):
        check_input(1)


@pytest.mark.parametrize("kind", [kind for kind in LAYERS if "Jax" not in kind.__name__])
def test_a_batch_that_starts_from_the_first_element_of_the_last(kind: Any) -> None:
    module, data = kind(N), given(kind, DATA)
    module(data)
    with pytest.warns(UserWarning, match="A batch starts from the state") as caught:
        module(data)
        module(data)
    assert len(caught) == 1 and caught[0].filename == __file__
    for name in ("reset_state()", "keep_batch_state()"):
        assert name in str(caught[0].message)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("kind", LAYERS)
def test_where_a_batch_starts_as_it_should(kind: Any) -> None:
    module, data = kind(N), given(kind, DATA)
    for _ in range(2):  # anew
        module = module.reset_state()
        module(data)
    module = module.reset_state()
    for _ in range(2):  # a single element goes on
        module(data[:1])
    module.reset_state()
    module = module.keep_batch_state()
    for _ in range(2):
        module(data)


@pytest.mark.parametrize("kind", [LIF, LIFTorch, LIFJax, ExpSynNumba, RateTorch])
def test_milliseconds(kind: Any) -> None:
    name = "tau_mem" if "LIF" in kind.__name__ else "tau"
    message = f"{kind.__name__}: {name} is 20 s: milliseconds meant?.* 20 ms are 0.02"
    with pytest.warns(UserWarning, match=message) as caught:
        kind(N, **{name: 20})
    assert len(caught) == 1 and caught[0].filename == __file__


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("tau", [10.0, np.inf, 1e6])
def test_long_time_constants_that_can_be_no_milliseconds(tau: float) -> None:
    LIF(N, tau_mem=tau)


@pytest.mark.filterwarnings("error")
def test_time_constants_in_steps_are_no_milliseconds() -> None:
    LIF(N, tau_mem=20.0, dt=1.0)


@pytest.mark.parametrize("kind", [Linear, LinearTorch, LinearJax])
def test_a_matrix_that_is_to_be_transposed(kind: Any) -> None:
    weight = np.arange(6, dtype=np.float32).reshape(3, 2)
    given = torch.tensor(weight) if kind is LinearTorch else weight
    message = rf"{kind.__name__}: weight should have the shape \(2, 3\).*got \(3, 2\).* give its .T"
    with pytest.warns(UserWarning, match=message) as caught:
        layer = kind((2, 3), weight=given)
    assert len(caught) == 1 and caught[0].filename == __file__
    assert np.array_equal(np.asarray(layer.weight.tolist()), weight.reshape(2, 3))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("shape", [(4, 2, 2), (8, 2), (16,), (1, 16)])
def test_numbers_that_are_arranged_in_another_way(shape: Any) -> None:
    LIF((16, 8), tau_syn=np.full(16, 0.01).reshape(shape))


@pytest.mark.parametrize("kind", [LIF, LIFTorch, LIFJax, Rate, RateTorch])
def test_flags_are_no_texts(kind: Any) -> None:
    with pytest.raises(
        TypeError, match=f"{kind.__name__}: has_rec must be True or False, got 'no'"
    ):
        kind(N, has_rec="no")
    with pytest.raises(TypeError, match=f"{kind.__name__}: keep must be True or False, got 'no'"):
        kind(N).keep_batch_state("no")
    kind(N, has_rec=np.True_)
    kind(N, has_rec=0)


@pytest.mark.parametrize("kind", [Linear, LinearTorch, LinearJax])
def test_weights_are_no_texts(kind: Any) -> None:
    with pytest.raises(TypeError, match="weight must be a number or an array of numbers, got 'a'"):
        kind((2, 3), weight="a")


@pytest.mark.parametrize("kind", [Linear, LinearTorch, LinearJax])
def test_what_draws_weights_has_to_draw_as_many(kind: Any) -> None:
    as_many = torch.ones if kind is LinearTorch else np.ones
    said = (
        rf"{kind.__name__}: weight_init_func must return values of the shape \(3, 2\), got \(5,\)"
    )
    with pytest.raises(ValueError, match=said):
        kind((3, 2), weight_init_func=lambda shape: as_many(5))
    for value in (3, None):
        said = f"{kind.__name__}: weight_init_func must be a function .* or 'spiking', got {value}"
        with pytest.raises(ValueError, match=said):
            kind((3, 2), weight_init_func=value)
    kind((3, 2), weight=as_many((3, 2)), weight_init_func=None)


@pytest.mark.parametrize("value", [np.nan, -np.inf])
@pytest.mark.parametrize(
    ("kind", "shape"),
    [
        *((kind, (N, n_out)) for kind in (Linear, LinearTorch, LinearJax) for n_out in (2, 50)),
        *((kind, ((1, N), 4, 3)) for kind in (Conv1d, Conv1dTorch, Conv1dJax)),
        *((kind, ((1, 1, N), 1, 3)) for kind in (Conv2d, Conv2dTorch, Conv2dJax)),
        *((kind, (N,)) for kind in (IFEuler, LIFEulerNumba, CubaLIFEulerTorch, LIEulerJax)),
        *((kind, (N,)) for kind in (LIFSinabs, UpDownTorch)),
    ],
)
def test_input_of_weights_and_others(kind: Any, shape: Any, value: float) -> None:
    module = kind(shape) if kind.__name__.startswith("Linear") else kind(*shape, **padding_of(kind))
    data = DATA.copy()
    data[1, 7, 2] = data[0, 9, 1] = value
    torch_too = isinstance(module, torch.nn.Module)
    given = torch.from_numpy(data) if torch_too else data
    message = f"{kind.__name__}: the input must be finite, got {value} in time step 7 of batch "
    with pytest.raises(ValueError, match=re.escape(message + "element 1, channel 2")):
        module(given)
    with check_input(False), np.errstate(all="ignore"):
        module(given)


def padding_of(kind: Any) -> dict[str, Any]:
    return {"padding": 1} if kind.__name__.startswith("Conv") else {}


def test_large_sums_and_weights_that_are_no_numbers_are_not_input() -> None:
    with np.errstate(over="ignore"):
        assert np.isinf(Linear((1, 1), weight=[[1e300]])([[1e300]])[0]).all()
    large = torch.tensor([[1e30]])
    assert LinearTorch((1, 1), weight=large)(large)[0].isinf()
    Linear((1, 1))([[1e200]])
