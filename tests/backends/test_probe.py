"""Importing a back-end in a process of its own."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from support.patience import PATIENCE, comes_true, within_a_limit

from rockpool.backends.probe import probe_backend, probe_backends


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Write a package on `sys.path`, and return its name."""
    monkeypatch.syspath_prepend(tmp_path)
    count = iter(range(100))

    def write(text: str) -> str:
        name = f"probed_{os.getpid()}_{next(count)}"
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(text)
        return name

    return write


def test_a_package_that_works_is_available(package) -> None:
    record = probe_backend(package("__version__ = '1.2.3'"))
    assert record["state"] == "available"
    assert record["outcome"] == "answered"
    assert record["version"] == "1.2.3"
    assert record["error"] is None
    assert record["seconds"] > 0


def test_what_is_missing_is_not_tried() -> None:
    record = probe_backend("no_such_package_anywhere")
    assert (record["state"], record["outcome"]) == ("missing", "not tried")


@pytest.mark.parametrize(
    ("text", "state", "outcome", "reason"),
    [
        ("raise ValueError('no luck')", "broken", "answered", "ValueError: no luck"),
        ("import sys; sys.exit(3)", "broken", "answered", "SystemExit: 3"),
        ("import os; os._exit(3)", "broken", "ended", "ends the process on import (exit code 3)"),
        ("import os; os._exit(0)", "broken", "ended", "ends the process on import"),
        (
            "import os, signal; os.kill(os.getpid(), signal.SIGABRT)",
            "broken",
            "crashed",
            "crashes on import (signal 6)",
        ),
        ("import time; time.sleep(3600)", "broken", "no answer", "no answer within 1 s"),
        ("import atexit, os; atexit.register(os.abort)", "available", "answered", "works"),
        (
            "import threading, time; threading.Thread(target=time.sleep, args=(3600,)).start()",
            "available",
            "answered",
            "works",
        ),
    ],
    ids=[
        "raises",
        "sys.exit",
        "os._exit",
        "os._exit as if fine",
        "abort",
        "hangs",
        "abort at exit",
        "thread goes on",
    ],
)
def test_whatever_an_import_does_is_told_in_words(
    package, text: str, state: str, outcome: str, reason: str
) -> None:
    limit = 1.0 if outcome == "no answer" else PATIENCE
    record = probe_backend(package(text), timeout=limit)
    assert (record["state"], record["outcome"]) == (state, outcome)
    assert reason in record["reason"]
    json.dumps(record)


def test_what_a_package_prints_reaches_nobody_but_the_record(
    package, capfd: pytest.CaptureFixture[str]
) -> None:
    name = package(
        "import os, sys\n"
        "print('to stdout')\n"
        "os.write(1, b'to the file of stdout\\n')\n"
        "os.system('echo from a child')\n"
        "sys.stdout = None\n"
        "sys.argv[:] = ['changed']\n"
        "print('to stderr', file=sys.stderr)\n"
    )
    record = probe_backend(name)
    assert record["state"] == "available"
    for line in ("to stdout", "to the file of stdout", "from a child", "to stderr"):
        assert line in record["output"].splitlines()
    assert capfd.readouterr() == ("", "")


def test_only_the_end_of_what_is_printed_is_kept(package) -> None:
    record = probe_backend(package("print('x' * 10_000_000); print('the end')"))
    assert record["output"].endswith("the end")
    assert len(record["output"]) <= 1 << 16


def test_the_error_is_there_with_its_traceback(package) -> None:
    name = package("def deep():\n    raise OSError('libfake.so')\ndeep()")
    record = probe_backend(name)
    assert record["error"] == "OSError: libfake.so"
    assert "in deep" in record["output"]
    assert "rockpool" not in record["output"]


def test_what_the_import_has_started_is_killed_with_it(package, tmp_path: Path) -> None:
    note = tmp_path / "pid"
    start = (
        "import subprocess, sys, pathlib\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(3600)'])\n"
        f"pathlib.Path({str(note)!r}).write_text(str(child.pid))\n"
    )
    goes_on, waits = package(start), package(start + "child.wait()")
    assert probe_backend(goes_on, timeout=PATIENCE)["outcome"] == "answered"
    assert comes_true(lambda: _is_gone(int(note.read_text())))

    note.write_text("")
    record = within_a_limit(
        lambda limit: probe_backend(waits, timeout=limit), lambda _: note.read_text() != ""
    )
    assert record["outcome"] == "no answer"
    assert comes_true(lambda: _is_gone(int(note.read_text())))


def test_leaving_the_iterator_kills_the_children(package, tmp_path: Path) -> None:
    note = tmp_path / "pid"
    slow = package(
        f"import os, pathlib, time\npathlib.Path({str(note)!r}).write_text(str(os.getpid()))\n"
        "time.sleep(3600)"
    )
    quick = package(
        f"import pathlib, time\nnote = pathlib.Path({str(note)!r})\n"
        "while not (note.exists() and note.read_text()): time.sleep(0.01)"
    )
    records = probe_backends([slow, quick], timeout=PATIENCE)
    assert next(records)["name"] == quick
    records.close()
    assert comes_true(lambda: _is_gone(int(note.read_text())))


def test_they_run_two_at_a_time(package, tmp_path: Path) -> None:
    """Each of the first two waits for the other one."""
    meet = (
        "import pathlib, time\n"
        "here = pathlib.Path({folder!r}); (here / __name__).touch()\n"
        "while len(list(here.iterdir())) < 2: time.sleep(0.01)\n"
    ).format(folder=str(tmp_path / "meeting"))
    (tmp_path / "meeting").mkdir()
    started: list[str] = []
    names = [package(meet), package(meet), package("")]
    records = list(probe_backends(names, timeout=PATIENCE, started=started.append))
    assert {record["name"]: record["state"] for record in records} == dict.fromkeys(
        names, "available"
    )
    assert started == names


def test_the_child_looks_where_its_parent_looks(package, tmp_path: Path) -> None:
    """The package is on `sys.path` by a change at run time, which no environment variable tells."""
    assert probe_backend(package(""))["state"] == "available"


def _is_gone(pid: int) -> bool:
    """Whether a process is dead; its parent may not have noticed yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True
