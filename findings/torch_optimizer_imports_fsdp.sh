#!/usr/bin/env bash
# torch 2.13.0: whoever makes an optimizer has imported the compiler, and with it FSDP.
#
# `import torch` imports neither torch._dynamo nor torch.distributed.fsdp. The first optimizer does
# import both, and sympy: Optimizer.__init__ calls a method that is kept out of graphs, what keeps it
# out looks up torch._dynamo, and that one's list of what it may trace imports what is on it. So that
# "torch.distributed.fsdp" is in sys.modules, which costs little to ask, does not tell that a process
# shards its parameters: each process that trains looks like that, also on one CPU and without a
# process group. Where it decided here whether arrays may share memory with parameters, a layer that
# had never been sharded took four times as long as soon as there was an optimizer, whichever
# module that was for.
#
# What a process has imported, with torch 2.13.0, numpy 2.3.5, Python 3.11:
#   after import torch       torch._dynamo no   torch.distributed.fsdp no    sympy no
#   after SGD([parameter])   torch._dynamo yes  torch.distributed.fsdp yes   sympy yes
#   a process group: none, before and after
#
# Fails if that changes.   usage: findings/torch_optimizer_imports_fsdp.sh   (PYTHON: python3.11)
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3.11}" -m venv environment
environment/bin/python -m pip install --quiet --disable-pip-version-check \
    "torch==2.13.0" "numpy==2.3.5"

cat > optimizer.py <<'PROGRAM'
import sys

import torch


def said(when):
    names = ("torch._dynamo", "torch.distributed.fsdp", "sympy")
    print(when, *(f"{name} {'yes' if name in sys.modules else 'no'}" for name in names), sep=" | ")


said("after import torch")
torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=0.1)
said("after an optimizer")
print("process group:", torch.distributed.is_initialized())
PROGRAM

environment/bin/python optimizer.py | tee seen
cat > expected <<'TEXT'
after import torch | torch._dynamo no | torch.distributed.fsdp no | sympy no
after an optimizer | torch._dynamo yes | torch.distributed.fsdp yes | sympy yes
process group: False
TEXT
diff seen expected && echo "as seen"
