"""A plan written down in C99: `c_files`. Of a network's own text nothing gets there but names that
are made of letters, digits, points and underscores, in comments.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from rockpool._version import __version__
from rockpool.nn.kernels import operations as op
from rockpool.nn.models import euler
from rockpool.streaming.c_helpers import HELPERS, MAIN, NEEDS_MATH
from rockpool.streaming.plan import Plan

__all__ = ["KINDS", "MARK", "c_files", "quantised"]

# What each file begins with
MARK = "/* Written by rockpool"

KINDS = {op.PRODUCT: "product", op.LIF: "lif", op.EXP_SYN: "exp_syn", op.RATE: "rate"}
KINDS |= {op.FUNCTION: "function", op.ADD: "sum", op.EULER: "euler"}
# Where in the memory what arrives by recurrent weights is, if not at `ARRIVING`
_ROOM = {op.EULER: op.OTHER}
_LARGEST_8 = 127
_LONGEST_NAME = 60
_WIDTH = 92


def c_files(plan: Plan, weights: str) -> dict[str, str]:
    """Return the text of ``net.h``, ``net.c`` and ``main.c``.

    Parameters
    ----------
    plan : Plan
        The network, in single precision.
    weights : str
        "float32", or "int8": each matrix of weights is whole numbers times a scale of its own.
    """
    source = _Source(plan, weights)
    body = source.net_c()
    mark = f"{MARK} {re.sub('[^0-9A-Za-z.+]', '_', __version__)}. */\n"
    return {
        "net.h": mark + source.net_h(),
        "net.c": mark + body,
        "main.c": f"{mark}/* Reads a line of {plan.size_in} numbers, with commas between them, for "
        f"each time step,\n * and answers by a line of {plan.size_out}. */\n{MAIN}",
    }


def quantised(weights: np.ndarray) -> tuple[np.ndarray, np.float32]:
    """Return whole numbers from -127 to 127, and the scale times which they are the weights.

    The scale is that of the largest weight; the products are rounded to single precision.
    """
    values = np.asarray(weights, np.float32).astype(np.float64)
    scale = np.float32(np.abs(values).max(initial=0.0) / _LARGEST_8)
    if scale == 0:
        scale = np.float32(1)
    whole = np.rint(values / np.float64(scale)).clip(-_LARGEST_8, _LARGEST_8)
    return whole.astype(np.int8), scale


class _Source:
    """The source of one network, as it is put together."""

    def __init__(self, plan: Plan, weights: str) -> None:
        self._plan, self._weights = plan, weights
        self._memory = plan.memory()[0]
        self._data: list[str] = []
        self._steps: list[str] = []
        self._used: set[str] = {"clear", "copy"}
        self._with_math = False
        self._fields: dict[int, tuple[str, int]] = {}  # by where they are in the memory
        self._labels = [
            f"{KINDS[int(row[op.KIND])]}_{number}" for number, row in self._numbered_rows()
        ]
        for number, row in self._numbered_rows():
            self._declare_fields(self._labels[number - 1], row)

    def _numbered_rows(self) -> Iterator[tuple[int, np.ndarray]]:
        return enumerate(self._plan.operations[1:], 1)

    # -- the header -----------------------------------------------------------------------------

    def net_h(self) -> str:
        """Return the text of the header."""
        plan = self._plan
        fields = "\n".join(f"    float {name}[{size}];" for name, size in self._fields.values())
        return _HEADER.format(
            about=self._about(),
            inputs=plan.size_in,
            outputs=plan.size_out,
            dt=repr(float(plan.dt)),
            fields=fields or "    float nothing[1];",
        )

    def _about(self) -> str:
        """Return the part of the comment that says what the network is."""
        lines = [f" *   {'layer':<28} {'model':<12} inputs  outputs  here"]
        for (number, row), part in zip(self._numbered_rows(), self._plan.parts, strict=True):
            sizes = f"{row[op.N_IN]:>6}  {row[op.N_OUT]:>7}"
            lines.append(
                f" *   {checked_name(part.name):<28} {part.model:<12} {sizes}  "
                f"{self._labels[number - 1]}"
            )
        kind = "float32" if self._weights == "float32" else "int8, with a scale for each matrix"
        return "\n".join([*lines, " *", f" * Weights are {kind}; all else is float32."])

    # -- the source -----------------------------------------------------------------------------

    def net_c(self) -> str:
        """Return the text of the source."""
        for number, row in self._numbered_rows():
            self._add_step(self._labels[number - 1], row)
        init = [f"    clear(state->{name}, {size});" for name, size in self._fields.values()]
        for slot in self._plan.slots:
            size = int(np.prod(slot.shape, dtype=int))
            start = self._memory[slot.start : slot.start + size]
            if start.any():
                name = self._fields[slot.start][0]
                values = self._array("float", f"start_{name}", map(self._literal, start), size)
                init.append(f"    copy({values}, state->{name}, {size});")
        source, target = (
            int(self._plan.operations[0, column]) for column in (op.SOURCE, op.TARGET)
        )
        leaving = "in" if target == source else f"state->{self._fields[target][0]}"
        self._steps.append(f"    copy({leaving}, out, NET_OUTPUTS);")
        helpers = [text for name, text in HELPERS.items() if name in self._used]
        parts = [
            "\n#include <stdint.h>\n" + "#include <math.h>\n" * self._needs_math(),
            '#include "net.h"\n',
            "/* No product is to be rounded together with its sum: spikes are those of numpy. */\n"
            "#ifdef __clang__\n#pragma STDC FP_CONTRACT OFF\n#endif\n",
            *helpers,
            *self._data,
            "void net_init(net_state *state)\n{\n"
            + "\n".join(init or ["    clear(state->nothing, 1);"])
            + "\n}\n",
            "void net_step(net_state *state, const float *in, float *out)\n{\n"
            + ("" if self._fields else "    (void)state;\n")
            + "\n".join(self._steps)
            + "\n}\n",
        ]
        return "\n".join(parts)

    def _needs_math(self) -> bool:
        return self._with_math or bool(self._used & NEEDS_MATH)

    def _declare_fields(self, label: str, row: np.ndarray) -> None:
        """Name the states, the output and the room of an operation."""
        n_in, n_out = int(row[op.N_IN]), int(row[op.N_OUT])
        with_rate, of_nir = row[op.KIND] == op.RATE, row[op.KIND] == op.EULER
        self._field(row[op.TARGET], label, n_out)
        self._field(row[op.VMEM], f"{label}_{'x' if with_rate else 'vmem'}", n_out)
        self._field(row[op.ISYN], f"{label}_isyn", n_in)
        self._field(row[op.IAHP], f"{label}_{'spikes' if of_nir else 'iahp'}", n_out)
        if row[op.WEIGHT] >= 0 and row[op.KIND] != op.PRODUCT:
            place = int(row[_ROOM.get(int(row[op.KIND]), op.ARRIVING)])
            largest = max(n_in, self._fields.get(place, ("", 0))[1])
            self._fields.pop(place, None)
            self._field(place, f"{label}_arriving" if of_nir else "arriving", largest)

    def _field(self, start: Any, name: str, size: int) -> None:
        if start >= 0:
            self._fields[int(start)] = name, size

    def _at(self, start: Any) -> str:
        """Return what is at a place of the memory, in C."""
        if start == self._plan.operations[0, op.SOURCE]:
            return "in"
        return f"state->{self._fields[int(start)][0]}"

    def _add_step(self, label: str, row: np.ndarray) -> None:
        n_in, n_out = int(row[op.N_IN]), int(row[op.N_OUT])
        source, target = self._at(row[op.SOURCE]), self._at(row[op.TARGET])
        kind = row[op.KIND]
        if kind == op.PRODUCT:
            self._add_product(label, source, n_in, row[op.WEIGHT], target, n_out)
            if row[op.BIAS] >= 0:
                bias = self._row(f"{label}_bias", row[op.BIAS], n_out)
                self._step("add_bias", bias, target, n_out)
        elif kind == op.LIF:
            self._add_lif(label, row, source, target)
        elif kind == op.EXP_SYN:
            beta = self._row(f"{label}_beta", row[op.BETA], n_out)
            self._step("exp_syn_step", source, beta, target, n_out)
        elif kind == op.RATE:
            self._add_rate(label, row, source, target)
        elif kind == op.EULER:
            self._add_euler(label, row, source, target)
        elif kind == op.FUNCTION:
            self._step(f"apply_{op.FUNCTIONS[row[op.OPTION]]}", source, target, n_out)
        else:
            self._step("add_up", source, self._at(row[op.OTHER]), target, n_out)

    def _add_product(
        self, label: str, source: str, n_in: int, weight: int, target: str, n_out: int
    ) -> None:
        """Add a product with weights."""
        values, name = self._numbers(weight, n_in * n_out), f"{label}_weight"
        if self._weights == "float32":
            self._array("float", name, map(self._literal, values), n_in * n_out)
            self._step("add_rows", source, n_in, name, target, n_out)
            return
        whole, scale = quantised(values)
        self._array("int8_t", name, map(str, whole.tolist()), n_in * n_out)
        self._step("add_rows_int8", source, n_in, name, self._literal(scale), target, n_out)

    def _add_lif(self, label: str, row: np.ndarray, source: str, spikes: str) -> None:
        n_in, n_out = int(row[op.N_IN]), int(row[op.N_OUT])
        vmem, isyn = self._at(row[op.VMEM]), self._at(row[op.ISYN])
        iahp = self._at(row[op.IAHP]) if row[op.IAHP] >= 0 else "0"
        arriving = self._add_recurrence(label, row, spikes)
        rows = {
            "alpha": (row[op.ALPHA], n_out),
            "beta": (row[op.BETA], n_in),
            "bias": (row[op.BIAS], n_out),
            "threshold": (row[op.THRESHOLD], n_out),
            "gamma": (row[op.GAMMA], n_out),
            "w_ahp": (row[op.W_AHP], n_out),
        }
        made = {name: self._pair(f"{label}_{name}", *where) for name, where in rows.items()}
        most = self._literal(self._numbers(row[op.LIMIT], 1)[0])
        first = ", ".join(made[name] for name in ("alpha", "beta", "bias", "threshold"))
        self._used |= {"net_row", "lif_layer"}
        self._data.append(
            f"static const lif_layer {label} = {{\n    {n_out}, {n_in // n_out}, {first},\n"
            f"    {most}, {made['gamma']}, {made['w_ahp']}\n}};\n"
        )
        self._step("lif_step", f"&{label}", source, arriving, vmem, isyn, iahp, spikes)

    def _add_euler(self, label: str, row: np.ndarray, source: str, target: str) -> None:
        n = int(row[op.N_OUT])
        isyn, spikes = (
            self._at(row[column]) if row[column] >= 0 else "0" for column in (op.ISYN, op.IAHP)
        )
        arriving = self._add_recurrence(label, row, spikes)
        names = (("a_mem", "g_mem", "leak"), ("a_syn", "g_syn"), ("threshold", "v_reset"))
        made = [
            self._pair(f"{label}_{name}", int(row[column]) + n * k if row[column] >= 0 else -1, n)
            for column, group in zip((op.ALPHA, op.BETA, op.THRESHOLD), names, strict=True)
            for k, name in enumerate(group)
        ]
        rules = euler.Rules(*self._numbers(row[op.BIAS], len(euler.Rules._fields)))
        flags = (rules.at_once, rules.old, rules.reset, rules.reset_delay, rules.strict)
        said = ", ".join(str(int(flag)) for flag in (*flags, rules.delay))
        self._used |= {"net_row", "euler_layer"}
        self._data.append(
            f"static const euler_layer {label} = {{\n    {n}, {', '.join(made)},\n"
            f"    {self._literal(rules.max_spikes)}, {said}\n}};\n"
        )
        vmem = self._at(row[op.VMEM])
        self._step("euler_step", f"&{label}", source, arriving, vmem, isyn, spikes, target)

    def _add_rate(self, label: str, row: np.ndarray, source: str, activity: str) -> None:
        n, state = int(row[op.N_OUT]), self._at(row[op.VMEM])
        activate = f"activate_{op.ACTIVATIONS[row[op.OPTION]]}"
        threshold = self._row(f"{label}_threshold", row[op.THRESHOLD], n)
        if row[op.WEIGHT] >= 0:
            self._step(activate, state, threshold, activity, n)
        arriving = self._add_recurrence(label, row, activity)
        gain = self._row(f"{label}_gain", row[op.ALPHA], n)
        bias = self._row(f"{label}_bias", row[op.BIAS], n)
        self._step("rate_step", source, arriving, gain, bias, state, n)
        self._step(activate, state, threshold, activity, n)

    def _add_recurrence(self, label: str, row: np.ndarray, output: str) -> str:
        """Add the product with recurrent weights; return where it is, or a null pointer."""
        if row[op.WEIGHT] < 0:
            return "0"
        n_in, n_out = int(row[op.N_IN]), int(row[op.N_OUT])
        target = self._at(row[_ROOM.get(int(row[op.KIND]), op.ARRIVING)])
        self._add_product(label, output, n_out, row[op.WEIGHT], target, n_in)
        return target

    # -- pieces of text -------------------------------------------------------------------------

    def _step(self, helper: str, *arguments: Any) -> None:
        self._used.add(helper)
        self._steps.append(f"    {helper}({', '.join(map(str, arguments))});")

    def _numbers(self, start: int, size: int) -> np.ndarray:
        return self._plan.numbers[start : start + size]

    def _row(self, name: str, start: int, size: int) -> str:
        """Return one number for each neuron as a constant row."""
        pair = self._pair(name, start, size)
        self._used.add("net_row")
        self._data.append(f"static const net_row {name} = {pair};\n")
        return name

    def _pair(self, name: str, start: int, size: int) -> str:
        """Return one number for each neuron, or one for all where they are the same."""
        if start < 0:
            return "{0, 0}"
        values = self._numbers(start, size)
        same = bool((values == values[:1]).all())
        some = values[:1] if same else values
        self._array("float", f"{name}_values", map(self._literal, some), len(some))
        return f"{{{name}_values, {0 if same else 1}}}"

    def _array(self, kind: str, name: str, values: Iterator[str], size: int) -> str:
        """Add constant data; return its name."""
        lines, line = [], "   "
        for value in values:
            if len(line) + len(value) + 2 > _WIDTH:
                lines.append(line)
                line = "   "
            line += f" {value},"
        text = "\n".join([*lines, line.rstrip(",")])
        self._data.append(f"static const {kind} {name}[{size}] = {{\n{text}\n}};\n")
        return name

    def _literal(self, value: Any) -> str:
        """Return a number as a constant of C that is exactly this number."""
        number = float(value)
        if not math.isfinite(number):
            self._with_math = True
            text = "NAN" if number != number else "INFINITY"
            return f"-{text}" if number < 0 else text
        if number.is_integer() and abs(number) < 2**24:
            return f"{number:.1f}f"
        mantissa, exponent = number.hex().split("p")
        return f"{mantissa.rstrip('0').rstrip('.')}p{exponent}f"


def checked_name(name: str) -> str:
    """Return the names that lead to a layer with nothing in them that C could mistake."""
    text = re.sub("[^A-Za-z0-9_.]", "_", name)
    return text[:_LONGEST_NAME] or "network"


_HEADER = """\
/*
 * A network that goes on step by step: {inputs} inputs, {outputs} outputs, time steps of {dt} s.
 *
{about}
 *
 * How to use it:
 *
 *     static net_state state;
 *     float in[NET_INPUTS], out[NET_OUTPUTS];
 *
 *     net_init(&state);
 *     for (each time step) {{
 *         fill in[] with what arrives in this time step;
 *         net_step(&state, in, out);
 *         use out[];
 *     }}
 *
 * Nothing is allocated, and there is no data but constants: a program can have as many states as it
 * likes, one for each stream. Compile with -std=c99 (or -ffp-contract=off): where the compiler
 * rounds a product and its sum together, a spike may move.
 */
#ifndef NET_H
#define NET_H

#define NET_INPUTS {inputs}
#define NET_OUTPUTS {outputs}
#define NET_DT {dt}

#ifdef __cplusplus
extern "C" {{
#endif

typedef struct {{
{fields}
}} net_state;

/* Set a state to that which the network had when it was exported. */
void net_init(net_state *state);

/* Do one time step: in has NET_INPUTS numbers, out gets NET_OUTPUTS. */
void net_step(net_state *state, const float *in, float *out);

#ifdef __cplusplus
}}
#endif

#endif
"""
