"""The exponential synapse in numpy: `ExpSyn`."""

from __future__ import annotations

from typing import Any, Unpack

import numpy as np
from numpy.typing import DTypeLike

from rockpool.nn.models import exp_syn
from rockpool.nn.models.finite_input import require_finite
from rockpool.nn.models.model import SettingSpec
from rockpool.nn.modules.module import Module, NoArguments
from rockpool.nn.modules.native.noise import drawn_noise
from rockpool.typehints import ArrayLike

__all__ = ["ExpSyn"]


class ExpSyn(Module):
    r"""A layer of exponential synapses: a leaky sum of the input of each channel.

    For each time step:

    .. math::

        I_{syn} &\leftarrow (I_{syn} + x_t) \, e^{-dt / \tau}

    and the output is :math:`I_{syn}`, plus the noise :math:`\sigma \sqrt{dt} \, z`,
    :math:`z \sim N(0, 1)`, which is added after filtering.

    Parameters
    ----------
    shape : int or tuple of int
        Number of synapses, ``N`` or ``(N,)``.
    tau : array_like, optional
        Time constants in seconds, shape (N,) or (); 10 ms.
    noise_std : float
        Standard deviation of the noise on the output, after one second. Default: 0.
    dt : float
        Time step in seconds. Default: 1 ms.
    max_window_length : int
        Longest kernel, in time steps, for methods that convolve with a truncated kernel. This
        class computes the recursion, which is exact, and needs no window: the value is kept for
        those who read it. Default: 10**6.
    dtype : dtype
        As for `LIF`.
    spiking_input, spiking_output : bool
        Whether a time series for the input is one of events (default True), and the output (False).

    Attributes
    ----------
    isyn : np.ndarray
        The state: synaptic currents, shape (N,). Zero at rest. With noise: the last output.
        A second call goes on from there, a batch from that of element 0, or of all elements after
        `keep_batch_state()`; `reset_state()` returns to rest, and belongs in a training loop.

    Raises
    ------
    ValueError, TypeError
        As for `LIF`; also a `max_window_length` that is no whole number >= 1.

    References
    ----------
    P. Dayan, L. F. Abbott, Theoretical Neuroscience, MIT Press (2001), chapter 5.8.

    Examples
    --------
    >>> import numpy as np
    >>> from rockpool.nn.modules import ExpSyn
    >>> output, state, _ = ExpSyn(2)(np.ones((1, 3, 2)))
    >>> output.shape, bool(np.all(state["isyn"] == output[0, -1]))
    ((1, 3, 2), True)
    """

    _model = exp_syn.EXP_SYN
    _replaces_states = True

    dt: float
    max_window_length: float
    noise_std: float
    tau: np.ndarray
    isyn: np.ndarray

    def __init__(
        self,
        shape: int | tuple[int, ...],
        tau: ArrayLike | None = None,
        noise_std: float | int = 0.0,
        dt: float | int = 1e-3,
        max_window_length: float | int = 1e6,
        spiking_input: bool = True,
        spiking_output: bool = False,
        *args: Any,
        dtype: DTypeLike = np.float64,
        **kwargs: Unpack[NoArguments],
    ) -> None:
        self._declare(locals(), super().__init__)

    def _as_setting(self, spec: SettingSpec, value: Any) -> Any:
        if spec.name == "noise_std":  # an array of no dimension, as parameters are
            return self._as_parameter(value)
        return super()._as_setting(spec, value)

    def evolve(
        self, input_data: ArrayLike, record: bool = False
    ) -> tuple[np.ndarray, dict[str, Any], dict[str, Any]]:
        """Evolve the synapses over time; as `LIF.evolve`.

        The output, (B, T, N), is the synaptic currents, and ``isyn``, (N,), the last of them. There
        is nothing else to record.
        """
        output, _ = self._auto_batch(input_data)  # a copy of the input
        beta = exp_syn.decay(self.dt, self.tau, self._dtype)
        isyn = self._batched_state("isyn", len(output))
        for step in output.swapaxes(0, 1):  # each step of the input becomes the output in place
            isyn += step
            isyn *= beta
            step[:] = isyn
        require_finite(self, input_data, isyn)
        return self._noisy(output, isyn)

    def _noisy(
        self, output: np.ndarray, isyn: np.ndarray
    ) -> tuple[np.ndarray, dict[str, Any], dict[str, Any]]:
        """Add the noise to an output, keep the state, and return what `evolve` returns."""
        if self.noise_std > 0:
            output += drawn_noise(self, output.shape)
            if output.shape[1]:
                isyn = output[:, -1].copy()
        return output, self._keep_state(isyn=isyn), {}
