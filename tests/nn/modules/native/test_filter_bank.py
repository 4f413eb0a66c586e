"""Banks of Butterworth filters."""

from __future__ import annotations

import inspect
import pickle

import matplotlib.pyplot as plt
import numpy as np
import pytest
from scipy import signal

from rockpool.nn.modules.native.filter_bank import ButterFilter, ButterMelFilter, FilterBankBase

FS = 8000.0

# settings that both kinds have, and their defaults
COMMON = {
    "fs": 44100.0,
    "cutoff_fs": 100.0,
    "order": 2,
    "num_workers": 1,
    "mean_subtraction": False,
    "normalize": False,
    "use_lowpass": True,
}


@pytest.fixture
def tone():
    """A quarter of a second of 500 Hz."""
    return np.sin(2 * np.pi * 500 * np.arange(2000) / FS)[:, np.newaxis]


class TestKnownAnswers:
    def test_butter_filter(self, tone):
        output, state, record = ButterFilter([500, 1000], 100, fs=FS)(tone)
        assert output.shape == (2000, 2)
        np.testing.assert_allclose(output[-1], [0.7105444, 0.0034341], atol=1e-7)
        np.testing.assert_allclose(output.max(axis=0), [0.7419944, 0.0220613], atol=1e-7)
        assert (state, record) == ({}, {})

    def test_mel_filter(self, tone):
        output, _, _ = ButterMelFilter((1, 4), fs=FS, cutoff_fs=100.0)(tone)
        last = [0.0071099, 0.1787737, 0.014657, 0.0084702]
        largest = [0.0323406, 0.2156047, 0.018316, 0.0092176]
        np.testing.assert_allclose(output[-1], last, atol=1e-7)
        np.testing.assert_allclose(output.max(axis=0), largest, atol=1e-7)

    def test_mel_frequencies(self):
        """Each filter passes its band, from the known frequency to 1.5 times of it."""
        module = ButterMelFilter((1, 4), fs=FS, use_lowpass=False)
        impulse = np.zeros((80000, 1))
        impulse[0] = 1.0
        gain = np.abs(np.fft.rfft(module(impulse)[0], axis=0))
        frequency = np.fft.rfftfreq(80000, 1 / FS)
        for channel, low in enumerate([100.0, 591.4681253, 1384.8623985, 2665.6666667]):
            passed = frequency[gain[:, channel] > np.sqrt(0.5)]
            assert passed[0] == pytest.approx(low, abs=0.2)
            assert passed[-1] == pytest.approx(1.5 * low, abs=0.2)


def test_a_band_alone_is_scipys_filter(tone):
    sections = signal.butter(3, [450 / 4000, 550 / 4000], btype="band", output="sos")
    expected = signal.sosfilt(sections, tone[:, 0])
    output, _, _ = ButterFilter(500, 100, fs=FS, order=3, use_lowpass=False)(tone)
    np.testing.assert_array_equal(output[:, 0], expected)


@pytest.mark.parametrize(
    "make",
    [
        lambda **kw: ButterFilter([500, 1000], 100, fs=FS, **kw),
        lambda **kw: ButterMelFilter(2, fs=FS, **kw),
    ],
)
class TestBoth:
    def test_a_batch_is_a_loop_over_its_elements(self, make, tone):
        batch = np.stack([tone, 2 * tone[::-1], np.zeros_like(tone)])
        output, _, _ = make(normalize=True, mean_subtraction=True)(batch)
        assert output.shape == (3, 2000, 2)
        for b in range(3):
            one, _, _ = make(normalize=True, mean_subtraction=True)(batch[b])
            np.testing.assert_allclose(output[b], one, rtol=1e-12, atol=1e-15)

    def test_one_dimension_is_time(self, make, tone):
        np.testing.assert_array_equal(make()(tone[:, 0])[0], make()(tone)[0])

    def test_normalize(self, make, tone):
        plain, _, _ = make()(tone)
        output, _, _ = make(normalize=True)(tone)
        np.testing.assert_allclose(output, plain / np.abs(plain).max())

    def test_silence_stays_silence(self, make):
        assert not make(normalize=True)(np.zeros((10, 1)))[0].any()

    def test_mean_subtraction(self, make, tone):
        plain, _, _ = make()(tone)
        output, _, _ = make(mean_subtraction=True)(tone)
        np.testing.assert_allclose(output, plain - plain.mean())

    def test_each_call_begins_at_rest(self, make, tone):
        module = make()
        np.testing.assert_array_equal(module(tone)[0], module(tone)[0])

    def test_number_of_workers_does_not_matter(self, make, tone):
        np.testing.assert_array_equal(make(num_workers=3)(tone)[0], make()(tone)[0])

    def test_pickle(self, make, tone):
        again = pickle.loads(pickle.dumps(make()))
        np.testing.assert_array_equal(again(tone)[0], make()(tone)[0])

    @pytest.mark.parametrize("shape", [(10, 2), (1, 10, 2), (1, 1, 10, 1), ()])
    def test_wrong_input(self, make, shape):
        with pytest.raises(ValueError, match="input must have shape"):
            make()(np.zeros(shape))

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"order": 0}, "order must be an int > 0, got 0"),
            ({"order": 1.5}, "order must be an int > 0, got 1.5"),
            ({"num_workers": 0}, "num_workers must be an int > 0, got 0"),
            ({"num_workers": "2"}, "num_workers must be an int > 0, got '2'"),
        ],
    )
    def test_wrong_counts(self, make, arguments, message):
        with pytest.raises(AssertionError, match=message):
            make(**arguments)


