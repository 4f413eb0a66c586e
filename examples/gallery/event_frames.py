"""The events of a camera as pictures.

An event camera tells of pixels that become brighter or darker, and of nothing else. Here a disc
moves over 48 x 48 pixels; its events are made up, and go through a file as those of a camera would.
`frames` counts them for some time, here 10 ms, and shows some of these pictures.

Needs: matplotlib
"""

import sys
import tempfile
from pathlib import Path

import numpy as np

from rockpool.data import Recording, read, write
from rockpool.plots import frames

SIZE, N_TICKS = 48, 300  # pixels; ms

row, column = np.mgrid[:SIZE, :SIZE]
events, before = [], None
for t in range(N_TICKS):
    angle = 2 * np.pi * t / N_TICKS
    y, x = 24 + 14 * np.sin(angle), 24 + 14 * np.cos(angle)
    light = 1 / (1 + np.exp(np.hypot(row - y, column - x) - 6))  # a disc with a soft edge
    if before is not None:
        for p, changed in enumerate((light < before - 0.03, light > before + 0.03)):
            ys, xs = changed.nonzero()
            events += [(1000 * t, x, y, p) for y, x in zip(ys, xs, strict=True)]
    before = light
fields = [("t", "<i8"), ("x", "<i2"), ("y", "<i2"), ("p", "u1")]

with tempfile.TemporaryDirectory() as folder:
    path = Path(folder, "disc.npz")
    write(Recording(np.array(events, fields), sensor_size=(SIZE, SIZE)), path)
    recording = read(path)

figure = frames(recording, dt=0.01, n_frames=6)
figure.suptitle(f"{len(recording)} events; frames of 10 ms: brighter red, darker blue")
figure.savefig(sys.argv[1] if len(sys.argv) > 1 else "event_frames.png", dpi=70)
