"""LIF neurons with the leaks of digital hardware in torch: `LIFBitshiftTorch`.

Hardware without a multiplier lets a value leak by ``v - (v >> dash)``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Unpack

import torch
from torch import Tensor
from torch.autograd import Function

from rockpool.nn.modules.torch._base.decays import bitshift_to_decay, decay_to_tau, precise
from rockpool.nn.modules.torch._base.initialisers import kaiming_columns
from rockpool.nn.modules.torch._base.registry import Values
from rockpool.nn.modules.torch._base.surrogates import StepPWL
from rockpool.nn.modules.torch._base.transforms import values_unknown
from rockpool.nn.modules.torch.lif_base_torch import LIFBaseTorch
from rockpool.nn.modules.torch.lif_torch import LIFTorch
from rockpool.nn.modules.torch.torch_module import TorchArguments
from rockpool.parameters import ResetTo, Shape

__all__ = ["Bitshift", "LIFBitshiftTorch", "calc_bitshift_decay", "inv_calc_bitshift_decay"]


def calc_bitshift_decay(tau: Tensor, dt: float | int) -> Tensor:
    """Return the bit-shift ``max(round(log2(tau / dt)), 0)``; halves are rounded to even."""
    dash = torch.round(torch.log2(precise(tau.detach()) / dt)).clamp(min=0.0)
    return dash.to(torch.int64)


def inv_calc_bitshift_decay(dash: Tensor | float | int, dt: float | int) -> Any:
    """Return the time constant ``dt 2**dash`` in seconds."""
    return dt * 2**dash


class Bitshift(Function):
    """A leak by bit-shift, ``data - data / 2**dash``; its gradient is taken to be ``tau``."""

    @staticmethod
    def forward(ctx: Any, data: Tensor, dash: Tensor, tau: Tensor) -> Tensor:
        ctx.save_for_backward(tau)
        return data - data / 2**dash

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        (tau,) = ctx.saved_tensors
        return grad * tau, None, None


class LIFBitshiftTorch(LIFTorch):
    r"""A layer of LIF neurons whose leaks are those of digital hardware.

    As `LIFTorch`, with decays that a bit-shift can do: :math:`\alpha = 1 - 2^{-d}`,
    :math:`d = \max(\mathrm{round}(\log_2(\tau / dt)), 0)`. At construction each time constant
    becomes that of its decay, :math:`-dt / \ln \alpha` (20 ms become 15.49 ms). No gradient reaches
    the time constants.

    Parameters
    ----------
    leak_mode : str
        Only "taus".
    tau_mem, tau_syn : array_like, optional
        Time constants in seconds, of the shapes that `LIF` has, each above ``√2 dt``: a shorter one
        has the bit-shift 0, a leak that leaves nothing. 20 ms.
    max_spikes_per_dt : float
        Most spikes that a neuron can emit in one time step. Default: 31.
    shape, bias, threshold, ..., dt
        As for `LIFTorch`.

    References
    ----------
    M. Davies et al., Loihi: a neuromorphic manycore processor with on-chip learning, IEEE Micro 38
    (2018), for leaks in digital neurons.

    Examples
    --------
    >>> from rockpool.nn.modules import LIFBitshiftTorch
    >>> LIFBitshiftTorch(1, tau_mem=20e-3).alpha
    tensor(0.9375)
    """

    def __init__(
        self,
        shape: int | tuple[int, ...],
        leak_mode: str = "taus",
        tau_mem: Values | None = None,
        tau_syn: Values | None = None,
        alpha: Values | None = None,
        beta: Values | None = None,
        dash_mem: Values | None = None,
        dash_syn: Values | None = None,
        bias: Values | None = None,
        threshold: Values | None = None,
        has_rec: bool = False,
        w_rec: Values | None = None,
        noise_std: float | int = 0.0,
        spike_generation_fn: Any = StepPWL,
        learning_window: float | int | Tensor = 0.5,
        max_spikes_per_dt: float | int | Tensor = 31,
        weight_init_func: Callable[[Shape], Any] = kaiming_columns,
        dt: float | int = 1e-3,
        *args: Any,
        **kwargs: Unpack[TorchArguments],
    ) -> None:
        owner = type(self).__name__
        if leak_mode != "taus":
            raise ValueError(f"{owner}: leak_mode must be 'taus', got {leak_mode!r}")
        self._declare(locals(), super(LIFBaseTorch, self).__init__)
        for name in ("tau_mem", "tau_syn"):
            tau = getattr(self, name).detach()
            self._require_a_shift(owner, name, tau, self.dt)
            tau.copy_(decay_to_tau(self.dt, self._hardware_decay(tau))[0])
            self._registered_attributes[name].init_func = ResetTo(tau)

    def _check_values(self, values: Mapping[str, Any]) -> None:
        super()._check_values(values)
        dt = values.get("dt", self.dt)
        for name in ("tau_mem", "tau_syn"):
            if name in values or dt != self.dt:
                tau = torch.as_tensor(values.get(name, getattr(self, name))).detach()
                self._require_a_shift(self._label, name, tau, dt)

    def _require_a_shift(self, owner: str, name: str, tau: Tensor, dt: float | int) -> None:
        if not values_unknown(tau) and not bool((calc_bitshift_decay(tau, dt) > 0).all()):
            raise ValueError(
                f"{owner}: {name} must be above sqrt(2) dt = {2**0.5 * dt:g} s, to leave "
                f"a bit-shift of at least 1, got {tau.min():g}"
            )

    def _hardware_decay(self, tau: Tensor) -> Tensor:
        return bitshift_to_decay(calc_bitshift_decay(tau, self.dt).to(tau.dtype))[0]

    def _decay(self, name: str, trained: Tensor) -> Tensor:
        return self._hardware_decay(trained)

    def _slope(self, name: str, trained: Tensor) -> Tensor | None:
        return None  # a rounded one

    def _leak(self, name: str) -> Tensor:
        if name == "alpha":
            return self._hardware_decay(self.tau_mem)
        if name == "beta":
            return self._hardware_decay(self.tau_syn)
        tau = self.tau_mem if name == "dash_mem" else self.tau_syn
        return calc_bitshift_decay(tau, self.dt).to(tau.dtype)

    def _set_leak(self, name: str, value: Any) -> None:
        raise AttributeError(
            f"{self._label}: {name} cannot be set: it follows from the time constant"
        )
