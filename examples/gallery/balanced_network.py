"""Excitation and inhibition in balance.

A recurrent network of 400 excitatory and 100 inhibitory neurons, each connected to a tenth of the
others, with a noisy current from outside. There are fewer inhibitory synapses, and each is
stronger: together they hold the excitation down, and the neurons spike irregularly. The weights of
a recurrent layer are `w_rec`, (from, to); what they carry arrives one time step later.

Needs: matplotlib
"""

import sys

import numpy as np
from matplotlib.figure import Figure

from rockpool.nn.modules import LIF
from rockpool.plots import raster

N_EXCITATORY, N_INHIBITORY, N_STEPS, DT = 400, 100, 400, 1e-3

rng = np.random.default_rng(3)
n = N_EXCITATORY + N_INHIBITORY
weights = (rng.random((n, n)) < 0.1) * 0.01
weights[N_EXCITATORY:] *= -6.0
layer = LIF(n, has_rec=True, w_rec=weights, tau_mem=20e-3, tau_syn=5e-3, dt=DT)

current = rng.normal(0.012, 0.06, (1, N_STEPS, n))  # about as much as the leak takes
spikes, _, _ = layer(current)

figure = Figure(figsize=(8, 5.2), layout="constrained")
top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
excitatory, inhibitory = spikes.copy(), spikes.copy()
excitatory[..., N_EXCITATORY:] = 0
inhibitory[..., :N_EXCITATORY] = 0
raster(excitatory, dt=DT, ax=top, markersize=2)
raster(inhibitory, dt=DT, ax=top, markersize=2, color="firebrick")
rate = spikes[0].mean(1) / DT
top.set_title(f"400 excitatory, 100 inhibitory neurons (red), {rate.mean():.0f} Hz", loc="left")
top.set_xlabel("")
bottom.plot((np.arange(N_STEPS) + 0.5) * DT, rate, color="black", lw=0.8)
bottom.set(xlabel="Time (s)", ylabel="Rate (Hz)", ylim=(0, None))
figure.savefig(sys.argv[1] if len(sys.argv) > 1 else "balanced_network.png", dpi=65)
