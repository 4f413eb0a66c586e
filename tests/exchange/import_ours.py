"""Open NIR files with this package and run what it makes of them.

One more argument names the back-end (numpy by default).
"""

from pathlib import Path
from sys import argv

import importing
import numpy as np
from lacking import LACKING

from rockpool.nir import from_nir


def open_and_run(path, x, **known):
    """Open a file, with the settings that are known, and run it over all steps."""
    backend = argv[3] if len(argv) > 3 else "numpy"
    network = from_nir(path, backend, **known)
    if backend != "torch":
        return np.asarray(network(x[None])[0])[0]
    import torch

    with torch.no_grad():
        return network(torch.as_tensor(x[None]))[0][0].numpy()


def known_of(path, case):
    """What a user can tell `from_nir` of a case: the time step, and what the file lacks."""
    lacks = LACKING.get(Path(path).stem)
    return importing.the_step(path, case) | (lacks.told if lacks else {})


if __name__ == "__main__":
    importing.run_all(open_and_run, told=known_of)
