"""What SynSense Rockpool has besides: an import says that it is not here, and what to use."""

from __future__ import annotations

import importlib
import sys

import pytest

from rockpool.backends.left_out import LEFT_OUT


@pytest.mark.parametrize("module", LEFT_OUT)
@pytest.mark.parametrize("form", ["import {0}", "import {0}.inner", "from {0} import Name"])
def test_a_module_that_is_left_out(module: str, form: str) -> None:
    with pytest.raises(ModuleNotFoundError, match=f"{module} is not part of this pack.* Instead: "):
        exec(form.format(module), {})
    assert module not in sys.modules


@pytest.mark.parametrize("module", LEFT_OUT)
def test_it_is_the_same_from_its_package(module: str) -> None:
    package, _, name = module.rpartition(".")
    with pytest.raises(ModuleNotFoundError, match="is not part of this package"):
        exec(f"from {package} import {name}", {})
    assert not hasattr(importlib.import_module(package), name)
    assert name not in dir(importlib.import_module(package))


def test_what_3_1_has_besides_is_among_them() -> None:
    assert {"rockpool.weights", "rockpool.analysis", "rockpool.version"} < set(LEFT_OUT)
    with pytest.raises(ModuleNotFoundError, match=r"rockpool\.weights is not part of this package"):
        exec("import rockpool.weights.reservoirweights", {})
