"""What docstrings have of reStructuredText, as Markdown."""

from __future__ import annotations

import re
from collections.abc import Callable

_DIRECTIVE = re.compile(
    r"^(?P<indent> *)\.\. math::[ ]*(?P<first>.*)\n(?P<body>(?:\n|(?P=indent) +.*(?:\n|\Z))*)", re.M
)
_MATH_ROLE = re.compile(r":math:`([^`]+)`")
_ROLE = re.compile(r":(?:py:)?(?:class|func|meth|mod|attr|obj|data|exc):`([^`]+)`")
_NAME = re.compile(r"(?<![`\w:\[])`([A-Za-z_][\w.]*)`(?![`\w])")
_LITERAL = re.compile(r"(^ *|[ ])?::[ ]*$(?=\n *\n +\S)", re.M)


def markdown(text: str, link: Callable[[str], str]) -> str:
    """Return a docstring as Markdown.

    Parameters
    ----------
    text : str
        The docstring, without common indentation.
    link : callable
        ``name -> Markdown`` for a name in backquotes.
    """
    text = _DIRECTIVE.sub(_formula, text)
    text = _MATH_ROLE.sub(lambda match: rf"\({' '.join(match[1].split())}\)", text)
    text = _ROLE.sub(lambda match: link(match[1]), text)
    text = _NAME.sub(lambda match: link(match[1]), text)
    return _LITERAL.sub(lambda match: ":" if match[1] is None else "", text)


def _formula(match: re.Match[str]) -> str:
    indent = match["indent"]
    lines = [match["first"].strip(), *(line.strip() for line in match["body"].splitlines())]
    body = "\n".join(f"{indent}{line}" for line in lines if line)
    if "&" in body or r"\\" in body:
        body = f"{indent}\\begin{{aligned}}\n{body}\n{indent}\\end{{aligned}}"
    return f"{indent}$$\n{body}\n{indent}$$\n\n"
