"""The leaky integrate-and-fire neuron on sinabs: `LIFSinabs`."""

from collections.abc import Callable
from typing import Any, NamedTuple, Unpack

import sinabs  # noqa: F401 - waits where another thread is importing it
import torch
from sinabs.activation import MembraneSubtract
from sinabs.layers.functional import lif_forward
from torch import Tensor

from rockpool.nn.modules.torch._base.checks import require_finite_input
from rockpool.nn.modules.torch._base.initialisers import kaiming_columns
from rockpool.nn.modules.torch._base.registry import Values
from rockpool.nn.modules.torch._base.surrogates import PeriodicExponential, StepPWL
from rockpool.nn.modules.torch._kernels import operators
from rockpool.nn.modules.torch._kernels.dispatch import chosen_loop
from rockpool.nn.modules.torch._loops.lif import LIFState, lif_loop, sum_in_order
from rockpool.nn.modules.torch._loops.steps import Records
from rockpool.nn.modules.torch.lif_base_torch import LIFBaseTorch
from rockpool.nn.modules.torch.torch_module import TorchArguments
from rockpool.parameters import Constant, Shape

__all__ = ["LIFSinabs", "PeriodicExponential"]


class SinabsParameters(NamedTuple):
    """Parameters of LIF neurons that sinabs runs, as in `LIFParameters`."""

    alpha: Tensor
    beta: Tensor
    bias: Tensor | None  # None: the neurons have none
    threshold: Tensor
    w_rec: Tensor | None
    spike_fn: Callable[..., Tensor]
    window: float | Tensor
    max_spikes: float | Tensor


class _SpikeFunction:
    """One of our spike functions in the form that sinabs calls."""

    required_states = ("v_mem",)

    def __init__(self, parameters: SinabsParameters) -> None:
        self._function = parameters.spike_fn
        self._settings = (parameters.window, parameters.max_spikes)

    def apply(self, v_mem: Tensor, threshold: Tensor, _: Any) -> Tensor:
        """Return the number of spikes of each neuron."""
        return self._function(v_mem, threshold, *self._settings)


def sinabs_loop(
    x: Tensor,
    state: LIFState,
    parameters: SinabsParameters,
    noise: Tensor | None = None,
    record: bool = False,
) -> tuple[Tensor, LIFState, Records]:
    """Run LIF neurons over time, by the loops of sinabs; as `lif_loop`, with T > 0."""
    if parameters.w_rec is None:
        return _run(x, state, parameters, noise, record)
    outputs, steps = [], []
    for t in range(x.shape[1]):
        irec = state.spikes @ parameters.w_rec
        arriving = x[:, t : t + 1] + irec.unsqueeze(1)
        noise_t = None if noise is None else noise[:, t : t + 1]
        output, state, records = _run(arriving, state, parameters, noise_t, record)
        if record:
            records["irec"] = irec.view_as(state.isyn).unsqueeze(1)
        outputs.append(output)
        steps.append(records)
    recorded = {name: torch.cat([step[name] for step in steps], 1) for name in steps[0]}
    return torch.cat(outputs, 1), state, recorded


def _run(
    x: Tensor, state: LIFState, p: SinabsParameters, noise: Tensor | None, record: bool
) -> tuple[Tensor, LIFState, Records]:
    """Run the neurons over the time steps in `x`, which holds their recurrent input already."""
    settings = {
        "spike_threshold": p.threshold,
        "spike_fn": _SpikeFunction(p),
        "reset_fn": MembraneSubtract(),
        "surrogate_grad_fn": None,
        "min_v_mem": None,
        "norm_input": False,
        "record_states": record,
    }
    if state.isyn.shape[-1] == 1 and noise is None and p.bias is None:
        states = {"v_mem": state.vmem, "i_syn": state.isyn[..., 0]}
        spikes, final, recorded = lif_forward(x, p.alpha, p.beta.flatten(), states, **settings)
        last = final["i_syn"].unsqueeze(-1)
        isyn = recorded["i_syn"].unsqueeze(-1) if record else last
    else:
        isyn = _currents(x, state.isyn, p.beta)
        drive = sum_in_order(isyn)
        if noise is not None:
            drive = drive + (noise if p.bias is None else noise + p.bias)
        elif p.bias is not None:
            drive = drive + p.bias
        states = {"v_mem": state.vmem}
        spikes, final, recorded = lif_forward(drive, p.alpha, None, states, **settings)
        last = isyn[:, -1]
    records = {}
    if record:
        records = {"vmem": recorded["v_mem"], "isyn": isyn, "irec": torch.zeros_like(isyn)}
        records["spikes"] = spikes
    return spikes, LIFState(final["v_mem"], last, spikes[:, -1]), records


