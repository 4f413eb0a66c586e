"""`rockpool doctor`: what is wrong, and the command that mends it."""

from __future__ import annotations

import json
import os
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest
from support import little_package
from support.fakes import FAKES, WORKING, Fake
from support.patience import PATIENCE, within_a_limit

import rockpool
from rockpool.backends import kept_code
from rockpool.backends.doctor import diagnose
from rockpool.cli import main
from rockpool.utilities.backend_management import known_backends


def examine(
    python, *names: str, timeout: float = PATIENCE, **options: Any
) -> tuple[int, dict[str, Any]]:
    """The exit code and the JSON of a doctor's visit to a real interpreter."""
    words = ("-m", "rockpool", "doctor", "--json", "--timeout", str(timeout), *names)
    done = python.run(*words, check=False, **options)
    assert done.stderr == ""
    return done.returncode, json.loads(done.stdout)


def said(found: dict[str, Any], level: str = "problem") -> list[tuple[str, str, str]]:
    """Findings as (about, what, mend)."""
    return [
        (", ".join(finding["about"]), finding["what"], finding["mend"])
        for finding in found["findings"]
        if finding["level"] == level
    ]


def record(folder: Path, name: str, version: str, *requirements: str) -> Path:
    """A record of an installation, as pip leaves it."""
    info = folder / f"{name}-{version}.dist-info"
    info.mkdir(parents=True)
    needs = "".join(f"Requires-Dist: {line}\n" for line in requirements)
    text = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}\nLong text: x\n"
    (info / "METADATA").write_text(text)
    return info


