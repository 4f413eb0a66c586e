"""What back-ends need: the standard ones, and those that were registered."""

import sys

from .finder import Search, is_older, module_version, release

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
else:  # for those who check annotations at run time
    from _collections_abc import Callable, Iterable


class BackendSpec:
    """What a back-end needs: modules in the order in which to import them, a version, a check."""

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
        telling: str = "",
        advice: "Callable[[], tuple[str, str] | None] | None" = None,
        are_packages: bool = False,
        never_import: bool = False,
        in_main_thread: bool = False,
    ) -> None:
        self.name = name
        self.modules = modules
        self.pip = pip
        self.check = check
        self.check_needs = check_needs
        self.unmet = unmet
        self.minimum = minimum
        self.distribution = distribution
        # The module that the back-end's version is stated by.
        self.own_module = version_of or (self.modules[0] if self.modules else "")
        # An attribute that this module has, and others of the same name have not.
        self.telling = telling
        self.advice = advice
        self.are_packages = are_packages
        self.never_import = never_import
        # Whether the first import has to be in the main thread; another one spoils the process.
        self.in_main_thread = in_main_thread

    def __eq__(self, other: object) -> bool:
        return isinstance(other, BackendSpec) and vars(self) == vars(other)

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
        The version that is loaded or installed, where it is known.
    reason : str
        The state in one sentence.
    error : BaseException or None
        What importing it raised, the last time that it was tried.
    install : str
        The one command that fixes it; empty where only a restart of Python helps.
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
        error = None
        if self.error is not None:
            error = f"{type(self.error).__name__}: {text_of(self.error)}"
        keys = ("name", "state", "version", "reason", "error", "install")
        return {**{key: getattr(self, key) for key in keys}, "error": error}

    def __reduce__(self) -> "tuple[object, ...]":
        """Without the error, of which nobody knows whether it can be pickled."""
        state = [None if key == "error" else getattr(self, key) for key in _RECORD]
        return BackendStatus, tuple(state)

    def __repr__(self) -> str:
        version = f" {self.version}" if self.version else ""
        return f"<{self.name}{version}: {self.state}, {self.reason}>"


def text_of(error: "BaseException | None") -> str:
    """The text of an error; empty where it cannot be had."""
    try:
        return str(error)
    except KeyboardInterrupt:
        raise
    except BaseException:  # that of a class of its own may raise anything, or be no string
        return ""


# In the order in which a record takes them.
_RECORD = ("name", "state", "version", "reason", "error", "install", "module", "restart")


def _cuda_device() -> bool:
    return bool(sys.modules["torch"].cuda.is_available())


def _brian_numpy_conflict() -> "tuple[str, str] | None":
    """brian2 before 2.10 does not import with numpy >= 2.4, and its metadata do not say so.

    Later releases do, and need Python 3.12.
    """
    search = Search()
    brian = search.dist_version("brian2", "brian2")
    numpy = module_version("numpy") or search.dist_version("numpy", "numpy")
    if brian and numpy and is_older(brian, (2, 10)) and release(numpy) >= (2, 4):
        newer = sys.version_info >= (3, 12)
        fix = 'pip install --upgrade "brian2>=2.10"' if newer else 'pip install "numpy<2.4"'
        return f"brian2 {brian} needs numpy < 2.4, and numpy is {numpy}", fix
    return None


def _standard(name: str, *modules: str, pip: str, **options: object) -> "BackendSpec":
    return BackendSpec(name, modules, pip=pip, are_packages=True, **options)  # type: ignore[arg-type]


_CUDA = {
    "check": _cuda_device,
    "check_needs": "a CUDA device",
    "unmet": "torch sees no CUDA device",
}
# brian2 2.9 does not import with numpy >= 2.4; later releases do, and need Python 3.12.
_BRIAN = '"brian2>=2.10"' if sys.version_info >= (3, 12) else '"brian2>=2.7" "numpy<2.4"'

