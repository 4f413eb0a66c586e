"""The way from a module to its time loop, and compiled kernels in place of loops."""
