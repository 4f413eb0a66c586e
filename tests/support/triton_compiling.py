"""Compile each kernel of Triton for GPUs that need not be here, and tell what it takes of them.

usage: python tests/support/triton_compiling.py [sm_80 sm_90 ...]

A table: registers of a thread, bytes that are spilled from them, bytes of shared memory of a
program, and how many loads are started ahead of the step that needs them.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import torch
import triton
from torch import Tensor
from triton.backends.compiler import GPUTarget
from triton.backends.nvidia.compiler import get_ptxas
from triton.compiler import ASTSource

from rockpool.nn.modules.torch._base.surrogates import PeriodicExponential, StepPWL
from rockpool.nn.modules.torch._kernels.triton import exp_syn, launching, lif
from rockpool.nn.modules.torch._loops.lif import LIFParameters, LIFState

TYPES = {
    torch.float32: "fp32",
    torch.float64: "fp64",
    torch.float16: "fp16",
    torch.bfloat16: "bf16",
}
N = 4096
KINDS = (
    "1 synapse",
    "periodic",
    "2 synapses",
    "adaptive",
    "4 synapses, adaptive",
    "16 synapses, adaptive",
    "recurrent, records, noise",
)


class Launch(NamedTuple):
    """A kernel as it is started."""

    kernel: Any
    arguments: dict[str, Any]
    constants: dict[str, Any]

    def blocks(self) -> list[int]:
        """How many neurons a program may have."""
        sizes = [t.element_size() for t in self.arguments.values() if isinstance(t, Tensor)]
        decay = self.arguments.get("decay", self.arguments.get("alpha"))
        return sorted(
            {*launching.blocks(self.constants.get("WIDTH", 1), min(sizes), decay.element_size())}
        )


class Needs(NamedTuple):
    """What a compiled kernel takes."""

    registers: int
    spilled: int
    shared: int
    ahead: int


@contextmanager
def caught() -> Iterator[list[Launch]]:
    """Catch what is started within a block, and start nothing."""
    found: list[Launch] = []

    def launch(kernel: Any, n_batch: int, n: int, arguments: Any, shape: Any, **more: Any) -> None:
        found.append(Launch(kernel, dict(arguments), {**more, "STAGES": shape.stages}))

    before = lif.launch
    lif.launch = exp_syn.launch = launch
    try:
        yield found
    finally:
        lif.launch = exp_syn.launch = before


def calls() -> Iterator[tuple[str, str, list[Launch]]]:
    """Yield what is called, the types of input and states, and what it starts."""
    for kind in KINDS:
        for dtype in (torch.float32, torch.float64):
            halves = (torch.float16, torch.bfloat16) if dtype is torch.float32 else ()
            for half in (dtype, *halves) if kind == "1 synapse" else (dtype,):
                with caught() as found:
                    call_lif(kind, dtype, half)
                yield kind, "/".join(dict.fromkeys((TYPES[half], TYPES[dtype]))), found
    for name, function in (("synapses", exp_syn.exp_syn), ("sums", exp_syn.leaky_sum)):
        for dtype in (torch.float32, torch.float64):
            with caught() as found:
                x = torch.zeros(2, 3, N, dtype=dtype, requires_grad=True)
                output, _ = function(x, x.detach()[:, 0], x.detach()[0, 0])
                output.backward(torch.ones_like(output))
            yield name, TYPES[dtype], found


def call_lif(kind: str, dtype: torch.dtype, input_dtype: torch.dtype) -> None:
    """Run a layer forward and backward."""
    n_synapses = int(re.search(r"\d+|$", kind)[0] or 1)  # type: ignore[index]
    recurrent = kind.startswith("recurrent")
    n_steps, n = (1, 256) if recurrent else (3, N)
    x = torch.zeros(2, n_steps, n * n_synapses, dtype=input_dtype, requires_grad=True)
    rows, one = torch.zeros(2, n, dtype=dtype), torch.ones(n, dtype=dtype, requires_grad=True)
    parameters = LIFParameters(
        one,
        one[:, None].expand(n, n_synapses),
        one,
        one,
        torch.zeros(n, n * n_synapses, dtype=dtype) if recurrent else None,
        PeriodicExponential.apply if kind == "periodic" else StepPWL.apply,
        0.5,
        2.0**16,
    )
    state = LIFState(rows, rows[..., None].expand(2, n, n_synapses), rows)
    if "adaptive" in kind:
        parameters = parameters._replace(gamma=one, w_ahp=one)
        state = state._replace(iahp=rows)
    noise = torch.zeros(2, n_steps, n, dtype=dtype) if recurrent else None
    output, _, records = lif.lif(x, state, parameters, noise, record=recurrent)
    results = [output, *(value for value in records.values() if value.requires_grad)]
    torch.autograd.backward(results, [torch.ones_like(value) for value in results])


def compiled(launch: Launch, block: int, architecture: int) -> Needs:
    """Compile a kernel as Triton does when it is started with these arguments."""
    constants: dict[str, Any] = {**launch.constants, "BLOCK": block}
    signature: dict[str, str] = {}
    attributes: dict[tuple[int], list[list[Any]]] = {}
    for place, name in enumerate(launch.kernel.arg_names):
        value = launch.arguments.get(name)
        if name in constants or value is None or (isinstance(value, int) and value == 1):
            signature[name] = "constexpr"
            constants.setdefault(name, value)
            continue
        is_tensor = isinstance(value, Tensor)
        signature[name] = f"*{TYPES[value.dtype]}" if is_tensor else "i32"
        if is_tensor or value % 16 == 0:
            attributes[(place,)] = [["tt.divisibility", 16]]
    source = ASTSource(launch.kernel, signature, constants, attributes)
    target = GPUTarget("cuda", architecture, 32)
    done = triton.compile(
        source, target=target, options={"num_warps": 1, "enable_fp_fusion": False}
    )
    ptx = done.asm["ptx"]
    if not constants.get("PERIODIC"):  # whose exponential has some
        assert "fma.rn" not in ptx, "a product and a sum in one"
    said = assembled(ptx)
    return Needs(
        int(re.search(r"Used (\d+) registers", said)[1]),  # type: ignore[index]
        sum(map(int, re.findall(r"(\d+) bytes spill", said))),
        done.metadata.shared,
        ptx.count("cp.async.c"),
    )


def assembled(ptx: str) -> str:
    """Return what the assembler says of a kernel."""
    target = re.search(r"\.target (\w+)", ptx)[1]  # type: ignore[index]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "kernel.ptx")
        path.write_text(ptx)
        assembler = get_ptxas(int(target.removeprefix("sm_").removesuffix("a"))).path
        command = [assembler, "-v", f"--gpu-name={target}", str(path)]
        done = subprocess.run(
            [*command, "-o", f"{path}.cubin"], capture_output=True, text=True, check=True
        )
    return done.stderr


def main(architectures: list[str]) -> int:
    """Print the table; the exit code is 1 if a kernel spills."""
    print("| kernel | of | input/states | neurons | GPU | registers | spilled | shared | ahead |")
    print("|---|---|---|---|---|---|---|---|---|")
    spilled = False
    for kind, types, launches in calls():
        for launch in launches:
            for block in launch.blocks():
                for architecture in architectures:
                    needs = compiled(launch, block, int(architecture.removeprefix("sm_")))
                    cells = (launch.kernel.__name__, kind, types, block, architecture, *needs)
                    print("| " + " | ".join(map(str, cells)) + " |", flush=True)
                    spilled = spilled or needs.spilled > 0
    return int(spilled)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:] or ["sm_80", "sm_90"]))
