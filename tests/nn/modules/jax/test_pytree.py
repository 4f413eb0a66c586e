"""Modules as ordinary pytrees of JAX."""

from __future__ import annotations

import copy
import pickle
from collections import OrderedDict
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.tree_util import Partial
from support import golden

from rockpool.nn.combinators import FFwdStack, Residual, Sequential
from rockpool.nn.modules.jax import (
    ExpSynJax,
    InstantJax,
    JaxModule,
    LIFJax,
    LinearJax,
    RateJax,
    SoftmaxJax,
)
from rockpool.nn.modules.native import Linear
from rockpool.parameters import Constant, Parameter, SimulationParameter, State

DATA = jnp.asarray(golden.inputs(2, 5, 2))


def halved(data: Any) -> Any:
    return data / 2


def weighted(weights: Any, data: Any) -> Any:
    return weights * data


def scaled(shape: tuple[int, ...]) -> np.ndarray:
    return golden.weights(*shape)


MODULES: dict[str, JaxModule] = {
    "LIFJax": LIFJax(2, spiking_input=True, spiking_output=False, dt=2e-3, max_spikes_per_dt=7),
    "recurrent LIFJax": LIFJax(2, has_rec=True),
    "RateJax": RateJax((2, 2), has_rec=True, activation_func=lambda x, t: x * t),
    "LinearJax with bias": LinearJax((2, 3), has_bias=True),
    "SoftmaxJax": SoftmaxJax((2, 3), has_bias=False),
    "ExpSynJax": ExpSynJax(2, noise_std=1.0),
    "InstantJax": InstantJax(2, Partial(weighted, jnp.arange(2.0))),
    "Sequential": Sequential(OrderedDict(first=LinearJax((2, 2)), second=LIFJax(2))),
    "Residual": Residual(LinearJax((2, 2)), Sequential(InstantJax(2, halved))),
    "FFwdStack": FFwdStack(LinearJax((2, 2)), InstantJax(3), weight_init_func=scaled),
}


@pytest.fixture(params=MODULES)
def module(request: pytest.FixtureRequest) -> JaxModule:
    return MODULES[request.param]


def assert_equal_trees(found: Any, expected: Any) -> None:
    jax.tree.map(np.testing.assert_array_equal, found, expected)


def test_a_module_survives_flattening(module: JaxModule) -> None:
    leaves, structure = jax.tree.flatten(module)
    rebuilt = jax.tree.unflatten(structure, leaves)

    assert type(rebuilt) is type(module) and repr(rebuilt) == repr(module)
    assert jax.tree.structure(rebuilt) == structure
    assert hash(jax.tree.structure(rebuilt)) == hash(structure)
    for what in ("spiking_input", "spiking_output", "shape", "name"):
        assert getattr(rebuilt, what) == getattr(module, what)
    for tree in ("parameters", "state"):
        assert_equal_trees(getattr(rebuilt, tree)(), getattr(module, tree)())
    assert str(rebuilt.simulation_parameters()) == str(module.simulation_parameters())
    assert_equal_trees(rebuilt(DATA), module(DATA))


def test_a_module_is_an_argument_and_a_result_of_a_jitted_function(module: JaxModule) -> None:
    rebuilt, output = jax.jit(lambda module, data: (module, module(data)[0]))(module, DATA)

    assert jax.tree.structure(rebuilt) == jax.tree.structure(module)
    np.testing.assert_allclose(output, module(DATA)[0], rtol=1e-5, atol=1e-6)


def test_leaves_are_arrays_and_each_of_them_is_there_once(module: JaxModule) -> None:
    leaves = jax.tree.leaves(module)

    assert all(isinstance(leaf, jax.Array) for leaf in leaves)
    own = jax.tree.leaves((module.parameters(), module.state()))
    counted = [sum(leaf is other for other in leaves) for leaf in own]
    # a value that the user gave, and the key, are there as present and as initial values
    assert all(count in (1, 2) for count in counted)


def test_leaves_may_be_anything(module: JaxModule) -> None:
    structure = jax.tree.structure(module)

    shapes = jax.eval_shape(lambda module: module, module)
    numbered = jax.tree.unflatten(structure, range(structure.num_leaves))

    assert jax.tree.structure(shapes) == jax.tree.structure(numbered) == structure
    assert jax.tree.leaves(numbered) == list(range(structure.num_leaves))
    copied = jax.tree.map(lambda leaf, _: leaf, module, numbered)
    assert_equal_trees(copied.parameters(), module.parameters())


