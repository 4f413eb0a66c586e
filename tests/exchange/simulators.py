"""What docs/simulators.md says of other simulators, looked at where all of them are installed.

    python tests/exchange/simulators.py FOLDER [--python python3.13]

Into FOLDER go two environments on Python 3.13, made once with pinned versions (about 2 GB), and
`simulators.json`, all that was seen: the page's programs and statements at time steps of 1 ms and
0.1 ms, and this package's own tests of its modules on Brian and NEST. The result is written beside
the page. PyNN's engine neuron needs a C++ compiler.

The programs beside this one run inside the environments; this one needs the standard library.
"""

import argparse
import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]

# jax and numpy of brainpy are its own choice: it goes with few.
ENVIRONMENTS = {
    "simulators": (
        "numpy==2.5.5",
        "lazy-loader==0.6",
        "numba==0.68.1",
        "brian2==2.11.0",
        "nest-simulator==3.10.0",
        "PyNN==0.13.0",
        "arbor==0.12.2",
        "neuron==9.0.2",
        "nengo==4.1.0",
        "pytest==9.2.0",
        "pytest-xdist==3.8.0",
        "hypothesis==6.170.17",
    ),
    "brainpy": (
        "numpy==2.5.5",
        "lazy-loader==0.6",
        "brainpy==2.9.0",
        "brainstate==0.6.0",
        "jax==0.12.0.1",
    ),
}


class Simulator(NamedTuple):
    """Where the statements on a simulator are looked at, and its title in the table."""

    title: str
    environment: str = "simulators"


SIMULATORS = {
    "nest": Simulator("NEST 3.10.0"),
    "brian": Simulator("Brian 2.11.0"),
    "pynn": Simulator("PyNN 0.13.0"),
    "nengo": Simulator("nengo 4.1.0"),
    "brainpy": Simulator("brainpy 2.9.0", "brainpy"),
    "arbor": Simulator("Arbor 0.12.2"),
    "neuron": Simulator("NEURON 9.0.2"),
}
STEPS = ("1e-3", "1e-4")  # s
SUITES = ("tests/nn/modules/brian", "tests/nn/modules/nest")
# These want torch beside the simulators, of which there is no small build for this Python.
WITH_TORCH = "not nothing_is_printed and not torch"
TIMEOUT = 900  # seconds that one program may take


def python_of(folder: Path, name: str, python: str) -> Path:
    """Return the interpreter of an environment, which is made if it is not there.

    Raises
    ------
    subprocess.CalledProcessError
        If the interpreter is not there, or pip cannot install a package.
    """
    place, listed = folder / name, "\n".join(ENVIRONMENTS[name])
    made, interpreter = place / "made-of.txt", place / "bin" / "python"
    if made.exists() and made.read_text() == listed:
        return interpreter
    print(f"environment {name}: {', '.join(ENVIRONMENTS[name])}", flush=True)
    subprocess.run([python, "-m", "venv", "--clear", place], check=True)
    pip = [interpreter, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, *ENVIRONMENTS[name]], check=True)
    for mechanisms in place.glob("lib/*/site-packages/pyNN/neuron/nmodl"):
        compiled = subprocess.run(
            [place / "bin" / "nrnivmodl"], cwd=mechanisms, capture_output=True, text=True
        )
        if compiled.returncode:
            print(compiled.stderr)
    made.write_text(listed)
    return interpreter


def answer(python: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run Python with this package on its path, one thread and no display."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    variables |= {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "PYNEST_QUIET": "1"}
    # the plugin that nengo brings does not go with this pytest
    variables |= {"JAX_PLATFORMS": "cpu", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return subprocess.run(
        [python, "-W", "ignore", *arguments],
        cwd=ROOT,
        env=variables,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
    )


def statements(name: str, python: Path) -> dict[str, dict[str, Any]]:
    """Return what was seen for each statement on a simulator, by time step.

    Raises
    ------
    RuntimeError
        If the program fails as a whole.
    """
    seen: dict[str, dict[str, Any]] = {}
    for dt in STEPS:
        print(f"{name}, dt {dt} s", flush=True)
        done = answer(python, HERE / f"statements_{name}.py", dt)
        if done.returncode:
            raise RuntimeError(f"statements_{name}.py failed:\n{done.stderr}")
        for statement, found in json.loads(done.stdout.splitlines()[-1]).items():
            seen.setdefault(statement, {})[dt] = found
    return seen


def suites(python: Path) -> str:
    """Run this package's tests of its modules on the simulators; return pytest's last line."""
    print(", ".join(SUITES), flush=True)
    options = ["-p", "xdist", "-n", "0", "-q", "-p", "no:cacheprovider"]
    chosen = ["-m", "slow or not slow", "-k", WITH_TORCH]
    done = answer(python, "-m", "pytest", *options, *chosen, *SUITES)
    failed = [line for line in done.stdout.splitlines() if line.startswith("FAILED")]
    said = done.stdout.splitlines()[-1] if done.stdout else done.stderr
    return "; ".join([re.sub(r" in [\d.]+s.*", "", said).strip("= "), *failed])


def page(seen: dict[str, Any]) -> str:
    """Return the page with the results, in Markdown."""
    rows = ["| statement | seen at 1 ms | at 0.1 ms | holds |", "| --- | --- | --- | --- |"]
    for name, found in seen["statements"].items():
        rows.append(f"| **{SIMULATORS[name].title}** | | | |")
        for statement, at in found.items():
            holds = "yes" if all(at[dt]["holds"] for dt in STEPS) else "**no**"
            cells = " | ".join(_cell(at[dt]["found"]) for dt in STEPS)
            rows.append(f"| `{statement}` | {cells} | {holds} |")
    versions = (f"- {name}: {', '.join(listed)}" for name, listed in ENVIRONMENTS.items())
    return _PAGE.format(
        table="\n".join(rows),
        tests=seen["tests"],
        left_out=WITH_TORCH,
        versions="\n".join(versions),
    )


def _cell(found: str) -> str:
    return found.replace("|", "\\|").replace("\n", " ")


_PAGE = """# What was seen of other simulators

The statements of [simulators.md](simulators.md), by the names that stand there in brackets, each
looked at with a time step of 1 ms and of 0.1 ms. `..._equal` are the programs of that page. Made by
`python tests/exchange/simulators.py FOLDER` on Python 3.13; what NEST and Brian do is looked at by
`.ci/run`, too, on Python 3.11 with Brian 2.9.

{table}

The tests of this package's own modules on Brian and NEST (`tests/nn/modules/brian`,
`tests/nn/modules/nest`, with the slow ones, `-k "{left_out}"`), in the first of the environments
below: {tests}.

{versions}
"""


def main() -> None:
    """Make the environments, look at all statements, run the tests, and write the page."""
    asked = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    asked.add_argument("folder", type=Path, help="where everything is kept")
    asked.add_argument("--python", default="python3.13", help="the interpreter (%(default)s)")
    asked.add_argument("--page", type=Path, default=ROOT / "docs" / "simulators_checked.md")
    given = asked.parse_args()
    folder = given.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    pythons = {name: python_of(folder, name, given.python) for name in ENVIRONMENTS}
    seen = {
        "statements": {
            name: statements(name, pythons[simulator.environment])
            for name, simulator in SIMULATORS.items()
        },
        "tests": suites(pythons["simulators"]),
    }
    (folder / "simulators.json").write_text(json.dumps(seen, indent=1))
    given.page.write_text(page(seen))
    print(f"{folder / 'simulators.json'}, {given.page}")


if __name__ == "__main__":
    main()
