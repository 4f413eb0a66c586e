"""Networks that are streamed, and their input.

Weights are multiples of 1/16 and reach spikes, so that their sums are exact in any order, and a
batch run, which leaves the order to BLAS, gives the same to the bit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from rockpool.nn.combinators import FFwdStack, Residual, Sequential, Wired
from rockpool.nn.modules import (
    LIF,
    AvgPool2d,
    Conv1d,
    Conv2d,
    CubaLIEuler,
    CubaLIFEuler,
    ExpSyn,
    Flatten,
    IFEuler,
    Instant,
    LIEuler,
    LIFEuler,
    Linear,
    Rate,
    Scale,
    SumPool2d,
)

N_IN, STEPS = 6, 80


def weights(seed: int, *shape: int) -> np.ndarray:
    """Multiples of 1/16 between -1 and 1."""
    return np.random.default_rng(seed).integers(-16, 17, shape) / 16


def spikes(seed: int, steps: int = STEPS, channels: int = N_IN) -> np.ndarray:
    """Numbers of spikes, mostly 0."""
    return np.random.default_rng(seed).poisson(0.4, (steps, channels)).astype(np.float64)


def neurons(seed: int, shape: Any, dtype: str, **more: Any) -> LIF:
    """LIF neurons that have all parameters one by one."""
    rng = np.random.default_rng(seed)
    n_in, n_out = (shape, shape) if isinstance(shape, int) else shape
    return LIF(
        shape,
        tau_mem=rng.uniform(5e-3, 30e-3, n_out),
        tau_syn=rng.uniform(2e-3, 20e-3, (n_out, n_in // n_out)),
        bias=rng.normal(0, 0.02, n_out),
        threshold=rng.uniform(0.5, 1.5, n_out),
        dtype=dtype,
        **more,
    )


def one_layer(dtype: str) -> Any:
    return neurons(1, N_IN, dtype)


def synapses(dtype: str) -> Any:
    return Sequential(neurons(2, (N_IN, 2), dtype), neurons(3, (2, 1), dtype))


def recurrent(dtype: str) -> Any:
    w_rec = weights(4, 3, N_IN) / 4
    return neurons(5, (N_IN, 3), dtype, has_rec=True, w_rec=w_rec, max_spikes_per_dt=2)


def feed_forward(dtype: str) -> Any:
    return Sequential(
        Linear((N_IN, 20), weight=weights(6, N_IN, 20), bias=weights(7, 20) / 8, dtype=dtype),
        LIF(20, tau_mem=10e-3, dtype=dtype),
        Linear((20, 1), weight=weights(8, 20, 1), dtype=dtype),
        LIF(1, max_spikes_per_dt=np.inf, dtype=dtype),
        ExpSyn(1, tau=5e-3, dtype=dtype),
    )


def residual(dtype: str) -> Any:
    return Sequential(
        Residual(
            Linear((N_IN, N_IN), weight=weights(9, N_IN, N_IN), dtype=dtype),
            Residual(neurons(10, N_IN, dtype)),
        ),
        Linear((N_IN, 4), weight=weights(11, N_IN, 4), dtype=dtype),
        neurons(12, 4, dtype),
    )


def wired(dtype: str) -> Any:
    modules = {
        "a": Linear((N_IN, 4), weight=weights(19, N_IN, 4), dtype=dtype),
        "b": Linear((N_IN, 4), weight=weights(20, N_IN, 4), dtype=dtype),
        "n": neurons(21, 4, dtype),
        "c": Linear((4, 4), weight=weights(22, 4, 4), dtype=dtype),
        "m": neurons(23, 4, dtype),
    }
    edges = "input a,input b,a n,b n,n c,c m,n m,m output,n output,b output"
    inner = Wired(modules, [tuple(edge.split()) for edge in edges.split(",")])
    return Sequential(Instant(N_IN), inner)


def of_nir(dtype: str) -> Any:
    rng = np.random.default_rng(24)
    taus = {"tau_mem": rng.uniform(5e-3, 30e-3, 5), "tau_syn": rng.uniform(5e-3, 30e-3, 5)}
    w_rec = {"has_rec": True, "w_rec": weights(25, 5, 5)}
    ahead = {"reset": "subtract", "reset_delay": "snntorch", "gain": "unit"}
    return Sequential(
        Flatten((2, 3)),
        Linear((N_IN, 5), weight=weights(26, N_IN, 5), dtype=dtype),
        CubaLIFEuler(5, **taus, **w_rec, gain="unit", gain_syn="decay", decay="exp", dtype=dtype),
        LIFEuler(5, taus["tau_mem"], **w_rec, **ahead, dtype=dtype),
        IFEuler(5, gain="unit", reset="subtract", max_spikes_per_dt=3, fires=">=", dtype=dtype),
        LIFEuler(5, gain="unit", reset="subtract", reset_delay=True, delay=1, dtype=dtype),
        CubaLIEuler(5, **taus, gain="unit", synapse="old", dtype=dtype),
        LIEuler(5, v_leak=0.25, delay=1, dtype=dtype),
    )


def images(dtype: str) -> Any:
    return Sequential(
        Scale((2, 6, 6), weight=weights(30, 72), dtype=dtype),
        Conv2d((2, 6, 6), 4, (3, 2), padding=(1, 0), groups=2, dtype=dtype,
               weight=weights(31, 4, 1, 3, 2), bias=weights(32, 4) / 4),
        LIFEuler((4, 6, 5), gain="unit", dtype=dtype),
        Conv2d((4, 6, 5), 3, 3, stride=2, dilation=(2, 1), has_bias=False, dtype=dtype,
               weight=weights(33, 3, 4, 3, 3)),
        LIFEuler((3, 1, 2), gain="unit", dtype=dtype),
        Flatten((3, 1, 2)),
        LIF(6, dtype=dtype),
    )  # fmt: skip


def pools(dtype: str) -> Any:
    return Sequential(
        SumPool2d((2, 6, 6), (3, 2), (1, 2), padding=(1, 0)),
        AvgPool2d((2, 6, 3), 3, padding=1),
        Flatten((2, 2, 1)),
        IFEuler(4, gain="unit", threshold=2.0, dtype=dtype),
        Flatten((4, 1)),
        Conv1d(
            (2, 2),
            3,
            2,
            padding="same",
            has_bias=False,
            dtype=dtype,
            weight=abs(weights(34, 3, 2, 2)) / 4,
        ),
        IFEuler((3, 2), gain="unit", reset="subtract", dtype=dtype),
    )


def stack(dtype: str) -> Any:
    return FFwdStack(
        neurons(13, N_IN, dtype),
        FFwdStack(
            neurons(14, 5, dtype), LIF(3, dtype=dtype), weight_init_func=lambda s: weights(15, *s)
        ),
        weight_init_func=lambda s: weights(16, *s),
    )


def functions(dtype: str) -> Any:
    parts = (np.negative, np.abs, np.square, np.sqrt, np.floor)
    return Sequential(*[Instant(N_IN, function) for function in parts], Instant(N_IN))


def timed(dtype: str) -> Any:
    return Sequential(feed_forward(dtype), LIF(1, dtype=dtype)).timed()


def nothing(dtype: str) -> Any:
    return Instant(N_IN)


def rates(dtype: str) -> Any:
    w_rec = weights(17, N_IN, N_IN) / 8
    values = {"tau": np.linspace(5e-3, 20e-3, N_IN), "bias": weights(18, N_IN), "dtype": dtype}
    return Sequential(
        Rate(N_IN, has_rec=True, w_rec=w_rec, threshold=0.1, activation_func="tanh", **values),
        Rate(N_IN, activation_func="sigmoid", **values),
        Rate(N_IN, has_rec=True, w_rec=w_rec, **values),
        Instant(N_IN, np.exp),
        Instant(N_IN, np.tanh),
    )


# by name; those whose spikes and values are the same to the bit, and those that libraries round
EXACT: dict[str, Callable[[str], Any]] = {
    made.__name__: made
    for made in (
        one_layer, synapses, recurrent, feed_forward, residual, wired, stack, functions, timed,
        nothing, of_nir,
    )
}  # fmt: skip
ROUNDED: dict[str, Callable[[str], Any]] = {"rates": rates}
# of images of 2 x 6 x 6; not in C
IMAGES: dict[str, Callable[[str], Any]] = {"images": images, "pools": pools}


def batch_run(network: Any, data: np.ndarray) -> np.ndarray:
    """What a network gives for (T, N), as a module: a wrapper of time series by what is in it."""
    module = getattr(network, "module", network)
    return module(data[np.newaxis])[0][0]
