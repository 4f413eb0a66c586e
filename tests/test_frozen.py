"""Programs that PyInstaller and cx_Freeze make of scripts which use the package."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
USES_NUMPY = """
import numpy as np
from rockpool.nn.modules import LIF, RateTorch

spikes, state, record = LIF(3, threshold=0.5)(np.ones((1, 20, 3)))
print(int(spikes.sum()), "spikes")
try:
    RateTorch(3)
except ModuleNotFoundError as missing:
    print(missing, *missing.__notes__, sep="\\n")
"""
USES_TORCH = """
import torch
import rockpool.nn.modules
from rockpool.utilities.backend_management import backend_status

print(backend_status("torch", probe=True).state)
try:
    rockpool.nn.modules.RateTorch
except ImportError as error:
    print("the file asks torch for", str(error).rpartition(" ")[2].split(".")[0])
"""


# as docs/how_to/frozen_programs.md has it
SETUP = """
from pathlib import Path

import rockpool
from cx_Freeze import Executable, setup

setup(
    name="program",
    version="1",
    executables=[Executable("{name}.py")],
    options={{
        "build_exe": {{
            "build_exe": "{name}",
            "packages": ["rockpool", "lazy_loader"],
            "include_files": [(str(Path(rockpool.__file__).parent), "lib/rockpool")],
        }}
    }},
)
"""


class Workshop:
    """A virtual environment with PyInstaller, numpy, the package, and what is called torch."""

    def __init__(self, folder: Path, torch: bool = True) -> None:
        self.folder = folder
        venv.create(folder / "venv", with_pip=True, symlinks=True)
        self.python = folder / "venv" / "bin" / "python"
        hatchling = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder]
        subprocess.run(hatchling, cwd=ROOT, check=True, capture_output=True)
        (wheel,) = folder.glob("*.whl")
        constraints = ROOT / ".ci" / "constraints.txt"
        self.run("-m", "pip", "install", "-q", "-c", constraints, "pyinstaller", "numpy", wheel)
        if not torch:
            return
        site_packages = next((folder / "venv").glob("lib/python3.*/site-packages"))
        (site_packages / "torch").mkdir()
        text = "__version__ = '2.9.0'\nclass Tensor: pass\n"
        (site_packages / "torch" / "__init__.py").write_text(text)

    def run(self, *words: object) -> str:
        env = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
        done = subprocess.run(
            [str(word) for word in (self.python, *words)],
            cwd=self.folder,
            env=env,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def build(self, name: str, text: str) -> Path:
        """The folder of a program."""
        (self.folder / f"{name}.py").write_text(text)
        self.run("-m", "PyInstaller", "--noconfirm", "--log-level", "ERROR", f"{name}.py")
        return self.folder / "dist" / name

    def build_with_cx_freeze(self, name: str, text: str) -> Path:
        """The folder of a program that cx_Freeze makes, which is installed for it."""
        constraints = ROOT / ".ci" / "constraints.txt"
        self.run("-m", "pip", "install", "-q", "-c", constraints, "cx_Freeze")
        (self.folder / f"{name}.py").write_text(text)
        (self.folder / "setup.py").write_text(SETUP.format(name=name))
        self.run("setup.py", "-q", "build")
        return self.folder / name


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return Workshop(tmp_path_factory.mktemp("frozen"))


def start(program: Path) -> list[str]:
    """The lines that a program prints, in an environment without any Python."""
    done = subprocess.run(
        [program / program.name],
        env={"PATH": "/nowhere", "LC_ALL": "C.UTF-8"},
        cwd=program,
        capture_output=True,
        text=True,
    )
    return (done.stdout + done.stderr).splitlines()


def expected() -> list[str]:
    """What the program with a neuron and a stand-in prints."""
    from rockpool.nn.modules import LIF

    return [
        f"{LIF(3, threshold=0.5)([[[1.0] * 3] * 20])[0].sum():.0f} spikes",
        "Missing the `torch` backend. `RateTorch` objects, and others relying on `torch` are not "
        "available.",
        "The `torch` back-end is missing: no module named 'torch' is installed.",
        'To get it: pip install "torch>=2.1"',
    ]


@pytest.mark.slow
def test_a_program_with_a_neuron_and_a_standin(workshop: Workshop) -> None:
    program = workshop.build("uses_numpy", USES_NUMPY)
    assert start(program) == expected()
    inside = [path for path in program.rglob("*") if "torch" in path.name.lower()]
    assert {path.suffix for path in inside} <= {".pyi", ""}
    assert all("rockpool" in path.parts for path in inside)


@pytest.mark.slow
def test_a_program_of_cx_freeze(tmp_path: Path) -> None:
    shop = Workshop(tmp_path, torch=False)
    assert start(shop.build_with_cx_freeze("frozen", USES_NUMPY)) == expected()


@pytest.mark.slow
def test_a_program_that_imports_a_backend_takes_it_along(workshop: Workshop) -> None:
    """The torch here is an empty one, so the import of the module gets as far as that."""
    said = start(workshop.build("uses_torch", USES_TORCH))
    assert said[0] == "available"
    assert said[1].startswith("the file asks torch for ")
