"""Banks of Butterworth filters: one signal, such as sound, becomes many channels (scipy)."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any

import numpy as np
from scipy import signal

from rockpool.nn.description import Node
from rockpool.nn.models import checks
from rockpool.nn.modules.module import Module
from rockpool.parameters import SimulationParameter
from rockpool.typehints import ArrayLike

__all__ = ["ButterFilter", "ButterMelFilter", "FilterBankBase"]


# settings that the filters have been designed with
_DESIGNED = frozenset({"fs", "cutoff_fs", "order", "frequency", "bandwidth"})


def _require(condition: bool, owner: str, name: str, allowed: str, value: Any) -> None:
    if not condition:
        raise AssertionError(f"{owner}: {name} must be {allowed}, got {value!r}")


class FilterBankBase(Module):
    """A bank of Butterworth band-pass filters; a subclass says which bands.

    A subclass calls this constructor and then ``_set_bands(low, high)``. Frequencies and order are
    fixed at construction, as the filters are designed then.

    Parameters
    ----------
    shape : int or tuple of int
        ``n`` or ``(1, n)`` for n filters. Default: (1, 64).
    fs : float
        Sampling frequency of the input in Hz. Default: 44100.
    cutoff_fs : float
        Cut-off frequency of the low-pass filter in Hz, below ``fs / 2``. Default: 100.
    order : int
        Order of all filters. Default: 2.
    mean_subtraction : bool
        Whether to subtract the mean over all channels and time steps. Default: False.
    normalize : bool
        Whether to divide by the largest absolute value of all channels and time steps; an output
        of zeros stays as it is. Default: False.
    num_workers : int
        Kept for those who pass it; the filters are run one after the other. Default: 1.
    use_lowpass : bool
        Whether to rectify each band and filter it by a low-pass, for its envelope. Default: True.

    Raises
    ------
    AssertionError
        `fs` is not > 0, `cutoff_fs` not between 0 and ``fs / 2``, or `order` or `num_workers` no
        int > 0.
    ValueError
        `shape` is not as stated, or a band does not lie between 0 and ``fs / 2``.
    """

    # assigned as parameter objects, read as bare values
    fs: Any
    cutoff_fs: Any
    order: Any
    num_workers: Any
    mean_subtraction: Any
    normalize: Any
    use_lowpass: Any

    @classmethod
    def _described_arguments(cls, node: Node) -> dict[str, Any]:
        arguments = super()._described_arguments(node)
        if "frequency" in arguments:  # they say how many filters there are
            del arguments["shape"]
        return arguments

    def __init__(
        self,
        shape: int | tuple[int, ...] = (1, 64),
        fs: float | int = 44100.0,
        cutoff_fs: float | int = 100.0,
        order: int = 2,
        mean_subtraction: bool = False,
        normalize: bool = False,
        num_workers: int = 1,
        use_lowpass: bool = True,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        owner = type(self).__name__
        module_shape = self._module_shape(shape)
        _require(isinstance(fs, Real) and 0 < fs < np.inf, owner, "fs", "a number > 0 Hz", fs)
        _require(
            isinstance(cutoff_fs, Real) and 0 < cutoff_fs < fs / 2,
            owner,
            "cutoff_fs",
            f"a number > 0 Hz and < fs / 2 = {fs / 2:g} Hz",
            cutoff_fs,
        )
        for name, value in {"order": order, "num_workers": num_workers}.items():
            _require(isinstance(value, Integral) and value > 0, owner, name, "an int > 0", value)
        super().__init__(module_shape, *args, **kwargs)

        self.fs = SimulationParameter(float(fs))
        self.cutoff_fs = SimulationParameter(float(cutoff_fs))
        self.order = SimulationParameter(int(order))
        self.num_workers = SimulationParameter(int(num_workers))
        self.mean_subtraction = SimulationParameter(bool(mean_subtraction))
        self.normalize = SimulationParameter(bool(normalize))
        self.use_lowpass = SimulationParameter(bool(use_lowpass))
        self._band_filters: list[np.ndarray] = []
        self._low_pass = signal.butter(self.order, self.cutoff_fs / (self.fs / 2), output="sos")

    def _check_values(self, values: Mapping[str, Any]) -> None:
        super()._check_values(values)
        for name in _DESIGNED & values.keys():
            if not np.array_equal(values[name], getattr(self, name)):
                raise ValueError(
                    f"{self._label}: {name} is fixed, as the filters have been designed with it; "
                    f"make another bank, with {name}={values[name]!r}"
                )

    @classmethod
    def _module_shape(cls, shape: Any) -> tuple[int, int]:
        entries = checks.shape_entries(cls.__name__, shape)
        module_shape = (1, *entries) if len(entries) == 1 else entries
        if len(module_shape) != 2 or module_shape[0] != 1:
            raise ValueError(
                f"{cls.__name__}: shape must be n or (1, n) for n filters, got {shape}"
            )
        return module_shape[0], module_shape[1]

    def _set_bands(self, low: np.ndarray, high: np.ndarray) -> None:
        """Design one band-pass filter for each band from `low` to `high`, in Hz."""
        for low_edge, high_edge in zip(low, high, strict=True):
            if not 0 < low_edge < high_edge < self.fs / 2:
                raise ValueError(
                    f"{type(self).__name__}: each band must lie between 0 and fs / 2 = "
                    f"{self.fs / 2:g} Hz, got {low_edge:g} to {high_edge:g} Hz"
                )
            edges = np.array([low_edge, high_edge]) / (self.fs / 2)
            self._band_filters.append(
                signal.butter(self.order, edges, btype="bandpass", output="sos")
            )

    def evolve(
        self, input_data: ArrayLike, record: bool = False
    ) -> tuple[np.ndarray, dict[str, Any], dict[str, Any]]:
        """Filter a signal, without state and without record; each call begins at rest.

        Input of the shape (T,) or (T, 1) gives output of the shape (T, n), and (B, T, 1) gives
        (B, T, n). Another shape is a ValueError.
        """
        data = checks.real_input(self._label, input_data).astype(np.float64)
        if data.ndim == 1:
            data = data[:, np.newaxis]
        if data.ndim not in (2, 3) or data.shape[-1] != 1:
            raise ValueError(
                f"{type(self).__name__}: input must have shape (time,), (time, 1) or "
                f"(batch, time, 1), got {np.shape(input_data)}"
            )
        if not data.size:
            return np.zeros((*data.shape[:-1], self.size_out)), {}, {}
        output = np.concatenate([self._channel(sos, data) for sos in self._band_filters], axis=-1)
        if self.normalize:
            largest = np.max(np.abs(output), axis=(-2, -1), keepdims=True)
            output /= np.where(largest > 0, largest, 1.0)
        if self.mean_subtraction:
            output -= np.mean(output, axis=(-2, -1), keepdims=True)
        return output, {}, {}

    def _channel(self, band_filter: np.ndarray, data: np.ndarray) -> np.ndarray:
        """Return the band of the signal, or its envelope, in the shape of the signal."""
        band = signal.sosfilt(band_filter, data, axis=-2)
        return signal.sosfilt(self._low_pass, np.abs(band), axis=-2) if self.use_lowpass else band

    def plot_responses(self) -> None:
        """Show the frequency responses of the band-pass filters (needs matplotlib)."""
        import matplotlib.pyplot as plt

        _, axes = plt.subplots()
        for band_filter in self._band_filters:
            frequency, response = signal.sosfreqz(band_filter, worN=2000, fs=self.fs)
            axes.plot(frequency, np.abs(response))
        axes.set(xlabel="Frequency [Hz]", ylabel="Gain", title=f"{type(self).__name__}: responses")
        plt.show()


class ButterMelFilter(FilterBankBase):
    """A bank of Butterworth band-pass filters with centres equally spaced on the mel scale.

    ``mel = 2595 log10(1 + f / 700)``. With the relative band width ``w = filter_width / n``,
    filter i passes the band from ``f_i`` to ``f_i (1 + w)``; the ``f_i`` go from `cutoff_fs` to
    ``(fs / 2) / (1 + w) - 1``.

    Parameters
    ----------
    shape : int or tuple of int
        ``n`` or ``(1, n)`` for n filters. Default: (1, 64).
    fs : float
        Sampling frequency of the input in Hz. Default: 44100.
    cutoff_fs : float
        Lowest frequency, and cut-off frequency of the low-pass filter, in Hz. Default: 100.
    filter_width : float
        Width of the bands, relative to ``1 / n``. Default: 2.
    mean_subtraction, normalize, order, num_workers, use_lowpass
        See `FilterBankBase`.
    plot : bool
        Whether to show the frequency responses (needs matplotlib). Default: False.

    Raises
    ------
    AssertionError, ValueError
        As for `FilterBankBase`; a `filter_width` that is not > 0.

    References
    ----------
    S. S. Stevens, J. Volkmann, E. B. Newman, A scale for the measurement of the psychological
    magnitude pitch, Journal of the Acoustical Society of America 8 (1937).

    Examples
    --------
    >>> import numpy as np
    >>> from rockpool.nn.modules import ButterMelFilter
    >>> sound = np.random.rand(800, 1)
    >>> ButterMelFilter((1, 4), fs=8000)(sound)[0].shape
    (800, 4)
    """

    def __init__(
        self,
        shape: int | tuple[int, ...] = (1, 64),
        fs: float | int = 44100.0,
        cutoff_fs: float | int = 100.0,
        filter_width: float | int = 2.0,
        mean_subtraction: bool = False,
        normalize: bool = False,
        order: int = 2,
        num_workers: int = 1,
        plot: bool = False,
        use_lowpass: bool = True,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        checks.scalar(type(self).__name__, "filter_width", filter_width)
        checks.positive(type(self).__name__, "filter_width", filter_width)
        super().__init__(
            shape,
            fs,
            cutoff_fs,
            order,
            mean_subtraction,
            normalize,
            num_workers,
            use_lowpass,
            *args,
            **kwargs,
        )
        self._filter_width = float(filter_width)  # to make the module again
        width = filter_width / self.size_out
        highest = (self.fs / 2) / (1 + width) - 1
        if cutoff_fs > highest:
            raise ValueError(
                f"{type(self).__name__}: cutoff_fs must be <= {highest:g} Hz, so that the highest "
                f"band ends below fs / 2, got {cutoff_fs:g}"
            )
        mels = np.linspace(_mel(self.cutoff_fs), _mel(highest), self.size_out)
        low = 700.0 * (10.0 ** (mels / 2595.0) - 1.0)
        self._set_bands(low, low * (1 + width))
        if plot:
            self.plot_responses()


def _mel(frequency: float | int) -> float:
    return 2595.0 * float(np.log10(1.0 + frequency / 700.0))


class ButterFilter(FilterBankBase):
    """A bank of Butterworth band-pass filters at chosen frequencies.

    Filter i passes the band ``frequency[i] - bandwidth[i] / 2`` to
    ``frequency[i] + bandwidth[i] / 2``. The low-pass filter's cut-off is the lower edge of the
    lowest band.

    Parameters
    ----------
    frequency : array_like
        Centre frequencies in Hz, shape (n,) or ().
    bandwidth : array_like
        Widths of the bands in Hz, shape (n,) or ().
    fs, order, mean_subtraction, normalize, num_workers, use_lowpass
        See `FilterBankBase`.

    Raises
    ------
    AssertionError, ValueError
        As for `FilterBankBase`; a number of bandwidths other than 1 and n.

    Examples
    --------
    >>> import numpy as np
    >>> from rockpool.nn.modules import ButterFilter
    >>> sound = np.random.rand(800, 1)
    >>> ButterFilter([500, 1000], 100, fs=8000)(sound)[0].shape
    (800, 2)
    """

    def __init__(
        self,
        frequency: ArrayLike,
        bandwidth: ArrayLike,
        fs: float | int = 44100.0,
        order: int = 2,
        mean_subtraction: bool = False,
        normalize: bool = False,
        num_workers: int = 1,
        use_lowpass: bool = True,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        owner = type(self).__name__
        checks.positive(owner, "frequency", frequency, "Hz")
        checks.positive(owner, "bandwidth", bandwidth, "Hz")
        centres = np.array(frequency, dtype=np.float64).reshape(-1)
        if not centres.size:
            raise ValueError(f"{owner}: frequency must have at least one number, got {frequency!r}")
        widths = np.array(bandwidth, dtype=np.float64).reshape(-1)
        if widths.size not in (1, centres.size):
            raise ValueError(
                f"{owner}: bandwidth must be one number or as many as frequencies "
                f"({centres.size}), got {widths.size}"
            )
        widths = np.broadcast_to(widths, centres.shape).copy()
        low, high = centres - widths / 2, centres + widths / 2
        _require(isinstance(fs, Real), owner, "fs", "a number > 0 Hz", fs)
        if np.min(low) <= 0 or np.max(high) >= fs / 2:
            raise ValueError(
                f"{owner}: each band must lie between 0 and fs / 2 = {fs / 2:g} Hz, got "
                f"{np.min(low):g} to {np.max(high):g} Hz"
            )
        super().__init__(
            (1, centres.size),
            fs,
            float(np.min(low)),
            order,
            mean_subtraction,
            normalize,
            num_workers,
            use_lowpass,
            *args,
            **kwargs,
        )
        self.frequency = SimulationParameter(centres)
        self.bandwidth = SimulationParameter(widths)
        self._set_bands(low, high)
