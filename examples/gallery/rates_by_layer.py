"""Do spikes arrive? The rates of a deep network.

Six layers of 100 neurons get spikes at 50 Hz. With weights that are usual for networks of numbers
the rates run away, as each input goes on acting for a whole time constant. A tenth of that is still
too much, and a fiftieth too little. `rockpool.training.init.spiking` draws weights for neurons, and
finds the scale of each layer by running it.

Needs: matplotlib
"""

import sys

import numpy as np
from matplotlib.figure import Figure

from rockpool.nn.combinators import Sequential
from rockpool.nn.modules import LIF, Linear
from rockpool.training.init import spiking

N_LAYERS, N, DT = 6, 100, 1e-3
np.random.seed(0)
data = (np.random.rand(4, 500, N) < 50 * DT).astype(float)


def network(scale: float) -> Sequential:
    """Return six layers with Kaiming's weights times a scale."""
    layers = []
    for _ in range(N_LAYERS):
        limit = scale * np.sqrt(6 / N)
        layers += [Linear((N, N), weight=np.random.uniform(-limit, limit, (N, N))), LIF(N)]
    return Sequential(*layers)


figure = Figure(figsize=(7, 4), layout="constrained")
ax = figure.subplots()
for label, net, style in (
    ("Kaiming", network(1.0), "s--C3"),
    ("a tenth of it", network(0.1), "^--C1"),
    ("a fiftieth of it", network(0.02), "v--C4"),
    ("init.spiking, 50 Hz", spiking(network(1.0), rate=50.0), "o-C0"),
):
    _, _, record = net(data, record=True)
    rates = [data.mean() / DT]
    rates += [record[f"{2 * k + 1}_LIF"]["spikes"].mean() / DT for k in range(N_LAYERS)]
    ax.plot(range(N_LAYERS + 1), np.maximum(rates, 0.1), style, label=label)
ax.set_yscale("log")
ax.set_xticks(range(N_LAYERS + 1), ["input", *map(str, range(1, N_LAYERS + 1))])
ax.set(xlabel="Layer", ylabel="Rate of a neuron (Hz); silent at 0.1")
ax.set_title("Rates from layer to layer, by initial weights", loc="left")
ax.legend()
figure.savefig(sys.argv[1] if len(sys.argv) > 1 else "rates_by_layer.png", dpi=75)
