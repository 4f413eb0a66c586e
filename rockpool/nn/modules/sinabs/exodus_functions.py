"""The two compiled functions of sinabs-exodus that the modules are made of, over (B, T, N) data."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import sinabs  # noqa: F401 - waits where another thread is importing it
import torch
from sinabs.exodus.leaky import LeakyIntegrator
from sinabs.exodus.spike import IntegrateAndFire
from torch import Tensor

__all__ = ["leaky_integral", "spikes_of_membranes", "surrogate_of", "synaptic_currents"]

# (vmem, threshold) -> derivative of the number of spikes by vmem
Surrogate = Callable[[Tensor, Tensor], Tensor]


def leaky_integral(label: str, x: Tensor, decay: Tensor, start: Tensor) -> Tensor:
    """Return ``v_t = v_{t-1} decay + x_t`` for input `x`, (B, T, N).

    The `decay` is of a shape that expands to (B, N); the value before the first time step is
    `start`, (B, N). Of tensors that are not on a CUDA device, the ValueError names the module
    `label`.
    """
    with _named_device(label, x):
        found = LeakyIntegrator.apply(_rows(x), _flat(decay, start), start.reshape(-1).contiguous())
    return _batches(found, x)


def synaptic_currents(label: str, x: Tensor, beta: Tensor, start: Tensor) -> Tensor:
    """Return ``i_t = (i_{t-1} + x_t) beta``; parameters and result as for `leaky_integral`.

    A leaky integral decays before the input of a time step arrives, not after it; its decay is thus
    applied once more at the end, and the current that there is comes in as input.
    """
    x = torch.cat([(start + x[:, 0]).unsqueeze(1), x[:, 1:]], dim=1)
    return leaky_integral(label, x, beta, torch.zeros_like(start)) * beta


def spikes_of_membranes(
    label: str,
    drive: Tensor,
    alpha: Tensor,
    start: Tensor,
    threshold: Tensor,
    surrogate: Surrogate,
    max_spikes: int,
) -> tuple[Tensor, Tensor]:
    """Return spikes and membranes after the reset, (B, T, N) each, of integrate-and-fire neurons.

    The membranes are leaky integrals of the `drive`, as `leaky_integral` has them, with the decays
    `alpha`; the thresholds are of a shape that expands to (B, N). A neuron emits at most
    `max_spikes` in one time step.
    """
    thresholds = _flat(threshold, start).detach()
    with _named_device(label, drive):
        spikes, before = IntegrateAndFire.apply(
            _rows(drive),
            _flat(alpha, start),
            start.reshape(-1).contiguous(),
            thresholds,
            thresholds,  # what is subtracted with each spike
            None,  # there is no lower bound
            surrogate,
            max_spikes,
        )
    spikes, before = _batches(spikes, drive), _batches(before, drive)
    return spikes, before - spikes * threshold


def surrogate_of(spike_fn: Callable[..., Tensor], window: object, max_spikes: object) -> Surrogate:
    """Return the derivative that belongs to a spike function of this package."""

    def derivative(vmem: Tensor, threshold: Tensor) -> Tensor:
        with torch.enable_grad():
            vmem = vmem.detach().requires_grad_()
            spikes = spike_fn(vmem, threshold, window, max_spikes)
            return torch.autograd.grad(spikes.sum(), vmem)[0]

    return derivative


def _rows(x: Tensor) -> Tensor:
    """Return (B, T, N) data as (B * N, T), which is what the functions take."""
    return x.transpose(1, 2).reshape(-1, x.shape[1]).contiguous()


def _batches(rows: Tensor, like: Tensor) -> Tensor:
    n_batch, n_steps, n = like.shape
    return rows.reshape(n_batch, n, n_steps).transpose(1, 2)


def _flat(values: Tensor, like: Tensor) -> Tensor:
    return values.expand(like.shape).reshape(-1).contiguous()


@contextmanager
def _named_device(label: str, data: Tensor) -> Iterator[None]:
    """Say which module is on the wrong device; the functions only say that there is a tensor."""
    try:
        yield
    except RuntimeError as error:
        if data.is_cuda:
            raise
        raise ValueError(
            f"{label}: the module and its input must be on a CUDA device, got {data.device}; "
            f"move both with .to('cuda')"
        ) from error
