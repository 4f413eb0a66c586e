"""The pages of the reference: one for each section, one for each class."""

from __future__ import annotations

import re

from surface import Name, Section, home_of, sections

Pages = dict[str, str]

_CLASS_PAGE = """\
`from {package} import {name}`{needs}
{{: .import }}

::: {path}
    options:
      heading_level: 1
"""

# The classes to derive from: their pages have all that they get from the parts that they stand on.
_TO_DERIVE_FROM = ("Module", "TorchModule", "JaxModule")
_INHERITED = """\
      inherited_members: true
"""

# Names that others begin with are found before them: `LIF` before `LIFTorch`.
_FOUND_FIRST = """\
---
search:
  boost: {boost}
---

"""

# The docstring of a package or file, as an introduction.
_INTRODUCTION = """\
::: {package}
    options:
      members: false
      show_root_heading: false
      show_root_toc_entry: false
"""

_FUNCTIONS = """\
::: {path}
    options:
      heading_level: 2
"""


def has_page(name: Name) -> bool:
    """Whether a name has a page of its own: classes, and functions that stand for classes."""
    stands_for_one = name.kind == "function" and name.name[0].isupper() and "_" not in name.name
    return name.kind == "class" or stands_for_one


def folder(section: Section) -> str:
    """Return the folder of a section, in ``docs/``."""
    inside = section.package.removeprefix("rockpool").lstrip(".").replace(".", "/")
    return f"reference/{inside}" if inside else "reference/rockpool"


def place(name: Name) -> str:
    """Return the page of a name, and where on it, from ``docs/``."""
    home = home_of(name)
    section = next(section for section in sections() if home in section.own)
    if has_page(home):
        return f"{folder(section)}/{home.name}.md"
    return f"{folder(section)}/index.md#{home.path}"


def relative(target: str, page: str) -> str:
    """Return the link from one page to another."""
    path, _, anchor = target.partition("#")
    here, there = page.split("/")[:-1], path.split("/")
    while here and len(there) > 1 and here[0] == there[0]:
        here, there = here[1:], there[1:]
    return "../" * len(here) + "/".join(there) + (f"#{anchor}" if anchor else "")


def in_a_cell(text: str) -> str:
    """Return the first sentence of a description, fit for a table: without roles of RST."""
    text = re.sub(r":math:`([^`]*)`", r"$\1$", text.replace("|", "\\|"))
    parts = text.split(". ")
    first = parts.pop(0)
    while parts and (first.count("``") % 2 or first.count("`") % 2):  # a full stop inside of code
        first += f". {parts.pop(0)}"
    return first.rstrip(".:")


def pages() -> Pages:
    """Return the pages by their paths in ``docs/``."""
    made = {"reference/index.md": _index()}
    classes = [name.name for section in sections() for name in section.own if has_page(name)]
    for section in sections():
        page = f"{folder(section)}/index.md"
        made[page] = _section(section, page)
        for name in filter(has_page, section.own):
            needs = f" needs {name.backend}" if name.backend else ""
            text = _CLASS_PAGE.format(
                name=name.name, path=name.path, package=name.package, needs=needs
            )
            inherited = _INHERITED if name.name in _TO_DERIVE_FROM else ""
            boost = 1 + sum(other.startswith(name.name) for other in {*classes} - {name.name})
            boost += 5 * (name.name in _TO_DERIVE_FROM)
            head = _FOUND_FIRST.format(boost=boost) if boost > 1 else ""
            made[f"{folder(section)}/{name.name}.md"] = head + text + inherited
    return made


def _table(names: list[Name], page: str) -> list[str]:
    if not names:
        return []
    lines = ["| name | |", "| --- | --- |"]
    for name in names:
        link = relative(place(name), page)
        lines.append(f"| [`{name.name}`]({link}) | {in_a_cell(name.summary)} |")
    return [*lines, ""]


def _section(section: Section, page: str) -> str:
    names = [*section.own, *section.others]
    if section.package == "rockpool.nn.modules":  # its rooms are sections
        names = list(section.own)
    parts = [f"# {section.package}", ""]
    needs = {name.backend for name in section.own} - {"", "numpy"}
    if needs:
        each = " and ".join(f"`{backend}`" for backend in sorted(needs))
        parts += [f"Needs {each}, all or parts of it.", ""]
    parts += [_INTRODUCTION.format(package=section.package)]
    inside = [other for other in sections() if other.package.startswith(f"{section.package}.")]
    if inside and section.package != "rockpool":
        links = (relative(f"{folder(other)}/index.md", page) for other in inside)
        both = zip(inside, links, strict=True)
        listed = [f"[`{other.package}`]({link}) ({other.about})" for other, link in both]
        parts += [f"See also {', '.join(listed)}.", ""]
    parts += _table(names, page)
    described = [name for name in section.own if not has_page(name)]
    parts += [_FUNCTIONS.format(path=name.path) for name in described]
    return "\n".join(parts).rstrip() + "\n"


def _index() -> str:
    parts = [
        "# Reference",
        "",
        "Every public name, with shapes, units, defaults and errors, made from the sources.",
        "",
        "| import from | |",
        "| --- | --- |",
    ]
    for section in sections():
        link = relative(f"{folder(section)}/index.md", "reference/index.md")
        parts.append(f"| [`{section.package}`]({link}) | {section.about} |")
    parts += ["", "## All names", ""]
    own = sorted(
        (name for section in sections() for name in section.own),
        key=lambda name: (name.name.lower(), name.path),
    )
    letters: dict[str, list[str]] = {}
    for name in own:
        link = f"[`{name.name}`]({relative(place(name), 'reference/index.md')} '{name.path}')"
        letters.setdefault(name.name.lstrip("_")[0].upper(), []).append(link)
    for letter, links in sorted(letters.items()):
        parts += [f"**{letter}**  {', '.join(links)}", ""]
    return "\n".join(parts).rstrip() + "\n"


def nav() -> list[str]:
    """Return the reference's part of the navigation, as lines of ``mkdocs.yml``."""
    lines = ["  - Reference:", "    - reference/index.md"]
    for section in sections():
        own = [name for name in section.own if has_page(name)]
        page = f"{folder(section)}/index.md"
        title = section.package.removeprefix("rockpool.")
        if not own:
            lines.append(f"    - {title}: {page}")
            continue
        lines += [f"    - {title}:", f"      - {page}"]
        lines += [f"      - {name.name}: {folder(section)}/{name.name}.md" for name in own]
    return lines
