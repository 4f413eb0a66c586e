"""A process of its own: what it says, what it prints, and how it ends."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rockpool.backends.child_process import ChildProcess

HEAD = """
import os, subprocess, sys, time
from rockpool.backends.child_process import leave, take_stdout
def main(*arguments):
"""


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., ChildProcess]]:
    """Start a process that runs these lines, with these arguments."""
    monkeypatch.syspath_prepend(tmp_path)
    started: list[ChildProcess] = []

    def start(lines: str, *arguments: object) -> ChildProcess:
        name = f"child_{len(started)}"
        body = "".join(f"    {line}\n" for line in lines.splitlines())
        (tmp_path / f"{name}.py").write_text(HEAD + body)
        started.append(ChildProcess(f"{name}:main", *arguments))
        return started[-1]

    yield start
    for child in started:
        child.end()


def test_it_says_what_it_is_asked_for_and_prints_beside_it(start) -> None:
    child = start(
        "print('before', flush=True)\n"
        "report = take_stdout()\n"
        "report({'first': arguments})\n"
        "print('beside')\n"
        "report({'second': sys.argv})\n"
        "leave()",
        *(1, "two", None),
    )
    assert child.next_message(30.0) == {"first": [1, "two", None]}
    assert child.next_message(30.0) == {"second": [""]}
    assert child.next_message(30.0) is None
    assert child.exit_report() == "ends the process"
    child.end()
    assert child.printed() == "beside"


def test_who_says_nothing_in_time_is_not_waited_for(start) -> None:
    child = start("time.sleep(60)")
    with pytest.raises(TimeoutError):
        child.next_message(0.1)
    assert not child.has_ended()
    child.end()
    assert child.exit_report("too late") == "crashes too late (signal 9)"


def test_a_message_may_be_long(start) -> None:
    child = start("take_stdout()({'text': 'x' * 10**6})\nleave()")
    message = child.next_message(60.0)
    assert message is not None and message["text"] == "x" * 10**6


def test_it_ends_with_the_process_that_has_started_it(start) -> None:
    child = start("take_stdout()({'here': 1})\nwhile True: time.sleep(1)")
    assert child.next_message(60.0) == {"here": 1}
    child.let_go()  # as if this process were gone
    assert child.wait(60.0) < 0


def test_without_a_thread_to_listen_nothing_is_left_running(
    start, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[int] = []
    end = ChildProcess.end

    def no_thread(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    def end_and_say(child: ChildProcess) -> None:
        end(child)
        ended.append(child.returncode)

    monkeypatch.setattr("threading.Thread.start", no_thread)
    monkeypatch.setattr(ChildProcess, "end", end_and_say)
    with pytest.raises(OSError, match="can't start new thread"):
        start("time.sleep(60)")
    assert ended == [-9]


FLAGS = ("-I", "-B", "-OO", "-Werror::UserWarning", "-Xutf8=1", "-Xown=2")


@pytest.mark.parametrize("flags", [FLAGS, ("-s", "-E"), ()])
def test_it_has_the_flags_of_the_interpreter(full_python, flags) -> None:
    code = f"""
import sys
sys.path[:0] = {sys.path!r}
from rockpool.backends.child_process import ChildProcess
ask = "import sys; print(tuple(sys.flags), *sys.warnoptions, sys._xoptions, file=sys.stderr)"
child = ChildProcess("builtins:exec", ask)
child.wait()
child.end()
print(child.printed())
exec(ask.replace("stderr", "stdout"))
"""
    theirs, ours = full_python.run(*flags, "-c", code).stdout.splitlines()
    assert theirs == ours


def test_half_a_message_is_none(start) -> None:
    child = start(
        "half = os.dup(1)\n"
        "take_stdout()({'whole': 1})\n"
        "os.write(half, b'\\x1erockpool {')\n"
        "os._exit(3)"
    )
    child.wait()
    child.end()
    assert child.last_message() == {"whole": 1}
    assert child.last_message() is None
    assert child.exit_report("on import") == "ends the process on import (exit code 3)"


def test_what_it_has_started_ends_with_it(start) -> None:
    child = start(
        "other = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "take_stdout()({'pid': other.pid})\n"
        "leave()"
    )
    message = child.next_message(30.0)
    assert message is not None
    while not child.has_ended():  # over, but not reaped
        time.sleep(0.01)
    child.end()
    stat = Path(f"/proc/{message['pid']}/stat")
    give_up = time.monotonic() + 10
    while stat.exists() and ") Z" not in stat.read_text() and time.monotonic() < give_up:
        time.sleep(0.01)
    assert not stat.exists() or ") Z" in stat.read_text()
