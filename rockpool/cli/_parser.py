"""The full reader of command lines: help, and mistakes. Imports argparse.

`rockpool.cli.read_quickly` reads the same grammar without it, and says why.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any, NoReturn

from rockpool.cli._output import CommandError, did_you_mean, terminal_width, write

TOP_EXAMPLES = """\
  rockpool backends            which back-ends are here
  rockpool modules             what can be used with them
  rockpool doctor              what is wrong, and what mends it
  rockpool run NET INPUT       run a network that was saved
  rockpool demo                see spiking neurons at work
  rockpool bench               how fast each back-end is here
"""


class _Formatter(argparse.HelpFormatter):
    """Help as wide as the terminal, up to 88 columns. (Asked itself, argparse imports shutil.)

    Paragraphs are filled; lists and examples, the lines of which are indented, are left alone.
    """

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=26, width=min(terminal_width(), 88) - 2)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        paragraphs = [
            part if "\n  " in part else super(_Formatter, self)._fill_text(part, width, indent)
            for part in text.split("\n\n")
        ]
        return "\n\n".join(paragraphs)


class _Parser(argparse.ArgumentParser):
    """A parser whose complaints are `CommandError`."""

    def error(self, message: str) -> NoReturn:
        raise CommandError(
            message.removeprefix("argument "), code=2, hint=f"See '{self.prog} --help'."
        )


class _HelpAsked(Exception):
    """Somebody asked for help, and it has been printed."""


class _Help(argparse.Action):
    def __init__(self, option_strings: Sequence[str], dest: str, **_: object) -> None:
        super().__init__(
            option_strings, argparse.SUPPRESS, nargs=0, help="show this help and leave"
        )

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        write(parser.format_help())
        raise _HelpAsked


def read_fully(command: str, module: ModuleType, argv: Sequence[str]) -> dict[str, Any] | None:
    """Read the command line of a sub-command with argparse; None if that was a call for help.

    Words behind ``--`` are plain, whatever they begin with. A command line that is not understood
    is a `CommandError`.
    """
    end = argv.index("--") if "--" in argv else len(argv)  # argparse would take it for a word
    parser = _new_parser(f"rockpool {command}", module.DESCRIPTION, module.EXAMPLES)
    for name, option in module.OPTIONS.items():
        _add(parser, name, option)
    try:
        values, unknown = parser.parse_known_intermixed_args(argv[:end])
    except _HelpAsked:
        return None
    if unknown:
        flags = [name for name in module.OPTIONS if name.startswith("-")]
        _refuse(parser, unknown[0], [*flags, "--help"])
    return _with_plain(parser, module.OPTIONS, vars(values), argv[end + 1 :])


def _with_plain(
    parser: _Parser, options: Mapping[str, Any], values: dict[str, Any], words: Sequence[str]
) -> dict[str, Any]:
    """Return values of options, with these words as plain ones, too."""
    plain = next((name for name in options if not name.startswith("-")), "")
    if words and not plain:
        parser.error(f"there is no argument {words[0]!r}")
    for word in words:
        try:
            values[plain].append(options[plain]["convert"](word))
        except ValueError as error:
            parser.error(f"{options[plain]['metavar']}: {error}")
    return values


def read_top_level(argv: Sequence[str], commands: Mapping[str, str]) -> int:
    """Answer a command line that names no command: help, or what is wrong with it."""
    width = max(map(len, commands)) + 2
    listing = "\n".join(f"  {name:<{width}}{does}" for name, does in commands.items())
    parser = _new_parser(
        "rockpool",
        "Spiking-neural-network modules for many computational back-ends.\n\n"
        f"commands:\n{listing}\n\n'rockpool COMMAND --help' tells more of each.",
        TOP_EXAMPLES,
        usage="rockpool [--help] [--version] COMMAND ...",
    )
    parser.add_argument("-V", "--version", action="store_true", help="show the version and leave")
    try:
        if not argv:
            parser.parse_args(["--help"])
        _, unknown = parser.parse_known_args(argv)
    except _HelpAsked:
        return 0
    if unknown:
        _refuse(parser, unknown[0], ["--help", "--version", *commands])
    parser.error("--version stands alone")


def _new_parser(prog: str, description: str, examples: str, usage: str | None = None) -> _Parser:
    parser = _Parser(
        prog=prog,
        usage=usage,
        description=description,
        epilog=f"examples:\n{examples}",
        formatter_class=_Formatter,
        add_help=False,
        allow_abbrev=False,
    )
    parser.register("action", "help", _Help)
    parser.add_argument("-h", "--help", action="help")
    return parser


def _add(parser: _Parser, name: str, option: Mapping[str, Any]) -> None:
    does = option["help"]
    place: dict[str, Any] = {"dest": name.strip("-")} if name.startswith("-") else {}
    if "metavar" not in option:
        parser.add_argument(name, action="store_true", help=does, **place)
        return
    settings = {"metavar": option["metavar"], "type": _converter(option)}
    if not name.startswith("-"):
        parser.add_argument(name, nargs="*", help=does, **settings)
        return
    default = option["default"]
    if default is not None:
        shown = f"{default:g}" if isinstance(default, float) else default
        does += f" (default: {shown})"
    parser.add_argument(name, default=default, help=does, **place, **settings)


def _converter(option: Mapping[str, Any]) -> Callable[[str], Any]:
    def convert(text: str) -> Any:
        try:
            return option["convert"](text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return convert


def _refuse(parser: _Parser, word: str, known: Sequence[str]) -> NoReturn:
    what = "option" if word.startswith("-") else "argument"
    if parser.prog == "rockpool" and what == "argument":
        what = "command"
    name = word.partition("=")[0]
    parser.error(f"there is no {what} {name!r}{did_you_mean(name, known)}")
