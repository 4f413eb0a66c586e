"""What a network looks for.

A network that reads handwritten digits was trained in torch, and is kept in a file that numpy
reads. The product of its two matrices tells how much each pixel speaks for each digit, by way of
all neurons and as if they were no neurons but sums; it is multiplied by how much a pixel varies.
Red speaks for the digit, blue against it. `rockpool.plots.weights(net)` draws the matrices
themselves.

Needs: matplotlib
"""

import sys
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import rockpool
from rockpool.data import load_digits

net = rockpool.load(Path(__file__).parents[1] / "digits_network.safetensors", "numpy")
images, _ = load_digits()
effect = net[0].weight @ net[2].weight  # (pixels, digits)
effect = effect * images.reshape(-1, 64).std(0)[:, np.newaxis]

figure = Figure(figsize=(8, 3.6), layout="constrained")
axes = figure.subplots(2, 5)
most = np.abs(effect).max()
for digit, ax in enumerate(axes.flat):
    image = ax.imshow(effect[:, digit].reshape(8, 8), cmap="RdBu_r", vmin=-most, vmax=most)
    ax.set(xticks=[], yticks=[], title=str(digit))
figure.colorbar(image, ax=axes, label="Speaks for the digit")
figure.savefig(sys.argv[1] if len(sys.argv) > 1 else "receptive_fields.png", dpi=70)
