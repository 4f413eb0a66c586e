"""What training in several processes at once must leave alone: states, and memory.

``DistributedDataParallel`` sends the buffers of its first process to all others before each call,
for running means and the like to agree. Each process has states of its own share of the batch.

``fully_shard`` puts the shards of the parameters together before a call, and takes the memory back
after it. It cannot do so where an array of numpy has been made in that memory.
"""

from __future__ import annotations

import sys
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from rockpool.nn.modules._registry import AttributeRegistry
from rockpool.nn.modules.torch._base.transforms import compiling


def neuron_states(module: nn.Module) -> set[str]:
    """Return the names of the buffers in a module that are states of neurons, at any depth."""
    return {
        f"{path}.{name}" if path else name
        for path, part in module.named_modules()
        if isinstance(part, AttributeRegistry)
        for name, entry in part._attributes_of("State")
        if entry.init_func is not None  # those of modules of torch are not reset with neurons
    }


def keep_states_apart() -> None:
    """Tell the wrapper that makes the present call, if there is one, which buffers are states.

    It asks the module that it wraps, which cannot tell if it is a module of torch around ours.
    """
    wrapper: Any = getattr(DistributedDataParallel, "_active_ddp_module", None)
    if wrapper is None or compiling() or hasattr(wrapper, "_knows_neuron_states"):
        return
    wrapper.parameters_to_ignore.update(neuron_states(wrapper.module))
    wrapper._knows_neuron_states = True


def memory_is_taken_back(tensor: Tensor) -> bool:
    """Whether the memory of a tensor may be resized, so that no array may be made in it.

    That is done to parameters, which have two axes at most where an array is made of them. Input,
    output and their gradients have a third, and large ones are not to be copied. It is done only
    where processes have joined a group; any optimizer of torch imports `torch.distributed.fsdp`.
    """
    if tensor.dim() > 2 or "torch.distributed.fsdp" not in sys.modules:
        return False
    return torch.distributed.is_initialized() and tensor.untyped_storage().resizable()


def is_exchange_of_shards(present: Any, value: Any) -> bool:
    """Whether one form of a parameter takes the place of another: a shard, or all of its values."""
    shards = getattr(sys.modules.get("torch.distributed.tensor"), "DTensor", None)
    if shards is None or not isinstance(present, nn.Parameter):
        return False
    return isinstance(value, nn.Parameter) and isinstance(present, shards) != isinstance(
        value, shards
    )
