"""What the commands print with: tables, colours, errors. Little is imported for it."""

import os
import sys

from rockpool.backends.plain_text import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import TextIO
else:  # for those who check annotations at run time
    from _collections_abc import Iterable, Sequence

    TextIO = object

# No terminal has more columns; whoever says so means "any number".
_WIDEST = 10_000
_CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33"}


class CommandError(Exception):
    """What the user can put right: printed as a sentence, without a traceback.

    The exit code is 1 if it could not be done, 2 if the command line is wrong. What to do about it,
    the hint, stands on a line of its own.
    """

    def __init__(self, message: str, *, code: int = 1, hint: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.hint = hint

    @classmethod
    def of(cls, error: Exception) -> "CommandError":
        """Return what an error says, with its notes as the hint: how to get what is missing."""
        return cls(str(error), hint=" ".join(getattr(error, "__notes__", ())))


def complain(prog: str, error: "CommandError") -> None:
    """Print an error for people on stderr."""
    # lists within errors; all other ends of lines may come from names in files
    text = str(error).replace(":\n- ", ": ").replace("\n- ", "; ")
    tell(f"{prog}: {printable(text)}\n" + (f"{printable(error.hint)}\n" if error.hint else ""))


def tell(text: str) -> None:
    """Write to stderr, at once. What cannot be written there is dropped: the work goes on."""
    if sys.stderr is None:  # closed by whoever started us
        return
    try:
        write(text, sys.stderr)
        sys.stderr.flush()
    except (OSError, ValueError):
        forget(sys.stderr)


def forget(stream: "TextIO") -> None:
    """Send nowhere what a stream still holds, so that the interpreter does not complain at exit."""
    try:
        sink = os.open(os.devnull, os.O_WRONLY)
        os.dup2(sink, stream.fileno())
    except (OSError, ValueError, AttributeError):
        return  # it is closed, or no file: there is nothing to be flushed into it


def write(text: str, stream: "TextIO | None" = None) -> None:
    """Write a text, with escapes in place of characters that the stream cannot show."""
    stream = sys.stdout if stream is None else stream
    if stream is None:
        return
    if not text.isascii():
        encoding = getattr(stream, "encoding", None) or "utf-8"
        text = text.encode(encoding, "backslashreplace").decode(encoding)
    stream.write(text)


def can_show(text: str, stream: "TextIO | None" = None) -> bool:
    """Whether a stream's encoding has these characters."""
    stream = sys.stdout if stream is None else stream
    try:
        text.encode(getattr(stream, "encoding", None) or "ascii")
    except UnicodeEncodeError:
        return False
    return True


def is_terminal(stream: "TextIO | None") -> bool:
    """Whether somebody watches this stream."""
    return stream is not None and stream.isatty()


def terminal_width() -> int:
    """Columns of the terminal; 80 where there is none."""
    try:
        columns = int(os.environ.get("COLUMNS", ""))
    except ValueError:
        columns = 0
    if columns > 0:
        return min(columns, _WIDEST)
    for stream in (sys.__stdout__, sys.__stderr__):
        try:
            width = os.get_terminal_size(stream.fileno()).columns  # type: ignore[union-attr]
        except (OSError, ValueError, AttributeError):
            continue
        if width > 0:
            return width
    return 80


def has_colours(stream: "TextIO | None" = None) -> bool:
    """Whether a stream (default: stdout) is a terminal and the user has not said no to colours."""
    stream = sys.stdout if stream is None else stream
    return has_controls(stream) and not os.environ.get("NO_COLOR")


def has_controls(stream: "TextIO | None") -> bool:
    """Whether a stream is a terminal that knows control sequences."""
    return is_terminal(stream) and os.environ.get("TERM") != "dumb"


def paint(text: str, colour: str, stream: "TextIO | None" = None) -> str:
    """The text in a colour, where there are any."""
    return f"\033[{_CODES[colour]}m{text}\033[0m" if colour and has_colours(stream) else text


def table(
    header: "Sequence[str]",
    rows: "Iterable[Sequence[str]]",
    *,
    right: "Sequence[int]" = (),
    colours: "Sequence[Sequence[str]]" = (),
) -> str:
    """Columns side by side, two blanks between them; one line for each row.

    The columns `right` are flush right; `colours` has that of each cell, row by row, an empty
    string for none. On a terminal that is too narrow the last column goes to lines of its own, so
    that a command in it can still be copied whole.
    """
    lines = [header, *([printable(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    folded = is_terminal(sys.stdout) and sum(widths) + 2 * len(widths) - 2 > terminal_width()
    paints = [["bold"] * len(header), *colours] if has_colours() else ()
    text = []
    for number, line in enumerate(lines):
        cells = [
            cell.rjust(width) if i in right else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        cells[-1] = cells[-1].rstrip()
        if number < len(paints):
            for i, (cell, colour) in enumerate(zip(line, paints[number], strict=True)):
                if cell:
                    cells[i] = cells[i].replace(cell, paint(cell, colour), 1)
        if folded and line[-1]:
            cells[-1] = f"\n    {cells[-1]}"
        first = "  ".join(cells[:-1] if folded else cells).rstrip()
        text.append(first + cells[-1].rstrip() if folded else first)
    return "\n".join(text) + "\n"


def did_you_mean(word: str, known: "Iterable[str]") -> str:
    """``; did you mean 'torch'?`` where one of the known words is close, else nothing."""
    from difflib import get_close_matches

    by_lower = {name.lower(): name for name in known}
    close = get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    return f"; did you mean {by_lower[close[0]]!r}?" if close else ""


def no_such_backend(name: str, known: "Iterable[str]") -> CommandError:
    """The error for a back-end that nobody has defined."""
    text = f"there is no back-end {name!r}{did_you_mean(name, known)}"
    return CommandError(text, code=2, hint="'rockpool backends' lists them.")


def in_json(value: object) -> str:
    """A value as JSON for people and programs."""
    import json

    return json.dumps(value, indent=2) + "\n"
