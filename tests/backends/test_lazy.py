"""Faces of packages: names from a stub, resolved at first use, with stand-ins for what is missing."""

from __future__ import annotations

import importlib
import zipfile
from pathlib import Path

import lazy_loader
import pytest
from support import little_package

import rockpool
from rockpool.utilities import lazy_loading

PACKAGES = sorted(
    str(stub.parent.relative_to(Path(rockpool.__file__).parents[1])).replace("/", ".")
    for stub in Path(rockpool.__file__).parent.rglob("__init__.pyi")
)


@pytest.fixture
def without(tmp_path: Path) -> Path:
    """The little package, without its back-end."""
    return little_package.write(tmp_path)


@pytest.fixture
def with_backend(tmp_path: Path) -> Path:
    """The little package and its back-end."""
    return little_package.write(tmp_path, backend=True)


# --- the stub ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("package", PACKAGES)
def test_lazy_loader_reads_our_stubs_as_we_do(package: str) -> None:
    file = Path(rockpool.__file__).parents[1] / package.replace(".", "/") / "__init__.py"
    ours = importlib.import_module(package).__all__
    *_, theirs = lazy_loader.attach_stub(package, str(file))
    assert sorted(ours) == sorted(theirs)


@pytest.mark.parametrize("package", PACKAGES)
def test_a_stub_has_one_name_a_line(package: str) -> None:
    stub = Path(rockpool.__file__).parents[1] / package.replace(".", "/") / "__init__.pyi"
    names = []
    for line in stub.read_text().splitlines():
        if line and not line.startswith(("#", '"""')):
            head, _, tail = line.partition("#")[0].strip().partition(" import ")
            name, _, alias = tail.partition(" as ")
            assert head.startswith("from .") and name == alias, line
            names.append(name)
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    "line",
    [
        "from .module import Name",
        "from .module import Name as Other",
        "from ..module import Name as Name",
        "from os import path as path",
        "from .module import *",
    ],
)
def test_a_malformed_line_is_refused(line: str, bare_python, tmp_path: Path) -> None:
    little_package.write(tmp_path)
    (tmp_path / "little" / "__init__.pyi").write_text(line + "\n")
    done = bare_python.run("-c", "import little", path=tmp_path, check=False)
    assert "ValueError" in done.stderr
    assert repr(line) in done.stderr


def test_a_missing_stub_is_named(bare_python, tmp_path: Path) -> None:
    little_package.write(tmp_path)
    (tmp_path / "little" / "__init__.pyi").unlink()
    done = bare_python.run("-c", "import little", path=tmp_path, check=False)
    assert "FileNotFoundError: little: there is no stub" in done.stderr


# --- names ------------------------------------------------------------------------------------------

LISTED = ["Lazy", "Other", "helper", "late", "plain"]


@pytest.mark.parametrize("backend", [False, True])
def test_the_list_is_the_same_with_and_without_the_backend(
    backend: bool, any_bare_python, tmp_path: Path
) -> None:
    little_package.write(tmp_path, backend=backend)
    code = """
import sys, little
assert dir(little) == little.__all__
print(*little.__all__)
[getattr(little, name) for name in little.__all__]
assert dir(little) == little.__all__ == sorted(little.__all__)
print("fake_backend" in sys.modules)
"""
    listed, loaded = any_bare_python.python(code, path=tmp_path).splitlines()
    assert listed.split() == LISTED
    assert loaded == str(backend)


def test_names_resolve_to_the_real_things(bare_python, with_backend: Path) -> None:
    code = """
import sys, little
from little import Lazy, late, helper, plain
assert "Lazy" in vars(little) and "Lazy" in vars(little.fake)
print(Lazy((3,)).evolve(), late(4), helper(), plain.x, Lazy.__module__)
"""
    assert bare_python.python(code, path=with_backend) == "(3,) 8 helped 1 little.fake.lazy"


def test_a_standin_is_one_object_and_is_kept_in_no_namespace(bare_python, without: Path) -> None:
    code = """
import little
from little import Lazy
from little.fake import Lazy as Again
assert Lazy is Again is little.Lazy is little.fake.Lazy
print("Lazy" in vars(little), "Lazy" in vars(little.fake))
"""
    assert bare_python.python(code, path=without) == "False False"


def test_one_line_may_need_another_backend(bare_python, with_backend: Path) -> None:
    code = """
import little
try: little.Other()
except ModuleNotFoundError as error: print(error)
"""
    assert "Missing the `other_backend` backend. `Other`" in bare_python.python(
        code, path=with_backend
    )


