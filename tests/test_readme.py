"""What the README shows is what happens."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from support.module_table import table

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()

REPLAY = """
import code, contextlib, sys
console = code.InteractiveConsole()
with contextlib.redirect_stderr(sys.stdout):
    for line in {lines!r}:
        print(">>>", line)
        console.push(line)
"""


def between(name: str) -> str:
    return README.partition(f"<!-- {name} -->")[2].partition(f"<!-- /{name} -->")[0]


def test_the_transcript_is_real(numpy_python) -> None:
    shown = between("transcript").partition("```pycon\n")[2].partition("```")[0].strip()
    lines = [line[4:] for line in shown.splitlines() if line.startswith(">>> ")]
    said = numpy_python.python(REPLAY.format(lines=lines))
    # the frames of the installed package lie elsewhere on each machine
    said = re.sub(r'  File "<console>".*?(?=\nModuleNotFoundError)', "  ...", said, flags=re.S)
    assert said == shown


def test_the_network_of_the_readme_is_streamed() -> None:
    blocks = re.findall(r"```python\n(.*?)```", README, re.S)
    first, streams = (next(b for b in blocks if text in b) for text in ("net =", "net.stream()"))
    names: dict[str, Any] = {}
    exec(first + streams, names)
    assert names["spikes"].shape == (3,) and names["output"].shape == (10, 3)
    assert names["state"]["1_LIF"]["vmem"].shape == (100,)


def test_the_table_of_modules_is_that_of_the_models() -> None:
    assert between("modules").strip() == table().strip()


def test_the_test_command_is_the_one_that_ci_runs() -> None:
    assert "&& .venv/bin/python -m pytest\n" in README
    assert "\ngroup python -m pytest\n" in (ROOT / ".ci" / "run").read_text()


def test_ci_runs_the_slow_tests_too() -> None:
    commands = [line.strip() for line in (ROOT / ".ci" / "run").read_text().splitlines()]
    assert "group python -m pytest -m slow" in commands
    assert commands.index("group python -m pytest -m slow") < commands.index('exit "$failed"')


def test_there_are_two_commands_to_set_up() -> None:
    section = README.partition("## Set up")[2].partition("\n## ")[0]
    assert len([line for line in section.splitlines() if line.startswith("    ")]) == 2
