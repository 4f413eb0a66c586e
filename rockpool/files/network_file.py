"""A network in one file: `save`, `load`, and `read_header` for its description alone.

The file is one of the safetensors format. Its arrays are those of the network; its metadata have,
as JSON under ``rockpool``, the description (`rockpool.nn.description`), in which each array is
named by its key. The version of that JSON is `VERSION`; a reader refuses later ones.
"""

import json
import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

import numpy as np

from rockpool._version import __version__
from rockpool.files.checks import check_sizes
from rockpool.files.tensors import (
    MAX_ENTRIES,
    FileFormatError,
    parse_json,
    read_tensors,
    shown,
    tensors_in,
)
from rockpool.nn.conversion import build, describe, library_of, settled
from rockpool.nn.description import MAX_DEPTH, MAX_NODES, Node, Value
from rockpool.nn.models.catalogue import LIBRARY
from rockpool.utilities._atomic import check_path, replacing

__all__ = ["VERSION", "NetworkFile", "load", "read_header", "save"]

VERSION = 1
MAX_NAME = 255

Path = str | os.PathLike[str]
Containers = Mapping[str, Callable[[dict[str, Any]], Any]]

# What constructors raise besides a ValueError where they cannot take a value
_REFUSALS = (TypeError, AssertionError, ArithmeticError, LookupError, RuntimeError)

_NODE_KEYS = frozenset("model shape parameters states settings local children user library".split())


@dataclass(frozen=True)
class NetworkFile:
    """What a file says of a network.

    Attributes
    ----------
    network : Node
        The description; its arrays are views of the file.
    notes : dict of str by str
        What the user wrote with it.
    library : str
        Where the network was: "numpy", "torch" or "jax".
    package_version : str
        The version of this package that wrote it.
    size : int
        Bytes of the file.
    """

    network: Node
    notes: dict[str, str]
    library: str
    package_version: str
    size: int

    @property
    def written_by(self) -> str:
        """What wrote the file."""
        return f"rockpool {self.package_version}"


def save(network: Any, path: Path, *, notes: Mapping[str, str] | None = None) -> None:
    """Write a network to a file: its structure, parameters, constants, states and settings.

    Nothing is lost: `load` gives the same bits on the same back-end, and the network goes on from
    where it is now; call ``reset_state()`` first for one that starts at rest. The file takes
    little more than the raw numbers. It is replaced as a whole, or stays as it was.

    Parameters
    ----------
    network : Module, or Node
        The network, of any back-end, or a description of one.
    path : str or path
        The file; ``.safetensors`` is the usual ending.
    notes : dict of str by str, optional
        Texts to keep with it. Default: none.

    Raises
    ------
    TypeError
        `network` is no module; a setting is a function of your own, or a layer is one of torch
        itself, which no file can hold; notes are no texts.
    FileFormatError
        A ValueError: `load` would not take the file, as a name in it is too long or cannot be
        printed, or as there are too many modules, or notes longer than 2 MiB.
    ModuleNotFoundError
        There is no ``safetensors`` (``pip install "safetensors>=0.4"``).
    OSError
        The file cannot be written.

    Examples
    --------
    >>> from rockpool.nn.modules import LIF
    >>> save(LIF(3), "net.safetensors")                          # doctest: +SKIP
    >>> load("net.safetensors", backend="torch")                 # doctest: +SKIP
    LIFTorch  with shape (3, 3)
    """
    name = check_path("save", path, "path")
    is_mapping = notes is None or isinstance(notes, Mapping)
    kept = dict(notes or {}) if is_mapping else {}
    if not is_mapping or not all(isinstance(text, str) for item in kept.items() for text in item):
        raise TypeError(f"save: notes must be texts by name, got {notes!r}")
    node = network if isinstance(network, Node) else describe(network)
    writer = _safetensors()
    arrays: dict[str, np.ndarray] = {}
    said = {
        "version": VERSION,
        "package": __version__,
        "library": node.library if isinstance(network, Node) else library_of(network),
        "notes": kept,
        "network": _said(node, (), arrays),
    }
    text = json.dumps(said, separators=(",", ":"), allow_nan=False)
    content = writer.save(arrays, {"rockpool": text})
    _read(name, *tensors_in(name, np.frombuffer(content, np.uint8)), len(content))
    with replacing(name, "wb") as file:
        file.write(content)


