"""What plots load, and what they leave as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
DRAW = "rockpool.plots.raster([[0, 1], [1, 0]], 1e-3)"


def test_matplotlib_is_loaded_at_the_first_call_and_pyplot_never(full_python) -> None:
    code = f"""
import sys, rockpool.plots
from rockpool.plots import frames, raster, report, traces, weights
assert "matplotlib" not in sys.modules and "torch" not in sys.modules
{DRAW}.figure.canvas.draw()
print("matplotlib" in sys.modules, "matplotlib.pyplot" in sys.modules, "torch" in sys.modules)
"""
    assert full_python.python(code, path=PROJECT) == "True False False"


@pytest.mark.parametrize("display", ["", ":77"])
def test_no_display_is_needed_and_no_setting_changes(
    full_python, tmp_path: Path, display: str
) -> None:
    code = f"""
import matplotlib, numpy as np, rockpool
from rockpool.nn.modules import LIF, Linear
before = matplotlib.rcParams.copy()
ax = {DRAW}
rockpool.plots.traces(np.ones((5, 30)), 1e-3).canvas.draw()
rockpool.plots.weights(Linear((2, 3)))
rockpool.plots.report(LIF(2), np.ones((5, 2)), "report.png")
assert all(matplotlib.rcParams._get(key) == before._get(key) for key in before)
import matplotlib.pyplot as plt
print(plt.get_fignums(), ax.figure.canvas.__class__.__name__)
"""
    said = full_python.python(code, cwd=tmp_path, path=PROJECT, DISPLAY=display, MPLBACKEND="TkAgg")
    assert said == "[] FigureCanvasAgg"


def test_without_matplotlib_it_says_how_to_get_it(numpy_python) -> None:
    code = """
import numpy as np, rockpool
from rockpool.nn.modules import LIF, Linear
from rockpool.plots import frames, raster, report, traces, weights
ones = np.ones((5, 2))
for draw in (
    lambda: raster(ones, 1e-3),
    lambda: traces(ones, 1e-3),
    lambda: weights(Linear((2, 3))),
    lambda: report(LIF(2), ones, "report.png"),
    lambda: frames(np.ones((3, 2, 4, 4)), 1e-3),
):
    try: draw()
    except ModuleNotFoundError as error: print(error.name, error)
"""
    said = numpy_python.python(code).splitlines()
    assert said == ['matplotlib Plots need matplotlib: pip install "matplotlib>=3.7"'] * 5


def test_without_numpy_the_names_are_stand_ins(bare_python) -> None:
    code = """
import rockpool.plots
print(dir(rockpool.plots))
try: rockpool.plots.raster([1], 1e-3)
except ModuleNotFoundError as error: print(error)
"""
    names, error = bare_python.python(code).splitlines()
    assert names == "['frames', 'raster', 'report', 'traces', 'weights']"
    assert error.startswith("Missing the `numpy` backend. `raster`")
