"""What the torch modules are made of: registration, checks, leaks, surrogates, initial values."""
