"""Stand-ins: what may be done with a class whose back-end is missing."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import little_package

MESSAGE = (
    "Missing the `fake` backend. `Lazy` objects, and others relying on `fake` are not available."
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return little_package.write(tmp_path)


def run(python, path: Path, code: str) -> str:
    return python.python("import little\nfrom little import Lazy\n" + code, path=path)


def test_construction_says_exactly_what_is_missing(any_bare_python, path: Path) -> None:
    code = """
try: Lazy((3,), tau=1.)
except ModuleNotFoundError as error:
    print(str(error)); print(error.name); print(error.__cause__); print(*error.__notes__, sep=chr(10))
"""
    assert run(any_bare_python, path, code).splitlines() == [
        MESSAGE,
        "fake_backend",
        "None",
        "The `fake` back-end is missing: no module named 'fake_backend' is installed.",
        "To get it: pip install fake_backend",
    ]


def test_it_is_named_as_the_class(any_bare_python, path: Path) -> None:
    code = "print(Lazy.__name__, Lazy.__qualname__, Lazy.__module__, isinstance(Lazy, type)); print(Lazy)"
    assert run(any_bare_python, path, code).splitlines() == [
        "Lazy Lazy little.fake.lazy True",
        "<stand-in for class 'little.fake.lazy.Lazy': the `fake` backend is missing>",
    ]


def test_public_attributes_raise_and_private_ones_are_absent(any_bare_python, path: Path) -> None:
    code = """
print(hasattr(Lazy, "_hidden"), hasattr(Lazy, "__wrapped__"), getattr(Lazy, "__len__", "default"))
try: Lazy.evolve
except ModuleNotFoundError as error: print(error)
"""
    assert run(any_bare_python, path, code).splitlines() == ["False False default", MESSAGE]


def test_help_and_signature_come_from_the_source(any_bare_python, path: Path) -> None:
    code = """
import inspect, pydoc, sys
print(inspect.signature(Lazy))
print(inspect.signature(little.late))
print(inspect.getdoc(Lazy))
assert "It has a second paragraph." in pydoc.render_doc(Lazy)
assert "little.fake.lazy" not in sys.modules
"""
    said = run(any_bare_python, path, code).splitlines()
    expected = "(shape: tuple[int, ...], tau: float = 0.02, *rest, init=fake_backend.zeros, **more)"
    assert said[0] == expected
    assert said[1] == "(x, scale=2)"
    assert said[2] == (
        "Not available here: the `fake` back-end is missing (to get it: pip install fake_backend)."
    )
    assert "A class that needs a back-end." in said
    assert said[-1].startswith("Defined in ") and said[-1].endswith("lazy.py, line 6.")


def test_in_annotations(any_bare_python, path: Path) -> None:
    code = """
import typing
def f(x: Lazy | None, y: "Lazy") -> typing.Optional[Lazy]: ...
hints = typing.get_type_hints(f)
print(hints["x"] == (Lazy | None), hints["y"] is Lazy, typing.List[Lazy].__args__[0] is Lazy)
"""
    assert run(any_bare_python, path, code) == "True True True"


def test_instance_and_subclass_checks(any_bare_python, path: Path) -> None:
    code = "print(isinstance(3, Lazy), issubclass(int, Lazy), issubclass(Lazy, Lazy))"
    assert run(any_bare_python, path, code) == "False False True"


def test_deriving_is_fine_and_constructing_the_result_is_not(any_bare_python, path: Path) -> None:
    code = """
import abc, inspect
class Mine(Lazy):
    "My own words."
    def __init__(self, n=1): self.n = n
class Both(Mine, abc.ABC): pass
class Dictionary(Lazy, dict): pass
print(Mine.__doc__, inspect.signature(Mine), issubclass(Both, Lazy))
for cls in (Mine, Both, Dictionary):
    try: cls()
    except ModuleNotFoundError as error: print(error, "|", error.__notes__[-1])
"""
    said = run(any_bare_python, path, code).splitlines()
    assert said[0] == "My own words. (n=1) True"
    for name, line in zip(["Mine", "Both", "Dictionary"], said[1:], strict=True):
        assert line.startswith(f"{MESSAGE} | `{name}` derives from `Lazy`")


def test_copies_and_pickles_are_the_class_itself(any_bare_python, path: Path) -> None:
    code = """
import copy, pickle
print(all(pickle.loads(pickle.dumps(Lazy, p)) is Lazy for p in range(pickle.HIGHEST_PROTOCOL + 1)),
      copy.copy(Lazy) is Lazy, copy.deepcopy([Lazy])[0] is Lazy)
