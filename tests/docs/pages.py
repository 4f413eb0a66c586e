"""Pages of the documentation that run: their code, and the output that they show.

The `python` blocks of a page run in order, in one fresh process, in an empty folder. What is known
of a block stands around it:

* A `text` block right after a `python` block is what that prints; without one it prints nothing.
* A `console` block has lines ``$ command``, each with its output below it; they run in the same
  folder. A line that ends with a backslash goes on in the next one.
* ``<!-- not run: REASON -->`` before a block leaves it out. ``<!-- output may differ: REASON -->``
  before a `text` or `console` block says that it runs, but that what it shows is not compared.
* At the top: ``<!-- needs: torch, cc -->`` names the Python modules and the programs that a page
  needs, ``<!-- slow: REASON -->`` one whose test takes more than 3 s.
* ``![...](images/NAME.png)`` is a picture that the code has written as ``NAME.png``.
* ``[...](files/NAME)`` is a file that lies beside the page, and is put into the folder first;
  ``<!-- keep: NAME -->`` makes such a file for others of what the code has written.

    python tests/docs/pages.py PAGE...            run pages, and say what differs
    python tests/docs/pages.py --write PAGE...    put what they print, and their pictures, in place
"""

from __future__ import annotations

import argparse
import difflib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MOST_BYTES = 80_000  # of a picture
TIMEOUT = 600.0  # s, for a whole page

_BLOCK = re.compile(
    r"^(?P<indent> *)```(?P<kind>[\w+-]*)[^\n`]*\n(?P<text>.*?)^(?P=indent)```[ ]*$", re.M | re.S
)
_COMMENT_BEFORE = re.compile(r"<!-- (?P<text>[^>]*?) -->\s*\Z")


@dataclass(frozen=True)
class Block:
    """A block of a page that runs.

    Attributes
    ----------
    kind : str
        "python" or "console".
    text : str
        What stands in it.
    line : int
        Line of the page on which `text` begins, from 1.
    shown : tuple of int, optional
        From where to where in the page its output stands; none where it has no `text` block.
    end : int
        Where the block ends in the page.
    compared : bool
        Whether the output must be as it is shown.
    """

    kind: str
    text: str
    line: int
    shown: tuple[int, int] | None
    end: int
    compared: bool

    @property
    def commands(self) -> list[str]:
        """The commands of a `console` block; one that goes on in the next line has both."""
        found: list[str] = []
        goes_on = False
        for line in self.text.splitlines():
            if goes_on:
                found[-1] += "\n" + line
            elif line.startswith("$ "):
                found.append(line[2:])
            else:
                continue
            goes_on = line.endswith("\\")
        return found


