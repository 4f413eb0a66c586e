"""What the package offers, by section of the reference; read from stubs and sources.

Nothing of the package is imported, so no back-end is needed and none is found by accident.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]

# Sections in the order of the reference: a package or a file, and what it is in a few words. A name
# that several offer is described in the first of them that `_HOMES_LAST` does not name.
SECTIONS = {
    "rockpool": "save, load, convert, verify, stream",
    "rockpool.nn.modules": "base classes of all modules",
    "rockpool.nn.modules.native": "numpy, the reference",
    "rockpool.nn.modules.numba": "compiled with numba",
    "rockpool.nn.modules.torch": "torch",
    "rockpool.nn.modules.jax": "jax",
    "rockpool.nn.modules.brian": "Brian 2",
    "rockpool.nn.modules.nest": "NEST",
    "rockpool.nn.modules.sinabs": "sinabs and sinabs-exodus",
    "rockpool.nn.combinators": "modules put together",
    "rockpool.nn.networks": "whole networks of torch",
    "rockpool.nn.losses": "their losses",
    "rockpool.nn.choice": "the fastest back-end",
    "rockpool.training": "rates and bounds of parameters",
    "rockpool.training.losses": "losses, for torch and jax",
    "rockpool.training.encoders": "spikes of numbers",
    "rockpool.training.init": "weights such that no layer is silent",
    "rockpool.training.torch_loss": "bounds as a loss, in torch",
    "rockpool.training.jax_loss": "losses and bounds, in jax",
    "rockpool.training.ctc_loss": "connectionist temporal classification",
    "rockpool.training.adversarial_jax": "adversarial training, in jax",
    "rockpool.training.jax_debug": "what a training does, in jax",
    "rockpool.transform": "quantisation of a network, mismatch",
    "rockpool.transform.quantize_methods": "weights with few bits",
    "rockpool.transform.torch_transform": "parameters transformed in training, in torch",
    "rockpool.transform.quantize": "stochastic rounding in training",
    "rockpool.transform.dropout": "weights left out in training",
    "rockpool.transform.param_transformer": "the base of both",
    "rockpool.transform.mismatch": "parameters as on a chip, in jax",
    "rockpool.timeseries": "time series",
    "rockpool.parameters": "parameters, states, constants",
    "rockpool.typehints": "types of arguments",
    "rockpool.data": "recordings and digits",
    "rockpool.nir": "other people's models",
    "rockpool.files": "a network in one file",
    "rockpool.streaming": "one time step after the other; C",
    "rockpool.verification": "back-ends compared",
    "rockpool.profiling": "what a run costs",
    "rockpool.plots": "pictures",
    "rockpool.graph": "computational graphs",
    "rockpool.utilities.backend_management": "questions about back-ends",
    "rockpool.utilities.lazy_loading": "faces for packages of your own",
    "rockpool.utilities.lazy_imports": "imports that load nothing yet",
    "rockpool.utilities.tree_utils": "nested dictionaries",
    "rockpool.utilities.jax_tree_utils": "pytrees, in jax",
    "rockpool.utilities.property_arrays": "arrays that are properties",
    "rockpool.utilities.type_handling": "numbers out of arrays",
    "rockpool.utilities.benchmarking": "time and memory of neurons",
}
_HOMES_LAST = ("rockpool", "rockpool.transform", "rockpool.utilities")
# What a stub lists that is no part of the reference: a package, or a value said elsewhere.
_NOT_SHOWN = {"__version__", "LOGGER", "DEFAULT_SHAPE"}


class Name(NamedTuple):
    """A public name: where users import it from, where it is defined, what it is, what it needs."""

    package: str
    name: str
    module: str
    kind: str  # "class", "function" or "value"
    backend: str
    summary: str

    @property
    def path(self) -> str:
        """The path to import it by."""
        return f"{self.package}.{self.name}"


class Section(NamedTuple):
    """A part of the reference."""

    package: str
    about: str
    own: tuple[Name, ...]  # that are described here
    others: tuple[Name, ...]  # that are described elsewhere


def source_of(module: str) -> Path:
    """Return the file of a module."""
    path = ROOT.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def _resolve(module: str, level: int, base: str, is_package: bool) -> str:
    if level == 0:
        return module
    parts = base.split(".")
    parts = parts[: len(parts) - level + is_package]
    return ".".join([*parts, *filter(None, [module])])


def _stub_names(package: str) -> Iterator[tuple[str, str, str]]:
    """Yield name, module and back-end of what a stub takes from files; packages are left out."""
    stub = source_of(package).with_suffix(".pyi")
    lines = stub.read_text().splitlines()
    of_all = next((line for line in lines if line.startswith("# backend:")), "")
    for node in _tree(stub).body:
        if isinstance(node, ast.ImportFrom) and node.module:
            own = lines[node.lineno - 1].partition("# backend:")[2].strip()
            module = _resolve(node.module, node.level, package, True)
            for alias in node.names:
                yield alias.name, module, own or of_all.partition(":")[2].strip()


def _file_names(module: str) -> Iterator[tuple[str, str, str]]:
    """Yield the names in a file's `__all__`, with the file."""
    for node in _tree(source_of(module)).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__":
            for name in ast.literal_eval(node.value):
                yield name, module, _backend_of_file(module)


