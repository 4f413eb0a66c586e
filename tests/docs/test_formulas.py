"""The equations of the models: as formulas, and as what the modules compute."""

from __future__ import annotations

import ast
import itertools
import operator
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rockpool.nn.models.catalogue import MODELS
from rockpool.nn.models.model import Model
from rockpool.nn.modules import native

sys.path.append(str(Path(__file__).parents[2] / "docs" / "_make"))

from formulas import FormulaError, formulas, legend


@pytest.mark.parametrize(
    ("equation", "wanted"),
    [
        ("vmem <- vmem + isyn * w_in", r"V &\leftarrow V + I \, w_{\text{in}}"),
        ("x = (a + b) * exp(-dt / tau_syn)", r"x &= (a + b) \, e^{-dt / \tau_{\text{syn}}}"),
        ("x = a - (b - c) - d / (a + b)", r"x &= a - (b - c) - \frac{d}{a + b}"),
        ("x = exp(a / (b * c))", r"x &= e^{a / (b \, c)}"),
        ("x = -a * (-b)", r"x &= -a \, (-b)"),
        ("x = (a + b) @ w_rec", r"x &= (a + b) \cdot W_{\text{rec}}"),
        ("x = (a >= b) * floor(a / b)", r"x &= \left[a \ge b\right] \, \left\lfloor \frac{a}{b} \right\rfloor"),
        ("x = a if b > 0 else c", r"x &= a \text{ if } b > 0 \text{, else } c"),
        ("x = sum(isyn[s] for s in synapses) + a", r"x &= \sum_{s} I_{s} + a"),
        ("y[c, x] = weight[c, 2 * x]", r"y_{c,\,x} &= W[c,\,2 \, x]"),
        ("x = min(a, max_spikes_per_dt)", r"x &= \min\left(a, S_{\max}\right)"),
    ],
)  # fmt: skip
def test_an_equation_becomes_a_formula(equation: str, wanted: str) -> None:
    assert formulas(equation) == f"$$\n\\begin{{aligned}}\n{wanted}\n\\end{{aligned}}\n$$"


def test_symbols_are_explained_once_each() -> None:
    said = legend("vmem <- (vmem + x_t) * (vmem > threshold)", ["vmem", "threshold"])
    assert said == (
        r"Here $V$ is `vmem`, $x_t$ is the input and $\theta$ is `threshold`."
        r" $[\ldots]$ is 1 where that holds, else 0."
    )


@pytest.mark.parametrize(
    ("equation", "wrong"),
    [
        ("vmem <- vmem + surprise", "nothing says what surprise is"),
        ("vmem <- sum(vmem[n] for n in heaps)", "nothing says what heaps is"),
        ("vmem <- vmem in bias", "no formula is known for vmem in bias"),
        ("vmem <- vmem bias", "no equation: 'vmem <- vmem bias'"),
    ],
)
def test_what_cannot_be_a_formula_is_refused(equation: str, wrong: str) -> None:
    with pytest.raises(FormulaError, match=wrong):
        legend(equation, ["vmem", "bias"])
        formulas(equation)


# -- what the tables say is what the modules do ----------------------------------------------------

