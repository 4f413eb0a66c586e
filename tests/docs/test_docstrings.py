"""How docstrings become pages."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2] / "docs" / "_make"))

from docstrings import parameters
from rst import markdown


@pytest.mark.parametrize(
    ("rst", "wanted"),
    [
        ("see::\n\n    code\n", "see:\n\n    code\n"),
        ("so. ::\n\n    code\n", "so.\n\n    code\n"),
        ("::\n\n    code\n", "\n\n    code\n"),
        ("``a::`` stays", "``a::`` stays"),
        ("a decay :math:`e^{-a_b}`.", r"a decay \(e^{-a_b}\)."),
        (".. math:: x = 1\n\nend", "$$\nx = 1\n$$\n\nend"),
        (
            ".. math::\n\n    a &= b \\\\\n    c &= d\n\nend",
            "$$\n\\begin{aligned}\na &= b \\\\\nc &= d\n\\end{aligned}\n$$\n\nend",
        ),
        ("of :class:`LIF` and `Rate`, ``not`` this", "of <LIF> and <Rate>, ``not`` this"),
    ],
)
def test_what_is_rst_becomes_markdown(rst: str, wanted: str) -> None:
    assert markdown(rst, lambda name: f"<{name}>") == wanted


def test_parameters_are_read_one_by_one() -> None:
    text = """A layer.

    Parameters
    ----------
    shape, tau, \\
    dt
        As for `LIF`, by keyword.
    *modules : Module
        The modules.

    Raises
    ------
    ValueError
        Never.
    """
    found = parameters(text)
    assert list(found) == ["shape", "tau", "dt", "modules"]
    assert found["dt"].elsewhere == "LIF" and found["modules"].elsewhere is None
    assert (found["modules"].shown, found["modules"].type) == ("*modules", "Module")
