"""The ``rockpool`` command.

A sub-command is one module of this package, of its name or that in `_FILES`, and one line of
`COMMANDS`. The module has

* ``DESCRIPTION`` and ``EXAMPLES``, texts for its ``--help``;
* ``OPTIONS``, a dict of its options: ``"--flag"``, or ``"names"`` for any number of plain words, to
  what `rockpool.cli._options` makes of ``help``, and, for an option that takes a value, of
  ``metavar``, ``default`` and ``convert``, which makes the value of a word, or raises `ValueError`
  with a text for people;
* ``run(values) -> int``, which does the work and returns the exit code. `values` has the value of
  each option, by its name without dashes. It raises `CommandError` for what the user can put right.

The command starts in about the time of the bare interpreter, so nothing here is imported before it
is needed, and argparse only for help and for what the quick reader does not understand.
(Annotations are quoted here: importing ``__future__`` is not free either.)
"""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, NoReturn
else:  # for those who check annotations at run time
    from _collections_abc import Mapping, Sequence

    Any = NoReturn = object

__all__ = ["COMMANDS", "main", "read_quickly", "run"]

# Name of the module in this package -> what it does, in one line.
COMMANDS = {
    "backends": "the computational back-ends: which are here, how to get the others",
    "doctor": "what is wrong with the back-ends, and the command that mends it",
    "modules": "the neuron and network modules, and which of them can be used here",
    "show": "what a network in a file is made of, and which back-ends can hold it",
    "run": "run a network of a file on an input",
    "verify": "run a network on every back-end, and compare spike for spike",
    "profile": "count the operations of a network of a file, and its memory",
    "export": "write a network of a file as C that needs no library",
    "demo": "read handwritten digits with spiking neurons, on numpy alone",
    "bench": "run one layer on every back-end, and compare speed and answers",
}

# Commands whose module has another name: `run` is the entry point, below
_FILES = {"run": "run_network"}

# What a shell reports for a program that was ended by Ctrl-C, and by any signal beyond its number.
INTERRUPTED = 130
_BY_SIGNAL = 128


def main(argv: "Sequence[str] | None" = None) -> int:
    """Execute one command line: the words after ``rockpool``, by default those of this program.

    Returns the exit code: 0 done, 1 it could not be done, 2 the command line is not understood.
    """
    argv = list(sys.argv[1:] if argv is None else argv)
    if argv == ["--version"] or argv == ["-V"]:
        from rockpool._version import __version__

        print(f"rockpool {__version__}")
        return 0

    from rockpool.cli._output import CommandError, complain

    command = argv[0] if argv and argv[0] in COMMANDS else ""
    try:
        if command:
            return _execute(command, argv[1:])
        from rockpool.cli._parser import read_top_level

        return read_top_level(argv, COMMANDS)
    except CommandError as error:
        complain(f"rockpool {command}".rstrip(), error)
        return error.code
    except MemoryError:
        complain(f"rockpool {command}".rstrip(), CommandError("there is too little memory"))
        return 1
    except RuntimeError as error:
        if str(error) != "can't start new thread":
            raise
        complain(f"rockpool {command}".rstrip(), CommandError("no thread can be started"))
        return 1


def run() -> "NoReturn":
    """Entry point of the console script: execute the command line and end the process."""
    _open_standard_streams()
    _end_orderly()
    try:
        code = main(sys.argv[1:])
        if sys.stdout is not None:
            sys.stdout.flush()  # here, where its troubles are still ours to deal with
    except KeyboardInterrupt as interrupt:
        code = exit_code_of(interrupt)
        _forget_output()
    except BrokenPipeError:  # `rockpool modules | head -1`: the reader has all it wanted
        code = 0
        _forget_output()
    except OSError as error:
        code = _output_failed(error)
    sys.exit(code)


def exit_code_of(interrupt: KeyboardInterrupt) -> int:
    """What a shell reports for a program that was ended in this way."""
    return getattr(interrupt, "exit_code", INTERRUPTED)


def _output_failed(error: OSError) -> int:
    """Say that the disk which the output goes to is full; any other error is a fault of ours."""
    import errno

    if error.errno not in (errno.ENOSPC, errno.EDQUOT):
        raise error
    _forget_output()
    from rockpool.cli._output import tell

    tell(f"rockpool: cannot write the output: {error.strerror}\n")
    return 1


class _Ended(KeyboardInterrupt):
    """Somebody has asked this process to end, as Ctrl-C does, but by another signal."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.exit_code = _BY_SIGNAL + number


def _end_orderly() -> None:
    """Have the signals that ask for an end lead out of all that has to be put away before it."""
    import _signal  # type: ignore[import-not-found]  # `signal` takes long to import

    def end(number: int, frame: object) -> None:
        _signal.signal(number, _signal.SIG_IGN)  # once is enough
        raise _Ended(number)

    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(_signal, name, None)
        if number is not None and _signal.getsignal(number) == _signal.SIG_DFL:
            _signal.signal(number, end)


def _open_standard_streams() -> None:
    """Have nothing else get the descriptors of streams that are closed: libraries print there."""
    if None in (sys.stdin, sys.stdout, sys.stderr):
        import os

        while (sink := os.open(os.devnull, os.O_RDWR)) <= 2:
            continue
        os.close(sink)


def _execute(command: str, argv: "list[str]") -> int:
    name = _FILES.get(command, command)
    module = getattr(__import__("rockpool.cli", fromlist=[name]), name)
    values = read_quickly(module.OPTIONS, argv)
    if values is None:
        from rockpool.cli._parser import read_fully

        values = read_fully(command, module, argv)
        if values is None:  # it was a call for help, and has been answered
            return 0
    code: int = module.run(values)
    return code


def read_quickly(
    options: "Mapping[str, dict[str, Any]]", argv: "Sequence[str]"
) -> "dict[str, Any] | None":
    """Read a command line that is spelled in full and without a mistake.

    That there is a second reader besides `rockpool.cli._parser.read_fully` is a decision: it saves
    the 7 ms that importing argparse takes, where all of a plain call may take 1.4 times as long as
    the bare interpreter. A test holds both to the same values.

    Given the ``OPTIONS`` of a sub-command and what stands after its name, it returns the value of
    each option; None for anything else than such a command line (``--help``, an unknown option, a
    value that is missing or wrong). argparse reads that then, and has the words for it.
    """
    values: dict[str, Any] = {}
    plain = ""
    for name, option in options.items():
        if name.startswith("-"):
            values[name.strip("-")] = option["default"] if "metavar" in option else False
        else:
            values[name], plain = [], name
    left = iter(argv)
    for word in left:
        name, has_value, text = word.partition("=")
        if name not in options or not name.startswith("-"):
            if not plain or (word.startswith("-") and word != "-") or not word:
                return None
            name, text = plain, word
        elif "metavar" not in options[name]:
            if has_value:
                return None
            values[name.strip("-")] = True
            continue
        elif not has_value:
            text = next(left, "")
            if not text or text.startswith("-"):
                return None
        try:
            value = options[name]["convert"](text)
        except ValueError:
            return None
        if name == plain:
            values[plain].append(value)
        else:
            values[name.strip("-")] = value
    return values


def _forget_output() -> None:
    from rockpool.cli._output import forget

    if sys.stdout is not None:
        forget(sys.stdout)
