"""The neurons of NIR in jax: `LIFEulerJax`, and what is made of it by leaving out or adding."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Unpack

import numpy  # noqa: F401 - waits where another thread is importing it

from rockpool.nn.models import euler
from rockpool.nn.modules.jax.euler_base_jax import EulerBaseJax
from rockpool.nn.modules.module import NoArguments
from rockpool.nn.modules.native.linear import kaiming
from rockpool.typehints import ArrayLike

__all__ = ["CubaLIEulerJax", "CubaLIFEulerJax", "IFEulerJax", "LIEulerJax", "LIFEulerJax"]


class IFEulerJax(EulerBaseJax):
    """A layer of integrate-and-fire neurons as NIR has them, in jax.

    Equations, parameters, settings and errors are those of `IFEuler`; gradients are as for
    `LIFEulerJax`.
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
        weight_init_func: Callable[[tuple[int, ...]], Any] = kaiming,
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
        **kwargs: Unpack[NoArguments],
    ) -> None:
        self._declare(locals(), super().__init__)


class LIFEulerJax(EulerBaseJax):
    """A layer of leaky integrate-and-fire neurons as NIR has them, in jax.

    The equations are those of `LIFEuler`, and so are spikes, parameters, settings and errors.
    The gradient of spikes is that of a surrogate, ``[v >= threshold - 0.5] / (threshold -
    v_reset)``, and passes through the reset. The gradient of a reset to `v_reset` is that of
    ``v (1 - s) + s v_reset``. As with all modules of jax, a call changes nothing.

    Parameters
    ----------
    shape, tau_mem, r, v_leak, threshold, v_reset, w_rec, has_rec, weight_init_func, dt
        As for `LIFEuler`.
    decay, gain, reset, reset_delay, fires, max_spikes_per_dt, delay
        As for `LIFEuler`.
    spiking_input, spiking_output : bool
        As for `LIFEuler`.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from rockpool.nn.modules import LIFEulerJax
    >>> spikes, state, record = LIFEulerJax((2, 3), r=30.0)(jnp.ones((1, 5, 2, 3)))
    >>> spikes.shape, int(spikes.sum())
    ((1, 5, 2, 3), 30)
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
        weight_init_func: Callable[[tuple[int, ...]], Any] = kaiming,
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
        **kwargs: Unpack[NoArguments],
    ) -> None:
        self._declare(locals(), super().__init__)


class LIEulerJax(EulerBaseJax):
    """A layer of leaky integrators as NIR has them, in jax.

    Equations, parameters, settings and errors are those of `LIEuler`.
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
        **kwargs: Unpack[NoArguments],
    ) -> None:
        self._declare(locals(), super().__init__)


class CubaLIFEulerJax(EulerBaseJax):
    """A layer of current-based leaky integrate-and-fire neurons as NIR has them, in jax.

    Equations, parameters, settings and errors are those of `CubaLIFEuler`; gradients are as for
    `LIFEulerJax`.
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
        weight_init_func: Callable[[tuple[int, ...]], Any] = kaiming,
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
        **kwargs: Unpack[NoArguments],
    ) -> None:
        self._declare(locals(), super().__init__)


class CubaLIEulerJax(EulerBaseJax):
    """A layer of current-based leaky integrators as NIR has them, in jax.

    Equations, parameters, settings and errors are those of `CubaLIEuler`.
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
        **kwargs: Unpack[NoArguments],
    ) -> None:
        self._declare(locals(), super().__init__)
