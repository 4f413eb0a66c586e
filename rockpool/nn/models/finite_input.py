"""Input that is no number: NaN, or infinite. It is found by what it does to the state of a layer.

Once a layer has seen NaN or infinity, its currents stay so. So it is enough to look at the state at
the end of a call, which is small, instead of at all of the input; only where that is no number is
the input gone through, for the first place. Of weights without state, input or output is looked at,
whichever has fewer numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rockpool.parameters import to_numpy
from rockpool.utilities._switch import Switch

__all__ = ["check_input", "checks_wanted", "require_finite", "require_finite_data"]


class check_input(Switch):
    """Choose whether NaN and infinite input is an error, for good or for a ``with`` block.

    Without a choice the environment variable ``ROCKPOOL_CHECK_INPUT`` decides: 0, off, no or false
    turns the check off; 1, on, yes or true is the default, and anything else an error.

    Parameters
    ----------
    wanted : bool or None
        Whether to check; None leaves it to the environment again.

    Examples
    --------
    >>> import numpy as np
    >>> from rockpool.nn.models.finite_input import check_input
    >>> from rockpool.nn.modules import LIF
    >>> with check_input(False):
    ...     bool(np.isnan(LIF(1)([[np.nan]])[1]["isyn"]).all())
    True
    """

    _variable = "ROCKPOOL_CHECK_INPUT"


def checks_wanted() -> bool:
    """Whether NaN and infinite input is to be an error."""
    return check_input._wanted()


def require_finite(module: Any, data: Any, state: np.ndarray) -> None:
    """Require input to be finite, given the state that it led to.

    Parameters
    ----------
    module : Module
        The module; messages call it as its `_label` says.
    data : array (B, T, N), (T, N) or (T,)
        The input, of any back-end.
    state : np.ndarray
        A state after the last time step, of all batch elements, in which NaN and infinity stay.

    Raises
    ------
    ValueError
        The state is not finite, and neither is the input.
    """
    # a sum of squares tells it in one go; only where that is not finite each value is looked at
    # (the layers of LIF neurons look at that sum themselves, and come here with what is left)
    if np.vdot(state, state) < np.inf or not checks_wanted() or np.isfinite(state).all():
        return
    refuse(module._label, data)


def require_finite_data(module: Any, data: np.ndarray, output: np.ndarray) -> None:
    """Require the input of weights to be finite, given the output that it led to.

    Parameters
    ----------
    module : Module
        The module; messages call it as its `_label` says.
    data : np.ndarray (..., N)
        The input.
    output : np.ndarray
        What came of it: sums of all of the input.

    Raises
    ------
    ValueError
        The input is not finite.
    """
    values = data if data.size < output.size and data.flags.c_contiguous else output
    if values.dtype.kind == "V":  # bfloat16
        values = to_numpy(values)
    # NaN is not below infinity, either; a sum that only is too large takes a closer look
    if values.dtype.kind != "f" or np.vdot(values, values) < np.inf:
        return
    if checks_wanted() and not np.isfinite(values).all():
        refuse(module._label, data)


def refuse(label: str, data: Any) -> None:
    """Raise a ValueError for the first value of input that is not finite, if there is one."""
    values = to_numpy(data)
    forms = {0: (1, 1, 1), 1: (1, -1, 1), 2: (1, *values.shape), 3: values.shape}
    values = values.reshape(forms.get(values.ndim, (-1, *values.shape[-2:])))
    if values.dtype.kind != "f":
        return
    odd = np.argwhere(~np.isfinite(values.swapaxes(0, 1)))
    if len(odd):
        step, element, channel = map(int, odd[0])
        raise ValueError(
            f"{label}: the input must be finite, got {values[element, step, channel]:g} in time "
            f"step {step} of batch element {element}, channel {channel} "
            f"(rockpool.nn.models.finite_input.check_input(False) turns this check off)"
        )
