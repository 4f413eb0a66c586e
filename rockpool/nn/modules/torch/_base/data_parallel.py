"""What training in several processes at once must leave alone: the states of neurons.

``DistributedDataParallel`` sends the buffers of its first process to all others before each call,
for running means and the like to agree. Each process has states of its own share of the batch.
"""

from __future__ import annotations

from typing import Any

from torch import nn
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
    if compiling():
        return
    wrapper: Any = getattr(DistributedDataParallel, "_active_ddp_module", None)
    if wrapper is not None and not hasattr(wrapper, "_knows_neuron_states"):
        wrapper.parameters_to_ignore.update(neuron_states(wrapper.module))
        wrapper._knows_neuron_states = True
