"""Compiled kernels under the jax modules: the same answers as the scans, and all derivatives."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from rockpool.nn.kernels.switch import use_kernels
from rockpool.nn.modules.jax import ExpSynJax, LIFJax, RateJax
from rockpool.nn.modules.jax._kernels import dispatch, exp_syn, lif, rate
from rockpool.nn.modules.jax._loops.exp_syn import exp_syn_loop
from rockpool.nn.modules.jax._loops.lif import LIFParameters, LIFState, lif_loop
from rockpool.nn.modules.jax._loops.rate import RateParameters, rate_loop
from rockpool.nn.modules.jax.rate_jax import H_ReLU, H_sigmoid, H_tanh

B, T, N = 2, 20, 3
# largest difference of gradients, in parts of the largest gradient of the same array
TOLERANCE = {np.dtype("float32"): 2e-6, np.dtype("float64"): 1e-12}


@pytest.fixture(autouse=True)
def kernels() -> Iterator[None]:
    with use_kernels(True):
        yield


SLOW = pytest.mark.slow  # the kernels of double precision take a minute to compile


@pytest.fixture(params=["single", pytest.param("double", marks=SLOW)])
def precision(request: pytest.FixtureRequest) -> Iterator[None]:
    with jax.enable_x64(True) if request.param == "double" else nullcontext():
        yield


def numbers(*shape: int, low: float = 0.0, high: float = 1.0, seed: int = 0) -> jax.Array:
    drawn = np.random.default_rng([seed, *shape]).uniform(low, high, shape)
    return jnp.asarray(drawn)


def dyadic(values: jax.Array) -> jax.Array:
    """Return values whose sums are exact, whatever the order."""
    return jnp.round(values * 2**16) / 2**16


def assert_close(found: Any, expected: Any) -> None:
    """Compare trees of gradients, each in parts of its largest one."""
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        assert a.shape == b.shape and a.dtype == b.dtype
        assert jnp.all(jnp.abs(a - b) <= TOLERANCE[b.dtype] * jnp.abs(b).max())


Loop = Callable[..., Any]


def lif_inputs(n_synapses: int, recurrent: bool) -> dict[str, Any]:
    values = {
        "x": numbers(B, T, N * n_synapses, high=0.8 / n_synapses),
        "alpha": numbers(N, low=0.9, high=0.97),
        "beta": numbers(N, n_synapses, low=0.9, high=0.97, seed=1),
        "bias": numbers(N, low=-0.02, high=0.05),
        "threshold": numbers(N, low=0.7, high=1.2),
        "vmem": numbers(B, N, low=-0.5, high=0.5),
        "isyn": numbers(B, N, n_synapses, high=0.1),
        "spikes": jnp.ones((B, N)),
    }
    if recurrent:
        values["w_rec"] = dyadic(numbers(N, N * n_synapses, low=-0.15, high=0.1))
    return values


def evolve_lif(loop: Loop, p: dict[str, Any], noise: Any = None, most: float = 2.0**16) -> Any:
    parameters = LIFParameters(
        p["alpha"], p["beta"], p["bias"], p["threshold"], p.get("w_rec"), jnp.asarray(most)
    )
    state = LIFState(p["vmem"], p["isyn"], p["spikes"])
    return loop(p["x"], state, parameters, noise)


def evolve_rate(loop: Loop, p: dict[str, Any], act_fn: Any) -> Any:
    parameters = RateParameters(p["gain"], p["bias"], p["threshold"], p.get("w_rec"), act_fn)
    return loop(p["x"], p["state"], parameters, p["noise"])


def weighted_sum(results: Any) -> jax.Array:
    """Return a number to differentiate: all results, with a weight each."""
    leaves = jax.tree.leaves(results)
    return sum(jnp.sum(leaf * numbers(*leaf.shape, seed=i)) for i, leaf in enumerate(leaves))


def compare(evolve: Callable[[Loop, Any], Any], kernel: Loop, loop: Loop, inputs: Any) -> Any:
    """Compare results, and the gradients of them all, and of the output alone."""

    @jax.jit
    def both(inputs: Any) -> Any:
        return [
            (
                evolve(f, inputs),
                jax.grad(lambda p, f=f: weighted_sum(evolve(f, p)))(inputs),
                jax.grad(lambda p, f=f: weighted_sum(evolve(f, p)[0]))(inputs),
            )
            for f in (kernel, loop)
        ]

    (found, *gradients), (expected, *expected_gradients) = both(inputs)
    # What is left of a membrane after many spikes has the rounding error of what was there before
    largest = max(float(jnp.abs(leaf).max()) for leaf in jax.tree.leaves(expected))
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        assert a.shape == b.shape and a.dtype == b.dtype
        tolerance = 1e-6 if b.dtype == jnp.float32 else 1e-14
        np.testing.assert_allclose(a, b, rtol=2 * tolerance, atol=tolerance * largest)
    assert_close(gradients, expected_gradients)
    return found, expected


@pytest.mark.parametrize(
    ("n_synapses", "recurrent", "precision"),
    [
        pytest.param(1, False, "double", marks=SLOW),
        pytest.param(2, True, "double", marks=SLOW),
        (1, True, "single"),
        (2, False, "single"),
    ],
    indirect=["precision"],
)
def test_lif_kernels_do_what_the_scan_does(
    n_synapses: int, recurrent: bool, precision: None
) -> None:
    found, expected = compare(evolve_lif, lif.lif, lif_loop, lif_inputs(n_synapses, recurrent))
    assert found[0].sum() > 0 and jnp.array_equal(found[0], expected[0])


def test_noise_few_spikes_and_parameters_that_all_neurons_share() -> None:
    noise = numbers(B, T, N, low=-0.1, high=0.1)
    inputs = lif_inputs(2, False)
    shared = {name: inputs[name][0] for name in ("alpha", "threshold")}
    inputs |= shared | {"beta": inputs["beta"][:1], "bias": jnp.asarray(0.9)}

    def evolve(loop: Loop, p: Any) -> Any:
        return evolve_lif(loop, p, noise, most=2.0)

    found, _ = compare(evolve, lif.lif, lif_loop, inputs)
    assert found[0].max() == 2


def test_synapse_kernels_do_what_the_scan_does(precision: None) -> None:
    inputs = {"x": numbers(B, T, N), "isyn": numbers(B, N), "beta": numbers(N, low=0.5)}

    def evolve(loop: Loop, p: Any) -> Any:
        return loop(p["x"], p["isyn"], p["beta"])

    compare(evolve, exp_syn.exp_syn, exp_syn_loop, inputs)


@pytest.mark.parametrize(
    ("recurrent", "act_fn"),
    [(False, H_ReLU), (True, H_ReLU), (True, H_tanh), (False, H_sigmoid)],
    ids=["ReLU", "recurrent ReLU", "recurrent tanh", "sigmoid"],
)
def test_rate_kernels_do_what_the_scan_does(recurrent: bool, act_fn: Any) -> None:
    inputs = {
        "x": numbers(B, T, N, low=-1.0),
        "state": numbers(B, N),
        "gain": numbers(N, low=0.02, high=0.2),
        "bias": numbers(N, low=-0.1, high=0.1),
        "threshold": jnp.zeros(N),
        "noise": numbers(B, T, N, low=-0.1, high=0.1),
    }
    if recurrent:
        inputs["w_rec"] = numbers(N, N, low=-0.4, high=0.4)
    inputs["state"] = inputs["state"].at[0].set(0.0)  # at the threshold

    def evolve(loop: Loop, p: Any) -> Any:
        return evolve_rate(loop, p, act_fn)

    compare(evolve, rate.rate, rate_loop, inputs)


def spikes_of(loop: Loop) -> Callable[[jax.Array, jax.Array], jax.Array]:
    """Return the spikes of a LIF layer as a function of input and one parameter."""

    def function(x: jax.Array, alpha: jax.Array) -> jax.Array:
        inputs = lif_inputs(1, False) | {"x": x, "alpha": alpha}
        output, _, records = evolve_lif(loop, inputs)
        return output.sum(1) * jnp.arange(1.0, N + 1) + 0.1 * records["vmem"].sum(1)

    return function


def loss_of(function: Callable[..., jax.Array]) -> Callable[..., jax.Array]:
    return lambda x, alpha: jnp.sum(function(x, alpha) ** 2)


DERIVATIVES: dict[str, Callable[[Any], Any]] = {
    "forward mode": lambda f: lambda x, a: jax.jvp(f, (x, a), (x * 2, a * 3)),
    "jacobian forward": lambda f: jax.jacfwd(f, argnums=1),
    "jacobian backward": lambda f: jax.jacrev(f, argnums=1),
    "checkpoint": lambda f: jax.grad(jax.checkpoint(loss_of(f)), argnums=(0, 1)),
    "linearize": lambda f: lambda x, a: jax.linearize(f, x, a)[1](x, a),
    "hessian": lambda f: jax.hessian(loss_of(f), argnums=1),
    "gradient of a gradient": lambda f: jax.grad(
        lambda x, a: jnp.sum(jax.grad(loss_of(f), argnums=1)(x, a) ** 2), argnums=(0, 1)
    ),
    "gradient in a scan": lambda f: jax.grad(
        lambda x, a: jax.lax.scan(lambda c, s: (c + loss_of(f)(x * s, a), None), 0.0, jnp.ones(2))[
            0
        ]
    ),
}


@pytest.mark.parametrize("name", DERIVATIVES)
def test_derivatives_are_those_of_the_scan(name: str) -> None:
    arguments = lif_inputs(1, False)["x"], lif_inputs(1, False)["alpha"]
    derivatives = [DERIVATIVES[name](spikes_of(loop)) for loop in (lif.lif, lif_loop)]
    found, expected = jax.jit(lambda *values: [f(*values) for f in derivatives])(*arguments)
    assert any(leaf.any() for leaf in jax.tree.leaves(expected))
    assert_close(found, expected)


def test_derivatives_where_the_membrane_is_not_written() -> None:
    arguments = lif_inputs(1, False)["x"], lif_inputs(1, False)["alpha"]

    def alone(loop: Loop) -> Callable[..., Any]:
        @jax.checkpoint
        def function(x: jax.Array, alpha: jax.Array) -> jax.Array:
            output = evolve_lif(loop, lif_inputs(1, False) | {"x": x, "alpha": alpha})[0]
            return jnp.sum(output.sum(1) ** 2)

        def gradient(x: jax.Array, alpha: jax.Array) -> jax.Array:
            return jnp.sum(jax.grad(function, argnums=1)(x, alpha) ** 2)

        return lambda x, a: (
            jax.vmap(function, in_axes=(1, None))(x[:, None], a),
            jax.jvp(function, (x, a), (x * 2, a * 3)),
            jax.grad(gradient, argnums=(0, 1))(x, a),
        )

    functions = [alone(loop) for loop in (lif.lif, lif_loop)]
    found, expected = jax.jit(lambda *values: [f(*values) for f in functions])(*arguments)
    assert all(leaf.any() for leaf in jax.tree.leaves(expected))
    assert_close(found, expected)


MAPPED: dict[str, Callable[[Any], Any]] = {
    "results": lambda f: jax.vmap(f, in_axes=(1, None), out_axes=1),
    "results with other parameters": lambda f: jax.vmap(f, in_axes=(1, 0)),
    "gradients": lambda f: jax.vmap(jax.grad(loss_of(f), argnums=(0, 1)), in_axes=(1, 0)),
    "under a gradient": lambda f: jax.grad(
        lambda x, a: jax.vmap(loss_of(f), in_axes=(1, 0))(x, a).sum(), argnums=(0, 1)
    ),
}


@pytest.mark.parametrize("name", MAPPED)
def test_mapped_over_a_batch(name: str) -> None:
    x, alpha = lif_inputs(1, False)["x"], lif_inputs(1, False)["alpha"]
    xs = jnp.stack([x, x / 2, x * 2], axis=1)
    alphas = alpha if name == "results" else jnp.stack([alpha, alpha**2, alpha**3])
    mapped = [MAPPED[name](spikes_of(loop)) for loop in (lif.lif, lif_loop)]
    found, expected = jax.jit(lambda *values: [f(*values) for f in mapped])(xs, alphas)
    assert_close(found, expected)


@pytest.mark.slow
def test_without_jit_and_with_checks() -> None:
    arguments = lif_inputs(1, False)["x"], lif_inputs(1, False)["alpha"]
    gradient = jax.grad(loss_of(spikes_of(lif.lif)), argnums=1)
    expected = gradient(*arguments)
    with jax.disable_jit():
        assert_close(gradient(*arguments), expected)
    with jax.checking_leaks(), jax.debug_nans(True):
        assert_close(jax.jit(gradient)(*arguments), expected)


# -- in the modules --------------------------------------------------------------------------------

MODULES: dict[str, Callable[[], Any]] = {
    "LIFJax": lambda: LIFJax(4),
    "recurrent LIFJax": lambda: LIFJax((8, 4), has_rec=True, w_rec=np.full((4, 8), 0.125)),
    "ExpSynJax": lambda: ExpSynJax(4),
    "RateJax": lambda: RateJax(4),
}


@pytest.mark.parametrize("name", MODULES)
def test_modules_use_kernels(name: str, caplog: pytest.LogCaptureFixture) -> None:
    layer = MODULES[name]()
    x = numbers(3, 5, layer.size_in)
    jax.clear_caches()
    with caplog.at_level(logging.DEBUG, "rockpool.kernels"):
        output, state, record = layer(x)
        assert "kernel" in caplog.text and "scan" not in caplog.text
        caplog.clear()
        with use_kernels(False):
            expected, other_state, other_record = layer(x)
        assert "scan (kernels are turned off)" in caplog.text
    np.testing.assert_allclose(output, expected, rtol=1e-6, atol=1e-6)
    assert state.keys() == other_state.keys() and record.keys() == other_record.keys()
    for key, value in (other_state | other_record).items():
        np.testing.assert_allclose((state | record)[key], value, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", ["LIFJax", "recurrent LIFJax"])
def test_the_membrane_is_written_where_it_is_used(name: str) -> None:
    layer = MODULES[name]()
    x = numbers(20, 500, layer.size_in)
    calls = {
        "spikes": jax.jit(lambda layer, x: layer(x)[0]),
        "record": jax.jit(lambda layer, x: layer(x, record=True)[::2]),
        "gradient": jax.jit(jax.grad(lambda layer, x: layer(x)[0].sum(), argnums=1)),
    }
    # the kernel is told by an array without elements that it is not
    spared = {}
    for key, function in calls.items():
        lines = function.lower(layer, x).as_text().splitlines()
        (forward,) = (line for line in lines if "lif_forward" in line)
        spared[key] = "tensor<0xf32>" in forward
    assert spared == {"spikes": True, "record": False, "gradient": False}
    with jax.debug_nans(True):
        assert jnp.array_equal(calls["spikes"](layer, x), calls["record"](layer, x)[0])


def test_functions_and_types_that_kernels_do_not_know() -> None:
    x = numbers(2, 3, 4)
    unknown = dispatch.chosen_loop("rate", rate_loop, x, True, jnp.subtract)
    assert unknown is rate_loop
    assert dispatch.chosen_loop("lif", lif_loop, x.astype(jnp.bfloat16), True) is lif_loop
    assert dispatch.chosen_loop("lif", lif_loop, x[:, :0], True) is lif_loop
    assert dispatch.chosen_loop("lif", lif_loop, x, True) is lif.lif


def test_another_version_of_the_interface(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "_api_version", lambda: (0, 99))
    assert not dispatch.kernels_serve()
    assert LIFJax(2)(jnp.ones((1, 3, 2)))[0].shape == (1, 3, 2)
    monkeypatch.undo()
    assert dispatch.kernels_serve()


@pytest.mark.slow
def test_numba_that_comes_later_is_used() -> None:
    code = (
        "import sys, numpy as np\n"
        "from rockpool.nn.modules import LIFJax\n"
        "from rockpool.nn.modules.jax._kernels.dispatch import kernels_serve\n"
        "class Absent:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.partition('.')[0] == 'numba':\n"
        "            raise ModuleNotFoundError('No module named numba', name='numba')\n"
        "sys.meta_path.insert(0, Absent())\n"
        "layer, data = LIFJax(2), np.ones((1, 3, 2), 'float32')\n"
        "before = layer(data)[0]\n"
        "print(kernels_serve())\n"
        "del sys.meta_path[0]\n"
        "print(kernels_serve(), bool((layer(data)[0] == before).all()))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True", "True"]


def test_no_more_of_numba_is_imported_than_is_needed() -> None:
    LIFJax(2)(np.ones((1, 3, 2), "float32"))  # now the machine code is on disk
    code = (
        "import sys, numpy as np\n"
        "from rockpool.nn.modules import LIFJax\n"
        "layer = LIFJax(2)\n"
        "print('numba' in sys.modules)\n"
        "layer(np.ones((1, 3, 2), 'float32'))\n"
        "print('numba' in sys.modules, 'numba.np.linalg' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True", "False"]


def test_scans_do_without_numba() -> None:
    code = (
        "import sys, numpy as np\n"
        "from rockpool.nn.kernels.switch import use_kernels\n"
        "from rockpool.nn.modules import LIFJax\n"
        "use_kernels(False)\n"
        "LIFJax(2)(np.ones((1, 3, 2), 'float32'))\n"
        "print('numba' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"]


def test_a_package_that_was_dropped_and_imported_again_has_kernels_too() -> None:
    """So have functions that were compiled before."""
    code = """
