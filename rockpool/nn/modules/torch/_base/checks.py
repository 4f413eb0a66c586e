"""Checks of input data and of trained values, each with one clear error, for the torch modules."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from rockpool.nn.models import checks, exp_syn
from rockpool.nn.models.finite_input import checks_wanted, refuse, require_finite
from rockpool.nn.modules.torch._base.data_parallel import memory_is_taken_back
from rockpool.nn.modules.torch._base.transforms import compiling, in_transform, values_unknown
from rockpool.parameters import Shape


def number_of(what: str, owner: str, shape: Any) -> int:
    """Return the shape argument ``N`` or ``(N,)`` of a class as N, the number of neurons or so."""
    if shape is None:
        raise ValueError(f"{owner}: shape must be given: the number of {what}")
    return exp_syn.module_shape(owner, shape)[0]


def same_in_and_out(owner: str, shape: Any) -> Shape:
    """Return the shape argument ``N``, ``(N,)`` or ``(N, N)`` of a class as a tuple."""
    entries = checks.shape_entries(owner, shape)
    if entries[0] != entries[-1]:
        raise ValueError(f"{owner}: as many outputs as inputs are needed, got {entries}")
    return entries


def require_not_given(owner: str, fixed: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    """Require that arguments which a class does not leave open have not been given."""
    for name, value in fixed.items():
        if name in given:
            raise TypeError(f"{owner}: {name} is always {value}, and cannot be given")


def require_float_tensor(label: str, data: Any) -> None:
    """Require a tensor of floating-point numbers; a TypeError says how to get one."""
    require_dense(label, data)
    if not isinstance(data, Tensor):
        kind = f"{type(data).__module__}.{type(data).__qualname__}".removeprefix("builtins.")
        raise TypeError(
            f"{label}: the input must be a torch tensor of floating-point numbers, got {kind}; "
            f"convert it with torch.as_tensor(x, dtype=torch.float32)"
        )
    if not data.is_floating_point():
        raise TypeError(
            f"{label}: the input must be a tensor of floating-point numbers, got {data.dtype}; "
            f"convert it with .float()"
        )


def require_dense(label: str, data: Any) -> None:
    """Require that the input is no packed sequence and no nested or sparse tensor."""
    if isinstance(data, PackedSequence):
        raise TypeError(
            f"{label}: the input must be a tensor (B, T, N), got a PackedSequence; take "
            f"x, lengths = torch.nn.utils.rnn.pad_packed_sequence(packed, batch_first=True) and "
            f"call the module with (x, lengths=lengths)"
        )
    if not isinstance(data, Tensor):
        return
    if data.is_nested:
        raise TypeError(
            f"{label}: the input must be a tensor (B, T, N), got a nested one; give "
            f"torch.nested.to_padded_tensor(x, 0.0), and the numbers of time steps by lengths="
        )
    if data.layout is not torch.strided:
        raise TypeError(
            f"{label}: the input must be a dense tensor, got one of the layout {data.layout}; "
            f"convert it with .to_dense()"
        )


def require_finite_input(module: Any, data: Tensor, state: Tensor) -> None:
    """Require input to be finite, given the state that it led to; see `finite_input`."""
    if torch.jit.is_tracing() or values_unknown(state) or values_unknown(data):
        return
    last = state.detach()
    if last.is_cpu and last.dtype in _NUMPY_TYPES:
        require_finite(module, data, last.numpy())
    elif checks_wanted() and not bool(last.isfinite().all()):
        refuse(module._label, data)


def require_finite_sums(module: Any, data: Tensor, output: Tensor) -> None:
    """Require the input of weights to be finite, given their output; see `finite_input`.

    On other devices than the CPU, which would have to be waited for, the neurons behind them do so.
    """
    if output.dtype not in _NUMPY_TYPES or not output.is_cpu:
        return
    if torch.jit.is_tracing() or values_unknown(output):
        return
    smaller = data.numel() < output.numel() and data.is_contiguous()
    values = data if smaller else output
    if not _finite(values.detach() if values.requires_grad else values) and checks_wanted():
        refuse(module._label, data)


def require_same_device(label: str, data: Tensor, like: Tensor) -> None:
    """Require the input to be where the module is."""
    if data.device != like.device:
        raise ValueError(
            f"{label}: the input is on the device {data.device}, the module on {like.device}; "
            f"move one of them with .to(device)"
        )


REMEDY = (
    "If training brought it there: give it a smaller learning rate, add a cost to the loss that "
    "bounds it, or hold it constant with rockpool.parameters.Constant."
)


def plainly_finite(data: Tensor, weight: Tensor, bias: Tensor | None, output: Tensor) -> bool:
    """Whether input, weights and output of a sum are seen to be finite at a glance.

    False where that takes a closer look, or where values cannot be looked at.
    """
    if torch.jit.is_tracing() or compiling() or in_transform():
        return False
    tensors: tuple[Tensor | None, ...] = (output,)  # each number is in some sum of the output
    if data.numel() + weight.numel() < output.numel():
        tensors = data, weight, bias
    for tensor in tensors:
        if tensor is None:
            continue
        plain = type(tensor) is Tensor or type(tensor) is torch.nn.Parameter
        if not (plain and tensor.is_cpu and tensor.dtype in _NUMPY_TYPES) or tensor.is_neg():
            return False
        if memory_is_taken_back(tensor):
            return False
        array = (tensor.detach() if tensor.requires_grad else tensor).numpy()
        if not np.vdot(array, array) < np.inf:  # torch's takes three times as long for few numbers
            return False
    return True


class Required(NamedTuple):
    """What the values of one parameter must be."""

    name: str
    positive: bool = False  # else finite
    unit: str = ""


def all_fine(values: list[Tensor], limits: list[float | None]) -> bool:
    """Whether all values of each tensor are above a limit, or finite where that is None."""
    # NaN passes on through min and max, and is neither > 0 nor finite
    if all(
        value.is_cpu and value.dtype in _NUMPY_TYPES and not memory_is_taken_back(value)
        for value in values
    ):
        return all(  # numpy takes a fraction of the time for small tensors
            _finite(value) if limit is None else value.numpy().min() > limit
            for value, limit in zip(values, limits, strict=True)
        )
    fine = [
        torch.isfinite(value.abs().amax()) if limit is None else value.amin() > limit
        for value, limit in zip(values, limits, strict=True)
    ]
    return not fine or bool(torch.stack(fine).all())


def _finite(values: Tensor) -> bool:
    """Whether all values are finite."""
    # a sum of squares takes one go; only where it is not finite each value is looked at
    if type(values) is Tensor and not values.is_neg():
        array = values.numpy()  # which takes half the time
        return bool(np.vdot(array, array) < np.inf) or bool(np.isfinite(array).all())
    return bool(torch.isfinite(values).all())


_NUMPY_TYPES = (torch.float32, torch.float64)


def require_values(label: str, module: Any, required: tuple[Required, ...]) -> None:
    """Require the present values of a module's parameters to be numbers, in their range.

    Training can bring a parameter where it means nothing: a time constant below zero, NaN. Nothing
    is checked where values cannot be looked at: while a graph is being traced or captured.
    """
    values = [getattr(module, one.name) for one in required]
    if torch.jit.is_tracing() or any(values_unknown(value) for value in values):
        return
    if all_fine(
        [value.detach() for value in values], [0.0 if one.positive else None for one in required]
    ):
        return
    try:
        for name, positive, unit in required:
            value = getattr(module, name).detach().clone()
            if positive:
                checks.positive(label, name, value, unit, finite=False)
            else:
                checks.finite(label, name, value)
    except ValueError as error:
        error.add_note(REMEDY)
        raise
