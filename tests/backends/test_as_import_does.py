"""What is said of a back-end agrees with what its import does, whatever the import system holds."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from unittest.mock import MagicMock

import pytest

from rockpool.backends.specs import REGISTERED
from rockpool.utilities.backend_management import (
    backend_available,
    backend_status,
    refresh_backends,
    register_backend,
)


@pytest.fixture(autouse=True)
def _forget():
    refresh_backends()
    loaded = set(sys.modules)
    yield
    for name in set(sys.modules) - loaded:
        del sys.modules[name]
    REGISTERED.clear()
    refresh_backends()


@pytest.fixture
def path(tmp_path: Path, monkeypatch) -> Path:
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def write(path: Path, module: str, text: str = "") -> None:
    (path / module).mkdir(parents=True)
    (path / module / "__init__.py").write_text(text)


def odd_spec() -> ModuleType:
    module = ModuleType("by_hand")
    module.__spec__ = 5  # type: ignore[assignment]
    return module


# --- what is in `sys.modules` -----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["by_hand", "torch", "nest"])
@pytest.mark.parametrize(
    "make", [lambda: ModuleType("x"), MagicMock, odd_spec], ids=["module", "mock", "odd spec"]
)
def test_a_module_that_was_put_there_by_hand_is_there(name: str, make, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, name, make())
    assert backend_status(name).state == "installed"
    assert backend_available(name)
    assert backend_status(name).state == "available"


def test_a_submodule_that_its_package_makes_is_there(path: Path) -> None:
    write(
        path,
        "maker",
        "import sys, types\nsys.modules['maker.made'] = types.ModuleType('maker.made')",
    )
    assert backend_available("maker.made")
    assert not backend_available("maker.other")
    assert backend_status("maker.other").state == "missing"


def test_a_face_of_a_submodule_that_its_package_makes(path: Path) -> None:
    write(
        path,
        "maker2",
        "import sys, types\nsys.modules['maker2.made'] = types.ModuleType('maker2.made')",
    )
    write(
        path,
        "face_of_made",
        "from rockpool.utilities.lazy_loading import attach\n"
        "__getattr__, __dir__, __all__ = attach(__name__, __file__, backend='maker2.made')",
    )
    (path / "face_of_made" / "__init__.pyi").write_text("from .file import Made as Made\n")
    (path / "face_of_made" / "file.py").write_text("import maker2.made\nclass Made: pass\n")
    import face_of_made  # type: ignore[import-not-found]

    assert type(face_of_made.Made()).__module__ == "face_of_made.file"


def test_a_submodule_on_a_path_that_its_package_has_changed(path: Path) -> None:
    write(path, "wanderer", f"__path__ = [{str(path / 'elsewhere')!r}]")
    (path / "elsewhere").mkdir()
    (path / "elsewhere" / "part.py").write_text("")
    assert backend_available("wanderer.part")


def test_a_question_during_an_import_that_fails_then_spoils_nothing(path: Path) -> None:
    write(
        path,
        "asks_and_fails",
        "from rockpool.utilities.backend_management import backend_available\n"
        "backend_available('asks_and_fails')\nraise OSError('no driver')",
    )
    with pytest.raises(OSError, match="no driver"):
        __import__("asks_and_fails")
    assert not backend_available("asks_and_fails")
    assert backend_status("asks_and_fails").state == "broken"


# --- versions ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "is_enough"),
    [
        ("1.9", False),
        ("2.0", True),
        ("unknown", True),
        ("0+unknown", True),
        ("1!0.5", True),
        ("0!1.9", False),
        ("9" * 5000, True),
    ],
    ids=lambda value: str(value)[:12],
)
def test_versions_of_every_kind(version: str, is_enough: bool, path: Path) -> None:
    write(path, "versioned", f"__version__ = {version!r}")
    register_backend("versioned", minimum="2.0")
    assert backend_available("versioned") == is_enough
    assert backend_status("versioned").state == ("available" if is_enough else "outdated")


@pytest.mark.parametrize("loaded", ["1.0", "3.0"])
def test_of_two_records_the_module_tells_which_one_counts(loaded: str, path: Path) -> None:
    write(path, "twice", f"__version__ = {loaded!r}")
    for version in ("1.0", "3.0"):
        (path / f"twice-{version}.dist-info").mkdir()
    register_backend("twice", minimum="2.0")
    looked = backend_status("twice")
    assert (looked.state, looked.version) == ("installed", None)
    assert backend_available("twice") == (loaded == "3.0")
    assert backend_status("twice").version == loaded


def test_the_record_beside_the_module_counts_before_those_of_other_folders(
    path: Path, monkeypatch
) -> None:
    write(path, "recorded")
    (path / "recorded-3.0.dist-info").mkdir()
    (path / "first" / "recorded-1.0.dist-info").mkdir(parents=True)
    monkeypatch.syspath_prepend(path / "first")
    register_backend("recorded", minimum="2.0")
    assert backend_status("recorded").version == "3.0"
    assert backend_available("recorded")


# --- another package of the same name ---------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "__version__ = '9.0'"], ids=["bare", "with a version"])
@pytest.mark.parametrize("name", "numba torch jax brian2 nest sinabs".split())
def test_another_package_of_the_same_name_is_in_the_way(
    name: str, text: str, bare_python, tmp_path: Path
) -> None:
    write(tmp_path, name, text)
    write(tmp_path, "jaxlib")
    (tmp_path / "nest-9.0.dist-info").mkdir()  # that of NEST is nest_simulator
    code = f"""
