"""`rockpool show`, `run` and `verify` with files of NIR, and the names of rockpool 3.1."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import nir_cases

from rockpool import describe
from rockpool.cli import main
from rockpool.nir import NirWarning
from rockpool.nn.combinators import Sequential
from rockpool.nn.modules import LIFTorch, LinearTorch, RateTorch, from_nir, to_nir


def ran(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(words)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_show_says_how_a_file_was_read(capsys: Any) -> None:
    path, _ = nir_cases.case("export", "snntorch_rleaky")
    code, out, _ = ran(capsys, "show", str(path))
    assert code == 0
    assert "written by nir 1.0.8" in out and "read as: snntorch (nodes are called by num" in out
    assert "time step: 0.0001, from tau / r" in out and "reset_mechanism (taken: 'subtract')" in out
    assert "1_lif" in out and "LIFEuler" in out


def test_show_gives_the_same_to_programs(capsys: Any) -> None:
    path, _ = nir_cases.case("export", "spyx_lif_conv")
    said = json.loads(ran(capsys, "show", str(path), "--json")[1])
    assert [layer["model"] for layer in said["layers"][1:3]] == ["Conv2d", "LIFEuler"]
    assert said["notes"]["read as"].startswith("spyx")


def test_run_gives_the_output_and_tells_what_was_taken(
    tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path, case = nir_cases.case("export", "snntorch_leaky")
    np.save("in.npy", case["x"])
    code, out, err = ran(capsys, "run", str(path), "in.npy", "-o", "out.npy", "--backend", "numpy")
    assert code == 0 and "dt" not in out
    assert "do not hold reset_mechanism" in err
    np.testing.assert_array_equal(np.load("out.npy")[0], case["y"])


def test_verify_compares_the_back_ends(capsys: Any) -> None:
    path, _ = nir_cases.case("export", "spikingjelly_kinds_dt1e-3")
    code, out, _ = ran(capsys, "verify", str(path), "--backends", "torch")
    assert code == 0 and "torch" in out


@pytest.mark.parametrize("command", ["show", "verify"])
def test_a_damaged_file_is_named(tmp_path: Path, capsys: Any, command: str) -> None:
    data = nir_cases.case("export", "sinabs_iaf")[0].read_bytes()
    (tmp_path / "cut.nir").write_bytes(data[:5000])
    code, _, err = ran(capsys, command, str(tmp_path / "cut.nir"))
    assert code == 1 and "cut.nir: the file is damaged" in err


# -- rockpool 3.1 ----------------------------------------------------------------------------------


def old_network() -> Any:
    return Sequential(LinearTorch((2, 3), has_bias=True), LIFTorch(3), LinearTorch((3, 1)))


def test_the_old_names_write_what_3_1_reads() -> None:
    network = old_network()
    graph = to_nir(network)
    assert set(graph.nodes) == {"input", "output", "0_LinearTorch", "1_LIFTorch", "2_LinearTorch"}
    assert len(graph.edges) == 4
    neurons = graph.nodes["1_LIFTorch"]
    assert type(neurons).__name__ == "CubaLIF" and (neurons.w_in == 1).all()
    np.testing.assert_allclose(neurons.r, 20 - 1, rtol=1e-6)  # it takes dt = tau / (1 + r)
    assert graph.nodes["0_LinearTorch"].weight.shape == (3, 2)


def test_the_old_names_lose_nothing() -> None:
    network = old_network()
    again = from_nir(to_nir(network))
    assert type(again).__name__ == "TorchSequential"
    assert describe(again, state=False) == describe(network, state=False)


def test_what_3_1_does_not_write_is_kept_and_warned_of() -> None:
    network = Sequential(LinearTorch((2, 3)), LIFTorch(3, has_rec=True, bias=np.ones(3)))
    with pytest.warns(NirWarning, match="'1_LIFTorch': bias, w_rec"):
        graph = to_nir(network)
    assert describe(from_nir(graph), state=False) == describe(network, state=False)


def test_a_single_layer_has_the_name_that_is_given() -> None:
    assert "lif" in to_nir(LIFTorch(3), model_name="lif").nodes
    assert "rockpool" in to_nir(LIFTorch(3), None).nodes


@pytest.mark.parametrize("module", [LIFTorch((6, 3)), RateTorch(3)])
def test_other_layers_are_not_implemented(module: Any) -> None:
    with pytest.raises(NotImplementedError, match="to_nir: 'rockpool'"):
        to_nir(module)


def test_files_are_read_as_torch_modules() -> None:
    import torch

    path, case = nir_cases.case("export", "rockpool_lif")
    with pytest.warns(NirWarning):
        network = from_nir(path)
    output, _, _ = network(torch.from_numpy(case["x"])[None])
    np.testing.assert_array_equal(output[0].detach().numpy(), case["y"])
    assert network.as_graph() is not None
