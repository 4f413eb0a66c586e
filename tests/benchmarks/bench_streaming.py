"""What a single time step costs: a network of 16-64-64-10 neurons, called for one step at a time.

    python tests/benchmarks/bench_streaming.py [--snntorch PYTHON] [--rounds R] [--steps N]
        [--latencies N] [--cc COMMAND] [--json FILE]

The same network, of linear weights and LIF neurons in single precision, with the same spikes as
input: as a stream of each engine, as C (exported, and compiled with -O2), as the modules of this
package, which get one step at a time and keep their state, as numpy written by hand, and as
snnTorch in the interpreter that is named. CPU microseconds per step on one thread; in each round
every contender has one turn, in a process of its own, and medians over the rounds are told, with
their quartiles.

Besides, for streams: how long single steps take, among 10^5 of them, with the collection of garbage
on and off, by the clock of the CPU, and by that on the wall, which counts what other processes do
(`sum` adds up 250 numbers in place of a step: what it shows is the noise of the machine); and what input costs of which 1 % is not 0, beside dense input, with 1024 inputs and 1024 neurons.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise, product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

SIZES = (16, 64, 64, 10)
TAU_MEM, TAU_SYN, DT, RATE = 0.02, 0.01, 1e-3, 0.2
WIDE, FEW = 1024, 0.01
MACHINE = "sum"  # in place of an engine: adding up 250 numbers, to see what the machine does
CLOCKS = {"CPU": "thread_time_ns", "wall": "perf_counter_ns"}

Steps = Callable[[], object]  # goes through all inputs once, one step at a time


class Goal(NamedTuple):
    """What is wanted: a name in the results, and the largest number that it may have."""

    name: str
    most: float


GOALS = (
    Goal("stream, numba", 6.0),
    Goal("stream, numpy", 25.0),
    Goal("C", 2.0),
    Goal("numba / snnTorch", 1 / 80),
    Goal("numba / LIFNumba", 1 / 20),
    Goal("numpy / snnTorch", 1 / 20),
    Goal("numpy / LIF (numpy)", 1 / 8),
    Goal("latency numba, CPU, gc on", 4.0),
    Goal("latency numba, CPU, gc off", 4.0),
    Goal("latency numpy, CPU, gc on", 4.0),
    Goal("latency numpy, CPU, gc off", 4.0),
    Goal("sparse numba, step", 0.15),
    Goal("sparse numba, events", 0.15),
    Goal("sparse numpy, step", 0.15),
    Goal("sparse numpy, events", 0.15),
)


def matrices() -> list[np.ndarray]:
    """Weights with which a part of the neurons of each layer fires in a step."""
    rng = np.random.default_rng(0)
    pairs = pairwise(SIZES)
    return [rng.normal(size=pair) * 0.4 / np.sqrt(pair[0]) for pair in pairs]


def inputs(n_steps: int) -> np.ndarray:
    """Spikes (T, 16)."""
    rng = np.random.default_rng(1)
    return (rng.random((n_steps, SIZES[0])) < RATE).astype(np.float32)


def network() -> Any:
    """Return the network in numpy."""
    from rockpool.nn.combinators import Sequential
    from rockpool.nn.modules import LIF, Linear

    layers: list[Any] = []
    for weight in matrices():
        layers.append(Linear(weight.shape, weight=weight, dtype="float32"))
        layers.append(LIF(weight.shape[1], tau_mem=TAU_MEM, tau_syn=TAU_SYN, dtype="float32"))
    return Sequential(*layers)


# --- contenders ------------------------------------------------------------------------------------


def streamed(engine: str) -> Callable[[np.ndarray], Steps]:
    def build(x: np.ndarray) -> Steps:
        running, steps = network().stream(engine=engine), list(x)

        def run() -> None:
            for step in steps:
                running.step(step)

        return run

    return build


def modules(backend: str) -> Callable[[np.ndarray], Steps]:
    """Return the modules of a back-end, called for each step."""

    def build(x: np.ndarray) -> Steps:
        import rockpool

        net = rockpool.convert(network(), backend, dtype="float32")
        steps: list[Any] = [step[np.newaxis, np.newaxis] for step in x]
        if backend != "torch":
            return lambda: [net(step) for step in steps]
        import torch

        steps = [torch.as_tensor(step) for step in steps]

        def run() -> None:
            with torch.no_grad():
                for step in steps:
                    net(step)

        return run

    return build


def by_hand(x: np.ndarray) -> Steps:
    """Return numpy as one would write it for this network alone."""
    weights = [weight.astype(np.float32) for weight in matrices()]
    alpha, beta = (np.float32(np.exp(-DT / tau)) for tau in (TAU_MEM, TAU_SYN))
    states = [np.zeros((2, weight.shape[1]), np.float32) for weight in weights]

    def run() -> None:
        for step in x:
            for weight, (v, i) in zip(weights, states, strict=True):
                i += step @ weight
                i *= beta
                v *= alpha
                v += i
                step = np.maximum(np.floor(v), 0)
                v -= step

    return run


def snntorch(x: np.ndarray) -> Steps:
    """Return snnTorch's neurons with torch's linear layers, as its tutorials put them together."""
    import snntorch as snn
    import torch

    alpha, beta = (float(np.exp(-DT / tau)) for tau in (TAU_SYN, TAU_MEM))
    layers = []
    for weight in matrices():
        linear = torch.nn.Linear(*weight.shape, bias=False)
        linear.weight = torch.nn.Parameter(torch.as_tensor(weight.T, dtype=torch.float32))
        layers.append((linear, snn.Synaptic(alpha=alpha, beta=beta)))
    steps = torch.as_tensor(x)

    def run() -> None:
        with torch.no_grad():
            states = [neurons.reset_mem() for _, neurons in layers]
            for step in steps:
                for number, (linear, neurons) in enumerate(layers):
                    step, *states[number] = neurons(linear(step), *states[number])

    return run


LOOP = """
#include "net.h"
static net_state state;
void run(const float *x, int n)
{
    float out[NET_OUTPUTS];
    int t;
    for (t = 0; t < n; t++)
        net_step(&state, x + (long)t * NET_INPUTS, out);
}
"""


def exported(x: np.ndarray) -> Steps:
    """Return the network as C, compiled."""
    from rockpool.streaming import export_c

    folder = tempfile.mkdtemp()
    try:
        export_c(network(), folder)
        Path(folder, "loop.c").write_text(LOOP)
        flags = "-O2 -std=c99 -ffp-contract=off -fPIC -shared net.c loop.c -o net.so -lm".split()
        subprocess.run([os.environ["BENCH_CC"], *flags], cwd=folder, check=True)
        library = ctypes.CDLL(str(Path(folder, "net.so")))
    finally:
        shutil.rmtree(folder)
    return lambda: library.run(ctypes.c_void_p(x.ctypes.data), len(x))


CONTENDERS: dict[str, Callable[[np.ndarray], Steps]] = {
    "stream, numba": streamed("numba"),
    "stream, numpy": streamed("numpy"),
    "C": exported,
    "numpy by hand": by_hand,
    "LIF (numpy)": modules("numpy"),
    "LIFNumba": modules("numba"),
    "LIFTorch": modules("torch"),
    "snnTorch": snntorch,
}


def cost(name: str, n_steps: int) -> float:
    """Return the CPU microseconds that a step of a contender takes."""
    run = CONTENDERS[name](inputs(n_steps))
    run()
    times: list[float] = []
    while len(times) < 3 or sum(times) < 0.3:
        began = time.process_time()
        run()
        times.append(time.process_time() - began)
    return statistics.median(times) / n_steps * 1e6


# --- single steps, and sparse input ------------------------------------------------------------------


def latencies(engine: str, clock_name: str, collecting: bool, n_steps: int) -> dict[str, float]:
    """Return the median of single steps in microseconds, and a high percentile and the longest."""
    steps: list[Any] = list(inputs(1000))
    if engine == MACHINE:
        step_by_step, steps = sum, [range(250)] * 1000
    else:
        step_by_step = network().stream(engine=engine).step
    clock, took = getattr(time, CLOCKS[clock_name]), np.empty(n_steps)
    if not collecting:
        gc.disable()
    for number in range(-1000, n_steps):
        step = steps[number % 1000]
        began = clock()
        step_by_step(step)
        took[number % n_steps] = clock() - began
    gc.enable()
    median, high = np.percentile(took, [50, 99.9]) / 1000
    return {"median": median, "99.9 %": high, "longest": took.max() / 1000}


def sparse(engine: str) -> dict[str, float]:
    """Return what a step costs on dense input, and on input that is nearly all 0, in microseconds."""
    from rockpool.nn.combinators import Sequential
    from rockpool.nn.modules import LIF, Linear

    rng = np.random.default_rng(2)
    weight = rng.normal(size=(WIDE, WIDE)) / 100
    net = Sequential(
        Linear((WIDE, WIDE), weight=weight, dtype="float32"), LIF(WIDE, dtype="float32")
    )
    running = net.stream(engine=engine)
    dense = rng.random((50, WIDE)).astype(np.float32)
    few = (rng.random((50, WIDE)) < FEW).astype(np.float32)
    times, channels = few.nonzero()

    def through(x: np.ndarray) -> Steps:
        steps = list(x)
        return lambda: [running.step(step) for step in steps]

    found = {}
    runs = {"dense": through(dense), "step": through(few)}
    for name, run in {**runs, "events": lambda: running.events(times, channels, 50)}.items():
        took = []
        for _ in range(20):
            began = time.process_time()
            run()
            took.append(time.process_time() - began)
        found[name] = statistics.median(took) / 50 * 1e6
    return found


# --- all of it -------------------------------------------------------------------------------------


def child(what: str, *arguments: Any, python: str = sys.executable, cc: str = "cc") -> Any:
    """Return what a function of this file returns, in a process of its own on one processor."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "BENCH_CC": cc}
    environment["OPENBLAS_NUM_THREADS"] = "1"
    if python == sys.executable:
        environment["PYTHONPATH"] = str(Path(__file__).parents[2])
    command = [python, __file__, "--child", json.dumps([what, *arguments])]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{what} {arguments}: exit code {done.returncode}\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def answer(what: str, *arguments: Any) -> None:
    """Print what a function of this file returns; for `child`."""
    if hasattr(os, "sched_setaffinity"):  # on one processor, whatever threads are started
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    functions: dict[str, Callable[..., Any]] = {
        "cost": cost, "latencies": latencies, "sparse": sparse
    }  # fmt: skip
    print(json.dumps(functions[what](*arguments)))


