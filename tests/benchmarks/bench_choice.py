"""How good the back-end ``auto`` is: its choice beside the fastest, in 24 shapes.

    python tests/benchmarks/bench_choice.py [--backends NAMES] [--rounds R] [--costs FILE] [--json FILE]

A network of linear weights and LIF neurons, each twice, is called with batches of 1 and 64 inputs,
1 to 1000 time steps and 10 to 512 neurons on numpy, numba, torch and jax: CPU time on one thread,
the least of several rounds. What `rockpool.nn.choice.choose` says of each shape is told beside it,
by the default costs and by those of FILE (that which ``rockpool bench --choose`` writes, if it is
there), and in how many shapes the choice takes at most 1.2 times as long as the fastest.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

for _library in ("OMP", "OPENBLAS", "MKL", "NUMBA", "ROCKPOOL"):
    os.environ[f"{_library}_NUM_THREADS"] = "1"

import numpy as np  # noqa: E402

import rockpool  # noqa: E402
from rockpool.cli.bench.costing import seconds_of  # noqa: E402
from rockpool.cli.bench.measure import caller  # noqa: E402
from rockpool.nn.choice import choose  # noqa: E402
from rockpool.nn.combinators import Sequential  # noqa: E402
from rockpool.nn.costs import CANDIDATES, VARIABLE, cost_file  # noqa: E402
from rockpool.nn.modules import LIF, Linear  # noqa: E402

SHAPES = tuple(product((1, 64), (1, 10, 100, 1000), (10, 64, 512)))
GOAL, PART = 1.2, 0.9


def network(neurons: int) -> Any:
    """Return the network that is run."""
    rng = np.random.default_rng(0)
    size = (neurons, neurons)
    weights = (rng.normal(size=size) * (3 / neurons) ** 0.5 for _ in range(2))
    return Sequential(*(layer for w in weights for layer in (Linear(size, weight=w), LIF(neurons))))


def measured(
    shape: tuple[int, int, int], backends: list[str], rounds: int
) -> Iterator[tuple[str, float]]:
    """Go over the back-ends with the seconds that a call takes."""
    batch, steps, neurons = shape
    data = (np.random.default_rng(1).random((batch, steps, neurons)) < 0.1).astype(float)
    for name in backends:
        call = caller(rockpool.convert(network(neurons), name), data, name)
        yield name, seconds_of(call, rounds)


def chosen(shape: tuple[int, int, int], costs: str, backends: list[str]) -> str:
    """Return which of the back-ends is chosen by a file of costs; there need not be one."""
    os.environ[VARIABLE] = costs
    expected = choose(rockpool.describe(network(shape[2])), shape[:2]).costs
    return next(name for name in expected if name in backends)


def main(argv: list[str]) -> dict[str, Any]:
    """Measure, print a table, and return what has been found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--backends", default=",".join(CANDIDATES))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--costs", default=cost_file())
    parser.add_argument("--shapes", type=int, default=len(SHAPES), help="only the first so many")
    parser.add_argument("--json", type=Path)
    values = parser.parse_args(argv)
    if values.rounds < 1:
        parser.error(f"--rounds must be at least 1, got {values.rounds}")
    backends = values.backends.split(",")
    tables = {"default": os.devnull + "/none"}
    if os.path.exists(values.costs):
        tables["measured"] = values.costs
    rows: list[dict[str, Any]] = []
    print("batch steps neurons " + "".join(f"{name:>12}" for name in backends), *tables, sep="  ")
    for shape in SHAPES[: values.shapes]:
        times = dict(measured(shape, backends, values.rounds))
        best = min(times.values())
        choices = {table: chosen(shape, costs, backends) for table, costs in tables.items()}
        ratios = {table: times[name] / best for table, name in choices.items()}
        rows.append({"shape": shape, "seconds": times, "choices": choices, "ratios": ratios})
        print("{:5} {:5} {:7} ".format(*shape), end="")
        print("".join(f"{1e6 * seconds:9.4g} us" for seconds in times.values()), end="  ")
        print("  ".join(f"{name} {ratios[table]:.2f}" for table, name in choices.items()))
    good = {
        table: sum(row["ratios"][table] <= GOAL for row in rows) / len(rows) for table in tables
    }
    for table, part in good.items():
        verdict = "reached" if part >= PART else "not reached"
        print(f"{table}: within {GOAL} of the fastest in {part:.0%} of {len(rows)} ({verdict})")
    found = {"rows": rows, "good": good}
    if values.json is not None:
        values.json.write_text(json.dumps(found, indent=1))
    return found


if __name__ == "__main__":
    main(sys.argv[1:])
