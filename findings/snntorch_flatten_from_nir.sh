#!/usr/bin/env bash
# snntorch 1.0.0: a network that begins with Flatten, as the example of export_to_nir does, comes back
# from NIR as one that flattens the batch too.
#
# Export counts the axes of Flatten without the batch (start_dim 1 becomes 0, as NIR has it), import
# takes them as they stand. A batch of one gives an output without a batch axis; any other raises
# an error of the Linear behind it. The network itself takes both.
#
# (beta and threshold are vectors, and ignore_dims=[0]: with the scalars of that example, or without,
# the export fails.)
#
# Seen with snntorch 1.0.0, nir 1.0.8, nirtorch 2.6, torch 2.13.0, Python 3.11:
#   batch of 1   network (1, 2)   from NIR (2,)
#   batch of 3   network (3, 2)   from NIR RuntimeError: mat1 and mat2 shapes cannot be multiplied
#                                 (1x36 and 12x2)
#
# Fails if that changes.   usage: findings/snntorch_flatten_from_nir.sh   (PYTHON: python3.11)
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3.11}" -m venv environment
environment/bin/python -m pip install --quiet --disable-pip-version-check \
    "snntorch==1.0.0" "nir==1.0.8" "nirtorch==2.6" "torch==2.13.0" "numpy==2.3.5"

cat > imported.py <<'PROGRAM'
import contextlib
import io

import snntorch as snn
import torch
from snntorch.export_nir import export_to_nir
from snntorch.import_nir import import_from_nir


def network():
    """Flatten, Linear, Leaky."""
    leaky = snn.Leaky(
        beta=torch.full((2,), 0.9), threshold=torch.ones(2), init_hidden=True, output=True
    )
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(12, 2), leaky)


def shape(called, data):
    """The shape of the spikes, or the error."""
    try:
        spikes = called(data)
    except RuntimeError as error:
        return f"RuntimeError: {error}"
    return tuple((spikes[0] if isinstance(spikes, tuple) else spikes).shape)


with contextlib.redirect_stdout(io.StringIO()):
    graph = export_to_nir(network(), torch.rand(1, 3, 4), ignore_dims=[0])
for batch in (1, 3):
    data = torch.rand(batch, 3, 4)
    with contextlib.redirect_stdout(io.StringIO()):
        back = import_from_nir(graph)
    print("batch of", batch, "network", shape(network(), data), "from NIR", shape(back, data))
PROGRAM

environment/bin/python -m pip list 2>/dev/null | grep -iE '^(snntorch|nir|nirtorch|torch) '
environment/bin/python -W ignore imported.py 2>/dev/null | tee found
diff found - <<'SEEN'
batch of 1 network (1, 2) from NIR (2,)
batch of 3 network (3, 2) from NIR RuntimeError: mat1 and mat2 shapes cannot be multiplied (1x36 and 12x2)
SEEN
echo "as seen"
