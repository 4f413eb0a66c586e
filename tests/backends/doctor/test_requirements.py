"""What distributions need of each other, as their records say it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rockpool.backends.doctor.requirements import conflict, conflicts


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("numpy<2.4", ("numpy", "<2.4")),
        ("numpy (<2.4,>=1.24)", ("numpy", "<2.4,>=1.24")),
        ("numpy >= 1.24, < 2.4", ("numpy", ">=1.24,<2.4")),
        ("numpy<2.4 ; python_version > '3'", ("numpy", "<2.4")),
        ("numpy[extra1,extra2]<2.4", ("numpy", "<2.4")),
        ("numpy<2.4; extra == 'test'", None),
        ("numpy<2.4; python_version < '3'", None),
        ("numpy<2.4; python_version < '3' or sys_platform != 'no_such'", ("numpy", "<2.4")),
        ("numpy~=2.3.0", ("numpy", "~=2.3.0")),
        ("numpy!=2.4.*,>=1", ("numpy", "!=2.4.*,>=1")),
        ("numpy", None),
        ("numpy<2.4; 'a' ~= python_version", None),
        ("numpy>=1.24", None),
        ("not-installed>=1", None),
        ("numpy @ file:///somewhere/numpy.whl", None),
        ("numpy<two", None),
        ("numpy<2.4; what is this", None),
        ("numpy<2.4; (python_version > '3'", None),
        ("", None),
        ("<2.4", None),
    ],
)
def test_a_conflict_is_told_and_what_is_not_understood_is_none(
    line: str, found: tuple[str, str] | None
) -> None:
    assert conflict(line, {"numpy": "2.4.1"}.get) == found


@given(st.text(alphabet="ab1.<>=!~,;() '\"*@[]", max_size=25))
@settings(deadline=None, max_examples=300)
def test_no_line_is_an_error(line: str) -> None:
    conflict(line, lambda name: "1.0")


def test_a_version_that_cannot_be_read_is_no_conflict() -> None:
    assert conflict("numpy<2.4", {"numpy": "of our own"}.get) is None


@pytest.mark.parametrize(
    "metadata", [None, b"", b"\xff\xfe\x00", b"Requires-Dist: ;;;\n", "folder"]
)
def test_a_record_that_cannot_be_read_has_no_conflict(
    metadata: bytes | str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = tmp_path / "odd_one-1.0.dist-info"
    record.mkdir()
    if isinstance(metadata, bytes):
        (record / "METADATA").write_bytes(metadata)
    elif metadata is not None:
        (record / "METADATA").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    assert conflicts("odd-one") == []


def test_a_record_that_is_a_file_has_no_conflict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "odd_one-1.0.egg-info").write_text("Requires-Dist: nothing\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert conflicts("odd-one") == []
