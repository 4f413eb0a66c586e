"""A back-end that appears while Python runs is used at once; one that cannot be is told apart."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
from support import little_package

PREPARE = """
import json, pathlib, sys
import little
from little import Lazy
root = pathlib.Path({root!r})
def write(path, text):
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text)
def fails(use):
    try: use()
    except ModuleNotFoundError as error: return error
    raise AssertionError("it did not fail")
def notes(use): return fails(use).__notes__
WORKING = {backend!r}
"""


def run(python, root: Path, code: str) -> list[str]:
    """Run code beside the little package, whose back-end `fake_backend` is not there yet."""
    little_package.write(root)
    prepared = PREPARE.format(root=str(root), backend=little_package.BACKEND)
    return python.python(prepared + code, path=root).splitlines()


# --- what heals -----------------------------------------------------------------------------------


def test_every_fault_that_leaves_nothing_behind_heals(any_bare_python, tmp_path: Path) -> None:
    code = """
from rockpool.utilities.backend_management import backend_available
old = Lazy
for text in ("raise OSError('no driver')", "import sys; sys.exit(1)", "import a_dependency",
             "raise ImportError"):
    write("fake_backend/__init__.py", text)
    assert not backend_available("fake")  # a file that is edited in place is seen by asking
    print(notes(lambda: old((1,)))[0].partition(": ")[0], little.Lazy is old)
(root / "fake_backend" / "__init__.py").unlink()
print(notes(lambda: old((1,)))[0].partition(": ")[0], little.Lazy is old)
write("fake_backend/__init__.py", WORKING)
assert backend_available("fake")
made = old((1,))
print(made.evolve(), isinstance(made, old), issubclass(type(made), old), little.Lazy is type(made))
print(type(old) is type(made), old.evolve is type(made).evolve)
"""
    broken = ["The `fake` back-end is broken True"] * 4
    assert run(any_bare_python, tmp_path, code) == [
        *broken,
        "The `fake` back-end is shadowed True",
        "(1,) True True True",
        "False True",
    ]


def test_a_file_in_the_way_may_be_removed(bare_python, tmp_path: Path) -> None:
    code = """
(root / "other").mkdir()
sys.path.append(str(root / "other"))
write("other/fake_backend/__init__.py", WORKING)
print(Lazy((1,)).evolve())
"""
    assert run(bare_python, tmp_path, code) == ["(1,)"]


def test_an_update_on_the_disk_heals_what_was_too_old(bare_python, tmp_path: Path) -> None:
    code = """
from rockpool.utilities.backend_management import register_backend
register_backend("fake", ["fake_backend"], minimum="2")
write("fake_backend/__init__.py", "raise AssertionError('imported although it is too old')")
(root / "fake_backend-1.5.dist-info").mkdir()
print(notes(lambda: Lazy((1,))))
(root / "fake_backend-1.5.dist-info").rename(root / "fake_backend-2.1.dist-info")
write("fake_backend/__init__.py", WORKING.replace("1.0", "2.1"))
print(Lazy((1,)).evolve())
"""
    said = run(bare_python, tmp_path, code)
    assert "fake_backend is 1.5; at least 2 is needed" in said[0]
    assert said[1] == "(1,)"


def test_a_file_that_needs_a_second_backend_waits_for_that_one(
    any_bare_python, tmp_path: Path
) -> None:
    """Its own back-end is fine, but its file imports numpy as well, which is missing."""
    code = """
write("fake_backend/__init__.py", WORKING)
write("little/fake/lazy.py", "import fake_backend, numpy\\nclass Lazy:\\n    pass\\n")
print(fails(lambda: Lazy()))
print(fails(lambda: Lazy()).name, little.Lazy is Lazy)
write("numpy/__init__.py", "__version__ = '2.0.0'")
print(type(Lazy()).__name__, type(little.Lazy).__name__)
"""
    assert run(any_bare_python, tmp_path, code) == [
        "Missing the `numpy` backend. `Lazy` objects, and others relying on `numpy` are not "
        "available.",
        "numpy True",
        "Lazy type",
    ]


# --- when it is looked for ------------------------------------------------------------------------


def test_only_a_failed_use_looks_again(any_bare_python, tmp_path: Path) -> None:
    code = """
import pickle, typing
class Watch:
    asked = 0
    def find_spec(self, name, path=None, target=None):
        self.asked += name == "fake_backend"
