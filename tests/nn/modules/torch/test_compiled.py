"""Compiled kernels under the torch modules: the same answers as the loops, and when they serve."""

from __future__ import annotations

import logging
import math
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.kernel_cases import (
    F32,
    F64,
    B,
    N,
    T,
    Way,
    assert_same,
    evolve_lif,
    lif_tensors,
    numbers,
    take,
)
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from rockpool.nn.kernels.switch import use_kernels
from rockpool.nn.modules.torch import (
    CubaLIFEulerTorch,
    ExpSynTorch,
    LIFBitshiftTorch,
    LIFEulerTorch,
    LIFNeuronTorch,
    LIFTorch,
    LowPass,
    RateTorch,
    aLIFTorch,
)
from rockpool.nn.modules.torch._base.activations import relu, sigmoid, tanh
from rockpool.nn.modules.torch._base.surrogates import PeriodicExponential, StepPWL
from rockpool.nn.modules.torch._kernels import exp_syn
from rockpool.nn.modules.torch._kernels.lif import lif
from rockpool.nn.modules.torch._kernels.rate import rate
from rockpool.nn.modules.torch._loops.exp_syn import exp_syn_loop, leaky_sum
from rockpool.nn.modules.torch._loops.lif import LIFParameters, LIFState, lif_loop
from rockpool.nn.modules.torch._loops.rate import RateParameters, rate_loop


@pytest.fixture(autouse=True)
def kernels() -> Iterator[None]:
    with use_kernels(True):
        yield


# -- LIF -------------------------------------------------------------------------------------------


def compare_lif(tensors: dict[str, Tensor], **options: Any) -> Way:
    kernel, loop = (
        take(way, tensors, lambda f, p: evolve_lif(f, p, **options)) for way in (lif, lif_loop)
    )
    assert loop.results["output"].sum() > 0
    assert_same(kernel, loop, exact=("output", "spikes", "irec", "vmem", "last 0", "last 2"))
    return kernel


@pytest.mark.parametrize("dtype", [F32, F64], ids=str)
@pytest.mark.parametrize("spike_fn", [StepPWL, PeriodicExponential])
@pytest.mark.parametrize("adaptive", [False, True], ids=["", "adaptive"])
@pytest.mark.parametrize("recurrent", [False, True], ids=["", "recurrent"])
@pytest.mark.parametrize("n_synapses", [1, 2, 3])
def test_lif_kernels_do_what_the_loops_do(
    n_synapses: int, recurrent: bool, adaptive: bool, spike_fn: Any, dtype: torch.dtype
) -> None:
    compare_lif(lif_tensors(n_synapses, recurrent, adaptive, dtype), spike_fn=spike_fn)


@pytest.mark.parametrize("dtype", [F32, F64], ids=str)
@pytest.mark.parametrize("adaptive", [False, True], ids=["", "adaptive"])
@pytest.mark.parametrize("n_synapses", [1, 2])
def test_records_have_gradients_and_noise_is_added(
    n_synapses: int, adaptive: bool, dtype: torch.dtype
) -> None:
    tensors = lif_tensors(n_synapses, True, adaptive, dtype)
    noise = numbers(B, T, N, low=-0.1, high=0.1, dtype=dtype)
    way = compare_lif(tensors, noise=noise, record=True)
    names = {"vmem", "isyn", "irec", "spikes"} | ({"iahp"} if adaptive else set())
    assert names <= way.results.keys()


@pytest.mark.parametrize("recurrent", [False, True], ids=["", "recurrent"])
def test_records_of_layers_without_recurrent_weights(recurrent: bool) -> None:
    way = compare_lif(lif_tensors(2, recurrent, False, F32), record=True)
    assert bool(way.results["irec"].any()) == recurrent


@pytest.mark.parametrize("n_batch", [1, 16, 37])
def test_batches_of_recurrent_layers_of_any_size(n_batch: int) -> None:
    compare_lif(lif_tensors(1, True, False, F64, n_batch))


