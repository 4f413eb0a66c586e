"""The site as it is built: without a warning, without a back-end, with links that lead somewhere."""

from __future__ import annotations

import posixpath
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from support.patience import PATIENCE

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow

BACKENDS = "numba torch jax brian2 nest sinabs scipy nir".split()
LARGEST_PAGE = 300_000  # bytes
# What a browser asks for by itself, without a click.
_FETCHED = re.compile(
    r'<(?:script|img|iframe|source|audio|video|embed|object)\b[^>]*?\b(?:src|data)="([^"]*)"'
    r'|<link\b[^>]*?\bhref="([^"]*)"'
    r'|\burl\(["\']?([^)"\']+)|@import\s+["\']([^"\']+)'
)
_LINK = re.compile(r'\b(?:href|src)="([^"]*)"')
_ID = re.compile(r'\b(?:id|name)="([^"]*)"')


def pages(site: Path) -> list[Path]:
    return sorted(site.rglob("*.html"))


@cache
def text_of(page: Path) -> str:
    return page.read_text()


@cache
def ids_of(page: Path) -> frozenset[str]:
    return frozenset(_ID.findall(text_of(page)))


def test_it_is_built_where_no_backend_is(docs_python: Path) -> None:
    program = f"from importlib.util import find_spec; print(*filter(find_spec, {BACKENDS}))"
    done = subprocess.run([docs_python, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_each_page_that_is_written_is_built(site: Path) -> None:
    docs = ROOT / "docs"
    written = {path.relative_to(docs).with_suffix("") for path in docs.rglob("*.md")}
    built = {path.relative_to(site).parent for path in pages(site)}
    assert {path.parent if path.name == "index" else path for path in written} <= built


def test_no_page_is_heavy(site: Path) -> None:
    heavy = {str(page): page.stat().st_size for page in pages(site)}
    assert {page: size for page, size in heavy.items() if size > LARGEST_PAGE} == {}


def test_nothing_is_asked_of_other_hosts(site: Path) -> None:
    foreign = {
        (str(file.relative_to(site)), address)
        for file in [*pages(site), *site.rglob("*.css"), *site.rglob("*.svg")]
        for groups in _FETCHED.findall(text_of(file))
        for address in filter(None, groups)
        if urlsplit(address).netloc
    }
    assert foreign == set()


def test_each_link_leads_to_a_page_and_a_place_on_it(site: Path) -> None:
    broken = set()
    for page in pages(site):
        for link in {*_LINK.findall(text_of(page))}:
            problem = _problem(site, page, link)
            if problem:
                broken.add((str(page.relative_to(site)), link, problem))
    assert broken == set()


def _problem(site: Path, page: Path, link: str) -> str:
    parts = urlsplit(link.replace("&amp;", "&"))
    if parts.scheme or parts.netloc:
        return ""
    target = page
    if parts.path:
        place = unquote(parts.path)
        folder = "/" + page.parent.relative_to(site).as_posix()
        target = site / posixpath.normpath(posixpath.join(folder, place)).lstrip("/")
    if target.is_dir():
        target /= "index.html"
    if not target.is_file():
        return "no such page"
    anchor = unquote(parts.fragment)
    if anchor and target.suffix == ".html" and anchor not in ids_of(target):
        return "no such place on it"
    return ""


def test_zensical_builds_the_same_pages(site: Path, docs_python: Path, tmp_path: Path) -> None:
    for name in ("docs", "rockpool"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("mkdocs.yml", "CHANGELOG.md"):
        shutil.copy(ROOT / name, tmp_path)
    done = subprocess.run(
        [docs_python.parent / "zensical", "build", "--strict"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0 and "No issues found" in said, said
    built = tmp_path / "site"
    assert [p.relative_to(built) for p in pages(built)] == [
        p.relative_to(site) for p in pages(site)
    ]
    page = Path("reference/nn/modules/native/LIF/index.html")
    assert text_of(built / page).count('class="arithmatex"') == text_of(site / page).count(
        'class="arithmatex"'
    )
