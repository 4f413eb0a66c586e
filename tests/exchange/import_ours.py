"""Open NIR files with this package and run what it makes of them.

One more argument names the back-end (numpy by default).
"""

from sys import argv

import importing
import numpy as np

from rockpool.nir import from_nir


def open_and_run(path, x, dt):
    """Open a file (dt: from the file by default) and run it over all steps."""
    backend = argv[3] if len(argv) > 3 else "numpy"
    network = from_nir(path, backend=backend, dt=dt)
    return np.asarray(network(x[None])[0])[0]


if __name__ == "__main__":
    importing.run_all(open_and_run, takes_dt=True)
