"""The header of Prophesee's files (DAT, EVT): lines of text that begin with a percent sign."""

import re
from typing import NamedTuple

from rockpool.files.tensors import FileFormatError

__all__ = ["PercentHeader", "read_header"]

_MAX_LINE = 1000
_MAX_HEADER = 65_536


class PercentHeader(NamedTuple):
    """What the lines say.

    Attributes
    ----------
    said : dict of str by str
        The rest of each line by its first word, both in small letters.
    size : int
        Bytes of the lines: there the data begin.
    """

    said: dict[str, str]
    size: int

    def sensor_size(self, name: str) -> tuple[int, int] | None:
        """Return height and width in pixels, where they are said."""
        geometry = re.match(r"(\d+)\s*x\s*(\d+)", self.said.get("geometry", ""))
        if geometry:
            width, height = geometry.groups()
        else:
            in_format = dict(re.findall(r"(height|width)=(\d+)", self.said.get("format", "")))
            width = self.said.get("width", in_format.get("width", ""))
            height = self.said.get("height", in_format.get("height", ""))
        if not (width and height):
            return None
        try:
            return int(height), int(width)
        except ValueError:
            raise FileFormatError(
                f"{name}: its header says a width of {width[:20]!r}, a height of {height[:20]!r}"
            ) from None

    def time_origin(self, name: str) -> int:
        """Return the microseconds that faery's line ``% t0`` adds to all times; else 0."""
        text = self.said.get("t0", "0")
        if not re.fullmatch(r"\d{1,18}", text):
            raise FileFormatError(f"{name}: the t0 of its header is no number, got {text[:20]!r}")
        return int(text)


def read_header(head: bytes) -> PercentHeader:
    """Return what the header lines at the start of a file say; none at all is no error."""
    said: dict[str, str] = {}
    begin = 0
    while head[begin : begin + 2] in (b"% ", b"%\n", b"%\r") and begin < _MAX_HEADER:
        end = head.find(b"\n", begin, begin + _MAX_LINE)
        line = head[begin + 1 : end].strip()
        # Data may begin with the byte of a percent sign as well
        if end < 0 or not re.fullmatch(rb"[\x20-\x7e\t]*", line):
            break
        word, _, rest = line.decode("ascii").lower().partition(" ")
        said.setdefault(word, rest.strip())
        begin = end + 1
        if word == "end":
            break
    return PercentHeader(said, begin)
