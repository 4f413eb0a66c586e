"""What can only be found out in a process that has imported it."""

from __future__ import annotations

import os
import sys
from typing import Any

__all__ = ["facts", "traceback_lines"]

# Files by which an OpenMP runtime is known.
_OPENMP = ("libgomp", "libiomp5", "libomp.", "libomp5", "libomp-", "vcomp")


def facts(modules: tuple[str, ...]) -> dict[str, Any]:
    """Facts about the modules of a back-end that have just been imported, fit for JSON.

    ``files`` and ``versions``, by module; ``openmp``, the runtimes that are loaded into this
    process; where torch is among the modules ``cuda``, or ``trouble``, the error if that fails.
    """
    loaded = {name: sys.modules[name] for name in modules if sys.modules.get(name) is not None}
    found: dict[str, Any] = {
        "files": {name: getattr(module, "__file__", None) for name, module in loaded.items()},
        "versions": {
            name: str(module.__version__)
            for name, module in loaded.items()
            if hasattr(module, "__version__")
        },
        "openmp": openmp_runtimes(),
    }
    if "torch" in loaded:
        try:
            found["cuda"] = _cuda(loaded["torch"])
        except Exception as error:  # a driver may answer with anything
            found["trouble"] = f"{type(error).__name__}: {error}"
    return found


def openmp_runtimes() -> list[str]:
    """The OpenMP libraries in this process; none where the system does not list them."""
    try:
        with open("/proc/self/maps", encoding="utf-8", errors="replace") as maps:
            files = {line[line.index("/") :].strip() for line in maps if "/" in line}
    except OSError:
        return []
    return sorted({os.path.realpath(f) for f in files if os.path.basename(f).startswith(_OPENMP)})


def _cuda(torch: Any) -> dict[str, Any]:
    built_for = getattr(torch.version, "cuda", None) or getattr(torch.version, "hip", None)
    visible = bool(torch.cuda.is_available())
    count = int(torch.cuda.device_count()) if visible else 0
    return {
        "built_for": built_for,
        "visible": visible,
        "devices": [str(torch.cuda.get_device_name(i)) for i in range(count)],
    }


def traceback_lines(error: BaseException | None) -> list[str]:
    """An error with the frames of the back-end, without those of the import system."""
    if error is None:
        return []
    import traceback

    lines: list[str] = []
    for entry in traceback.format_exception(error):
        if not entry.lstrip().startswith('File "<frozen '):
            lines += entry.rstrip().splitlines()
    return lines
