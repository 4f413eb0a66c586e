"""The setting that turns kernels off."""

from __future__ import annotations

import pytest

from rockpool.nn.kernels.switch import (
    interpreter_wanted,
    kernels_wanted,
    numba_wanted,
    use_kernels,
)


@pytest.fixture(autouse=True)
def no_choice() -> None:
    use_kernels(None)


@pytest.mark.parametrize("value", ["0", "off", "No", " FALSE "])
def test_the_environment_turns_kernels_off(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROCKPOOL_KERNELS", value)
    assert not kernels_wanted()


@pytest.mark.parametrize("value", [None, "", "1", "on"])
def test_kernels_are_on_else(value: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if value is None:
        monkeypatch.delenv("ROCKPOOL_KERNELS", raising=False)
    else:
        monkeypatch.setenv("ROCKPOOL_KERNELS", value)
    assert kernels_wanted()


@pytest.mark.parametrize(("value", "wanted"), [("triton", True), (" Triton", True), ("1", False)])
def test_the_environment_asks_for_the_interpreter_of_triton(
    value: str, wanted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROCKPOOL_KERNELS", value)
    assert interpreter_wanted() is wanted
    assert kernels_wanted()


@pytest.mark.parametrize(
    ("value", "choice", "wanted"),
    [
        ("", None, True),
        ("off", None, False),
        ("off", True, True),
        ("", False, False),
        ("triton", None, False),
        ("Triton ", True, False),
    ],
)
def test_numba_is_wanted_for_kernels_that_are_not_interpreted(
    value: str, choice: bool | None, wanted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROCKPOOL_KERNELS", value)
    use_kernels(choice)
    assert numba_wanted() is wanted
    assert numba_wanted() is (kernels_wanted() and not interpreter_wanted())


def test_a_choice_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROCKPOOL_KERNELS", "0")
    use_kernels(True)
    assert kernels_wanted()
    use_kernels(None)
    assert not kernels_wanted()


def test_a_choice_for_a_block() -> None:
    with use_kernels(False):
        assert not kernels_wanted()
        with use_kernels(True):
            assert kernels_wanted()
        assert not kernels_wanted()
    assert kernels_wanted()


def test_the_choice_before_a_block_returns_after_an_error() -> None:
    with pytest.raises(KeyError), use_kernels(False):
        raise KeyError
    assert kernels_wanted()


def test_a_choice_must_be_a_bool() -> None:
    with pytest.raises(TypeError, match="wanted must be True, False or None, got 'yes'"):
        use_kernels("yes")  # type: ignore[arg-type]
    assert kernels_wanted()
