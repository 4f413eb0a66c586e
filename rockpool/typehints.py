"""Names for the types that module arguments may have.

``P_float`` is "a float, or a ``Parameter`` that holds one", and so on. A type checker reads the
definitions below; a running program gets each name made on first access, so that importing
this module costs nothing and imports no back-end. Tensors of optional back-ends are
``typing.Any`` at run time.
"""

from __future__ import annotations

TYPE_CHECKING = False  # known to type checkers by its name; importing typing takes a while

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, MutableMapping
    from typing import Any, TypeAlias
    from typing import Self as Self

    import numpy as np
    import torch
    from numpy.typing import ArrayLike as ArrayLike

    from rockpool.parameters import ParameterBase

    Tensor: TypeAlias = torch.Tensor

    P_int: TypeAlias = int | ParameterBase
    P_str: TypeAlias = str | ParameterBase
    P_float: TypeAlias = float | ParameterBase
    P_bool: TypeAlias = bool | ParameterBase
    P_Callable: TypeAlias = Callable[..., Any] | ParameterBase
    P_ndarray: TypeAlias = np.ndarray | ParameterBase
    P_tensor: TypeAlias = Tensor | ParameterBase

    Tree: TypeAlias = Iterable[Any] | MutableMapping[Any, Any] | Mapping[Any, Any]
    P_tree: TypeAlias = Tree | ParameterBase
    TreeDef: TypeAlias = dict[Any, Any]
    Leaf: TypeAlias = Any
    Value: TypeAlias = Any
    Node: TypeAlias = Any

    FloatVector: TypeAlias = float | np.ndarray | Tensor
    IntVector: TypeAlias = int | np.ndarray | Tensor

    JaxTreeDef: TypeAlias = Any
    JaxRNGKey: TypeAlias = Any

__all__ = [
    "DRCError",
    "DRCWarning",
    "FloatVector",
    "IntVector",
    "JaxRNGKey",
    "JaxTreeDef",
    "Leaf",
    "Node",
    "P_Callable",
    "P_bool",
    "P_float",
    "P_int",
    "P_ndarray",
    "P_str",
    "P_tensor",
    "P_tree",
    "Tensor",
    "Tree",
    "TreeDef",
    "Value",
]

# What the files of this package take from here, as tools that check types at run time (beartype,
# jaxtyping) go by the letter of numpy's own `ArrayLike`, in which a float is none, and have no
# `Self` in a function alone.
_OURS = ("ArrayLike", "Self")


class DRCError(ValueError):
    """A network breaks a design rule of the hardware that it is to be mapped to."""


class DRCWarning(Warning, DRCError):
    """A network bends a design rule of the hardware that it is to be mapped to."""


def __getattr__(name: str) -> object:
    if name in _OURS:  # without numpy too
        from typing import Any

        return Any
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals().update(_aliases())
    return globals()[name]


def __dir__() -> list[str]:
    return list(__all__)


def _aliases() -> dict[str, object]:
    """Return the run-time form of every alias."""
    from collections.abc import Callable, Iterable, Mapping, MutableMapping
    from typing import Any, Union

    import numpy as np

    from rockpool.parameters import ParameterBase

    tree = Union[Iterable, MutableMapping, Mapping]  # noqa: UP007
    aliases: dict[str, object] = dict.fromkeys(
        ("Tensor", "Leaf", "Value", "Node", "JaxTreeDef", "JaxRNGKey"), Any
    )
    aliases |= {
        "P_int": int | ParameterBase,
        "P_str": str | ParameterBase,
        "P_float": float | ParameterBase,
        "P_bool": bool | ParameterBase,
        "P_Callable": Callable | ParameterBase,  # type: ignore[operator]
        "P_ndarray": np.ndarray | ParameterBase,
        "P_tensor": Union[Any, ParameterBase],  # noqa: UP007
        "Tree": tree,
        "P_tree": Union[tree, ParameterBase],  # noqa: UP007
        "TreeDef": dict,
        "FloatVector": Union[float, np.ndarray, Any],  # noqa: UP007
        "IntVector": Union[int, np.ndarray, Any],  # noqa: UP007
    }
    return aliases
