"""How fast a neuron spikes: f-I curves.

A constant input for one second, a neuron for each strength, all in one layer. In each time step a
current `I` is added, and the membrane keeps the part `a = exp(-dt / tau_mem)`. So it would go to `I
/ (1 - a)`, and spikes where that is above the threshold 1. Well above, a spike takes away what `1 /
(I - (1 - a) / 2)` steps bring in, which is the dashed line. There is no refractory period.

Needs: matplotlib
"""

import sys

import numpy as np
from matplotlib.figure import Figure

from rockpool.nn.modules import LIF

DT, N_STEPS = 1e-3, 1000
current = np.linspace(0.0, 0.3, 121)  # added to the membrane in each time step

figure = Figure(figsize=(7, 4), layout="constrained")
ax = figure.subplots()
for colour, tau_mem in zip(("C0", "C1", "C2"), (5e-3, 20e-3, 80e-3), strict=True):
    neurons = LIF(len(current), tau_mem=tau_mem, bias=current, dt=DT)
    spikes, _, _ = neurons(np.zeros((1, N_STEPS, len(current))))
    ax.plot(current, spikes[0].sum(0), color=colour, label=f"{1000 * tau_mem:.0f} ms")
    leak = 1 - np.exp(-DT / tau_mem)
    above = current > 1.5 * leak
    ax.plot(current[above], (current[above] - leak / 2) / DT, color=colour, ls="--", lw=0.8)
    ax.axvline(leak, color=colour, ls=":", lw=0.8)
ax.set(xlabel="Current in a time step (threshold 1)", ylabel="Spikes in a second")
ax.set_title("f-I curves; dotted, where spiking begins; dashed, far above it", loc="left")
ax.legend(title="tau_mem")
figure.savefig(sys.argv[1] if len(sys.argv) > 1 else "fi_curve.png", dpi=75)