from rockpool.utilities.backend_management import backend_available, backend_status
print(backend_available({name!r}), backend_status({name!r}).state, backend_status({name!r}).reason)
"""
    said = bare_python.python(code, path=tmp_path)
    assert said.startswith("False shadowed ")
    assert f"{name}/__init__.py is another package called {name!r}" in said


def test_in_the_folder_of_the_modules_their_packages_are_not_taken_for_backends(
    numpy_python,
) -> None:
    code = """
import rockpool.nn.modules as modules
print(modules.LIF(2))
try: modules.LIFTorch(2)
except ModuleNotFoundError as error: print(error, error.__notes__[0])
"""
    import rockpool

    folder = Path(rockpool.__file__).parent / "nn" / "modules"
    said = numpy_python.run("-c", code, cwd=folder).stdout.splitlines()
    assert said[0].startswith("LIF ")
    assert said[1].startswith("Missing the `torch` backend. `LIFTorch` objects")
    assert "`torch` back-end is shadowed" in said[1]


# --- the finders ------------------------------------------------------------------------------------


class _NoDefault:
    """A finder of the form that the documentation of `importlib` shows."""

    def find_spec(self, fullname, path, target):  # type: ignore[no-untyped-def]
        return None


class _Raising:
    def find_spec(self, fullname, path=None, target=None):  # type: ignore[no-untyped-def]
        if fullname.startswith("looked_for"):
            raise RuntimeError("no network")
        return None


def test_a_finder_without_defaults_is_asked_as_imports_ask(path: Path, monkeypatch) -> None:
    write(path, "behind_a_finder")
    monkeypatch.setattr(sys, "meta_path", [_NoDefault(), *sys.meta_path])
    assert backend_status("behind_a_finder").state == "installed"
    assert backend_available("behind_a_finder")


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="Python 3.12 has done away with them")
@pytest.mark.filterwarnings("ignore::ImportWarning")
def test_a_finder_of_the_old_form_finds_what_it_imports(monkeypatch) -> None:
    class Old:
        def find_module(self, fullname, path=None):  # type: ignore[no-untyped-def]
            return self if fullname == "found_the_old_way" else None

        def load_module(self, fullname):  # type: ignore[no-untyped-def]
            return sys.modules.setdefault(fullname, ModuleType(fullname))

    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Old()])
    assert backend_status("found_the_old_way").state == "installed"
    assert backend_available("found_the_old_way")


def test_a_finder_that_raises_makes_a_backend_broken(monkeypatch) -> None:
    monkeypatch.setattr(sys, "meta_path", [_Raising(), *sys.meta_path])
    assert not backend_available("looked_for_in_vain")
    status = backend_status("looked_for_in_vain")
    assert (status.state, "no network" in status.reason) == ("broken", True)
    assert backend_status("json").state == "installed"


@pytest.mark.parametrize("entry", ["b'/nowhere'", "Path('/nowhere')", "None", "3", "['list']"])
def test_odd_entries_of_the_path_are_passed_over(entry: str, full_python, tmp_path: Path) -> None:
    """In a process of its own: what measures coverage here stumbles over such entries."""
    write(tmp_path, "on_the_path")
    code = f"""
