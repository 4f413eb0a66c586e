# files: text_table
from . import backend_management as backend_management
from . import jax_tree_utils as jax_tree_utils  # backend: jax
from . import lazy_imports as lazy_imports
from . import lazy_loading as lazy_loading
from . import property_arrays as property_arrays  # backend: numpy
from . import tree_utils as tree_utils
from . import type_handling as type_handling  # backend: numpy
