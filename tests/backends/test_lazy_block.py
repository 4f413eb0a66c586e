"""Imports in a `lazy_imports` block: free until the names are used."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import little_package

import rockpool

BACKENDS = "numpy scipy numba torch jax brian2 nest sinabs nir".split()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return little_package.write(tmp_path, backend=True)


BLOCK = """
import sys, rockpool
with rockpool.lazy_imports():
    from little import Lazy, late as later, helper
    from little.fake import Lazy as Again
"""


def run(python, path: Path, code: str) -> str:
    return python.python(BLOCK + code, path=path)


def test_nothing_is_loaded_however_many_names_are_taken(full_python) -> None:
    import rockpool.nn.combinators
    import rockpool.nn.modules

    code = f"""
import sys, rockpool
with rockpool.lazy_imports():
    from rockpool.nn.modules import {", ".join(rockpool.nn.modules.__all__)}
    from rockpool.nn.combinators import {", ".join(rockpool.nn.combinators.__all__)}
    from rockpool.nn.modules import *
print(LIF, RateTorch, sorted(set({BACKENDS!r}) & set(sys.modules)))
heavy = {{"typing", "dataclasses", "re", "enum", "ast", "inspect", "importlib.metadata"}}
print(sorted(heavy & set(sys.modules)))
"""
    said = full_python.python(code).splitlines()
    assert said[0].count("not loaded yet") == 2
    assert said[0].endswith("[]")
    assert said[1] == "[]"


def test_a_name_that_is_used_inside_the_block_is_bound_at_its_end(bare_python, path: Path) -> None:
    code = """
import rockpool
with rockpool.lazy_imports():
    from little import Lazy
    made = Lazy((1,))
    from little.fake import Lazy as Again
print(type(made) is Lazy, type(made) is Again, type(Lazy).__name__)
"""
    assert bare_python.python(code, path=path) == "True True type"


def test_names_of_two_modules_are_bound_in_both(bare_python, path: Path) -> None:
    (path / "first.py").write_text(
        "import rockpool\nwith rockpool.lazy_imports():\n    from little import Lazy\n"
    )
    (path / "second.py").write_text((path / "first.py").read_text())
    code = """
import first, second
first.Lazy((1,))
print(type(first.Lazy).__name__, first.Lazy is second.Lazy)
"""
    assert bare_python.python(code, path=path) == "type True"


def test_sixteen_threads_use_a_name_for_the_first_time(any_bare_python, path: Path) -> None:
    code = """
import sys, threading
sys.setswitchinterval(1e-6)
barrier = threading.Barrier(16)
made = []
def use():
    barrier.wait()
    made.append(Lazy((1,)))
threads = [threading.Thread(target=use) for _ in range(16)]
[t.start() for t in threads]; [t.join() for t in threads]
print(len(made), {type(one) for one in made} == {Lazy}, Again is Lazy)
"""
    assert run(any_bare_python, path, code) == "16 True True"


def test_the_first_use_loads_and_rebinds(any_bare_python, path: Path) -> None:
    code = """
assert "fake_backend" not in sys.modules and "Lazy" not in vars(sys.modules["little"])
standin = Lazy
made = Lazy((3,))
assert made.evolve() == (3,) and type(made) is Lazy and Lazy is not standin and Again is Lazy
assert isinstance(made, standin) and later(2) == 4 and helper() == "helped"
print(type(Lazy).__name__)
"""
    assert run(any_bare_python, path, code) == "type"


@pytest.mark.parametrize(
    "use",
    [
        "Lazy((1,))",
        "Lazy.evolve",
        "isinstance(3, Lazy)",
        "issubclass(int, Lazy)",
        "class Mine(Lazy): pass\nassert not type(Mine).__name__ == 'StandIn'",
    ],
)
def test_each_kind_of_first_use(use: str, bare_python, path: Path) -> None:
    code = f"""
assert "fake_backend" not in sys.modules
{use}
print("fake_backend" in sys.modules, type(Lazy).__name__)
"""
    assert run(bare_python, path, code) == "True type"


def test_a_missing_backend_is_told_at_first_use(any_bare_python, tmp_path: Path) -> None:
    little_package.write(tmp_path)
    code = """
print(isinstance(3, Lazy))
try: Lazy()
except ModuleNotFoundError as error: print(error)
"""
    said = run(any_bare_python, tmp_path, code).splitlines()
    assert said[0] == "False"
    assert said[1].startswith("Missing the `fake` backend. `Lazy` objects")


def test_it_is_the_same_standin_as_without_the_backend(bare_python, tmp_path: Path) -> None:
    little_package.write(tmp_path)
    code = "import little; print(Lazy is Again is little.Lazy)"
    assert run(bare_python, tmp_path, code) == "True"


def test_only_the_lines_of_the_block_are_lazy(any_bare_python, path: Path) -> None:
    (path / "user.py").write_text("from little import Lazy\nloaded = type(Lazy).__name__\n")
    code = """
import rockpool, sys, little
def get(): return little.Lazy
with rockpool.lazy_imports():
    from little import Lazy
    assert type(Lazy).__name__ == "StandIn" and "fake_backend" not in sys.modules
    import user
    assert user.loaded == "type" and get() is user.Lazy
from little import Lazy
print(type(Lazy).__name__)
"""
    assert any_bare_python.python(code, path=path) == "type"


def test_only_the_thread_of_the_block_is_lazy(any_bare_python, path: Path) -> None:
    code = """
import rockpool, sys, threading
found = []
def other():
    from little import Lazy
    found.append(type(Lazy).__name__)
with rockpool.lazy_imports():
    from little import Lazy
    thread = threading.Thread(target=other); thread.start(); thread.join()
