"""`rockpool demo`: the main job, on numpy."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rockpool.cli.demo import experiment, raster
from rockpool.cli.demo.readout import Ridge
from rockpool.data import load_digits


def few_digits(seed: int) -> experiment.Digits:
    """As `experiment.digits`, but no more than 240."""
    data = experiment.digits(seed)
    return experiment.Digits(data.images[:240], data.labels[:240])


def read(seed: int = 3, data: experiment.Digits | None = None) -> experiment.Result:
    """Let a small network read a few digits."""
    return experiment.DigitReader(40, seed).run(data or few_digits(seed), lambda n: None)


@pytest.fixture(scope="module")
def result() -> experiment.Result:
    return read()


def accuracy(text: str) -> float:
    found = re.search(r"accuracy +([\d.]+) %", text)
    assert found is not None
    return float(found[1])


def test_with_numpy_alone_it_reads_nine_of_ten_digits(numpy_python) -> None:
    done = numpy_python.run("-m", "rockpool", "demo", "--neurons", "200")
    assert accuracy(done.stdout) > 90.0
    assert "898 to learn from, 899 for the test" in done.stdout
    assert re.search(r"179\.7 s of network time in .* simulated seconds per second", done.stdout)
    assert done.stderr.splitlines()[-1] == "100 % of 1797 digits seen"


def test_a_seed_gives_the_same_again_and_another_one_another(result: experiment.Result) -> None:
    again, other = read(seed=3), read(seed=4)
    np.testing.assert_array_equal(again.confusion, result.confusion)
    np.testing.assert_array_equal(again.example.hidden_spikes, result.example.hidden_spikes)
    assert again.hidden_rate == result.hidden_rate != other.hidden_rate


def test_the_result_does_not_depend_on_the_batch(
    result: experiment.Result, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(experiment, "BATCH", 100)
    seen: list[int] = []
    other = experiment.DigitReader(40, seed=3).run(few_digits(3), seen.append)
    assert seen == [100, 100, 40]
    np.testing.assert_array_equal(other.confusion, result.confusion)


def test_the_numbers_are_those_of_the_run(result: experiment.Result) -> None:
    labels = few_digits(3).labels[120:]
    assert result.confusion.sum(axis=1).tolist() == np.bincount(labels, minlength=10).tolist()
    assert result.simulated == pytest.approx(24.0)
    assert sum(count for count, _, _ in result.mistakes) == 120 - result.confusion.trace()
    assert 0.5 < result.loo_accuracy < 1.0
    assert 10 < result.hidden_rate < result.pixel_rate < experiment.PEAK_RATE


def test_each_digit_is_in_one_half() -> None:
    data = experiment.digits(seed=0)
    images, labels = load_digits()
    assert (data.n_train, data.n_test) == (898, 899)
    assert sorted(map(bytes, (data.images * 16).astype(np.uint8))) == sorted(map(bytes, images))
    assert np.bincount(data.labels).tolist() == np.bincount(labels).tolist()


def test_the_test_half_has_no_part_in_learning(result: experiment.Result) -> None:
    """With the labels of the test half in disorder nothing changes but the score."""
    data = few_digits(3)
    data.labels[data.n_train :] = np.roll(data.labels[data.n_train :], 1)
    other = read(data=data)
    assert (other.penalty, other.loo_accuracy) == (result.penalty, result.loo_accuracy)
    assert other.confusion.sum(axis=0).tolist() == result.confusion.sum(axis=0).tolist()
    assert other.confusion.trace() < 0.5 * result.confusion.trace()


def test_darker_pixels_spike_more_often() -> None:
    reader = experiment.DigitReader(1, seed=0)
    images = np.linspace(0.0, 1.0, 64)[np.newaxis]
    pixel, _ = reader.spikes(images, np.full((1, 64), 0.5))
    counts = pixel[0].sum(axis=0)
    assert counts[0] == 0
    assert (np.diff(counts) >= 0).all()
    expected = experiment.PEAK_RATE * experiment.DT * experiment.STEPS
    assert 0.8 * expected < counts[-1] <= expected


@given(samples=st.integers(12, 30), features=st.integers(1, 6), seed=st.integers(0, 1000))
@settings(deadline=None, max_examples=25)
def test_the_readout_is_ridge_regression(samples: int, features: int, seed: int) -> None:
    """Against the normal equations, and against really leaving each sample out."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((samples, features))
    labels = rng.permutation(np.arange(samples) % 3)
    readout = Ridge(x, labels)

    def fit(x: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        y = np.eye(3)[labels]
        centred = x - x.mean(axis=0)
        gram = centred.T @ centred + readout.penalty * np.eye(features)
        w = np.linalg.solve(gram, centred.T @ (y - y.mean(axis=0)))
        return w, y.mean(axis=0) - x.mean(axis=0) @ w

    w, b = fit(x, labels)
    new = rng.standard_normal((50, features))
    np.testing.assert_array_equal(readout.classify(new), np.argmax(new @ w + b, axis=1))
    right = 0
    for i in range(samples):
        others = np.arange(samples) != i
        w, b = fit(x[others], labels[others])
        right += int(np.argmax(x[i] @ w + b) == labels[i])
    assert readout.loo_accuracy == pytest.approx(right / samples, abs=1.5 / samples)


@pytest.mark.parametrize("columns", [200, 80, 30, 5])
@pytest.mark.parametrize("fine", [True, False], ids=["braille", "ascii"])
def test_the_raster_fits_the_terminal(
    result: experiment.Result, columns: int, fine: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(raster, "can_show", lambda text: fine)
    monkeypatch.setenv("COLUMNS", str(columns))
    text = raster.show(result.example, 0.1)
    assert text.isascii() is not fine
    # the image, and ten columns of a raster are shown even where there is no room for them
    assert max(map(len, text.splitlines())) <= max(columns, raster.SIDE + 11, 42)
    assert text.count("\n") == 2 * (raster.ROWS + 2) + 1
    assert "32 of 40 hidden neurons" in text or "16 of 40 hidden neurons" in text


def test_each_spike_is_a_dot_at_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    pixel = np.zeros((100, 32))
    pixel[[0, 1, 99], [0, 3, 31]] = 1.0
    example = experiment.Example(np.eye(8), 1, 1, pixel, np.zeros((100, 16)))
    monkeypatch.setattr(raster, "can_show", lambda text: True)
    lines = raster.show(example, 0.1).splitlines()
    assert lines[1][raster.SIDE + 1] == chr(0x2800 + 0x01 + 0x80)
    assert lines[8][raster.SIDE + 50] == chr(0x2800 + 0x80)
    assert sum(map(ord, "".join(lines[1:9]))) > 0
    assert lines[1].startswith("██")
    assert lines[8].startswith(" " * 14 + "██")
    drawn = [c for line in lines for c in line if 0x2800 < ord(c) < 0x2900]
    assert len(drawn) == 2
    monkeypatch.setattr(raster, "can_show", lambda text: False)
    pixel[:, :] = 0.0
    pixel[0, 0] = pixel[50, 2] = 1.0
    lines = raster.show(example, 0.1).splitlines()
    assert lines[1][raster.SIDE + 1] == "'"
    assert lines[1][raster.SIDE + 26] == "."


def test_the_picture_is_drawn(tmp_path: Path, full_python) -> None:
    file = tmp_path / "digits.png"
    done = full_python.run(
        "-m", "rockpool", "demo", "--neurons", "30", "--plot", str(file), MPLCONFIGDIR=str(tmp_path)
    )
    assert done.stdout.splitlines()[-1].endswith(f"drawn in {file}")
    data = file.read_bytes()
    assert data.startswith(b"\x89PNG")
    width, height = (int.from_bytes(data[at : at + 4], "big") for at in (16, 20))
    assert (width, height) == (1650, 840)


def test_a_full_disk_leaves_the_picture_that_was_there(tmp_path: Path, full_python) -> None:
    picture = tmp_path / "digits.png"
    picture.write_bytes(b"a good picture")
    code = f"""
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
from rockpool.cli import main
sys.exit(main(["demo", "--neurons", "10", "--plot", {str(picture)!r}]))
"""
    done = full_python.run("-c", code, check=False)
    assert done.returncode == 1
    assert f"rockpool demo: cannot write {picture}: " in done.stderr
    assert picture.read_bytes() == b"a good picture"
    assert [file.name for file in tmp_path.iterdir()] == ["digits.png"]


def test_without_matplotlib_it_says_how_to_get_it_before_the_work(
    numpy_python, tmp_path: Path
) -> None:
    file = tmp_path / "digits.png"
    done = numpy_python.run("-m", "rockpool", "demo", "--plot", str(file), check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        "rockpool demo: --plot needs matplotlib: no module named 'matplotlib' is installed",
        'Get it with: pip install "matplotlib>=3.7"',
    ]
    assert not file.exists()


def test_without_numpy_it_says_how_to_get_it(bare_python) -> None:
    done = bare_python.run("-m", "rockpool", "demo", check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        "rockpool demo: the demo runs on numpy: no module named 'numpy' is installed",
        "Get it with: pip install numpy",
    ]


def test_a_broken_numpy_is_told_from_a_missing_one(bare_python, tmp_path: Path) -> None:
    (tmp_path / "numpy").mkdir()
    (tmp_path / "numpy" / "__init__.py").write_text("raise ImportError('libopenblas is gone')")
    done = bare_python.run("-m", "rockpool", "demo", path=tmp_path, check=False)
    assert done.returncode == 1
    assert "libopenblas is gone" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="permissions of POSIX")
def test_a_picture_that_cannot_be_written_is_known_before_the_work(
    full_python, tmp_path: Path
) -> None:
    (tmp_path / "folder.png").mkdir()
    done = full_python.run(
        "-m", "rockpool", "demo", "--plot", str(tmp_path / "folder.png"), check=False
    )
    assert done.returncode == 2
    assert "is a folder" in done.stderr
    assert done.stdout == ""
