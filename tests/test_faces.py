"""What the package shows of itself: what importing it loads, what is listed, and that each name works."""

from __future__ import annotations

import compileall
import json
import re
import shutil
from pathlib import Path

import pytest

import rockpool
from rockpool.backends.left_out import LEFT_OUT

ROOT = Path(rockpool.__file__).parent
PACKAGES = sorted(
    str(stub.parent.relative_to(ROOT.parent)).replace("/", ".")
    for stub in ROOT.rglob("__init__.pyi")
)
BACKENDS = "numpy scipy numba torch jax brian2 nest sinabs nir".split()

OURS = [
    "rockpool",
    "rockpool.backends",
    "rockpool.backends.lazy",
    "rockpool.nn",
    "rockpool.nn.modules",
]
LOADED = """
import sys
before = set(sys.modules)
{statement}
print(*sorted(set(sys.modules) - before))
"""


def loaded_by(python, statement: str, **options: object) -> set[str]:
    return set(python.python(LOADED.format(statement=statement), **options).split())


# --- what is loaded ---------------------------------------------------------------------------------


def test_importing_the_face_loads_our_packages_and_nothing_else(full_python) -> None:
    assert loaded_by(full_python, "import rockpool.nn.modules") == set(OURS)


def test_it_does_so_on_every_python(any_bare_python) -> None:
    assert loaded_by(any_bare_python, "import rockpool.nn.modules") == set(OURS)


def test_looking_a_name_up_loads_lazy_loader_and_the_standard_library(bare_python) -> None:
    loaded = loaded_by(bare_python, "from rockpool.nn.modules import LIF")
    assert "lazy_loader" in loaded
    heavy = {"typing", "dataclasses", "re", "enum", "ast", "inspect", "importlib.metadata"}
    assert not loaded & heavy


def test_what_tries_imports_is_loaded_when_one_is_tried(bare_python, full_python) -> None:
    """And the questions that users ask when they ask them: looking a name up does neither."""
    looking = {"specs", "finder", "status"}
    for python in (bare_python, full_python):
        loaded = loaded_by(python, "from rockpool.nn.modules import LIF")
        ours = {name.removeprefix("rockpool.backends.") for name in loaded}
        assert looking <= ours
        assert not ours & {"importing", "retry", "queries"}


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("RateTorch", {"torch", "numpy"}),
        ("LIF", {"numpy"}),
        ("Rate", {"numpy"}),
        ("ButterFilter", {"numpy", "scipy"}),
    ],
)
def test_a_class_loads_its_own_backend_and_no_other(
    name: str, allowed: set[str], full_python
) -> None:
    loaded = loaded_by(full_python, f"from rockpool.nn.modules import {name}")
    assert loaded & set(BACKENDS) == allowed


def test_without_torch_nothing_of_others_is_loaded(numpy_python) -> None:
    loaded = loaded_by(numpy_python, "from rockpool.nn.modules import RateTorch, LinearTorch")
    standard = set(numpy_python.python("import sys; print(*sys.stdlib_module_names)").split())
    foreign = {name.partition(".")[0] for name in loaded} - standard
    assert foreign == {"rockpool", "lazy_loader"}


# --- sub-packages and files -------------------------------------------------------------------------


def public_modules() -> list[str]:
    """Every module of the package but the command's and the machinery's, and those not for others."""
    files = [path.relative_to(ROOT.parent) for path in ROOT.rglob("*.py")]
    names = [str(path.with_suffix("")).replace("/", ".") for path in files]
    names = [name.removesuffix(".__init__") for name in names]
    inner = [n for n in names if n != "rockpool" and "._" not in n and n not in LEFT_OUT]
    return [name for name in inner if name.split(".")[1] not in ("backends", "cli")]


