"""Writes down what the package shows to its users, one line for each thing, so that it can be compared.

Run as a program, it prints the record of the package as it is now, as JSON. ``--add`` puts what is
new into ``tests/public_surface.json`` and leaves what is recorded there as it was; ``--write``
records everything anew. ``tests/test_public_surface.py`` compares the two.

A key says what is described, its value describes it:

* ``name PATH.NAME`` -- a public name, and what is behind it. An object that is reachable in several
  ways is described once, under the first of them, and the others refer to that;
* ``class PATH.NAME`` -- its constructor, with ``bases`` and ``member`` lines of its own. A member that
  is as that of a public base class is not repeated;
* ``module CALL`` -- a small module as built by that call: its attributes, their kinds, families,
  shapes, types and values, and after one call with ``record=True`` the output, state and record;
* ``command WORDS`` -- the options and words of a command line, from its help;
* ``error text TEXT`` -- the text of an error that a test waits for, and the files of those tests.

Annotations are left out: they may become better.
"""

from __future__ import annotations

import ast
import inspect
import io
import json
import re
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import redirect_stdout
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

TESTS = Path(__file__).resolve().parents[1]
RECORD = TESTS / "public_surface.json"

Lines = dict[str, str]

# --- which names --------------------------------------------------------------------------------------

# What a package offers is what `__all__` says, which is its stub.
PACKAGES = (
    "rockpool",
    "rockpool.nn",
    "rockpool.nn.modules",
    "rockpool.profiling",
    "rockpool.streaming",
    *(f"rockpool.nn.modules.{room}" for room in "native numba torch jax brian nest sinabs".split()),
    "rockpool.nn.combinators",
    "rockpool.nn.networks",
    "rockpool.nn.losses",
    "rockpool.transform",
    "rockpool.utilities.benchmarking",
    "rockpool.graph",
    "rockpool.timeseries",
    "rockpool.training.ctc_loss",
    "rockpool.data",
    "rockpool.nir",
    "rockpool.plots",
    "rockpool.utilities",
)
# Files that people import from directly.
_FILES = {
    "rockpool.nn.modules": "module timed_module",
    "rockpool.nn.modules.native": "lif exp_syn rate linear instant filter_bank",
    "rockpool.nn.modules.torch": (
        "torch_module lif_torch ahp_lif_torch lif_bitshift_torch lif_neuron_torch exp_syn_torch "
        "rate_torch linear_torch updown_torch bool_state dropout lowpass"
    ),
    "rockpool.nn.modules.jax": (
        "jax_module lif_jax jax_lif_ode rate_jax exp_syn_jax linear_jax softmax_jax exp_smooth_jax"
    ),
    "rockpool.nn.modules.sinabs": "lif_sinabs lif_exodus",
    "rockpool.nn.combinators": "sequential ffwd_stack residual",
    "rockpool.graph": "graph_base graph_modules utils",
    "rockpool.training": "jax_loss torch_loss adversarial_jax jax_debug",
    "rockpool.nn.networks": "wavesense",
    "rockpool.transform": (
        "torch_transform quantize_methods quantize dropout param_transformer mismatch"
    ),
    "rockpool": "parameters typehints",
    "rockpool.utilities": (
        "backend_management lazy_loading lazy_imports tree_utils jax_tree_utils property_arrays "
        "type_handling"
    ),
    "rockpool.nn.kernels": "switch",
}
FILES = tuple(f"{package}.{file}" for package, files in _FILES.items() for file in files.split())
# Public names that no `__all__` has.
MORE_NAMES = {
    "rockpool.parameters": ("ParameterBase", "RP_Constant"),
    "rockpool.nn.combinators.sequential": ("JaxSequential", "TorchSequential"),
    "rockpool.nn.combinators.ffwd_stack": ("JaxFFwdStack", "TorchFFwdStack"),
    "rockpool.nn.combinators.residual": ("JaxResidual", "TorchResidual"),
    "rockpool.nn.combinators.wired": ("JaxWired", "TorchWired"),
    "rockpool.utilities.lazy_imports": ("lazy_imports",),
}
# These need a CUDA device: there are stand-ins for them, which read the signature in the source.
UNIMPORTABLE = "sinabs-exodus"
# What a class may have beside names without underscore.
_SPECIAL = ("__call__", "__len__", "__getitem__", "__setitem__", "__iter__", "__contains__")

