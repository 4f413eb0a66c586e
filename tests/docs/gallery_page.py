"""The page of the gallery, made of the scripts in `examples/gallery/`.

python tests/docs/gallery_page.py            write docs/gallery/index.md
python tests/docs/gallery_page.py NAME...    draw these pictures as well (all: every picture)
"""

from __future__ import annotations

import ast
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS, PAGE = ROOT / "examples" / "gallery", ROOT / "docs" / "gallery" / "index.md"
MOST_BYTES = 60_000  # of a picture
ORDER = (
    "balanced_network",
    "membrane_traces",
    "network_report",
    "receptive_fields",
    "event_frames",
    "fi_curve",
    "adaptation",
    "surrogate_gradients",
    "rates_by_layer",
    "every_backend",
    "euler_steps",
    "streaming_latency",
)

HEAD = """\
# Gallery

<!-- made by tests/docs/gallery_page.py from examples/gallery/ -->

Each picture is made by the script below it, which lies in `examples/gallery/`:
`python examples/gallery/balanced_network.py network.png`. All of them need the extra `plots`
(`pip install ".[plots]"`, from a clone of the repository); what else one needs is said with it.

"""


@dataclass(frozen=True)
class Script:
    """A script of the gallery.

    Attributes
    ----------
    path : Path
        Where it lies.
    title, text : str
        The first line of its docstring, and the paragraphs that explain.
    needs : list of str
        The modules that it needs.
    code : str
        What follows the docstring.
    """

    path: Path
    title: str
    text: str
    needs: list[str]
    code: str

    @classmethod
    def of(cls, name: str) -> Script:
        """Read a script by its name."""
        path = SCRIPTS / f"{name}.py"
        source = path.read_text(encoding="utf-8")
        docstring = ast.get_docstring(ast.parse(source)) or ""
        title, _, rest = docstring.partition("\n")
        text, _, needs = rest.partition("Needs: ")
        code = source.split('"""', 2)[2].strip() + "\n"
        return cls(path, title.rstrip("."), text.strip(), needs.split(", "), code)

    def draw(self, picture: Path) -> None:
        """Run it, and have it write its picture."""
        subprocess.run([sys.executable, str(self.path), str(picture)], check=True)

    @property
    def section(self) -> str:
        """What the page says of it."""
        name = self.path.stem
        others = [module for module in self.needs if module != "matplotlib"]
        needs = f"Needs also: `{'`, `'.join(others)}`.\n\n" if others else ""
        return (
            f"## {self.title}\n\n{self.text}\n\n![{self.title}](images/{name}.png)\n\n{needs}"
            f"<!-- not run: it is examples/gallery/{name}.py, which has a test -->\n"
            f"```python\n{self.code}```\n"
        )


def page() -> str:
    """Return the page."""
    scripts = [Script.of(name) for name in ORDER]
    return HEAD + "\n".join(script.section for script in scripts)


def main() -> None:
    """Write the page, and draw what is asked for."""
    PAGE.write_text(page(), encoding="utf-8")
    names = ORDER if sys.argv[1:] == ["all"] else sys.argv[1:]
    for name in names:
        Script.of(name).draw(PAGE.parent / "images" / f"{name}.png")


if __name__ == "__main__":
    main()