def load(
    path: Path,
    backend: str | None = None,
    *,
    dtype: Any = None,
    state: bool = True,
    containers: Containers | None = None,
    shape: Sequence[int] | None = None,
) -> Any:
    """Return the network of a file, on any back-end that can hold it.

    Parameters
    ----------
    path : str or path
        A file that `save` wrote. It may come from anywhere: what it says is checked, and nothing
        in it is run.
    backend : str, optional
        As for `rockpool.convert`. Default: "numpy", "torch" or "jax", where the network was.
    dtype : str or dtype, optional
        As for `rockpool.convert`.
    state : bool, optional
        Whether to set the states of the file; else the network is at rest. Default: True.
    containers : dict, optional
        How to make containers and layers of your own: by the name of the class, a function of the
        submodules by name that returns a new one. Default: none.
    shape : tuple of int, optional
        As for `rockpool.convert`: what the back-end "auto" is chosen for.

    Raises
    ------
    FileFormatError
        A ValueError: the file is no such file, is damaged, or is of a later version.
    ValueError, ModuleNotFoundError
        As for `rockpool.convert`.
    TypeError
        `containers` are no functions by name.
    OSError
        The file cannot be read.
    """
    containers = {} if containers is None else containers
    if not isinstance(containers, Mapping) or not all(map(callable, containers.values())):
        raise TypeError(f"load: containers must be functions by name, got {containers!r}")
    header = read_header(path)
    node = _with_containers(header.network, dict(containers))
    backend = header.library if backend is None else backend
    backend = settled("load", node, backend, shape)
    if not state:
        node = node.without_states()
    keep = LIBRARY.get(backend) == header.library
    try:
        return build(node, backend, dtype=dtype, keep_precision=keep)
    except _REFUSALS as error:  # of a setting of a class that no table knows
        raise FileFormatError(f"{os.fspath(path)}: {error}") from error


def read_header(path: Path) -> NetworkFile:
    """Return the description of the network in a file; only numpy is needed.

    Raises
    ------
    FileFormatError, OSError
        As for `load`.
    """
    name = check_path("read_header", path, "path")
    return _read(name, *read_tensors(path), os.stat(path).st_size)


def _read(
    name: str, arrays: dict[str, np.ndarray], metadata: dict[str, Any], size: int
) -> NetworkFile:
    """Return what the arrays and metadata of a file of some bytes say of a network."""
    if "rockpool" not in metadata:
        raise FileFormatError(f"{name}: these are tensors, but no description of a network")
    said = parse_json(name, "its description", metadata.pop("rockpool"), MAX_ENTRIES)
    if not isinstance(said, dict):
        raise FileFormatError(f"{name}: its description is no object of names")
    version = said.get("version")
    if type(version) is not int or version < 1:
        raise FileFormatError(f"{name}: its version is {shown(version)}")
    if version > VERSION:
        raise FileFormatError(
            f"{name}: it has version {version} of the format, written by rockpool "
            f"{shown(said.get('package'))}; this rockpool {__version__} reads up to {VERSION}"
        )
    reader = _Reader(name, arrays)
    node = reader.node(said.get("network"), ())
    reader.check_all_used()
    node = _with_networks(node)
    check_sizes(name, node, size)
    notes, library, package = said.get("notes"), said.get("library"), said.get("package")
    if not isinstance(notes, dict) or not all(isinstance(text, str) for text in notes.values()):
        raise FileFormatError(f"{name}: its notes are no texts by name")
    if not _is_library(library) or not isinstance(package, str):
        raise FileFormatError(f"{name}: it was written by {shown(library)}, {shown(package)}")
    return NetworkFile(node, notes, library, package, size)


# -- writing -------------------------------------------------------------------------------------


def _safetensors() -> Any:
    try:
        from safetensors import numpy as safetensors_numpy
    except ModuleNotFoundError as error:
        from rockpool.backends.specs import INSTALL_FILES

        error.add_note(f"Networks are written by safetensors: {INSTALL_FILES}")
        raise
    return safetensors_numpy


