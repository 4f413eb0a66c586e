from . import data as data
from . import files as files
from . import graph as graph
from . import nir as nir
from . import nn as nn
from . import parameters as parameters  # backend: numpy
from . import plots as plots
from . import profiling as profiling
from . import streaming as streaming
from . import timeseries as timeseries
from . import training as training
from . import transform as transform
from . import typehints as typehints
from . import utilities as utilities
from . import verification as verification
from ._version import __version__ as __version__
from .files import FileFormatError as FileFormatError
from .files import load as load
from .files import read_header as read_header
from .files import save as save
from .nn.conversion import convert as convert  # backend: numpy
from .nn.conversion import describe as describe  # backend: numpy
from .streaming import stream as stream
from .timeseries import TimeSeries as TimeSeries
from .timeseries import TSContinuous as TSContinuous
from .timeseries import TSDictOnDisk as TSDictOnDisk
from .timeseries import TSEvent as TSEvent
from .timeseries import get_global_ts_plotting_backend as get_global_ts_plotting_backend
from .timeseries import load_ts_from_file as load_ts_from_file
from .timeseries import set_global_ts_plotting_backend as set_global_ts_plotting_backend
from .utilities.backend_management import list_backends as list_backends
from .utilities.lazy_imports import lazy_imports as lazy_imports
from .verification import verify as verify
