"""What a call of a layer costs on each back-end: a small table, measured or by default.

A call of a layer with B batch elements, T time steps and N values a step, which multiplies P times
a step, is taken to last::

    call + step T + value B T N + product B T P + weight P

nanoseconds of CPU time on one thread, where the numbers of a `Cost` stand. ``rockpool bench
--choose`` measures them and writes them to `cost_file`; nothing else writes there. A file that is
damaged is passed over with a warning, and so is what no file says: then `DEFAULTS` holds.
"""

import json
import math
import os
import warnings
from collections.abc import Mapping
from typing import Any, NamedTuple

from rockpool.backends.kept_code import user_cache
from rockpool.utilities._atomic import replacing

__all__ = [
    "CANDIDATES",
    "COLUMNS",
    "KINDS",
    "Column",
    "Cost",
    "cost_file",
    "known_costs",
    "read_costs",
    "write_costs",
]

# Back-ends in this process that give the same spikes
CANDIDATES = ("numpy", "numba", "torch", "jax")
# What is measured: torch and jax with compiled kernels, for which numba is needed, and without
COLUMNS = (*CANDIDATES, "torch, no kernels", "jax, no kernels")
# Kinds of layers; "Sequential" is what a container adds for each layer in it
KINDS = ("LIF", "recurrent LIF", "ExpSyn", "Rate", "Linear", "Conv2d", "Sequential")

VARIABLE = "ROCKPOOL_COST_FILE"
FORMAT = 1
_ABOUT = (
    "What calls of layers cost, in nanoseconds, as 'rockpool bench --choose' measured it for "
    'backend="auto". It may be deleted: then defaults hold.'
)
_LARGEST_FILE = 1 << 16
_LARGEST = 1e15  # ns


class Cost(NamedTuple):
    """What a call of one kind of layer costs on one back-end, in nanoseconds.

    Attributes
    ----------
    call : float
        Each call.
    step : float
        Each time step.
    value : float
        Each value of the output: per batch element, time step and neuron.
    product : float
        Each multiplication by a weight.
    weight : float
        Each weight, once a call.
    """

    call: float = 0.0
    step: float = 0.0
    value: float = 0.0
    product: float = 0.0
    weight: float = 0.0


class Column(NamedTuple):
    """The costs of one back-end.

    Attributes
    ----------
    start : float
        Nanoseconds that its import and a first call take.
    layers : mapping of str to Cost
        What calls cost then, by the kind of layer.
    """

    start: float
    layers: Mapping[str, Cost]


Costs = Mapping[str, Column]


def cost_file() -> str:
    """Return the path of the file with measured costs; there need not be one.

    The environment variable ``ROCKPOOL_COST_FILE`` names it. Default: ``rockpool/costs.json`` in
    the user's folder for caches, ``$XDG_CACHE_HOME`` or ``~/.cache`` on Linux.
    """
    given = os.environ.get(VARIABLE)
    return given or os.path.join(user_cache(), "rockpool", "costs.json")


def known_costs() -> tuple[Costs, frozenset[str]]:
    """Return the costs of all columns, and the names of those that were measured here."""
    measured = _measured(cost_file())
    return {**DEFAULTS, **measured}, frozenset(measured)


def write_costs(costs: Costs) -> str:
    """Write measured costs to `cost_file`, beside those of other columns; return its path.

    Raises
    ------
    OSError
        It cannot be written.
    """
    path = cost_file()
    try:
        kept = read_costs(path)
    except (OSError, ValueError):
        kept = {}
    columns = {
        name: {
            "start": _rounded(column.start),
            "layers": {
                kind: {field: _rounded(number) for field, number in cost._asdict().items()}
                for kind, cost in column.layers.items()
            },
        }
        for name, column in {**kept, **costs}.items()
    }
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    with replacing(path, encoding="utf-8") as file:
        json.dump({"about": _ABOUT, "format": FORMAT, "columns": columns}, file, indent=1)
        file.write("\n")
    return path


def read_costs(path: str) -> dict[str, Column]:
    """Return the costs in a file, all of it checked.

    Raises
    ------
    OSError
        It cannot be read.
    ValueError
        It is not such a file, or is damaged.
    """
    with open(path, "rb") as file:
        content = file.read(_LARGEST_FILE + 1)
    if len(content) > _LARGEST_FILE:
        raise ValueError(f"it has more than {_LARGEST_FILE} bytes")
    try:
        said = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"it is no JSON: {error}") from error
    if not isinstance(said, dict) or said.get("format") != FORMAT:
        raise ValueError(f"it must be an object with format {FORMAT}")
    return {
        _known(name, COLUMNS): _column(name, column)
        for name, column in _object(said.get("columns"), "columns").items()
    }


