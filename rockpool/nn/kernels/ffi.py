"""Kernels as C functions that XLA calls: typed-FFI handlers, made without a C compiler.

`INTERFACES` says what each of them takes and gives. A handler gets the address of a call frame, a
structure of 64-bit words of which it reads where the arguments and results are. The places of the
words are those of one version of the interface, `API_VERSION`; there is no handler for another one.

All numbers of one call are of one type, float32 or float64; scalars are arrays of one element; what
is absent is an array of size 0.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple, no_type_check

import numpy as np
from numba import carray, types
from numba.extending import register_jitable

from rockpool.nn.kernels.callbacks import callback_address
from rockpool.nn.kernels.compiling import OPTIONS, inner
from rockpool.nn.kernels.euler import euler_forward
from rockpool.nn.kernels.euler_backward import euler_backward
from rockpool.nn.kernels.exp_syn import exp_syn_backward, exp_syn_forward
from rockpool.nn.kernels.ffi_frames import (
    ARGUMENT,
    RESULT,
    asks_for_version,
    buffer_at,
    numbers,
    pointer,
    words,
)
from rockpool.nn.kernels.ffi_threads import Cut, divided
from rockpool.nn.kernels.lif import lif_forward
from rockpool.nn.kernels.lif_backward import STEP_PWL, lif_backward
from rockpool.nn.kernels.parts import clear, copy
from rockpool.nn.kernels.rate import rate_backward, rate_forward

__all__ = ["API_VERSION", "INTERFACES", "Interface", "handler_address"]

API_VERSION = (0, 3)
MAJOR, MINOR = API_VERSION


@no_type_check
@inner
def _answered(frame: Any) -> bool:
    """Say which version this is, if that is what the call is about."""
    if not asks_for_version(frame):
        return False
    metadata = words(frame[1], 4)[3]
    version = numbers(metadata + 24, 2, np.int32(0))
    version[0], version[1] = MAJOR, MINOR
    numbers(metadata + 32, 1, np.int32(0))[0] = 0  # no traits
    return True


@no_type_check
@inner
def _array1(frame: Any, where: int, index: int, like: Any) -> Any:
    buffer = buffer_at(frame, where, index)
    return numbers(buffer[3], words(buffer[5], 1)[0], like)


@no_type_check
@inner
def _array2(frame: Any, where: int, index: int, like: Any) -> Any:
    buffer = buffer_at(frame, where, index)
    shape = words(buffer[5], 2)
    return carray(pointer(buffer[3], like), (shape[0], shape[1]))


@no_type_check
@inner
def _array3(frame: Any, where: int, index: int, like: Any) -> Any:
    buffer = buffer_at(frame, where, index)
    shape = words(buffer[5], 3)
    return carray(pointer(buffer[3], like), (shape[0], shape[1], shape[2]))


@no_type_check
@inner
def _copy_rows(source: Any, target: Any) -> None:
    for b in range(target.shape[0]):
        copy(source[b], target[b])


@no_type_check
@inner
def _clear_rows(target: Any) -> None:
    for b in range(target.shape[0]):
        clear(target[b])


handler = register_jitable(**OPTIONS)


@no_type_check
@handler
def _lif_forward(frame: Any, like: Any) -> None:
    vmem, isyn = _array2(frame, RESULT, 2, like), _array2(frame, RESULT, 3, like)
    _copy_rows(_array2(frame, ARGUMENT, 8, like), vmem)
    _copy_rows(_array2(frame, ARGUMENT, 9, like), isyn)
    spikes = np.empty_like(vmem)
    _copy_rows(_array2(frame, ARGUMENT, 10, like), spikes)
    absent1, absent2 = np.empty(0, vmem.dtype), np.empty((0, 0), vmem.dtype)
    absent3 = np.empty((0, 0, 0), vmem.dtype)
    before = absent3
    if _array1(frame, ARGUMENT, 11, like).size > 0:
        before = _array3(frame, RESULT, 1, like)
    lif_forward(
        x=_array3(frame, ARGUMENT, 0, like),
        w_rec=_array2(frame, ARGUMENT, 1, like),
        alpha=_array1(frame, ARGUMENT, 2, like),
        beta=_array1(frame, ARGUMENT, 3, like),
        bias=_array1(frame, ARGUMENT, 4, like),
        threshold=_array1(frame, ARGUMENT, 5, like),
        max_spikes=float(_array1(frame, ARGUMENT, 6, like)[0]),
        noise=_array3(frame, ARGUMENT, 7, like),
        gamma=absent1,
        w_ahp=absent1,
        vmem=vmem,
        isyn=isyn,
        spikes=spikes,
        iahp=absent2,
        output=_array3(frame, RESULT, 0, like),
        before=before,
        vmem_record=absent3,
        isyn_record=absent3,
        irec_record=absent3,
        iahp_record=absent3,
        marks_v=absent3,
        marks_i=absent3,
        marks_ahp=absent3,
        tally=absent3,
    )


@no_type_check
@handler
def _lif_backward(frame: Any, like: Any) -> None:
    before = _array3(frame, ARGUMENT, 10, like)
    grad_vmem, grad_isyn = _array2(frame, RESULT, 6, like), _array2(frame, RESULT, 7, like)
    _copy_rows(_array2(frame, ARGUMENT, 13, like), grad_vmem)
    _copy_rows(_array2(frame, ARGUMENT, 14, like), grad_isyn)
    grad_spikes, grad_w_rec = _array2(frame, RESULT, 8, like), _array2(frame, RESULT, 1, like)
    _clear_rows(grad_spikes)
    _clear_rows(grad_w_rec)
    # sums over batch and time, in double precision
    of_neuron = np.zeros((3, before.shape[2]))
    of_beta = np.zeros(_array1(frame, RESULT, 3, like).size)
    absent1, absent2 = np.empty(0, before.dtype), np.empty((0, 0), before.dtype)
    absent3, no_gradient = np.empty((0, 0, 0), before.dtype), np.empty(0)
    lif_backward(
        grad_output=_array3(frame, ARGUMENT, 11, like),
        grad_vmem_record=_array3(frame, ARGUMENT, 12, like),
        grad_isyn_record=absent3,
        grad_irec_record=absent3,
        grad_iahp_record=absent3,
        before_reset=True,
        x=_array3(frame, ARGUMENT, 0, like),
        before=before,
        w_rec=_array2(frame, ARGUMENT, 1, like),
        alpha=_array1(frame, ARGUMENT, 2, like),
        beta=_array1(frame, ARGUMENT, 3, like),
        threshold=_array1(frame, ARGUMENT, 4, like),
        max_spikes=float(_array1(frame, ARGUMENT, 5, like)[0]),
        window=float(_array1(frame, ARGUMENT, 6, like)[0]),
        surrogate=STEP_PWL,
        gamma=absent1,
        w_ahp=absent1,
        vmem=_array2(frame, ARGUMENT, 7, like),
        isyn=_array2(frame, ARGUMENT, 8, like),
        spikes=_array2(frame, ARGUMENT, 9, like),
        iahp=absent2,
        grad_vmem=grad_vmem,
        grad_isyn=grad_isyn,
        grad_spikes=grad_spikes,
        grad_iahp=absent2,
        grad_x=_array3(frame, RESULT, 0, like),
        grad_w_rec=grad_w_rec,
        grad_alpha=of_neuron[0],
        grad_beta=of_beta,
        grad_bias=of_neuron[1],
        grad_threshold=of_neuron[2],
        grad_gamma=no_gradient,
        grad_w_ahp=no_gradient,
        bias=absent1,
        noise=absent3,
        marks_v=absent3,
        marks_i=absent3,
        marks_ahp=absent3,
        irec_record=absent3,
    )
    copy(of_neuron[0], _array1(frame, RESULT, 2, like))
    copy(of_beta, _array1(frame, RESULT, 3, like))
    copy(of_neuron[1], _array1(frame, RESULT, 4, like))
    copy(of_neuron[2], _array1(frame, RESULT, 5, like))


@no_type_check
@handler
def _exp_syn_forward(frame: Any, like: Any) -> None:
    isyn = _array2(frame, RESULT, 1, like)
    _copy_rows(_array2(frame, ARGUMENT, 2, like), isyn)
    x, beta = _array3(frame, ARGUMENT, 0, like), _array1(frame, ARGUMENT, 1, like)
    exp_syn_forward(x=x, beta=beta, isyn=isyn, output=_array3(frame, RESULT, 0, like))


@no_type_check
@handler
def _exp_syn_backward(frame: Any, like: Any) -> None:
    beta = _array1(frame, ARGUMENT, 1, like)
    grad_isyn, of_beta = _array2(frame, RESULT, 2, like), np.zeros(beta.size)
    _copy_rows(_array2(frame, ARGUMENT, 5, like), grad_isyn)
    exp_syn_backward(
        grad_output=_array3(frame, ARGUMENT, 4, like),
        x=_array3(frame, ARGUMENT, 0, like),
        output=_array3(frame, ARGUMENT, 3, like),
        beta=beta,
        isyn=_array2(frame, ARGUMENT, 2, like),
        grad_isyn=grad_isyn,
        grad_x=_array3(frame, RESULT, 0, like),
        grad_beta=of_beta,
    )
    copy(of_beta, _array1(frame, RESULT, 1, like))


@no_type_check
@handler
def _rate_forward(frame: Any, like: Any) -> None:
    x = _array2(frame, RESULT, 3, like)
    _copy_rows(_array2(frame, ARGUMENT, 7, like), x)
    rate_forward(
        data=_array3(frame, ARGUMENT, 0, like),
        w_rec=_array2(frame, ARGUMENT, 1, like),
        gain=_array1(frame, ARGUMENT, 2, like),
        bias=_array1(frame, ARGUMENT, 3, like),
        threshold=_array1(frame, ARGUMENT, 4, like),
        activation=int(_array1(frame, ARGUMENT, 5, like)[0]),
        noise=_array3(frame, ARGUMENT, 6, like),
        x=x,
        output=_array3(frame, RESULT, 0, like),
        x_record=_array3(frame, RESULT, 1, like),
        rec_record=_array3(frame, RESULT, 2, like),
    )


@no_type_check
@handler
def _rate_backward(frame: Any, like: Any) -> None:
    gain = _array1(frame, ARGUMENT, 2, like)
    grad_x, grad_w_rec = _array2(frame, RESULT, 5, like), _array2(frame, RESULT, 1, like)
    _copy_rows(_array2(frame, ARGUMENT, 14, like), grad_x)
    _clear_rows(grad_w_rec)
    of_neuron = np.zeros((3, gain.size))
    rate_backward(
        grad_output=_array3(frame, ARGUMENT, 11, like),
        grad_x_record=_array3(frame, ARGUMENT, 12, like),
        grad_rec_record=_array3(frame, ARGUMENT, 13, like),
        data=_array3(frame, ARGUMENT, 0, like),
        output=_array3(frame, ARGUMENT, 9, like),
        x_record=_array3(frame, ARGUMENT, 10, like),
        w_rec=_array2(frame, ARGUMENT, 1, like),
        gain=gain,
        bias=_array1(frame, ARGUMENT, 3, like),
        threshold=_array1(frame, ARGUMENT, 4, like),
        activation=int(_array1(frame, ARGUMENT, 5, like)[0]),
        at_threshold=float(_array1(frame, ARGUMENT, 6, like)[0]),
        noise=_array3(frame, ARGUMENT, 7, like),
        x=_array2(frame, ARGUMENT, 8, like),
        grad_x=grad_x,
        grad_data=_array3(frame, RESULT, 0, like),
        grad_w_rec=grad_w_rec,
        grad_gain=of_neuron[0],
        grad_bias=of_neuron[1],
        grad_threshold=of_neuron[2],
    )
    for i in range(3):
        copy(of_neuron[i], _array1(frame, RESULT, 2 + i, like))


@no_type_check
@handler
def _euler_forward(frame: Any, like: Any) -> None:
    vmem = np.empty_like(_array2(frame, ARGUMENT, 10, like))
    isyn = np.empty_like(_array2(frame, ARGUMENT, 11, like))
    spikes = np.empty_like(_array2(frame, ARGUMENT, 12, like))
    _copy_rows(_array2(frame, ARGUMENT, 10, like), vmem)
    _copy_rows(_array2(frame, ARGUMENT, 11, like), isyn)
    _copy_rows(_array2(frame, ARGUMENT, 12, like), spikes)
    euler_forward(
        x=_array3(frame, ARGUMENT, 0, like),
        w_rec=_array2(frame, ARGUMENT, 1, like),
        a_mem=_array1(frame, ARGUMENT, 2, like),
        g_mem=_array1(frame, ARGUMENT, 3, like),
        leak=_array1(frame, ARGUMENT, 4, like),
        a_syn=_array1(frame, ARGUMENT, 5, like),
        g_syn=_array1(frame, ARGUMENT, 6, like),
        threshold=_array1(frame, ARGUMENT, 7, like),
        v_reset=_array1(frame, ARGUMENT, 8, like),
        rules=_array1(frame, ARGUMENT, 9, like),
        vmem=vmem,
        isyn=isyn,
        spikes=spikes,
        reached=_array3(frame, RESULT, 0, like),
        fired=_array3(frame, RESULT, 1, like),
        currents=_array3(frame, RESULT, 2, like),
        vmem_record=np.empty((0, 0, 0), vmem.dtype),
    )


@no_type_check
@handler
def _euler_backward(frame: Any, like: Any) -> None:
    grad_w_rec, threshold = _array2(frame, RESULT, 1, like), _array1(frame, ARGUMENT, 6, like)
    a_syn = _array1(frame, ARGUMENT, 4, like)
    _clear_rows(grad_w_rec)
    # sums over batch and time, in double precision
    of_membrane = np.zeros((3, _array1(frame, ARGUMENT, 2, like).size))
    of_synapse, of_reset = np.zeros((2, a_syn.size)), np.zeros((2, threshold.size))
    euler_backward(
        grad_reached=_array3(frame, ARGUMENT, 16, like),
        grad_fired=_array3(frame, ARGUMENT, 17, like),
        grad_currents=_array3(frame, ARGUMENT, 18, like),
        x=_array3(frame, ARGUMENT, 0, like),
        w_rec=_array2(frame, ARGUMENT, 1, like),
        a_mem=_array1(frame, ARGUMENT, 2, like),
        g_mem=_array1(frame, ARGUMENT, 3, like),
        a_syn=a_syn,
        g_syn=_array1(frame, ARGUMENT, 5, like),
        threshold=threshold,
        v_reset=_array1(frame, ARGUMENT, 7, like),
        rules=_array1(frame, ARGUMENT, 8, like),
        window=float(_array1(frame, ARGUMENT, 9, like)[0]),
        vmem=_array2(frame, ARGUMENT, 10, like),
        isyn=_array2(frame, ARGUMENT, 11, like),
        spikes=_array2(frame, ARGUMENT, 12, like),
        reached=_array3(frame, ARGUMENT, 13, like),
        fired=_array3(frame, ARGUMENT, 14, like),
        currents=_array3(frame, ARGUMENT, 15, like),
        grad_vmem=_array2(frame, RESULT, 9, like),
        grad_isyn=_array2(frame, RESULT, 10, like),
        grad_spikes=_array2(frame, RESULT, 11, like),
        grad_x=_array3(frame, RESULT, 0, like),
        grad_w_rec=grad_w_rec,
        grad_a_mem=of_membrane[0],
        grad_g_mem=of_membrane[1],
        grad_leak=of_membrane[2],
        grad_a_syn=of_synapse[0],
        grad_g_syn=of_synapse[1],
        grad_threshold=of_reset[0],
        grad_v_reset=of_reset[1],
    )
    for i in range(3):
        copy(of_membrane[i], _array1(frame, RESULT, 2 + i, like))
    for i in range(2):
        copy(of_synapse[i], _array1(frame, RESULT, 5 + i, like))
        copy(of_reset[i], _array1(frame, RESULT, 7 + i, like))


class Interface(NamedTuple):
    """What a handler is called with: arrays, in this order."""

    handler: Callable[[Any, Any], None]
    arguments: list[str]
    results: list[str]
    over: str  # the array (B, T, N), one of these, whose batch may go over several threads


_LIF = "x w_rec alpha beta bias threshold max_spikes noise vmem isyn spikes"
_RATE = "data w_rec gain bias threshold activation noise x"
_EULER = "a_syn g_syn threshold v_reset"

# The results of a backward kernel are the gradients of what is so named. Of those, x and beta may
# have no size if they are not wanted, w_rec has none where there are no recurrent weights.
INTERFACES = {
    "lif_forward": Interface(
        # nothing is written to `before` where `kept` has no size
        _lif_forward,
        f"{_LIF} kept".split(),
        "output before vmem isyn".split(),
        "output",
    ),
    "lif_backward": Interface(
        _lif_backward,
        "x w_rec alpha beta threshold max_spikes window vmem isyn spikes before "
        "grad_output grad_before grad_vmem grad_isyn".split(),
        "x w_rec alpha beta bias threshold vmem isyn spikes".split(),
        "before",
    ),
    "exp_syn_forward": Interface(
        _exp_syn_forward, "x beta isyn".split(), "output isyn".split(), "output"
    ),
    "exp_syn_backward": Interface(
        _exp_syn_backward,
        "x beta isyn output grad_output grad_isyn".split(),
        "x beta isyn".split(),
        "output",
    ),
    "rate_forward": Interface(
        _rate_forward, _RATE.split(), "output x_record rec_record x".split(), "output"
    ),
    "rate_backward": Interface(
        _rate_backward,
        "data w_rec gain bias threshold activation at_threshold noise x output x_record "
        "grad_output grad_x_record grad_rec_record grad_x".split(),
        "data w_rec gain bias threshold x".split(),
        "output",
    ),
    "euler_forward": Interface(
        _euler_forward,
        f"x w_rec a_mem g_mem leak {_EULER} rules vmem isyn spikes".split(),
        "reached fired currents".split(),
        "x",
    ),
    "euler_backward": Interface(
        _euler_backward,
        f"x w_rec a_mem g_mem {_EULER} rules window vmem isyn spikes reached fired currents "
        "grad_reached grad_fired grad_currents".split(),
        f"x w_rec a_mem g_mem leak {_EULER} vmem isyn spikes".split(),
        "reached",
    ),
}

SIGNATURE = types.int64(types.CPointer(types.int64))


def _cut(interface: Interface) -> Cut:
    """Return what of the batch is cut; an array of both kinds is given to the kernel."""
    _, arguments, results, over = interface
    given = over in arguments
    return Cut(
        where=ARGUMENT if given else RESULT,
        place=(arguments if given else results).index(over),
        w_rec_argument=arguments.index("w_rec") if "w_rec" in arguments else -1,
        w_rec_result=results.index("w_rec") if "w_rec" in results else -1,
    )


@cache
def handler_address(kernel: str, dtype: str) -> int:
    """Return the address of a handler of `INTERFACES`, which is compiled now if it never was.

    `dtype` is ``"float32"`` or ``"float64"``.
    """
    # Numba finds the machine code on disk by this function's name and by what it encloses
    handle, like = INTERFACES[kernel].handler, np.dtype(dtype).type(0)

    @no_type_check
    def function(frame: Any) -> int:
        words = carray(frame, (16,))
        if not _answered(words):
            handle(words, like)
        return 0

    function.__name__ = function.__qualname__ = f"{kernel}_{dtype}"
    whole = callback_address(function, SIGNATURE)
    return divided(whole, function.__name__, _cut(INTERFACES[kernel]))
