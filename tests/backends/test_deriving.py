"""Classes that derive from a stand-in are written as with the real class, in every way that Python has."""

from __future__ import annotations

import pytest

NETS = {
    "plain": "class Net(TorchModule): pass",
    "beside a module": "class Named(Module): pass\nclass Net(Named, TorchModule): pass",
    "beside a module that is usable": "class Named(LIF): pass\nclass Net(Named, LIFTorch): pass",
    "beside a timed module": "class Named(TimedModule): pass\nclass Net(Named, TorchModule): pass",
    "beside a class of one's own metaclass": (
        "class Meta(type(Module)): pass\nclass Named(Module, metaclass=Meta): pass\n"
        "class Net(Named, TorchModule): pass"
    ),
    "of one's own metaclass": (
        "class Meta(type(TorchModule)): pass\nclass Net(TorchModule, metaclass=Meta): pass"
    ),
    "generic": "class Net(LIFTorch, typing.Generic[typing.TypeVar('T')]): pass\nNet[int]",
    "abstract": ("class Net(LIFTorch, abc.ABC):\n    @abc.abstractmethod\n    def f(self): ..."),
    "dataclass": "@dataclass\nclass Net(TorchModule):\n    n: int\n    m: float = 2.0",
    "dataclass with slots": "@dataclass(slots=True, kw_only=True)\nclass Net(LIFTorch):\n    n: int",
    "frozen dataclass": "@dataclass(frozen=True)\nclass Net(LIFTorch):\n    n: int",
    "dataclass beside a module": (
        "class Named(Module): pass\n@dataclass\nclass Net(Named, TorchModule):\n    n: int = 2"
    ),
    "with a keyword": (
        "class Mix:\n    def __init_subclass__(cls, key=None): cls.key = key\n"
        "class Net(Mix, TorchModule, key=3): pass\nassert Net.key == 3"
    ),
    "asked for what it lacks": (
        "class Mix:\n    def __init_subclass__(cls): cls.seen = getattr(cls, 'key', 'default')\n"
        "class Net(TorchModule, Mix): pass\nassert Net.seen == 'default'"
    ),
    "its documentation": (
        "class Net(TorchModule):\n    'Mine.'\nNet.__doc__ += ' More.'\nassert Net.__doc__ == 'Mine. More.'"
    ),
    "its signature": (
        "class Net(TorchModule): pass\nNet.__signature__ = inspect.Signature()\n"
        "assert str(inspect.signature(Net)) == '()'"
    ),
    "twice": "class First(LIFTorch): pass\nclass Net(First, LIFJax): pass",
    "total ordering": (
        "@functools.total_ordering\nclass Net(LIFTorch):\n    def __lt__(self, other): return True"
    ),
}
START = """
import abc, functools, inspect, typing
from dataclasses import dataclass
from rockpool.nn.modules import LIF, LIFJax, LIFTorch, Module, TimedModule, TorchModule
"""


@pytest.mark.parametrize("definition", NETS.values(), ids=NETS)
def test_each_way_of_deriving(definition: str, numpy_python) -> None:
    code = f"""{START}
{definition}
try: Net(2)
except ModuleNotFoundError as error: print(error.__notes__[-1])
print(isinstance(Net, type), issubclass(Net, LIFTorch) or issubclass(Net, TorchModule), isinstance(LIF(2), Module))
print(inspect.signature(Net) is not None, repr(Net) == str(Net), [name for name in dir(Net)] != [])
"""
    first, *others = numpy_python.python(code).splitlines()
    assert first.startswith("`Net` derives from ") and "define it again" in first
    assert others == ["True True True", "True True True"]


@pytest.mark.parametrize("beside", ["", "Module, "])
def test_what_a_derived_class_lacks_is_an_attribute_error_with_the_reason(
    beside: str, numpy_python
) -> None:
    code = f"""{START}
class Net({"LIF, " if beside else ""}TorchModule): pass
print(hasattr(Net, "absent"), hasattr(Net, "_absent"), getattr(Net, "absent", 3))
try: Net.absent
except AttributeError as error: print(error, *error.__notes__, sep="|")
"""
    said = numpy_python.python(code).splitlines()
    assert said[0] == "False False 3"
    assert said[1].startswith("type object 'Net' has no attribute 'absent'|Missing the `torch`")
    assert 'pip install "torch>=2.1"' in said[1]


def test_a_real_class_has_the_errors_of_python() -> None:
    from rockpool.nn.modules import LIF

    with pytest.raises(AttributeError, match=r"^type object 'LIF' has no attribute 'absent'$") as e:
        LIF.absent  # noqa: B018
    assert not hasattr(e.value, "__notes__")
    assert repr(LIF) == "<class 'rockpool.nn.modules.native.lif.LIF'>"
    assert LIF.__doc__ and LIF.__doc__.startswith("A layer of leaky")
