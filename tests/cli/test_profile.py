"""`rockpool profile`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rockpool
from rockpool.cli import main
from rockpool.nn.combinators import Sequential
from rockpool.nn.modules import LIF, BooleanState, Linear
from rockpool.profiling import profile

DATA = (np.random.default_rng(2).random((5, 20, 4)) < 0.3).astype(float)
ENERGY = "0.9e-12,4.6e-12,Horowitz, ISSCC 2014"


@pytest.fixture
def network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A network, which is in a file in the present folder, as is its input."""
    pytest.importorskip("safetensors")
    monkeypatch.chdir(tmp_path)
    weight = np.random.default_rng(1).normal(size=(4, 6))
    network = Sequential(Linear((4, 6), weight=weight), LIF(6))
    rockpool.save(network, "net.safetensors")
    np.save("in.npy", DATA)
    return network


def test_the_table_is_that_of_the_function(network: Any, capsys: Any) -> None:
    assert main(["profile", "net.safetensors", "in.npy"]) == 0
    assert capsys.readouterr().out == f"{profile(network, DATA)}\n"


def test_the_same_for_programs(network: Any, capsys: Any) -> None:
    assert main(["profile", "net.safetensors", "in.npy", "--json", "--energy", ENERGY]) == 0
    said = json.loads(capsys.readouterr().out)
    energy = {"ac": 0.9e-12, "mac": 4.6e-12, "source": "Horowitz, ISSCC 2014"}
    assert said == json.loads(json.dumps(profile(network, DATA, energy).to_dict()))


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["net.safetensors"], "usage: rockpool profile NET INPUT"),
        (["net.safetensors", "in.npy", "--energy", "1e-12"], "--energy: must be joules of"),
        (["net.safetensors", "in.npy", "--energy", "1e-12,-1,me"], "mac of energy must be > 0 J"),
        (["none.safetensors", "in.npy"], "cannot read 'none.safetensors'"),
        (["net.safetensors", "digits"], "the digits have 64 channels, the network takes 4"),
    ],
)
def test_mistakes_are_told_in_words(network: Any, capsys: Any, words: Any, text: str) -> None:
    assert main(["profile", *words]) in (1, 2)
    assert text in capsys.readouterr().err


def test_a_network_that_numpy_cannot_hold_is_told(network: Any, capsys: Any) -> None:
    pytest.importorskip("torch")
    rockpool.save(Sequential(BooleanState(4)), "drop.safetensors")
    assert main(["profile", "drop.safetensors", "in.npy"]) == 1
    assert "there is no BooleanState on 'numpy'" in capsys.readouterr().err
