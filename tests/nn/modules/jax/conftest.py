"""The two ways that a time loop can go."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rockpool.nn.kernels.switch import use_kernels


@pytest.fixture(scope="module", params=["scan", "kernel"])
def both_paths(request: pytest.FixtureRequest) -> Iterator[None]:
    """Run each test of a file by scans, and by compiled kernels where there are any."""
    with use_kernels(request.param == "kernel"):
        yield
