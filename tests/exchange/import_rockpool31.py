"""Open NIR files with SynSense rockpool 3.1.0, a black box, and run what it makes of them."""

import importing
import torch

from rockpool.nn.modules.torch.nir import from_nir


def open_and_run(path, x):
    """Open a file and run it over all steps; it takes no dt."""
    with torch.no_grad():
        return from_nir(importing.read_nir(path))(torch.tensor(x)[None])[0][0].numpy()


if __name__ == "__main__":
    importing.run_all(open_and_run)
