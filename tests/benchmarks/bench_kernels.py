"""How fast the modules are: against another release, other packages, and the same loops in C.

    python tests/benchmarks/bench_kernels.py [--upstream PYTHON] [--snntorch PYTHON]
        [--norse PYTHON] [--sinabs PYTHON] [--cc COMMAND] [--rounds R] [--json FILE] [--plot FILE]

Each PYTHON is an interpreter that has that package; what is not named is left out (sinabs and a C
compiler are looked for). CPU nanoseconds per neuron and time step, on one thread: forward / forward
and backward. In each round every contender has one turn, in a process of its own, and the medians
over the rounds are compared. C runs twice in each round: by how much the second differs from the
first, and how far the rounds lie apart, is the noise of the machine, and is printed. A figure with
a ``~`` had rounds of which the middle half lay more than 20 % apart.

``--json tests/benchmarks/results.json`` keeps what was measured; the table of the README and the
page on speed are made of that file, by ``python docs/_make/pages.py``.

`contenders.py` has the code of each contender; it is the same for both releases of this package.
With ``ROCKPOOL_KERNELS=0`` in the environment this package goes without kernels throughout.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).resolve().parent
CASES = ((100, 1000, 1), (100, 100, 64), (1000, 1000, 1), (512, 250, 32))  # neurons, steps, batch
LONG = ((100, 1000, 4), (100, 10_000, 4))
FORWARD, BOTH = 0, 1
FLAGS = ("-O3", "-march=native", "-ffast-math", "-shared", "-fPIC")
NOISY = 0.2
SECONDS = 0.3  # of each measurement within one process


class Contender(NamedTuple):
    """One line of the table."""

    label: str
    name: str  # in `contenders.py`
    python: str
    environment: dict[str, str]
    cases: tuple[tuple[int, int, int], ...] = CASES


class Ratio(NamedTuple):
    """What is wanted: one contender over another, at least so much in each size."""

    slow: str
    fast: str
    part: int
    wanted: tuple[float, float, float, float]


OURS, THEIRS = "this package: ", "upstream: "
RATIOS = (
    Ratio(f"{THEIRS}LIFTorch", f"{OURS}LIFTorch", FORWARD, (300, 40, 200, 40)),
    Ratio(f"{THEIRS}LIFTorch", f"{OURS}LIFTorch", BOTH, (400, 50, 400, 100)),
    Ratio(f"{THEIRS}LIFTorch recurrent", f"{OURS}LIFTorch recurrent", BOTH, (20, 6, 20, 6)),
    Ratio(f"{THEIRS}LIFJax", f"{OURS}LIFJax", FORWARD, (15, 15, 15, 15)),
    Ratio(f"{THEIRS}LIFJax", f"{OURS}LIFJax", BOTH, (10, 10, 10, 10)),
    Ratio(f"{THEIRS}LIF", f"{OURS}LIFNumba", FORWARD, (200, 200, 200, 200)),
    Ratio(f"{THEIRS}ExpSyn", f"{OURS}ExpSynNumba", FORWARD, (100, 100, 100, 100)),
    *(
        Ratio(f"{THEIRS}{slow}, double", f"{OURS}{fast}, double", FORWARD, (wanted,) * 4)
        for slow, fast, wanted in (("LIF", "LIFNumba", 200), ("ExpSyn", "ExpSynNumba", 100))
    ),
    Ratio(f"{THEIRS}ExpSynTorch", f"{OURS}ExpSynTorch", BOTH, (20, 20, 20, 20)),
)


def contenders(options: argparse.Namespace, libraries: dict[str, str]) -> list[Contender]:
    """Return who takes part."""
    root = str(HERE.parents[1])
    here = {"PYTHONPATH": os.pathsep.join([root, os.environ.get("PYTHONPATH", "")])}
    loops = {**here, "ROCKPOOL_KERNELS": "0"}
    names = ["LIF", "LIFNumba", "ExpSynNumba", "LIFTorch", "LIFTorch recurrent", "ExpSynTorch"]
    names += ["LIFNumba, double", "ExpSynNumba, double", "LIFJax"]  # double: so is the input
    names += ["LIFNumba, single"]  # so is the layer, which is in double precision by default
    found = [Contender(OURS + name, name, sys.executable, here) for name in names]
    for name, label in (("LIFTorch", "LIFTorch, loop in torch"), ("LIFJax", "LIFJax, lax.scan")):
        found.append(Contender(OURS + label, name, sys.executable, loops))
    found.append(Contender(f"{OURS}LIFTorch, long", "LIFTorch", sys.executable, here, LONG))
    if options.upstream:
        names = ["LIF", "ExpSyn", "LIFTorch", "LIFTorch recurrent", "ExpSynTorch", "LIFJax"]
        names += ["LIF, double", "ExpSyn, double"]
        found += [Contender(THEIRS + name, name, options.upstream, {}) for name in names]
    for name, python in (
        ("sinabs LIF", options.sinabs),
        ("snnTorch Synaptic", options.snntorch),
        ("Norse LIF", options.norse),
    ):
        if python:
            found.append(Contender(name, name, python, {}))
    if libraries:
        labels = {"C": "C", "C, again": "C", "C, double": "C, double"}
        found += [Contender(label, name, sys.executable, {}) for label, name in labels.items()]
    return found


def measure(contender: Contender, libraries: dict[str, str]) -> list[list[float | None]]:
    """Return nanoseconds per neuron and step, for each size, from one process."""
    threads = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    environment = {
        k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "OMP_NUM_THREADS")
    }
    child = subprocess.run(
        [
            *(contender.python, "-P", str(HERE / "contenders.py"), contender.name),
            *(json.dumps(contender.cases), str(SECONDS)),
            *([libraries[contender.name]] if contender.name in libraries else []),
        ],
        env={**environment, **threads, **contender.environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if child.returncode:
        raise SystemExit(f"{contender.label} ({contender.python}) failed:\n{child.stderr}")
    found: list[list[float | None]] = json.loads(child.stdout.splitlines()[-1])
    return found


def summary(rounds: list[list[list[float | None]]]) -> list[list[dict[str, float] | None]]:
    """Return, for each size and part, the median over rounds, and how far they lie apart."""

    def one(values: list[float | None]) -> dict[str, float] | None:
        known = sorted(value for value in values if value is not None)
        if not known:
            return None
        middle = statistics.median(known)
        low, high = known[len(known) // 4], known[-1 - len(known) // 4]
        spread = (high - low) / middle
        return {"median": middle, "noisy": spread > NOISY, "spread": spread, "best": known[0]}

    n_cases = len(rounds[0])
    return [[one([r[case][part] for r in rounds]) for part in (0, 1)] for case in range(n_cases)]


Results = dict[str, list[list[dict[str, float] | None]]]


def cell(found: list[dict[str, float] | None]) -> str:
    """Return one cell of the table: forward / forward and backward."""
    texts = []
    for value in found:
        if value is not None:
            mark = "~" if value["noisy"] else ""
            texts.append(f"{mark}{value['median']:.3g}")
    return " / ".join(texts)


def ratios(results: Results) -> list[dict[str, Any]]:
    """Return what of the wanted ratios was reached."""
    found = []
    for wanted in RATIOS:
        if wanted.slow in results and wanted.fast in results:
            values = []
            for case in range(len(CASES)):
                slow = results[wanted.slow][case][wanted.part]
                fast = results[wanted.fast][case][wanted.part]
                assert slow is not None and fast is not None
                values.append(slow["median"] / fast["median"])
            found.append({**wanted._asdict(), "ratios": values})
    return found


def report(results: Results) -> list[dict[str, Any]]:
    """Print the tables; return the ratios."""
    titles = [", ".join(map(str, case)) for case in CASES]
    print(f"{'ns, neurons, steps, batch:':<40}" + "".join(f"{title:>20}" for title in titles))
    for label, found in results.items():
        if not label.endswith("long"):
            print(f"{label:<40}" + "".join(f"{cell(case):>20}" for case in found))
    lines = ratios(results)
    if lines:
        print(f"\n{'times faster (wanted):':<40}" + "".join(f"{title:>20}" for title in titles))
    for line in lines:
        part = "forward" if line["part"] == FORWARD else "forward + backward"
        texts = [
            f"{ratio:.3g}x ({wanted:g}x)"
            for ratio, wanted in zip(line["ratios"], line["wanted"], strict=True)
        ]
        label = f"{line['fast'].removeprefix(OURS)}, {part}"
        print(f"{label:<40}" + "".join(f"{text:>20}" for text in texts))
    short, long = results[f"{OURS}LIFTorch, long"]
    for part, name in ((FORWARD, "forward"), (BOTH, "forward + backward")):
        one, other = short[part], long[part]
        assert one is not None and other is not None
        ratio = other["median"] / one["median"]
        print(f"LIFTorch, {name}: a step of {LONG[1][1]} costs {ratio:.2f}x one of {LONG[0][1]}")
    for name, apart in noise(results).items():
        print(f"noise: C against itself, {name}: up to {apart:.0%}")
    return lines


def noise(results: Results) -> dict[str, float]:
    """Return by how much C differed from itself, at most, where C has run."""
    found = {}
    for part, name in ((FORWARD, "forward"), (BOTH, "forward + backward")):
        pairs = zip(results.get("C", []), results.get("C, again", []), strict=True)
        apart = [abs(b[part]["median"] / a[part]["median"] - 1) for a, b in pairs]  # type: ignore[index]
        if apart:
            found[name] = max(apart)
    return found


def versions(options: argparse.Namespace) -> dict[str, str]:
    """Return the version of everybody who takes part, by the name that tables show."""
    found = {"Python": platform.python_version()}
    asked = {name: (sys.executable, name) for name in ("torch", "jax", "numba")}
    asked["sinabs"] = (options.sinabs, "sinabs")
    asked["snnTorch"] = (options.snntorch, "snntorch")
    asked["Norse"] = (options.norse, "norse")
    asked["Rockpool"] = (options.upstream, "rockpool")
    for name, (python, package) in asked.items():
        if python:
            program = f"from importlib.metadata import version; print(version({package!r}))"
            said = subprocess.run([python, "-c", program], capture_output=True, text=True)
            found[name] = said.stdout.strip() or "of unknown version"
    return found


def machine() -> str:
    """Return what the machine is, in words."""
    processor = platform.machine()
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        named = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
        processor = named[0] if named else processor
    return f"{processor}, {os.cpu_count()} cores, {platform.system()}"


def draw(results: Results, file: Path) -> None:
    """Draw forward + backward, or forward where there is no more, of all contenders."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    shown = {k: v for k, v in results.items() if not k.endswith(("long", "again"))}
    order = sorted(
        shown, key=lambda label: -(shown[label][0][BOTH] or shown[label][0][FORWARD])["median"]
    )  # type: ignore[index]
    figure, axes = plt.subplots(1, len(CASES), figsize=(15, 0.32 * len(order) + 1.4), sharey=True)
    for k, (case, axis) in enumerate(zip(CASES, axes, strict=True)):
        for part, colour in ((BOTH, "#c0562f"), (FORWARD, "#2f6f8f")):
            values = [found["median"] if (found := shown[label][k][part]) else 0 for label in order]
            axis.barh(order, values, color=colour, label=("forward", "forward + backward")[part])
        axis.set_xscale("log")
        axis.set_xlim(0.1, 3e4)
        axis.set_title("{} neurons, {} steps, batch {}".format(*case), fontsize=9)
        axis.set_xlabel("ns per neuron and step")
        axis.grid(axis="x", alpha=0.3)
    axes[0].legend(fontsize=8, loc="upper right")
    figure.tight_layout()
    figure.savefig(file, dpi=110)


