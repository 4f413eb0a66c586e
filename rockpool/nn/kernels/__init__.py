"""Compiled time loops, called by the modules of several back-ends.

One model a file, forward and backward. A kernel is a function over plain arrays: the caller has
checked everything, expanded every parameter, and made every array C-contiguous, writable and of one
type, float32 or float64 (`compiling.kernel_array`). In all of them

* arrays are laid out (B, T, N), or (B, T, N * S) with synapse ``s`` of neuron ``n`` at
  ``n * S + s``; the innermost loop runs over them, and the state of one batch element stays in the
  cache over all of its time steps;
* what is absent (recurrent weights, noise, records) is an array of size 0, which `compiling.call`
  fills in for callers in Python: they name what is there;
* the states are changed in place, the results go into arrays that the caller has made, and no array
  that is written overlaps another one;
* forward, each operation is rounded as in the numpy module of that model, in the same order. No
  fast-math flag is set: a reciprocal or a reordered sum moves spikes in single precision, and none
  of the flags was found to be faster. Only in the products with recurrent weights, whose sums no
  two libraries order alike, a product and its sum may be rounded in one;
* backward, sums may be reordered, and gradients of parameters are added up in double precision.

`rockpool.nn.kernels.switch` turns them off, or has them save memory. A large batch goes over
several threads (`rockpool.nn.kernels.threads`): what has two axes or more has the batch in front,
but ``w_rec``.
"""

from rockpool.backends.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
