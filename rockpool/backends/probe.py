"""Import a back-end in a process of its own, and report what came of it.

An import may crash the interpreter, hang, print, end the program, change `sys.argv` or the number
of threads. None of that reaches the process that asks here.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from rockpool.backends.child_process import ChildProcess, flush_output, leave, take_stdout
from rockpool.backends.plain_text import printable_lines
from rockpool.backends.queries import backend_status, register_backend
from rockpool.backends.specs import STANDARD, specification

__all__ = ["probe_backend", "probe_backends"]

# How often the children are looked at, in seconds.
_TICK = 0.01
# A child ends itself this long after its time is up, in case the process that should end it is
# gone (seconds).
_GRACE = 5
# What is known without an import, and would not change with one.
_KNOWN_UNTRIED = ("missing", "shadowed", "outdated")


def probe_backend(name: str, timeout: float = 60.0) -> dict[str, Any]:
    """Import one back-end in a child process; it and all that it started are killed when late.

    Returns
    -------
    dict
        As `BackendStatus.to_dict` (name, state, version, reason, error, install), and besides

        * ``outcome``: ``"not tried"`` (what is seen without an import settles it), ``"answered"``,
          ``"crashed"``, ``"ended"`` (the import ended the process) or ``"no answer"``;
        * ``seconds``: float, how long it took;
        * ``output``: str, the last that it printed, with the traceback of its error.

    Raises
    ------
    OSError
        No process can be started.
    """
    return next(probe_backends([name], timeout))


def probe_backends(
    names: Iterable[str],
    timeout: float = 60.0,
    jobs: int = 2,
    started: Callable[[str], object] | None = None,
    thorough: bool = False,
) -> Iterator[dict[str, Any]]:
    """As `probe_backend` for several back-ends: the records, as they come.

    When the iterator is left, by an exception as well, no child is left running.

    Parameters
    ----------
    names, timeout
        Back-ends, and the seconds that each import may take.
    jobs : int, default 2
        How many children run at a time.
    started : callable, optional
        Called with the name of each back-end when its turn comes.
    thorough : bool, default False
        Whether the records have also ``facts``, a dict (see `rockpool.backends.probe_facts`), and
        ``traceback``, a list of lines. A process that hangs is asked where.
    """
    waiting = list(names)
    running: list[_Probe] = []
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                name = waiting.pop(0)
                if started is not None:
                    started(name)
                status = backend_status(name)
                if status.state in _KNOWN_UNTRIED:
                    yield {**status.to_dict(), "outcome": "not tried", "seconds": 0.0, "output": ""}
                else:
                    running.append(_Probe(name, timeout, thorough))
            done = [probe for probe in running if probe.has_ended() or probe.is_late()]
            for probe in done:
                running.remove(probe)
                yield probe.record()
            if running and not done:
                time.sleep(_TICK)
    finally:
        for probe in running:
            probe.end()


class _Probe(ChildProcess):
    """A process that imports one back-end."""

    def __init__(self, name: str, timeout: float, thorough: bool) -> None:
        self.name = name
        self.timeout = timeout
        super().__init__(
            "rockpool.backends.probe:_answer",
            *(name, int(timeout) + 1 + _GRACE, _definition(name), timeout if thorough else 0.0),
            flags=("-X", "faulthandler"),
        )

    def is_late(self) -> bool:
        """Whether its time is up."""
        return self.seconds > self.timeout

    def record(self) -> dict[str, Any]:
        """What became of it, once it has ended or is late. Kills what is left of it."""
        late, seconds = not self.has_ended(), round(self.seconds, 3)
        self.end()
        extra = {"seconds": seconds, "output": printable_lines(self.printed())}
        answer = self.last_message()  # which tells most
        if answer is not None:
            return {**answer, "outcome": "answered", **extra}
        if late:
            outcome, reason = "no answer", f"no answer within {self.timeout:g} s"
        else:
            outcome = "crashed" if self.returncode < 0 else "ended"
            reason = self.exit_report("on import")
        status = backend_status(self.name).to_dict()
        if status["state"] == "installed" and not late:
            again = "pip install --force-reinstall "
            status["install"] = again + str(status["install"]).removeprefix("pip install ")
        status.update(state="broken", reason=reason)
        return {**status, "error": None, "outcome": outcome, **extra}


def _answer(name: str, limit: int, registered: tuple[Any, ...] | None, thorough: float) -> None:
    """What the child does: import the back-end, and report what came of it.

    It ends itself after `limit` seconds. `registered` is what `_definition` says of the back-end;
    `thorough` are the seconds that the import may take, where more is asked for than how it went.
    """
    import traceback

    report = take_stdout()
    if hasattr(signal, "alarm"):
        signal.alarm(limit)
    if registered is not None:
        _register(name, *registered)
    if thorough:
        import faulthandler

        faulthandler.dump_traceback_later(0.9 * thorough)  # a process that hangs says where
    status = backend_status(name, probe=True)
    if status.error is not None:
        traceback.print_exception(status.error)
    flush_output()
    record: dict[str, Any] = dict(status.to_dict())
    report(record)
    if thorough:  # asking for more may go wrong as well: the first answer stands then
        from rockpool.backends.probe_facts import facts, traceback_lines

        record["traceback"] = traceback_lines(status.error)
        record["facts"] = facts(specification(name).modules)
        report(record)
    leave()


def _definition(name: str) -> tuple[Any, ...] | None:
    """The arguments of `_register` for the child; None for a back-end that it knows by itself.

    A check is named ``module:function``; one that is not a function of a module stays behind, and
    counts as passed.
    """
    spec = specification(name)
    if spec.name in STANDARD:
        return None
    oldest = ".".join(map(str, spec.minimum)) if spec.minimum is not None else None
    check: bool | str = spec.check is not False
    if callable(spec.check):
        module, function = (getattr(spec.check, key, "") for key in ("__module__", "__qualname__"))
        if module != "__main__" and function.isidentifier():
            check = f"{module}:{function}"
    return spec.modules, spec.pip, oldest, check


def _register(
    name: str, modules: tuple[str, ...], extra: str, minimum: str | None, check: bool | str
) -> None:
    """Make a back-end known in the child as it is in the process that asks."""
    condition: bool | Callable[[], object] = bool(check)
    if isinstance(check, str):
        from importlib import import_module

        module, _, function = check.partition(":")
        condition = getattr(import_module(module), function)
    register_backend(name, modules, extra=extra, minimum=minimum, check=condition)
