"""A network at work, in one call.

`report` runs a network and draws its input, the spikes of each layer and its output, with the rates
beside them. Here it reads a handwritten digit. It is the first thing to look at when a network does
not do what it should: silent layers, and neurons that never stop, are seen at once.

Needs: matplotlib
"""

import sys
from pathlib import Path

import rockpool
from rockpool.data import load_digit_spikes
from rockpool.plots import report

net = rockpool.load(Path(__file__).parents[1] / "digits_network.safetensors", "numpy")
spikes, labels = load_digit_spikes(n_steps=40)

figure = report(net, spikes[7])
figure.suptitle(f"A digit {labels[7]}")
figure.savefig(sys.argv[1] if len(sys.argv) > 1 else "network_report.png", dpi=60)
