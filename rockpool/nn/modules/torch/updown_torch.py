"""Conversion of analog signals to up and down events in torch: `UpDownTorch`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Unpack

import numpy as np
import torch
from torch import Tensor

from rockpool.nn.description import Node
from rockpool.nn.models import checks
from rockpool.nn.models.model import Check
from rockpool.nn.modules._limits import note_given
from rockpool.nn.modules.torch._base.checks import (
    number_of,
    require_dense,
    require_not_given,
)
from rockpool.nn.modules.torch._base.registry import Values
from rockpool.nn.modules.torch._base.sound import sound_values
from rockpool.nn.modules.torch._kernels.dispatch import chosen_loop
from rockpool.nn.modules.torch._loops.updown import UpDownParameters, updown_loop
from rockpool.nn.modules.torch.torch_module import TorchArguments, TorchModule, to_float_tensor
from rockpool.parameters import Parameter, SimulationParameter

__all__ = ["UpDownTorch"]


def _ref_steps(owner: str, name: str, value: Any) -> None:
    checks.scalar(owner, name, value)
    if int(value) != value or value < 0:
        raise ValueError(f"{owner}: {name} must be a whole number >= 0, got {value!r}")


class UpDownTorch(TorchModule):
    r"""Convert analog signals to events that say by how many steps a signal went up or down.

    Each channel has a reference :math:`r`, at first the first sample of the call. Each time step:

    .. math::

        u &= \max(\lfloor (x_t - r) / \theta_{up} \rfloor, 0) \\
        d &= \max(\lfloor (r - x_t) / \theta_{down} \rfloor, 0) \\
        r &\leftarrow r + u \, \theta_{up} - d \, \theta_{down}

    With `n_ref_steps` > 0 a channel emits at most one event in a time step and then none for the
    rest of `n_ref_steps` time steps, in which its reference follows the signal. The gradient of a
    number of steps is 1 where the quotient is at least 0.5, else 0. Output channel ``2 k`` has the
    ups of channel ``k``, ``2 k + 1`` its downs.

    Parameters
    ----------
    shape : int or tuple of int
        Number of channels, ``N`` or ``(N,)``; the module's shape is ``(N, 2 N)``.
    thr_up, thr_down : array_like
        Size of a step up and of a step down, > 0: one number, or N; 1e-3.
    n_ref_steps : int
        Time steps that an event occupies in its channel, a whole number >= 0. Default: 0.
    repeat_output : int
        Number of events for each step of the signal, a whole number >= 1. Default: 1.
    dt : float
        Time step in seconds. Default: 1 ms. Nothing depends on it, and it is not kept.
    device, dtype : optional
        Where and as what the thresholds are to be. Default: as they are given; float32.

    References
    ----------
    P. Lichtsteiner, C. Posch, T. Delbruck, A 128x128 120 dB 15 us latency asynchronous temporal
    contrast vision sensor, IEEE Journal of Solid-State Circuits 43 (2008).

    Examples
    --------
    >>> import torch
    >>> from rockpool.nn.modules import UpDownTorch
    >>> events, _, _ = UpDownTorch(1, thr_up=0.5)(torch.tensor([[[0.0], [1.0], [1.0]]]))
    >>> events[0].tolist()
    [[0.0, 0.0], [2.0, 0.0], [0.0, 0.0]]
    """

    # a plain dict, as compilers of torch take no mapping proxy
    _checks: ClassVar[Mapping[str, Check]] = {
        "thr_up": checks.positive,
        "thr_down": checks.positive,
        "n_ref_steps": _ref_steps,
        "repeat_output": checks.whole_count,
    }

    thr_up: Tensor
    thr_down: Tensor
    n_ref_steps: Any
    repeat_output: Any

    def __init__(
        self,
        shape: int | tuple[int, ...] | None = None,
        thr_up: Values = 1e-3,
        thr_down: Values = 1e-3,
        n_ref_steps: int = 0,
        repeat_output: int = 1,
        dt: float | int = 1e-3,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        *args: Any,
        **kwargs: Unpack[TorchArguments],
    ) -> None:
        owner = type(self).__name__
        n = number_of("channels", owner, shape)
        given = {"thr_up": thr_up, "thr_down": thr_down}
        for name, value in given.items():
            checks.shape_fits(owner, name, [(1, n), ()], value)
            checks.positive(owner, name, value)
        _ref_steps(owner, "n_ref_steps", n_ref_steps)
        checks.whole_count(owner, "repeat_output", repeat_output)
        checks.time_step(owner, "dt", dt)

        require_not_given(owner, {"spiking_input": False, "spiking_output": True}, kwargs)
        super().__init__(
            *args, shape=(n, 2 * n), spiking_input=False, spiking_output=True, **kwargs
        )
        self.repeat_output = SimulationParameter(int(repeat_output))
        self.n_ref_steps = SimulationParameter(int(n_ref_steps))
        for name, value in given.items():
            if np.prod(np.shape(value), dtype=int) == 1:  # one number for all channels
                value = to_float_tensor(value).reshape(1, 1).repeat(1, n)
            parameter = Parameter(value, "thresholds", shape=(1, n), cast_fn=to_float_tensor)
            setattr(self, name, parameter)
        note_given(self, given)
        if device is not None or dtype is not None:
            self.to(device=device, dtype=dtype)

    @classmethod
    def _described_arguments(cls, node: Node) -> dict[str, Any]:
        return {**super()._described_arguments(node), "shape": node.shape[0]}

    def forward(self, data: Tensor) -> Tensor:
        """Return the number of events, (B, T, 2 N), for signals (B, T, N)."""
        require_dense(self._label, data)
        if isinstance(data, Tensor) and (data.dim() != 3 or data.shape[-1] != self.size_in):
            raise ValueError(
                f"{self._label}: the input must have the shape (B, T, {self.size_in}), got "
                f"{tuple(data.shape)}"
            )
        data = self._input(data, self.thr_up)
        self._require_finite_data(data, data)
        sound = sound_values(self, "thr_up", "thr_down")
        if data.shape[1] == 0:
            self._record_dict = {"analog_value": data} if self._record else {}
            return data.new_zeros((data.shape[0], 0, self.size_out))
        parameters = UpDownParameters(**sound, n_ref_steps=self.n_ref_steps)
        arguments = data, data[:, 0], parameters, None
        loop = chosen_loop(self, updown_loop, *arguments)
        events, _, self._record_dict = loop(*arguments, self._record)
        return events.flatten(-2) * self.repeat_output