class TestRegistry:
    def test_mel_filter(self):
        module = ButterMelFilter()
        assert module.shape == (1, 64)
        assert module.simulation_parameters() == COMMON
        assert list(module.simulation_parameters()) == list(COMMON)
        assert module.parameters() == {} and module.state() == {}

    def test_butter_filter(self):
        module = ButterFilter(1000.0, 100.0)
        assert module.shape == (1, 1)
        assert module.simulation_parameters() == {
            **COMMON,
            "cutoff_fs": 950.0,
            "frequency": [1000.0],
            "bandwidth": [100.0],
        }

    def test_low_pass_is_set_by_the_lowest_band(self):
        assert ButterFilter([1000, 500], [100, 200], fs=FS).cutoff_fs == 400.0

    @pytest.mark.parametrize(
        ("cls", "names"),
        [
            (
                ButterMelFilter,
                "shape fs cutoff_fs filter_width mean_subtraction normalize order num_workers plot "
                "use_lowpass",
            ),
            (
                ButterFilter,
                "frequency bandwidth fs order mean_subtraction normalize num_workers use_lowpass",
            ),
            (
                FilterBankBase,
                "shape fs cutoff_fs order mean_subtraction normalize num_workers use_lowpass",
            ),
        ],
    )
    def test_signatures(self, cls, names):
        assert list(inspect.signature(cls).parameters) == [*names.split(), "args", "kwargs"]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"fs": 0}, AssertionError, "ButterMelFilter: fs must be a number > 0 Hz, got 0"),
        ({"fs": "8000"}, AssertionError, "fs must be a number > 0 Hz, got '8000'"),
        ({"cutoff_fs": 0}, AssertionError, "cutoff_fs must be a number > 0 Hz and < fs / 2"),
        ({"cutoff_fs": 4000}, AssertionError, "< fs / 2 = 4000 Hz, got 4000"),
        ({"cutoff_fs": 3999}, ValueError, "cutoff_fs must be <= 2665.67 Hz"),
        ({"filter_width": 0}, ValueError, "filter_width must be > 0, got 0"),
        ({"shape": (2, 4)}, ValueError, r"shape must be n or \(1, n\) for n filters"),
        ({"shape": (1, 1, 4)}, ValueError, r"shape must be n or \(1, n\) for n filters"),
    ],
)
def test_wrong_arguments_of_the_mel_filter(arguments, error, message):
    with pytest.raises(error, match=message):
        ButterMelFilter(**{"shape": (1, 4), "fs": FS, **arguments})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"bandwidth": [100, 100, 100]}, r"bandwidth must be one number or .*\(2\), got 3"),
        ({"bandwidth": 1000}, "each band must lie between 0 and fs / 2 = 4000 Hz, got 0 to"),
        ({"frequency": [500, 3960]}, "each band must lie between 0 and fs / 2 .* to 4010 Hz"),
        ({"fs": 0}, "each band must lie between 0 and fs / 2 = 0 Hz"),
        ({"bandwidth": -1}, "ButterFilter: bandwidth must be > 0 Hz, got -1"),
        ({"frequency": []}, r"ButterFilter: frequency must have at least one number, got \[\]"),
        ({"frequency": np.nan}, "ButterFilter: frequency must be > 0 Hz, got nan"),
    ],
)
def test_wrong_arguments_of_the_butter_filter(arguments, message):
    with pytest.raises(ValueError, match=message):
        ButterFilter(**{"frequency": [500, 1000], "bandwidth": 100, "fs": FS, **arguments})


@pytest.mark.parametrize(
    ("name", "value"), [("order", 5), ("fs", 0.0), ("cutoff_fs", 10.0), ("frequency", [450.0])]
)
def test_what_filters_are_designed_with_is_fixed(name, value):
    bank = ButterFilter([500.0], 100, fs=FS)
    before = getattr(bank, name)
    with pytest.raises(ValueError, match=f"ButterFilter: {name} is fixed, as the filters have"):
        setattr(bank, name, np.array(value) if name == "frequency" else value)
    assert getattr(bank, name) is before
    bank.set_attributes(bank.simulation_parameters())  # what it is can be set


@pytest.mark.parametrize("shape", [(0,), (0, 1), (2, 0, 1), (0, 5, 1)])
def test_input_of_no_time_has_output_of_none(shape):
    output = ButterFilter([500, 1000], 100, fs=FS)(np.zeros(shape))[0]
    assert output.shape == (*(shape[:-1] if len(shape) > 1 else shape), 2)


def test_a_sampling_frequency_is_finite():
    with pytest.raises(AssertionError, match="fs must be a number > 0 Hz, got inf"):
        ButterMelFilter(4, fs=np.inf)


def test_plot_of_the_responses(monkeypatch):
    plt.switch_backend("Agg")
    shown = []
    monkeypatch.setattr(plt, "show", lambda: shown.append(len(plt.gca().lines)))
    ButterMelFilter((1, 4), fs=FS, plot=True)
    plt.close("all")
    assert shown == [4]
