"""What is compiled, how often, and what it costs."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jax
import jax.numpy as jnp
import pytest
from jax.interpreters import partial_eval as pe

from rockpool.nn.combinators import Sequential
from rockpool.nn.kernels.switch import use_kernels
from rockpool.nn.modules.jax import (
    ExpSynJax,
    InstantJax,
    JaxModule,
    LIFJax,
    LIFODEJax,
    LinearJax,
    RateJax,
)

DATA = jnp.ones((2, 4, 3))


class Counter(logging.Handler):
    """Counts what JAX says that it traces and compiles."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        if message.startswith(("Compiling", "Finished tracing")):
            self.messages.append(message)


@contextmanager
def compilations() -> Iterator[list[str]]:
    """Collect what is traced and compiled."""
    counter, logger = Counter(), logging.getLogger("jax")
    logger.addHandler(counter)
    propagate, logger.propagate = logger.propagate, False
    try:
        with jax.log_compiles():
            yield counter.messages
    finally:
        logger.removeHandler(counter)
        logger.propagate = propagate


MODULES = [
    LIFJax(3),
    LIFJax(3, has_rec=True, noise_std=0.1),
    LIFODEJax(3),
    RateJax(3, has_rec=True),
    RateJax(3, activation_func=lambda x, threshold: x - threshold),
    ExpSynJax(3),
    LinearJax((3, 2), has_bias=True),
    InstantJax(3, jnp.tanh),
]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: type(module).__name__)
def test_a_second_call_compiles_nothing(module: JaxModule) -> None:
    with compilations() as first:
        _, new_state, _ = module(DATA)
    module = module.set_attributes(new_state)
    with compilations() as second:
        module(DATA + 1)

    assert first and not [message for message in second if "add" not in message]


def test_a_second_call_of_a_jitted_function_compiles_nothing() -> None:
    net = Sequential(LinearJax((3, 3)), LIFJax(3), RateJax(3))

    @jax.jit
    def function(net: JaxModule, data: Any) -> Any:
        output, new_state, _ = net(data)
        return output, net.set_attributes(new_state)

    _, net = function(net, DATA)
    with compilations() as messages:
        _, net = function(net, DATA)
        function(net.reset_state().set_attributes(net.parameters()), DATA)

    assert messages == []


def test_another_module_of_the_same_kind_compiles_nothing() -> None:
    first = Sequential(LinearJax((3, 3)), LIFJax(3))
    first[1](first[0](DATA)[0])
    other = Sequential(LinearJax((3, 3)), LIFJax(3, tau_mem=jnp.array([0.01, 0.02, 0.03])))

    with compilations() as messages:
        other[1](other[0](DATA)[0])

    assert not [message for message in messages if "_evolve" in message]


def test_gradients_without_jit_are_not_compiled_again() -> None:
    layer = LIFJax(3)
    gradient = jax.grad(lambda p, x: jnp.sum(layer.set_attributes(p)(x)[0] ** 2))
    gradient(layer.parameters(), DATA)

    with compilations() as messages:
        gradient(layer.parameters(), DATA)

    assert not [message for message in messages if message.startswith("Compiling")]


@pytest.mark.parametrize("record", [True, False])
def test_record_may_be_traced(record: bool) -> None:
    layer = LIFJax(3)

    _, _, records = jax.jit(layer)(DATA, record=record)

    assert set(records) == {"irec", "spikes", "isyn", "vmem"}
    assert set(layer(DATA)[2]) == set(records)


def compiled(function: Any, *arguments: Any) -> Any:
    return jax.jit(function).lower(*arguments).compile()


def test_records_that_are_not_used_take_no_memory() -> None:
    layer = LIFJax(50)
    data = jnp.ones((1, 200, 50))

    used = compiled(lambda x: layer(x), data).memory_analysis()
    unused = compiled(lambda x: layer(x)[:2], data).memory_analysis()

    trace = data.size * 4
    assert used.output_size_in_bytes > 4 * trace
    assert unused.output_size_in_bytes < 1.1 * trace
    assert unused.temp_size_in_bytes < 3.5 * trace


# a kernel is an operation of that name
LOOPS = {"scan": "= scan[", "kernel": "= rockpool_"}


def jaxpr_of(layer: JaxModule, path: str, *, records: bool) -> str:
    """Return what JAX makes of an evolution, the records of which are used or not."""
    data = jnp.ones((2, 4, layer.size_in))
    with use_kernels(path == "kernel"):
        function = jax.make_jaxpr(lambda layer, x: layer(x)[: 3 if records else 2])(layer, data)
    if records:
        return str(function)
    used, _ = pe.dce_jaxpr(function.jaxpr, [True] * len(function.jaxpr.outvars))
    return str(used)


@pytest.mark.parametrize("path", LOOPS)
@pytest.mark.parametrize("layer", [LIFJax(3), RateJax(3), LIFODEJax(3)], ids=repr)
def test_absent_recurrent_weights_are_not_computed_with(layer: JaxModule, path: str) -> None:
    found = jaxpr_of(layer, path, records=True)

    assert "dot_general" not in found
    assert LOOPS["scan" if isinstance(layer, LIFODEJax) else path] in found


def test_no_noise_is_drawn_at_zero_noise() -> None:
    for layer in [LIFJax(3), RateJax(3), ExpSynJax(3)]:
        silent = str(jax.make_jaxpr(lambda m, x: m(x))(layer, DATA))
        layer.noise_std = 0.5
        noisy = str(jax.make_jaxpr(lambda m, x: m(x))(layer, DATA))
        assert "random_bits" not in silent and "random_bits" in noisy


@pytest.mark.parametrize("path", LOOPS)
@pytest.mark.parametrize(
    "layer",
    [LIFJax(3), LIFJax((6, 3), has_rec=True), ExpSynJax(3), RateJax(3), RateJax(3, has_rec=True)],
    ids=repr,
)
def test_one_loop_for_an_evolution(layer: JaxModule, path: str) -> None:
    # beside a kernel, the records are computed anew where they are used
    found = jaxpr_of(layer, path, records=path == "scan")

    assert {name: found.count(mark) for name, mark in LOOPS.items()} == {
        name: int(name == path) for name in LOOPS
    }


def test_the_backward_pass_stores_only_three_values_per_step() -> None:
    layer = LIFJax(50)
    data = jnp.ones((1, 200, 50))

    def loss(parameters: Any, data: Any) -> Any:
        return jnp.sum(layer.set_attributes(parameters)(data)[0] ** 2)

    program = compiled(jax.grad(loss, (0, 1)), layer.parameters(), data)

    # input, spikes, currents, membrane; output and its gradient, gradient of the input
    assert program.memory_analysis().temp_size_in_bytes < 8 * data.size * 4
