"""`rockpool.nn.choice.choose`, and the back-end ``auto``: choices by a given table of costs."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rockpool
from rockpool import convert, describe
from rockpool.nn.choice import choose, column_of
from rockpool.nn.combinators import Sequential
from rockpool.nn.costs import CANDIDATES, KINDS, Column, Cost, write_costs
from rockpool.nn.description import Node
from rockpool.nn.kernels.switch import use_kernels
from rockpool.nn.modules import LIF, BooleanState, Conv2d, ExpSyn, Linear, SumPool2d

DEAR = Cost(1e9, 1e9, 1e9, 1e9, 1e9)


def network(n: int = 4) -> Any:
    return Sequential(Linear((n, n), weight=np.eye(n)), LIF(n))


def give(folder: Path, monkeypatch: pytest.MonkeyPatch, **costs: Cost) -> None:
    """Have back-ends cost this, for layers of any kind; the others are dear."""
    monkeypatch.setenv("ROCKPOOL_COST_FILE", str(folder / "costs.json"))
    columns = {}
    for name in CANDIDATES:
        cost = costs.get(name, DEAR)
        layers = dict.fromkeys(KINDS, cost) | {"Sequential": Cost()}
        columns[column_of(name)] = Column(0.0, layers)
    write_costs(columns)


def seconds(net: Any, shape: tuple[int, ...], backend: str = "numpy") -> float:
    return choose(describe(net), shape).costs[backend]


def test_the_cheapest_is_chosen_for_each_shape(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = Cost(call=10, step=10)
    give(tmp_path, monkeypatch, numpy=few, numba=Cost(call=50, value=1), torch=Cost(call=9000))
    found = {shape: choose(describe(network()), shape) for shape in ((1, 1), (1, 10), (64, 1000))}
    assert [choice.backend for choice in found.values()] == ["numpy", "numba", "torch"]
    assert list(found[1, 10].costs) == ["numba", "numpy", "torch", "jax"]
    assert found[1, 10].costs["numba"] == pytest.approx(2 * (50 + 40) * 1e-9)
    assert found[1, 10].reason.startswith("a call of 1 x 10 time steps is expected to take 0.18 us")
    assert found[1, 10].reason.endswith("(costs measured here)")


@pytest.mark.parametrize(
    ("layer", "cost", "shape", "wanted"),
    [
        (LIF((6, 3)), Cost(value=1), (2, 5), 2 * 5 * 3),
        (LIF((6, 3)), Cost(step=1), (2, 5), 5),
        (LIF((6, 3)), Cost(product=1), (2, 5), 0),
        (LIF(3, has_rec=True), Cost(product=1), (2, 5), 2 * 5 * 9),
        (Linear((6, 3)), Cost(product=1), (2, 5), 2 * 5 * 18),
        (Linear((6, 3)), Cost(weight=1), (2, 5), 18),
        (Conv2d((2, 5, 5), 4, kernel_size=(3, 3)), Cost(product=1), (1, 1), 4 * 3 * 3 * 18),
        (SumPool2d((2, 4, 4), kernel_size=(2, 2)), Cost(product=1), (1, 1), 2 * 2 * 2 * 4),
        (Sequential(LIF(3), Sequential(ExpSyn(3))), Cost(call=1), (1, 1), 2),
    ],
)
def test_the_costs_of_layers_are_added(
    layer: Any,
    cost: Cost,
    shape: tuple[int, int],
    wanted: float,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    give(tmp_path, monkeypatch, numpy=cost)
    assert seconds(layer, shape) == pytest.approx(wanted * 1e-9)


def test_the_rest_of_a_shape_does_not_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    give(tmp_path, monkeypatch, numpy=Cost(1, 1, 1))
    assert seconds(network(), (3, 7, 4)) == seconds(network(), (3, 7))


def test_convert_and_load_take_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    give(tmp_path, monkeypatch, numba=Cost(step=1), torch=Cost(call=500))
    net = network()
    rockpool.save(net, tmp_path / "net.safetensors")
    for made in (
        convert(net, "auto"),
        rockpool.load(tmp_path / "net.safetensors", "auto"),
    ):
        assert made[1].class_name == "LIFNumba"
    for made in (
        convert(net, "auto", shape=(1, 1000)),
        rockpool.load(tmp_path / "net.safetensors", "auto", shape=(1, 1000)),
    ):
        assert made[1].class_name == "LIFTorch"
    assert describe(convert(net, "auto"), state=False) == describe(net, state=False)


def test_the_choice_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    give(tmp_path, monkeypatch, numba=Cost(1))
    with caplog.at_level(logging.INFO, "rockpool.choice"):
        convert(network(), "auto", shape=(2, 3))
    (record,) = caplog.records
    assert record.getMessage().startswith("numba: a call of 2 x 3 time steps is expected")


def test_only_what_can_hold_the_network_is_chosen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    give(tmp_path, monkeypatch, numba=Cost(1))
    choice = choose(describe(Sequential(BooleanState(2))))
    assert (choice.backend, list(choice.costs)) == ("torch", ["torch"])
    assert "no other that is here can hold the network" in choice.reason
    with pytest.raises(ValueError, match=r"'auto' is one of numpy, .* it is on sinabs-exodus"):
        choose(Node("LIFMembraneExodus", (2, 2)))


@pytest.mark.parametrize("shape", [(1,), (0, 5), (1, 2.5), "ab", 3, None, (True, 2)])
def test_a_wrong_shape_is_refused(shape: Any) -> None:
    with pytest.raises(ValueError, match=r"choose: shape must be \(B, T\), two integers > 0"):
        choose(describe(network()), shape)


def test_other_wrong_arguments_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="choose: calls must be an integer > 0 or None, got 0"):
        choose(describe(network()), calls=0)
    with pytest.raises(ValueError, match="convert: shape is for the back-end 'auto', got 'numba'"):
        convert(network(), "numba", shape=(1, 1))
    rockpool.save(network(), tmp_path / "net.safetensors")
    with pytest.raises(ValueError, match="load: shape is for the back-end 'auto', got 'numpy'"):
        rockpool.load(tmp_path / "net.safetensors", shape=(1, 1))


def test_torch_and_jax_cost_more_without_kernels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROCKPOOL_COST_FILE", str(tmp_path / "none.json"))
    with use_kernels(True):
        assert column_of("torch") == "torch"
        fast = seconds(network(), (1, 100), "torch")
    with use_kernels(False):
        assert [column_of(name) for name in CANDIDATES] == [
            *("numpy", "numba", "torch, no kernels", "jax, no kernels")
        ]
        assert seconds(network(), (1, 100), "torch") > 5 * fast


CHOOSING = """
import sys
from rockpool import describe
from rockpool.nn.choice import choose
from rockpool.nn.modules import LIF
"""


def test_the_start_counts_where_the_process_is_soon_over(full_python: Any, tmp_path: Path) -> None:
    code = CHOOSING + (
        "print([choose(describe(LIF(4)), (1, 100), calls=n).backend for n in (1, 10**5, None)])\n"
        "print(choose(describe(LIF(4)), (1, 100), calls=1).backend, 'numba' in sys.modules)\n"
        "print('torch' in sys.modules or 'jax' in sys.modules)"
    )
    said = full_python.python(code, ROCKPOOL_COST_FILE=str(tmp_path / "none.json"))
    assert said.splitlines() == ["['numpy', 'numba', 'numba']", "numba True", "False"]


def test_with_numpy_alone_it_is_numpy(numpy_python: Any, tmp_path: Path) -> None:
    code = CHOOSING + (
        "from rockpool import convert\n"
        "choice = choose(describe(LIF(4)))\nprint(choice.backend, list(choice.costs))\n"
        "print(convert(LIF(4), 'auto').class_name)"
    )
    said = numpy_python.python(code, HOME=str(tmp_path), XDG_CACHE_HOME=str(tmp_path))
    assert said.splitlines() == ["numpy ['numpy']", "LIF"]
    assert not list(tmp_path.iterdir())


def test_a_broken_back_end_is_not_chosen(full_python: Any, tmp_path: Path) -> None:
    (tmp_path / "numba").mkdir()
    (tmp_path / "numba" / "__init__.py").write_text("raise OSError('no such library')")
    code = CHOOSING + (
        "choice = choose(describe(LIF(4)))\nprint(choice.backend, list(choice.costs))\n"
        "print(choose(describe(LIF(4)), (64, 1000)).backend)"
    )
    environment = {"ROCKPOOL_COST_FILE": str(tmp_path / "none.json")}
    short, long = full_python.python(code, path=tmp_path, **environment).splitlines()
    assert short.startswith("jax [") and "numba" not in short
    assert long == "jax"  # torch has no kernels then
