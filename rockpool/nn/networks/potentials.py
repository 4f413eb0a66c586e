"""A row of layers whose output is the membrane potential of the last one, on every back-end.

`SynNet` is such a network with ``output="vmem"``. A conversion of it gives the converted layers to
`ModPotentials`, `TorchPotentials` or `JaxPotentials`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rockpool.nn.description import Node
from rockpool.nn.modules.module import Module, ModuleBase
from rockpool.nn.networks.kept import described

__all__ = ["ModPotentials", "PotentialsMixin", "last_potentials", "potentials_on"]

if TYPE_CHECKING:
    _Base = ModuleBase
else:
    _Base = object


def last_potentials(
    seq: Any, data: Any, record: bool
) -> tuple[Any, dict[str, Any], dict[str, Any]]:
    """Evolve a `Sequential`, and return the potentials of its last layer in place of its output.

    The last layer is recorded in any case.
    """
    names = [name for name, _ in seq._members]
    data = seq._with_time(data)
    new_state: dict[str, Any] = {}
    records: dict[str, Any] = {}
    for name in names:
        recorded = record or name == names[-1]
        data, new_state[name], records[name] = seq._through(name, data, recorded)
        records[f"{name}_output"] = data
    return records[names[-1]]["vmem"], new_state, records


class PotentialsMixin(_Base):
    """A network of converted layers; a module class must stand behind it.

    Parameters
    ----------
    modules : dict of Module
        The layers, a `Sequential` named ``seq``.
    """

    def __init__(self, modules: Mapping[str, Any], *args: Any, **kwargs: Any) -> None:
        seq = modules["seq"]
        super().__init__(  # type: ignore[misc]
            *args,
            shape=(seq.size_in, seq.size_out),  # type: ignore[union-attr]
            spiking_input=seq.spiking_input,
            spiking_output=False,
            **kwargs,
        )
        self.seq = seq

    def evolve(
        self, input_data: Any, record: bool = False
    ) -> tuple[Any, dict[str, Any], dict[str, Any]]:
        """Evolve the layers; state and record are those of each, by its name."""
        return self._all_or_nothing(self._evolved, input_data, record)  # type: ignore[no-any-return]

    def _evolved(self, data: Any, record: bool) -> tuple[Any, dict[str, Any], dict[str, Any]]:
        output, state, records = last_potentials(self.seq, data, record)
        return output, {"seq": state}, records if record else {}

    def _describe(self) -> Node:
        return described(self, "potentials")

    def _convert(self, modules: dict[str, Any], backend: str) -> Any:
        return potentials_on(backend, modules)


class ModPotentials(PotentialsMixin, Module):  # type: ignore[misc]
    """A network of numpy and its kin."""


def potentials_on(backend: str, modules: dict[str, Any]) -> Any:
    """Return a network of layers that are on a back-end."""
    from rockpool.nn.networks import JaxPotentials, TorchPotentials

    if backend == "jax":
        return JaxPotentials(modules)
    if backend in ("torch", "sinabs", "sinabs-exodus"):
        return TorchPotentials(modules)
    return ModPotentials(modules)