@pytest.mark.slow
def test_every_public_module_is_reached_by_its_name_whatever_was_imported_before(
    full_python,
) -> None:
    """Each in a process in which nothing else of the package is imported; the back-ends are."""
    code = f"""
import os, sys, rockpool, jax, numba, sinabs, torch
for name in {public_modules()!r}:
    child = os.fork()
    if not child:
        try:
            thing = rockpool
            for part in name.split(".")[1:]: thing = getattr(thing, part)
        except Exception as error:
            if "sinabs.exodus" not in str(error): print(name, repr(error), flush=True)
        os._exit(0)
    os.waitpid(child, 0)
"""
    assert full_python.python(code, PYNEST_QUIET="1") == ""


def test_without_numpy_what_needs_none_is_reached_and_taken_by_a_star(bare_python) -> None:
    code = """
from rockpool import *
from rockpool.utilities import *
from rockpool.training import *
import rockpool
print(data.__name__, training.ctc_loss.__name__, tree_utils.__name__)
for use in (lambda: rockpool.parameters.State, lambda: jax_tree_utils.tree_map_select):
    try: use()
    except ModuleNotFoundError as error: print(error)
"""
    assert bare_python.python(code).splitlines() == [
        "rockpool.data rockpool.training.ctc_loss rockpool.utilities.tree_utils",
        "Missing the `numpy` backend. `parameters` objects, and others relying on `numpy` are not available.",
        "Missing the `jax` backend. `jax_tree_utils` objects, and others relying on `jax` are not available.",
    ]


def test_stubs_name_the_backends_that_the_packages_name() -> None:
    for stub in ROOT.rglob("__init__.pyi"):
        in_code = re.findall(r'backend="([\w-]+)"', stub.with_suffix(".py").read_text())
        assert re.findall(r"^# backend: (\S+)$", stub.read_text(), re.M) == in_code, stub


def test_an_installation_without_sources_works(bare_python, numpy_python, tmp_path) -> None:
    shutil.copytree(ROOT, tmp_path / "rockpool", ignore=shutil.ignore_patterns("__pycache__"))
    compileall.compile_dir(tmp_path, quiet=2, legacy=True)
    for path in tmp_path.rglob("*.py"):
        path.unlink()
    for command in ("modules", "backends"):
        whole = bare_python.run("-m", "rockpool", command, "--json").stdout
        assert bare_python.run("-m", "rockpool", command, "--json", path=tmp_path).stdout == whole
    code = "from rockpool.nn.modules import LIF, LIFTorch; print(LIF(2)); help(LIFTorch)"
    assert numpy_python.python(code, path=tmp_path).startswith("LIF  with shape (2, 2)")


# --- what is listed ---------------------------------------------------------------------------------

LIST = """
import importlib, json
lists = {{}}
for package in {packages!r}:
    module = importlib.import_module(package)
    assert dir(module) == module.__all__, package
    lists[package] = dir(module)
print(json.dumps(lists))
"""


def test_the_lists_are_the_same_with_no_some_and_all_backends(
    any_bare_python, numpy_python, full_python
) -> None:
    code = LIST.format(packages=PACKAGES)
    bare, some, everything = (
        json.loads(python.python(code)) for python in (any_bare_python, numpy_python, full_python)
    )
    assert bare == some == everything
    assert "RateTorch" in bare["rockpool.nn.modules"]
    assert not {"torch", "jax", "np"} & set(bare["rockpool.nn.modules"])


# The back-ends' own packages, most of whose names are in rockpool.nn.modules as well.
EACH_PACKAGE = [
    pytest.param(name, marks=[pytest.mark.slow] if name.startswith("rockpool.nn.modules.") else [])
    for name in PACKAGES
]


@pytest.mark.parametrize("package", EACH_PACKAGE)
def test_every_advertised_name_exists(package: str, full_python) -> None:
    code = f"""
import importlib, warnings
warnings.simplefilter("ignore")
package = importlib.import_module({package!r})
for name in package.__all__:
    found = getattr(package, name)
    kind = type(found).__name__
    if kind == "StandIn": print(name, found._home.backend)
"""
    stand_ins = full_python.python(code, PYNEST_QUIET="1").splitlines()
    # the one back-end that no CPU can offer
    assert all(line.split()[1] == "sinabs-exodus" for line in stand_ins), stand_ins


