"""What a module holds as trees: collections of parameters and states, and their change.

A tree is a nested dict: values by name of the attribute, and such dicts by name of a submodule.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from rockpool.nn.modules._registry import AttributeRegistry, family_keys

if TYPE_CHECKING:
    from typing import Self

Family: TypeAlias = str | list[str] | tuple[str, ...] | None


class AttributeTree(AttributeRegistry):
    """A registry that gives and takes its contents, and those of its submodules, as trees."""

    def parameters(self, family: Family = None) -> dict[str, Any]:
        """Return the trainable values, by name.

        Parameters
        ----------
        family : str, or list or tuple of str, optional
            Only parameters of these families. Default: all.

        Returns
        -------
        dict
            The values of this module in the order of their registration, then one such dict for
            each submodule, under its name. With ``family``, submodules that have none are left out.
        """
        return self._collect("Parameter", family)

    def state(self, family: Family = None) -> dict[str, Any]:
        """Return the states, by name; as :meth:`parameters`."""
        return self._collect("State", family)

    def simulation_parameters(self, family: Family = None) -> dict[str, Any]:
        """Return the values that are not trained, by name; as :meth:`parameters`."""
        return self._collect("SimulationParameter", family)

    def _collect(self, kind: str, family: Family) -> dict[str, Any]:
        """Return the attributes of one kind, as a nested dict."""
        wanted = family_keys(family)
        tree: dict[str, Any] = {
            name: self._load_attribute(name)
            for name, entry in self._registered_attributes.items()
            if entry.kind == kind and entry.belongs_to(wanted)
        }
        for name, module in self._registered_modules.items():
            branch = module._collect(kind, family)
            if branch or wanted is None:
                tree[name] = branch
        return self._make_tree(tree)

    def attributes_named(self, name: str | Sequence[str]) -> dict[str, Any]:
        """Return the parameters, states and simulation parameters that have one of some names.

        Parameters
        ----------
        name : str, or list or tuple of str
            The names to look for, in this module and in all modules inside it.

        Returns
        -------
        dict
            The values, as :meth:`parameters` nests them; modules that have none are left out.
        """
        names = (name,) if isinstance(name, str) else tuple(name)
        tree: dict[str, Any] = {
            own: self._load_attribute(own) for own in self._registered_attributes if own in names
        }
        for child, module in self._registered_modules.items():
            branch = module.attributes_named(names)
            if branch:
                tree[child] = branch
        return self._make_tree(tree)

    def modules(self) -> Any:
        """Return the direct submodules by name, as an ``OrderedDict``."""
        return OrderedDict(self._registered_modules)

    def _make_tree(self, tree: dict[str, Any]) -> dict[str, Any]:
        """Return a collection of attributes in the class that the back-end uses for it."""
        return tree

    # -- change -----------------------------------------------------------------------------

    def set_attributes(self, new_attributes: dict[str, Any]) -> Self:
        """Set parameters, states and simulation parameters from a nested dict.

        Parameters
        ----------
        new_attributes : dict
            Values by name, and dicts of them by name of a submodule, such as :meth:`parameters`
            or a call of the module gives. Names that the module does not know are ignored.

        Returns
        -------
        Module
            The changed module: this one, or a copy for a functional back-end.

        Raises
        ------
        ValueError
            If a value has a wrong shape. Nothing has been changed then.
        """
        self._check_attributes(new_attributes)
        target = self._update_target()
        for name in list(target._registered_attributes):
            if name in new_attributes:
                setattr(target, name, new_attributes[name])
        for name, module in list(target._registered_modules.items()):
            if name in new_attributes:
                target._replace_module(name, module.set_attributes(new_attributes[name]))
        return target

    def _check_attributes(self, new_attributes: dict[str, Any]) -> None:
        """Raise a ValueError if a value in a nested dict has a wrong shape."""
        if not isinstance(new_attributes, Mapping):
            raise TypeError(
                f"{self._label}: attributes must be a dict of values by name, "
                f"got {new_attributes!r}"
            )
        if not self._force_set_attributes:
            for name in self._registered_attributes:
                if name in new_attributes:
                    self._check_attribute(name, new_attributes[name])
        for name, module in self._registered_modules.items():
            if name in new_attributes:
                module._check_attributes(new_attributes[name])

    def _force_attributes(self, new_attributes: dict[str, Any]) -> None:
        """Set attributes in place without checks; their new shapes become the registered ones."""
        forced_before = self._force_set_attributes
        self.__dict__["_force_set_attributes"] = True
        try:
            for name in list(self._registered_attributes):
                if name in new_attributes:
                    setattr(self, name, new_attributes[name])
        finally:
            self.__dict__["_force_set_attributes"] = forced_before
        for name, module in self._registered_modules.items():
            if name in new_attributes:
                module._force_attributes(new_attributes[name])

    def reset_state(self) -> Self:
        """Set all states, also those of submodules, to their initial values.

        Returns
        -------
        Module
            The changed module: this one, or a copy for a functional back-end.
        """
        target = self._reset_kind("State")
        for name, module in list(target._registered_modules.items()):
            target._replace_module(name, module.reset_state())
        return target

    def reset_parameters(self) -> Self:
        """Set all parameters, also those of submodules, to new initial values.

        Values that were given come back as they were; others are made anew. Simulation
        parameters are left alone.

        Returns
        -------
        Module
            The changed module: this one, or a copy for a functional back-end.
        """
        target = self._reset_kind("Parameter")
        for name, module in list(target._registered_modules.items()):
            target._replace_module(name, module.reset_parameters())
        return target

    def _reset_kind(self, kind: str) -> Self:
        target = self._update_target()
        for name, entry in list(target._registered_attributes.items()):
            if entry.kind == kind and entry.init_func is not None:
                target._reset_attribute(name)
        return target

    def _reset_attribute(self, name: str) -> None:
        """Set one registered attribute, in place, to what its ``init_func`` gives."""
        if name not in self._registered_attributes:
            raise KeyError(f"{self._label}: {name!r} is not a registered attribute")
        setattr(self, name, self._attribute_reset_value(name))

    def _attribute_reset_value(self, name: str) -> Any:
        """Return the value that a registered attribute has after a reset."""
        entry = self._registered_attributes[name]
        return (
            self._load_attribute(name) if entry.init_func is None else entry.init_func(entry.shape)
        )

    def _update_target(self) -> Self:
        """Return the module that a change is made to: this one."""
        return self

    def _replace_module(self, name: str, module: AttributeTree) -> None:
        """Put a changed copy in the place of a submodule; nothing to do if it changed in place."""
        if module is not self._registered_modules[name]:
            setattr(self, name, module)

    def _shallow_copy(self) -> Self:
        """Return a module with the same values and submodules, and a registry of its own."""
        copied = object.__new__(type(self))
        copied.__dict__.update(self.__dict__)
        copied.__dict__["_registered_modules"] = dict(self._registered_modules)
        copied.__dict__["_registered_attributes"] = {
            name: entry.copy() for name, entry in self._registered_attributes.items()
        }
        return copied
