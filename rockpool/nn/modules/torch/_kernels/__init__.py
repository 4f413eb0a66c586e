"""The time loops of torch modules on compiled kernels: `dispatch`, then one file a model.

A file of a model has the functions of that file in `_loops`, as operations of autograd that call
the kernels of `rockpool.nn.kernels`. They give the same values and gradients. `triton` has the same
for CUDA devices.
"""
