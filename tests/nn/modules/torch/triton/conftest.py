"""Kernels of Triton on a CUDA device if there is one, else by Triton's interpreter on the CPU."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from importlib.util import find_spec

import pytest
import torch

from rockpool.nn.kernels.switch import use_kernels

SETTINGS = {"TRITON_INTERPRET": "1", "ROCKPOOL_KERNELS": "triton"}


@pytest.fixture(scope="session")
def device() -> Iterator[str]:
    if find_spec("triton") is None:
        pytest.skip("needs triton")
    if torch.cuda.is_available():
        yield "cuda"
        return
    if "triton" in sys.modules and not sys.modules["triton"].knobs.runtime.interpret:
        pytest.skip("triton was imported before; start pytest with TRITON_INTERPRET=1")
    before = {name: os.environ.get(name) for name in SETTINGS}
    os.environ.update(SETTINGS)
    yield "cpu"
    for name, value in before.items():
        if value is None:
            del os.environ[name]
        else:
            os.environ[name] = value


@pytest.fixture(autouse=True)
def kernels(device: str) -> Iterator[None]:
    with use_kernels(True):
        yield
