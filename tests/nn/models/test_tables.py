"""A model's table and its classes say the same, on each back-end."""

from __future__ import annotations

import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

import rockpool.nn.modules
from rockpool.nn.combinators import Sequential
from rockpool.nn.models.catalogue import BACKENDS, MODELS, ROWS, model_of
from rockpool.nn.models.lif import LIF
from rockpool.nn.modules import LIFJax, Module, Rate
from rockpool.nn.modules.timed_module import leaves
from rockpool.parameters import to_numpy
from rockpool.utilities.backend_management import backend_available
from rockpool.utilities.lazy_loading import advertised

CLASSES = [
    pytest.param(model, backend, name, id=name)
    for model in MODELS
    for backend, name in model.classes.items()
]
# what a class has not, of what its model has
LACKING = {
    "LIFTorch": {"spiking_input", "spiking_output"},
    "LIFExodus": {"w_rec", "max_spikes_per_dt", "dt"},  # the last two by keyword
}
# arguments of a constructor, where there are others than a shape
ARGUMENTS = {
    "Linear": {"shape": (2, 3)},
    "Conv2d": {"shape_in": (1, 1, 2), "n_channels": 2, "kernel_size": 1},
    "Conv1d": {"shape_in": (1, 2), "n_channels": 2, "kernel_size": 1},
    "SumPool2d": {"shape_in": (2, 1, 1), "kernel_size": 1},
    "AvgPool2d": {"shape_in": (2, 1, 1), "kernel_size": 1},
    "Flatten": {"shape_in": (1, 2)},
    "Scale": {"shape_in": 2},
}


def arguments_for(model):
    return ARGUMENTS.get(model.name, {"shape": 2})


def signature(name: str) -> dict[str, inspect.Parameter]:
    shown = inspect.signature(getattr(rockpool.nn.modules, name))
    return dict(shown.parameters)


@pytest.mark.parametrize(("model", "backend", "name"), CLASSES)
def test_defaults_are_those_of_the_table(model, backend, name) -> None:
    arguments = signature(name)
    for spec in (*model.parameters, *model.settings):
        if spec.name not in arguments:
            continue
        default = arguments[spec.name].default
        if spec.name == "activation_func":
            assert default.__name__.lower().endswith("relu")
        elif callable(default):  # a stand-in shows the source of a default
            continue
        elif default is not None and default is not inspect.Parameter.empty:
            assert np.all(np.equal(default, spec.default)), spec.name


@pytest.mark.parametrize(("model", "backend", "name"), CLASSES)
def test_every_parameter_of_the_table_is_an_argument(model, backend, name) -> None:
    lacking = {spec.name for spec in model.parameters} - set(signature(name))
    assert lacking <= LACKING.get(name, set())


@pytest.mark.parametrize(("model", "backend", "name"), CLASSES)
def test_a_module_has_the_attributes_of_the_table(model, backend, name) -> None:
    if not backend_available(backend):
        assert backend == "sinabs-exodus"  # which needs a CUDA device
        return
    arguments = arguments_for(model)
    module = getattr(rockpool.nn.modules, name)(**arguments)
    defaults = {spec.name: spec.default for spec in model.settings}
    shape = model.full_shape(name, defaults | arguments)

    assert set(module.state()) - {"rng_key"} == {state.name for state in model.states}
    present = {spec.name: spec for spec in model.parameters if spec.is_present(defaults)}
    assert set(module.parameters()) == set(present)
    for key, value in module.parameters().items():
        spec, values = present[key], to_numpy(value)
        assert values.shape in model.parameter_shapes(shape, spec)
        if spec.default is not None:
            np.testing.assert_allclose(values, spec.default, rtol=1e-6)
    for state in model.states:
        assert to_numpy(module.state()[state.name]).shape == model.sized(shape, state.shape)


@pytest.mark.parametrize("backend", [name for name in LIF.classes if name != "sinabs-exodus"])
def test_a_time_constant_of_no_time_is_refused_by_name(backend) -> None:
    name = LIF.classes[backend]
    with pytest.raises(ValueError, match=f"{name}: tau_syn must be > 0 s, got 0"):
        getattr(rockpool.nn.modules, name)(2, tau_syn=0.0)


# by attribute, what no constructor takes
REFUSED = {
    "tau_mem": -0.01,
    "tau_syn": 0.0,
    "tau_ahp": np.nan,
    "tau": np.nan,
    "bias": np.inf,
    "weight": np.nan,
    "dt": 0.0,
    "noise_std": -1.0,
    "max_spikes_per_dt": 2.5,
    "max_window_length": 0.0,
    "act_fn": "no such function",
}


def assign(module, name, value):
    setattr(module, name, value)


def assign_with_others(module, name, value):
    module.set_attributes({**module.parameters(), **module.state(), name: value})


def assign_in_a_container(module, name, value):
    Sequential(module).set_attributes({f"0_{module.class_name}": {name: value}})