watch = Watch()
sys.meta_path.insert(0, watch)
isinstance(3, Lazy), issubclass(int, Lazy), hasattr(Lazy, "_private"), Lazy == Lazy, hash(Lazy)
Lazy | None, typing.Optional[Lazy], pickle.dumps(Lazy), dir(little), dir(Lazy), Lazy.__name__
print(watch.asked)
fails(lambda: Lazy((1,)))
print(watch.asked > 0)
"""
    assert run(any_bare_python, tmp_path, code) == ["0", "True"]


# --- what cannot heal -----------------------------------------------------------------------------

HALF = "import fake_backend.part\\nimport fake_backend.other\\nraise OSError('no driver')"
HALF_IMPORTED = f"""
write("fake_backend/__init__.py", "{HALF}")
write("fake_backend/part.py", "")
write("fake_backend/other.py", "")
"""


def test_a_half_imported_backend_needs_a_restart(any_bare_python, tmp_path: Path) -> None:
    code = (
        HALF_IMPORTED
        + """
print(json.dumps(notes(lambda: Lazy((1,)))))
write("fake_backend/__init__.py", "print('imported again')\\n" + WORKING)
error = fails(lambda: Lazy((1,)))
print(json.dumps(error.__notes__))
print(error, "|", repr(error.__cause__), little.Lazy is Lazy)
from rockpool.utilities.backend_management import backend_available, backend_status
print(backend_available("fake"), backend_status("fake").state)
"""
    )
    first, second, error, status = run(any_bare_python, tmp_path, code)
    left = "fake_backend.part, fake_backend.other are still loaded from an import that failed."
    state, mend, restart = json.loads(first)
    assert "OSError: no driver" in state
    assert mend == "To mend it: pip install --force-reinstall fake_backend"
    assert restart == f"Then restart Python: {left}"
    assert json.loads(second)[-1] == json.loads(first)[-1]
    assert error.startswith("Missing the `fake` backend.")
    assert error.endswith("OSError('no driver') True")
    assert status == "False broken"


def test_a_half_imported_backend_that_was_mended_needs_only_a_restart(
    bare_python, tmp_path: Path
) -> None:
    code = """
write("fake_backend/__init__.py", "import fake_backend.part\\nimport a_dependency\\n" + WORKING)
write("fake_backend/part.py", "")
print(json.dumps(notes(lambda: Lazy((1,)))))
write("a_dependency.py", "")
print(json.dumps(notes(lambda: Lazy((1,)))))
"""
    first, second = map(json.loads, run(bare_python, tmp_path, code))
    assert first[1:] == [
        "To mend it: pip install a_dependency",
        "Then restart Python: fake_backend.part is still loaded from an import that failed.",
    ]
    assert second[1:] == [
        "Restart Python: fake_backend.part is still loaded from an import that failed."
    ]


def test_an_import_that_was_interrupted_needs_a_restart(bare_python, tmp_path: Path) -> None:
    code = """
write("fake_backend/__init__.py", "import fake_backend.part\\nraise KeyboardInterrupt")
write("fake_backend/part.py", "")
try: Lazy((1,))
except KeyboardInterrupt: print("interrupted")
print(*notes(lambda: Lazy((1,))), sep="\\n")
"""
    assert run(bare_python, tmp_path, code) == [
        "interrupted",
        "The `fake` back-end is broken: an import of fake_backend has failed midway.",
        "Restart Python: fake_backend.part is still loaded from an import that failed.",
    ]


def test_what_was_loaded_too_old_stays_so_until_a_restart(bare_python, tmp_path: Path) -> None:
    code = """
from rockpool.utilities.backend_management import register_backend
register_backend("fake", ["fake_backend"], minimum="2")
write("fake_backend/__init__.py", WORKING)
(root / "fake_backend-1.0.dist-info").mkdir()
import fake_backend
print(json.dumps(notes(lambda: Lazy((1,)))))
(root / "fake_backend-1.0.dist-info").rename(root / "fake_backend-2.1.dist-info")
write("fake_backend/__init__.py", WORKING.replace("1.0", "2.1"))
print(json.dumps(notes(lambda: Lazy((1,)))))
"""
    first, second = map(json.loads, run(bare_python, tmp_path, code))
    assert first[1:] == ["To get it: pip install --upgrade fake_backend"]
    assert second[1:] == ["Restart Python: 1.0 is loaded, but 2.1 is installed by now."]


def test_a_dependency_that_was_replaced_while_loaded_is_named(bare_python, tmp_path: Path) -> None:
    """As with a numpy that is too new for a back-end: mended on the disk, but loaded already."""
    code = """
