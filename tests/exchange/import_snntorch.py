"""Open NIR files with snntorch 1.0.0 and run what it makes of them (dt is 0.1 ms, always)."""

import importing
from snntorch.import_nir import import_from_nir


def open_and_run(path, x):
    """Open a file and run it step by step; snntorch takes no dt."""
    return importing.stepped(import_from_nir(importing.read_nir(path)), x, batch=False)


if __name__ == "__main__":
    importing.run_all(open_and_run)
