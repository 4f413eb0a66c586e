"""The first access to names by many at once: threads, forks, new processes, sub-interpreters."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest
from support import little_package

import rockpool

ROCKPOOL = Path(rockpool.__file__).parent
# They run in one thread, and need matplotlib or PyInstaller.
ALONE = ("matplotlib", "PyInstaller")
# Every round begins with packages that nobody has imported yet.
RACE = """
import importlib, sys, threading
sys.setswitchinterval(1e-6)
forget, package, names, rounds = {forget!r}, {package!r}, {names!r}, {rounds}
wrong = []
barrier = threading.Barrier(16)

def get(turn, found):
    barrier.wait()
    try:
        module = importlib.import_module(package)
        order = names[turn % len(names):] + names[:turn % len(names)]
        found.append({{name: getattr(module, name) for name in order}})
    except BaseException as error:
        wrong.append(repr(error))

def work(turn, results):
    for number in range(rounds):
        start.wait()
        get(turn, results[number])
        done.wait()

results = [[] for _ in range(rounds)]
start, done = threading.Barrier(17), threading.Barrier(17)
threads = [threading.Thread(target=work, args=(turn, results)) for turn in range(16)]
for thread in threads: thread.start()
for number in range(rounds):
    for name in list(sys.modules):
        if name.startswith(tuple(forget)): del sys.modules[name]
    start.wait()
    done.wait()
    answers = results[number]
    if len(answers) != 16 or any(answer != answers[0] for answer in answers):
        wrong.append(number)
for thread in threads: thread.join()
print(wrong, sorted({{type(thing).__name__ for answers in results for thing in answers[0].values()}}))
"""


def imported(tree: ast.Module) -> list[str]:
    """The modules that a file imports at once, in order."""
    found = []
    for node in tree.body:
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.append(str(node.module))
    return found


def test_a_package_is_imported_before_its_parts() -> None:
    """Of one that another thread is importing, the import of a part alone gets half a package."""
    for path in ROCKPOOL.rglob("*.py"):
        modules = imported(ast.parse(path.read_text()))
        for place, module in enumerate(modules):
            top = module.partition(".")[0]
            if top not in (*sys.stdlib_module_names, *ALONE, "rockpool"):
                assert top in modules[: place + 1], f"{path}: {module}"


def test_the_first_access_to_names_of_several_backends_by_eight_threads(full_python) -> None:
    code = """
import sys, threading
import rockpool.nn.modules as modules
sys.setswitchinterval(1e-6)
names = "LIF ExpSynTorch Rate Linear TimedModule kaiming LIFTorch Instant".split()
barrier = threading.Barrier(len(names))
found = {}
def get(name):
    barrier.wait()
    found[name] = getattr(modules, name).__name__
threads = [threading.Thread(target=get, args=(name,)) for name in names]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(sorted(found.values()) == sorted(names))
"""
    assert full_python.python(code) == "True"


@pytest.mark.slow
@pytest.mark.parametrize(("backend", "kinds"), [(False, ["StandIn"]), (True, ["function", "type"])])
def test_sixteen_threads_and_two_hundred_rounds(
    backend: bool, kinds: list[str], any_bare_python, tmp_path: Path
) -> None:
    little_package.write(tmp_path, backend=backend)
    code = RACE.format(
        forget=["little", "fake_backend"], package="little", names=["Lazy", "late"], rounds=200
    )
    assert any_bare_python.python(code, path=tmp_path) == f"[] {kinds}"


def test_sixteen_threads_and_our_own_modules(numpy_python) -> None:
    code = RACE.format(
        forget=["rockpool.nn", "rockpool.parameters"],
        package="rockpool.nn.modules",
        names=["LIF", "Rate", "RateTorch", "Module", "ExpSyn"],
        rounds=40,
    )
    said = numpy_python.python(code)
    assert said.startswith("[] ")
    assert "StandIn" in said


def test_threads_that_meet_a_broken_backend_agree(any_bare_python, tmp_path: Path) -> None:
    little_package.write(tmp_path)
    (tmp_path / "fake_backend").mkdir()
    (tmp_path / "fake_backend" / "__init__.py").write_text(
        "import time, fake_backend.part\ntime.sleep(0.001)\nraise OSError('no driver')"
    )
    (tmp_path / "fake_backend" / "part.py").write_text("")
    code = RACE.format(
        forget=["little", "fake_backend"], package="little", names=["Lazy", "late"], rounds=50
    )
    assert any_bare_python.python(code, path=tmp_path) == "[] ['StandIn']"


FORK = """
import os, sys, warnings
warnings.simplefilter("ignore")
{before}
reader, writer = os.pipe()
child = os.fork()
if child == 0:
    os.close(reader)
    from little import Lazy
    os.write(writer, f"{{Lazy((1,)).evolve()}} {{type(Lazy).__name__}}".encode())
    os._exit(0)