print(type(Lazy).__name__, found)
"""
    assert any_bare_python.python(code, path=path) == "StandIn ['type']"


def test_after_a_listing_it_is_lazy_still(bare_python, path: Path) -> None:
    code = """
import rockpool, little, sys
dir(little)
with rockpool.lazy_imports():
    from little import Lazy
print(type(Lazy).__name__, "fake_backend" in sys.modules)
"""
    assert bare_python.python(code, path=path) == "StandIn False"


def test_blocks_nest_and_end_with_an_error(bare_python, path: Path) -> None:
    code = """
import rockpool, sys
from rockpool.backends import lazy
with rockpool.lazy_imports():
    with rockpool.lazy_imports():
        from little import Lazy
    from little import late
try:
    with rockpool.lazy_imports():
        raise ValueError
except ValueError: pass
print("fake_backend" in sys.modules, lazy._lazy_blocks)
"""
    assert bare_python.python(code, path=path) == "False {}"


def test_a_block_may_be_inside_of_itself_and_in_a_stack(bare_python, path: Path) -> None:
    code = """
import contextlib, rockpool, sys
from rockpool.backends import lazy
block = rockpool.lazy_imports()
with block:
    with block:
        from little import Lazy
    from little import late
with block, contextlib.ExitStack() as stack:
    stack.enter_context(rockpool.lazy_imports())
with contextlib.ExitStack() as stack:
    stack.enter_context(block)
    from little.fake import Lazy as Again
print("fake_backend" in sys.modules, lazy._lazy_blocks)
Again((1,))
print(type(Again).__name__, type(Lazy).__name__)
"""
    assert bare_python.python(code, path=path).splitlines() == ["False {}", "type type"]


NAMESPACES = """
import gc, sys, weakref
class Marked: pass
cell = '''
import rockpool
with rockpool.lazy_imports():
    from little import Lazy
marked = Marked()
'''
"""


def test_it_keeps_no_namespace_alive(bare_python, path: Path) -> None:
    code = f"""{NAMESPACES}
import types
kept = []
for i in range(20):
    module = types.ModuleType("cell")
    sys.modules["cell"] = module
    for space in ({{"Marked": Marked}}, {{"Marked": Marked, "__name__": "__main__"}}, vars(module)):
        space["Marked"] = Marked
        exec(cell, space)
        kept.append(weakref.ref(space["marked"]))
        if i % 2: space["Lazy"]((1,))
del space, module, sys.modules["cell"]
gc.collect()
print(sum(marked() is not None for marked in kept))
"""
    assert bare_python.python(code, path=path) == "0"


def test_a_cell_that_is_run_again_is_watched_once(bare_python, tmp_path: Path) -> None:
    little_package.write(tmp_path)
    code = f"""{NAMESPACES}
for _ in range(50): exec(cell)
from rockpool.backends.standin import home_of
print(len(home_of(Lazy).bindings))
"""
    assert bare_python.python(code, path=tmp_path) == "1"


def test_in_a_namespace_of_no_module_the_class_is_bound_too(bare_python, path: Path) -> None:
    code = """
space = {}
exec(BLOCK + "standin = Lazy; made = Lazy((1,))", space)
print(type(space["Lazy"]).__name__, type(space["standin"]).__name__)
"""
    code = f"BLOCK = {BLOCK!r}\n{code}"
    assert bare_python.python(code, path=path) == "type StandIn"


def test_a_standin_that_was_put_back_heals_at_its_next_use(bare_python, path: Path) -> None:
    code = """
this = sys.modules["__main__"]
standin = Lazy
this.Lazy = "patched"
standin((1,))
this.Lazy = standin
made = Lazy((2,))
print(type(made) is Lazy, type(Lazy).__name__)
this.Lazy = standin
print(isinstance(made, Lazy), type(Lazy).__name__)
"""
    assert run(bare_python, path, code).splitlines() == ["True type", "True type"]


def test_a_standin_that_was_put_back_heals_in_each_module(bare_python, path: Path) -> None:
    (path / "first.py").write_text(
        "import rockpool\nwith rockpool.lazy_imports():\n    from little import Lazy\n"
    )
    code = """
import first
standin = first.Lazy
first.Lazy = "patched"
standin((1,))
first.Lazy = standin
first.Lazy.evolve
print(type(first.Lazy).__name__)
"""
    assert bare_python.python(code, path=path) == "type"


def test_in_a_function_the_name_goes_on_working(any_bare_python, path: Path) -> None:
    code = """
import rockpool
def f():
    with rockpool.lazy_imports():
        from little import Lazy
    return Lazy((1,)).evolve(), Lazy((2,)).evolve()
print(f())
"""
    assert any_bare_python.python(code, path=path) == "((1,), (2,))"


def test_it_is_documented_next_to_the_language_feature() -> None:
    text = rockpool.lazy_imports.__doc__ or ""
    for word in ("type(x) is Name", "__lazy_modules__", "-X lazy_imports=all"):
        assert word in text


def test_what_is_no_instance_is_none_after_the_first_use(numpy_python) -> None:
    code = """
import rockpool
with rockpool.lazy_imports():
    from rockpool.nn.modules import LIF, Module
standin = LIF
print(isinstance(3, LIF), issubclass(int, standin), isinstance(3, standin), isinstance(3, Module))
import rockpool.nn.modules as modules
print(isinstance(3, modules.LIF), issubclass(modules.Rate, modules.LIF), issubclass(int, LIF))
print(isinstance(modules.LIF(2), standin), issubclass(standin, modules.LIF))
print(modules.TimedModuleWrapper(modules.LIF(3)).dt)
try: rockpool.convert(3, "numba")
except TypeError as error: print(error)
"""
    assert numpy_python.python(code).splitlines() == [
        "False False False False",
        "False False False",
        "True True",
        "0.001",
        "describe: network must be a module, got 3",
    ]
