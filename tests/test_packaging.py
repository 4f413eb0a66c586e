"""What the project installs: the wheel, the extras, the constraints."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from rockpool.backends.specs import INSTALL_PLOTS
from rockpool.data.libraries import INSTALLS
from rockpool.utilities.backend_management import backend_status, known_backends

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (built,) = folder.glob("*.whl")
    return zipfile.ZipFile(built)


def test_the_wheel_has_every_file_of_the_package(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    wanted = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "rockpool").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert wanted <= names
    assert "rockpool/py.typed" in names
    assert sum(name.endswith(".pyi") for name in names) >= 10
    assert not [n for n in names if n.startswith(("tests", "examples", ".ci"))]


def test_the_source_archive_has_the_site(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    with tarfile.open(next(tmp_path.glob("*.tar.gz"))) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"mkdocs.yml", "docs/index.md", "docs/_make/pages.py", "README.md"} <= names
    assert not [name for name in names if name.startswith("site/")]


def test_the_wheel_says_its_licence_and_brings_the_command(wheel: zipfile.ZipFile) -> None:
    (metadata,) = (n for n in wheel.namelist() if n.endswith(".dist-info/METADATA"))
    text = wheel.read(metadata).decode()
    assert "License-Expression: Apache-2.0" in text
    assert "Requires-Python: >=3.11" in text
    (entry,) = (n for n in wheel.namelist() if n.endswith("entry_points.txt"))
    assert "rockpool = rockpool.cli:run" in wheel.read(entry).decode()


def test_the_core_needs_two_packages() -> None:
    assert sorted(PROJECT["dependencies"]) == ["lazy-loader>=0.5", "numpy"]


@pytest.mark.parametrize(
    ("extra", "needs"),
    [
        ("scipy", {"scipy"}),
        ("numba", {"numba"}),
        ("torch", {"torch"}),
        ("jax", {"jax", "jaxlib"}),
        ("brian", {"brian2", "numpy"}),
        ("nest", {"nest-simulator"}),
        ("sinabs", {"sinabs", "torch"}),
        ("exodus", {"sinabs", "sinabs-exodus", "torch"}),
        ("nir", {"nir"}),
        ("recordings", {"aedat", "dv-processing", "event_stream", "h5py", "neo", "nixio"}),
        ("plots", {"matplotlib"}),
        ("progress", {"tqdm"}),
        ("all", {"rockpool"}),
        ("test", {"pytest", "pytest-cov", "pytest-xdist", "hypothesis"}),
        ("dev", {"rockpool", "ruff", "mypy"}),
    ],
)
def test_each_extra_names_what_its_backend_needs(extra: str, needs: set[str]) -> None:
    named = {re.split(r"[^\w-]", requirement)[0] for requirement in EXTRAS[extra]}
    assert needs <= named


def test_brian_keeps_numpy_below_the_release_that_breaks_it() -> None:
    assert "numpy<2.4; python_version < '3.12'" in EXTRAS["brian"]


def test_where_a_brian_without_that_limit_can_be_had_it_is_asked_for() -> None:
    on_312 = {
        str(needed.specifier)
        for needed in map(Requirement, EXTRAS["brian"])
        if needed.marker and needed.marker.evaluate({"python_version": "3.12"})
    }
    assert on_312 == {">=2.10"}


BACKENDS_OF_EXTRAS = {
    **{name: name for name in "scipy numba torch jax brian nest sinabs triton nir".split()},
    "exodus": "sinabs-exodus",
}


@pytest.mark.parametrize(("extra", "backend"), BACKENDS_OF_EXTRAS.items())
def test_the_command_for_a_backend_names_all_that_its_extra_does(extra: str, backend: str) -> None:
    """Not the extra itself: the index has another project's package of our name."""
    wanted = [
        f"{needed.name}{needed.specifier}"
        for needed in map(Requirement, EXTRAS[extra])
        if needed.marker is None or needed.marker.evaluate()
    ]
    command = shlex.split(backend_status(backend).install)
    assert [word for word in command[2:] if not word.startswith("--")] == wanted


def test_no_command_for_a_backend_installs_a_package_of_our_name() -> None:
    for name in known_backends():
        assert "rockpool" not in backend_status(name).install
    assert shlex.split(INSTALL_PLOTS)[2:] == EXTRAS["plots"]
    assert set(EXTRAS["recordings"]) == {shlex.split(name)[0] for name in INSTALLS.values()}
    for path in [*(ROOT / "rockpool").rglob("*.py"), *(ROOT / "examples").rglob("*.py")]:
        assert 'pip install "rockpool' not in path.read_text(), path


def test_minimum_versions_are_the_same_in_the_extras_and_in_the_checks() -> None:
    from rockpool.backends.specs import STANDARD

    for spec in STANDARD.values():
        requirements = EXTRAS.get(spec.name, [])
        distribution = spec.distribution or (spec.modules[0] if spec.modules else "")
        for requirement in requirements:
            match = re.fullmatch(rf"{distribution}>=([\d.]+)", requirement)
            if match and spec.minimum is not None:
                assert tuple(map(int, match[1].split("."))) == spec.minimum, spec.name


def test_the_constraints_cover_what_is_installed_for_the_tests() -> None:
    pinned = {
        line.partition("==")[0].lower()
        for line in (ROOT / ".ci" / "constraints.txt").read_text().splitlines()
        if "==" in line
    }
    for extra in (
        "scipy",
        "numba",
        "torch",
        "jax",
        "brian",
        "nest",
        "sinabs",
        "triton",
        "nir",
        "recordings",
        "test",
    ):
        for requirement in EXTRAS[extra]:
            assert re.split(r"[^\w-]", requirement)[0].lower() in pinned, requirement
