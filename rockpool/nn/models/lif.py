"""The leaky integrate-and-fire neuron with exponential synapses (LIF).

For ``Nin`` inputs and ``Nout`` neurons there are ``S = Nin // Nout`` synapses per neuron: input
``c`` reaches synapse ``c % S`` of neuron ``c // S``, and so does column ``c`` of the recurrent
weights ``w_rec`` (Nout, Nin). Each time step does, in this order::

    isyn   <- (isyn + x_t + spikes @ w_rec) exp(-dt / tau_syn)
    vmem   <- vmem exp(-dt / tau_mem) + sum over synapses of isyn + noise + bias
    spikes <- min([vmem >= threshold] floor(vmem / threshold), max_spikes_per_dt)
    vmem   <- vmem - spikes threshold

with noise of ``noise_std sqrt(dt) z``, ``z ~ N(0, 1)``, per neuron. An input is attenuated in its
own step already, inputs are not scaled by ``dt / tau``, and the reset is by subtraction.
"""

from __future__ import annotations

from typing import Any

from rockpool.nn.models import checks
from rockpool.nn.models.spec import ParameterSpec, Shape

MAX_SPIKES_PER_DT = 2**16


def module_shape(owner: str, shape: Any) -> tuple[int, int]:
    """Return ``(Nin, Nout)`` for the argument `shape`: ``N``, ``(N,)`` or ``(Nin, Nout)``.

    Raises
    ------
    ValueError
        More than two entries, an entry < 1, or `Nin` not a multiple of `Nout`.
    TypeError
        Not ints.
    """
    entries = checks.shape_entries(owner, shape)
    if len(entries) > 2:
        raise ValueError(f"{owner}: shape must be N or (Nin, Nout), got {entries}")
    n_in, n_out = entries[0], entries[-1]
    if n_in % n_out:
        raise ValueError(
            f"{owner}: Nin must be a multiple of Nout (Nin / Nout synapses per neuron), got "
            f"Nin = {n_in}, Nout = {n_out}"
        )
    return n_in, n_out


def n_synapses(shape: tuple[int, int]) -> int:
    """Return the number of synapses per neuron of a module of that (settled) shape."""
    return shape[0] // shape[1]


def parameter_specs(shape: tuple[int, int]) -> dict[str, ParameterSpec]:
    """Return the parameters of a LIF module of that (settled) shape, in order of registration."""
    n_in, n_out = shape
    syn = n_in // n_out
    per_neuron: tuple[Shape, ...] = ((n_out,), ())
    specs = (
        ParameterSpec("w_rec", "weights", ((n_out, n_in),), None),
        ParameterSpec("tau_mem", "taus", per_neuron, 20e-3, "s"),
        ParameterSpec("tau_syn", "taus", ((n_out, syn), (1, syn), ()), 20e-3, "s"),
        ParameterSpec("bias", "bias", per_neuron, 0.0),
        ParameterSpec("threshold", "threshold", per_neuron, 1.0),
    )
    return {spec.name: spec for spec in specs}


def state_shapes(shape: tuple[int, int]) -> dict[str, Shape]:
    """Return the shapes of the states (all zero at rest), in order of registration."""
    n_out = shape[1]
    return {"spikes": (n_out,), "isyn": (n_out, n_synapses(shape)), "vmem": (n_out,)}


def check_arguments(
    owner: str,
    shape: tuple[int, int],
    *,
    tau_mem: Any = None,
    tau_syn: Any = None,
    bias: Any = None,
    threshold: Any = None,
    w_rec: Any = None,
    has_rec: bool = False,
    noise_std: Any = 0.0,
    max_spikes_per_dt: Any = MAX_SPIKES_PER_DT,
    dt: Any = 1e-3,
) -> None:
    """Check the arguments of a LIF module of that (settled) shape.

    An infinite time constant is allowed (no leak), and so is an infinite `max_spikes_per_dt`.

    Raises
    ------
    ValueError
        A value out of range or a wrong shape, or `w_rec` without `has_rec`.
    TypeError
        A value that is not numbers.
    """
    given = {
        "w_rec": w_rec,
        "tau_mem": tau_mem,
        "tau_syn": tau_syn,
        "bias": bias,
        "threshold": threshold,
    }
    if w_rec is not None and not has_rec:
        raise ValueError(f"{owner}: w_rec was given, but has_rec is False; set has_rec=True")
    for name, spec in parameter_specs(shape).items():
        checks.fits(owner, spec, given[name])
    checks.positive(owner, "tau_mem", tau_mem, "s", finite=False)
    checks.positive(owner, "tau_syn", tau_syn, "s", finite=False)
    checks.positive(owner, "threshold", threshold)
    checks.finite(owner, "bias", bias)
    checks.finite(owner, "w_rec", w_rec)
    checks.scalar(owner, "noise_std", noise_std)
    checks.non_negative(owner, "noise_std", noise_std)
    checks.whole_count(owner, "max_spikes_per_dt", max_spikes_per_dt, infinite=True)
    checks.positive_time_step(owner, dt)