@pytest.mark.parametrize("spike_fn", [StepPWL, PeriodicExponential])
def test_window_and_largest_number_of_spikes(spike_fn: Any) -> None:
    tensors = lif_tensors(1, False, False, F64)
    tensors["x"] *= 5
    way = compare_lif(tensors, spike_fn=spike_fn, window=0.2, max_spikes=2.0)
    assert way.results["output"].max() == 2


def test_a_threshold_that_is_a_power_of_two() -> None:
    tensors = lif_tensors(1, False, False, F32)
    tensors["threshold"] = torch.tensor([0.5, 1.0, 1.0, 2.0, 0.25])
    compare_lif(tensors)


@pytest.mark.parametrize("power", [-149, -128, -127, -126])
@pytest.mark.parametrize("make", [LIFTorch, aLIFTorch])
def test_thresholds_whose_inverse_is_too_large(make: Any, power: int) -> None:
    layer = make(2, threshold=[2.0**power, 3 * 2.0 ** (power + 1)], tau_syn=math.inf)
    x = torch.tensor([[[0.0, 0.0], [2.0**power, 3 * 2.0 ** (power + 2)], [1.0, 1.0]]])
    x.requires_grad_()
    output = layer(x)[0]
    assert layer.last_path == "numba"
    assert output[0, :2].tolist() == [[0.0, 0.0], [1.0, 2.0]]
    output[0, 0].sum().backward()
    assert not x.grad.isnan().any() and not layer.threshold.grad.isnan().any()


@pytest.mark.parametrize("dtype", [F32, F64], ids=str)
def test_parameters_that_all_neurons_share(dtype: torch.dtype) -> None:
    tensors = lif_tensors(2, False, True, dtype)
    for name in ("tau_mem", "bias", "threshold", "tau_ahp", "w_ahp"):
        tensors[name] = tensors[name][0]
    tensors["tau_syn"] = tensors["tau_syn"][:1]
    compare_lif(tensors)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), scale=st.sampled_from([0.1, 1.0, 30.0]))
def test_the_same_spikes_for_any_input_and_threshold(seed: int, scale: float) -> None:
    torch.manual_seed(seed)
    tensors = lif_tensors(1, False, False, F32)
    tensors["x"] = torch.randn(B, T, N) * scale
    tensors["threshold"] = numbers(N, low=0.01, high=3.0)
    with torch.no_grad():
        kernel, loop = (evolve_lif(way, tensors)[0] for way in (lif, lif_loop))
    assert torch.equal(kernel, loop)


def test_membranes_that_are_multiples_of_the_threshold() -> None:
    """The quotient is an integer, or next to one: where a reciprocal would be wrong."""
    thresholds = numbers(1000, low=0.01, high=3.0)
    x = thresholds * torch.arange(1, 41.0)[:, None]
    state = LIFState(torch.zeros(40, 1000), torch.zeros(40, 1000, 1), torch.zeros(40, 1000))
    one, zero = torch.ones(1000), torch.zeros(1000)
    parameters = LIFParameters(
        one, one[:, None], zero, thresholds, None, StepPWL.apply, 0.5, 2.0**16
    )
    found, _, _ = lif(x[:, None], state, parameters)
    expected, _, _ = lif_loop(x[:, None], state, parameters)
    assert torch.equal(found, expected)


# -- the others --------------------------------------------------------------------------------------


def filter_tensors(dtype: torch.dtype) -> dict[str, Tensor]:
    torch.manual_seed(1)
    return {
        "x": numbers(B, T, N, dtype=dtype),
        "start": numbers(B, N, dtype=dtype),
        "decay": numbers(N, low=0.5, high=0.99, dtype=dtype),
    }


FILTERS = {
    "synapses": (exp_syn.exp_syn, exp_syn_loop),
    "leaky sums": (exp_syn.leaky_sum, leaky_sum),
}


@pytest.mark.parametrize("dtype", [F32, F64], ids=str)
@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("shared", [False, True], ids=["", "shared"])
def test_filter_kernels_do_what_the_loops_do(name: str, shared: bool, dtype: torch.dtype) -> None:
    tensors = filter_tensors(dtype)
    if shared:
        tensors["decay"] = tensors["decay"][0]

    def call(loop: Callable[..., Any], p: dict[str, Tensor]) -> Any:
        return loop(p["x"], p["start"], p["decay"])

    kernel, loop = (take(way, tensors, call) for way in FILTERS[name])
    assert_same(kernel, loop)


