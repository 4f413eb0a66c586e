"""Train a spiking network on handwritten digits, with surrogate gradients in jax, and optax.

    pip install optax
    python examples/train_digits_jax.py --plot training.png --save network.npz

The network is trained in jax. With the same parameters it then runs in numpy, and in torch and
numba where these are installed, and gives the same answers.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from rockpool.nn import modules

try:
    import jax
    import jax.numpy as jnp
    import numpy as np
    import optax

    from rockpool.data import load_digits
    from rockpool.nn.combinators import Sequential
    from rockpool.nn.modules.jax import JaxModule
    from rockpool.parameters import Constant
    from rockpool.utilities.backend_management import backend_available
    from rockpool.utilities.tree_utils import branches, get_nested, tree_map
except (ImportError, OSError) as error:
    try:
        modules.LIFJax(1)  # says what is missing, and how to get it
    except ModuleNotFoundError as missing:
        sys.exit("\n".join([str(missing), *getattr(missing, "__notes__", ())]))
    if getattr(error, "name", None) == "optax":
        sys.exit("This example needs optax. To get it: pip install optax")
    raise

DT, N_STEPS = 1e-3, 40  # s: the time step; how long a digit is shown
BATCH_SIZE, LEARNING_RATE = 64, 3e-3

# back-end -> the classes that a network is made of
CLASSES = {
    "jax": ("LinearJax", "LIFJax", "ExpSynJax"),
    "numpy": ("Linear", "LIF", "ExpSyn"),
    "numba": ("Linear", "LIFNumba", "ExpSynNumba"),
    "torch": ("LinearTorch", "LIFTorch", "ExpSynTorch"),
}


def network(n_hidden: int, backend: str = "jax") -> Any:
    """Return a layer of spiking neurons, and a readout of leaky sums of their spikes.

    The parts have names, which are the same on every back-end.
    """
    linear, lif, exp_syn = (getattr(modules, name) for name in CLASSES[backend])
    taus = {"tau_mem": Constant(10e-3), "tau_syn": Constant(5e-3)}  # not trained
    return Sequential(
        {
            "input_weights": linear((64, n_hidden)),
            "hidden": lif(n_hidden, threshold=Constant(1.0), dt=DT, **taus),
            "output_weights": linear((n_hidden, 10), has_bias=True),
            "output": exp_syn(10, tau=Constant(20e-3), dt=DT),
        }
    )


def digits(n_samples: int | None) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """Return images (n, 64) between 0 and 1 and their labels, to train and to test with."""
    images, labels = load_digits()
    order = np.random.permutation(len(images))[:n_samples]
    ink, label = images.reshape(-1, 64)[order] / np.float32(16), labels[order].astype(int)
    n_train = len(order) * 4 // 5
    return (ink[:n_train], label[:n_train]), (ink[n_train:], label[n_train:])


def spike_trains(key: jax.Array, images: Any) -> jax.Array:
    """Return random spikes (n, time, pixel): the more ink a pixel has, the more of them."""
    shape = (len(images), N_STEPS, images.shape[1])
    return jax.random.bernoulli(key, images[:, None] / 2, shape).astype(jnp.float32)


def scores(parameters: Any, net: JaxModule, spikes: jax.Array) -> jax.Array:
    """Return the mean output for each digit, of the network at rest with some parameters."""
    output, _, _ = net.reset_state().set_attributes(parameters)(spikes)
    return output.mean(1)


def show_progress(done: int, total: int, text: str) -> None:
    """Draw a bar on stderr, if that is a terminal."""
    if sys.stderr.isatty():
        filled = 30 * done // total
        end = "\n" if done == total else ""
        bar = "#" * filled + "." * (30 - filled)
        print(f"\r[{bar}] {text}", end=end, file=sys.stderr, flush=True)


def train(
    net: JaxModule, key: jax.Array, images: Any, labels: Any, n_epochs: int
) -> tuple[JaxModule, list[float]]:
    """Return the trained network, and the loss of each batch."""
    n_batches = max(1, len(images) // BATCH_SIZE)
    schedule = optax.cosine_decay_schedule(LEARNING_RATE, n_epochs * n_batches)
    optimiser = optax.adam(schedule)

    @jax.jit
    def update(parameters: Any, state: Any, net: JaxModule, key: Any, x: Any, y: Any) -> Any:
        def loss(parameters: Any) -> jax.Array:
            logits = scores(parameters, net, spike_trains(key, x))
            return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()

        value, gradients = jax.value_and_grad(loss)(parameters)
        changes, state = optimiser.update(gradients, state)
        return optax.apply_updates(parameters, changes), state, value

    parameters = net.parameters()
    state = optimiser.init(parameters)
    losses: list[float] = []
    for epoch in range(n_epochs):
        order = np.random.permutation(len(images))[: n_batches * BATCH_SIZE]
        for batch in np.array_split(order, n_batches):
            key, own_key = jax.random.split(key)
            parameters, state, value = update(
                parameters, state, net, own_key, images[batch], labels[batch]
            )
            losses.append(float(value))
            text = f"epoch {epoch + 1}/{n_epochs}, loss {losses[-1]:.3f}"
            show_progress(len(losses), n_epochs * n_batches, text)
    return net.set_attributes(parameters), losses


def answers_elsewhere(net: JaxModule, n_hidden: int, backend: str, spikes: jax.Array) -> np.ndarray:
    """Return what a network on another back-end, with these parameters, takes the digits for."""
    values, data = tree_map(net.parameters(), np.array), np.asarray(spikes)
    other = network(n_hidden, backend)
    if backend == "torch":
        import torch

        values = tree_map(values, torch.tensor)
        with torch.inference_mode():
            output, _, _ = other.set_attributes(values)(torch.tensor(data))
        return output.numpy().mean(1).argmax(1)
    output, _, _ = other.set_attributes(values)(data)
    return output.mean(1).argmax(1)


def save(net: JaxModule, path: str) -> None:
    """Save the parameters, each under its name, such as ``hidden/bias``."""
    parameters = net.parameters()
    arrays = {"/".join(b): np.asarray(get_nested(parameters, b)) for b in branches(parameters)}
    with open(path, "wb") as file:
        np.savez(file, **arrays)


def plot(losses: list[float], net: JaxModule, spikes: jax.Array, label: int, path: str) -> None:
    """Draw the loss, and what the spikes of one image bring about, to a file."""
    from matplotlib.figure import Figure

    output, _, record = net(spikes)
    hidden = record["hidden"]["spikes"][0]
    figure = Figure(figsize=(9, 7), layout="constrained")
    axes = figure.subplots(2, 2)
    axes[0, 0].semilogy(losses)
    axes[0, 0].set(title="Training", xlabel="Batch", ylabel="Cross-entropy")
    for ax, trains, title in (
        (axes[0, 1], spikes[0], f"Input: a {label}"),
        (axes[1, 0], hidden, "Hidden neurons"),
    ):
        times, neurons = np.nonzero(np.asarray(trains))
        ax.plot(times * DT * 1e3, neurons, "k|", markersize=3)
        ax.set(title=title, xlabel="Time [ms]", ylabel="Channel")
    axes[1, 1].plot(np.arange(N_STEPS) * DT * 1e3, output[0], label=range(10))
    axes[1, 1].set(title="Output", xlabel="Time [ms]")
    axes[1, 1].legend(ncols=2, fontsize="small")
    figure.savefig(path)


def options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description="Train a spiking network on handwritten digits with surrogate gradients."
    )
    parser.add_argument("--epochs", type=int, default=20, help="passes over the data (default: 20)")
    parser.add_argument("--hidden", type=int, default=128, help="hidden neurons (default: 128)")
    parser.add_argument("--samples", type=int, help="use so many of the 1797 digits (default: all)")
    parser.add_argument("--seed", type=int, default=0, help="of all that is random (default: 0)")
    parser.add_argument("--plot", metavar="FILE", help="draw loss and spikes (needs matplotlib)")
    parser.add_argument("--save", metavar="FILE", help="save the parameters (numpy's .npz format)")
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


def main() -> None:
    """Train, test, and show what happened."""
    given = options()
    np.random.seed(given.seed)  # for weights, and the order of digits
    training_key, test_key = jax.random.split(jax.random.key(given.seed))
    (images, labels), (test_images, test_labels) = digits(given.samples)
    net = network(given.hidden)
    weights = np.random.normal(size=(given.hidden, 10)) / 50
    net = net.set_attributes({"output_weights": {"weight": weights}})

    start = time.perf_counter()
    net, losses = train(net, training_key, images, labels, given.epochs)
    seconds = time.perf_counter() - start
    spikes = spike_trains(test_key, test_images)
    answers = np.asarray(scores({}, net, spikes).argmax(1))
    print(f"Trained on {len(images)} digits in {seconds:.1f} s")
    print(f"Loss: {losses[0]:.3f} at first, {losses[-1]:.3f} at last")
    print(f"Test accuracy: {100 * np.mean(answers == test_labels):.1f} %")
    for backend in [name for name in CLASSES if name != "jax" and backend_available(name)]:
        same = np.sum(answers_elsewhere(net, given.hidden, backend, spikes) == answers)
        print(f"In {backend} {same} of {len(answers)} answers are the same")
    if given.save:
        save(net, given.save)
        print(f"The parameters are in {given.save}")
    if given.plot:
        plot(losses, net, spikes[:1], int(test_labels[0]), given.plot)
        print(f"Loss and spikes are drawn in {given.plot}")


if __name__ == "__main__":
    try:
        main()
        sys.stdout.flush()
    except KeyboardInterrupt:
        print("\nStopped", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:  # who read the output, such as `head`, has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
