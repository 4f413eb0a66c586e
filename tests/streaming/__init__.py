"""Tests of `rockpool.streaming`."""