# --- which modules --------------------------------------------------------------------------------------


class Example(NamedTuple):
    """A module to build, by the name of its class, and how many channels its input has."""

    arguments: Mapping[str, Any]
    channels: int


_SYNAPSES = Example({"shape": 3}, 3)
_LIF = Example({"shape": (4, 2)}, 4)
_RECURRENT_LIF = Example({"shape": (4, 2), "has_rec": True}, 4)
_LIF_LAYER = (_LIF, _RECURRENT_LIF)
_RATE_LAYER = (_SYNAPSES, Example({"shape": 3, "has_rec": True}, 3))
_LINEAR_LAYER = (
    Example({"shape": (3, 2)}, 3),
    Example({"shape": (3, 2), "has_bias": True}, 3),
)
_SOFTMAX = (Example({"shape": (3, 2)}, 3),)
_IMAGE = {"shape_in": (2, 4, 5)}
_SHAPED_LAYERS = {
    "Conv2d": (
        Example({**_IMAGE, "n_channels": 3, "kernel_size": (2, 3)}, 40),
        Example({**_IMAGE, "n_channels": 4, "kernel_size": 3, "stride": 2, "padding": 1}, 40),
    ),
    "Conv1d": (Example({"shape_in": (2, 5), "n_channels": 3, "kernel_size": 2}, 10),),
    "SumPool2d": (Example({**_IMAGE, "kernel_size": 2}, 40),),
    "AvgPool2d": (Example({**_IMAGE, "kernel_size": 2}, 40),),
    "Flatten": (Example(_IMAGE, 40),),
    "Scale": (Example(_IMAGE, 40),),
}

EXAMPLES: dict[str, tuple[Example, ...]] = {
    **dict.fromkeys(
        "LIF LIFNumba LIFTorch LIFBitshiftTorch aLIFTorch LIFJax LIFODEJax LIFBrian LIFNest "
        "LIFSinabs".split(),
        _LIF_LAYER,
    ),
    **dict.fromkeys("Rate RateNumba RateTorch RateJax RateEulerJax RateBrian".split(), _RATE_LAYER),
    **dict.fromkeys("Linear LinearTorch LinearJax".split(), _LINEAR_LAYER),
    **dict.fromkeys("SoftmaxJax LogSoftmaxJax".split(), _SOFTMAX),
    **{
        name + suffix: examples
        for name, examples in _SHAPED_LAYERS.items()
        for suffix in ("", "Torch", "Jax")
    },
    **dict.fromkeys(
        "ExpSyn ExpSynNumba ExpSynTorch ExpSynJax ExpSynNest ExpSmoothJax Instant InstantTorch "
        "InstantJax LIFNeuronTorch UpDownTorch BooleanState UnitDropout TimeStepDropout".split(),
        (_SYNAPSES,),
    ),
    **{
        name + suffix: _RATE_LAYER if "IF" in name else (_SYNAPSES,)
        for name in "IFEuler LIFEuler CubaLIFEuler LIEuler CubaLIEuler".split()
        for suffix in ("", "Numba", "Torch", "Jax")
    },
    "ButterFilter": (Example({"frequency": 50.0, "bandwidth": 10.0, "fs": 1000.0}, 1),),
    "ButterMelFilter": (Example({"shape": 3}, 1),),
    "LowPass": (Example({"n_neurons": 3, "dt": 1e-3, "tau_mem": 0.02}, 3),),
}
# They are to be derived from, or hold another module.
NOT_BUILT = {
    "JaxModule", "Module", "ModuleBase", "TimedModule", "TimedModuleWrapper", "TorchModule",
    "WeightedSmoothBase",
}  # fmt: skip
# Networks of each back-end: the ends of the classes' names.
NETWORK_BACKENDS = ("", "Torch", "Jax")

