"""The code of the documentation does what the page says that it does."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs.pages import ROOT, Page, PageError, pages

PAGES = [
    pytest.param(path, marks=[pytest.mark.slow] if Page(path).slow else [])
    for path in pages()
    if path.name != "simulators.md"  # its programs are for other simulators, and have a test
]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT / "docs")))
def test_a_page_runs_and_prints_what_it_shows(path: Path, tmp_path: Path) -> None:
    page = Page(path)
    if page.missing:
        pytest.skip(f"needs {', '.join(page.missing)}")
    assert page.differences(page.run(tmp_path), tmp_path) == []


LITTLE = """\
```python
x = 2
print(x + 1)
```

```text
3
```

<!-- not run: it is about something else -->
```python
fails
```

```console
$ printf 'one\\ntwo\\n'; \\
  echo three
one
two
three
$ echo $COLUMNS
100
```

```python
print(x)
```

<!-- output may differ: as it is random -->
```text
17
```
"""


def little(tmp_path: Path, text: str = LITTLE) -> tuple[Page, Path]:
    path = tmp_path / "page.md"
    path.write_text(text)
    folder = tmp_path / "folder"
    folder.mkdir()
    return Page(path), folder


def test_blocks_run_in_order_in_one_process(tmp_path: Path) -> None:
    page, folder = little(tmp_path)
    printed = page.run(folder)
    assert printed[0] == "3\n" and printed[2] == "2\n"
    assert page.differences(printed, folder) == []


@pytest.mark.parametrize(
    ("shown", "other"), [("\n3\n", "\n4\n"), ("two\nthree", "three"), ("```text\n3\n```\n\n", "")]
)
def test_what_differs_is_told_and_can_be_written(tmp_path: Path, shown: str, other: str) -> None:
    page, folder = little(tmp_path, LITTLE.replace(shown, other, 1))
    printed = page.run(folder)
    assert len(page.differences(printed, folder)) == 1
    page.write(printed, folder)
    page = Page(page.path)
    assert page.text == LITTLE.replace("17", "2")
    assert page.differences(printed, folder) == []


def test_a_block_that_fails_is_told_with_its_line(tmp_path: Path) -> None:
    page, folder = little(tmp_path, "One\n\n```python\nx = 1\nx / 0\n```\n")
    with pytest.raises(PageError) as failure:
        page.run(folder)
    assert "line 5" in str(failure.value)


def test_a_picture_that_no_code_writes_is_told(tmp_path: Path) -> None:
    page, folder = little(tmp_path, "```python\nx = 1\n```\n![A picture](images/none.png)\n")
    assert page.differences(page.run(folder), folder) == ["page.md: its code writes no none.png"]


def test_what_a_page_needs_is_looked_for(tmp_path: Path) -> None:
    page, _ = little(tmp_path, "<!-- needs: numpy, no_such_module, sh -->\n")
    assert page.missing == ["no_such_module"]
