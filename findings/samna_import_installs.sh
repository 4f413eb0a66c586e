#!/usr/bin/env bash
# samna 0.48.6 from PyPI, which sinabs 3.1.3 requires: to import it runs pip, which is to replace it
# by a package of the same name and version from another index.
#
# The wheel holds one small module. When that is imported, it calls `python -m pip install
# --force-reinstall samna==0.48.6` with an index at gitlab.com, into the environment that runs, and
# then loads what came. So the first `import samna` needs the network and leave to write into the
# environment, runs code that no pin of PyPI's covers, and without all this raises
# CalledProcessError, not ImportError, which is what programs catch that can do without a package.
# `importlib.util.find_spec("samna")` does not import it, and finds it.
#
# pip is kept from every index here (PIP_NO_INDEX), so nothing is installed but the wheel itself.
#
# Seen with samna 0.48.6, pip of Python 3.11:
#   found True
#   CalledProcessError: -m pip install --force-reinstall samna==0.48.6 --index-url=https://gitlab.com
#
# Fails if that changes.   usage: findings/samna_import_installs.sh   (PYTHON: python3.11)
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3.11}" -m venv environment
environment/bin/python -m pip install --quiet --disable-pip-version-check --no-deps "samna==0.48.6"

cat > imported.py <<'PROGRAM'
import importlib.util
import subprocess

print("found", importlib.util.find_spec("samna") is not None)
try:
    import samna
except subprocess.CalledProcessError as error:
    words = " ".join(error.cmd[1:])
    print("CalledProcessError:", words.partition("/api/")[0])
else:
    print("imported", samna.__version__)
PROGRAM

environment/bin/python -m pip list 2>/dev/null | grep -iE '^(samna|pip) '
PIP_NO_INDEX=1 PIP_QUIET=1 environment/bin/python imported.py 2>pip-said.txt | tee found
grep -m1 '^ERROR' pip-said.txt
diff found - <<'SEEN'
found True
CalledProcessError: -m pip install --force-reinstall samna==0.48.6 --index-url=https://gitlab.com
SEEN
echo "as seen"