@pytest.mark.parametrize("dtype", [F32, F64], ids=str)
@pytest.mark.parametrize("act_fn", [relu, tanh, sigmoid])
@pytest.mark.parametrize("recurrent", [False, True], ids=["", "recurrent"])
@pytest.mark.parametrize("record", [False, True], ids=["", "record"])
def test_rate_kernels_do_what_the_loop_does(
    record: bool, recurrent: bool, act_fn: Any, dtype: torch.dtype
) -> None:
    torch.manual_seed(2)
    tensors = {
        "x": torch.randn(B, T, N, dtype=dtype),
        "state": torch.randn(B, N, dtype=dtype),
        "gain": numbers(N, low=0.02, high=0.2, dtype=dtype),
        "bias": numbers(N, low=-0.1, high=0.1, dtype=dtype),
        "threshold": numbers(N, low=-0.1, high=0.1, dtype=dtype),
        "noise": torch.randn(B, T, N, dtype=dtype) * 0.1,
    }
    if recurrent:
        tensors["w_rec"] = torch.randn(N, N, dtype=dtype) / 4

    def call(loop: Callable[..., Any], p: dict[str, Tensor]) -> Any:
        parameters = RateParameters(p["gain"], p["bias"], p["threshold"], p.get("w_rec"), act_fn)
        return loop(p["x"], p["state"], parameters, p["noise"], record)

    kernel, loop = (take(way, tensors, call) for way in (rate, rate_loop))
    assert_same(kernel, loop)


# -- in the modules ------------------------------------------------------------------------------------


def low_pass(n: int) -> LowPass:
    with pytest.warns(DeprecationWarning):
        return LowPass(n, 1e-3, 0.02)


MODULES: dict[str, Callable[[int], Any]] = {
    "LIFTorch": LIFTorch,
    "LIFBitshiftTorch": LIFBitshiftTorch,
    "aLIFTorch": aLIFTorch,
    "ExpSynTorch": ExpSynTorch,
    "RateTorch": RateTorch,
    "LowPass": low_pass,
}


@pytest.mark.parametrize("name", MODULES)
def test_modules_use_kernels_for_both_precisions(name: str) -> None:
    module = MODULES[name](4)
    x = torch.rand(5, 3, 4)
    single = module(x)[0]
    assert module.last_path == "numba"
    double = MODULES[name](4).double()
    torch.testing.assert_close(double(x.double())[0].float(), single)
    assert double.last_path == "numba"


@pytest.mark.parametrize("name", MODULES)
def test_modules_give_the_same_answer_without_kernels(name: str) -> None:
    x = torch.rand(5, 3, 4)
    module = MODULES[name](4)
    expected = module(x)[0]
    other = MODULES[name](4)
    with use_kernels(False):
        found = other(x)[0]
    assert other.last_path == "loop"
    torch.testing.assert_close(found, expected)


def in_func_grad(module: Any, x: Tensor) -> None:
    torch.func.grad(lambda x: module(x)[0].sum())(x)


def in_vmap(module: Any, x: Tensor) -> None:
    torch.func.vmap(lambda x: module(x[None])[0])(x)


def in_autocast(module: Any, x: Tensor) -> None:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        module(x)


def in_forward_mode(module: Any, x: Tensor) -> None:
    with torch.autograd.forward_ad.dual_level():
        module(torch.autograd.forward_ad.make_dual(x, x))


FORWARD: dict[str, Any] = {
    "LIFTorch": lambda: LIFTorch(4, threshold=0.8),
    "LIFTorch, PeriodicExponential": lambda: LIFTorch(4, spike_generation_fn=PeriodicExponential),
    "LIFTorch, recurrent": lambda: LIFTorch(4, has_rec=True),
    "aLIFTorch": lambda: aLIFTorch(4),
    "LIFNeuronTorch": lambda: LIFNeuronTorch(4),
    "CubaLIFEulerTorch": lambda: CubaLIFEulerTorch(4, threshold=0.2),
    "LIFEulerTorch": lambda: LIFEulerTorch(4, threshold=0.2, reset="subtract"),
}


