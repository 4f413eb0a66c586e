"""Traces of what a call recorded."""

from __future__ import annotations

import numpy as np
import pytest

from rockpool.nn.combinators import Sequential
from rockpool.nn.modules import LIF, Linear
from rockpool.plots import traces
from rockpool.timeseries import TSContinuous, TSEvent

N_STEPS = 30


def titles(figure) -> list[str]:
    return [title for ax in figure.axes if (title := ax.get_title(loc="left"))]


@pytest.fixture(scope="module")
def record() -> dict:
    """What a network of 3 and of 40 neurons, each with two synapses, recorded."""
    np.random.seed(0)
    net = Sequential(
        Linear((5, 6)), LIF((6, 3)), Linear((3, 80)), LIF((80, 40), has_rec=True, threshold=100.0)
    )
    return net(np.random.rand(2, N_STEPS, 5), record=True)[2]


def test_each_quantity_has_a_panel(record: dict) -> None:
    figure = traces(record["1_LIF"], 1e-3)
    assert set(titles(figure)) == {
        "irec, synapse 0", "irec, synapse 1", "isyn, synapse 0", "isyn, synapse 1", "spikes", "vmem"
    }  # fmt: skip
    assert all(ax.get_xlim() == (0, pytest.approx(0.03)) for ax in figure.axes)
    assert figure.axes[-1].get_xlabel() == "Time (s)"


def test_all_layers_of_a_network_without_their_outputs(record: dict) -> None:
    figure = traces(record, 1e-3)
    assert {title.partition(".")[0] for title in titles(figure)} == {"1_LIF", "3_LIF"}


def test_few_neurons_are_lines_with_a_legend(record: dict) -> None:
    (ax,) = traces(record["1_LIF"], 1e-3, names="vmem", batch=1).axes
    lines = [line.get_ydata() for line in ax.lines]
    assert np.array_equal(np.transpose(lines), record["1_LIF"]["vmem"][1])
    assert np.allclose(ax.lines[0].get_xdata()[[0, -1]], [0.0005, 0.0295])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["0", "1", "2"]
    assert len({line.get_color() for line in ax.lines}) == 3


def test_many_neurons_are_an_image_in_which_zero_is_white(record: dict) -> None:
    ax, colours = traces(record, 1e-3, names=["3_LIF.vmem"]).axes
    (image,) = ax.images
    assert np.array_equal(image.get_array(), record["3_LIF"]["vmem"][0].T)
    assert image.get_extent() == [0, pytest.approx(0.03), -0.5, 39.5]
    low, high = image.get_clim()
    assert low == -high and image.cmap(0.5)[:3] == pytest.approx((1, 1, 1), abs=0.05)
    assert not ax.lines and colours is not ax


def test_some_neurons_are_lines_with_their_numbers(record: dict) -> None:
    (ax,) = traces(record["3_LIF"], 1e-3, names="vmem", neurons=[2, 30]).axes
    lines = [line.get_ydata() for line in ax.lines]
    assert np.array_equal(np.transpose(lines), record["3_LIF"]["vmem"][0][:, [2, 30]])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["2", "30"]


def test_a_name_is_that_of_all_layers_which_have_it(record: dict) -> None:
    assert titles(traces(record, 1e-3, names="vmem")) == ["1_LIF.vmem", "3_LIF.vmem"]
    assert titles(traces(record, 1e-3, names="0_Linear_output")) == ["0_Linear_output"]


def test_spikes_are_a_raster(record: dict) -> None:
    (ax,) = traces(record["1_LIF"], 1e-3, names="spikes").axes
    (line,) = ax.lines
    assert len(line.get_xdata()) == np.count_nonzero(record["1_LIF"]["spikes"][0])


def test_an_array_is_one_quantity_and_goes_into_the_given_axes(record: dict) -> None:
    figure = traces(record["1_LIF"]["vmem"], 1e-3)
    again = traces(np.ones((N_STEPS * 2, 1)), 1e-3, figure.axes[0])
    assert again is figure and len(figure.axes[0].lines) == 4
    assert figure.axes[0].get_xlim() == (0, 0.06)


def test_records_of_torch(record: dict) -> None:
    import torch

    vmem = torch.tensor(record["1_LIF"]["vmem"], requires_grad=True)
    (ax,) = traces({"vmem": vmem}, 1e-3).axes
    assert len(ax.lines) == 3


def test_a_series_is_drawn_as_it_is_read() -> None:
    series = TSContinuous([0, 1, 5], [[0, 1], [2, 3], [1, 1]], name="light", units="lux", t_stop=6)
    (ax,) = traces(series).axes
    assert [line.get_drawstyle() for line in ax.lines] == ["steps-post"] * 2
    assert np.array_equal(ax.lines[1].get_ydata(), [1, 3, 1])
    assert ax.get_xlim() == (0, 6) and ax.get_ylabel() == "lux"
    assert ax.get_title(loc="left") == "light"


def test_no_time_steps_are_said() -> None:
    for n_neurons in (3, 40):
        ax = traces(np.zeros((0, n_neurons)), 1e-3).axes[0]
        assert [text.get_text() for text in ax.texts] == ["no time steps"]


@pytest.mark.parametrize(
    ("given", "options", "error", "words"),
    [
        ({}, {}, ValueError, "traces: the record is empty; call the network with record=True"),
        ({"vmem": np.ones((4, 2))}, {"names": "isyn"}, ValueError, "no 'isyn'; it has 'vmem'"),
        ({"vmem": np.ones((4, 2))}, {"neurons": 2}, ValueError, "less than 2, the number of those of vmem"),
        (np.ones((4, 2)), {"neurons": "a"}, TypeError, "traces: neurons must be integers, got 'a'"),
        (np.ones((4, 2)), {"dt": -1}, ValueError, "traces: dt must be > 0 s, got -1"),
        (np.ones((4, 2)), {"dt": None}, TypeError, "traces: dt, the time step in seconds, must be"),
        (["a"], {}, TypeError, "traces: record must be numbers, got list"),
        (TSEvent([1], [0], t_stop=2), {}, TypeError, "got TSEvent; see raster"),
        ({"a": np.ones((4, 2)), "b": np.ones((4, 2))}, {"ax": True}, ValueError, "2 quantities"),
    ],
)  # fmt: skip
def test_mistakes_are_named(given, options: dict, error: type[Exception], words: str) -> None:
    with pytest.raises(error) as raised:
        traces(given, **{"dt": 1e-3, **options})
    assert words in str(raised.value)
