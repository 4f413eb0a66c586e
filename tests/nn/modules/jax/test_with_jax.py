"""Modules under the tools of JAX: optax, sharding, export, and the ways to look for errors."""

from __future__ import annotations

import logging
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax.example_libraries import optimizers
from support import golden

import rockpool
from rockpool.nn.combinators import Residual, Sequential
from rockpool.nn.kernels.switch import use_kernels
from rockpool.nn.modules.jax import (
    ExpSynJax,
    JaxModule,
    LIFJax,
    LIFODEJax,
    LinearJax,
    RateJax,
    SoftmaxJax,
)

DATA = jnp.asarray(golden.inputs(2, 6, 2, 1.5))


def network() -> JaxModule:
    np.random.seed(0)
    return Sequential(LinearJax((2, 4)), LIFJax(4), LinearJax((4, 1)), ExpSynJax(1))


def loss(parameters: Any, net: JaxModule, data: Any) -> Any:
    output, _, _ = net.reset_state().set_attributes(parameters)(data)
    return jnp.mean((output - 1) ** 2)


def test_training_with_optax() -> None:
    net = network()
    optimiser = optax.adam(1e-2)

    @jax.jit
    def step(parameters: Any, state: Any) -> Any:
        value, gradients = jax.value_and_grad(loss)(parameters, net, DATA)
        updates, state = optimiser.update(gradients, state, parameters)
        return optax.apply_updates(parameters, updates), state, value

    parameters = net.parameters("weights")
    state = optimiser.init(parameters)
    values = []
    for _ in range(60):
        parameters, state, value = step(parameters, state)
        values.append(float(value))

    assert values[-1] < 0.3 * values[0]
    assert net.set_attributes(parameters).parameters("weights").keys() == parameters.keys()


def test_training_a_module_itself_with_optax() -> None:
    """A module without random numbers is a tree of parameters like any other."""
    net = LinearJax((2, 1), has_bias=True)
    optimiser = optax.sgd(0.1)
    state = optimiser.init(net)

    for _ in range(3):
        gradients = jax.grad(lambda net: jnp.mean((net(DATA)[0] - 1) ** 2))(net)
        updates, state = optimiser.update(gradients, state)
        net = optax.apply_updates(net, updates)

    assert isinstance(net, LinearJax) and net.weight.shape == (2, 1)


@pytest.mark.slow
def test_training_with_the_optimisers_of_jax() -> None:
    net = network()
    init, update, get_parameters = optimizers.adam(1e-2)
    state = init(net.parameters("weights"))
    value_and_gradient = jax.jit(jax.value_and_grad(loss))

    values = []
    for step in range(10):
        value, gradients = value_and_gradient(get_parameters(state), net, DATA)
        state = update(step, gradients, state)
        values.append(float(value))

    assert values[-1] < values[0]


@pytest.mark.slow
def test_one_operation_at_a_time() -> None:
    layer = LIFJax(2, has_rec=True)
    data = DATA[:1, :2]
    expected = jax.value_and_grad(loss)(layer.parameters(), layer, data)

    with jax.disable_jit():
        found = jax.value_and_grad(loss)(layer.parameters(), layer, data)

    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6), found, expected
    )


@pytest.mark.slow
def test_nans_are_looked_for_and_none_found() -> None:
    # without leak, and with time constants for which decays vanish
    layer = LIFJax((2, 1), tau_mem=np.inf, tau_syn=[[1e-6, np.inf]])

    with jax.debug_nans(True), jax.checking_leaks():
        value, gradients = jax.jit(jax.value_and_grad(loss))(layer.parameters(), layer, DATA)

    assert np.isfinite(value)
    assert all(jnp.isfinite(leaf).all() for leaf in jax.tree.leaves(gradients))


def test_a_nan_is_found() -> None:
    with jax.debug_nans(True), pytest.raises(FloatingPointError):
        LIFJax(2)(DATA.at[0, 0, 0].set(np.nan))


def test_export(caplog: pytest.LogCaptureFixture) -> None:
    net = LIFJax(2)

    with caplog.at_level(logging.DEBUG, "rockpool.kernels"):
        exported = jax.export.export(jax.jit(jax.value_and_grad(loss)))(net.parameters(), net, DATA)
    assert "rockpool_lif: scan (it is exported)" in caplog.text
    value, gradients = exported.call(net.parameters(), net, DATA)

    expected, expected_gradients = jax.value_and_grad(loss)(net.parameters(), net, DATA)
    np.testing.assert_allclose(value, expected, rtol=1e-5)
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6),
        gradients,
        expected_gradients,
    )


