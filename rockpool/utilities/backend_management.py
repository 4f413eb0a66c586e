"""Which computational back-ends are here, and why not (see `rockpool.backends`)."""

from rockpool.backends.queries import (
    AbortImport,
    backend_available,
    backend_status,
    check_backend,
    check_samna_available,
    check_torch_cuda_available,
    list_backends,
    missing_backend_error,
    missing_backend_shim,
    refresh_backends,
    register_backend,
    torch_version_satisfied,
)
from rockpool.backends.specs import BackendStatus, known_backends

__all__ = [
    "AbortImport",
    "BackendStatus",
    "backend_available",
    "backend_status",
    "check_backend",
    "check_samna_available",
    "check_torch_cuda_available",
    "known_backends",
    "list_backends",
    "missing_backend_error",
    "missing_backend_shim",
    "refresh_backends",
    "register_backend",
    "torch_version_satisfied",
]
