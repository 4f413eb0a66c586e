"""Modules in graphs: ``torch.export``, ``torch.compile`` of all in one, and ``torch.jit.trace``."""

from __future__ import annotations

import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from support.patience import PATIENCE
from torch import Tensor, nn

from rockpool.nn.combinators import Residual, Sequential
from rockpool.nn.kernels.switch import use_kernels
from rockpool.nn.modules.sinabs import LIFSinabs
from rockpool.nn.modules.torch import (
    BooleanState,
    ExpSynTorch,
    LIFBitshiftTorch,
    LIFNeuronTorch,
    LIFTorch,
    LinearTorch,
    RateTorch,
    UpDownTorch,
    aLIFTorch,
)
from rockpool.nn.modules.torch.lif_torch import PeriodicExponential

pytestmark = [
    pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning"),
    pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Module.size is deprecated"),  # it looks at all attributes
]

MODULES: dict[str, Callable[[], Any]] = {
    "LIFTorch": lambda: LIFTorch(3, has_rec=True, w_rec=torch.full((3, 3), 0.1)),
    "PeriodicExponential": lambda: LIFTorch(3, spike_generation_fn=PeriodicExponential),
    "aLIFTorch": lambda: aLIFTorch(3),
    "LIFBitshiftTorch": lambda: LIFBitshiftTorch(3),
    "LIFNeuronTorch": lambda: LIFNeuronTorch(3),
    "ExpSynTorch": lambda: ExpSynTorch(3),
    "RateTorch": lambda: RateTorch(3, has_rec=True, w_rec=torch.full((3, 3), 0.1)),
    "UpDownTorch": lambda: UpDownTorch(3, thr_up=0.1, thr_down=[0.1, 0.2, 0.3], repeat_output=2),
    "UpDownTorch with pauses": lambda: UpDownTorch(3, thr_up=0.1, thr_down=0.2, n_ref_steps=2),
    "LIFSinabs": lambda: LIFSinabs(3, has_rec=True, w_rec=torch.full((3, 3), 0.1)),
    "LIFSinabs without bias": lambda: LIFSinabs(3, has_bias=False),
    "LIFSinabs of synapses": lambda: LIFSinabs((6, 3), bias=0.1),
    "BooleanState": lambda: BooleanState(3, torch.tensor(0.9)),
    "Residual": lambda: Residual(LIFTorch((6, 3)), LinearTorch((3, 6), weight=torch.ones(3, 6))),
    "Sequential": lambda: Sequential(LIFTorch(3), Sequential(nn.Tanh(), ExpSynTorch(3))),
}


def data(module: Any, n_steps: int = 8) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return 2 * torch.rand(2, n_steps, module.size_in, generator=generator)


def gradients(module: nn.Module, output: Tensor) -> dict[str, Tensor | None]:
    output.sum().backward()
    return {name: p.grad for name, p in nn.Module.named_parameters(module)}


@pytest.mark.slow
@pytest.mark.parametrize("name", MODULES)
def test_an_exported_module_keeps_its_state_for_any_number_of_steps(name: str) -> None:
    module, expected = (MODULES[name]().to_torch() for _ in range(2))
    steps = torch.export.Dim("steps", min=2, max=1000)
    exported = torch.export.export(module, (data(module),), dynamic_shapes=({1: steps},))
    runs = exported.module()
    for n_steps in (8, 5, 8):
        output, wanted = runs(data(module, n_steps)), expected(data(module, n_steps))
        torch.testing.assert_close(output, wanted)
    if wanted.requires_grad:
        torch.testing.assert_close(gradients(runs, output), gradients(expected, wanted))


@pytest.mark.parametrize(
    ("name", "operator"), [("UpDownTorch", "updown"), ("LIFSinabs", "lif_sinabs")]
)
def test_loops_without_kernels_are_one_node_too(name: str, operator: str) -> None:
    module = MODULES[name]().to_torch()
    nodes = torch.export.export(module, (data(module, 200),)).graph.nodes
    assert len(nodes) < 120
    target = getattr(torch.ops.rockpool, operator).default
    assert sum(node.target is target for node in nodes) == 1


