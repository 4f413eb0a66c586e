"""What commands find out before they work: libraries, and whether a file can be written."""

import os
import sys

from rockpool.cli._output import CommandError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any
else:  # for those who check annotations at run time
    from _collections_abc import Callable

    Any = object

# What matplotlib can write without further libraries.
FORMATS = (".png", ".pdf", ".svg")
# Bytes of memory that numpy takes before it can be used, with one thread of OpenBLAS.
_FOR_NUMPY = 160 * 2**20


def need_numpy(purpose: str, picture: "str | None") -> None:
    """Make sure of numpy, and that the picture that ``--plot`` asks for could be drawn."""
    if picture is not None:
        check_picture(picture)
    need("numpy", purpose)
    if picture is not None:
        need_plots()


def need_plots() -> None:
    """Make sure of the library that ``--plot`` draws with."""
    from rockpool.backends.specs import INSTALL_PLOTS

    need("matplotlib", "--plot needs matplotlib", INSTALL_PLOTS)


def need(name: str, purpose: str, install: str = "") -> None:
    """Import a library, or say in words for people why that does not work."""
    from rockpool.backends.queries import backend_status

    if name == "numpy":
        _need_memory()
    status = backend_status(name, probe=True)
    if status.state != "available":
        fix = install if install and status.state == "missing" else status.install
        raise CommandError(f"{purpose}: {status.reason}", hint=f"Get it with: {fix}")


def _need_memory() -> None:
    """Raise a MemoryError where the memory that this process may have is too little for numpy.

    Its OpenBLAS would ask for it again and again, for ever.
    """
    if "numpy" in sys.modules or sys.platform == "win32":
        return
    import mmap
    import resource

    if resource.getrlimit(resource.RLIMIT_AS)[0] == resource.RLIM_INFINITY:
        return
    try:
        mmap.mmap(-1, _FOR_NUMPY).close()
    except OSError:
        raise MemoryError from None


def need_folder(purpose: str) -> None:
    """Make sure that the working folder is still there."""
    try:
        os.getcwd()
    except OSError:
        raise CommandError(
            f"{purpose}: the folder that this was started in has been deleted",
            hint="Go to another one, and try again.",
        ) from None


def require_regular(path: str) -> None:
    """Refuse a pipe and the like as a file that is read more than once."""
    if os.path.exists(path) and not (os.path.isfile(path) or os.path.isdir(path)):
        raise CommandError(
            f"cannot read {path!r}: it is no regular file, which is read more than once",
            hint="Write what comes from there to a file; 'rockpool run NET -' reads lines.",
        )


def check_picture(path: str) -> None:
    """Find out before the work whether the picture that ``--plot`` asks for could be written."""
    ending = os.path.splitext(path)[1].lower()
    if ending not in FORMATS:
        raise CommandError(
            f"--plot: must end in {', '.join(FORMATS[:-1])} or {FORMATS[-1]}, got {path!r}",
            code=2,
        )
    check_file("--plot", path)


def check_file(option: str, path: str) -> None:
    """Find out before the work whether the file that an option names could be written."""
    need_folder(option)
    folder = os.path.dirname(path) or os.curdir
    if not os.path.isdir(folder):
        raise CommandError(f"{option}: there is no folder {folder!r}", code=2)
    if os.path.isdir(path):
        raise CommandError(f"{option}: {path!r} is a folder", code=2)
    if not os.access(path if os.path.exists(path) else folder, os.W_OK):
        raise CommandError(f"{option}: {path!r} cannot be written", code=2)


def write_picture(path: str, draw: "Callable[[Any, str], None]") -> None:
    """Draw into a file, in the format of its ending, or say why it cannot be written."""
    from rockpool.utilities._atomic import replacing

    try:
        with replacing(path, "wb") as file:
            draw(file, os.path.splitext(path)[1][1:].lower())
    except OSError as error:
        raise CommandError(f"cannot write {path}: {error.strerror or error}") from error
