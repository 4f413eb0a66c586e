"""The `rockpool` command as a whole: its words, its exit codes, what it loads, how it leaves."""

from __future__ import annotations

import os
import pty
import shlex
import signal
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.patience import PATIENCE

import rockpool.cli.backends
import rockpool.cli.bench
import rockpool.cli.demo
import rockpool.cli.doctor
import rockpool.cli.modules
from rockpool.cli import COMMANDS, main, read_quickly
from rockpool.cli._output import CommandError
from rockpool.cli._parser import read_fully

MODULES = {
    name: import_module(f"rockpool.cli.{rockpool.cli._FILES.get(name, name)}") for name in COMMANDS
}


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"rockpool {rockpool.__version__}\n"
    assert main(["-V"]) == 0


def test_python_m_rockpool_is_the_command(full_python) -> None:
    done = full_python.run("-m", "rockpool", "--version")
    assert done.stdout == f"rockpool {rockpool.__version__}\n"
    assert done.stderr == ""


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"]], ids=str)
def test_the_help_names_each_command_and_has_examples(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "examples:" in out
    for name, does in COMMANDS.items():
        assert f"  {name} " in out
        assert does in out


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help_with_examples_and_all_of_its_options(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command, "-h"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.startswith(f"usage: rockpool {command}")
    assert f"  rockpool {command}" in out.partition("examples:")[2]
    for name, option in MODULES[command].OPTIONS.items():
        assert option["help"].split()[0] in out
        assert (name if name.startswith("-") else option["metavar"]) in out


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_the_help_fits_the_terminal(
    columns: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    assert main(["demo", "--help"]) == 0
    text = capsys.readouterr().out.partition("examples:")[0]
    assert max(map(len, text.splitlines())) <= min(columns, 88)


@pytest.mark.parametrize("command", COMMANDS)
def test_each_example_of_the_help_is_understood(command: str) -> None:
    lines = MODULES[command].EXAMPLES.splitlines()
    for line in (line for line in lines if " rockpool " in line):
        words = shlex.split(line.partition(" rockpool ")[2].partition("  ")[0])
        assert words[0] == command
        assert read_quickly(MODULES[command].OPTIONS, words[1:]) is not None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["backend"], "there is no command 'backend'; did you mean 'backends'?"),
        (["frobnicate"], "rockpool: there is no command 'frobnicate'\n"),
        (["--verison"], "there is no option '--verison'; did you mean '--version'?"),
        (["--version", "backends"], "there is no command 'backends'"),
        (["modules", "--jsn"], "there is no option '--jsn'; did you mean '--json'?"),
        (["modules", "LIF"], "there is no argument 'LIF'"),
        (["backends", "--timeout", "--", "3"], "--timeout: expected one argument"),
        (["backends", "--", "-x"], "there is no back-end '-x'"),
        (["demo", "--", "-x"], "there is no argument '-x'"),
        (["modules", "--backend"], "--backend: expected one argument"),
        (["modules", "--json=1"], "--json: ignored explicit argument '1'"),
        (["modules", "--backend", "torhc"], "no back-end 'torhc'; did you mean 'torch'?"),
        (["backends", "troch"], "no back-end 'troch'; did you mean 'torch'?"),
        (["backends", "--timeout", "soon"], "--timeout: must be a number of seconds > 0"),
        (["backends", "--timeout", "0"], "must be a number of seconds > 0, got '0'"),
        (["backends", "--timeout", "nan"], "must be a number of seconds > 0, got 'nan'"),
        (["demo", "--neurons", "0"], "--neurons: must be an integer from 1 to 5000, got '0'"),
        (["demo", "--neurons", "many"], "must be an integer from 1 to 5000, got 'many'"),
        (["demo", "--seed", "-1"], "--seed"),
        (["demo", "--backend", "torch"], "the demo runs on numpy only, not on 'torch'"),
        (["demo", "--plot", "digits.jpeg"], "must end in .png, .pdf or .svg"),
        (["demo", "--plot", "no/such/folder/x.png"], "there is no folder 'no/such/folder'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_gets_a_sentence_on_stderr_and_exit_code_2(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("rockpool")
    assert said in err
    assert "Traceback" not in err


WORDS = [
    "--check",
    "--json",
    "--verbose",
    "--timeout",
    "--timeout=5",
    "--timeout=x",
    "2.5",
    "x",
    "-1",
    "",
    "numpy",
    "torch",
    "--backend",
    "--backend=jax",
    "--json=",
    "--",
    "-",
    "-v",
    "--jso",
    "--seed",
    "--seed=7",
    "--neurons",
    "--plot",
    "a.png",
]


@pytest.mark.parametrize("command", COMMANDS)
@given(words=st.lists(st.sampled_from(WORDS), max_size=5))
@settings(deadline=None, max_examples=150)
def test_what_the_quick_reader_understands_argparse_understands_alike(
    command: str, words: list[str]
) -> None:
    quick = read_quickly(MODULES[command].OPTIONS, words)
    if quick is None:  # it leaves the line to argparse
        return
    full = read_fully(command, MODULES[command], words)
    assert full is not None
    assert quick == full


def test_the_quick_reader_leaves_every_mistake_to_argparse() -> None:
    options = rockpool.cli.backends.OPTIONS
    for words in (["--timeout", "x"], ["--timeout"], ["--jso"], ["--json=1"], ["-h"], ["--help"]):
        assert read_quickly(options, words) is None
    with pytest.raises(CommandError):
        read_fully("backends", rockpool.cli.backends, ["--jso"])


HEAVY = {
    "argparse",
    "ast",
    "dataclasses",
    "difflib",
    "enum",
    "gettext",
    "importlib.metadata",
    "importlib.util",
    "inspect",
    "json",
    "numpy",
    "pathlib",
    "re",
    "shutil",
    "subprocess",
    "textwrap",
    "threading",
    "traceback",
    "typing",
}


@pytest.mark.parametrize(
    ("words", "allowed"),
    [
        (["--version"], set()),
        (["backends"], set()),
        (["backends", "numpy", "torch"], set()),
        (["modules"], set()),
        (["modules", "--backend", "torch"], set()),
        (["modules", "--json"], {"json", "re", "enum"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_plain_call_loads_nothing_heavy(full_python, words: list[str], allowed: set[str]) -> None:
    code = f"""
import sys
before = set(sys.modules)
from rockpool.cli import main
main({words!r})
print(*sorted(set(sys.modules) - before), file=sys.stderr)
"""
    loaded = set(full_python.run("-c", code).stderr.split())
    assert "rockpool.cli" in loaded
    assert loaded & (HEAVY - allowed) == set()
    ours = {"rockpool", "lazy_loader", "importlib", "types", "warnings", "__future__"}
    assert allowed or {name.partition(".")[0] for name in loaded} <= ours


def test_a_reader_that_leaves_early_is_no_error(full_python) -> None:
    code = "import sys; sys.argv = ['rockpool', 'modules']; from rockpool.cli import run; run()"
    process = subprocess.Popen(
        [str(full_python), "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=full_python.cwd,
    )
    assert process.stdout is not None
    process.stdout.close()
    _, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, err) == (0, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_gets_a_sentence(full_python) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [str(full_python), "-m", "rockpool", "modules"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            cwd=full_python.cwd,
        )
    assert done.returncode == 1
    assert done.stderr.startswith("rockpool: cannot write the output: ")
    assert done.stderr.count("\n") == 1


def test_a_closed_stdout_is_no_error(full_python) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", '"$0" -m rockpool modules >&-', str(full_python)],
        stderr=subprocess.PIPE,
        text=True,
        cwd=full_python.cwd,
    )
    assert (done.returncode, done.stderr) == (0, "")


def in_shell(python: Any, line: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a line of the shell, in which $0 is this Python."""
    command = ["/bin/sh", "-c", line, str(python)]
    return subprocess.run(command, text=True, cwd=python.cwd, timeout=PATIENCE, **options)


@pytest.mark.parametrize("where", [">&3 2>/dev/full", ">&3 2>&-", "2>&1 >&3 | :"])
def test_progress_that_cannot_be_written_is_dropped(
    full_python, tmp_path: Path, where: str
) -> None:
    done = in_shell(
        full_python, f'exec 3>"{tmp_path}/out"; "$0" -m rockpool demo --neurons 10 {where}'
    )
    assert done.returncode == 0
    assert "accuracy" in (tmp_path / "out").read_text()
    assert "digits seen" not in (tmp_path / "out").read_text()


@pytest.mark.parametrize("where", ["2>/dev/full", "2>&-"])
def test_an_error_that_cannot_be_written_has_its_exit_code(full_python, where: str) -> None:
    done = in_shell(full_python, f'"$0" -m rockpool modules LIF {where}', stdout=subprocess.PIPE)
    assert (done.returncode, done.stdout) == (2, "")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_is_an_orderly_end(full_python, number: signal.Signals) -> None:
    process = subprocess.Popen(
        [str(full_python), "-m", "rockpool", "demo", "--neurons", "800"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=full_python.cwd,
    )
    assert process.stderr is not None and "digits" in process.stderr.readline()
    process.send_signal(number)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 128 + number
    assert "accuracy" not in out and "Traceback" not in err


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (MemoryError(), "there is too little memory"),
        (RuntimeError("can't start new thread"), "no thread can be started"),
    ],
    ids=["memory", "thread"],
)
def test_what_a_machine_lacks_is_a_sentence(
    raised: Exception, said: str, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    def lacks(values: object) -> int:
        raise raised

    monkeypatch.setattr("rockpool.cli.modules.run", lacks)
    assert main(["modules"]) == 1
    assert capsys.readouterr() == ("", f"rockpool modules: {said}\n")


@pytest.mark.parametrize(
    "words", [["doctor", "numpy"], ["demo", "--plot", "x.png"], ["bench", "--plot", "x.png"]]
)
def test_a_deleted_folder_is_known_before_the_work(full_python, words: list[str]) -> None:
    line = f'cd "$(mktemp -d)" && rmdir "$PWD" && "$0" -m rockpool {" ".join(words)}'
    path = os.pathsep.join([str(Path(rockpool.__file__).parents[1]), *filter(None, sys.path)])
    done = in_shell(
        full_python, line, stderr=subprocess.PIPE, env={**os.environ, "PYTHONPATH": path}
    )
    assert done.returncode == 1
    assert "the folder that this was started in has been deleted" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("words", [["backends", "--check"], ["doctor"], ["bench"]])
def test_a_frozen_program_starts_nothing_and_says_so(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert main(words) == 1
    out, err = capsys.readouterr()
    assert out == "" and "this is a frozen program" in err and "ROCKPOOL_PYTHON" in err


@pytest.mark.parametrize("columns", ["²", "x", "-3", "9" * 5000, "0"])
def test_a_width_that_is_none_is_no_matter(columns: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert main(["--help"]) == 0


def test_characters_that_stdout_cannot_show_are_escaped(full_python) -> None:
    code = "from rockpool.cli._output import write; write('τ = 20 ms\\n')"
    assert full_python.python(code, PYTHONIOENCODING="ascii") == "\\u03c4 = 20 ms"


def in_terminal(
    arguments: list[str], *, columns: int = 80, interrupt_at: bytes | None = None, **env: str
) -> tuple[int, str]:
    """Run the command in a terminal of so many columns, and press Ctrl-C once it says this."""
    child, terminal = pty.fork()
    if child == 0:
        os.environ.update({"COLUMNS": str(columns), "TERM": "xterm", **env})
        os.environ.pop("NO_COLOR", None) if "NO_COLOR" not in env else None
        os.execv(sys.executable, [sys.executable, "-m", "rockpool", *arguments])
    said = b""
    give_up = time.monotonic() + PATIENCE
    try:
        while time.monotonic() < give_up:
            try:
                chunk = os.read(terminal, 4096)
            except OSError:  # the other end is closed
                break
            if not chunk:
                break
            said += chunk
            if interrupt_at is not None and interrupt_at in said:
                interrupt_at = None
                os.write(terminal, b"\x03")
    finally:
        os.close(terminal)
        _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), said.decode()


def test_colours_are_for_terminals_and_not_for_those_who_say_no() -> None:
    code, said = in_terminal(["backends"])
    assert code == 0
    assert "\033[" in said
    for environment in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        code, said = in_terminal(["backends"], **environment)
        assert code == 0
        assert "\033[" not in said


def test_a_terminal_that_knows_no_control_sequences_gets_none() -> None:
    code, said = in_terminal(["demo", "--neurons", "10"], TERM="dumb")
    assert code == 0
    assert "100 % of 1797 digits seen" in said
    assert "\033" not in said


def test_a_narrow_terminal_gets_the_last_column_on_lines_of_its_own() -> None:
    wide = in_terminal(["modules"], columns=120, NO_COLOR="1")[1].splitlines()
    narrow = in_terminal(["modules"], columns=40, NO_COLOR="1")[1].splitlines()
    assert any(line.split()[0] == "LIF" and "rockpool.nn.modules" in line for line in wide if line)
    assert "    rockpool.nn.modules" in narrow
    assert max(map(len, narrow[: 2 * len(wide) - 10])) < max(map(len, wide)) - 10


def test_ctrl_c_leaves_the_demo_quietly() -> None:
    code, said = in_terminal(["demo"], interrupt_at=b"digits seen")
    assert code == 130
    assert "Traceback" not in said
    assert "accuracy" not in said
    assert said.rstrip().endswith(("\033[K", "^C"))  # the line of the bar is empty again


def test_an_interrupt_leaves_quietly_without_a_terminal(full_python) -> None:
    process = subprocess.Popen(
        [str(full_python), "-m", "rockpool", "demo", "--neurons", "800"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=full_python.cwd,
    )
    assert process.stderr is not None
    assert process.stderr.readline() == "25 % of 1797 digits seen\n"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert "accuracy" not in out
    assert "Traceback" not in err


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the limit is that of Linux")
@pytest.mark.parametrize("megabytes", [60, 120])
def test_where_numpy_would_wait_for_memory_for_ever_the_command_says_so(full_python, megabytes):
    limit = f"import resource; resource.setrlimit(resource.RLIMIT_AS, ({megabytes << 20},) * 2);"
    code = f"{limit} import sys, rockpool.cli; sys.exit(rockpool.cli.main(['demo']))"
    done = subprocess.run(
        [str(full_python), "-c", code],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        cwd=full_python.cwd,
    )
    assert done.returncode == 1
    assert done.stderr == "rockpool demo: there is too little memory\n"
