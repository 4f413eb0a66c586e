"""An extension of griffe: what docstrings have of reStructuredText becomes Markdown.

* ``.. math::`` and ``:math:`` become formulas, which KaTeX renders in the browser;
* names in single backquotes and in roles become links, where the reference has that name;
* ``::`` before a literal block becomes ``:``, or nothing where it stands alone;
* a parameter that is "as for" another class is described on the spot, in its words, and a class
  without a constructor of its own gets the parameters of the one that it takes it from.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import griffe

sys.path.insert(0, str(Path(__file__).parent))

from docstrings import Described, parameters
from rst import markdown
from surface import sections

_FAR_ENOUGH = 6  # from class to class
# What a class of a back-end does not describe is as for the numpy class of that name.
_BACKEND = re.compile(r"(Numba|Torch|Jax|Brian|Nest|Sinabs|Exodus)$")
_ALL_OTHERS = "..."  # among the names of parameters


class _Names:
    """The names of the reference, by how docstrings call them."""

    def __init__(self) -> None:
        self.paths: dict[str, str] = {}
        self.described: dict[str, tuple[str, str]] = {}  # name -> where it is defined
        for section in sections():
            for own in section.own:
                self.paths.setdefault(own.name, own.path)
                self.paths[own.path] = own.path
                self.paths[f"{own.module}.{own.name}"] = own.path
                if own.kind != "value":
                    self.described.setdefault(own.name, (own.module, own.name))
                    self.described[own.path] = (own.module, own.name)
            self.paths.setdefault(section.package, "")

    def link(self, shown: str) -> str:
        """Return a link to a name as a docstring calls it; or the name, as code."""
        title = re.fullmatch(r"(.*?)\s*<(.*)>", shown, re.S)
        text, target = (title[1], title[2]) if title else (shown, shown)
        text, target = text.removesuffix("()"), target.removesuffix("()")
        if target.startswith("~"):
            target = target[1:]
            text = target.rpartition(".")[2] if not title else text
        path = self.paths.get(target)
        return f"[`{text}`][{path}]" if path else f"`{text}`"


class RstDocstrings(griffe.Extension):
    """Makes Markdown of all docstrings of the package."""

    def on_package(self, *, pkg: griffe.Module, **_: Any) -> None:
        """Go through the package once it is loaded."""
        names = _Names()
        raw: dict[str, str] = {}
        seen: set[int] = set()
        objects = list(_objects(pkg, seen))
        for obj in objects:
            if obj.is_class or obj.is_function:
                raw[obj.path] = obj.docstring.value if obj.docstring else ""
        for obj in objects:
            if raw.get(obj.path):
                _describe(obj, names, raw)
        for obj in objects:
            if obj.docstring:
                obj.docstring.value = markdown(obj.docstring.value, names.link)


def _objects(obj: Any, seen: set[int]) -> Any:
    """Yield an object and all in it; what is imported is passed over."""
    if obj.is_alias or id(obj) in seen:
        return
    seen.add(id(obj))
    yield obj
    for member in list(obj.members.values()):
        yield from _objects(member, seen)


def _describe(obj: Any, names: _Names, raw: dict[str, str]) -> None:
    """Describe each parameter of a class or function, and each attribute, in its own docstring."""
    for title in ("Parameters", "Attributes"):
        own = parameters(raw[obj.path], title)
        wanted = [name for name in own if name != _ALL_OTHERS]
        if title == "Parameters" and obj.is_class:
            constructor = _constructor(obj)
            wanted = [*constructor, *(name for name in wanted if name not in constructor)]
        found = {name: describe(obj, name, names, raw, title) for name in wanted}
        if any(found.values()) and list(found.items()) != list(own.items()):
            text = obj.docstring.value
            obj.docstring.value = _with_section(text, title, filter(None, found.values()))


def _with_section(text: str, title: str, entries: Iterable[Described]) -> str:
    """Return a docstring with this section in the place of what it has of it."""
    lines = []
    for entry in entries:
        lines.append(f"{entry.shown} : {entry.type}" if entry.type else entry.shown)
        lines += [f"    {line}" for line in entry.text.splitlines()]
    section = "\n".join([title, "-" * len(title), *lines, "", ""])
    parts = re.split(r"^(?=\w[\w ]*\n-{3,}\n)", text.rstrip() + "\n\n", flags=re.M)
    places = [n for n, part in enumerate(parts) if part.startswith(f"{title}\n")]
    place = places[0] if places else 1
    parts[place : place + len(places)] = [section]
    return "".join(parts)


def _constructor(cls: Any) -> list[str]:
    """Return the names of the parameters of a class's constructor."""
    init = _members(cls).get("__init__")
    if init is None:
        return []
    several = (griffe.ParameterKind.var_positional, griffe.ParameterKind.var_keyword)
    named = [parameter for parameter in init.parameters if parameter.kind not in several]
    return [parameter.name for parameter in named if parameter.name != "self"]


def _members(cls: Any) -> dict[str, Any]:
    try:
        return dict(cls.all_members)
    except (griffe.AliasResolutionError, griffe.CyclicAliasError):
        return dict(cls.members)


def describe(
    obj: Any, name: str, names: _Names, raw: dict[str, str], section: str, depth: int = 0
) -> Described | None:
    """Return what is said of a parameter: on the spot, where that refers to, or by the bases."""
    own = parameters(raw.get(obj.path, ""), section)
    entry = own.get(name) or own.get(_ALL_OTHERS)
    if depth > _FAR_ENOUGH or (entry is not None and entry.elsewhere is None):
        return entry
    if entry is not None:
        others = [_other(obj, str(entry.elsewhere), names)]
    else:
        others = [*_bases(obj), _other(obj, _BACKEND.sub("", obj.name), names)]
    known = (other for other in others if other is not None)
    said = (describe(other, name, names, raw, section, depth + 1) for other in known)
    found = next(filter(None, said), None)
    return entry if found is None else found if entry is None else entry.joined(found)


def _bases(cls: Any) -> list[Any]:
    if not cls.is_class:
        return []
    try:
        return [base for base in cls.resolved_bases if base.is_class]
    except (griffe.AliasResolutionError, griffe.CyclicAliasError):
        return []


def _other(cls: Any, reference: str, names: _Names) -> Any:
    """Return the class or function that a docstring refers to, or None."""
    home = names.described.get(reference) or names.described.get(reference.rpartition(".")[2])
    if home is None:
        return None
    try:
        found = cls.package[f"{home[0].removeprefix('rockpool.')}.{home[1]}"]
    except KeyError:
        return None
    return found if found is not cls else None
