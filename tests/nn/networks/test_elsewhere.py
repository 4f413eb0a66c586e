"""Whole networks, trained in torch, elsewhere: streamed, in files of NIR, without their dropout."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from support import golden

import rockpool
from rockpool.nir import from_nir, to_nir
from rockpool.nn.combinators import Residual, Sequential, Wired
from rockpool.nn.modules import LIFTorch, LinearTorch, TimeStepDropout, UnitDropout
from rockpool.nn.networks import SynNet, WaveSenseNet
from rockpool.nn.networks.wavesense import WaveSenseBlock

N, T = 3, 40

NETWORKS: dict[str, Callable[[], Any]] = {
    "spikes": lambda: SynNet(4, N, [20, 12], [2, 4]),
    "dropout": lambda: SynNet(4, N, [20], [2], p_dropout=0.5),
    "potentials": lambda: SynNet(4, N, [20], [2], output="vmem"),
    "wavesense": lambda: WaveSenseNet([2, 4, 3], 4, N, 5, 6, 7, kernel_size=3),
}


def made(name: str) -> Any:
    """A network of torch with exact weights, not in training."""
    network = NETWORKS[name]()
    rng = np.random.default_rng(4)
    for key, parameter in network.named_parameters():
        if key.endswith("weight"):
            drawn = rng.integers(-16, 20, tuple(parameter.shape)) / 32
            parameter.data.copy_(torch.from_numpy(drawn))
    return network.eval()


def data() -> np.ndarray:
    return np.random.default_rng(5).poisson(0.4, (2, T, N)).astype(np.float32)


def run(network: Any) -> np.ndarray:
    with torch.inference_mode():
        output = network(torch.from_numpy(data()))[0].numpy()
    network.reset_state()
    return output


@pytest.mark.filterwarnings("ignore:convert. jax has no dropout")
@pytest.mark.parametrize("engine", ["numpy", "numba"])
@pytest.mark.parametrize("name", NETWORKS)
def test_it_is_streamed(name: str, engine: str) -> None:
    network = made(name)
    expected = run(network)
    assert 0.05 < np.mean(expected != 0) < 1
    stream = rockpool.stream(network, batch=2, engine=engine)
    at_once = stream.run(data())
    np.testing.assert_array_equal(at_once, expected)
    assert _paths(stream.state) == _paths(network.state())
    for backend in ("numpy", "jax"):
        stream = rockpool.stream(rockpool.convert(made(name), backend), "float32", 2, engine)
        steps = [stream.step(data()[:, t]).copy() for t in range(T)]
        np.testing.assert_array_equal(np.stack(steps, 1), expected)


def _paths(state: Any, path: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    if not isinstance(state, dict):
        return {path}
    return set().union(*(_paths(inner, (*path, name)) for name, inner in state.items()))


def test_a_stream_goes_on_from_the_states_and_gives_them_back() -> None:
    network, first, then = made("wavesense"), data()[:1, :15], data()[:1, 15:]
    expected = run(network)[:1]
    with torch.inference_mode():
        network(torch.from_numpy(first))
    stream = network.stream(engine="numpy")
    np.testing.assert_array_equal(stream.run(then[0]), expected[0, 15:])
    assert set(stream.state["wave1"]) >= {"spk1", "spk2_res", "spk2_skip"}


@pytest.mark.parametrize("name", ["spikes", "dropout", "wavesense"])
def test_it_is_written_to_a_file_of_nir(name: str, tmp_path: Any) -> None:
    import nir

    network, file = made(name), tmp_path / "net.nir"
    with pytest.warns(rockpool.nir.NirWarning):
        to_nir(network, file, nir_version="1.0.4")
    again = rockpool.convert(from_nir(file), "torch")
    np.testing.assert_array_equal(run(again), run(network))
    kinds = [type(node).__name__ for node in nir.read(file).nodes.values()]
    assert kinds.count("Input") == kinds.count("Output") == 1  # nothing in it leads nowhere


def test_potentials_are_no_spikes_of_nir() -> None:
    for network in (made("potentials"), rockpool.convert(made("potentials"), "numpy")):
        with pytest.raises(ValueError, match=r"gives membrane potentials.* output='spikes'"):
            to_nir(network)


def test_a_block_has_two_outputs() -> None:
    block = WaveSenseBlock(N, 4, 2)
    with pytest.raises(ValueError, match=r"WaveSenseBlock has two outputs, of which a stream"):
        block.stream()
    with pytest.raises(ValueError, match=r"WaveSenseBlock, a container that NIR cannot hold"):
        to_nir(block)


def test_one_that_was_derived_is_wired_as_its_own_code_says() -> None:
    class Doubled(SynNet):
        def forward(self, data: torch.Tensor) -> torch.Tensor:
            return 2 * super().forward(data)

    with pytest.raises(ValueError, match=r"Doubled is a container of your own"):
        Doubled(N, 4, [5], [2]).stream()


# -- dropout ---------------------------------------------------------------------------------------


def with_dropout() -> Any:
    weight = torch.from_numpy(golden.weights(N, 4, 2)).float()
    inner = Residual(TimeStepDropout(4), LIFTorch(4))
    wired = Wired(
        {"a": LinearTorch((N, 4), weight=weight), "b": UnitDropout(4), "c": inner},
        [("input", "a"), ("a", "b"), ("b", "c"), ("a", "c"), ("c", "output")],
    )
    return Sequential(wired, UnitDropout((4,), p=0.9))


@pytest.mark.parametrize("backend", ["numpy", "numba", "jax", "auto", "brian"])
@pytest.mark.filterwarnings("ignore:convert. jax has no dropout")
def test_dropout_passes_all_on_elsewhere(backend: str) -> None:
    network = with_dropout()
    moved = rockpool.convert(network, backend)
    network.eval()
    expected = run(network)
    np.testing.assert_allclose(np.asarray(moved(data())[0]), expected, rtol=1e-6, atol=1e-6)
    assert rockpool.verify(network, data()).ok
    np.testing.assert_allclose(rockpool.stream(network, batch=2).run(data()), expected, atol=1e-6)


@pytest.mark.slow
def test_dropout_of_a_file_drops_nothing_when_it_is_run_or_verified(tmp_path: Path) -> None:
    network, file = with_dropout(), tmp_path / "net.safetensors"
    rockpool.save(network, file)  # in training, as it is made
    np.save(tmp_path / "in.npy", data())
    for arguments in (["verify", "--backends", "torch"], ["run", "--backend", "torch"]):
        command, *options = arguments
        more = ["-o", tmp_path / "out.npy"] if command == "run" else []
        words = [command, file, tmp_path / "in.npy", *options, *more]
        done = subprocess.run(
            [sys.executable, "-m", "rockpool", *map(str, words)], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
    np.testing.assert_allclose(np.load(tmp_path / "out.npy"), run(network.eval()), atol=1e-6)


def test_dropout_stays_dropout_in_files_and_with_neurons_of_sinabs(tmp_path: Any) -> None:
    network = with_dropout()
    rockpool.save(network, tmp_path / "net.safetensors")
    again = rockpool.load(tmp_path / "net.safetensors", "torch")
    assert rockpool.describe(again) == rockpool.describe(network)
    moved = repr(rockpool.convert(network, "sinabs"))
    assert moved.count("UnitDropout") == 3 and "TimeStepDropout" in moved and "Instant" not in moved


def test_who_may_want_to_train_in_jax_is_told_that_it_has_no_dropout() -> None:
    with pytest.warns(UserWarning, match=r"jax has no dropout.*: 0_TorchWired\.b, .*, 1_Unit"):
        rockpool.convert(with_dropout(), "jax")