def _currents(x: Tensor, isyn: Tensor, beta: Tensor) -> Tensor:
    """Return the synaptic currents over time, (B, T, N, S).

    A leaky sum of sinabs decays before the input of a time step arrives, and not after it; its
    decay is thus applied once more at the end, and the first current comes in as input.
    """
    beta = beta.expand(isyn.shape[1:]).flatten()
    x = torch.cat([(isyn.flatten(1) + x[:, 0]).unsqueeze(1), x[:, 1:]], dim=1)
    states = {"v_mem": torch.zeros_like(x[:, 0])}
    no_spikes = dict.fromkeys(
        ("spike_threshold", "spike_fn", "reset_fn", "surrogate_grad_fn", "min_v_mem")
    )
    leaky_sum = lif_forward(x, beta, None, states, norm_input=False, **no_spikes)[0]
    return (leaky_sum * beta).unflatten(-1, isyn.shape[1:])


operators.define(
    sinabs_loop,
    operators.Form(
        "lif_sinabs",
        (None, LIFState, SinabsParameters),
        ("vmem", "isyn", "irec"),
        "spikes",
        "spike_fn",
    ),
)


class LIFSinabs(LIFBaseTorch):
    r"""A layer of leaky integrate-and-fire neurons with exponential synapses, run by sinabs.

    The equations, states and records are those of `LIFTorch`, and so are the spikes, values and
    gradients; the time loops are those of sinabs. Time constants, thresholds, biases and recurrent
    weights are parameters of this module and are trained with it.

    Without bias and noise, neurons with one synapse each are one loop of sinabs; else the synapses
    are a loop of their own. A recurrent layer calls sinabs once for each time step.

    Parameters
    ----------
    has_bias : bool
        Whether the neurons have a bias. Default: True. Without, it is 0 and is not trained.
    weight_init_func : callable, optional
        ``shape -> weights`` for the recurrent weights. Default: U(±√(6 / Nin)).
    device : torch.device or str, optional
        Where the module is to be. Default: the CPU.
    shape, tau_mem, tau_syn, ..., max_spikes_per_dt
        As for `LIFTorch`.

    Raises
    ------
    ValueError, TypeError
        As for `LIFTorch`; a `bias` without `has_bias`.

    References
    ----------
    sinabs, https://sinabs.readthedocs.io

    Examples
    --------
    >>> import torch
    >>> from rockpool.nn.modules import LIFSinabs      # doctest: +SKIP
    >>> spikes, state, record = LIFSinabs(3)(torch.ones(1, 5, 3))      # doctest: +SKIP
    """

    def __init__(
        self,
        shape: int | tuple[int, ...],
        tau_mem: Values | None = 0.02,
        tau_syn: Values | None = 0.02,
        has_bias: bool = True,
        bias: Values | None = 0.0,
        threshold: Values | None = 1.0,
        has_rec: bool = False,
        w_rec: Values | None = None,
        noise_std: float | int = 0.0,
        spike_generation_fn: Any = StepPWL,
        learning_window: float | int | Tensor = 0.5,
        weight_init_func: Callable[[Shape], Any] | None = None,
        dt: float | int = 1e-3,
        device: torch.device | str | None = None,
        max_spikes_per_dt: float | int | Tensor = 2.0**16,
        **kwargs: Unpack[TorchArguments],
    ) -> None:
        if not has_bias:
            if bias is not None and bool(torch.any(torch.as_tensor(bias) != 0)):
                owner = type(self).__name__
                raise ValueError(
                    f"{owner}: bias was given, but has_bias is False; set has_bias=True"
                )
            bias = Constant(0.0)
        super().__init__(
            shape,
            tau_mem=tau_mem,
            tau_syn=tau_syn,
            bias=bias,
            threshold=threshold,
            has_rec=has_rec,
            w_rec=w_rec,
            noise_std=noise_std,
            spike_generation_fn=spike_generation_fn,
            learning_window=learning_window,
            max_spikes_per_dt=max_spikes_per_dt,
            weight_init_func=kaiming_columns if weight_init_func is None else weight_init_func,
            dt=dt,
            **kwargs,
        )
        self._has_bias = bool(has_bias)
        if device is not None:
            self.to(device)

    def forward(self, data: Tensor) -> Tensor:
        """Return the spikes over time; as `LIFTorch.forward`."""
        data = self._input(data, self.threshold)
        x, state, given, noise = self._loop_arguments(data)
        if 0 in data.shape:  # there is nothing to run for sinabs
            output, _, self._record_dict = lif_loop(x, state, given, noise, self._record)
            return output
        bias = given.bias if self._has_bias else None
        parameters = SinabsParameters(given.alpha, given.beta, bias, *given[3:8])
        arguments = x, state, parameters, noise
        loop = chosen_loop(self, sinabs_loop, *arguments)
        output, final, self._record_dict = loop(*arguments, self._record)
        require_finite_input(self, data, final.isyn)
        self._keep_state(**final._asdict())
        return output
