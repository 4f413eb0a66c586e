"""PyInstaller's hook for rockpool.

PyInstaller finds modules by following imports, and this package's are lazy: it is told of all of
the modules, and of the stubs, which are read at run time. The back-ends are left out, so that a
program is not the larger for the ones that happen to be installed where it is built. One that the
program imports itself is taken along, and the modules for it work then.
"""

from __future__ import annotations

from PyInstaller.utils.hooks import (  # type: ignore[import-untyped]
    collect_data_files,
    collect_submodules,
)

from rockpool.backends.specs import STANDARD

# Imported by rockpool for some purposes, and by programs that have them.
_OPTIONAL = (
    *("IPython", "exodus_cuda", "matplotlib", "optax"),
    *("aedat", "dv_processing", "event_stream", "h5py", "neo", "nixio"),
)


def _is_for_programs(module: str) -> bool:
    """Whether a module may be of use to a program; this hook is not."""
    return not module.startswith("rockpool._pyinstaller")


datas = collect_data_files("rockpool", excludes=["_pyinstaller/*"])
hiddenimports = collect_submodules("rockpool", filter=_is_for_programs)
excludedimports = sorted(
    {
        module.partition(".")[0]
        for spec in STANDARD.values()
        for module in (*spec.modules, *_OPTIONAL)
    }
    - {"numpy"}
)
