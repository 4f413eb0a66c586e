"""Batches: input and state with a batch dimension in front, and state kept per batch element."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rockpool.nn.modules._attribute_tree import AttributeTree
from rockpool.parameters import Shape, shape_of

if TYPE_CHECKING:
    from typing import Self


class Batching(AttributeTree):
    """An attribute tree whose states can be repeated over a batch, and kept for each element."""

    _shape: tuple[Any, ...]

    @property
    def keeps_batch_state(self) -> bool:
        """Whether the states of all batch elements are kept; see :meth:`keep_batch_state`."""
        return self._keep_batch_state

    def keep_batch_state(self, keep: bool = True) -> Self:
        """Keep a state for each batch element, or only that of batch element 0.

        By default the state after a call has the shape that it has for a single input: that of
        batch element 0, from which every element of the next batch starts. With this setting the
        state has a batch dimension in front, ``(B, ...)``, so that a batch can be evolved in
        chunks. Applies to this module and to all modules inside it.

        ``state()`` and the state that a call returns then hold ``(B, ...)`` values;
        :meth:`reset_state` goes back to the shape without batch, from which a batch of any size
        can start; a call with another batch size than that of the kept state is a ValueError.

        Parameters
        ----------
        keep : bool, optional
            Whether to keep them. Default: True. With False, states that were kept are replaced by
            those of batch element 0.

        Returns
        -------
        Module
            The changed module: this one, or a copy for a functional back-end.

        Examples
        --------
        >>> module.keep_batch_state()                    # doctest: +SKIP
        >>> first, _, _ = module(data[:, :100])          # doctest: +SKIP
        >>> second, _, _ = module(data[:, 100:])         # doctest: +SKIP
        """
        target = self._update_target()
        target._set_own_keep_batch_state(bool(keep))
        for name, module in list(target._registered_modules.items()):
            target._replace_module(name, module.keep_batch_state(keep))
        return target

    def _set_keep_batch_state(self, keep: bool) -> None:
        """Change the setting in place, here and in all submodules."""
        self._set_own_keep_batch_state(keep)
        for module in self._registered_modules.values():
            module._set_keep_batch_state(keep)

    def _set_own_keep_batch_state(self, keep: bool) -> None:
        self.__dict__["_keep_batch_state"] = keep
        if keep:
            return
        for name, entry in self._registered_attributes.items():
            if entry.kind == "State" and self._state_batch_size(name) is not None:
                setattr(self, name, self._load_attribute(name)[0])

    def _state_batch_size(self, name: str) -> int | None:
        """Return the size of the batch that a state is kept for; None if it is for any batch."""
        entry = self._registered_attributes[name]
        shape = shape_of(self._load_attribute(name))
        return shape[0] if len(shape) == len(entry.shape) + 1 else None

    def _batched_state(self, name: str, batch_size: int) -> Any:
        """Return a state with the batch dimension in front, for ``evolve`` to start from.

        Parameters
        ----------
        name : str
            Name of the state.
        batch_size : int
            Number of batch elements in the input.

        Returns
        -------
        array, shape ``(batch_size, ...)``
            The states of all batch elements; for numpy a copy, free to be edited.

        Raises
        ------
        ValueError
            If states are kept for a batch of another size.
        """
        shape = self._registered_attributes[name].shape
        return self._repeated(self._load_attribute(name), shape, batch_size)

    def _state_to_keep(self, batched: Any) -> Any:
        """Return what is to be stored and returned of a final state with batch dimension."""
        return batched if self._keep_batch_state else batched[0]

    def _keep_state(self, **states: Any) -> None:
        """Store the final states ``(B, ...)`` of a batch; an empty one leaves them as they were."""
        for name, batched in states.items():
            if len(batched):
                setattr(self, name, self._state_to_keep(batched))

    def _expand_state(self, value: Any, shape: Shape) -> Any:
        """Return a value repeated to a shape, as a new array."""
        repeated = np.empty(shape)
        repeated[...] = value
        return repeated

    def _repeated(self, state: Any, shape: Shape, batch_size: int) -> Any:
        """Return a state of a shape without batch, or one kept for this batch, as ``(B, ...)``."""
        given = shape_of(state)
        if len(given) == len(shape) + 1 and given[0] != batch_size:
            raise ValueError(
                f"{self._label}: the state is kept for a batch of {given[0]}, but the input has a "
                f"batch of {batch_size}; call reset_state() before another batch starts"
            )
        return self._expand_state(state, (batch_size, *shape))

    def _shape_without_batch(self, state: Any) -> Shape:
        """Return the shape that a state, given as a value, has for a single input."""
        if self._keep_batch_state:
            for name, entry in self._registered_attributes.items():
                if entry.kind == "State" and self._load_attribute(name) is state:
                    return entry.shape
        return shape_of(state)

    def _auto_batch(
        self,
        data: Any,
        states: tuple[Any, ...] = (),
        target_shapes: tuple[Shape | None, ...] | None = None,
    ) -> tuple[Any, tuple[Any, ...]]:
        """Return input as ``(B, T, size_in)``, and states repeated over the batch.

        Parameters
        ----------
        data : array_like, shape ``(T,)``, ``(T, N)`` or ``(B, T, N)``
            Input; ``N`` is ``size_in``, or 1 for the same input to each channel.
        states : tuple of arrays, optional
            States to repeat. Default: none.
        target_shapes : tuple of (tuple of int or None), optional
            The shape of each state without batch. Default: the shape that it has.

        Returns
        -------
        data : numpy.ndarray of float64, shape ``(B, T, size_in)``
            A copy of the input.
        states : tuple of numpy.ndarray, shapes ``(B, ...)``
            The states.

        Raises
        ------
        ValueError
            If the input has no or more than three dimensions, or a wrong number of channels.
        """
        array = np.asarray(data).astype("float64")
        if array.ndim == 0:
            raise ValueError(f"{self._label}: the input must have a time dimension, got a scalar")
        array = array.reshape(self._batch_shape(array.shape))
        channels = self._shape[0]
        if channels is not None and array.shape[-1] != channels:
            array = np.repeat(array, channels, axis=-1)
        targets = (None,) * len(states) if target_shapes is None else target_shapes
        batched = tuple(
            self._repeated(
                state, self._shape_without_batch(state) if shape is None else shape, len(array)
            )
            for state, shape in zip(states, targets, strict=True)
        )
        return array, batched

    def _batch_shape(self, shape: Shape) -> Shape:
        """Return the three-dimensional shape ``(B, T, N)`` that input of a shape stands for.

        Raises a ValueError if it stands for none, or if ``N`` is neither ``size_in`` nor 1.
        """
        if len(shape) > 3:
            raise ValueError(
                f"{self._label}: the input must have the shape (T,), (T, N) or (B, T, N), "
                f"got {len(shape)} dimensions, {tuple(shape)}"
            )
        forms: tuple[Shape, ...] = ((1, 1, 1), (1, *shape, 1), (1, *shape), shape)
        batched = tuple(forms[len(shape)])
        channels = self._shape[0]
        if channels is not None and batched[-1] not in (channels, 1):
            raise ValueError(
                f"{self._label}: the input must have {channels} channels (or 1, for all of them), "
                f"got {batched[-1]} in the shape {tuple(shape)}"
            )
        return batched
