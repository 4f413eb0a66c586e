"""Kernels as C functions that XLA calls: typed-FFI handlers, made without a C compiler.

A handler gets the address of a call frame, a structure of 64-bit words of which it reads where the
arguments and results are. The places of the words are those of one version of the interface,
`API_VERSION`; there is no handler for another one.

All numbers of one call are of one type, float32 or float64; scalars are arrays of one element; what
is absent is an array of size 0.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numba import carray, types
from numba.extending import intrinsic

from rockpool.nn.kernels.callbacks import callback_address
from rockpool.nn.kernels.compiling import inner
from rockpool.nn.kernels.exp_syn import exp_syn_backward, exp_syn_forward
from rockpool.nn.kernels.lif import lif_forward
from rockpool.nn.kernels.lif_backward import STEP_PWL, lif_backward
from rockpool.nn.kernels.parts import clear, copy
from rockpool.nn.kernels.rate import rate_backward, rate_forward

__all__ = ["API_VERSION", "handler_address"]

API_VERSION = (0, 3)
MAJOR, MINOR = API_VERSION
ARGUMENT, RESULT = False, True


@intrinsic
def _pointer(_: Any, address: Any, like: Any) -> Any:
    """Return an address as a pointer to numbers of the type of another number."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.inttoptr(args[0], context.get_value_type(signature.return_type))

    return types.CPointer(like)(types.int64, like), generate


@inner
def _words(address: Any, count: Any) -> Any:
    return carray(_pointer(address, np.int64(0)), (count,))


@inner
def _answered(frame: Any) -> bool:
    """Say which version this is, if that is what the call is about."""
    extension = frame[1]
    if extension == 0 or carray(_pointer(extension + 8, np.int32(0)), (1,))[0] != 1:
        return False
    metadata = _words(extension, 4)[3]
    version = carray(_pointer(metadata + 24, np.int32(0)), (2,))
    version[0], version[1] = MAJOR, MINOR
    carray(_pointer(metadata + 32, np.int32(0)), (1,))[0] = 0  # no traits
    return True


@inner
def _buffer(frame: Any, result: bool, index: int) -> Any:
    """Return the words of an argument or result: its numbers are at [3], its shape at [5]."""
    return _words(_words(frame[14 if result else 9], index + 1)[index], 6)


@inner
def _array1(frame: Any, result: bool, index: int, like: Any) -> Any:
    buffer = _buffer(frame, result, index)
    return carray(_pointer(buffer[3], like), (_words(buffer[5], 1)[0],))


@inner
def _array2(frame: Any, result: bool, index: int, like: Any) -> Any:
    buffer = _buffer(frame, result, index)
    shape = _words(buffer[5], 2)
    return carray(_pointer(buffer[3], like), (shape[0], shape[1]))


@inner
def _array3(frame: Any, result: bool, index: int, like: Any) -> Any:
    buffer = _buffer(frame, result, index)
    shape = _words(buffer[5], 3)
    return carray(_pointer(buffer[3], like), (shape[0], shape[1], shape[2]))


@inner
def _copy_rows(source: Any, target: Any) -> None:
    for b in range(target.shape[0]):
        copy(source[b], target[b])


@inner
def _clear_rows(target: Any) -> None:
    for b in range(target.shape[0]):
        clear(target[b])


@inner
def _lif_forward(frame: Any, like: Any) -> int:
    """Take x, w_rec, alpha, beta, bias, threshold, max_spikes, noise, vmem, isyn, spikes.

    Give output, before, vmem and isyn.
    """
    if _answered(frame):
        return 0
    x = _array3(frame, ARGUMENT, 0, like)
    vmem, isyn = _array2(frame, RESULT, 2, like), _array2(frame, RESULT, 3, like)
    _copy_rows(_array2(frame, ARGUMENT, 8, like), vmem)
    _copy_rows(_array2(frame, ARGUMENT, 9, like), isyn)
    spikes = np.empty(vmem.shape, x.dtype)
    _copy_rows(_array2(frame, ARGUMENT, 10, like), spikes)
    nothing1, nothing2 = np.empty(0, x.dtype), np.empty((0, 0), x.dtype)
    nothing3 = np.empty((0, 0, 0), x.dtype)
    lif_forward(
        x,
        _array2(frame, ARGUMENT, 1, like),
        _array1(frame, ARGUMENT, 2, like),
        _array1(frame, ARGUMENT, 3, like),
        _array1(frame, ARGUMENT, 4, like),
        _array1(frame, ARGUMENT, 5, like),
        float(_array1(frame, ARGUMENT, 6, like)[0]),
        _array3(frame, ARGUMENT, 7, like),
        nothing1,
        nothing1,
        vmem,
        isyn,
        spikes,
        nothing2,
        _array3(frame, RESULT, 0, like),
        _array3(frame, RESULT, 1, like),
        nothing3,
        nothing3,
        nothing3,
        nothing3,
    )
    return 0