def package(folder: Path, name: str, text: str = "", version: str | None = None) -> Path:
    """A package, with its record where it has a version."""
    (folder / name).mkdir(parents=True)
    (folder / name / "__init__.py").write_text(text)
    if version is not None:
        record(folder, name, version)
    return folder / name


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder that packages are installed into."""
    folder = tmp_path / "site-packages"
    folder.mkdir()
    return folder


# --- whole visits ---------------------------------------------------------------------------------


def test_without_numpy_that_is_what_is_wrong(any_bare_python) -> None:
    code, found = examine(any_bare_python)
    assert code == 1
    assert said(found) == [("numpy", "no module named 'numpy' is installed", "pip install numpy")]
    assert [row["name"] for row in found["backends"]] == list(known_backends())
    assert {row["state"] for row in found["backends"]} == {"missing"}


def test_what_nobody_asked_for_may_be_missing(any_bare_python, site: Path) -> None:
    package(site, "numpy", version="2.3.0")
    code, found = examine(any_bare_python, path=site)
    assert (code, found["is_well"], said(found)) == (0, True, [])
    done = any_bare_python.run("-m", "rockpool", "doctor", path=site)
    assert done.stdout.endswith("1 of 12 back-ends can be used: all is well.\n")


def test_what_is_named_has_to_work(bare_python) -> None:
    code, found = examine(bare_python, "torch")
    what = "no module named 'torch' is installed"
    assert (code, said(found)) == (1, [("torch", what, 'pip install "torch>=2.1"')])


def test_the_real_backends_are_well(full_python) -> None:
    code, found = examine(full_python, "numpy", "torch", "nest")
    assert (code, said(found)) == (0, [])
    rows = {row["name"]: row for row in found["backends"]}
    assert rows["torch"]["version"].startswith("2.")
    assert Path(rows["torch"]["location"]).name == "torch"
    assert rows["torch"]["minimum"] == "2.1"
    assert found["cuda"]["visible"] in (True, False)
    # both bring an OpenMP runtime of their own
    ((_, what, _),) = [finding for finding in said(found, "warning") if finding[0] == "openmp"]
    assert "torch/lib" in what and "nest" in what


def test_a_misspelt_name_is_a_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "troch"]) == 2
    assert "no back-end 'troch'; did you mean 'torch'?" in capsys.readouterr().err


# --- every fault ----------------------------------------------------------------------------------

MENDS = {
    "missing": 'pip install "torch>=2.1"',
    "own_dependency": "pip install fake_dependency_of_fake",
    "too_old": 'pip install --upgrade "torch>=2.1"',
    "empty_folder": 'pip install "torch>=2.1"',
    "shadowing_file": "mv {path}/torch.py {path}/torch_.py",
}


@pytest.mark.parametrize("fake", FAKES, ids=lambda fake: fake.name)
def test_each_fault_is_told_with_the_command_that_mends_it(
    fake: Fake, bare_python, tmp_path: Path
) -> None:
    path = fake.write(tmp_path / "path", "torch")
    limit = 1 if fake.dies == "no answer" else PATIENCE
    code, found = examine(bare_python, "torch", timeout=limit, path=path)
    assert code == 1
    ((about, what, mend),) = said(found)
    assert about == "torch"
    for word in fake.words if fake.dies is None else (fake.dies,):
        assert word in what
    again = 'pip install --force-reinstall "torch>=2.1"'
    if fake.name == "endless":  # it may only be slow
        again = 'pip install "torch>=2.1"'
    assert mend == MENDS.get(fake.name, again).format(path=path)


def test_the_error_is_shown_without_our_frames(bare_python, site: Path) -> None:
    text = "def deep():\n    raise OSError('libfake.so: no such file')\ndeep()\n"
    inner = package(site, "torch", "from torch import inner", "2.9.0")
    (inner / "inner.py").write_text(text)
    _, found = examine(bare_python, "torch", path=site)
    (finding,) = found["findings"]
    files = [line.split('"')[1] for line in finding["details"] if line.startswith('  File "')]
    here = str(site / "torch")
    assert files == [f"{here}/__init__.py", f"{here}/inner.py", f"{here}/inner.py"]
    assert finding["details"][-1] == "OSError: libfake.so: no such file"


def test_a_crash_and_a_hang_say_where(bare_python, site: Path) -> None:
    hang = "import time\ndef forever():\n    while True: time.sleep(0.05)\nforever()\n"
    package(site, "torch", hang)
    package(site, "numba", "import os, signal\ndef crash():\n    os.kill(os.getpid(), 11)\ncrash()")

    def details_of(found: dict[str, Any]) -> dict[str, list[str]]:
        return {finding["about"][0]: finding["details"] for finding in found["findings"]}

    def is_fair(answer: tuple[int, dict[str, Any]]) -> bool:
        """Whether there was time to come to the line that hangs, and to the one that crashes."""
        lines = details_of(answer[1])
        return "Segmentation fault" in str(lines["numba"]) and "in forever" in str(lines["torch"])

    code, found = within_a_limit(
        lambda limit: examine(bare_python, "torch", "numba", timeout=limit, path=site), is_fair
    )
    assert code == 1
    details = details_of(found)
    assert any("in forever" in line for line in details["torch"])
    assert details["numba"][0] == "Fatal Python error: Segmentation fault"
    assert any("in crash" in line for line in details["numba"])
    assert not any("rockpool/utilities" in line for lines in details.values() for line in lines)


def test_one_broken_backend_is_one_finding_about_all_that_need_it(bare_python, site: Path) -> None:
    package(site, "torch", "raise OSError('libfake.so')", "2.9.0")
    package(site, "sinabs", "import torch", "3.1.0")
    package(site, "numpy", "", "2.3.0")
    code, found = examine(bare_python, path=site)
    assert code == 1
    assert [about for about, _, _ in said(found)] == ["torch, sinabs, cuda"]


def test_what_a_backend_prints_is_not_in_the_way(bare_python, tmp_path: Path) -> None:
    path = WORKING.write(tmp_path / "path", "torch")
    code, found = examine(bare_python, "torch", path=path)
    assert (code, said(found)) == (0, [])


# --- versions -------------------------------------------------------------------------------------


def test_brian_and_a_numpy_that_is_too_new_for_it(any_bare_python, site: Path) -> None:
    package(site, "numpy", "__version__ = '2.4.1'", "2.4.1")
    package(site, "brian2", "import numpy; numpy.trapz", "2.9.0")
    code, found = examine(any_bare_python, "brian", path=site)
    assert code == 1
    ((about, what, mend),) = said(found)
    assert about == "brian"
    assert "AttributeError" in what
    assert what.endswith("brian2 2.9.0 needs numpy < 2.4, and numpy is 2.4.1")
    newer = any_bare_python.python("import sys; print(sys.version_info >= (3, 12))") == "True"
    assert mend == ('pip install --upgrade "brian2>=2.10"' if newer else 'pip install "numpy<2.4"')


def test_a_standin_names_the_same_mend(bare_python, site: Path) -> None:
    package(site, "numpy", "__version__ = '2.4.1'", "2.4.1")
    package(site, "brian2", "import numpy; numpy.trapz", "2.9.0")
    code = """
