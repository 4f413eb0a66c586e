"""What all modules of JAX stand on: pytrees, random keys, decays, spikes."""
