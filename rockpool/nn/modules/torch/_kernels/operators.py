"""The time loops as operators of torch, for graphs: ``torch.export`` and ``torch.compile``.

A graph has a time loop as one node, ``rockpool::lif`` for instance, however many time steps there
are. What runs it is what would run the layer: a kernel where one serves, or the loop. Its gradients
are an operator as well, which runs the loop once more. A process that loads an exported program has
to import a module of the package first, for torch to know its operators.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor

from rockpool.nn.modules.torch._base.activations import ACTIVATION_FUNCTIONS
from rockpool.nn.modules.torch._base.surrogates import PeriodicExponential, StepPWL
from rockpool.nn.modules.torch._base.transforms import no_dynamo
from rockpool.nn.modules.torch._loops.euler import EulerParameters, EulerState, euler_loop
from rockpool.nn.modules.torch._loops.exp_syn import exp_syn_loop, leaky_sum
from rockpool.nn.modules.torch._loops.lif import (
    LIFParameters,
    LIFState,
    MembraneParameters,
    lif_loop,
    membrane_loop,
)
from rockpool.nn.modules.torch._loops.rate import RateParameters, rate_loop
from rockpool.nn.modules.torch._loops.updown import UpDownParameters, updown_loop

__all__ = ["LOOPS", "Form", "define", "function_name", "operator_for"]

Loop = Callable[..., Any]

# functions that an operator can take, by name
FUNCTIONS: dict[str, Any] = {
    "StepPWL": StepPWL.apply,
    "PeriodicExponential": PeriodicExponential.apply,
    **ACTIVATION_FUNCTIONS,
}


class Form(NamedTuple):
    """What goes into a loop and comes out of it."""

    name: str
    parts: tuple[type[Any] | None, ...]  # its first arguments; None: a tensor
    records: tuple[str, ...] = ()
    also_output: str = ""  # the record that is the output itself
    function: str | None = None  # the field of the parameters that is a function


LOOPS: dict[Loop, Form] = {
    lif_loop: Form(
        "lif",
        (None, LIFState, LIFParameters),
        ("vmem", "isyn", "irec", "iahp"),
        "spikes",
        "spike_fn",
    ),
    membrane_loop: Form(
        "membrane", (None, None, MembraneParameters), ("vmem",), "spikes", "spike_fn"
    ),
    exp_syn_loop: Form("exp_syn", (None, None, None)),
    leaky_sum: Form("leaky_sum", (None, None, None)),
    rate_loop: Form("rate", (None, None, RateParameters), ("rec_input", "x"), "", "act_fn"),
    euler_loop: Form("euler", (None, EulerState, EulerParameters), EulerState._fields),
    updown_loop: Form("updown", (None, None, UpDownParameters), ("analog_value",)),
}

_forms: dict[Loop, Form] = {}
_operators: dict[Loop, Any] = {}
_kept_out: dict[Loop, Loop] = {}  # the loops themselves, kept out of graphs


def function_name(function: Any) -> str:
    """Return the name that a function has in operators, or ""."""
    return next((name for name, known in FUNCTIONS.items() if known == function), "")


def operator_for(loop: Loop, function: str) -> Loop:
    """Return a function that is one node in a graph and does what a loop does.

    `function` is the name of that among the arguments, if there is one. Functions of a user's own
    have none, and no operator can take them: then it is the loop itself, apart from the graph. A
    compiler would unroll it, take minutes over that and gain next to nothing.
    """
    operator, form = _operators.get(loop), _forms[loop]
    if operator is None or not (function or form.function is None):
        return _kept_out[loop]

    def run(*arguments: Any) -> Any:
        leaves = _leaves(arguments)
        tensors = [leaf for leaf in leaves if isinstance(leaf, Tensor)]
        layout = " ".join([_code(leaf, function) for leaf in leaves])
        return _results(form, operator(tensors, layout), arguments)

    return run


def define(
    loop: Loop,
    form: Form,
    choose: Callable[[Loop, tuple[Any, ...]], Loop] = lambda loop, arguments: loop,
) -> None:
    """Define the operator of a loop; `choose` says what runs it with some arguments."""
    _forms[loop], _kept_out[loop] = form, no_dynamo(loop)
    if hasattr(torch.library, "custom_op"):  # from torch 2.4 on
        _operators[loop] = _defined(loop, form, choose)


def _defined(loop: Loop, form: Form, choose: Callable[[Loop, tuple[Any, ...]], Loop]) -> Any:
    def forward(tensors: Sequence[Tensor], layout: str) -> list[Tensor]:
        arguments = _arguments(form, tensors, layout)
        return _apart(_tensors(form, choose(loop, arguments)(*arguments)), tensors)

    def shapes(tensors: Sequence[Tensor], layout: str) -> list[Tensor]:
        x, state, parameters, *more = _arguments(form, tensors, layout)
        n_steps = x.shape[1]
        step, *more = (
            v.new_empty((v.shape[0], 1, *v.shape[2:])) if isinstance(v, Tensor) else v
            for v in (x, *more)
        )
        results = _tensors(form, loop(step, state, parameters, *more))
        n_states = len(_leaves_that_are(Tensor, (state,)))
        return [
            r.new_empty(r.shape)
            if 0 < index <= n_states
            else r.new_empty((r.shape[0], n_steps, *r.shape[2:]))
            for index, r in enumerate(results)
        ]

    def backward(
        tensors: Sequence[Tensor], grads: Sequence[Tensor], layout: str, needed: str
    ) -> list[Tensor]:
        with _with_gradients():
            inputs = [
                t.detach().requires_grad_(need == "1")
                for t, need in zip(tensors, needed, strict=True)
            ]
            arguments = _arguments(form, inputs, layout)
            results = _tensors(form, choose(loop, arguments)(*arguments))
            wanted = [t for t in inputs if t.requires_grad]
            pairs = [(r, g) for r, g in zip(results, grads, strict=True) if r.requires_grad]
            found = torch.autograd.grad(
                [r for r, _ in pairs], wanted, [g for _, g in pairs], allow_unused=True
            )
        return [
            torch.zeros_like(t) if g is None else g.contiguous()
            for t, g in zip(wanted, found, strict=True)
        ]

    def backward_shapes(
        tensors: Sequence[Tensor], grads: Sequence[Tensor], layout: str, needed: str
    ) -> list[Tensor]:
        return [t.new_empty(t.shape) for t, n in zip(tensors, needed, strict=True) if n == "1"]

    name = f"rockpool::{form.name}"
    operator = torch.library.custom_op(name, forward, mutates_args=())
    operator.register_fake(shapes)
    gradients = torch.library.custom_op(f"{name}_backward", backward, mutates_args=())
    gradients.register_fake(backward_shapes)

    def keep(ctx: Any, inputs: tuple[Any, ...], output: list[Tensor]) -> None:
        tensors, ctx.layout = inputs
        ctx.save_for_backward(*tensors)
        ctx.shapes = [r.shape for r in output]

    def differentiate(ctx: Any, grads: list[Tensor | None]) -> Any:
        tensors, needed = list(ctx.saved_tensors), ctx.needs_input_grad[0]
        given = [
            tensors[0].new_zeros(shape) if g is None else g
            for g, shape in zip(grads, ctx.shapes, strict=True)
        ]
        flags = "".join("1" if need else "0" for need in needed)
        left = iter(gradients(tensors, given, ctx.layout, flags))
        return [next(left) if need else None for need in needed], None

    operator.register_autograd(differentiate, setup_context=keep)
    return operator


@contextmanager
def _with_gradients() -> Iterator[None]:
    """Let torch keep a graph within an operator, where it keeps none."""
    key = torch._C.DispatchKey
    included = torch._C._dispatch_tls_local_include_set()
    excluded = torch._C._dispatch_tls_local_exclude_set()
    for kept in (key.AutogradFunctionality, key.ADInplaceOrView):
        excluded = excluded.remove(kept)
    with torch._C._ForceDispatchKeyGuard(included, excluded), torch.enable_grad():
        yield


# -- arguments as tensors and a text that says where they belong, and back ----------------


def _leaves(values: tuple[Any, ...]) -> list[Any]:
    found: list[Any] = []
    for value in values:
        found += _leaves(value) if isinstance(value, tuple) else [value]
    return found


def _leaves_that_are(kind: type[Any], values: tuple[Any, ...]) -> list[Any]:
    return [leaf for leaf in _leaves(values) if isinstance(leaf, kind)]


def _code(leaf: Any, function: str) -> str:
    """Return the text for one argument."""
    if isinstance(leaf, Tensor):
        return "tensor"
    return repr(leaf) if leaf is None or isinstance(leaf, (bool, int, float)) else function


def _arguments(form: Form, tensors: Sequence[Tensor], layout: str) -> tuple[Any, ...]:
    """Return the arguments of a loop."""
    left = iter(tensors)
    leaves = (next(left) if code == "tensor" else _value(code) for code in layout.split())
    parts = tuple(
        next(leaves) if kind is None else kind(*(next(leaves) for _ in kind._fields))
        for kind in form.parts
    )
    return (*parts, *leaves)


def _value(code: str) -> Any:
    if code in FUNCTIONS:
        return FUNCTIONS[code]
    return _CONSTANTS[code] if code in _CONSTANTS else float(code)


_CONSTANTS = {"None": None, "True": True, "False": False}


def _tensors(form: Form, results: tuple[Any, ...]) -> list[Tensor]:
    """Return what comes out of a loop as tensors: output, states, records."""
    output, state, *records = results
    named = records[0] if records else {}
    return [
        output,
        *_leaves_that_are(Tensor, (state,)),
        *(named[name] for name in form.records if name in named),
    ]


def _apart(results: Sequence[Tensor], given: Sequence[Tensor]) -> list[Tensor]:
    """Return results in memory of their own, as an operator must.

    A last state may be a part of what is recorded; without time steps, it is the one that went in.
    """
    taken = {tensor.untyped_storage().data_ptr() for tensor in given}
    apart = []
    for result in results:
        result = result.contiguous()
        if not result.numel() or result.untyped_storage().data_ptr() in taken:
            result = result.clone()
        taken.add(result.untyped_storage().data_ptr())
        apart.append(result)
    return apart


def _results(form: Form, tensors: list[Tensor], arguments: tuple[Any, ...]) -> Any:
    """Return what comes out of a loop with these arguments, in its own form."""
    output, *found = tensors
    n_states = len(_leaves_that_are(Tensor, (arguments[1],)))
    states, records = found[:n_states], found[n_states:]
    kind = form.parts[1]
    state: Any = states[0]
    if kind is not None:
        left = iter(states)
        state = kind(*(None if value is None else next(left) for value in arguments[1]))
    if not form.records:
        return output, state
    there = (name for name in form.records if getattr(state, name, "") is not None)
    named = dict(zip(there, records, strict=False))
    if records and form.also_output:
        named[form.also_output] = output
    return output, state, named
