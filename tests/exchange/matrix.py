"""Which package reads whose NIR files right: exporter by exporter, importer by importer.

    python tests/exchange/matrix.py FOLDER [--table docs/exchange_matrix.md]

Into FOLDER go the environments (made once, with pinned versions, about 4 GB), the files of every
exporter with what its own networks did, this package's own networks written for each of the others,
and `matrix.json`, all that was seen. The table is what the documentation shows. A file is read right
if its network does, in every time step, what the network did that it was written from.

The programs beside this one run inside the environments; this one needs the standard library.
"""

import argparse
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import tables
from environments import ENVIRONMENTS, python_of

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]

# The environment of each package: it writes files there, and reads them.
PACKAGES = {
    "snntorch": "torch",
    "norse": "torch",
    "sinabs": "sinabs",
    "spikingjelly": "torch",
    "spyx": "spyx",
    "rockpool31": "rockpool31",
    "ours": "ours",
}
# The dialects in which this package writes, and who is to read them
TARGETS = {
    "nir": "ours",
    "snntorch": "snntorch",
    "norse": "norse",
    "sinabs": "sinabs",
    "spikingjelly": "spikingjelly",
    "spyx": "spyx",
    "rockpool": "rockpool31",
}
TIMEOUT = 900  # seconds that one program may take


def run(program: str, package: str, environments: Path, *arguments: Path | str) -> None:
    """Run a program of this folder in the environment of a package.

    Parameters
    ----------
    program : str
        ``"export"`` or ``"import"``.
    package : str
        One of `PACKAGES`.
    environments : Path
        Where the environments are.
    *arguments : Path or str
        What the program is given.

    Raises
    ------
    subprocess.CalledProcessError
        If the program fails as a whole; ``said.txt``, beside the environments, has what it said.
    """
    python = python_of(environments, PACKAGES[package])
    variables = {**os.environ, "JAX_PLATFORMS": "cpu", "OMP_NUM_THREADS": "1"}
    variables.pop("PYTHONPATH", None)
    if package == "ours":
        variables["PYTHONPATH"] = str(ROOT)
    command = [python, "-W", "ignore", HERE / f"{program}_{package}.py", *arguments]
    print(f"{program}: {package}", flush=True)
    with (environments.parent / "said.txt").open("a") as said:
        subprocess.run(
            command, check=True, env=variables, timeout=TIMEOUT, stdout=said, stderr=said
        )


def opened(
    package: str, files: list[Path], folder: Path, environments: Path
) -> list[dict[str, Any]]:
    """Open files with a package, and return what it made of each.

    Parameters
    ----------
    package : str
        One of `PACKAGES`.
    files : list of Path
        The files; the case of each, ``NAME.npz`` of ``NAME.nir`` or ``NAME.DIALECT.nir``, is beside
        it.
    folder : Path
        Where the jobs and results are written.
    environments : Path
        Where the environments are.

    Returns
    -------
    list of dict
        The results, in the order of the files.
    """
    jobs, results = folder / f"jobs_{package}.json", folder / f"results_{package}.json"
    cases = [file.with_name(file.name.partition(".")[0] + ".npz") for file in files]
    listed = [
        {"file": str(file), "case": str(case)} for file, case in zip(files, cases, strict=True)
    ]
    jobs.write_text(json.dumps(listed))
    run("import", package, environments, jobs, results)
    return json.loads(results.read_text())


def foreign_files(folder: Path, environments: Path, exporters: list[str]) -> dict[str, Any]:
    """Let every package write its networks and every package read them.

    Returns
    -------
    dict
        For each importer, for each file (without its suffix), the result.
    """
    for package in exporters:
        run("export", package, environments, folder)
    files = sorted(file for package in exporters for file in _files_of(package, folder))
    return {
        importer: {
            file.stem: result
            for file, result in zip(
                files, opened(importer, files, folder, environments), strict=True
            )
        }
        for importer in PACKAGES
    }


def _files_of(package: str, folder: Path) -> list[Path]:
    """The files that a package wrote: its name is the first word of theirs."""
    name = "rockpool" if package == "rockpool31" else package
    return sorted(folder.glob(f"{name}_*.nir"))


def own_files(folder: Path, environments: Path) -> dict[str, Any]:
    """Write this package's networks for each of the others, and let those read them.

    Returns
    -------
    dict
        For each network, for each target, the result with what the writer warned of (``warned``),
        or ``{"refused": ...}``. The target ``"nir"`` is read by this package.
    """
    run("export", "ours", environments, folder)
    seen: dict[str, dict[str, Any]] = json.loads((folder / "networks.json").read_text())
    for target, reader in TARGETS.items():
        written = {
            name: folder / f"{number:02}.{target}.nir"
            for number, (name, said) in enumerate(seen.items())
            if "refused" not in said[target]
        }
        results = opened(reader, list(written.values()), folder, environments) if written else []
        for name, result in zip(written, results, strict=True):
            seen[name][target] |= result
    return seen


def main() -> None:
    """Make the environments, write and read all files, and write the table."""
    asked = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    asked.add_argument("folder", type=Path, help="where everything is kept")
    asked.add_argument("--table", type=Path, default=ROOT / "docs" / "exchange_matrix.md")
    asked = asked.parse_args()
    folder = asked.folder.resolve()
    environments, foreign, own = (folder / name for name in ("environments", "foreign", "own"))
    for each in (environments, foreign, own):
        each.mkdir(parents=True, exist_ok=True)
    seen = {
        "versions": {name: list(all_of(name)) for name in dict.fromkeys(PACKAGES.values())},
        "foreign": foreign_files(foreign, environments, [p for p in PACKAGES if p != "ours"]),
        "own": own_files(own, environments),
    }
    (folder / "matrix.json").write_text(json.dumps(seen, indent=1))
    asked.table.parent.mkdir(parents=True, exist_ok=True)
    asked.table.write_text(tables.page(seen))
    print(f"{folder / 'matrix.json'}, {asked.table}")


def all_of(name: str) -> tuple[str, ...]:
    """Return what an environment is made of."""
    return (*ENVIRONMENTS[name].packages, *ENVIRONMENTS[name].bare)


if __name__ == "__main__":
    main()
