"""The program of the first page runs, and every back-end agrees."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "index.md"


@pytest.mark.slow
def test_the_program_of_the_first_page_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.S)
    names: dict[str, Any] = {}
    exec(program, names)
    assert names["spikes"].shape == (1, 500, 3)
    assert type(names["fast"][1]).__name__ == "LIFNumba"
    said = capsys.readouterr().out
    assert said.count("equal") == 3, said
