"""How long tests wait: for what will come, on however busy a machine, and for what never does."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Answer = TypeVar("Answer")

# s: no test that works needs it; what takes longer hangs.
PATIENCE = 900.0
# s: limits for what never comes. The first is enough where there is nothing to be waited for.
LIMITS = (2, 10, 60, 300)


def within_a_limit(ask: Callable[[int], Answer], is_fair: Callable[[Answer], bool]) -> Answer:
    """Ask with a time limit, and with a longer one where it was not fair.

    One thing never comes, and has to run out of its time; on a busy machine others that are on
    their way would, too. The last answer is returned, be it fair or not.
    """
    for limit in LIMITS:
        answer = ask(limit)
        if is_fair(answer):
            break
    return answer


def comes_true(condition: Callable[[], bool], seconds: float = PATIENCE) -> bool:
    """Wait until a condition is met; False if that takes too long."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True
