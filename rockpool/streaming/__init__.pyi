# backend: numpy
# files: c_helpers c_source events layers numba_engine numpy_engine numpy_euler
from .c_export import CExport as CExport
from .c_export import export_c as export_c
from .compilation import compiled_plan as compiled_plan
from .plan import Plan as Plan
from .streams import Stream as Stream
from .streams import stream as stream
