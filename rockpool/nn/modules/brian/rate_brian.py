"""The rate neuron on Brian 2: `RateBrian`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Unpack

import numpy as np

from rockpool.nn.models import rate
from rockpool.nn.modules.brian.simulation import (
    CODEGEN_TARGET,
    BrianLayer,
    Feed,
    brian2,
    clock_of,
    per_neuron,
    recording,
    recurrent_synapses,
    run,
)
from rockpool.nn.modules.module import ModuleArguments
from rockpool.nn.modules.native.linear import unit_eigs
from rockpool.nn.modules.native.noise import drawn_noise
from rockpool.nn.modules.native.rate import H_ReLU, H_sigmoid, H_tanh, Rate
from rockpool.typehints import ArrayLike

__all__ = ["RateBrian"]

# The activation functions that Brian can compile for any target.
_EXPRESSIONS = (
    (H_ReLU, "clip(x - threshold, 0, inf)"),
    (H_tanh, "tanh(x - threshold)"),
    (H_sigmoid, "(tanh(x - threshold) + 1) / 2"),
)


class RateBrian(BrianLayer, Rate):
    r"""A layer of leaky rate neurons, run by Brian 2.

    The equations, arguments, parameters, states and records are those of `Rate`, and so are the
    values, bit for bit; except that the contributions of several neurons through recurrent weights
    are added up in another order, and that compiled targets round `tanh` differently.

    See `LIFBrian` for how Brian is used.

    Parameters
    ----------
    shape, tau, bias, threshold, w_rec, weight_init_func, has_rec, activation_func, dt, noise_std
        As for `Rate`. A function of your own as `activation_func` needs ``"numpy"`` below.
    codegen_target : str
        What Brian makes of the equations: ``"numpy"`` (default), ``"cython"`` or
        ``"cpp_standalone"``; see `LIFBrian`.
    """

    _model = rate.RATE.extended(CODEGEN_TARGET)

    def __init__(
        self,
        shape: int | tuple[int, ...],
        tau: ArrayLike | None = None,
        bias: ArrayLike | None = None,
        threshold: ArrayLike | None = None,
        w_rec: ArrayLike | None = None,
        weight_init_func: Callable[[tuple[int, ...]], np.ndarray] = unit_eigs,
        has_rec: bool = False,
        activation_func: Callable[[Any, Any], Any] | str = H_ReLU,
        dt: float | int = 1e-3,
        noise_std: float | int = 0.0,
        codegen_target: str = "numpy",
        *args: Any,
        **kwargs: Unpack[ModuleArguments],
    ) -> None:
        self._declare(locals(), super(Rate, self).__init__)
        self._activation()  # which the target has to know

    def _activation(self) -> tuple[str, dict[str, Any]]:
        """Return the activation function as Brian spells it, and what that refers to."""
        for function, expression in _EXPRESSIONS:
            if self.act_fn is function:
                return expression, {}
        if self.codegen_target != "numpy":
            raise ValueError(
                f"{self._label}: activation_func must be 'relu', 'tanh' or 'sigmoid' for "
                f"codegen_target={self.codegen_target!r}, got {self.act_fn!r}; "
                f"codegen_target='numpy' takes any function"
            )
        function = brian2.Function(self.act_fn, arg_units=[1, 1], return_unit=1)
        return "act_fn(x, threshold)", {"act_fn": function}

    def _run(
        self, data: np.ndarray, record: bool
    ) -> tuple[np.ndarray, dict[str, Any], dict[str, Any]]:
        n_batch, n_steps, n_out = data.shape
        clock = clock_of(self.dt)
        drive = data + self.bias
        if self.noise_std:
            drive += drawn_noise(self, data.shape)
        over_time = drive.swapaxes(0, 1).reshape(n_steps, n_batch * n_out)
        feed = Feed(self.codegen_target, clock, {"drive": over_time})
        expression, namespace = self._activation()
        group = brian2.NeuronGroup(
            n_batch * n_out,
            _MODEL,
            clock=clock,
            name="rockpool_neurons",
            dtype=np.float64,
            namespace={**feed.namespace, **namespace},
        )
        group.run_regularly(
            feed.code + _UPDATE + expression, clock=clock, when="thresholds", name="rockpool_update"
        )
        x = self._batched_state("x", n_batch)
        group.x_ = x.ravel()
        group.act_ = np.asarray(self.act_fn(x, self.threshold)).ravel()
        group.gain_ = per_neuron(self, self.dt / self.tau, n_batch)
        group.threshold_ = per_neuron(self, self.threshold, n_batch)
        names = ["act", "x", "rec_input"] if record else ["act"]
        monitor = recording(group, names)
        network = brian2.Network(group, monitor, *feed.operations(group))
        if self._has_rec:
            network.add(
                *recurrent_synapses(
                    group,
                    self.w_rec,
                    n_batch,
                    "rockpool_recurrent",
                    "w : 1 (constant)\nrec_input_post = w * act_pre : 1 (summed)",
                )
            )
        run(self._label, network, n_steps, self.dt, {})

        def recorded(name: str) -> np.ndarray:
            values = np.asarray(getattr(monitor, f"{name}_")).reshape(n_batch, n_out, n_steps)
            return np.ascontiguousarray(values.swapaxes(1, 2))

        records = {name: recorded(name) for name in ("rec_input", "x")} if record else {}
        x = np.array(group.x_).reshape(n_batch, n_out)
        return recorded("act"), self._keep_state(x=x), records


_MODEL = """
x : 1
act : 1
drive : 1
rec_input : 1
gain : 1 (constant)
threshold : 1 (constant)
"""

# One rounding a line, in the order of the reference; the activation function follows.
_UPDATE = """
change = drive - x
change += rec_input
x += gain * change
act = """
