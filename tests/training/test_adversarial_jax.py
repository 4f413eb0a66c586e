"""Adversarial training of jax networks."""

from __future__ import annotations

import copy
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.tree_util import Partial

from rockpool.nn.modules.jax import JaxModule, LinearJax, RateJax
from rockpool.training.adversarial_jax import adversarial_loss, pga_attack
from rockpool.training.jax_loss import mse

KEY = jax.random.PRNGKey(0)
DATA = jnp.linspace(0, 1, 12).reshape(1, 6, 2)
MISMATCH = Partial(lambda original, output: jnp.mean((original - output) ** 2))


def rate() -> RateJax:
    return RateJax(2, tau=[0.02, 0.03], rng_key=KEY)


def attack(net: JaxModule, leaves: Any, structure: Any, n_steps: int, std: float = 1e-3) -> Any:
    output = net.set_attributes(jax.tree.unflatten(structure, leaves))(DATA)[0]
    return pga_attack(leaves, net, KEY, DATA, output, structure, MISMATCH, n_steps, 0.1, std)


def test_the_attack() -> None:
    net = rate()
    leaves, structure = jax.tree.flatten(net.parameters())

    theta_star, verbose = attack(net, leaves, structure, 3)

    tau, tau_star = leaves[1], theta_star[1]
    # three steps in one direction, from a random start; parameters of size 0 stay
    np.testing.assert_allclose(jnp.abs(tau_star - tau), 0.1 * tau, rtol=0.05)
    assert theta_star[0].tolist() == theta_star[2].tolist() == [0, 0]
    assert len(verbose["losses"]) == len(verbose["grads"]) == 3
    assert verbose["losses"][0] < verbose["losses"][1] < verbose["losses"][2]
    assert [g.shape for g in verbose["grads"][0]] == [(2,), (2,), (2,)]


def test_the_random_start_is_in_proportion_to_the_parameters() -> None:
    net = LinearJax((2, 2), weight=np.array([[1.0, 10.0], [0.0, -5.0]]))
    leaves, structure = jax.tree.flatten(net.parameters())

    starts, _ = pga_attack(leaves, net, KEY, DATA, DATA, structure, MISMATCH, 1, 0.0, 0.01)

    own_key = jax.random.split(KEY)[1]
    noise = jax.random.normal(own_key, (2, 2))
    np.testing.assert_allclose(starts[0], net.weight + abs(net.weight) * 0.01 * noise, rtol=1e-6)


@pytest.mark.slow
def test_the_attack_can_be_differentiated() -> None:
    net = rate()
    leaves, structure = jax.tree.flatten(net.parameters())

    derivatives, verbose = jax.jacfwd(
        lambda leaves: attack(net, leaves, structure, 2), has_aux=True
    )(leaves)

    # of tau_star with respect to tau: 1 plus the start and the steps, in proportion to tau
    np.testing.assert_allclose(jnp.diagonal(derivatives[1][1]), 1, rtol=0.11)
    assert len(verbose["losses"]) == 2


def test_the_loss() -> None:
    net = rate()
    parameters = net.parameters()

    # answers known from another implementation
    plain = adversarial_loss(parameters, net, DATA, DATA, mse, mse, KEY)
    assert float(plain) == pytest.approx(0.281022, abs=2e-6)
    noisy = adversarial_loss(parameters, net, DATA, DATA, mse, mse, KEY, 0.1, 0.01, 0.1, 0.25, 3)
    assert float(noisy) == pytest.approx(0.27550, abs=5e-5)
    of_task = adversarial_loss(parameters, net, DATA, DATA, mse, mse, KEY, beta_robustness=0.0)
    assert float(of_task) == pytest.approx(float(mse(DATA, net(DATA)[0])), rel=1e-6)
    assert plain > of_task


@pytest.mark.slow
def test_gradients_of_the_loss() -> None:
    net = rate()

    with jax.checking_leaks():
        gradients = jax.grad(adversarial_loss)(net.parameters(), net, DATA, DATA, mse, mse, KEY)

    np.testing.assert_allclose(gradients["tau"], [1.5111887, 1.0106121], rtol=1e-4)
    np.testing.assert_allclose(gradients["bias"], [-0.08470584, -0.06954885], rtol=1e-4)


def test_the_first_part_of_the_gradient_ignores_how_noise_depends_on_parameters() -> None:
    net = LinearJax((2, 1), weight=np.ones((2, 1)))

    def loss(parameters: Any) -> Any:
        return adversarial_loss(
            parameters, net, DATA, jnp.zeros((1, 6, 1)), mse, mse, KEY, 0.5, beta_robustness=0.0
        )

    gradient = jax.grad(loss)(net.parameters())["weight"]

    noise = 0.5 * jax.random.normal(jax.random.split(KEY)[1], (2, 1))
    expected = jax.grad(lambda w: mse(0.0, DATA @ w))(net.weight + noise)
    np.testing.assert_allclose(gradient, expected, rtol=1e-5)


def test_at_least_one_step() -> None:
    net = rate()
    with pytest.raises(ValueError, match="attack_steps must be >= 1, got 0"):
        attack(net, *jax.tree.flatten(net.parameters()), 0)


def test_a_setting_that_was_changed_counts() -> None:
    net = rate()
    before = adversarial_loss(net.parameters(), net, DATA, DATA, mse, mse, KEY)
    net.dt = 5 * net.dt
    after = adversarial_loss(net.parameters(), net, DATA, DATA, mse, mse, KEY)
    other = copy.deepcopy(net)
    assert before != after
    assert after == adversarial_loss(other.parameters(), other, DATA, DATA, mse, mse, KEY)
