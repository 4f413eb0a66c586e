"""What a child process of ``rockpool bench`` does: build the layer, run it, tell the times."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from rockpool.backends.child_process import leave, take_stdout

# Constants of the layers: multiples of a power of two, which each precision holds.
_ARGUMENTS: dict[str, dict[str, Any]] = {
    "LIF": {"tau_mem": 5 / 256, "tau_syn": 5 / 256, "bias": 0.0, "threshold": 1.0},
    "ExpSyn": {"tau": 1 / 128},
    "Rate": {"tau": 1 / 32, "bias": 0.0, "threshold": 0.0},
    "Linear": {},
}


def main(wanted: dict[str, Any]) -> None:
    """Run one layer on one back-end; messages go to what stdout was.

    Besides the options of the command, `wanted` has ``backend``, ``class_name``, and ``path``, the
    file for the answer.
    """
    report = take_stdout()
    try:
        output, times = _measure(wanted, lambda: report({"is": "round"}))
        np.save(wanted["path"], output)
        report({"is": "end", "times": times, "memory": _peak_memory(wanted["backend"])})
    except (Exception, SystemExit) as error:
        import traceback

        traceback.print_exc()
        report({"is": "error", "text": describe_error(error)})
    leave()


def describe_error(error: BaseException) -> str:
    """An error in one line; a missing back-end has its reason in a note."""
    notes = getattr(error, "__notes__", []) if isinstance(error, ImportError) else []
    texts = [str(error), *notes][:2]
    lines = [text.strip().splitlines()[0] for text in texts if text.strip()]
    return f"{type(error).__name__}: {' '.join(lines)}" if lines else type(error).__name__


def _measure(
    wanted: dict[str, Any], one_more: Callable[[], None]
) -> tuple[np.ndarray, list[float]]:
    import rockpool.nn.modules as modules

    layer = getattr(modules, wanted["class_name"])
    shape, arguments, data = workload(
        **{k: wanted[k] for k in ("model", "neurons", "steps", "batch")}
    )
    framework = _FRAMEWORKS.get(wanted["backend"], _numpy_call)
    call, reset = framework(layer(shape, **arguments), data, wanted["threads"])
    output = call()
    one_more()
    times = []
    for _ in range(wanted["rounds"]):
        reset()
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
        one_more()
    return output, times


def workload(
    model: str, neurons: int, steps: int, batch: int
) -> tuple[tuple[int, ...], dict[str, Any], np.ndarray]:
    """Return the shape and arguments of the layer and its input: the same in each process.

    The input is sparse, and so weak that no neuron would spike twice in a time step.
    """
    rng = np.random.default_rng(0)
    arguments = dict(_ARGUMENTS[model])
    shape: tuple[int, ...] = (neurons,)
    if model == "Linear":
        shape = (neurons, neurons)
        arguments["weight"] = rng.integers(-64, 65, shape) / 1024
    return shape, arguments, (rng.random((batch, steps, neurons)) < 0.05) / 16


Call = tuple[Callable[[], np.ndarray], Callable[[], Any]]


def _numpy_call(module: Any, data: np.ndarray, threads: int) -> Call:
    return lambda: module(data)[0], module.reset_state


def _nest_call(module: Any, data: np.ndarray, threads: int) -> Call:
    module.num_threads = threads
    return _numpy_call(module, data, threads)


def _torch_call(module: Any, data: np.ndarray, threads: int, device: str = "cpu") -> Call:
    import torch

    torch.set_num_threads(threads)
    module = module.to(device)
    tensor = torch.as_tensor(data, dtype=torch.float32, device=device)

    def call() -> np.ndarray:
        with torch.no_grad():
            return module(tensor)[0].cpu().numpy()

    return call, module.reset_state


def _jax_call(module: Any, data: np.ndarray, threads: int) -> Call:
    import jax

    evolve = jax.jit(lambda module, data: module(data)[0])
    array = jax.numpy.asarray(data, dtype="float32")
    return lambda: np.asarray(evolve(module, array)), lambda: None


def caller(module: Any, data: np.ndarray, backend: str) -> Callable[[], np.ndarray]:
    """Return a plain call of a module on one thread, not compiled as a whole, without gradients."""
    if backend != "jax":
        return _FRAMEWORKS.get(backend, _numpy_call)(module, data, 1)[0]
    import jax

    array = jax.numpy.asarray(data, dtype="float32")
    return lambda: np.asarray(module(array)[0])


_FRAMEWORKS: dict[str, Callable[[Any, np.ndarray, int], Call]] = {
    "nest": _nest_call,
    "torch": _torch_call,
    "sinabs": _torch_call,
    "sinabs-exodus": partial(_torch_call, device="cuda"),
    "jax": _jax_call,
}


def _peak_memory(backend: str) -> int:
    """Return the bytes that this process had at most, with those of one that it started."""
    try:
        import resource
    except ImportError:  # there is no such thing on Windows
        return 0
    if backend == "nest":
        from rockpool.nn.modules.nest.worker_process import shut_down

        shut_down()  # a process is counted once it has ended
    unit = 1 if sys.platform == "darwin" else 1024
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return unit * sum(resource.getrusage(w).ru_maxrss for w in who)
