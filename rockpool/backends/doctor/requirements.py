"""Versions, and what distributions say they need of each other (PEP 440 and PEP 508).

As much of it as telling a conflict takes: what is not understood is no conflict.
"""

from __future__ import annotations

import os
import platform
import re
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["conflict", "satisfies"]

_VERSION = re.compile(
    r"v?(?:(?P<epoch>\d+)!)?(?P<release>\d+(?:\.\d+)*)"
    r"(?:[-_.]?(?P<pre>alpha|beta|preview|pre|rc|a|b|c)[-_.]?(?P<pre_n>\d*))?"
    r"(?:-(?P<post_a>\d+)|[-_.]?(?P<post>post|rev|r)[-_.]?(?P<post_n>\d*))?"
    r"(?:[-_.]?(?P<dev>dev)[-_.]?(?P<dev_n>\d*))?(?:\+[a-z0-9._-]+)?",
    re.IGNORECASE,
)
_PHASES = {"a": 0, "alpha": 0, "b": 1, "beta": 1}  # every other pre-release is a candidate
_CANDIDATE = 2
_REQUIREMENT = re.compile(
    r"\s*(?P<name>[A-Za-z0-9][\w.-]*)\s*(?:\[[^]]*\])?\s*\(?(?P<wanted>[^;()@]*)\)?\s*"
    r"(?:;(?P<marker>.*))?"
)
_CLAUSE = re.compile(r"\s*(~=|===|==|!=|<=|>=|<|>)\s*([^\s,]+)\s*")
_MARKER_WORD = re.compile(r"\s*(\(|\)|'[^']*'|\"[^\"]*\"|<=|>=|==|!=|~=|<|>|[\w.]+)")

_Key = tuple[int, tuple[int, ...], tuple[float, float], float, float]


class NotUnderstood(Exception):
    """A version or a requirement in a form that is not read here."""


def conflict(line: str, version_of: Callable[[str], str | None]) -> tuple[str, str] | None:
    """Tell whether what is installed is not what a ``Requires-Dist`` line asks for.

    Parameters
    ----------
    line : str
        Such as ``numpy (<2.4,>=1.24) ; python_version < "3.12"``.
    version_of : callable
        The version in which a distribution is installed; None where it is not.

    Returns
    -------
    tuple of str, or None
        The distribution and what is wanted of it, such as ``("numpy", "<2.4,>=1.24")``. None where
        it is satisfied, is not installed at all, is meant for other systems or extras, or is not
        understood.
    """
    match = _REQUIREMENT.fullmatch(line)
    if match is None:
        return None
    wanted = match["wanted"].replace(" ", "")
    version = version_of(match["name"]) if wanted else None
    if version is None:
        return None
    try:
        if _applies(match["marker"] or "") and not satisfies(version, wanted):
            return match["name"], wanted
    except NotUnderstood:
        return None
    return None


def satisfies(version: str, wanted: str) -> bool:
    """Whether a version is one of those that a specifier such as ``>=1.24,<2.4`` allows."""
    clauses = [_CLAUSE.fullmatch(clause) for clause in wanted.split(",") if clause.strip()]
    return all(_holds(version, *_groups(clause)) for clause in clauses)


def _groups(match: re.Match[str] | None) -> tuple[str, str]:
    if match is None:
        raise NotUnderstood
    return match[1], match[2]


def _holds(version: str, operator: str, wanted: str) -> bool:
    if operator == "===":
        return version == wanted
    if wanted.endswith(".*"):
        length = wanted.count(".")
        same = _padded(version, length) == _padded(wanted[:-2], length)
        return same if operator == "==" else not same
    left, right = _key(version), _key(wanted)
    if operator == "~=":
        length = wanted.partition("+")[0].count(".")
        return left >= right and _padded(version, length) == _padded(wanted, length)
    if operator == "<":  # 2.4rc1 is older than 2.4, but not what "<2.4" means
        return left < right and not (_is_pre(left) and not _is_pre(right) and left[1] == right[1])
    return {
        "==": left == right,
        "!=": left != right,
        "<=": left <= right,
        ">=": left >= right,
        ">": left > right,
    }[operator]


