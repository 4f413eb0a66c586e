"""Which file of a package imports which, read from the source: nothing is imported.

Imports at the top, inside functions and for type checkers alone all count, and calls of
``import_module`` and ``__import__`` with a name in them. What is taken from a lazy package, one with
a stub, counts as an import of the package: that it imports the file behind the name is what its
laziness is for. That Python imports the packages above a module does not count either.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple


class Import(NamedTuple):
    """One import: the module it is in, what it imports, and in which line."""

    importer: str
    imported: str
    line: int

    def __str__(self) -> str:
        return f"{self.importer}:{self.line} -> {self.imported}"


Arrows = dict[tuple[str, str], Import]  # by importer and imported; the first of each pair


def modules(root: Path) -> dict[str, Path]:
    """Every Python file of the package in this folder, by the name of its module."""
    found = {}
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(files: Mapping[str, Path]) -> list[Import]:
    """All imports in these files; the names in them are those of modules, where files have them."""
    found = (
        Import(name, imported, line)
        for name, path in files.items()
        for imported, line in _imports_of(name, path, files)
        if imported != name
    )
    return list(dict.fromkeys(found))


def _imports_of(name: str, path: Path, files: Mapping[str, Path]) -> Iterator[tuple[str, int]]:
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(), path)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            source = _absolute(package, node.module or "", node.level)
            for alias in node.names:
                inner = f"{source}.{alias.name}"
                yield (inner if inner in files else source), node.lineno
        elif isinstance(node, ast.Call) and _imports_by_name(node):
            argument = node.args[0]
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                relative = argument.value.lstrip(".")
                dots = len(argument.value) - len(relative)
                yield _absolute(package, relative, dots), node.lineno


def _imports_by_name(call: ast.Call) -> bool:
    function = call.func
    called = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return called in ("import_module", "__import__") and bool(call.args)


def _absolute(package: str, name: str, dots: int) -> str:
    """The full name of what is imported in a package with that many dots before it."""
    if not dots:
        return name
    above = package.split(".")[: len(package.split(".")) - dots + 1]
    return ".".join([*above, *([name] if name else [])])


def arrows(found: Iterable[Import], files: Mapping[str, Path]) -> Arrows:
    """The imports of one file by another, once for each pair."""
    first: Arrows = {}
    for entry in found:
        if entry.imported in files:
            first.setdefault((entry.importer, entry.imported), entry)
    return first


def circles(between: Arrows) -> list[list[Import]]:
    """For each group of files that import each other, in a circle, the shortest such circle."""
    onward: dict[str, list[str]] = {}
    for importer, imported in between:
        onward.setdefault(importer, []).append(imported)
    found, seen = [], set()
    for start in sorted(onward):
        if start in seen:
            continue
        group = {name for name in _reached(start, onward) if start in _reached(name, onward)}
        if not group:
            continue
        seen |= group
        paths = [_shortest_way_back(name, onward) for name in sorted(group)]
        shortest = min(paths, key=len)
        found.append([between[pair] for pair in pairwise(shortest)])
    return found


def _reached(start: str, onward: Mapping[str, list[str]]) -> set[str]:
    """What is imported by a file, directly or through others."""
    reached, waiting = set(), [start]
    while waiting:
        for name in onward.get(waiting.pop(), ()):
            if name not in reached:
                reached.add(name)
                waiting.append(name)
    return reached


def _shortest_way_back(start: str, onward: Mapping[str, list[str]]) -> list[str]:
    """The files on the shortest circle through one that is on a circle; it is first and last."""
    paths = [[start]]
    seen: set[str] = set()
    while paths:
        path = paths.pop(0)
        for name in onward.get(path[-1], ()):
            if name == start:
                return [*path, name]
            if name not in seen:
                seen.add(name)
                paths.append([*path, name])
    raise ValueError(f"{start} is not on a circle")
