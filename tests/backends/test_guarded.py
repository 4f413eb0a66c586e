"""An import that was cut short is not begun again, Ctrl-C stays Ctrl-C, and threads are minded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

# Cut short in its first import; the second one ends the process, as that of torch may.
CUT_SHORT = """
import os
from . import part
if part.before:
    os._exit(66)
part.before.append(True)
raise KeyboardInterrupt
"""
# What a library in C makes of Ctrl-C while it imports another one.
IN_C = {
    "as its cause": "raise ImportError('initialization failed') from interrupted",
    "printed": "import sys; sys.last_value = interrupted; raise ImportError('numpy failed')",
}
USE_TWICE = """
import rockpool.nn.modules as modules
for _ in range(2):
    try:
        getattr(modules, {name!r})(2)
    except KeyboardInterrupt:
        print("interrupted")
    except ModuleNotFoundError as error:
        print(*error.__notes__, sep="|")
"""


def write(folder: Path, **packages: str) -> Path:
    for name, text in packages.items():
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text(text)
        (folder / name / "part.py").write_text("before = []\n")
        (folder / f"{name}-99.0.dist-info").mkdir()
    return folder


@pytest.mark.parametrize(
    "built_on_it",
    ["import torch", "try: import torch\nexcept ImportError: raise ImportError('need torch')"],
)
def test_what_is_half_imported_is_not_imported_again_by_what_is_built_on_it(
    numpy_python: Any, tmp_path: Path, built_on_it: str
) -> None:
    write(tmp_path, torch=CUT_SHORT, sinabs=built_on_it)
    lines = numpy_python.python(USE_TWICE.format(name="LIFSinabs"), path=tmp_path).splitlines()
    assert lines[0] == "interrupted"
    assert lines[1] == (
        "The `sinabs` back-end is broken: an import of torch has failed midway.|"
        "Restart Python: torch.part is still loaded from an import that failed."
    )


@pytest.mark.parametrize("how", IN_C)
def test_an_error_that_a_library_makes_of_ctrl_c_is_ctrl_c(
    numpy_python: Any, tmp_path: Path, how: str
) -> None:
    body = f"try:\n    raise KeyboardInterrupt\nexcept BaseException as error:\n    interrupted = error\n{IN_C[how]}"
    write(tmp_path, jax=body, jaxlib="")
    assert numpy_python.python(USE_TWICE.format(name="LIFJax"), path=tmp_path).splitlines() == [
        "interrupted",
        "interrupted",
    ]


def test_an_earlier_ctrl_c_is_no_part_of_a_later_error(numpy_python: Any, tmp_path: Path) -> None:
    write(tmp_path, jax="raise OSError('no such library')", jaxlib="")
    code = """
from rockpool.utilities.backend_management import backend_available, backend_status
try:
    raise KeyboardInterrupt
except KeyboardInterrupt:
    print(backend_available("jax"), backend_status("jax").state)
"""
    assert numpy_python.python(code, path=tmp_path) == "False broken"


def test_brian_is_not_imported_outside_the_main_thread(full_python: Any) -> None:
    code = """
import sys
from threading import Thread
from rockpool.utilities.backend_management import backend_available, backend_status

def use():
    from rockpool.nn.modules import LIFBrian
    try:
        LIFBrian(2)
    except ModuleNotFoundError as error:
        print(error.__notes__[0])
    print(backend_available("brian"), "brian2" in sys.modules)

def in_thread():
    thread = Thread(target=use)
    thread.start()
    thread.join()

in_thread()
print(backend_status("brian").state, backend_available("brian"))
in_thread()
"""
    refused, nothing, main, works = full_python.python(code).splitlines()
    assert "imported in the main thread first" in refused and "'import brian2'" in refused
    assert nothing == "False False"
    assert main == "installed True"
    assert works == "True True"
