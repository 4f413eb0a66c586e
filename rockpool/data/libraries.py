"""The libraries that some formats of recordings need, and what is said when one is missing."""

from __future__ import annotations

from rockpool.backends.queries import backend_status

__all__ = ["INSTALLS", "need_library"]

# What pip is told: as in the extra `recordings` of pyproject.toml
INSTALLS = {
    "aedat": '"aedat>=2.3"',
    "dv_processing": '"dv-processing>=2.0"',
    "event_stream": '"event_stream>=1.6"',
    "h5py": '"h5py>=3.10"',
    "neo": '"neo>=0.14"',
    "nixio": '"nixio>=1.5"',
    "scipy": '"scipy>=1.10"',
}


def need_library(owner: str, name: str, purpose: str) -> None:
    """Import a library, or say how to get it.

    Parameters
    ----------
    owner : str
        Who needs it: the path of a file.
    name : str
        The library.
    purpose : str
        What for, as in ``AEDAT4 files are read by aedat``.

    Raises
    ------
    ModuleNotFoundError
        It is missing, or cannot be imported.
    """
    status = backend_status(name, probe=True)
    if status.state == "available":
        return
    fix = f"pip install {INSTALLS[name]}" if status.state == "missing" else status.install
    raise ModuleNotFoundError(
        f"{owner}: {purpose}: {status.reason}. Get it with: {fix} (the extra 'recordings')",
        name=name,
    ) from status.error
