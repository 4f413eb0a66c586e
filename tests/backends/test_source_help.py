"""What is read of a class without importing it is what importing it would show."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import types
from pathlib import Path

import pytest

from rockpool.backends.source_help import documentation, find, signature

# Modules in plain Python, with classes, functions, dataclasses and base classes in other files.
MODULES = (
    "code csv fractions json.decoder json.encoder queue shelve socketserver string textwrap wave "
    "xml.sax.handler "
    "rockpool.graph.graph_base rockpool.graph.graph_modules rockpool.graph.utils"
).split()


def things() -> list[tuple[str, str]]:
    """Every public class and function that these modules define."""
    found = []
    for module in map(importlib.import_module, MODULES):
        for name, thing in vars(module).items():
            if (
                isinstance(thing, type | types.FunctionType)
                and getattr(thing, "__module__", "") == module.__name__
                and thing.__name__ == name
                and not name.startswith("_")
                and not hasattr(thing, "__wrapped__")
            ):
                found.append((module.__name__, name))
    return found


THINGS = things()


def kinds(parameters: inspect.Signature) -> list[tuple[str, object, object]]:
    """Names, kinds, and defaults, as far as those can be the same."""
    plain = (int, float, str, bytes, tuple, type(None))
    return [
        (p.name, p.kind, p.default if isinstance(p.default, plain) else p.default is p.empty)
        for p in parameters.parameters.values()
    ]


def test_there_is_enough_to_compare() -> None:
    assert len(THINGS) > 60


def test_signatures_are_those_of_the_imported_things() -> None:
    wrong = []
    for module, name in THINGS:
        try:
            real = inspect.signature(getattr(importlib.import_module(module), name))
        except ValueError:  # what is written in C has none
            continue
        read = signature(module, name)
        anything = [p.kind.name for p in read.parameters.values()] == [
            "VAR_POSITIONAL",
            "VAR_KEYWORD",
        ]
        same = [
            (a[0], a[1]) == (b[0], b[1]) and (a[2] == b[2] or b[2] is False)
            for a, b in zip(kinds(real), kinds(read), strict=False)
        ]
        if not anything and (not all(same) or len(real.parameters) != len(read.parameters)):
            wrong.append((module, name, str(real), str(read)))
    assert wrong == []


def test_every_signature_is_found() -> None:
    unknown = [
        f"{module}.{name}"
        for module, name in THINGS
        if str(signature(module, name)) == "(*args, **kwargs)"
        and not dataclasses.is_dataclass(getattr(importlib.import_module(module), name))
        and inspect.isfunction(getattr(importlib.import_module(module), name).__init__)
        and str(inspect.signature(getattr(importlib.import_module(module), name)))
        not in ("()", "(*args, **kwargs)")
    ]
    assert unknown == []


def test_docstrings_and_lines_are_those_of_the_imported_things() -> None:
    for module, name in THINGS:
        thing = getattr(importlib.import_module(module), name)
        text = documentation(module, name, "numpy")
        assert (inspect.getdoc(thing) or "").strip() in text or isinstance(thing, type)
        if thing.__doc__ and not thing.__doc__.startswith(f"{name}("):  # a dataclass's own words
            assert inspect.cleandoc(thing.__doc__).strip() in text, (module, name)
        place = find(module, name)
        assert place is not None, (module, name)
        # `inspect` begins at the decorators
        first = place.node.lineno - len(place.node.decorator_list)
        path, line = inspect.getsourcefile(thing), inspect.getsourcelines(thing)[1]
        if line in (first, place.node.lineno):  # else it is defined twice, for two systems
            assert f"Defined in {path}, line {place.node.lineno}." in text


SOURCE = '''
from dataclasses import KW_ONLY, InitVar, dataclass, field
from typing import TYPE_CHECKING, ClassVar
import dataclasses

import not_installed
from not_installed import Gone

if TYPE_CHECKING:
    Base = Gone
else:
    Base = object

try:
    import not_installed_either
except ImportError:
    class Fallback:
        """Defined in a branch."""
        def __init__(self, a, /, b, *, c: "int" = 1) -> None: ...

class OfMissing(Gone):
    """Its base class cannot be read."""

class Mixed(Base, OfMissing, Fallback):
    pass

Alias = Mixed
Generic = dict[str, Mixed]

@dataclass
class Point:
    "A point."
    x: float
    y: float = not_installed.zero
    kind: ClassVar[str] = "point"
    names: list = field(default_factory=list)
    hidden: int = field(default=3, init=False)
    scale: InitVar[int] = 2

@dataclasses.dataclass(frozen=True)
class Point3(Point):
    z: float = field(default=1.5)
    _: KW_ONLY
    colour: str = "red"

class Derived(Point3, Fallback): ...

@dataclass(init=False)
class ByHand(Point):
    def __init__(self, q): ...

def function(a, b=(1, -2), *rest, c, d=not_installed.x, **more) -> "Gone": ...
'''


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Fallback", "(a, /, b, *, c: 'int' = 1) -> None"),
        ("OfMissing", "(*args, **kwargs)"),
        ("Mixed", "(a, /, b, *, c: 'int' = 1) -> None"),
        ("Alias", "(a, /, b, *, c: 'int' = 1) -> None"),
        ("Generic", "(*args, **kwargs)"),
        ("Base", "(*args, **kwargs)"),
        ("Nothing", "(*args, **kwargs)"),
        ("Point", "(*args, **kwargs)"),  # a decorator writes the constructor
        ("Point3", "(*args, **kwargs)"),
        ("Derived", "(*args, **kwargs)"),
        ("ByHand", "(q)"),
        ("function", "(a, b=(1, -2), *rest, c, d=not_installed.x, **more) -> 'Gone'"),
    ],
)
def test_what_could_not_be_imported_is_read(
    name: str, shown: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "unimportable_module.py").write_text(SOURCE)
    assert str(signature("unimportable_module", name)) == shown


@pytest.mark.parametrize("text", ["def broken(:\n", "\xff\xfe", "class Other: pass"])
def test_what_cannot_be_read_has_its_first_line_at_least(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "unreadable_module.py").write_bytes(text.encode("latin-1"))
    assert documentation("unreadable_module", "Name", "no_such_backend") == (
        "Not available here: the `no_such_backend` back-end is missing "
        "(to get it: pip install no_such_backend)."
    )


def test_imports_in_a_circle_come_to_an_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "circle_a.py").write_text("from circle_b import Name\nOther = Other\n")
    (tmp_path / "circle_b.py").write_text("from circle_a import Name\nclass Self(Self): pass\n")
    for module, name in (("circle_a", "Name"), ("circle_a", "Other"), ("circle_b", "Self")):
        assert str(signature(module, name)) == "(*args, **kwargs)"
        assert documentation(module, name, "numpy")


def test_a_class_that_derives_from_a_standin_shows_the_nearest_constructor(
    any_bare_python, tmp_path: Path
) -> None:
    from support import little_package

    code = """
