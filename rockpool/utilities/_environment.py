"""Environment variables that are settings: what they say, or an error that names what they may."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TypeVar

__all__ = ["meaning_of", "number_in", "said_in", "word_in"]

Meaning = TypeVar("Meaning")


def said_in(variable: str) -> str:
    """Return the word in an environment variable, in small letters; "" where it is not set."""
    return os.environ.get(variable, "").strip().lower()


def meaning_of(
    variable: str, said: str, meanings: Mapping[str, Meaning], unset: Meaning
) -> Meaning:
    """Return what the word in an environment variable means.

    Raises
    ------
    ValueError
        It is set to none of these words.
    """
    if not said:
        return unset
    if said not in meanings:
        raise _refused(variable, ", ".join(meanings), said)
    return meanings[said]


def word_in(variable: str, meanings: Mapping[str, Meaning], unset: Meaning) -> Meaning:
    """Return the same, of the word that is in the variable now."""
    return meaning_of(variable, said_in(variable), meanings, unset)


def number_in(variable: str) -> int | None:
    """Return the number in an environment variable, or None where it is not set.

    Raises
    ------
    ValueError
        It is set to what is no whole number >= 1.
    """
    said = os.environ.get(variable, "").strip()
    if not said:
        return None
    if not said.isdecimal() or int(said) < 1:
        raise _refused(variable, "a whole number >= 1", said)
    return int(said)


def _refused(variable: str, allowed: str, said: str) -> ValueError:
    return ValueError(
        f"the environment variable {variable} must be {allowed}, or not be set, got {said!r}"
    )
