"""The two ways that a time loop can go, and a faster way to compile."""

from __future__ import annotations

from collections.abc import Iterator

import jax
import pytest

from rockpool.nn.kernels.switch import use_kernels


@pytest.fixture(scope="module", params=["scan", "kernel"])
def both_paths(request: pytest.FixtureRequest) -> Iterator[None]:
    """Run each test of a file by scans, and by compiled kernels where there are any."""
    with use_kernels(request.param == "kernel"):
        yield


@pytest.fixture(scope="module")
def compiled_in_haste() -> Iterator[None]:
    """Let XLA compile without optimisations, for tests in which no bit depends on them."""
    before = jax.config.read("jax_disable_most_optimizations")
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", before)