def test_an_unknown_name_is_worded_as_python_does(bare_python, without: Path) -> None:
    code = """
import little
try: little.Lazzy
except AttributeError as error: print(error, "|", error.name)
try: from little import Lazzy
except ImportError as error: print(type(error).__name__)
"""
    said = bare_python.python(code, path=without).splitlines()
    assert said == ["module 'little' has no attribute 'Lazzy' | Lazzy", "ImportError"]


def test_files_named_in_a_stub_are_reachable_as_attributes(bare_python, with_backend: Path) -> None:
    code = "import little; print(little.fake.lazy.late(1), little.helper())"
    assert bare_python.python(code, path=with_backend) == "2 helped"


def test_a_star_import_binds_what_is_advertised(bare_python, without: Path) -> None:
    code = """
before = set(globals()) | {"before"}
from little import *
print(*sorted(set(globals()) - before))
"""
    assert bare_python.python(code, path=without).split() == LISTED


def test_advertised_tells_where_names_come_from(bare_python, without: Path) -> None:
    code = """
from rockpool.utilities.lazy_loading import advertised
for name, where in advertised("little").items(): print(name, *where)
"""
    assert bare_python.python(code, path=without).splitlines() == [
        "Lazy little.fake.lazy fake",
        "Other little.fake.other other_backend",
        "late little.fake.lazy fake",
        "helper little.helper None",
    ]


# --- faults of our own ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("import fake_backend\n1 / 0", "ZeroDivisionError: division by zero"),
        ("import fake_backend\nfake_backend.gone", "ImportError: cannot load 'Lazy'"),
        ("from fake_backend import gone", "ImportError: cannot import name 'gone'"),
        ("import a_module_of_ours_that_is_gone", "ModuleNotFoundError: No module named 'a_module"),
        ("x = 1", "ImportError: cannot load 'Lazy' from 'little.fake.lazy'"),
    ],
)
def test_a_bug_in_a_module_is_no_missing_backend(
    text: str, error: str, bare_python, with_backend: Path
) -> None:
    (with_backend / "little" / "fake" / "lazy.py").write_text(text)
    done = bare_python.run("-c", "from little import Lazy", path=with_backend, check=False)
    assert error in done.stderr
    assert "Missing the" not in done.stderr


def test_eager_import_resolves_everything(bare_python, without: Path) -> None:
    code = "import little, sys; print('little.fake' in sys.modules, little.Lazy.__name__)"
    assert bare_python.python(code, path=without, EAGER_IMPORT="1") == "True Lazy"
    assert bare_python.python(code, path=without, EAGER_IMPORT="0") == "False Lazy"


def test_eager_import_finds_a_name_that_does_not_exist(bare_python, with_backend: Path) -> None:
    stub = with_backend / "little" / "fake" / "__init__.pyi"
    stub.write_text(stub.read_text() + "from .lazy import Gone as Gone\n")
    done = bare_python.run("-c", "import little", path=with_backend, EAGER_IMPORT="1", check=False)
    assert "cannot load 'Gone' from 'little.fake.lazy'" in done.stderr


# --- ways of importing ------------------------------------------------------------------------------


def test_from_a_zip_file(any_bare_python, tmp_path: Path) -> None:
    little_package.write(tmp_path / "source", backend=True)
    root = Path(rockpool.__file__).parent
    archive = tmp_path / "all.zip"
    with zipfile.ZipFile(archive, "w") as bundle:
        for file in (tmp_path / "source").rglob("*.py*"):
            bundle.write(file, file.relative_to(tmp_path / "source"))
        for file in root.rglob("*.py*"):
            if "__pycache__" not in file.parts:
                bundle.write(file, file.relative_to(root.parent))
    code = """
import sys, rockpool.nn.modules, little
assert ".zip" in rockpool.__file__
print(little.Lazy((2,)).evolve(), rockpool.nn.modules.RateTorch.__name__, rockpool.__version__)
"""
    said = any_bare_python.python(code, path=archive)
    assert said == f"(2,) RateTorch {rockpool.__version__}"


def test_reloading_and_importing_again(bare_python, with_backend: Path) -> None:
    code = """
import importlib, little
first = little.Lazy
importlib.reload(little)
assert little.Lazy is first
importlib.reload(little.fake)
import little as again
assert again.Lazy is first and dir(again) == little.__all__
print("ok")
"""
    assert bare_python.python(code, path=with_backend) == "ok"


