from . import backend_management as backend_management
from . import lazy_loading as lazy_loading
from . import tree_utils as tree_utils
