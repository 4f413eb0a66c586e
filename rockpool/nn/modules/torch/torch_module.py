"""The base class of all torch modules, `TorchModule`.

A `TorchModule` is a module of this package and a ``torch.nn.Module`` at once. It stands on three
parts of itself, from the bottom up: `_base.registry` keeps parameters, states and submodules,
`_base.batches` gets batches of input and keeps final states, `_base.evolution` has the call.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from os import PathLike
from typing import Any, ClassVar, TypedDict

import torch
from torch import nn

from rockpool.nn.description import Value
from rockpool.nn.models.model import ParameterSpec
from rockpool.nn.modules._limits import described, note_given
from rockpool.nn.modules._registry import Family, RegisteredAttribute
from rockpool.nn.modules._telling import Told
from rockpool.nn.modules.module import ModuleArguments
from rockpool.nn.modules.torch._base import json_io
from rockpool.nn.modules.torch._base.checks import require_not_given
from rockpool.nn.modules.torch._base.evolution import TorchEvolution
from rockpool.nn.modules.torch._base.from_torch import convert
from rockpool.nn.modules.torch._base.parameter_tree import TorchModuleParameters
from rockpool.nn.modules.torch._base.recomputation import in_use
from rockpool.nn.modules.torch._base.registry import to_float_tensor
from rockpool.nn.modules.torch._kernels.operators import function_name
from rockpool.parameters import Shape, to_numpy
from rockpool.typehints import Self
from rockpool.utilities._atomic import check_path, replacing

__all__ = ["TorchModule", "TorchModuleParameters", "to_float_tensor"]


class TorchArguments(TypedDict, total=False):
    """What the constructor of a torch module hands on, for type checkers."""

    retain_torch_api: bool


class TorchModuleArguments(TorchArguments, ModuleArguments):
    """The same, for a module that leaves it open whether its input and output are spikes."""


class TorchModule(TorchEvolution):
    """A module that is a ``torch.nn.Module`` as well.

    A subclass assigns parameters, states and modules in its constructor and has ``forward(data)``,
    which returns the output tensor alone, puts records in ``self._record_dict`` if ``self._record``
    is set, and states back by `_keep_state`; or it overrides `evolve`. Unless a class says
    otherwise, its input is a tensor (B, T, Nin), (T, Nin) or (T,), for B batch elements and T time
    steps, and its output one (B, T, Nout). Then:

    * In *Rockpool mode*, the default, calling the module gives ``(output, state, record)``, and
      ``parameters()`` is a nested dict: ``parameters().astorch()`` are its tensors.
    * In *torch mode*, after `to_torch`, calling the module gives the output alone, and
      ``parameters()``, ``modules()`` and ``repr`` are those of torch.

    In both modes ``state_dict``, ``to``, ``train``, hooks, ``named_parameters`` and all else that
    torch does with a module works.

    What is assigned to an attribute is registered: a ``Parameter`` becomes a float32
    ``nn.Parameter``, a ``State`` (a tensor) a persistent buffer, a ``SimulationParameter`` that
    holds a tensor a buffer outside the ``state_dict``; an ``nn.Parameter`` or a buffer of torch is
    entered into the tree, and an ``nn.Module`` is turned into a `TorchModule` in place.

    What is assigned to a parameter that is there, also by `set_attributes` and resets,

    * is written into it, if it is a number, an array or a tensor without a graph: the
      ``nn.Parameter`` is the one that an optimiser has,
    * takes its place, if it is an ``nn.Parameter``; `set_attributes`, which takes trees of values
      such as ``parameters()``, writes it into the one that is there,
    * takes its place, if it is a tensor with a graph, which gradients then pass through:
      ``layer.threshold = 2 * z`` gives ``z`` its gradient. It stands among ``parameters()``, though
      no optimiser takes it. The next value that is assigned, reset or loaded is written into the
      parameter that was there before. (To scale a parameter, assign ``2 * layer.weight.detach()``.)

    Parametrizations, pruning and norms of ``torch.nn.utils`` work on every parameter.

    Parameters
    ----------
    retain_torch_api : bool
        Whether to start in torch mode. Default: False.
    shape, spiking_input, spiking_output
        As for `Module`; by keyword.
    """

    # settings that a module has for good: values saved with others belong to another kind of module
    _structure: ClassVar[frozenset[str]] = frozenset()

    _as_parameter = staticmethod(to_float_tensor)
    _zeros = staticmethod(torch.zeros)

    _has_torch_api: bool  # parameters() and modules() are torch's
    _torch_repr: bool
    _function_name: str = ""  # of its spike or activation function, where a graph can have that
    _told: Told  # of values out of range

    def __init__(self, retain_torch_api: bool = False, *args: Any, **kwargs: Any) -> None:
        if not isinstance(retain_torch_api, bool):
            raise TypeError(
                f"{type(self).__name__}: retain_torch_api must be a bool, got {retain_torch_api!r}"
            )
        self._setup_modes(retain_torch_api)
        super().__init__(*args, **kwargs)

    def _store_attribute(self, name: str, value: Any, entry: RegisteredAttribute) -> None:
        super()._store_attribute(name, value, entry)
        if callable(value):
            self.__dict__["_function_name"] = function_name(value)

    def _declare(self, arguments: Mapping[str, Any], base_init: Callable[..., None]) -> None:
        # what is first among the arguments of a base class is `retain_torch_api`
        named = ModuleArguments.__annotations__
        flags = {name: arguments[name] for name in named if name in arguments}
        others = {name: value for name, value in arguments.items() if name not in flags}
        require_not_given(type(self).__name__, flags, arguments.get("kwargs", {}))

        def init(shape: Shape, *args: Any, **kwargs: Any) -> None:
            base_init(*args, shape=shape, **flags, **kwargs)

        super()._declare(others, init)
        note_given(self, arguments)

    def _put_attribute(self, name: str, value: Any) -> None:
        super()._put_attribute(name, value)
        note_given(self, {name: value})

    def _said_parameter(self, spec: ParameterSpec) -> Value | None:
        computed = spec.name in self._taken_out and spec.name in self.__dict__
        said = self._pruned(spec.name) if computed else super()._said_parameter(spec)
        return described(self, said, spec.name)

    def _pruned(self, name: str) -> Value:
        """Return the value of a parameter that ``torch.nn.utils.prune`` has put a mask on."""
        values, mask = self._parameters.get(f"{name}_orig"), self._buffers.get(f"{name}_mask")
        if values is None or mask is None:
            raise self._is_computed(name)
        return Value(to_numpy(values * mask), self._taken_out[name].family)

    def _is_computed(self, name: str) -> TypeError:
        return TypeError(
            f"{self._label}: {name} is no parameter any longer but computed from others, so that "
            "the layer can be neither converted nor stored; make it one again, as prune.remove, "
            "remove_weight_norm and parametrize.remove_parametrizations of torch.nn.utils do"
        )

    def _setup_modes(self, torch_api: bool) -> None:
        self.__dict__.update(
            _has_torch_api=torch_api,
            _torch_call=torch_api,
            _torch_repr=False,
            _record=False,
            _record_dict={},
            _passed_state={},
            _told=Told(),
        )

    # -- what means one thing to torch and another to Rockpool --------------------------------

    def parameters(self, *args: Any, **kwargs: Any) -> Any:
        """Return the parameters: a nested dict by name; in torch mode, an iterator.

        Parameters
        ----------
        family : str, or list or tuple of str, optional
            In Rockpool mode: only parameters of these families.
        recurse : bool, optional
            In torch mode: whether to include those of submodules. Default: True.

        Returns
        -------
        TorchModuleParameters or iterator of nn.Parameter
            The module's own values, not copies.
        """
        if self._has_torch_api or "recurse" in kwargs:
            return nn.Module.parameters(self, *args, **kwargs)
        return super().parameters(*args, **kwargs)

    def state(self, family: Family = None) -> Any:
        """Return the states, by name; as `Module.state`."""
        for module in nn.Module.modules(self):
            in_use(module)
        return super().state(family)

    def modules(self, *args: Any, **kwargs: Any) -> Any:
        """Return the direct submodules by name; in torch mode, iterate over all modules inside."""
        if self._has_torch_api:
            return nn.Module.modules(self, *args, **kwargs)
        return super().modules()

    def __repr__(self, indent: str = "") -> str:
        return nn.Module.__repr__(self) if self._torch_repr else super().__repr__(indent)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Reset the gradients of all parameters: to None, or else to zeros."""
        for parameter in nn.Module.parameters(self):
            if not parameter.is_leaf or parameter.grad is None:
                continue
            if set_to_none:
                parameter.grad = None
            else:
                parameter.grad = torch.zeros_like(parameter.grad)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Set whether all parameters are trained, and return the module."""
        for parameter in nn.Module.parameters(self):
            if parameter.is_leaf:  # else it stands in a parameter's place, with its own graph
                parameter.requires_grad_(requires_grad)
        return self

    def to_torch(self, use_torch_call: bool = True) -> Self:
        """Switch to torch mode: this module itself, and all modules inside.

        There is no copy and no way back: whoever holds the module gets its output alone from now
        on. ``copy.deepcopy(module).to_torch()`` is a module in torch mode beside this one.

        Parameters
        ----------
        use_torch_call : bool
            Whether a call gives the output alone. Default: True. Submodules go on returning
            ``(output, state, record)``, as the modules around them expect.

        Returns
        -------
        TorchModule
            This module, changed.
        """
        self.__dict__.update(_has_torch_api=True, _torch_repr=True, _torch_call=use_torch_call)
        for module in self._registered_modules.values():
            if not module._has_torch_api:  # type: ignore[attr-defined]
                module.to_torch(use_torch_call=False)  # type: ignore[attr-defined]
        return self

    @classmethod
    def from_torch(cls, obj: nn.Module, retain_torch_api: bool = False) -> None:
        """Turn a module of torch into a `TorchModule`, in place, with all modules inside it.

        Parameters
        ----------
        obj : nn.Module
            The module. It stays an instance of its class, gains the shape ``(None,)``, and has its
            parameters and persistent buffers as parameters and states. `reset_state` does not touch
            those: a running mean is no state of neurons. If the class of the module has a method
            ``reset_state``, or ``reset_states``, without arguments, that is called.
        retain_torch_api : bool
            Whether it goes on as before when called, instead of returning ``(output, state,
            record)``. Default: False. Modules inside it always do.

        Raises
        ------
        TypeError
            `obj` is not a module of torch.
        ValueError
            Its parameters are not known before the first call (a lazy module).
        """
        convert(obj, TorchModule, retain_torch_api)

    def _adopt(self, module: nn.Module) -> None:
        convert(module, TorchModule, retain_torch_api=True)

    # -- saving -----------------------------------------------------------------------------

    param_to_json = staticmethod(json_io.param_to_json)
    merge = staticmethod(json_io.merge)

    def to_json(self) -> dict[str, Any]:
        """Return parameters and simulation parameters as a nested dict of JSON texts.

        Functions are given as None. States are left out.
        """
        return json_io.tree_to_json(self)

    def json_to_param(self, json_params: dict[str, Any]) -> None:
        """Set parameters and simulation parameters from what `to_json` gave.

        Tensors are written into those that the module has, so that an optimiser goes on with them.

        Raises
        ------
        ValueError
            A name that the module does not know, or a parameter that is missing; another shape or
            kind of value, or one that the constructor refuses; another structure of the module.
            Nothing has been changed then.
        """
        json_io.set_from_json(self, json_params)

    def save(self, filename: str | PathLike[str]) -> None:
        """Write parameters and simulation parameters to a JSON file; see `load`.

        Where that fails, a file that was there is as before.
        """
        path = check_path(self._label, filename)
        text = json.dumps(self.to_json())
        with replacing(path, encoding="utf-8") as file:
            file.write(text)

    def load(self, filename: str | PathLike[str]) -> None:
        """Read parameters and simulation parameters from a JSON file that `save` wrote.

        Raises
        ------
        ValueError
            The file does not fit this module; see `json_to_param`. Nothing has been changed then.
        """
        with open(check_path(self._label, filename), encoding="utf-8") as file:
            try:
                text = file.read()
            except ValueError as error:  # no text at all
                raise ValueError(
                    f"{self._label}: {filename} is not a JSON file: {error}"
                ) from error
        self.json_to_param(json_io.parsed(self._label, str(filename), text, "file"))