def show_progress(text: str) -> None:
    """Show what goes on, on a terminal."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    """Measure, print the tables, and return the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    for name in ("upstream", "snntorch", "norse"):
        parser.add_argument(f"--{name}", metavar="PYTHON", help=f"interpreter that has {name}")
    parser.add_argument(
        *("--sinabs", "-s"),
        metavar="PYTHON",
        default=sys.executable if find_spec("sinabs") else None,
        help="interpreter that has sinabs (default: this one, if it has)",
    )
    parser.add_argument("--cc", default=shutil.which("cc"), help="C compiler (default: cc)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to this file")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw them into this file")
    options = parser.parse_args(arguments)
    if options.rounds < 1:
        parser.error(f"--rounds must be at least 1, got {options.rounds}")

    with tempfile.TemporaryDirectory() as folder:
        libraries = {}
        for name, real in (("C", "float"), ("C, double", "double")) if options.cc else ():
            libraries[name] = str(Path(folder, f"lif_{real}.so"))
            command = [options.cc, *FLAGS, f"-DREAL={real}", "-o", libraries[name]]
            subprocess.run([*command, str(HERE / "lif.c"), "-lm"], check=True)
        taking_part = contenders(options, libraries)
        rounds: dict[str, list[Any]] = {contender.label: [] for contender in taking_part}
        for number in range(options.rounds):
            for contender in taking_part:
                progress = f"round {number + 1} of {options.rounds}: {contender.label}"
                show_progress(progress)
                rounds[contender.label].append(measure(contender, libraries))
    show_progress("")
    results = {label: summary(found) for label, found in rounds.items()}
    figures = {
        "date": date.today().isoformat(),
        "machine": machine(),
        "versions": versions(options),
        "rounds": options.rounds,
        "noise": noise(results),
        "cases": CASES,
        "results": results,
        "ratios": report(results),
    }
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    if options.plot:
        draw(results, options.plot)
    return figures


if __name__ == "__main__":
    main()
