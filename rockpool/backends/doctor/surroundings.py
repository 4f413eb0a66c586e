"""What surrounds the back-ends: the interpreter, CUDA, OpenMP, caches, the working folder."""

from __future__ import annotations

import os
import platform
import shlex
import sys
from typing import Any

from rockpool.backends.doctor.caches import PACKAGE, bytecode_folder, can_write
from rockpool.backends.doctor.caches import caches as known_caches
from rockpool.backends.doctor.examination import Finding, renaming
from rockpool.backends.doctor.installed import places


def versions() -> tuple[dict[str, Any], dict[str, Any]]:
    """The interpreter and this package: versions and places."""
    from rockpool._version import __version__

    python = {
        "version": platform.python_version(),
        "executable": sys.executable,
        "system": f"{platform.system()} {platform.machine()}",
        "virtual_environment": sys.prefix != sys.base_prefix,
    }
    return python, {"version": __version__, "location": PACKAGE}


def cuda(seen: dict[str, Any]) -> list[Finding]:
    """A device that the system has, and torch does not see."""
    driver = any(map(os.path.exists, ("/proc/driver/nvidia/version", "/dev/nvidia0")))
    if not seen or seen["visible"] or not driver:
        return []
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES")
    if not seen["built_for"]:
        what = "this machine has an NVIDIA driver, but torch is built without CUDA"
        return [Finding("warning", ["cuda"], what, "pip install --force-reinstall torch")]
    if hidden is not None:
        what = f"CUDA_VISIBLE_DEVICES={hidden!r} hides the devices from torch"
        return [Finding("warning", ["cuda"], what, "unset CUDA_VISIBLE_DEVICES")]
    what = f"this machine has an NVIDIA driver, but torch (for CUDA {seen['built_for']}) sees none"
    return [Finding("warning", ["cuda"], what, "nvidia-smi")]


def openmp(loaded: dict[str, list[str]]) -> list[Finding]:
    """Back-ends that bring different OpenMP runtimes, which get in each other's way."""
    found: list[Finding] = []
    owners: dict[str, list[str]] = {}
    for name, runtimes in loaded.items():
        if len(runtimes) > 1:
            what = f"importing {name} loads {len(runtimes)} OpenMP runtimes into one process"
            found.append(Finding("warning", ["openmp"], f"{what}: {', '.join(runtimes)}"))
        for runtime in runtimes:
            owners.setdefault(runtime, []).append(name)
    if len(owners) > 1 and not found:
        each = "; ".join(f"{', '.join(names)}: {runtime}" for runtime, names in owners.items())
        what = (
            f"back-ends bring {len(owners)} OpenMP runtimes ({each}); imported into one process, "
            "they may crash it when the number of threads is set: give each a process of its own"
        )
        found.append(Finding("warning", ["openmp"], what))
    return found


def caches(backends: set[str]) -> tuple[list[dict[str, Any]], list[Finding]]:
    """The caches of these back-ends, and those that cannot be written."""
    kept: list[dict[str, Any]] = []
    found: list[Finding] = []
    for cache in known_caches():
        if cache.backend not in backends:
            continue
        given, used = os.environ.get(cache.variable), cache.used
        folder = used or cache.folders[0]
        record = {"backend": cache.backend, "folder": folder, "variable": cache.variable}
        kept.append({**record, "writable": used is not None})
        if used is None:
            what = f"no folder for what {cache.backend} compiles can be written: "
            level = "problem" if cache.needed else "warning"
            elsewhere = os.path.join(_writable_home(), cache.backend)
            fix = f"export {cache.variable}={shlex.quote(elsewhere)}"
            found.append(Finding(level, ["caches"], what + ", ".join(cache.folders), fix))
        elif given and folder != given:
            what = f"{cache.variable} is {given}, which cannot be written; {folder} is used"
            found.append(Finding("warning", ["caches"], what, f"unset {cache.variable}"))
    return kept, found + _bytecode()


def _bytecode() -> list[Finding]:
    """Python compiles this package again at each start where it cannot keep the result."""
    folder = bytecode_folder()
    if os.path.isdir(folder) and any(
        name.endswith(f".{sys.implementation.cache_tag}.pyc") for name in os.listdir(folder)
    ):
        return []
    if sys.dont_write_bytecode:
        what = "PYTHONDONTWRITEBYTECODE is set: each start compiles rockpool again"
        return [Finding("note", ["caches"], what, "unset PYTHONDONTWRITEBYTECODE")]
    if not can_write(folder):
        what = f"{folder} cannot be written: each start compiles rockpool again"
        elsewhere = shlex.quote(os.path.join(_writable_home(), "python"))
        return [Finding("note", ["caches"], what, f"export PYTHONPYCACHEPREFIX={elsewhere}")]
    return []


def working_folder(modules: set[str]) -> list[Finding]:
    """Files in this folder that programs started here import in the place of a back-end."""
    here = os.getcwd()
    if here in [os.path.abspath(entry or os.curdir) for entry in sys.path]:
        return []  # they are in the way of this process as well, and are found as such
    found: list[Finding] = []
    for module in sorted(modules):
        file, package = (os.path.join(here, name) for name in (f"{module}.py", module))
        for path, proof in ((file, file), (package, os.path.join(package, "__init__.py"))):
            if os.path.isfile(proof):
                what = f"programs that are started in this folder import {path} as {module}"
                found.append(Finding("warning", [module], what, renaming(path)))
    return found


def samna() -> list[Finding]:
    """A package that runs pip when it is imported."""
    if not places("samna"):
        return []
    what = "samna is installed; importing it installs software, so rockpool never does"
    return [Finding("note", ["samna"], what, "pip uninstall samna")]


def packaging() -> list[Finding]:
    """What versions are compared with; it comes with lazy-loader."""
    if places("packaging"):
        return []
    what = "packaging is not installed, so versions that do not go together are not seen"
    return [Finding("warning", ["packaging"], what, "pip install packaging")]


def _writable_home() -> str:
    from tempfile import gettempdir

    home = os.path.join(os.path.expanduser("~"), ".cache")
    return home if can_write(home) else gettempdir()