def _said(node: Node, path: tuple[str, ...], arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    """Return a node as JSON has it, and add its arrays to those of the file."""
    if node.model.startswith("torch.nn."):
        raise TypeError(
            f"save: {'.'.join(path) or 'the network'} is a {node.model}, which no file can hold"
        )

    def stored(name: str, array: np.ndarray) -> str:
        key = ".".join((*path, name))
        while key in arrays:
            key += "'"
        arrays[key] = np.ascontiguousarray(array).reshape(array.shape)
        return key

    def said_value(name: str, value: Any) -> Any:
        if isinstance(value, Value):
            given = {"family": value.family, "constant": value.constant}
            return {"tensor": stored(name, value.array), **given}
        if isinstance(value, np.ndarray):
            return {"tensor": stored(name, value)}
        if isinstance(value, float) and not math.isfinite(value):
            return {"float": str(value)}
        if value is None or isinstance(value, (bool, int, float, str)) or _is_row(value):
            return value
        where = ".".join(path) or node.model
        raise TypeError(f"save: {name} of {where} is {value!r}, which no file can hold")

    return {
        "model": node.model,
        "shape": list(node.shape),
        "parameters": {name: said_value(name, value) for name, value in node.parameters.items()},
        "states": {name: said_value(f"state.{name}", value) for name, value in node.states.items()},
        "settings": {name: said_value(name, value) for name, value in node.settings.items()},
        "local": {name: said_value(f"local.{name}", value) for name, value in node.local.items()},
        "children": [[n, _said(child, (*path, n), arrays)] for n, child in node.children.items()],
        "user": node.user_class is not None,
        "library": node.library,
    }


def _is_row(value: Any, depth: int = 2) -> bool:
    """Return whether a setting is a tuple of whole numbers and names, or of such tuples."""
    if type(value) is tuple and depth:
        return all(_is_row(entry, depth - 1) for entry in value)
    fits = type(value) is int and abs(value) <= 2**63
    return depth < 2 and (fits or isinstance(value, str))


# -- reading -------------------------------------------------------------------------------------


class _Reader:
    """Makes nodes of what the description in a file says, all of it checked."""

    def __init__(self, name: str, arrays: dict[str, np.ndarray]) -> None:
        self.name = name
        self.arrays = arrays
        self.used: set[str] = set()
        self.n_nodes = 0

    def _fail(self, path: tuple[str, ...], what: str) -> FileFormatError:
        where = shown(".".join(path)) if path else "the network"
        return FileFormatError(f"{self.name}: {where}: {what}")

    def node(self, said: Any, path: tuple[str, ...]) -> Node:
        """Return the node that a JSON object says, with all that is in it."""
        self.n_nodes += 1
        if len(path) > MAX_DEPTH or self.n_nodes > MAX_NODES:
            raise self._fail(
                path[:3], f"more than {MAX_DEPTH} modules in one another, or {MAX_NODES} in all"
            )
        if not isinstance(said, dict) or set(said) != _NODE_KEYS:
            raise self._fail(path, f"must have {', '.join(sorted(_NODE_KEYS))}")
        shape = said["shape"]
        if not self._is_shape(shape, None):
            raise self._fail(path, f"the shape is {shown(shape)}")
        if not self._is_name(said["model"]) or not _is_library(said["library"]):
            raise self._fail(path, f"the model is {shown(said['model'])}")
        if type(said["user"]) is not bool:
            raise self._fail(path, f"user is {shown(said['user'])}")
        return Node(
            said["model"],
            tuple(shape),
            {n: self._parameter(path, n, v) for n, v in self._items(path, said, "parameters")},
            {n: self._array(path, n, v) for n, v in self._items(path, said, "states")},
            {n: self._setting(path, n, v) for n, v in self._items(path, said, "settings")},
            {n: self._setting(path, n, v) for n, v in self._items(path, said, "local")},
            self._children(said["children"], path),
            _UserContainer if said["user"] else None,
            library=said["library"],
        )

    def _children(self, said: Any, path: tuple[str, ...]) -> dict[str, Node]:
        if not isinstance(said, list) or not all(
            isinstance(entry, list) and len(entry) == 2 and self._is_name(entry[0])
            for entry in said
        ):
            raise self._fail(path, "its modules must be pairs of a name and a module")
        names = [name for name, _ in said]
        if len(set(names)) != len(names):
            raise self._fail(path, "two of its modules have one name")
        return {name: self.node(child, (*path, name)) for name, child in said}

    @staticmethod
    def _is_shape(said: Any, *others: None) -> bool:
        """Return whether something is a list of sizes, or of other entries that are allowed."""
        return isinstance(said, list) and all(
            (type(size) is int and 0 <= size < 2**53) or size in others for size in said
        )

    @staticmethod
    def _is_name(name: Any) -> bool:
        return isinstance(name, str) and 0 < len(name) <= MAX_NAME and name.isprintable()

    def _items(self, path: tuple[str, ...], said: dict[str, Any], what: str) -> Any:
        items = said[what]
        if not isinstance(items, dict) or not all(map(self._is_name, items)):
            raise self._fail(path, f"its {what} must be values by name")
        return items.items()

    def _array(self, path: tuple[str, ...], name: str, said: Any) -> np.ndarray:
        key = said.get("tensor") if isinstance(said, dict) else None
        if not isinstance(key, str) or key not in self.arrays or key in self.used:
            raise self._fail(
                path, f"{shown(name)} must name an array of its own, got {shown(said)}"
            )
        self.used.add(key)
        return self.arrays[key]

    def _parameter(self, path: tuple[str, ...], name: str, said: Any) -> Value:
        array = self._array(path, name, said)
        family, constant = said.get("family"), said.get("constant")
        if not (family is None or self._is_name(family)) or type(constant) is not bool:
            raise self._fail(path, f"{shown(name)} must have a family and say if it is constant")
        return Value(array, family, constant)

    def _setting(self, path: tuple[str, ...], name: str, said: Any) -> Any:
        if isinstance(said, list):
            row = tuple(tuple(entry) if isinstance(entry, list) else entry for entry in said)
            if not _is_row(row):
                raise self._fail(path, f"{shown(name)} is {shown(said)}")
            return row
        if not isinstance(said, dict):
            if type(said) is int and abs(said) > 2**63:
                raise self._fail(path, f"{shown(name)} is {shown(said)}")
            return said
        if "constant" in said:
            return self._parameter(path, name, said)
        if "tensor" in said:
            return self._array(path, name, said)
        if set(said) == {"float"} and said["float"] in ("inf", "-inf", "nan"):
            return float(said["float"])
        raise self._fail(path, f"{shown(name)} is {shown(said)}")

    def check_all_used(self) -> None:
        """Refuse arrays that no module has."""
        unused = sorted(self.arrays.keys() - self.used)
        if unused:
            raise FileFormatError(f"{self.name}: no module has the array {shown(unused[0])}")


def _is_library(name: Any) -> TypeGuard[str]:
    return isinstance(name, str) and name in LIBRARY


class _UserContainer:
    """Stands for the class of a user's container, until the user says how to make it."""


@dataclass(frozen=True)
class _Maker:
    """Makes a user's container; in the place of the container that converts itself."""

    make: Callable[[dict[str, Any]], Any]

    def _convert(self, modules: dict[str, Any], backend: str) -> Any:
        return self.make(modules)


@dataclass(frozen=True)
class _NetworkMaker:
    """Makes a whole network of this package, such as a `SynNet`."""

    make: Callable[[str, dict[str, Any]], Any]

    def _convert(self, modules: dict[str, Any], backend: str) -> Any:
        try:
            return self.make(backend, modules)
        except (KeyError, AttributeError) as error:  # the file made the wiring up
            raise TypeError(f"the modules {list(modules)} are not wired so: {error}") from error


def _with_networks(node: Node) -> Node:
    """Return a description whose networks of this package know how they are made."""
    from dataclasses import replace

    from rockpool.nn.networks.makers import maker_of

    children = {name: _with_networks(child) for name, child in node.children.items()}
    make = maker_of(node)
    return replace(node, children=children, module=_NetworkMaker(make) if make else node.module)


def _with_containers(node: Node, containers: dict[str, Callable[[dict[str, Any]], Any]]) -> Node:
    """Return a description whose user's containers know how they are made."""
    from dataclasses import replace

    for _, inner in node.walk():
        if inner.user_class is None or inner.model in containers:
            continue
        if not isinstance(inner.module, _NetworkMaker):
            kind = "container" if inner.children else "layer"
            raise ValueError(
                f"load: there is a {kind} of your own, {inner.model}; say how to make it: "
                f"load(..., containers={{{inner.model!r}: function_of_its_modules}})"
            )
    children = {name: _with_containers(child, containers) for name, child in node.children.items()}
    module = node.module
    if node.user_class is not None and node.model in containers:
        module = _Maker(containers[node.model])
    return replace(node, children=children, module=module)
