"""What users of torch do with modules: precisions, transforms, compilers, optimisers, loaders."""

from __future__ import annotations

import copy
import subprocess
import sys
import warnings
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, jacrev, stack_module_state, vmap
from torch.nn.utils import parametrize, prune
from torch.optim.swa_utils import AveragedModel
from torch.utils.data import DataLoader, TensorDataset

from rockpool.nn.combinators import Sequential
from rockpool.nn.modules.torch import (
    ExpSynTorch,
    LIFNeuronTorch,
    LIFTorch,
    LinearTorch,
    RateTorch,
    TorchModule,
    UpDownTorch,
    aLIFTorch,
)
from rockpool.nn.modules.torch.lif_torch import PeriodicExponential

X = torch.rand(5, 12, 3, generator=torch.Generator().manual_seed(3))


def network(**arguments: Any) -> Any:
    torch.manual_seed(0)
    return Sequential(
        LinearTorch((3, 4)),
        LIFTorch(4, has_rec=True, **arguments),
        LinearTorch((4, 2)),
        ExpSynTorch(2),
    )


ALL: dict[str, Any] = {
    "network": network,
    "LIFTorch": lambda: LIFTorch(3, has_rec=True, w_rec=torch.full((3, 3), -0.125), bias=0.2),
    "two synapses": lambda: Sequential(LinearTorch((3, 4)), LIFTorch((4, 2), bias=0.2)),
    "PeriodicExponential": lambda: LIFTorch(3, spike_generation_fn=PeriodicExponential),
    "aLIFTorch": lambda: aLIFTorch(3, bias=0.2),
    "LIFNeuronTorch": lambda: LIFNeuronTorch(3, bias=0.2),
    "ExpSynTorch": lambda: ExpSynTorch(3),
    "RateTorch": lambda: RateTorch(3, has_rec=True),
    "UpDownTorch": lambda: UpDownTorch(3, thr_up=0.1, thr_down=0.1),
}


def gradients(module: Any, x: Tensor = X) -> dict[str, Tensor]:
    module.reset_state()
    module.zero_grad()
    module(x)[0].sum().backward()
    return {name: p.grad for name, p in module.named_parameters()}


# -- precisions -----------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("name", ALL)
def test_precisions(name: str, dtype: torch.dtype) -> None:
    module = ALL[name]().to(dtype)
    output, state, _ = module(X.to(dtype), record=True)
    assert output.dtype == dtype
    assert {value.dtype for value in state.astorch()} <= {dtype}
    output.float().square().sum().backward()
    for key, parameter in module.named_parameters():
        assert parameter.grad is None or parameter.grad.dtype == dtype, key
    again, _, _ = module(X.to(dtype))
    assert torch.isfinite(again.float()).all()


@pytest.mark.parametrize("name", ALL)
def test_input_of_another_precision_is_converted(name: str) -> None:
    module = ALL[name]()
    expected = module(X)[0]
    module.reset_state()
    output, state, _ = module(X.double())
    assert output.dtype == torch.float32
    assert {value.dtype for value in state.astorch()} <= {torch.float32}
    torch.testing.assert_close(output, expected)


def test_autocast() -> None:
    module = network()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        output, _, _ = module(X)
        output.sum().backward()
    assert output.dtype == torch.float32
    assert all(torch.isfinite(p.grad).all() for p in module.parameters().astorch())


# -- without gradients ----------------------------------------------------------------------------


@pytest.mark.parametrize("context", [torch.no_grad, torch.inference_mode])
@pytest.mark.parametrize("name", ALL)
def test_without_gradients(name: str, context: Any) -> None:
    module = ALL[name]()
    expected = module(X)[0]
    module.reset_state()
    with context():
        output, _, _ = module(X)
        second, _, _ = module(X)
    assert torch.equal(output, expected) and not output.requires_grad
    assert second.shape == output.shape
    module(X)[0].sum().backward()  # what inference left behind is no obstacle


