"""The back-end of a container follows from its modules, and nothing is imported to find out."""

from __future__ import annotations

from collections import OrderedDict

import pytest
import torch

from rockpool.nn.combinators._factory import _backend_of
from rockpool.nn.modules import Linear


def test_native_modules_load_no_other_back_end(full_python):
    printed = full_python.python(
        "import sys; from rockpool.nn.combinators import Sequential, FFwdStack, Residual;"
        "from rockpool.nn.modules import Linear;"
        "Sequential({'a': Linear((2, 2))}, Linear((2, 2)));"
        "Residual(Linear((2, 2))); FFwdStack(Linear((2, 2)), Linear((3, 2)));"
        "print([name for name in ('torch', 'jax', 'numba', 'scipy') if name in sys.modules])"
    )
    assert printed == "[]"


@pytest.mark.parametrize(
    "arguments, expected",
    [
        ([], "native"),
        ([Linear((2, 2))], "native"),
        ([torch.nn.Linear(2, 2)], "torch"),
        ([{"a": torch.nn.ReLU()}], "torch"),
        ([OrderedDict(a=torch.nn.ReLU()), 3], "torch"),
        ([3, Linear((2, 2)), torch.nn.ReLU()], "torch"),
    ],
)
def test_the_first_module_of_a_back_end_decides(arguments, expected):
    assert _backend_of(arguments) == expected


def test_the_classes_of_a_back_end_are_found_beside_the_factory():
    from rockpool.nn import combinators
    from rockpool.nn.combinators.ffwd_stack import TorchFFwdStack
    from rockpool.nn.combinators.residual import TorchResidual
    from rockpool.nn.combinators.sequential import TorchSequential

    assert TorchSequential is combinators.TorchSequential
    assert TorchResidual is combinators.TorchResidual
    assert TorchFFwdStack is combinators.TorchFFwdStack
    assert type(combinators.Sequential(torch.nn.Linear(2, 2))) is TorchSequential


def test_without_the_back_end_they_are_stand_ins(numpy_python):
    printed = numpy_python.python(
        "from rockpool.nn.combinators.sequential import TorchSequential\n"
        "try: TorchSequential()\n"
        "except ModuleNotFoundError as error: print(error)"
    )
    assert printed.startswith("Missing the `torch` backend. `TorchSequential` objects")


def test_any_other_name_is_an_attribute_error():
    from rockpool.nn.combinators import ffwd_stack, residual, sequential

    for file in (ffwd_stack, residual, sequential):
        with pytest.raises(AttributeError, match=f"{file.__name__}.*NoSuchClass"):
            file.NoSuchClass  # noqa: B018
