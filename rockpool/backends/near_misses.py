"""What may be meant by a name that a package has not: of this project, and spelled like it."""

import os
import sys
from difflib import get_close_matches

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import FrameType
else:  # for those who check annotations at run time
    from _collections_abc import Callable, Iterable

    FrameType = object


def meant(package: str, name: str, advertised: "Callable[[str], Iterable[str]]") -> str:
    """The full name of what is meant: what is called so elsewhere, or spelled like it; or "".

    `advertised` gives the names that a package offers.
    """
    names = [*_in_files(package), *_names(package, advertised)]
    offered = {full.rpartition(".")[2]: full for full in names}
    if name in offered:
        return offered[name]
    here = [full for full in names if full.rpartition(".")[0] == package]
    for choice in ([full.rpartition(".")[2] for full in here], list(offered)):
        lower = {word.lower(): word for word in reversed(choice)}
        close = get_close_matches(name.lower(), lower, n=1, cutoff=0.75)
        if close:
            word = lower[close[0]]
            return f"{package}.{word}" if f"{package}.{word}" in here else offered[word]
    return ""


def imports_from(frame: "FrameType") -> bool:
    """Whether a frame is at the part of ``from package import name`` that takes the name."""
    from opcode import opmap

    code, position = frame.f_code.co_code, frame.f_lasti
    return 0 <= position < len(code) and code[position] == opmap["IMPORT_FROM"]


def _names(package: str, advertised: "Callable[[str], Iterable[str]]") -> "list[str]":
    """The full names that this package's project offers, the shortest path to each one last."""
    top = package.partition(".")[0]
    folder = os.path.dirname(getattr(sys.modules.get(top), "__file__", None) or "")
    found = []
    for place, _, files in os.walk(folder) if folder else ():
        if "__init__.pyi" in files:
            inner = os.path.relpath(place, folder).replace(os.sep, ".")
            where = top if inner == "." else f"{top}.{inner}"
            found += [f"{where}.{name}" for name in advertised(where)]
    return sorted(found, key=lambda full: -full.count("."))


def _in_files(package: str) -> "list[str]":
    """The full names of what the files of a package have in ``__all__``, and it may not offer."""
    folder = os.path.dirname(getattr(sys.modules.get(package), "__file__", None) or "")
    found = []
    for file in sorted(os.listdir(folder)) if os.path.isdir(folder) else ():
        module, ending = os.path.splitext(file)
        if ending == ".py" and not module.startswith("_"):
            with open(os.path.join(folder, file), encoding="utf-8") as source:
                listed = source.read().partition("\n__all__ = [")[2].partition("]")[0]
            words = (word.strip(" \n\"'") for word in listed.split(","))
            found += [f"{package}.{module}.{word}" for word in words if word.isidentifier()]
    return found
