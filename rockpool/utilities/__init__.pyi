# files: text_table
from . import backend_management as backend_management
from . import benchmarking as benchmarking
from . import jax_tree_utils as jax_tree_utils  # backend: jax
from . import lazy_imports as lazy_imports
from . import lazy_loading as lazy_loading
from . import property_arrays as property_arrays  # backend: numpy
from . import tree_utils as tree_utils
from . import type_handling as type_handling  # backend: numpy
from .backend_management import AbortImport as AbortImport
from .backend_management import BackendStatus as BackendStatus
from .backend_management import backend_available as backend_available
from .backend_management import backend_status as backend_status
from .backend_management import check_backend as check_backend
from .backend_management import check_samna_available as check_samna_available
from .backend_management import check_torch_cuda_available as check_torch_cuda_available
from .backend_management import known_backends as known_backends
from .backend_management import list_backends as list_backends
from .backend_management import missing_backend_error as missing_backend_error
from .backend_management import missing_backend_shim as missing_backend_shim
from .backend_management import refresh_backends as refresh_backends
from .backend_management import register_backend as register_backend
from .backend_management import torch_version_satisfied as torch_version_satisfied
