"""Stand-ins in the hands of tools: mocks, listings, loggers, and what sends things to other processes."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import little_package

START = "import inspect, pickle, sys\nfrom unittest import mock\nimport little\nfrom little import Lazy\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return little_package.write(tmp_path)


def run(python, path: Path, code: str) -> str:
    return python.python(START + code, path=path)


# --- listings and mocks -----------------------------------------------------------------------------


def test_it_lists_what_the_class_defines(any_bare_python, path: Path) -> None:
    code = "print([n for n in dir(Lazy) if n[0] != '_'], '__init__' in dir(Lazy), len(inspect.getmembers(Lazy)) > 0)"
    assert run(any_bare_python, path, code) == "['evolve'] True True"


def test_it_lists_what_base_classes_define(numpy_python) -> None:
    code = """
from rockpool.nn.modules import LIFTorch, LIFNumba, step_pwl
print({"tau_mem", "evolve", "to_torch", "set_attributes"} <= set(dir(LIFTorch)), "evolve" in dir(LIFNumba))
dir(step_pwl)
"""
    assert numpy_python.python(code) == "True True"


def test_a_mock_of_it_has_its_names_and_is_an_instance(any_bare_python, path: Path) -> None:
    code = """
for make in (mock.Mock, mock.MagicMock, mock.NonCallableMock):
    made = make(spec=Lazy)
    made.evolve()
    try: made.nonsense
    except AttributeError: print(isinstance(made, Lazy), isinstance(mock.Mock(), Lazy))
made = mock.create_autospec(Lazy)
made((1,)).evolve()
print(hasattr(made, "nonsense"), isinstance(mock.create_autospec(Lazy, instance=True), Lazy))
with mock.patch.object(little, "Lazy", autospec=True) as patched: print(little.Lazy is patched)
print(little.Lazy is Lazy)
try: Lazy.evolve
except ModuleNotFoundError: print("as ever")
"""
    assert run(any_bare_python, path, code).splitlines() == [
        *["True False"] * 3,
        "False True",
        "True",
        "True",
        "as ever",
    ]


# --- errors -----------------------------------------------------------------------------------------


def test_the_reason_is_logged_once_and_is_an_attribute(bare_python, path: Path) -> None:
    code = """
import logging
from rockpool.utilities.backend_management import missing_backend_error, refresh_backends
logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s %(message)s", stream=sys.stdout)
def use():
    for use in (Lazy, lambda: Lazy.evolve, missing_backend_error("Lazy", "fake")):
        try: use()
        except ModuleNotFoundError as error: yield error
for error in use(): print(str(error) == repr(error)[21:-2], error.status.name, error.status.state, error.status.install)
print(pickle.loads(pickle.dumps(error)).status.reason)
refresh_backends()
print(len(list(use())))
"""
    said = run(bare_python, path, code).splitlines()
    note = (
        "INFO rockpool.backends The `fake` back-end is missing: no module named 'fake_backend' is "
        "installed. To get it: pip install fake_backend"
    )
    assert said == [
        note,
        *["True fake missing pip install fake_backend"] * 3,
        "no module named 'fake_backend' is installed",
        note,
        "3",
    ]


# --- a stand-in that is held while the class comes --------------------------------------------------


def test_a_standin_that_is_held_counts_as_the_class_after_its_first_use(
    any_bare_python, path: Path
) -> None:
    (path / "little" / "fake" / "lazy.py").write_text(
        "import abc, fake_backend\nclass Lazy(abc.ABC):\n    def __init__(self, n): pass\n"
        "class Other(abc.ABC): pass\n"
    )
    code = f"""
import pathlib
class Early(Lazy): pass
mocked = mock.Mock(spec=Lazy)
folder = pathlib.Path({str(path)!r}) / "fake_backend"
folder.mkdir(); (folder / "__init__.py").write_text({little_package.BACKEND!r})
made = Lazy(1)
real = little.Lazy
print(real is Lazy, issubclass(Lazy, real), issubclass(real, Lazy), issubclass(Early, real))
print(isinstance(made, Lazy), isinstance(mocked, real), issubclass(Lazy, sys.modules[real.__module__].Other))
"""
    assert run(any_bare_python, path, code).splitlines() == [
        "False True True True",
        "True True False",
    ]


# --- to other processes -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cloudpickle_python(make_environment):
    pytest.importorskip("cloudpickle")
    return make_environment("numpy", "cloudpickle")


SENT = """
import rockpool, cloudpickle, pickle, sys
import rockpool.nn.modules as m
from rockpool.nn.modules import LIFNumba
with rockpool.lazy_imports():
    from rockpool.nn.modules import LIF, LIFTorch
SECRET = "a global of the user"
class Net(LIFTorch): pass
dir(m)
def make(): return LIFNumba, LIFTorch, Net
def made(): return m.LIF(2), LIF(3)
sent = [cloudpickle.dumps(thing) for thing in (make, made, LIFTorch, Net, m)]
print(any(b"a global" in one for one in sent))
print(pickle.loads(cloudpickle.dumps(LIFTorch)) is LIFTorch, pickle.loads(pickle.dumps(m)) is m)
print([one.hex() for one in sent])
"""
RECEIVED = """
import pickle
make, made, LIFTorch, Net, m = [pickle.loads(bytes.fromhex(one)) for one in {sent}]
print(*(one.__name__ for one in make()), LIFTorch.__name__, m.__name__, *made())
for cls in (*make(), Net):
    try: print(type(cls(2)).__name__)
    except ModuleNotFoundError as error: print(error)
"""


def test_cloudpickle_sends_them_and_none_of_the_users_globals(
    cloudpickle_python, full_python
) -> None:
    secret, same, sent = cloudpickle_python.python(SENT).splitlines()
    assert (secret, same) == ("False", "True True")
    names, *errors = cloudpickle_python.python(RECEIVED.format(sent=sent)).splitlines()
    assert names == (
        "LIFNumba LIFTorch Net LIFTorch rockpool.nn.modules LIF  with shape (2, 2) LIF  with shape (3, 3)"
    )
    assert len(errors) == 4 and all(error.startswith("Missing the `") for error in errors)
    real = full_python.python(RECEIVED.format(sent=sent)).splitlines()[1:]
    assert real == ["LIFNumba", "LIFTorch", "Net", "Net"]
