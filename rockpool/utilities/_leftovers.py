"""What of a back-end stays loaded in this process and keeps it from being used: a restart helps.

Python removes a package whose import fails from `sys.modules`, but not the sub-modules that were
loaded by then: importing it again mixes old parts with new ones. And a package that is loaded stays
as it is when its files are replaced. Neither can be undone in a running process.
"""

from __future__ import annotations

import os
import sys

from ._backend_specs import specification
from ._finding import dist_version, module_version, release

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

# How many names an error lists.
_NAMED = 3


def in_words(parts: list[str]) -> str:
    """Say that these sub-modules are loaded without their package."""
    more = f" and {len(parts) - _NAMED} more" if len(parts) > _NAMED else ""
    are = "is" if len(parts) == 1 else "are"
    return f"{', '.join(parts[:_NAMED])}{more} {are} still loaded from an import that failed"


def replaced(modules: Iterable[str], distribution: str | None = None) -> str:
    """Say which of these loaded modules are not what is on the disk by now; "" where all are.

    Parameters
    ----------
    modules : iterable of str
        Names of modules; those that are not loaded are passed over.
    distribution : str, optional
        What the first one is installed as, where it has another name.
    """
    for index, name in enumerate(modules):
        loaded = sys.modules.get(name)
        if loaded is None:
            continue
        if _is_gone(loaded):
            return f"{name} is loaded, but its files are gone"
        version = module_version(name)
        installed = dist_version(distribution if distribution and index == 0 else name, name)
        if version and installed and differ(version, installed):
            return f"{name} {version} is loaded, but {installed} is installed by now"
    return ""


def replaced_while_loaded(name: str) -> str:
    """Say that a back-end is loaded in another version than it is installed in; mostly empty."""
    spec = specification(name)
    return replaced([*spec.modules, "numpy"], spec.distribution)


def modules_in(error: BaseException) -> list[str]:
    """The packages through which an error has come, each once, the innermost one last."""
    names: dict[str, None] = {}
    trace = error.__traceback__
    while trace is not None:
        name = trace.tb_frame.f_globals.get("__name__")
        if isinstance(name, str):
            names.setdefault(name.partition(".")[0])
        trace = trace.tb_next
    return list(names)


def _is_gone(module: object) -> bool:
    """Whether a module was loaded from a file that does not exist any more."""
    spec = getattr(module, "__spec__", None)
    origin = getattr(spec, "origin", None)
    loader = type(getattr(spec, "loader", None)).__name__
    on_disk = loader in ("SourceFileLoader", "ExtensionFileLoader", "SourcelessFileLoader")
    return on_disk and isinstance(origin, str) and not os.path.exists(origin)


def differ(version: str, other: str) -> bool:
    """Whether two versions are of different releases: 2.3 and 2.3.0+cpu are not."""
    a, b = release(version), release(other)
    length = max(len(a), len(b))
    return a + (0,) * (length - len(a)) != b + (0,) * (length - len(b))
