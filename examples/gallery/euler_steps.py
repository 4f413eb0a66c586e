"""One equation, two kinds of steps.

NIR's neuron is an equation, `tau dV/dt = -V + x`, and each package steps it in its own way: an
Euler step keeps the part `1 - dt / tau` of the membrane, an exact one `exp(-dt / tau)`. With a time
step of 0.1 ms that is the same to the eye; with 5 ms the spikes lie elsewhere. So a file without a
time step means different things to different readers, and `rockpool.nir` says which it takes.

Needs: matplotlib
"""

import sys

import numpy as np
from matplotlib.figure import Figure

from rockpool.nn.modules import LIFEuler

TAU, DURATION = 20e-3, 0.25

figure = Figure(figsize=(8, 4.8), layout="constrained")
axes = figure.subplots(3, 1, sharex=True)
for ax, dt in zip(axes, (0.1e-3, 1e-3, 5e-3), strict=True):
    time = np.arange(1, round(DURATION / dt) + 1) * dt
    for decay, style in (("euler", "C3-"), ("exp", "C0-")):
        neuron = LIFEuler(1, tau_mem=TAU, decay=decay, dt=dt)
        spikes, _, record = neuron(np.full((1, len(time), 1), 1.15), record=True)
        ax.plot(time, record["vmem"][0, :, 0], style, lw=1, label=decay)
        fired = time[spikes[0, :, 0] > 0]
        ax.plot(fired, np.full(len(fired), 1.1 if decay == "exp" else 1.25), style[:2] + "|", ms=6)
    ax.set(ylabel="V", ylim=(0, 1.4))
    ax.set_title(f"dt = {1000 * dt:g} ms; above, the spikes", loc="left", fontsize="medium")
axes[0].legend(loc="center right", fontsize="small")
axes[-1].set_xlabel("Time (s)")
figure.savefig(sys.argv[1] if len(sys.argv) > 1 else "euler_steps.png", dpi=75)
