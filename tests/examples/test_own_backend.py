"""The example of a package with a back-end of its own, installed as its users would install it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "own_backend"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for `sys.path` with the package in it."""
    folder = tmp_path_factory.mktemp("own-backend")
    source = shutil.copytree(EXAMPLE, folder / "source")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run(
        [*pip, "--no-deps", "--no-index", "--no-build-isolation", "--target", folder / "t", source],
        check=True,
    )
    return folder / "t"


def test_everything_is_installed(installed: Path) -> None:
    files = {file.name for file in (installed / "rockpool_sparse").iterdir()}
    assert {path.name for path in (EXAMPLE / "rockpool_sparse").glob("*.py*")} <= files
    assert "py.typed" in files


def test_with_its_backend_it_answers_as_the_dense_module(full_python, installed: Path) -> None:
    """Weights and input are multiples of 2**-6, so that the order of sums does not matter."""
    code = """
import numpy as np
from scipy import sparse
from rockpool.nn.modules import LIF
from rockpool_sparse import LIFSparse, random_weights
rng = np.random.default_rng(0)
for shape in (8, (16, 8)):
    n_in = np.atleast_1d(shape)[0]
    weights = np.round(random_weights((8, n_in), 0.3, gain=0.5, seed=1).toarray() * 64) / 64
    arguments = {"tau_mem": 10e-3, "threshold": 2.0}
    dense = LIF(shape, has_rec=True, w_rec=weights, **arguments)
    thin = LIFSparse(shape, sparse.csr_array(weights), **arguments)
    assert thin.parameters("weights")["w_rec_values"].size == np.count_nonzero(weights)
    data = np.round(rng.random((3, 40, n_in)) * 16) / 64
    for keep in (False, True, True):
        for module in (dense, thin): module.keep_batch_state(keep)
        expected, state, record = dense(data, record=True)
        found, thin_state, thin_record = thin(data, record=True)
        assert np.array_equal(found, expected) and 0 < found.sum()
        for key in state: np.testing.assert_allclose(thin_state[key], state[key], atol=1e-12)
        for key in record: np.testing.assert_allclose(thin_record[key], record[key], atol=1e-12)
graph = thin.as_graph()
assert len(graph.output_nodes) == 8
print("ok")
"""
    assert full_python.python(code, path=installed) == "ok"


def test_it_says_what_the_dense_module_says(full_python, installed: Path) -> None:
    code = """
import warnings
import numpy as np
from rockpool.nn.modules import LIF
from rockpool_sparse import LIFSparse
weights = np.eye(3)[::-1]
odd = np.ones((2, 5, 3))
odd[1, 3, 2] = np.nan
for layer in (LIF(3, has_rec=True, w_rec=weights), LIFSparse(3, weights)):
    record = layer(np.ones((2, 0, 3)), record=True)[2]
    print(sorted((name, values.shape) for name, values in record.items()))
    before = layer.state()
    try: layer(odd)
    except ValueError as error: print(str(error).partition(": ")[2])
    print(all(np.array_equal(value, before[name]) for name, value in layer.state().items()))
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        layer.reset_state()(np.ones((2, 5, 3)))
        print(len(said))
        layer(np.ones((2, 5, 3)))
    print(*(warning.message for warning in said))
    np.random.seed(0)
    layer.noise_std = 1.0
    print(layer.reset_state()(np.ones((2, 5, 3)))[0].tolist())
"""
    said = full_python.python(code, path=installed).splitlines()
    dense, thin = said[: len(said) // 2], said[len(said) // 2 :]
    assert thin == dense
    assert "time step 3 of batch element 1, channel 2" in thin[1] and thin[2:4] == ["True", "0"]
    assert "batch element 0 of the last one" in thin[4]


def test_its_example_runs(full_python, installed: Path) -> None:
    code = """
import doctest, rockpool_sparse
print(doctest.testmod(rockpool_sparse.lif_sparse))
"""
    assert full_python.python(code, path=installed) == "TestResults(failed=0, attempted=5)"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("4, [[1.0]]", "LIFSparse: w_rec must have the shape (Nout, Nin) = (4, 4), got (1, 1)"),
        ("(3, 2), [[0, 0], [0, 0]]", "LIFSparse: Nin must be a multiple of Nout"),
        ("2, [[0, 1], [1, 0]], tau_mem=-1", "LIFSparse: tau_mem must be > 0 s"),
    ],
)
def test_wrong_arguments_are_named(
    arguments: str, words: str, full_python, installed: Path
) -> None:
    code = f"""
from rockpool_sparse import LIFSparse
try: LIFSparse({arguments})
except ValueError as error: print(error)
"""
    assert words in full_python.python(code, path=installed)


MISSING = """
import inspect, pickle
import rockpool, rockpool_sparse
from rockpool_sparse import LIFSparse, random_weights
assert dir(rockpool_sparse) == rockpool_sparse.__all__ == ["LIFSparse", "random_weights"]
assert list(inspect.signature(LIFSparse).parameters)[:3] == ["shape", "w_rec", "tau_mem"]
assert str(inspect.signature(random_weights)).startswith("(shape: tuple[int, int], density: float")
assert "few of which are connected" in inspect.getdoc(LIFSparse)
assert pickle.loads(pickle.dumps(LIFSparse)) is LIFSparse
for name in ("LIFSparse", "random_weights"):
    try: getattr(rockpool_sparse, name)(3)
    except ModuleNotFoundError as error: print(error, *error.__notes__, sep="\\n")
rockpool.list_backends()
"""


def test_without_its_backend_it_says_what_is_missing(
    any_bare_python, numpy_python, installed: Path
) -> None:
    for python in (any_bare_python, numpy_python):
        said = python.python(MISSING, path=installed).splitlines()
        reason = "no module named 'scipy.sparse' is installed"
        for name, lines in (("LIFSparse", said[:3]), ("random_weights", said[3:6])):
            assert lines == [
                f"Missing the `sparse` backend. `{name}` objects, and others relying on `sparse` "
                "are not available.",
                f"The `sparse` back-end is missing: {reason}.",
                'To get it: pip install "rockpool-sparse[sparse]"',
            ]
        listed = said[-1].split(maxsplit=3)
        assert listed == ["sparse", "missing", "-", 'pip install "rockpool-sparse[sparse]"']


def test_the_readme_shows_what_is_said() -> None:
    readme = (EXAMPLE / "README.md").read_text()
    for line in (
        "Missing the `sparse` backend. `LIFSparse` objects, and others relying on `sparse` are not "
        "available.",
        "The `sparse` back-end is missing: no module named 'scipy.sparse' is installed.",
        'To get it: pip install "rockpool-sparse[sparse]"',
    ):
        assert line in readme


def test_it_heals_when_scipy_comes(make_environment, installed: Path) -> None:
    python = make_environment("numpy")
    spec = find_spec("scipy")
    assert spec is not None and spec.origin is not None
    packages = Path(spec.origin).parents[1]
    links = [(str(path), str(python.site_packages / path.name)) for path in packages.glob("scipy*")]
    code = f"""
import os
import numpy as np
import rockpool_sparse
from rockpool_sparse import LIFSparse, random_weights
try: LIFSparse(3, np.eye(3))
except ModuleNotFoundError: print("missing")
for source, target in {links!r}: os.symlink(source, target)
made = LIFSparse(3, random_weights((3, 3), 0.5, seed=0))
print(made(np.ones((1, 4, 3)))[0].shape, type(made) is rockpool_sparse.LIFSparse)
"""
    assert python.python(code, path=installed).splitlines() == ["missing", "(1, 4, 3) True"]