CHANGES: dict[str, Any] = {
    "reset_state": lambda module: module.reset_state(),
    "reset_parameters": lambda module: module.reset_parameters(),
    "load_state_dict": lambda module: module.load_state_dict(copy.deepcopy(module.state_dict())),
    "assign": lambda module: module.load_state_dict(
        {name: value * 1 for name, value in module.state_dict().items()}, assign=True
    ),
    "set_attributes": lambda module: module.set_attributes(
        {name: value * 1 for name, value in {**module.state(), **module.parameters()}.items()}
    ),
    "to": lambda module: module.double().float(),
    "keep_batch_state": lambda module: module.keep_batch_state().keep_batch_state(False),
    "load": lambda module: module.json_to_param(module.to_json()),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", ["LIFTorch", "aLIFTorch", "ExpSynTorch", "RateTorch"])
def test_changes_in_inference_mode_are_no_obstacle_to_training(name: str, change: str) -> None:
    module = ALL[name]()
    module(X)
    with torch.inference_mode():
        CHANGES[change](module)
    assert not any(value.is_inference() for value in module.state_dict().values())
    module(X)[0].sum().backward()


def test_a_module_made_in_inference_mode_can_be_trained() -> None:
    with torch.inference_mode():
        module = network()
    module(X)[0].sum().backward()
    module.reset_parameters().reset_state()(X)[0].sum().backward()


# -- transforms -----------------------------------------------------------------------------------


def parameters_of(module: Any) -> dict[str, Tensor]:
    return {name: p.detach() for name, p in module.named_parameters()}


@pytest.mark.parametrize("name", ALL)
def test_functional_call_and_grad(name: str) -> None:
    # by kernels outside, by loops within a transform: in single precision they round differently
    module, x = ALL[name]().double(), X.double()
    expected_output, expected = module(x)[0], gradients(module, x)
    values = parameters_of(module)
    before = [state.clone() for state in module.reset_state().state().astorch()]

    def loss(values: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        output = functional_call(module, values, (x,))[0]
        return output.sum(), output

    found, output = grad(loss, has_aux=True)(values)
    torch.testing.assert_close(output, expected_output.detach())
    for key, value in expected.items():
        torch.testing.assert_close(
            found[key], torch.zeros_like(found[key]) if value is None else value, msg=key
        )
    # a transform leaves nothing of its own in the module
    for state, value in zip(module.state().astorch(), before, strict=True):
        assert torch.equal(state, value)
    torch.testing.assert_close(module(x)[0], expected_output)


@pytest.mark.parametrize("name", ALL)
def test_vmap(name: str) -> None:
    module = ALL[name]()
    expected = module(X)[0]
    values = parameters_of(module)
    module.reset_state()
    found = vmap(lambda x: functional_call(module, values, (x[None],))[0])(X)
    torch.testing.assert_close(found.squeeze(1), expected.detach())
    each = vmap(
        grad(lambda values, x: functional_call(module, values, (x[None],))[0].sum()), (None, 0)
    )(values, X)
    for key, value in gradients(module).items():
        if value is not None:
            torch.testing.assert_close(each[key].sum(0), value, rtol=1e-4, atol=1e-4, msg=key)


def test_jacobian() -> None:
    module = RateTorch(2).double()
    x = torch.rand(1, 4, 2, dtype=torch.float64)
    found = jacrev(lambda x: functional_call(module, {}, (x,))[0])(x)
    expected = torch.autograd.functional.jacobian(lambda x: module.reset_state()(x)[0], x)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("name", ALL)
def test_an_ensemble(name: str) -> None:
    modules = [ALL[name]().double() for _ in range(3)]
    for module, factor in zip(modules, (1.0, 1.25, 1.5), strict=True):
        for parameter in module.parameters().astorch():
            parameter.data *= factor
    values, buffers = stack_module_state(modules)
    values = {key: value.detach() for key, value in values.items()}
    x = X.double()

    def call(values: dict[str, Tensor], buffers: dict[str, Tensor]) -> Any:
        output, state, _ = functional_call(modules[0], (values, buffers), (x,))
        return output.sum(), (output, state)

    found, (outputs, states) = vmap(grad(call, has_aux=True))(values, buffers)
    jacobians = vmap(jacrev(lambda *tensors: call(*tensors)[0]))(values, buffers)
    for index, module in enumerate(modules):
        expected, state, _ = module(x)
        torch.testing.assert_close(outputs[index], expected.detach())
        for one, other in zip(states.astorch(), state.astorch(), strict=True):
            torch.testing.assert_close(one[index], other)
        for key, value in gradients(module, x).items():
            value = torch.zeros_like(found[key][index]) if value is None else value
            torch.testing.assert_close(found[key][index], value, msg=key)
            torch.testing.assert_close(jacobians[key][index], value, msg=key)


def test_an_ensemble_of_settings() -> None:
    layers = [
        LIFTorch(3, spike_generation_fn=PeriodicExponential, max_spikes_per_dt=n, learning_window=w)
        for n, w in ((1.0, 0.5), (2.0, 0.25))
    ]
    values, buffers = stack_module_state(layers)
    x = 3 * X

    def call(values: dict[str, Tensor], buffers: dict[str, Tensor]) -> Tensor:
        return functional_call(layers[0], (values, buffers), (x,))[0].sum()

    found = vmap(grad(call))(values, buffers)
    for index, layer in enumerate(layers):
        for key, value in gradients(layer, x).items():
            torch.testing.assert_close(found[key][index], value, rtol=1e-4, atol=1e-4)


def test_an_ensemble_with_noise() -> None:
    values, buffers = stack_module_state([ExpSynTorch(3, noise_std=std) for std in (0.0, 1.0)])
    layer = ExpSynTorch(3)

    def call(values: dict[str, Tensor], buffers: dict[str, Tensor]) -> Tensor:
        return functional_call(layer, (values, buffers), (X,))[0]

    without, with_noise = vmap(call, randomness="different")(values, buffers)
    torch.testing.assert_close(without, layer(X)[0])
    assert not torch.isclose(with_noise, without).all()


def test_new_states_within_a_transform() -> None:
    module, x = network().double(), X.double()
    expected, values = network().double()(x)[1], parameters_of(module)

    def loss(values: dict[str, Tensor]) -> tuple[Tensor, Any]:
        output, state, _ = functional_call(module, values, (x,))
        return output.sum(), state

    _, state = grad(loss, has_aux=True)(values)
    torch.testing.assert_close(state["1_LIFTorch"]["vmem"], expected["1_LIFTorch"]["vmem"])


def test_states_given_to_functional_call() -> None:
    module = network()
    module(X)
    state = {name: value.clone() for name, value in module.state_dict().items()}
    expected = module(X)[0]
    module.reset_state()
    assert torch.equal(functional_call(module, state, (X,))[0], expected)
    assert not module[1].vmem.any()


# -- compilers ------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("torch_mode", [False, True])
def test_compiled_modules_give_the_same(torch_mode: bool) -> None:
    module, reference = network(), network()
    if torch_mode:
        module.to_torch()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the compiler's own
        compiled = torch.compile(module, backend="aot_eager")
        for _ in range(3):  # the third call goes on from the state of the second
            output, expected = compiled(X), reference(X)[0]
            output = output if torch_mode else output[0]
            torch.testing.assert_close(output, expected)
            torch.testing.assert_close(module[1].vmem, reference[1].vmem)
        output.sum().backward()
    expected.sum().backward()
    for p, q in zip(nn.Module.parameters(module), nn.Module.parameters(reference), strict=True):
        torch.testing.assert_close(p.grad, q.grad)


# -- training -------------------------------------------------------------------------------------


@pytest.mark.parametrize("torch_mode", [False, True])
def test_training_with_an_optimiser(torch_mode: bool) -> None:
    module = network()
    if torch_mode:
        module.to_torch()
    parameters = module.parameters() if torch_mode else module.parameters().astorch()
    optimiser = torch.optim.Adam(parameters, lr=2e-4)
    target = torch.zeros(5, 12, 2)
    losses = []
    for _ in range(15):
        optimiser.zero_grad()
        module.reset_state()
        output = module(X) if torch_mode else module(X)[0]
        loss = nn.functional.mse_loss(output, target)
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.95 * losses[0]


def test_parameters_as_a_vector() -> None:
    module = network()
    vector = nn.utils.parameters_to_vector(module.parameters().astorch())
    assert vector.numel() == sum(p.numel() for p in module.parameters().astorch())
    nn.utils.vector_to_parameters(vector * 0.5, module.parameters().astorch())
    torch.testing.assert_close(
        nn.utils.parameters_to_vector(module.parameters().astorch()), vector * 0.5
    )


class Spikes(torch.utils.data.Dataset):
    """A data set whose items a module makes."""

    def __init__(self) -> None:
        self.layer = LIFTorch(3)

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> Tensor:
        with torch.no_grad():
            return self.layer.reset_state()(X[index])[0][0]


@pytest.mark.parametrize("n_workers", [0, 1])
def test_data_loaders(n_workers: int) -> None:
    expected = LIFTorch(3)(X[:4])[0]
    batches = list(DataLoader(Spikes(), batch_size=2, num_workers=n_workers))
    assert torch.equal(torch.cat(batches), expected)
    module = network()
    for (x,) in DataLoader(TensorDataset(X), batch_size=2):
        assert module(x)[0].shape[0] == len(x)


class AsItIs(nn.Module):
    """A parametrization that changes nothing."""

    def forward(self, value: Tensor) -> Tensor:
        return value


def parametrized(module: Any, name: str) -> str:
    parametrize.register_parametrization(module, name, AsItIs())
    return f"parametrizations.{name}.original"


def pruned(module: Any, name: str) -> str:
    prune.custom_from_mask(module, name, torch.ones_like(getattr(module, name)))
    return f"{name}_orig"


FORMS: dict[Any, Any] = {parametrized: parametrize.remove_parametrizations, pruned: prune.remove}
LAYERS = [name for name in ALL if name not in ("network", "two synapses")]
NAMES = [(layer, name) for layer in LAYERS for name, _ in ALL[layer]().named_parameters()]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("layer", "name"), [*NAMES, ("LinearTorch", "weight")])
def test_parameters_in_another_form(layer: str, name: str, form: Any) -> None:
    make = ALL.get(layer, lambda: LinearTorch((3, 4)))
    torch.manual_seed(0)
    reference = make()
    torch.manual_seed(0)
    module = make()
    family = module._registered_attributes[name].family
    original = form(module, name)
    with torch.no_grad():
        assert torch.equal(module(X)[0], reference(X)[0])
    expected, found = gradients(reference)[name], gradients(module)[original]
    assert (found is None and expected is None) or torch.equal(found, expected)
    assert [id(p) for p in module.parameters().astorch()] == [
        id(p) for _, p in module.named_parameters()
    ]
    module.reset_parameters()
    FORMS[form](module, name)
    assert module.parameters(family).keys() == reference.parameters(family).keys()
    assert module.parameters().keys() == gradients(module).keys() == gradients(reference).keys()


def test_recurrent_weights_in_another_form_are_used() -> None:
    layer = LIFTorch(1, has_rec=True, w_rec=[[0.5]])
    parametrized(layer, "w_rec")
    output, _, _ = layer(torch.tensor([[[2.0], [0.0], [0.0], [0.0]]]))
    assert output.flatten().tolist() == [1, 3, 3, 5]


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize(
    ("norm", "remove"),
    [
        (nn.utils.weight_norm, nn.utils.remove_weight_norm),
        (nn.utils.spectral_norm, nn.utils.remove_spectral_norm),
        (nn.utils.parametrizations.weight_norm, parametrize.remove_parametrizations),
        (nn.utils.parametrizations.spectral_norm, parametrize.remove_parametrizations),
        (nn.utils.parametrizations.orthogonal, parametrize.remove_parametrizations),
    ],
)
def test_norms_of_weights(norm: Any, remove: Any) -> None:
    for layer, name in ((LinearTorch((3, 3)), "weight"), (LIFTorch(3, has_rec=True), "w_rec")):
        norm(layer, name)
        assert all(value is not None for value in gradients(layer).values())
        kept = {key: value.clone() for key, value in layer.named_buffers() if "_u" in key}
        layer.reset_state()
        assert all(torch.equal(dict(layer.named_buffers())[key], kept[key]) for key in kept)
        remove(layer, name)
        assert gradients(layer)[name] is not None and list(layer.parameters("weights")) == [name]


def test_a_module_of_torch_whose_parameters_are_in_another_form() -> None:
    module = Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(3, 2)), LIFTorch(2))
    prune.l1_unstructured(module[0], "bias", 1)
    assert all(value is not None for value in gradients(module).values())
    parametrize.remove_parametrizations(module[0], "weight")
    prune.remove(module[0], "bias")
    assert isinstance(module[0].weight, nn.Parameter) and module[0].weight is not None
    assert set(next(iter(module.parameters().values()))) == {"weight", "bias"}


