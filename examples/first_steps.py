"""First steps: build a small spiking network, evolve it, record it, and look at it.

Numpy alone is enough; with matplotlib, `--plot` draws a picture:

    python examples/first_steps.py --neurons 40 --seed 1 --plot network.png
"""

from __future__ import annotations

import argparse
import os
import sys
from importlib.util import find_spec
from pathlib import Path

from rockpool.nn.modules import LIF, Linear, Module

try:
    import numpy as np

    from rockpool.nn.combinators import Sequential
except (ImportError, OSError):
    try:
        LIF(1)  # says what is missing, and how to get it
    except ModuleNotFoundError as missing:
        sys.exit("\n".join([str(missing), *getattr(missing, "__notes__", ())]))
    raise

DT, DURATION = 1e-3, 0.3  # s: the time step of all modules, and the time to simulate
N_INPUTS = 16  # noisy spike trains


def build(n_neurons: int) -> Module:
    """Return two layers of leaky integrate-and-fire neurons, each behind its weights."""
    return Sequential(
        Linear((N_INPUTS, n_neurons)),  # weights are drawn where none are given
        LIF(n_neurons, tau_mem=20e-3, tau_syn=5e-3, dt=DT),  # one value for all neurons
        Linear((n_neurons, 2), weight=np.random.uniform(-0.02, 0.06, (n_neurons, 2))),
        LIF(2, tau_mem=[10e-3, 50e-3], tau_syn=5e-3, dt=DT),  # one value for each
    )


def print_raster(spikes: np.ndarray, columns: int = 75) -> None:
    """Print a line for each neuron of `spikes` (time, neuron); # is more than one spike."""
    for neuron, train in enumerate(spikes.T):
        counts = [int(part.sum()) for part in np.array_split(train, columns)]
        print(f"{neuron:4d} " + "".join(".|#"[min(count, 2)] for count in counts))


def plot(layers: dict[str, np.ndarray], vmem: np.ndarray, path: str) -> None:
    """Draw the spikes of the layers, and the last one's membrane potentials, to a file."""
    from matplotlib.figure import Figure

    axes = Figure(figsize=(8, 8), layout="constrained").subplots(len(layers) + 1, 1, sharex=True)
    for ax, (title, spikes) in zip(axes[:-1], layers.items(), strict=True):
        ax.eventplot([np.flatnonzero(train) * DT for train in spikes.T], color="black")
        ax.set(title=title, ylabel="Neuron")
    axes[-1].plot(np.arange(len(vmem)) * DT, vmem)
    axes[-1].set(title="Membrane potentials of the output", xlabel="Time [s]")
    axes[0].figure.savefig(path)


def main() -> None:
    """Read the command line, run the network and show what it did."""
    parser = argparse.ArgumentParser(description="Build, evolve, record and plot a small network.")
    parser.add_argument("--neurons", type=int, default=20, help="in the hidden layer (default: 20)")
    parser.add_argument("--seed", type=int, default=0, help="of weights and input (default: 0)")
    parser.add_argument("--plot", metavar="FILE", help="draw to a file (needs matplotlib)")
    options = parser.parse_args()
    if options.neurons < 1:
        parser.error(f"--neurons must be at least 1, got {options.neurons}")
    if not 0 <= options.seed < 2**32:
        parser.error(f"--seed must be from 0 to {2**32 - 1}, got {options.seed}")
    if options.plot and Path(options.plot).suffix.lower() not in (".png", ".pdf", ".svg"):
        parser.error(f"--plot must end in .png, .pdf or .svg, got {options.plot}")
    if options.plot and find_spec("matplotlib") is None:
        parser.error('--plot needs matplotlib: pip install "matplotlib>=3.7"')
    if options.plot and not Path(options.plot).absolute().parent.is_dir():
        parser.error(f"there is no folder for {options.plot}")
    np.random.seed(options.seed)
    network = build(options.neurons)
    print(network)
    data = (np.random.rand(1, round(DURATION / DT), N_INPUTS) < 0.05).astype(float)
    # Every module takes (batch, time, channels), and returns its output, its state and a record.
    output, state, record = network(data, record=True)
    layers = {"Input": data[0], "Hidden layer": record["1_LIF_output"][0], "Output": output[0]}
    for name, spikes in layers.items():
        print(f"\n{name}: {int(spikes.sum())} spikes in {DURATION:g} s")
        print_raster(spikes)
    print("\nMembrane potentials at the end:", state["3_LIF"]["vmem"].round(3))
    if options.plot:
        plot(layers, record["3_LIF"]["vmem"][0], options.plot)


if __name__ == "__main__":
    try:
        main()
        sys.stdout.flush()
    except KeyboardInterrupt:
        print("\nStopped", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:  # who reads the output, such as `head`, has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
