"""Modules that evolve another one with changed parameters: `ParameterTransformerMixin`."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from rockpool.nn.modules.module import ModuleBase
from rockpool.parameters import Shape, SimulationParameter
from rockpool.utilities.tree_utils import Branch, branches, get_nested, set_nested, tree_update

__all__ = ["JaxParameterTransformerMixin", "ParameterTransformerMixin", "deep_update"]

# Families of which a value of zero has no meaning
NOT_ZERO = ("taus", "threshold", "thresholds", "decays", "bitshifts")

Tree = dict[str, Any]

if TYPE_CHECKING:
    from rockpool.transform import JaxParameterTransformerMixin

    _Base = ModuleBase
else:
    _Base = object


def lazy_classes(module: str, *names: str) -> Callable[[str], Any]:
    """Return a ``__getattr__`` by which a file offers classes of the file for jax beside it."""

    def __getattr__(name: str) -> Any:
        if name not in names:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        from rockpool import transform

        return getattr(transform, name)

    return __getattr__


__getattr__ = lazy_classes(__name__, "JaxParameterTransformerMixin")


def deep_update(source: Tree, overrides: Tree) -> Tree:
    """Merge a tree into another one, which is changed and returned."""
    return tree_update(source, overrides, inplace=True)


class ParameterTransformerMixin(_Base):
    """What modules have in common that evolve another one with changed parameters.

    A subclass has ``_transform(param, transform_param)``, which returns a changed parameter. It
    derives from a module class as well, as ``class ModDropout(ParameterTransformerMixin, Module)``.

    Parameters
    ----------
    module : Module
        The module, which becomes the attribute `module`. Its parameters stay as they are.
    families : str or list of str, optional
        Families of parameters to change. Default: None, all parameters.
    transform_params : object or list, optional
        What the change depends on, of all families, or of each. Default: None.

    Raises
    ------
    TypeError
        `module` is no module.
    ValueError
        There is another number of `transform_params` than of families.
    """

    # families that are changed only where they are asked for by name
    _left_alone: ClassVar[tuple[str, ...]] = ()

    module: Any
    families: Any
    transform_params: Any

    def __init__(
        self,
        module: ModuleBase,
        families: Any = None,
        transform_params: Any = None,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        owner = type(self).__name__
        if not isinstance(module, ModuleBase):
            raise TypeError(f"{owner}: module must be a module, got {module!r}")
        families = list(families) if isinstance(families, (list, tuple)) else [families]
        if not isinstance(transform_params, (list, tuple)):
            transform_params = [transform_params] * len(families)
        if len(transform_params) != len(families):
            raise ValueError(
                f"{owner}: there must be one of transform_params for each of the "
                f"{len(families)} families, got {len(transform_params)}"
            )
        if not any(self._chosen(module, family) for family in families):
            left = [family for family in self._left_alone if module.parameters(family)]
            raise ValueError(
                f"{owner}: there are no parameters of {families} in {module.class_name}"
                + (f"; by name, there are {', '.join(left)}" if left and None in families else "")
            )
        super().__init__(  # type: ignore[misc]
            *args,
            shape=module.shape,
            spiking_input=module.spiking_input,
            spiking_output=module.spiking_output,
            **kwargs,
        )
        self.module = module
        self.families = SimulationParameter(tuple(families))
        self.transform_params = SimulationParameter(tuple(transform_params))

    @property
    def _shape_in(self) -> Shape:
        return self.module._shape_in  # type: ignore[no-any-return]

    @property
    def _shape_out(self) -> Shape:
        return self.module._shape_out  # type: ignore[no-any-return]

    @classmethod
    def _chosen(cls, module: Any, family: Any) -> list[Branch]:
        """Return where the parameters of a family are; None: all but those that are left alone."""
        if family is not None:
            return list(branches(module.parameters(family)))
        left = {b for name in cls._left_alone for b in branches(module.parameters(name))}
        return [branch for branch in branches(module.parameters()) if branch not in left]

    def _transform(self, param: Any, transform_param: Any) -> Any:
        """Return a changed parameter."""
        raise NotImplementedError

    def transformed_parameters(self) -> Tree:
        """Return the tree of parameters of the module, with those of the families changed."""
        tree: Tree = self.module.parameters()
        for family, transform_param in zip(self.families, self.transform_params, strict=True):
            for branch in self._chosen(self.module, family):
                value = self._transform(get_nested(tree, branch), transform_param)
                set_nested(tree, branch, value, inplace=True)
        return tree

    def evolve(
        self, input_data: Any, record: bool = False
    ) -> tuple[Any, dict[str, Any], dict[str, Any]]:
        """Evolve the module with changed parameters, which it does not keep.

        Parameters and output are as for `Module.evolve`; state and record are those of the module,
        under the name ``"module"``.
        """
        stored = copy.deepcopy(self.module.parameters())
        try:
            self.module.set_attributes(self.transformed_parameters())
            output, state, records = self.module(input_data, record=record)
        finally:
            self.module.set_attributes(stored)
        return output, {"module": state}, {"module": records}

    def __repr__(self, indent: str = "") -> str:
        return f"{indent}{type(self).__name__}({self.module!r})"


def is_of_jax(owner: str, module: Any) -> bool:
    """Whether a module is one of jax; a TypeError for one of torch, which is neither."""
    names = {base.__name__ for base in type(module).__mro__}
    if "TorchModule" in names:
        raise TypeError(
            f"{owner}: mod must be a module of numpy or jax, got {type(module).__name__}; there is "
            "rockpool.transform.torch_transform for torch"
        )
    return "JaxModule" in names
