"""Modules that evolve another one with dropped or rounded parameters."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest

from rockpool.nn.combinators import Residual, Sequential
from rockpool.nn.modules import (
    LIF,
    Conv2d,
    Conv2dJax,
    ExpSyn,
    ExpSynJax,
    LIFJax,
    Linear,
    LinearJax,
    LinearTorch,
)
from rockpool.transform import dropout, mismatch_generator, param_transformer, quantize
from rockpool.transform.dropout import Dropout
from rockpool.transform.mismatch import module_registery
from rockpool.transform.quantize import StochasticQuantize

LINEAR = {"numpy": Linear, "jax": LinearJax}
LIFS = {"numpy": LIF, "jax": LIFJax}


@pytest.fixture(params=["numpy", "jax"])
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_parameters_are_dropped_with_the_probability(backend: str) -> None:
    linear = LINEAR[backend]((100, 100), weight=np.ones((100, 100)))
    found = Dropout(linear, "weights", 0.25).transformed_parameters()["weight"]
    assert float(np.mean(found == 0)) == pytest.approx(0.25, abs=0.03)


def test_parameters_are_rounded_by_chance(backend: str) -> None:
    linear = LINEAR[backend]((100, 100), weight=np.full((100, 100), 2.25))
    found = StochasticQuantize(linear).transformed_parameters()["weight"]
    assert set(np.unique(found)) == {2.0, 3.0}
    assert float(np.mean(found)) == pytest.approx(2.25, abs=0.03)


def test_the_module_keeps_its_parameters(backend: str) -> None:
    net = Sequential(LINEAR[backend]((2, 3)), LIFS[backend](3))
    before = np.array(net[0].weight)
    module = Dropout(net, "weights", 1.0)
    output, state, record = module(np.ones((1, 5, 2)), record=True)
    assert not np.any(np.asarray(record["module"][f"0_{LINEAR[backend].__name__}_output"]))
    assert output.shape == (1, 5, 3)
    assert "vmem" in state["module"][f"1_{LIFS[backend].__name__}"]
    np.testing.assert_array_equal(net[0].weight, before)
    assert repr(module) == f"{'Jax' if backend == 'jax' else 'Mod'}Dropout({net!r})"


def test_families_have_probabilities_of_their_own(backend: str) -> None:
    layer = LIFS[backend](50, tau_mem=0.02, bias=np.ones(50))
    found = Dropout(layer, ["bias", "taus"], [1.0, 0.0]).transformed_parameters()
    assert not np.any(found["bias"])
    np.testing.assert_allclose(found["tau_mem"], 0.02, rtol=1e-6)


@pytest.mark.parametrize("make", [lambda net: Dropout(net, prob=1.0), StochasticQuantize])
def test_time_constants_and_thresholds_are_changed_by_name_only(make: Any, backend: str) -> None:
    net = Sequential(
        LINEAR[backend]((2, 3), weight=np.full((2, 3), 0.4)),
        LIFS[backend](3, tau_mem=0.02, threshold=0.7, bias=np.full(3, 0.1)),
    )
    module = make(net)
    neurons = module.transformed_parameters()[f"1_{LIFS[backend].__name__}"]
    for name in ("tau_mem", "tau_syn", "threshold"):
        np.testing.assert_array_equal(neurons[name], getattr(net[1], name))
    assert set(np.unique(neurons["bias"])) <= {0, 1}
    assert np.isfinite(module(np.ones((1, 5, 2)))[0]).all()


def test_neurons_with_nothing_to_drop_are_refused(backend: str) -> None:
    synapses = {"numpy": ExpSyn, "jax": ExpSynJax}[backend](3)
    said = r"no parameters of \[None\] in ExpSyn\w*; by name, there are taus$"
    with pytest.raises(ValueError, match=said):
        Dropout(synapses)
    assert not np.any(Dropout(synapses, "taus", 1.0).transformed_parameters()["tau"])


def test_a_key_gives_other_numbers_each_time() -> None:
    module = Dropout(LinearJax((8, 8)), rng_key=jax.random.PRNGKey(1))
    _, state, _ = module(np.ones((1, 1, 8)))
    again = module.set_attributes(state)
    first, second = (m.transformed_parameters()["weight"] == 0 for m in (module, again))
    assert np.any(first != second)
    same = Dropout(LinearJax((8, 8)), rng_key=jax.random.PRNGKey(1))
    np.testing.assert_array_equal(same.transformed_parameters()["weight"] == 0, first)


def test_it_is_compiled_and_has_gradients() -> None:
    module = Dropout(LinearJax((8, 8)), prob=0.5, rng_key=jax.random.PRNGKey(1))

    @jax.jit
    def loss(parameters: Any) -> Any:
        return module.set_attributes(parameters)(np.ones((1, 1, 8)))[0].sum()

    grads = jax.grad(loss)(module.parameters())["module"]["weight"]
    kept = module.transformed_parameters()["weight"] != 0
    np.testing.assert_array_equal(np.asarray(grads) != 0, kept)


def test_classes_of_jax_are_reached_from_the_files_of_numpy() -> None:
    assert isinstance(Dropout(LinearJax((2, 2))), dropout.JaxDropout)
    assert isinstance(StochasticQuantize(LinearJax((2, 2))), quantize.JaxStochasticQuantize)
    assert issubclass(dropout.JaxDropout, param_transformer.JaxParameterTransformerMixin)
    with pytest.raises(AttributeError):
        _ = dropout.JaxDrop


def test_errors(backend: str) -> None:
    with pytest.raises(TypeError, match="ModDropout: module must be a module, got 3"):
        Dropout(3)
    for made in (Dropout, StochasticQuantize):
        said = f"{made.__name__}: mod must be a module of numpy or jax, got LinearTorch"
        with pytest.raises(TypeError, match=said):
            made(LinearTorch((2, 2)))
    with pytest.raises(ValueError, match=r"prob must be within \[0, 1\], got 2"):
        Dropout(LINEAR[backend]((2, 2)), prob=2)
    with pytest.raises(ValueError, match="one of transform_params for each of the 2 families"):
        Dropout(LINEAR[backend]((2, 2)), ["weights", "bias"], [0.5])


# --- mismatch ------------------------------------------------------------------------------------------


def test_mismatch_is_of_the_chosen_parameters() -> None:
    module = LIFJax(2000, tau_mem=0.02)
    draw = mismatch_generator({"tau_mem": True, "tau_syn": False}, 0.3, 3.0)
    drawn = module.set_attributes(draw(module, jax.random.PRNGKey(0)))
    ratio = np.asarray(drawn.tau_mem) / 0.02
    assert ratio.shape == module.tau_mem.shape
    assert not np.array_equal(drawn.tau_mem, module.tau_mem)
    np.testing.assert_array_equal(drawn.tau_syn, module.tau_syn)


def test_mismatch_of_many_values_has_the_deviation_asked_for() -> None:
    module = LIFJax(2000, bias=np.ones(2000))
    tree = mismatch_generator({"bias": True}, 0.6, 2.0)(module, jax.random.PRNGKey(0))
    assert float(np.std(tree["bias"])) == pytest.approx(0.3, abs=0.03)
    assert tree["bias"].dtype == np.float32


def test_mismatch_has_the_precision_of_the_values() -> None:
    draw = mismatch_generator({"bias": True, "dt": True}, 0.3, 3.0)
    with jax.enable_x64(True):
        tree = draw(LIFJax(3, bias=np.full(3, 1 / 3)), jax.random.PRNGKey(0))
    assert tree["bias"].dtype == np.float64 and tree["dt"].dtype == np.float64
    single = draw(LIFJax(3, bias=np.full(3, 1 / 3, np.float32)), jax.random.PRNGKey(0))
    assert single["bias"].dtype == single["dt"].dtype == np.float32


def test_mismatch_of_a_network_and_of_settings() -> None:
    from rockpool.nn.modules import RateJax

    net = Sequential(LinearJax((2, 3)), RateJax(3, tau=0.02, bias=0.0, threshold=0.0))
    assert "activation_func" not in module_registery(net)["1_RateJax"]
    assert "dt" in module_registery(net)["1_RateJax"]
    tree = mismatch_generator({"0_LinearJax": {"weight": True}})(net, jax.random.PRNGKey(0))
    drawn = net.set_attributes(tree)
    assert np.all(drawn[0].weight != net[0].weight)
    with pytest.raises(KeyError, match=r"the prototype has '0_LinearJax\.w', which the module"):
        mismatch_generator({"0_LinearJax": {"w": True}})(net, jax.random.PRNGKey(0))


def test_a_family_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match=r"there are no parameters of \['wieghts'\] in Linear"):
        Dropout(Linear((3, 2)), "wieghts", 1.0)


def test_layers_of_images_are_wrapped(backend: str) -> None:
    kind = {"numpy": Conv2d, "jax": Conv2dJax}[backend]
    data = np.random.default_rng(0).random((1, 5, 6)).astype(np.float32)
    layer = kind((1, 2, 3), 1, 1)
    found = Residual(Dropout(layer, None, 0.0))(data)[0]
    np.testing.assert_array_equal(found, Residual(layer)(data)[0])
