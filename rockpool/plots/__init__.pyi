# backend: numpy
# files: arrays canvas
from .overview import report as report
from .matrices import weights as weights
from .pictures import frames as frames
from .spikes import raster as raster
from .values import traces as traces
