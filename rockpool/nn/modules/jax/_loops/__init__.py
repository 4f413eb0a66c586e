"""The time loops of the models, by ``jax.lax.scan``: functions of arrays alone."""
