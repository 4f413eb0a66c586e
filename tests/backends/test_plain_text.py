"""Text of others is shown without what a terminal would obey, and is no part of commands."""

from __future__ import annotations

import pytest

from rockpool.backends.plain_text import is_distribution, is_version, printable, printable_lines


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("no module named 'τ'", "no module named 'τ'"),
        ("\x1b[31mred\x07", "\\x1b[31mred\\x07"),
        ("one\ntwo\r", "one\\ntwo\\r"),
        ("\u202eback", "\\u202eback"),
        ("\x9b2J\x7f", "\\x9b2J\\x7f"),
    ],
)
def test_control_characters_are_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_lines_stay_lines() -> None:
    assert printable_lines("a\tb\n\x1b[2J\n") == "a       b\n\\x1b[2J"


@pytest.mark.parametrize("name", ["torch", "nest-simulator", "zope.interface", "a_b", "A1"])
def test_names_of_distributions(name: str) -> None:
    assert is_distribution(name)


@pytest.mark.parametrize(
    "name", ["", "-r", "a;rm", "a b", "$(a)", "a.", "a\nb", "é", "-", "git+https://a", "../a"]
)
def test_what_is_no_name_of_a_distribution(name: str) -> None:
    assert not is_distribution(name)


def test_versions_have_nothing_for_a_shell() -> None:
    assert all(map(is_version, ["2.13.0+cpu", "<2.4,>=1.24", "!=1.5.*", "1!2.0.dev3"]))
    assert not any(map(is_version, ["", "$(rm)", "1`a`", '1"', "1;a", "==1 && a"]))