NAMES = """
import importlib, json, sys
from rockpool.utilities.lazy_loading import advertised
found = {{}}
for package in {packages!r}:
    module = importlib.import_module(package)
    homes = advertised(package)
    for name in module.__all__:
        thing, (where, backend) = getattr(module, name), homes.get(name, (None, None))
        if backend is None:
            assert type(thing).__name__ != "StandIn", name
            continue
        assert thing.__name__ == name and thing.__module__ == where and isinstance(thing, type)
        try: thing()
        except ModuleNotFoundError as error: found[package + "." + name] = [backend, str(error)]
print(json.dumps(found))
"""


def test_without_any_backend_every_name_is_a_standin(any_bare_python) -> None:
    found = json.loads(any_bare_python.python(NAMES.format(packages=PACKAGES)))
    assert len(found) > 40
    for where, (backend, message) in found.items():
        name = where.rpartition(".")[2]
        assert message == (
            f"Missing the `{backend}` backend. `{name}` objects, and others relying on "
            f"`{backend}` are not available."
        )


def test_every_standin_has_help_and_a_signature(bare_python) -> None:
    code = f"""
import importlib, inspect, pydoc
from rockpool.utilities.lazy_loading import advertised
for package in {PACKAGES!r}:
    for name, (module, backend) in advertised(package).items():
        thing = getattr(importlib.import_module(package), name)
        if backend is not None:
            inspect.signature(thing)
            lines = inspect.getdoc(thing).splitlines()
            assert lines[0].startswith("Not available here"), name
            assert len(lines) > 2, name
print("ok")
"""
    assert bare_python.python(code) == "ok"


@pytest.mark.slow
def test_a_star_import_binds_classes_and_never_the_names_of_backends(full_python) -> None:
    code = """
import warnings; warnings.simplefilter("ignore")
before = set(globals()) | {"before"}
from rockpool.nn.modules import *
import rockpool.nn.modules
bound = set(globals()) - before - {"rockpool"}
print(sorted(bound) == rockpool.nn.modules.__all__, sorted(bound & {"torch", "jax", "numba", "nest"}))
"""
    assert full_python.python(code, PYNEST_QUIET="1").splitlines()[-1] == "True []"


def test_signatures_are_those_of_the_constructors(full_python) -> None:
    """Without a back-end (parsed) and with it (loaded), the same names in the same order."""
    code = """
import inspect, json, warnings
warnings.simplefilter("ignore")
from rockpool.utilities.lazy_loading import advertised
from rockpool.backends.source_help import signature
import rockpool.nn.modules as modules
wrong = []
for name, (module, backend) in advertised("rockpool.nn.modules").items():
    real = getattr(modules, name)
    if type(real).__name__ == "StandIn": continue
    parsed = list(signature(module, name).parameters)
    try: loaded = list(inspect.signature(real).parameters)
    except ValueError: continue  # a builtin's constructor, which tells nothing
    if loaded != parsed: wrong.append((name, parsed, loaded))
print(wrong)
"""
    assert full_python.python(code, PYNEST_QUIET="1").splitlines()[-1] == "[]"


def test_the_flat_face_has_every_module_of_every_backend(bare_python) -> None:
    """But for helpers, and the numpy activations, whose names the jax ones have there."""
    code = """
import importlib, rockpool.nn.modules as modules
left_out = {"FilterBankBase", "InstantMixin", "LinearMixin", "uniform_sqrt"}
for backend in ("native", "numba", "torch", "jax", "brian", "nest", "sinabs"):
    package = importlib.import_module("rockpool.nn.modules." + backend)
    for name in package.__all__:
        if name not in modules.__all__ and name not in left_out: print(backend, name)
"""
    assert bare_python.python(code) == ""


# --- the version and the command --------------------------------------------------------------------


def test_the_version_and_the_listing_are_on_top(any_bare_python) -> None:
    code = "import rockpool; print(rockpool.__version__); rockpool.list_backends()"
    said = any_bare_python.python(code).splitlines()
    assert said[0] == rockpool.__version__
    assert said[1].split()[:2] == ["numpy", "missing"]
