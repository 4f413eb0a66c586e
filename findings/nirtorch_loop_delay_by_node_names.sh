#!/usr/bin/env bash
# nirtorch 2.6: in a loop that input enters at two places, the names of the nodes say which of its
# connections is a step late, and so what the network does.
#
# Two neurons with the same parameters get the same input and inhibit each other: four nodes in a
# ring, neuron 1, its connection to 2, neuron 2, its connection to 1. nir_to_torch wires nodes in the
# order in which nir.read sorts their names (a connection whose neuron is not wired yet waits for
# another turn), and what leads to a neuron and is not wired when that is comes a step late. So with
# the names n1 to n4 the first neuron silences the second, with those names moved round the ring the
# second silences the first, and with others both fire alike, as the graph, which favours neither,
# would have it. Parameters and edges are the same.
# snntorch and spikingjelly, which build on it, hand that on, and nothing is said.
#
# The spikes of neurons 1 and 2 in six steps, by the names of the ring's nodes. Seen with nirtorch 2.6,
# snntorch 1.0.0, spikingjelly 2.0.0 (both say the same), nir 1.0.8, torch 2.13.0, Python 3.11:
#   n1 n2 n3 n4   neuron 1 in every step   neuron 2 never
#   n3 n4 n1 n2   neuron 1 never           neuron 2 in every step
#   n3 n1 n4 n2   both in steps 1 and 4
#
# Fails if that changes.   usage: findings/nirtorch_loop_delay_by_node_names.sh   (PYTHON: python3.11)
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3.11}" -m venv environment
environment/bin/python -m pip install --quiet --disable-pip-version-check \
    "nirtorch==2.6" "snntorch==1.0.0" "nir==1.0.8" "torch==2.13.0" "numpy==2.3.5" "loguru==0.7.3"
environment/bin/python -m pip install --quiet --disable-pip-version-check --no-deps \
    "spikingjelly==2.0.0"

cat > loop.py <<'PROGRAM'
import contextlib
import io

import nir
import numpy as np
import torch
from snntorch.import_nir import import_from_nir as of_snntorch
from spikingjelly.activation_based.nir_exchange import import_from_nir as of_spikingjelly


def neuron():
    """One neuron that keeps nine tenths of its membrane in a step of 0.1 ms and adds its input."""
    tau, r, v_leak, v_threshold = (np.array([value], np.float32) for value in (1e-3, 10, 0, 1))
    return nir.LIF(tau, r, v_leak, v_threshold, np.zeros(1, np.float32))


def weights(*rows):
    return nir.Affine(np.array(rows, np.float32), np.zeros(len(rows), np.float32))


def graph(one, to_two, two, to_one):
    """Two neurons, each driven by 2, and by -4 when the other fires; the ring has these names."""
    nodes = {
        "input": nir.Input(np.array([1])),
        "input_1": weights([2]),
        "input_2": weights([2]),
        one: neuron(),
        two: neuron(),
        to_two: weights([-4]),
        to_one: weights([-4]),
        "seen_1": weights([1], [0]),
        "seen_2": weights([0], [1]),
        "together": weights([1, 0], [0, 1]),
        "output": nir.Output(np.array([2])),
    }
    paths = [
        ["input", "input_1", one, to_two, two, to_one, one],
        ["input", "input_2", two],
        [one, "seen_1", "together", "output"],
        [two, "seen_2", "together"],
    ]
    nir.write("loop.nir", nir.NIRGraph(nodes, [edge for p in paths for edge in zip(p, p[1:])]))
    return nir.read("loop.nir")


for package, opened in {"snntorch": of_snntorch, "spikingjelly": of_spikingjelly}.items():
    for names in ("n1 n2 n3 n4", "n3 n4 n1 n2", "n3 n1 n4 n2"):
        with contextlib.redirect_stdout(io.StringIO()):
            network = opened(graph(*names.split()))
        state, spikes = None, []
        for _ in range(6):
            output, state = network(torch.ones(1, 1), state)
            spikes.append(output.flatten().int().tolist())
        print(package, names, *map(list, zip(*spikes)))
PROGRAM

environment/bin/python -m pip list 2>/dev/null | grep -iE '^(nirtorch|snntorch|spikingjelly|nir|torch) '
environment/bin/python -W ignore loop.py 2>/dev/null | tee found
diff found - <<'SEEN'
snntorch n1 n2 n3 n4 [1, 1, 1, 1, 1, 1] [0, 0, 0, 0, 0, 0]
snntorch n3 n4 n1 n2 [0, 0, 0, 0, 0, 0] [1, 1, 1, 1, 1, 1]
snntorch n3 n1 n4 n2 [1, 0, 0, 1, 0, 0] [1, 0, 0, 1, 0, 0]
spikingjelly n1 n2 n3 n4 [1, 1, 1, 1, 1, 1] [0, 0, 0, 0, 0, 0]
spikingjelly n3 n4 n1 n2 [0, 0, 0, 0, 0, 0] [1, 1, 1, 1, 1, 1]
spikingjelly n3 n1 n4 n2 [1, 0, 0, 1, 0, 0] [1, 0, 0, 1, 0, 0]
SEEN
echo "as seen"
