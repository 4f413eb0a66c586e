"""The process that NEST runs in: it leaves this one alone, may die, and is not left behind."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.patience import PATIENCE, comes_true

from rockpool.nn.modules.native import LIF
from rockpool.nn.modules.nest import LIFNest, NestWorkerError, worker_process
from rockpool.nn.modules.nest.messages import Message, receive, send

DATA = np.full((30, 3), 0.01)


def worker_pid() -> int:
    assert worker_process._worker is not None
    return worker_process._worker.process.pid


def is_gone(pid: int) -> bool:
    """Whether a process has ended with all of its threads, even if nobody has asked how."""
    try:
        if len(os.listdir(f"/proc/{pid}/task")) > 1:  # the first thread may end before the others
            return False
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def wait_until_gone(pid: int) -> bool:
    return comes_true(lambda: is_gone(pid))


# --- this process is left alone ---------------------------------------------------------------------

QUIET = """
import os, sys
import torch
import numpy as np
def facts():
    return sys.argv, sys.getdlopenflags(), torch.get_num_threads(), dict(os.environ), os.getcwd()
before = facts()
from rockpool.nn.modules import LIFNest
LIFNest(3)(np.full((20, 3), 0.01))
print("nest" in sys.modules, facts() == before, sep=",")
"""


def test_nothing_is_printed_imported_or_changed(full_python: Any) -> None:
    done = full_python.run("-c", QUIET, "--verbose")
    assert done.stdout == "False,True\n"
    assert done.stderr == ""


NUMBA = """
import numba, numpy as np
@numba.njit(parallel=True)
def total(x):
    s = 0.0
    for k in numba.prange(len(x)):
        s += x[k]
    return s
assert total(np.ones(1000)) == 1000
"""
TORCH = """
import torch
torch.set_num_threads(2)
assert float((torch.ones(300, 300) @ torch.ones(300, 300)).sum()) == 300**3
"""
NEST = """
import numpy as np
from rockpool.nn.modules import LIF, LIFNest
data = np.full((50, 3), 0.01)
assert (LIFNest(3)(data)[0] == LIF(3)(data)[0]).all()
"""


@pytest.mark.parametrize("other", [NUMBA, TORCH], ids=["numba parallel", "torch threads"])
@pytest.mark.parametrize(
    "order", [*(pytest.param(o, marks=pytest.mark.slow) for o in ("before", "after")), "around"]
)
def test_other_openmp_users_do_not_crash(full_python: Any, other: str, order: str) -> None:
    code = {"before": other + NEST, "after": NEST + other, "around": other + NEST + other + NEST}
    assert full_python.python(code[order] + "print('fine')") == "fine"


# --- it may die -------------------------------------------------------------------------------------


def test_a_worker_that_died_idle_is_replaced() -> None:
    module, reference = LIFNest(3), LIF(3)
    np.testing.assert_array_equal(module(DATA)[0], reference(DATA)[0])
    pid = worker_pid()
    os.kill(pid, signal.SIGKILL)
    assert wait_until_gone(pid)
    np.testing.assert_array_equal(module(DATA)[0], reference(DATA)[0])
    assert worker_pid() != pid


@pytest.mark.parametrize("moment", ["send", "receive"])
def test_a_worker_that_dies_at_work_is_reported_and_replaced(
    moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, reference = LIFNest(3), LIF(3)
    module(DATA), reference(DATA)
    before = module.vmem.copy()
    original = getattr(worker_process, moment)

    def kill_first(*args: Any) -> Any:
        os.kill(worker_pid(), signal.SIGSEGV)
        assert wait_until_gone(worker_pid())
        return original(*args)

    with monkeypatch.context() as patch:
        patch.setattr(worker_process, moment, kill_first)
        # so long that the answer is not there yet
        long = np.zeros((20_000, 3)) if moment == "receive" else DATA
        with pytest.raises(NestWorkerError, match=r"LIFNest: .* signal 11 \(SIGSEGV\)"):
            module(long)
    np.testing.assert_array_equal(module.vmem, before)
    np.testing.assert_array_equal(module(DATA)[0], reference(DATA)[0])


def test_ctrl_c_ends_the_worker_and_the_next_call_works(monkeypatch: pytest.MonkeyPatch) -> None:
    module, reference = LIFNest(3), LIF(3)
    module(DATA), reference(DATA)
    pid = worker_pid()

    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(worker_process, "receive", interrupted)
        with pytest.raises(KeyboardInterrupt):
            module(DATA)
    assert wait_until_gone(pid)
    np.testing.assert_array_equal(module(DATA)[0], reference(DATA)[0])


def test_an_error_of_nest_is_raised_here_and_the_worker_lives() -> None:
    LIFNest(3)(DATA)
    pid = worker_pid()
    with pytest.raises(NestWorkerError, match="A: NEST raises") as raised:
        worker_process.call("A", "exp_syn", {"threads": 1, "steps": 5}, {"tau": -DATA[0, :2]})
    assert "Traceback" in raised.value.__notes__[0]
    LIFNest(3)(DATA)
    assert worker_pid() == pid


BROKEN = {
    "raises": "raise OSError('libsomething.so: no such file')",
    "crashes": "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)",
    "ends": "import sys; print('no licence', file=sys.stderr); sys.exit(3)",
}
TOLD = {
    "raises": "cannot import it: OSError: libsomething.so: no such file",
    "crashes": "signal 11 (SIGSEGV)",
    "ends": "cannot import it: SystemExit: 3",
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_nest_that_cannot_be_imported_is_reported(
    full_python: Any, tmp_path: Path, kind: str
) -> None:
    (tmp_path / "nest").mkdir()
    (tmp_path / "nest" / "__init__.py").write_text(BROKEN[kind])
    code = f"""
