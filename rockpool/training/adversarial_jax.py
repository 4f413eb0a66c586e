"""Training of networks that withstand changes of their parameters, in jax.

A projected gradient ascent in the space of parameters looks for parameters close to the present
ones for which the output of the network differs most (`pga_attack`); this difference is a part of
the loss (`adversarial_loss`). The result is a network that works with the mismatch of analogue
hardware, or with quantised weights.

The network is a static argument here: it says how to evolve, its parameters come separately.

J. Büchel, F. Faber, D. R. Muir, Network insensitivity to parameter noise via adversarial
regularization, ICLR (2022).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from rockpool.nn.modules.jax.jax_module import JaxModule

__all__ = ["adversarial_loss", "pga_attack"]

Tree = Any
Loss = Callable[[Any, Any], Any]


def _output(net: JaxModule, parameters: Tree, inputs: Any) -> Any:
    """Return the output of a network with some parameters, from its initial state."""
    output, _, _ = net.reset_state().set_attributes(parameters)(inputs)
    return output


def _noise_like(
    key: jax.Array, leaves: list[Any], scale: float | int
) -> tuple[jax.Array, list[Any]]:
    """Return the next key, and for each parameter noise in proportion to its size."""
    noise = []
    for leaf in leaves:
        key, own_key = jax.random.split(key)
        noise.append(jnp.abs(leaf) * scale * jax.random.normal(own_key, jnp.shape(leaf)))
    return key, noise


# Arguments of both functions that are compiled for
_STATIC = ("mismatch_loss", "attack_steps", "mismatch_level", "initial_std")


@partial(jax.jit, static_argnames=("tree_def_params", *_STATIC))
def pga_attack(
    params_flattened: list[Any],
    net: JaxModule,
    rng_key: jax.Array,
    inputs: Any,
    net_out_original: Any,
    tree_def_params: Any,
    mismatch_loss: Loss,
    attack_steps: int = 10,
    mismatch_level: float | int = 0.025,
    initial_std: float | int = 1e-3,
) -> tuple[list[Any], dict[str, list[Any]]]:
    """Look for parameters near the given ones for which the output of a network differs most.

    From ``p + |p| initial_std z``, ``z ~ N(0, 1)``, each step goes by ``mismatch_level |p| /
    attack_steps`` in the direction of the sign of the gradient of the mismatch loss. Is compiled,
    and can be differentiated.

    Parameters
    ----------
    params_flattened : list of arrays
        Parameters of the network, as ``jax.tree.flatten`` gives them, in their shapes.
    net : JaxModule
        The network. It starts from its initial state in each step.
    rng_key : key
        For the random start.
    inputs : array
        Input to the network, shape (B, T, Nin).
    net_out_original : array
        Its output with the given parameters, shape (B, T, Nout).
    tree_def_params : PyTreeDef
        The structure of the parameters, as ``jax.tree.flatten`` gives it.
    mismatch_loss : callable
        ``mismatch_loss(net_out_original, output)``, to be maximised; must be hashable.
    attack_steps : int
        Number of steps. Default: 10.
    mismatch_level : float
        How far each parameter goes, in proportion to its size. Default: 0.025.
    initial_std : float
        Standard deviation of the random start, in proportion to each parameter. Default: 1e-3.

    Returns
    -------
    theta_star : list of arrays
        The parameters found, flattened.
    verbose : dict
        ``grads`` and ``losses`` of each step, as lists.

    Raises
    ------
    ValueError
        There is less than one step.
    """
    if attack_steps < 1:
        raise ValueError(f"pga_attack: attack_steps must be >= 1, got {attack_steps}")

    def mismatch(theta: list[Any]) -> Any:
        parameters = jax.tree.unflatten(tree_def_params, theta)
        return mismatch_loss(net_out_original, _output(net, parameters, inputs))

    _, noise = _noise_like(rng_key, params_flattened, initial_std)
    theta_star = [p + n for p, n in zip(params_flattened, noise, strict=True)]
    steps = [mismatch_level * jnp.abs(p) / attack_steps for p in params_flattened]

    def ascend(theta: list[Any], _: None) -> tuple[list[Any], tuple[Any, list[Any]]]:
        loss, grads = jax.value_and_grad(mismatch)(theta)
        moved = [t + step * jnp.sign(g) for t, step, g in zip(theta, steps, grads, strict=True)]
        return moved, (loss, grads)

    # One step is compiled, however many there are
    theta_star, (losses, grads) = lax.scan(ascend, theta_star, None, length=attack_steps)
    verbose = {
        "grads": [[g[step] for g in grads] for step in range(attack_steps)],
        "losses": [losses[step] for step in range(attack_steps)],
    }
    return theta_star, verbose


@partial(
    jax.jit,
    static_argnames=("task_loss", "noisy_forward_std", "beta_robustness", *_STATIC),
)
def adversarial_loss(
    parameters: Tree,
    net: JaxModule,
    inputs: Any,
    target: Any,
    task_loss: Loss,
    mismatch_loss: Loss,
    rng_key: jax.Array,
    noisy_forward_std: float | int = 0.0,
    initial_std: float | int = 1e-3,
    mismatch_level: float | int = 0.025,
    beta_robustness: float | int = 0.25,
    attack_steps: int = 10,
) -> Any:
    """Return the loss of a task plus that of the output's dependence on the parameters.

    ``task_loss(target, net(p + noise)(x)) + beta_robustness * mismatch_loss(net(p)(x),
    net(theta_star)(x))``, with the parameters ``theta_star`` that `pga_attack` finds. Is compiled,
    and can be differentiated with respect to the parameters.

    Parameters
    ----------
    parameters : dict
        Parameters of the network, ``net.parameters()``.
    net : JaxModule
        The network. It starts from its initial state.
    inputs : array
        Input to the network, shape (B, T, Nin).
    target : array
        Target of the output, of the shape that `task_loss` takes.
    task_loss : callable
        ``task_loss(target, output)``; must be hashable.
    mismatch_loss : callable
        ``mismatch_loss(net_out_original, output)``; must be hashable.
    rng_key : key
        For the noise and the random start of the attack.
    noisy_forward_std : float
        Standard deviation of noise on the parameters for the task loss, in proportion to each.
        Default: 0, none.
    initial_std, mismatch_level, attack_steps
        As for `pga_attack`.
    beta_robustness : float
        Weight of the second part. Default: 0.25.

    Returns
    -------
    scalar
        The loss.
    """
    leaves, structure = jax.tree.flatten(parameters)
    noisy = leaves
    if noisy_forward_std != 0.0:
        rng_key, noise = _noise_like(rng_key, leaves, noisy_forward_std)
        noisy = [p + lax.stop_gradient(n) for p, n in zip(leaves, noise, strict=True)]
    loss = task_loss(target, _output(net, jax.tree.unflatten(structure, noisy), inputs))

    output = _output(net, parameters, inputs)
    theta_star, _ = pga_attack(
        params_flattened=leaves,
        net=net,
        rng_key=rng_key,
        inputs=inputs,
        net_out_original=output,
        tree_def_params=structure,
        mismatch_loss=mismatch_loss,
        attack_steps=attack_steps,
        mismatch_level=mismatch_level,
        initial_std=initial_std,
    )
    output_star = _output(net, jax.tree.unflatten(structure, theta_star), inputs)
    return loss + beta_robustness * mismatch_loss(output, output_star)
