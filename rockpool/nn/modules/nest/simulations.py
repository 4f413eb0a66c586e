"""What the worker process does with NEST. Imported nowhere else.

Time is counted in time steps of the module, each of which is 1 ms for NEST, so that any `dt` is
possible. Neurons are those of all batch elements, one element after the other.
"""

from __future__ import annotations

import os
from typing import Any

import nest
import numpy as np

Arrays = dict[str, np.ndarray]

nest.verbosity = nest.VerbosityLevel.ERROR


def version() -> str:
    """Return the version of NEST."""
    return str(nest.__version__)


def lif(
    *,
    steps: int,  # time steps T
    substeps: int,  # steps of NEST for each of them
    threads: int,
    record: bool,  # whether to record the membrane
    vmem: np.ndarray,  # (B, N), before the first time step
    pre: np.ndarray,  # (C,), as from `recipe.connections`
    post: np.ndarray,
    receptor: np.ndarray,
    weight: np.ndarray,
    **arrays: np.ndarray,
) -> Arrays:
    """Run a layer of LIF neurons over time, as `rockpool.nn.modules.nest.recipe` says.

    The other arrays are those of `recipe.neurons`, and by ``messages.events`` the input ``x``
    (B, T, N * S) and ``noise``, added to the membrane (B, T, N).

    The answer: ``step`` and ``neuron``, of each spike; ``extra_spikes``, how many came between the
    time steps; with `record` also ``V_m`` and ``E_sfa``, membrane and its threshold, (T, B * N).
    """
    step = 1.0 / substeps
    late = 4 - substeps  # NEST's time at the end of the first time step
    n_batch = len(vmem)
    _new_kernel(step, threads)
    neurons = _lif_neurons(n_batch, arrays)
    _feed_lif(neurons, n_batch, steps, step, arrays)
    for batch in range(n_batch if pre.size else 0):
        first = neurons[0].global_id + batch * vmem.shape[1]
        _connect(first + pre, first + post, weight, receptor, step)
    recorder = nest.Create("spike_recorder")
    nest.Connect(neurons, recorder, syn_spec={"delay": step})
    meter = _meter(neurons, ["V_m", "E_sfa"], late, step) if record else None

    nest.Simulate(2 * step)  # the first input is on its way
    start = {"V_m": vmem.ravel(), "I_e": np.tile(arrays["current"], n_batch)}
    if any(values.any() for values in start.values()):
        _set(neurons, start)
    nest.Simulate(float(steps))

    spikes = recorder.events
    senders = np.asarray(spikes["senders"], dtype=np.int64) - neurons[0].global_id
    stamps = np.rint(np.asarray(spikes["times"]) * substeps).astype(np.int64)
    in_time = stamps % substeps == 0
    answer = {
        "step": stamps[in_time] // substeps - late,
        "neuron": senders[in_time],
        "extra_spikes": np.array([np.count_nonzero(~in_time)]),
    }
    if meter is not None:
        nest.Simulate(1.0)  # it is a step behind
        answer.update(_measured(meter, neurons, late, steps))
    return answer


def exp_syn(*, steps: int, threads: int, tau: np.ndarray, **x: np.ndarray) -> Arrays:
    """Run exponential synapses over time.

    `tau` (B * N,) is in time steps; the input ``x`` (B, T, N) is as from ``messages.events``. The
    answer is ``isyn`` (T, B * N): the currents right after the input of each time step.
    """
    _new_kernel(1.0, threads)
    # the neurons never spike; NEST wants the time constant of their membranes to be another one
    neurons = _create(
        "iaf_psc_exp_multisynapse",
        {"V_th": np.full(tau.shape, np.inf), "tau_m": 2 * tau, "tau_syn": tau[:, np.newaxis]},
    )
    meter = _meter(neurons, ["I_syn"], 2, 1.0)
    receptors = np.ones(tau.shape, dtype=np.int64)
    _feed("x", x, 1.0, _ids(neurons), np.ones(tau.shape), receptors, 1.0)
    nest.Simulate(steps + 2.0)
    return {"isyn": _measured(meter, neurons, 2, steps)["I_syn"]}


JOBS = {"lif": lif, "exp_syn": exp_syn}


# Bytes that this process had with an empty kernel, first and last.
_empty: list[int] = []


def growth() -> int:
    """Return how many bytes of earlier runs NEST has not given back; 0 where that is not told."""
    return _empty[-1] - _empty[0] if _empty else 0


def _new_kernel(step: float | int, threads: int) -> None:
    nest.ResetKernel()
    _empty[1:] = [_resident()]
    nest.resolution = step
    nest.local_num_threads = threads


