from . import catalogue as catalogue  # backend: numpy
from . import checks as checks  # backend: numpy
from . import euler as euler  # backend: numpy
from . import exp_syn as exp_syn  # backend: numpy
from . import lif as lif  # backend: numpy
from . import linear as linear  # backend: numpy
from . import model as model  # backend: numpy
from . import rate as rate  # backend: numpy