def test_export_for_other_platforms() -> None:
    layer = LIFJax(2)

    exported = jax.export.export(jax.jit(lambda x: layer(x)[0]), platforms=["cpu", "cuda", "tpu"])(
        DATA
    )

    np.testing.assert_array_equal(exported.call(DATA), layer(DATA)[0])


SHARDED = """
    import logging
    import jax, jax.numpy as jnp, numpy as np
    from jax.sharding import Mesh, NamedSharding, PartitionSpec
    from rockpool.nn.combinators import Sequential
    from rockpool.nn.modules.jax import LIFJax, LinearJax, RateJax

    assert len(jax.devices()) == 2
    np.random.seed(0)
    net = Sequential(LinearJax((3, 4)), LIFJax((4, 2), has_rec=True), RateJax(2))
    data = jnp.asarray(np.random.default_rng(0).random((4, 7, 3)) * 3, jnp.float32)

    @jax.jit
    @jax.value_and_grad
    def loss(parameters, data):
        output, _, record = net.set_attributes(parameters)(data)
        return jnp.mean(output**2) + jnp.mean(record["1_LIFJax_output"] ** 2)

    mesh = Mesh(np.array(jax.devices()), ("batch",))
    split = jax.device_put(data, NamedSharding(mesh, PartitionSpec("batch")))
    everywhere = jax.device_put(net.parameters(), NamedSharding(mesh, PartitionSpec()))
    value, gradients = loss(everywhere, split)
    expected, expected_gradients = loss(net.parameters(), data)

    np.testing.assert_allclose(value, expected, rtol=1e-6)
    close = lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
    jax.tree.map(close, gradients, expected_gradients)
    output = jax.jit(lambda x: net(x)[0])(split)
    assert len(output.sharding.device_set) == 2 and not output.sharding.is_fully_replicated
    print("split over", len(output.sharding.device_set), "devices")

    layer, ways = LIFJax(3), []
    spikes = layer(data)[0]
    logger = logging.getLogger("rockpool.kernels")
    logger.addFilter(lambda record: ways.append(record.getMessage()))
    logger.setLevel("DEBUG")
    batch = PartitionSpec("batch")
    by_itself = jax.shard_map(lambda x: layer(x)[0], mesh=mesh, in_specs=batch, out_specs=batch)
    for function in (by_itself, lambda x: layer(x)[0]):
        np.testing.assert_array_equal(jax.jit(function)(split), spikes)
    print(*ways, sep="\\n")
"""


# each device with a part of the batch and gradients for the parameters that all have in common
MAPPED = """
    import jax
    import jax.numpy as jnp
    import numpy as np
    from jax.sharding import Mesh, PartitionSpec
    from rockpool.nn.modules.jax import ExpSynJax, LIFJax, LIFODEJax, RateJax

    np.random.seed(0)
    mesh = Mesh(np.array(jax.devices()), ("batch",))
    data = jnp.asarray(np.random.default_rng(0).random((4, 9, 3)) * 20, jnp.float32)
    layers = [LIFJax(3), LIFJax(3, has_rec=True), LIFODEJax(3), ExpSynJax(3), RateJax(3)]
    layers.append(RateJax(3, has_rec=True))

    for layer in layers:
        loss = lambda output: jnp.sum(output * jnp.arange(9.0)[:, None])
        evolve = lambda p, x: layer.set_attributes(p)(x)[0]
        parts = PartitionSpec(), PartitionSpec("batch")
        mapped = jax.shard_map(evolve, mesh=mesh, in_specs=parts, out_specs=parts[1])
        found, expected = (
            jax.jit(jax.value_and_grad(lambda p, x: loss(way(p, x)), (0, 1)))(
                layer.parameters(), data
            )
            for way in (mapped, evolve)
        )
        # the devices' sums are added up, in single precision
        close = lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-4)
        jax.tree.map(close, found, expected)
        assert any(np.any(g) for g in jax.tree.leaves(found[1]))
        print(type(layer).__name__)
"""