def _backend_of_file(module: str) -> str:
    """Return the back-end that the stub beside a file states for it."""
    package, _, name = module.rpartition(".")
    stub = source_of(package).with_suffix(".pyi")
    for line in stub.read_text().splitlines() if stub.exists() else ():
        if line.startswith((f"from . import {name} ", f"from .{name} import")):
            return line.partition("# backend:")[2].strip()
    return ""


def defined(module: str, name: str) -> tuple[str, ast.AST | None]:
    """Follow imports to the file that defines a name; its node is None for what has none."""
    found: ast.AST | None = None
    nodes = list(_tree(source_of(module)).body)
    for node in nodes:
        if isinstance(node, ast.If):
            nodes += node.body
    for node in nodes:
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == name:
            found = node
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if (alias.asname or alias.name) == name:
                    is_package = source_of(module).name == "__init__.py"
                    target = _resolve(node.module or "", node.level, module, is_package)
                    if target.startswith("rockpool"):
                        return _through(target, alias.name)
    return module, found


def _through(module: str, name: str) -> tuple[str, ast.AST | None]:
    """As `defined`, where the module may be a package with a stub."""
    stub = source_of(module).with_suffix(".pyi")
    if stub.exists():
        for known, home, _ in _stub_names(module):
            if known == name:
                return _through(home, name)
    return defined(module, name)


def _names(package: str) -> Iterator[Name]:
    of_stub = source_of(package).with_suffix(".pyi").exists()
    for name, module, backend in _stub_names(package) if of_stub else _file_names(package):
        if name in _NOT_SHOWN:
            continue
        home, node = _through(module, name)
        kinds = {ast.ClassDef: "class", ast.FunctionDef: "function"}
        text = ast.get_docstring(node) if isinstance(node, ast.ClassDef | ast.FunctionDef) else ""
        summary = " ".join((text or "").partition("\n\n")[0].split())
        yield Name(package, name, home, kinds.get(type(node), "value"), backend, summary)


@cache
def sections() -> tuple[Section, ...]:
    """Return the sections; each name is described in one of them."""
    homes: dict[tuple[str, str], str] = {}
    late = [package for package in SECTIONS if package in _HOMES_LAST]
    flat = {(name.module, name.name) for name in _names("rockpool.nn.modules")}
    listed = {package: list(_names(package)) for package in SECTIONS}
    rooms = [package for package in SECTIONS if package.startswith("rockpool.nn.modules.")]
    for package in [*rooms, *(p for p in SECTIONS if p not in (*rooms, *late)), *late]:
        for name in listed[package]:
            homes.setdefault((name.module, name.name), package)
    made = []
    for package, about in SECTIONS.items():
        own, others = [], []
        for name in listed[package]:
            at_home = homes[name.module, name.name] == package
            if package in rooms and (name.module, name.name) in flat and at_home:
                name = name._replace(package="rockpool.nn.modules")
            (own if at_home else others).append(name)
        made.append(Section(package, about, tuple(own), tuple(others)))
    return tuple(made)


def home_of(name: Name) -> Name:
    """Return the name under which an object is described."""
    for section in sections():
        for own in section.own:
            if (own.module, own.name) == (name.module, name.name):
                return own
    raise LookupError(f"{name.path} is not described")
