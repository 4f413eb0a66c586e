"""A low-pass filter over data whose first dimension is time, in torch: `LowPass` (deprecated)."""

from __future__ import annotations

import warnings
from typing import Any, Unpack

import torch
from torch import Tensor

from rockpool.nn.models import checks
from rockpool.nn.modules._registry import RegisteredAttribute
from rockpool.nn.modules.torch._base.call_options import CallOptions, call_options
from rockpool.nn.modules.torch._base.checks import (
    require_finite_input,
    require_float_tensor,
    require_same_device,
)
from rockpool.nn.modules.torch._base.decays import decay
from rockpool.nn.modules.torch._base.recomputation import in_use
from rockpool.nn.modules.torch._base.transforms import trainable
from rockpool.nn.modules.torch._kernels.dispatch import chosen_loop
from rockpool.nn.modules.torch._loops.exp_syn import leaky_sum
from rockpool.nn.modules.torch.torch_module import TorchModule, TorchModuleArguments
from rockpool.parameters import Shape

__all__ = ["LowPass"]


class LowPass(TorchModule):
    r"""A leaky sum of each channel of data (T, B, N); deprecated, use `ExpSynTorch`.

    .. math::

        v \leftarrow v \, e^{-dt / \tau} + x_t

    Parameters
    ----------
    n_neurons : int
        Number of channels, >= 1.
    dt : float
        Time step in seconds, > 0.
    tau_mem : float
        Time constant in seconds, > 0.
    """

    _time_first = True

    vmem: Tensor
    alpha_mem: Tensor

    def __init__(
        self,
        n_neurons: int,
        dt: float | int,
        tau_mem: float | int,
        *args: Any,
        **kwargs: Unpack[TorchModuleArguments],
    ) -> None:
        owner = type(self).__name__
        warnings.warn(
            f"{owner} is deprecated, use ExpSynTorch instead", DeprecationWarning, stacklevel=3
        )
        (n,) = checks.shape_entries(owner, (n_neurons,), "n_neurons")
        checks.time_step(owner, "dt", dt)
        checks.scalar(owner, "tau_mem", tau_mem)
        checks.positive(owner, "tau_mem", tau_mem, "s", finite=False)
        super().__init__(*args, **kwargs)
        self.n_neurons = n
        self._dt, self._tau_mem = dt, tau_mem  # to make the module again
        self.register_buffer("vmem", torch.zeros(1, n))
        self.register_buffer("alpha_mem", decay(dt, torch.as_tensor(tau_mem).float().reshape(1)))

    def _fits(self, entry: RegisteredAttribute, given: Shape) -> bool:
        # a state (B, N) has the batch that it was left by
        batched = entry.kind == "State" and len(given) == 2 and given[1:] == entry.shape[1:]
        return batched or super()._fits(entry, given)

    def init_states(self, batch_size: int = 1) -> None:
        """Set the state to zero, for batches of a size."""
        in_use(self)
        self._buffers["vmem"] = trainable(self.vmem.new_zeros((batch_size, self.n_neurons)))

    def detach(self) -> None:
        """Cut the state from what went before. It always is; nothing is left to do."""

    def get_output_shape(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape of the output for a shape of the input: the same."""
        return input_shape

    def forward(self, data: Tensor) -> Tensor:
        """Return the filtered data, (T, B, N) as the input: time comes first."""
        require_float_tensor(self._label, data)
        if data.dim() != 3 or data.shape[-1] != self.n_neurons:
            raise ValueError(
                f"{self._label}: the input must have the shape (T, B, {self.n_neurons}), got "
                f"{tuple(data.shape)}"
            )
        require_same_device(self._label, data, self.vmem)
        batch_size = data.shape[1]
        if len(self.vmem) not in (1, batch_size):
            raise ValueError(
                f"{self._label}: the state is for a batch of {len(self.vmem)}, but the input has a "
                f"batch of {batch_size}; call init_states({batch_size}) before"
            )
        # all channels of all batch elements side by side, such that time stays where it is
        channels = batch_size * self.n_neurons
        drive = data.to(self.vmem.dtype).reshape(1, data.shape[0], channels)
        start = self.vmem.expand(batch_size, -1).reshape(1, channels)
        arguments = drive, start, self.alpha_mem
        output, vmem = chosen_loop(self, leaky_sum, *arguments)(*arguments)
        output = output.reshape(data.shape)
        vmem = vmem.reshape(batch_size, self.n_neurons)
        require_finite_input(self, data.transpose(0, 1), vmem)
        options = call_options()
        if options.lengths is not None:
            before = start.reshape(vmem.shape)
            vmem = options.last(self._label, "vmem", output.transpose(0, 1), before)
            output = options.cut(output.transpose(0, 1)).transpose(0, 1)
        self._store_states({"vmem": vmem}, options.detach)
        return output

    def _options(self, data: Any, **options: Any) -> CallOptions:
        if options.get("lengths") is not None and isinstance(data, Tensor) and data.dim() == 3:
            data = data.transpose(0, 1)
        return super()._options(data, **options)
