"""What is shown on stderr of work that takes its time: a bar, or what is being imported."""

from __future__ import annotations

import sys
import time

from rockpool.cli._output import can_show, is_terminal, terminal_width, write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

# Seconds between two pictures of the bar.
_PERIOD = 0.05
# Parts of the way that are told where there is no terminal.
_QUARTERS = 4


class Progress:
    """Shows how far a task is, while its ``with`` block runs.

    Parameters
    ----------
    what : str
        What is counted.
    total : int
        How many there are.
    """

    def __init__(self, what: str, total: int) -> None:
        self.what = what
        self.total = total
        self.done = 0
        self._live = is_terminal(sys.stderr)
        self._solid = can_show("█░", sys.stderr)
        self._shown_at = 0.0
        self._quarter = 0

    def __enter__(self) -> Progress:
        self._show()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live:  # leave the line as it was found, after an interruption as well
            self._print("\r\033[K")

    def advance(self, by: int) -> None:
        """Say that so many more are done."""
        self.done += by
        self._show()

    def _show(self) -> None:
        if not self._live:
            quarter = _QUARTERS * self.done // self.total
            if quarter > self._quarter:
                self._quarter = quarter
                self._print(f"{100 * quarter // _QUARTERS} % of {self.total} {self.what}\n")
            return
        now = time.monotonic()
        if now - self._shown_at >= _PERIOD or self.done >= self.total:
            self._shown_at = now
            self._print(f"\r{self._line()}\033[K")

    def _line(self) -> str:
        words = f" {self.done}/{self.total} {self.what}"
        width = max(0, min(40, terminal_width() - len(words) - 1))
        filled = width * self.done // self.total
        full, empty = "█░" if self._solid else "#."
        return (full * filled + empty * (width - filled) + words)[: terminal_width() - 1]

    def _print(self, text: str) -> None:
        write(text, sys.stderr)
        if sys.stderr is not None:
            sys.stderr.flush()


class Imports:
    """A line that names the back-ends which are being imported, while its ``with`` block runs.

    It is shown on a terminal only.

    Parameters
    ----------
    total : int
        How many will be.
    """

    def __init__(self, total: int) -> None:
        self.total = total
        self._done = 0
        self._busy: list[str] = []
        self._live = is_terminal(sys.stderr)

    def __enter__(self) -> Imports:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._busy.clear()
        self._show()

    def started(self, name: str) -> None:
        """Say that the import of a back-end has begun."""
        self._busy.append(name)
        self._show()

    def ended(self, name: str) -> None:
        """Say that it is over."""
        self._busy.remove(name)
        self._done += 1
        self._show()

    def _show(self) -> None:
        if self._live:
            words = f"importing {', '.join(self._busy)} ({self._done} of {self.total} done)"
            write(f"\r\033[K{words if self._busy else ''}", sys.stderr)
            sys.stderr.flush()
