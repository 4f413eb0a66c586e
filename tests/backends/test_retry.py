"""A broken back-end is tried again when the import system has changed, or by name."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import little_package

# `use` uses the stand-in, `tries` tells how often the back-end was imported for it.
PREPARE = """
import os, pathlib, sys, time
time.sleep(0.1)  # the environment may have been made this very moment, and is not trusted then
import little
from little import Lazy
from rockpool.utilities.backend_management import *
root = pathlib.Path({root!r})
sys.tries = 0
TRIED = "import sys; sys.tries += 1\\n"
WORKING = {backend!r}
def write(path, text, folder=root):
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text)
def settle():
    "As if everything had been there for long."
    for path in [root, *root.rglob("*")]:
        os.utime(path, (1e9, 1e9))
def use():
    try: return type(Lazy((1,))).__name__
    except ModuleNotFoundError as error: return error.__notes__[0]
def tries(uses=3):
    before = sys.tries
    for _ in range(uses): use()
    return sys.tries - before
def broken(text, path="fake_backend/__init__.py"):
    write(path, TRIED + text)
    use(); settle(); use()
"""


def run(python, root: Path, code: str, **options: object) -> list[str]:
    """Run code beside the little package, whose back-end `fake_backend` is not there yet."""
    little_package.write(root)
    prepared = PREPARE.format(root=str(root), backend=little_package.BACKEND)
    return python.python(prepared + code, path=root, **options).splitlines()


@pytest.mark.parametrize(
    "text",
    [
        "raise OSError('no driver')",
        "raise ImportError",
        "sys.exit(3)",
        "sys.no_such_name",
        "from sys import no_such_name",
        "import a_dependency",
        "try: import a_dependency\nexcept ImportError: raise RuntimeError('get it') from None",
        "open('no_such_file')",
        "raise OSError('x' * 5) from KeyError(3)",
    ],
)
def test_it_is_not_tried_again_while_nothing_changes(
    text: str, any_bare_python, tmp_path: Path
) -> None:
    code = f"""
broken({text!r})
print(tries(5), [getattr(little, "Lazy") is Lazy for _ in range(2)], tries())
print(use().partition(": ")[0])
"""
    said = run(any_bare_python, tmp_path, code)
    assert said == ["0 [True, True] 0", "The `fake` back-end is broken"]


SEEN = {
    "an installation beside it": '(root / "other-2.0.dist-info").mkdir(); settle()\n'
    "os.utime(root, (1.1e9, 1.1e9))",
    "sys.path": 'sys.path.append("/no/such/folder")',
    "the finders": "sys.meta_path.append(type('Finder', (), {'find_spec': lambda *_: None})())",
    "refresh_backends": "refresh_backends()",
}
# A question by name sees these.
UNSEEN = {
    "its file": 'write("fake_backend/__init__.py", TRIED + "raise OSError(2)")',
    "the time of its file": 'os.utime(root / "fake_backend/__init__.py", (2e9 - 1e9, 1.1e9))',
    "a file in the traceback": 'write("fake_helper.py", "def work(): raise OSError(2)")',
    "the environment": 'os.environ["FAKE_HOME"] = "/opt/fake"',
    "the module that lacks a name": "import json; json.new_name = 1",
}
BROKEN = """
write("fake_helper.py", "import json\\ndef work():\\n    try: import a_dependency\\n"
      "    except ImportError: pass\\n    json.no_such_name\\n")
write("fake_backend/__init__.py", TRIED + "import fake_helper; "
      "sys.modules.pop('fake_helper').work()")
use(); settle(); use(); use()
"""


@pytest.mark.parametrize("change", SEEN)
def test_it_is_tried_again_once_when_the_import_system_changes(
    change: str, bare_python, tmp_path: Path
) -> None:
    code = f"""
{BROKEN}
print(tries())
{SEEN[change]}
before = sys.tries; use(); print(sys.tries - before); settle(); use(); print(tries())
"""
    assert run(bare_python, tmp_path, code) == ["0", "1", "0"]


@pytest.mark.parametrize("change", UNSEEN)
def test_other_changes_are_seen_when_it_is_asked_for_by_name(
    change: str, bare_python, tmp_path: Path
) -> None:
    code = f"""
{BROKEN}
{UNSEEN[change]}
print(tries())
before = sys.tries; print(backend_available("fake"), sys.tries - before, tries())
"""
    assert run(bare_python, tmp_path, code) == ["0", "False 1 0"]


def test_what_has_just_changed_is_not_trusted_yet(bare_python, tmp_path: Path) -> None:
    """A second change within the same tick of the clock of files would not be seen."""
    code = """