def quartiles(values: list[float]) -> list[float]:
    """Return lower quartile, median and upper quartile."""
    return statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else values * 3


def costs(options: argparse.Namespace) -> dict[str, list[float]]:
    """Return the quartiles of each contender's costs."""
    names = [name for name in CONTENDERS if name != "snnTorch" or options.snntorch]
    names = [name for name in names if name != "C" or options.cc]
    found: dict[str, list[float]] = {name: [] for name in names}
    for number in range(options.rounds):
        for name in names if number % 2 else reversed(names):
            python = options.snntorch if name == "snnTorch" else sys.executable
            found[name].append(child("cost", name, options.steps, python=python, cc=options.cc))
    return {name: quartiles(values) for name, values in found.items()}


def main(argv: list[str] | None = None) -> dict[str, Any]:
    """Print the tables, and return what was measured."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--snntorch", metavar="PYTHON", help="an interpreter that has snnTorch")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--latencies", type=int, default=100_000)
    parser.add_argument("--cc", default=shutil.which("cc") or "", help="the C compiler; '': none")
    parser.add_argument("--json", metavar="FILE", help="write all figures into this file")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.child:
        answer(*json.loads(options.child))
        return {}
    if options.rounds < 1:
        parser.error(f"--rounds must be at least 1, got {options.rounds}")

    results: dict[str, Any] = {"cost": costs(options), "latency": {}, "sparse": {}}
    figures = {name: middle for name, (_, middle, _) in results["cost"].items()}
    for engine, other in product(("numba", "numpy"), ("snnTorch", "LIFNumba", "LIF (numpy)")):
        if other in figures:
            figures[f"{engine} / {other}"] = figures[f"stream, {engine}"] / figures[other]
    print(f"{'us per step':<24}{'median':>9}  quartiles")
    for name, (low, middle, high) in results["cost"].items():
        print(f"{name:<24}{middle:9.2f}  {low:.2f} to {high:.2f}")
    print(f"\n{'single steps, us':<24}{'median':>9}{'99.9 %':>9}{'longest':>9}   ratio")
    for engine, clock, collecting in product(("numba", "numpy", MACHINE), CLOCKS, (True, False)):
        name = f"{engine}, {clock}, gc {'on' if collecting else 'off'}"
        found = child("latencies", engine, clock, collecting, options.latencies)
        results["latency"][name] = found
        figures[f"latency {name}"] = found["99.9 %"] / found["median"]
        shown = "".join(f"{value:9.2f}" for value in found.values())
        print(f"{name:<24}{shown}{figures[f'latency {name}']:8.2f}")
    print(f"\n{f'{WIDE}-{WIDE}, us per step':<24}{'dense':>9}{'1 %':>9}{'events':>9}   ratios")
    for engine in ("numba", "numpy"):
        found = results["sparse"][engine] = child("sparse", engine)
        ratios = {name: found[name] / found["dense"] for name in ("step", "events")}
        figures |= {f"sparse {engine}, {name}": ratio for name, ratio in ratios.items()}
        shown = "".join(f"{value:9.1f}" for value in found.values())
        print(f"{engine:<24}{shown}   {ratios['step']:.3f} {ratios['events']:.3f}")
    print()
    for goal in GOALS:
        if goal.name in figures:
            word = "reached" if figures[goal.name] <= goal.most else "NOT REACHED"
            print(f"{goal.name:<28}{figures[goal.name]:9.3g} of at most {goal.most:.3g}: {word}")
    if options.json:
        Path(options.json).write_text(json.dumps(results, indent=2) + "\n")
    return results


if __name__ == "__main__":
    main()
