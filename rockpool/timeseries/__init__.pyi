# backend: numpy
# files: continuous_edits event_edits series_file time_steps
from .continuous import TSContinuous as TSContinuous
from .events import TSEvent as TSEvent
from .on_disk import TSDictOnDisk as TSDictOnDisk
from .on_disk import load_ts_from_file as load_ts_from_file
from .plotting import full_nan as full_nan
from .plotting import get_global_ts_plotting_backend as get_global_ts_plotting_backend
from .plotting import set_global_ts_plotting_backend as set_global_ts_plotting_backend
from .series import TimeSeries as TimeSeries
