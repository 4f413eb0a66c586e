"""What the torch classes of neurons of NIR share: `EulerBaseTorch`."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from rockpool.nn.models import checks, euler
from rockpool.nn.models.model import Model, SettingSpec
from rockpool.nn.modules._neuron_array import NeuronArray
from rockpool.nn.modules.torch._base.call_options import CallOptions
from rockpool.nn.modules.torch._base.decays import precise
from rockpool.nn.modules.torch._base.sound import above_reset, sound_values
from rockpool.nn.modules.torch._kernels.dispatch import chosen_loop
from rockpool.nn.modules.torch._loops.euler import EulerParameters, EulerState, euler_loop
from rockpool.nn.modules.torch.torch_module import TorchModule

__all__ = ["EulerBaseTorch"]


def _window(owner: str, name: str, value: Any) -> None:
    checks.scalar(owner, name, value)
    checks.positive(owner, name, value)


def with_window(model: Model) -> Model:
    """Return the table of a model with the window of its surrogate gradient."""
    return model.extended(SettingSpec("learning_window", 0.5, check=_window))


class EulerBaseTorch(NeuronArray, TorchModule):
    """Neurons of NIR; `LIFEulerTorch` and its siblings say what they have of this."""

    _replaces_states = True

    _has_rec: bool = False
    learning_window: float = 0.5
    w_rec: Tensor
    tau_mem: Tensor
    tau_syn: Tensor
    r: Tensor
    w_in: Tensor
    v_leak: Tensor
    threshold: Tensor
    v_reset: Tensor
    dt: float
    decay: str
    gain: str
    gain_syn: str
    synapse: str
    reset: str
    reset_delay: bool | str
    fires: str
    max_spikes_per_dt: float
    delay: int
    spikes: Tensor
    isyn: Tensor
    vmem: Tensor

    def forward(self, data: Tensor) -> Tensor:
        """Return spikes, or the membrane of neurons that do not spike, (B, T, *shape)."""
        data = self._input(data, self.r)
        state = EulerState(**{name: self._start(name, data) for name in self._state_names})
        arguments = data, state, self._loop_parameters(), None
        loop = chosen_loop(self, euler_loop, *arguments)
        output, final, self._record_dict = loop(*arguments, self._record)
        self._require_finite_data(data, data)
        self._keep_state(**final._asdict())
        return self._as_neurons(output)

    def _options(self, data: Any, **options: Any) -> CallOptions:
        if options.get("lengths") is not None and isinstance(data, Tensor):
            data = self._shaped(data)
        return super()._options(data, **options)

    def _loop_parameters(self) -> EulerParameters:
        """Return the parameters for the time loop, checked."""
        names = (*self._parts, "w_rec") if self._has_rec else self._parts
        sound = sound_values(self, *names)
        if "threshold" in sound:
            sound["threshold"] = above_reset(self, sound["threshold"], sound["v_reset"])
        given = (*map(sound.get, ("threshold", "v_reset", "w_rec")), self.learning_window)
        rules = euler.rules(self._settings)
        return EulerParameters._make((*self._constants(sound), *given, *rules))

    def _constants(self, sound: dict[str, Tensor]) -> euler.Constants:
        """Return decays and gains, computed in double precision and cast once."""
        values = {name: precise(sound[name]) for name in sound if name in euler.OF_CONSTANTS}
        like = values["r"]
        # true quotients, as in numpy: torch makes a product of a number and a reciprocal
        settings = {**self._settings, "dt": torch.tensor(self.dt, dtype=like.dtype)}
        exact = euler.constants(values, settings, torch.exp)
        return euler.Constants(
            *(torch.as_tensor(value, dtype=self.r.dtype, device=like.device) for value in exact)
        )
