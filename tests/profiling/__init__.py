"""Tests of `rockpool.profiling`."""
