"""Gradients of the jax modules, by reverse and by forward mode."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads
from support import golden

from rockpool.nn.modules.jax import ExpSynJax, JaxModule, LIFJax, LIFODEJax, RateJax
from rockpool.nn.modules.jax._loops.lif import LIFParameters, LIFState, lif_loop
from rockpool.nn.modules.jax.lif_jax import clip_gradient, step_pwl

DATA = golden.inputs(2, 6, 4, 1.5)


def assert_close(found: Any, expected: Any, rtol: float) -> None:
    def compare(a: Any, b: Any) -> None:
        scale = float(jnp.max(jnp.abs(b))) if np.size(b) else 0.0
        np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol * scale)

    jax.tree.map(compare, found, expected)


# -- the surrogate -------------------------------------------------------------------------------


def test_step_pwl() -> None:
    x = jnp.array([-1.0, 0.2, 0.5, 1.0, 2.5, 9e9])

    spikes = step_pwl(x, 1.0)
    of_x, of_threshold = jax.vmap(jax.grad(step_pwl, (0, 1)), (0, None))(x, 1.0)

    assert spikes.tolist() == [0, 0, 0, 1, 2, 2**16]
    assert of_x.tolist() == [0, 0, 1, 1, 1, 1]
    np.testing.assert_allclose(of_threshold, [0, 0, -0.5, -1, -2.5, -9e9])


def test_step_pwl_with_other_settings() -> None:
    gradient = jax.grad(step_pwl, (0, 1))(1.5, 2.0, 1.0)

    assert gradient == (0.5, -0.375)
    assert step_pwl(7.0, 2.0, 0.5, 2.0) == 2
    assert jax.grad(step_pwl)(1.4, 2.0, 0.5) == 0


def test_clip_gradient() -> None:
    def clipped(x: Any) -> Any:
        return clip_gradient(-1.0, 0.5, x**2)

    assert clipped(3.0) == 9
    assert jax.grad(lambda x: 10 * clipped(x))(3.0) == 0.5 * 6
    assert jax.grad(lambda x: -10 * clipped(x))(3.0) == -1.0 * 6


# -- the derivative of the loop against that of its steps ----------------------------------------


def plain_loop(
    x: Any, state: LIFState, p: LIFParameters, noise: Any = None
) -> tuple[Any, LIFState, dict[str, Any]]:
    """The model as it is written down, differentiated by JAX itself."""
    shape = state.isyn.shape

    def step(state: LIFState, inputs: tuple[Any, Any]) -> tuple[LIFState, dict[str, Any]]:
        x, noise = inputs
        irec = jnp.zeros(shape) if p.w_rec is None else (state.spikes @ p.w_rec).reshape(shape)
        isyn = (state.isyn + x.reshape(shape) + irec) * p.beta
        vmem = state.vmem * p.alpha + isyn.sum(-1) + p.bias + (0 if noise is None else noise)
        spikes = step_pwl(vmem, p.threshold, 0.5, p.max_spikes)
        vmem = vmem - spikes * p.threshold
        records = {"vmem": vmem, "isyn": isyn, "irec": irec, "spikes": spikes}
        return LIFState(vmem, isyn, spikes), records

    swapped = jax.tree.map(lambda values: values.swapaxes(0, 1), (x, noise))
    final, records = jax.lax.scan(step, state, swapped)
    records = {name: values.swapaxes(0, 1) for name, values in records.items()}
    return records["spikes"], final, records


def arguments(recurrent: bool, noisy: bool) -> tuple[Any, ...]:
    rng = np.random.default_rng(0)

    def draw(*shape: int) -> Any:
        return jnp.asarray(rng.uniform(0.2, 0.9, shape), jnp.float32)

    parameters = LIFParameters(
        alpha=draw(2),
        beta=draw(1, 2),
        bias=draw(),
        threshold=1 + draw(2),
        w_rec=draw(2, 4) - 0.5 if recurrent else None,
        max_spikes=jnp.float32(3),
    )
    state = LIFState(draw(3, 2), draw(3, 2, 2), jnp.round(draw(3, 2)))
    return draw(3, 7, 4), state, parameters, draw(3, 7, 2) if noisy else None


@pytest.mark.parametrize(
    ("recurrent", "noisy"), [(False, False), (True, True)], ids=["feed-forward", "recurrent, noisy"]
)
def test_the_derivative_of_the_loop(recurrent: bool, noisy: bool) -> None:
    primals = arguments(recurrent, noisy)
    rng = np.random.default_rng(1)
    tangents = jax.tree.map(lambda p: jnp.asarray(rng.normal(size=p.shape), p.dtype), primals)

    @jax.jit
    def by_forward_mode(primals: Any, tangents: Any) -> Any:
        return [jax.jvp(loop, primals, tangents) for loop in (lif_loop, plain_loop)]

    (values, derivatives), (expected, expected_derivatives) = by_forward_mode(primals, tangents)
    assert_close(values, expected, 1e-5)
    assert_close(derivatives, expected_derivatives, 1e-4)
    cotangents = jax.tree.map(lambda v: jnp.asarray(rng.normal(size=v.shape), v.dtype), values)

    @jax.jit
    def by_reverse_mode(primals: Any, cotangents: Any) -> Any:
        return [jax.vjp(loop, *primals)[1](cotangents) for loop in (lif_loop, plain_loop)]

    gradients, expected_gradients = by_reverse_mode(primals, cotangents)
    assert_close(gradients, expected_gradients, 1e-4)


def test_each_argument_has_its_gradient_alone() -> None:
    primals = arguments(recurrent=True, noisy=False)
    leaves, structure = jax.tree.flatten(primals)

    def loss(loop: Any, leaves: Any) -> Any:
        output, final, records = loop(*jax.tree.unflatten(structure, leaves))
        return jnp.sum(output**2) + jnp.sum(final.vmem**3) + jnp.sum(records["isyn"])

    def alone(index: int) -> Any:
        before, after = leaves[:index], leaves[index + 1 :]
        return jax.grad(lambda leaf: loss(lif_loop, [*before, leaf, *after]))(leaves[index])

    chosen = [0, 2, 3, 4, 5, 7, 8]  # input, currents, spikes, decays, threshold, weights
    found, expected = jax.jit(
        lambda: ([alone(index) for index in chosen], jax.grad(loss, 1)(plain_loop, leaves))
    )()
    assert_close(found, [expected[index] for index in chosen], 1e-4)


def test_second_derivatives() -> None:
    x, state, parameters, _ = arguments(recurrent=False, noisy=False)

    def unrolled(x: Any, state: LIFState, p: LIFParameters) -> tuple[Any, LIFState, Any]:
        # JAX itself forgets in a scan that spikes have a surrogate gradient of second order
        vmem, isyn, output = state.vmem, state.isyn, []
        for t in range(x.shape[1]):
            isyn = (isyn + x[:, t].reshape(isyn.shape)) * p.beta
            vmem = vmem * p.alpha + isyn.sum(-1) + p.bias
            output.append(step_pwl(vmem, p.threshold, 0.5, p.max_spikes))
            vmem = vmem - output[-1] * p.threshold
        return jnp.stack(output, 1), LIFState(vmem, isyn, output[-1]), {}

    def loss(loop: Any, bias: Any) -> Any:
        output, final, _ = loop(x[:, :4], state, parameters._replace(bias=bias))
        return jnp.sum(output**2) + jnp.sum(final.vmem**3)

    hessians = jax.jit(lambda b: [jax.hessian(loss, 1)(f, b) for f in (lif_loop, unrolled)])

    found, expected = hessians(parameters.bias)
    assert_close(found, expected, 1e-4)


# -- modules -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "module",
    [
        RateJax(4, tau=0.01, has_rec=True, activation_func="tanh"),
        ExpSynJax(4, tau=0.005),
        LIFODEJax((4, 2), threshold=0.05),
    ],
    ids=lambda module: type(module).__name__,
)
@pytest.mark.slow
def test_forward_and_reverse_mode_agree(module: JaxModule) -> None:
    def loss(parameters: Any) -> Any:
        return jnp.sum(module.set_attributes(parameters)(DATA)[0] ** 2)

    forward, reverse = jax.jit(lambda p: (jax.jacfwd(loss)(p), jax.grad(loss)(p)))(
        module.parameters()
    )

    assert_close(forward, reverse, 1e-4)
    assert any(float(jnp.abs(leaf).max()) > 0 for leaf in jax.tree.leaves(reverse))


@pytest.mark.slow
def test_gradients_of_smooth_modules_are_those_of_finite_differences() -> None:
    with jax.enable_x64(True):
        rate = RateJax(2, tau=[0.01, 0.02], has_rec=True, activation_func="tanh")
        syn = ExpSynJax(2, tau=[0.01, 0.02])
        data = golden.inputs(1, 5, 2)
        for module in (rate, syn):
            check_grads(
                lambda p, module=module: module.set_attributes(p)(data)[0],
                (module.parameters(),),
                order=1,
                eps=1e-6,
                rtol=1e-5,
            )


@pytest.mark.parametrize(
    "derivative",
    [
        jax.grad,
        jax.jacfwd,
        jax.jacrev,
        lambda f: jax.jit(jax.grad(f)),
        lambda f: lambda x: jax.vmap(jax.grad(f))(x[None])[0],
    ],
    ids=["grad", "jacfwd", "jacrev", "jit", "vmap"],
)
def test_gradients_by_time_constants_are_as_exact_as_doubles(derivative: Any) -> None:
    def of_exp_syn(tau: Any) -> Any:
        return ExpSynJax(1).set_attributes({"tau": tau})(data)[0].sum()

    def of_lif(taus: Any) -> Any:
        layer = LIFJax(1, threshold=1e3).set_attributes(
            {"tau_mem": taus[:1], "tau_syn": taus[1:, None]}
        )
        return layer(data, record=True)[2]["vmem"].sum()

    def exp_syn_written_out(tau: Any) -> Any:
        isyn, outputs = 0.0, 0.0
        for x in data[0, :, 0]:
            isyn = (isyn + x) * jnp.exp(-1e-3 / tau[0])
            outputs += isyn
        return outputs

    def lif_written_out(taus: Any) -> Any:
        alpha, beta = jnp.exp(-1e-3 / taus)
        isyn, vmem, sum_vmem = 0.0, 0.0, 0.0
        for x in data[0, :, 0]:
            isyn = (isyn + x) * beta
            vmem = vmem * alpha + isyn
            sum_vmem += vmem
        return sum_vmem

    with jax.enable_x64(True):
        data, taus = jnp.full((1, 9, 1), 0.3), jnp.array([0.02, 0.03])
        for function, written_out, at in (
            (of_exp_syn, exp_syn_written_out, taus[:1]),
            (of_lif, lif_written_out, taus),
        ):
            expected = jax.grad(written_out)(at)
            np.testing.assert_allclose(derivative(function)(at), expected, rtol=1e-12)


def test_the_state_passes_gradients_on() -> None:
    layer = LIFJax((4, 2), has_rec=True, w_rec=golden.weights(2, 4), **golden.LIF_CONSTANTS)

    def in_two_parts(parameters: Any, n_steps: int) -> Any:
        first = layer.set_attributes(parameters).keep_batch_state()
        output, state, _ = first(DATA[:, :n_steps])
        rest, _, _ = first.set_attributes(state)(DATA[:, n_steps:])
        return jnp.sum(output**2) + jnp.sum(rest**2)

    def at_once(parameters: Any) -> Any:
        return jnp.sum(layer.set_attributes(parameters)(DATA)[0] ** 2)

    parts = jax.jit(jax.grad(lambda p: in_two_parts(p, 3)))(layer.parameters())
    assert_close(parts, jax.jit(jax.grad(at_once))(layer.parameters()), 1e-5)