# torch itself, in its forward mode
@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")
@pytest.mark.parametrize("name", FORWARD)
def test_forward_mode_has_the_derivative_of_backward_mode(name: str) -> None:
    torch.manual_seed(0)
    layer, x, tangent = FORWARD[name](), 2 * torch.rand(1, 6, 4), torch.rand(1, 6, 4)
    with torch.autograd.forward_ad.dual_level():
        dual = layer(torch.autograd.forward_ad.make_dual(x, tangent))[0]
        found = torch.autograd.forward_ad.unpack_dual(dual).tangent.detach()
    layer.reset_state()
    in_func = torch.func.jvp(lambda x: layer(x)[0], (x,), (tangent,))[1].detach()
    assert found.any() and torch.equal(found, in_func)
    layer.reset_state()
    x.requires_grad_()
    output, weight = layer(x)[0], torch.rand(1, 6, 4)
    (gradient,) = torch.autograd.grad((output * weight).sum(), x)
    torch.testing.assert_close(
        (found * weight).sum(), (gradient * tangent).sum(), rtol=1e-4, atol=1e-5
    )
    layer.reset_state()
    second = torch.func.hessian(lambda x: (layer(x)[0] ** 2).sum())(x.detach())
    assert second.isfinite().all() and second.any()


def in_a_dispatch_mode(module: Any, x: Tensor) -> None:
    with FlopCounterMode(display=False):
        module(x)


def in_half_precision(module: Any, x: Tensor) -> None:
    module.bfloat16()(x.bfloat16())