def test_only_arrays_make_a_difference_to_tree_map() -> None:
    first, second = LIFJax(2, tau_mem=0.02), LIFJax(2, tau_mem=[0.04, 0.06])

    mean = jax.tree.map(lambda a, b: (a + b) / 2, first, second)

    np.testing.assert_allclose(mean.tau_mem, [0.03, 0.04], rtol=1e-6)
    assert isinstance(mean, LIFJax) and mean.dt == 1e-3


def test_settings_and_names_belong_to_the_structure() -> None:
    def structure(**arguments: Any) -> Any:
        return jax.tree.structure(LIFJax(2, **arguments))

    assert structure() == structure()
    assert structure(tau_mem=0.01) == structure(tau_mem=0.03)
    assert structure(dt=1e-4) != structure()
    assert structure(noise_std=1) != structure()
    assert structure(spiking_input=True) != structure()
    assert jax.tree.structure(RateJax(2)) != jax.tree.structure(RateJax(2, activation_func="tanh"))


def test_leaves_have_paths() -> None:
    net = Sequential(LinearJax((2, 2)), LIFJax(2))

    paths = [jax.tree_util.keystr(path) for path, _ in jax.tree.leaves_with_path(net)]

    assert ".modules['0_LinearJax'].parameters['weight']" in paths
    assert ".modules['1_LIFJax'].state['vmem']" in paths


def test_a_layer_without_recurrence_stays_without() -> None:
    layer = RateJax(2)
    data = jnp.ones((1, 4, 2))

    outputs = [jax.jit(lambda m, x: m(x)[0])(layer, data) for _ in range(2)]

    np.testing.assert_array_equal(outputs[0], outputs[1])
    np.testing.assert_allclose(outputs[0], layer(data)[0], rtol=1e-6)
    assert "w_rec" not in layer.parameters() and layer.w_rec == 0.0


def test_absent_weights_are_visible_cost_nothing_and_are_never_traced() -> None:
    layer = LIFJax(3000)

    assert layer.simulation_parameters()["w_rec"].shape == (3000, 3000)
    assert layer.w_rec.base is None or layer.w_rec.base.size == 1
    assert not any(leaf.size > 9000 for leaf in jax.tree.leaves(layer))
    assert len(pickle.dumps(layer)) < 200_000
    with pytest.raises(ValueError, match="not recurrent"):
        LIFJax(2).w_rec = np.ones((2, 2))


@pytest.mark.slow
def test_gradients_with_respect_to_a_module_are_a_module() -> None:
    net = Sequential(LinearJax((2, 2)), LIFJax(2))

    def loss(net: JaxModule) -> Any:
        return jnp.sum(net(DATA)[0] ** 2)

    gradients = jax.grad(loss, allow_int=True)(net)
    expected = jax.grad(lambda p: loss(net.set_attributes(p)))(net.parameters())

    assert isinstance(gradients, JaxModule)
    assert_equal_trees(gradients.parameters(), expected)
    linear = LinearJax((2, 2))
    assert jax.grad(lambda m: jnp.sum(m(DATA)[0]))(linear).weight.shape == (2, 2)


@pytest.mark.slow
def test_modules_are_stacked_and_mapped_over() -> None:
    layers = [LIFJax(2, bias=0.1 * n, rng_key=jax.random.key(n), noise_std=0.1) for n in range(3)]

    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *layers)
    outputs = jax.vmap(lambda layer: layer.reset_state()(DATA)[2]["vmem"])(stacked)

    for output, layer in zip(outputs, layers, strict=True):
        np.testing.assert_allclose(output, layer(DATA)[2]["vmem"], rtol=1e-5, atol=1e-7)


def test_modules_are_built_in_a_mapped_function() -> None:
    layers = jax.vmap(lambda bias: LIFJax(2, bias=bias))(jnp.arange(6.0).reshape(3, 2))

    assert layers.bias.shape == (3, 2)
    third = jax.tree.map(lambda leaf: leaf[2], layers)
    assert third.bias.tolist() == [4, 5] and third.reset_parameters().bias.tolist() == [4, 5]


