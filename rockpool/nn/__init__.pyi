# files: choice conversion costs description kernels obstacles
from . import combinators as combinators
from . import losses as losses
from . import models as models
from . import modules as modules
from . import networks as networks
