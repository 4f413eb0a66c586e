"""The examination of all back-ends, with what surrounds them.

Each back-end is imported in a process of its own with a time limit; this process imports none.
Nothing is installed, written or removed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from rockpool.backends.doctor import surroundings
from rockpool.backends.doctor.examination import Finding, examine, path_of
from rockpool.backends.doctor.installed import places
from rockpool.backends.probe import probe_backends
from rockpool.backends.queries import known_backends
from rockpool.backends.specs import specification

__all__ = ["Diagnosis", "diagnose"]

# Without this one not even the package's own modules work.
_NEEDED = ("numpy",)


@dataclass
class Diagnosis:
    """What `diagnose` has found.

    ``python`` and ``rockpool`` are versions and places of the interpreter and of this package. The
    record of a back-end has name, state, version, minimum, location, reason, error, install,
    outcome, seconds and openmp; that of a cache backend, folder, variable and writable.
    """

    backends: list[dict[str, Any]]
    cuda: dict[str, Any]  # what torch sees of CUDA; empty where torch cannot be asked
    caches: list[dict[str, Any]]  # folders for compiled code
    findings: list[Finding]  # problems first

    def __post_init__(self) -> None:
        self.python, self.rockpool = surroundings.versions()

    @property
    def is_well(self) -> bool:
        """Whether there is no problem. Warnings are none."""
        return not any(finding.level == "problem" for finding in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """The whole of it as plain values, fit for JSON."""
        keys = ("python", "rockpool", "backends", "cuda", "caches")
        plain = {key: getattr(self, key) for key in keys}
        findings = [finding.to_dict() for finding in self.findings]
        return {"is_well": self.is_well, **plain, "findings": findings}


def diagnose(
    backends: Iterable[str] = (),
    timeout: float = 60.0,
    started: Callable[[str], object] | None = None,
    ended: Callable[[str], object] | None = None,
) -> Diagnosis:
    """Examine back-ends and what they depend on.

    Parameters
    ----------
    backends : iterable of str
        Names of back-ends. One that is named has to be usable. None at all means every known one,
        of which those that are missing are no fault.
    timeout : float, default 60.0
        Seconds that the import of each may take.
    started, ended : callable, optional
        Called with the name of each back-end when its examination begins and ends.

    Raises
    ------
    OSError
        No process can be started.
    """
    named = list(dict.fromkeys(backends))
    names = named or list(known_backends())
    records: dict[str, dict[str, Any]] = {}
    for record in probe_backends(names, timeout, started=started, thorough=True):
        records[record["name"]] = record
        if ended is not None:
            ended(record["name"])
    examined = [records[specification(name).name] for name in names]

    findings: list[Finding] = []
    for record in examined:
        name = record["name"]
        findings += examine(specification(name), record, bool(named) or name in _NEEDED)
    facts = {record["name"]: record.get("facts", {}) for record in examined}
    cuda: dict[str, Any] = next((about["cuda"] for about in facts.values() if "cuda" in about), {})
    works = {record["name"] for record in examined if record["state"] in ("available", "unmet")}
    caches, of_caches = surroundings.caches(works)
    modules = {specification(name).modules[0].partition(".")[0] for name in names}
    findings += [
        *surroundings.cuda(cuda),
        *surroundings.openmp({name: about.get("openmp", []) for name, about in facts.items()}),
        *of_caches,
        *surroundings.working_folder(modules),
        *surroundings.samna(),
        *surroundings.packaging(),
    ]
    order = ("problem", "warning", "note")
    findings = sorted(_merged(findings), key=lambda finding: order.index(finding.level))
    return Diagnosis([_row(record) for record in examined], cuda, caches, findings)


def _row(record: dict[str, Any]) -> dict[str, Any]:
    spec = specification(record["name"])
    facts = record.get("facts", {})
    file = facts.get("files", {}).get(spec.modules[0])
    where = places(spec.modules[0].partition(".")[0])
    location = file or (path_of(where[0]) if where else None)
    if location is not None and os.path.basename(location).startswith("__init__."):
        location = os.path.dirname(location)
    oldest = ".".join(map(str, spec.minimum)) if spec.minimum is not None else None
    keys = ("name", "state", "version", "reason", "error", "install", "outcome", "seconds")
    return {
        **{key: record[key] for key in keys},
        "minimum": oldest,
        "location": location,
        "openmp": facts.get("openmp", []),
    }


def _merged(findings: list[Finding]) -> list[Finding]:
    """The same thing found of several back-ends is one finding about all of them."""
    merged: list[Finding] = []
    for finding in findings:
        same = next((other for other in merged if _is_same(finding, other)), None)
        if same is None:
            merged.append(finding)
        else:
            same.about += [name for name in finding.about if name not in same.about]
    return merged


def _is_same(finding: Finding, other: Finding) -> bool:
    """Whether two findings are one: in the same words, or by the error of a shared back-end."""
    if finding.level != other.level:
        return False
    if (finding.what, finding.fix) == (other.what, other.fix):
        return True
    if not finding.details or not other.details or finding.details[-1] != other.details[-1]:
        return False
    cause = f"{os.sep}{specification(other.about[0]).modules[0]}{os.sep}"
    return any(cause in line for line in finding.details)