class Page:
    """A page of the documentation.

    Parameters
    ----------
    path : Path
        Its Markdown file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.text = path.read_text(encoding="utf-8")
        self.blocks = list(_blocks(self.text))

    def _list(self, name: str) -> list[str]:
        found = re.findall(rf"<!-- {name}: (.*?) -->", self.text)
        return [item.strip() for items in found for item in items.split(",")]

    @property
    def runs(self) -> bool:
        """Whether there is something of Python on it that runs."""
        return any(block.kind == "python" for block in self.blocks)

    @property
    def slow(self) -> bool:
        """Whether its test is slow."""
        return "<!-- slow: " in self.text

    @property
    def missing(self) -> list[str]:
        """What it needs that is not here."""
        return [n for n in self._list("needs") if find_spec(n) is None and shutil.which(n) is None]

    @property
    def pictures(self) -> list[str]:
        """The pictures that it shows."""
        return sorted(set(re.findall(r"!\[[^]]*\]\(images/([\w.-]+)\)", self.text)))

    def run(self, folder: Path) -> list[str]:
        """Run the blocks in an empty folder, and return what each has printed.

        Raises
        ------
        PageError
            A block fails; what it said is the message.
        """
        for name in set(re.findall(r"\]\(files/([\w.-]+)\)", self.text)):
            shutil.copy(self.path.parent / "files" / name, folder)
        given = {
            "path": str(self.path),
            "blocks": [[b.kind, b.text, b.line, b.commands] for b in self.blocks],
        }
        env = {k: v for k, v in os.environ.items() if not k.startswith(("COV_", "PYTEST_"))}
        env |= {"NO_COLOR": "1", "LC_ALL": "C.UTF-8", "COLUMNS": "100"}
        env["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), env.get("PATH", "")])
        env["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), env.get("PYTHONPATH", "")]))
        with tempfile.TemporaryDirectory() as beside:
            results = Path(beside, "results.json")
            done = subprocess.run(
                [sys.executable, "-c", _CHILD, str(results)],
                input=json.dumps(given),
                cwd=folder,
                env=env,
                text=True,
                capture_output=True,
                timeout=TIMEOUT,
            )
            printed = json.loads(results.read_text()) if results.exists() else []
        if done.returncode or len(printed) != len(self.blocks):
            said = "\n".join(
                filter(None, [*printed[-1:], done.stdout[-3000:], done.stderr[-6000:]])
            )
            raise PageError(f"{self.path.name}: a block fails\n{said}")
        return [str(text) for text in printed]

    def differences(self, printed: list[str], folder: Path) -> list[str]:
        """Return in words what was not as the page shows it."""
        found = []
        for block, output in zip(self.blocks, printed, strict=True):
            shown = self.text[slice(*block.shown)] if block.shown else ""
            if block.compared and shown != output:
                lines = shown.splitlines(), output.splitlines()
                changes = difflib.unified_diff(*lines, "shown", "printed", lineterm="")
                found.append(f"{self.path.name}, line {block.line}:\n" + "\n".join(changes))
        for name in self.pictures:
            if not (folder / name).is_file():
                found.append(f"{self.path.name}: its code writes no {name}")
            elif not (self.path.parent / "images" / name).is_file():
                found.append(f"{self.path.name}: there is no images/{name}; see --write")
            elif (size := (folder / name).stat().st_size) > MOST_BYTES:
                found.append(f"{name} has {size} bytes; {MOST_BYTES} are allowed")
        return found

    def write(self, printed: list[str], folder: Path) -> None:
        """Put what was printed, and the pictures, in place."""
        text = self.text
        for block, output in reversed(list(zip(self.blocks, printed, strict=True))):
            if block.shown:
                text = text[: block.shown[0]] + output + text[block.shown[1] :]
            elif output:
                text = text[: block.end] + f"\n\n```text\n{output}```" + text[block.end :]
        self.path.write_text(text, encoding="utf-8")
        for names, place in ((self.pictures, "images"), (self._list("keep"), "files")):
            for name in names:
                (self.path.parent / place).mkdir(exist_ok=True)
                shutil.copy(folder / name, self.path.parent / place / name)


class PageError(Exception):
    """A block of a page fails."""


def pages() -> list[Path]:
    """Return all pages that have Python which runs."""
    return [path for path in sorted((ROOT / "docs").rglob("*.md")) if Page(path).runs]


def _blocks(text: str) -> list[Block]:
    """Return the blocks of a page that run."""
    found = list(_BLOCK.finditer(text))
    blocks = []
    for number, match in enumerate(found):
        comment = _comment_before(text, match)
        if match["kind"] not in ("python", "console") or comment.startswith("not run: "):
            continue
        line = text.count("\n", 0, match.start("text")) + 1
        if match["kind"] == "console":
            shown: tuple[int, int] | None = match.span("text")
        else:
            following = found[number + 1] if number + 1 < len(found) else None
            shown = following.span("text") if _is_output(text, match, following) else None
            comment = _comment_before(text, following) if shown and following else ""
        compared = not comment.startswith("output may differ: ")
        blocks.append(Block(match["kind"], match["text"], line, shown, match.end(), compared))
    return blocks


def _comment_before(text: str, match: re.Match[str]) -> str:
    comment = _COMMENT_BEFORE.search(text, max(0, match.start() - 300), match.start())
    return comment["text"] if comment else ""


def _is_output(text: str, match: re.Match[str], following: re.Match[str] | None) -> bool:
    """Return whether the block that follows is a `text` block with nothing but a comment before."""
    if following is None or following["kind"] != "text":
        return False
    return not re.sub(r"<!--.*?-->", "", text[match.end() : following.start()], flags=re.S).strip()


# Tracebacks and `inspect.getsource` find the lines of the page: each block begins on its own
_CHILD = r"""
import contextlib, io, json, subprocess, sys, traceback, types

def main(results, given):
    main_module = sys.modules["__main__"] = types.ModuleType("__main__")
    printed = []
    for kind, text, line, commands in given["blocks"]:
        out = io.StringIO()
        try:
            if kind == "python":
                code = compile("\n" * (line - 1) + text, given["path"], "exec")
                with contextlib.redirect_stdout(out):
                    exec(code, main_module.__dict__)
            else:
                for command in commands:
                    out.write("$ " + command + "\n")
                    done = subprocess.run(command, shell=True, stdin=subprocess.DEVNULL,
                                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                          text=True)
                    out.write(done.stdout)
                    if done.stdout and not done.stdout.endswith("\n"):
                        out.write("\n")
        except BaseException:
            traceback.print_exc()
            return 1
        finally:
            printed.append(out.getvalue())
            with open(results, "w") as file:
                json.dump(printed, file)
    return 0

given = json.load(sys.stdin)
sys.exit(main(sys.argv[1], given))
"""


def main() -> None:
    """Read the command line, and run pages."""
    parser = argparse.ArgumentParser(description="Run pages of the documentation.")
    parser.add_argument("--write", action="store_true", help="put outputs and pictures in place")
    parser.add_argument("pages", nargs="*", type=Path, help="Markdown files (default: all)")
    given = parser.parse_args()
    failed = False
    for path in given.pages or pages():
        page = Page(path.resolve())
        if page.missing:
            print(f"{path}: not run, for there is no {', '.join(page.missing)}")
            continue
        start = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            try:
                printed = page.run(Path(folder))
            except PageError as error:
                print(error)
                failed = True
                continue
            if given.write:
                page.write(printed, Path(folder))
                page = Page(page.path)
            differences = page.differences(printed, Path(folder))
        print(f"{path}: {time.perf_counter() - start:.1f} s", *differences, sep="\n")
        failed = failed or bool(differences)
    sys.exit(failed)


if __name__ == "__main__":
    main()
