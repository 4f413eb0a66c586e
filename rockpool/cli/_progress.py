"""What is shown on stderr of work that takes its time: a bar of tqdm, or plain lines."""

from __future__ import annotations

import sys
from typing import Any

from rockpool.cli._output import has_controls, is_terminal, tell, terminal_width
from rockpool.typehints import Self

# Parts of the way that are shown where there is no bar.
_QUARTERS = 4


class _Shown:
    """What is shown while a ``with`` block runs; `_bar` is None where there is none of tqdm's."""

    def __init__(self, total: int, layout: str, description: str) -> None:
        self.total = total
        self._bar = _new_bar(total, layout, description)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:  # leave the line as it was found, after an interruption as well
            self._bar.close()
            tell("\r\033[K")


class Progress(_Shown):
    """Shows how far a task is.

    On a terminal that is a bar; without tqdm, and where nobody watches, a line for each quarter of
    the `total`. `what` is counted.
    """

    def __init__(self, what: str, total: int) -> None:
        super().__init__(total, "{bar} {n_fmt}/{total_fmt} {desc}", what)
        self.what = what
        self.done = 0

    def advance(self, by: int) -> None:
        """Say that so many more are done."""
        before = _QUARTERS * self.done // self.total
        self.done += by
        quarter = _QUARTERS * self.done // self.total
        if self._bar is not None:
            self._bar.update(by)
        elif quarter > before:
            tell(f"{100 * quarter // _QUARTERS} % of {self.total} {self.what}\n")


class Imports(_Shown):
    """Names the back-ends that are being imported, on a terminal; `total` will be."""

    def __init__(self, total: int) -> None:
        super().__init__(total, "{desc} ({n_fmt} of {total_fmt} done)", "importing")
        self._busy: list[str] = []
        if self._bar is None and is_terminal(sys.stderr):
            tell(f"importing {total} back-ends, each in a process of its own\n")

    def started(self, name: str) -> None:
        """Say that the import of a back-end has begun."""
        self._busy.append(name)
        self._show(0)

    def ended(self, name: str) -> None:
        """Say that it is over."""
        self._busy.remove(name)
        self._show(1)

    def _show(self, more: int) -> None:
        if self._bar is not None:
            self._bar.update(more)
            self._bar.set_description_str(f"importing {', '.join(self._busy)}")


def _new_bar(total: int, layout: str, description: str) -> Any | None:
    """A bar of tqdm; None where nobody watches, or tqdm is not installed."""
    if not has_controls(sys.stderr):
        return None
    try:
        from tqdm import tqdm
    except ImportError:
        return None
    return tqdm(
        total=total,
        desc=description,
        bar_format=layout,
        ncols=terminal_width() - 1,
        nrows=20,  # some terminals say that they have none
        mininterval=0.0,  # there are few steps, and the last one is to be seen
        leave=False,
        file=_Stderr(),
    )


class _Stderr:
    """What a bar is written to: stderr, whatever becomes of it."""

    def __init__(self) -> None:
        self.encoding = getattr(sys.stderr, "encoding", None)

    def write(self, text: str) -> None:
        tell(text)

    def flush(self) -> None:
        """Nothing is kept back."""

    def isatty(self) -> bool:
        return is_terminal(sys.stderr)