from rockpool.utilities.backend_management import backend_status
status = backend_status("brian", probe=True)
print(status.reason.rpartition("; ")[2], "|", status.install)
"""
    assert bare_python.python(code, path=site) == (
        'brian2 2.9.0 needs numpy < 2.4, and numpy is 2.4.1 | pip install "numpy<2.4"'
    )


def test_requirements_that_are_not_met(bare_python, site: Path) -> None:
    package(site, "numpy", "", "2.5.0")
    package(site, "numba", "raise ImportError('Numba needs NumPy 2.3 or less')")
    record(site, "numba", "0.61.0", "numpy<2.4,>=1.24", "llvmlite>=0.4", "x; extra == 'y'")
    package(site, "torch", "")
    record(site, "torch", "2.9.0", "numpy (<2) ; python_version > '3'")
    code, found = examine(bare_python, "numba", "torch", path=site)
    assert code == 1
    ((_, what, mend),) = said(found)
    assert what.endswith("; numba 0.61.0 needs numpy <2.4,>=1.24, and numpy is 2.5.0")
    assert mend == 'pip install "numpy<2.4,>=1.24"'
    # one that works all the same is warned of
    assert said(found, "warning") == [
        ("torch", "torch 2.9.0 needs numpy <2, and numpy is 2.5.0", 'pip install "numpy<2"')
    ]


def test_a_long_list_of_requirements_takes_no_time(bare_python, site: Path) -> None:
    package(site, "numba")
    needs = [f"package{i}>=1; python_version > '3'" for i in range(200_000)]
    record(site, "numba", "99.0", "numpy<2", *needs)
    package(site, "numpy", "", "2.5.0")
    _, found = examine(bare_python, "numba", path=site, timeout=5 * PATIENCE)
    ((_, what, _),) = said(found, "warning")
    assert what == "numba 99.0 needs numpy <2, and numpy is 2.5.0"


def test_text_of_a_backend_is_neither_obeyed_nor_part_of_a_command(bare_python, site: Path) -> None:
    text = "raise ModuleNotFoundError('\\x1b[2J', name='a; reboot')"
    package(site, "numba", text, "0.61.0")
    package(site, "torch", "", "2.9.0`reboot`")
    done = bare_python.run("-m", "rockpool", "doctor", "numba", "torch", path=site, check=False)
    assert "needs 'a; reboot', which is missing" in done.stdout
    assert "\x1b" not in done.stdout
    mends = [line for line in done.stdout.splitlines() if "to mend it" in line]
    assert not any("reboot" in mend for mend in mends)
    checked = bare_python.run("-m", "rockpool", "backends", "--check", "--verbose", path=site)
    assert "\x1b" not in checked.stdout and "\\x1b[2J" in checked.stdout


# --- what lies on the disk ------------------------------------------------------------------------


@pytest.mark.parametrize("is_package", [True, False])
def test_a_file_of_the_users_in_the_place_of_a_backend(
    is_package: bool, bare_python, site: Path, tmp_path: Path
) -> None:
    real = package(site, "torch", "__version__ = '2.9.0'", "2.9.0")
    work = tmp_path / "my work"
    if is_package:
        mine = package(work, "torch", "raise NameError('x')")
        mend = f"mv '{mine}' '{mine}_'"
    else:
        mine = work / "torch.py"
        work.mkdir()
        mine.write_text("x = 1")
        mend = f"mv '{mine}' '{work}/torch_.py'"
    _, found = examine(bare_python, "torch", path=f"{work}:{site}")
    ((about, what, told),) = said(found)
    assert (about, told) == ("torch", mend)
    assert what.endswith(f"{mine} is in the place of {real}")


def test_files_in_the_working_folder_that_other_programs_find(
    bare_python, site: Path, tmp_path: Path
) -> None:
    package(site, "torch", "", "2.9.0")
    work = tmp_path / "work"
    work.mkdir()
    (work / "torch.py").write_text("")
    (work / "numba").mkdir()  # without an __init__ it gives way to the real one
    code = "import sys; sys.path.remove(''); from rockpool.cli import run; sys.argv[0] = ''; run()"
    done = bare_python.run(
        "-c", code, "doctor", "--json", "torch", "numba", path=site, cwd=work, check=False
    )
    warnings = said(json.loads(done.stdout), "warning")
    what = f"programs that are started in this folder import {work}/torch.py as torch"
    assert warnings == [("torch", what, f"mv {work}/torch.py {work}/torch_.py")]


def test_the_folder_of_an_uninstalled_package(bare_python, site: Path) -> None:
    (site / "torch" / "__pycache__").mkdir(parents=True)
    _, found = examine(bare_python, "torch", path=site)
    ((_, what, mend),) = said(found)
    assert what.endswith("a package that was uninstalled has left it")
    assert mend == f"rm -r {site}/torch"


def test_a_record_without_files(bare_python, site: Path) -> None:
    info = record(site, "torch", "2.9.0")
    package(site, "numpy", "", "2.3.0")
    code, found = examine(bare_python, path=site)
    assert code == 1
    what = f"torch 2.9.0 is recorded as installed, but its files are gone ({info})"
    assert said(found) == [("torch", what, 'pip install --force-reinstall "torch==2.9.0"')]


def test_what_an_interrupted_update_has_left(bare_python, site: Path) -> None:
    package(site, "torch", "", "2.9.0")
    for name in ("~orch", "~-rch-2.8.0.dist-info", "~umpy"):
        (site / name).mkdir()
    code, found = examine(bare_python, "torch", path=site)
    assert code == 0
    told = {mend for _, _, mend in said(found, "warning")}
    assert told == {f"rm -r '{site}/~orch'"}


def test_two_records_of_one_package(bare_python, site: Path) -> None:
    package(site, "torch", "__version__ = '2.9.0+cpu'", "2.9.0")
    old = record(site, "torch", "2.8.0")
    _, found = examine(bare_python, "torch", path=site)
    what = f"torch is recorded as installed 2 times in {site}: 2.8.0, 2.9.0"
    assert said(found, "warning") == [("torch", what, f"rm -r {old}")]


def test_files_of_another_version_than_the_record(bare_python, site: Path) -> None:
    package(site, "torch", "__version__ = '2.7.0'", "2.9.0")
    _, found = examine(bare_python, "torch", path=site)
    what = "torch says that it is 2.7.0, but is recorded as 2.9.0"
    mend = 'pip install --force-reinstall "torch==2.9.0"'
    assert said(found, "warning") == [("torch", what, mend)]


def test_samna_is_told_and_not_imported(bare_python, site: Path, tmp_path: Path) -> None:
    proof = tmp_path / "imported"
    package(site, "samna", f"open({str(proof)!r}, 'w')", "0.1")
    package(site, "numpy", "", "2.3.0")
    code, found = examine(bare_python, path=site)
    assert code == 0
    assert [(about, mend) for about, _, mend in said(found, "note")] == [
        ("samna", "pip uninstall samna")
    ]
    assert not proof.exists()


# --- what surrounds them --------------------------------------------------------------------------

TORCH = """
class cuda:
    is_available = staticmethod(lambda: {visible})
    device_count = staticmethod(lambda: 2)
    get_device_name = staticmethod(lambda number: f"Fake {{number}}")