FAMILIES = "taus decays weights bias thresholds activation dt".split()


def record() -> Lines:
    """Describe the package as it is."""
    warnings.simplefilter("ignore")
    lines = Lines()
    lines |= _surface(public_objects())
    lines |= _modules()
    lines |= _commands()
    lines |= error_texts(sorted(TESTS.rglob("test_*.py")))
    return dict(sorted(lines.items()))


# --- names, signatures and members -----------------------------------------------------------------------


def public_objects() -> dict[str, Any]:
    """Every public name, by its full path, and what is behind it, in a fixed order.

    What is not there is left out: in a comparison it is gone.
    """
    found = {}
    for path in (*PACKAGES, *FILES):
        unimportable = path == "rockpool.nn.modules.sinabs.lif_exodus"
        try:
            module = import_module(path.rpartition(".")[0] if unimportable else path)
        except ImportError as error:
            print(f"{path} cannot be imported: {error}", file=sys.stderr)
            continue
        names = [
            n for n in getattr(module, "__all__", ()) if not (unimportable and n == "LIFSinabs")
        ]
        for name in (*names, *MORE_NAMES.get(path, ())):
            if hasattr(module, name):
                found[f"{path}.{name}"] = getattr(module, name)
    return found


def _surface(objects: Mapping[str, Any]) -> Lines:
    lines, canonical = Lines(), _canonical(objects)
    for path, thing in objects.items():
        first = canonical.get(id(thing), path)
        lines[f"name {path}"] = _kind(thing) if first == path else f"is {first}"
        if first != path:
            continue
        if isinstance(thing, type):
            lines |= _class_lines(path, thing, canonical)
        elif callable(thing) and not _is_value(thing):
            lines[f"function {path}"] = signature_text(thing, canonical)
    return lines


def _canonical(objects: Mapping[str, Any]) -> dict[int, str]:
    """The first name of each object, by the identity of the object."""
    first: dict[int, str] = {}
    for path, thing in objects.items():
        if not _is_value(thing):
            first.setdefault(id(thing), path)
    return first


def _is_value(thing: Any) -> bool:
    """Whether it has neither a name of its own nor anything to call: a number, an alias of types."""
    return not isinstance(thing, type | ModuleType) and not (
        callable(thing) and hasattr(thing, "__name__") and hasattr(thing, "__module__")
        and str(thing.__module__).startswith("rockpool")
    )  # fmt: skip


def _kind(thing: Any) -> str:
    if isinstance(thing, ModuleType):
        return "module"
    if isinstance(thing, type):
        return "class"
    return "value" if _is_value(thing) else "function"


def _is_standin(thing: Any) -> bool:
    return type(thing).__name__ == "StandIn"


def _class_lines(path: str, cls: type, canonical: Mapping[int, str]) -> Lines:
    lines = {f"class {path}": signature_text(cls, canonical)}
    if _is_standin(cls) and cls._home.backend == UNIMPORTABLE:  # type: ignore[attr-defined]
        return lines
    lines[f"bases {path}"] = ", ".join(_public_bases(cls, canonical)) or "none"
    public_bases = [base for base in cls.__mro__[1:] if id(base) in canonical]
    for name in _members(cls):
        text = _member_text(cls, name, canonical)
        inherited = (_member_text(base, name, canonical) for base in public_bases)
        if text is not None and text != next(filter(None, inherited), None):
            lines[f"member {path}.{name}"] = text
    return lines


def _public_bases(cls: type, canonical: Mapping[int, str]) -> Iterator[str]:
    """The base classes that have a public name, ours or that of another package."""
    for base in cls.__mro__[1:]:
        top = base.__module__.partition(".")[0]
        if id(base) in canonical:
            yield canonical[id(base)]
        elif top not in ("rockpool", "abc", "typing") and base is not object:
            yield base.__qualname__ if top == "builtins" else f"{top}:{base.__qualname__}"


def _members(cls: type) -> list[str]:
    return [name for name in dir(cls) if not name.startswith("_") or name in _SPECIAL]