broken("raise OSError")
soon = (time.time_ns() + 10**12) | 1
os.utime(root, ns=(soon, soon))
print(tries(3))
"""
    assert run(bare_python, tmp_path, code) == ["3"]


@pytest.mark.parametrize(
    "fix",
    [
        'write("a_dependency.py", "")',
        'write("a_dependency/__init__.py", "")',
        'write("a_dependency.py", "", root / "elsewhere")\nsys.path.append(str(root/"elsewhere"))',
    ],
)
def test_it_heals_when_what_it_lacks_is_installed(
    fix: str, any_bare_python, tmp_path: Path
) -> None:
    code = f"""
broken("import a_dependency\\n" + WORKING)
print(tries())
{fix}
print(use(), little.Lazy is type(Lazy((1,))), isinstance(little.Lazy((1,)), Lazy))
"""
    assert run(any_bare_python, tmp_path, code) == ["0", "Lazy True True"]


@pytest.mark.parametrize("ask", ['backend_available("fake")', "refresh_backends()"])
@pytest.mark.parametrize(
    "fix",
    [
        'write("fake_backend/__init__.py", WORKING)',
        "sys.modules['a_dependency'] = sys",
    ],
)
def test_it_heals_when_asked_for_after_another_fix(
    fix: str, ask: str, bare_python, tmp_path: Path
) -> None:
    code = f"""
broken("import a_dependency\\n" + WORKING)
{fix}
print(tries())
{ask}
print(use(), little.Lazy is type(Lazy((1,))), isinstance(little.Lazy((1,)), Lazy))
"""
    assert run(bare_python, tmp_path, code) == ["0", "Lazy True True"]


def test_it_heals_when_an_attribute_is_patched_in(any_bare_python, tmp_path: Path) -> None:
    code = """
broken("import json; json.removed_name\\n" + WORKING)
print(tries())
import json
json.removed_name = None
print(backend_available("fake"), use())
"""
    assert run(any_bare_python, tmp_path, code) == ["0", "True Lazy"]


def test_a_question_by_name_always_tries(any_bare_python, tmp_path: Path) -> None:
    """The cause may be one that no look can tell: it is mended here without a trace."""
    code = """
sys.driver = False
broken("if not sys.driver: raise OSError('no driver')\\n" + WORKING)
before = sys.tries
print(backend_available("fake"), backend_available("fake"), sys.tries - before)
print(backend_status("fake", probe=True).state, backend_status("fake").state, sys.tries - before)
sys.driver = True
print(use().partition(": ")[0], sys.tries - before)
print(backend_available("fake"), use())
"""
    assert run(any_bare_python, tmp_path, code) == [
        "False False 2",
        "broken broken 3",
        "The `fake` back-end is broken 3",
        "True Lazy",
    ]


def test_a_backend_with_a_check_is_not_tried_again_either(bare_python, tmp_path: Path) -> None:
    code = """
register_backend("fake", ["fake_backend"], check=lambda: True)
broken("raise OSError('no driver')")
print(tries())
write("fake_backend/__init__.py", WORKING)
print(backend_available("fake"), use())
"""
    assert run(bare_python, tmp_path, code) == ["0", "True Lazy"]


def test_a_file_that_does_without_the_broken_part_is_not_affected(
    any_bare_python, tmp_path: Path
) -> None:
    """The back-end has two modules, one of them broken, and this file needs the other."""
    code = """
register_backend("fake", ["fake_backend", "fake_part"])
write("fake_backend/__init__.py", WORKING)
write("fake_part.py", TRIED + "raise OSError('no driver')")
settle()
print(backend_available("fake"), backend_status("fake").state, use(), sys.tries)
"""
    assert run(any_bare_python, tmp_path, code) == ["False broken Lazy 1"]


def test_a_file_is_not_run_again_while_another_backend_of_it_is_missing(
    any_bare_python, tmp_path: Path
) -> None:
    code = """
write("fake_backend/__init__.py", WORKING)
write("little/fake/lazy.py", TRIED + "import fake_backend, numpy\\nclass Lazy:\\n"
      "    def __init__(self, shape): pass\\n")
settle()
print(use().partition(": ")[0], sys.tries, tries())
refresh_backends()
print(tries(1), tries())
write("numpy/__init__.py", "__version__ = '2.0.0'")
print(use(), sys.tries)
"""
    assert run(any_bare_python, tmp_path, code) == [
        "The `numpy` back-end is missing 1 0",
        "1 0",
        "Lazy 3",
    ]
