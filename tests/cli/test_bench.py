"""`rockpool bench`: the same layer everywhere, timed and compared."""

from __future__ import annotations

import json
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

from rockpool.cli import main
from rockpool.cli.bench import MODELS, REFERENCE, SUFFIXES
from rockpool.cli.bench.children import Record, _compare
from rockpool.cli.bench.measure import workload
from rockpool.nn.modules.native import LIF
from rockpool.utilities.backend_management import known_backends

SMALL = ["--neurons", "6", "--steps", "40", "--rounds", "2"]


def bench(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any]]:
    """Run the command in JSON; return its exit code and the results by back-end."""
    code = main(["bench", *SMALL, "--json", *words])
    results = json.loads(capsys.readouterr().out)["results"]
    return code, {result["backend"]: result for result in results}


def broken_numba(folder: Path, code: str) -> Path:
    """Make a numba that does this on import."""
    (folder / "numba").mkdir()
    (folder / "numba" / "__init__.py").write_text(code)
    return folder


def test_each_backend_that_is_asked_for_is_timed_and_compared(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, results = bench(capsys, "--backends", "numba,torch,nest", "--batch", "2")
    assert code == 0
    assert list(results) == [REFERENCE, "numba", "torch", "nest"]
    for result in results.values():
        assert len(result["times"]) == 2 and min(result["times"]) > 0
        assert min(result["times"]) <= result["seconds"] <= max(result["times"])
        assert result["start_up"] > 0 and result["memory"] > 10e6
        assert result["agrees"] is True
    assert results["numba"]["answer"] == results["nest"]["answer"] == "the same"


@pytest.mark.parametrize("model", MODELS)
def test_each_model_can_be_run(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, results = bench(capsys, "--model", model, "--backends", "numba")
    assert code == int(model == "Linear")  # which numba has not
    assert results[REFERENCE]["class_name"] == model and results[REFERENCE]["seconds"] > 0
    assert results["numba"]["reason"] == ("has no Linear" if model == "Linear" else "")


def test_the_table_is_for_people(full_python: Any) -> None:
    done = full_python.run("-m", "rockpool", "bench", *SMALL, "--backends", "numba")
    lines = done.stdout.splitlines()
    assert lines[0] == "LIF: 6 neurons, 40 time steps, batch 1"
    assert lines[2].split() == "BACK-END TIME NEURON-STEPS/S MEMORY START-UP ANSWER".split()
    assert lines[3].startswith("numpy ") and lines[3].endswith("is the reference")
    assert lines[4].startswith("numba ") and lines[4].endswith("the same")
    assert done.stderr.splitlines()[-1] == "100 % of 6 rounds on 2 back-ends"


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("raise OSError('no such library')", "OSError: no such library"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "crashes (signal 11)"),
        ("import os; os.write(2, b'no licence\\n'); os._exit(3)", "(exit code 3): no licence"),
    ],
    ids=["raises", "crashes", "ends"],
)
def test_a_backend_that_fails_is_a_line_and_not_the_end(
    code: str, told: str, full_python: Any, tmp_path: Path
) -> None:
    done = full_python.run(
        *("-m", "rockpool", "bench", *SMALL, "--backends", "numba,nest"),
        path=broken_numba(tmp_path, code),
        check=False,
    )
    numba, nest = done.stdout.splitlines()[4:6]
    assert numba.startswith("numba ") and told in numba
    assert nest.startswith("nest ") and nest.endswith("the same")
    assert done.returncode == 1


def test_a_backend_that_hangs_gets_its_time_and_no_more(full_python: Any, tmp_path: Path) -> None:
    done = full_python.run(
        *("-m", "rockpool", "bench", *SMALL, "--timeout", "3", "--backends", "numba"),
        path=broken_numba(tmp_path, "import time; time.sleep(3600)"),
        check=False,
    )
    assert done.stdout.splitlines()[4].endswith("no answer within 3 s")


def test_without_numba_it_is_a_line_that_says_how_to_get_it(numpy_python: Any) -> None:
    done = numpy_python.run("-m", "rockpool", "bench", *SMALL)
    rows = {line.split()[0]: line for line in done.stdout.splitlines()[3:]}
    assert list(rows) == list(SUFFIXES)
    assert rows["numba"].endswith('to get it: pip install "numba>=0.59"')
    assert rows["numpy"].endswith("is the reference")