def _key(version: str) -> _Key:
    """What versions are sorted by: epoch, release, pre-release, post-release, development."""
    match = _VERSION.fullmatch(version.strip())
    if match is None:
        raise NotUnderstood
    numbers = [int(part) for part in match["release"].split(".")]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    infinite = float("inf")
    is_post = match["post"] is not None or match["post_a"] is not None
    post = float(match["post_n"] or match["post_a"] or 0) if is_post else -1.0
    dev = float(match["dev_n"] or 0) if match["dev"] else infinite
    if match["pre"]:
        pre = (float(_PHASES.get(match["pre"].lower(), _CANDIDATE)), float(match["pre_n"] or 0))
    else:  # a development version comes before the pre-releases
        pre = (-infinite if match["dev"] and not is_post else infinite, 0.0)
    return int(match["epoch"] or 0), tuple(numbers), pre, post, dev


def _is_pre(key: _Key) -> bool:
    return key[2][0] != float("inf") or key[4] != float("inf")


def _padded(version: str, length: int) -> tuple[int, ...]:
    """The first so many numbers of a release."""
    match = _VERSION.fullmatch(version.strip())
    if match is None:
        raise NotUnderstood
    numbers = [int(part) for part in match["release"].split(".")]
    return tuple((numbers + [0] * length)[:length])


# --- markers --------------------------------------------------------------------------------------


def _applies(marker: str) -> bool:
    """Whether an environment marker holds here, without any extra."""
    if not marker.strip():
        return True
    words = []
    end = 0
    while marker[end:].strip():
        match = _MARKER_WORD.match(marker, end)
        if match is None:
            raise NotUnderstood
        words.append(match[1])
        end = match.end()
    left = iter([*words, ""])
    return _either(left, [next(left)])


def _either(words: Iterator[str], ahead: list[str]) -> bool:
    value = _both(words, ahead)
    while ahead[0] == "or":
        ahead[0] = next(words)
        other = _both(words, ahead)
        value = value or other
    return value


def _both(words: Iterator[str], ahead: list[str]) -> bool:
    value = _comparison(words, ahead)
    while ahead[0] == "and":
        ahead[0] = next(words)
        other = _comparison(words, ahead)
        value = value and other
    return value


def _comparison(words: Iterator[str], ahead: list[str]) -> bool:
    def take() -> str:
        word = ahead[0]
        if not word:
            raise NotUnderstood
        ahead[0] = next(words)
        return word

    if ahead[0] == "(":
        take()
        value = _either(words, ahead)
        if take() != ")":
            raise NotUnderstood
        return value
    left, operator = take(), take()
    if operator == "not":
        operator = f"not {take()}"
    right = take()
    return _compare(left, operator, right)


def _compare(left: str, operator: str, right: str) -> bool:
    a, b = _value(left), _value(right)
    if "version" in f"{left}{right}" and operator not in ("in", "not in"):
        return _holds(a, operator, b)
    if operator in ("in", "not in"):
        return (a in b) == (operator == "in")
    if operator not in ("==", "!="):
        raise NotUnderstood
    return (a == b) == (operator == "==")


def _value(word: str) -> str:
    if word[0] in "'\"":
        return word[1:-1]
    known = {
        "extra": "",
        "implementation_name": sys.implementation.name,
        "os_name": os.name,
        "platform_machine": platform.machine(),
        "platform_python_implementation": platform.python_implementation(),
        "platform_system": platform.system(),
        "python_full_version": platform.python_version(),
        "python_version": ".".join(map(str, sys.version_info[:2])),
        "sys_platform": sys.platform,
    }
    if word not in known:
        raise NotUnderstood
    return known[word]
