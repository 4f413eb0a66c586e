"""What training takes with all membranes kept, and with states kept every so often (`save_memory`).

    python tests/benchmarks/bench_memory.py [--rounds R] [--steps T] [--json FILE]

Forward and backward passes of LIFTorch layers over many time steps. Each round has a process of its
own for each way, one after the other: milliseconds of CPU for both passes on one thread (the median
of several), and the peak of the memory that the process has, beyond input and output, in bytes for
each neuron and time step. Medians over the rounds are told. Linux only: peaks are read from /proc.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

WAYS = ("full", "low")
# batch, neurons, synapses of each, whether they are recurrent
LAYERS = {
    "1 x 512": (1, 512, 1, False),
    "8 x 128": (8, 128, 1, False),
    "4 x 128, two synapses": (4, 128, 2, False),
    "2 x 100, recurrent": (2, 100, 1, True),
}


def peak() -> int:
    """Return the most bytes that this process has had."""
    with open("/proc/self/status") as file:
        return 1024 * int(next(line for line in file if line.startswith("VmHWM")).split()[1])


def measured(name: str, way: str, n_steps: int) -> dict[str, float]:
    """Return what a layer takes in one way."""
    import torch

    from rockpool.nn.modules import LIFTorch

    torch.manual_seed(0)
    torch.set_num_threads(1)
    n_batch, n_out, n_synapses, recurrent = LAYERS[name]
    shape = n_out * n_synapses, n_out
    w_rec = (torch.rand(*reversed(shape)) - 0.5) / n_out if recurrent else None
    module = LIFTorch(shape, has_rec=recurrent, w_rec=w_rec)
    data = torch.rand(n_batch, n_steps, shape[0]) * 0.2
    module(data[:, :300], memory=way)[0].sum().backward()  # compiled, and all libraries loaded
    before = peak()
    output = module(data, memory=way)[0]
    output.sum().backward()
    size = output.numel()
    beyond = (peak() - before) / size - output.element_size()
    took = []
    while len(took) < 3 or sum(took) < 1.0:
        began = time.process_time()
        module(data, memory=way)[0].sum().backward()
        took.append(time.process_time() - began)
    return {"bytes": beyond, "ms": statistics.median(took) * 1e3}


def child(*arguments: Any) -> dict[str, float]:
    """Return what `measured` returns, in a process of its own."""
    root = str(Path(__file__).parents[2])
    environment = {**os.environ, "PYTHONPATH": root, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, __file__, "--child", json.dumps(arguments)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main(argv: list[str] | None = None) -> dict[str, Any]:
    """Print the table, and return what was measured."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=10_000)
    parser.add_argument("--json", metavar="FILE", help="write all figures into this file")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.child:
        print(json.dumps(measured(*json.loads(options.child))))
        return {}
    if options.rounds < 1:
        parser.error(f"--rounds must be at least 1, got {options.rounds}")
    results: dict[str, Any] = {}
    print(f"{f'{options.steps} steps':<24}{'bytes: full':>12}{'low':>8}{'ms: full':>12}{'low':>8}")
    for name in LAYERS:
        rounds = [[child(name, way, options.steps) for way in WAYS] for _ in range(options.rounds)]
        found = {
            way: {key: statistics.median(one[index][key] for one in rounds) for key in rounds[0][0]}
            for index, way in enumerate(WAYS)
        }
        ratio = statistics.median(low["ms"] / full["ms"] for full, low in rounds)
        results[name] = {**found, "ratio": ratio}
        bytes_, ms = ([found[way][key] for way in WAYS] for key in ("bytes", "ms"))
        print(
            f"{name:<24}{bytes_[0]:12.2f}{bytes_[1]:8.2f}{ms[0]:12.1f}{ms[1]:8.1f}   {ratio:.2f}x"
        )
    if options.json:
        Path(options.json).write_text(json.dumps(results, indent=2) + "\n")
    return results


if __name__ == "__main__":
    main()