def _member_text(cls: type, name: str, canonical: Mapping[int, str]) -> str | None:
    """What an attribute of a class is; None where it is another package's, or there is none."""
    for owner in cls.__mro__:
        if name in vars(owner):
            break
    else:
        return None
    if not owner.__module__.startswith("rockpool"):
        return None
    member = vars(owner)[name]
    if isinstance(member, property):
        return "property" if member.fset is None else "property that can be set"
    if isinstance(member, staticmethod):
        return f"static {signature_text(member.__func__, canonical)}"
    if isinstance(member, classmethod):
        return f"of the class {signature_text(member.__func__, canonical, bound=True)}"
    if inspect.isroutine(member) or hasattr(member, "__wrapped__"):
        return signature_text(member, canonical, bound=True)
    return "value"


def signature_text(
    thing: Callable[..., Any], canonical: Mapping[int, str], bound: bool = False
) -> str:
    """Names, kinds and defaults of the parameters; without the first one if it is bound."""
    try:
        parameters = list(inspect.signature(thing).parameters.values())[1 if bound else 0 :]
    except (ValueError, TypeError):  # a builtin's constructor, or a metaclass: they tell nothing
        return "(?)"
    words: list[str] = []
    kinds = [parameter.kind for parameter in parameters]
    for index, parameter in enumerate(parameters):
        star = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "")
        if parameter.kind == parameter.KEYWORD_ONLY and not any(
            kind in (parameter.VAR_POSITIONAL, parameter.KEYWORD_ONLY) for kind in kinds[:index]
        ):
            words.append("*")
        default = parameter.default
        shown = "" if default is parameter.empty else f"={_default(default, canonical)}"
        words.append(f"{star}{parameter.name}{shown}")
        if parameter.kind == parameter.POSITIONAL_ONLY and (
            parameter.POSITIONAL_ONLY not in kinds[index + 1 :]
        ):
            words.append("/")
    return f"({', '.join(words)})"


def _default(value: Any, canonical: Mapping[int, str]) -> str:
    """A default as text that is the same in each process."""
    if id(value) in canonical:
        return canonical[id(value)].rpartition(".")[2]
    if isinstance(value, tuple | list):
        inner = ", ".join(_default(entry, canonical) for entry in value)
        return f"[{inner}]" if isinstance(value, list) else f"({inner})"
    if callable(value):
        return str(getattr(value, "__qualname__", type(value).__qualname__))
    return re.sub(r" at 0x[0-9a-f]+", "", repr(value))


# --- modules ----------------------------------------------------------------------------------------------


def module_classes() -> dict[str, type]:
    """The advertised classes of modules that can be imported here."""
    import rockpool.nn.modules as face
    from rockpool.nn.modules.module import ModuleBase

    classes = {name: getattr(face, name) for name in face.__all__}
    return {
        name: cls
        for name, cls in classes.items()
        if isinstance(cls, type) and not _is_standin(cls) and issubclass(cls, ModuleBase)
    }


def _modules() -> Lines:
    lines = Lines()
    classes = module_classes()
    for name, examples in EXAMPLES.items():
        for example in examples:
            given = ", ".join(f"{key}={value}" for key, value in example.arguments.items())
            lines |= _described(
                f"module {name}({given})",
                lambda name=name, example=example: classes[name](**example.arguments),
                example.channels,
            )
    for suffix in NETWORK_BACKENDS:
        for name, build in _networks(classes, suffix).items():
            lines |= _described(f"module {name}, {suffix.lower() or 'native'}", build, 3)
    return lines


def _described(key: str, build: Callable[[], Any], channels: int) -> Lines:
    """The lines of a module; where it fails, the error, such that all others can be compared."""
    _seed()
    try:
        return _module_lines(key, build(), channels)
    except Exception as error:
        return {key: f"fails: {type(error).__name__}: {error}"}


