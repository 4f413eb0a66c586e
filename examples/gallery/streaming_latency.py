"""How long one time step takes.

A network of 16-64-64-10 neurons answers 20000 time steps, one by one, as it would for a robot. The
histogram is of one machine at one moment, and its latest steps are those in which other programs
had the processor. What counts is how far they are from the next input, 1 ms later. With numba a
stream runs one compiled kernel; without it, numpy.

Needs: matplotlib
"""

import sys
import time
from itertools import pairwise

import numpy as np
from matplotlib.figure import Figure

from rockpool.nn.combinators import Sequential
from rockpool.nn.modules import LIF, Linear
from rockpool.utilities.backend_management import backend_available

np.random.seed(0)
sizes = (16, 64, 64, 10)
layers = [
    layer
    for n_in, n_out in pairwise(sizes)
    for layer in (Linear((n_in, n_out), weight_init_func="spiking"), LIF(n_out))
]
net = Sequential(*layers)
data = (np.random.rand(20_000, 16) < 0.05).astype(np.float32)

figure = Figure(figsize=(7, 4), layout="constrained")
ax = figure.subplots()
for engine in ("numba", "numpy"):
    if not backend_available(engine):
        continue
    stream = net.stream(dtype="float32", engine=engine)
    stream.run(data[:100])  # compiled, and warm
    stamps = np.empty(len(data) + 1, np.int64)
    stamps[0] = time.perf_counter_ns()
    for number, x in enumerate(data, 1):
        stream.step(x)
        stamps[number] = time.perf_counter_ns()
    taken = np.diff(stamps) / 1000
    median, late = np.quantile(taken, (0.5, 0.99))
    said = f"{engine}: median {median:.0f} µs, 99 % below {late:.0f} µs"
    ax.hist(np.clip(taken, 0.5, 2000), bins=np.geomspace(0.5, 2000, 120), alpha=0.7, label=said)
ax.axvline(1000, color="grey", ls="--", lw=1)
ax.text(
    950, ax.get_ylim()[1] / 10, "the next input, at 1 kHz", rotation=90, ha="right", va="center"
)
ax.set(xscale="log", yscale="log", xlabel="Time of one step (µs)", ylabel="Steps")
ax.set_title("20000 steps of 16-64-64-10 neurons; 2 ms and more in the last bar", loc="left")
ax.legend(fontsize="small", loc="upper center")
figure.savefig(sys.argv[1] if len(sys.argv) > 1 else "streaming_latency.png", dpi=75)