@pytest.mark.parametrize("kernels", [True, False])
def test_a_time_loop_is_one_node(kernels: bool) -> None:
    layer = LIFTorch(1).to_torch()
    with use_kernels(kernels):
        exported = torch.export.export(layer, (torch.full((1, 500, 1), 0.4),))
        x = torch.full((1, 4, 1), 0.4)
    assert len(exported.graph.nodes) < 100
    assert [n.name for n in exported.graph.nodes if n.target is torch.ops.rockpool.lif.default]
    exported = torch.export.export(layer, (x,))
    runs = exported.module()
    with use_kernels(kernels):
        assert [runs(x).flatten().tolist() for _ in range(2)] == [[0, 1, 1, 1], [2, 2, 2, 3]]


def test_the_state_of_a_batch() -> None:
    layer, x = LIFTorch(1).keep_batch_state().to_torch(), torch.full((2, 4, 1), 0.4)
    with pytest.raises(ValueError, match="LIFTorch: the state vmem has the shape"):
        torch.export.export(layer, (x,))
    layer(x)
    runs = torch.export.export(layer, (x,)).module()
    assert runs(x)[1].flatten().tolist() == [2, 2, 2, 3]


@pytest.mark.slow
def test_an_exported_module_is_loaded_by_another_process(tmp_path: Path) -> None:
    x = torch.full((1, 4, 1), 0.4)
    torch.export.save(torch.export.export(LIFTorch(1).to_torch(), (x,)), tmp_path / "lif.pt2")
    code = (
        "import sys, torch\n"
        "from rockpool.nn.modules import LIFTorch as _\n"
        "print(torch.export.load(sys.argv[1]).module()(torch.full((1, 4, 1), 0.4)).tolist())\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, str(tmp_path / "lif.pt2")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[[[0.0], [1.0], [1.0], [1.0]]]"


@pytest.mark.slow
@pytest.mark.parametrize("torch_mode", [False, True])
@pytest.mark.parametrize("name", MODULES)
def test_all_in_one_graph(name: str, torch_mode: bool) -> None:
    module, expected = MODULES[name](), MODULES[name]()
    if torch_mode:
        module.to_torch(), expected.to_torch()
    x = data(module)
    torch._dynamo.reset()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the compiler's own
        compiled = torch.compile(module, fullgraph=True, backend="aot_eager")
        for _ in range(3):
            output, wanted = compiled(x), expected(x)
            torch.testing.assert_close(output, wanted)
        if not torch_mode:
            output, wanted = compiled(x, record=True)[0], expected(x, record=True)[0]
        if wanted.requires_grad:
            torch.testing.assert_close(gradients(module, output), gradients(expected, wanted))
    torch.testing.assert_close(dict(module.named_buffers()), dict(expected.named_buffers()))


@pytest.mark.parametrize("check_trace", [False, True])
@pytest.mark.parametrize("name", MODULES)
def test_a_traced_module_keeps_its_state_and_leaves_that_of_the_module(
    name: str, check_trace: bool
) -> None:
    module, expected = (MODULES[name]().to_torch() for _ in range(2))
    x = data(module)
    traced = torch.jit.trace(module, x, check_trace=check_trace)
    for _ in range(3):
        torch.testing.assert_close(traced(x), expected(x))


def test_noise_in_a_graph() -> None:
    layer, x = ExpSynTorch(2, noise_std=1.0).to_torch(), torch.zeros(1, 5, 2)
    output = torch.export.export(layer, (x,)).module()(x)
    assert output.std() > 0


@pytest.mark.slow
def test_neurons_of_nir_are_compiled_before_any_has_run() -> None:
    """What the package computes once must not be computed within a graph."""
    program = """
import torch
from rockpool.nn.modules import CubaLIFEulerTorch
layer = CubaLIFEulerTorch(4).to_torch()
print(torch.compile(layer, backend="eager", fullgraph=True)(torch.rand(2, 10, 4)).shape)
"""
    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE
    )
    assert said.stdout.split() == ["torch.Size([2,", "10,", "4])"], said.stderr
