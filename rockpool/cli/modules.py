"""``rockpool modules``: what networks are built from, and what of it can be used here."""

from rockpool.backends.finder import Search
from rockpool.backends.specs import known_backends
from rockpool.backends.status import look_at, must_be_checked
from rockpool.cli._listing import Entry, listing
from rockpool.cli._options import flag, value
from rockpool.cli._output import CommandError, did_you_mean, in_json, no_such_backend, table, write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any
else:  # for those who check annotations at run time
    Any = object

DESCRIPTION = """\
List the modules that rockpool offers, with the back-end that each one needs and
whether it can be used here. Nothing is imported to find out."""

EXAMPLES = """\
  rockpool modules                   all of them
  rockpool modules torch             those for torch
  rockpool modules --json            the same for programs"""

OPTIONS = {
    "names": value("BACKEND", "only those that need one of these back-ends"),
    "--backend": value("NAME", "the same, for one of them"),
    "--json": flag("print JSON instead of a table"),
}


def run(values: "dict[str, Any]") -> int:
    """List the advertised names."""
    entries = listing()
    wanted = [*values["names"], *filter(None, [values["backend"]])]
    known = [*known_backends(), *sorted({entry.backend for entry in entries if entry.backend})]
    for name in values["names"]:
        if name not in known:
            text = f"there is no argument {name!r}, as no back-end has that name"
            hint = "'rockpool backends' lists them."
            raise CommandError(f"{text}{did_you_mean(name, known)}", code=2, hint=hint)
    if values["backend"] not in (None, *known):
        raise no_such_backend(values["backend"], known)
    if wanted:
        entries = [entry for entry in entries if entry.backend in wanted]
    search = Search()
    here = {name: _usable(name, search) for name in {entry.backend for entry in entries}}
    write(_as_json(entries, here) if values["json"] else _as_table(entries, here, wanted))
    return 0


def _usable(backend: str, search: Search) -> str:
    """``yes``, ``perhaps``, or ``no`` with the reason in two words."""
    if not backend:
        return "yes"
    state = look_at(backend, search).state
    if state == "installed" and must_be_checked(backend):
        return "perhaps"
    if state in ("available", "installed"):
        return "yes"
    return f"no, {backend} is {state}"


def _as_table(entries: "list[Entry]", here: "dict[str, str]", wanted: "list[str]") -> str:
    if not entries:
        return f"No module needs {' or '.join(wanted)}.\n"
    rows = [
        (entry.name, entry.backend or "-", here[entry.backend], entry.package) for entry in entries
    ]
    colours = [("", "", {"y": "green", "p": "yellow"}.get(row[2][0], "dim"), "dim") for row in rows]
    text = table(("NAME", "BACK-END", "USABLE HERE", "IMPORT FROM"), rows, colours=colours)
    if any(row[2] == "perhaps" for row in rows):
        text += (
            "\nperhaps: its back-end has a condition that only 'rockpool backends --check' tests.\n"
        )
    if any(row[2].startswith("no") for row in rows):
        text += "\n'rockpool backends' shows how to get what is missing.\n"
    return text


def _as_json(entries: "list[Entry]", here: "dict[str, str]") -> str:
    usable = {"yes": True, "perhaps": None}
    return in_json(
        [
            {
                "name": entry.name,
                "kind": "class" if entry.is_class else "function",
                "backend": entry.backend or None,
                "usable": usable.get(here[entry.backend], False),
                "package": entry.package,
                "module": entry.module,
            }
            for entry in entries
        ]
    )
