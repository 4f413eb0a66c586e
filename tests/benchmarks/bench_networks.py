"""How fast `SynNet` and `WaveSenseNet` train, against another release in an interpreter of its own.

    python tests/benchmarks/bench_networks.py --peer /path/to/other/venv/bin/python

Both run the same code, in child processes by turns, on one processor each. Times are CPU time of a
training step (forward, and backward to all parameters), warm, per step; the medians of the rounds
are compared.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

# name -> batch, time steps
CASES = {
    "SynNet": (32, 100),
    "SynNet, 3 layers": (32, 100),
    "SynNet, batch 1": (1, 250),
    "WaveSenseNet": (32, 100),
    "WaveSenseNet, 8 blocks": (16, 100),
    "WaveSenseNet, batch 1": (1, 250),
}

CHILD = """
import json, os, sys, time, warnings
warnings.simplefilter("ignore")
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {int(sys.argv[2])})
import torch
from rockpool.nn.networks import SynNet, WaveSenseNet

torch.set_num_threads(1)
torch.manual_seed(0)
MAKE = {
    "SynNet": lambda: SynNet(10, 16),
    "SynNet, 3 layers": lambda: SynNet(10, 16, [60, 60, 60], [2, 4, 8]),
    "SynNet, batch 1": lambda: SynNet(10, 16),
    "WaveSenseNet": lambda: WaveSenseNet([2, 4, 8], 10),
    "WaveSenseNet, 8 blocks": lambda: WaveSenseNet([2, 4, 8, 16, 2, 4, 8, 16], 10),
    "WaveSenseNet, batch 1": lambda: WaveSenseNet([2, 4, 8], 10),
}
result = {}
for name, (batch, steps) in json.loads(sys.argv[1]).items():
    net = MAKE[name]()
    data = (torch.rand(batch, steps, 16) < 0.2).float()

    def step():
        for parameter in net.parameters().astorch():
            parameter.grad = None
        net.reset_state()
        net(data)[0].sum().backward()

    step()
    times = []
    while len(times) < 3 or (sum(times) < float(sys.argv[3]) and len(times) < 200):
        start = time.process_time()
        step()
        times.append(time.process_time() - start)
    result[name] = sorted(times)[len(times) // 2]
print(json.dumps(result))
"""


def measure(python: str, path: str | None, seconds: float) -> dict[str, float]:
    """Return the CPU seconds of a training step of each case, in an interpreter."""
    processors = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else {0}
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    environment.pop("PYTHONPATH", None)
    if path is not None:
        environment["PYTHONPATH"] = path
    command = [python, "-P", "-c", CHILD, json.dumps(CASES), str(min(processors)), str(seconds)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{python} failed:\n{done.stderr}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Measure in rounds, and print a table."""
    parser = argparse.ArgumentParser(description="Compare the training of whole networks.")
    parser.add_argument("--peer", required=True, metavar="PYTHON", help="of the other release")
    parser.add_argument("--rounds", type=int, default=3, help="default: 3")
    parser.add_argument("--seconds", type=float, default=1.0, help="of each case (default: 1)")
    given = parser.parse_args()
    here = str(Path(__file__).parents[2])
    rounds = [
        (measure(sys.executable, here, given.seconds), measure(given.peer, None, given.seconds))
        for _ in range(given.rounds)
    ]
    print(f"{'ms per training step':26}{'this one':>10}{'the other':>11}{'times':>8}")
    for name in CASES:
        ours, theirs = (statistics.median(pair[i][name] for pair in rounds) for i in (0, 1))
        print(f"{name:26}{1e3 * ours:10.2f}{1e3 * theirs:11.1f}{theirs / ours:8.1f}")


if __name__ == "__main__":
    main()
