# backend: sinabs
# files: exodus_functions
from .lif_exodus import ExpSynExodus as ExpSynExodus  # backend: sinabs-exodus
from .lif_exodus import LIFExodus as LIFExodus  # backend: sinabs-exodus
from .lif_exodus import LIFMembraneExodus as LIFMembraneExodus  # backend: sinabs-exodus
from .lif_exodus import LIFSlayer as LIFSlayer  # backend: sinabs-exodus
from .lif_sinabs import LIFSinabs as LIFSinabs
