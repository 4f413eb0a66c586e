"""What goes into the operations of autograd for LIF neurons and comes out, on whichever device."""

from typing import Any, NamedTuple

from torch import Tensor
from torch.autograd import Function

from rockpool.nn.modules.torch._kernels.gradients import run
from rockpool.nn.modules.torch._loops.lif import LIFParameters, LIFState, lif_loop
from rockpool.nn.modules.torch._loops.steps import Records

__all__ = ["RECORDS", "Inputs", "Results", "Settings", "by_loop", "run_lif"]

RECORDS = ("vmem_record", "isyn_record", "irec_record", "iahp_record")


class Settings(NamedTuple):
    """What goes in besides tensors."""

    spike_fn: Any
    window: float | Tensor
    max_spikes: float | Tensor
    record: bool


class Inputs(NamedTuple):
    """All tensors that go in, or their gradients, or whether those are needed."""

    x: Tensor
    noise: Tensor | None
    vmem: Tensor
    isyn: Tensor
    spikes: Tensor
    iahp: Tensor | None
    alpha: Tensor
    beta: Tensor
    bias: Tensor
    threshold: Tensor
    w_rec: Tensor | None
    gamma: Tensor | None
    w_ahp: Tensor | None


class Results(NamedTuple):
    """All that comes out, or the gradients of that; None where there is nothing."""

    output: Tensor
    vmem: Tensor
    isyn: Tensor
    spikes: Tensor
    iahp: Tensor | None
    vmem_record: Tensor | None
    isyn_record: Tensor | None
    irec_record: Tensor | None
    iahp_record: Tensor | None


def run_lif(
    function: type[Function],
    x: Tensor,
    state: LIFState,
    parameters: LIFParameters,
    noise: Tensor | None = None,
    record: bool = False,
) -> tuple[Tensor, LIFState, Records]:
    """Run LIF neurons over time by a function of autograd; else as `lif_loop`."""
    p = parameters
    inputs = Inputs._make((x, noise, *state, *p[:5], p.gamma, p.w_ahp))
    settings = Settings(p.spike_fn, p.window, p.max_spikes, record)
    output, vmem, isyn, spikes, iahp, *recorded = run(function, settings, *inputs)
    records = {}
    if record:
        named = zip(RECORDS, recorded, strict=True)
        records = {
            name.removesuffix("_record"): value for name, value in named if value is not None
        }
        records["spikes"] = output
    return output, LIFState(vmem, isyn, spikes, iahp), records


def by_loop(settings: Settings, *tensors: Any) -> Results:
    """Return what the kernel returns, by the loop in torch."""
    p = Inputs(*tensors)
    parameters = LIFParameters(
        p.alpha, p.beta, p.bias, p.threshold, p.w_rec, *settings[:3], p.gamma, p.w_ahp
    )
    state = LIFState(p.vmem, p.isyn, p.spikes, p.iahp)
    output, final, records = lif_loop(p.x, state, parameters, p.noise, settings.record)
    return Results(output, *final, *(records.get(name.removesuffix("_record")) for name in RECORDS))
