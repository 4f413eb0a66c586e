"""What each model *is*, said once for every back-end (plain Python and numpy).

Files, imported by their names (``from rockpool.nn.models import lif, checks``):

* ``model``    ``Model``: a table of parameters, states and settings, with shapes, defaults, units,
  checks, equations and source, and the class that is this model on each back-end
* ``checks``   validators that name class, argument, value and what is allowed
* ``lif``, ``rate``, ``exp_syn``, ``linear``   the tables, one model each
* ``catalogue``   all of them, and what else `rockpool.nn.modules` offers

A class of a back-end names its table (``_model = lif.LIF``), and its constructor is its signature
and ``self._declare(locals(), super().__init__)``: that checks the arguments, calls the constructor
of the base class, and registers what the table lists. Values may be Python numbers, lists, numpy or
jax arrays or torch tensors; how they are stored is the back-end's business. Nothing is imported for
the sake of a check: a value that is not known yet (a jax tracer, a meta tensor) is checked for its
shape only.
"""

from rockpool.backends.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
