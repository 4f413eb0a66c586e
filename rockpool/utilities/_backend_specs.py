"""What the standard back-ends need; how a module and its version are found without an import."""

import os
import sys
from _thread import get_ident

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from importlib.machinery import ModuleSpec


class BackendSpec:
    """What a back-end needs: modules in the order in which to import them, a version, a check."""

    __slots__ = (
        "advice",
        "are_packages",
        "check",
        "check_needs",
        "distribution",
        "minimum",
        "modules",
        "name",
        "never_import",
        "pip",
        "unmet",
        "version_of",
    )

    def __init__(
        self,
        name: str,
        modules: "tuple[str, ...]",
        *,
        pip: str,
        check: "bool | Callable[[], object]" = True,
        check_needs: str = "",
        unmet: str = "its check said no",
        minimum: "tuple[int, ...] | None" = None,
        distribution: "str | None" = None,
        version_of: "str | None" = None,
        advice: "Callable[[], tuple[str, str] | None] | None" = None,
        are_packages: bool = False,
        never_import: bool = False,
    ) -> None:
        self.name = name
        self.modules = modules
        self.pip = pip
        self.check = check
        self.check_needs = check_needs
        self.unmet = unmet
        self.minimum = minimum
        self.distribution = distribution
        self.version_of = version_of
        self.advice = advice
        self.are_packages = are_packages
        self.never_import = never_import

    @property
    def own_module(self) -> str:
        """The module that the back-end's version is told by."""
        return self.version_of or (self.modules[0] if self.modules else "")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, BackendSpec) and all(
            getattr(self, slot) == getattr(other, slot) for slot in self.__slots__
        )

    __hash__ = None  # type: ignore[assignment]


class BackendStatus:
    """What is known of one back-end (see `backend_status`).

    Attributes
    ----------
    name : str
        The back-end.
    state : str
        available, installed, missing, broken, outdated, shadowed or unmet.
    version : str or None
        The version that is loaded or installed, where it can be told.
    reason : str
        The state in one sentence.
    error : BaseException or None
        What importing it raised, the last time that it was tried.
    install : str
        The one command that mends it.
        Empty where only a restart of Python helps.
    module : str
        The module that the state is about.
    restart : str
        Why this process has to be started again before the back-end can be used; mostly empty.
    """

    __slots__ = ("error", "install", "module", "name", "reason", "restart", "state", "version")

    def __init__(
        self,
        name: str,
        state: str,
        version: "str | None",
        reason: str,
        error: "BaseException | None",
        install: str,
        module: str,
        restart: str = "",
    ) -> None:
        self.name = name
        self.state = state
        self.version = version
        self.reason = reason
        self.error = error
        self.install = install
        self.module = module
        self.restart = restart

    def to_dict(self) -> "dict[str, str | None]":
        """The record as plain strings, fit for JSON."""
        error = None if self.error is None else f"{type(self.error).__name__}: {self.error}"
        values = {slot: getattr(self, slot) for slot in ("name", "state", "version", "reason")}
        return {**values, "error": error, "install": self.install}

    def __repr__(self) -> str:
        version = f" {self.version}" if self.version else ""
        return f"<{self.name}{version}: {self.state}, {self.reason}>"


def _cuda_device() -> bool:
    return bool(sys.modules["torch"].cuda.is_available())


def _brian_numpy_conflict() -> "tuple[str, str] | None":
    """brian2 before 2.10 does not import with numpy >= 2.4, and its metadata do not say so.

    Later releases do, and need Python 3.12.
    """
    brian = dist_version("brian2", "brian2")
    numpy = module_version("numpy") or dist_version("numpy", "numpy")
    if brian and numpy and release(brian) < (2, 10) and release(numpy) >= (2, 4):
        newer = sys.version_info >= (3, 12)
        mend = 'pip install --upgrade "brian2>=2.10"' if newer else 'pip install "numpy<2.4"'
        return f"brian2 {brian} needs numpy < 2.4, and numpy is {numpy}", mend
    return None


def _standard(
    name: str, *modules: str, pip: "str | None" = None, **options: object
) -> "BackendSpec":
    pip = pip or f'"rockpool[{name}]"'
    return BackendSpec(name, modules, pip=pip, are_packages=True, **options)  # type: ignore[arg-type]


_CUDA = {
    "check": _cuda_device,
    "check_needs": "a CUDA device",
    "unmet": "no CUDA device is visible to torch, and a CUDA device is what is missing",
}

STANDARD: "dict[str, BackendSpec]" = {
    spec.name: spec
    for spec in (
        _standard("numpy", "numpy", pip="numpy", minimum=(1, 24)),
        _standard("scipy", "scipy", minimum=(1, 10)),
        _standard("numba", "numba", minimum=(0, 59)),
        _standard("torch", "torch", minimum=(2, 1)),
        _standard("jax", "jax", "jaxlib", minimum=(0, 4, 30)),
        _standard("brian", "brian2", minimum=(2, 7), advice=_brian_numpy_conflict),
        _standard("nest", "nest", minimum=(3, 9), distribution="nest-simulator"),
        _standard("sinabs", "sinabs", minimum=(3, 0)),
        _standard(
            "sinabs-exodus",
            "torch",
            "sinabs",
            "sinabs.exodus",
            pip='--no-build-isolation "rockpool[exodus]"',
            minimum=(2,),
            distribution="sinabs-exodus",
            version_of="sinabs.exodus",
            **_CUDA,
        ),
        _standard("nir", "nir", "nirtorch", minimum=(1, 0)),
        _standard("cuda", "torch", pip='"rockpool[torch]"', minimum=(2, 1), **_CUDA),
        _standard("samna", "samna", pip="samna", never_import=True),
    )
}

