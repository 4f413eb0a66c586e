"""Whole networks give the same answer on every back-end, but for rounding."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rockpool
from rockpool.data import load_digit_spikes
from rockpool.nn.combinators import FFwdStack, Residual, Sequential
from rockpool.nn.modules import LIF, ExpSyn, Linear
from rockpool.verification import Verdict

DIGITS = Path(__file__).parents[2] / "examples" / "digits_network.safetensors"
SIMULATORS = ("numba", "torch", "jax", "brian", "nest", "sinabs")


def weights(*shape: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape) * 1.5 / np.sqrt(shape[0])


def linear(n_in: int, n_out: int, seed: int) -> Linear:
    return Linear((n_in, n_out), weight=weights(n_in, n_out, seed=seed))


def neurons(*shape: int, **options: Any) -> LIF:
    return LIF(shape if len(shape) > 1 else shape[0], max_spikes_per_dt=1, **options)


NETWORKS = {
    "recurrent": lambda: Sequential(
        linear(16, 32, 0),
        neurons(32, has_rec=True, w_rec=weights(32, 32, seed=1) / 4, tau_syn=5e-3),
    ),
    "several synapses": lambda: Sequential(
        linear(16, 64, 2), neurons(64, 16, tau_syn=np.array([[2e-3, 5e-3, 10e-3, 20e-3]]))
    ),
    "residual": lambda: Sequential(
        linear(16, 24, 3),
        neurons(24),
        Residual(linear(24, 24, 4), neurons(24, threshold=2.0)),
        ExpSyn(24),
    ),
    "stack": lambda: FFwdStack(
        neurons(16, bias=0.05),
        neurons(20),
        neurons(8, tau_mem=0.05),
        weight_init_func=lambda shape: weights(*shape, seed=5),
    ),
    "time constants of each neuron": lambda: Sequential(
        linear(16, 32, 6),
        neurons(
            32,
            tau_mem=np.linspace(2e-3, 80e-3, 32),
            tau_syn=np.linspace(1e-3, 40e-3, 32)[:, np.newaxis],
            threshold=np.linspace(0.5, 1.5, 32),
            bias=np.linspace(-0.05, 0.05, 32),
        ),
    ),
}


def spikes(n_batch: int, n_steps: int, channels: int) -> np.ndarray:
    return (np.random.default_rng(7).random((n_batch, n_steps, channels)) < 0.2).astype(float)


def judged(verdict: Verdict, backends: tuple[str, ...]) -> Verdict:
    """The verdict, which has to be about all of these back-ends."""
    assert [row.backend for row in verdict.rows[1:]] == list(backends)
    assert verdict.ok, str(verdict)
    assert all(row.state == "equal" for row in verdict.rows[1:] if row.precision == "float64")
    return verdict


@pytest.mark.parametrize("name", NETWORKS)
def test_compiled_networks_agree(name: str) -> None:
    found = rockpool.verify(NETWORKS[name](), spikes(2, 80, 16), backends=["numba", "torch"])
    assert judged(found, ("numba", "torch")).rows[0].neuron_steps > 0


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_networks_agree_on_all_backends(name: str) -> None:
    judged(rockpool.verify(NETWORKS[name](), spikes(4, 120, 16), backends=SIMULATORS), SIMULATORS)


@pytest.mark.slow
def test_the_digits_network_agrees_on_all_backends() -> None:
    data, _ = load_digit_spikes()
    network = rockpool.load(DIGITS, "numpy")
    verdict = judged(rockpool.verify(network, data[:115], backends=SIMULATORS), SIMULATORS)
    assert verdict.rows[0].neuron_steps >= 500_000


@pytest.mark.slow
def test_it_agrees_over_ten_million_neuron_steps() -> None:
    data = np.concatenate([load_digit_spikes(seed=seed)[0] for seed in (1, 2)])
    backends = ("numba", "torch", "jax", "sinabs")
    verdict = judged(
        rockpool.verify(rockpool.load(DIGITS, "numpy"), data, backends=backends), backends
    )
    assert verdict.rows[0].neuron_steps >= 10**7
