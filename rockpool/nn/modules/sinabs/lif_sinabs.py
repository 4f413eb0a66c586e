"""The leaky integrate-and-fire neuron on sinabs: `LIFSinabs`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Unpack

import sinabs  # noqa: F401 - waits where another thread is importing it
import torch
from sinabs.activation import MembraneSubtract
from sinabs.layers.functional import lif_forward
from torch import Tensor

from rockpool.nn.modules.torch._base.checks import require_finite_input
from rockpool.nn.modules.torch._base.initialisers import kaiming_columns
from rockpool.nn.modules.torch._base.registry import Values
from rockpool.nn.modules.torch._base.surrogates import StepPWL
from rockpool.nn.modules.torch._base.transforms import no_dynamo
from rockpool.nn.modules.torch._loops.lif import LIFParameters, LIFState, lif_loop, sum_in_order
from rockpool.nn.modules.torch._loops.steps import Records
from rockpool.nn.modules.torch.lif_base_torch import LIFBaseTorch
from rockpool.nn.modules.torch.torch_module import TorchArguments
from rockpool.parameters import Constant, Shape

__all__ = ["LIFSinabs"]


class _SpikeFunction:
    """One of our spike functions in the form that sinabs calls."""

    required_states = ("v_mem",)

    def __init__(self, parameters: LIFParameters) -> None:
        self._function = parameters.spike_fn
        self._settings = (parameters.window, parameters.max_spikes)

    def apply(self, v_mem: Tensor, threshold: Tensor, _: Any) -> Tensor:
        """Return the number of spikes of each neuron."""
        return self._function(v_mem, threshold, *self._settings)


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
        noise_std: float = 0.0,
        spike_generation_fn: Any = StepPWL,
        learning_window: float | Tensor = 0.5,
        weight_init_func: Callable[[Shape], Any] | None = None,
        dt: float = 1e-3,
        device: torch.device | str | None = None,
        max_spikes_per_dt: float | Tensor = 2.0**16,
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

    @no_dynamo
    def forward(self, data: Tensor) -> Tensor:
        """Return the spikes over time; as `LIFTorch.forward`."""
        data = self._input(data, self.threshold)
        arguments = self._loop_arguments(data)
        if 0 in data.shape:  # there is nothing to run for sinabs
            output, _, self._record_dict = lif_loop(*arguments, self._record)
            return output
        run = self._run_recurrent if self._has_rec else self._run
        final, records = run(*arguments)
        require_finite_input(self, data, final.isyn)
        self._record_dict = records if self._record else {}
        self._keep_state(**final._asdict())
        return records["spikes"]

    def _run(
        self, x: Tensor, state: LIFState, parameters: LIFParameters, noise: Tensor | None
    ) -> tuple[LIFState, Records]:
        """Run the neurons over the time steps in `x`, which holds their recurrent input already."""
        p = parameters
        settings = {
            "spike_threshold": p.threshold,
            "spike_fn": _SpikeFunction(p),
            "reset_fn": MembraneSubtract(),
            "surrogate_grad_fn": None,
            "min_v_mem": None,
            "norm_input": False,
            "record_states": self._record,
        }
        if self.n_synapses == 1 and noise is None and not self._has_bias:
            states = {"v_mem": state.vmem, "i_syn": state.isyn[..., 0]}
            beta = p.beta.flatten()
            spikes, final, recorded = lif_forward(x, p.alpha, beta, states, **settings)
            last = final["i_syn"].unsqueeze(-1)
            isyn = recorded["i_syn"].unsqueeze(-1) if self._record else last
        else:
            isyn = self._currents(x, state.isyn, p.beta)
            drive = sum_in_order(isyn) + (p.bias if noise is None else noise + p.bias)
            states = {"v_mem": state.vmem}
            spikes, final, recorded = lif_forward(drive, p.alpha, None, states, **settings)
            last = isyn[:, -1]
        records = {"spikes": spikes}
        if self._record:
            records = {"vmem": recorded["v_mem"], "isyn": isyn, "irec": torch.zeros_like(isyn)}
            records["spikes"] = spikes
        return LIFState(final["v_mem"], last, spikes[:, -1]), records

    def _currents(self, x: Tensor, isyn: Tensor, beta: Tensor) -> Tensor:
        """Return the synaptic currents over time, (B, T, N, S).

        A leaky sum of sinabs decays before the input of a time step arrives, and not after it; its
        decay is thus applied once more at the end, and the first current comes in as input.
        """
        beta = beta.expand(self.n_neurons, self.n_synapses).flatten()
        x = torch.cat([(isyn.flatten(1) + x[:, 0]).unsqueeze(1), x[:, 1:]], dim=1)
        states = {"v_mem": torch.zeros_like(x[:, 0])}
        no_spikes = dict.fromkeys(
            ("spike_threshold", "spike_fn", "reset_fn", "surrogate_grad_fn", "min_v_mem")
        )
        leaky_sum = lif_forward(x, beta, None, states, norm_input=False, **no_spikes)[0]
        return (leaky_sum * beta).unflatten(-1, (self.n_neurons, self.n_synapses))

    def _run_recurrent(
        self, x: Tensor, state: LIFState, parameters: LIFParameters, noise: Tensor | None
    ) -> tuple[LIFState, Records]:
        """Run the neurons step by step."""
        steps: list[Records] = []
        for t in range(x.shape[1]):
            irec = state.spikes @ self.w_rec
            arriving = x[:, t : t + 1] + irec.unsqueeze(1)
            noise_t = None if noise is None else noise[:, t : t + 1]
            state, records = self._run(arriving, state, parameters, noise_t)
            if self._record:
                records["irec"] = irec.view_as(state.isyn).unsqueeze(1)
            steps.append(records)
        return state, {name: torch.cat([step[name] for step in steps], 1) for name in steps[0]}
