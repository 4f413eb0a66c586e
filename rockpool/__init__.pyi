from . import data as data
from . import graph as graph
from . import nn as nn
from . import parameters as parameters  # backend: numpy
from . import timeseries as timeseries
from . import training as training
from . import typehints as typehints
from . import utilities as utilities
from ._version import __version__ as __version__
from .timeseries import TimeSeries as TimeSeries
from .timeseries import TSContinuous as TSContinuous
from .timeseries import TSEvent as TSEvent
from .utilities.backend_management import list_backends as list_backends
from .utilities.lazy_imports import lazy_imports as lazy_imports
