"""The neurons of NIR in torch: `LIFEulerTorch`, and what is made of it by leaving out or adding."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Unpack

from rockpool.nn.models import euler
from rockpool.nn.modules.torch._base.initialisers import kaiming_rows
from rockpool.nn.modules.torch._base.registry import Values
from rockpool.nn.modules.torch.euler_base_torch import EulerBaseTorch, with_window
from rockpool.nn.modules.torch.torch_module import TorchArguments

__all__ = ["CubaLIEulerTorch", "CubaLIFEulerTorch", "IFEulerTorch", "LIEulerTorch", "LIFEulerTorch"]


class IFEulerTorch(EulerBaseTorch):
    """A layer of integrate-and-fire neurons as NIR has them, in torch.

    Equations, parameters, settings and errors are those of `IFEuler`; gradients are as for
    `LIFEulerTorch`.

    Parameters
    ----------
    weight_init_func, learning_window
        As for `LIFEulerTorch`.
    """

    _model = with_window(euler.IF_EULER)

    def __init__(
        self,
        shape: int | tuple[int, ...],
        r: Values | None = None,
        threshold: Values | None = None,
        v_reset: Values | None = None,
        w_rec: Values | None = None,
        has_rec: bool = False,
        weight_init_func: Callable[[tuple[int, ...]], Any] = kaiming_rows,
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
        learning_window: float | int = 0.5,
        **kwargs: Unpack[TorchArguments],
    ) -> None:
        self._declare(locals(), super().__init__)


class LIFEulerTorch(EulerBaseTorch):
    """A layer of leaky integrate-and-fire neurons as NIR has them, in torch.

    The equations are those of `LIFEuler`, and so are spikes, parameters, settings and errors.
    Gradients of spikes are those of a surrogate, ``[v >= threshold - w] / (threshold - v_reset)``
    with the window w, and pass through the reset. The gradient of a reset to `v_reset` is that of
    ``v (1 - s) + s v_reset``.

    Parameters
    ----------
    shape, tau_mem, r, v_leak, threshold, v_reset, w_rec, has_rec, dt
        As for `LIFEuler`.
    weight_init_func : callable
        ``shape -> weights`` for the recurrent weights. Default: U(-a, a), ``a = sqrt(6 / N)``.
    decay, gain, reset, reset_delay, fires, max_spikes_per_dt, delay
        As for `LIFEuler`.
    learning_window : float
        Width of the surrogate gradient below the threshold. Default: 0.5.
    spiking_input, spiking_output : bool
        As for `LIFEuler`.

    Examples
    --------
    >>> import torch
    >>> from rockpool.nn.modules import LIFEulerTorch
    >>> spikes, _, _ = LIFEulerTorch((2, 3), r=30.0)(torch.ones(1, 5, 2, 3))
    >>> tuple(spikes.shape), int(spikes.sum())
    ((1, 5, 2, 3), 30)
    """

    _model = with_window(euler.LIF_EULER)

    def __init__(
        self,
        shape: int | tuple[int, ...],
        tau_mem: Values | None = None,
        r: Values | None = None,
        v_leak: Values | None = None,
        threshold: Values | None = None,
        v_reset: Values | None = None,
        w_rec: Values | None = None,
        has_rec: bool = False,
        weight_init_func: Callable[[tuple[int, ...]], Any] = kaiming_rows,
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
        learning_window: float | int = 0.5,
        **kwargs: Unpack[TorchArguments],
    ) -> None:
        self._declare(locals(), super().__init__)


class LIEulerTorch(EulerBaseTorch):
    """A layer of leaky integrators as NIR has them, in torch.

    Equations, parameters, settings and errors are those of `LIEuler`.
    """

    _model = euler.LI_EULER

    def __init__(
        self,
        shape: int | tuple[int, ...],
        tau_mem: Values | None = None,
        r: Values | None = None,
        v_leak: Values | None = None,
        dt: float | int = 1e-3,
        spiking_input: bool = False,
        spiking_output: bool = False,
        *args: Any,
        decay: str = "euler",
        gain: str = "r",
        delay: int = 0,
        **kwargs: Unpack[TorchArguments],
    ) -> None:
        self._declare(locals(), super().__init__)


class CubaLIFEulerTorch(EulerBaseTorch):
    """A layer of current-based leaky integrate-and-fire neurons as NIR has them, in torch.

    Equations, parameters, settings and errors are those of `CubaLIFEuler`; gradients are as for
    `LIFEulerTorch`.

    Parameters
    ----------
    weight_init_func, learning_window
        As for `LIFEulerTorch`.
    """

    _model = with_window(euler.CUBA_LIF_EULER)

    def __init__(
        self,
        shape: int | tuple[int, ...],
        tau_mem: Values | None = None,
        tau_syn: Values | None = None,
        r: Values | None = None,
        w_in: Values | None = None,
        v_leak: Values | None = None,
        threshold: Values | None = None,
        v_reset: Values | None = None,
        w_rec: Values | None = None,
        has_rec: bool = False,
        weight_init_func: Callable[[tuple[int, ...]], Any] = kaiming_rows,
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
        learning_window: float | int = 0.5,
        **kwargs: Unpack[TorchArguments],
    ) -> None:
        self._declare(locals(), super().__init__)


class CubaLIEulerTorch(EulerBaseTorch):
    """A layer of current-based leaky integrators as NIR has them, in torch.

    Equations, parameters, settings and errors are those of `CubaLIEuler`.
    """

    _model = euler.CUBA_LI_EULER

    def __init__(
        self,
        shape: int | tuple[int, ...],
        tau_mem: Values | None = None,
        tau_syn: Values | None = None,
        r: Values | None = None,
        w_in: Values | None = None,
        v_leak: Values | None = None,
        dt: float | int = 1e-3,
        spiking_input: bool = False,
        spiking_output: bool = False,
        *args: Any,
        decay: str = "euler",
        gain: str = "r",
        gain_syn: str = "w_in",
        synapse: str = "new",
        delay: int = 0,
        **kwargs: Unpack[TorchArguments],
    ) -> None:
        self._declare(locals(), super().__init__)
