"""The neurons of NIR compiled with numba: `LIFEulerNumba`, and its siblings."""

from __future__ import annotations

from typing import Any

import numpy as np

from rockpool.nn.kernels.compiling import Prepared, kernel_array
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
    kernel, rules = self._kept_for_step(lambda: _prepared(self))
    state = {name: self._batched_state(name, len(data)) for name in self._state_names}
    given = "spikes" if "spikes" in state else "vmem"
    first = state[given][:, np.newaxis].copy() if rules.delay else None
    wanted = tuple(state) if record else (given,)  # in the order of the states
    courses = {name: np.empty(data.shape, self._dtype) for name in wanted}
    optional = {RECORDED[name]: course for name, course in courses.items()}
    if self._has_rec:
        optional["w_rec"] = kernel_array(self.w_rec, self._dtype)
    kernel(x=data, **state, **optional)
    output = courses[given]
    if first is not None:
        output = np.concatenate([first, output], axis=1)[:, :-1]
    kept = courses if record else {}
    return self._as_neurons(output), self._keep_state(**state), kept


def _prepared(self: EulerBase) -> tuple[Prepared, euler.Rules]:
    """Return the kernel with parameters and rules, and the rules."""
    kind, rules = self._dtype, euler.rules(self._settings)
    values = self._constants()._asdict()
    if "isyn" not in self._state_names:
        del values["a_syn"], values["g_syn"]
    if "spikes" in self._state_names:
        values |= {"threshold": self.threshold, "v_reset": self.v_reset}
    fixed = {k: kernel_array(v, kind, (self.size_out,)).copy() for k, v in values.items()}
    return Prepared(euler_forward, kind, rules=np.array(rules, kind), **fixed), rules


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
