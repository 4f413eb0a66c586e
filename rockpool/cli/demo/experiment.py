"""Digits to spikes to classes: the computing part of ``rockpool demo``.

The numbers below were chosen on training halves alone, by the leave-one-out accuracy of the
readout.
"""

import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from rockpool.cli.demo.readout import Ridge
from rockpool.data import load_digits
from rockpool.nn.combinators import Sequential
from rockpool.nn.modules import LIF, Linear

__all__ = ["DigitReader", "Digits", "Example", "Result", "digits"]

N_PIXELS = 64
N_CLASSES = 10
STEPS = 100  # time steps for which an image is shown
DT = 1e-3  # s
PEAK_RATE = 200.0  # spikes/s of the neuron of a black pixel, if it did not leak
TAU_MEM_PIXEL, TAU_SYN_PIXEL = 50e-3, 2e-3  # s
TAU_MEM_HIDDEN, TAU_SYN_HIDDEN = 20e-3, 5e-3  # s
GAIN = 0.3  # standard deviation of the summed weights of 64 pixels, in thresholds
BATCH = 50  # images that the network sees at a time; it changes speed and memory, no result


class Digits(NamedTuple):
    """The images in random order; the first `n_train` are to learn from, the others to test."""

    images: np.ndarray  # grey values from 0 to 1, (images, 64)
    labels: np.ndarray  # what the writers meant, 0 to 9, (images,)

    @property
    def n_train(self) -> int:
        return len(self.images) // 2

    @property
    def n_test(self) -> int:
        return len(self.images) - self.n_train


class Example(NamedTuple):
    """One test image and the spikes that it caused."""

    image: np.ndarray  # grey values from 0 to 1, (8, 8)
    label: int  # what it is
    read_as: int  # what it was taken for
    pixel_spikes: np.ndarray  # in each time step, (steps, 64)
    hidden_spikes: np.ndarray  # (steps, hidden neurons)


class Result(NamedTuple):
    """What came of it."""

    confusion: np.ndarray  # test images by what they are (row) and are taken for (column)
    loo_accuracy: float  # of the readout, as the next one: see `Ridge`
    penalty: float
    pixel_rate: float  # spikes per second in the mean neuron
    hidden_rate: float
    wall: float  # seconds on the clock while the network was computed
    simulated: float  # seconds that passed in it
    example: Example  # the first test image

    @property
    def mistakes(self) -> list[tuple[int, int, int]]:
        """(how often, what it is, what it was taken for), the most frequent first."""
        pairs = [
            (int(count), int(label), int(read_as))
            for (label, read_as), count in np.ndenumerate(self.confusion)
            if count and label != read_as
        ]
        return sorted(pairs, key=lambda pair: (-pair[0], pair[1], pair[2]))


def digits(seed: int) -> Digits:
    """Load the digits and split them at random into two halves."""
    images, labels = load_digits()
    order = np.random.default_rng([seed, 0]).permutation(len(images))
    return Digits(images.reshape(-1, N_PIXELS)[order] / images.max(), labels[order])


class DigitReader:
    """A network of LIF neurons with random weights, and a readout that learns.

    `n_neurons` are those of the hidden layer; weights and phases of spike trains have the `seed`.
    """

    def __init__(self, n_neurons: int, seed: int) -> None:
        self.seed = seed
        weights = np.random.default_rng([seed, 1]).standard_normal((N_PIXELS, n_neurons))
        self.network = Sequential(
            LIF(N_PIXELS, tau_mem=TAU_MEM_PIXEL, tau_syn=TAU_SYN_PIXEL, dt=DT),
            Linear((N_PIXELS, n_neurons), weight=weights * GAIN / np.sqrt(N_PIXELS)),
            LIF(n_neurons, tau_mem=TAU_MEM_HIDDEN, tau_syn=TAU_SYN_HIDDEN, dt=DT),
        )

    def run(self, data: Digits, advance: Callable[[int], object]) -> Result:
        """Show all images to the network, fit the readout to the training half, read the test half.

        `advance` is called with how many images more have been seen, after each batch.
        """
        phases = np.random.default_rng([self.seed, 2]).random(data.images.shape)
        counts = []
        pixel_spikes = 0.0
        wall = 0.0
        for start in range(0, len(data.images), BATCH):
            batch = slice(start, start + BATCH)
            began = time.perf_counter()
            pixel, hidden = self.spikes(data.images[batch], phases[batch])
            wall += time.perf_counter() - began
            counts.append(hidden.sum(axis=1))
            pixel_spikes += float(pixel.sum())
            advance(len(hidden))
        features = np.concatenate(counts)
        readout = Ridge(features[: data.n_train], data.labels[: data.n_train])
        read_as = readout.classify(features[data.n_train :])
        confusion = np.zeros((N_CLASSES, N_CLASSES), dtype=int)
        np.add.at(confusion, (data.labels[data.n_train :], read_as), 1)

        first = data.n_train
        pixel, hidden = self.spikes(data.images[first : first + 1], phases[first : first + 1])
        example = Example(
            data.images[first].reshape(8, 8),
            int(data.labels[first]),
            int(read_as[0]),
            pixel[0],
            hidden[0],
        )
        seconds = len(data.images) * STEPS * DT
        return Result(
            confusion,
            readout.loo_accuracy,
            readout.penalty,
            pixel_rate=pixel_spikes / N_PIXELS / seconds,
            hidden_rate=float(features.sum()) / features.shape[1] / seconds,
            wall=wall,
            simulated=seconds,
            example=example,
        )

    def spikes(self, images: np.ndarray, phases: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Show images (images, 64) to the network, each from rest.

        Each pixel's neuron begins between rest and threshold, at its phase from 0 to 1. Returns the
        spikes of pixel neurons and of hidden neurons, (images, steps, neurons).
        """
        decay = np.exp(-DT / TAU_SYN_PIXEL)
        charge = (1.0 - decay) / decay  # an input of this size moves the membrane by 1 in all
        current = np.repeat(images[:, np.newaxis] * (charge * PEAK_RATE * DT), STEPS, axis=1)
        current[:, 0] += (images > 0) * phases * charge
        self.network.reset_state()
        hidden, _, record = self.network(current)
        return record["0_LIF_output"], hidden
