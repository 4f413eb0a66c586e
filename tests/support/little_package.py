"""A real little package on disk that uses `attach`, as another project would."""

from __future__ import annotations

from pathlib import Path

FILES = {
    "little/__init__.py": """
from rockpool.utilities.lazy_loading import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
""",
    "little/__init__.pyi": """
from . import plain as plain
from .fake import Lazy as Lazy
from .fake import Other as Other
from .fake import late as late
from .helper import helper as helper
""",
    "little/helper.py": "def helper():\n    return 'helped'\n",
    "little/plain.py": "x = 1\n",
    "little/fake/__init__.py": '''
"""What needs the back-end `fake`."""

from rockpool.utilities.backend_management import register_backend
from rockpool.utilities.lazy_loading import attach

register_backend("fake", ["fake_backend"])
__getattr__, __dir__, __all__ = attach(__name__, __file__, backend="fake")
''',
    "little/fake/__init__.pyi": """
from .lazy import Lazy as Lazy
from .lazy import late as late
from .other import Other as Other  # backend: other_backend
""",
    "little/fake/lazy.py": '''
"""The quarantined file."""

import fake_backend


class Lazy(fake_backend.Base):
    """A class that needs a back-end.

    It has a second paragraph.
    """

    def __init__(self, shape: tuple[int, ...], tau: float = 20e-3, *rest, init=fake_backend.zeros, **more):
        self.shape = shape

    def evolve(self):
        return self.shape


def late(x, scale=2):
    """A function that needs a back-end."""
    return scale * x
''',
    "little/fake/other.py": "import other_backend\n\nclass Other:\n    pass\n",
}
BACKEND = "__version__ = '1.0'\n\nclass Base:\n    pass\n\ndef zeros():\n    return 0\n"


def write(folder: Path, *, backend: bool = False) -> Path:
    """Put the package, and its back-end if wanted, into a folder for `sys.path`."""
    for name, text in FILES.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text.lstrip("\n"))
    if backend:
        write_backend(folder)
    return folder


def write_backend(folder: Path, module: str = "fake_backend") -> None:
    (folder / module).mkdir(exist_ok=True)
    (folder / module / "__init__.py").write_text(BACKEND)