ALIASES = {"brian2": "brian", "sinabs.exodus": "sinabs-exodus", "sinabs_exodus": "sinabs-exodus"}


class glance:
    """A `with` block in which each module is looked for once, however often it is asked for.

    Back-ends share modules, and each answer about one takes several looks. Nothing may be imported
    or installed inside the block: it would not be seen. It concerns its own thread alone.
    """

    __slots__ = ("_outer",)

    def __enter__(self) -> None:
        me = get_ident()
        self._outer = _glances.get(me)
        if self._outer is None:
            _glances[me] = {}

    def __exit__(self, *error: object) -> None:
        if self._outer is None:
            del _glances[get_ident()]


# What was found since each thread's `glance` began.
_glances: "dict[int, dict[str, ModuleSpec | None]]" = {}


def find_spec(name: str) -> "ModuleSpec | None":
    """The spec of a module, found without importing it or its parents; None where there is none."""
    seen = _glances.get(get_ident())
    if seen is None:
        return _seek(name)
    if name not in seen:
        seen[name] = _seek(name)
    return seen[name]


def _seek(name: str) -> "ModuleSpec | None":
    if name in sys.modules:
        module = sys.modules[name]
        spec = getattr(module, "__spec__", None)
        if module is None or spec is not None:
            return spec
    parent = name.rpartition(".")[0]
    path = None
    if parent:
        parent_spec = find_spec(parent)
        if parent_spec is None or parent_spec.submodule_search_locations is None:
            return None
        path = list(parent_spec.submodule_search_locations)
    for finder in list(sys.meta_path):
        if hasattr(finder, "find_spec"):
            try:
                spec = finder.find_spec(name, path)
            except ImportError:  # a finder that forbids a module ends the search
                return None
            except KeyError:  # a folder without a package, whose parent is not imported
                spec = finder.find_spec(name.rpartition(".")[2], path)
            if spec is not None:
                return spec
    return None


def parts_without_package(module: str) -> "list[str]":
    """The sub-modules that are loaded while their package is not: an import of it has failed."""
    if module in sys.modules:
        return []
    prefix = f"{module}."
    if prefix not in " ".join(sys.modules.copy()):  # the rule, and quickly seen
        return []
    loaded = sys.modules.copy()
    return [name for name in loaded if name.startswith(prefix) and loaded[name] is not None]


def location(name: str) -> str:
    """Where a module lies, for people."""
    spec = find_spec(name)
    return (spec and spec.origin) or "no file"


def module_version(name: str) -> "str | None":
    """The version that an already imported module says of itself."""
    version = getattr(sys.modules.get(name), "__dict__", {}).get("__version__")
    return version if isinstance(version, str) else None


# Folder -> (its modification time, {distribution: version}). Read anew when the folder changes.
_distributions: "dict[str, tuple[int, dict[str, str]]]" = {}


def dist_version(distribution: str, module: str) -> "str | None":
    """The version in a distribution's ``*.dist-info`` name, beside its module or on `sys.path`."""
    key = distribution.lower().replace("-", "_").replace(".", "_")
    spec = find_spec(module.partition(".")[0])
    origin = spec.origin if spec is not None else None
    beside = os.path.dirname(os.path.dirname(origin)) if origin and os.sep in origin else None
    for folder in ([beside] if beside else []) + sys.path:
        version = _installed_in(folder or os.curdir).get(key)
        if version is not None:
            return version
    return None


def _installed_in(folder: str) -> "dict[str, str]":
    try:
        changed = os.stat(folder).st_mtime_ns
        known = _distributions.get(folder)
        if known is not None and known[0] == changed:
            return known[1]
        entries = os.listdir(folder)
    except OSError:  # not a folder, or not ours to read: a zip file on sys.path, for example
        return {}
    found = {}
    for entry in entries:
        if entry.endswith((".dist-info", ".egg-info")):
            name, _, version = entry.rpartition(".")[0].partition("-")
            version = version.partition("-")[0]
            if version:
                found[name.lower().replace("-", "_").replace(".", "_")] = version
    _distributions[folder] = (changed, found)
    return found


def forget_distributions(since: float = 0.0) -> None:
    """Read the folders that have changed since then (s) anew: their times are coarse."""
    for folder, (changed, _) in list(_distributions.items()):
        if changed >= since * 1e9:
            _distributions.pop(folder, None)


def release(version: str) -> "tuple[int, ...]":
    """The leading numbers of a version: ``2.13.0+cpu`` is (2, 13, 0). No number at all gives ()."""
    numbers: list[int] = []
    for part in version.lstrip("v").split("+")[0].split("."):
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits:
            break
        numbers.append(int(digits))
        if digits != part:
            break
    return tuple(numbers)
