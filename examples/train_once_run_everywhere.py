"""Train a spiking network once, in torch; keep it in one file; run it on every back-end.

    python examples/train_once_run_everywhere.py

It reads handwritten digits. The network goes into `digits_network.safetensors` beside this script;
where there is no torch, the network that lies there already is taken, and numpy alone is enough.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import rockpool
from rockpool.data import load_digit_spikes
from rockpool.nn.modules import TorchModule

DT, N_STEPS = 1e-3, 40  # s: the time step; how long a digit is shown
N_TEST = 360  # of the 1797 digits, never trained on
BATCH_SIZE, LEARNING_RATE = 64, 3e-3
FILE = Path(__file__).with_name("digits_network.safetensors")


def show_progress(done: int, total: int) -> None:
    """Draw a bar on stderr, if that is a terminal."""
    if sys.stderr.isatty():
        bar = ("#" * (30 * done // total)).ljust(30, ".")
        print(f"\r[{bar}] training", end="\n" if done == total else "", file=sys.stderr, flush=True)


def train(chosen: NDArray[Any], n_epochs: int, n_hidden: int) -> Any:
    """Return a network that was trained in torch on these digits, with surrogate gradients."""
    import torch

    from rockpool.nn.combinators import Sequential
    from rockpool.nn.modules import ExpSynTorch, LIFTorch, LinearTorch
    from rockpool.parameters import Constant

    torch.manual_seed(0)
    net = Sequential(
        LinearTorch((64, n_hidden)),
        LIFTorch(
            n_hidden,
            tau_mem=Constant(10e-3),  # Constant: not trained
            tau_syn=Constant(5e-3),
            threshold=Constant(1.0),
            max_spikes_per_dt=1,  # as on NEST, where a neuron cannot do otherwise
            dt=DT,
        ),
        LinearTorch((n_hidden, 10), torch.randn(n_hidden, 10) / 50, has_bias=True),
        ExpSynTorch(10, tau=Constant(20e-3), dt=DT),
    )
    optimiser = torch.optim.Adam(net.parameters().astorch(), lr=LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, n_epochs)
    for epoch in range(n_epochs):
        spikes, labels = map(torch.from_numpy, load_digit_spikes(N_STEPS, seed=1 + epoch))
        for batch in torch.from_numpy(chosen)[torch.randperm(len(chosen))].split(BATCH_SIZE):
            net.reset_state()
            output, _, _ = net(spikes[batch])
            loss = torch.nn.functional.cross_entropy(output.mean(1), labels[batch].long())
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        schedule.step()
        show_progress(epoch + 1, n_epochs)
    net.reset_state()  # the file shall not remember the last digit
    return net


def n_right(network: Any, spikes: NDArray[np.float32], labels: NDArray[Any]) -> int:
    """Return how many digits a network reads rightly, whatever its back-end."""
    data: Any = spikes
    if isinstance(network, TorchModule):
        import torch

        data = torch.from_numpy(spikes)
    output, _, _ = network(data)
    output = np.asarray(output.detach() if isinstance(network, TorchModule) else output)
    return int((output.mean(1).argmax(1) == labels).sum())


def check(parser: argparse.ArgumentParser, file: Path) -> None:
    """Refuse a file that has no network for the digits."""
    try:
        shape = rockpool.load(file, "numpy").shape
    except (OSError, ValueError) as error:
        parser.error(str(error))
    if shape != (64, 10):
        parser.error(f"the network must have the shape (64, 10), that of {file} has {shape}")


def options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description="Train a spiking network once, in torch, and run it on every back-end."
    )
    parser.add_argument("--epochs", type=int, default=20, help="passes over the data (default: 20)")
    parser.add_argument("--hidden", type=int, default=128, help="hidden neurons (default: 128)")
    parser.add_argument(
        "--shown", type=int, default=60, help="test digits for each back-end (default: 60)"
    )
    parser.add_argument(
        "--file", type=Path, default=FILE, help=f"of the network (default: {FILE.name})"
    )
    parser.add_argument(
        "--trained", action="store_true", help="do not train, take the file as it is"
    )
    given = parser.parse_args()
    for name, most in (("epochs", 1000), ("hidden", 10_000), ("shown", N_TEST)):
        if not 1 <= getattr(given, name) <= most:
            parser.error(f"--{name} must be from 1 to {most}, got {getattr(given, name)}")
    if not given.trained and find_spec("torch") is None:
        print(f"There is no torch to train with: taking the network of {given.file.name}.")
        given.trained = True
    if given.trained and not given.file.is_file():
        parser.error(f"there is no file {given.file}")
    if given.trained:
        check(parser, given.file)
    if not given.trained and not given.file.absolute().parent.is_dir():
        parser.error(f"there is no folder for {given.file}")
    if not given.trained and find_spec("safetensors") is None:
        parser.error("networks are written by safetensors: pip install safetensors")
    return given


def main() -> None:
    """Train and save, then load and compare."""
    given = options()
    spikes, labels = load_digit_spikes(N_STEPS)  # random spikes: the more ink, the more of them
    shuffled = np.random.default_rng(0).permutation(len(labels))
    for_test, for_training = shuffled[:N_TEST], shuffled[N_TEST:]
    if not given.trained:
        start = time.perf_counter()
        net = train(for_training, given.epochs, given.hidden)
        print(f"Trained on {len(for_training)} digits in {time.perf_counter() - start:.1f} s.")
        rockpool.save(net, given.file, notes={"made by": Path(__file__).name})

    spikes, labels = spikes[for_test], labels[for_test]
    right = n_right(rockpool.load(given.file, "numpy"), spikes, labels)
    print(f"{given.file.name}: {given.file.stat().st_size / 1000:.0f} kB;", end=" ")
    print(f"reads {right} of {N_TEST} digits that it was not trained on.\n")

    spikes, labels = spikes[: given.shown], labels[: given.shown]
    print(f"Every spike on every back-end, while {given.shown} of them are shown:\n", flush=True)
    verdict = rockpool.verify(rockpool.load(given.file, "numpy"), spikes)
    print(f"{verdict}\n")
    for backend in (row.backend for row in verdict.rows if row.state != "not run"):
        right = n_right(rockpool.load(given.file, backend), spikes, labels)
        print(f"{backend} reads {right} of {given.shown} rightly.", flush=True)
    sys.exit(0 if verdict.ok else 1)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print("\nStopped", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:  # who reads the output has enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
