"""How a torch module gets batches of input and states, and keeps final states: `TorchBatches`.

These are the hooks of :class:`~rockpool.nn.modules._backend_hooks.BackendHooks` for tensors, and
what ``forward`` of a layer calls first and last: `_input`, `_start`, `_noise`, `_keep_state`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from rockpool.nn.modules.torch._base import tracing
from rockpool.nn.modules.torch._base.call_options import call_options
from rockpool.nn.modules.torch._base.checks import (
    require_dense,
    require_finite_sums,
    require_float_tensor,
    require_same_device,
)
from rockpool.nn.modules.torch._base.registry import TorchRegistry
from rockpool.nn.modules.torch._base.transforms import compiling, in_transform, underneath
from rockpool.parameters import Shape

__all__ = ["TorchBatches"]


def _never(data: Tensor, like: Tensor) -> bool:
    return False


def _independent(value: Tensor) -> Tensor:
    """Return a copy without a graph."""
    if not torch.is_inference_mode_enabled():
        return value.detach().clone()
    with torch.inference_mode(False):  # else it could not take part in training later on
        return value.detach().clone()


class TorchBatches(TorchRegistry):
    """A torch module, as far as its input and its states go; see `TorchModule`."""

    _record_dict: dict[str, Any]  # what is recorded in this call
    _passed_state: dict[str, Any]  # final states, such as cannot be stored within a transform

    dt: float  # of the modules that have noise
    noise_std: float | Tensor
    _noise_in_graph: float = 0.0  # `noise_std`, where that is a tensor whose value is not known

    def _input(
        self,
        data: Any,
        like: Tensor | None = None,
        may_stay: Callable[[Tensor, Tensor], bool] = _never,
    ) -> Tensor:
        """Return input data, checked, as (B, T, size_in), in the type of a tensor of the module.

        They stay in their own type where `may_stay` says so, given them and that tensor.
        """
        if like is not None and self._is_as_needed(data, like):
            return data
        require_float_tensor(self._label, data)
        data = self._shaped(data)
        if like is None:
            return data
        require_same_device(self._label, data, like)
        return data if may_stay(data, like) else data.to(like.dtype)

    def _is_as_needed(self, data: Any, like: Tensor) -> bool:
        """Whether data are a plain tensor (B, T, size_in) of the type of a tensor of the module."""
        return (
            type(data) is Tensor
            and data.dim() == 3
            and data.dtype is like.dtype
            and not data.is_nested  # which has no shape
            and data.shape[2] == self._shape[0]
            and data.device == like.device
            and data.layout is torch.strided
        )

    def _shaped(self, data: Tensor) -> Tensor:
        """Return data as (B, T, size_in), one channel repeated for all of them."""
        shape = self._batch_shape(tuple(data.shape))
        data = data.reshape(shape)
        channels = self.size_in
        if channels is not None and shape[-1] != channels:
            return data.expand(shape[0], shape[1], channels)
        return data

    def _require_finite_data(self, data: Tensor, output: Tensor) -> None:
        require_finite_sums(self, data, output)

    def _batched_input(self, data: Any) -> Tensor:
        require_dense(self._label, data)
        if not isinstance(data, Tensor):
            raise TypeError(f"{self._label}: the input must be a torch tensor, got {type(data)}")
        return self._shaped(data)

    def _with_time(self, data: Any) -> Any:
        return super()._with_time(data) if isinstance(data, Tensor) else data

    def _expand_state(self, value: Tensor, shape: Shape) -> Tensor:
        return value.expand(shape)

    def _start(self, name: str, data: Tensor, like: Tensor | None = None) -> Tensor:
        """Return a state with the batch dimension in front, of the batch size of input.

        It is in the type of the input, or of another tensor.
        """
        start = self._batched_state(name, data.shape[0]).to(data if like is None else like)
        # a graph writes into the state itself, where gradients still need it
        return start.clone() if compiling() or torch.jit.is_tracing() else start

    def _keep_state(
        self, courses: Mapping[str, Tensor] | None = None, /, **states: Tensor | None
    ) -> None:
        """Store final states (B, ...), each without its graph and in storage of its own.

        For batch elements that end earlier, `courses` has values (B, T, ...) over time; what is not
        there is looked for in the record.
        """
        present = {name: value for name, value in states.items() if value is not None}
        n_batch = next(iter(present.values())).shape[0]
        if n_batch == 0:
            return
        options = call_options()
        if options.lengths is not None:
            known = {**self._record_dict, **(courses or {})}
            for name in present:
                before = self._batched_state(name, n_batch)
                present[name] = options.last(self._label, name, known.get(name), before)
        kept = {name: self._state_to_keep(value) for name, value in present.items()}
        self._store_states(kept, options.detach)
        if not (compiling() or in_transform() or torch.jit.is_tracing()):
            self._note_batch(n_batch)

    def _store_states(self, states: dict[str, Tensor], detach: bool = True) -> None:
        if in_transform():  # values of a transform mean nothing once it has ended
            self._passed_state.update(states)
        elif compiling() or torch.jit.is_tracing():
            self._write_states(states)
        elif detach:
            self._buffers.update({name: _independent(value) for name, value in states.items()})
        else:
            self._buffers.update(states)

    def _write_states(self, states: dict[str, Tensor]) -> None:
        """Write states into the tensors that are there: the way that a graph can have them."""
        for name, value in states.items():
            present, value = self._buffers[name], value.detach()
            if present is None or present.shape != value.shape:
                raise ValueError(
                    f"{self._label}: the state {name} has the shape "
                    f"{None if present is None else tuple(present.shape)} but would become "
                    f"{tuple(value.shape)}, which a graph cannot change; call the module once with "
                    f"such a batch before"
                )
            tracing.write(self, present, value)

    def _noise(self, shape: Shape, like: Tensor) -> Tensor | None:
        """Return noise with the standard deviation `noise_std` after one second, or None for 0."""
        noise_std = self.noise_std
        if isinstance(noise_std, Tensor) and compiling():
            noise_std = self._noise_in_graph
        if isinstance(noise_std, Tensor) and in_transform():  # there may be one for each of many
            if not bool(underneath(noise_std).any()):
                return None
        else:
            noise_std = float(noise_std)
            if noise_std == 0.0:
                return None
        scale = noise_std * float(self.dt) ** 0.5
        return torch.randn(shape, dtype=like.dtype, device=like.device) * scale
