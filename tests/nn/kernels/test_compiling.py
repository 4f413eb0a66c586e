"""How kernels are compiled: once, with a note, and kept where there is a place."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest
import torch

import rockpool
from rockpool.nn.kernels.compiling import Prepared, absent, call, kernel_array
from rockpool.nn.kernels.rate import RELU, rate_forward
from rockpool.nn.modules import CubaLIFEulerNumba, LIFNumba, LIFTorch

# A kernel that is quick to compile, and how many functions were compiled in this process
CALL = """
import os
import numpy as np
from numba.core import event
from rockpool.nn.kernels import compiling
from rockpool.nn.kernels.exp_syn import leaky_sum_forward
compiling.PATIENCE = float(os.environ.get("PATIENCE", compiling.PATIENCE))
with event.install_recorder("numba:compile") as recorder:
    output = np.empty((1, 3, 2))
    x, decay, start = np.ones((1, 3, 2)), np.ones(2), np.zeros((1, 2))
    compiling.call(leaky_sum_forward, x=x, decay=decay, start=start, output=output)
assert output.tolist() == [[[1, 1], [2, 2], [3, 3]]]
print(sum(e.is_start for _, e in recorder.buffer))
"""


def run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    root = str(Path(rockpool.__file__).parents[1])
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": root} | environment
    command = [sys.executable, "-P", "-c", code]  # not what is in the working directory
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True)


@pytest.fixture(scope="module")
def two_processes(
    tmp_path_factory: pytest.TempPathFactory,
) -> list[subprocess.CompletedProcess[str]]:
    """The same call in two processes, one after the other; compiling is announced at once."""
    place = str(tmp_path_factory.mktemp("kept"))
    return [run(CALL, NUMBA_CACHE_DIR=place, PATIENCE="0") for _ in range(2)]


def test_a_second_process_does_not_compile(
    two_processes: list[subprocess.CompletedProcess[str]],
) -> None:
    first, second = two_processes
    assert int(first.stdout) > 0
    assert int(second.stdout) == 0


def test_a_long_compilation_is_announced_and_a_cached_kernel_is_not(
    two_processes: list[subprocess.CompletedProcess[str]],
) -> None:
    first, second = two_processes
    assert re.fullmatch(r"rockpool: compiling leaky_sum_forward; .*\n", first.stderr)
    assert second.stderr == ""


@pytest.fixture
def copied_package(tmp_path: Path) -> Path:
    """A copy of the package, which can be changed."""
    package = Path(rockpool.__file__).parent
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(package, tmp_path / "copy" / "rockpool", ignore=ignored)
    return tmp_path / "copy"


@pytest.mark.slow
def test_a_change_of_any_kernel_file_is_seen(copied_package: Path, tmp_path: Path) -> None:
    environment = {"NUMBA_CACHE_DIR": str(tmp_path / "kept"), "PYTHONPATH": str(copied_package)}
    run(CALL, **environment)
    assert int(run(CALL, **environment).stdout) == 0
    (copied_package / "rockpool/nn/kernels/parts.py").touch()
    assert int(run(CALL, **environment).stdout) > 0


def test_kernels_work_where_nothing_can_be_kept(copied_package: Path, tmp_path: Path) -> None:
    """Neither beside the source nor in the home folder: files stand where folders should."""
    (copied_package / "rockpool/nn/kernels/__pycache__").write_text("")
    (tmp_path / "home").write_text("")
    done = run(
        CALL,
        PYTHONPATH=str(copied_package),
        HOME=str(tmp_path / "home"),
        XDG_CACHE_HOME=str(tmp_path / "home"),
        PYTHONDONTWRITEBYTECODE="1",
    )
    assert int(done.stdout) > 0


def test_absent_arrays_are_filled_in_and_unknown_names_are_errors() -> None:
    arrays = {name: np.ones(2) for name in ("gain", "bias", "threshold")}
    arrays |= {"data": np.ones((1, 3, 2)), "output": np.empty((1, 3, 2)), "x": np.zeros((1, 2))}
    call(rate_forward, **arrays, activation=RELU)
    assert arrays["output"].tolist() == [[[1, 1]] * 3]
    with pytest.raises(TypeError, match="arguments"):
        call(rate_forward, **arrays, activation=RELU, w_recc=np.ones((2, 2)))


def test_kernel_arrays_are_shared_where_they_can_be() -> None:
    values = np.ones((2, 3))
    assert kernel_array(values, np.float64) is values
    assert kernel_array(values, np.float64, (2, 3)) is values
    for other in (values.T, values.astype(np.float32), np.broadcast_to(1.0, (2, 3))):
        found = kernel_array(other, np.float64, other.shape)
        assert found.dtype == np.float64 and found.flags.c_contiguous and found.flags.writeable


PREPARED: dict[str, Callable[[], Any]] = {
    "LIFNumba": lambda: LIFNumba(4),
    "single precision": lambda: LIFNumba(4, dtype="float32", max_spikes_per_dt=3),
    "several synapses": lambda: LIFNumba((8, 4), dtype="float32"),
    "noise": lambda: LIFNumba(4, noise_std=1.0, dtype="float32"),
    "recurrent": lambda: LIFNumba(4, has_rec=True, noise_std=1.0),
    "of NIR": lambda: CubaLIFEulerNumba(4, has_rec=True, dtype="float32"),
    "LIFTorch": lambda: LIFTorch(4),
    "LIFTorch, several synapses": lambda: LIFTorch((8, 4)).double(),
}


@pytest.mark.filterwarnings("ignore:A batch starts")
@pytest.mark.parametrize("name", PREPARED)
def test_machine_code_gets_the_types_that_it_is_made_for(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[Any, tuple[Any, ...]] = {}
    repeated = 0

    def watched(self: Prepared, *n_threads: int, **arguments: Any) -> Any:
        nonlocal repeated
        arrays = {**self._fixed, **arguments}
        types = tuple(map(numba.typeof, arrays.values()))
        key = self, arguments["x"].dtype
        repeated += key in seen
        assert seen.setdefault(key, types) == types, list(arrays)
        assert all(a.flags.carray for a in arrays.values() if isinstance(a, np.ndarray))
        return plain(self, *n_threads, **arguments)

    plain = Prepared.__call__
    monkeypatch.setattr(Prepared, "__call__", watched)
    module = PREPARED[name]()
    of_torch = isinstance(module, torch.nn.Module)
    rng = np.random.default_rng(0)
    whole = rng.random((2, 3, module.size_in))
    inputs = [whole[:1], whole[:1].astype("f4"), whole, np.asfortranarray(whole), whole[:, :, :1]]
    for _ in range(2):
        for x in inputs:
            data = torch.from_numpy(np.array(x)).to(module.threshold) if of_torch else x
            module(data)
            module(data, record=True)
        module.vmem = module.vmem * 0.5
        module.reset_state()
    assert repeated > 5


def test_what_is_absent_has_no_elements() -> None:
    array = absent(3, np.dtype(np.float32))
    assert array.ndim == 3 and array.size == 0 and array.dtype == np.float32


@pytest.mark.parametrize("module", ["LIFNumba", "LIFTorch"])
def test_without_numbas_compiler_it_says_so(module: str) -> None:
    code = (
        f"import numpy, torch; from rockpool.nn.modules import {module} as LIF\n"
        f"print(LIF(2)({'torch' if 'Torch' in module else 'numpy'}.ones((1, 3, 2)))[0].shape)"
    )
    root = str(Path(rockpool.__file__).parents[1])
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": root, "NUMBA_DISABLE_JIT": "1"}
    for more in ({}, {"ROCKPOOL_KERNELS": "0"}):
        done = subprocess.run(
            [sys.executable, "-P", "-c", code],
            env=environment | more,
            capture_output=True,
            text=True,
        )
        if more and module == "LIFTorch":
            assert done.stdout == "torch.Size([1, 3, 2])\n"
        else:
            assert "RuntimeError: kernels need numba's compiler, which NUMBA_D" in done.stderr


@pytest.mark.slow
def test_of_eight_processes_that_start_at_once_one_compiles(tmp_path: Path) -> None:
    root = str(Path(rockpool.__file__).parents[1])
    place = tmp_path / "kept"
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": root, "NUMBA_CACHE_DIR": str(place)}
    command = [sys.executable, "-P", "-c", CALL]
    processes = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(8)
    ]
    compiled = sorted(int(process.communicate()[0]) for process in processes)
    assert [process.returncode for process in processes] == [0] * 8
    assert compiled[:7] == [0] * 7 and compiled[7] > 0
    assert [path.suffix for path in place.rglob("*") if path.is_file()] == [".nbc"]
