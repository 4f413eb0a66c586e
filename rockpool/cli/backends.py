"""``rockpool backends``: which computational back-ends are here, and how to get the others."""

from rockpool.backends.finder import Search
from rockpool.backends.plain_text import printable
from rockpool.backends.specs import known_backends
from rockpool.backends.status import look_at, must_be_checked
from rockpool.cli._listing import listing
from rockpool.cli._options import flag, seconds, value
from rockpool.cli._output import CommandError, in_json, no_such_backend, table, write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any
else:  # for those who check annotations at run time
    Any = object

DESCRIPTION = """\
Show the computational back-ends: whether each is here, in which version, how many
modules it brings, and the command that installs or mends it.

Nothing is imported to find out. With --check each back-end is imported in a process
of its own, so that one which crashes or hangs is a line in the table."""

EXAMPLES = """\
  rockpool backends                          what is installed
  rockpool backends --check                  what works
  rockpool backends --check --verbose brian  why one does not
  rockpool backends --json                   the same for programs"""


OPTIONS = {
    "names": value("NAME", "show only these back-ends"),
    "--check": flag("import each one, in a process of its own"),
    "--timeout": value("S", "seconds that each check may take", 60.0, seconds),
    "--verbose": flag("tell the reasons, and with --check the end of each error"),
    "--json": flag("print JSON instead of a table"),
}

# States in the words of the table, where they differ.
_WORDS = {"outdated": "too old", "unmet": "not usable"}
_COLOURS = {"available": "green", "installed": "green", "missing": "dim"}
# Lines of a failed import that --verbose shows.
_LINES = 12


def run(values: "dict[str, Any]") -> int:
    """Show the back-ends. A back-end that is missing or broken is an answer, no error."""
    names = chosen(values["names"])
    if values["check"]:
        records = _check(names, values["timeout"])
    else:
        search = Search()
        records = [dict(look_at(name, search).to_dict()) for name in names]
    counts: dict[str, int] = {}
    for entry in listing():
        counts[entry.backend] = counts.get(entry.backend, 0) + entry.is_class
    for record in records:
        record["modules"] = counts.get(record["name"], 0)
    records.sort(key=lambda record: not record["modules"])
    if values["json"]:
        write(in_json(records))
    else:
        write(_as_table(records) + _describe(records, values["check"], values["verbose"]))
    return 0


def chosen(wanted: "list[str]") -> "list[str]":
    """The back-ends that a command line names, or all of them, in the order of the table."""
    known = known_backends()
    for name in wanted:
        if name not in known:
            raise no_such_backend(name, known)
    return [name for name in known if not wanted or name in wanted]


def _check(names: "list[str]", timeout: float) -> "list[dict[str, Any]]":
    from rockpool.backends.probe import probe_backends
    from rockpool.cli._progress import Imports

    found: dict[str, dict[str, Any]] = {}
    try:
        with Imports(len(names)) as shown:
            for record in probe_backends(names, timeout, started=shown.started):
                found[record["name"]] = record
                shown.ended(record["name"])
    except OSError as error:
        raise CommandError(f"no process can be started to check in: {error.strerror}") from error
    return [found[name] for name in names]


def _state(record: "dict[str, Any]") -> str:
    """The state in a few words; a process that went wrong has no other story to tell."""
    if record.get("outcome") in ("crashed", "ended", "no answer"):
        return str(record["reason"])
    if _is_open(record):
        return "not checked"
    return _WORDS.get(record["state"], record["state"])


def _is_open(record: "dict[str, Any]") -> bool:
    """Whether the modules are installed, but only a check can tell whether they can be used."""
    return record["state"] == "installed" and must_be_checked(record["name"])


def _as_table(records: "list[dict[str, Any]]") -> str:
    rows = []
    colours = []
    for record in records:
        can_be_fixed = record["state"] not in ("available", "installed", "unmet")
        rows.append(
            (
                record["name"],
                _state(record),
                record["version"] or "-",
                str(record["modules"] or "-"),
                record["install"] if can_be_fixed else "",
            )
        )
        colour = "yellow" if _is_open(record) else _COLOURS.get(record["state"], "red")
        colours.append(("", colour, "", "", ""))
    header = ("BACK-END", "STATE", "VERSION", "MODULES", "TO GET IT")
    return table(header, rows, right=(3,), colours=colours)


def _describe(records: "list[dict[str, Any]]", checked: bool, verbose: bool) -> str:
    """What stands below the table: reasons that need more words than a cell has, and the count."""
    notes = []
    apart = [record["name"] for record in records if not record["modules"]]
    if apart:
        notes.append(f"Without modules of their own: {', '.join(apart)}.")
    for record in records:
        plain = record["state"] in ("available", "installed", "missing")
        is_stated = _state(record) == record["reason"]  # by the table
        if verbose or _is_open(record) or not (plain or is_stated):
            notes.append(printable(f"{record['name']}: {record['reason']}"))
            notes += [f"    {printable(line)}" for line in _last_lines(record, verbose)]
    good = sum(
        record["state"] in ("available", "installed") and not _is_open(record) for record in records
    )
    if not checked:
        count = f"{good} of {len(records)} installed; --check tells whether they work"
    else:
        count = f"{good} of {len(records)} can be used"
        if not verbose and any(record["output"] for record in records if _went_wrong(record)):
            count += "; --verbose shows the errors"
    return "\n" + "".join(f"{note}\n" for note in notes) + ("\n" if notes else "") + f"{count}.\n"


def _went_wrong(record: "dict[str, Any]") -> bool:
    return record["state"] not in ("available", "missing")


def _last_lines(record: "dict[str, Any]", verbose: bool) -> "list[str]":
    if not verbose or not _went_wrong(record):
        return []
    crash = "Fatal Python error: "
    before, crashed, after = str(record.get("output", "")).partition(crash)
    lines = (crashed + after if crashed else before).splitlines()
    lines = [line for line in lines if 'File "<frozen ' not in line]  # the import system's own
    return lines[:_LINES] if crashed else lines[-_LINES:]  # a crash tells the innermost call first
