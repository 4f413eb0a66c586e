"""Tables, and what else the commands print with."""

from __future__ import annotations

import io
from typing import Any

import pytest

from rockpool.cli._output import can_show, did_you_mean, paint, table, write
from rockpool.cli._progress import Imports, Progress


def test_a_table_has_its_columns_one_below_the_other() -> None:
    text = table(("NAME", "N", "NOTE"), [("LIF", "7", ""), ("ExpSyn", "12", "a b")], right=(1,))
    assert text == "NAME     N  NOTE\nLIF      7\nExpSyn  12  a b\n"


def test_no_colour_where_nobody_watches() -> None:
    assert paint("fine", "green", io.StringIO()) == "fine"


@pytest.mark.parametrize(
    ("word", "answer"),
    [
        ("torhc", "; did you mean 'torch'?"),
        ("JAX", "; did you mean 'jax'?"),
        ("lif", "; did you mean 'LIF'?"),
        ("zzz", ""),
    ],
)
def test_a_close_word_is_offered(word: str, answer: str) -> None:
    assert did_you_mean(word, ["torch", "jax", "LIF"]) == answer


def test_text_is_written_in_what_the_stream_can_show() -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="latin-1")
    write("µ τ", stream)
    stream.flush()
    assert stream.buffer.getvalue() == b"\xb5 \\u03c4"
    assert can_show("µ", stream)
    assert not can_show("τ", stream)


def test_progress_without_a_terminal_is_a_few_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress("things", 200) as progress:
        for _ in range(200):
            progress.advance(1)
    assert capsys.readouterr().err.splitlines() == [
        f"{percent} % of 200 things" for percent in (25, 50, 75, 100)
    ]


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def test_progress_in_a_terminal_is_one_line_that_goes_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("COLUMNS", "40")
    with pytest.raises(KeyboardInterrupt), Progress("things", 4) as progress:
        progress.advance(4)
        raise KeyboardInterrupt
    shown = terminal.getvalue()
    assert "\n" not in shown
    assert shown.endswith("\r\033[K")
    assert "████ 4/4 things" in shown
    assert max(len(picture) for picture in shown.replace("\033[K", "").split("\r")) < 40


def test_imports_in_a_terminal_are_one_line_that_goes_away(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    with Imports(3) as shown:
        shown.started("torch")
        shown.started("jax")
        shown.ended("torch")
    pictures = terminal.getvalue().split("\r")
    assert "importing torch, jax (0 of 3 done)" in [picture.strip() for picture in pictures]
    assert "importing jax (1 of 3 done)" in [picture.strip() for picture in pictures]
    assert "\n" not in terminal.getvalue() and pictures[-1] == "\033[K"


PLAIN = """
import io, sys
class Terminal(io.StringIO):
    isatty = lambda self: True
sys.stderr = Terminal()
from rockpool.cli._progress import Imports, Progress
with Progress("things", 4) as progress:
    progress.advance(4)
with Imports(2) as shown:
    shown.started("torch")
    shown.ended("torch")
print(sys.stderr.getvalue(), end="")
"""


def test_without_tqdm_a_terminal_gets_lines(bare_python: Any) -> None:
    assert bare_python.python(PLAIN).splitlines() == [
        "100 % of 4 things",
        "importing 2 back-ends, each in a process of its own",
    ]


def test_nobody_watches_the_imports(capsys: pytest.CaptureFixture[str]) -> None:
    with Imports(1) as shown:
        shown.started("torch")
        shown.ended("torch")
    assert capsys.readouterr() == ("", "")
