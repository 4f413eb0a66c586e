"""Training in two processes, each on half of the batch, against one process on all of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from support import ddp_worker
from support.patience import PATIENCE
from torch.nn.parallel import DistributedDataParallel

import rockpool
from rockpool.nn.combinators import Sequential
from rockpool.nn.modules.torch import LIFTorch

ROOT = Path(rockpool.__file__).parents[1]


def test_states_of_neurons_are_not_those_of_another_process() -> None:
    module = Sequential(torch.nn.BatchNorm1d(3), LIFTorch(3))
    states = {f"1_LIFTorch.{name}" for name in ("vmem", "isyn", "spikes")}
    assert module._ddp_params_and_buffers_to_ignore == states
    own = "1_LIFTorch.bias"
    DistributedDataParallel._set_params_and_buffers_to_ignore_for_model(module, [own])
    assert module._ddp_params_and_buffers_to_ignore == {own, *states}


@pytest.mark.slow
def test_gradients_of_two_processes_are_those_of_one_on_the_whole_batch(tmp_path: Path) -> None:
    results = [tmp_path / f"{rank}.pt" for rank in range(2)]
    workers = [
        subprocess.Popen(
            [
                *(sys.executable, ddp_worker.__file__),
                *(str(rank), "2", str(tmp_path / "store"), str(results[rank])),
            ],
            env={**os.environ, "PYTHONPATH": str(ROOT), "GLOO_SOCKET_IFNAME": "lo"},
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    try:
        errors = [worker.communicate(timeout=PATIENCE)[1] for worker in workers]
    finally:
        for worker in workers:
            worker.kill()
    assert [worker.returncode for worker in workers] == [0, 0], "\n".join(errors)

    module = ddp_worker.network()
    rates = ddp_worker.rates(module)
    expected = ddp_worker.train(module, module, 0, 1)
    module = ddp_worker.network()
    whole = ddp_worker.stream(module, module, 0, 1)
    for rank, path in enumerate(results):
        loaded = torch.load(path, weights_only=True)
        assert loaded.pop("rates") == {"shards": rates, "torch shards": rates}
        for pieces in loaded.pop("streams"):  # each process goes on from the states of its share
            torch.testing.assert_close(pieces, [piece.chunk(2)[rank] for piece in whole])
        for mode, found in loaded.items():
            for part, tensors in expected.items():
                for name, tensor in tensors.items():
                    message = f"{mode} mode, {part}: {name}"
                    torch.testing.assert_close(
                        found[part][name], tensor, rtol=1e-6, atol=1e-12, msg=message
                    )
