"""The environments of the matrix: which packages each holds, and how they are made.

Versions are pinned. What a package requires only for things that are not used here (torchvision for
norse, tensorboard for spikingjelly, ...) is left out: such packages are installed as they stand.
"""

import subprocess
import sys
import venv
from pathlib import Path
from typing import NamedTuple

_NUMPY = ("numpy==2.3.5", "h5py==3.16.0")
_TORCH = ("torch==2.13.0", *_NUMPY)


class Environment(NamedTuple):
    """What is installed into an environment: with what it requires, and then as it stands."""

    packages: tuple[str, ...]
    bare: tuple[str, ...] = ()


# snntorch, norse and spikingjelly agree on nir 1.0.8, sinabs wants 1.0.4; the name of rockpool is
# that of this package.
ENVIRONMENTS = {
    "torch": Environment(
        (*_TORCH, "nir==1.0.8", "loguru==0.7.3"),
        ("nirtorch==2.6", "snntorch==1.0.0", "norse==1.1.0", "spikingjelly==2.0.0"),
    ),
    "sinabs": Environment(
        (*_TORCH, "nir==1.0.4", "nirtorch==2.0.2", "pbr==7.1.3", "matplotlib==3.11.2"),
        ("sinabs==3.1.3",),
    ),
    "spyx": Environment(
        (*_NUMPY, "jax==0.10.2", "jaxlib==0.10.2", "flax==0.12.8", "nir==1.0.8", "spyx==1.0.0")
    ),
    "rockpool31": Environment(
        (*_TORCH, "scipy==1.17.1", "nir==1.0.8"), ("nirtorch==2.6", "rockpool==3.1.0")
    ),
    "ours": Environment((*_NUMPY, "lazy-loader==0.6", "nir==1.0.8")),
    "coming_from": Environment(
        (*_TORCH, "lazy-loader==0.6", "numba==0.68.1", "nir==1.0.8"),
        ("nirtorch==2.6", "snntorch==1.0.0", "norse==1.1.0"),
    ),
}


def python_of(folder: Path, name: str) -> Path:
    """Return the interpreter of an environment, which is made if it is not there.

    Parameters
    ----------
    folder : Path
        Folder of all environments.
    name : str
        One of `ENVIRONMENTS`.

    Returns
    -------
    Path
        The interpreter.

    Raises
    ------
    subprocess.CalledProcessError
        If pip cannot install a package.
    """
    place, wanted = folder / name, ENVIRONMENTS[name]
    python = place / "bin" / "python"
    made, listed = place / "made-of.txt", "\n".join((*wanted.packages, *wanted.bare))
    if made.exists() and made.read_text() == listed:
        return python
    print(f"environment {name}: {', '.join((*wanted.packages, *wanted.bare))}", flush=True)
    venv.create(place, clear=True, with_pip=True)
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, *wanted.packages], check=True, stdout=sys.stderr)
    if wanted.bare:
        subprocess.run([*pip, "--no-deps", *wanted.bare], check=True, stdout=sys.stderr)
    made.write_text(listed)
    return python
