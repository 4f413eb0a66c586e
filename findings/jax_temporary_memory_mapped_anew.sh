#!/usr/bin/env bash
# jax 0.10.2 on Linux, CPU: temporary memory of more than 32 MiB is mapped anew in each call.
#
# XLA asks malloc for the temporary memory of a compiled function in each call, in one piece, and
# gives it back at the end. glibc (2.36) serves what is larger than a threshold by mmap, and moves
# the threshold up as such pieces come back, but to 32 MiB and no further. A piece beyond is unmapped
# at the end of each call, and the next call has each of its pages mapped and cleared at first touch:
# 10 240 page faults for 40 MiB, in each call, for ever; for 20 MiB there are none after the first
# calls. Twice the temporaries took 26 ms in place of 1.7 ms here, on a virtual machine where such a
# fault is dear. The gradients of a layer of 512 neurons over 250 steps in batches of 32 hold 33 MB,
# and took three times as long as with both thresholds raised.
# Both thresholds have to be raised for the process, before it starts: with one of them alone, glibc
# no longer moves either, and gives memory back that it kept before.
#
# Page faults in a call (the median of 20), with jax 0.10.2, jaxlib 0.10.2, numpy 2.3.5, Python 3.11:
#   20 MiB of temporaries                                          none
#   40 MiB                                                         one for each of 10 240 pages
#   40 MiB, GLIBC_TUNABLES with mmap_threshold and trim_threshold  none
#
# Fails if that changes.   usage: findings/jax_temporary_memory_mapped_anew.sh   (PYTHON: python3.11)
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3.11}" -m venv environment
environment/bin/python -m pip install --quiet --disable-pip-version-check \
    "jax==0.10.2" "jaxlib==0.10.2" "numpy==2.3.5"

cat > product.py <<'PROGRAM'
import resource
import statistics

import jax
import jax.numpy as jnp

CALLS = 20


def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


def product(x, w, v):
    return (x @ w) @ v  # what is in brackets is temporary


for n_rows in (1280, 2560):
    arrays = jnp.ones((n_rows, 8)), jnp.ones((8, 4096)), jnp.ones((4096, 1))
    compiled = jax.jit(product).lower(*arrays).compile()
    n_bytes = compiled.memory_analysis().temp_size_in_bytes
    counts = []
    for _ in range(CALLS):  # each thread of XLA has to touch memory for the first time: the median
        before = faults()
        compiled(*arrays).block_until_ready()
        counts.append(faults() - before)
    of_pages = statistics.median(counts) / (n_bytes / resource.getpagesize())
    said = "one a page" if of_pages > 0.95 else "none" if of_pages < 0.05 else f"{of_pages:.2f}"
    print(f"{n_bytes / 2**20:.0f} MiB of temporaries: page faults in each call: {said}")
PROGRAM

{
    environment/bin/python product.py
    echo "with both thresholds raised"
    GLIBC_TUNABLES=glibc.malloc.mmap_threshold=2000000000:glibc.malloc.trim_threshold=2000000000 \
        environment/bin/python product.py
} | tee seen
cat > expected <<'TEXT'
20 MiB of temporaries: page faults in each call: none
40 MiB of temporaries: page faults in each call: one a page
with both thresholds raised
20 MiB of temporaries: page faults in each call: none
40 MiB of temporaries: page faults in each call: none
TEXT
diff seen expected && echo "as seen"
