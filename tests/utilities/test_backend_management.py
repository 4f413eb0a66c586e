"""Questions about back-ends, asked in interpreters that have them and in ones that do not."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rockpool.backends.specs import REGISTERED
from rockpool.utilities import backend_management as management
from rockpool.utilities.backend_management import (
    backend_available,
    backend_status,
    check_backend,
    known_backends,
    list_backends,
    missing_backend_error,
    missing_backend_shim,
    refresh_backends,
    register_backend,
    torch_version_satisfied,
)

STANDARD = "numpy scipy numba torch jax brian nest sinabs sinabs-exodus triton nir cuda".split()


@pytest.fixture(autouse=True)
def _forget():
    refresh_backends()
    yield
    REGISTERED.clear()
    refresh_backends()


# --- with the real back-ends ------------------------------------------------------------------------


CPU_BACKENDS = [
    *("numpy", "scipy", "torch", "nest"),
    *(pytest.param(name, marks=pytest.mark.slow) for name in "numba jax brian sinabs nir".split()),
]


@pytest.mark.parametrize("name", CPU_BACKENDS)
def test_each_cpu_backend_is_available(name: str, full_python) -> None:
    """In a process of its own: importing NEST changes the process."""
    code = f"""
import warnings; warnings.simplefilter("ignore")
from rockpool.utilities.backend_management import backend_available, backend_status
print(backend_status({name!r}).state, backend_available({name!r}), backend_status({name!r}).state)
"""
    said = full_python.python(code, PYNEST_QUIET="1").splitlines()[-1]
    assert said == "installed True available"


def test_a_question_without_names_is_answered_yes() -> None:
    assert backend_available() is True


def test_all_of_several_backends_are_needed() -> None:
    assert backend_available("numpy", "scipy")
    assert not backend_available("numpy", "no_such_module_at_all")


def test_any_module_can_be_asked_for() -> None:
    assert backend_available("json", "xml.dom.minidom")
    assert not backend_available("json.no_such_module")


@pytest.mark.parametrize(("typo", "meant"), [("torhc", "torch"), ("bran", "brian")])
def test_a_misspelt_name_warns(typo: str, meant: str) -> None:
    with pytest.warns(UserWarning, match=f"did you mean '{meant}'") as caught:
        assert not backend_available(typo)
    assert caught[0].filename == __file__


def test_the_old_spellings_are_the_same_backend() -> None:
    assert backend_status("brian2").name == "brian"
    assert backend_status("sinabs.exodus").name == "sinabs-exodus"


@pytest.mark.parametrize("wrong", ["", 3, None])
def test_a_name_must_be_a_string(wrong: object) -> None:
    with pytest.raises(TypeError, match="non-empty str"):
        backend_available(wrong)  # type: ignore[arg-type]


def test_without_cuda_its_check_says_no_or_yes_as_torch_does() -> None:
    import torch

    assert backend_available("cuda") == torch.cuda.is_available()
    if not torch.cuda.is_available():
        status = backend_status("cuda")
        assert status.state == "unmet"
        assert "CUDA device" in status.reason


# --- looking imports nothing ------------------------------------------------------------------------


def test_looking_and_listing_import_no_backend(full_python) -> None:
    code = """
import sys
from rockpool.utilities.backend_management import backend_status, known_backends, list_backends
for name in known_backends(): assert backend_status(name).name == name
list_backends()
print(sorted({"numpy", "scipy", "numba", "torch", "jax", "brian2", "nest", "sinabs", "nir",
              "triton", "samna", "importlib.metadata"} & set(sys.modules)))
"""
    said = full_python.python(code).splitlines()
    assert said[-1] == "[]"
    assert [line.split()[0] for line in said[:-1]] == STANDARD


def test_versions_are_read_without_an_import(full_python) -> None:
    code = """
from rockpool.utilities.backend_management import backend_status
for name in "numpy torch jax brian nest nir".split(): print(backend_status(name).version)
"""
    from importlib.metadata import version

    expected = [version(d) for d in "numpy torch jax brian2 nest-simulator nir".split()]
    assert full_python.python(code).splitlines() == expected


def test_samna_is_never_imported(bare_python, tmp_path: Path) -> None:
    (tmp_path / "samna").mkdir()
    (tmp_path / "samna" / "__init__.py").write_text("print('imported')")
    code = """
from rockpool.utilities.backend_management import *
print(backend_available("samna"), check_samna_available(), backend_status("samna").state)
"""
    assert bare_python.python(code, path=tmp_path) == "False False unmet"


def test_a_fresh_interpreter_on_every_python(any_bare_python) -> None:
    code = """
