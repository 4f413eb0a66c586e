"""What is taken for the slope of a spike.

The number of spikes is a staircase of the membrane potential, whose slope is of no use for
learning. While gradients are computed another function stands in for it: `StepPWL`, which is
constant from a window below the threshold upward, or `PeriodicExponential`, which has a peak
wherever one more spike is about to come. The spikes themselves are the same with all of them.

Needs: torch, matplotlib
"""

import sys

import torch
from matplotlib.figure import Figure

from rockpool.nn.modules.torch.lif_torch import PeriodicExponential, StepPWL

vmem = torch.linspace(-0.5, 3.5, 801, requires_grad=True)
figure = Figure(figsize=(7, 4.6), layout="constrained")
top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=[1, 1.4])
top.plot(vmem.detach(), StepPWL.apply(vmem).detach(), color="black")
top.set(ylabel="Spikes")
top.set_title("Forward: one function", loc="left")
for function, window, style in (
    (StepPWL, 0.5, "C0-"),
    (StepPWL, 0.2, "C0--"),
    (PeriodicExponential, 0.5, "C1-"),
    (PeriodicExponential, 0.2, "C1--"),
):
    spikes = function.apply(vmem, window=window)
    (gradient,) = torch.autograd.grad(spikes.sum(), vmem)
    bottom.plot(vmem.detach(), gradient, style, label=f"{function.__name__}, window {window}")
bottom.set(xlabel="Membrane potential (threshold 1)", ylabel="Gradient", ylim=(-0.05, 1.5))
bottom.set_title("Backward: a choice", loc="left")
bottom.legend(fontsize="small", ncols=2, loc="upper left")
figure.savefig(sys.argv[1] if len(sys.argv) > 1 else "surrogate_gradients.png", dpi=75)
