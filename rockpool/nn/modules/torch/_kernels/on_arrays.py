"""Calls of LIF layers in torch that need no more than the arrays of CPU tensors.

A call of a few time steps takes longer in torch than in the kernel. So what is made of the
parameters is kept from call to call, and nothing of torch is used but the memory of its tensors,
and one operation of autograd where gradients are asked for.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from rockpool.nn.models.finite_input import require_finite
from rockpool.nn.modules.torch._base.call_options import call_options
from rockpool.nn.modules.torch._base.checks import Required, require_values
from rockpool.nn.modules.torch._base.data_parallel import keep_states_apart
from rockpool.nn.modules.torch._kernels.dispatch import arrays_serve, known_spikes, short_file

__all__ = ["evolved_on_arrays"]


def evolved_on_arrays(module: Any, data: Tensor) -> Tensor | None:
    """Evolve a layer and return its output; None for a call that needs more than arrays."""
    noise = module.noise_std
    if isinstance(noise, Tensor) or noise or not arrays_serve() or 0 in data.shape:
        return None
    options = call_options()
    if options.lengths is not None:
        return None
    trained, stored = module._trained(), module._stored
    parameters: tuple[Any, ...] = tuple(map(stored, trained.values()))
    w_rec = stored("w_rec")
    if w_rec is None and _is_computed(module, "w_rec"):
        return None
    graph = torch.is_grad_enabled()
    if graph and not options.detach:
        return None
    if not _is_array(data, data):
        return None
    n_batch = data.shape[0]
    started: dict[str, np.ndarray] = {}
    fed_back = w_rec is not None or "gamma" in trained
    for name in module._state_names:
        if name == "spikes" and not fed_back:  # nothing asks for those of the step before
            started[name] = np.zeros(started["vmem"].shape, started["vmem"].dtype)
            continue
        array = _started(module, name, data, graph)
        if array is None:
            return None
        started[name] = array
    watched = *parameters, stored("learning_window"), stored("max_spikes_per_dt")
    given = module.__dict__.get("_least_given")
    settings = module.dt, module.leak_mode, module.spike_generation_fn, given
    constants = module._watched.get(partial(_constants, module, trained), watched, *settings)
    if constants is None or parameters[0].dtype != data.dtype:
        return None
    if w_rec is not None:
        if not _is_array(w_rec, data):
            return None
        require_values(module._label, module, (Required("w_rec"),))
        trained, parameters = {**trained, "w_rec": "w_rec"}, (*parameters, w_rec)
    keep_states_apart()
    if n_batch > 1 and "_state_of_first" in module.__dict__:
        module._tell_of_batches()
    kernels = short_file()
    short = kernels.Short(constants, started, tuple(trained), module._made)
    output, squares = kernels.lif_short(short, data, parameters)
    module.__dict__["last_path"] = "numba"
    if squares is None or not squares < np.inf:
        require_finite(module, data, started["isyn"])
    module._buffers.update(_kept(module._keep_batch_state, started))
    if n_batch > 1:
        module._note_batch(n_batch)
    return output


def _constants(module: Any, trained: dict[str, str]) -> Any:
    """Return what the kernels take of a layer's parameters, checked; None if they cannot serve."""
    with torch.no_grad():
        sound = module._sound_values()
        made = module._loop_parameters(sound)
    if not known_spikes(made.spike_fn) or len({sound[own].dtype for own in trained.values()}) > 1:
        return None
    with torch.no_grad():
        slopes = {
            name: module._slope(name, sound[own])
            for name, own in trained.items()
            if name in _DECAYS
        }
    return short_file().constants(made, module.n_neurons, module.n_synapses, slopes)


def _is_computed(module: Any, name: str) -> bool:
    """Whether an attribute that is not stored in torch's way is there, as by a parametrization."""
    try:
        type.__getattribute__(type(module), name)  # `hasattr` asks the metaclass, at length
    except AttributeError:
        return name in module.__dict__
    return True


_DECAYS = ("alpha", "beta", "gamma")


_PLAIN = (Tensor, nn.Parameter)
_TYPES = (torch.float32, torch.float64)


def _is_array(tensor: Any, like: Tensor, graph: bool = False) -> bool:
    """Whether a tensor is a plain one on the CPU, in the type of the input; and has no graph."""
    return (
        type(tensor) in _PLAIN
        and tensor.dtype is like.dtype
        and tensor.dtype in _TYPES
        and tensor.is_cpu
        and tensor.layout is torch.strided
        and not tensor.is_neg()
        and not (graph and tensor.requires_grad)
    )


def _started(module: Any, name: str, data: Tensor, graph: bool) -> np.ndarray | None:
    """Return a state as a new array (B, ...); None if it is kept for a batch of another size.

    None as well if it is no plain tensor like the input, or has a graph.
    """
    value = module._buffers.get(name)
    if type(value) not in _PLAIN or value.dtype is not data.dtype:
        return None
    try:
        array: np.ndarray = value.numpy()
    except (RuntimeError, TypeError):  # it says so faster than to be asked before
        if not _is_array(value, data, graph):
            return None
        array = value.detach().numpy()
    shape, n_batch = module._registered_attributes[name].shape, data.shape[0]
    if array.shape == shape:
        return np.repeat(array[np.newaxis], n_batch, 0) if n_batch > 1 else array[np.newaxis].copy()
    return array.copy() if array.shape == (n_batch, *shape) else None


def _kept(whole: bool, states: dict[str, np.ndarray]) -> dict[str, Tensor]:
    """Return final states as tensors; those of batch element 0 alone are in memory of their own."""
    if torch.is_inference_mode_enabled():
        with torch.inference_mode(False):
            return _kept(whole, states)
    if whole:
        return {name: torch.from_numpy(array) for name, array in states.items()}
    return {
        name: torch.from_numpy(array[0] if len(array) == 1 else array[0].copy())
        for name, array in states.items()
    }
