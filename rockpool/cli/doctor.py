"""``rockpool doctor``: what is wrong with the back-ends, and the command that mends it."""

import os
import sys

from rockpool.backends.plain_text import printable
from rockpool.backends.queries import known_backends
from rockpool.cli._options import flag, seconds, value
from rockpool.cli._output import (
    CommandError,
    in_json,
    is_terminal,
    paint,
    table,
    terminal_width,
    write,
)
from rockpool.cli._requirements import need_folder
from rockpool.cli.backends import chosen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rockpool.backends.doctor import Diagnosis, Finding
else:  # for those who check annotations at run time
    Any = Diagnosis = Finding = object

DESCRIPTION = """\
Examine the back-ends: versions, places, files in the way, versions that do not go
together, leftovers of packages, CUDA, OpenMP, caches. Each back-end is imported in a
process of its own. For what is wrong there is the command that mends it; the doctor
itself installs and changes nothing.

A back-end that is missing is no fault, unless it is named. The exit code is 0 where
all is well, 1 where something is broken."""

EXAMPLES = """\
  rockpool doctor              examine all back-ends
  rockpool doctor torch numba  these have to work
  rockpool doctor --json       the same for programs"""

OPTIONS = {
    "names": value("BACKEND", "examine only these back-ends"),
    "--timeout": value("S", "seconds that the import of each back-end may take", 60.0, seconds),
    "--json": flag("print JSON instead of text"),
}

# States in the words of the table, where they differ, and their colours.
_WORDS = {"available": "works", "outdated": "too old", "unmet": "not usable"}
_COLOURS = {"available": "green", "missing": "dim", "unmet": "dim"}
_TITLES = {
    "problem": ("Broken", "red"),
    "warning": ("May go wrong", "yellow"),
    "note": ("Worth knowing", "bold"),
}
# Lines of an error that are shown: the first ones, of a crash, or the last.
_LINES = 16


def run(values: "dict[str, Any]") -> int:
    """Examine back-ends, and say whether all is well."""
    need_folder("nothing to examine from")
    named = chosen(values["names"]) if values["names"] else []
    found = _examined(named, values["timeout"])
    if values["json"]:
        write(in_json(found.to_dict()))
    else:
        write("\n".join((_head(found), _as_table(found), *_findings(found), _summary(found))))
    return 0 if found.is_well else 1


def _examined(names: "list[str]", timeout: float) -> "Diagnosis":
    from rockpool.backends.doctor import diagnose
    from rockpool.cli._progress import Imports

    try:
        with Imports(len(names or known_backends())) as shown:
            return diagnose(names, timeout, shown.started, shown.ended)
    except OSError as error:
        raise CommandError(f"no process can be started to look in: {error.strerror}") from error


def _head(found: "Diagnosis") -> str:
    python, rockpool = found.python, found.rockpool
    rows = [
        ("rockpool", f"{rockpool['version']}  {rockpool['location']}"),
        ("Python", f"{python['version']}  {python['executable']}  ({python['system']})"),
        ("CUDA", _cuda(found.cuda)),
    ]
    for cache in found.caches:
        state = "" if cache["writable"] else ", which cannot be written"
        rows.append(("cache", f"{cache['backend']}: {cache['folder']}{state}"))
    return "".join(f"{title:<10}{printable(text)}\n" for title, text in rows)


def _cuda(seen: "dict[str, Any]") -> str:
    if not seen:
        return "not asked for, as torch cannot be used"
    if seen["visible"]:
        return f"{seen['built_for']}  {', '.join(seen['devices'])}"
    if not seen["built_for"]:
        return "not visible: this torch is built without it"
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES")
    also = f", and CUDA_VISIBLE_DEVICES is {hidden!r}" if hidden is not None else ""
    return f"not visible: torch is built for {seen['built_for']}, but sees no device{also}"


def _as_table(found: "Diagnosis") -> str:
    rows = []
    colours = []
    for record in found.backends:
        wrong = record["outcome"] in ("crashed", "ended", "no answer")
        state = record["reason"] if wrong else _WORDS.get(record["state"], record["state"])
        needs = f">= {record['minimum']}" if record["minimum"] else ""
        missing = record["state"] == "missing"
        where = record["install"] if missing else record["location"] or ""
        rows.append((record["name"], state, record["version"] or "-", needs, where))
        colours.append(("", _COLOURS.get(record["state"], "red"), "", "dim", "dim"))
    header = ("BACK-END", "STATE", "VERSION", "NEEDS", "WHERE, OR HOW TO GET IT")
    return table(header, rows, colours=colours)


def _findings(found: "Diagnosis") -> "list[str]":
    """A paragraph for each level of findings."""
    text = []
    for level, (title, colour) in _TITLES.items():
        here = [finding for finding in found.findings if finding.level == level]
        if here:
            text.append(f"{paint(title, colour)}\n" + "".join(map(_paragraph, here)))
    return text


def _paragraph(finding: "Finding") -> str:
    from textwrap import fill

    width = max(60, terminal_width() - 2) if is_terminal(sys.stdout) else 100
    text = fill(
        printable(f"{', '.join(finding.about)}: {finding.what}"),
        width,
        initial_indent="  ",
        subsequent_indent="    ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    lines = finding.details
    if lines and lines[0].startswith(("Fatal Python error", "Timeout")):
        lines = lines[:_LINES]  # the innermost call comes first
    else:
        lines = lines[-_LINES:]
    details = "".join(f"      {paint(printable(line), 'dim')}\n" for line in lines)
    fix = f"    to mend it:  {paint(printable(finding.fix), 'bold')}\n" if finding.fix else ""
    return f"{text}\n{details}{fix}"


def _summary(found: "Diagnosis") -> str:
    good = sum(record["state"] == "available" for record in found.backends)
    levels = [finding.level for finding in found.findings]
    problems, warnings = levels.count("problem"), levels.count("warning")
    verdict = f"{warnings} may go wrong" if warnings else "all is well"
    verdict = f"{problems} broken" if problems else verdict
    return f"{good} of {len(found.backends)} back-ends can be used: {verdict}.\n"
