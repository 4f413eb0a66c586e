"""Versions and requirements: the same answers as the `packaging` library gives."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from rockpool.backends.doctor.requirements import _applies, conflict, satisfies

numbers = st.lists(st.integers(0, 3), min_size=1, max_size=4).map(
    lambda parts: ".".join(map(str, parts))
)
suffixes = st.sampled_from(
    ["", "a1", "b2", "rc1", ".post1", ".dev3", "a1.dev2", ".post1.dev1", "+cpu", "rc1+git.7"]
)
versions = st.builds(str.__add__, numbers, suffixes)
clauses = st.one_of(
    st.builds("{}{}".format, st.sampled_from(["==", "!=", "<=", ">="]), versions).filter(
        lambda clause: "+" not in clause
    ),
    st.builds("{}{}".format, st.sampled_from(["<", ">"]), numbers),
    st.builds("{}{}.*".format, st.sampled_from(["==", "!="]), numbers),
    st.builds("~={}.{}".format, st.integers(0, 3), numbers),
)


@given(version=versions, wanted=st.lists(clauses, min_size=1, max_size=3).map(",".join))
@settings(deadline=None, max_examples=300)
def test_versions_satisfy_what_they_satisfy_for_packaging(version: str, wanted: str) -> None:
    # "after 1.0" leaves out 1.0.post1 there, and means no more than "newer" here
    if ">" in wanted.replace(">=", "") and ".post" in version:
        return
    expected = SpecifierSet(wanted).contains(Version(version), prereleases=True)
    assert satisfies(version, wanted) == expected


@pytest.mark.parametrize(
    "marker",
    [
        "python_version >= '3.9'",
        'python_version < "3.9"',
        "python_version < '3.9' or sys_platform == 'linux'",
        "(python_version < '3.9' or sys_platform == 'linux') and os_name == 'nt'",
        "python_version < '3.9' or (sys_platform == 'linux' and os_name != 'nt')",
        "extra == 'test'",
        "python_version >= '3.9' and extra == 'test'",
        "platform_system in 'Linux Darwin'",
        "platform_system not in 'Linux Darwin'",
        "'3.8' <= python_version",
        "python_full_version >= '3.11.0'",
        "implementation_name == 'cpython' and platform_python_implementation == 'CPython'",
        "platform_machine == 'no_such_machine'",
    ],
)
def test_markers_apply_where_they_do_for_packaging(marker: str) -> None:
    parsed = Requirement(f"name; {marker}").marker
    assert parsed is not None
    assert _applies(marker) == parsed.evaluate({"extra": ""})


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
        ("numpy", None),
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
