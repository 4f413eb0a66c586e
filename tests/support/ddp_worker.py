"""One of the processes of a data-parallel training; run by ``test_data_parallel.py``.

    python ddp_worker.py RANK SIZE STORE RESULT

Takes two steps of gradient descent on its share of a batch, and saves the gradients of both steps
and the values after them: first with a module in Rockpool mode, then with one in torch mode, and
then with both as shards, and the learning rates of these. Then it saves what comes of its share in
two pieces, also from a module of torch around such a module.
"""

from __future__ import annotations

import sys

import torch
import torch.distributed as distributed
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor
from torch.nn.parallel import DistributedDataParallel

from rockpool.nn.combinators import Sequential
from rockpool.nn.modules.torch import ExpSynTorch, LIFTorch, LinearTorch
from rockpool.training import parameter_groups


def network() -> torch.nn.Module:
    """Return the same small network in each process."""
    torch.manual_seed(0)
    return Sequential(
        LinearTorch((3, 6), has_bias=True),
        LIFTorch(6, has_rec=True, tau_mem=[0.01, 0.02, 0.03, 0.01, 0.02, 0.03]),
        LinearTorch((6, 2)),
        ExpSynTorch(2),
    ).double()  # so that the order of sums does not matter


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    """Return inputs (4, 20, 3) and targets (4, 20, 2), the whole batch."""
    generator = torch.Generator().manual_seed(1)
    inputs = torch.rand((4, 20, 3), generator=generator).double()
    return inputs, torch.rand((4, 20, 2), generator=generator).double()


def train(model: torch.nn.Module, module: torch.nn.Module, rank: int, size: int) -> dict:
    """Take two steps on this process's share, and return what they gave."""
    inputs, targets = (part.chunk(size)[rank] for part in batch())
    result = {}
    for step in range(2):
        module.zero_grad()
        module.reset_state()
        output = model(inputs)
        output = output[0] if isinstance(output, tuple) else output
        ((output - targets) ** 2).mean().backward()
        parameters = dict(module.named_parameters())
        result[f"step {step}"] = {name: whole(p.grad).clone() for name, p in parameters.items()}
        with torch.no_grad():
            for parameter in parameters.values():
                parameter -= 1e-6 * parameter.grad
    result["values"] = {name: whole(p.detach()).clone() for name, p in module.named_parameters()}
    return result


def whole(values: torch.Tensor) -> torch.Tensor:
    """Return all values of a tensor of which each process has a shard."""
    return values.full_tensor() if isinstance(values, DTensor) else values


def shared_out(module: torch.nn.Module, size: int) -> torch.nn.Module:
    """Divide the parameters of a network among the processes, layer by layer."""
    mesh = init_device_mesh("cpu", (size,))
    for layer in module.children():
        fully_shard(layer, mesh=mesh, reshard_after_forward=True)
    return fully_shard(module, mesh=mesh)


def rates(module: torch.nn.Module) -> dict[str, float]:
    """Return the learning rate of each group of parameters, which an optimizer takes."""
    optimizer = torch.optim.Adam(parameter_groups(module))
    return {group["name"]: group["lr"] for group in optimizer.param_groups}


class Around(torch.nn.Module):
    """A module of torch alone that holds one of ours."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = network()

    def forward(self, data: torch.Tensor) -> torch.Tensor:
        """Return the output alone."""
        return self.inner(data)[0]


def stream(model: torch.nn.Module, module: torch.nn.Module, rank: int, size: int) -> list:
    """Return the output for this process's share, which comes in two pieces."""
    module.keep_batch_state()
    pieces = batch()[0].chunk(size)[rank].chunk(2, dim=1)
    with torch.no_grad():
        outputs = [model(piece) for piece in pieces]
    return [output[0] if isinstance(output, tuple) else output for output in outputs]


def main(rank: int, size: int, store: str, path: str) -> None:
    """Train in parallel with the other processes."""
    distributed.init_process_group(
        "gloo", init_method=f"file://{store}", rank=rank, world_size=size
    )
    try:
        results = {"rates": {}}
        for mode, module in (("rockpool", network()), ("torch", network().to_torch())):
            results[mode] = train(DistributedDataParallel(module), module, rank, size)
        for mode, module in (("shards", network()), ("torch shards", network().to_torch())):
            sharded = shared_out(module, size)
            results["rates"][mode] = rates(sharded)
            results[mode] = train(sharded, module, rank, size)
        module, around = network(), Around()
        results["streams"] = [
            stream(DistributedDataParallel(module), module, rank, size),
            stream(DistributedDataParallel(around), around.inner, rank, size),
        ]
        torch.save(results, path)
        distributed.barrier()  # one that leaves early takes the connections of the other with it
    finally:
        distributed.destroy_process_group()


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:])
