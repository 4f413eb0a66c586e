# backend: numpy
# files: arrays canvas
from .overview import report as report
from .matrices import weights as weights
from .spikes import raster as raster
from .values import traces as traces
