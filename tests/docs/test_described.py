"""Every public name has its place in the reference, and every parameter its description there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from rockpool.utilities.lazy_loading import advertised

ROOT = Path(__file__).parents[2]
MAKE = ROOT / "docs" / "_make"
sys.path.append(str(MAKE))

import reference  # noqa: E402
from surface import SECTIONS, source_of  # noqa: E402

# Stubs of packages that no user imports from.
INTERNAL = {
    "rockpool.backends.doctor",
    "rockpool.data.formats",
    "rockpool.nn",
    "rockpool.nn.kernels",
    "rockpool.nn.models",  # a directory of its own
    "rockpool.utilities",  # of backend_management
}


def test_each_package_with_a_stub_is_a_section() -> None:
    stubs = (path.parent.relative_to(ROOT) for path in (ROOT / "rockpool").rglob("__init__.pyi"))
    packages = {".".join(path.parts) for path in stubs}
    assert packages - INTERNAL <= SECTIONS.keys()


@pytest.mark.parametrize("package", [p for p in SECTIONS if source_of(p).name == "__init__.py"])
def test_each_advertised_name_has_a_place(package: str) -> None:
    listed = {
        name.name: reference.place(name)
        for section in reference.sections()
        if section.package == package
        for name in (*section.own, *section.others)
    }
    files = {n for n in advertised(package) if source_of(f"{package}.{n}").exists()}
    assert set(advertised(package)) - files - {"__version__"} <= listed.keys()
    for place in listed.values():
        page, _, anchor = place.partition("#")
        text = (ROOT / "docs" / page).read_text()
        assert f"::: {anchor}" in text if anchor else "::: rockpool." in text


@pytest.mark.slow
def test_each_parameter_is_described_with_shape_and_unit(docs_python: Path) -> None:
    done = subprocess.run(
        [docs_python, MAKE / "undescribed.py"], capture_output=True, text=True, cwd=ROOT
    )
    assert (done.stdout, done.returncode) == ("\n", 0), done.stdout + done.stderr
