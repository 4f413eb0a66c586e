"""A script for a back-end that its user may not have: learn time constants with torch.

Where torch is installed it is used; where it is not, the script still starts, shows its help, and
says what is missing and how to get it. Nothing here asks whether torch is there: the classes of
rockpool do that.

    python examples/optional_backend.py
    python examples/optional_backend.py --steps 50 --seed 1
"""

from __future__ import annotations

import argparse
import os
import sys

import rockpool

# Nothing is loaded yet: torch comes when RateTorch is first used, and --help is there at once.
with rockpool.lazy_imports():
    from rockpool.nn.modules import RateTorch

WANTED = (0.02, 0.03, 0.05, 0.08)  # s: time constants to be found again
FIRST_GUESS = 0.04  # s


def learn(steps: int, seed: int) -> None:
    """Find the time constants of a layer from its input and its output, by gradient descent."""
    student = RateTorch(len(WANTED))  # without torch, this line says so

    import torch

    torch.manual_seed(seed)
    teacher = RateTorch(len(WANTED), tau=torch.tensor(WANTED))
    student.tau = torch.full((len(WANTED),), FIRST_GUESS)
    signal = torch.rand(8, 200, len(WANTED))  # 8 trials of 200 ms
    target = teacher(signal)[0].detach()

    optimiser = torch.optim.Adam(student.parameters("taus").astorch(), lr=1e-3)
    for step in range(1, steps + 1):
        optimiser.zero_grad()
        student.reset_state()
        loss = torch.nn.functional.mse_loss(student(signal)[0], target)
        loss.backward()
        optimiser.step()
        if step in (1, steps) or step % 50 == 0:
            print(f"step {step:4d}   mean square error {loss.item():.2e}")

    print("\nneuron   wanted   found")
    for number, (wanted, found) in enumerate(zip(WANTED, student.tau.tolist(), strict=True)):
        print(f"{number:6d}   {1e3 * wanted:3.0f} ms   {1e3 * found:4.1f} ms")


def main() -> int:
    """Read the command line and learn, or say what is missing."""
    parser = argparse.ArgumentParser(description="Learn the time constants of neurons with torch.")
    parser.add_argument("--steps", type=int, default=150, help="steps of descent (default: 150)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the input (default: 0)")
    arguments = parser.parse_args()
    if arguments.steps < 1:
        parser.error(f"--steps must be at least 1, got {arguments.steps}")
    if not 0 <= arguments.seed < 2**32:
        parser.error(f"--seed must be from 0 to {2**32 - 1}, got {arguments.seed}")
    try:
        learn(arguments.steps, arguments.seed)
        sys.stdout.flush()
    except ModuleNotFoundError as missing:
        # The message says which back-end is missing; the notes what was found, and what mends it.
        print(missing, *getattr(missing, "__notes__", ()), sep="\n", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped", file=sys.stderr)
        return 130
    except BrokenPipeError:  # who reads the output, such as `head`, has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


if __name__ == "__main__":
    sys.exit(main())
