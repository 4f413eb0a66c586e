"""One file a format: each has ``read(path, ...)``, which goes over the recordings in the file.

The files that need a library import it plainly: `rockpool.data.reading` opens them only when a file
of their format is read, and says what is missing. What they share:

* ``columns``     what a column is by its name, and events made of columns
* ``clocks``      counters of few bits that start again from 0
* ``percent``     the header lines of Prophesee's files
"""

from rockpool.backends.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__, backend="numpy")
