"""The time loop of LIF neurons in torch by kernels of Triton. Needs triton.

A layer without recurrent weights is one kernel over all time steps. One with them goes step by
step, with a product of torch between two of them; the gradient of the weights, and the recurrent
input once more for that of the decays, are one product over all steps each.

For the gradients the membrane before the reset is kept, or the states of each 64th step alone, from
which it is computed again (``ROCKPOOL_GPU_MEMORY=low``).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd import Function

from rockpool.nn.modules.torch._base.surrogates import PeriodicExponential
from rockpool.nn.modules.torch._kernels.gradients import (
    by_operations,
    keep,
    only_needed,
    second_order,
)
from rockpool.nn.modules.torch._kernels.lif_forms import Inputs, Results, Settings, by_loop, run_lif
from rockpool.nn.modules.torch._kernels.triton.launching import (
    chosen_shape,
    copied,
    gradient_of,
    launch,
    reduced,
    scalar,
    spread,
    strided,
    wants_low_memory,
    width_of,
)
from rockpool.nn.modules.torch._kernels.triton.lif_kernels import lif_backward, lif_forward
from rockpool.nn.modules.torch._loops.lif import LIFParameters, LIFState
from rockpool.nn.modules.torch._loops.steps import Records

__all__ = ["lif"]

TOGETHER = 64  # steps whose membranes are computed again in one go


def lif(
    x: Tensor,
    state: LIFState,
    parameters: LIFParameters,
    noise: Tensor | None = None,
    record: bool = False,
) -> tuple[Tensor, LIFState, Records]:
    """Run LIF neurons over time; as `lif_loop`."""
    return run_lif(_LIF, x, state, parameters, noise, record)


class _Part(NamedTuple):
    """Some of the time steps."""

    first: int
    last: int  # the one after them

    def of(self, tensor: Any) -> Any:
        """Return what a tensor over time has from here on; None for none."""
        return None if tensor is None else tensor[:, self.first :]

    def steps(self) -> Iterator[_Part]:
        """Yield each of the steps as a part."""
        return (_Part(t, t + 1) for t in range(self.first, self.last))


class _Layer:
    """What all launches of one call have in common."""

    def __init__(self, settings: Settings, p: Inputs) -> None:
        self.n_batch, self.n_out, self.n_synapses = p.isyn.shape
        self.like = p.vmem
        per_neuron = (self.n_out,)
        self.parameters = {
            "alpha": spread(p.alpha, per_neuron),
            "beta": spread(p.beta, (self.n_out, self.n_synapses)),
            "threshold": spread(p.threshold, per_neuron),
            "gamma": spread(p.gamma, per_neuron),
            "w_ahp": spread(p.w_ahp, per_neuron),
            "most": scalar(settings.max_spikes, p.vmem),
        }
        self.bias = spread(p.bias, per_neuron)
        self.p = p
        width = width_of(self.n_synapses)
        self.constants = {"S": self.n_synapses, "WIDTH": width}
        self.shape = chosen_shape(self.n_batch, self.n_out, width, p.x, p.vmem)

    def over_time(self, n_steps: int) -> Tensor:
        """Return a new tensor over time."""
        return self.like.new_empty((self.n_batch, n_steps, self.n_out))

    def forward(self, part: _Part, states: LIFState, at: int = 0, **results: Tensor | None) -> None:
        """Run some time steps: change states, write results from step `at` of theirs on."""
        if self.p.w_rec is None:
            self._forward(part, states, at, None, **results)
            return
        irec_record = results.pop("irec_record", None)
        for number, step in enumerate(part.steps(), at):
            irec = states.spikes @ self.p.w_rec
            if irec_record is not None:
                irec_record[:, number] = irec
            self._forward(step, states, number, irec, **results)

    def _forward(
        self,
        part: _Part,
        states: LIFState,
        at: int,
        irec: Tensor | None,
        output: Tensor | None = None,
        before: Tensor | None = None,
        vmem_record: Tensor | None = None,
        isyn_record: Tensor | None = None,
        iahp_record: Tensor | None = None,
    ) -> None:
        if part.first == part.last:
            return
        written = {
            "output": output,
            "before": before,
            "vmem_record": vmem_record,
            "isyn_record": isyn_record,
            "iahp_record": iahp_record,
        }
        total = next((t.shape[1] for t in written.values() if t is not None), 0)
        arguments = {
            **strided("x", part.of(self.p.x), ("batch", "step", "channel")),
            "irec": irec,
            **strided("noise", part.of(self.p.noise), ("batch", "step", "neuron")),
            **self.parameters,
            "bias": self.bias,
            **states._asdict(),
            **{name: None if t is None else t[:, at:] for name, t in written.items()},
            "n_out": self.n_out,
            "n_steps": part.last - part.first,
            "total": total,
        }
        launch(lif_forward, self.n_batch, self.n_out, arguments, self.shape, **self.constants)


class _LIF(Function):
    @staticmethod
    def forward(ctx: Any, settings: Settings, *tensors: Any) -> Any:
        """Run the kernel; what the gradients need is kept in `ctx`, unless that is None."""
        p = Inputs(*tensors)
        layer, n_steps = _Layer(settings, p), p.x.shape[1]
        states = _started(LIFState(p.vmem, p.isyn, p.spikes, p.iahp))
        output = layer.over_time(n_steps)
        low = ctx is not None and wants_low_memory()
        before = None if ctx is None or low else layer.over_time(n_steps)
        records: list[Tensor | None] = [None] * 4
        if settings.record:
            per_synapse = (*output.shape, layer.n_synapses)
            shapes = (output.shape, per_synapse, per_synapse)
            records = [output.new_empty(shape) for shape in shapes]
            records.append(None if p.iahp is None else layer.over_time(n_steps))
        vmem_record, isyn_record, irec_record, iahp_record = (
            None if value is None else value.flatten(2) for value in records
        )
        results = {
            "output": output,
            "before": before,
            "vmem_record": vmem_record,
            "isyn_record": isyn_record,
            "iahp_record": iahp_record,
        }
        if p.w_rec is not None:
            results["irec_record"] = irec_record
        elif irec_record is not None:
            irec_record.zero_()
        starts: list[LIFState] = []
        for part in _parts(n_steps, low):
            if part.first > 0:
                starts.append(_started(states))
            layer.forward(part, states, part.first, **results)
        keep(ctx, settings, before, *tensors, *(t for start in starts for t in start))
        if ctx is not None:
            ctx.low, ctx.autocast = low, _autocast(p.x.device.type)
            if p.w_rec is None and irec_record is not None:
                ctx.mark_non_differentiable(records[2])
        return output, *states, *records

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> Any:
        before, *tensors = ctx.saved_tensors
        inputs, needed = Inputs(*tensors[: len(Inputs._fields)]), ctx.needs_input_grad[1:]
        given = Results._make(grads)
        with torch.autocast(inputs.x.device.type, *ctx.autocast):
            if by_operations(grads):
                function = partial(by_loop, ctx.settings)
                return None, *second_order(function, inputs, needed, grads)
            left = iter(tensors[len(Inputs._fields) :])
            starts = [LIFState(inputs.vmem, inputs.isyn, inputs.spikes, inputs.iahp)]
            starts += map(LIFState._make, zip(*[left] * len(LIFState._fields), strict=True))
            back = _Back(ctx.settings, inputs, Inputs._make(needed), given)
            for part, start in zip(
                reversed(_parts(inputs.x.shape[1], ctx.low)), reversed(starts), strict=True
            ):
                back.go(part, start, before)
        return None, *only_needed(back.gradients(), needed)


class _Back:
    """The way back through the time steps, from the last part to the first."""

    def __init__(self, settings: Settings, p: Inputs, need: Any, given: Any) -> None:
        self.layer = layer = _Layer(settings, p)
        self.p, self.need, self.given, self.n_steps = p, need, given, p.x.shape[1]
        self.states = {
            "grad_vmem": gradient_of(given.vmem, p.vmem),
            "grad_isyn": gradient_of(given.isyn, p.isyn),
            "grad_spikes": gradient_of(given.spikes, p.spikes),
        }
        recurrent, adaptive = p.w_rec is not None, p.iahp is not None
        self.of_x = None
        if need.x or recurrent:  # products with recurrent weights need all of the gradient
            dtype = layer.like.dtype if recurrent else p.x.dtype
            self.of_x = p.x.new_empty(p.x.shape, dtype=dtype)
        zeros = partial(torch.zeros, dtype=torch.float64, device=p.x.device)
        n_batch, n_out = layer.n_batch, layer.n_out
        self.sums: dict[str, Any] = {
            "sums": zeros((n_batch, 3, n_out)),
            "sums_beta": zeros(p.isyn.shape) if need.beta else None,
            "sums_ahp": zeros((n_batch, 2, n_out)) if adaptive else None,
            "later": gradient_of(None, p.isyn) if need.beta else None,
            "later_ahp": gradient_of(None, p.iahp) if p.iahp is not None else None,
        }
        if p.iahp is not None:
            self.states["grad_iahp"] = gradient_of(given.iahp, p.iahp)
        self.of_w_rec = None if p.w_rec is None else gradient_of(None, p.w_rec)
        of_output = given.output
        if of_output is None:
            of_output = layer.like.new_zeros(()).expand(n_batch, self.n_steps, n_out)
        self.of_output = of_output
        self.records = {
            f"grad_{name}_record": None if value is None else value.flatten(2).contiguous()
            for name, value in (
                ("vmem", given.vmem_record),
                ("isyn", given.isyn_record),
                ("iahp", given.iahp_record),
            )
        }
        self.constants = {
            **layer.constants,
            "PERIODIC": settings.spike_fn.__self__ is PeriodicExponential,
        }
        self.window = scalar(settings.window, p.vmem)

    def go(self, part: _Part, start: LIFState, before: Tensor | None) -> None:
        """Go back through some time steps, whose first starts from these states."""
        if part.first == part.last:
            return
        if before is None:
            before = self.layer.over_time(part.last - part.first)
            self.layer.forward(part, _started(start), before=before)
        else:
            before = part.of(before)
        p = self.p
        if p.w_rec is None:
            self._launch(part, start, before, None, self.x_for_beta(part))
            return
        assert self.of_w_rec is not None
        sent = self._sent(before[:, : part.last - part.first], start)
        irec = sent @ p.w_rec if self.need.beta else None
        for step in reversed(list(part.steps())):
            number = step.first - part.first
            self._launch(
                step,
                start if number == 0 else None,
                before[:, number:],
                None if irec is None else irec[:, number : number + 1].contiguous(),
                self.x_for_beta(step),
            )
            self.states["grad_spikes"] += self._of_irec(step)[:, 0] @ p.w_rec.t()
        self.of_w_rec += sent.flatten(0, 1).t() @ self._of_irec(part).flatten(0, 1)

    def _of_irec(self, part: _Part) -> Tensor:
        """Return the gradient of the recurrent input of some steps, which is that of the input."""
        assert self.of_x is not None
        given, steps = self.given.irec_record, slice(part.first, part.last)
        of_irec = self.of_x[:, steps]
        return of_irec if given is None else of_irec + given[:, steps].flatten(2)

    def x_for_beta(self, part: _Part) -> Tensor | None:
        """Return the input, where the gradient of the synaptic decays needs it."""
        return part.of(self.p.x) if self.need.beta else None

    def _sent(self, before: Tensor, start: LIFState) -> Tensor:
        """Return the spikes that come back in each step: those of the step before it."""
        parameters: dict[str, Any] = self.layer.parameters
        fired = torch.div(before[:, :-1], parameters["threshold"]).floor_().clamp_(min=0.0)
        fired = torch.minimum(fired, parameters["most"])
        return torch.cat((start.spikes.unsqueeze(1), fired), 1)

    def _launch(
        self,
        part: _Part,
        start: LIFState | None,
        before: Tensor,
        irec: Tensor | None,
        x: Tensor | None,
    ) -> None:
        layer = self.layer
        arguments = {
            **strided("grad_output", part.of(self.of_output), ("batch", "step", "neuron")),
            **{name: part.of(value) for name, value in self.records.items()},
            **strided("x", x, ("batch", "step", "channel")),
            "irec": irec,
            "before": before,
            **layer.parameters,
            "window": self.window,
            "vmem": None if start is None else start.vmem.contiguous(),
            "spikes": None if start is None else start.spikes.contiguous(),
            "grad_iahp": None,
            **self.states,
            "grad_x": part.of(self.of_x),
            **self.sums,
            "n_out": layer.n_out,
            "n_steps": part.last - part.first,
            "total": self.n_steps,
            "total_before": before.stride(0) // max(layer.n_out, 1),
        }
        launch(lif_backward, layer.n_batch, layer.n_out, arguments, layer.shape, **self.constants)

    def gradients(self) -> Inputs:
        """Return the gradients of all inputs."""
        p, sums = self.p, self.sums
        of_alpha, of_bias, of_threshold = sums["sums"].sum(0)
        of_x: Any = None if self.of_x is None else self.of_x.to(p.x.dtype)
        of_beta: Any = None
        of_gamma = of_w_ahp = None
        if sums["sums_beta"] is not None:
            of_beta = sums["sums_beta"].sum(0) + _products(p.isyn, sums["later"])
            of_beta = reduced(of_beta, p.beta)
        if p.iahp is not None and p.gamma is not None and p.w_ahp is not None:
            of_w_ahp, of_gamma = sums["sums_ahp"].sum(0)
            of_gamma = reduced(of_gamma + _products(p.iahp, sums["later_ahp"]), p.gamma)
            of_w_ahp = reduced(of_w_ahp, p.w_ahp)
        return Inputs(
            x=of_x,
            noise=None,
            vmem=self.states["grad_vmem"],
            isyn=self.states["grad_isyn"],
            spikes=self.states["grad_spikes"],
            iahp=self.states.get("grad_iahp"),
            alpha=reduced(of_alpha, p.alpha),
            beta=of_beta,
            bias=reduced(of_bias, p.bias),
            threshold=reduced(of_threshold, p.threshold),
            w_rec=self.of_w_rec,
            gamma=of_gamma,
            w_ahp=of_w_ahp,
        )


def _parts(n_steps: int, low: bool) -> list[_Part]:
    """Return the parts in which to go through the time steps."""
    size = TOGETHER if low else max(n_steps, 1)
    return [_Part(first, min(first + size, n_steps)) for first in range(0, max(n_steps, 1), size)]


def _started(states: LIFState) -> LIFState:
    """Return states to be changed."""
    return LIFState._make(None if value is None else copied(value) for value in states)


def _products(start: Tensor, later: Tensor) -> Tensor:
    """Return the sums over the batch of products of a first state and what came of it."""
    return (start.detach().double() * later.double()).sum(0)


def _autocast(device: str) -> tuple[torch.dtype, bool]:
    """Return the type of products under autocast, and whether that is on."""
    return torch.get_autocast_dtype(device), torch.is_autocast_enabled(device)