@inner
def _lif_backward(frame: Any, like: Any) -> int:
    """Take x, w_rec, alpha, beta, threshold, max_spikes, window, vmem, isyn, spikes, before.

    Then the gradients of output, before, vmem and isyn. Give the gradients of x, w_rec, alpha,
    beta, bias, threshold, vmem, isyn and spikes; of x, w_rec and beta if they have a size.
    """
    if _answered(frame):
        return 0
    beta = _array1(frame, ARGUMENT, 3, like)
    before = _array3(frame, ARGUMENT, 10, like)
    vmem, isyn = _array2(frame, RESULT, 6, like), _array2(frame, RESULT, 7, like)
    _copy_rows(_array2(frame, ARGUMENT, 13, like), vmem)
    _copy_rows(_array2(frame, ARGUMENT, 14, like), isyn)
    spikes, w_rec = _array2(frame, RESULT, 8, like), _array2(frame, RESULT, 1, like)
    _clear_rows(spikes)
    _clear_rows(w_rec)
    of_neuron = np.zeros((3, before.shape[2]))
    of_beta = np.zeros(_array1(frame, RESULT, 3, like).size)
    nothing1, nothing2 = np.empty(0, before.dtype), np.empty((0, 0), before.dtype)
    nothing3, no_gradient = np.empty((0, 0, 0), before.dtype), np.empty(0)
    lif_backward(
        _array3(frame, ARGUMENT, 11, like),
        _array3(frame, ARGUMENT, 12, like),
        nothing3,
        nothing3,
        nothing3,
        True,
        _array3(frame, ARGUMENT, 0, like),
        before,
        _array2(frame, ARGUMENT, 1, like),
        _array1(frame, ARGUMENT, 2, like),
        beta,
        _array1(frame, ARGUMENT, 4, like),
        float(_array1(frame, ARGUMENT, 5, like)[0]),
        float(_array1(frame, ARGUMENT, 6, like)[0]),
        STEP_PWL,
        nothing1,
        nothing1,
        _array2(frame, ARGUMENT, 7, like),
        _array2(frame, ARGUMENT, 8, like),
        _array2(frame, ARGUMENT, 9, like),
        nothing2,
        vmem,
        isyn,
        spikes,
        nothing2,
        _array3(frame, RESULT, 0, like),
        w_rec,
        of_neuron[0],
        of_beta,
        of_neuron[1],
        of_neuron[2],
        no_gradient,
        no_gradient,
    )
    copy(of_neuron[0], _array1(frame, RESULT, 2, like))
    copy(of_beta, _array1(frame, RESULT, 3, like))
    copy(of_neuron[1], _array1(frame, RESULT, 4, like))
    copy(of_neuron[2], _array1(frame, RESULT, 5, like))
    return 0


@inner
def _exp_syn_forward(frame: Any, like: Any) -> int:
    """Take x, beta and isyn; give output and isyn."""
    if _answered(frame):
        return 0
    isyn = _array2(frame, RESULT, 1, like)
    _copy_rows(_array2(frame, ARGUMENT, 2, like), isyn)
    x, beta = _array3(frame, ARGUMENT, 0, like), _array1(frame, ARGUMENT, 1, like)
    exp_syn_forward(x, beta, isyn, _array3(frame, RESULT, 0, like))
    return 0


@inner
def _exp_syn_backward(frame: Any, like: Any) -> int:
    """Take x, beta, isyn, output, and the gradients of output and isyn.

    Give the gradients of x, beta and isyn.
    """
    if _answered(frame):
        return 0
    beta = _array1(frame, ARGUMENT, 1, like)
    isyn, of_beta = _array2(frame, RESULT, 2, like), np.zeros(beta.size)
    _copy_rows(_array2(frame, ARGUMENT, 5, like), isyn)
    exp_syn_backward(
        _array3(frame, ARGUMENT, 4, like),
        _array3(frame, ARGUMENT, 0, like),
        _array3(frame, ARGUMENT, 3, like),
        beta,
        _array2(frame, ARGUMENT, 2, like),
        isyn,
        _array3(frame, RESULT, 0, like),
        of_beta,
    )
    copy(of_beta, _array1(frame, RESULT, 1, like))
    return 0


@inner
def _rate_forward(frame: Any, like: Any) -> int:
    """Take data, w_rec, gain, bias, threshold, activation, noise and x.

    Give output, x over time, recurrent input over time (if it has a size) and x.
    """
    if _answered(frame):
        return 0
    x = _array2(frame, RESULT, 3, like)
    _copy_rows(_array2(frame, ARGUMENT, 7, like), x)
    rate_forward(
        _array3(frame, ARGUMENT, 0, like),
        _array2(frame, ARGUMENT, 1, like),
        _array1(frame, ARGUMENT, 2, like),
        _array1(frame, ARGUMENT, 3, like),
        _array1(frame, ARGUMENT, 4, like),
        int(_array1(frame, ARGUMENT, 5, like)[0]),
        _array3(frame, ARGUMENT, 6, like),
        x,
        _array3(frame, RESULT, 0, like),
        _array3(frame, RESULT, 1, like),
        _array3(frame, RESULT, 2, like),
    )
    return 0


