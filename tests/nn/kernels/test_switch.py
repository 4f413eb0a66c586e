"""The settings of kernels, in code and in the environment."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from rockpool.nn.kernels.switch import (
    interpreter_wanted,
    kernels_wanted,
    numba_wanted,
    use_kernels,
)
from rockpool.nn.modules import LIF, LIFJax, LIFTorch


@pytest.fixture(autouse=True)
def no_choice() -> None:
    use_kernels(None)


@pytest.mark.parametrize("value", ["0", "off", "No", " FALSE "])
def test_the_environment_turns_kernels_off(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROCKPOOL_KERNELS", value)
    assert not kernels_wanted()


@pytest.mark.parametrize("value", [None, "", "1", "on", "Yes", " TRUE "])
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


def in_torch(x: np.ndarray) -> None:
    LIFTorch(2)(torch.from_numpy(x))[0].sum().backward()


# variable -> what it may be, and what asks for it
SETTINGS: dict[str, tuple[str, Callable[[np.ndarray], object]]] = {
    "ROCKPOOL_KERNELS": ("1, on, yes, true, 0, off, no, false, triton", in_torch),
    "ROCKPOOL_MEMORY": ("low", in_torch),
    "ROCKPOOL_CHECK_INPUT": (
        "1, on, yes, true, 0, off, no, false",
        lambda x: LIF(2)(np.full_like(x, np.nan)),
    ),
}


@pytest.mark.parametrize("variable", SETTINGS)
@pytest.mark.parametrize("word", ["little", "2", "none"])
def test_another_word_in_the_environment_is_an_error_that_names_those_allowed(
    variable: str, word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    allowed, use = SETTINGS[variable]
    monkeypatch.setenv(variable, word)
    with pytest.raises(ValueError) as caught:
        use(np.ones((1, 70, 2), np.float32))
    assert str(caught.value) == (
        f"the environment variable {variable} must be {allowed}, or not be set, got {word!r}"
    )


def test_a_module_of_jax_is_as_it_was_after_an_error_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    layer = LIFJax(2)
    before = {name: np.asarray(value) for name, value in layer.state().items() if name != "rng_key"}
    monkeypatch.setenv("ROCKPOOL_KERNELS", "please")
    with pytest.raises(ValueError, match=r"ROCKPOOL_KERNELS must be .* got 'please'"):
        layer(np.ones((1, 3, 2), np.float32))
    for name, value in before.items():
        assert np.array_equal(layer.state()[name], value), name


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
