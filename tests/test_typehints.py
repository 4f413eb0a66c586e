"""The aliases for the types of module arguments."""

from __future__ import annotations

import importlib
import inspect
import typing

import pytest

import rockpool.typehints as typehints
from rockpool.backends.standin import is_standin
from rockpool.parameters import ParameterBase

ALIASES = [
    "P_int",
    "P_str",
    "P_float",
    "P_bool",
    "P_Callable",
    "P_ndarray",
    "P_tensor",
    "P_tree",
    "Tree",
    "Leaf",
    "Value",
    "Node",
    "FloatVector",
    "IntVector",
    "JaxTreeDef",
    "JaxRNGKey",
    "TreeDef",
    "Tensor",
]


@pytest.mark.parametrize("name", ALIASES)
def test_each_alias_can_be_used_in_an_annotation_at_run_time(name):
    alias = getattr(typehints, name)

    def function(value): ...

    function.__annotations__["value"] = alias
    assert typing.get_type_hints(function)["value"] == alias
    assert name in dir(typehints) and name in typehints.__all__


@pytest.mark.parametrize("name, plain", [("P_int", int), ("P_str", str), ("P_float", float)])
def test_a_p_alias_is_the_plain_type_or_a_parameter(name, plain):
    assert set(typing.get_args(getattr(typehints, name))) == {plain, ParameterBase}


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match=r"rockpool\.typehints.*P_nothing"):
        typehints.P_nothing  # noqa: B018


def test_the_design_rule_exceptions():
    assert issubclass(typehints.DRCError, ValueError)
    assert issubclass(typehints.DRCWarning, typehints.DRCError)
    assert issubclass(typehints.DRCWarning, Warning)


def test_importing_loads_nothing_else(bare_python):
    loaded = bare_python.python(
        "import sys, rockpool; before = set(sys.modules); import rockpool.typehints;"
        "print(sorted(set(sys.modules) - before))"
    )
    assert loaded == "['__future__', 'rockpool.typehints']"


@pytest.mark.parametrize(
    "package",
    ["nn.modules", "nn.combinators", "graph", "timeseries", "parameters"],
)
def test_the_annotations_of_public_names_resolve(package):
    module = importlib.import_module(f"rockpool.{package}")
    for name in module.__all__:
        found = getattr(module, name)
        if is_standin(found):  # for a back-end that has to be missing here, as that of CUDA
            continue
        members = [getattr(found, key) for key in dir(found) if not key.startswith("_")]
        methods = [getattr(member, "__func__", member) for member in members]
        for thing in (found, getattr(found, "__init__", None), *methods):
            if inspect.isclass(thing) or inspect.isfunction(thing):
                typing.get_type_hints(thing)
