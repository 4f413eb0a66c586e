"""What the modules on other simulators cost beside the simulator alone, on the same work.

    python tests/benchmarks/bench_wrappers.py [--neurons N] [--steps T] [--rounds R] [--json]

For Brian 2, NEST and sinabs, the same layer is written twice: as the module of this package, and by
hand against the simulator, the way its own tutorials do it. Both take the input as an array and
give the spikes as an array; building and compiling, what a call has to do of it, is part of the
work, importing the simulator is not. The two run by turns, one thread each, in one process for each
simulator (NEST by hand in that process, as a module in its own), after a first run of each. Medians
of wall time are compared, and the quartiles say what of it is noise.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

TAU_MEM, TAU_SYN, DT = 0.02, 0.01, 1e-3
LIMIT = 1.2

Run = Callable[[], np.ndarray]


def spikes_in(n_neurons: int, n_steps: int) -> np.ndarray:
    """Return sparse input (T, N), too weak for two spikes in one time step."""
    rng = np.random.default_rng(0)
    return (rng.random((n_steps, n_neurons)) < 0.05) * 0.125


def brian(x: np.ndarray) -> dict[str, tuple[Run, Run]]:
    """Return the module's run and the one by hand."""
    from rockpool.nn.modules import LIFBrian
    from rockpool.nn.modules.brian.simulation import brian2 as b

    warnings.simplefilter("ignore")
    b.prefs.codegen.target = "numpy"
    n_steps, n = x.shape

    def by_hand() -> np.ndarray:
        arriving = b.TimedArray(x, dt=DT * b.second)
        group = b.NeuronGroup(
            n,
            """vmem : 1
            isyn : 1
            spikes : 1
            alpha : 1 (constant)
            beta : 1 (constant)
            threshold : 1 (constant)""",
            threshold="spikes > 0",
            reset="",
            dt=DT * b.second,
            namespace={"arriving": arriving},
        )
        group.alpha, group.beta = np.exp(-DT / TAU_MEM), np.exp(-DT / TAU_SYN)
        group.threshold = 1.0
        group.run_regularly(
            """isyn = (isyn + arriving(t, i)) * beta
            vmem = vmem * alpha + isyn
            spikes = clip(floor(vmem / threshold), 0, 65536)
            vmem -= spikes * threshold""",
            dt=DT * b.second,
        )
        monitor = b.SpikeMonitor(group, variables=["spikes"])
        b.Network(group, monitor).run(n_steps * DT * b.second)
        output = np.zeros(x.shape)
        output[np.rint(monitor.t_ / DT).astype(int), np.asarray(monitor.i)] = monitor.spikes_
        return output

    def module() -> np.ndarray:
        return LIFBrian(n, tau_mem=TAU_MEM, tau_syn=TAU_SYN)(x)[0][0]

    return {"LIFBrian": (module, by_hand)}


def nest(x: np.ndarray) -> dict[str, tuple[Run, Run]]:
    """Return the module's run and the one by hand."""
    os.environ["PYNEST_QUIET"] = "1"
    import nest as kernel

    from rockpool.nn.modules import LIFNest
    from rockpool.nn.modules.nest.recipe import TOLERANCE

    kernel.verbosity = kernel.VerbosityLevel.ERROR
    n_steps, n = x.shape
    tau_m, tau_s = TAU_MEM / DT, TAU_SYN / DT
    alpha, beta = np.exp(-1 / tau_m), np.exp(-1 / tau_s)
    weight = beta / (tau_m * tau_s / (tau_m - tau_s) * (alpha - beta))

    def by_hand() -> np.ndarray:
        kernel.ResetKernel()
        kernel.resolution = 1.0
        neurons = kernel.Create(
            "gif_psc_exp_multisynapse",
            n,
            {
                "C_m": 1.0,
                "g_L": 1 / tau_m,
                "E_L": 0.0,
                "V_m": 0.0,
                "V_T_star": 1.0 - TOLERANCE,
                "Delta_V": 1e-18,
                "lambda_0": 1e6,
                "t_ref": 0.0,
                "q_sfa": [alpha],
                "tau_sfa": [tau_m],
                "tau_syn": [tau_s],
            },
        )
        generators = kernel.Create("spike_generator", n)
        steps = [np.flatnonzero(column) for column in x.T]
        generators.set(
            [{"spike_times": 1.0 + steps[k], "spike_weights": x[steps[k], k]} for k in range(n)]
        )
        synapse = {"weight": weight, "delay": 1.0, "receptor_type": 1}
        kernel.Connect(generators, neurons, "one_to_one", synapse)
        recorder = kernel.Create("spike_recorder")
        kernel.Connect(neurons, recorder)
        kernel.Simulate(n_steps + 2.0)
        output = np.zeros(x.shape)
        times = np.asarray(recorder.events["times"]).astype(int) - 3
        output[times, np.asarray(recorder.events["senders"]) - neurons[0].global_id] = 1.0
        return output

    def module() -> np.ndarray:
        return LIFNest(n, tau_mem=TAU_MEM, tau_syn=TAU_SYN)(x)[0][0]

    return {"LIFNest": (module, by_hand)}


