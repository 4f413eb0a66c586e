"""Open NIR files with sinabs 3.1.3 (nir 1.0.4) and run what it makes of them; its step is 1.

nir 1.0.4 knows no v_reset, which 1.0.8 writes into every neuron that fires: those that are zero are
taken out of a copy first, as a user of sinabs would have to.
"""

import shutil
import tempfile
from pathlib import Path

import h5py
import importing
import nir
import numpy as np
import torch
from sinabs.nir import from_nir


def read(path):
    """Read a file, or a copy of it without the v_reset that are zero."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy.nir"
        shutil.copy(path, copy)
        with h5py.File(copy, "r+") as file:
            names = []
            file.visit(names.append)
            for name in names:
                if name.endswith("/v_reset") and not np.any(file[name][()]):
                    del file[name]
        return nir.read(copy)


def open_and_run(path, x):
    """Open a file and run it over all steps, which sinabs takes as a batch; it takes no dt."""
    network = from_nir(read(path), batch_size=1)
    with torch.no_grad():
        result = network(torch.tensor(x))
    return (result[0] if isinstance(result, tuple) else result).numpy()


if __name__ == "__main__":
    importing.run_all(open_and_run)