os.close(writer)
print(os.read(reader, 1000).decode(), os.waitpid(child, 0)[1])
from little import Lazy
print(Lazy((2,)).evolve(), type(Lazy).__name__)
"""


@pytest.mark.parametrize(
    "before",
    [
        "",
        "import little",
        "import little; little.Lazy",
        "import rockpool\nwith rockpool.lazy_imports():\n    from little import Lazy",
        "import threading, little\n"
        "thread = threading.Thread(target=lambda: little.Lazy)\n"
        "thread.start(); thread.join()",
    ],
    ids=["nothing", "package", "class", "lazily", "thread"],
)
def test_a_fork_goes_its_own_way(before: str, any_bare_python, tmp_path: Path) -> None:
    little_package.write(tmp_path, backend=True)
    said = any_bare_python.python(FORK.format(before=before), path=tmp_path).splitlines()
    assert said == ["(1,) type 0", "(2,) type"]


WORKERS = """
import multiprocessing as mp
import warnings
warnings.simplefilter("ignore")
import rockpool
with rockpool.lazy_imports():
    from little import Lazy
from little import late

def name(cls): return type(cls).__name__
def shape(made): return made.evolve()

if __name__ == "__main__":
    for way in ("spawn", "fork", "forkserver"):
        with mp.get_context(way).Pool(2) as pool:
            print(way, pool.map(name, [Lazy] * 3), pool.map(late, [1, 2]), end=" ")
    made = Lazy((3,))
    with mp.get_context("spawn").Pool(1) as pool:
        print(pool.map(name, [Lazy]), pool.map(shape, [made]))
"""


@pytest.mark.parametrize("backend", [False, True])
def test_workers_of_each_kind_get_classes_by_name(
    backend: bool, any_bare_python, tmp_path: Path
) -> None:
    little_package.write(tmp_path, backend=backend)
    script = tmp_path / "script.py"
    text = WORKERS
    if not backend:
        text = text.replace("pool.map(late, [1, 2])", "''").replace(
            "made = Lazy((3,))", "raise SystemExit"
        )
    script.write_text(text)
    said = any_bare_python.run(str(script), path=tmp_path).stdout
    kind, late = ("type", "[2, 4]") if backend else ("StandIn", "")
    for way in ("spawn", "fork", "forkserver"):
        assert f"{way} {[kind] * 3} {late}" in said
    assert said.rstrip().endswith("['type'] [(3,)]") == backend


IN_SUBINTERPRETERS = """
import sys
inside = '''
import sys
sys.path[:] = {path!r}
import little, rockpool.nn.modules
from little import Lazy
assert dir(little) == little.__all__ and len(dir(rockpool.nn.modules)) > 5
try: rockpool.nn.modules.LIF(3)
except ModuleNotFoundError as error: assert str(error).startswith("Missing the `numpy` backend")
else: raise AssertionError
made = Lazy((1,))
assert made.evolve() == (1,) and type(made) is Lazy
'''.format(path=sys.path)
exec(inside)
try:
    import _interpreters as interpreters  # 3.13
    run = lambda number: interpreters.exec(number, inside)
except ImportError:
    import _xxsubinterpreters as interpreters
    run = lambda number: interpreters.run_string(number, inside)
for _ in range(3):
    number = interpreters.create()
    trouble = run(number)
    assert trouble is None, trouble
    interpreters.destroy(number)
print("ok")
"""


def test_in_subinterpreters(any_bare_python, tmp_path: Path) -> None:
    """Each has packages of its own, also where they share a process."""
    little_package.write(tmp_path, backend=True)
    assert any_bare_python.python(IN_SUBINTERPRETERS, path=tmp_path) == "ok"