import sys; sys.path.insert(0, {str(tmp_path)!r})
import numpy as np
from rockpool.nn.modules import LIFNest
module = LIFNest(3)
for _ in range(2):
    try:
        module(np.zeros((5, 3)))
    except ImportError as error:
        print(error.name, str(error).splitlines()[0], "nest" in sys.modules, sep="|")
"""
    name, text, imported = full_python.python(code).splitlines()[1].split("|")
    assert (name, imported) == ("nest", "False")
    assert text.startswith("LIFNest: the process that runs NEST") and TOLD[kind] in text


def test_without_nest_there_is_a_stand_in_and_an_error_that_can_be_caught(
    numpy_python: Any,
) -> None:
    code = """
from rockpool.nn.modules import LIFNest
from rockpool.nn.modules.nest import NestWorkerError
try:
    LIFNest(3)
except NestWorkerError:
    raise SystemExit("it has not been started")
except ModuleNotFoundError as error:
    print(error.name, *error.__notes__)
try:
    import rockpool.nn.modules.nest.lif_nest
except ModuleNotFoundError as error:
    print(error.name)
"""
    first, second = numpy_python.python(code).splitlines()
    assert first.startswith("nest ") and 'pip install "nest-simulator>=3.9"' in first
    assert second == "nest"


# --- none is left behind ------------------------------------------------------------------------------

SCRIPT = """
import numpy as np
from rockpool.nn.modules import LIFNest
from rockpool.nn.modules.nest import worker_process
module = LIFNest(3)
module(np.zeros((5, 3)))
print(worker_process._worker.process.pid, flush=True)
send = worker_process.send
def send_and_say(*args):
    send(*args)
    print("at work", flush=True)
worker_process.send = send_and_say
while {long}:
    LIFNest(30)(np.zeros((1, 300_000, 30)))
"""


@contextmanager
def running(long: bool) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Start a program of its own, and yield it with the id of its worker."""
    command = [sys.executable, "-c", SCRIPT.format(long=long)]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        yield process, int(process.stdout.readline())


def test_no_worker_is_left_after_a_normal_end() -> None:
    with running(long=False) as (process, pid):
        assert process.wait(PATIENCE) == 0
        assert wait_until_gone(pid)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_worker_is_left_when_the_program_is_ended_at_work(number: signal.Signals) -> None:
    with running(long=True) as (process, pid):
        assert process.stdout is not None and process.stdout.readline() == "at work\n"
        assert not is_gone(pid)
        os.killpg(process.pid, number)
        assert process.wait(PATIENCE) != 0
        assert wait_until_gone(pid)


def test_a_fork_gets_a_worker_of_its_own(full_python: Any) -> None:
    code = """
import os, numpy as np
from rockpool.nn.modules import LIF, LIFNest
from rockpool.nn.modules.nest import worker_process
data = np.full((50, 3), 0.01)
module, wanted = LIFNest(3), LIF(3)(data)[0]
module(np.zeros((1, 3)))
mine = worker_process._worker.process.pid
child = os.fork()
if not child:
    same = (module(data)[0] == wanted).all() and worker_process._worker.process.pid != mine
    worker_process.shut_down()
    os._exit(0 if same else 1)
code = os.waitpid(child, 0)[1]
print(code, (module(data)[0] == wanted).all(), worker_process._worker.process.pid == mine)
"""
    assert full_python.python(code, PYTHONWARNINGS="error::ResourceWarning") == "0 True True"


