"""Open NIR files with spyx 1.0.0 and run what it makes of them."""

import importing
import jax.numpy as jnp
import numpy as np
from spyx.nir import from_nir


def open_and_run(path, x, **dt):
    """Open a file (dt: 1 by default) and run it; images go in as rows x columns x channels."""
    data = jnp.array(np.moveaxis(x, 1, -1) if x.ndim > 2 else x)[:, None]
    out = from_nir(importing.read_nir(path), data, **dt)[1]
    out = np.asarray(out)[:, 0]
    return np.moveaxis(out, -1, 1) if out.ndim > 2 else out


if __name__ == "__main__":
    importing.run_all(open_and_run, told=importing.the_step)
