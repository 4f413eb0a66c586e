"""What each neuron model *is*, said once for every back-end (plain Python and numpy).

Files, imported by their names (``from rockpool.nn.models import lif, checks``):

* ``checks``   validators that name class, argument, value and what is allowed
* ``spec``     ``ParameterSpec``: name, family, permitted shapes, default and unit of a parameter
* ``graphs``   the graphs that ``as_graph`` returns
* ``lif``, ``rate``, ``exp_syn``, ``linear``   one model each

A model file offers the same three things, and a back-end's constructor calls them in this order:

1. ``module_shape(owner, shape)``  the shape argument -> the module's shape, e.g. ``3 -> (3, 3)``
2. ``parameter_specs(shape)``  name -> ``ParameterSpec``; ``state_shapes(shape)``, name -> shape
3. ``check_arguments(owner, shape, ...)``  raises ``ValueError`` or ``TypeError``; None is skipped

Then ``spec.wrap(Parameter, value, init_func, cast_fn)`` makes the registered parameter.

``owner`` is the name of the class that the user constructs ("LIFTorch"): it begins each message.
Values may be Python numbers, lists, numpy or jax arrays or torch tensors. Nothing is imported for
the sake of a check: a value that is not known yet (a jax tracer, a meta tensor) is checked for its
shape only. All values stay as they are; casting is the back-end's business.
``exp_syn.decay(dt, tau, dtype)`` computes a decay in float64 and casts it once.
"""