@pytest.mark.parametrize(
    ("surroundings", "reason"),
    [
        (in_func_grad, "torch.func"),
        (in_vmap, "torch.func"),
        (in_autocast, "autocast"),
        (in_forward_mode, "forward-mode"),
        (in_a_dispatch_mode, "dispatch mode"),
        (in_half_precision, "bfloat16"),
    ],
)
@pytest.mark.parametrize("name", ["ExpSynTorch", "RateTorch"])
@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")  # of torch's own making
def test_the_loop_serves_where_kernels_cannot(
    name: str,
    surroundings: Callable[[Any, Tensor], None],
    reason: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    module = MODULES[name](4)
    with caplog.at_level(logging.DEBUG, "rockpool.kernels"):
        surroundings(module, torch.rand(2, 3, 4))
    assert module.last_path == "loop"
    assert name in caplog.text and reason in caplog.text


class OtherTensor(Tensor):
    pass


def test_subclasses_of_tensors_are_left_to_the_loop() -> None:
    module = ExpSynTorch(4)
    output = module(torch.rand(2, 3, 4).as_subclass(OtherTensor))[0]
    assert module.last_path == "loop" and isinstance(output, OtherTensor)


def test_functions_that_kernels_do_not_know_are_left_to_the_loop() -> None:
    rate_layer = RateTorch(4, activation_func=lambda x, t: torch.clamp(x - t, 0, 1))
    rate_layer(torch.rand(2, 3, 4))
    assert rate_layer.last_path == "loop"

    class Softer(StepPWL):
        pass

    lif_layer = LIFTorch(4, spike_generation_fn=Softer)
    lif_layer(torch.rand(2, 3, 4))
    assert lif_layer.last_path == "loop"


@pytest.mark.parametrize("name", MODULES)
def test_the_second_derivative_is_that_of_the_loop(name: str) -> None:
    torch.manual_seed(3)
    x, weight = torch.rand(5, 3, 4, dtype=F64) * 0.5, torch.rand(5, 3, 4, dtype=F64)

    def second(wanted: bool) -> list[Tensor]:
        with use_kernels(wanted):
            module = MODULES[name](4).double()
            leaf = x.clone().requires_grad_()
            parameters = [leaf, *module.parameters().astorch()]
            loss = (module(leaf)[0] * weight).square().sum()
            first = torch.autograd.grad(loss, parameters, create_graph=True, allow_unused=True)
            penalty = sum(g.square().sum() for g in first if g is not None)
            found = torch.autograd.grad(penalty, parameters, allow_unused=True)
        assert module.last_path == ("numba" if wanted else "loop")
        return [torch.zeros(()) if g is None else g for g in found]

    kernel, loop = second(True), second(False)
    assert any(g.any() for g in loop)
    for found, expected in zip(kernel, loop, strict=True):
        torch.testing.assert_close(found, expected)


def test_an_input_that_depends_on_the_parameters() -> None:
    """Each gradient goes its own way, in the second derivative as well."""

    def second(wanted: bool) -> Tensor:
        with use_kernels(wanted):
            module = ExpSynTorch(2).double()
            x = module.tau.expand(1, 4, 2) * 7
            (first,) = torch.autograd.grad(
                module(x)[0].square().sum(), module.tau, create_graph=True
            )
            return torch.autograd.grad(first.square().sum(), module.tau)[0]

    torch.testing.assert_close(second(True), second(False))


@pytest.mark.parametrize("name", MODULES)
def test_input_that_is_not_contiguous(name: str) -> None:
    x = torch.rand(4, 3, 5).movedim(0, 2)
    expected = MODULES[name](4)(x.contiguous())[0]
    module = MODULES[name](4)
    assert torch.equal(module(x)[0], expected) and module.last_path == "numba"
    negative = torch._neg_view(x)
    torch.testing.assert_close(MODULES[name](4)(negative)[0], MODULES[name](4)(-x)[0])


def in_layout(values: Tensor, layout: str) -> Tensor:
    """The same values in memory of another layout."""
    if layout == "transposed":
        return values.mT.contiguous().mT if values.dim() > 1 else values
    if layout == "every second number":
        return values.repeat_interleave(2, dim=-1)[..., ::2] if values.dim() else values
    return values


LAYERS: dict[str, Callable[[], Any]] = {
    "LIFTorch": lambda: LIFTorch((6, 3), has_rec=True, tau_syn=[[0.01, 0.02]] * 3),
    "aLIFTorch": lambda: aLIFTorch((6, 3), has_rec=True),
    "LIFBitshiftTorch": lambda: LIFBitshiftTorch((6, 3), has_rec=True),
    "RateTorch": lambda: RateTorch(3, has_rec=True, activation_func="tanh"),
    "ExpSynTorch": lambda: ExpSynTorch(3),
}


@pytest.mark.parametrize("layout", ["transposed", "every second number"])
@pytest.mark.parametrize("name", LAYERS)
def test_gradients_do_not_depend_on_the_layout_of_memory(name: str, layout: str) -> None:
    found = []
    for in_memory in ("as made", layout):
        torch.manual_seed(1)
        module = LAYERS[name]()
        x = in_layout(torch.rand(2, 20, module.size_in), in_memory).requires_grad_()
        for parameter in module.parameters().astorch():
            parameter.data = in_layout(parameter.data, in_memory)
        output = module(x)[0]
        assert module.last_path == "numba"
        output.square().sum().backward()
        trained = module.parameters().items()
        gradients = {key: value.grad for key, value in trained if value.grad is not None}
        found.append({"output": output, "x": x.grad, **gradients})
    as_made, other = found
    assert as_made.keys() == other.keys() and len(as_made) > 2
    for key, value in as_made.items():
        torch.testing.assert_close(other[key], value, rtol=1e-6, atol=1e-6, msg=key)
        assert bool(value.any()), key


def test_gradients_for_some_inputs_alone() -> None:
    x = torch.rand(2, 10, 3) * 0.6
    for trained in ("tau_mem", "tau_syn", "bias", "threshold", None):
        found = []
        for wanted in (True, False):
            with use_kernels(wanted):
                module = LIFTorch(3).requires_grad_(False)
                leaf = x.clone().requires_grad_(trained is None)
                if trained is not None:
                    getattr(module, trained).requires_grad_()
                module(leaf)[0].square().sum().backward()
                found.append(leaf.grad if trained is None else getattr(module, trained).grad)
        assert found[0] is not None
        torch.testing.assert_close(*found)


LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "sum over time": lambda output, weight: (output.sum(dim=1) * weight).sum(),
    "sum of all": lambda output, weight: output.sum(),
    "first step": lambda output, weight: (output[:, 0] * weight).sum(),
}


