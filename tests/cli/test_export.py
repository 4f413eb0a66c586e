"""`rockpool export`: a network of a file as C."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rockpool
from rockpool.cli import main
from rockpool.nn.combinators import Sequential
from rockpool.nn.modules import LIF, Linear
from rockpool.streaming import export_c


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to be in, with networks."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(1)
    network = Sequential(Linear((4, 6), weight=rng.normal(size=(4, 6))), LIF((6, 3)))
    rockpool.save(network, "net.safetensors")
    rockpool.save(Sequential(LIF(2, noise_std=0.5)), "noisy.safetensors")
    return tmp_path


def ran(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(words)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.mark.parametrize("weights", ["float32", "int8"])
def test_it_writes_what_the_function_writes(folder: Path, capsys: Any, weights: str) -> None:
    words = ["--to", "c", "-o", "made", "--weights", weights]
    code, out, _ = ran(capsys, "export", "net.safetensors", *words)
    assert code == 0
    wanted = export_c(rockpool.load("net.safetensors"), folder / "wanted", weights=weights)
    paths = ["made/net.h", "made/net.c", "made/main.c"]
    assert out.splitlines() == [*paths, f"39 parameters, weights in {weights}"]
    for path in wanted.paths:
        assert Path(path).read_text() == (folder / "made" / Path(path).name).read_text()


def test_the_network_of_these_weights_can_be_saved(folder: Path, capsys: Any) -> None:
    words = ["--to", "c", "-o", "made", "--weights", "int8", "--save", "small.safetensors"]
    assert ran(capsys, "export", "net.safetensors", *words)[0] == 0
    wanted = export_c(rockpool.load("net.safetensors"), folder / "wanted", weights="int8")
    small = rockpool.read_header("small.safetensors").network
    assert small == wanted.description
    assert ran(capsys, "verify", "small.safetensors", "--backends", "numba")[0] == 0


def test_it_tells_programs(folder: Path, capsys: Any) -> None:
    code, out, _ = ran(capsys, "export", "net.safetensors", "--to", "c", "-o", "made", "--json")
    said = json.loads(out)
    assert code == 0 and said["weights"] == "float32" and len(said["files"]) == 3


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["net.safetensors", "--to", "c"], 2, "usage: rockpool export NET --to c -o DIR"),
        (["net.safetensors", "-o", "made"], 2, "usage: rockpool export NET --to c -o DIR"),
        (["--to", "c", "-o", "made"], 2, "usage: rockpool export NET --to c -o DIR"),
        (["net.safetensors", "--to", "rust", "-o", "made"], 2, "must be c, got 'rust'"),
        (
            ["net.safetensors", "--to", "c", "-o", "made", "--weights", "int4"],
            2,
            "must be float32 or int8, got 'int4'",
        ),
        (["none.safetensors", "--to", "c", "-o", "made"], 1, "cannot read 'none.safetensors'"),
        (["noisy.safetensors", "--to", "c", "-o", "made"], 1, "'0_LIF': LIF has noise"),
        (
            ["net.safetensors", "--to", "c", "-o", "noisy.safetensors"],
            1,
            "cannot write 'noisy.safetensors': File exists",
        ),
        (["net.safetensors", "--to", "c", "-o", "."], 1, "main.c is there already"),
        (
            ["net.safetensors", "--to", "c", "-o", "made", "--save", "no/where.safetensors"],
            2,
            "--save: there is no folder 'no'",
        ),
    ],
)
def test_what_is_wrong_is_said(
    folder: Path, capsys: Any, words: list[str], code: int, message: str
) -> None:
    (folder / "main.c").write_text("mine\n")
    found, _, err = ran(capsys, "export", *words)
    assert (found, message in err) == (code, True), err
    assert not (folder / "made").exists() and (folder / "main.c").read_text() == "mine\n"


def test_numpy_alone_is_enough(numpy_python: Any, folder: Path) -> None:
    rockpool.save(LIF(2), "one.safetensors")
    path, made = str(folder / "one.safetensors"), str(folder / "made")
    done = numpy_python.run("-m", "rockpool", "export", path, "--to", "c", "-o", made)
    assert "8 parameters" in done.stdout and (folder / "made" / "net.c").exists()


def test_without_safetensors_nothing_is_written(numpy_python: Any, tmp_path: Path) -> None:
    project = Path(__file__).parents[2]
    net = project / "examples" / "digits_network.safetensors"
    made, saved = tmp_path / "made", tmp_path / "small.safetensors"
    words = [
        "-m",
        "rockpool",
        "export",
        str(net),
        "--to",
        "c",
        "-o",
        str(made),
        "--save",
        str(saved),
    ]
    done = numpy_python.run(*words, path=project, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "--save needs safetensors: no module named 'safetensors' is installed" in done.stderr
    assert 'pip install "safetensors>=0.4"' in done.stderr and not made.exists()
