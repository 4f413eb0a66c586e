# backend: nir
# files: dialects graph hdf5 images layers network objects time_steps wiring
from .reading import from_nir as from_nir
from .source import NirSource as NirSource
from .source import NirWarning as NirWarning