import inspect
from little import Lazy
class Same(Lazy): pass
class Own(Same):
    def __init__(self, n, *, m=2): ...
class Further(Own): pass
for cls in (Same, Own, Further): print(inspect.signature(cls))
"""
    same, own, further = any_bare_python.python(
        code, path=little_package.write(tmp_path)
    ).splitlines()
    assert same.startswith("(shape: tuple[int, ...], tau: float = 0.02,")
    assert own == further == "(n, *, m=2)"


@pytest.mark.parametrize(
    ("text", "head"),
    [
        (None, "Not available here: the `fake` back-end is missing (to get it: pip install"),
        ("raise OSError", "Not available here: the `fake` back-end is broken (to mend it: pip"),
        ("", "Not loaded yet: its first use loads the `fake` back-end."),
    ],
    ids=["missing", "broken", "not loaded"],
)
def test_the_first_line_says_how_things_are(
    text: str | None, head: str, bare_python, tmp_path: Path
) -> None:
    from support import little_package

    little_package.write(tmp_path)
    if text is not None:
        (tmp_path / "fake_backend.py").write_text(text)
    code = """
import rockpool
from rockpool.utilities.backend_management import backend_available
import little.fake
with rockpool.lazy_imports():
    from little import Lazy
if backend_available("fake"): import sys; del sys.modules["fake_backend"]
print(Lazy.__doc__)
"""
    assert bare_python.python(code, path=tmp_path).startswith(head)
