"""What users see stays as it is recorded: names, signatures, the attributes of modules, options, errors.

``tests/public_surface.json`` is the record, `support.public_surface` makes it and says what is in it.
A difference that is meant stands in `MEANT`, with its reason, until the record is made anew::

    python tests/support/public_surface.py --add     # what is new is recorded, nothing else
    python tests/support/public_surface.py --write   # everything is recorded as it is now
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest
from support import public_surface

import rockpool

# The beginning of a line's key -> why it differs from the record.
MEANT: dict[str, str] = {}


@cache
def recorded() -> dict[str, str]:
    return json.loads(public_surface.RECORD.read_text())


@cache
def found() -> dict[str, str]:
    """What there is now, found in a process of its own: no other test has changed anything there."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(rockpool.__file__).parents[1]),
        "OMP_NUM_THREADS": "1",
        "PYNEST_QUIET": "1",
        "ROCKPOOL_KERNELS": "0",  # they change the speed only
        "COLUMNS": "80",
    }
    program = str(Path(public_surface.__file__))
    done = subprocess.run(
        [sys.executable, program], capture_output=True, text=True, env=environment, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def differences(before: Mapping[str, str], now: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The key of each line that differs, and a text for people."""
    failed = tuple(f"{key} " for key, value in now.items() if value.startswith("fails: "))
    for key in sorted(before.keys() | now.keys()):
        was, is_now = before.get(key), now.get(key)
        if is_now is None and key.startswith(failed):
            continue  # it could not be looked at
        if is_now is None:
            yield key, f"gone     {key}\n           was: {was}"
        elif was is None:
            yield key, f"new      {key}\n           is:  {is_now}"
        elif was != is_now and not key.startswith("error text "):  # tests may move
            yield key, f"changed  {key}\n           was: {was}\n           is:  {is_now}"


def reason(key: str, meant: Mapping[str, str]) -> str | None:
    """The entry of a table like `MEANT` that allows a difference."""
    return next((beginning for beginning in meant if key.startswith(beginning)), None)


def test_the_public_surface_is_as_recorded() -> None:
    unmeant = [text for key, text in differences(recorded(), found()) if reason(key, MEANT) is None]
    assert not unmeant, "\n".join([f"{len(unmeant)} differences that are not in MEANT:", *unmeant])


def test_each_difference_that_is_meant_is_there() -> None:
    differing = [key for key, _ in differences(recorded(), found())]
    assert {reason(key, MEANT) for key in differing} >= MEANT.keys()


def test_each_class_of_modules_is_built_or_said_not_to_be() -> None:
    face = "rockpool.nn.modules"
    modules = set()
    for key, what in found().items():
        package, _, name = key.removeprefix("name ").rpartition(".")
        if key.startswith("name ") and package == face:
            described_as = what.removeprefix("is ") if " " in what else f"{face}.{name}"
            if f"{face}.module.ModuleBase" in found().get(f"bases {described_as}", ""):
                modules.add(name)
    assert len(modules) > 40
    assert modules - public_surface.NOT_BUILT == public_surface.EXAMPLES.keys()


def test_the_record_is_in_order_and_one_line_for_each_thing() -> None:
    assert public_surface.RECORD.read_text() == public_surface.as_json(recorded())


# --- what is recorded, and what is seen as a difference ----------------------------------------------


def test_differences_are_told_with_what_was_and_what_is() -> None:
    before = {"class A": "(x)", "class B": "()", "error text e": "test_a.py"}
    now = {"class A": "(x, y=1)", "class C": "()", "error text e": "test_b.py"}
    assert dict(differences(before, now)) == {
        "class A": "changed  class A\n           was: (x)\n           is:  (x, y=1)",
        "class B": "gone     class B\n           was: ()",
        "class C": "new      class C\n           is:  ()",
    }


def test_of_a_module_that_fails_one_line_tells() -> None:
    before = {"module A()": "(1,)", "module A() state": "x", "module A(b=1) state": "x"}
    now = {"module A()": "fails: TypeError: no", "module A(b=1) state": "x"}
    assert [key for key, _ in differences(before, now)] == ["module A()"]


def every_kind(a, /, b, c=1, *more, d, e=len, f=(max, "x"), **others): ...


def keyword_only(a=None, *, b=object()): ...  # noqa: B008


@pytest.mark.parametrize(
    ("function", "bound", "text"),
    [
        (every_kind, False, "(a, /, b, c=1, *more, d, e=len, f=(max, 'x'), **others)"),
        (every_kind, True, "(b, c=1, *more, d, e=len, f=(max, 'x'), **others)"),
        (keyword_only, False, "(a=None, *, b=<object object>)"),
    ],
)
def test_signatures_have_kinds_and_defaults_that_stay_the_same(function, bound, text) -> None:
    assert public_surface.signature_text(function, {}, bound=bound) == text


def test_texts_of_errors_are_found_where_tests_ask_for_them() -> None:
    program = """
@pytest.mark.parametrize(("value", "words"), [(0, "must be > 0"), (1, "word")])
def test_given(value, words):
    with pytest.raises(ValueError, match=f"Layer: {words}"): ...

def test_plain():
    with pytest.warns(UserWarning, match="is " "slow"): ...
    with pytest.raises(ValueError) as caught: ...
    assert str(caught.value) == "exactly this"
    assert "no error" in text
"""
    assert set(public_surface.texts_in(ast.parse(program))) == {
        "Layer: {words}", "must be > 0", "is slow", "exactly this",
    }  # fmt: skip
