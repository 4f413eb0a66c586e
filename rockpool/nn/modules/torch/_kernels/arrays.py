"""Tensors as the arrays that compiled kernels work on, and the other way around. Needs numba."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from rockpool.nn.kernels import compiling
from rockpool.nn.kernels.compiling import kernel_array
from rockpool.nn.kernels.lif_again import number_of_marks
from rockpool.nn.kernels.parts import AT_ONCE
from rockpool.nn.modules.torch._base.call_options import memory_is_low
from rockpool.nn.modules.torch._base.data_parallel import memory_is_taken_back


def call(compiled: Any, **arguments: Any) -> Any:
    """Call a kernel by the names of its arguments, on no more threads than torch may use."""
    return compiling.call(compiled, torch.get_num_threads(), **arguments)


def array(tensor: Tensor) -> np.ndarray:
    """Return the values of a CPU tensor as a contiguous array, in the same memory if possible."""
    if tensor.requires_grad:
        tensor = tensor.detach()
    tensor = tensor.contiguous()
    return (tensor.clone() if memory_is_taken_back(tensor) else tensor).numpy()


def arrays(**tensors: Tensor | None) -> dict[str, np.ndarray]:
    """Return those tensors that there are as arrays, by name; (B, T, N, S) as (B, T, N * S)."""
    return {
        name: array(_without_synapses(tensor))
        for name, tensor in tensors.items()
        if tensor is not None
    }


def _without_synapses(tensor: Tensor) -> Tensor:
    return tensor if tensor.dim() < 4 else tensor.flatten(2)


def outputs(**tensors: Tensor | None) -> dict[str, np.ndarray]:
    """Return those tensors that there are, for a kernel to write to, as arrays in their memory.

    Raises
    ------
    ValueError
        One is not contiguous: what is written to a copy of it would be lost.
    """
    for name, tensor in tensors.items():
        if tensor is not None and not tensor.is_contiguous():
            raise ValueError(f"{name}: kernels write to contiguous tensors only")
    return {
        name: _without_synapses(tensor.detach()).numpy()
        for name, tensor in tensors.items()
        if tensor is not None
    }


def zeros_like(parameter: Tensor) -> Tensor:
    """Return zeros for the gradient of a parameter, contiguous whatever its own memory is like."""
    return torch.zeros_like(parameter, memory_format=torch.contiguous_format)


def empty(shape: tuple[int, ...], like: Tensor) -> Tensor:
    """Return a new tensor, for a kernel to write to, in memory that numpy has asked for.

    Where it is large, numpy asks for large pages, which torch does not. A training step of a
    million numbers was a sixth faster for it.
    """
    single = like.dtype == torch.float32
    return torch.from_numpy(np.empty(shape, np.float32 if single else np.float64))


def broadcast(tensor: Tensor, shape: tuple[int, ...]) -> np.ndarray:
    """Return the values of a parameter, one for each element of `shape`, in one dimension."""
    values = array(tensor)
    if values.shape != shape:
        values = kernel_array(values, values.dtype, shape)
    return values.reshape(-1)


def broadcasts(shape: tuple[int, ...], **parameters: Tensor | None) -> dict[str, np.ndarray]:
    """Return those parameters that there are by name, each as by `broadcast`."""
    return {
        name: broadcast(value, shape) for name, value in parameters.items() if value is not None
    }


def copied(tensor: Tensor) -> Tensor:
    """Return the values of a tensor in memory of their own."""
    return tensor.detach().clone(memory_format=torch.contiguous_format)


def marks(n_steps: int, isyn: np.ndarray | Tensor, adaptive: bool) -> dict[str, np.ndarray]:
    """Return arrays for what gradients of LIF neurons keep in place of the membrane, by name.

    There are none where memory need not be saved, or there are too few steps for it. The currents
    are (B, N, S).
    """
    if n_steps <= AT_ONCE or not memory_is_low():
        return {}
    n_marks = number_of_marks(n_steps)
    if not n_marks:
        return {}
    n_batch, n_out, n_synapses = isyn.shape
    single = isyn.dtype in (torch.float32, np.float32)
    kind = np.float32 if single else np.float64
    sizes = {"marks_v": n_out, "marks_i": n_out * n_synapses}
    sizes |= {"marks_ahp": n_out} if adaptive else {}
    return {name: np.empty((n_batch, n_marks, size), kind) for name, size in sizes.items()}


def gradient_array(gradient: Tensor | None, like: Tensor) -> np.ndarray:
    """Return a gradient as an array that is free to be changed; zeros for none."""
    if gradient is None:
        return np.zeros(like.shape, array(like).dtype)
    return copied(gradient).numpy()


def output_gradient(gradient: Tensor | None, output: np.ndarray) -> np.ndarray:
    """Return the gradient of an output (B, T, N) as an array; zeros for none.

    Where it is the same for all steps, as that of a sum over time, the array is (B, 1, N).
    """
    if gradient is None:
        return np.zeros((len(output), 1, output.shape[2]), output.dtype)
    values = (gradient.detach() if gradient.requires_grad else gradient).numpy()
    return np.ascontiguousarray(values if gradient.stride(1) else values[:, :1])


def reduced(gradient: np.ndarray | None, parameter: Tensor | None) -> Any:
    """Return the gradient of a parameter, given that of what it has been broadcast to, if any."""
    if gradient is None or parameter is None:
        return None
    if gradient.shape != parameter.shape:
        return torch.from_numpy(gradient).sum_to_size(parameter.shape).to(parameter.dtype)
    single = parameter.dtype == torch.float32
    return torch.from_numpy(gradient.astype(np.float32) if single else gradient)