def _networks(classes: Mapping[str, type], suffix: str) -> dict[str, Callable[[], Any]]:
    """Networks of networks, on one back-end."""
    from rockpool.nn.combinators import FFwdStack, Residual, Sequential, Wired

    linear, rate, lif = (classes[model + suffix] for model in ("Linear", "Rate", "LIF"))
    return {
        "Sequential(Linear, Residual(Rate, Rate), LIF)": lambda: Sequential(
            linear((3, 2)), Residual(rate(2), rate(2)), lif((2, 1), has_rec=True)
        ),
        "Sequential(first=Linear, second=Rate)": lambda: Sequential(
            {"first": linear((3, 3)), "second": rate(3)}
        ),
        "FFwdStack(Rate, Rate)": lambda: FFwdStack(
            rate(3), rate(2), weight_init_func=_ones(suffix)
        ),
        "Wired(second=Rate, first=Linear)": lambda: Wired(
            {"second": rate(3), "first": linear((3, 3))},
            [("input", "first"), ("first", "second"), ("second", "output"), ("input", "output")],
        ),
    }


def _ones(suffix: str) -> Callable[[Any], Any]:
    if suffix == "Torch":
        import torch

        return torch.ones
    import numpy as np

    return np.ones


def _seed() -> None:
    """Make drawn weights the same each time."""
    import numpy as np
    import torch

    np.random.seed(1)
    torch.manual_seed(1)


def _module_lines(key: str, module: Any, channels: int) -> Lines:
    lines = {f"{key} shape": str(module.shape)}
    families = _families(module)
    for kind in ("parameters", "state", "simulation_parameters"):
        attributes = dict(_flat(getattr(module, kind)()))
        lines[f"{key} {kind}"] = ", ".join(attributes) or "none"
        for name, value in attributes.items():
            family = families.get(name, "no family")
            lines[f"{key} {kind} {name}"] = f"{family}; {_value(value)}"
    output, state, records = _outcome(module, channels)
    lines[f"{key} output"] = _shape_and_type(output)
    for what, tree in (("new state", state), ("record", records)):
        described = sorted(f"{name} {_shape_and_type(value)}" for name, value in _flat(tree))
        lines[f"{key} {what}"] = "; ".join(described) or "none"
    return lines


def _families(module: Any) -> dict[str, str]:
    """The family of each attribute, asked for in the public way."""
    found: dict[str, str] = {}
    for family in FAMILIES:
        for kind in ("parameters", "state", "simulation_parameters"):
            found |= {name: family for name, _ in _flat(getattr(module, kind)(family))}
    return found


