"""The equations of a model's table as formulas: LaTeX, and a sentence that says what is what.

A line of a table is ``name <- value`` or ``name = value``, where both sides are expressions of
Python; ``sum(... for s in synapses)`` is a sum, and a condition in brackets is 1 or 0.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

# Names whose symbol is another one; a part behind "_" is an index of what stands before it.
_SYMBOLS = {
    "act": "a",
    "bias": "b",
    "dilation": "d",
    "first": r"\text{first}",
    "iahp": r"I_{\text{ahp}}",
    "input": r"\text{input}",
    "isyn": "I",
    "kernel_size": "k",
    "max_spikes_per_dt": r"S_{\max}",
    "noise": r"\nu",
    "output": r"\text{output}",
    "padding": "p",
    "shape_in": "n",
    "spikes": "S",
    "stride": "s",
    "threshold": r"\theta",
    "u_t": "u_t",
    "vmem": "V",
    "w_rec": r"W_{\text{rec}}",
    "weight": "W",
    "x_t": "x_t",
}
_BASES = {"tau": r"\tau", "v": "V"}
# What is no parameter, state or setting of a model.
_MEANINGS = {
    "act": "the output",
    "f": "`activation_func`",
    "first": "the first channel of the group that an output channel belongs to",
    "noise": r"`noise_std` $\sqrt{dt}$ times a number that is drawn from $N(0, 1)$",
    "u_t": "the input",
    "x_t": "the input",
}
_PLAIN = {"input", "output"}
_SETS = {
    "kernel": "the channels of a group and the places of the kernel",
    "synapses": "the synapses of a neuron",
    "window": "the places of the window",
}
_FUNCTIONS = {"exp", "floor", "min", "sum"}
_SUM, _PRODUCT, _ATOM = range(3)  # how firmly the parts of a formula hold together


class FormulaError(ValueError):
    """An equation that cannot be read, or a name in it that nothing explains."""


def formulas(equations: str) -> str:
    """Return the equations as lines of LaTeX between ``$$``."""
    lines = []
    for left, arrow, right in _lines(equations):
        sign = r"\leftarrow" if arrow == "<-" else "="
        lines.append(f"{_latex(left)} &{sign} {_latex(right)}")
    body = " \\\\\n".join(lines)
    return f"$$\n\\begin{{aligned}}\n{body}\n\\end{{aligned}}\n$$"


def legend(equations: str, attributes: Iterable[str]) -> str:
    """Return the sentences that say what the symbols of the equations are.

    Parameters
    ----------
    equations : str
        As in the table of a model.
    attributes : iterable of str
        The names of its parameters, states and settings.

    Raises
    ------
    FormulaError
        A name in the equations is none of these, and nothing else explains it.
    """
    attributes = set(attributes)
    said: dict[str, str] = {}
    sums: dict[str, str] = {}
    made: set[str] = set()
    for left, _, right in _lines(equations):
        made |= set(_names(left)) - attributes
        for node in ast.walk(right):
            if isinstance(node, ast.comprehension):
                over = ast.unparse(node.iter)
                if over not in _SETS:
                    raise FormulaError(f"nothing says what {over} is in {equations!r}")
                made |= {over, *_names(node.target)}
                sums[over] = f"the sum is over {_SETS[over]}"
        for name in (*_names(right), *_names(left)):
            if name in attributes:
                if name in _SYMBOLS:
                    said[name] = f"${_symbol(name)}$ is `{name}`"
            elif name in made or name in _FUNCTIONS or name in _PLAIN:
                continue
            elif name in _MEANINGS:
                said[name] = f"${_symbol(name)}$ is {_MEANINGS[name]}"
            else:
                raise FormulaError(f"nothing says what {name} is in {equations!r}")
    texts = [*said.values(), *sums.values()]
    last = " and ".join(filter(None, [", ".join(texts[:-1]), *texts[-1:]]))
    sentences = [f"Here {last}."] if texts else []
    if "\\left[" in formulas(equations):
        sentences.append(r"$[\ldots]$ is 1 where that holds, else 0.")
    return " ".join(sentences)


def _lines(equations: str) -> Iterator[tuple[ast.expr, str, ast.expr]]:
    """Yield the left side of each line, what stands between both, and the right side."""
    for line in equations.splitlines():
        arrow = "<-" if "<-" in line else "="
        left, _, right = line.partition(f" {arrow} ")
        try:
            yield _parsed(left), arrow, _parsed(right)
        except SyntaxError as error:
            raise FormulaError(f"no equation: {line!r}") from error


def _parsed(text: str) -> ast.expr:
    return ast.parse(text.strip(), mode="eval").body


def _names(node: ast.AST) -> list[str]:
    """Return the names in an expression, in the order in which they are read."""
    if isinstance(node, ast.Name):
        return [node.id]
    return [name for child in ast.iter_child_nodes(node) for name in _names(child)]


def _symbol(name: str) -> str:
    if name in _SYMBOLS:
        return _SYMBOLS[name]
    base, _, index = name.partition("_")
    symbol = _BASES.get(base, base if len(base) == 1 or base == "dt" else rf"\text{{{base}}}")
    return rf"{symbol}_{{\text{{{index}}}}}" if index else symbol


def _latex(node: ast.expr, within: int = _SUM, inline: bool = False) -> str:
    """Return an expression, in brackets where it holds less firmly than `within` needs it."""
    text, firmness = _text(node, inline)
    return text if firmness >= within else rf"({text})"


def _text(node: ast.expr, inline: bool) -> tuple[str, int]:
    """Return an expression and how firmly it holds; quotients stand in a line if `inline`."""
    match node:
        case ast.Name():
            return _symbol(node.id), _ATOM
        case ast.Constant():
            return str(node.value), _ATOM
        case ast.UnaryOp(op=ast.USub()):
            return f"-{_latex(node.operand, _PRODUCT, inline)}", _SUM
        case ast.BinOp():
            return _operation(node, inline)
        case ast.Compare():
            return rf"\left[{_condition(node)}\right]", _ATOM
        case ast.IfExp():
            parts = _latex(node.body), _condition(node.test), _latex(node.orelse)
            return r"{} \text{{ if }} {} \text{{, else }} {}".format(*parts), _SUM
        case ast.Call():
            return _call(node)
        case ast.Subscript():
            return _entry(node), _ATOM
    raise FormulaError(f"no formula is known for {ast.unparse(node)}")


def _condition(node: ast.expr) -> str:
    """Return a comparison, without brackets."""
    match node:
        case ast.Compare(left=left, ops=[ast.Gt() | ast.GtE() as op], comparators=[right]):
            sign = ">" if isinstance(op, ast.Gt) else r"\ge"
            return f"{_latex(left)} {sign} {_latex(right)}"
    raise FormulaError(f"no formula is known for {ast.unparse(node)}")


def _operation(node: ast.BinOp, inline: bool) -> tuple[str, int]:
    def side(of: ast.expr, within: int) -> str:
        leads = of is node.left and isinstance(of, ast.UnaryOp)  # -a b is (-a) b
        return _latex(of, _SUM if leads else within, inline)

    match node.op:
        case ast.Add():
            return f"{side(node.left, _SUM)} + {side(node.right, _SUM)}", _SUM
        case ast.Sub():
            return f"{side(node.left, _SUM)} - {side(node.right, _PRODUCT)}", _SUM
        case ast.Mult():
            return rf"{side(node.left, _PRODUCT)} \, {side(node.right, _PRODUCT)}", _PRODUCT
        case ast.MatMult():
            return rf"{side(node.left, _ATOM)} \cdot {side(node.right, _ATOM)}", _PRODUCT
        case ast.Div() if inline:
            return f"{side(node.left, _PRODUCT)} / {side(node.right, _ATOM)}", _PRODUCT
        case ast.Div():
            return rf"\frac{{{_latex(node.left)}}}{{{_latex(node.right)}}}", _ATOM
    raise FormulaError(f"no formula is known for {ast.unparse(node)}")


def _call(node: ast.Call) -> tuple[str, int]:
    match ast.unparse(node.func), node.args:
        case "exp", [of]:
            return rf"e^{{{_latex(of, inline=True)}}}", _ATOM
        case "floor", [of]:
            return rf"\left\lfloor {_latex(of)} \right\rfloor", _ATOM
        case "min", args:
            return rf"\min\left({', '.join(map(_latex, args))}\right)", _ATOM
        case "sum", [ast.GeneratorExp(elt=of, generators=[over])]:
            return rf"\sum_{{{_indices(over.target)}}} {_latex(of, _PRODUCT)}", _PRODUCT
        case name, args:
            return rf"{_symbol(name)}({', '.join(map(_latex, args))})", _ATOM


def _indices(node: ast.expr) -> str:
    parts = node.elts if isinstance(node, ast.Tuple) else [node]
    return r",\,".join(_latex(part, inline=True) for part in parts)


def _entry(node: ast.Subscript) -> str:
    """Return an entry of an array: its indices below it, or behind it where they are sums."""
    plain = not any(isinstance(part, ast.BinOp) for part in ast.walk(node.slice))
    name = _latex(node.value)
    return f"{name}_{{{_indices(node.slice)}}}" if plain else f"{name}[{_indices(node.slice)}]"
