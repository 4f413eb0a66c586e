#!/usr/bin/env bash
# tonic 1.7.0: CropTime with a start alone cuts all recordings at the end of the first one it saw.
#
# Without max the end is that of the recording: of the first one. The transform stores it in itself
# and cuts all later ones there. What a data set gives depends on the order in which it is read: on
# shuffling, on the worker process that an item falls to, and on whether an item was looked at before.
#
# With tonic 1.7.0, numpy 2.4.6, Python 3.11; min=10_000 us, recordings of 100 and 300 events, one
# each ms; right would be 90 and 290, in either order:
#   short one first   90, 90
#   long one first    290, 90
#
# Fails if that changes.   usage: findings/tonic_crop_time_keeps_first_end.sh   (PYTHON: python3.11)
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3.11}" -m venv environment
environment/bin/python -m pip install --quiet --disable-pip-version-check \
    "tonic==1.7.0" "numpy==2.4.6"

cat > crops.py <<'PROGRAM'
import numpy as np
from tonic import transforms
from tonic.io import make_structured_array


def recording(n_events):
    """Return so many events of one pixel, one each millisecond."""
    t = 1000 * np.arange(n_events)
    return make_structured_array(0 * t, 0 * t, t, 0 * t)


short, long = recording(100), recording(300)
for name, order in (("short first", (short, long)), ("long first", (long, short))):
    crop = transforms.CropTime(min=10_000)
    print(name, [len(crop(events)) for events in order], "max", crop.max)
PROGRAM

environment/bin/python crops.py | tee seen
cat > expected <<'TEXT'
short first [90, 90] max 99000
long first [290, 90] max 299000
TEXT
diff seen expected && echo "as seen"
