"""The parameters in a docstring in numpydoc's manner."""

from __future__ import annotations

import ast
import inspect
import re
from typing import NamedTuple

# "As for `LIF`.", "As for [`LIF`][a link].", "As for `LIF`, with 'taus' only."
_ELSEWHERE = re.compile(r"^As (?:for|of) (?::\w+:)?\[?`([\w.]+)`")


class Described(NamedTuple):
    """One parameter: its name with stars, what stands behind the colon, and the text below it."""

    shown: str
    type: str
    text: str

    @property
    def elsewhere(self) -> str | None:
        """The class that says it, where this text refers to one."""
        match = _ELSEWHERE.match(self.text)
        return match[1] if match else None

    def joined(self, found: Described) -> Described:
        """Return what another class says, and behind it what this adds to "as for `Other`"."""
        more = self.text.partition("`")[2].partition("`")[2].lstrip(".,;: ").strip()
        text = f"{found.text}\n{more[:1].upper()}{more[1:]}".strip()
        return found._replace(text=text)


def sections(text: str) -> dict[str, str]:
    """Return the sections of a docstring by their titles; "" is what comes before them."""
    parts = re.split(r"^(\w[\w ]*)\n-{3,}\n", inspect.cleandoc(text), flags=re.M)
    return {"": parts[0], **dict(zip(parts[1::2], parts[2::2], strict=True))}


def parameters(text: str, section: str = "Parameters") -> dict[str, Described]:
    """Return the parameters that a section of a docstring describes, by name."""
    found: dict[str, Described] = {}
    body = re.sub(r",[ ]*\\\n *", ", ", sections(text).get(section, ""))
    entries = re.split(r"^(?=\S)", body, flags=re.M)
    for entry in filter(None, entries):
        head, _, below = entry.partition("\n")
        names, _, type_ = head.partition(" : ")
        for name in names.split(","):
            shown = name.strip()
            found[shown.lstrip("*")] = Described(shown, type_.strip(), inspect.cleandoc(below))
    return found


def docstring(node: ast.AST | None) -> str:
    """Return the docstring of a class or function, or ""."""
    if isinstance(node, ast.ClassDef | ast.FunctionDef):
        return ast.get_docstring(node) or ""
    return ""
