"""Is a back-end there, import it, or stand in for it.

* A *specification* says which modules, version and check a back-end needs (`specs`).
* *Looking* asks the import system's finders and imports nothing (`finder`, `status`).
* *Trying* imports the back-end and runs its check; any error is an answer (`importing`).
* A failed import is not tried again before the import system changes, or someone asks (`retry`).
* A package's stub lists its names; a name is imported at its first use (`lazy`).
* While its back-end cannot be had, a *stand-in* takes the name and says why (`standin`).
* A child process tries what may crash or hang (`probe`); `doctor` says what is wrong.
"""
