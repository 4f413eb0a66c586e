"""The example of a script whose back-end its user may not have."""

from __future__ import annotations

from pathlib import Path

import pytest

from rockpool.utilities.backend_management import backend_status

SCRIPT = Path(__file__).parents[2] / "examples" / "optional_backend.py"


@pytest.mark.slow
def test_with_torch_it_learns(full_python) -> None:
    done = full_python.run(str(SCRIPT), "--steps", "40", path=SCRIPT.parents[1])
    steps = [line.split()[-1] for line in done.stdout.splitlines() if line.startswith("step")]
    assert float(steps[-1]) < 0.5 * float(steps[0])
    found = [line.split()[-2] for line in done.stdout.splitlines()[-4:]]
    wanted = [line.split()[1] for line in done.stdout.splitlines()[-4:]]
    assert [float(tau) for tau in found] == pytest.approx([float(tau) for tau in wanted], rel=0.2)
    # where the cache of compiled kernels is empty, a note says what takes so long
    assert [line for line in done.stderr.splitlines() if "later runs find it" not in line] == []


def test_without_torch_it_says_what_is_missing(bare_python, numpy_python) -> None:
    for python in (bare_python, numpy_python):
        done = python.run(str(SCRIPT), check=False)
        assert done.returncode == 1
        assert done.stdout == ""
        first, *notes = done.stderr.splitlines()
        assert first == (
            "Missing the `torch` backend. `RateTorch` objects, and others relying on `torch` are "
            "not available."
        )
        assert any(backend_status("torch").install in note for note in notes)
        assert "Traceback" not in done.stderr


def test_with_a_broken_torch_it_says_so(bare_python, tmp_path: Path) -> None:
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").write_text(
        "raise OSError('libtorch_cpu.so: no such file')"
    )
    done = bare_python.run(str(SCRIPT), path=tmp_path, check=False)
    assert done.returncode == 1
    assert "libtorch_cpu.so: no such file" in done.stderr


def test_its_help_is_there_at_once(full_python, bare_python) -> None:
    code = f"""
import runpy, sys
sys.argv = ["optional_backend.py", "--help"]
try:
    runpy.run_path({str(SCRIPT)!r}, run_name="__main__")
except SystemExit as end:
    assert end.code == 0
print(*sorted({{"torch", "numpy", "jax"}} & set(sys.modules)), file=sys.stderr)
"""
    for python in (full_python, bare_python):
        done = python.run("-c", code, path=SCRIPT.parents[1])
        assert done.stdout.startswith("usage: optional_backend.py")
        assert done.stderr.strip() == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--steps", "0"], "--steps must be at least 1, got 0"),
        (["--seed", "-1"], "--seed must be from 0 to 4294967295, got -1"),
    ],
)
def test_its_mistakes_are_explained(bare_python, arguments: list[str], message: str) -> None:
    done = bare_python.run(str(SCRIPT), *arguments, check=False)
    assert done.returncode == 2
    assert message in done.stderr and "Traceback" not in done.stderr