def sinabs(x: np.ndarray) -> dict[str, tuple[Run, Run]]:
    """Return the module's runs and those by hand: forward, and with the gradients of all."""
    import torch
    from sinabs.activation import MembraneSubtract, MultiSpike, SingleExponential
    from sinabs.layers import LIF, ExpLeak

    from rockpool.nn.modules import LIFSinabs

    torch.set_num_threads(1)
    n = x.shape[1]
    data = torch.as_tensor(x[np.newaxis], dtype=torch.float32)

    def layer(synapses: bool = True) -> LIF:
        return LIF(
            tau_mem=torch.full((n,), TAU_MEM / DT),
            tau_syn=torch.full((n,), TAU_SYN / DT) if synapses else None,
            spike_threshold=torch.ones(n),
            spike_fn=MultiSpike,
            reset_fn=MembraneSubtract(),
            surrogate_grad_fn=SingleExponential(),
            norm_input=False,
        )

    def layer_with_bias() -> Callable[[Any], Any]:
        synapses, neurons = ExpLeak(torch.full((n,), TAU_SYN / DT)), layer(synapses=False)
        bias = torch.zeros(n, requires_grad=True)
        return lambda x: neurons(synapses(x) * torch.exp(-1.0 / synapses.tau_mem) + bias)

    def module(has_bias: bool = False) -> LIFSinabs:
        taus = {"tau_mem": [TAU_MEM] * n, "tau_syn": [TAU_SYN] * n}
        return LIFSinabs(n, threshold=[1.0] * n, has_bias=has_bias, bias=[0.0] * n, **taus)

    def forward(build: Callable[[], Any]) -> Run:
        def run() -> np.ndarray:
            with torch.no_grad():
                result = build()(data)
            return (result[0] if isinstance(result, tuple) else result)[0].numpy()

        return run

    def both(build: Callable[[], Any]) -> Run:
        def run() -> np.ndarray:
            given = data.clone().requires_grad_()
            result = build()(given)
            output = result[0] if isinstance(result, tuple) else result
            output.sum().backward()
            return output[0].detach().numpy()

        return run

    return {
        "LIFSinabs, forward": (forward(module), forward(layer)),
        "LIFSinabs, forward and backward": (both(module), both(layer)),
        "LIFSinabs with bias, forward": (
            forward(lambda: module(has_bias=True)),
            forward(layer_with_bias),
        ),
    }


SIMULATORS = {"brian": brian, "nest": nest, "sinabs": sinabs}


def compare(pair: tuple[Run, Run], rounds: int) -> dict[str, Any]:
    """Run both by turns; return their times, and how many spikes are different."""
    outputs = [run() for run in pair]
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(rounds):
        for which in (0, 1) if number % 2 else (1, 0):
            began = time.perf_counter()
            pair[which]()
            times[which].append(time.perf_counter() - began)
    return {
        "module": times[0],
        "by hand": times[1],
        "spikes": float(outputs[0].sum()),
        "different": int(np.count_nonzero(outputs[0] != outputs[1])),
    }


def measure(name: str, arguments: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """Return the results for one simulator, from a process of its own."""
    sizes = [str(getattr(arguments, key)) for key in ("neurons", "steps", "rounds")]
    command = [sys.executable, __file__, "--child", name]
    for key, value in zip(("neurons", "steps", "rounds"), sizes, strict=True):
        command += [f"--{key}", value]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    environment["PYTHONPATH"] = str(Path(__file__).parents[2])
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{name}: exit code {done.returncode}\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def spread(times: list[float]) -> str:
    """Return median and quartiles in milliseconds."""
    low, middle, high = statistics.quantiles(times, n=4, method="inclusive")
    return f"{1e3 * middle:8.1f} ms  ({1e3 * low:.1f} to {1e3 * high:.1f})"


def main() -> int:
    """Print the table; the exit code is 1 where a module costs more than it may."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--neurons", type=int, default=1000)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", action="store_true", help="print all times")
    parser.add_argument("--child", choices=SIMULATORS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        x = spikes_in(arguments.neurons, arguments.steps)
        pairs = SIMULATORS[arguments.child](x)
        print(json.dumps({k: compare(pair, arguments.rounds) for k, pair in pairs.items()}))
        return 0

    results = {k: v for name in SIMULATORS for k, v in measure(name, arguments).items()}
    if arguments.json:
        print(json.dumps(results, indent=2))
        return 0
    print(f"{arguments.neurons} neurons, {arguments.steps} time steps, {arguments.rounds} rounds\n")
    ratios = []
    for name, result in results.items():
        ratio = statistics.median(result["module"]) / statistics.median(result["by hand"])
        ratios.append(ratio)
        print(f"{name}\n  module   {spread(result['module'])}")
        print(f"  by hand  {spread(result['by hand'])}")
        print(
            f"  ratio    {ratio:.2f}   {result['different']} of {result['spikes']:.0f} spikes differ"
        )
    return int(max(ratios) > LIMIT)


if __name__ == "__main__":
    raise SystemExit(main())