def test_a_reset_in_a_jitted_function_goes_back_to_the_values_of_that_module() -> None:
    reset = jax.jit(lambda module: module.reset_parameters().reset_state())

    for tau in (0.01, 0.05):
        layer = LIFJax(2, tau_mem=tau, rng_key=jax.random.key(int(1000 * tau)))
        changed = layer.set_attributes({"tau_mem": jnp.float32(1), "vmem": jnp.ones(2)})
        fresh = reset(changed)
        assert fresh.tau_mem == np.float32(tau)
        assert fresh.vmem.tolist() == [0, 0] and fresh.rng_key == layer.rng_key


@pytest.mark.slow
@pytest.mark.parametrize("name", ["recurrent LIFJax", "Residual"])
def test_checkpointing_changes_nothing(name: str) -> None:
    module = MODULES[name]

    def loss(parameters: Any, data: Any) -> Any:
        return jnp.sum(module.set_attributes(parameters)(data)[0] ** 2)

    plain = jax.grad(loss)(module.parameters(), DATA)
    recomputed = jax.grad(jax.checkpoint(loss))(module.parameters(), DATA)

    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5), recomputed, plain)


def test_copies_and_pickles(module: JaxModule) -> None:
    jax.tree.structure(module)
    for copied in [copy.deepcopy(module), copy.copy(module)]:
        assert_equal_trees(copied(DATA), module(DATA))
    if "lambda" not in repr(jax.tree.structure(module)):
        assert_equal_trees(pickle.loads(pickle.dumps(module))(DATA), module(DATA))


# -- changes -------------------------------------------------------------------------------------


def test_changes_leave_the_module_as_it_is() -> None:
    net = Sequential(LinearJax((2, 2)), LIFJax(2))
    before = net.parameters(), net.state()
    new = jax.tree.map(lambda value: value + 1, before)

    changed = net.set_attributes(new[0]).set_attributes(new[1])
    changed.reset_state(), net.reset_parameters(), net.keep_batch_state()

    assert_equal_trees((net.parameters(), net.state()), before)
    assert_equal_trees((changed.parameters(), changed.state()), new)
    assert not net.keeps_batch_state


def test_copies_share_nothing_that_can_be_edited() -> None:
    net = Sequential(LinearJax((2, 2)), LIFJax(2))

    changed = net.set_attributes({})
    changed[1].tau_mem = 5.0 * net[1].tau_mem
    changed[1].noise_std = 3.0

    assert net[1].tau_mem.tolist() == [np.float32(0.02)] * 2 and net[1].noise_std == 0


def test_attributes_are_assigned_in_place() -> None:
    layer = LIFJax(2)
    layer.tau_mem = [0.01, 0.02]
    layer.noise_std = np.float64(0.5)

    assert layer.tau_mem.dtype == jnp.float32 and not layer.tau_mem.weak_type
    assert type(layer.noise_std) is float


def test_an_edit_of_an_array_that_was_given_does_not_matter() -> None:
    tau, bias = np.full(2, 0.01), np.zeros(2)
    layer = LIFJax(2, tau_mem=tau)
    layer.bias = bias

    tau[:], bias[:] = 1, 1

    assert layer.tau_mem.tolist() == [np.float32(0.01)] * 2 and layer.bias.tolist() == [0, 0]
    assert layer.reset_parameters().tau_mem.tolist() == [np.float32(0.01)] * 2


def test_constants_are_not_trained() -> None:
    layer = LIFJax(2, tau_mem=Constant(0.01), threshold=Constant(np.ones(2)))

    assert set(layer.parameters()) == {"tau_syn", "bias"}
    assert jax.jit(lambda m, x: m(x)[0])(layer, DATA).shape == (2, 5, 2)


def test_a_submodule_must_be_of_jax() -> None:
    with pytest.raises(ValueError, match="must be a JaxModule, got Linear"):
        LIFJax(2).weights = Linear((2, 2))


# -- classes of users ----------------------------------------------------------------------------


class Leaky(JaxModule):
    """A layer with parameters, a state, settings and ordinary attributes."""

    def __init__(self, shape: Any, gain: float = 2.0, **kwargs: Any) -> None:
        super().__init__(shape, **kwargs)
        self.tau = Parameter(shape=(self.size_out,), init_func=np.ones, family="taus")
        self.level = State(shape=(self.size_out,), init_func=np.zeros)
        self.function = SimulationParameter(jnp.tanh)
        self.inner = LinearJax((self.size_in, self.size_out))
        self.gain = gain
        self.mask = jnp.ones(self.size_out)
        self.history = [1, 2]

    def evolve(self, input_data: Any, record: bool = False) -> Any:
        data, (level,) = self._auto_batch(input_data, (self.level,))
        output = self.inner(data)[0] * self.gain * self.mask * self.tau
        new_state = {"level": level[0] + output[0, -1], "inner": {}}
        return self.function(output), new_state, {}


