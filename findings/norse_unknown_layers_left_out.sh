#!/usr/bin/env bash
# norse 1.1.0: a layer of a NIR file that norse does not know is left out, and the network runs on.
#
# Average pooling is the layer that image networks have: a convolution, pooling 2 x 2 and a Linear
# become a convolution and a Linear. With pooling last, what comes back has the shape of the input.
# Scale and Delay between two layers vanish as well; a line on standard error speaks of several input
# nodes then, and of no layer. nirtorch 2.6, on which it builds, reads the same pooling right.
#
# A 4 x 4 image of 1 to 16, and the row 1 2 3 4. Every convolution and Linear is the identity.
# Seen with norse 1.1.0, nir 1.0.8, nirtorch 2.6, torch 2.13.0, Python 3.11:
#   AvgPool2d 2 x 2   nirtorch 3.5 5.5 11.5 13.5   norse all 16 values of the image
#   Scale by 2        should be 2 4 6 8            norse 1 2 3 4
#   Delay of 2 steps  should be 0 0 0 0 at first   norse 1 2 3 4
#
# Fails if that changes.   usage: findings/norse_unknown_layers_left_out.sh   (PYTHON: python3.11)
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3.11}" -m venv environment
environment/bin/python -m pip install --quiet --disable-pip-version-check \
    "norse==1.1.0" "nir==1.0.8" "nirtorch==2.6" "torch==2.13.0" "numpy==2.3.5"

cat > read.py <<'PROGRAM'
import nir
import nirtorch
import norse.torch
import numpy as np
import torch


def written(name, shape_in, shape_out, **nodes):
    names = ["input", *nodes, "output"]
    ends = {"input": nir.Input(np.array(shape_in)), "output": nir.Output(np.array(shape_out))}
    nir.write(name, nir.NIRGraph({**ends, **nodes}, list(zip(names, names[1:]))))
    return nir.read(name)


def said(title, output):
    print(title, tuple(output.shape), output.detach().flatten().tolist())


f4 = np.float32
convolution = nir.Conv2d(
    (4, 4), np.ones((1, 1, 1, 1), f4), (1, 1), (0, 0), (1, 1), 1, np.zeros(1, f4)
)
pooling = nir.AvgPool2d(np.array([2, 2]), np.array([2, 2]), np.array([0, 0]))
image = torch.arange(1.0, 17.0).reshape(1, 1, 4, 4)
graph = written("pooled.nir", (1, 4, 4), (1, 2, 2), convolution=convolution, pooling=pooling)
said("pooling, nirtorch", nirtorch.nir_to_torch(graph, {})(image)[0])
said("pooling, norse", norse.torch.from_nir(graph, dt=1e-3)(image)[0])

row = torch.tensor([[1.0, 2.0, 3.0, 4.0]])
for title, layer in {
    "scaled": nir.Scale(np.full(4, 2, f4)),
    "delayed": nir.Delay(np.full(4, 2e-3, f4)),
}.items():
    first, last = (nir.Affine(np.eye(4, dtype=f4), np.zeros(4, f4)) for _ in range(2))
    graph = written(title + ".nir", (4,), (4,), first=first, layer=layer, last=last)
    said(title + ", norse", norse.torch.from_nir(graph, dt=1e-3)(row)[0])
PROGRAM

environment/bin/python -m pip list 2>/dev/null | grep -iE '^(norse|nir|nirtorch|torch) '
environment/bin/python -W ignore read.py | tee found
diff found - <<'SEEN'
pooling, nirtorch (1, 1, 2, 2) [3.5, 5.5, 11.5, 13.5]
pooling, norse (1, 1, 4, 4) [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0, 15.0, 16.0]
scaled, norse (1, 4) [1.0, 2.0, 3.0, 4.0]
delayed, norse (1, 4) [1.0, 2.0, 3.0, 4.0]
SEEN
echo "as seen"
