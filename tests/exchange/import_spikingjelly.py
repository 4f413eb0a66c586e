"""Open NIR files with spikingjelly 2.0.0 and run what it makes of them."""

import importing
from spikingjelly.activation_based.nir_exchange import import_from_nir


def open_and_run(path, x, **dt):
    """Open a file (dt: 0.1 ms by default) and run it step by step."""
    network = import_from_nir(importing.read_nir(path), **dt)
    return importing.stepped(network, x)


if __name__ == "__main__":
    importing.run_all(open_and_run, told=importing.the_step)
