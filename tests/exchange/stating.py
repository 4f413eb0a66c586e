"""What the statements of docs/simulators.md are looked at with: the programs of that page, and a list of checks.

The programs `statements_*.py` beside this one run where a simulator is installed:

    python tests/exchange/statements_nest.py 1e-3

prints, for a time step in seconds, what was seen for each name that the page has in brackets.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

PAGE = Path(__file__).resolve().parents[2] / "docs" / "simulators.md"
# the line of the page's first program in which the time step is
_DT = "dt, tau_mem, tau_syn = 1e-3,"

Check = Callable[[float], tuple[Any, Any]]


def programs(page: str) -> dict[str, str]:
    """Return the Python code under each heading of a page, in order."""
    found = {}
    for section in page.split("\n## ")[1:]:
        title, _, text = section.partition("\n")
        blocks = text.split("```python\n")[1:]
        if blocks:
            found[title] = "\n".join(block.partition("```")[0] for block in blocks)
    return found


def run_page(*titles: str, dt: float) -> dict[str, Any]:
    """Run the page's first program, and those under some headings after it.

    Parameters
    ----------
    *titles : str
        The headings.
    dt : float
        The time step in seconds, instead of the page's.

    Returns
    -------
    dict
        The names that the programs leave.

    Raises
    ------
    AssertionError
        If spikes are not equal.
    """
    code = programs(PAGE.read_text())
    first = code["One network"]
    assert _DT in first
    names: dict[str, Any] = {"__name__": "page"}
    exec(compile(first.replace(_DT, f"dt, tau_mem, tau_syn = {dt},"), "One network", "exec"), names)
    for title in titles:
        exec(compile(code[title], title, "exec"), names)
    return names


def equal_spikes(*titles: str, dt: float, references: tuple[str, ...]) -> tuple[Any, Any]:
    """Run programs of the page; return the word for that, with the number of spikes compared."""
    names = run_page(*titles, dt=dt)
    counts = ", ".join(f"{names[name].sum():.0f}" for name in references)
    return f"equal: {counts} spikes", f"equal: {counts} spikes"


def state(*checks: Check) -> None:
    """Run checks for the time step that is on the command line, and print what they saw as JSON.

    Parameters
    ----------
    *checks : callable
        Each is named as its statement, takes the time step in seconds, and returns what was found
        and what the statement has. An error is what was found, too.
    """
    dt, seen = float(sys.argv[1]), {}
    for check in checks:
        try:
            found, said = check(dt)
        except Exception as error:
            found, said = f"{type(error).__name__}: {error}", "no error"
        seen[check.__name__] = {"found": _shown(found), "holds": bool(found == said)}
    print(json.dumps(seen))


def raised(kind: str, call: Callable[[], Any]) -> str:
    """Return the class of the error that a call raises, or "nothing"; any but `kind` is raised."""
    try:
        call()
    except Exception as error:
        if type(error).__name__ != kind:
            raise
        return kind
    return "nothing"


def _shown(found: Any) -> str:
    return found if isinstance(found, str) else json.dumps(found)
