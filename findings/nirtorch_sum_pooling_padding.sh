#!/usr/bin/env bash
# nirtorch 2.6: the padding of SumPool2d is left out, that of AvgPool2d is not.
#
# NIR gives both kinds of pooling a kernel, a stride and a padding. nirtorch makes a layer without
# padding of the one: 2 x 2 values where 3 x 3 are meant, and nothing is said. snntorch, which builds
# on it, does the same. (norse 1.1.0 leaves it out too, with a warning that names the padding.)
#
# A 4 x 4 image of 1 to 16, kernel 2 x 2, stride 2, padding 1. AvgPool2d times 4 is the right sum.
# Seen with nirtorch 2.6, snntorch 1.0.0, nir 1.0.8, torch 2.13.0, Python 3.11:
#   AvgPool2d x 4, nirtorch          (3, 3)   1 5 4 14 34 20 13 29 16
#   SumPool2d, nirtorch, snntorch    (2, 2)   14 22 46 54
#
# Fails if that changes.   usage: findings/nirtorch_sum_pooling_padding.sh   (PYTHON: python3.11)
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3.11}" -m venv environment
environment/bin/python -m pip install --quiet --disable-pip-version-check \
    "nirtorch==2.6" "snntorch==1.0.0" "nir==1.0.8" "torch==2.13.0" "numpy==2.3.5"

cat > read.py <<'PROGRAM'
import nir
import nirtorch
import numpy as np
import torch
from snntorch.import_nir import import_from_nir


def graph(kind):
    two, one = np.array([2, 2]), np.array([1, 1])
    ends = {"input": nir.Input(np.array([1, 4, 4])), "output": nir.Output(np.array([1, 3, 3]))}
    edges = [("input", "pooling"), ("pooling", "output")]
    nir.write("pooled.nir", nir.NIRGraph({**ends, "pooling": kind(two, two, one)}, edges))
    return nir.read("pooled.nir")


def said(title, output):
    print(title, tuple(output.shape[-2:]), output.detach().flatten().tolist())


image = torch.arange(1.0, 17.0).reshape(1, 1, 4, 4)
said("average x 4, nirtorch", 4 * nirtorch.nir_to_torch(graph(nir.AvgPool2d), {})(image)[0])
said("sum, nirtorch", nirtorch.nir_to_torch(graph(nir.SumPool2d), {})(image)[0])
said("sum, snntorch", import_from_nir(graph(nir.SumPool2d))(image)[0])
PROGRAM

environment/bin/python -m pip list 2>/dev/null | grep -iE '^(nirtorch|snntorch|nir|torch) '
environment/bin/python -W ignore read.py | grep -v "rnn subgraph" | tee found
diff found - <<'SEEN'
average x 4, nirtorch (3, 3) [1.0, 5.0, 4.0, 14.0, 34.0, 20.0, 13.0, 29.0, 16.0]
sum, nirtorch (2, 2) [14.0, 22.0, 46.0, 54.0]
sum, snntorch (2, 2) [14.0, 22.0, 46.0, 54.0]
SEEN
echo "as seen"
