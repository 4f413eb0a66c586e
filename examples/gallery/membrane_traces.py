"""What a time constant does.

Three neurons get the same spikes. The longer the membrane's time constant, the longer it adds up
what comes in, and the more it spikes; the synaptic current is the same for all of them. `traces`
draws what a call has recorded, a panel for each quantity.

Needs: matplotlib
"""

import sys

import numpy as np

from rockpool.nn.modules import LIF
from rockpool.plots import traces

neurons = LIF(3, tau_mem=[5e-3, 20e-3, 80e-3], tau_syn=5e-3)
trains = np.random.default_rng(4).random((1, 250, 1)) < 0.06
_, _, record = neurons(0.25 * np.repeat(trains, 3, axis=2), record=True)

figure = traces(record, dt=1e-3, names=["isyn", "vmem", "spikes"])
synapse, membrane, spikes = figure.axes
synapse.set_title("Synaptic current, the same for all", loc="left")
synapse.set(ylabel="isyn")
membrane.set_title("Membrane potentials: 5, 20 and 80 ms", loc="left")
membrane.set(ylabel="vmem")
membrane.axhline(1.0, color="grey", lw=0.8, ls="--")
spikes.set_title("Spikes", loc="left")
figure.set_size_inches(8, 6)
figure.savefig(sys.argv[1] if len(sys.argv) > 1 else "membrane_traces.png", dpi=70)
