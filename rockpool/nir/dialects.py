"""What each package means by a file of NIR: the steps that it runs.

NIR's nodes are equations without a time step. The packages that write them run steps of their own,
and no file says which (`rockpool.nir.signs` finds out). What is here was seen in runs of
nir 1.0.4 and 1.0.8, snntorch 1.0.0, norse 1.1.0, sinabs 3.1.3, spikingjelly 2.0.0, spyx 1.0.0 and
rockpool 3.1.0.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rockpool.nir.graph import SPIKING

__all__ = ["DIALECTS", "Dialect"]

# One step of NIR's own equations, as `rockpool.nn.models.euler` has it
_NIR = {
    "decay": "euler",
    "gain": "r",
    "gain_syn": "w_in",
    "synapse": "new",
    "reset": "value",
    "reset_delay": False,
    "fires": ">",
    "max_spikes_per_dt": 1.0,
    "delay": 0,
}


@dataclass(frozen=True)
class Dialect:
    """How a package runs the nodes that it writes.

    Attributes
    ----------
    title : str
        The step, in words.
    settings : dict
        The settings of its neurons.
    of_kind : dict of dict by type of node
        Where a type of node has others.
    lost : dict of str by setting
        What its files do not hold: by the setting that stands for it, what is taken instead; names
        with a "!" in front are no settings.
    lost_in : dict of types of nodes by the same names
        Which nodes lose it.
    dt : float
        The time step that is taken where a file does not tell it.
    start : dict of str by type of node
        The parameter at which membranes start, where that is not 0; "" for all other types.
    """

    title: str
    settings: Mapping[str, Any]
    of_kind: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    lost: Mapping[str, str] = field(default_factory=dict)
    lost_in: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    dt: float = 1e-3
    start: Mapping[str, str] = field(default_factory=dict)

    def settings_of(self, kind: str) -> dict[str, Any]:
        """Return the settings for a type of node."""
        return {**self.settings, **self.of_kind.get(kind, {})}

    def start_of(self, kind: str) -> str:
        """Return the parameter at which the membranes of a type of node start; "" for 0."""
        return self.start.get(kind, self.start.get("", ""))


DIALECTS: dict[str, Dialect] = {
    "nir": Dialect("NIR's equations by Euler steps, to v_reset at v > v_threshold", _NIR),
    "snntorch": Dialect(
        "Euler steps, unit gains, v > v_threshold",
        _NIR | {"reset": "subtract", "reset_delay": True},
        lost={
            "reset": "reset_mechanism (taken: 'subtract')",
            "reset_delay": "reset_delay (taken: True, a reset comes one step late)",
            "!graded_spikes_factor": "graded_spikes_factor, inhibition, state_quant (taken: none)",
        },
        dt=1e-4,
    ),
    "norse": Dialect(
        "Euler steps, a spike adds 1 to the current, to 0 at v > v_threshold",
        _NIR | {"gain_syn": "unit"},
        of_kind={"IF": {"gain": "unit"}},
        lost={"v_reset": "v_reset (taken: 0)"},
        start={"IF": "v_reset", "": "v_leak"},
    ),
    "sinabs": Dialect(
        "exponential decays over steps, subtraction at v >= v_threshold, several spikes a step",
        _NIR | {"decay": "exp", "reset": "subtract", "fires": ">=", "max_spikes_per_dt": math.inf},
        of_kind={"IF": {"gain": "unit"}, "LI": {"gain": "unit"}},
        lost={
            "gain": "norm_input (taken: True for LIF, False for ExpLeak, which are the defaults)",
            "!tau_syn": "tau_syn (taken: none)",
            "max_spikes_per_dt": "spike_fn (taken: MultiSpike)",
            "reset": "reset_fn (taken: MembraneSubtract)",
            "!min_v_mem": "min_v_mem (taken: none)",
        },
        lost_in={"gain": ("LIF", "LI"), "!tau_syn": ("LIF",), "!min_v_mem": (*SPIKING, "LI")},
        dt=1.0,
    ),
    "spikingjelly": Dialect(
        "Euler steps, to v_reset at v >= v_threshold",
        _NIR | {"fires": ">="},
        dt=1e-4,
        start={"": "v_reset"},
    ),
    "spyx": Dialect(
        "Euler steps, unit gains, subtraction (LIF: one step late), output one step late",
        _NIR
        | {
            "gain": "unit",
            "gain_syn": "unit",
            "reset": "subtract",
            "reset_delay": True,
            "delay": 1,
        },
        of_kind={"CubaLIF": {"reset_delay": False}, "LI": {"delay": 0}, "CubaLI": {"delay": 0}},
        dt=1.0,
    ),
    "rockpool": Dialect(
        "exponential decays, i = a (i + x), v = b v + i, subtraction at v >= v_threshold, several "
        "spikes a step",
        _NIR
        | {
            "decay": "exp",
            "gain": "unit",
            "gain_syn": "decay",
            "reset": "subtract",
            "fires": ">=",
            "max_spikes_per_dt": 65536.0,
        },
        lost={
            "!bias": "the bias of neurons (taken: 0)",
            "!w_rec": "recurrent weights (taken: none)",
            "max_spikes_per_dt": "max_spikes_per_dt (taken: 65536)",
            "!noise_std": "noise_std (taken: 0)",
        },
        lost_in={"!w_rec": ("CubaLIF",), "!bias": ("CubaLIF", "LIF")},
    ),
}
