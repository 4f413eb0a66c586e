"""Train a spiking network on handwritten digits, with surrogate gradients in torch.

    python examples/train_digits_torch.py --plot training.png --save network.json

On two processors at once, each with half of every batch:

    torchrun --nproc-per-node 2 examples/train_digits_torch.py
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from rockpool.nn.modules import ExpSynTorch, LIFTorch, LinearTorch, TorchModule

try:
    import torch
    import torch.distributed as distributed
    from torch import Tensor, nn
    from torch.nn.parallel import DistributedDataParallel

    from rockpool.data import load_digits
    from rockpool.nn.combinators import Sequential
    from rockpool.parameters import Constant
except (ImportError, OSError):
    try:
        LIFTorch(1)  # says what is missing, and how to get it
    except ModuleNotFoundError as missing:
        sys.exit("\n".join([str(missing), *getattr(missing, "__notes__", ())]))
    raise

DT, N_STEPS = 1e-3, 40  # s: the time step; how long a digit is shown
BATCH_SIZE, LEARNING_RATE = 64, 3e-3
RANK, N_PROCESSES = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))


def network(n_hidden: int) -> TorchModule:
    """Return a layer of spiking neurons, and a readout of leaky sums of their spikes."""
    taus = {"tau_mem": Constant(10e-3), "tau_syn": Constant(5e-3)}  # not trained
    return Sequential(
        LinearTorch((64, n_hidden)),
        LIFTorch(n_hidden, threshold=Constant(1.0), dt=DT, **taus),
        LinearTorch((n_hidden, 10), torch.randn(n_hidden, 10) / 50, has_bias=True),
        ExpSynTorch(10, tau=Constant(20e-3), dt=DT),
    )


def digits(n_samples: int | None) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Return images (n, 64) between 0 and 1 and their labels, to train and to test with."""
    images, labels = load_digits()
    order = torch.randperm(len(images))[:n_samples]
    ink = torch.as_tensor(images).reshape(-1, 64)[order] / 16
    label = torch.as_tensor(labels).long()[order]
    n_train = len(order) * 4 // 5
    return (ink[:n_train], label[:n_train]), (ink[n_train:], label[n_train:])


def spike_trains(images: Tensor) -> Tensor:
    """Return random spikes (n, time, pixel): the more ink a pixel has, the more of them."""
    chance = images.unsqueeze(1).expand(-1, N_STEPS, -1) / 2
    return torch.bernoulli(chance)


def scores(model: nn.Module, net: TorchModule, images: Tensor) -> Tensor:
    """Show images to the network at rest, and return the mean output for each digit."""
    net.reset_state()
    output, _, _ = model(spike_trains(images))
    return output.mean(1)


def accuracy(net: TorchModule, images: Tensor, labels: Tensor) -> float:
    """Return the part of the images whose digit gets the highest score."""
    with torch.inference_mode():
        return (scores(net, net, images).argmax(1) == labels).float().mean().item()


def show_progress(done: int, total: int, text: str) -> None:
    """Draw a bar on stderr, if that is a terminal."""
    if RANK == 0 and sys.stderr.isatty():
        filled = 30 * done // total
        end = "\n" if done == total else ""
        bar = "#" * filled + "." * (30 - filled)
        print(f"\r[{bar}] {text}", end=end, file=sys.stderr, flush=True)


