"""Torch networks that evolve with changed parameters or outputs, and are trained through that.

`make_param_T_network` wraps the layers of a network such that they evolve with, for instance,
quantised weights, while an optimiser trains the weights as they are. The functions below quantise;
gradients pass through them as if they were not there.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

import rockpool.graph
from rockpool.nn.modules.torch.torch_module import TorchModule
from rockpool.parameters import Shape

__all__ = [
    "ActWrapper",
    "TWrapper",
    "apply_T",
    "deterministic_rounding",
    "dropout",
    "floor_passthrough",
    "int_quant",
    "make_act_T_config",
    "make_act_T_network",
    "make_backward_passthrough",
    "make_param_T_config",
    "make_param_T_network",
    "remove_T_net",
    "round_passthrough",
    "stochastic_channel_rounding",
    "stochastic_rounding",
    "t_decay",
]

Transform = Callable[[Tensor], Tensor]
Tree = dict[str, Any]
Range = Any  # two numbers, the lower one first

# --- functions of one tensor ----------------------------------------------------------------------


class _PassThrough(torch.autograd.Function):
    """What a function gives for a tensor, with the gradient of the identity."""

    generate_vmap_rule = True

    @staticmethod
    def forward(value: Tensor, function: Transform) -> Tensor:
        return function(value)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        """Keep nothing: the gradient needs none of it."""

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:  # type: ignore[override]
        return grad, None


def make_backward_passthrough(function: Transform) -> Transform:
    """Return a function with the values of another one and the gradient of the identity.

    Y. Bengio, N. Léonard, A. Courville, Estimating or propagating gradients through stochastic
    neurons for conditional computation, arXiv:1308.3432 (2013).
    """

    def passing(value: Tensor) -> Tensor:
        return _PassThrough.apply(value, function)  # type: ignore[no-any-return]

    return passing


def floor_passthrough(value: Tensor) -> Tensor:
    """Return the largest whole numbers that are not above; the gradient is that of the identity."""
    return _PassThrough.apply(value, torch.floor)  # type: ignore[no-any-return]


def round_passthrough(value: Tensor) -> Tensor:
    """Return the nearest whole numbers; the gradient is that of the identity."""
    return _PassThrough.apply(value, torch.round)  # type: ignore[no-any-return]


def int_quant(
    value: Tensor,
    maintain_zero: bool = True,
    map_to_max: bool = False,
    n_bits: int = 8,
    max_n_bits: int = 8,
) -> Tensor:
    """Return whole numbers in proportion to values: the largest is ``2**(n_bits - 1) - 1``.

    Parameters
    ----------
    value : Tensor
        The values, of any shape.
    maintain_zero : bool
        Whether 0 stays 0; else half of the range is subtracted first. Default: True.
    map_to_max : bool
        Whether the numbers are scaled up to those of `max_n_bits`. Default: False.
    n_bits, max_n_bits : int
        Number of bits of the numbers, and the largest that there is room for. Default: 8.

    Returns
    -------
    Tensor
        Whole numbers as floats, of the shape of `value`; zeros for zeros.
    """
    for name, bits in (("n_bits", n_bits), ("max_n_bits", max_n_bits)):
        if bits < 2:
            raise ValueError(f"int_quant: {name} must be >= 2, got {bits}")
    if not maintain_zero:
        value = value - (value.max() - value.min()) / 2
    levels = 2 ** (n_bits - 1) - 1
    largest = value.abs().max()
    scale = torch.where(largest > 0, levels / torch.where(largest > 0, largest, 1.0), 1.0)
    if map_to_max:
        scale = scale * ((2 ** (max_n_bits - 1) - 1) / levels)
    return round_passthrough(scale * value)


def deterministic_rounding(
    value: Tensor,
    input_range: Range | None = None,
    output_range: Range | None = None,
    num_levels: int = 256,
    maintain_zero: bool = True,
) -> Tensor:
    """Return values rounded to the nearest of evenly spaced levels.

    Parameters
    ----------
    value : Tensor
        The values, of any shape.
    input_range : (float, float), optional
        Where the lowest and the highest level are. Values beyond are rounded all the same. Default:
        plus and minus the largest magnitude, or from the least to the greatest value if
        `maintain_zero` is not set.
    output_range : (float, float), optional
        To which values these two levels are mapped, and those between in proportion. Default:
        `input_range`.
    num_levels : int
        Number of levels, >= 2. 0 is among them for an odd number and a symmetric range. Default:
        256.
    maintain_zero : bool
        Whether the default input range is symmetric about 0. Default: True.

    Returns
    -------
    Tensor
        Of the shape of `value`. Zeros, or values that are all alike, have no range: they stay as
        they are, and without `maintain_zero` are mapped to the start of the output range.
    """
    return _on_levels(
        "deterministic_rounding",
        round_passthrough,
        value,
        input_range,
        output_range,
        num_levels,
        maintain_zero,
    )


def stochastic_rounding(
    value: Tensor,
    input_range: Range | None = None,
    output_range: Range | None = None,
    num_levels: int = 256,
    maintain_zero: bool = True,
) -> Tensor:
    """Return values rounded by chance to one of the two next levels, which keeps the mean.

    The nearer level is the more probable. Parameters and result are those of
    `deterministic_rounding`.
    """
    return _on_levels(
        "stochastic_rounding",
        _rounded_by_chance,
        value,
        input_range,
        output_range,
        num_levels,
        maintain_zero,
    )


def stochastic_channel_rounding(
    value: Tensor, output_range: Range, num_levels: int = 256, maintain_zero: bool = True
) -> Tensor:
    """Return weights rounded by chance, each column within a range of its own.

    Parameters
    ----------
    value : Tensor
        Weights (from, to). They are not changed.
    output_range : (float, float)
        To which values the lowest and the highest level of each column are mapped.
    num_levels, maintain_zero
        As for `deterministic_rounding`.
    """
    if value.dim() != 2:
        raise ValueError(
            f"stochastic_channel_rounding: value must have the shape (from, to), got "
            f"{tuple(value.shape)}"
        )
    columns = [
        stochastic_rounding(column, None, output_range, num_levels, maintain_zero)
        for column in value.unbind(1)
    ]
    return torch.stack(columns, 1)


def _rounded_by_chance(value: Tensor) -> Tensor:
    def by_chance(value: Tensor) -> Tensor:
        whole = torch.floor(value)
        return whole + (value - whole > torch.rand_like(value))

    return _PassThrough.apply(value, by_chance)  # type: ignore[no-any-return]


def _on_levels(
    owner: str,
    rounded: Transform,
    value: Tensor,
    input_range: Range | None,
    output_range: Range | None,
    num_levels: int,
    maintain_zero: bool,
) -> Tensor:
    if num_levels < 2:
        raise ValueError(f"{owner}: num_levels must be >= 2, got {num_levels}")
    if input_range is not None:
        dtype, device = value.dtype, value.device
        low, high = (torch.as_tensor(n, dtype=dtype, device=device) for n in input_range)
    elif maintain_zero:
        high = value.abs().max().detach()
        low = -high
    else:
        low, high = value.min().detach(), value.max().detach()
    out_low, out_high = (low, high) if output_range is None else output_range
    # values that are all alike have no range; a question for it would end a graph of torch
    alike = high == low
    span = torch.where(alike, torch.ones_like(high), high - low)
    steps = num_levels - 1
    level = rounded((value - low) / (span / steps))
    found = level * ((out_high - out_low) / steps) + out_low
    as_it_is = value * 1.0 if maintain_zero else value - value.detach() + out_low
    return torch.where(alike, as_it_is, found)


def dropout(param: Tensor, dropout_prob: float | int = 0.5) -> Tensor:
    """Return values of which each is put to zero with a probability; the others stay the same."""
    if not 0 <= dropout_prob <= 1:
        raise ValueError(f"dropout: dropout_prob must be within [0, 1], got {dropout_prob}")
    return param * (torch.rand_like(param) > dropout_prob)


def t_decay(decay: Tensor, dt: float | int = 1e-3) -> Tensor:
    """Return the decay factors nearest to others that a bit-shift makes, ``1 - 2**-k``.

    k is a whole number, >= 0, or infinite: 1 and what is above give 1, 0 and what is below 0. It
    does not depend on the time step `dt`.
    """

    def by_bitshift(decay: Tensor) -> Tensor:
        log = torch.log(decay.clamp(0.0, 1.0)).abs()
        shift = torch.round(torch.log2(1.0 / log)).clamp(min=0.0)
        return 1.0 - torch.exp2(-shift)

    return _PassThrough.apply(decay, by_bitshift)  # type: ignore[no-any-return]


# --- modules around others ------------------------------------------------------------------------


class _Wrapper(TorchModule):
    """A module around another one, which is its ``_mod``: with its shape and its spiking flags."""

    _mod: TorchModule

    def __init__(self, mod: TorchModule, *args: Any, **kwargs: Any) -> None:
        if not isinstance(mod, TorchModule):
            raise TypeError(f"{type(self).__name__}: mod must be a TorchModule, got {mod!r}")
        super().__init__(
            *args,
            shape=mod.shape,
            spiking_input=mod.spiking_input,
            spiking_output=mod.spiking_output,
            **kwargs,
        )
        self._mod = mod

    @property
    def _shape_in(self) -> Shape:
        return self._mod._shape_in

    @property
    def _shape_out(self) -> Shape:
        return self._mod._shape_out

    def _inside(self, data: Any) -> Any:
        output, _, self._record_dict = self._mod.evolve(data, record=self._record)
        return output

    def as_graph(self) -> rockpool.graph.GraphModuleBase:
        """Return the graph of the module inside, with the values that are stored there."""
        return self._mod.as_graph()


class TWrapper(_Wrapper):
    """A module around another one that evolves with changed parameters.

    Parameters
    ----------
    mod : TorchModule
        The module. Its parameters are trained as they are stored.
    T_config : dict, optional
        By name of a parameter, the function that gives the tensor to evolve with. Default: none.

    Raises
    ------
    TypeError
        `mod` is no torch module.
    ValueError
        There is a function for something that is no parameter of it.
    """

    def __init__(
        self, mod: TorchModule, T_config: Tree | None = None, *args: Any, **kwargs: Any
    ) -> None:
        super().__init__(mod, *args, **kwargs)
        unknown = [name for name in T_config or {} if name not in mod._parameters]
        if unknown:
            raise ValueError(
                f"TWrapper: T_config has {unknown[0]!r}, which is no parameter of "
                f"{mod.class_name}; it has {', '.join(mod._parameters) or 'none'}"
            )
        self.T_config: Tree = dict(T_config or {})

    def _transformed(self) -> dict[str, Tensor]:
        present = self._mod._parameters
        return {str(name): function(present[name]) for name, function in self.T_config.items()}

    def forward(self, data: Any) -> Any:
        """Return the output of the module, evolved with the changed parameters."""
        with _replaced(self._mod, self._transformed()):
            return self._inside(data)

    def apply_T(self) -> None:
        """Store the changed parameters in the module; they are not changed again from now on."""
        with torch.no_grad():
            for name, value in self._transformed().items():
                setattr(self._mod, name, value)
        self.T_config = {}


@contextmanager
def _replaced(module: TorchModule, values: dict[str, Tensor]) -> Iterator[None]:
    """Let tensors stand in the place of parameters, as long as the context lasts."""
    stored: Any = module._parameters
    before = {name: stored[name] for name in values}
    stored.update(values)
    try:
        yield
    finally:
        stored.update(before)


class ActWrapper(_Wrapper):
    """A module around another one whose output is changed.

    Parameters
    ----------
    mod : TorchModule
        The module.
    trans_Fn : callable, optional
        The function of the output. Default: the output stays as it is.
    """

    def __init__(
        self,
        mod: TorchModule,
        trans_Fn: Transform | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(mod, *args, **kwargs)
        self.trans_Fn = trans_Fn

    def forward(self, data: Any) -> Any:
        """Return the changed output of the module."""
        output = self._inside(data)
        return output if self.trans_Fn is None else self.trans_Fn(output)


# --- whole networks -------------------------------------------------------------------------------


def make_param_T_config(net: TorchModule, T_fn: Transform, param_family: Any = None) -> Tree:
    """Return a tree as ``net.parameters(param_family)``, with a function in each place.

    Examples
    --------
    >>> from rockpool.nn.modules import LIFTorch
    >>> make_param_T_config(LIFTorch(2), round_passthrough, "taus").keys()
    dict_keys(['tau_mem', 'tau_syn'])
    """

    def filled(tree: Any) -> Any:
        if isinstance(tree, dict):
            return {str(name): filled(value) for name, value in tree.items()}
        return T_fn

    tree: Tree = filled(_tree_of(net, param_family))
    return tree


def _tree_of(net: TorchModule, family: Any) -> Any:
    # in torch mode as well, where `parameters` is an iterator
    return net._collect("Parameter", family)


def make_param_T_network(net: TorchModule, T_config_tree: Tree, inplace: bool = False) -> Any:
    """Return a network that evolves with changed parameters, and is trained with its own.

    Each layer, a module without modules inside, becomes a `TWrapper`, if its name is in the tree.
    Parameters that a container holds itself, such as the weights of a stack, are not changed.

    Parameters
    ----------
    net : TorchModule
        The network.
    T_config_tree : dict
        Functions, in a tree as `make_param_T_config` makes one. Trees for several families are
        merged by ``tree_update`` of `rockpool.utilities.tree_utils`.
    inplace : bool
        Whether the network itself is changed. Default: False, a copy of it. A network that is a
        layer is never changed itself.

    Returns
    -------
    TorchModule
        The network.
    """
    net = net if inplace else copy.deepcopy(net)
    if not net._registered_modules:
        return TWrapper(net, T_config_tree)
    _require_known("make_param_T_network", net, T_config_tree, _tree_of(net, None))
    for name, module in net._registered_modules.items():
        if name not in T_config_tree:
            continue
        if module._registered_modules:
            make_param_T_network(module, T_config_tree[name], inplace=True)
        else:
            setattr(net, name, TWrapper(module, T_config_tree[name]))
    return net


def _require_known(owner: str, net: TorchModule, tree: Tree, others: Iterable[str]) -> None:
    """Require that the names in a tree are those of modules, or others that there are."""
    known = [*net._registered_modules, *others]
    for name in tree:
        if name not in known:
            listed = ", ".join(map(repr, net._registered_modules))
            raise ValueError(f"{owner}: there is no module {name!r}, there are {listed}")


def apply_T(T_net: TorchModule, inplace: bool = False) -> Any:
    """Return a network of `make_param_T_network` in which the changed parameters are stored."""
    net = T_net if inplace else copy.deepcopy(T_net)
    for module in torch.nn.Module.modules(net):
        if isinstance(module, TWrapper):
            module.apply_T()
    return net


def remove_T_net(T_net: TorchModule, inplace: bool = False) -> Any:
    """Return a network without the wrappers that were put around its layers."""
    net = T_net if inplace else copy.deepcopy(T_net)
    while isinstance(net, _Wrapper):
        net = net._mod
    for name, module in net._registered_modules.items():
        bare = remove_T_net(module, inplace=True)
        if bare is not module:
            setattr(net, name, bare)
    return net


def make_act_T_config(
    net: TorchModule, T_fn: Transform | None = None, ModuleClass: Any = None
) -> Tree:
    """Return a tree of the modules of a network, with a function for the output of each.

    Parameters
    ----------
    net : TorchModule
        The network.
    T_fn : callable, optional
        The function. Default: None, to be entered into the tree.
    ModuleClass : class or tuple of classes, optional
        Of which modules it is the output; others have None. Default: all.

    Returns
    -------
    dict
        For each module a dict, with its function under the key ``""`` and one for each module
        inside it.
    """
    chosen = ModuleClass is None or isinstance(net, ModuleClass)
    inner = {
        name: make_act_T_config(module, T_fn, ModuleClass)
        for name, module in net._registered_modules.items()
    }
    return {**inner, "": T_fn if chosen else None}


def make_act_T_network(net: TorchModule, act_T_config: Tree, inplace: bool = False) -> Any:
    """Return a network in which the outputs of layers are changed.

    Each layer that has a function in the tree, which `make_act_T_config` makes, becomes an
    `ActWrapper`. `inplace` is as for `make_param_T_network`.
    """
    net = net if inplace else copy.deepcopy(net)
    if not net._registered_modules:
        function = act_T_config.get("")
        return net if function is None else ActWrapper(net, function)
    _require_known("make_act_T_network", net, act_T_config, [""])
    for name, module in net._registered_modules.items():
        if name in act_T_config:
            wrapped = make_act_T_network(module, act_T_config[name], inplace=True)
            if wrapped is not module:
                setattr(net, name, wrapped)
    return net