# What pip is told is the extra of that name in pyproject.toml, written out: the name of this
# package would get another project's from the index.
STANDARD: "dict[str, BackendSpec]" = {
    spec.name: spec
    for spec in (
        _standard("numpy", "numpy", pip="numpy", minimum=(1, 24), telling="ndarray"),
        _standard(
            "scipy", "scipy", pip='"scipy>=1.10"', minimum=(1, 10), telling="LowLevelCallable"
        ),
        _standard("numba", "numba", pip='"numba>=0.59"', minimum=(0, 59), telling="njit"),
        _standard("torch", "torch", pip='"torch>=2.1"', minimum=(2, 1), telling="Tensor"),
        _standard(
            "jax",
            *("jax", "jaxlib"),
            pip='"jax>=0.10" "jaxlib>=0.10"',
            minimum=(0, 10),
            telling="jit",
        ),
        _standard(
            "brian",
            "brian2",
            pip=_BRIAN,
            minimum=(2, 7),
            telling="NeuronGroup",
            advice=_brian_numpy_conflict,
            in_main_thread=True,
        ),
        _standard(
            "nest",
            "nest",
            pip='"nest-simulator>=3.9"',
            minimum=(3, 9),
            distribution="nest-simulator",
            telling="Create",
        ),
        _standard(
            "sinabs",
            "sinabs",
            pip='"sinabs>=3.0" "torch>=2.1"',
            minimum=(3, 0),
            telling="from_torch",
        ),
        _standard(
            "sinabs-exodus",
            *("torch", "sinabs", "sinabs.exodus"),
            pip='--no-build-isolation "sinabs>=3.0" "sinabs-exodus>=2.0" "torch>=2.1"',
            minimum=(2,),
            distribution="sinabs-exodus",
            version_of="sinabs.exodus",
            **_CUDA,
        ),
        _standard("triton", "triton", pip='"triton>=3.4"', minimum=(3, 4), telling="jit"),
        _standard("nir", "nir", pip='"nir>=1.0"', minimum=(1, 0), telling="NIRGraph"),
        _standard("cuda", "torch", pip='"torch>=2.1"', minimum=(2, 1), telling="Tensor", **_CUDA),
        _standard("samna", "samna", pip="samna", never_import=True),
    )
}

# What the extras `plots` and `files` bring.
INSTALL_PLOTS = 'pip install "matplotlib>=3.7"'
INSTALL_FILES = 'pip install "safetensors>=0.4"'

ALIASES = {"brian2": "brian", "sinabs.exodus": "sinabs-exodus", "sinabs_exodus": "sinabs-exodus"}

# What has been registered besides the standard back-ends, by name.
REGISTERED: "dict[str, BackendSpec]" = {}


def known_backends() -> "tuple[str, ...]":
    """Names of the standard back-ends, then of those that were registered."""
    return (*(name for name, spec in STANDARD.items() if not spec.never_import), *REGISTERED)


def is_known(name: str) -> bool:
    """Whether a name is that of a back-end that somebody has defined."""
    name = ALIASES.get(name, name)
    return name in STANDARD or name in REGISTERED


def specification(name: str) -> "BackendSpec":
    """What a back-end needs; a name that nobody defined is a module of that name."""
    check_name("", "a back-end's name", name)
    name = ALIASES.get(name, name)
    known = STANDARD.get(name) or REGISTERED.get(name)
    return known or BackendSpec(name, (name,), pip=name.partition(".")[0])


def new_specification(
    name: str,
    modules: "tuple[str, ...]",
    *,
    check: "bool | Callable[[], object]" = True,
    extra: "str | None" = None,
    minimum: "tuple[int, ...] | None" = None,
) -> "BackendSpec":
    """The definition of a back-end that is not a standard one, from what its author says."""
    if not (check is True or check is False or callable(check)):
        check = bool(check)
    return BackendSpec(
        name, modules, check=check, pip=extra or (modules[0] if modules else name), minimum=minimum
    )


def module_names(caller: str, given: object) -> "tuple[str, ...]":
    """The names of modules that a public function was given: one, or an iterable of some."""
    names = (given,) if isinstance(given, str) or not isinstance(given, Iterable) else tuple(given)
    if not all(isinstance(name, str) and name for name in names):
        raise TypeError(f"{caller}: required_modules must be names of modules, got {given!r}")
    return names  # type: ignore[return-value]


def check_name(caller: str, argument: str, name: object) -> None:
    """Raise a TypeError unless a back-end's name, as a public function was given it, can be one."""
    if not isinstance(name, str) or not name:
        label = f"{caller}: {argument}" if caller else argument
        raise TypeError(f"{label} must be a non-empty str, got {name!r}")
