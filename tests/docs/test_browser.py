"""The site in a real browser: Chromium, headless, on the loopback device.

CHROMIUM names the browser; else it is looked for. Where there is none these tests fail under
`.ci/run`, which installs it where apt is at hand, and are skipped elsewhere.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs import browser
from docs.browser import Browser

pytestmark = pytest.mark.slow

# A page of each kind.
KINDS = (
    "",
    "models/",
    "models/LIF/",
    "models/Conv2d/",
    "lessons/2_train_in_torch/",
    "reference/",
    "reference/nn/modules/native/LIF/",
    "reference/training/losses/",
    "how_to/install/",
    "speed/",
    "changelog/",
)
INDEX = "search/search_index.json"
WITH_FORMULAS = "reference/nn/modules/native/LIF/"
# The least contrast of running text, by the Web Content Accessibility Guidelines, level AA.
READABLE = 4.5
CONTRAST = """(() => {
    const parts = colour => colour.match(/[\\d.]+/g).map(Number);
    const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
        .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
        .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
    const behind = element => {
        for (let e = element; e; e = e.parentElement) {
            const c = parts(getComputedStyle(e).backgroundColor);
            if (c.length === 3 || c[3] > 0.99) return c;
        }
        return [255, 255, 255];
    };
    const found = [];
    for (const element of document.querySelectorAll(
            ".md-content p, .md-content li, .md-content td, .md-content th, .md-content a, " +
            ".md-content code, .md-content h1, .md-content h2, .md-nav__link")) {
        if (!element.innerText || !element.offsetParent) continue;
        if (element.matches(".headerlink")) continue;  // seen when the pointer is there
        const back = behind(element), text = parts(getComputedStyle(element).color);
        const alpha = text.length === 4 ? text[3] : 1;
        const seen = text.slice(0, 3).map((v, i) => v * alpha + back[i] * (1 - alpha));
        const [a, b] = [light(seen), light(back)].sort((x, y) => y - x);
        const ratio = (a + 0.05) / (b + 0.05);
        if (ratio < LIMIT)
            found.push(`${element.tagName} ${element.innerText.slice(0, 30)} ${ratio.toFixed(2)}`);
    }
    return found;
})()"""


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    with browser.served(site) as at:
        yield at


@pytest.fixture(scope="module")
def tab() -> Iterator[Browser]:
    program = browser.executable()
    if program is None:
        assert "ROCKPOOL_DOCS_PYTHON" not in os.environ, "no Chromium: apt-get install chromium"
        pytest.skip("no Chromium here")
    with browser.started(program) as opened:
        opened.size(1300, 900)
        yield opened


@pytest.fixture
def light_address(site: Path) -> Iterator[str]:
    """Where the site is served with an index of no words, which each page goes through anew."""
    index = json.loads((site / INDEX).read_text())
    assert index["docs"]
    with browser.served(site, {INDEX: json.dumps({**index, "docs": []})}) as at:
        yield at


def test_each_page_opens_without_a_complaint_and_asks_nobody_else(
    tab: Browser, light_address: str, site: Path
) -> None:
    said, foreign = {}, {}
    for file in sorted(site.rglob("index.html")):
        page = file.parent.relative_to(site).as_posix()
        tab.open(f"{light_address}{page}/".replace("/./", "/"))
        if tab.evaluate("!!document.querySelector('.arithmatex')"):
            tab.wait(
                "[...document.querySelectorAll('.arithmatex')].every(e => e.querySelector('.katex'))"
            )
        said[page] = tab.complaints()
        foreign[page] = [
            request
            for request in tab.requests()
            if not request.startswith((light_address, "data:"))
        ]
    assert {page: text for page, text in said.items() if text} == {}
    assert {page: text for page, text in foreign.items() if text} == {}
    assert len(said) > 200


def test_formulas_are_rendered(tab: Browser, address: str) -> None:
    tab.open(address + WITH_FORMULAS)
    tab.wait("document.querySelectorAll('.katex-display').length > 0")
    assert tab.evaluate("document.querySelectorAll('.katex-error').length") == 0
    assert tab.evaluate("document.querySelector('.katex-display').offsetHeight") > 60
    tab.wait("document.fonts.check('16px KaTeX_Math')")


@pytest.mark.parametrize(
    ("words", "page"),
    [
        ("LIFTorch", "reference/nn/modules/torch/LIFTorch/"),
        ("LIF", "reference/nn/modules/native/LIF/"),  # of all that begin with it
        ("Sequential", "reference/nn/combinators/Sequential/"),
        ("Module", "reference/nn/modules/Module/"),
        ("PyInstaller", "how_to/frozen_programs/"),
        ("snnTorch", "how_to/from_snntorch/"),
    ],
)
def test_the_search_finds_it_first(tab: Browser, address: str, words: str, page: str) -> None:
    tab.open(address)
    tab.evaluate("document.querySelector('[for=__search]').click()")
    tab.evaluate(
        """(() => {
        const field = document.querySelector('.md-search__input');
        field.focus(); field.value = 'WORDS';
        field.dispatchEvent(new Event('input', {bubbles: true}));
        field.dispatchEvent(new KeyboardEvent('keyup', {bubbles: true}));
    })()""".replace("WORDS", words)
    )
    tab.wait("document.querySelectorAll('.md-search-result__link').length > 0")
    first = tab.evaluate("document.querySelector('.md-search-result__link').href")
    assert first.partition("?")[0].partition("#")[0] == address + page
    assert tab.complaints() == []


def test_code_is_copied_without_prompts(tab: Browser, address: str) -> None:
    tab.open(address + "reference/nn/modules/torch/LIFTorch/")
    tab.wait("document.querySelectorAll('.md-code__button').length > 0")
    tab.evaluate("""document.addEventListener('copy', () => {
        window.copied = document.activeElement.value || getSelection().toString() })""")
    block = "[...document.querySelectorAll('.highlight')].find(e => e.innerText.includes('import'))"
    tab.click(f"{block}.querySelector('.md-code__button')")
    copied = tab.wait("window.copied")
    assert "from rockpool.nn.modules import LIFTorch" in copied
    assert ">>>" not in copied


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("page", KINDS)
def test_it_can_be_read_in_both_themes(tab: Browser, address: str, page: str, scheme: str) -> None:
    tab.prefer(scheme)
    tab.open(address + page)
    dark = tab.evaluate("document.body.getAttribute('data-md-color-scheme') === 'slate'")
    assert dark == (scheme == "dark")
    assert tab.evaluate(CONTRAST.replace("LIMIT", str(READABLE))) == []


@pytest.mark.parametrize("page", KINDS)
def test_a_narrow_screen_is_wide_enough(tab: Browser, address: str, page: str) -> None:
    tab.size(360, 740, mobile=True)
    try:
        tab.open(address + page)
        assert tab.evaluate("document.documentElement.scrollWidth") <= 360
        assert (
            tab.evaluate("getComputedStyle(document.querySelector('.md-tabs')).display") == "none"
        )
        tab.evaluate("document.querySelector('[for=__drawer]').click()")
        tab.wait("document.querySelector('.md-sidebar--primary').getBoundingClientRect().left >= 0")
    finally:
        tab.size(1300, 900)
