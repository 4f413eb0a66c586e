"""Tools that check annotations while a program runs: each of them resolves and tells the truth."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import pkgutil
import subprocess
import sys
import typing
from pathlib import Path

import pytest

import rockpool

HOOKS = {
    "typeguard": "import typeguard; typeguard.install_import_hook('rockpool')",
    "beartype": "from beartype.claw import beartype_package; beartype_package('rockpool')",
    "jaxtyping": "import jaxtyping; jaxtyping.install_import_hook('rockpool', 'beartype.beartype')",
}

PROGRAMS = {
    "numpy": """
        from rockpool.nn.combinators import Residual, Sequential
        from rockpool.nn.modules import LIF, CubaLIFEuler, ExpSyn, Linear, Rate
        inner = Residual(Linear((2, 2)), ExpSyn(2), CubaLIFEuler(2))
        net = Sequential(Linear((3, 2)), LIF(2, has_rec=True), inner, Rate(2))
        _, state, _ = net(np.ones((1, 5, 3)), record=True)
        net.set_attributes(state)
        net.reset_state()
        net.summary(np.ones((1, 5, 3)))
    """,
    "numba": """
        from rockpool.nn.modules import ExpSynNumba, LIFEulerNumba, LIFNumba, RateNumba
        for made in ExpSynNumba(2), LIFNumba(2), LIFNumba(2, has_rec=True), RateNumba(2):
            made(np.ones((2, 5, 2)), record=True)
        LIFEulerNumba(2)(np.ones((2, 5, 2)))
    """,
    "torch": """
        import torch
        from rockpool.nn.combinators import Sequential
        from rockpool.nn.modules import ExpSynTorch, LIFTorch, LinearTorch, RateTorch
        net = Sequential(LinearTorch((3, 2)), LIFTorch(2), ExpSynTorch(2), RateTorch(2))
        output, state, _ = net(torch.ones(1, 5, 3), record=True)
        output.sum().backward()
        net.set_attributes(state)
        net.reset_state()
        net.parameters().astorch()
    """,
    "jax": """
        import jax
        from rockpool.nn.combinators import Sequential
        from rockpool.nn.modules import ExpSynJax, LIFJax, LinearJax, RateJax
        net = Sequential(LinearJax((3, 2)), LIFJax(2), ExpSynJax(2), RateJax(2))
        data = np.ones((1, 5, 3))
        _, state, _ = net(data, record=True)
        net = net.set_attributes(state)
        jax.grad(lambda values: net.set_attributes(values)(data)[0].sum())(net.parameters())
    """,
    "networks": """
        import rockpool
        from rockpool.nn.combinators import Sequential
        from rockpool.nn.modules import LIF, Linear
        from rockpool.profiling import profile
        from rockpool.timeseries import TSContinuous, TSEvent
        net, data = Sequential(Linear((3, 2)), LIF(2)), np.ones((1, 5, 3), np.float32)
        rockpool.convert(net, "auto")(data)
        str(rockpool.verify(net, data, backends=["numba"])) + str(profile(net, data))
        with net.stream() as running:
            running.step(np.ones(3))
        TSContinuous(np.arange(5) * 1e-3, np.ones((5, 2))).delay(1.0)
        TSEvent([0.0, 1e-3], [0, 1], t_start=0.0, t_stop=0.01, num_channels=2).raster(1e-3)
    """,
    "whole numbers": """
        import torch
        from rockpool.nn.modules import (
            LIF, ExpSyn, ExpSynJax, ExpSynTorch, LIFEuler, LIFEulerJax, LIFEulerTorch, LIFJax, LIFNumba,
            LIFSinabs, LIFTorch, Rate, RateJax, RateTorch, UpDownTorch, aLIFTorch,
        )
        from rockpool.timeseries import TSContinuous, TSEvent
        data = np.ones((1, 3, 2), np.float32)
        for cls in LIF, LIFNumba, LIFJax, LIFTorch, aLIFTorch, LIFSinabs, LIFEuler, LIFEulerJax, LIFEulerTorch:
            made = cls(2, dt=1, tau_mem=1, threshold=1, max_spikes_per_dt=1)
            made.max_spikes_per_dt = 1
            made(torch.ones(1, 3, 2) if isinstance(made, torch.nn.Module) else data)
        for cls in ExpSyn, ExpSynJax, Rate, RateJax:
            cls(2, dt=1, tau=1)(data)
        for made in ExpSynTorch(2, dt=1, tau=1), RateTorch(2, dt=1, tau=1), UpDownTorch(2, thr_up=1, dt=1):
            made(torch.ones(1, 3, 2))
        signal = TSContinuous([0, 1, 2, 3], np.ones((4, 2)), t_start=0, t_stop=4)
        signal.delay(1)
        LIF(2, dt=1).timed()(signal, duration=2)
        TSEvent([0, 1], [0, 1], t_start=0, t_stop=2).raster(1)
    """,
    "command": """
        import rockpool.cli
        for words in ["--version"], ["backends"], ["modules", "torch"], ["demo", "--help"]:
            assert rockpool.cli.main(words) == 0
    """,
}


@pytest.mark.slow
@pytest.mark.parametrize("hook", HOOKS)
def test_the_package_works_where_a_hook_checks_all_its_annotations(hook):
    for tool in {hook, "beartype"} if hook == "jaxtyping" else {hook}:
        if importlib.util.find_spec(tool) is None:
            pytest.skip(f"{tool} is not installed")
    lines = [HOOKS[hook], "import numpy as np"]
    for name, program in PROGRAMS.items():  # in one process: hooks make each import a slow one
        lines += [f"print({name!r}, flush=True)", inspect.cleandoc(program)]
    ran = subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout[-100:] + ran.stderr[-3000:]


@pytest.mark.slow
def test_every_annotation_resolves_in_the_file_where_it_stands():
    wrong = []
    for found in pkgutil.walk_packages(rockpool.__path__, "rockpool."):
        try:
            module = importlib.import_module(found.name)
        except ImportError:  # left out, or of a back-end that is missing
            continue
        for thing in annotated(module):
            try:
                typing.get_type_hints(thing)
            except Exception as error:
                wrong.append(f"{found.name}: {thing.__qualname__}: {error}")
    assert wrong == []


def annotated(module):
    """The functions, classes and methods that a file defines."""
    for thing in list(vars(module).values()):
        if getattr(thing, "__module__", "") != module.__name__:
            continue
        if inspect.isfunction(thing):
            yield thing
        if isinstance(thing, type):
            yield thing
            for member in vars(thing).values():
                accessors = getattr(member, "fget", None), getattr(member, "fset", None)
                for function in (getattr(member, "__func__", member), *accessors):
                    if inspect.isfunction(function):
                        yield function


def test_kernels_are_left_alone():
    """What is compiled must not be changed on import; a kernel that lies compiled hides it."""
    left = []
    for path in sorted(Path(rockpool.__path__[0]).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [ast.unparse(line) for line in getattr(node, "decorator_list", [])]
            compiled = {"part", "gradient_part", "inner", "kernel"} & {
                name.partition("(")[0] for name in names
            }
            if compiled and names[0] != "no_type_check":
                left.append(f"{path.name}: {node.name}")
    assert left == []