@pytest.mark.parametrize("kernels", ["1", "0"])
@pytest.mark.slow
def test_each_device_has_a_part_of_the_batch(kernels: str) -> None:
    assert on_two_devices(MAPPED, ROCKPOOL_KERNELS=kernels) == [
        *("LIFJax", "LIFJax", "LIFODEJax", "ExpSynJax", "RateJax", "RateJax")
    ]


def on_two_devices(script: str, **variables: str) -> list[str]:
    """Run a script where JAX has two devices; return the lines that it prints."""
    done = subprocess.run(
        [sys.executable, "-P", "-W", "error", "-c", textwrap.dedent(script)],
        env={
            "XLA_FLAGS": "--xla_force_host_platform_device_count=2",
            "JAX_PLATFORMS": "cpu",
            "PYTHONPATH": str(Path(rockpool.__file__).parents[1]),
            **variables,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.slow
def test_a_batch_is_split_over_two_devices() -> None:
    assert on_two_devices(SHARDED) == [
        "split over 2 devices",
        "rockpool_lif: kernel",  # each device for itself
        "rockpool_lif: scan (it is divided among devices)",
    ]


# --- settings of jax ------------------------------------------------------------------------------

RECURRENT = {"has_rec": True, "noise_std": 0.1, "threshold": [0.5, 1.0]}
LAYERS: dict[str, Any] = {
    "LIF": lambda: LIFJax((4, 2), **RECURRENT),
    "LIFODE": lambda: LIFODEJax((4, 2), **RECURRENT),
    "Rate": lambda: RateJax(2, activation_func="tanh", **RECURRENT),
    "ExpSyn": lambda: ExpSynJax(2, tau=[0.1, 0.2], noise_std=0.1),
    "Softmax": lambda: SoftmaxJax((3, 2), axis=-1),
    "Residual": lambda: Residual(LinearJax((2, 2), has_bias=True), ExpSynJax(2)),
}


@pytest.mark.slow
@pytest.mark.parametrize("path", ["scan", "kernel"])
@pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS)
def test_ranks_are_promoted_nowhere_in_silence(make: Any, path: str) -> None:
    with jax.numpy_rank_promotion("raise"), use_kernels(path == "kernel"):
        module = make()
        data = jnp.ones((2, 3, module.size_in))
        module(data[0])
        gradient = jax.grad(lambda p: jnp.sum(module.set_attributes(p)(data)[0] ** 2))
        leaves = jax.tree.leaves(gradient(module.parameters()))
    assert all(jnp.isfinite(leaf).all() for leaf in leaves)


def go_on(module: Any, data: Any) -> Any:
    output, state, _ = module(data)
    return module.set_attributes(state), output


KEYS = [None, jax.random.PRNGKey(1), jax.random.key(1)]


@pytest.mark.parametrize("key", KEYS, ids=["drawn", "words", "typed"])
def test_a_key_stays_what_it_is_where_jax_makes_typed_ones(key: Any) -> None:
    with jax.enable_custom_prng(True):
        module = LIFJax(2, noise_std=0.1, rng_key=key)
        after, _ = jax.lax.scan(go_on, module, jnp.ones((3, 1, 2, 2)))
        assert after.rng_key.dtype == module.rng_key.dtype
        assert after.rng_key.shape == module.rng_key.shape


@pytest.mark.parametrize("dtype", [jnp.float16, jnp.bfloat16])
@pytest.mark.parametrize(
    "layer", [LIFJax, pytest.param(RateJax, marks=pytest.mark.slow), ExpSynJax]
)
def test_narrow_parameters_and_wide_states_are_carried(layer: Any, dtype: Any) -> None:
    """The numbers are those of a calculation in the narrow type."""
    module = layer(2, rng_key=jax.random.key(0))
    cast = {name: value.astype(dtype) for name, value in module.parameters().items()}
    module, data = module.set_attributes(cast), jnp.ones((2, 1, 3, 2), dtype)
    after, output = jax.lax.scan(go_on, module, data)
    whole, state, _ = module(data.reshape(1, 6, 2))
    assert output.dtype == whole.dtype == dtype
    assert jnp.array_equal(output.reshape(1, 6, 2), whole)
    for name, value in state.items():
        assert value.dtype == getattr(module, name).dtype
        if name != "rng_key":
            assert jnp.array_equal(getattr(after, name), value)
