"""Imports of this package that load nothing until the names are used."""

import sys
from _thread import get_ident

from .lazy import _lazy_blocks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
else:  # for those who check annotations at run time
    FrameType = object


class lazy_imports:
    """Make the ``from rockpool... import Name`` lines of a block free.

    ::

        import rockpool

        with rockpool.lazy_imports():
            from rockpool.nn.modules import LIFTorch, LinearTorch, RateJax

    No back-end is imported, nor numpy, however many names are taken. Type checkers and editors see
    ordinary imports. Each name is bound to a stand-in; its first use (constructing it, a public
    attribute, `isinstance`, `issubclass`, deriving a class) loads the real class and puts it in the
    place of the stand-in in the module whose imports these are. Where the back-end is missing, the
    first use raises what it always raises.

    The block concerns names of rockpool's own packages that need a back-end, imported by the very
    lines of the block: not modules that are imported there and import on their own, not other
    threads. Names that need no back-end, and those of a full path to a file
    (``from rockpool.nn.modules.torch.lif_torch import LIFTorch``), are imported as usual.

    Notes
    -----
    Limits, until the first use of a name: ``type(x) is Name`` and ``Name is OtherName`` compare the
    stand-in; attributes with a leading underscore do not exist on it. Inside a function the name
    stays bound to the stand-in, which goes on to hand everything to the real class.

    Python 3.15 brings this to the language, as ``lazy from rockpool.nn.modules import LIFTorch``,
    ``__lazy_modules__`` and ``-X lazy_imports=all``; there this block is not needed, and does no
    harm.
    """

    __slots__ = ("_frames",)

    def __init__(self) -> None:
        self._frames: list[FrameType] = []  # one block may be inside of itself

    def __enter__(self) -> None:
        frame = _user_frame()
        self._frames.append(frame)
        _lazy_blocks.setdefault(get_ident(), []).append(frame)

    def __exit__(self, *error: object) -> None:
        frame = self._frames.pop()
        frames = _lazy_blocks[get_ident()]
        frames.remove(frame)
        if not frames:
            del _lazy_blocks[get_ident()]
        standin = sys.modules.get("rockpool.backends.standin")
        if standin is not None:
            standin.watch(frame.f_globals)


def _user_frame() -> "FrameType":
    """The frame whose block this is, also where an `ExitStack` has entered it."""
    frame = sys._getframe(2)
    while frame.f_back is not None and frame.f_globals.get("__name__") == "contextlib":
        frame = frame.f_back
    return frame
