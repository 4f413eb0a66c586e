"""The neurons of NIR in numpy: `IFEuler`, `LIFEuler`, `LIEuler`, `CubaLIFEuler`, `CubaLIEuler`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Unpack

import numpy as np
from numpy.typing import DTypeLike

from rockpool.nn.models import euler
from rockpool.nn.modules.module import NoArguments
from rockpool.nn.modules.native.euler_base import EulerBase
from rockpool.nn.modules.native.linear import kaiming
from rockpool.typehints import ArrayLike

__all__ = ["CubaLIEuler", "CubaLIFEuler", "IFEuler", "LIEuler", "LIFEuler"]


class IFEuler(EulerBase):
    r"""A layer of integrate-and-fire neurons as NIR has them: no leak.

    In each time step

    .. math::

        V &\leftarrow V + r \, dt \, (x_t + S_{t-1} \cdot W_{rec}) \\
        S_t &= [V > \theta] \\
        V &\leftarrow V_{reset} \text{ where } S_t = 1

    and with ``gain="unit"`` 1 in place of ``r dt``. The rest is as for `LIFEuler`; there are no
    ``tau_mem`` and ``v_leak``, and `decay` makes no difference.

    Parameters
    ----------
    shape, r, threshold, v_reset, w_rec, has_rec, weight_init_func, dt
        As for `LIFEuler`.
    decay, gain, reset, reset_delay, fires, max_spikes_per_dt, delay, dtype
        As for `LIFEuler`.
    spiking_input, spiking_output : bool
        As for `LIFEuler`.
    """

    _model = euler.IF_EULER

    def __init__(
        self,
        shape: int | tuple[int, ...],
        r: ArrayLike | None = None,
        threshold: ArrayLike | None = None,
        v_reset: ArrayLike | None = None,
        w_rec: ArrayLike | None = None,
        has_rec: bool = False,
        weight_init_func: Callable[[tuple[int, ...]], np.ndarray] = kaiming,
        dt: float | int = 1e-3,
        spiking_input: bool = False,
        spiking_output: bool = True,
        *args: Any,
        decay: str = "euler",
        gain: str = "r",
        reset: str = "value",
        reset_delay: bool | str = False,
        fires: str = ">",
        max_spikes_per_dt: float | int = 1.0,
        delay: int = 0,
        dtype: DTypeLike = np.float64,
        **kwargs: Unpack[NoArguments],
    ) -> None:
        self._declare(locals(), super().__init__)


class LIFEuler(EulerBase):
    r"""A layer of leaky integrate-and-fire neurons as NIR, or a package that writes it, has them.

    For each time step, in this order:

    .. math::

        x &= x_t + S_{t-1} \cdot W_{rec} \\
        V &\leftarrow a V + g x + (1 - a) V_{leak} \\
        S_t &= [V > \theta] \\
        V &\leftarrow V_{reset} \text{ where } S_t = 1

    with :math:`a = 1 - dt / \tau_{mem}` and :math:`g = r \, dt / \tau_{mem}`. This is the forward
    Euler step of NIR's equation :math:`\tau_{mem} \dot V = (V_{leak} - V) + r x`. The settings make
    it the step of another package.

    Parameters
    ----------
    shape : int or tuple of int
        The array that the neurons are, ``N`` in all: ``10``, or ``(2, 4, 4)`` for channels, rows
        and columns. `module.shape` is ``(N, N)``, `module.neuron_shape` this one. Parameters and
        states are flat, in C order.
    tau_mem : array_like, optional
        Membrane time constants in seconds, shape (N,) or (); 20 ms. At least `dt` for Euler steps.
    r : array_like, optional
        Resistances, the weight of the input, shape (N,) or (); 1.
    v_leak : array_like, optional
        Potential to which the membrane decays, shape (N,) or (); 0.
    threshold : array_like, optional
        Firing thresholds, above `v_reset`, shape (N,) or (); 1.
    v_reset : array_like, optional
        Potential after a spike, shape (N,) or (); 0.
    w_rec : array_like, optional
        Recurrent weights, shape (N, N), only with `has_rec`; drawn by `weight_init_func`.
    has_rec : bool
        Whether the layer has recurrent weights. Default: False.
    weight_init_func : callable
        ``shape -> weights`` for the recurrent weights. Default: `kaiming`.
    dt : float
        Time step in seconds. Default: 1 ms.
    decay : str
        "euler" (default), :math:`a = 1 - dt / \tau`, or "exp", :math:`a = e^{-dt / \tau}`.
    gain : str
        "r" (default), :math:`g = r (1 - a)`, or "unit", :math:`g = 1`.
    reset : str
        "value" (default), to `v_reset`; "subtract", by the number of spikes times ``threshold -
        v_reset``; or "none".
    reset_delay : bool or str
        Whether the reset for a spike comes one step late, after the decay and the input of that
        step; or "snntorch", what snntorch does where it is False: with ``reset="subtract"``, a
        neuron that is above the threshold still after its reset has to pass another ``threshold -
        v_reset`` to fire again. Default: False.
    fires : str
        Whether a neuron fires above the threshold, ">" (default), or at it as well, ">=".
    max_spikes_per_dt : float
        Most spikes of a neuron in one time step with ``reset="subtract"``, of as many as it takes
        to bring it below the threshold; with other resets it is one. Default: 1.
    delay : int
        0 (default), or 1: the output comes one step late.
    dtype : dtype
        ``float64`` (default), or ``float32``: parameters, states and output are of that type, and
        it is computed in it.
    spiking_input, spiking_output : bool
        Whether a time series for the input is one of events (default False), and the output (True).

    Attributes
    ----------
    vmem, spikes : np.ndarray
        The state: membrane potentials and spikes of the last time step, (N,). Zero at rest.
        A second call goes on from there, a batch from that of element 0, or of all elements after
        `keep_batch_state()`; `reset_state()` returns to rest, and belongs in a training loop.

    Raises
    ------
    ValueError
        A parameter has a shape other than stated, or is not finite; a time constant or `dt` is not
        > 0 (infinite time constants are allowed: no leak), or a time constant is below `dt` for
        Euler steps; a threshold is not above `v_reset`; a setting is not one of those stated;
        `w_rec` without `has_rec`.
    TypeError
        A value is not made of numbers, or `shape` not of ints.

    References
    ----------
    J. E. Pedersen et al., Neuromorphic intermediate representation: a unified instruction set for
    interoperable brain-inspired computing, Nature Communications 15, 8122 (2024).

    Examples
    --------
    >>> import numpy as np
    >>> from rockpool.nn.modules import LIFEuler
    >>> spikes, state, record = LIFEuler((2, 3), r=30.0)(np.ones((1, 5, 2, 3)))
    >>> spikes.shape, state["vmem"].shape, int(spikes.sum())
    ((1, 5, 2, 3), (6,), 30)
    """

    _model = euler.LIF_EULER

    def __init__(
        self,
        shape: int | tuple[int, ...],
        tau_mem: ArrayLike | None = None,
        r: ArrayLike | None = None,
        v_leak: ArrayLike | None = None,
        threshold: ArrayLike | None = None,
        v_reset: ArrayLike | None = None,
        w_rec: ArrayLike | None = None,
        has_rec: bool = False,
        weight_init_func: Callable[[tuple[int, ...]], np.ndarray] = kaiming,
        dt: float | int = 1e-3,
        spiking_input: bool = False,
        spiking_output: bool = True,
        *args: Any,
        decay: str = "euler",
        gain: str = "r",
        reset: str = "value",
        reset_delay: bool | str = False,
        fires: str = ">",
        max_spikes_per_dt: float | int = 1.0,
        delay: int = 0,
        dtype: DTypeLike = np.float64,
        **kwargs: Unpack[NoArguments],
    ) -> None:
        self._declare(locals(), super().__init__)


class LIEuler(EulerBase):
    r"""A layer of leaky integrators as NIR has them; the output is the membrane.

    In each time step

    .. math::

        V \leftarrow a V + g x_t + (1 - a) V_{leak}

    with :math:`a` and :math:`g` as for `LIFEuler`, which has the rest. There are no spikes, no
    reset and no recurrent weights.

    Parameters
    ----------
    shape, tau_mem, r, v_leak, dt, decay, gain, delay, dtype
        As for `LIFEuler`.
    spiking_input, spiking_output : bool
        As for `LIFEuler`; both False by default.
    """

    _model = euler.LI_EULER

    def __init__(
        self,
        shape: int | tuple[int, ...],
        tau_mem: ArrayLike | None = None,
        r: ArrayLike | None = None,
        v_leak: ArrayLike | None = None,
        dt: float | int = 1e-3,
        spiking_input: bool = False,
        spiking_output: bool = False,
        *args: Any,
        decay: str = "euler",
        gain: str = "r",
        delay: int = 0,
        dtype: DTypeLike = np.float64,
        **kwargs: Unpack[NoArguments],
    ) -> None:
        self._declare(locals(), super().__init__)


class CubaLIFEuler(EulerBase):
    r"""A layer of current-based leaky integrate-and-fire neurons as NIR has them.

    `LIFEuler` with a synaptic current before the membrane, in each time step

    .. math::

        x &= x_t + S_{t-1} \cdot W_{rec} \\
        I &\leftarrow a_{syn} I + g_{syn} x \\
        V &\leftarrow a V + g I + (1 - a) V_{leak}

    with :math:`a_{syn} = 1 - dt / \tau_{syn}` and :math:`g_{syn} = w_{in} \, dt / \tau_{syn}`;
    spikes, reset and everything that is not stated here are as for `LIFEuler`.

    Parameters
    ----------
    shape, tau_mem, r, v_leak, threshold, v_reset, w_rec, has_rec, weight_init_func, dt
        As for `LIFEuler`.
    tau_syn : array_like, optional
        Synaptic time constants in seconds, shape (N,) or (); 20 ms. As `tau_mem` otherwise.
    w_in : array_like, optional
        Weights of the input of the synapses, shape (N,) or (); 1.
    decay, gain, reset, reset_delay, fires, max_spikes_per_dt, delay, dtype
        As for `LIFEuler`; `decay` is that of membrane and synapses.
    gain_syn : str
        "w_in" (default), :math:`g_{syn} = w_{in} (1 - a_{syn})`; "unit", :math:`g_{syn} = 1`; or
        "decay", :math:`I \leftarrow a_{syn} (I + x)`.
    synapse : str
        Whether the membrane sees the current after this step's update, "new" (default), or before
        it, "old".
    spiking_input, spiking_output : bool
        As for `LIFEuler`.

    Attributes
    ----------
    vmem, isyn, spikes : np.ndarray
        The state: membrane potentials, synaptic currents and spikes of the last time step, (N,).
        Zero at rest.
    """

    _model = euler.CUBA_LIF_EULER

    def __init__(
        self,
        shape: int | tuple[int, ...],
        tau_mem: ArrayLike | None = None,
        tau_syn: ArrayLike | None = None,
        r: ArrayLike | None = None,
        w_in: ArrayLike | None = None,
        v_leak: ArrayLike | None = None,
        threshold: ArrayLike | None = None,
        v_reset: ArrayLike | None = None,
        w_rec: ArrayLike | None = None,
        has_rec: bool = False,
        weight_init_func: Callable[[tuple[int, ...]], np.ndarray] = kaiming,
        dt: float | int = 1e-3,
        spiking_input: bool = False,
        spiking_output: bool = True,
        *args: Any,
        decay: str = "euler",
        gain: str = "r",
        gain_syn: str = "w_in",
        synapse: str = "new",
        reset: str = "value",
        reset_delay: bool | str = False,
        fires: str = ">",
        max_spikes_per_dt: float | int = 1.0,
        delay: int = 0,
        dtype: DTypeLike = np.float64,
        **kwargs: Unpack[NoArguments],
    ) -> None:
        self._declare(locals(), super().__init__)


class CubaLIEuler(EulerBase):
    r"""A layer of current-based leaky integrators as NIR has them; the output is the membrane.

    In each time step

    .. math::

        I &\leftarrow a_{syn} I + g_{syn} x_t \\
        V &\leftarrow a V + g I + (1 - a) V_{leak}

    as for `CubaLIFEuler`, which has the rest. There are no spikes, no reset and no recurrent
    weights.

    Parameters
    ----------
    shape, tau_mem, tau_syn, r, w_in, v_leak, dt
        As for `CubaLIFEuler`.
    decay, gain, gain_syn, synapse, delay, dtype
        As for `CubaLIFEuler`.
    spiking_input, spiking_output : bool
        As for `LIFEuler`; both False by default.
    """

    _model = euler.CUBA_LI_EULER

    def __init__(
        self,
        shape: int | tuple[int, ...],
        tau_mem: ArrayLike | None = None,
        tau_syn: ArrayLike | None = None,
        r: ArrayLike | None = None,
        w_in: ArrayLike | None = None,
        v_leak: ArrayLike | None = None,
        dt: float | int = 1e-3,
        spiking_input: bool = False,
        spiking_output: bool = False,
        *args: Any,
        decay: str = "euler",
        gain: str = "r",
        gain_syn: str = "w_in",
        synapse: str = "new",
        delay: int = 0,
        dtype: DTypeLike = np.float64,
        **kwargs: Unpack[NoArguments],
    ) -> None:
        self._declare(locals(), super().__init__)
