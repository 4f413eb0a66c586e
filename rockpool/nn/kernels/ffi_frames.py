"""The call frames of XLA: structures of 64-bit words, of which a handler reads where arrays are.

The places of the words are those of one version of XLA's interface; see `ffi`.
"""

from __future__ import annotations

from typing import Any, no_type_check

import numpy as np
from numba import carray, types
from numba.extending import intrinsic

from rockpool.nn.kernels.compiling import inner
from rockpool.utilities._unchecked import unchecked

__all__ = ["ARGUMENT", "RESULT", "asks_for_version", "buffer_at", "numbers", "pointer", "words"]

# The words of a call frame with the addresses of the arguments and of the results
ARGUMENT, RESULT = 9, 14
BUFFER = 6  # words


@no_type_check
@unchecked
@intrinsic
def pointer(_: Any, address: Any, like: Any) -> Any:
    """Return an address as a pointer to numbers of the type of another number."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.inttoptr(args[0], context.get_value_type(signature.return_type))

    return types.CPointer(like)(types.int64, like), generate


@no_type_check
@inner
def numbers(address: Any, count: Any, like: Any) -> Any:
    """Return the numbers at an address, of the type of another number."""
    return carray(pointer(address, like), (count,))


@no_type_check
@inner
def words(address: Any, count: Any) -> Any:
    """Return the 64-bit words at an address."""
    return numbers(address, count, np.int64(0))


@no_type_check
@inner
def buffer_at(frame: Any, where: int, index: int) -> Any:
    """Return the words of an argument or result: its numbers are at [3], its shape at [5]."""
    return words(words(frame[where], index + 1)[index], BUFFER)


@no_type_check
@inner
def asks_for_version(frame: Any) -> bool:
    """Whether a call is not for numbers: XLA asks for the version that a handler is made for."""
    extension = frame[1]
    return extension != 0 and numbers(extension + 8, 1, np.int32(0))[0] == 1