def test_without_numpy_there_is_nothing_to_run(bare_python: Any) -> None:
    done = bare_python.run("-m", "rockpool", "bench", check=False)
    assert done.returncode == 1
    assert "numpy is the reference" in done.stderr and "pip install numpy" in done.stderr


@contextmanager
def stuck_bench(folder: Path, *words: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A bench whose second back-end hangs, and the id of the process that it hangs in."""
    stuck = (
        "import os, time; open(os.environ['STUCK'], 'w').write(str(os.getpid())); time.sleep(3600)"
    )
    stuck_file = folder / "pid"
    path = os.pathsep.join([str(broken_numba(folder, stuck)), *filter(None, sys.path)])
    with subprocess.Popen(
        [sys.executable, "-m", "rockpool", "bench", *SMALL, "--backends", "numba", *words],
        env={**os.environ, "PYTHONPATH": path, "STUCK": str(stuck_file)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert comes_true(lambda: stuck_file.exists() and stuck_file.read_text() != "")
        yield process, int(stuck_file.read_text())


def is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_whatever_ends_it_leaves_no_process_behind(tmp_path: Path, number: signal.Signals) -> None:
    with stuck_bench(tmp_path) as (process, child):
        process.send_signal(number)
        process.communicate(timeout=PATIENCE)
        assert process.returncode == (-number if number == signal.SIGKILL else 128 + number)
        assert comes_true(lambda: is_gone(child))


def test_ctrl_c_keeps_the_results_that_there_are(tmp_path: Path) -> None:
    with stuck_bench(tmp_path, "--json") as (process, _):
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=PATIENCE)
        assert process.returncode == 130
    (numpy,) = json.loads(out)["results"]
    assert numpy["backend"] == "numpy" and numpy["seconds"] > 0


def test_only_what_is_here_is_counted(numpy_python: Any) -> None:
    done = numpy_python.run("-m", "rockpool", "bench", *SMALL)
    assert done.stderr.splitlines()[-1] == "100 % of 3 rounds on 1 back-ends"


def test_a_picture_is_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = tmp_path / "speed.svg"
    assert main(["bench", *SMALL, "--backends", "numba", "--plot", str(picture)]) == 0
    assert str(picture) in capsys.readouterr().out
    assert "<svg" in picture.read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--model", "LIFF"], "no model 'LIFF'; did you mean 'LIF'?"),
        (["--backends", "numba,troch"], "no back-end 'troch'; did you mean 'torch'?"),
        (["--backends", ","], "must name a back-end"),
        (["--neurons", "0"], "must be an integer from 1"),
        (["--neurons", "100000", "--steps", "100000"], "10000000000 numbers are too many"),
        (["--plot", "speed.gif"], "must end in .png, .pdf or .svg"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_gets_a_sentence(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", *words]) == 2
    out, err = capsys.readouterr()
    assert out == "" and said in err


def test_the_input_leaves_room_for_one_spike_a_step_and_makes_some() -> None:
    shape, arguments, data = workload("LIF", 200, 300, 2)
    spikes = LIF(shape, **arguments)(data)[0]
    assert set(np.unique(spikes)) == {0.0, 1.0}
    np.testing.assert_array_equal(workload("LIF", 200, 300, 2)[2], data)


@pytest.mark.parametrize(
    ("output", "spikes", "agrees", "answer"),
    [
        ([[1.0, 0.0, 2.0]], True, True, "the same"),
        ([[0.0, 1.0, 2.0]], True, False, "WRONG: 1 of 3 spikes elsewhere"),
        ([[1.0, 0.0, 2.0 + 1e-6]], False, True, "within 5e-07 of the largest value"),
        ([[1.0, 0.0, 2.1]], False, False, "WRONG: within 5e-02 of the largest value"),
        ([[1.0, 0.0, np.nan]], False, False, "WRONG: within nan of the largest value"),
        ([1.0], True, False, "WRONG: has the shape (1,)"),
    ],
)
def test_answers_are_compared(output: Any, spikes: bool, agrees: bool, answer: str) -> None:
    record = Record("x")
    _compare(record, np.array(output), np.array([[1.0, 0.0, 2.0]]), spikes)
    assert (record.agrees, record.answer) == (agrees, answer)


def test_the_backends_are_known() -> None:
    assert set(SUFFIXES) <= set(known_backends())