@pytest.mark.parametrize("backend", [False, True])
def test_sixteen_threads_race_for_a_name(backend: bool, any_bare_python, tmp_path: Path) -> None:
    little_package.write(tmp_path, backend=backend)
    code = """
import sys, threading
sys.setswitchinterval(1e-6)
import little
barrier = threading.Barrier(16)
found = []
def get():
    barrier.wait()
    found.append((little.Lazy, little.fake.Lazy))
threads = [threading.Thread(target=get) for _ in range(16)]
[t.start() for t in threads]; [t.join() for t in threads]
print(len(found), len({id(c) for pair in found for c in pair}))
"""
    assert any_bare_python.python(code, path=tmp_path) == "16 1"


def test_what_a_new_user_of_attach_reads() -> None:
    assert "Parameters" in (lazy_loading.attach.__doc__ or "")


# --- loaders and places ------------------------------------------------------------------------------


def test_a_stub_that_is_not_there_is_told_with_what_frozen_programs_need(tmp_path: Path) -> None:
    (tmp_path / "stubless").mkdir()
    with pytest.raises(
        FileNotFoundError, match=r"there is no stub .*cx_Freeze.*Nuitka.*README"
    ) as seen:
        lazy_loading.attach("stubless", str(tmp_path / "stubless" / "__init__.py"))
    assert 'include_files=[(FOLDER, "lib/stubless")]' in str(seen.value)
    assert "--include-data-files=FOLDER/=stubless/=**/*.pyi" in str(seen.value)


def test_a_package_that_is_loaded_by_its_path_alone_finds_its_stub(bare_python, without) -> None:
    """It is not in `sys.modules` while its code runs, and its loader may read no files."""
    code = f"""
import importlib.util, sys
place = {str(without)!r} + "/little"
class Loader:
    def create_module(self, spec): return None
    def exec_module(self, module): exec(open(module.__file__).read(), vars(module))
for loader in (None, Loader()):
    spec = importlib.util.spec_from_file_location(
        "little", place + "/__init__.py", loader=loader, submodule_search_locations=[place])
    for is_listed in (False, True):
        module = importlib.util.module_from_spec(spec)
        if is_listed: sys.modules["little"] = module
        spec.loader.exec_module(module)
        print(module.__all__)
        sys.modules["little"] = module
        print(module.helper(), module.Lazy.__name__, dir(module) == module.__all__)
        for name in [name for name in sys.modules if name.startswith("little")]: del sys.modules[name]
"""
    said = bare_python.python(code).splitlines()
    assert said[1::2] == ["helped Lazy True"] * 4
    assert said[::2] == ["['Lazy', 'Other', 'helper', 'late', 'plain']"] * 4


@pytest.mark.parametrize(
    ("package", "name", "meant"),
    [
        ("rockpool.nn.modules", "Sequential", "rockpool.nn.combinators.Sequential"),
        ("rockpool.nn.modules", "LIFtorch", "rockpool.nn.modules.LIFTorch"),
        ("rockpool.nn.modules", "ALIFTorch", "rockpool.nn.modules.aLIFTorch"),
        ("rockpool.nn.modules", "TSEvent", "rockpool.TSEvent"),
        ("rockpool", "LIF", "rockpool.nn.modules.LIF"),
        ("rockpool.nn", "Sequental", "rockpool.nn.combinators.Sequential"),
        ("rockpool.nn.modules", "NothingLikeIt", ""),
    ],
)
def test_a_near_miss_is_told_what_is_meant(package: str, name: str, meant: str) -> None:
    with pytest.raises(AttributeError) as caught:
        getattr(importlib.import_module(package), name)
    assert str(caught.value) == f"module {package!r} has no attribute {name!r}"
    notes = getattr(caught.value, "__notes__", [])
    assert notes == ([f"Did you mean {meant}?"] if meant else [])


@pytest.mark.parametrize(
    ("package", "name", "meant"),
    [
        ("rockpool.nn.modules", "Sequential", "rockpool.nn.combinators.Sequential"),
        ("rockpool.nn.modules", "LIFtorch", "rockpool.nn.modules.LIFTorch"),
        ("rockpool.training", "torch_los", "rockpool.training.torch_loss"),
        ("rockpool.training", "spiking", "rockpool.training.init.spiking"),
        (
            "rockpool.transform",
            "global_quantise",
            "rockpool.transform.quantize_methods.global_quantize",
        ),
        ("rockpool.nn.modules", "NothingLikeIt", ""),
    ],
)
def test_so_is_an_import_of_a_near_miss(package: str, name: str, meant: str) -> None:
    with pytest.raises(ImportError) as caught:
        exec(f"from {package} import {name}", {})
    assert str(caught.value).startswith(f"cannot import name {name!r} from {package!r}")
    notes = getattr(caught.value, "__notes__", [])
    assert notes == ([f"Did you mean {meant}?"] if meant else [])
