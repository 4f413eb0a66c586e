"""Train the digits network for many time constants and thresholds, several at a time, with joblib.

    python examples/sweep.py --jobs 2 --plot sweep.png

Each training is a function of its values and its seed, on one thread of its own. So the results
are the same, to the last bit, however many run at a time; ``--jobs 1`` runs one after the other.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from importlib.util import find_spec
from itertools import product
from pathlib import Path

import numpy as np

TAUS = (5e-3, 10e-3, 20e-3, 40e-3)  # s: membrane time constants of the hidden neurons at first
THRESHOLDS = (0.25, 0.5, 1.0, 2.0)
N_STEPS, N_HIDDEN, BATCH_SIZE = 40, 100, 32


def train(tau: float, threshold: float, epochs: int, samples: int | None, seed: int) -> float:
    """Train one network, and return the part of the test half of the digits that it reads."""
    # in here, so that the process that only waits for the others does not load torch, too
    import torch

    from rockpool.data import load_digits
    from rockpool.nn.combinators import Sequential
    from rockpool.nn.modules import ExpSynTorch, LIFTorch, LinearTorch
    from rockpool.training import bound, losses, parameter_groups

    torch.set_num_threads(1)  # the processors are for the other trainings
    torch.manual_seed(seed)
    net = Sequential(
        LinearTorch((64, N_HIDDEN), weight_init_func="spiking"),
        LIFTorch(N_HIDDEN, tau_mem=tau, threshold=threshold),
        LinearTorch((N_HIDDEN, 10)),
        ExpSynTorch(10),
    )
    optimizer = bound(net, torch.optim.Adam(parameter_groups(net)))
    images, labels = map(torch.from_numpy, load_digits())
    data = (images.reshape(-1, 1, 64) / 32).expand(-1, N_STEPS, -1)  # (digits, time, pixels)
    learn, test = torch.randperm(len(labels))[:samples].tensor_split(2)
    for _ in range(epochs):
        for batch in learn[torch.randperm(len(learn))].split(BATCH_SIZE):
            net.reset_state()
            output, _, _ = net(data[batch])
            optimizer.zero_grad()
            losses.cross_entropy(output, labels[batch]).backward()
            optimizer.step()
    net.reset_state()
    with torch.inference_mode():
        output, _, _ = net(data[test])
    return (output.mean(1).argmax(1) == labels[test]).float().mean().item()


def sweep(jobs: int, epochs: int, samples: int | None, seed: int) -> np.ndarray:
    """Return the accuracies (taus, thresholds) of all trainings."""
    from joblib import Parallel, delayed

    tasks = [
        delayed(train)(tau, threshold, epochs, samples, seed)
        for tau, threshold in product(TAUS, THRESHOLDS)
    ]
    return np.reshape(Parallel(n_jobs=jobs)(tasks), (len(TAUS), len(THRESHOLDS)))


def print_table(accuracies: np.ndarray) -> None:
    """Print the accuracies in per cent, a line for each time constant."""
    print("tau_mem \\ threshold " + "".join(f"{threshold:8.2f}" for threshold in THRESHOLDS))
    for tau, line in zip(TAUS, accuracies, strict=True):
        print(f"{1e3 * tau:16.0f} ms " + "".join(f"{100 * value:7.1f}%" for value in line))


def plot(accuracies: np.ndarray, path: str) -> None:
    """Draw the accuracies as a map to a file."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 4), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(100 * accuracies, cmap="viridis")
    axes.set_xticks(range(len(THRESHOLDS)), THRESHOLDS)
    axes.set_yticks(range(len(TAUS)), [f"{1e3 * tau:.0f}" for tau in TAUS])
    axes.set(xlabel="Threshold", ylabel="tau_mem [ms]", title="Digits read rightly [%]")
    for (row, column), value in np.ndenumerate(accuracies):
        axes.text(column, row, f"{100 * value:.1f}", ha="center", va="center", color="white")
    figure.colorbar(image)
    figure.savefig(path)


def options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description="Train the digits network for 4 time constants and 4 thresholds."
    )
    parser.add_argument("--jobs", type=int, default=2, help="trainings at a time (default: 2)")
    parser.add_argument("--epochs", type=int, default=30, help="passes over the data (default: 30)")
    parser.add_argument("--samples", type=int, help="use so many of the 1797 digits (default: all)")
    parser.add_argument("--seed", type=int, default=0, help="of all that is random (default: 0)")
    parser.add_argument("--plot", metavar="FILE", help="draw the table (needs matplotlib)")
    parser.add_argument("--save", metavar="FILE", help="save the accuracies as a .npy file")
    given = parser.parse_args()
    for name in ("jobs", "epochs", "samples"):
        value, least = getattr(given, name), 10 if name == "samples" else 1
        if value is not None and value < least:
            parser.error(f"--{name} must be at least {least}, got {value}")
    if not 0 <= given.seed < 2**32:
        parser.error(f"--seed must be from 0 to {2**32 - 1}, got {given.seed}")
    if given.plot and Path(given.plot).suffix.lower() not in (".png", ".pdf", ".svg"):
        parser.error(f"--plot must end in .png, .pdf or .svg, got {given.plot}")
    if given.plot and find_spec("matplotlib") is None:
        parser.error('--plot needs matplotlib: pip install "matplotlib>=3.7"')
    for path in filter(None, (given.plot, given.save)):
        if not Path(path).absolute().parent.is_dir():
            parser.error(f"there is no folder for {path}")
    return given


def main() -> None:
    """Sweep, and show what came of it."""
    given = options()
    start = time.perf_counter()
    try:
        accuracies = sweep(given.jobs, given.epochs, given.samples, given.seed)
    except (ImportError, OSError) as error:
        if getattr(error, "name", None) == "joblib":
            sys.exit("This example needs joblib: pip install joblib")
        from rockpool.nn.modules import LIFTorch

        try:
            LIFTorch(1)  # says what is missing, and how to get it
        except ModuleNotFoundError as missing:
            sys.exit("\n".join([str(missing), *getattr(missing, "__notes__", ())]))
        raise
    seconds = time.perf_counter() - start
    print(f"{accuracies.size} trainings in {seconds:.1f} s, {given.jobs} at a time")
    print_table(accuracies)
    if given.save:
        np.save(given.save, accuracies)
        print(f"The accuracies are in {given.save}")
    if given.plot:
        plot(accuracies, given.plot)
        print(f"The table is drawn in {given.plot}")


if __name__ == "__main__":
    try:
        main()
        sys.stdout.flush()
    except KeyboardInterrupt:
        print("\nStopped", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:  # who reads the output, such as `head`, has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