def _column(name: str, said: Any) -> Column:
    """Return one column of a file."""
    column = _object(said, name)
    layers = {
        _known(kind, KINDS): _cost(f"{name}: {kind}", cost)
        for kind, cost in _object(column.get("layers"), f"{name}: layers").items()
    }
    if len(layers) != len(KINDS) or len(column) != 2:
        raise ValueError(f"{name} must have start and layers, and those {', '.join(KINDS)}")
    return Column(_number(f"{name}: start", column.get("start")), layers)


def _cost(name: str, said: Any) -> Cost:
    """Return one cost of a file."""
    cost = _object(said, name)
    if set(cost) != set(Cost._fields):
        raise ValueError(f"{name} must have {', '.join(Cost._fields)}")
    return Cost(**{field: _number(f"{name}: {field}", number) for field, number in cost.items()})


def _object(said: Any, name: str) -> dict[str, Any]:
    if not isinstance(said, dict):
        raise ValueError(f"{name} must be an object")
    return said


def _known(name: str, names: tuple[str, ...]) -> str:
    if name not in names:
        raise ValueError(f"{name[:40]!r} must be one of {', '.join(names)}")
    return name


def _number(name: str, said: Any) -> float:
    number = isinstance(said, int | float) and not isinstance(said, bool)
    if not number or not 0 <= said <= _LARGEST:  # not so for NaN
        raise ValueError(f"{name} must be a number of nanoseconds, got {str(said)[:40]}")
    return float(said)


def _rounded(number: float | int) -> float:
    """Return a number with four digits, for people to read."""
    return float(f"{number:.4g}") if math.isfinite(number) else _LARGEST


# What the file said when it was last read: its path, time and size, and its costs
_last: tuple[tuple[str, int, int], dict[str, Column]] | None = None


def _measured(path: str) -> dict[str, Column]:
    """Return the costs of a file; none where there is none, or, with one warning, a damaged one."""
    global _last
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return {}
    seen = (path, status.st_mtime_ns, status.st_size)
    if _last is None or _last[0] != seen:
        costs: dict[str, Column] = {}
        try:
            costs = read_costs(path)
        except (OSError, ValueError) as error:
            warnings.warn(
                f"the costs in {path} are not used: {error}; delete the file, or have "
                "'rockpool bench --choose' write it again",
                stacklevel=2,
            )
        _last = (seen, costs)
    return _last[1]


def _default(start: float | int, *rows: tuple[int | float, ...]) -> Column:
    layers = zip(KINDS, rows, strict=True)
    return Column(start, {kind: Cost(*map(float, row)) for kind, row in layers})


# As measured on one core of a server, with numpy 2.3.5, numba 0.68.1, torch 2.13.0 and jax 0.10.2:
# what counts is how they compare. Rows are in the order of `KINDS`.
DEFAULTS: Costs = {
    "numpy": _default(
        2.5e07,
        (16000, 4400, 4.9),
        (17000, 6000, 0, 0.099),
        (11000, 1400, 1.5),
        (12000, 3100, 8.6),
        (4500, 0, 0.65, 0.042, 0.081),
        (59000, 0, 4.1, 0.11),
        (5000,),
    ),
    "numba": _default(
        5.2e08,
        (18000, 9.1, 0.53),
        (19000, 47, 2.2, 0.061),
        (11000, 5.8, 0.27),
        (13000, 9, 0.61),
        (4500, 0, 0.76, 0.039, 0.074),
        (61000, 0, 3.2, 0.09),
        (4500,),
    ),
    "torch": _default(
        1.8e09,
        (60000, 11, 0.47),
        (77000, 140, 1.8, 0.023),
        (120000, 21, 0.25),
        (150000, 14, 0.4),
        (25000, 0, 0.15, 0.019, 0.18),
        (80000, 0, 1.1, 0.031),
        (24000,),
    ),
    "jax": _default(
        1.2e09,
        (50000, 580, 1.2),
        (52000, 760, 16, 0.038),
        (37000, 85, 0.14),
        (44000, 10, 0.9),
        (42000, 0, 2.4, 0.017, 0.23),
        (390000, 0, 6.8, 0.19),
        (19000,),
    ),
    "torch, no kernels": _default(
        1.4e09,
        (240000, 25000, 4.3),
        (240000, 34000, 0, 0.092),
        (110000, 2100, 0.72),
        (140000, 2200, 1.7),
        (26000, 0, 0.073, 0.02, 0.17),
        (72000, 0, 1.2, 0.032),
        (24000,),
    ),
    "jax, no kernels": _default(
        1.1e09,
        (43000, 84, 4.5),
        (52000, 490, 0.82, 0.074),
        (31000, 18, 1.2),
        (37000, 270, 1.4),
        (42000, 0, 1.6, 0.017, 0.23),
        (370000, 0, 7.1, 0.2),
        (15000,),
    ),
}
