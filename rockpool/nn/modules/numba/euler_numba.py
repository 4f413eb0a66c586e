"""The neurons of NIR compiled with numba: `LIFEulerNumba`, and its siblings."""

from __future__ import annotations

from typing import Any

import numpy as np

from rockpool.nn.kernels.compiling import call, kernel_array
from rockpool.nn.kernels.euler import euler_forward
from rockpool.nn.models import euler
from rockpool.nn.modules.native.euler import (
    CubaLIEuler,
    CubaLIFEuler,
    IFEuler,
    LIEuler,
    LIFEuler,
)
from rockpool.nn.modules.native.euler_base import EulerBase
from rockpool.nn.modules.numba.input import batched_input
from rockpool.typehints import ArrayLike

__all__ = ["CubaLIEulerNumba", "CubaLIFEulerNumba", "IFEulerNumba", "LIEulerNumba", "LIFEulerNumba"]


# where the kernel writes each of the states over time
RECORDED = {"vmem": "vmem_record", "isyn": "currents", "spikes": "fired"}


def evolve(
    self: EulerBase, input_data: ArrayLike, record: bool = False
) -> tuple[np.ndarray, dict[str, Any], dict[str, Any]]:
    """Evolve the neurons over time; as `LIFEuler.evolve`."""
    data = batched_input(self, input_data)
    self._require_finite_data(data, data)
    kind, rules = self._dtype, euler.rules(self._settings)
    before = {name: self._batched_state(name, len(data)) for name in self._state_names}
    state = {name: kernel_array(value.copy(), kind) for name, value in before.items()}
    given = "spikes" if "spikes" in state else "vmem"
    wanted = tuple(state) if record else (given,)  # in the order of the states
    courses = {name: np.empty(data.shape, kind) for name in wanted}
    records = {RECORDED[name]: course for name, course in courses.items()}
    neurons = (self.size_out,)
    constants = self._constants()._asdict()
    if "isyn" not in state:
        del constants["a_syn"], constants["g_syn"]
    if "spikes" in state:
        constants |= {"threshold": self.threshold, "v_reset": self.v_reset}
    if self._has_rec:
        records["w_rec"] = kernel_array(self.w_rec, kind)
    call(
        euler_forward,
        x=data,
        rules=np.array(rules, kind),
        **{name: kernel_array(value, kind, neurons) for name, value in constants.items()},
        **state,
        **records,
    )
    output = courses[given]
    if rules.delay:
        output = np.concatenate([before[given][:, np.newaxis], output], axis=1)[:, :-1]
    kept = courses if record else {}
    return self._as_neurons(output), self._keep_state(**state), kept


class IFEulerNumba(IFEuler):
    """A layer of integrate-and-fire neurons of NIR, compiled; as `IFEuler`, see `LIFEulerNumba`."""

    evolve = evolve


class LIFEulerNumba(LIFEuler):
    """A layer of leaky integrate-and-fire neurons of NIR, compiled.

    The equations, arguments, parameters, states and records are those of `LIFEuler`, and so are the
    spikes and values, bit for bit. With recurrent weights the contributions of several neurons are
    added up in another order, as in `LIFNumba`, which says how the time loop is compiled.

    Examples
    --------
    >>> import numpy as np
    >>> from rockpool.nn.modules import LIFEuler, LIFEulerNumba
    >>> data = np.ones((1, 5, 2, 3))
    >>> layer, compiled = (kind((2, 3), r=30.0) for kind in (LIFEuler, LIFEulerNumba))
    >>> bool(np.all(compiled(data)[0] == layer(data)[0]))
    True
    """

    evolve = evolve


class LIEulerNumba(LIEuler):
    """A layer of leaky integrators of NIR, compiled; as `LIEuler`, see `LIFEulerNumba`."""

    evolve = evolve


class CubaLIFEulerNumba(CubaLIFEuler):
    """A layer of current-based leaky integrate-and-fire neurons of NIR, compiled.

    As `CubaLIFEuler`; see `LIFEulerNumba`.
    """

    evolve = evolve


class CubaLIEulerNumba(CubaLIEuler):
    """A layer of current-based leaky integrators of NIR, compiled.

    As `CubaLIEuler`; see `LIFEulerNumba`.
    """

    evolve = evolve
