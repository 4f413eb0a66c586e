"""The rate neuron compiled with numba: `RateNumba`."""

from __future__ import annotations

from typing import Any

import numpy as np

from rockpool.nn.kernels.compiling import call, kernel_array
from rockpool.nn.kernels.rate import RELU, SIGMOID, TANH, rate_forward
from rockpool.nn.models.finite_input import require_finite
from rockpool.nn.modules.native.noise import drawn_noise
from rockpool.nn.modules.native.rate import H_ReLU, H_sigmoid, H_tanh, Rate
from rockpool.nn.modules.numba.input import batched_input
from rockpool.typehints import ArrayLike

__all__ = ["RateNumba"]

COMPILED = ((H_ReLU, RELU), (H_tanh, TANH), (H_sigmoid, SIGMOID))


class RateNumba(Rate):
    """A layer of leaky rate neurons, compiled.

    The equations, arguments, parameters, states and records are those of `Rate`, and so are the
    values, bit for bit; except that `tanh` is rounded differently in its last bit, and that the
    contributions of several neurons through recurrent weights are added up in another order.

    The activation functions "relu", "tanh" and "sigmoid" (`H_ReLU`, `H_tanh`, `H_sigmoid`) are
    compiled. With a function of your own the layer runs in numpy, as `Rate` does. See `LIFNumba`
    for how the time loop is compiled.
    """

    def evolve(
        self, input_data: ArrayLike, record: bool = False
    ) -> tuple[np.ndarray, dict[str, Any], dict[str, Any]]:
        """Evolve the neurons over time; as `Rate.evolve`."""
        activation = next((code for function, code in COMPILED if function is self.act_fn), None)
        if activation is None:
            return super().evolve(input_data, record)
        data = batched_input(self, input_data)
        neurons, kind = (self.size_out,), self._dtype
        x = kernel_array(self._batched_state("x", len(data)), kind)
        output = np.empty(data.shape, kind)
        optional, records = {}, {}
        if self._has_rec:
            optional["w_rec"] = kernel_array(self.w_rec, kind)
        if self.noise_std:
            optional["noise"] = drawn_noise(self, data.shape)
        if record:
            records = {name: np.empty(data.shape, kind) for name in ("rec_input", "x")}
            optional |= {"rec_record": records["rec_input"], "x_record": records["x"]}
        call(
            rate_forward,
            data=data,
            gain=kernel_array(self._gain(), kind, neurons),
            bias=kernel_array(self.bias, kind, neurons),
            threshold=kernel_array(self.threshold, kind, neurons),
            activation=activation,
            x=x,
            output=output,
            **optional,
        )
        require_finite(self, data, x)
        return output, self._keep_state(x=x), records
