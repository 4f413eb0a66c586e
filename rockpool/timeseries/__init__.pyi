# backend: numpy
# files: time_steps
from .continuous import TSContinuous as TSContinuous
from .events import TSEvent as TSEvent
from .series import TimeSeries as TimeSeries
