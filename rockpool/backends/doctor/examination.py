"""What is wrong with one back-end, judged by its record and by what lies on the disk."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from importlib.machinery import ModuleSpec
from typing import Any

from rockpool.backends.doctor.installed import is_site_folder, places, records, remains
from rockpool.backends.doctor.requirements import conflicts
from rockpool.backends.finder import differ
from rockpool.backends.plain_text import is_distribution, is_version
from rockpool.backends.specs import BackendSpec

__all__ = ["Finding", "examine", "path_of", "renaming"]

# States that are no fault: nobody has to have every back-end, nor a CUDA device.
_NO_FAULT = ("available", "missing", "unmet")


@dataclass
class Finding:
    """One thing that is wrong, or worth knowing.

    Its level is ``"problem"``: something does not work; ``"warning"``: something may go wrong; or
    ``"note"``: worth knowing.
    """

    level: str
    about: list[str]  # the back-ends that it concerns, or what else
    what: str  # one sentence
    fix: str = ""  # the command that fixes it, where there is one
    details: list[str] = field(default_factory=list)  # the lines of the error behind it

    def to_dict(self) -> dict[str, Any]:
        """The finding as plain values, fit for JSON, which calls the fix ``mend``."""
        plain = asdict(self)
        plain["mend"] = plain.pop("fix")
        return plain


def examine(spec: BackendSpec, record: dict[str, Any], has_to_work: bool) -> Iterator[Finding]:
    """Judge a back-end by the record of a thorough probe; that it is missing may be no fault."""
    state, name = record["state"], spec.name
    clashes = _conflicts(spec)
    if state not in _NO_FAULT:
        yield _broken(spec, record, clashes)
    else:
        if has_to_work and state != "available":
            fix = record["install"] if state == "missing" else ""  # no command brings a device
            yield Finding("problem", [name], record["reason"], fix)
        for what, fix in clashes:
            yield Finding("warning", [name], what, fix)
    for distribution, module in _distributions_of(spec):
        yield from _of_disk(distribution, module, record)


def path_of(spec: ModuleSpec) -> str:
    """The file of a module, or the folder of a package."""
    origin = spec.origin or ""
    return os.path.dirname(origin) if spec.submodule_search_locations is not None else origin


def renaming(path: str) -> str:
    """The command that moves a file or a folder out of the way."""
    stem, suffix = os.path.splitext(path)
    return f"mv {shlex.quote(path)} {shlex.quote(f'{stem}_{suffix}')}"


# --- what does not work ---------------------------------------------------------------------------


def _broken(spec: BackendSpec, record: dict[str, Any], clashes: list[tuple[str, str]]) -> Finding:
    """Why a back-end that is there cannot be used, and what is most likely to fix it."""
    parts, fix = [record["reason"]], record["install"]
    if record["state"] == "broken" and clashes:
        parts += [clash for clash, _ in clashes if clash not in record["reason"]]
        fix = clashes[0][1]
    obstacle = _in_the_way(spec, record["state"])
    if obstacle is not None:
        parts.append(obstacle[0])
        fix = obstacle[1]
    what = "; ".join(part for part in parts if part)
    return Finding("problem", [spec.name], what, fix, _error_lines(record))


def _conflicts(spec: BackendSpec) -> list[tuple[str, str]]:
    """Versions of other distributions that a back-end does not work with: (what, fix)."""
    advice = spec.advice() if spec.advice is not None else None
    found = [advice] if advice is not None else []
    for name, _ in _distributions_of(spec):
        for version, other, wanted, installed in conflicts(name):
            what = f"{name} {version} needs {other} {wanted}, and {other} is {installed}"
            fix = f'pip install "{other}{wanted}"'
            found.append((what, fix if is_distribution(other) and is_version(wanted) else ""))
    return found


def _in_the_way(spec: BackendSpec, state: str) -> tuple[str, str] | None:
    """A file or a folder that is imported in the place of a back-end: (what, fix)."""
    for distribution, module in _distributions_of(spec):
        top = module.partition(".")[0]
        where = places(top)
        recorded = [record.folder for record in records(distribution)]
        real = [place for place in where if os.path.dirname(path_of(place)) in recorded]
        if real and where[0] is not real[0]:
            first = path_of(where[0])
            return f"{first} is in the place of {path_of(real[0])}", renaming(first)
        if state == "shadowed" and where and where[0].submodule_search_locations is None:
            return "", renaming(path_of(where[0]))
        remnant = _remnant(top) if state == "shadowed" and not where else None
        if remnant is not None:
            return "a package that was uninstalled has left it", f"rm -r {shlex.quote(remnant)}"
    return None


def _remnant(module: str) -> str | None:
    """A folder without a package in a place where packages are installed."""
    for entry in sys.path:
        folder = os.path.join(os.path.abspath(entry or os.curdir), module)
        if is_site_folder(os.path.dirname(folder)) and os.path.isdir(folder):
            return folder
    return None


def _error_lines(record: dict[str, Any]) -> list[str]:
    """The error that a back-end's import has raised, or what a crash or a time-out has left."""
    if record.get("traceback"):
        return list(record["traceback"])
    output = str(record["output"])
    for mark in ("Fatal Python error: ", "Timeout ("):
        _, found, after = output.partition(mark)
        if found:
            output = found + after
            break
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    ours = ('File "<frozen ', 'File "<string>"', here)
    return [line for line in output.splitlines() if not any(part in line for part in ours)]


# --- what lies on the disk ------------------------------------------------------------------------


def _distributions_of(spec: BackendSpec) -> list[tuple[str, str]]:
    """The distributions that bring a back-end, each with its module."""
    found = {}
    for module in spec.modules:
        is_own = spec.distribution is not None and module == spec.own_module
        found[spec.distribution if is_own else module.partition(".")[0]] = module
    return [(name, module) for name, module in found.items() if name is not None]


def _of_disk(name: str, module: str, record: dict[str, Any]) -> Iterator[Finding]:
    """Installations that do not add up: leftovers, two records of one package, mixed versions."""
    for path in remains(name):
        what = f"{path} is what an interrupted update of {name} has left"
        yield Finding("warning", [name], what, f"rm -r {shlex.quote(path)}")
    recorded = records(name)
    if not recorded:
        return
    first = recorded[0]
    same = f"=={first.version}" if is_version(first.version) else ""
    again = f'pip install --force-reinstall "{name}{same}"'
    if not places(module.partition(".")[0]):
        what = f"{name} {first.version} is recorded as installed, but its files are gone"
        yield Finding("problem", [name], f"{what} ({first.path})", again)
        return
    twice = [r for r in recorded if r.folder == first.folder]
    own = record.get("facts", {}).get("versions", {}).get(module)
    if len(twice) > 1:
        stale = [r.path for r in twice if own is not None and differ(r.version, own)]
        what = f"{name} is recorded as installed {len(twice)} times in {first.folder}: "
        what += ", ".join(r.version for r in twice)
        fix = f"rm -r {' '.join(map(shlex.quote, stale))}" if stale else ""
        yield Finding("warning", [name], what, fix)
    elif own is not None and differ(first.version, own):
        what = f"{name} says that it is {own}, but is recorded as {first.version}"
        yield Finding("warning", [name], what, again)
