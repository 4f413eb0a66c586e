"""NEST and Brian by their own programs: what docs/simulators.md says of them, and which spikes are equal."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "simulators.md").read_text()
CHECKED = (ROOT / "docs" / "simulators_checked.md").read_text()
# a statement's name is at its end, in brackets
STATED = re.findall(r"\(`([a-z]+_[a-z]+)`\)", PAGE)


# those that were seen to hold with all simulators, and the programs of the page
HELD = set(re.findall(r"^\| `(\w+)` \| .* \| yes \|$", CHECKED, flags=re.M))


@pytest.mark.parametrize("dt", ["1e-3", "1e-4"])
@pytest.mark.parametrize("simulator", ["nest", pytest.param("brian", marks=pytest.mark.slow)])
def test_what_the_page_says_holds_and_its_spikes_are_equal(
    full_python: Any, simulator: str, dt: str
) -> None:
    program = ROOT / "tests" / "exchange" / f"statements_{simulator}.py"
    done = full_python.run("-W", "ignore", str(program), dt, path=ROOT, PYNEST_QUIET="1")
    seen = json.loads(done.stdout.splitlines()[-1])
    stated = {name for name in STATED if name.startswith(f"{simulator}_")}
    assert set(seen) == stated | {f"{simulator}_equal"}
    assert {name: found for name, found in seen.items() if not found["holds"]} == {}


def test_each_statement_of_the_page_was_seen_to_hold() -> None:
    simulators = {name.partition("_")[0] for name in STATED}
    assert {*STATED, *(f"{name}_equal" for name in simulators)} == HELD