def train(net: TorchModule, images: Tensor, labels: Tensor, n_epochs: int) -> list[float]:
    """Train the network, and return the loss of each batch."""
    model = DistributedDataParallel(net) if N_PROCESSES > 1 else net
    optimiser = torch.optim.Adam(net.parameters().astorch(), lr=LEARNING_RATE)
    n_batches = max(1, len(images) // BATCH_SIZE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, n_epochs * n_batches)
    losses = []
    for epoch in range(n_epochs):
        for batch in torch.randperm(len(images))[: n_batches * BATCH_SIZE].chunk(n_batches):
            # equal shares, so that the mean of their gradients is the gradient of the batch
            share = batch[: len(batch) // N_PROCESSES * N_PROCESSES][RANK::N_PROCESSES]
            optimiser.zero_grad()
            loss = nn.functional.cross_entropy(scores(model, net, images[share]), labels[share])
            loss.backward()
            optimiser.step()
            schedule.step()
            losses.append(loss.item())
            text = f"epoch {epoch + 1}/{n_epochs}, loss {loss.item():.3f}"
            show_progress(len(losses), n_epochs * n_batches, text)
    return losses


def plot(losses: list[float], net: TorchModule, image: Tensor, label: int, path: str) -> None:
    """Draw the loss, and the spikes that one image brings about, to a file."""
    from matplotlib.figure import Figure

    net.reset_state()
    with torch.inference_mode():
        x = spike_trains(image[None])
        output, _, record = net(x, record=True)
    spikes = record["1_LIFTorch"]["spikes"][0]
    figure = Figure(figsize=(9, 7), layout="constrained")
    axes = figure.subplots(2, 2)
    axes[0, 0].semilogy(losses)
    axes[0, 0].set(title="Training", xlabel="Batch", ylabel="Cross-entropy")
    for ax, trains, title in (
        (axes[0, 1], x[0], f"Input: a {label}"),
        (axes[1, 0], spikes, "Hidden neurons"),
    ):
        times, neurons = trains.nonzero(as_tuple=True)
        ax.plot(times * DT * 1e3, neurons, "k|", markersize=3)
        ax.set(title=title, xlabel="Time [ms]", ylabel="Channel")
    axes[1, 1].plot(torch.arange(N_STEPS) * DT * 1e3, output[0], label=range(10))
    axes[1, 1].set(title="Output", xlabel="Time [ms]")
    axes[1, 1].legend(ncols=2, fontsize="small")
    figure.savefig(path)


def options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description="Train a spiking network on handwritten digits with surrogate gradients.",
        epilog="On two processors: torchrun --nproc-per-node 2 examples/train_digits_torch.py",
    )
    parser.add_argument("--epochs", type=int, default=20, help="passes over the data (default: 20)")
    parser.add_argument("--hidden", type=int, default=128, help="hidden neurons (default: 128)")
    parser.add_argument("--samples", type=int, help="use so many of the 1797 digits (default: all)")
    parser.add_argument("--seed", type=int, default=0, help="of all that is random (default: 0)")
    parser.add_argument("--plot", metavar="FILE", help="draw loss and spikes (needs matplotlib)")
    parser.add_argument("--save", metavar="FILE", help="save the network as JSON")
    given = parser.parse_args()
    for name in ("epochs", "hidden", "samples"):
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


@contextmanager
def together() -> Iterator[None]:
    """Join the processes that torchrun has started, and leave when all are done."""
    if N_PROCESSES == 1:
        yield
        return
    distributed.init_process_group("gloo")
    try:
        yield
        distributed.barrier()  # one that leaves early takes the connections of the others with it
    finally:
        distributed.destroy_process_group()


def main() -> None:
    """Train, test, and show what happened."""
    given = options()
    with together():
        run(given)


def run(given: argparse.Namespace) -> None:
    """Train in each process, test and show what happened in the first."""
    torch.manual_seed(given.seed)  # the same in each process: networks and batches agree
    (images, labels), (test_images, test_labels) = digits(given.samples)
    net = network(given.hidden)

    start = time.perf_counter()
    losses = train(net, images, labels, given.epochs)
    seconds = time.perf_counter() - start
    net.eval()
    if RANK == 0:
        print(f"Trained on {len(images)} digits in {seconds:.1f} s, {N_PROCESSES} process(es)")
        print(f"Loss: {losses[0]:.3f} at first, {losses[-1]:.3f} at last")
        print(f"Test accuracy: {100 * accuracy(net, test_images, test_labels):.1f} %")
        if given.save:
            net.save(given.save)
            print(f"The network is in {given.save}")
        if given.plot:
            plot(losses, net, test_images[0], int(test_labels[0]), given.plot)
            print(f"Loss and spikes are drawn in {given.plot}")


if __name__ == "__main__":
    try:
        main()
        sys.stdout.flush()
    except KeyboardInterrupt:
        print("\nStopped", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:  # who reads the output, such as `head`, has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
