"""One picture of a network at work."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import rockpool
from rockpool.nn.combinators import Sequential
from rockpool.nn.modules import LIF, ExpSyn, Linear, aLIFTorch
from rockpool.plots import report
from rockpool.timeseries import TSContinuous, TSEvent

SPIKES = (np.random.default_rng(0).random((3, 50, 4)) < 0.3).astype(float)


@pytest.fixture
def net():
    np.random.seed(0)
    return Sequential(Linear((4, 20)), LIF(20), Linear((20, 3)), ExpSyn(3))


def titles(figure) -> list[str]:
    return [title.partition(":")[0] for ax in figure.axes if (title := ax.get_title(loc="left"))]


def test_input_layers_and_output_have_a_row_each(net) -> None:
    figure = report(net, SPIKES)
    assert titles(figure) == ["Input", "1_LIF", "3_ExpSyn (output)"]
    assert [ax.get_xlabel() for ax in figure.axes] == [
        "", "Rate (1/s)", "", "Rate (1/s)", "Time (s)", "Mean"
    ]  # fmt: skip
    for ax in figure.axes[::2]:
        assert ax.get_xlim() == (0, pytest.approx(0.05))


def test_it_shows_what_the_network_did(net) -> None:
    output, _, record = net(SPIKES[1:2], record=True)
    net.reset_state()
    figure = report(net, SPIKES, batch=1)
    spikes = record["1_LIF"]["spikes"][0]
    assert len(figure.axes[2].lines[0].get_xdata()) == np.count_nonzero(spikes) > 0
    (rates,) = figure.axes[3].patches
    assert np.allclose(rates.get_data().values, spikes.sum(0) / 0.05)
    assert np.allclose([line.get_ydata() for line in figure.axes[4].lines], output[0].T)
    assert f"{spikes.sum():,.0f} spikes" in figure.axes[2].get_title(loc="left")


def test_bars_of_the_output_have_the_colours_of_its_lines(net) -> None:
    from matplotlib.colors import to_rgba

    figure = report(net, SPIKES)
    bars = [bar.get_facecolor() for bar in figure.axes[5].patches]
    assert bars == [to_rgba(line.get_color()) for line in figure.axes[4].lines]


def test_the_network_stays_as_it_is(net) -> None:
    net(SPIKES[:1])
    before = rockpool.describe(net)
    first = report(net, SPIKES).axes[2].get_title(loc="left")
    assert rockpool.describe(net) == before
    net.reset_state()
    assert report(net, SPIKES).axes[2].get_title(loc="left") == first


@pytest.mark.parametrize("backend", ["torch", "numba", pytest.param("jax", marks=pytest.mark.slow)])
def test_networks_of_other_back_ends(net, backend: str) -> None:
    expected = report(net, SPIKES).axes[2].get_title(loc="left")
    other = rockpool.convert(net, backend)
    assert report(other, SPIKES).axes[2].get_title(loc="left") == expected


def test_a_description_will_do(net) -> None:
    expected = report(net, SPIKES).axes[2].get_title(loc="left")
    assert report(rockpool.describe(net), SPIKES).axes[2].get_title(loc="left") == expected
    assert titles(report(rockpool.describe(aLIFTorch(4)), SPIKES)) == ["Input", "aLIF (output)"]


def test_series_are_read_at_each_time_step(net) -> None:
    expected = report(net, SPIKES[0]).axes[2].get_title(loc="left")
    events = TSEvent.from_raster(SPIKES[0], 1e-3)
    values = TSContinuous.from_clocked(SPIKES[0], 1e-3)
    for series in (events, values):
        assert report(net, series).axes[2].get_title(loc="left") == expected


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_files(net, tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"report.{ending}"
    report(net, SPIKES, path)
    start = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}[ending]
    assert path.read_bytes().startswith(start)
    assert list(tmp_path.iterdir()) == [path]


def test_silent_layers_and_no_time_are_said() -> None:
    net = Sequential(Linear((4, 1), weight=np.zeros((4, 1))), LIF(1))
    texts = [text.get_text() for ax in report(net, SPIKES).axes for text in ax.texts]
    assert texts == ["no spikes"]
    assert "0 spikes, 0/s on average, 1 silent" in report(net, SPIKES).axes[2].get_title("left")
    texts = [text.get_text() for ax in report(net, SPIKES[:, :0]).axes for text in ax.texts]
    assert texts == ["no time steps"] * 2


def test_values_of_many_channels_are_an_image() -> None:
    data = np.random.default_rng(0).normal(size=(20, 1000))
    figure = report(ExpSyn(1000), data)
    assert [len(ax.images) for ax in figure.axes[:4]] == [1, 0, 1, 0]


def test_layers_without_time_are_left_out_but_as_output() -> None:
    figure = report(Sequential(Linear((4, 5)), LIF(5), Linear((5, 2))), SPIKES)
    assert titles(figure) == ["Input", "1_LIF", "Output"]
    assert titles(report(Linear((4, 2)), SPIKES, dt=1e-3)) == ["Input", "Output"]


@pytest.mark.parametrize(
    ("data", "options", "error", "words"),
    [
        (SPIKES[..., :2], {}, ValueError, "report: data must have the shape (B, T, 4) or (T, 4)"),
        (SPIKES * np.nan, {}, ValueError, "report: data must be finite, got nan"),
        (None, {}, TypeError, "report: data must be the input of the network, got None"),
        (SPIKES, {"batch": 3}, ValueError, "batch must be at least 0 and less than 3, got 3"),
        (SPIKES, {"dt": 0}, ValueError, "report: dt must be > 0 s, got 0"),
        (SPIKES, {"path": "x.doc"}, ValueError, "report: path must end in one of"),
        (SPIKES, {"path": "no/such/x.png"}, FileNotFoundError, "report: there is no folder for"),
    ],
)
def test_mistakes_are_named(net, data, options: dict, error: type[Exception], words: str) -> None:
    with pytest.raises(error) as raised:
        report(net, data, **options)
    assert words in str(raised.value)


def test_what_is_no_network_or_has_no_time_is_named() -> None:
    with pytest.raises(TypeError, match="must be a module, got 3"):
        report(3, SPIKES)
    with pytest.raises(TypeError, match="dt, in seconds, must be given: no layer of this network"):
        report(Linear((4, 2)), SPIKES)
