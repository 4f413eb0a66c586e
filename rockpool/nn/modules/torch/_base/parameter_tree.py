"""The tree of a torch module's parameters, `TorchModuleParameters`."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from typing import Any

from torch import Tensor
from torch.serialization import DEFAULT_PROTOCOL
from torch.utils import _pytree

_HINT = (
    "the parameters of a Rockpool module are a tree of names and values; pass "
    "module.parameters().astorch() for its tensors"
)


class ParameterName(str):
    """A name in the tree that says what is wrong where torch takes it for a tensor."""

    __slots__ = ()

    def __getattr__(self, attribute: str) -> Any:
        if attribute == "grad":  # torch.nn.utils.clip_grad_norm_ asks for it
            raise TypeError(f"got the name {str(self)!r} instead of a tensor: {_HINT}")
        if attribute == "__qualname__":  # optimisers name by it what they cannot use
            return f"the name {str(self)!r}, not a tensor: {_HINT}"
        # what asks for something else of a tensor, such as averages of weights, gets the hint, too
        hint = f" ({_HINT})" if hasattr(Tensor, attribute) else ""
        raise AttributeError(f"'str' object has no attribute {attribute!r}{hint}")


class TorchModuleParameters(dict[str, Any]):
    """A nested dict of parameters, states or simulation parameters by name.

    Optimisers and other functions of torch take the tensors alone: pass them ``tree.astorch()``.

    Examples
    --------
    >>> from torch.optim import Adam
    >>> from rockpool.nn.modules import LIFTorch
    >>> optimiser = Adam(LIFTorch(3).parameters().astorch(), lr=1e-3)
    """

    def __iter__(self) -> Iterator[str]:
        return map(ParameterName, super().__iter__())

    def __reduce_ex__(self, protocol: Any) -> Any:
        # what torch.save writes is what torch.load takes without trust, as it does a state_dict;
        # copies, and messages between processes, are of this class
        if protocol == DEFAULT_PROTOCOL:
            return OrderedDict, (), None, None, iter(self.items())
        return super().__reduce_ex__(protocol)

    def astorch(self) -> Iterator[Tensor]:
        """Yield the tensors of the tree, each one once, in the order of ``nn.Module.parameters``.

        Yields
        ------
        Tensor
            The module's own tensors, not copies.
        """
        seen: set[int] = set()
        for tensor in _tensors(self):
            if id(tensor) not in seen:
                seen.add(id(tensor))
                yield tensor


def _tensors(tree: dict[str, Any]) -> Iterator[Tensor]:
    for value in tree.values():
        if isinstance(value, dict):
            yield from _tensors(value)
        elif isinstance(value, Tensor):
            yield value


def _flatten(tree: TorchModuleParameters) -> tuple[list[Any], list[str]]:
    return list(tree.values()), [str(name) for name in tree]


def _unflatten(values: Iterable[Any], names: list[str]) -> TorchModuleParameters:
    return TorchModuleParameters(zip(names, values, strict=True))


# The transforms of torch.func look for tensors in what a function returns.
# Early torch has this function under another name.
_register = getattr(_pytree, "register_pytree_node", None) or _pytree._register_pytree_node
_register(TorchModuleParameters, _flatten, _unflatten)