import sys
from pathlib import Path
from rockpool.utilities.backend_management import backend_available, backend_status
sys.path[:0] = [{entry}]
print(backend_available("on_the_path"), backend_available("not_on_the_path"))
print(bool(backend_status("torch").version))
"""
    assert full_python.python(code, path=tmp_path).split() == ["True", "False", "True"]


# --- errors of every kind ---------------------------------------------------------------------------

ODD_ERRORS = {
    "text raises": "class E(Exception):\n    def __str__(self): raise ValueError\nraise E",
    "text is no string": "class E(Exception):\n    def __str__(self): return 3\nraise E",
    "with_traceback raises": "class E(Exception):\n    def with_traceback(self, tb): 1 / 0\nraise E",
    "BaseException": "class PanicException(BaseException): pass\nraise PanicException('panicked')",
    "name is no string": "raise ModuleNotFoundError('x', name=3)",
    "name raises": "class E(ModuleNotFoundError):\n    @property\n    def name(self): 1 / 0\nraise E",
    "spec is odd": "__spec__.origin = 3; raise ImportError('odd')",
    "GeneratorExit": "raise GeneratorExit",
}


@pytest.mark.parametrize("text", ODD_ERRORS.values(), ids=ODD_ERRORS)
def test_an_odd_error_makes_a_backend_broken(text: str, path: Path) -> None:
    write(path, "odd", text)
    assert not backend_available("odd")
    status = backend_status("odd")
    assert status.state == "broken"
    assert all(isinstance(value, str | None) for value in status.to_dict().values())


@pytest.mark.parametrize("text", ODD_ERRORS.values(), ids=ODD_ERRORS)
def test_a_standin_says_so_after_an_odd_error(text: str, bare_python, tmp_path: Path) -> None:
    write(tmp_path, "torch", text)
    write(tmp_path, "numpy")
    code = """
import rockpool.nn.modules as modules
try: modules.TorchModule()
except ModuleNotFoundError as error: print(error)
"""
    said = bare_python.python(code, path=tmp_path)
    assert said.startswith("Missing the `torch` backend. `TorchModule` objects")


@pytest.mark.parametrize("text", ["__spec__ = 5", "__spec__.submodule_search_locations = 5"])
def test_an_odd_spec_is_no_error(text: str, path: Path) -> None:
    write(path, "odd_spec_of_its_own", text)
    assert backend_available("odd_spec_of_its_own")
    refresh_backends()
    assert backend_status("odd_spec_of_its_own").name == "odd_spec_of_its_own"


@pytest.mark.parametrize("name", ["..", ".x", "a..b", "a.", " ", "\0", "a/b", "\ud800"], ids=ascii)
def test_a_name_that_can_be_no_module_is_not_there(name: str) -> None:
    assert not backend_available(name)
    assert backend_status(name).state in ("missing", "broken")


def test_a_part_that_a_backend_lacks_is_not_blamed_on_one_that_is_built_on_it(
    numpy_python, tmp_path
) -> None:
    """sinabs needs torch and is missing: but what is wrong here is this torch, which has no `nn`."""
    (tmp_path / "torch").mkdir()
    text = "__version__ = '2.9.0'\nclass Tensor: pass\n"
    (tmp_path / "torch" / "__init__.py").write_text(text)
    code = """
import rockpool.nn.modules
try:
    rockpool.nn.modules.RateTorch
except ModuleNotFoundError as error:
    print(error)
"""
    assert numpy_python.python(code, path=tmp_path) == "No module named 'torch.nn'"
