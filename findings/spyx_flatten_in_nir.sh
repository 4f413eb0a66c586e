#!/usr/bin/env bash
# spyx 1.0.0: a convolution, then Flatten, then Linear is written into a file of NIR that means
# another network.
#
# NIR's data is channels x rows x columns, and its Flatten numbers it in that order. spyx computes on
# rows x columns x channels. On export it turns the weights of a convolution and the parameters of
# neurons over, but not the columns of the Linear behind a Flatten. Every shape fits, nothing is
# said; spyx itself reads its file back right, as it leaves the columns again.
#
# A 1 x 2 x 2 image (1 2 / 3 4), two channels of weights 1 and 10, a Linear with weights 0 to 7.
# Seen with spyx 1.0.0, nir 1.0.8, flax 0.12.8, jax 0.10.2, Python 3.11:
#   network 540.0   file, as NIR says 620.0   file, as spyx numbers it 540.0
#
# Fails if that changes.   usage: findings/spyx_flatten_in_nir.sh   (PYTHON: python3.11)
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3.11}" -m venv environment
environment/bin/python -m pip install --quiet --disable-pip-version-check \
    "spyx==1.0.0" "nir==1.0.8" "flax==0.12.8" "jax==0.10.2" "jaxlib==0.10.2"

cat > written.py <<'PROGRAM'
import jax.numpy as jnp
import nir
import numpy as np
import spyx.nn as snn
from flax import nnx
from spyx.nir import to_nir

seed = nnx.Rngs(0)
convolution = nnx.Conv(1, 2, (1, 1), padding="VALID", rngs=seed)
convolution.kernel[...] = jnp.array([[[[1.0, 10.0]]]])
linear = nnx.Linear(8, 1, use_bias=False, rngs=seed)
linear.kernel[...] = jnp.arange(8.0)[:, None]
layers = [convolution, snn.Flatten(), linear, snn.IF((1,), threshold=1e9)]
image = np.array([[[1.0, 2.0], [3.0, 4.0]]])  # channels x rows x columns

shapes = {"input": np.array([1, 2, 2])}, {"output": np.array([1])}
nir.write("network.nir", to_nir(snn.Sequential(*layers), *shapes))
nodes = nir.read("network.nir").nodes

x = jnp.array(np.moveaxis(image, 0, -1))[None]
for layer in layers[:3]:
    x = layer(x)
convolved = nodes["layer_0"].weight[:, 0] * image  # a kernel of 1 x 1
weights = nodes["layer_2"].weight
print("network", float(x[0, 0]))
print("file, as NIR says", float((weights @ convolved.ravel())[0]))
print("file, as spyx numbers it", float((weights @ np.moveaxis(convolved, 0, -1).ravel())[0]))
PROGRAM

environment/bin/python -m pip list 2>/dev/null | grep -iE '^(spyx|nir|flax|jax) '
JAX_PLATFORMS=cpu environment/bin/python -W ignore written.py | tee found
diff found - <<'SEEN'
network 540.0
file, as NIR says 620.0
file, as spyx numbers it 540.0
SEEN
echo "as seen"
