"""Small fake back-ends on disk: what can be wrong with an installed package, as files."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Fake:
    """A fault of a package, how it is made, and what has to be said of it.

    `files` is path -> text, with `{m}` for the module's name. `looks` is the state without an import, `state` the one
    after it; `words` stand in the reason. `dies` is what a probe in a child process says, where importing it in this
    one would be the end of it.
    """

    name: str
    files: dict[str, str]
    looks: str
    state: str
    words: tuple[str, ...]
    dies: str | None = None
    version: str = "99.0"
    environment: dict[str, str] = field(default_factory=dict)

    def write(self, folder: Path, module: str, distribution: str | None = None) -> Path:
        """Put the package into a folder that is to be put on `sys.path`."""
        for path, text in self.files.items():
            target = folder / path.format(m=module)
            target.parent.mkdir(parents=True, exist_ok=True)
            if not path.endswith("/"):
                target.write_text(text.replace("{m}", module))
            else:
                target.mkdir(exist_ok=True)
        if self.state not in ("missing", "shadowed"):
            name = (distribution or module).replace("-", "_")
            (folder / f"{name}-{self.version}.dist-info").mkdir(parents=True, exist_ok=True)
        folder.mkdir(parents=True, exist_ok=True)
        return folder


INIT = "{m}/__init__.py"

FAKES = [
    Fake("missing", {}, "missing", "missing", ("no module named",)),
    Fake(
        "import_error",
        {INIT: "raise ImportError('libfake.so.7: cannot open shared object file')"},
        "installed",
        "broken",
        ("ImportError", "libfake.so.7"),
    ),
    Fake(
        "os_error",
        {INIT: "raise OSError('libcudart: wrong ELF class')"},
        "installed",
        "broken",
        ("OSError", "wrong ELF class"),
    ),
    Fake(
        "attribute_error",
        {INIT: "import sys\nsys.no_such_attribute"},
        "installed",
        "broken",
        ("AttributeError", "no_such_attribute"),
    ),
    Fake(
        "system_exit",
        {INIT: "import sys\nsys.exit('fake licence check failed')"},
        "installed",
        "broken",
        ("SystemExit", "fake licence check failed"),
    ),
    Fake(
        "own_dependency",
        {INIT: "import fake_dependency_of_fake"},
        "installed",
        "broken",
        ("fake_dependency_of_fake", "missing"),
    ),
    Fake(
        "too_old",
        {INIT: "__version__ = '0.0.1'"},
        "outdated",
        "outdated",
        ("0.0.1", "at least"),
        version="0.0.1",
    ),
    Fake("empty_folder", {"{m}/": ""}, "shadowed", "shadowed", ("folder without a package",)),
    Fake("shadowing_file", {"{m}.py": "x = 1"}, "shadowed", "shadowed", ("the file", "rename")),
    Fake(
        "segfault",
        {INIT: "import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)"},
        "installed",
        "installed",
        (),
        dies="signal 11",
    ),
    Fake(
        "endless",
        {INIT: "import time\nwhile True:\n    time.sleep(0.05)"},
        "installed",
        "installed",
        (),
        dies="no answer",
    ),
]
# What is a nuisance, and no fault.
HARMLESS = [
    Fake(
        "prints",
        {INIT: "import os\nprint('banner of {m}')\nos.write(1, b'[1, 2]\\n')"},
        "installed",
        "available",
        ("works",),
    ),
    Fake(
        "changes_argv",
        {INIT: "import sys\nsys.argv[:] = ['changed', '--json', 'again']"},
        "installed",
        "available",
        ("works",),
    ),
]
WORKING = Fake(
    "working",
    {INIT: "__version__ = '99.0'\nprint('banner of {m}')\nimport sys\nsys.argv = ['changed']"},
    "installed",
    "available",
    ("works",),
)