@inner
def _rate_backward(frame: Any, like: Any) -> int:
    """Take data, w_rec, gain, bias, threshold, activation, slope at the threshold, noise and x.

    Then output, x over time, and the gradients of all results of the forward handler. Give the
    gradients of data, w_rec (if it has a size), gain, bias, threshold and x.
    """
    if _answered(frame):
        return 0
    gain = _array1(frame, ARGUMENT, 2, like)
    x, w_rec = _array2(frame, RESULT, 5, like), _array2(frame, RESULT, 1, like)
    _copy_rows(_array2(frame, ARGUMENT, 14, like), x)
    _clear_rows(w_rec)
    of_neuron = np.zeros((3, gain.size))
    rate_backward(
        _array3(frame, ARGUMENT, 11, like),
        _array3(frame, ARGUMENT, 12, like),
        _array3(frame, ARGUMENT, 13, like),
        _array3(frame, ARGUMENT, 0, like),
        _array3(frame, ARGUMENT, 9, like),
        _array3(frame, ARGUMENT, 10, like),
        _array2(frame, ARGUMENT, 1, like),
        gain,
        _array1(frame, ARGUMENT, 3, like),
        _array1(frame, ARGUMENT, 4, like),
        int(_array1(frame, ARGUMENT, 5, like)[0]),
        float(_array1(frame, ARGUMENT, 6, like)[0]),
        _array3(frame, ARGUMENT, 7, like),
        _array2(frame, ARGUMENT, 8, like),
        x,
        _array3(frame, RESULT, 0, like),
        w_rec,
        of_neuron[0],
        of_neuron[1],
        of_neuron[2],
    )
    for i in range(3):
        copy(of_neuron[i], _array1(frame, RESULT, 2 + i, like))
    return 0


def lif_forward_float32(frame: Any) -> int:
    """Run `_lif_forward` in single precision."""
    return _lif_forward(carray(frame, (16,)), np.float32(0))


def lif_forward_float64(frame: Any) -> int:
    """Run `_lif_forward` in double precision."""
    return _lif_forward(carray(frame, (16,)), np.float64(0))


def lif_backward_float32(frame: Any) -> int:
    """Run `_lif_backward` in single precision."""
    return _lif_backward(carray(frame, (16,)), np.float32(0))


def lif_backward_float64(frame: Any) -> int:
    """Run `_lif_backward` in double precision."""
    return _lif_backward(carray(frame, (16,)), np.float64(0))


def exp_syn_forward_float32(frame: Any) -> int:
    """Run `_exp_syn_forward` in single precision."""
    return _exp_syn_forward(carray(frame, (16,)), np.float32(0))


def exp_syn_forward_float64(frame: Any) -> int:
    """Run `_exp_syn_forward` in double precision."""
    return _exp_syn_forward(carray(frame, (16,)), np.float64(0))


def exp_syn_backward_float32(frame: Any) -> int:
    """Run `_exp_syn_backward` in single precision."""
    return _exp_syn_backward(carray(frame, (16,)), np.float32(0))


def exp_syn_backward_float64(frame: Any) -> int:
    """Run `_exp_syn_backward` in double precision."""
    return _exp_syn_backward(carray(frame, (16,)), np.float64(0))


def rate_forward_float32(frame: Any) -> int:
    """Run `_rate_forward` in single precision."""
    return _rate_forward(carray(frame, (16,)), np.float32(0))


def rate_forward_float64(frame: Any) -> int:
    """Run `_rate_forward` in double precision."""
    return _rate_forward(carray(frame, (16,)), np.float64(0))


def rate_backward_float32(frame: Any) -> int:
    """Run `_rate_backward` in single precision."""
    return _rate_backward(carray(frame, (16,)), np.float32(0))


def rate_backward_float64(frame: Any) -> int:
    """Run `_rate_backward` in double precision."""
    return _rate_backward(carray(frame, (16,)), np.float64(0))


HANDLERS = {
    function.__name__: function
    for function in (
        lif_forward_float32,
        lif_forward_float64,
        lif_backward_float32,
        lif_backward_float64,
        exp_syn_forward_float32,
        exp_syn_forward_float64,
        exp_syn_backward_float32,
        exp_syn_backward_float64,
        rate_forward_float32,
        rate_forward_float64,
        rate_backward_float32,
        rate_backward_float64,
    )
}


SIGNATURE = types.int64(types.CPointer(types.int64))


@cache
def handler_address(name: str) -> int:
    """Return the address of a handler, which is compiled now if it never was.

    Parameters
    ----------
    name : str
        Name of a kernel and of a type, such as ``lif_forward_float32``.
    """
    return callback_address(HANDLERS[name], SIGNATURE)