class Mine(Lazy): pass
print(pickle.loads(pickle.dumps(Mine)) is Mine)
"""
    assert run(any_bare_python, path, code).splitlines() == ["True True True", "True"]


def test_a_pickled_standin_is_the_real_class_elsewhere(bare_python, path: Path) -> None:
    pickled = run(bare_python, path, "import pickle; print(pickle.dumps(Lazy).hex())")
    little_package.write_backend(path)
    code = f"""
import pickle
print(pickle.loads(bytes.fromhex({pickled!r})) is Lazy, Lazy((1,)).evolve())
"""
    assert run(bare_python, path, code) == "True (1,)"


def test_doctest_and_inspect_can_walk_over_it(any_bare_python, path: Path) -> None:
    code = """
import doctest, inspect, sys, types
module = types.ModuleType("user"); module.Lazy = Lazy; sys.modules["user"] = module
print(doctest.DocTestFinder().find(module))
print(inspect.unwrap(Lazy) is Lazy, inspect.isclass(Lazy), inspect.isabstract(Lazy))
[(name, getattr(Lazy, name)) for name in dir(Lazy) if name.startswith("__")]
"""
    assert run(any_bare_python, path, code).splitlines() == ["[]", "True True False"]


def test_a_spawned_worker_gets_it_by_name(bare_python, path: Path, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import multiprocessing as mp\n"
        "from little import Lazy\n"
        "def name(cls): return cls.__qualname__\n"
        "if __name__ == '__main__':\n"
        "    with mp.get_context('spawn').Pool(1) as pool: print(pool.map(name, [Lazy]))\n"
    )
    assert bare_python.run(str(script), path=path).stdout.strip() == "['Lazy']"


def test_abstract_classes_may_derive_from_it(any_bare_python, path: Path) -> None:
    code = """
import abc
class Shape(Lazy, abc.ABC):
    @abc.abstractmethod
    def area(self): ...
class Other(abc.ABC): pass
class Both(Shape, Other): pass
Shape.register(int)
print(isinstance(3, Shape), issubclass(int, Shape), isinstance("3", Shape), isinstance(3, Lazy))
print(issubclass(Both, (Lazy,)), issubclass(Both, Other), issubclass(Lazy, Other), Shape.__abstractmethods__)
for use in (lambda: Lazy.register(int), lambda: Both()):
    try: use()
    except ModuleNotFoundError as error: print(error)
try: issubclass(3, Lazy)
except TypeError: print("no class")
"""
    assert run(any_bare_python, path, code).splitlines() == [
        "True True False False",
        "True True False frozenset({'area'})",
        MESSAGE,
        MESSAGE,
        "no class",
    ]


def test_the_source_of_what_is_not_loaded_is_named_by_its_help_alone(
    any_bare_python, path: Path
) -> None:
    """`inspect` looks into the loaded module for it, and there is none."""
    code = """
import inspect
for ask in (inspect.getsourcefile, inspect.getsource, inspect.getfile):
    try: ask(Lazy)
    except TypeError as error: print("the `fake` backend is missing" in str(error))
print(inspect.getdoc(Lazy).splitlines()[-1])
"""
    *refused, last = run(any_bare_python, path, code).splitlines()
    assert refused == ["True"] * 3
    assert last == f"Defined in {path}/little/fake/lazy.py, line 6."


# --- healing ----------------------------------------------------------------------------------------

APPEAR = """
import pathlib, sys
def appear():
    folder = pathlib.Path({path!r}) / "fake_backend"
    folder.mkdir()
    (folder / "__init__.py").write_text({backend!r})
"""


def test_a_standin_heals_when_its_backend_appears(any_bare_python, path: Path) -> None:
    code = (
        APPEAR.format(path=str(path), backend=little_package.BACKEND)
        + """
old = Lazy
try: Lazy((1,))
except ModuleNotFoundError: print("missing")
appear()
made = old((2,))
print(made.evolve(), type(made) is little.Lazy, isinstance(made, old), issubclass(little.Lazy, old))
print(little.Lazy is not old, old.evolve is little.Lazy.evolve, little.late(3))
class Mine(old):
    def __init__(self): super().__init__((9,))
print(Mine().evolve(), isinstance(Mine(), little.Lazy))
"""
    )
    assert run(any_bare_python, path, code).splitlines() == [
        "missing",
        "(2,) True True True",
        "True True 6",
        "(9,) True",
    ]


def test_a_class_that_was_derived_too_early_says_so(any_bare_python, path: Path) -> None:
    code = (
        APPEAR.format(path=str(path), backend=little_package.BACKEND)
        + """
class Mine(Lazy): pass
appear()
try: Mine()
except ModuleNotFoundError as error: print(error.__notes__[-1])
"""
    )
    assert "define it again" in run(any_bare_python, path, code)
