from . import combinators as combinators
from . import modules as modules
