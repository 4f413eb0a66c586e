# backend: brian
# files: simulation
from .lif_brian import LIFBrian as LIFBrian
from .rate_brian import RateBrian as RateBrian
