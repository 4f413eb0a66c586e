"""Tensors as the kernels of Triton take them, and how many programs they are started in."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any, NamedTuple

import torch
import triton
from torch import Tensor

from rockpool.nn.kernels.switch import interpreter_wanted
from rockpool.utilities._environment import word_in

__all__ = [
    "Shape",
    "blocks",
    "chosen_shape",
    "copied",
    "gradient_of",
    "launch",
    "reduced",
    "scalar",
    "spread",
    "strided",
    "wants_low_memory",
    "width_of",
]

MEMORY = "ROCKPOOL_GPU_MEMORY"
MANY = 2**18  # neurons of all batch elements


class Shape(NamedTuple):
    """How a kernel is started."""

    block: int  # neurons of a program
    warps: int  # of a program
    stages: int  # time steps that input is fetched ahead, one less


def blocks(width: int, input_size: int, state_size: int) -> tuple[int, int]:
    """Return how many neurons a program has where there are few, and many.

    The sizes are those of a number in bytes. One neuron a thread, as the time that passes between
    two time steps is what counts where there are few; two of many, where registers suffice. Of
    three synapses and more, a thread has four, or two in double precision. Input is fetched ahead
    in pieces of 4 bytes and more.
    """
    if width > 2:
        return 512 // state_size // width, 512 // state_size // width
    least = 1 if input_size >= 4 or width > 1 else 2
    return 32 * least, 32 * max(least, 2 if state_size == 4 and width == 1 else 1)


def chosen_shape(n_batch: int, n_out: int, width: int, data: Tensor, state: Tensor) -> Shape:
    """Return how to start a kernel over neurons with some synapses each, or room for them."""
    if data.is_cpu and interpreter_wanted():
        return Shape(min(width_of(n_out), 128), 1, 1)  # few programs, as each is slow
    few, many = blocks(width, data.element_size(), state.element_size())
    return Shape(many if n_batch * n_out >= MANY else few, 1, 5)


def launch(
    kernel: Any, n_batch: int, n_out: int, arguments: dict[str, Any], shape: Shape, **constants: Any
) -> None:
    """Start a kernel over all neurons of all batch elements; nothing for none."""
    if n_batch == 0 or n_out == 0:
        return
    device = next(value for value in arguments.values() if isinstance(value, Tensor)).device
    grid = (n_batch * triton.cdiv(n_out, shape.block),)
    with torch.cuda.device(device) if device.type == "cuda" else nullcontext():
        kernel[grid](
            **arguments,
            **constants,
            BLOCK=shape.block,
            STAGES=shape.stages,
            num_warps=shape.warps,
            enable_fp_fusion=False,  # a product and a sum in one would move spikes
        )


def width_of(number: int) -> int:
    """Return a number, or the next power of two, as the blocks of Triton need it."""
    return int(triton.next_power_of_2(number))


def wants_low_memory() -> bool:
    """Whether what gradients need is to be computed again instead of being kept.

    Raises
    ------
    ValueError
        ``ROCKPOOL_GPU_MEMORY`` is set to something else than low.
    """
    return word_in(MEMORY, {"low": True}, unset=False)


def strided(name: str, tensor: Tensor | None, of: tuple[str, str, str]) -> dict[str, Any]:
    """Return a tensor (B, T, N) and its strides as arguments; None and zeros for none."""
    strides = (0, 0, 0) if tensor is None else tensor.stride()
    named = {f"{name.removeprefix('grad_')}_{axis}": s for axis, s in zip(of, strides, strict=True)}
    return {name: tensor, **named}


def spread(tensor: Tensor | None, shape: tuple[int, ...]) -> Tensor | None:
    """Return the values of a parameter, one for each element of `shape`, contiguous."""
    return None if tensor is None else tensor.detach().expand(shape).contiguous()


def scalar(value: float | Tensor, like: Tensor) -> Tensor:
    """Return a number as a tensor, without waiting for a device."""
    if isinstance(value, Tensor):
        return value.detach().to(like).reshape(())
    return torch.full((), value, dtype=like.dtype, device=like.device)


def copied(tensor: Tensor) -> Tensor:
    """Return the values of a tensor in memory of their own, contiguous."""
    return tensor.detach().clone(memory_format=torch.contiguous_format)


def gradient_of(gradient: Tensor | None, like: Tensor) -> Tensor:
    """Return a gradient that is free to be changed; zeros for none."""
    if gradient is None:
        return torch.zeros_like(like, memory_format=torch.contiguous_format)
    return copied(gradient)


def reduced(gradient: Tensor, parameter: Tensor) -> Tensor:
    """Return the gradient of a parameter, given that of what it has been spread to."""
    return gradient.sum_to_size(parameter.shape).to(parameter.dtype)