@pytest.mark.parametrize("way", [assign, assign_with_others, assign_in_a_container])
@pytest.mark.parametrize(("model", "backend", "name"), CLASSES)
def test_what_the_constructor_refuses_is_refused_later_as_well(model, backend, name, way) -> None:
    if not backend_available(backend):
        return
    module = getattr(rockpool.nn.modules, name)(**arguments_for(model))
    refused = REFUSED | ({"threshold": 0.0} if "LIF" in name else {})
    for attribute in set(refused) & set(model.stored):
        if not module._has_registered_attribute(attribute):
            continue
        present, value = getattr(module, attribute), refused[attribute]
        if np.ndim(present):
            value = np.full(np.shape(present), value, np.float32)
        with pytest.raises((ValueError, TypeError), match=attribute):
            way(module, attribute, value)
        assert getattr(module, attribute) is present


@pytest.mark.parametrize("value", [["a", "b"], [1j, 0], np.ma.masked_array([1.0, 2.0], [0, 1])])
@pytest.mark.parametrize("name", ["LIF", "LIFNumba", "LIFJax"])
def test_a_state_is_made_of_real_numbers(name, value) -> None:
    module = getattr(rockpool.nn.modules, name)(2)
    before = module.vmem
    with pytest.raises(TypeError, match=f"{name}: vmem must be"):
        module.vmem = value
    with pytest.raises(TypeError, match=f"{name}: vmem must be"):
        module.set_attributes({"tau_mem": np.ones(2), "vmem": value})
    assert module.vmem is before and not np.any(module.tau_mem == 1.0)


def test_several_values_are_set_together_or_not_at_all() -> None:
    module = Rate(1)
    before = module.simulation_parameters()
    with pytest.raises(ValueError, match=r"Rate: tau must be >= dt = 0.05 s, got 0.03"):
        module.set_attributes({"dt": 0.05, "noise_std": 1.0, "tau": np.array([0.03])})
    assert module.simulation_parameters() == before

    module.set_attributes({"dt": 0.05, "tau": np.array([0.06])})

    assert module.dt == 0.05


@pytest.mark.parametrize("name", ["Rate", "RateNumba", "RateTorch", "RateJax"])
def test_a_function_can_be_assigned_by_its_name(name) -> None:
    module = getattr(rockpool.nn.modules, name)(1)
    named = getattr(rockpool.nn.modules, name)(1, activation_func="tanh")
    module.act_fn = "tanh"
    assert str(module.act_fn) == str(named.act_fn)


def test_what_is_traced_is_not_judged() -> None:
    @jax.jit
    def changed(tau):
        return LIFJax(1).set_attributes({"tau_mem": tau}).tau_mem

    assert changed(jnp.array([-1.0])) == -1.0


def test_every_name_that_is_advertised_stands_in_one_row() -> None:
    names = [name for row in ROWS for backend in BACKENDS for name in row.names(backend)]
    assert sorted(names) == sorted(advertised("rockpool.nn.modules"))


def test_the_model_of_a_class_is_known_without_its_back_end() -> None:
    assert model_of("LIFNest") is LIF
    assert model_of("ButterFilter") is None


# what is constructed by other arguments than a shape
MADE = {
    "LowPass": lambda cls: cls(2, 1e-3, 0.02),
    "LIFNeuronTorch": lambda cls: cls(2),
    "SoftmaxJax": lambda cls: cls((2, 2)),
    "LogSoftmaxJax": lambda cls: cls((2, 2)),
    "Linear": lambda cls: cls((2, 2)),
    "LinearTorch": lambda cls: cls((2, 2)),
    "LinearJax": lambda cls: cls((2, 2)),
}
MADE |= {
    name: lambda cls, model=model: cls(**arguments_for(model))
    for model in MODELS
    if "shape_in" in arguments_for(model)
    for name in model.classes.values()
}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_every_state_that_a_batch_leaves_can_be_set_back() -> None:
    data = np.random.default_rng(0).random((3, 4, 2), dtype=np.float32) / 4
    for row in ROWS:
        for backend in BACKENDS:
            for name in row.names(backend):
                cls = getattr(rockpool.nn.modules, name)
                if not can_be_made(name, cls):
                    continue
                module = MADE.get(name, lambda cls: cls(2))(cls)
                for keep in (False, True):
                    module = module.keep_batch_state(keep)
                    given = torch.tensor(data) if isinstance(module, torch.nn.Module) else data
                    _, state, _ = module(given)
                    module = module.set_attributes(state)
                    module = module.set_attributes(module.state())
                    wanted = {key: to_numpy(value) for key, value in leaves(state)}
                    found = {key: to_numpy(value) for key, value in leaves(module.state())}
                    assert str(found) == str(wanted), name


def can_be_made(name: str, cls: type) -> bool:
    concrete = isinstance(cls, type) and issubclass(cls, Module) and not inspect.isabstract(cls)
    return concrete and name not in NOT_FROM_A_SHAPE and "Exodus" not in name


NOT_FROM_A_SHAPE = {"ButterFilter", "ButterMelFilter", "TorchModule", "JaxModule"}
NOT_FROM_A_SHAPE |= {"WeightedSmoothBase", "LIFSlayer"}
