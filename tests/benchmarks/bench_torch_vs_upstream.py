"""How fast `LIFTorch` is, against another release of the package in an interpreter of its own.

    python tests/benchmarks/bench_torch_vs_upstream.py --peer /path/to/other/venv/bin/python

Both run the same code, in child processes by turns, one thread each; the medians of the rounds are
compared. Times are CPU time per neuron and time step, gradients are those of the input and of every
parameter. Last comes the cost of 10 000 time steps against that of 1 000, of this package alone.
With ROCKPOOL_KERNELS=0 in the environment this package uses its plain loops.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

CASES = ((512, 250, 32), (100, 100, 64), (100, 1000, 1), (1000, 1000, 1))  # neurons, steps, batch
LENGTHS = ((100, 1000, 4), (100, 10_000, 4))

# Runs in either interpreter: one case, best of a few repetitions, forward and forward + backward.
CHILD = """
import json, sys, time, warnings
warnings.simplefilter("ignore")
import torch
from rockpool.nn.modules import torch as modules

torch.set_num_threads(1)
torch.manual_seed(0)
n, steps, batch, repeat = map(int, sys.argv[1:])
x = ((torch.rand(batch, steps, n) < 0.05).float() * 0.3).requires_grad_()
layer = modules.LIFTorch(n)

def forward():
    with torch.no_grad():
        layer(x)

def both():
    layer(x)[0].sum().backward()

def cost(run):
    run()
    times = []
    for _ in range(repeat):
        start = time.process_time()
        run()
        times.append(time.process_time() - start)
    return sorted(times)[len(times) // 2] / (n * steps * batch) * 1e9

print(json.dumps({"forward": cost(forward), "both": cost(both)}))
"""


def measure(python: str, case: tuple[int, int, int], repeat: int) -> dict[str, float]:
    """Return nanoseconds per neuron and step, from one child process."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    if python == sys.executable:
        root = str(Path(__file__).resolve().parents[2])
        environment["PYTHONPATH"] = os.pathsep.join([root, environment.get("PYTHONPATH", "")])
    else:
        environment.pop("PYTHONPATH", None)
    arguments = [python, "-P", "-c", CHILD, *map(str, case), str(repeat)]
    child = subprocess.run(arguments, env=environment, capture_output=True, text=True, check=False)
    if child.returncode:
        raise SystemExit(f"{python} failed:\n{child.stderr}")
    return json.loads(child.stdout.splitlines()[-1])


def interleaved(
    runs: dict[str, tuple[str, tuple[int, int, int]]], rounds: int, repeat: int
) -> dict[str, dict[str, float]]:
    """Return the medians over rounds in which every run has one turn."""
    results: dict[str, list[dict[str, float]]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, (python, case) in runs.items():
            results[name].append(measure(python, case, repeat))
    return {
        name: {key: statistics.median(result[key] for result in series) for key in series[0]}
        for name, series in results.items()
    }


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    """Measure, print a table, and return its figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--peer", help="Python interpreter that has the other release")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--repeat", type=int, default=3, help="repetitions in each process")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args(arguments)

    figures: dict[str, Any] = {}
    print(f"{'neurons, steps, batch':<24}{'forward ns':>24}{'forward + backward ns':>28}")
    for case in CASES:
        runs = {"ours": (sys.executable, case)}
        if options.peer:
            runs["peer"] = (options.peer, case)
        found = interleaved(runs, options.rounds, options.repeat)
        figures["x".join(map(str, case))] = found
        columns = []
        for key in ("forward", "both"):
            text = f"{found['ours'][key]:.1f}"
            if options.peer:
                ratio = found["peer"][key] / found["ours"][key]
                text += f" / {found['peer'][key]:.1f} = {ratio:.1f}x"
            columns.append(text)
        print(f"{', '.join(map(str, case)):<24}{columns[0]:>24}{columns[1]:>28}", flush=True)

    short, long = LENGTHS
    runs = {"short": (sys.executable, short), "long": (sys.executable, long)}
    found = interleaved(runs, options.rounds, 1)
    ratio = found["long"]["both"] / found["short"]["both"]
    figures["length"] = {**found, "ratio": ratio}
    print(f"cost per step, {long[1]} steps against {short[1]}: {ratio:.2f}x")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2), encoding="utf-8")
    return figures


if __name__ == "__main__":
    main()
