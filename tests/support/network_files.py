"""Files of networks that say what `rockpool.save` would not write."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from safetensors.numpy import load_file, save_file

__all__ = ["changed"]


def changed(path: Path, change: Any) -> Path:
    """Write a file whose description is changed, in place."""
    arrays = load_file(path)
    size = int.from_bytes(path.read_bytes()[:8], "little")
    header = json.loads(path.read_bytes()[8 : 8 + size])
    said = json.loads(header["__metadata__"]["rockpool"])
    change(said, arrays)
    save_file(arrays, path, {"rockpool": json.dumps(said)})
    return path
