"""Non-spiking rate neurons in torch: `RateTorch`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Unpack

from torch import Tensor

import rockpool.graph
from rockpool.nn.models import rate
from rockpool.nn.models.model import SettingSpec
from rockpool.nn.modules.torch._base.activations import ACTIVATION_FUNCTIONS, relu
from rockpool.nn.modules.torch._base.checks import require_finite_input
from rockpool.nn.modules.torch._base.decays import gain
from rockpool.nn.modules.torch._base.initialisers import unit_eigs
from rockpool.nn.modules.torch._base.registry import Values
from rockpool.nn.modules.torch._base.sound import sound_values
from rockpool.nn.modules.torch._kernels.dispatch import chosen_loop
from rockpool.nn.modules.torch._loops.rate import RateParameters, rate_loop
from rockpool.nn.modules.torch.torch_module import TorchModule, TorchModuleArguments
from rockpool.parameters import Shape

__all__ = ["RateTorch"]


RATE_TORCH = (
    rate.RATE.changed("bias", family="biases")
    .changed("activation_func", stored_as="act_fn")
    .arranged("dt w_rec noise_std tau bias threshold activation_func x")
)


class RateTorch(TorchModule):
    """A layer of non-spiking rate neurons.

    The equations, states and records are those of `Rate`; noise comes from torch's generator.

    Parameters
    ----------
    shape, tau, bias, threshold, has_rec, w_rec, noise_std, dt
        As for `Rate`.
    weight_init_func : callable
        ``shape -> weights`` for the recurrent weights. Default: N(0, 1 / N).
    activation_func : callable or str
        ``f(x, threshold)`` of tensors, or a name, as for `Rate`. Default: `relu`.

    Examples
    --------
    >>> import torch
    >>> from rockpool.nn.modules import RateTorch
    >>> output, state, record = RateTorch(2)(torch.ones(1, 3, 2), record=True)
    >>> tuple(output.shape), sorted(record)
    ((1, 3, 2), ['rec_input', 'x'])
    """

    _model = RATE_TORCH
    _replaces_states = True

    tau: Tensor
    bias: Tensor
    threshold: Tensor
    w_rec: Tensor
    act_fn: Callable[[Tensor, Tensor], Tensor]
    x: Tensor
    _has_rec: bool

    def __init__(
        self,
        shape: int | tuple[int, ...],
        tau: Values | None = None,
        bias: Values | None = None,
        threshold: Values | None = None,
        has_rec: bool = False,
        w_rec: Values | None = None,
        weight_init_func: Callable[[Shape], Any] = unit_eigs,
        activation_func: Callable[[Tensor, Tensor], Tensor] | str = relu,
        noise_std: float | int = 0.0,
        dt: float | int = 1e-3,
        *args: Any,
        **kwargs: Unpack[TorchModuleArguments],
    ) -> None:
        self._declare(locals(), super().__init__)
        self._has_rec = bool(has_rec)

    def _as_setting(self, spec: SettingSpec, value: Any) -> Any:
        if spec.name == "activation_func":
            return rate.activation(type(self).__name__, value, ACTIVATION_FUNCTIONS)
        return super()._as_setting(spec, value)

    def _said_setting(self, spec: SettingSpec, value: Any) -> Any:
        if spec.name == "activation_func":
            return rate.said_activation(value, ACTIVATION_FUNCTIONS)
        return super()._said_setting(spec, value)

    def forward(self, data: Tensor) -> Tensor:
        """Return the activation over time."""
        data = self._input(data, self.tau)
        state = self._start("x", data)
        weights = ("w_rec",) if self._has_rec else ()
        sound = sound_values(self, "tau", "bias", "threshold", *weights)
        parameters = RateParameters(
            gain(self.dt, sound["tau"]),
            sound["bias"],
            sound["threshold"],
            sound.get("w_rec"),
            self.act_fn,
        )
        arguments = data, state, parameters, self._noise(data.shape, data)
        loop = chosen_loop(self, rate_loop, *arguments)
        output, state, self._record_dict = loop(*arguments, self._record)
        require_finite_input(self, data, state)
        self._keep_state(x=state)
        return output

    def as_graph(self) -> rockpool.graph.GraphHolder:
        """Return the layer as a graph: its neurons and, where it has them, recurrent weights."""
        from rockpool.graph.from_modules import rate_graph
        from rockpool.nn.modules.torch._base.graphs import to_array

        w_rec = to_array(self.w_rec) if self._has_rec else None
        return rate_graph(self, to_array(self.tau), to_array(self.bias), w_rec)