def _resident() -> int:
    """Return the bytes of memory that this process has; 0 where the system does not tell."""
    try:
        with open("/proc/self/statm", encoding="ascii") as sizes:
            return int(sizes.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0


def _lif_neurons(n_batch: int, recipe: Arrays) -> Any:
    """Create the neurons of all batch elements."""
    n = len(recipe["threshold"])
    values = {
        "C_m": np.ones(n),
        "g_L": 1.0 / recipe["tau_mem"],
        "E_L": np.zeros(n),
        "V_m": np.zeros(n),
        "V_T_star": recipe["threshold"],
        "Delta_V": np.full(n, 1e-18),  # any distance from the threshold is a large one
        "lambda_0": np.full(n, 1e6),
        "t_ref": np.zeros(n),
        "q_sfa": recipe["rise"][:, np.newaxis],
        "tau_sfa": recipe["tau_mem"][:, np.newaxis],
        "tau_syn": recipe["tau_syn"],
    }
    model = "gif_psc_exp_multisynapse"
    return _create(model, {name: np.concatenate([v] * n_batch) for name, v in values.items()})


def _feed_lif(neurons: Any, n_batch: int, steps: int, step: float | int, arrays: Arrays) -> None:
    """Connect the input, and the jumps of the membranes."""
    n_out, n_syn = arrays["input_weight"].shape
    ids = _ids(neurons)
    receptors = np.tile(np.arange(1, n_syn + 1), n_batch * n_out)
    weights = np.tile(arrays["input_weight"].ravel(), n_batch)
    _feed("x", arrays, step, np.repeat(ids, n_syn), weights, receptors, step)
    receptor = np.full(ids.shape, n_syn + 1)
    _feed("noise", arrays, 1.0, ids, np.tile(arrays["jump_weight"], n_batch), receptor, step)
    for name, first in (("hold_weight", 0.5), ("release_weight", 1.0)):
        if name in arrays:
            times = {"spike_times": first + np.arange(steps)}
            source = np.full(ids.shape, nest.Create("spike_generator", params=times).global_id)
            _connect(source, ids, np.tile(arrays[name], n_batch), receptor, step)


def _feed(
    name: str,
    arrays: Arrays,  # with what ``messages.events`` gave for this name
    first: float | int,  # NEST's time of the first time step
    ids: np.ndarray,  # the target of each channel, and the connection to it
    weights: np.ndarray,
    receptors: np.ndarray,
    delay: float | int,
) -> None:
    """Give each target that has any input a generator of weighted spikes."""
    active, starts = np.unique(arrays[f"{name}_channel"], return_index=True)
    if not active.size:
        return
    times = np.split(first + arrays[f"{name}_step"], starts[1:])
    values = np.split(arrays[f"{name}_value"], starts[1:])
    generators = nest.Create("spike_generator", len(active))
    generators.set(
        [{"spike_times": t, "spike_weights": v} for t, v in zip(times, values, strict=True)]
    )
    _connect(_ids(generators), ids[active], weights[active], receptors[active], delay)


def _connect(
    pre: np.ndarray, post: np.ndarray, weight: np.ndarray, receptor: np.ndarray, delay: float | int
) -> None:
    nest.Connect(
        pre,
        post,
        "one_to_one",
        {"weight": weight, "delay": np.full(pre.shape, delay), "receptor_type": receptor},
    )


def _create(model: str, values: Arrays) -> Any:
    """Create nodes with these parameters: (nodes,) for numbers, (nodes, k) for lists.

    What is equal for all is handed over at once: each call for many nodes takes its time. Lists
    stay together, as NEST wants some of them to be of one length at all times.
    """
    number = len(next(iter(values.values())))
    same = {name for name, value in values.items() if (value == value[0]).all()}
    lists = {name for name, value in values.items() if value.ndim > 1}
    if not lists <= same:
        same -= lists
    equal = {name: values[name][0].tolist() for name in same}
    nodes = nest.Create(model, number, equal)
    _set(nodes, {name: value for name, value in values.items() if name not in equal})
    return nodes


def _set(nodes: Any, values: Arrays) -> None:
    """Set parameters of nodes, as for `_create`."""
    if values:
        columns = {name: value.tolist() for name, value in values.items()}
        nodes.set([{name: v[k] for name, v in columns.items()} for k in range(len(nodes))])


def _ids(nodes: Any) -> np.ndarray:
    """Return the numbers of nodes that were created together; asking NEST for all takes long."""
    return np.arange(len(nodes)) + nodes[0].global_id


def _meter(nodes: Any, names: list[str], first: float | int, delay: float | int) -> Any:
    """Create a multimeter that reads once each time step, from a time on."""
    meter = nest.Create(
        "multimeter", params={"record_from": names, "interval": 1.0, "start": first - 1.0}
    )
    nest.Connect(meter, nodes, syn_spec={"delay": delay})
    return meter


def _measured(meter: Any, nodes: Any, first: float | int, n_steps: int) -> Arrays:
    """Return what a multimeter has read: (T, nodes) by name."""
    events = meter.events
    step = np.rint(np.asarray(events.pop("times"), dtype=np.float64) - first).astype(np.int64)
    sender = np.asarray(events.pop("senders"), dtype=np.int64) - nodes[0].global_id
    wanted = step < n_steps
    measured = {}
    for name, values in events.items():
        measured[name] = np.empty((n_steps, len(nodes)))
        measured[name][step[wanted], sender[wanted]] = np.asarray(values)[wanted]
    return measured
