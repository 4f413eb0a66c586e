#!/usr/bin/env bash
# snntorch 1.0.0: reset_mechanism="zero" is another reset in Leaky than in Synaptic and RLeaky.
#
# Three neurons of the package that are meant to be the same one: Leaky; Synaptic with alpha = 0, so
# that its current is its input; RLeaky with recurrent weights of 0. With reset_delay=True, which is
# the default, a spike takes effect a step late. Leaky then empties the membrane and adds the input
# of that step. The other two multiply the finished sum by 0: the input of the step after a spike is
# thrown away. With reset_delay=False all three are the same. So with "zero" a reader cannot take one
# step for all neurons of the package, and reset_delay changes the spikes of Synaptic and RLeaky, but
# not those of Leaky, whose membrane differs in the step of the spike alone.
#
# Membranes for the input 5, 0.3, 0.3, 0.3, with beta = 0.9 and threshold 1, with snntorch 1.0.0,
# torch 2.13.0, numpy 2.3.5, Python 3.11:
#   reset_delay=True    Leaky 5, 0.3, 0.57, 0.813    Synaptic and RLeaky 5, 0, 0.3, 0.57
#   reset_delay=False   all 0, 0.3, 0.57, 0.813
#
# Fails if that changes.   usage: findings/snntorch_zero_reset_differs.sh   (PYTHON: python3.11)
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3.11}" -m venv environment
environment/bin/python -m pip install --quiet --disable-pip-version-check \
    "snntorch==1.0.0" "torch==2.13.0" "numpy==2.3.5"

cat > resets.py <<'PROGRAM'
import snntorch as snn
import torch

INPUT = 5.0, 0.3, 0.3, 0.3


def membranes(neuron, state):
    """Return the membrane after each step; the state is what the neuron takes besides its input."""
    found = []
    for number in INPUT:
        returned = neuron(torch.tensor([[number]]), *state)
        # RLeaky takes back its spikes as well
        state = returned if isinstance(neuron, snn.RLeaky) else returned[1:]
        found.append(round(float(returned[-1]), 3))
    return found


for reset_delay in (True, False):
    reset = {"beta": 0.9, "reset_mechanism": "zero", "reset_delay": reset_delay}
    leaky = snn.Leaky(**reset)
    synaptic = snn.Synaptic(alpha=0.0, **reset)
    recurrent = snn.RLeaky(V=0.0, all_to_all=False, **reset)
    with torch.no_grad():
        print("reset_delay", reset_delay)
        print("  Leaky   ", membranes(leaky, (leaky.reset_mem(),)))
        print("  Synaptic", membranes(synaptic, synaptic.reset_mem()))
        print("  RLeaky  ", membranes(recurrent, recurrent.reset_mem()))
PROGRAM

environment/bin/python resets.py | tee seen
cat > expected <<'TEXT'
reset_delay True
  Leaky    [5.0, 0.3, 0.57, 0.813]
  Synaptic [5.0, 0.0, 0.3, 0.57]
  RLeaky   [5.0, 0.0, 0.3, 0.57]
reset_delay False
  Leaky    [0.0, 0.3, 0.57, 0.813]
  Synaptic [0.0, 0.3, 0.57, 0.813]
  RLeaky   [0.0, 0.3, 0.57, 0.813]
TEXT
diff seen expected && echo "as seen"
