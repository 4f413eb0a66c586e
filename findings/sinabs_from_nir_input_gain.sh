#!/usr/bin/env bash
# sinabs 3.1.3: a default LIF that goes through to_nir and from_nir comes back 20 times as excitable.
#
# By default a LIF of sinabs scales its input by 1 - alpha, such that a constant input is where the
# membrane settles. That is NIR's equation, tau dv/dt = -v + r I with r = 1, and to_nir writes it so.
# It writes the same node for norm_input=False, though, where the gain is 1; and from_nir makes
# neurons with norm_input=False of every node, without a look at r. So a neuron that never reaches
# its threshold fires in nearly each step after a round trip, and files that carry a gain in r, as
# those of other simulators do, lose it. Resets differ too, but they come after the first spike.
#
# Spikes in 200 steps of a constant 0.9, threshold 1, tau 20, with sinabs 3.1.3, nir 1.0.4, nirtorch
# 2.0.2, torch 2.13.0, numpy 2.4.6, Python 3.11:
#   as made 0, after to_nir and from_nir 175
#   r = 0.5, 1, 2: the equation in small steps 0, 0, 12; sinabs 175, 175, 175
#
# Fails if that changes.   usage: findings/sinabs_from_nir_input_gain.sh   (PYTHON: python3.11)
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3.11}" -m venv environment
environment/bin/python -m pip install --quiet --disable-pip-version-check \
    "sinabs==3.1.3" "nir==1.0.4" "nirtorch==2.0.2" "torch==2.13.0" "numpy==2.4.6"

cat > gains.py <<'PROGRAM'
import warnings

import nir
import numpy as np
import torch
from sinabs.layers import LIFSqueeze
from sinabs.nir import from_nir, to_nir

warnings.simplefilter("ignore")
N_STEPS, TAU, INPUT = 200, 20.0, 0.9


def spikes(network):
    """Return how many spikes a network answers to the constant input."""
    with torch.no_grad():
        output = network(torch.full((N_STEPS, 1), INPUT))
    return int((output[0] if isinstance(output, tuple) else output).sum())


def of_equation(r, step=1e-3):
    """Return how many spikes the neuron of NIR has, in small Euler steps."""
    v, count = 0.0, 0
    for _ in range(int(N_STEPS / step)):
        v += step / TAU * (r * INPUT - v)
        if v > 1.0:
            v, count = 0.0, count + 1
    return count


weight = torch.nn.Linear(1, 1, bias=False)
torch.nn.init.ones_(weight.weight)
network = torch.nn.Sequential(weight, LIFSqueeze(tau_mem=TAU, batch_size=1))
graph = to_nir(network, torch.zeros(1, 1))
network[1].reset_states()
print("as made", spikes(network), "again", spikes(from_nir(graph, batch_size=1)))

one = np.ones(1)
for r in (0.5, 1.0, 2.0):
    node = nir.LIF(tau=TAU * one, r=r * one, v_leak=0 * one, v_threshold=one)
    ends = {"input": nir.Input(np.array([1])), "output": nir.Output(np.array([1]))}
    graph = nir.NIRGraph({**ends, "lif": node}, [("input", "lif"), ("lif", "output")])
    print("r", r, "equation", of_equation(r), "sinabs", spikes(from_nir(graph, batch_size=1)))
PROGRAM

environment/bin/python gains.py | tee seen
cat > expected <<'TEXT'
as made 0 again 175
r 0.5 equation 0 sinabs 175
r 1.0 equation 0 sinabs 175
r 2.0 equation 12 sinabs 175
TEXT
diff seen expected && echo "as seen"
