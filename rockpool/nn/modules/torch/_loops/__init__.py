"""The time loops of the dynamical torch modules, one file a model.

Each loop is a pure function: input over time, state at the start (with a batch dimension),
parameters and noise go in; output, state at the end and records come out. It checks nothing,
draws nothing and touches no module, so that another implementation can take its place.

They are lean for the sake of the backward pass, whose cost has to be linear in time: the input is
taken apart once, the output put together once, and nothing is written by index. Parameters are
expanded over the batch before the loop, such that their gradients are summed over it once.
"""
