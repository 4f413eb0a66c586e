# backend: jax
# files: euler_base_jax
from .euler_jax import CubaLIEulerJax as CubaLIEulerJax
from .euler_jax import CubaLIFEulerJax as CubaLIFEulerJax
from .euler_jax import IFEulerJax as IFEulerJax
from .euler_jax import LIEulerJax as LIEulerJax
from .euler_jax import LIFEulerJax as LIFEulerJax
from .exp_smooth_jax import ExpSmoothJax as ExpSmoothJax
from .exp_syn_jax import ExpSynJax as ExpSynJax
from .instant import InstantJax as InstantJax
from .jax_lif_ode import LIFODEJax as LIFODEJax
from .jax_module import JaxModule as JaxModule
from .lif_jax import LIFJax as LIFJax
from .lif_jax import clip_gradient as clip_gradient
from .lif_jax import step_pwl as step_pwl
from .linear_jax import LinearJax as LinearJax
from .rate_jax import H_LReLU as H_LReLU
from .rate_jax import H_ReLU as H_ReLU
from .rate_jax import H_sigmoid as H_sigmoid
from .rate_jax import H_tanh as H_tanh
from .rate_jax import RateEulerJax as RateEulerJax
from .rate_jax import RateJax as RateJax
from .softmax_jax import LogSoftmaxJax as LogSoftmaxJax
from .softmax_jax import SoftmaxJax as SoftmaxJax
from .softmax_jax import WeightedSmoothBase as WeightedSmoothBase
