# backend: nest
# files: messages recipe replay simulations worker
from .exp_syn_nest import ExpSynNest as ExpSynNest
from .lif_nest import LIFNest as LIFNest
from .worker_process import NestWorkerError as NestWorkerError  # backend: numpy