def test_a_fork_while_another_thread_waits_for_nest_goes_on(full_python: Any) -> None:
    code = """
import os, signal, threading, numpy as np
from rockpool.nn.modules import LIF, LIFNest
from rockpool.nn.modules.nest import worker_process
data = np.full((50, 3), 0.01)
module = LIFNest(3)
module(data)
pid, receive, waits = worker_process._worker.process.pid, worker_process.receive, threading.Event()
def receive_and_say(stream):
    waits.set()
    return receive(stream)
worker_process.receive = receive_and_say
os.kill(pid, signal.SIGSTOP)
thread = threading.Thread(target=module, args=(data,))
thread.start()
waits.wait()
child = os.fork()
if not child:
    same = (LIFNest(3)(data)[0] == LIF(3)(data)[0]).all()
    worker_process.shut_down()
    os._exit(0 if same else 1)
print(os.waitpid(child, 0)[1])
os.kill(pid, signal.SIGCONT)
thread.join()
"""
    assert full_python.python(code) == "0"


@pytest.mark.parametrize("closed", ["<&-", "2>&-", "<&- 2>&-"])
def test_nest_runs_where_standard_streams_are_closed(tmp_path: Path, closed: str) -> None:
    code = """
import numpy as np
from rockpool.nn.modules import LIF, LIFNest
data = np.full((50, 3), 0.01)
print((LIFNest(3)(data)[0] == LIF(3)(data)[0]).all())
"""
    (tmp_path / "program.py").write_text(code)
    done = subprocess.run(
        ["sh", "-c", f"exec {sys.executable} program.py {closed}"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        timeout=PATIENCE,
    )
    assert done.stdout == b"True\n"


@pytest.mark.parametrize("what", ["_log_file", "ChildProcess"])
def test_a_start_that_fails_says_so_and_leaves_no_descriptors(
    monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    def fails(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    worker_process.shut_down()
    before = os.listdir("/proc/self/fd")
    with monkeypatch.context() as patch:
        patch.setattr(worker_process, what, fails)
        with pytest.raises(NestWorkerError, match=r"LIFNest: .* none can be started: No space"):
            LIFNest(3)(DATA)
    assert os.listdir("/proc/self/fd") == before


@pytest.mark.parametrize("kind", ["frozen", "executable"])
def test_a_program_without_an_interpreter_starts_nothing_unless_one_is_named(
    monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    worker_process.shut_down()
    this = sys.executable
    if kind == "frozen":
        monkeypatch.setattr(sys, "frozen", True, raising=False)
    else:
        monkeypatch.setattr(sys, "executable", None)
    with pytest.raises(NestWorkerError, match="ROCKPOOL_PYTHON may name one"):
        LIFNest(3)(DATA)
    monkeypatch.setenv("ROCKPOOL_PYTHON", "/nowhere/python")
    with pytest.raises(NestWorkerError, match="is '/nowhere/python', which is no program"):
        LIFNest(3)(DATA)
    monkeypatch.setenv("ROCKPOOL_PYTHON", this)
    np.testing.assert_array_equal(LIFNest(3)(DATA)[0], LIF(3)(DATA)[0])


def test_a_worker_that_has_grown_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    module, reference = LIFNest(3), LIF(3)
    np.testing.assert_array_equal(module(DATA)[0], reference(DATA)[0])
    pid = worker_pid()
    monkeypatch.setattr(worker_process, "_MOST_GROWTH", -1)
    np.testing.assert_array_equal(module(DATA)[0], reference(DATA)[0])
    assert worker_process._worker is None and wait_until_gone(pid)
    monkeypatch.undo()
    np.testing.assert_array_equal(module(DATA)[0], reference(DATA)[0])


def test_shutting_down_is_no_end() -> None:
    LIFNest(3)(DATA)
    pid = worker_pid()
    worker_process.shut_down()
    assert wait_until_gone(pid)
    worker_process.shut_down()
    np.testing.assert_array_equal(LIFNest(3)(DATA)[0], LIF(3)(DATA)[0])


# --- messages ---------------------------------------------------------------------------------------


def test_a_message_arrives_as_it_was_sent() -> None:
    sent = Message(
        {"job": "x", "numbers": [1, 2.5, None], "flag": True},
        {"a": np.arange(6.0).reshape(2, 3), "b": np.arange(3), "none": np.empty((0, 4))},
    )
    stream = io.BytesIO()
    send(stream, sent)
    send(stream, Message({}, {}))
    stream.seek(0)
    found = receive(stream)
    assert found.settings == sent.settings
    assert found.arrays.keys() == sent.arrays.keys()
    for name, array in sent.arrays.items():
        assert found.arrays[name].dtype == array.dtype
        np.testing.assert_array_equal(found.arrays[name], array)
    assert receive(stream) == Message({}, {})
    with pytest.raises(EOFError):
        receive(stream)


def test_an_array_of_objects_is_no_message() -> None:
    stream = io.BytesIO()
    send(stream, Message({}, {"a": np.arange(3.0)}))
    forged = stream.getvalue().replace(b'"<f8"', b'"|O8"')
    with pytest.raises(ValueError, match="cannot hold"):
        receive(io.BytesIO(forged))
