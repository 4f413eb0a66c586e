"""Open NIR files with norse 1.1.0 and run what it makes of them."""

import importing
from norse.torch.utils.import_nir import from_nir


def open_and_run(path, x, **dt):
    """Open a file (dt: 1 ms by default) and run it step by step."""
    network = from_nir(importing.read_nir(path), **dt)
    return importing.stepped(network, x, batch=False)


if __name__ == "__main__":
    importing.run_all(open_and_run, told=importing.the_step)
