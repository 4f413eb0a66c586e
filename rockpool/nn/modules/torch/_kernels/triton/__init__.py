"""Time loops of torch modules by kernels of Triton, for tensors on CUDA devices. Needs triton.

Beside each file of kernels is one that has the functions of that file in `_loops`, as operations of
autograd that call them. One program of a kernel has a block of neurons of one batch element: their
states are in registers, the loop over time is inside, and nothing but input, output and what the
gradients need goes through memory. Each operation is rounded as in the numpy module of that model,
in the same order, without fused products; decays come from float64. Input in half precision is read
as it is; states are of the type of the parameters.

With ``TRITON_INTERPRET=1`` and ``ROCKPOOL_KERNELS=triton`` in the environment, Triton's interpreter
runs the same kernels on CPU tensors, slowly: for tests.
"""