from rockpool.utilities.backend_management import backend_available, backend_status
print(backend_available("torch"), backend_status("torch").state, backend_available("json"))
"""
    assert any_bare_python.python(code) == "False missing True"


# --- registering ------------------------------------------------------------------------------------


def test_check_backend_registers() -> None:
    assert check_backend("my-backend", ["json", "csv"])
    assert backend_available("my-backend")
    assert known_backends()[-1] == "my-backend"


def test_a_flag_of_false_is_false_and_spoils_nothing() -> None:
    assert not check_backend("my-backend", ["json"], check_flag=False)
    assert not backend_available("my-backend")
    assert check_backend("my-backend", ["json"], check_flag=True)
    assert backend_available("my-backend")


def test_a_check_is_called_only_when_the_modules_are_there() -> None:
    calls = []

    def check() -> bool:
        calls.append("json" in sys.modules)
        return True

    assert not check_backend("my-backend", ["no_such_module_at_all"], check)
    assert calls == []
    assert check_backend("my-backend", ["json"], check)
    assert calls == [True]


def test_a_check_that_raises_is_kept() -> None:
    def check() -> bool:
        raise RuntimeError("driver too old")

    assert not check_backend("my-backend", ["json"], check)
    status = backend_status("my-backend")
    assert status.state == "unmet"
    assert "driver too old" in status.reason
    assert isinstance(status.error, RuntimeError)


def test_a_standard_backend_keeps_its_definition() -> None:
    assert not check_backend("numpy", check_flag=False)
    assert not check_backend("numpy", ["no_such_module_at_all"])
    assert check_backend("numpy")
    assert backend_available("numpy")
    with pytest.raises(ValueError, match="standard back-end"):
        register_backend("torch", ["json"])


def test_a_registered_backend_may_ask_for_a_version_and_name_its_extra() -> None:
    register_backend("json-backend", ["json"], minimum="99", extra='"mine[json]"')
    status = backend_status("json-backend", probe=True)
    assert (status.state, status.install) == ("outdated", 'pip install --upgrade "mine[json]"')
    register_backend("json-backend", ["no_such_module_at_all"], extra="mine[json]")
    assert backend_status("json-backend").install == 'pip install "mine[json]"'
    with pytest.raises(ValueError, match="minimum"):
        register_backend("json-backend", ["json"], minimum="new")


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"name": 3}, TypeError, "name must be a non-empty str, got 3"),
        ({"name": []}, TypeError, r"name must be a non-empty str, got \[\]"),
        ({"name": ""}, TypeError, "name must be a non-empty str, got ''"),
        ({"name": "brian2"}, ValueError, "name 'brian2' is a standard back-end"),
        ({"required_modules": 3}, TypeError, "required_modules must be names of modules, got 3"),
        (
            {"required_modules": ["json", 1]},
            TypeError,
            r"required_modules must be names of modules, got \['json', 1\]",
        ),
        (
            {"required_modules": []},
            ValueError,
            r"required_modules must name at least one module, got \[\]",
        ),
        ({"extra": 3}, TypeError, "extra must be a str or None, got 3"),
        ({"minimum": 1.1}, TypeError, "minimum must be a str like '1.4' or None, got 1.1"),
        ({"minimum": "new"}, ValueError, "minimum must be a version like '1.4', got 'new'"),
        ({"check": 3}, TypeError, "check must be a bool or callable, got 3"),
        ({"check": None}, TypeError, "check must be a bool or callable, got None"),
    ],
)
def test_what_cannot_be_registered(arguments: Any, error: type[Exception], message: str) -> None:
    before = known_backends()
    with pytest.raises(error, match=f"^register_backend: {message}"):
        register_backend(**{"name": "odd-backend", **arguments})
    assert known_backends() == before


def test_a_bool_of_numpy_is_a_check() -> None:
    register_backend("numpy-says-no", ["json"], check=np.bool_(False))
    assert backend_status("numpy-says-no", probe=True).state == "unmet"


# --- answers and time -------------------------------------------------------------------------------


def test_a_module_that_appears_is_seen_without_a_refresh(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    assert not backend_available("appearing_backend")
    (tmp_path / "appearing_backend").mkdir()
    (tmp_path / "appearing_backend" / "__init__.py").write_text("raise OSError('no driver')")
    assert backend_status("appearing_backend", probe=True).state == "broken"
    (tmp_path / "appearing_backend" / "__init__.py").write_text("__version__ = '3.1'")
    assert backend_available("appearing_backend")
    assert backend_status("appearing_backend").version == "3.1"


def test_a_positive_answer_is_kept_until_refreshed(tmp_path: Path, monkeypatch) -> None:
    counted = []

    def check() -> bool:
        counted.append(1)
        return True

    register_backend("counted", ["json"], check=check)
    assert backend_available("counted", "counted")
    assert backend_available("counted")
    assert len(counted) == 1
    refresh_backends()
    assert backend_available("counted")
    assert len(counted) == 2


def test_sixteen_threads_import_once_and_agree(bare_python, tmp_path: Path) -> None:
    package = tmp_path / "slow_backend"
    package.mkdir()
    (package / "__init__.py").write_text(
        "import time, sys\ntime.sleep(0.2)\nprint('imported')\nready = True\n"
    )
    code = """
import threading
from rockpool.utilities.backend_management import backend_available
barrier = threading.Barrier(16)
said = []
def ask():
    barrier.wait()
    said.append(backend_available("slow_backend"))
