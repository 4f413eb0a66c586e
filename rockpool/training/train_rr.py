"""Not part of this package; an import says what to use instead."""

from rockpool.backends.left_out import refuse

refuse(__name__)