def _flat(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _outcome(module: Any, channels: int) -> Any:
    """What a call on a small input returns, for jax without computing it: that takes seconds."""
    import numpy as np

    data = ((7 * np.arange(5)[:, None] + 5 * np.arange(channels)) % 11 / 55)[None]
    bases = {base.__name__ for base in type(module).__mro__}
    if "TorchModule" in bases:
        import torch

        return module(torch.tensor(data, dtype=torch.float32), record=True)
    if "JaxModule" in bases:
        import jax

        return jax.eval_shape(lambda given: module(given, record=True), data)
    return module(data, record=True)


def _shape_and_type(value: Any) -> str:
    if not hasattr(value, "shape"):
        return type(value).__name__
    return f"{tuple(value.shape)} {_package(value)} {str(value.dtype).removeprefix('torch.')}"


def _package(value: Any) -> str:
    """The package that an array is of; jax' arrays are of jaxlib, whatever they say."""
    top = type(value).__module__.partition(".")[0]
    return {"jaxlib": "jax", "rockpool": "numpy"}.get(top, top)


def _value(value: Any) -> str:
    """Shape, type and value of an attribute; what repeats itself is said once."""
    import numpy as np

    if not hasattr(value, "shape"):
        return _default(value, {})
    array = np.asarray(value.detach() if hasattr(value, "detach") else value)
    numbers = [float(f"{number:.4g}") for number in array.ravel().tolist()]
    shown = f"all {numbers[0]}" if len(set(numbers)) == 1 else " ".join(map(str, numbers))
    return f"{_shape_and_type(value)}; {shown}"


# --- the command ------------------------------------------------------------------------------------------


def _commands() -> Lines:
    """The words and options of each command, as its help lists them."""
    from rockpool.cli import COMMANDS, main

    lines = Lines()
    for words in ([], *([command] for command in COMMANDS)):
        with redirect_stdout(io.StringIO()) as output:
            try:
                main([*words, "--help"])
            except SystemExit as end:
                if end.code:
                    raise
        name = " ".join(["rockpool", *words])
        listed = re.findall(r"^ {2}(\S+(?: \S+)*)(?: {2,}|$)", _lists(output.getvalue()), re.M)
        lines |= {f"command {name} {option}": "is there" for option in listed}
    return lines


def _lists(text: str) -> str:
    """The parts of a help text that list something, without usage, prose and examples."""
    blocks = re.split(r"\n(?=\S)", text)
    titles = ("commands:", "options:", "positional arguments:")
    return "\n".join(block for block in blocks if block.startswith(titles))


# --- the texts of errors ------------------------------------------------------------------------------------


def error_texts(files: Iterable[Path]) -> Lines:
    """The texts that tests ask errors and warnings for, with the files that do."""
    found: dict[str, set[str]] = {}
    for file in files:
        for text in texts_in(ast.parse(file.read_text())):
            found.setdefault(text, set()).add(file.relative_to(TESTS).as_posix())
    return {f"error text {text}": ", ".join(sorted(where)) for text, where in found.items()}


def texts_in(tree: ast.Module) -> Iterator[str]:
    """The texts of errors and warnings that the tests of a file ask for."""
    helpers: dict[str, ast.stmt] = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            helpers[node.name] = node
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
            if isinstance(target, ast.Name):
                helpers[target.id] = node
    yield from _texts_below(tree, helpers, None)


def _texts_below(
    tree: ast.AST, helpers: Mapping[str, ast.stmt], test: ast.FunctionDef | None
) -> Iterator[str]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.keyword) and node.arg == "match":
            yield from _literals(node.value)
            if test is not None and any(
                isinstance(part, ast.Name) for part in ast.walk(node.value)
            ):
                yield from _given_to(test, helpers)
        elif isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            if any(_is_message(side) for side in sides):
                for side in sides:
                    yield from _literals(side)
        inside = node if isinstance(node, ast.FunctionDef) else test
        yield from _texts_below(node, helpers, inside)


def _is_message(node: ast.expr) -> bool:
    text = ast.unparse(node)
    return ".value" in text or text in ("message", "error", "str(error)")


def _literals(node: ast.expr) -> list[str]:
    """The texts in an expression; of a formatted one, the code that makes it."""
    if isinstance(node, ast.Constant):
        return [node.value] if isinstance(node.value, str) else []
    if isinstance(node, ast.JoinedStr):
        return [ast.unparse(node)[2:-1]]
    found = (
        _literals(child) for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)
    )
    return [text for texts in found for text in texts]


def _given_to(test: ast.FunctionDef, helpers: Mapping[str, ast.stmt]) -> Iterator[str]:
    """The texts of more than one word in the lists that a test is given, or has itself.

    The expected text is a variable there: which one of them it is, is not followed.
    """
    used = {node.id for node in ast.walk(test) if isinstance(node, ast.Name)}
    for place in (test, *(helpers[name] for name in sorted(used & helpers.keys()))):
        for node in ast.walk(place):
            if isinstance(node, ast.Tuple | ast.List):
                for entry in node.elts:
                    if isinstance(entry, ast.Constant | ast.JoinedStr):
                        yield from (text for text in _literals(entry) if " " in text)


# --- as a program -------------------------------------------------------------------------------------------


def as_json(lines: Lines) -> str:
    """One thing a line, in order."""
    return json.dumps(dict(sorted(lines.items())), indent=0, ensure_ascii=False) + "\n"


def main() -> None:
    """Print the record, or keep it as the arguments say."""
    lines = record()
    if "--add" in sys.argv:
        lines |= json.loads(RECORD.read_text())
    if "--add" in sys.argv or "--write" in sys.argv:
        RECORD.write_text(as_json(lines))
    else:
        sys.stdout.write(as_json(lines))


if __name__ == "__main__":
    main()
