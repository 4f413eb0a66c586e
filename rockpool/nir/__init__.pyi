# backend: nir
# files: dialects graph heap hdf5 hdf5_writing images kept layers nearest network objects
# files: old_rockpool signs targets time_steps units wiring
from .header import NirFile as NirFile
from .header import read_nir_header as read_nir_header
from .reading import from_nir as from_nir
from .source import NirSource as NirSource
from .source import NirWarning as NirWarning
from .writing import to_nir as to_nir
