"""Time series in files, and with what they are drawn."""

from __future__ import annotations

import copy
import gc
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rockpool
from rockpool.timeseries import TSContinuous, TSDictOnDisk, TSEvent, full_nan, load_ts_from_file

SERIES = [
    TSContinuous([0, 1], [[1, 2], [3, 4]], t_stop=3, units="V", interp_kind="linear", name="a"),
    TSContinuous.from_clocked([1, 2], 0.1, periodic=True),
    TSContinuous([0, 1], [1, 2], fill_value=-1.0, t_start=-1),
    TSEvent([0.1, 0.2], [0, 3], t_stop=1, num_channels=7, name="b"),
    TSEvent(),
]


@pytest.mark.parametrize("series", SERIES, ids=repr)
def test_a_series_comes_back_as_it_was(series: Any, tmp_path: Path) -> None:
    series.save(tmp_path / "series")
    again = load_ts_from_file(tmp_path / "series.npz", type(series))
    assert repr(again) == repr(series)
    for name, value in series._arguments().items():
        np.testing.assert_array_equal(again._arguments()[name], value)


def test_another_type_than_expected(tmp_path: Path) -> None:
    SERIES[3].save(tmp_path / "b.npz")
    assert load_ts_from_file(tmp_path / "b", "TSEvent").num_channels == 7
    with pytest.raises(TypeError, match="must have a TSContinuous, but it has a TSEvent"):
        load_ts_from_file(tmp_path / "b.npz", TSContinuous)


@pytest.mark.parametrize("content", [b"", b"text", "numbers", "half"])
def test_what_is_no_file_of_a_series(content: Any, tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    if content == "numbers":
        np.savez(path, numbers=[1, 2])
    elif content == "half":
        SERIES[0].save(path)
        path.write_bytes(path.read_bytes()[:-40])
    else:
        path.write_bytes(content)
    with pytest.raises(ValueError, match="is not a file of a time series"):
        load_ts_from_file(path)
    with pytest.raises(FileNotFoundError):
        load_ts_from_file(tmp_path / "nothing")


def test_a_dict_on_disk() -> None:
    kept = TSDictOnDisk({"a": SERIES[0]})
    kept.insert_many(b=SERIES[3])
    folder = Path(kept._folder)
    assert (list(kept), len(kept), "a" in kept) == (["a", "b"], 2, True)
    assert kept["b"].channels.tolist() == [0, 3]
    kept["a"] = SERIES[1]
    assert kept["a"].periodic
    del kept["a"]
    assert len(list(folder.iterdir())) == 1
    with pytest.raises(KeyError):
        kept["a"]
    with pytest.raises(TypeError, match="'c' must be a time series, got 3"):
        kept["c"] = 3  # type: ignore[assignment]
    del kept
    assert not folder.exists()


def test_the_face_has_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert rockpool.TSDictOnDisk is TSDictOnDisk
    assert rockpool.load_ts_from_file is load_ts_from_file
    rockpool.set_global_ts_plotting_backend("matplotlib")
    assert rockpool.get_global_ts_plotting_backend() in capsys.readouterr().out
    with pytest.raises(ValueError, match="must be 'matplotlib' or None, got 'holoviews'"):
        rockpool.set_global_ts_plotting_backend("holoviews")
    assert np.isnan(full_nan((2, 3))).all()


@pytest.mark.parametrize(
    "copied",
    [copy.copy, copy.deepcopy, lambda kept: pickle.loads(pickle.dumps(kept))],
    ids=["copy", "deepcopy", "pickle"],
)
def test_a_copy_has_files_of_its_own(copied: Any) -> None:
    kept = TSDictOnDisk({"a": TSEvent([0.1], [0], t_stop=1)})
    other = copied(kept)
    other["a"] = TSEvent([0.7], [0], t_stop=1)
    assert kept["a"].times.tolist() == [0.1]
    del kept
    gc.collect()
    assert other["a"].times.tolist() == [0.7]
