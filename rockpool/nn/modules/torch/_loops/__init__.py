"""The time loops of the dynamical torch modules, one file a model.

Each loop is a pure function. Input over time (B, T, Nin), state before the first step (B, ...),
parameters, noise like the input or the output (None for none) and whether to keep records go in;
output (B, T, N), state after the last step and records come out: a dict of tensors (B, T, ...),
empty where none were asked for. It checks nothing, draws nothing and touches no module, so that
another implementation can take its place.

They are lean for the sake of the backward pass, whose cost has to be linear in time: the input is
taken apart once, the output put together once, and nothing is written by index. Parameters are
expanded over the batch before the loop, such that their gradients are summed over it once.
"""