def test_a_class_of_a_user() -> None:
    module = Leaky((2, 3), gain=3.0)

    rebuilt, output = jax.jit(lambda m, x: (m, m(x)[0]))(module, DATA)

    assert rebuilt.gain == 3.0 and rebuilt.history == [1, 2] and rebuilt.mask.shape == (3,)
    np.testing.assert_allclose(output, module(DATA)[0], rtol=1e-6)
    assert set(module.parameters()) == {"tau", "inner"}


def test_an_ordinary_attribute_that_changes_is_noticed() -> None:
    module = Leaky((2, 3))
    function = jax.jit(lambda m: jnp.float32(m.gain + sum(m.history)))

    found = [float(function(module))]
    module.gain = 5.0
    found.append(float(function(module)))
    module.history.append(3)
    found.append(float(function(module)))

    assert found == [5, 8, 11]


class OwnUnflatten(JaxModule):
    """A class that rebuilds its objects with the constructor."""

    rebuilt = 0

    def __init__(self, shape: Any, scale: float = 1.0) -> None:
        super().__init__(shape)
        self.weight = Parameter(shape=(2,), init_func=np.zeros)
        self.scale = SimulationParameter(scale)
        self._init_args = {"scale": scale}

    def evolve(self, input_data: Any, record: bool = False) -> Any:
        return self._auto_batch(input_data)[0] * self.weight * self.scale, {}, {}

    @classmethod
    def tree_unflatten(cls, aux_data: Any, children: Any) -> OwnUnflatten:
        parameters, settings, state, _modules, init_args = children
        _name, shape, _submodules = aux_data
        module = cls(shape=shape, **init_args)
        module._force_set_attributes = True
        module = module.set_attributes({**parameters, **settings, **state})
        module._force_set_attributes = False
        cls.rebuilt += 1
        return module


def test_a_class_may_have_its_own_unflattening() -> None:
    module = OwnUnflatten(2, scale=3.0)
    assert OwnUnflatten.rebuilt == 0

    doubled = jax.tree.map(lambda weight: weight + 2, module)

    assert OwnUnflatten.rebuilt == 1 and doubled.scale == 3.0
    assert doubled(jnp.ones((1, 1, 2)))[0].tolist() == [[[6, 6]]]


def test_a_class_may_be_registered_by_its_author() -> None:
    @jax.tree_util.register_pytree_node_class
    class Registered(JaxModule):
        def evolve(self, input_data: Any, record: bool = False) -> Any:
            return input_data, {}, {}

    assert jax.tree.leaves(Registered(2)) == []
    assert jax.tree.map(lambda x: x, Registered(3)).shape == (3,)


def test_a_structure_from_elsewhere_is_rebuilt_by_the_constructor() -> None:
    module = ExpSynJax(2, tau=0.03)
    children, aux = module.tree_flatten()

    rebuilt = ExpSynJax.tree_unflatten(tuple(aux), children[:5])

    assert rebuilt.tau == module.tau and rebuilt.shape == (2,)


def test_arrays_that_are_changed_in_place_are_seen() -> None:
    class Own(JaxModule):
        def __init__(self, gains: Any, within: bool) -> None:
            super().__init__((1, 1))
            self.gains = {"a": gains} if within else gains

        def evolve(self, input_data: Any, record: bool = False) -> Any:
            gains = self.gains["a"] if isinstance(self.gains, dict) else self.gains
            return jnp.asarray(input_data) * gains.sum(), {}, {}

    data = np.ones((1, 1, 1))
    for within in (False, True):
        evolved = jax.jit(lambda net, data: net(data)[0].sum())
        gains = np.array([1.0, 2.0])
        net = Own(gains, within)
        assert evolved(net, data) == 3
        gains[0] = 100.0
        assert evolved(net, data) == 102 and evolved(Own(gains.copy(), within), data) == 102
        assert evolved(Own(np.array([1.0, 2.0]), within), data) == 3
