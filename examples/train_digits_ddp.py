"""Train a larger network on digits with several processes, each with its share of every batch.

    torchrun --nproc-per-node 2 examples/train_digits_ddp.py
    python examples/train_digits_ddp.py                         one process, to compare

Nothing is ours but the network: ``DistributedDataParallel`` takes the mean of the gradients. Each
process has states of neurons of its own. The first one says how far the gradients are from those
that one process gets from a whole batch.
"""

from __future__ import annotations

import argparse
import os
import sys
import time

from rockpool.nn.modules import ExpSynTorch, LIFTorch, LinearTorch, TorchModule

try:
    import torch
    import torch.distributed as distributed
    from torch import Tensor, nn
    from torch.nn.parallel import DistributedDataParallel

    from rockpool.data import load_digits
    from rockpool.nn.combinators import Sequential
    from rockpool.training import bound, losses, parameter_groups
except (ImportError, OSError):
    try:
        LIFTorch(1)  # says what is missing, and how to get it
    except ModuleNotFoundError as missing:
        sys.exit("\n".join([str(missing), *getattr(missing, "__notes__", ())]))
    raise

N_HIDDEN, N_STEPS, BATCH_SIZE = 512, 250, 32
RANK, N_PROCESSES = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))


def network() -> TorchModule:
    """Return the same network in each process."""
    torch.manual_seed(0)
    return Sequential(
        LinearTorch((64, N_HIDDEN), weight_init_func="spiking"),
        LIFTorch(N_HIDDEN),
        LinearTorch((N_HIDDEN, 10)),
        ExpSynTorch(10),
    )


def loss_of(model: nn.Module, net: TorchModule, data: Tensor, labels: Tensor) -> Tensor:
    """Return the loss of a batch, from rest."""
    net.reset_state()
    output, _, _ = model(data)
    return losses.cross_entropy(output, labels)


def share_of(batch: Tensor) -> Tensor:
    """Return this process's part of a batch: equal parts, whose mean is that of the batch."""
    return batch[RANK::N_PROCESSES]


def compare_gradients(data: Tensor, labels: Tensor) -> None:
    """Say how far the gradients of the processes are from those of one with the whole batch.

    In double precision, since the sums over time and batch are rounded in another order.
    """
    net, alone = network().double(), network().double()
    model = DistributedDataParallel(net)
    loss_of(model, net, share_of(data), share_of(labels)).backward()
    loss_of(alone, alone, data, labels).backward()
    pairs = zip(net.parameters().astorch(), alone.parameters().astorch(), strict=True)
    far = max(((p.grad - q.grad).abs().max() / q.grad.abs().max()).item() for p, q in pairs)
    if RANK == 0:
        print(f"Gradients: at most {far:.1e} of the largest from those of one process", flush=True)


def train(n_batches: int) -> None:
    """Train on some batches of digits, and say how fast it was."""
    images, labels = map(torch.from_numpy, load_digits())
    data = (images.reshape(-1, 1, 64) / 32).expand(-1, N_STEPS, -1)  # (digits, time, pixels)
    if N_PROCESSES > 1:
        compare_gradients(data[:BATCH_SIZE].double(), labels[:BATCH_SIZE])
    net = network()
    model = DistributedDataParallel(net) if N_PROCESSES > 1 else net
    optimizer = bound(net, torch.optim.Adam(parameter_groups(net)))
    start = time.perf_counter()
    for number in range(n_batches + 1):
        if number == 1:  # kernels are compiled, and all processes are here
            start = time.perf_counter()
        share = share_of(torch.randint(len(labels), (BATCH_SIZE,)))  # the same draws in all
        optimizer.zero_grad()
        loss = loss_of(model, net, data[share], labels[share])
        loss.backward()
        optimizer.step()
    rate = n_batches * BATCH_SIZE / (time.perf_counter() - start)
    if RANK == 0:
        print(
            f"{rate:.0f} digits/s with {N_PROCESSES} process(es), {torch.get_num_threads()} "
            f"thread(s) each; loss {loss.item():.3f} at last"
        )


def main() -> None:
    """Join the processes that torchrun has started, train, and leave when all are done."""
    parser = argparse.ArgumentParser(
        description="Train a network of 512 neurons on digits, with several processes.",
        epilog="torchrun --nproc-per-node 2 examples/train_digits_ddp.py",
    )
    parser.add_argument("--batches", type=int, default=60, help="how many (default: 60)")
    given = parser.parse_args()
    if given.batches < 1:
        parser.error(f"--batches must be at least 1, got {given.batches}")
    if BATCH_SIZE % N_PROCESSES:
        parser.error(f"{N_PROCESSES} processes cannot have equal shares of {BATCH_SIZE} digits")
    if N_PROCESSES == 1:
        train(given.batches)
        return
    distributed.init_process_group("gloo")
    try:
        train(given.batches)
        distributed.barrier()  # one that leaves early takes the connections of the others with it
    finally:
        distributed.destroy_process_group()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print("\nStopped", file=sys.stderr)
        sys.exit(130)
