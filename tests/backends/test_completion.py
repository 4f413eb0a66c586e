"""Completion, listing and walking: everything is shown, nothing is loaded."""

from __future__ import annotations

import pytest
from support import little_package

BACKENDS = "numpy scipy numba torch jax brian2 nest sinabs nir".split()
LOADED = f"print(sorted(set({BACKENDS!r}) & set(sys.modules)))"


def test_the_plain_repl_completes_and_loads_nothing(full_python) -> None:
    code = f"""
import sys, rlcompleter, rockpool.nn.modules
completer = rlcompleter.Completer({{"rockpool": rockpool}})
found = []
while (match := completer.complete("rockpool.nn.modules.", len(found))) is not None:
    found.append(match)
names = {{m.rpartition(".")[2] for m in found}}
assert set(rockpool.nn.modules.__all__) <= names, set(rockpool.nn.modules.__all__) - names
{LOADED}
"""
    assert full_python.python(code) == "[]"


def test_it_does_so_on_every_python(any_bare_python) -> None:
    code = """
import sys, rlcompleter, rockpool.nn.modules
completer = rlcompleter.Completer({"rockpool": rockpool})
print(completer.complete("rockpool.nn.modules.RateT", 0), "rockpool.nn.modules.torch" in sys.modules)
"""
    assert any_bare_python.python(code) == "rockpool.nn.modules.RateTorch False"


@pytest.mark.parametrize("use_jedi", [True, False])
def test_ipython_completes_and_loads_nothing(use_jedi: bool, full_python, tmp_path) -> None:
    code = f"""
import sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.Completer.use_jedi = {use_jedi}
before = set(sys.modules)
shell.run_cell("import rockpool.nn.modules")
from IPython.core.completer import provisionalcompleter
text = "rockpool.nn.modules."
with provisionalcompleter():
    found = list(shell.Completer.completions(text, len(text)))
names = {{m.text.rpartition(".")[2] for m in found}}
import rockpool.nn.modules
print(len(set(rockpool.nn.modules.__all__) - names))
print(sorted(set({BACKENDS!r}) & (set(sys.modules) - before)))
"""
    said = full_python.python(code, IPYTHONDIR=str(tmp_path)).splitlines()
    assert said[-2:] == ["0", "[]"]


@pytest.mark.parametrize("is_here", [True, False])
def test_ipython_shows_the_help_of_the_class_after_a_listing(
    is_here: bool, full_python, tmp_path
) -> None:
    code = f"""
import sys
from IPython.core.interactiveshell import InteractiveShell
import rockpool.nn.modules as m
if not {is_here}: sys.modules["numba"] = None
shell = InteractiveShell.instance()
shell.push({{"m": m}})
dir(m)
assert "rockpool.nn.modules.numba" not in sys.modules
for name in ("LIF", "LIFNumba"):
    shown = shell.object_inspect(f"m.{{name}}")
    print(shown["type_name"], "leaky integrate-and-fire" in shown["docstring"].lower())
"""
    said = full_python.python(code, IPYTHONDIR=str(tmp_path)).splitlines()
    kind = "PostInitMetaMixin" if is_here else "StandIn"
    assert said == ["PostInitMetaMixin True", f"{kind} True"]


@pytest.mark.parametrize(
    "walk",
    [
        "import inspect; inspect.getmembers_static(rockpool.nn.modules)",
        "import inspect; [inspect.getattr_static(rockpool.nn.modules, n, None) for n in dir(rockpool.nn.modules)]",
        "import doctest; doctest.DocTestFinder().find(rockpool.nn.modules)",
        "import pydoc; pydoc.synopsis(rockpool.nn.modules.__file__)",
        "import pkgutil; list(pkgutil.walk_packages(rockpool.__path__, 'rockpool.'))",
        """
import pkgutil, pydoc
ours = list(pkgutil.walk_packages(rockpool.__path__, "rockpool."))
pkgutil.walk_packages = lambda onerror=None: ours  # not the whole of sys.path
found = []
pydoc.ModuleScanner().run(lambda path, name, summary: found.append(name), "numpy")
assert "rockpool.nn.modules.native" in found, found
""",
        "sorted(dir(rockpool)), sorted(dir(rockpool.nn)), vars(rockpool.nn.modules)",
    ],
)
def test_walks_that_need_no_values_load_nothing(walk: str, full_python) -> None:
    code = f"import sys, rockpool.nn.modules\n{walk}\n{LOADED}"
    assert full_python.python(code).splitlines()[-1] == "[]"


def test_after_a_listing_the_package_is_an_ordinary_module(bare_python) -> None:
    code = """
import importlib, pickle, sys, types, rockpool.nn.modules as modules
dir(modules); dir(modules)
assert isinstance(modules, types.ModuleType) and type(modules).__name__ == "module"
standin = modules.RateTorch
modules.RateTorch = 3
assert modules.RateTorch == 3
del modules.RateTorch
assert modules.RateTorch is standin
try: del modules.RateTorch
except AttributeError: pass
try: modules.Nothing
except AttributeError as error: print(error)
importlib.reload(modules)
from rockpool.nn.modules import RateTorch
assert RateTorch is standin
"""
    said = bare_python.python(code)
    assert said == "module 'rockpool.nn.modules' has no attribute 'Nothing'"


def test_a_name_that_a_reload_brings_is_left_alone_too(bare_python, tmp_path) -> None:
    little_package.write(tmp_path)
    code = f"""
import importlib, pathlib, rlcompleter, little
dir(little)
depth = len(type(little).__mro__)
stub = pathlib.Path({str(tmp_path / "little" / "__init__.pyi")!r})
stub.write_text(stub.read_text() + "from .fake import Later as Later\\n")
importlib.reload(little)
print(rlcompleter.Completer({{"little": little}}).complete("little.Lat", 0))
print(len(type(little).__mro__) == depth)
"""
    assert bare_python.python(code, path=tmp_path).splitlines() == [
        "little.Later",
        "True",
    ]
