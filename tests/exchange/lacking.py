"""What the files of the exporters do not hold of the networks that they were written from.

A reader cannot know it: it can take something and say so, or be told.
"""

from typing import Any, NamedTuple


class Lack(NamedTuple):
    """What is not in a file, and how `rockpool.nir.from_nir` can be told (not at all, if empty)."""

    what: str
    told: dict[str, Any]


_TO_ZERO = Lack("reset_mechanism='zero'", {"reset": "value"})
_V_RESET = Lack("v_reset=-0.5", {"v_reset": -0.5})
_NO_NORM = Lack("norm_input=False", {"gain": "unit"})


def _named(dialect: str, *files: str) -> dict[str, Lack]:
    """Files whose nodes have the names that a user chose, so that less in them tells who wrote them."""
    return dict.fromkeys(files, Lack("who wrote it", {"dialect": dialect}))


LACKING = {
    **_named("snntorch", "snntorch_leaky_named", "snntorch_leaky_inner", "snntorch_synaptic_named"),
    **_named("norse", "norse_lifbox_named", "norse_lifbox_inner"),
    **_named("norse", "norse_lif_named", "norse_iaf_named"),
    **_named("sinabs", "sinabs_lif_named", "sinabs_lif_inner", "sinabs_iaf_named"),
    **_named("spikingjelly", "spikingjelly_lif_named", "spikingjelly_lif_inner"),
    **_named("rockpool", "rockpool_lif_named"),
    **dict.fromkeys(
        [
            "snntorch_leaky_zero",
            "snntorch_leaky_conv_zero",
            "snntorch_synaptic_zero",
            "snntorch_rleaky_zero",
            "snntorch_rsynaptic_zero",
        ],
        _TO_ZERO,
    ),
    **dict.fromkeys(
        ["snntorch_leaky_none", "snntorch_synaptic_none", "snntorch_rleaky_none"],
        Lack("reset_mechanism='none'", {"reset": "none"}),
    ),
    **dict.fromkeys(
        [
            "snntorch_leaky_nodelay",
            "snntorch_leaky_nodelay_strong",
            "snntorch_synaptic_nodelay",
            "snntorch_synaptic_nodelay_strong",
            "snntorch_rleaky_nodelay",
        ],
        Lack("reset_delay=False", {"reset_delay": False}),
    ),
    **dict.fromkeys(
        [
            "snntorch_leaky_zero_nodelay",
            "snntorch_synaptic_zero_nodelay",
            "snntorch_rleaky_zero_nodelay",
        ],
        Lack("reset_mechanism='zero', reset_delay=False", {"reset": "value", "reset_delay": False}),
    ),
    "snntorch_leaky_graded": Lack("graded_spikes_factor", {}),
    **dict.fromkeys(["norse_lifbox_vreset", "norse_lif_vreset", "norse_iaf_vreset"], _V_RESET),
    **dict.fromkeys(
        [
            "sinabs_lif_nonorm",
            "sinabs_lif_nonorm_bias",
            "sinabs_lif_nonorm_tau3",
            "sinabs_lif_hetero",
            "sinabs_lif_deep",
            "sinabs_lif_readout",
            "sinabs_lif_tau1",
            "sinabs_lif_tau300",
            "sinabs_lif_threshold",
            "sinabs_lif_squeezed",
        ],
        _NO_NORM,
    ),
    "sinabs_expleak_norm": Lack("norm_input=True", {"gain": "r"}),
    "sinabs_lif_single": Lack(
        "norm_input=False, spike_fn=SingleSpike", {"gain": "unit", "max_spikes_per_dt": 1}
    ),
    "sinabs_lif_reset": Lack(
        "norm_input=False, reset_fn=MembraneReset", {"gain": "unit", "reset": "value"}
    ),
    "sinabs_lif_reset_norm": Lack("reset_fn=MembraneReset", {"reset": "value"}),
    "sinabs_iaf_reset": Lack("reset_fn=MembraneReset", {"reset": "value"}),
    "sinabs_lif_subtract_value": Lack("norm_input=False, subtract_value", {}),
    "sinabs_iaf_minv": Lack("min_v_mem", {}),
    "sinabs_iaf_single": Lack("spike_fn=SingleSpike", {"max_spikes_per_dt": 1}),
    "sinabs_lif_tausyn": Lack("tau_syn", {}),
    "sinabs_lif_minv": Lack("min_v_mem", {}),
    "rockpool_lif_1spike": Lack("max_spikes_per_dt=1", {"max_spikes_per_dt": 1}),
    "spyx_lif_left_out": Lack("a layer that spyx does not write", {}),
    "spyx_lif_readout": Lack("a layer that spyx does not write", {}),
    "rockpool_lifneuron_bias": Lack("the bias of the neurons", {}),
    "rockpool_lif_bias": Lack("the bias of the neurons", {}),
    "rockpool_lif_rec": Lack("the recurrent weights", {}),
}
