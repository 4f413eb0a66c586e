# backend: numpy
# files: connections contents counting energy
from .profiler import LayerProfile as LayerProfile
from .profiler import Profile as Profile
from .profiler import profile as profile
