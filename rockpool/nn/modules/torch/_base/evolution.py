"""What a call of a torch module does around its ``forward``: `TorchEvolution`."""

from __future__ import annotations

from inspect import signature
from typing import Any, ClassVar

from torch import Tensor, nn

from rockpool.nn.modules.torch._base import tracing
from rockpool.nn.modules.torch._base.batches import TorchBatches
from rockpool.nn.modules.torch._base.call_options import (
    CallOptions,
    call_options,
    lengths_of,
    options_set,
)
from rockpool.nn.modules.torch._base.recomputation import in_use

__all__ = ["TorchEvolution"]


class TorchEvolution(TorchBatches):
    """A torch module that can be called, by ``evolve`` or as in torch; see `TorchModule`."""

    _records_always: ClassVar[bool] = False  # whether evolve returns a record without being asked
    _passes_states: ClassVar[bool] = False  # whether forward puts all states in `_passed_state`
    _time_first: ClassVar[bool] = False  # whether data are (T, B, N), and not (B, T, N)

    _has_own_evolve: ClassVar[bool]  # in which a call in torch mode ends, too
    _torch_call: bool  # a call gives the output alone
    _record: bool  # whether forward is to fill `_record_dict`

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._has_own_evolve = _evolves_itself(cls)

    def evolve(
        self,
        input_data: Any,
        record: bool = False,
        *args: Any,
        detach: bool | None = None,
        lengths: Any = None,
        memory: str | None = None,
        **kwargs: Any,
    ) -> tuple[Any, dict[str, Any], dict[str, Any]]:
        """Process input and return ``(output, new_state, record)``.

        Parameters
        ----------
        input_data : Tensor
            Shape (B, T, Nin), (T, Nin) or (T,).
        record : bool
            Whether to keep the time course of internal values. Default: False.
        detach : bool
            Whether the states that are left for the next call, of this module and of all inside
            it, are cut from their graph. Default: True. With False, gradients of the next call
            reach back into this one, for backpropagation through time over several calls; until
            then the module cannot be copied. `keep_batch_state` has them for all batch elements.
        lengths : array_like of int, optional
            How many time steps of the input each batch element has, shape (B,). Outputs and records
            beyond are zero; the states are those at each end. Default: all time steps.
        memory : str, optional
            "low" for gradients that take less memory and up to half as much time again, or "full";
            see `rockpool.nn.kernels.switch.save_memory`, which decides by default.
        *args, **kwargs
            Further arguments of ``forward``; also `detach`, `lengths` and `memory` where it has
            such names.

        Returns
        -------
        output : Tensor
            Shape (B, T, Nout).
        new_state : TorchModuleParameters
            The state after the last time step, without gradients.
        record : dict
            Tensors (B, T, ...) by name; empty without `record`.
        """
        if detach is None and lengths is None and memory is None:
            return self._evolve(input_data, record, args, kwargs)
        given = {"detach": detach, "lengths": lengths, "memory": memory}
        given = {name: value for name, value in given.items() if value is not None}
        own = given.keys() & signature(self.forward).parameters.keys()
        kwargs |= {name: given.pop(name) for name in own}
        if not given:
            return self._evolve(input_data, record, args, kwargs)
        with options_set(self._label, self._options(input_data, **given)):
            return self._evolve(input_data, record, args, kwargs)

    def _options(
        self, data: Any, *, detach: bool = True, lengths: Any = None, memory: str | None = None
    ) -> CallOptions:
        """Return the options for a call, checked."""
        if memory not in (None, "low", "full"):
            raise ValueError(f"{self._label}: memory must be 'low' or 'full', got {memory!r}")
        if not isinstance(detach, bool):
            raise TypeError(f"{self._label}: detach must be a bool, got {detach!r}")
        if lengths is None:
            return CallOptions(detach, memory=memory)
        if not isinstance(data, Tensor):
            raise TypeError(f"{self._label}: with lengths, the input must be a torch tensor")
        n_batch, n_steps = self._batch_and_steps(data.shape)
        steps = lengths_of(self._label, lengths, n_batch, n_steps)
        return CallOptions(detach, steps, n_steps, memory)

    def _evolve(
        self, input_data: Any, record: bool, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[Any, dict[str, Any], dict[str, Any]]:
        options, own = call_options(), self.__dict__
        courses = record or (options.lengths is not None and not self._records_always)
        own["_record"], own["_record_dict"], own["_passed_state"] = courses, {}, {}
        try:
            output = self._run_forward(input_data, *args, **kwargs)
            records, passed = own["_record_dict"], own["_passed_state"]
        finally:
            # nothing with a graph behind it stays in the module, which can be copied at any time
            own["_record"], own["_record_dict"], own["_passed_state"] = False, {}, {}
        if self._passes_states and not self._registered_attributes:
            state: dict[str, Any] = self._make_tree(passed)
        else:
            state = self._collect("State", None)
            if passed:
                state.update(passed)
        records = records if record or self._records_always else {}
        if options.lengths is not None and not self._time_first:
            output, records = options.cut(output), options.cut(records)
        return output, state, records

    def __call__(self, *args: Any, **kwargs: Any) -> tuple[Tensor, dict[str, Any], dict[str, Any]]:
        """Evolve the module; in torch mode, return the output alone (no type checker knows)."""
        if not self._torch_call:
            plain = len(args) == 1 and type(args[0]) is Tensor and not (kwargs or self._modules)
            if type(self).evolve is not TorchEvolution.evolve:
                in_use(self)
            elif plain and "evolve" not in self.__dict__:  # as layers mostly are called
                return self._evolve(args[0], False, (), {})
            return super().__call__(*args, **kwargs)
        if self._has_own_evolve:
            return self.evolve(*args, **kwargs)[0]
        if "lengths" in kwargs or "detach" in kwargs or "memory" in kwargs:
            return self.evolve(args[0], False, *args[1:], **kwargs)[0]
        try:
            return self._run_forward(*args, **kwargs)
        finally:
            self.__dict__.update(_record_dict={}, _passed_state={})

    def _run_forward(self, *args: Any, **kwargs: Any) -> Any:
        """Call ``forward`` and the hooks of torch; an error leaves the states as they were."""
        if not self._buffers:  # no state to put back
            return nn.Module.__call__(self, *args, **kwargs)
        in_use(self)
        if tracing.TRACED in self.__dict__:
            tracing.before_call(self)
        before = self._buffers.copy()
        try:
            return nn.Module.__call__(self, *args, **kwargs)
        except BaseException:
            self._buffers.update(before)
            raise


def _evolves_itself(kind: type) -> bool:
    """Return whether a class overrides `evolve`, and has not overridden ``forward`` since."""
    for base in kind.__mro__:
        if base in TorchEvolution.__mro__:
            continue
        if "forward" in vars(base):
            return False
        if "evolve" in vars(base):
            return True
    return True  # there is no ``forward``