@pytest.mark.parametrize("n_steps", [1, 12])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("name", MODULES)
def test_gradients_that_are_the_same_for_all_steps(name: str, loss: str, n_steps: int) -> None:
    torch.manual_seed(0)
    x, weight = torch.rand(2, n_steps, 4, dtype=F64), torch.rand(2, 4, dtype=F64)
    found = []
    for wanted in (True, False):
        with use_kernels(wanted):
            module = MODULES[name](4).double()
            leaf = x.clone().requires_grad_()
            LOSSES[loss](module(leaf)[0], weight).backward()
            found.append([leaf.grad, *(p.grad for p in torch.nn.Module.parameters(module))])
    for kernel, loop in zip(*found, strict=True):
        torch.testing.assert_close(kernel, loop, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("adaptive", [False, True])
@pytest.mark.parametrize("which", range(3))
def test_gradients_of_the_last_state_alone(which: int, adaptive: bool) -> None:
    tensors = lif_tensors(1, False, adaptive, F64)
    found = []
    for loop in (lif, lif_loop):
        leaves = {name: value.clone().requires_grad_() for name, value in tensors.items()}
        evolve_lif(loop, leaves)[1][which].sum().backward()
        found.append([leaf.grad for leaf in leaves.values()])
    for kernel, expected in zip(*found, strict=True):
        if expected is None:
            expected = torch.zeros((), dtype=F64)
        torch.testing.assert_close(kernel, expected.expand(kernel.shape), rtol=1e-12, atol=1e-12)


def test_a_gradient_that_is_the_same_for_all_steps_takes_no_memory() -> None:
    n, steps = 64, 500
    x = torch.rand(1, steps, n, requires_grad=True)
    total = LIFTorch(n)(x)[0].sum()
    with torch.profiler.profile(profile_memory=True) as profile:
        total.backward()
    largest = max(event.self_cpu_memory_usage for event in profile.key_averages())
    assert largest < 4 * n * steps  # that of the input is allocated by numpy


def test_nothing_is_kept_where_no_gradient_is_needed() -> None:
    with torch.no_grad():
        assert LIFTorch(3)(torch.rand(1, 5, 3))[0].grad_fn is None
    assert LIFTorch(3).requires_grad_(False)(torch.rand(1, 5, 3))[0].grad_fn is None


def test_memory_for_the_backward_pass() -> None:
    """With output, its gradient and that of the input: 20 bytes for each neuron and time step."""
    kept: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        kept[tensor.data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    n, steps = 50, 40
    x = torch.rand(1, steps, n, requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        LIFTorch(n)(x)
    assert sum(kept.values()) <= (20 - 12) * n * steps + 200 * n


def test_input_changed_after_the_forward_pass_is_an_error() -> None:
    x = torch.rand(1, 5, 3)
    output = LIFTorch(3)(x)[0]
    x += 1
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        output.sum().backward()


@pytest.mark.slow
def test_numba_that_is_installed_later_is_seen() -> None:
    code = (
        "import importlib.abc, sys, torch\n"
        "class Hidden(importlib.abc.MetaPathFinder):\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'numba':\n"
        "            raise ModuleNotFoundError('not yet', name=name)\n"
        "hidden = Hidden()\n"
        "sys.meta_path.insert(0, hidden)\n"
        "from rockpool.nn.modules import LIFTorch\n"
        "layer, x = LIFTorch(2), torch.rand(1, 3, 2)\n"
        "layer(x)\n"
        "print(layer.last_path)\n"
        "sys.meta_path.remove(hidden)\n"
        "layer(x)\n"
        "print(layer.last_path)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["loop", "numba"]


def test_numba_is_not_imported_before_the_first_evolution() -> None:
    code = (
        "import sys, torch\n"
        "from rockpool.nn.modules import LIFTorch\n"
        "layer = LIFTorch(2)\n"
        "print('numba' in sys.modules)\n"
        "layer(torch.rand(1, 3, 2))\n"
        "print('numba' in sys.modules, layer.last_path)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True", "numba"]