threads = [threading.Thread(target=ask) for _ in range(16)]
[t.start() for t in threads]; [t.join() for t in threads]
print(said == [True] * 16)
"""
    assert bare_python.python(code, path=tmp_path).splitlines() == ["imported", "True"]


def test_ctrl_c_during_an_import_passes(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "interrupted_backend.py").write_text("raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        backend_available("interrupted_backend")


def test_an_exit_at_import_does_not_end_the_program(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "exiting_backend.py").write_text("import sys; sys.exit(3)")
    assert not backend_available("exiting_backend")
    assert isinstance(backend_status("exiting_backend").error, SystemExit)


def test_the_kept_error_shows_the_backends_frames_only(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "raising_backend.py").write_text("def f():\n    1 / 0\nf()\n")
    error = backend_status("raising_backend", probe=True).error
    frames = []
    trace = error.__traceback__
    while trace is not None:
        frames.append(trace.tb_frame.f_code.co_filename)
        trace = trace.tb_next
    assert frames == [str(tmp_path / "raising_backend.py")] * 2


# --- torch's version --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "wanted", "satisfied"),
    [
        ("2.13.0+cpu", (2, 13, 0), True),
        ("2.13.0+cpu", (2, 13, 1), False),
        ("2.13.0+cpu", (3,), False),
        ("2.13", (2, 13), True),
        ("2.13", (2, 13, 1), False),
        ("2.4.0a0+git1", (2, 3, 9), True),
        ("2.4.0a0+git1", (2, 4, 0), False),
        ("2.6.0.dev20240914", (2, 5), True),
        ("2.4.0.post2", (2, 4, 0), True),
        ("2.4.0", (), True),
    ],
)
def test_torch_versions(
    version: str, wanted: tuple[int, ...], satisfied: bool, bare_python, tmp_path: Path
) -> None:
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").write_text(f"__version__ = {version!r}")
    code = (
        "from rockpool.utilities.backend_management import torch_version_satisfied as f\n"
        f"print(f(*{wanted!r}))"
    )
    assert bare_python.python(code, path=tmp_path) == str(satisfied)


def test_torch_version_without_torch(bare_python) -> None:
    code = (
        "from rockpool.utilities.backend_management import torch_version_satisfied as f; print(f())"
    )
    assert bare_python.python(code) == "False"
    assert torch_version_satisfied(2)


# --- what is built on it ----------------------------------------------------------------------------


def test_the_shim_of_a_backend_of_ones_own() -> None:
    Spikes = missing_backend_shim("Spikes", "no_such_backend")
    with pytest.raises(ModuleNotFoundError) as caught:
        Spikes(3, tau=2)
    assert str(caught.value) == (
        "Missing the `no_such_backend` backend. `Spikes` objects, and others relying on "
        "`no_such_backend` are not available."
    )
    assert caught.value.name == "no_such_backend"
    assert Spikes.__module__ == __name__
    with pytest.raises(ModuleNotFoundError, match="`Other` objects"):
        missing_backend_error("Other", "no_such_backend")()


def test_the_listing_tells_what_to_install(capsys) -> None:
    register_backend("lacking", ["no_such_module_at_all"], extra="lacking-package")
    assert list_backends() is None
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1].split() == ["lacking", "missing", "-", "pip", "install", "lacking-package"]


def test_the_listing_does_not_promise_what_only_a_check_can_tell(full_python) -> None:
    code = """
from rockpool.utilities.backend_management import backend_status, list_backends
list_backends()
print(backend_status("cuda").reason)
"""
    said = full_python.python(code).splitlines()
    states = {line.split("  ")[0]: line for line in said}
    assert " not checked " in states["cuda"]
    assert " installed " in states["torch"]
    assert said[-1] == (
        "found, not imported yet; whether there is a CUDA device is known only then"
    )


def test_the_record_is_data() -> None:
    record = backend_status("no_such_module_at_all").to_dict()
    assert record["state"] == "missing"
    assert set(record) == {"name", "state", "version", "reason", "error", "install"}


def test_importing_the_module_needs_the_standard_library_only() -> None:
    code = """
import sys
sys.path = [p for p in sys.path if "site-packages" not in p] + [{!r}]
sys.modules["lazy_loader"] = None
import importlib.util, types
for name in ("rockpool", "rockpool.utilities"):
    package = types.ModuleType(name); package.__path__ = [{!r} + "/" + name.replace(".", "/")]
    sys.modules[name] = package
import rockpool.utilities.backend_management as management
print(management.backend_available("json"))
"""
    root = str(Path(management.__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-S", "-c", code.format(root, root)], capture_output=True, text=True
    )
    assert done.stdout.strip() == "True", done.stderr


def test_questions_from_threads_while_refreshing() -> None:
    stop = threading.Event()
    wrong = []

    def ask() -> None:
        while not stop.is_set():
            if not backend_available("json"):
                wrong.append(1)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(200):
        refresh_backends()
    stop.set()
    for thread in threads:
        thread.join()
    assert wrong == []
