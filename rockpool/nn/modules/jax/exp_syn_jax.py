"""The exponential synapse in jax: `ExpSynJax`."""

from __future__ import annotations

from typing import Any, Unpack

import jax
import numpy  # noqa: F401 - waits where another thread is importing it

from rockpool.nn.models.exp_syn import EXP_SYN
from rockpool.nn.modules.jax._base.decays import decay
from rockpool.nn.modules.jax._kernels.dispatch import chosen_loop
from rockpool.nn.modules.jax._kernels.evolve import Arrays, Evolution, Values
from rockpool.nn.modules.jax._loops.exp_syn import exp_syn_loop
from rockpool.nn.modules.jax.jax_module import JaxModule
from rockpool.nn.modules.module import NoArguments
from rockpool.typehints import ArrayLike

__all__ = ["ExpSynJax", "exp_syn_loop"]


def exp_syn_evolution(
    x: jax.Array, state: Arrays, values: Values, noise: jax.Array | None, kernels: bool
) -> Evolution:
    """Evolve exponential synapses; a `TimeLoop`."""
    loop = chosen_loop("exp_syn", exp_syn_loop, x, kernels)
    output, isyn = loop(x, state["isyn"], decay(values["dt"], values["tau"]), noise)
    return output, {"isyn": isyn}, {}


class ExpSynJax(JaxModule):
    r"""A layer of exponential synapses, in jax: a leaky sum of the input of each channel.

    For each time step:

    .. math::

        I_{syn} \leftarrow (I_{syn} + x_t + \nu_t) \, e^{-dt / \tau}

    and the output is :math:`I_{syn}`; with the noise :math:`\nu_t = \sigma \sqrt{dt} \, z`,
    :math:`z \sim N(0, 1)`, on the input (in `ExpSyn` it is on the output).

    Errors are those of `ExpSyn` and `JaxModule`, parameters those of `ExpSyn` but for:

    Parameters
    ----------
    noise_std : float
        Standard deviation of the noise on the input, after one second. Default: 0.
    rng_key : key, optional
        Key for the noise, as for `LIFJax`.

    Attributes
    ----------
    isyn : jax.Array
        The state: synaptic currents, shape (N,). Zero at rest.
        A call does not change it: give the new state to `set_attributes` to go on from there.
    rng_key : jax.Array
        The key, a state as well.
    """

    _model = EXP_SYN.arranged("dt tau noise_std isyn")

    tau: jax.Array
    noise_std: float
    isyn: jax.Array

    def __init__(
        self,
        shape: int | tuple[int, ...],
        tau: ArrayLike | None = None,
        noise_std: float | int = 0.0,
        dt: float | int = 1e-3,
        rng_key: Any = None,
        spiking_input: bool = True,
        spiking_output: bool = False,
        *args: Any,
        **kwargs: Unpack[NoArguments],
    ) -> None:
        self._declare(locals(), super().__init__)

    def evolve(
        self, input_data: ArrayLike, record: bool = False
    ) -> tuple[jax.Array, dict[str, Any], dict[str, Any]]:
        """Evolve the synapses over time; as `ExpSyn.evolve`, but the module does not change.

        The new state also has the next ``rng_key``.
        """
        return self._evolve_batch(
            exp_syn_evolution,
            input_data,
            {"isyn": (self.size_out,)},
            {"tau": self.tau},
            noise_std=self.noise_std,
        )