import gc, sys
import jax, numpy as np
functions = []
for _ in range(3):
    from rockpool.nn.modules import ExpSynJax
    functions.append(jax.jit(lambda data, layer=ExpSynJax(1, tau=np.inf): layer(data)[0]))
    for function in functions:
        for n in (2, 3 + len(functions)):
            assert function(np.ones((1, n, 1), np.float32)).ravel().tolist() == list(range(1, n + 1))
    for name in [name for name in sys.modules if name.partition(".")[0] == "rockpool"]:
        del sys.modules[name]
    del ExpSynJax
    gc.collect()
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_first_calls_from_several_threads() -> None:
    code = """
import threading
import jax, numpy as np
from rockpool.nn.modules import ExpSynJax
ready, outputs = threading.Barrier(6), []
def work(size):
    layer = ExpSynJax(size)
    ready.wait()
    outputs.append(jax.grad(lambda p: layer.set_attributes(p)(np.ones((1, 3, size)))[0].sum())(
        layer.parameters())["tau"].shape)
threads = [threading.Thread(target=work, args=[n]) for n in (1, 2, 3) * 2]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert sorted(outputs) == [(1,), (1,), (2,), (2,), (3,), (3,)], outputs
"""
    subprocess.run([sys.executable, "-c", code], check=True)
