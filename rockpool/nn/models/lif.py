"""The leaky integrate-and-fire neuron with exponential synapses: `LIF`, and what is made of it.

For ``Nin`` inputs and ``Nout`` neurons there are ``S = Nin // Nout`` synapses per neuron: input
``c`` reaches synapse ``c % S`` of neuron ``c // S``, and so does column ``c`` of the recurrent
weights. The currents of a neuron are added up in the order of its synapses, the first one first,
and their sum is added to the membrane: what rounding does, which can move a spike, is the same for
any batch and on every back-end but NEST, which has an order of its own: to `LIFNest` a membrane
that misses its threshold by less than one part in 10^10 has reached it. An input is attenuated in
its own step already, inputs are not scaled by ``dt / tau``, the reset is by subtraction, and there
is no refractory period. Noise is ``noise_std sqrt(dt) z``, ``z ~ N(0, 1)``, per neuron.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rockpool.nn.models import checks
from rockpool.nn.models.model import Model, ParameterSpec, SettingSpec, StateSpec

__all__ = ["ALIF", "LIF", "n_synapses"]


def _spike_count(owner: str, name: str, value: Any) -> None:
    """Require a whole number >= 1, or infinity."""
    checks.whole_count(owner, name, value, infinite=True)


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


def n_synapses(shape: tuple[int, ...]) -> int:
    """Return the number of synapses per neuron of a module of that shape."""
    return shape[0] // shape[-1]


def dimensions(shape: tuple[int, ...]) -> dict[str, int]:
    """Return inputs, neurons and synapses per neuron, by the names that the table uses."""
    return {"Nin": shape[0], "Nout": shape[-1], "S": n_synapses(shape)}


LIF = Model(
    name="LIF",
    title="leaky integrate-and-fire",
    module_shape=module_shape,
    dimensions=dimensions,
    attributes=(
        SettingSpec("has_rec", False, stored_as="_has_rec"),
        ParameterSpec(
            "w_rec",
            "weights",
            (("Nout", "Nin"),),
            drawn_by="weight_init_func",
            only_with="has_rec",
        ),
        ParameterSpec("tau_mem", "taus", (("Nout",), ()), 20e-3, "s", checks.time_constant),
        ParameterSpec(
            "tau_syn", "taus", (("Nout", "S"), (1, "S"), ()), 20e-3, "s", checks.time_constant
        ),
        ParameterSpec("bias", "bias", (("Nout",), ()), 0.0),
        ParameterSpec("threshold", "threshold", (("Nout",), ()), 1.0, check=checks.positive),
        SettingSpec("dt", 1e-3, "s", checks.time_step),
        SettingSpec("noise_std", 0.0, check=checks.noise_level),
        StateSpec("spikes", ("Nout",)),
        StateSpec("isyn", ("Nout", "S")),
        StateSpec("vmem", ("Nout",)),
        SettingSpec("max_spikes_per_dt", 2.0**16, check=_spike_count),
    ),
    equations="""\
isyn <- (isyn + x_t + spikes @ w_rec) * exp(-dt / tau_syn)
vmem <- vmem * exp(-dt / tau_mem) + sum(isyn[s] for s in synapses) + noise + bias
spikes <- min((vmem >= threshold) * floor(vmem / threshold), max_spikes_per_dt)
vmem <- vmem - spikes * threshold""",
    source="W. Gerstner, W. M. Kistler, R. Naud, L. Paninski, Neuronal Dynamics, Cambridge "
    "University Press (2014), chapter 1.3",
    classes={
        "numpy": "LIF",
        "numba": "LIFNumba",
        "torch": "LIFTorch",
        "jax": "LIFJax",
        "brian": "LIFBrian",
        "nest": "LIFNest",
        "sinabs": "LIFSinabs",
        "sinabs-exodus": "LIFExodus",
    },
)

# each spike of a neuron adds to a current of its own, which a negative weight lets slow it down
ALIF = replace(
    LIF.extended(
        ParameterSpec("w_ahp", "weights", (("Nout",), ()), drawn_by="w_ahp_init_func"),
        ParameterSpec("tau_ahp", "taus", (("Nout",), (1,), ()), 20e-3, "s", checks.time_constant),
        StateSpec("iahp", ("Nout",)),
    ),
    name="aLIF",
    title="leaky integrate-and-fire with an after-spike current",
    equations="""\
isyn <- (isyn + x_t + spikes @ w_rec) * exp(-dt / tau_syn)
iahp <- (iahp + spikes * w_ahp) * exp(-dt / tau_ahp)
vmem <- vmem * exp(-dt / tau_mem) + sum(isyn[s] for s in synapses) + iahp + noise + bias
spikes <- min((vmem >= threshold) * floor(vmem / threshold), max_spikes_per_dt)
vmem <- vmem - spikes * threshold""",
    source="G. Bellec, D. Salaj, A. Subramoney, R. Legenstein, W. Maass, Long short-term memory "
    "and learning-to-learn in networks of spiking neurons, NeurIPS (2018)",
    classes={"torch": "aLIFTorch"},
)
