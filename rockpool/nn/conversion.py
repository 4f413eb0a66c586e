"""A network of one back-end from one of another: `convert`, by way of a description.

`describe` gives the description of a network (`rockpool.nn.description`), `build` a network from
one. Whatever moves networks, to files or to other formats, does it by these two.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from rockpool.backends.queries import backend_available
from rockpool.nn.combinators._wiring import sources_of
from rockpool.nn.description import CONTAINERS, Node, Value
from rockpool.nn.models.catalogue import (
    BACKENDS,
    CHOOSES_DTYPE,
    DOUBLE_ONLY,
    LIBRARY,
    class_on,
)
from rockpool.nn.models.checks import one_of
from rockpool.nn.modules._described import SPIKING
from rockpool.nn.modules._telling import warn_user
from rockpool.nn.modules.module import ModuleBase
from rockpool.nn.obstacles import backends_for, obstacles

__all__ = ["backends_for", "build", "convert", "describe", "has_double", "obstacles", "settled"]

_Precision = Callable[[Node], str]  # the name of the type in which a module computes

_PREFIXES = {"numpy": "Mod", "torch": "Torch", "jax": "Jax"}
_DTYPES = ("float32", "float64")
_SURROGATE = {"spike_generation_fn": "StepPWL", "learning_window": 0.5}  # as it is in jax


def convert(
    network: Any,
    backend: str,
    *,
    dtype: Any = None,
    state: bool = False,
    shape: Sequence[int] | None = None,
) -> Any:
    """Return the same network on another back-end.

    Parameters
    ----------
    network : Module
        A layer, or a container of layers: `Sequential`, `Residual`, `FFwdStack`, `Wired`,
        `TimedModuleWrapper`, nested at will, or one of your own that has ``_convert``. It stays as
        it is.
    backend : str
        "numpy", "numba", "torch", "jax", "brian", "nest", "sinabs" or "sinabs-exodus". Layers
        without neurons (`Linear`, `Conv2d` and such, `ExpSyn`, and `Instant` with the identity)
        that a back-end has not itself are those of numpy for numba, brian and nest, and of torch
        for the sinabs ones. "auto" is the one of numpy, numba, torch and jax that is here and is
        expected to be the fastest for `shape`; the logger ``rockpool.choice`` says which and why,
        and `rockpool.nn.choice.choose` tells without converting.
    dtype : str or dtype, optional
        "float32" or "float64", the precision of parameters and states, in which the network
        computes. Default: as it is, for a network of the same library of arrays; else that
        which the back-end has by itself, double precision with numpy and its kin and single
        precision with torch and jax.
    state : bool, optional
        Whether to take the present states along; else the new network is at rest. Default: False.
    shape : tuple of int, optional
        With "auto", the batch size and the number of time steps ``(B, T)`` of a call. Default:
        (1, 100).

    Returns
    -------
    Module
        A new network with the same structure, names, parameters, constants and settings. The clock
        of a `TimedModuleWrapper` starts at 0.

    Raises
    ------
    ValueError
        The back-end or `dtype` is not known; or the back-end cannot hold the network: then the
        error names each module and model, and the back-ends that have it; or there is a `shape`
        and `backend` is not "auto"; or a ``_convert`` puts modules of jax with states into one of
        numpy. Nothing is returned then.
    TypeError
        `network` is no module.
    ModuleNotFoundError
        The back-end is missing.

    Warns
    -----
    UserWarning
        For jax, of neurons that have another surrogate gradient than that of jax, but for those of
        `rockpool.nn.networks`, whose default it is; and of dropout, which it has not.

    Examples
    --------
    >>> from rockpool.nn.modules import LIF, Linear
    >>> from rockpool.nn.combinators import Sequential
    >>> net = Sequential(Linear((2, 3)), LIF(3))
    >>> convert(net, "numba")[1].class_name                      # doctest: +SKIP
    'LIFNumba'
    """
    description = describe(network, state=state)
    backend = settled("convert", description, backend, shape)
    if backend == "jax":
        _tell_of_dropout(description)
        _tell_of_surrogates(description)
    same = library_of(network) == LIBRARY.get(backend)
    return build(description, backend, dtype=dtype, keep_precision=same)


def _tell_of_dropout(node: Node) -> None:
    """Warn of dropout, which jax has not, to those who may want to train there."""
    found = [".".join(path) or inner.model for path, inner in node.walk() if inner.is_dropout]
    if found:
        warn_user(f"convert: jax has no dropout, and passes all on: {', '.join(found)}")


def _tell_of_surrogates(node: Node, path: tuple[str, ...] = ()) -> None:
    """Warn of surrogate gradients that jax has not: its neurons have one, that of the default."""
    if getattr(node.user_class, "__module__", "").startswith("rockpool.nn.networks."):
        return  # which have another by themselves
    for name, default in _SURROGATE.items():
        value = node.local.get(name, default)
        if value != default:
            warn_user(
                f"convert: {'.'.join(path) or node.model} has {name} = "
                f"{f'{value:g}' if isinstance(value, float) else value}, of which jax knows "
                f"nothing; its gradients there are those of {default}"
            )
    for name, child in node.children.items():
        _tell_of_surrogates(child, (*path, name))


def settled(owner: str, description: Node, backend: str, shape: Sequence[int] | None) -> str:
    """Return the name of a back-end: the one that is given, or for "auto" the fastest."""
    if backend == "auto":
        from rockpool.nn.choice import DEFAULT_SHAPE, choose

        return choose(description, DEFAULT_SHAPE if shape is None else shape).backend
    if shape is not None:
        raise ValueError(f"{owner}: shape is for the back-end 'auto', got {backend!r}")
    return backend


def describe(network: Any, *, state: bool = True) -> Node:
    """Return the description of a network, a tree of models with their arrays and settings.

    Parameters
    ----------
    network : Module
        The network.
    state : bool, optional
        Whether it has the present states. Default: True.

    Raises
    ------
    TypeError
        `network` is no module, or one in it does not keep what it was made with.
    """
    if not isinstance(network, ModuleBase):
        raise TypeError(f"describe: network must be a module, got {network!r}")
    node = _with_sizes(network._describe(), library_of(network))  # type: ignore[attr-defined]
    for _, inner in node.walk():
        if inner.lacking:
            raise TypeError(
                f"{inner.model} does not keep the {', '.join(inner.lacking)} that it was made "
                "with, so it can be neither converted nor stored"
            )
    return node if state else node.without_states()


def build(
    description: Node, backend: str, *, dtype: Any = None, keep_precision: bool = False
) -> Any:
    """Return a new network on a back-end, made from a description.

    Parameters
    ----------
    description : Node
        What the network is.
    backend, dtype
        As for `convert`.
    keep_precision : bool, optional
        Whether, without `dtype`, the network has the precision that the description has. Default:
        False, that which the back-end has by itself.

    Raises
    ------
    ValueError, ModuleNotFoundError
        As for `convert`; and a value that a module refuses.
    """
    precision = _precision(description, backend, dtype, keep_precision)
    problems = list(obstacles(description, backend))
    if problems:
        listed = "".join(f"\n- {problem}" for problem in problems)
        raise ValueError(f"this network cannot be on the back-end {backend!r}:{listed}")
    if LIBRARY[backend] != "torch":
        description = description.without_dropout()
    network = _built(description, backend, precision)
    wanted = {precision(inner) for _, inner in description.walk()}
    if LIBRARY[backend] == "torch" and "float64" in wanted:
        _cast(network, description, precision)
    if _keeps_batches(description):
        network = network.keep_batch_state()
    _fill(network, description, LIBRARY[backend], precision)
    return network


def library_of(network: Any) -> str:
    """Return the library of arrays that a network uses: "numpy", "torch" or "jax"."""
    names = {base.__name__ for base in type(network).__mro__}
    if "TimedModuleWrapper" in names:
        return library_of(network.module)
    return "torch" if "TorchModule" in names else "jax" if "JaxModule" in names else "numpy"


def _cast(module: Any, node: Node, precision: _Precision) -> None:
    """Give modules of torch their precision, those inside after what they are in."""
    import torch

    if isinstance(module, torch.nn.Module):  # a timed one is none
        module.to(getattr(torch, precision(node)))
    for name, child in node.children.items():
        if name in module._registered_modules:  # else `_fill` says what is missing
            _cast(module._registered_modules[name], child, precision)


def _built(node: Node, backend: str, precision: _Precision) -> Any:
    """Return new modules for a node and all that is in it."""
    children = {name: _built(child, backend, precision) for name, child in node.children.items()}
    if node.user_class is not None:
        container = node.module._convert(children, backend)
        _require_library(node.model, container, backend)
        forgets = backend == "jax" and library_of(container) != "jax"
        if forgets and any(map(_has_states, children.values())):
            raise ValueError(
                f"{node.model}: _convert must give a JaxModule for 'jax', got "
                f"{type(container).__name__}: modules of jax change in copies only, so that it "
                "would forget their states"
            )
        _set_flags(container, node)
        return container
    if node.model == "TimedModuleWrapper":
        from rockpool.nn.modules import TimedModuleWrapper

        (module,) = children.values()
        own = {} if getattr(module, "dt", None) is not None else {"dt": node.settings["dt"]}
        return TimedModuleWrapper(
            module,
            output_num=node.settings["output_num"],
            add_events=node.settings["add_events"],
            **own,
        )
    if node.model in CONTAINERS:
        return _container(node, children, backend)
    module_class = _class(class_on(node.model, backend))
    if not hasattr(module_class, "_described_arguments"):  # a stand-in: it says what is missing
        return module_class(node.shape)
    arguments = module_class._described_arguments(node)
    if LIBRARY[backend] == "numpy" and node.model in CHOOSES_DTYPE and precision(node) == "float32":
        arguments["dtype"] = "float32"
    module = module_class(**arguments)
    _set_flags(module, node)  # which not all classes take as arguments
    return module


def _require_library(model: str, made: Any, backend: str) -> None:
    """Raise a ValueError if a `_convert` has made what does not fit the others of a back-end."""
    library = LIBRARY[backend]
    allowed = {library, "numpy"} if library == "jax" else {library}
    if not isinstance(made, ModuleBase) or library_of(made) not in allowed:
        kind = {"numpy": "Module", "torch": "TorchModule", "jax": "JaxModule"}[library]
        raise ValueError(
            f"{model}: _convert must give a {kind} for {backend!r}, got {type(made).__name__}"
        )


def _set_flags(module: Any, node: Node) -> None:
    """Set whether input and output are events, where a description says so."""
    flags = {f"_{name}": bool(node.local[name]) for name in SPIKING if name in node.local}
    module.__dict__.update(flags)


def _has_states(module: Any) -> bool:
    """Return whether there are states in a module, or in one inside."""
    own = any(entry.kind == "State" for entry in module._registered_attributes.values())
    return own or any(map(_has_states, module._registered_modules.values()))


def _container(node: Node, children: dict[str, Any], backend: str) -> Any:
    """Return a container of new modules."""
    from rockpool.nn import combinators

    container = getattr(combinators, _PREFIXES[LIBRARY[backend]] + node.model)
    options = {}
    if node.model == "FFwdStack":
        options["weight_init_func"] = container._default_weights
    if node.model == "Wired":
        options["edges"] = node.settings["edges"]
    return container(children, **options)


def _class(name: str | None) -> Any:
    from rockpool.nn import modules

    return getattr(modules, str(name))


def _fill(module: Any, node: Node, library: str, precision: _Precision) -> None:
    """Give new modules the values of a description, to the last bit.

    A layer of this package that the `_convert` of a user made has what was given to it.
    """
    arrays = dict(node.states)
    if node.user_class is None or not type(module).__module__.startswith("rockpool."):
        arrays |= {name: value.array for name, value in node.parameters.items()}
        arrays |= {name: v.array for name, v in node.local.items() if isinstance(v, Value)}
    for name, array in arrays.items():
        if name in module._registered_attributes:
            setattr(module, name, _array_of(library, array, precision(node)))
    for name, child in node.children.items():
        if name not in module._registered_modules:
            raise ValueError(
                f"{node.model}: _convert must give the new container the modules that the old one "
                f"has, under the same names; there is no {name!r}"
            )
        _fill(module._registered_modules[name], child, library, precision)


def _array_of(library: str, array: np.ndarray, precision: str) -> Any:
    """Return an array of a library."""
    floats = array.astype(precision) if array.dtype.kind == "f" else array.copy()
    if library == "torch":
        import torch

        return torch.from_numpy(np.ascontiguousarray(floats).reshape(array.shape))
    if library == "jax":
        import jax.numpy as jnp

        return jnp.asarray(floats)
    return floats


def _precision(node: Node, backend: str, dtype: Any, keep: bool) -> _Precision:
    """Return what says in which type each module of the new network is to compute."""
    if backend not in BACKENDS:
        known = one_of(map(repr, (*BACKENDS, "auto")))
        raise ValueError(f"backend must be {known}, got {backend!r}")
    library = LIBRARY[backend]
    if dtype is not None:
        name = str(getattr(dtype, "__name__", dtype)).removeprefix("torch.")
        if name not in _DTYPES:
            raise ValueError(f"dtype must be {one_of(map(repr, _DTYPES))}, got {dtype!r}")
        if name == "float32" and backend in DOUBLE_ONLY:
            raise ValueError(f"dtype must be 'float64' for {backend!r}, got {dtype!r}")
        if name == "float64" and not has_double(backend):
            raise ValueError(
                f"dtype must be 'float32' for 'jax' as long as its jax_enable_x64 is off, got "
                f"{dtype!r}"
            )
        return lambda node: name
    if not keep or backend in DOUBLE_ONLY:
        usual = "float64" if library == "numpy" else "float32"
        return lambda node: usual
    default = "float32" if library == "torch" else "float64"
    whole = _kept_precision([inner for _, inner in node.walk()], default)
    return lambda node: _kept_precision([node], whole)


def _kept_precision(nodes: list[Node], default: str) -> str:
    """Return the precision that some modules have of their own."""
    arrays = [value.array for inner in nodes for value in inner.parameters.values()]
    arrays = arrays or [state for inner in nodes for state in inner.states.values()]
    types = {array.dtype.name for array in arrays}
    if not types:
        return default
    return "float64" if types <= {"float64"} else "float32"  # of half precision, too


def has_double(backend: str) -> bool:
    """Return whether a back-end has double precision: jax only if it is told so, by a setting."""
    if backend != "jax" or not backend_available("jax"):
        return True
    import jax

    return bool(jax.config.jax_enable_x64)


def _keeps_batches(node: Node) -> bool:
    """Return whether a description has states of more than one batch element."""
    return any(inner.local.get("keep_batch_state") for _, inner in node.walk())


def _with_sizes(node: Node, library: str, size: int | None = None) -> Node:
    """Return a description in which layers of torch have the size of what comes before them."""
    if node.model == "Instant" and node.shape == (None,):
        node = replace(node, shape=(size, size))
    children: dict[str, Node] = {}
    sources = sources_of(node.settings["edges"]) if node.model == "Wired" else {}
    sizes = {"input": size}
    for name, child in node.children.items():
        if sources:
            known = (sizes[source] for source in sources[name] if sizes[source] is not None)
            size = next(known, None)
        children[name] = _with_sizes(child, library, size)
        sizes[name] = children[name].shape[-1]
        if node.model != "FFwdStack":
            size = sizes[name]
    shape = node.shape
    if children and None in shape:
        members = list(children.values())
        shape = (members[0].shape[0], members[-1].shape[-1])
    return replace(node, shape=shape, children=children, library=library)
