"""README's training snippets, as they stand, learn to read."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

README = (Path(__file__).parents[2] / "README.md").read_text()


def snippet(backend: str) -> str:
    part = README.partition(f"<!-- training {backend} -->")[2].partition("<!-- /training")[0]
    return part.partition("```python\n")[2].partition("```")[0]


def run(*programs: str) -> list[float]:
    """Run programs one after the other in one process, and return what they say is right."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", "\n".join(programs)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [float(found) for found in re.findall(r"([\d.]+) % are right", done.stdout)]


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_most_digits_of_the_test_half_are_read_rightly(backend: str) -> None:
    program = snippet(backend)
    assert program.count("seed(0)") == 1
    found = run(*(program.replace("seed(0)", f"seed({seed})") for seed in range(5)))
    assert len(found) == 5
    assert found[0] >= 95 and min(found) >= 94, found


PLAIN = {  # what README has of the optimizer, and the same with nothing that keeps values in range
    "torch": (
        "bound(net, torch.optim.Adam(parameter_groups(net)))",
        "torch.optim.Adam(net.{}, {})",
    ),
    "jax": ("bound(net, optax.multi_transform(rates, groups.labels))", "optax.adam({1})"),
}


WITHIN_JIT = (  # as the training was: elsewhere values out of range are those of a user, an error
    "net.set_attributes(parameters)(data[test])",
    "jax.jit(lambda p: net.set_attributes(p)(data[test]))(parameters)",
)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_at_any_rate_nothing_breaks(backend: str) -> None:
    program = snippet(backend).replace("range(20)", "range(10)")
    careful, plain = PLAIN[backend]
    assert program.count(careful) == 1
    programs = ["import warnings; warnings.filterwarnings('ignore', '.* came to ')"]
    for rate in (1e-4, 1e-3, 1e-2):
        changed = program.replace(careful, plain.format("parameters().astorch()", rate))
        changed = changed.replace(*WITHIN_JIT)
        programs.append(f"{changed}\nassert abs(output).max() < float('inf')")
    assert len(run(*programs)) == 3
