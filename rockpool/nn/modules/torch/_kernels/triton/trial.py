"""Whether Triton can run a kernel on a device at all: it needs a C compiler and a recent GPU."""

from __future__ import annotations

import torch
import triton
import triton.language as tl

__all__ = ["failure"]


@triton.jit
def _one(value):  # type: ignore[no-untyped-def]
    tl.store(value, tl.load(value) + 1.0)


def failure(device: torch.device) -> str | None:
    """Return why a kernel cannot be run on a device, or None."""
    if device.type == "cpu" and not triton.knobs.runtime.interpret:
        return "Triton's interpreter is off: set TRITON_INTERPRET=1 before Python starts"
    value = torch.zeros(1, device=device)
    try:
        if device.type == "cpu":
            _one[(1,)](value)
        else:
            with torch.cuda.device(device):
                _one[(1,)](value)
    except Exception as error:  # whatever is wrong there, the loop runs
        return f"Triton runs no kernel on {device}: {error}"
    return None
