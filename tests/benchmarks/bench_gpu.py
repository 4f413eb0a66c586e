"""Spiking layers on a GPU: are they right, how long do they take, and how much memory.

    python tests/benchmarks/bench_gpu.py [--sizes 512 1024 ...] [--batch 16] [--steps 500]
        [--minutes 8] [--tune] [--json FILE] [--rehearse]

A bare machine with a CUDA build of torch, Triton, numpy and lazy-loader is enough. What is missing
besides (pytest, jax, other packages) is said, and left out. In this order, as far as the minutes go:

1. the kernels of Triton against the loops of torch on this card, then the tests that are marked
   `gpu` or `triton`;
2. linear weights and LIF neurons (N inputs, N neurons), forward, and forward and backward, by this
   package with its kernels and with its loop, by spikingjelly (each of its back-ends that runs),
   snnTorch, sinabs and EXODUS, and by this package in jax, a `lax.scan`; beside the weights alone;
3. the neurons alone, with their own limit: bytes that have to be moved over the bandwidth of a copy;
4. with `--tune`, other numbers of neurons, warps and steps ahead for the kernels.

Milliseconds are medians, the memory is what torch has had at most beyond what was there before, in
bytes per neuron and time step. spikingjelly's neuron has no synaptic current, and snnTorch's and
ours do. `--rehearse` runs all of it in tiny sizes on the CPU, by Triton's interpreter: a trial of
this script, whose figures mean nothing.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from gpu_contenders import (
    CONTENDERS,
    KERNEL,
    LOOP,
    SETTINGS,
    TAU_MEM,
    TAU_SYN,
    Pair,
    missing,
    ours,
    way,
)

ROOT = Path(__file__).parents[2]
SIZES = (512, 1024, 2048, 4096, 8192, 16384)
RATE = 0.05  # spikes of an input in a step
# bytes of a neuron and time step: input and output; what goes back, its two and the membrane twice
FORWARD, BOTH = 8, 8 + 4 + 16
GOALS = """\
forward and backward at least 20 times as fast as the loop; at least 1.5 times as fast as the best
of the others; from 4096 neurons on within 3 times of the limit; at most 12 bytes kept"""


class Figures(NamedTuple):
    """What one contender takes for one size; None: it does not do that, or was not asked."""

    forward: float | None  # milliseconds
    both: float | None
    kept: float | None  # bytes per neuron and step, between forward and backward
    peak: float | None


class Clock:
    """The time that is left."""

    def __init__(self, minutes: float) -> None:
        self._end = time.monotonic() + 60 * minutes

    def left(self) -> float:
        return self._end - time.monotonic()


class Bench:
    """A device, and how things are measured on it."""

    def __init__(self, options: argparse.Namespace) -> None:
        import torch

        self.torch = torch
        self.options = options
        self.device = "cpu" if options.rehearse else "cuda"
        self.clock = Clock(options.minutes)

    def wait(self) -> None:
        if self.device == "cuda":
            self.torch.cuda.synchronize()

    def milliseconds(self, run: Callable[[], object]) -> float:
        """Return the median time of a call, of at least three."""
        seconds = 0.0 if self.options.rehearse else 1.0
        run()
        self.wait()
        times: list[float] = []
        end = time.perf_counter() + seconds
        while len(times) < 3 or (time.perf_counter() < end and len(times) < 50):
            start = time.perf_counter()
            run()
            self.wait()
            times.append(time.perf_counter() - start)
        return 1e3 * statistics.median(times)

    def data(self, n: int, time_first: bool) -> Any:
        """Return spikes as input, (B, T, N) or (T, B, N)."""
        batch, steps = self.options.batch, self.options.steps
        shape = (steps, batch, n) if time_first else (batch, steps, n)
        self.torch.manual_seed(0)
        return (self.torch.rand(shape, device=self.device) < RATE).float()

    def figures(self, build: Callable[[], Pair], n: int) -> Figures:
        """Measure one contender."""
        torch = self.torch
        pair = build()
        x = self.data(n, pair.time_first).requires_grad_()
        numbers = x.numel()

        def forward() -> None:
            pair.reset()
            with torch.no_grad():
                pair.call(x)

        def both() -> None:
            for tensor in (x, *pair.parameters):
                tensor.grad = None
            pair.reset()
            pair.call(x).sum().backward()

        found = self.milliseconds(forward), self.milliseconds(both)
        if self.device != "cuda":
            return Figures(*found, None, None)
        for tensor in (x, *pair.parameters):
            tensor.grad = None
        pair.reset()
        gc.collect()
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
        start = torch.cuda.memory_allocated()
        output = pair.call(x)
        kept = torch.cuda.memory_allocated() - start
        output.sum().backward()
        peak = torch.cuda.max_memory_allocated() - start
        return Figures(*found, kept / numbers, peak / numbers)

    def bandwidth(self) -> float:
        """Return bytes per second of a copy on the device, read and written."""
        size = 2**16 if self.options.rehearse else 2**28
        source = self.torch.ones(size, device=self.device)
        target = self.torch.empty_like(source)
        return 8e3 * size / self.milliseconds(lambda: target.copy_(source))


# -- what is done --------------------------------------------------------------------------------


def check_kernels(bench: Bench) -> None:
    """Compare kernels with loops on this device; an AssertionError says what differs."""
    torch = bench.torch
    from rockpool.nn.modules.torch import ExpSynTorch, LIFTorch, RateTorch, aLIFTorch

    n = 5 if bench.options.rehearse else 257
    makes: dict[str, Callable[[], Any]] = {
        "LIF": lambda: LIFTorch(n, threshold=0.3),
        "LIF, two synapses": lambda: LIFTorch((2 * n, n), threshold=0.3),
        "LIF, recurrent": lambda: LIFTorch(n, has_rec=True, w_rec=torch.eye(n).roll(1, 0) / 8),
        "aLIF": lambda: aLIFTorch(n, threshold=0.3),
        "ExpSyn": lambda: ExpSynTorch(n),
        "rate": lambda: RateTorch(n),
    }
    for name, make in makes.items():
        found = []
        for wanted in (KERNEL, LOOP):
            torch.manual_seed(0)
            module = make().to(bench.device)
            torch.manual_seed(1)
            steps = 6 if bench.options.rehearse else 100
            x = torch.rand(3, steps, module.size_in, device=bench.device) / 4
            x.requires_grad_()
            with way(wanted):
                output = module(x)[0]
            assert module.last_path == ("triton" if wanted == KERNEL else "loop"), (
                f"{name} went by the {module.last_path}: the logger rockpool.kernels says why"
            )
            (output * torch.linspace(0, 1, n, device=bench.device)).sum().backward()
            parameters = torch.nn.Module.parameters(module)
            found.append((output, x.grad, *(p.grad for p in parameters if p.grad is not None)))
        if name != "ExpSyn" and name != "rate":
            assert torch.equal(found[0][0], found[1][0]), f"{name}: other spikes"
        for ours_, loops in zip(*found, strict=True):
            largest = loops.abs().max()
            assert (ours_ - loops).abs().max() <= 1e-5 * largest, f"{name}: another gradient"
        print(f"  {name}: as the loop")


def run_tests(bench: Bench) -> str:
    """Run the tests of this device in processes of their own; return what they end with."""
    if not find_spec("pytest"):
        return "pytest is not installed: the tests are left out"
    command = [sys.executable, "-m", "pytest", "-q", "--color=no", "-p", "no:cacheprovider"]
    command += ["-o", "addopts=--import-mode=importlib"]
    if bench.options.rehearse:
        return run_some(bench, [*command, *TRITON, "-k", "test_sizes and 1-1-1"])
    several = ["-n", "8"] if find_spec("xdist") else []
    return f"{run_some(bench, [*command, *GPU])}\n{run_some(bench, [*command, *TRITON, *several])}"


FOLDER = "tests/nn/modules/torch"
GPU = ["-m", "gpu", f"{FOLDER}/test_cuda.py"]
TRITON = ["-m", "triton", f"{FOLDER}/triton"]


def run_some(bench: Bench, command: list[str]) -> str:
    limit = max(20.0, min(120.0, bench.clock.left() / 3))
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=limit)
    except subprocess.TimeoutExpired as late:
        lines = (late.stdout or b"").decode().strip().splitlines()
        return "\n".join([f"the tests took longer than {limit:.0f} s; so far:", *lines[-10:]])
    lines = done.stdout.strip().splitlines() or [done.stderr.strip()[-300:]]
    failures = [line for line in lines if line.startswith(("FAILED", "ERROR"))]
    return "\n".join([*failures, lines[-1]])


def measure(bench: Bench, n: int) -> tuple[dict[str, Figures], dict[str, str]]:
    """Return figures of all contenders for one size, and why others have none."""
    found: dict[str, Figures] = {}
    reasons: dict[str, str] = {}
    for name, build in CONTENDERS.items():
        if name in SETTINGS:
            continue
        absent = missing(name)
        if absent:
            reasons[name] = f"{absent} is not installed"
        elif bench.clock.left() < 20 and not bench.options.rehearse:
            reasons[name] = "no time left"
        else:
            try:
                with way(name):
                    found[name] = bench.figures(lambda build=build: build(n, bench.device), n)
            except Exception as error:  # a contender that fails is a line in the table
                reasons[name] = first_line(error)
        gc.collect()
        if bench.device == "cuda":
            bench.torch.cuda.empty_cache()
    return found, reasons


def first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0][:200]


def apart(name: str, bench: Bench, limit: float) -> dict[int, Any]:
    """Return what a contender takes, by size, or a text, from a process of its own."""
    options = bench.options
    command = [sys.executable, __file__, "--child", name, "--sizes", *map(str, options.sizes)]
    command += ["--batch", str(options.batch), "--steps", str(options.steps)]
    command += ["--rehearse"] if options.rehearse else []
    environment = os.environ | SETTINGS[name]
    output = ""
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=limit
        )
        output, failure = done.stdout, done.stderr.strip().splitlines()[-1:]
    except subprocess.TimeoutExpired as late:
        output, failure = (late.stdout or b"").decode(), ["no time left"]
    lines = (json.loads(line) for line in output.splitlines() if line.startswith("{"))
    told = {line.pop("n"): line for line in lines}
    reason = {"reason": (failure or ["nothing was said"])[0]}
    return {n: told.get(n, reason) for n in options.sizes}


def child(options: argparse.Namespace) -> None:
    """Print the figures of one contender, a line of JSON for each size."""
    if options.child == "ours, jax":
        jax_child(options.sizes, options.batch, options.steps)
        return
    bench = Bench(options)
    for n in options.sizes:
        try:
            line = bench.figures(
                lambda n=n: CONTENDERS[options.child](n, bench.device), n
            )._asdict()
        except Exception as error:
            line = {"reason": first_line(error)}
        print(json.dumps({"n": n, **line}), flush=True)


def jax_child(sizes: list[int], batch: int, steps: int) -> None:
    """Print the figures of weights and LIFJax, a line of JSON for each size."""
    import jax
    import jax.numpy as jnp

    from rockpool.nn.combinators import Sequential
    from rockpool.nn.modules.jax import LIFJax, LinearJax

    for n in sizes:
        net = Sequential(LinearJax((n, n)), LIFJax(n, tau_mem=TAU_MEM, tau_syn=TAU_SYN))
        x = (jax.random.uniform(jax.random.PRNGKey(0), (batch, steps, n)) < RATE).astype(
            jnp.float32
        )

        def output(parameters: Any, x: Any, net: Any = net) -> Any:
            return net.set_attributes(parameters)(x)[0]

        runs = (
            jax.jit(output),
            jax.jit(jax.grad(lambda p, x, f=output: f(p, x).sum(), (0, 1))),
        )
        found = []
        for run in runs:
            jax.block_until_ready(run(net.parameters(), x))
            times = []
            for _ in range(5):
                start = time.perf_counter()
                jax.block_until_ready(run(net.parameters(), x))
                times.append(time.perf_counter() - start)
            found.append(1e3 * statistics.median(times))
        device = jax.devices()[0]
        statistics_ = device.memory_stats() or {}
        peak = statistics_.get("peak_bytes_in_use")
        figures = Figures(*found, None, peak and peak / x.size)
        print(json.dumps({"n": n, "device": device.platform, **figures._asdict()}), flush=True)


def tune(bench: Bench, n: int) -> None:
    """Print how long the neurons alone take with other ways to start their kernels."""
    from rockpool.nn.modules.torch._kernels.triton import launching, lif

    chosen = lif.chosen_shape
    print(f"\n{n} neurons alone, ms forward / forward and backward, by neurons, warps and stages")
    for block in (32, 64, 128):
        for warps in (1, 2, 4):
            for stages in (1, 3, 5, 9):
                if bench.clock.left() < 15:
                    print("no time left")
                    return
                shape = launching.Shape(block, warps, stages)
                lif.chosen_shape = lambda *_, shape=shape: shape
                try:
                    figures = bench.figures(lambda: ours(n, bench.device, linear=False), n)
                    said = f"{figures.forward:.3f} / {figures.both:.3f}"
                except Exception as error:
                    said = first_line(error)
                finally:
                    lif.chosen_shape = chosen
                print(f"  {block:4} {warps} {stages}: {said}", flush=True)


# -- what is told --------------------------------------------------------------------------------


def table(title: str, found: dict[int, dict[str, Figures]], names: list[str]) -> None:
    print(f"\n{title}\n")
    print("| neurons | | forward, ms | forward and backward, ms | kept, B | most, B |")
    print("|---|---|---|---|---|---|")
    for n, row in found.items():
        for name in names:
            if name in row:
                cells = ("-" if value is None else f"{value:.3g}" for value in row[name])
                print(f"| {n} | {name} | {' | '.join(cells)} |")


def goals(
    both: dict[int, dict[str, Figures]], alone: dict[int, dict[str, Figures]]
) -> Iterator[str]:
    """Yield a line for each size and goal: the number, and whether it is met."""
    for n, row in both.items():
        kernel = row.get(KERNEL)
        if kernel is None or kernel.both is None:
            yield f"{n}: no figures of the kernel"
            continue
        loop = row.get(LOOP)
        if loop is not None and loop.both is not None:
            yield said(n, "times as fast as the loop", loop.both / kernel.both, least=20)
        others = [
            figures.both
            for name, figures in row.items()
            if not name.startswith(("ours", "weights")) and figures.both is not None
        ]
        if others:
            yield said(n, "times as fast as the best other", min(others) / kernel.both, least=1.5)
        single = alone.get(n, {})
        if KERNEL in single and single[KERNEL].both is not None:
            limit = single["limit"].both
            assert limit is not None
            if n >= 4096:
                yield said(n, "times the limit, alone", single[KERNEL].both / limit, most=3)
            if single[KERNEL].kept is not None:
                yield said(n, "bytes kept, alone", single[KERNEL].kept, most=12)


def said(n: int, what: str, value: float, least: float = 0.0, most: float = 1e99) -> str:
    verdict = "met" if least <= value <= most else "NOT met"
    return f"{n}: {value:.2f} {what}: {verdict}"


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    options = parsed(arguments)
    if options.child:
        child(options)
        return {}
    if options.rehearse:  # before triton is imported
        os.environ |= {"TRITON_INTERPRET": "1", "ROCKPOOL_KERNELS": "triton"}
    for package in ("torch", "triton", "numpy", "lazy_loader"):
        if not find_spec(package):
            raise SystemExit(f"{package} is not installed: nothing can be measured without it")
    bench = Bench(options)
    if not options.rehearse and not bench.torch.cuda.is_available():
        raise SystemExit("torch sees no CUDA device; --rehearse tries this script without one")
    about = surroundings(bench)
    print("\n".join(f"{key}: {value}" for key, value in about.items()))
    if options.rehearse:
        print("a rehearsal on the CPU: no figure below means anything")

    print("\n1. Are the kernels right?")
    check_kernels(bench)
    tests = run_tests(bench)
    print(tests)

    bandwidth = bench.bandwidth()
    print(f"\na copy: {bandwidth / 1e9:.0f} GB/s")
    results: dict[str, Any] = {"about": about, "tests": tests, "bandwidth": bandwidth}
    both: dict[int, dict[str, Figures]] = {}
    alone: dict[int, dict[str, Figures]] = {}
    reasons: dict[str, str] = {}
    for n in options.sizes:
        both[n], left_out = measure(bench, n)
        reasons |= {f"{name}, {n}": reason for name, reason in left_out.items()}
        alone[n] = alone_figures(bench, n, bandwidth, reasons)
        print(f"  {n} neurons: {len(both[n])} contenders, {bench.clock.left():.0f} s left")
    for name in SETTINGS:
        absent = missing(name)
        if absent:
            reasons[name] = f"{absent} is not installed"
            continue
        for n, line in apart(name, bench, max(15.0, bench.clock.left() / 2)).items():
            if "reason" in line:
                reasons[f"{name}, {n}"] = line["reason"]
            else:
                device = line.pop("device", "")
                both[n][f"{name} on {device}" if device else name] = Figures(**line)
    names = list(dict.fromkeys(name for row in both.values() for name in row))
    table("2. Linear weights and LIF neurons", both, names)
    table("3. LIF neurons alone", alone, [KERNEL, LOOP, "limit"])
    print("\nleft out:" + "".join(f"\n  {name}: {why}" for name, why in reasons.items()))
    print(f"\ngoals: {GOALS}")
    results["goals"] = list(goals(both, alone))
    print("\n".join(f"  {line}" for line in results["goals"]))
    if options.tune:
        tune(bench, 4096 if 4096 in options.sizes else options.sizes[0])
    results |= {"both": as_dicts(both), "alone": as_dicts(alone), "left out": reasons}
    if options.json:
        Path(options.json).write_text(json.dumps(results, indent=1))
    return results


def alone_figures(
    bench: Bench, n: int, bandwidth: float, reasons: dict[str, str]
) -> dict[str, Figures]:
    """Return the figures of the neurons alone, and their limit."""
    numbers = bench.options.batch * bench.options.steps * n
    per_byte = 1e3 * numbers / bandwidth
    found = {"limit": Figures(FORWARD * per_byte, BOTH * per_byte, 8.0, None)}
    for name in (KERNEL, LOOP):
        try:
            with way(name):
                found[name] = bench.figures(lambda: ours(n, bench.device, linear=False), n)
        except Exception as error:
            reasons[f"{name}, {n}, alone"] = first_line(error)
    return found


def as_dicts(found: dict[int, dict[str, Figures]]) -> dict[int, dict[str, Any]]:
    return {n: {name: f._asdict() for name, f in row.items()} for n, row in found.items()}


def surroundings(bench: Bench) -> dict[str, str]:
    """Return what is measured on."""
    import triton

    torch = bench.torch
    about = {"date": time.strftime("%Y-%m-%d"), "torch": torch.__version__}
    about["triton"] = triton.__version__
    if bench.device == "cuda":
        card = torch.cuda.get_device_properties(0)
        about["card"] = (
            f"{card.name}, {card.total_memory / 2**30:.0f} GiB, sm_{card.major}{card.minor}"
        )
        about["CUDA"] = str(torch.version.cuda)
    about["Python"] = platform.python_version()
    about["size"] = f"batch {bench.options.batch}, {bench.options.steps} steps"
    return about


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    text = __doc__ or ""
    parser = argparse.ArgumentParser(description=text.partition("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", help="numbers of neurons")
    parser.add_argument("--batch", type=int)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--minutes", type=float, default=8.0, help="to be done in; default: 8")
    parser.add_argument("--tune", action="store_true", help="try other ways to start the kernels")
    parser.add_argument("--json", help="a file for all figures")
    parser.add_argument("--rehearse", action="store_true", help="tiny, on the CPU")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    sizes, batch, steps = ([5], 2, 4) if options.rehearse else (list(SIZES), 16, 500)
    options.sizes = options.sizes or sizes
    options.batch = batch if options.batch is None else options.batch
    options.steps = steps if options.steps is None else options.steps
    for name in ("batch", "steps", "minutes"):
        if getattr(options, name) <= 0:
            parser.error(f"--{name} must be above 0, got {getattr(options, name)}")
    if min(options.sizes) < 1:
        parser.error(f"--sizes must be at least 1, got {min(options.sizes)}")
    return options


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
