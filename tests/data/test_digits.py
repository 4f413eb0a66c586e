"""The handwritten digits that come with the package."""

import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path

import lazy_loader
import numpy as np

import rockpool
from rockpool.data import load_digits

PACKAGE = Path(rockpool.__file__).parent


def test_there_are_1797_images_of_8_by_8():
    images, labels = load_digits()
    assert images.shape == (1797, 8, 8)
    assert labels.shape == (1797,)
    assert images.dtype == labels.dtype == np.uint8
    assert (images.min(), images.max()) == (0, 16)


def test_each_digit_is_there_about_as_often():
    _, labels = load_digits()
    assert np.bincount(labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


def test_the_arrays_are_those_that_the_description_lists():
    description = (PACKAGE / "data" / "DIGITS.md").read_text()
    for name, array in zip(("images", "labels"), load_digits(), strict=True):
        assert f"{hashlib.sha256(array.tobytes()).hexdigest()}  {name}" in description


def test_the_first_image_is_a_zero():
    images, labels = load_digits()
    assert labels[0] == 0
    assert images[0, 2].tolist() == [0, 3, 15, 2, 0, 11, 8, 0]


def test_the_arrays_are_the_callers_own():
    images, _ = load_digits()
    images[:] = 0
    assert load_digits()[0].any()


def test_the_file_holds_no_pickled_objects():
    with zipfile.ZipFile(PACKAGE / "data" / "digits.npz") as file:
        assert file.namelist() == ["images.npy", "labels.npy"]
        headers = [file.read(name)[:128] for name in file.namelist()]
    assert all(b"'descr': '|u1'" in header for header in headers)


def test_the_digits_load_from_a_zip_file(tmp_path):
    archive = tmp_path / "package.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for path in PACKAGE.rglob("*"):
            if path.suffix in (".py", ".pyi", ".npz"):
                file.write(path, path.relative_to(PACKAGE.parent))
    dependencies = [str(Path(m.__file__).parents[1]) for m in (np, lazy_loader)]
    script = (
        f"import sys; sys.path[:0] = {[str(archive), *dependencies]!r}\n"
        "import rockpool.data\n"
        "assert 'numpy' not in sys.modules\n"
        "images, labels = rockpool.data.load_digits()\n"
        "print(rockpool.data.__file__, images.shape, labels[:4].tolist())\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", script], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert done.stdout.startswith(str(archive))
    assert done.stdout.split(maxsplit=1)[1] == "(1797, 8, 8) [0, 1, 2, 3]\n"
