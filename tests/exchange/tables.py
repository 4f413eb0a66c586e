"""The tables of the matrix in Markdown: first in numbers, then file by file."""

from collections.abc import Iterable
from typing import Any

from lacking import LACKING

Result = dict[str, Any]

TITLES = {
    "snntorch": "snntorch 1.0.0",
    "norse": "norse 1.1.0",
    "sinabs": "sinabs 3.1.3",
    "spikingjelly": "spikingjelly 2.0.0",
    "spyx": "spyx 1.0.0",
    "rockpool31": "SynSense rockpool 3.1.0",
    "ours": "this package",
}
# The first word of the names of the files of a package, where that is not its name
FIRST_WORD = {"rockpool31": "rockpool"}


def page(seen: dict[str, Any]) -> str:
    """Return the page that the documentation shows.

    Parameters
    ----------
    seen : dict
        What `matrix.py` saw: ``versions``, ``foreign`` (importer, file, result) and ``own``
        (network, target, result).

    Returns
    -------
    str
        The page, in Markdown.
    """
    foreign, own = seen["foreign"], seen["own"]
    parts = [
        _OPENING.format(count=len(foreign["ours"])),
        _counts(foreign),
        _COUNTS_READ,
        *(_files(exporter, foreign) for exporter in TITLES if exporter != "ours"),
        _OWN,
        _own(own),
        "## Versions\n\n" + "\n".join(_versions(seen["versions"])),
    ]
    return "\n\n".join(part.strip() for part in parts) + "\n"


_OPENING = """
# Who reads whose NIR files right

Six packages wrote {count} networks as files of NIR, each package read all of them, and what came
out was held against what the network itself did, for the same input, in every time step and every
neuron. Made by `python tests/exchange/matrix.py FOLDER`, which also keeps every message.

**exact**: all entries are the same. A number: the share of entries that are the same; silent
neurons count too. **exact (dt)**: the same once the importer is told the step that the writer had.
**told**: the same once `from_nir` is told what the file does not hold. **warns**: it says what it
had to take for that. **refuses**: it raises; the class of the error is given. (norse and sinabs
leave out layers that they do not know. Where several pieces remain, they run one of them, and which
one, and so what is said of the file here, differs from run to run.)
"""

_COUNTS_READ = """
Entries that are exact, of all files of the exporter: at once, and, where that is more, after the
importer was told what a user knows and the file does not hold.
"""

_OWN = """
## Networks of this package, in the other packages

Each network (dt 0.1 ms) is written by `to_nir(network, path, dialect=...)` for a package and opened
there; "nir" is read back by this package. **exact**, a number and **refuses** as above;
**warns**: `to_nir` says what will not be seen; "not written": it refuses, because the package would
run another network.
"""


def _counts(foreign: dict[str, dict[str, Result]]) -> str:
    """The table in numbers: how many files each importer reads right."""
    rows = []
    for exporter in (name for name in TITLES if name != "ours"):
        files = _of(exporter, foreign)
        row = [f"{TITLES[exporter]} ({len(files)})"]
        for importer in TITLES:
            results = [foreign[importer][file] for file in files]
            at_once = sum(_exact(result) for result in results)
            told = at_once + sum(_exact(result.get("told", {})) for result in results)
            row.append(f"{at_once}" if told == at_once else f"{at_once}, told {told}")
        rows.append(row)
    return _table(["written by \\ read by", *TITLES.values()], rows)


def _files(exporter: str, foreign: dict[str, dict[str, Result]]) -> str:
    """The table of the files of one exporter."""
    rows, lacks = [], []
    for file in _of(exporter, foreign):
        lack = LACKING.get(file)
        if lack:
            lacks.append(f"`{file}`: {lack.what}")
        cells = [_cell(foreign[importer][file], importer) for importer in TITLES]
        rows.append([f"`{file}`" + (" †" if lack else ""), *cells])
    text = f"## Written by {TITLES[exporter]}\n\n" + _table(["file", *TITLES], rows)
    return text + (f"\n\n† not in the file: {'; '.join(lacks)}." if lacks else "")


def _own(own: dict[str, dict[str, Result]]) -> str:
    """The table of this package's networks."""
    targets = list(next(iter(own.values()), {}))
    rows = [
        [name, *(_cell(results[target], target) for target in targets)]
        for name, results in own.items()
    ]
    return _table(["network", *targets], rows)


def _of(exporter: str, foreign: dict[str, dict[str, Result]]) -> list[str]:
    """The files of an exporter, in order."""
    word = FIRST_WORD.get(exporter, exporter)
    return sorted(file for file in foreign["ours"] if file.startswith(f"{word}_"))


def _exact(result: Result) -> bool:
    return result.get("equal") == 1


def _cell(result: Result, importer: str) -> str:
    """What a table says of one result."""
    if "refused" in result:
        return "not written"
    told = result.get("told", {})
    if _exact(result):
        return "exact"
    if _exact(told):
        return f"{_share(result)}, told: exact" if importer == "ours" else "exact (dt)"
    best = max((result, told), key=lambda each: each.get("equal", -1.0))
    return _share(best)


def _share(result: Result) -> str:
    """The share of equal entries, or the refusal."""
    if "error" in result:
        return f"refuses ({result['error'].partition(':')[0]})"
    warned = ", warns" if result.get("warnings") or result.get("warned") else ""
    return f"{result['equal']:.2f}{warned}"


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table of Markdown."""
    head = list(head)
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _versions(versions: dict[str, list[str]]) -> Iterable[str]:
    """The lines that say what was in each environment."""
    return (f"- {name}: {', '.join(packages)}" for name, packages in versions.items())
