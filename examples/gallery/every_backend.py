"""One neuron on every back-end that is here.

A layer of numpy is converted to each back-end and gets the same input. On the left are the
membranes, one above the other, for they are equal to the eye; on the right is how far they are from
numpy in double precision. Where it is computed in single precision each step rounds to 1 part in 17
million, and the leak forgets what it rounded; those in double precision are equal to the bit, or
nearly.

Needs: matplotlib
"""

import sys

import numpy as np
from matplotlib.figure import Figure

from rockpool import convert
from rockpool.nn.modules import LIF
from rockpool.parameters import to_numpy
from rockpool.utilities.backend_management import backend_available

N_STEPS, DT = 150, 1e-3
BACKENDS = ("numpy", "numba", "torch", "jax", "brian", "nest", "sinabs")

neuron = LIF(1, tau_mem=20e-3, tau_syn=5e-3, max_spikes_per_dt=1, dt=DT)
data = 0.3 * (np.random.default_rng(2).random((1, N_STEPS, 1)) < 0.07)


def membrane(backend: str) -> np.ndarray:
    """Return the membrane potentials (T,) on a back-end."""
    given = data
    if backend in ("torch", "sinabs"):
        import torch

        given = torch.from_numpy(data).float()
    _, _, record = convert(neuron, backend)(given, record=True)
    return to_numpy(record["vmem"])[0, :, 0].astype(float)


here = [backend for backend in BACKENDS if backend_available(backend)]
found = {backend: membrane(backend) for backend in here}

time = (np.arange(N_STEPS) + 0.5) * DT
figure = Figure(figsize=(9, 4), layout="constrained")
left, right = figure.subplots(1, 2)
for place, (backend, vmem) in enumerate(found.items()):
    left.plot(time, vmem - 1.2 * place, color=f"C{place}")
    if backend != "numpy":
        distance = np.maximum(np.abs(vmem - found["numpy"]), 1e-18)
        size = 3 + 1.5 * (len(here) - place)  # so that those below can be seen
        style = {"mfc": "none", "ms": size, "color": f"C{place}"}
        right.semilogy(time[::5], distance[::5], "o", label=backend, **style)
left.set_yticks(-1.2 * np.arange(len(here)), here)
left.set(xlabel="Time (s)")
left.set_title("Membrane potentials", loc="left")
right.axhline(np.finfo(np.float32).eps, color="grey", lw=0.8, ls="--")
right.set(xlabel="Time (s)", ylabel="0 is drawn at 1e-18", ylim=(1e-19, 1e-4))
right.set_title("Distances from numpy", loc="left")
right.legend(fontsize="small", ncols=2, loc="center")
figure.savefig(sys.argv[1] if len(sys.argv) > 1 else "every_backend.png", dpi=55)