class version:
    cuda = {built!r}
"""


@pytest.mark.parametrize(
    ("visible", "built", "hidden", "words"),
    [
        (True, "12.8", None, "CUDA      12.8  Fake 0, Fake 1"),
        (False, None, None, "CUDA      not visible: this torch is built without it"),
        (False, "12.8", None, "not visible: torch is built for 12.8, but sees no device\n"),
        (False, "12.8", "-1", "sees no device, and CUDA_VISIBLE_DEVICES is '-1'\n"),
    ],
)
def test_cuda_is_visible_or_not(
    visible: bool, built: str | None, hidden: str | None, words: str, bare_python, site: Path
) -> None:
    package(site, "torch", TORCH.format(visible=visible, built=built), "2.9.0")
    environment = {} if hidden is None else {"CUDA_VISIBLE_DEVICES": hidden}
    arguments = ("-m", "rockpool", "doctor", "cuda")
    done = bare_python.run(*arguments, path=site, check=False, **environment)
    assert words in done.stdout
    assert done.returncode == (not visible)


def test_a_driver_that_crashes_when_it_is_asked_does_not_hide_the_answer(
    bare_python, site: Path
) -> None:
    text = TORCH.format(visible=True, built="12.8").replace("lambda: 2", "__import__('os').abort")
    package(site, "torch", text, "2.9.0")
    code, found = examine(bare_python, "torch", path=site)
    assert (code, found["backends"][0]["state"]) == (0, "available")


def test_two_openmp_runtimes(bare_python, site: Path) -> None:
    import _ctypes

    library = Path(_ctypes.__file__).read_bytes()
    load = "import ctypes; Create = ctypes.CDLL({!r})\n"  # by its `Create` NEST is known
    for backend, number in (("torch", 1), ("nest", 2), ("numba", 1)):
        runtime = site / f"libgomp-{number}.so.1"
        runtime.write_bytes(library)
        package(site, backend, load.format(str(runtime)), "99.0")
    for names, level in ((("torch", "numba"), 0), (("torch", "nest", "numba"), 1)):
        code, found = examine(bare_python, *names, path=site)
        told = said(found, "warning")
        assert (code, len(told)) == (0, level)
    assert f"(numba, torch: {site}/libgomp-1.so.1; nest: {site}/libgomp-2.so.1)" in told[0][1]
    both = "".join(load.format(str(site / f"libgomp-{number}.so.1")) for number in (1, 2))
    (site / "torch" / "__init__.py").write_text(both)
    _, found = examine(bare_python, "torch", path=site)
    ((_, what, _),) = said(found, "warning")
    assert what.startswith("importing torch loads 2 OpenMP runtimes into one process: ")


def test_a_cache_folder_that_cannot_be_written(bare_python, site: Path, tmp_path: Path) -> None:
    package(site, "numba", "", "99.0")
    (tmp_path / "file").write_text("")
    folder = str(tmp_path / "file" / "cache")
    code, found = examine(bare_python, "numba", path=site, NUMBA_CACHE_DIR=folder)
    assert code == 0
    ((about, what, mend),) = said(found, "warning")
    assert (about, mend) == ("caches", "unset NUMBA_CACHE_DIR")
    assert what.startswith(f"NUMBA_CACHE_DIR is {folder}, which cannot be written; ")
    good = str(tmp_path / "not yet" / "there")
    _, found = examine(bare_python, "numba", path=site, NUMBA_CACHE_DIR=good)
    assert said(found, "warning") == []
    assert found["caches"][0]["folder"] == good
    assert not Path(good).exists()


def test_no_cache_at_all_breaks_nothing(bare_python, site: Path, tmp_path: Path) -> None:
    """The package is in a zip file, and the home folder is none: what is advised is private."""
    package(site, "numba", "", "99.0")
    root = Path(rockpool.__file__).parent
    archive = tmp_path / "rockpool.zip"
    with zipfile.ZipFile(archive, "w") as bundle:
        for file in root.rglob("*.py*"):
            if "__pycache__" not in file.parts:
                bundle.write(file, file.relative_to(root.parent))
    (tmp_path / "file").write_text("")
    nowhere = str(tmp_path / "file" / "home")
    code, found = examine(
        bare_python,
        "numba",
        path=f"{archive}:{site}",
        HOME=nowhere,
        XDG_CACHE_HOME=nowhere,
        TMPDIR=str(tmp_path),
    )
    assert (code, said(found)) == (0, [])
    ((about, what, mend),) = said(found, "warning")
    assert about == "caches"
    assert what.startswith("no folder for what numba compiles can be written: ")
    assert mend.startswith("export NUMBA_CACHE_DIR=")
    subprocess.run(["sh", "-c", mend], check=True)
    (private,) = tmp_path.glob(f"rockpool-{os.getuid()}")
    assert private.stat().st_mode & 0o777 == 0o700


def test_a_cache_folder_that_others_can_write(bare_python, site: Path, tmp_path: Path) -> None:
    package(site, "numba", "", "99.0")
    tmp_path.chmod(0o777)
    code, found = examine(bare_python, "numba", path=site, NUMBA_CACHE_DIR=str(tmp_path))
    ((_, what, mend),) = said(found, "warning")
    assert what.startswith(f"NUMBA_CACHE_DIR is {tmp_path}, which can be written by other users; ")
    assert (code, mend) == (0, f"chmod -R go-w {tmp_path}")
    assert found["caches"][0]["folder"] != str(tmp_path)


def test_damaged_files_in_a_cache_are_named(bare_python, site: Path, tmp_path: Path) -> None:
    package(site, "numba", "", "99.0")
    good, bad = (
        Path(kept_code.folder_within(str(tmp_path)), kept_code.file_name(name, "()"))
        for name in ("lif.lif_forward", "lif.lif_backward")
    )
    for path in (good, bad):
        kept_code.write(str(path), "source", b"machine code")
    bad.write_bytes(good.read_bytes()[:-1])
    code, found = examine(bare_python, "numba", path=site, NUMBA_CACHE_DIR=str(tmp_path))
    ((_, what, mend),) = said(found, "warning")
    assert "(1 of the files)" in what
    assert (code, mend) == (0, f"rm {bad}")


# --- manners --------------------------------------------------------------------------------------


def test_it_changes_nothing(bare_python, tmp_path: Path) -> None:
    """Not in the packages, not in the home folder, not in the working folder; and it asks no pip."""
    fake = next(fake for fake in FAKES if fake.name == "own_dependency")
    path = fake.write(tmp_path / "path", "torch")
    for name in ("home", "work", "bin"):
        (tmp_path / name).mkdir()
    (tmp_path / "bin" / "pip").write_text(f"#!/bin/sh\ntouch {tmp_path}/pip-was-run\n")
    (tmp_path / "bin" / "pip").chmod(0o755)
    (path / "pip.py").write_text(f"open('{tmp_path}/pip-was-imported', 'w')")
    environment = {
        "HOME": str(tmp_path / "home"),
        "PATH": str(tmp_path / "bin"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    before = sorted(tmp_path.rglob("*"))
    code, _ = examine(bare_python, "torch", path=path, cwd=tmp_path / "work", **environment)
    assert code == 1
    assert sorted(tmp_path.rglob("*")) == before


def test_the_text_is_for_people(bare_python, site: Path) -> None:
    package(site, "numpy", "", "2.3.0")
    package(site, "torch", "raise OSError('libfake.so')", "2.9.0")
    done = bare_python.run("-m", "rockpool", "doctor", path=site, check=False)
    assert (done.returncode, done.stderr) == (1, "")
    text = done.stdout
    for line in (
        f"rockpool  {rockpool.__version__}  ",
        "BACK-END       STATE    VERSION  NEEDS    WHERE, OR HOW TO GET IT\n",
        "numpy          works    2.3.0    >= 1.24  ",
        "torch          broken   2.9.0    >= 2.1   ",
        'scipy          missing  -        >= 1.10  pip install "scipy>=1.10"\n',
        "\nBroken\n  torch, cuda: importing torch 2.9.0",
        "      OSError: libfake.so\n",
        '    to mend it:  pip install --force-reinstall "torch>=2.1"\n',
        "\n1 of 12 back-ends can be used: 1 broken.\n",
    ):
        assert line in text


def test_it_imports_no_backend_itself(full_python, site: Path) -> None:
    code = """
