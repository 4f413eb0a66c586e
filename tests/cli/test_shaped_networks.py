"""The commands on a network whose input has axes, and whose modules are connected by edges."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rockpool
from rockpool.cli import main
from rockpool.nn.combinators import Sequential, Wired
from rockpool.nn.modules import LIF, Conv2d, Flatten, SumPool2d

DATA = (np.random.default_rng(0).random((2, 30, 2, 4, 6)) < 0.4).astype(float)


@pytest.fixture
def net(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The network that is in a file, in the folder to be in."""
    monkeypatch.chdir(tmp_path)
    modules = {
        "conv": Conv2d((2, 4, 6), 2, (3, 2), padding="same"),
        "flat": Flatten((2, 4, 6)),
        "neurons": LIF(48, max_spikes_per_dt=1),
        "pool": SumPool2d((2, 4, 6), 2),
    }
    names = ["input", "conv", "flat", "neurons", "pool", "output"]
    net = Wired(modules, list(pairwise(names)))
    rockpool.save(net, "net.safetensors")
    np.save("in.npy", DATA)
    return net


def said(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(words) == 0
    return capsys.readouterr().out


def test_show_has_edges_and_sizes(net: Any, capsys: Any) -> None:
    out = said(capsys, "show", "net.safetensors")
    layers = json.loads(said(capsys, "show", "net.safetensors", "--json"))["layers"]

    assert "edges input -> conv, conv -> flat, flat -> neurons" in out
    assert "kernel_size (3, 2)" in out and "padding ((1, 1), (0, 1))" in out
    assert layers[1]["settings"]["shape_in"] == [2, 4, 6]


def test_run_takes_input_with_axes_and_without(net: Any, capsys: Any) -> None:
    np.save("flat.npy", DATA.reshape(2, 30, 48))
    expected, _, _ = net(DATA)

    for name in ("in.npy", "flat.npy"):
        words = ("run", "net.safetensors", name, "--backend", "numpy", "-o", "out.npy")
        assert "2 inputs of 30 time steps" in said(capsys, *words)
        np.testing.assert_array_equal(np.load("out.npy"), expected)
    assert expected.shape == (2, 30, 2, 2, 3) and expected.any()


def test_run_refuses_other_axes(net: Any, capsys: Any) -> None:
    np.save("in.npy", DATA.swapaxes(3, 4))

    assert main(["run", "net.safetensors", "in.npy"]) == 1
    assert "must have the shape (batch, time, 48)" in capsys.readouterr().err


def test_run_writes_a_table_of_one_input(net: Any, capsys: Any) -> None:
    np.save("in.npy", DATA[:1])

    said(capsys, "run", "net.safetensors", "in.npy", "--backend", "numpy", "-o", "out.csv")

    table = np.loadtxt("out.csv", delimiter=",")
    np.testing.assert_array_equal(table, net(DATA[:1])[0].reshape(30, 12))


def test_verify_and_profile_go_over_all_layers(net: Any, capsys: Any) -> None:
    verdict = json.loads(said(capsys, "verify", "net.safetensors", "in.npy", "--json"))
    profile = said(capsys, "profile", "net.safetensors", "in.npy")

    assert verdict["ok"] and verdict["rows"][0]["neuron_steps"] == 2 * 30 * 48
    assert "conv     Conv2d" in profile and "2 x 30 time steps" in profile


def test_several_obstacles_stand_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    layers = Conv2d((1, 4, 4), 2, 3), SumPool2d((2, 2, 2), 2)
    rockpool.save(Sequential(*layers), "net.safetensors")
    assert main(["export", "net.safetensors", "--to", "c", "-o", "made"]) == 1
    error = capsys.readouterr().err
    assert "not in C: '0_Conv2d': Conv2d is not written in C; '1_SumPool2d': SumPool2d" in error
    assert "\\n" not in error and error.count("\n") == 1
