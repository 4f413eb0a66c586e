"""Reads damaged recordings: ``python mutations.py NUMBER SEED FOLDER``.

Each is a case with a few bytes changed or its end cut off. It must give recordings, or an error that
names the file. The last line says how many did what, and how much memory was taken at most, in MB.
It runs in a process of its own, which a library may end.
"""

from __future__ import annotations

import random
import sys
import warnings
from collections import Counter
from pathlib import Path

from rockpool.data import read_samples

CASES = Path(__file__).resolve().parents[1] / "data" / "cases"


def damaged(whole: bytes, chance: random.Random) -> bytes:
    """A file that has been cut, or in which some bytes are others."""
    how = chance.randrange(4)
    if how == 0:
        return whole[: chance.randrange(len(whole))]
    data = bytearray(whole)
    for _ in range(chance.choice((1, 2, 8, 64))):
        # Half of them near the start, where the headers are
        place = chance.randrange(len(data) if how == 1 else min(len(data), 4096))
        data[place] = chance.randrange(256) if how < 3 else chance.choice((0, 127, 128, 255))
    return bytes(data)


def main(number: int, seed: int, folder: Path) -> int:
    warnings.simplefilter("ignore")
    cases = [(path.suffix, path.read_bytes()) for path in sorted(CASES.iterdir())]
    quick = [case for case in cases if case[0] != ".nix"]  # for which neo takes its time
    found: Counter[str] = Counter()
    chance = random.Random(seed)
    for count in range(number):
        suffix, whole = chance.choice(cases if count % 10 == 0 else quick)
        path = folder / f"damaged{suffix}"
        path.write_bytes(damaged(whole, chance))
        try:
            for _ in read_samples(path):
                pass
            found["read"] += 1
        except (ValueError, OSError) as error:
            if str(path) not in str(error):
                raise
            found["refused"] += 1
    print(found["read"], found["refused"], peak_megabytes())
    return 0


def peak_megabytes() -> int:
    """The most memory that this process had; `getrusage` would count that of who started it."""
    said = Path("/proc/self/status").read_text().partition("VmHWM:")[2]
    return int(said.split()[0]) // 1024


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])))
