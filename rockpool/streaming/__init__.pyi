# backend: numpy
# files: layers numba_engine numpy_engine
from .compilation import compiled_plan as compiled_plan
from .plan import Plan as Plan
from .streams import Stream as Stream
from .streams import stream as stream
