"""``python -m rockpool`` is the ``rockpool`` command."""

from __future__ import annotations

from rockpool.cli import run

if __name__ == "__main__":
    run()