OPERATORS: dict[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.MatMult: lambda a, b: np.tensordot(a, b, 1),
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


def value(node: ast.expr, names: dict[str, Any]) -> Any:
    """Return what an expression of a table amounts to."""

    def of(part: ast.expr) -> Any:
        return value(part, names)

    match node:
        case ast.Name():
            return names[node.id]
        case ast.Constant():
            return node.value
        case ast.Tuple():
            return tuple(map(of, node.elts))
        case ast.UnaryOp(op=ast.USub()):
            return -of(node.operand)
        case ast.BinOp():
            return OPERATORS[type(node.op)](of(node.left), of(node.right))
        case ast.Compare():
            return OPERATORS[type(node.ops[0])](of(node.left), of(node.comparators[0])) * 1.0
        case ast.IfExp():
            return np.where(of(node.test), of(node.body), of(node.orelse))
        case ast.Subscript():
            return of(node.value)[of(node.slice)]
        case ast.Call(args=[ast.GeneratorExp(elt=inside, generators=[over])]):
            each = [name.id for name in ast.walk(over.target) if isinstance(name, ast.Name)]
            places = of(over.iter)
            return sum(value(inside, names | dict(zip(each, p, strict=True))) for p in places)
        case ast.Call():
            return of(node.func)(*map(of, node.args))
    raise AssertionError(ast.unparse(node))


def step(model: Model, names: dict[str, Any]) -> None:
    """Compute one time step by the equations of a table."""
    for line in model.equations.splitlines():
        left, right = (
            ast.parse(side.strip(), mode="eval").body
            for side in line.split(" <- " if "<-" in line else " = ")
        )
        if isinstance(left, ast.Name):
            names[left.id] = value(right, names)
            continue
        assert isinstance(left, ast.Subscript)
        indexed = left if isinstance(left.slice, ast.Tuple) else right  # by names alone
        indices = [name.id for name in indexed.slice.elts]
        array = names[indexed.value.id]
        for place in np.ndindex(array.shape):
            there = names | dict(zip(indices, place, strict=True))
            names["output"][value(left.slice, there)] = value(right, there)


class Padded:
    """An array that is 0 outside."""

    def __init__(self, array: np.ndarray) -> None:
        self.array = array

    def __getitem__(self, place: tuple[int, ...]) -> float:
        inside = all(0 <= at < size for at, size in zip(place, self.array.shape, strict=True))
        return float(self.array[place]) if inside else 0.0


RNG = np.random.default_rng(0)
RECURRENT = {"has_rec": True, "w_rec": RNG.normal(0, 0.3, (3, 3))}
WINDOW = [*itertools.product(range(3), range(2))]
# What a module is made with, and what the equations have to be told besides.
CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "LIF": (
        {
            "shape": (6, 3), "has_rec": True, "w_rec": RNG.normal(0, 0.3, (3, 6)), "bias": 0.1,
            "tau_syn": RNG.uniform(2e-3, 9e-3, (3, 2)), "threshold": 0.7, "max_spikes_per_dt": 3,
        },
        {"synapses": [((..., 0),), ((..., 1),)]},
    ),
    "ExpSyn": ({"shape": 3, "tau": [2e-3, 5e-3, 9e-3]}, {}),
    "Rate": ({"shape": 3, "tau": 5e-3, "bias": 0.1, "threshold": 0.2, **RECURRENT}, {"act": np.zeros(3)}),
    "Linear": ({"shape": (3, 4), "has_bias": True, "bias": RNG.normal(size=4)}, {}),
    "Conv2d": (
        {"shape_in": (4, 7, 6), "n_channels": 6, "kernel_size": (3, 2), "stride": 2, "padding": 1, "groups": 2},
        {"kernel": [(c, i, j) for c in range(2) for i, j in WINDOW], "first": lambda o: 2 * (o // 3), "stride": 2, "padding": 1, "dilation": 1},
    ),
    "Conv1d": (
        {"shape_in": (4, 9), "n_channels": 6, "kernel_size": 3, "padding": 2, "dilation": 2, "groups": 2},
        {"kernel": [*itertools.product(range(2), range(3))], "first": lambda o: 2 * (o // 3), "stride": 1, "padding": 2, "dilation": 2},
    ),
    "SumPool2d": (
        {"shape_in": (2, 6, 7), "kernel_size": (3, 2), "stride": 2, "padding": 1},
        {"window": WINDOW, "stride": 2, "padding": 1},
    ),
    "AvgPool2d": (
        {"shape_in": (2, 6, 6), "kernel_size": (3, 2), "stride": 3},
        {"window": WINDOW, "stride": 3, "padding": 0, "kernel_size": (3, 2)},
    ),
    "Flatten": ({"shape_in": (2, 3, 4)}, {"shape_in": (2, 3, 4)}),
    "Scale": ({"shape_in": 6, "weight": RNG.normal(size=6)}, {}),
    "IFEuler": ({"shape": 3, "r": 90.0, "v_reset": -0.1, **RECURRENT}, {}),
    "LIFEuler": ({"shape": 3, "tau_mem": 4e-3, "v_leak": 0.2, "v_reset": -0.1, "r": 3.0, **RECURRENT}, {}),
    "CubaLIFEuler": ({"shape": 3, "tau_mem": 4e-3, "tau_syn": 3e-3, "w_in": 4.0, **RECURRENT}, {}),
    "LIEuler": ({"shape": 3, "tau_mem": 4e-3, "v_leak": 0.2, "r": 3.0}, {}),
    "CubaLIEuler": ({"shape": 3, "tau_mem": 4e-3, "tau_syn": 3e-3, "w_in": 4.0}, {}),
}  # fmt: skip
FUNCTIONS = {"exp": np.exp, "floor": np.floor, "min": np.minimum, "f": lambda x, t: np.maximum(x - t, 0)}  # fmt: skip
# Which name of the equations is the output, where `spikes` and `output` are none.
OUTPUTS = {"ExpSyn": "isyn", "Rate": "act", "LIEuler": "vmem", "CubaLIEuler": "vmem"}


def test_each_model_of_numpy_has_a_case() -> None:
    assert CASES.keys() == {model.name for model in MODELS if "numpy" in model.classes}


@pytest.mark.parametrize("name", CASES)
def test_the_equations_are_what_the_module_computes(name: str) -> None:
    model = next(model for model in MODELS if model.name == name)
    arguments, more = CASES[name]
    module = getattr(native, name)(**arguments)
    names: dict[str, Any] = FUNCTIONS | {"noise": 0.0} | module.parameters() | module.state()
    names |= module.simulation_parameters() | more
    shape_in = getattr(module, "shape_in", (module.size_in,))
    x = RNG.random((1, 20 if model.states else 2, *shape_in))
    found = module(x)[0]
    if name == "LIF":  # its channels by neuron and synapse
        shape_in, names["w_rec"] = (3, 2), names["w_rec"].reshape(3, 3, 2)
    for at, x_t in enumerate(x[0]):
        x_t = x_t.reshape(shape_in)
        names |= {"x_t": x_t, "u_t": x_t, "input": Padded(x_t) if "stride" in more else x_t}
        names["output"] = np.full(found.shape[2:], np.nan)
        step(model, names)
        output = names[OUTPUTS.get(name, "spikes" if "spikes" in names else "output")]
        assert np.allclose(found[0, at], output)
