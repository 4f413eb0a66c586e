# backend: numpy
from .ffwd_stack import FFwdStack as FFwdStack
from .ffwd_stack import FFwdStackMixin as FFwdStackMixin
from .ffwd_stack import ModFFwdStack as ModFFwdStack
from .containers_jax import JaxFFwdStack as JaxFFwdStack  # backend: jax
from .containers_torch import TorchFFwdStack as TorchFFwdStack  # backend: torch
from .residual import ModResidual as ModResidual
from .residual import Residual as Residual
from .residual import ResidualMixin as ResidualMixin
from .containers_jax import JaxResidual as JaxResidual  # backend: jax
from .containers_torch import TorchResidual as TorchResidual  # backend: torch
from .sequential import ModSequential as ModSequential
from .sequential import Sequential as Sequential
from .sequential import SequentialMixin as SequentialMixin
from .containers_jax import JaxSequential as JaxSequential  # backend: jax
from .containers_torch import TorchSequential as TorchSequential  # backend: torch
from .wired import ModWired as ModWired
from .wired import Wired as Wired
from .wired import WiredMixin as WiredMixin
from .containers_jax import JaxWired as JaxWired  # backend: jax
from .containers_torch import TorchWired as TorchWired  # backend: torch
