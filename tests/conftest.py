"""Real interpreters for the tests: virtual environments that lack back-ends, and ways to run code in them."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import venv
import zlib
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from support.patience import PATIENCE

import rockpool

PACKAGE = Path(rockpool.__file__).parent
# Two processes share two processors: libraries that start threads for each of them only wait more.
os.environ.setdefault("OMP_NUM_THREADS", "1")


# What is ignored here, under nohup or in the background of a shell, would be in what tests start. A
# handler is not handed on.
for _number in {signal.SIGINT, getattr(signal, "SIGHUP", signal.SIGINT)}:
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, lambda *_: None)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Have each test draw the same numbers, as those of initial weights, in every run."""
    seed = zlib.crc32(item.nodeid.encode())
    random.seed(seed)
    np.random.seed(seed)
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.manual_seed(seed)


class Interpreter:
    """A Python of a virtual environment, and code run in it."""

    def __init__(self, executable: Path, cwd: Path) -> None:
        self.executable = executable
        self.cwd = cwd

    def __str__(self) -> str:
        return str(self.executable)

    @property
    def site_packages(self) -> Path:
        return next(self.executable.parents[1].glob("lib/python3.*/site-packages"))

    def run(
        self,
        *arguments: str,
        path: Path | None = None,
        check: bool = True,
        cwd: Path | None = None,
        timeout: float = PATIENCE,
        **environment: str,
    ) -> subprocess.CompletedProcess[str]:
        """Run this Python. `path` is put in front of everything on its `sys.path`."""
        env = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "COV_"))}
        env |= {"NO_COLOR": "1", "LC_ALL": "C.UTF-8", **environment}
        if path is not None:
            env["PYTHONPATH"] = str(path)
        done = subprocess.run(
            [str(self.executable), *arguments],
            cwd=cwd or self.cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        if check and done.returncode != 0:
            raise AssertionError(
                f"exit code {done.returncode}\n--- out\n{done.stdout}\n--- err\n{done.stderr}"
            )
        return done

    def python(self, code: str, **options: object) -> str:
        """Run code, and return what it prints."""
        return self.run("-c", code, **options).stdout.strip()  # type: ignore[arg-type]


def _make(folder: Path, modules: tuple[str, ...], python: str = sys.executable) -> Interpreter:
    """A virtual environment with rockpool and these modules of ours, linked instead of installed.

    Links need neither pip nor a network. The interpreter and its `sys.path` are as real as any.
    """
    if python == sys.executable:
        venv.create(folder, with_pip=False, symlinks=True)
    else:
        subprocess.run([python, "-m", "venv", "--without-pip", folder], check=True)
    made = Interpreter(folder / "bin" / "python", folder)
    site_packages = made.site_packages
    (site_packages / "rockpool").symlink_to(PACKAGE)
    for module in modules:
        spec = find_spec(module)
        assert spec is not None and spec.origin is not None, f"the tests need {module}"
        origin = Path(spec.origin).parent
        for entry in origin.parent.iterdir():
            name = entry.name.lower().replace("-", "_")
            if name == module or (name.startswith(f"{module}_") and name.endswith(".dist_info")):
                (site_packages / entry.name).symlink_to(entry)
    return made


def _other_pythons() -> dict[str, str]:
    """Every other CPython from 3.11 on that can be found here, by its version."""
    found = {}
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for minor in range(11, 20):
        candidates = [shutil.which(f"python3.{minor}"), *pyenv.glob(f"3.{minor}.*/bin/python3")]
        for candidate in candidates:
            if candidate is None or sys.version_info[:2] == (3, minor):
                continue
            done = subprocess.run(
                [candidate, "-c", "import sys, venv, ensurepip; print(sys.version_info[1])"],
                capture_output=True,
                text=True,
            )
            if done.returncode == 0 and done.stdout.strip() == str(minor):
                found[f"3.{minor}"] = str(candidate)
                break
    return found


OTHER_PYTHONS = _other_pythons()


@pytest.fixture(scope="session")
def make_environment(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Interpreter]:
    """Make a virtual environment with rockpool, what it needs but numpy, and the modules that are named."""

    def make(*modules: str, python: str = sys.executable) -> Interpreter:
        folder = tmp_path_factory.mktemp("environment")
        return _make(folder, ("lazy_loader", "packaging", *modules), python)

    return make


@pytest.fixture(scope="session")
def bare_python(make_environment: Callable[..., Interpreter]) -> Interpreter:
    """A Python with rockpool and lazy-loader: not even numpy."""
    return make_environment()


@pytest.fixture(scope="session")
def numpy_python(make_environment: Callable[..., Interpreter]) -> Interpreter:
    """A Python with rockpool, lazy-loader and numpy."""
    return make_environment("numpy")


ANY_PYTHON = ["this", *(pytest.param(other, marks=pytest.mark.slow) for other in OTHER_PYTHONS)]


@pytest.fixture(scope="session", params=ANY_PYTHON)
def any_bare_python(
    request: pytest.FixtureRequest, make_environment: Callable[..., Interpreter]
) -> Interpreter:
    """A bare Python of each version that is at hand."""
    if request.param == "this":
        return request.getfixturevalue("bare_python")
    return make_environment(python=OTHER_PYTHONS[request.param])


@pytest.fixture(scope="session")
def full_python() -> Interpreter:
    """This Python, with every CPU back-end, in a process of its own."""
    return Interpreter(Path(sys.executable), Path.cwd())
