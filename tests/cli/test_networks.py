"""`rockpool show`, `run` and `verify`: networks in files."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.patience import PATIENCE

import rockpool
from rockpool.cli import main
from rockpool.nn.combinators import Sequential
from rockpool.nn.modules import LIF, BooleanState, ExpSyn, Linear


def network() -> Any:
    rng = np.random.default_rng(1)
    return Sequential(Linear((4, 6), weight=rng.normal(size=(4, 6))), LIF((6, 3)), ExpSyn(3))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to be in, with a network and an input."""
    monkeypatch.chdir(tmp_path)
    rockpool.save(network(), "net.safetensors", notes={"made": "for a test"})
    np.save("in.npy", np.random.default_rng(2).random((5, 20, 4)))
    return tmp_path


def ran(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(words)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_show_tells_what_there_is(folder: Path, capsys: Any) -> None:
    code, out, _ = ran(capsys, "show", "net.safetensors")
    assert code == 0
    assert "made: for a test" in out
    assert "4 x 6" in out and "tau_mem 0.02" in out
    assert "sinabs        yes" in out and "sinabs-exodus yes" in out


@pytest.mark.parametrize("words", [["show"], ["run", "--backend", "numpy"]])
def test_two_dashes_end_the_options(folder: Path, words: list[str], capsys: Any) -> None:
    os.rename("net.safetensors", "-net.safetensors")
    os.rename("in.npy", "--help.npy")
    files = ["-net.safetensors", *(["--help.npy"] if words[0] != "show" else [])]
    code, out, _ = ran(capsys, *words, "--", *files)
    assert code == 0
    assert "usage" not in out


def test_show_says_why_a_backend_cannot_hold_it(folder: Path, capsys: Any) -> None:
    rockpool.save(Sequential(BooleanState(2)), "drop.safetensors")
    _, out, _ = ran(capsys, "show", "drop.safetensors")
    assert "numpy         no: '0_BooleanState': there is no BooleanState on 'numpy'" in out
    said = json.loads(ran(capsys, "show", "drop.safetensors", "--json")[1])
    assert said["backends"]["torch"] == [] and said["layers"][1]["model"] == "BooleanState"


def test_show_imports_numpy_alone(folder: Path) -> None:
    code = (
        "import sys\nfrom rockpool.cli import main\nmain(['show', 'net.safetensors'])\n"
        "print(sorted({'torch', 'jax', 'numba', 'safetensors', 'matplotlib'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_run_writes_what_the_network_gives(folder: Path, capsys: Any) -> None:
    code, out, _ = ran(
        capsys,
        "run",
        "net.safetensors",
        "in.npy",
        "--backend",
        "numpy",
        "--batch",
        "2",
        "-o",
        "out.npz",
        "--record",
        "vmem,isyn",
    )
    assert code == 0 and "5 inputs of 20 time steps of 1 ms, on numpy" in out
    data = np.load("in.npy")
    net = network()
    net.keep_batch_state()
    wanted, _, record = net(data, record=True)
    with np.load("out.npz") as found:
        assert np.array_equal(found["output"], wanted)
        assert np.array_equal(found["1_LIF.vmem"], record["1_LIF"]["vmem"])


def test_run_starts_each_input_from_the_state_of_the_file(folder: Path, capsys: Any) -> None:
    net = network()
    net(np.ones((1, 7, 4)))
    rockpool.save(net, "net.safetensors")
    ran(
        capsys,
        "run",
        "net.safetensors",
        "in.npy",
        "-o",
        "out.npy",
        "--batch",
        "1",
        "--backend",
        "numpy",
    )
    wanted = [
        rockpool.load("net.safetensors", "numpy")(x[np.newaxis])[0][0] for x in np.load("in.npy")
    ]
    assert np.array_equal(np.load("out.npy"), wanted)


@pytest.mark.parametrize("backend", ["auto", "torch", "jax"])
def test_run_is_the_same_on_any_backend(
    folder: Path, capsys: Any, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROCKPOOL_COST_FILE", str(folder / "none.json"))
    said = json.loads(
        ran(capsys, "run", "net.safetensors", "in.npy", "--backend", backend, "--json")[1]
    )
    if backend == "auto":
        costs = said["choice"]["costs"]
        assert said["backend"] == min(costs, key=costs.get)
    else:
        assert said["backend"] == backend and said["choice"] is None
    assert said["spikes"]["1_LIF"] == network()[:2](np.load("in.npy"))[0].sum()
    assert said["steps"] == 20 and said["simulated_seconds"] == pytest.approx(0.1)


def test_run_says_what_auto_is_and_why(
    folder: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROCKPOOL_COST_FILE", str(folder / "none.json"))
    code, out, _ = ran(capsys, "run", "net.safetensors", "in.npy", "--batch", "2")
    line = next(line for line in out.splitlines() if line.startswith("choice "))
    assert code == 0 and line.endswith("(costs by default)")
    assert "3 calls, started anew, of 2 x 20 time steps" in line
    monkeypatch.setattr("sys.stdin", io.StringIO("1,0,0,1\n"))
    code, out, err = ran(capsys, "run", "net.safetensors", "-")
    assert code == 0 and len(out.splitlines()) == 1
    assert err.startswith("rockpool run: on ") and "of 1 x 1 time steps" in err


def test_run_answers_lines_step_by_step(folder: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "rockpool",
        "run",
        "net.safetensors",
        "-",
        "--backend",
        "numpy",
    ]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        answers = []
        data = np.load("in.npy")[0, :5]
        for step in data:
            process.stdin.write(",".join(map(repr, step.tolist())) + "\n")
            process.stdin.flush()
            answers.append([float(x) for x in process.stdout.readline().split(",")])
        process.stdin.close()
        assert process.wait(PATIENCE) == 0
    assert np.allclose(answers, network()(data)[0][0], rtol=1e-8)


@pytest.mark.parametrize("ending", [".npy", ".npz", ".csv"])
def test_input_is_read_from_arrays_and_tables(folder: Path, capsys: Any, ending: str) -> None:
    data = np.load("in.npy")[0]
    name = f"one{ending}"
    if ending == ".npy":
        np.save(name, data)
    elif ending == ".npz":
        np.savez(name, input=data, labels=np.arange(3))
    else:
        np.savetxt(name, data, delimiter=",", encoding="utf-8-sig")  # as spreadsheets write it
    ran(capsys, "run", "net.safetensors", name, "--backend", "numpy", "-o", "out.csv")
    assert np.allclose(np.loadtxt("out.csv", delimiter=","), network()(data)[0][0])


def test_verify_prints_the_verdict(folder: Path, capsys: Any) -> None:
    code, out, _ = ran(capsys, "verify", "net.safetensors", "in.npy", "--backends", "numba")
    assert code == 0 and out.splitlines()[2].endswith("equal")
    said = json.loads(ran(capsys, "verify", "net.safetensors", "--backends", "numba", "--json")[1])
    assert said["ok"] and len(said["rows"]) == 2
    code, out, said = ran(capsys, "verify", "net.safetensors", "--backends", "numpy")
    assert code == 1 and "reference" in out
    assert "nothing was compared: no back-end but numpy could run the network" in said


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["show", "none.safetensors"], 1, "cannot read 'none.safetensors': No such file"),
        (["show", "in.npy"], 1, "in.npy: "),
        (["show"], 2, "usage: rockpool show NET"),
        (["run", "net.safetensors"], 2, "usage: rockpool run NET INPUT"),
        (["run", "net.safetensors", "in.wav"], 2, "INPUT must be digits, or a file that ends in"),
        (["run", "net.safetensors", "none.npy"], 1, "cannot read 'none.npy': No such file"),
        (["run", "net.safetensors", "wrong.npy"], 1, r"must have the shape (batch, time, 4)"),
        (["run", "net.safetensors", "nan.npy"], 1, "must hold finite numbers"),
        (["run", "net.safetensors", "text.npy"], 1, "must hold real numbers"),
        (
            ["run", "net.safetensors", "digits"],
            1,
            "the digits have 64 channels, the network takes 4",
        ),
        (
            ["run", "net.safetensors", "in.npy", "--backend", "tensorflow"],
            2,
            "no back-end 'tensorflow'",
        ),
        (["run", "net.safetensors", "in.npy", "-o", "out.txt"], 2, "must end in .npz, .npy, .csv"),
        (
            ["run", "net.safetensors", "in.npy", "-o", "out.csv"],
            1,
            "a .csv holds the output of one",
        ),
        (["run", "net.safetensors", "in.npy", "--record", "vmem"], 2, "records go into a file -o"),
        (
            ["run", "net.safetensors", "in.npy", "-o", "no/where.npy"],
            2,
            "-o: there is no folder 'no'",
        ),
        (
            ["run", "net.safetensors", "in.npy", "-o", "out.npz", "--record", "vmme"],
            2,
            "--record: must be irec, isyn, spikes or vmem, got 'vmme'",
        ),
        (["run", "net.safetensors", "-", "-o", "out.csv"], 2, "-o: lines of stdin are answered"),
        (["run", "net.safetensors", "-", "--json"], 2, "--json: lines of stdin are answered"),
        (["run", "net.safetensors", "empty.npy"], 1, "must have at least one time step"),
        (["run", "net.safetensors", "empty.csv"], 1, "cannot read 'empty.csv': it is empty"),
        (["verify", "net.safetensors", "empty.npy"], 1, "must have at least one time step"),
        (["run", "net.safetensors", "no_batch.npy"], 1, "must have at least one batch element"),
        (["verify", "net.safetensors", "--dtype", "int8"], 2, "must be float32 or float64"),
        (["verify", "net.safetensors", "--backends", "torhc"], 2, "did you mean 'torch'"),
    ],
)
def test_what_is_wrong_is_said(
    folder: Path, capsys: Any, words: list[str], code: int, message: str
) -> None:
    np.save("wrong.npy", np.ones((5, 3)))
    np.save("nan.npy", np.full((5, 4), np.nan))
    np.save("empty.npy", np.ones((2, 0, 4)))
    np.save("no_batch.npy", np.ones((0, 2, 4)))
    np.save("text.npy", np.array([["a"] * 4]))
    Path("empty.csv").touch()
    found, _, err = ran(capsys, *words)
    assert (found, message in err) == (code, True), err
    assert not list(Path().glob("out.*"))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
def test_a_pipe_is_no_file(folder: Path, capsys: Any) -> None:
    os.mkfifo("pipe")
    for words in (["show", "pipe"], ["run", "pipe", "in.npy"], ["run", "net.safetensors", "pipe"]):
        code, _, said = ran(capsys, *words)
        assert code == 1 and "cannot read 'pipe': it is no regular file" in said
    with pytest.raises(rockpool.files.FileFormatError, match="pipe: it is no regular file"):
        rockpool.data.read("pipe")


def test_numbers_of_stdin_have_commas_between_them(
    folder: Path, capsys: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("\ufeff1,0,0,1\n1 0 0 1\n"))
    code, out, said = ran(capsys, "run", "net.safetensors", "-", "--backend", "numpy")
    assert code == 1 and len(out.splitlines()) == 1
    assert "line 2 of stdin must be numbers, with commas between them, got '1 0 0 1'" in said


def test_with_numpy_alone_digits_are_run(numpy_python: Any, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    net = Sequential(Linear((64, 10), weight=rng.normal(size=(64, 10))), LIF(10))
    rockpool.save(net, tmp_path / "net.safetensors")
    done = numpy_python.run("-m", "rockpool", "run", str(tmp_path / "net.safetensors"), "digits")
    assert "1797 inputs of 40 time steps of 1 ms, on numpy" in done.stdout
    assert "% read rightly, of all there are: those that it learnt from too" in done.stdout
    words = ("run", str(tmp_path / "net.safetensors"), "digits", "--backend", "torch")
    done = numpy_python.run("-m", "rockpool", *words, check=False)
    assert done.returncode == 1
    assert "Missing the `torch` backend." in done.stderr
    assert "To get it: pip install" in done.stderr


@pytest.mark.parametrize("size", [0, 300])
@pytest.mark.parametrize("command", ["run", "verify", "profile"])
def test_input_that_was_cut_off(command: str, size: int, folder: Path, capsys: Any) -> None:
    np.savez("in.npz", input=np.zeros((1, 20, 4)))
    Path("cut.npz").write_bytes(Path("in.npz").read_bytes()[:size])
    code, out, error = ran(capsys, command, "net.safetensors", "cut.npz")
    assert code == 1 and not out
    assert error.startswith(f"rockpool {command}: ") and error.count("\n") == 1
    assert "cut.npz" in error and "Traceback" not in error


def test_times_without_a_unit_are_told_in_words_for_a_file(folder: Path, capsys: Any) -> None:
    Path("events.csv").write_text("t,x,y,p\n0.001,1,2,1\n")
    code, _, error = ran(capsys, "run", "net.safetensors", "events.csv")
    assert code == 1 and "as in t_us,x,y,p" in error


def test_without_matplotlib_run_says_so_before_the_work(numpy_python: Any, tmp_path: Path) -> None:
    rockpool.save(network(), tmp_path / "net.safetensors")
    words = "run", str(tmp_path / "net.safetensors"), "digits", "--plot", str(tmp_path / "x.png")
    done = numpy_python.run("-m", "rockpool", *words, check=False)
    assert done.returncode == 1 and not done.stdout
    assert done.stderr.startswith("rockpool run: --plot needs matplotlib")


def test_input_that_was_damaged(folder: Path, capsys: Any) -> None:
    np.savez_compressed("in.npz", input=np.random.default_rng(0).random((1, 50, 4)))
    content = bytearray(Path("in.npz").read_bytes())
    middle = len(content) // 2
    content[middle : middle + 20] = bytes(20)
    Path("damaged.npz").write_bytes(content)
    code, out, error = ran(capsys, "run", "net.safetensors", "damaged.npz")
    assert code == 1 and not out and error.startswith("rockpool run: cannot read 'damaged.npz'")
