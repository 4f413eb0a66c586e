#!/usr/bin/env bash
# NeuroBench 2.3.0: whether an operation is an accumulation or a multiply-accumulation depends on
# how often the layer is called, not on the data alone.
#
# One linear layer (4 inputs, 3 outputs) gets 10 time steps: a single spike in each, and in the last
# one also a double spike. Called once for all steps, the one double spike makes every operation of
# the layer a multiply-accumulation; called once a step, as most spiking networks are, those of the
# last step only. `Dense` is the same. So numbers of two networks can be compared only if both are
# called in the same way.
#
# Seen with neurobench 2.3.0, torch 2.13.0, Python 3.11:
#   all steps in one call   Effective_MACs 33   Effective_ACs  0   Dense 120
#   one call a step         Effective_MACs  6   Effective_ACs 27   Dense 120
#
# Fails if that changes.   usage: findings/neurobench_counts_by_call.sh   (PYTHON: python3.11)
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3.11}" -m venv environment
environment/bin/python -m pip install --quiet --disable-pip-version-check \
    "neurobench==2.3.0" "torch==2.13.0"

cat > counted.py <<'PROGRAM'
import torch
from neurobench.benchmarks import Benchmark
from neurobench.metrics.workload import SynapticOperations
from neurobench.models import TorchModel
from torch.utils.data import DataLoader, TensorDataset


class Layer(torch.nn.Module):
    """A linear layer that is called for all time steps at once, or once for each."""

    def __init__(self, at_once):
        super().__init__()
        self.weights = torch.nn.Linear(4, 3, bias=False)
        torch.nn.init.ones_(self.weights.weight)
        self.at_once = at_once

    def forward(self, x):
        if self.at_once:
            return self.weights(x)
        return torch.stack([self.weights(x[:, t]) for t in range(x.shape[1])], 1)


spikes = torch.zeros(1, 10, 4)
spikes[0, :, 0] = 1.0
spikes[0, 9, 1] = 2.0
loader = DataLoader(TensorDataset(spikes, torch.zeros(1)), batch_size=1)
for at_once in (True, False):
    benchmark = Benchmark(TorchModel(Layer(at_once)), loader, [], [], [[], [SynapticOperations]])
    counts = benchmark.run(quiet=True)["SynapticOperations"]
    print(at_once, *(int(counts[name]) for name in ("Effective_MACs", "Effective_ACs", "Dense")))
PROGRAM

environment/bin/python -m pip list 2>/dev/null | grep -iE '^(neurobench|torch) '
environment/bin/python -W ignore counted.py | tee found
diff found - <<'SEEN'
True 33 0 120
False 6 27 120
SEEN
echo "as seen"
