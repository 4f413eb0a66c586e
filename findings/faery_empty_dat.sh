#!/usr/bin/env bash
# faery 0.7.1: a recording without events, written as .dat, cannot be read back by faery itself.
#
# A .dat has lines that begin with a percent sign, then two bytes, the type of the events and the
# size of each, then the events. The encoder writes the two bytes with the first packet of events.
# With none there are the three lines of the header and nothing else, and the decoder, which wants
# the two bytes whatever follows, says "failed to fill whole buffer". The same events as .es, .raw,
# .aedat4 and .csv come back, none of them. So cutting a recording to a window in which nothing
# happened gives a .dat that ends a pipeline; and a reader meets files of that format which are
# whole, and yet lack what the format always has.
#
# With faery 0.7.1, numpy 2.4.6, Python 3.11:
#   .es, .raw, .aedat4, .csv   0 events come back
#   .dat                       3 lines of header and no byte more; RuntimeError when it is read
#
# Fails if that changes.   usage: findings/faery_empty_dat.sh   (PYTHON: python3.11)
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3.11}" -m venv environment
environment/bin/python -m pip install --quiet --disable-pip-version-check \
    "faery==0.7.1" "numpy==2.4.6"

cat > nothing.py <<'PROGRAM'
from pathlib import Path

import faery
import numpy as np

for ending in ("es", "raw", "aedat4", "csv", "dat"):
    events = np.zeros(0, faery.EVENTS_DTYPE)
    faery.events_stream_from_array(events, dimensions=(640, 480)).to_file(f"nothing.{ending}")
    try:
        back = faery.events_stream_from_file(f"nothing.{ending}").to_array()
        print(f".{ending}: {len(back)} events")
    except RuntimeError as error:
        print(f".{ending}: {type(error).__name__}: {error}")
written = Path("nothing.dat").read_bytes()
print(written.count(b"\n"), "lines of header,", len(written.rpartition(b"\n")[2]), "bytes behind")
PROGRAM

environment/bin/python nothing.py | tee seen
cat > expected <<'TEXT'
.es: 0 events
.raw: 0 events
.aedat4: 0 events
.csv: 0 events
.dat: RuntimeError: failed to fill whole buffer
3 lines of header, 0 bytes behind
TEXT
diff seen expected && echo "as seen"
