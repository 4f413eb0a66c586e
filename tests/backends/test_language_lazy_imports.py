"""The lazy imports of Python 3.15 itself, where `ROCKPOOL_PYTHON315` names an interpreter that has them.

It brings lazy-loader and, for the modules that compute, numpy.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

import rockpool

PYTHON = os.environ.get("ROCKPOOL_PYTHON315", "")
ROOT = Path(rockpool.__file__).parents[1]
USE = """
assert type(LIF(2)).__name__ == "LIF"
try: print(type(RateTorch(2)).__name__)
except ModuleNotFoundError as error: print(str(error).startswith("Missing the `torch` backend. `RateTorch`"))
"""
WAYS = {
    "lazy from": ("lazy from rockpool.nn.modules import RateTorch, LIF", ()),
    "__lazy_modules__": (
        "__lazy_modules__ = ['rockpool.nn.modules']\nfrom rockpool.nn.modules import RateTorch, LIF",
        (),
    ),
    "-X lazy_imports=all": (
        "from rockpool.nn.modules import RateTorch, LIF",
        ("-X", "lazy_imports=all"),
    ),
    "a block": (
        "import rockpool\nwith rockpool.lazy_imports():\n"
        "    from rockpool.nn.modules import RateTorch, LIF",
        (),
    ),
    "a block and the option": (
        "import rockpool\nwith rockpool.lazy_imports():\n"
        "    from rockpool.nn.modules import RateTorch, LIF",
        ("-X", "lazy_imports=all"),
    ),
}


@pytest.mark.skipif(not PYTHON, reason="ROCKPOOL_PYTHON315 names no python3.15")
@pytest.mark.parametrize(("imports", "flags"), WAYS.values(), ids=WAYS)
def test_the_lazy_imports_of_the_language_and_ours(imports: str, flags: tuple[str, ...]) -> None:
    code = f"import sys\n{imports}\nassert 'torch' not in sys.modules\n{USE}"
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    done = subprocess.run(
        [PYTHON, *flags, "-c", code],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() in ("True", "RateTorch"), done.stderr