def test_a_spike_function_of_a_users_own() -> None:
    class Straight(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor, threshold: Tensor, window: Tensor, most: Tensor) -> Tensor:
            assert isinstance(window, Tensor) and isinstance(most, Tensor)
            return (x >= threshold).to(x.dtype)

        @staticmethod
        def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
            return grad, None, None, None

    layer = LIFTorch(3, spike_generation_fn=Straight)
    output, _, _ = layer(X * 3)
    output.sum().backward()
    assert output.max() == 1 and layer.tau_mem.grad.any() and layer.threshold.grad is not None


def test_importing_loads_no_other_back_end() -> None:
    code = (
        "import sys\n"
        "from rockpool.nn.modules.torch import LIFTorch, LinearTorch\n"
        "from rockpool.nn.combinators import Sequential\n"
        "from rockpool.nn.kernels.switch import use_kernels\n"
        "import torch\n"
        "use_kernels(False)\n"
        "Sequential(LinearTorch((2, 2)), LIFTorch(2))(torch.rand(1, 3, 2))\n"
        "print([name for name in ('jax', 'numba', 'scipy', 'sinabs', 'brian2', 'torch._dynamo')"
        " if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_averages_of_weights_want_a_module_of_torch() -> None:
    module = LinearTorch((3, 2))
    with pytest.raises(
        AttributeError, match=r"no attribute 'detach' \(the parameters of a Rockpool"
    ):
        AveragedModel(module).update_parameters(module)
    module = module.to_torch()
    average = AveragedModel(module)
    for value in (1.0, 3.0):
        module.weight.data.fill_(value)
        average.update_parameters(module)
    assert (average.module.weight == 2.0).all()


class Twice(LinearTorch):
    """Gives twice what its base gives, by way of `evolve`."""

    def evolve(self, input_data: Any, record: bool = False) -> Any:
        output, state, records = super().evolve(input_data, record)
        return 2 * output, state, records


def test_an_overridden_evolve_counts_in_torch_mode_too() -> None:
    one = torch.ones(1, 1, 1)
    layer = Twice((1, 1), weight=torch.ones(1, 1))
    assert layer.evolve(one)[0].item() == layer(one)[0].item() == 2.0
    assert Sequential(layer).to_torch()(one).item() == layer.to_torch()(one).item() == 2.0


class OfState(nn.Module):
    def __init__(self, state: Any) -> None:
        super().__init__()
        if isinstance(state, nn.Module):
            self.state = state
        else:
            self.register_buffer("state", state)


class Evolving(nn.Module):
    def evolve(self, data: torch.Tensor) -> torch.Tensor:
        return 2 * data


@pytest.mark.parametrize(
    ("module", "name"),
    [
        (OfState(torch.zeros(3)), "'state' of its own"),
        (OfState(nn.Linear(3, 3)), "'state' of its own"),
        (nn.Sequential(nn.Identity(), Evolving()), "Evolving has 'evolve' of its own"),
    ],
)
def test_a_name_that_modules_call_of_one_another_is_refused(module: nn.Module, name: str) -> None:
    kinds = [type(inner) for inner in module.modules()]
    with pytest.raises(ValueError, match=f"{name}, which every module of this package has"):
        TorchModule.from_torch(module)
    assert [type(inner) for inner in module.modules()] == kinds  # nothing has been converted


class Merging(nn.Module):
    """Has a method, a property and an attribute that modules of this package have as well."""

    def __init__(self) -> None:
        super().__init__()
        self.state = None

    @property
    def class_name(self) -> str:
        return "other"

    def merge(self, data: torch.Tensor) -> torch.Tensor:
        return 3 * data if self.state is None else data

    def forward(self, data: torch.Tensor) -> torch.Tensor:
        return self.merge(data)


def test_other_names_mean_what_their_class_means() -> None:
    network = Sequential(Merging(), nn.Identity())
    assert network(torch.ones(1, 2, 3))[0].unique().item() == 3.0
    assert network[0].merge(torch.ones(1)).item() == 3.0
    assert "0_Merging" in repr(network) and list(network.state()) == ["0_Merging", "1_Identity"]