import sys
from rockpool.backends import kept_code
from rockpool.backends.doctor import diagnose
found = diagnose(["numpy", "scipy"])
print(found.is_well, sorted({"numpy", "scipy"} & set(sys.modules)))
"""
    assert full_python.python(code) == "True []"


def test_a_backend_of_another_package_is_examined_as_it_is_registered(
    bare_python, tmp_path: Path
) -> None:
    little_package.write(tmp_path, backend=True)
    (tmp_path / "little" / "check.py").write_text("def no():\n    return False\n")
    code = """
import json, little.fake, little.check
from rockpool.utilities.backend_management import register_backend
from rockpool.backends import kept_code
from rockpool.backends.doctor import diagnose
from rockpool.backends.probe import probe_backend
def ask(**more):
    register_backend("fake", ["fake_backend"], **more)
    return [probe_backend("fake")["state"], diagnose(["fake"]).is_well]
print(ask(), ask(minimum="3"), ask(check=little.check.no), ask(check=False), ask(check=lambda: 1))
"""
    assert bare_python.python(code, path=tmp_path) == (
        "['available', True] ['outdated', False] ['unmet', False] ['unmet', False] "
        "['available', True]"
    )


def test_each_name_once_and_in_the_order_given(tmp_path: Path) -> None:
    found = diagnose(["torch_that_is_not", "json", "torch_that_is_not"])
    assert [row["name"] for row in found.backends] == ["torch_that_is_not", "json"]
