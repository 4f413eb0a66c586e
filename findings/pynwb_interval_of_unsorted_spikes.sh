#!/usr/bin/env bash
# pynwb 4.2.0: the spikes of an interval are cut out of the file by a search that needs sorted times,
# which neither the format asks for nor the package checks.
#
# Units of recordings that were joined, or of channels that were merged, are in no order. They are
# written, validated and read back as they are. `get_unit_spike_times(index, in_interval=...)` then
# gives spikes outside the interval and leaves out spikes inside, and says nothing.
#
# Seen with pynwb 4.2.0, hdmf 6.2.0, h5py 3.16.0, numpy 2.3.5, Python 3.11:
#   times 0.3 0.1 0.2, interval 0.05 to 0.25   gives 0.3 0.1 0.2   should be 0.1 0.2
#   times 5.0 6.0 1.0 2.0, interval 4.0 to 7.0 gives nothing       should be 5.0 6.0
#   the same times sorted                      right
#   errors that pynwb.validate finds           0
#
# Fails if that changes.   usage: findings/pynwb_interval_of_unsorted_spikes.sh   (PYTHON: python3.11)
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3.11}" -m venv environment
environment/bin/python -m pip install --quiet --disable-pip-version-check \
    "pynwb==4.2.0" "hdmf==6.2.0" "h5py==3.16.0" "numpy==2.3.5"

cat > cut.py <<'PROGRAM'
from datetime import UTC, datetime

import pynwb

units = {  # spike times in seconds, an interval
    "merged": ([0.3, 0.1, 0.2], (0.05, 0.25)),
    "joined": ([5.0, 6.0, 1.0, 2.0], (4.0, 7.0)),
    "sorted": ([0.1, 0.2, 0.3], (0.05, 0.25)),
}
file = pynwb.NWBFile("spikes of three units", "three-units", datetime(2026, 1, 1, tzinfo=UTC))
for times, _ in units.values():
    file.add_unit(spike_times=times)
with pynwb.NWBHDF5IO("units.nwb", "w") as written:
    written.write(file)
with pynwb.NWBHDF5IO("units.nwb", "r") as opened:
    print("errors found", len(list(pynwb.validate(io=opened))))
    read = opened.read().units
    for index, (name, (_, interval)) in enumerate(units.items()):
        print(name, read.get_unit_spike_times(index, in_interval=interval).tolist())
PROGRAM

environment/bin/python -m pip list 2>/dev/null | grep -iE '^(pynwb|hdmf|h5py|numpy) '
environment/bin/python -W ignore cut.py | tee found
diff found - <<'SEEN'
errors found 0
merged [0.3, 0.1, 0.2]
joined []
sorted [0.1, 0.2]
SEEN
echo "as seen"