write("numpy/__init__.py", "__version__ = '2.4.0'")
(root / "numpy-2.4.0.dist-info").mkdir()
import numpy
write("fake_backend/__init__.py", "import numpy; numpy.gone")
(root / "numpy-2.4.0.dist-info").rename(root / "numpy-2.3.5.dist-info")
print(*notes(lambda: Lazy((1,)))[1:], sep="\\n")
"""
    said = run(bare_python, tmp_path, code)
    assert said[-1].endswith("estart Python: numpy 2.4.0 is loaded, but 2.3.5 is installed by now.")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            '(root / "fake_backend-1.0.dist-info").rename(root / "fake_backend-2.0.dist-info")',
            "fake_backend 1.0 is loaded, but 2.0 is installed by now",
        ),
        (
            'import shutil; shutil.rmtree(root / "fake_backend")',
            "fake_backend is loaded, but its files are gone",
        ),
    ],
    ids=["replaced", "vanished"],
)
def test_an_error_behind_a_replaced_backend_says_so(
    change: str, words: str, bare_python, tmp_path: Path
) -> None:
    code = f"""
write("fake_backend/__init__.py", WORKING)
(root / "fake_backend-1.0.dist-info").mkdir()
write("little/fake/lazy.py", "from fake_backend import new_in_2")
import fake_backend
{change}
try: little.Lazy
except ImportError as error: print(str(error).partition(" (")[0], error.__notes__, sep="\\n")
"""
    said = run(bare_python, tmp_path, code)
    assert said[0] == "cannot import name 'new_in_2' from 'fake_backend'"
    assert said[1] == str([f"Restart Python: {words}."])


def test_an_error_behind_a_backend_that_is_as_installed_has_no_such_note(
    bare_python, tmp_path: Path
) -> None:
    code = """
write("fake_backend/__init__.py", WORKING)
(root / "fake_backend-1.0.0.dist-info").mkdir()
write("little/fake/lazy.py", "from fake_backend import new_in_2")
try: little.Lazy
except ImportError as error: print(hasattr(error, "__notes__"))
"""
    assert run(bare_python, tmp_path, code) == ["False"]


# --- as it happens to people ----------------------------------------------------------------------


def write_wheel(folder: Path, name: str, version: str, files: dict[str, str]) -> Path:
    """A wheel file, as small as they get."""
    info = f"{name}-{version}.dist-info"
    contents = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},,\n" for path in (*contents, f"{info}/RECORD"))
    wheel = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as bundle:
        for path, text in {**contents, f"{info}/RECORD": record}.items():
            bundle.writestr(path, text)
    return wheel


@pytest.mark.slow
def test_pip_install_in_a_running_interpreter(make_environment, tmp_path: Path) -> None:
    """The stand-in from before ``pip install`` makes the real thing after it."""
    python = make_environment()
    python.run("-m", "ensurepip", "--default-pip")
    little_package.write(tmp_path)
    old = write_wheel(tmp_path, "fake_backend", "0.1", {"fake_backend.py": "import nothing_here"})
    files = {"fake_backend/__init__.py": little_package.BACKEND}
    new = write_wheel(tmp_path, "fake_backend", "1.0", files)
    code = """
import subprocess, sys
import little
from little import Lazy
def pip(wheel):
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--upgrade",
                    "--disable-pip-version-check", wheel], check=True)
def why():
    try: Lazy((1,))
    except ModuleNotFoundError as error: return error.__notes__
for wheel in sys.argv[1:]:
    print(*why(), sep="\\n")
    pip(wheel)
made = Lazy((3,))
print(made.evolve(), isinstance(made, Lazy), little.Lazy is type(made), little.Lazy is not Lazy)
"""
    done = python.run("-c", code, str(old), str(new), path=tmp_path)
    said = done.stdout.splitlines()
    assert said[1] == "To get it: pip install fake_backend"
    assert "needs 'nothing_here', which is missing" in said[2]
    assert said[-1] == "(3,) True True True"
