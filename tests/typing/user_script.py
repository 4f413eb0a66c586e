"""What a user writes, as type checkers see it; `test_user_script.py` compares what they report.

An error that is expected is named at the end of its line: as mypy calls it; as pyright does. The
script is checked, not run.
"""

from typing import Any, assert_type

import jax
import numpy as np
import torch

from rockpool.nn.combinators import (
    FFwdStack,
    JaxWired,
    ModSequential,
    ModWired,
    Residual,
    Sequential,
    TorchWired,
    Wired,
)
from rockpool.nn.modules import (
    LIF,
    Conv2d,
    Conv2dJax,
    Conv2dTorch,
    JaxModule,
    LIFJax,
    LIFTorch,
    Linear,
    LinearJax,
    LinearTorch,
    Module,
    Rate,
    TorchModule,
)
from rockpool.parameters import Parameter, SimulationParameter, State
from rockpool.timeseries import TSContinuous

Dict = dict[str, Any]
data = np.ones((1, 10, 2))

# numpy
assert_type(LIF(3), LIF)
assert_type(LIF((4, 2), tau_mem=10e-3)(data, record=True), tuple[np.ndarray, Dict, Dict])
LIF("three")  # expect: arg-type; reportArgumentType
LIF(3, tau_memm=10e-3)  # expect: call-arg; reportCallIssue
LIF(3, has_rec="yes")  # expect: arg-type; reportArgumentType
Rate(2).evolv(data)  # expect: attr-defined; reportAttributeAccessIssue
spikes, state, record = LIF(3)(data)
spikes.append(1)  # expect: attr-defined; reportAttributeAccessIssue
output, _, _ = Linear((2, 3)).timed(dt=1e-3)(TSContinuous([0.0, 1.0], [[0.0, 0.0], [1.0, 1.0]]))

assert_type(Conv2d((2, 4, 4), 3, (3, 1), padding="same")(data), tuple[np.ndarray, Dict, Dict])
assert_type(Conv2dJax((2, 4, 4), 3, 1)(data), tuple[jax.Array, Dict, Dict])
assert_type(Conv2dTorch((2, 4, 4), 3, 1)(torch.ones(1)), tuple[torch.Tensor, Dict, Dict])
Conv2d((2, 4, 4), kernel_size=3)  # expect: call-arg; reportCallIssue

# torch
assert_type(LIFTorch(3).to_torch(), LIFTorch)
assert_type(LIFTorch(3)(torch.ones(1, 10, 3)), tuple[torch.Tensor, Dict, Dict])
LIFTorch(3, tau_memm=1)  # expect: call-arg; reportCallIssue
LIFTorch(3, retain_torch_api=True)
LIFTorch(2.5)  # expect: arg-type; reportArgumentType

# jax
assert_type(LIFJax(3).reset_state(), LIFJax)
assert_type(LIFJax(3)(data), tuple[jax.Array, Dict, Dict])
LIFJax(3, tau_memm=1)  # expect: call-arg; reportCallIssue

# containers
net = Sequential(Linear((2, 3)), LIF(3))
assert_type(net, ModSequential)
assert_type(net(data), tuple[np.ndarray, Dict, Dict])
net.append(3)  # expect: arg-type; reportArgumentType
modules: list[Module] = [net, Residual(LIF(3)), FFwdStack(LIF(3), LIF(2)), net.reset_state()]
wires = [("input", "n"), ("n", "output")]
assert_type(Wired({"n": LIF(3)}, wires), ModWired)
assert_type(Wired({"n": LIF(3)}, wires)(data), tuple[np.ndarray, Dict, Dict])
assert_type(Wired({"n": LIFTorch(3)}, wires), TorchWired)
assert_type(Wired({"n": LIFJax(3)}, wires), JaxWired)
torch_net: TorchModule = Sequential(LinearTorch((2, 3)), torch.nn.ReLU(), LIFTorch(3))
jax_net: JaxModule = Sequential({"weights": LinearJax((2, 3)), "neurons": LIFJax(3)})
assert_type(torch_net(torch.ones(1, 10, 2))[0], torch.Tensor)
Sequential(Linear((2, 3)), 3)  # expect: call-overload; reportCallIssue reportArgumentType


# a module of one's own: what is assigned as a parameter object is read as the bare value
class Deaf(TorchModule):
    weight: torch.Tensor

    def __init__(self, steps: int = 3) -> None:
        super().__init__(shape=(3, 3))
        self.weight = Parameter(torch.ones(3, 3))
        self.gain = Parameter(torch.ones(3), family="gains")
        self.steps = SimulationParameter(steps)
        self.left = State(shape=(3,), init_func=torch.zeros)

    def forward(self, data: torch.Tensor) -> torch.Tensor:
        self.left = self.left - 1
        weighted: torch.Tensor = torch.nn.functional.linear(data, self.weight) * self.gain
        return weighted @ self.weight + int(self.steps)


class Fixed(Module):
    def __init__(self, weight: np.ndarray) -> None:
        super().__init__(shape=(3, 3))
        self.weight = Parameter(weight)
        self.steps = SimulationParameter(3)

    def evolve(self, input_data: Any, record: bool = False) -> tuple[np.ndarray, Dict, Dict]:
        output = np.asarray(input_data) @ self.weight
        return output[:, : self.steps], self.state(), {}


def family_of(value: Any) -> str | None:
    return assert_type(value, Parameter).family if isinstance(value, Parameter) else None


Parameter(1.0, famly="gains")  # expect: call-arg; reportCallIssue
