"""How fast `LIFJax` is, against another release of the package in an interpreter of its own.

    python tests/benchmarks/bench_jax_vs_upstream.py --peer /path/to/other/venv/bin/python

All run the same code, in child processes by turns, one thread each: this package with compiled
kernels, this package with scans, and the other release. The medians of the rounds are compared.
Times are CPU time per neuron and time step of jitted functions, warm; gradients are those of the
input and of every parameter. "First output" is the CPU time in seconds from constructing a layer,
in a fresh process in which jax is ready, to its first output (jitted); "first gradients" that from
there to the first gradients. The machine code of the kernels is on disk by then; ``--cold`` also
measures, once, what it takes where it is not.
Last come `set_attributes` and `reset_state` of a network of eight layers, in milliseconds.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

CASES = ((100, 1000, 1), (100, 100, 64), (512, 250, 32), (1000, 1000, 1))  # neurons, steps, batch

# Runs in either interpreter: the first calls, then the best of a few repetitions.
CHILD = """
import json, sys, time, warnings
warnings.simplefilter("ignore")
import jax, jax.numpy as jnp, numpy as np
from rockpool.nn.modules import LIFJax

n, steps, batch, repeat = map(int, sys.argv[1:])
data = (np.random.default_rng(0).random((batch, steps, n)) < 0.05).astype("float32") * 0.3
data = jax.block_until_ready(jax.jit(lambda x: x * 1.0)(data))  # jax itself has started

start = time.process_time()
layer = LIFJax(n)
parameters = layer.parameters()

@jax.jit
def forward(parameters, data):
    return layer.set_attributes(parameters)(data)[0]

@jax.jit
def both(parameters, data):
    loss = lambda p, x: jnp.sum(layer.set_attributes(p)(x)[0] ** 2)
    return jax.value_and_grad(loss, (0, 1))(parameters, data)

jax.block_until_ready(forward(parameters, data))
first_output = time.process_time() - start
start = time.process_time()
jax.block_until_ready(both(parameters, data))
first_gradients = time.process_time() - start

def cost(run):
    times = []
    for _ in range(repeat):
        start = time.process_time()
        jax.block_until_ready(run(parameters, data))
        times.append(time.process_time() - start)
    return sorted(times)[len(times) // 2] / data.size * 1e9

print(json.dumps({
    "forward": cost(forward),
    "both": cost(both),
    "first output": first_output,
    "first gradients": first_gradients,
}))
"""

CHANGES = """
import json, time, warnings
warnings.simplefilter("ignore")
from rockpool.nn.combinators import Sequential
from rockpool.nn.modules import LIFJax, LinearJax

layers = [layer for _ in range(4) for layer in (LinearJax((20, 20)), LIFJax(20))]
net = Sequential(*layers)
parameters = net.parameters()

def cost(run):
    run()
    times = []
    for _ in range(15):
        start = time.process_time()
        run()
        times.append(time.process_time() - start)
    return sorted(times)[len(times) // 2] * 1e3

print(json.dumps({
    "set_attributes": cost(lambda: net.set_attributes(parameters)),
    "reset_state": cost(net.reset_state),
}))
"""


class Contestant(NamedTuple):
    """An interpreter, and what is set in its environment."""

    python: str
    settings: dict[str, str]


def measure(contestant: Contestant, code: str, *arguments: int) -> dict[str, float]:
    """Return the figures that one child process gives."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "JAX_PLATFORMS": "cpu"}
    environment["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
    environment.pop("PYTHONPATH", None)
    environment.update(contestant.settings)
    command = [contestant.python, "-P", "-c", code, *map(str, arguments)]
    child = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, preexec_fn=one_core
    )
    if child.returncode:
        raise SystemExit(f"{contestant.python} failed:\n{child.stderr}")
    return json.loads(child.stdout.splitlines()[-1])


def one_core() -> None:
    """Keep this process on one processor, where the system can do that."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def interleaved(
    contestants: dict[str, Contestant], rounds: int, code: str, *arguments: int
) -> dict[str, dict[str, float]]:
    """Return the medians of each contestant over rounds in which each has one turn."""
    results: dict[str, list[dict[str, float]]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, contestant in contestants.items():
            results[name].append(measure(contestant, code, *arguments))
    return {
        name: {key: statistics.median(run[key] for run in runs) for key in runs[0]}
        for name, runs in results.items()
    }


def show(title: str, figures: dict[str, dict[str, float]]) -> None:
    """Print a line for each figure."""
    print(title)
    for key in next(iter(figures.values())):
        line = f"  {key:<16}"
        for name, values in figures.items():
            line += f"   {name} {values[key]:9.3f}"
            if name != "peer" and "peer" in figures:
                line += f" ({figures['peer'][key] / values[key]:6.1f} x)"
        print(line, flush=True)


def main() -> None:
    """Read the command line, measure, and print the figures."""
    parser = argparse.ArgumentParser(description="Measure LIFJax against another release.")
    parser.add_argument("--peer", metavar="PYTHON", help="interpreter with the other release")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each (default: 5)")
    parser.add_argument("--repeat", type=int, default=9, help="repetitions in a turn (default: 9)")
    parser.add_argument("--cold", action="store_true", help="compile the kernels once as well")
    parser.add_argument("--json", metavar="FILE", help="write all figures to a file")
    given = parser.parse_args()
    here = {"PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    contestants = {
        "kernels": Contestant(sys.executable, {**here, "ROCKPOOL_KERNELS": "1"}),
        "scan": Contestant(sys.executable, {**here, "ROCKPOOL_KERNELS": "0"}),
    }
    measure(contestants["kernels"], CHILD, 10, 10, 1, 1)  # now the machine code is on disk
    if given.peer:
        contestants["peer"] = Contestant(given.peer, {})

    everything: dict[str, Any] = {}
    for case in CASES:
        title = "{} neurons, {} time steps, batch {}".format(*case)
        everything[title] = interleaved(contestants, given.rounds, CHILD, *case, given.repeat)
        show(f"{title} (ns; first calls in s)", everything[title])
    title = "changes of a network of eight layers"
    everything[title] = interleaved(contestants, given.rounds, CHANGES)
    show(f"{title} (ms)", everything[title])
    if given.cold:
        with tempfile.TemporaryDirectory() as folder:
            python, settings = contestants["kernels"]
            cold = Contestant(python, {**settings, "NUMBA_CACHE_DIR": folder})
            everything["cold"] = {"kernels": measure(cold, CHILD, 100, 1000, 1, 1)}
        firsts = {key: value for key, value in everything["cold"]["kernels"].items() if " " in key}
        show("no machine code on disk (s)", {"kernels": firsts})
    if given.json:
        Path(given.json).write_text(json.dumps(everything, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
