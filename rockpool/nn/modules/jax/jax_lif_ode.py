"""LIF neurons by forward Euler steps of their equations, in jax: `LIFODEJax`."""

from __future__ import annotations

from typing import ClassVar

import jax

from rockpool.nn.modules.jax._base.arrays import cast
from rockpool.nn.modules.jax._base.spikes import step_pwl
from rockpool.nn.modules.jax._kernels.evolve import Arrays, Evolution, TimeLoop, Values
from rockpool.nn.modules.jax._loops.lif import LIFState
from rockpool.nn.modules.jax._loops.lif_ode import lif_ode_loop
from rockpool.nn.modules.jax.lif_jax import LIFJax, sigmoid

__all__ = ["LIFODEJax", "lif_ode_loop", "sigmoid", "step_pwl"]


def lif_ode_evolution(
    x: jax.Array, state: Arrays, values: Values, noise: jax.Array | None, kernels: bool
) -> Evolution:
    """Evolve neurons by forward Euler steps; a `TimeLoop`. There is no kernel for it."""
    most = cast(values["max_spikes_per_dt"], x.dtype)
    values = {**values, "max_spikes_per_dt": most}
    output, final, records = lif_ode_loop(x, LIFState(**state), values, noise)
    return output, final._asdict(), {name: records[name] for name in ("irec", "isyn", "vmem")}


class LIFODEJax(LIFJax):
    r"""A layer of leaky integrate-and-fire neurons, by forward Euler steps of the equations.

    Unlike in `LIFJax` the input is scaled by the time step. For each time step, in this order:

    .. math::

        I_{rec} &= S_{t-1} \cdot W_{rec} \\
        I_{syn} &\leftarrow I_{syn} + \frac{dt}{\tau_{syn}} (-I_{syn} + x_t + I_{rec}) \\
        V_{mem} &\leftarrow V_{mem} + \frac{dt}{\tau_{mem}}
            (-V_{mem} + \sum_s I_{syn} + \nu_t + b) \\
        S_t &= \min([V_{mem} \ge \theta] \lfloor V_{mem} / \theta \rfloor, S_{max}) \\
        V_{mem} &\leftarrow V_{mem} - S_t \, \theta

    with the noise :math:`\nu_t = \sigma \sqrt{dt} \, z`, :math:`z \sim N(0, 1)`.

    Parameters, attributes and errors are those of `LIFJax`.

    References
    ----------
    W. Gerstner, W. M. Kistler, R. Naud, L. Paninski, Neuronal Dynamics, Cambridge University Press
    (2014), chapter 1.3.
    """

    _loop: ClassVar[TimeLoop] = staticmethod(lif_ode_evolution)
