#!/usr/bin/env bash
# tonic 1.7.0: ToVoxelGrid counts OFF events as ON where the polarity is a bool, as tonic makes it.
#
# A voxel grid adds +1 for an ON event and -1 for an OFF event. The transform writes -1 in place of
# the zeros of the polarity; in a field of bools that is True again. The type of that field is bool
# in what tonic.io.make_structured_array gives and in data sets such as DVSGesture, and int in
# NMNIST: one pipeline is right for one data set and has lost the signs for the other. Shape, type
# and times of the grid are the same. UniformNoise draws the polarity from [0, 2) and casts it: to a
# bool it is always True, so that all of its noise is ON.
#
# With tonic 1.7.0, numpy 2.4.6, Python 3.11; 300 ON and 700 OFF events:
#   int    sum of the grid -290.54, least entry -3.92, as of a grid computed by hand
#   bool   sum of the grid  890.54, least entry  0.00
#   of 1000 events of noise 467 are ON with int, and 1000 with bool
#
# Fails if that changes.   usage: findings/tonic_voxel_grid_of_bool_polarity.sh   (PYTHON: python3.11)
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3.11}" -m venv environment
environment/bin/python -m pip install --quiet --disable-pip-version-check \
    "tonic==1.7.0" "numpy==2.4.6"

cat > grids.py <<'PROGRAM'
import numpy as np
import tonic
from tonic import transforms
from tonic.io import make_structured_array

SIZE, N_BINS = (16, 16, 2), 5
random = np.random.default_rng(0)
t = np.sort(random.integers(0, 100_000, 1000))
x, y = random.integers(0, 16, (2, 1000))
p = np.repeat([1, 0], [300, 700])
recordings = {
    "bool": make_structured_array(x, y, t, p),
    "int": make_structured_array(x, y, t, p, dtype=tonic.datasets.NMNIST.dtype),
}

by_hand = np.zeros((N_BINS, 16, 16))
place = N_BINS * (t - t[0]) / (t[-1] - t[0])
below, part = place.astype(int), place % 1
for at, share in ((below, 1 - part), (below + 1, part)):
    inside = at < N_BINS
    np.add.at(by_hand, (at[inside], y[inside], x[inside]), ((2 * p - 1) * share)[inside])

for name, events in recordings.items():
    grid = transforms.ToVoxelGrid(sensor_size=SIZE, n_time_bins=N_BINS)(events.copy())
    np.random.seed(0)
    noisy = transforms.UniformNoise(sensor_size=SIZE, n=1000)(events)
    print(
        f"{name} sum {grid.sum():.2f} least {grid.min():.2f} as by hand "
        f"{np.allclose(grid[:, 0], by_hand)} noise that is ON {int(noisy['p'].sum()) - 300}"
    )
PROGRAM

environment/bin/python grids.py | tee seen
cat > expected <<'TEXT'
bool sum 890.54 least 0.00 as by hand False noise that is ON 1000
int sum -290.54 least -3.92 as by hand True noise that is ON 467
TEXT
diff seen expected && echo "as seen"
