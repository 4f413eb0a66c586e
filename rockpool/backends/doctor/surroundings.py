"""What surrounds the back-ends: the interpreter, CUDA, OpenMP, caches, the working folder."""

from __future__ import annotations

import os
import platform
import shlex
import sys
from collections.abc import Iterator
from tempfile import gettempdir
from typing import Any

from rockpool.backends.doctor.caches import Cache, bytecode_folder
from rockpool.backends.doctor.caches import caches as known_caches
from rockpool.backends.doctor.examination import Finding, renaming
from rockpool.backends.doctor.installed import places
from rockpool.backends.kept_code import CANNOT_BE_WRITTEN, PACKAGE, can_write, not_private


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
    """The caches of these back-ends, and what is wrong with them."""
    known = [cache for cache in known_caches() if cache.backend in backends]
    kept = [
        {
            "backend": cache.backend,
            "folder": cache.used or cache.folders[0],
            "variable": cache.variable,
            "writable": cache.used is not None,
        }
        for cache in known
    ]
    found = [
        Finding("warning", ["caches"], *sentence) for cache in known for sentence in _wrong(cache)
    ]
    return kept, found + _bytecode()


def _wrong(cache: Cache) -> Iterator[tuple[str, str]]:
    """What is wrong with a cache, and what is done about it. Its modules work all the same."""
    given = os.environ.get(cache.variable)
    if cache.used is None:
        folders = [f if why == CANNOT_BE_WRITTEN else f"{f} ({why})" for f, why in cache.passed]
        what = f"no folder for what {cache.backend} compiles can be written: {', '.join(folders)}"
        yield what, f"export {cache.variable}={_elsewhere(cache.backend)}"
        return
    for folder, reason in cache.passed:
        fix = f"unset {cache.variable}" if folder == given else ""
        if folder == given:
            what = f"{cache.variable} is {given}, which {reason}; {cache.used} is used"
        elif reason != CANNOT_BE_WRITTEN:
            what = f"{folder} {reason}; {cache.used} is used"
        else:
            continue  # the package is installed for several users
        if os.access(folder, os.W_OK) and "other users" in reason:
            fix = f"chmod -R go-w {shlex.quote(folder)}"
        yield what, fix
    if cache.damaged:
        count = len(cache.damaged)
        what = f"what {cache.backend} has compiled cannot be used where it is kept ({count} of the "
        yield f"{what}files); it is compiled again", f"rm {shlex.join(cache.damaged)}"


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
        fix = f"export PYTHONPYCACHEPREFIX={_elsewhere('python')}"
        return [Finding("note", ["caches"], what, fix)]
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


def _elsewhere(name: str) -> str:
    """A folder of this user alone, as a word of the shell; with the command that makes it so."""
    home = os.path.join(os.path.expanduser("~"), ".cache")
    if can_write(home) and not_private(home) is None:
        return shlex.quote(os.path.join(home, name))
    if not hasattr(os, "getuid"):
        return shlex.quote(os.path.join(gettempdir(), name))
    private = os.path.join(gettempdir(), f"rockpool-{os.getuid()}")
    if not os.path.lexists(private):
        made = f"mkdir -m 700 {shlex.quote(private)}"
        return f"{shlex.quote(os.path.join(private, name))} && {made}"
    usable = os.path.isdir(private) and can_write(private) and not_private(private) is None
    return shlex.quote(os.path.join(private, name)) if usable else '"$(mktemp -d)"'
