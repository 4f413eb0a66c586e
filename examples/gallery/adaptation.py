"""A neuron that gets tired.

`aLIFTorch` has a current of its own, to which each of its spikes adds `w_ahp` and which decays with
`tau_ahp`. If the weight is negative, the neuron slows itself down: it answers a step of its input
with many spikes at first, and with fewer later on. Neuron 0 has no such current, 1 and 2 do.

Needs: torch, matplotlib
"""

import sys

import torch
from matplotlib.figure import Figure

from rockpool.nn.modules import aLIFTorch
from rockpool.plots import raster, traces

N_STEPS, DT = 500, 1e-3
weights = torch.tensor([0.0, -0.005, -0.02])
neurons = aLIFTorch(3, w_ahp=weights, tau_ahp=0.1, tau_syn=5e-3, dt=DT)
data = torch.zeros(1, N_STEPS, 3)
data[:, 50:400] = 0.03  # a step of current
with torch.inference_mode():
    spikes, _, record = neurons(data, record=True)

figure = Figure(figsize=(8, 4.8), layout="constrained")
axes = figure.subplots(3, 1, sharex=True, height_ratios=[1, 1, 1.2])
traces(record["isyn"][..., 0], dt=DT, ax=axes[0], neurons=0)
axes[0].set_title("Input current, the same for all", loc="left")
raster(spikes, dt=DT, ax=axes[1])
axes[1].set_title("Spikes, with after-spike weights of 0, -0.005 and -0.02", loc="left")
traces(record["iahp"], dt=DT, ax=axes[2])
axes[2].set_title("After-spike currents", loc="left")
for ax in axes[:-1]:
    ax.set_xlabel("")
figure.savefig(sys.argv[1] if len(sys.argv) > 1 else "adaptation.png", dpi=70)
