"""What PyInstaller has to know to put this package into a program of its own."""

from __future__ import annotations

import os

__all__ = ["get_hook_dirs"]


def get_hook_dirs() -> list[str]:
    """The folder of the hooks: what the entry point ``pyinstaller40`` asks for."""
    return [os.path.dirname(os.path.abspath(__file__))]
