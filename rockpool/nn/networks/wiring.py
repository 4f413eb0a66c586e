"""How the layers of WaveSense networks are wired, on every back-end; and the networks of numpy.

`wavesense` has the networks of torch, which make the layers. A conversion gives the converted
layers to `ModWaveSense`, `TorchWaveSense` or `JaxWaveSense`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from rockpool.nn.description import Node
from rockpool.nn.modules.module import Module, ModuleBase
from rockpool.nn.networks.kept import described

__all__ = ["ModWaveSense", "WaveSenseMixin", "block_output", "network_output", "wired_output"]

if TYPE_CHECKING:
    _Base = ModuleBase
else:
    _Base = object

# Evolves the layer of a name
Evolved = Callable[[str, Any], Any]


def block_output(evolved: Evolved, data: Any) -> tuple[Any, Any]:
    """Return the residual and the skip output of a block."""
    inner = evolved("spk1", evolved("lin1", data))
    residual = evolved("spk2_res", evolved("lin2_res", inner))
    skip = evolved("spk2_skip", evolved("lin2_skip", inner))
    return residual + data, skip


def network_output(evolved: Evolved, block_names: list[str], data: Any) -> Any:
    """Return the output of a network of blocks."""
    data = evolved("spk1", evolved("lin1", data))
    skips = None
    for name in block_names:
        data, skip = evolved(name, data)
        skips = skip if skips is None else skips + skip
    hidden = evolved("spk2", evolved("hidden", skips))
    return evolved("spk_out", evolved("readout", hidden))


def wired_output(evolved: Evolved, names: list[str], data: Any) -> Any:
    """Return the output of a network, or both outputs of a block, of which the layers are named."""
    if "spk2_skip" in names:
        return block_output(evolved, data)
    return network_output(evolved, [name for name in names if name.startswith("wave")], data)


class WaveSenseMixin(_Base):
    """A block or a network of converted layers; a module class must stand behind it.

    Parameters
    ----------
    modules : dict of Module
        The layers, and the blocks of a network, by name.
    """

    def __init__(self, modules: Mapping[str, Any], *args: Any, **kwargs: Any) -> None:
        first, last = modules["lin1"], modules.get("spk_out", modules.get("spk2_res"))
        super().__init__(  # type: ignore[misc]
            *args,
            shape=(first.size_in, last.size_out),  # type: ignore[union-attr]
            spiking_input=True,
            spiking_output=True,
            **kwargs,
        )
        for name, module in modules.items():
            setattr(self, name, module)

    def evolve(
        self, input_data: Any, record: bool = False
    ) -> tuple[Any, dict[str, Any], dict[str, Any]]:
        """Evolve the layers; state and record are those of each, by its name."""
        return self._all_or_nothing(self._wired, input_data, record)  # type: ignore[no-any-return]

    def _wired(self, data: Any, record: bool) -> tuple[Any, dict[str, Any], dict[str, Any]]:
        data = self._with_time(data)
        state: dict[str, Any] = {}
        records: dict[str, Any] = {}

        def evolved(name: str, data: Any) -> Any:
            output, state[name], records[name] = getattr(self, name)(data, record=record)
            records[f"{name}_output"] = output[0] if type(output) is tuple else output
            return output

        output = wired_output(evolved, list(self._registered_modules), data)
        records.pop("spk_out_output", None)  # it is the output itself
        return output, state, records

    def _describe(self) -> Node:
        return described(self, "wavesense")

    def _convert(self, modules: dict[str, Any], backend: str) -> Any:
        return wired_on(backend, modules)


class ModWaveSense(WaveSenseMixin, Module):  # type: ignore[misc]
    """A block or a network of numpy and its kin."""


def wired_on(backend: str, modules: dict[str, Any]) -> Any:
    """Return a block or a network of layers that are on a back-end."""
    from rockpool.nn.networks import JaxWaveSense, TorchWaveSense

    if backend == "jax":
        return JaxWaveSense(modules)
    if backend in ("torch", "sinabs", "sinabs-exodus"):
        return TorchWaveSense(modules)
    return ModWaveSense(modules)
