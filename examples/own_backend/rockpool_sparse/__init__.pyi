from .lif_sparse import LIFSparse as LIFSparse
from .random_weights import random_weights as random_weights
