# backend: numpy
# files: from_modules
from .graph_base import GraphHolder as GraphHolder
from .graph_base import GraphModule as GraphModule
from .graph_base import GraphModuleBase as GraphModuleBase
from .graph_base import GraphNode as GraphNode
from .graph_base import SetList as SetList
from .graph_base import as_GraphHolder as as_GraphHolder
from .graph_modules import AliasConnection as AliasConnection
from .graph_modules import EulerNeurons as EulerNeurons
from .graph_modules import GenericNeurons as GenericNeurons
from .graph_modules import LIFNeuronWithSynsRealValue as LIFNeuronWithSynsRealValue
from .graph_modules import LinearWeights as LinearWeights
from .graph_modules import RateNeuronWithSynsRealValue as RateNeuronWithSynsRealValue
from .utils import bag_graph as bag_graph
from .utils import connect_modules as connect_modules
from .utils import find_modules_of_subclass as find_modules_of_subclass
from .utils import find_recurrent_modules as find_recurrent_modules
from .utils import replace_module as replace_module
