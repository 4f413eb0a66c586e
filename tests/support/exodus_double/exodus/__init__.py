"""Stands in for ``sinabs.exodus`` where there is no CUDA device: the same functions, in torch."""
