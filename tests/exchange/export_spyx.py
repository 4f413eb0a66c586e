"""Networks of spyx 1.0.0, as its to_nir writes them (its step is 1 unless the name says another)."""

from pathlib import Path

import cases
import jax.numpy as jnp
import nir
import numpy as np
import spyx.nn as snn
from flax import nnx
from spyx.nir import to_nir

SEED = nnx.Rngs(0)


def linear(seed, n_out, n_in, gain=1.0, bias=None):
    """A linear layer with the weights of a seed; bias is the largest of its biases."""
    made = nnx.Linear(n_in, n_out, use_bias=bias is not None, rngs=SEED)
    made.kernel[...] = jnp.array(cases.weights(seed, n_out, n_in, gain=gain).T)
    if bias is not None:
        made.bias[...] = jnp.array(cases.weights(seed + 50, n_out, gain=bias))
    return made


def one(kind, n, threshold=1.0, **decays):
    """A layer of neurons; decays (alpha, beta) are one number, or one for each neuron."""
    made = kind((n,) if isinstance(n, int) else n, threshold=threshold, **_seeded(kind))
    for name, value in decays.items():
        getattr(made, name)[...] = jnp.broadcast_to(
            jnp.asarray(value, dtype=jnp.float32), getattr(made, name)[...].shape
        )
    return made


def _seeded(kind):
    """The generator, which all kinds but IF take."""
    return {} if kind is snn.IF else {"rngs": SEED}


def recurrent(kind, n, seed, gain=0.3, **decays):
    """A recurrent layer with the weights of a seed."""
    made = one(kind, n, **decays)
    made.recurrent_w[...] = jnp.array(cases.weights(seed, n, n, gain=gain))
    return made


def conv(seed, n_out, n_in, kernel, gain=0.15, **how):
    """A convolution with the weights of a seed."""
    made = nnx.Conv(n_in, n_out, kernel, rngs=SEED, **how)
    drawn = cases.weights(seed, n_out, n_in, *kernel, gain=gain)
    made.kernel[...] = jnp.array(drawn.transpose(2, 3, 1, 0))
    made.bias[...] = jnp.array(cases.weights(seed + 1, n_out, gain=gain / 10))
    return made


def images(*layers, n_out, shape=(2, 6, 6), seed=60, dt=1):
    """How to write a case of layers for data of channels, rows and columns."""
    return lambda folder, name: write(
        folder, name, [make() for make in layers], cases.inputs(seed, *shape), n_out, dt
    )


def convolved(out, kernel=(3, 3), gain=0.2, n_in=2, dt=1, **how):
    """How to write a case of a convolution and neurons, flattened into two."""
    channels, height, width = out
    return images(
        lambda: conv(61, channels, n_in, kernel, gain, **how),
        lambda: one(snn.LIF, (height, width, channels), beta=0.8),
        snn.Flatten,
        lambda: linear(62, 2, height * width * channels, 6 / (height * width * channels)),
        lambda: one(snn.LIF, 2, beta=0.8),
        n_out=2,
        shape=(n_in, 6, 6),
        dt=dt,
    )


def pooled(out, *pool, size=(6, 6)):
    """How to write a case of neurons, a pool, and weights."""
    count = 2 * out[0] * out[1]
    return images(
        lambda: conv(63, 2, 2, (1, 1), 0.6, padding="VALID"),
        lambda: one(snn.IF, (*size, 2)),
        lambda: snn.SumPool(*pool, channel_axis=-1),
        snn.Flatten,
        lambda: linear(64, 2, count, 4 / count),
        lambda: one(snn.LIF, 2, beta=0.8),
        n_out=2,
        shape=(2, *size),
    )


def spikes_of(*layers, n_out, n_in=3, seed=70, dt=1):
    """How to write a case of layers for flat data."""
    return lambda folder, name: write(
        folder, name, [make() for make in layers], cases.inputs(seed, n_in), n_out, dt
    )


def write(folder: Path, name: str, layers, x, n_out, dt=1, first=2):
    """Run the layers, export them and write the case; first counts those up to the hidden output."""
    network = snn.Sequential(*layers)
    image = x.ndim > 2
    data = jnp.array(np.moveaxis(x, 1, -1) if image else x)[:, None]
    out = np.asarray(snn.run(network, data)[0])[:, 0]
    hidden = np.asarray(snn.run(snn.Sequential(*layers[:first]), data)[0])[:, 0]
    if image:
        hidden = np.moveaxis(hidden, -1, 1)
    graph = to_nir(network, {"input": np.array(x.shape[1:])}, {"output": np.array([n_out])}, dt=dt)
    nir.write(folder / f"{name}.nir", graph)
    cases.save(folder, name, x, out, hidden, dt)


def of_two(kind, seed=0, bias=None, gain=0.5, dt=1, **how):
    """How to write a case of 3, 4 and 2 of one kind of neuron."""

    def written(folder, name):
        layers = [
            linear(seed, 4, 3, gain, bias),
            one(kind, 4, **how),
            linear(seed + 1, 2, 4, 2 * gain, bias),
            one(kind, 2, **how),
        ]
        write(folder, name, layers, cases.inputs(seed, 3), 2, dt)

    return written


def with_recurrence(kind, after, seed=0, gain=0.5, dt=1, **how):
    """How to write a case with a recurrent layer of four, then two plain neurons."""

    def written(folder, name):
        layers = [
            linear(seed, 4, 3, gain),
            recurrent(kind, 4, seed + 2, **how),
            linear(seed + 1, 2, 4, 2 * gain),
            one(after, 2, **how),
        ]
        write(folder, name, layers, cases.inputs(seed, 3), 2, dt)

    return written


def hetero(kind, *decays):
    """How to write a case with other decays and thresholds for each neuron."""

    def written(folder, name):
        def neurons(n, seed):
            values = {name: cases.between(seed + i, 0.5, 0.97, n) for i, name in enumerate(decays)}
            return one(kind, n, jnp.array(cases.between(seed + 5, 0.5, 1.5, n)), **values)

        layers = [linear(7, 6, 5, 0.4), neurons(6, 1), linear(8, 3, 6, 0.6), neurons(3, 11)]
        write(folder, name, layers, cases.inputs(7, 5), 3)

    return written


def deep(folder, name):
    """Twelve layers: the names of the nodes in the file are out of order, twelve steps late."""
    layers = []
    for i, (n_in, n_out) in enumerate(cases.DEEP):
        layers += [linear(20 + i, n_out, n_in, 0.4, 0.1), one(snn.LIF, n_out, beta=0.85)]
    write(folder, name, layers, cases.inputs(6, 8, steps=200), 5)


def convolution(kind, dt=1, padding="SAME", gain=0.15, **how):
    """How to write a case of Conv, neurons, SumPool, Flatten, Linear, neurons."""

    def written(folder, name):
        size = 6 if padding == "SAME" else 4
        pooled = size // 2
        first = nnx.Conv(2, 3, (3, 3), padding=padding, rngs=SEED)
        kernel = cases.weights(42, 3, 2, 3, 3, gain=gain).transpose(2, 3, 1, 0)
        first.kernel[...] = jnp.array(kernel)
        first.bias[...] = jnp.array(cases.weights(43, 3, gain=gain / 10))
        # Seen: spyx writes the weights behind Flatten as they are, for data of rows x columns x
        # channels, though NIR's Flatten is of channels x rows x columns.
        layers = [
            first,
            one(kind, (size, size, 3), **how),
            snn.SumPool((2, 2), (2, 2), "VALID", channel_axis=-1),
            snn.Flatten(),
            linear(44, 4, 3 * pooled * pooled, 0.1),
            one(kind, 4, **how),
        ]
        write(folder, name, layers, cases.inputs(11, 2, 6, 6), 4, dt)

    return written


CASES = {
    "spyx_lif": of_two(snn.LIF, beta=0.9),
    "spyx_lif_dt1e-3": of_two(snn.LIF, beta=0.9, dt=1e-3),
    "spyx_lif_dt1e-4": of_two(snn.LIF, seed=2, beta=0.8, dt=1e-4),
    "spyx_lif_bias": of_two(snn.LIF, seed=3, bias=0.2, beta=0.9),
    "spyx_lif_beta99": of_two(snn.LIF, seed=4, gain=0.2, beta=0.99),
    "spyx_lif_beta5": of_two(snn.LIF, seed=5, gain=1.0, beta=0.5),
    "spyx_lif_hetero": hetero(snn.LIF, "beta"),
    "spyx_lif_deep": deep,
    "spyx_lif_conv": convolution(snn.LIF, beta=0.9),
    "spyx_lif_conv_valid_dt1e-3": convolution(snn.LIF, 1e-3, "VALID", beta=0.9),
    "spyx_cubalif": of_two(snn.CuBaLIF, gain=0.2, alpha=0.8, beta=0.9),
    "spyx_cubalif_dt1e-3": of_two(snn.CuBaLIF, gain=0.2, alpha=0.8, beta=0.9, dt=1e-3),
    "spyx_cubalif_hetero": hetero(snn.CuBaLIF, "alpha", "beta"),
    "spyx_if": of_two(snn.IF, gain=0.3),
    "spyx_if_dt1e-3": of_two(snn.IF, seed=6, gain=0.3, dt=1e-3),
    "spyx_if_conv": convolution(snn.IF),
    "spyx_rlif": with_recurrence(snn.RLIF, snn.LIF, beta=0.9),
    "spyx_rlif_dt1e-3": with_recurrence(snn.RLIF, snn.LIF, seed=8, beta=0.9, dt=1e-3),
    "spyx_rcubalif": with_recurrence(snn.RCuBaLIF, snn.CuBaLIF, gain=0.2, alpha=0.8, beta=0.9),
    "spyx_rif": with_recurrence(snn.RIF, snn.IF, gain=0.2),
    "spyx_psu_lif": of_two(snn.PSU_LIF, gain=0.18, beta=0.9),
    "spyx_lif_conv_stride": convolved((3, 2, 2), padding="VALID", strides=(2, 2)),
    "spyx_lif_conv_same4": convolved((3, 6, 6), (4, 4), padding="SAME"),
    "spyx_lif_conv_pads": convolved((3, 6, 6), padding=((1, 1), (1, 1)), dt=1e-3),
    "spyx_lif_pool": pooled((2, 2), (3, 3), (3, 3), "VALID"),
    "spyx_lif_pool_stride": pooled((4, 4), (3, 3), (1, 1), "VALID"),
    "spyx_lif_pool_oblong": pooled((2, 3), (3, 2), (3, 2), "VALID"),
    "spyx_lif_pool_same": pooled((3, 3), (2, 2), (2, 2), "SAME", size=(5, 5)),
    "spyx_lif_flatten_first": images(
        snn.Flatten,
        lambda: linear(66, 3, 24, 0.1),
        lambda: one(snn.LIF, 3, beta=0.9),
        n_out=3,
        shape=(2, 3, 4),
    ),
    "spyx_rlif_hetero": spikes_of(
        lambda: linear(67, 4, 3, 0.5),
        lambda: recurrent(snn.RLIF, 4, 68, beta=jnp.array(cases.between(3, 0.5, 0.97, 4))),
        lambda: linear(69, 3, 4, 0.6),
        lambda: recurrent(snn.RLIF, 3, 70, beta=0.7),
        n_out=3,
    ),
    "spyx_rcubalif_dt1e-3": spikes_of(
        lambda: linear(71, 4, 3, 0.3),
        lambda: recurrent(
            snn.RCuBaLIF,
            4,
            72,
            alpha=jnp.array(cases.between(4, 0.5, 0.9, 4)),
            beta=jnp.array(cases.between(5, 0.5, 0.95, 4)),
        ),
        n_out=4,
        dt=1e-3,
    ),
    "spyx_rif_dt1e-3": with_recurrence(snn.RIF, snn.IF, 73, gain=0.2, dt=1e-3),
    "spyx_kinds": spikes_of(
        lambda: linear(74, 6, 4, 0.4),
        lambda: one(snn.IF, 6, threshold=0.8),
        lambda: linear(75, 5, 6, 0.4, 0.1),
        lambda: one(snn.LIF, 5, beta=0.85),
        lambda: linear(76, 4, 5, 0.3),
        lambda: one(snn.CuBaLIF, 4, alpha=0.7, beta=0.9),
        lambda: linear(77, 3, 4, 0.5),
        lambda: one(snn.PSU_LIF, 3, beta=0.6),
        n_out=3,
        n_in=4,
    ),
    "spyx_associative_lif": of_two(snn.AssociativeLIF, 78, gain=0.18, beta=0.9),
    "spyx_lif_readout": spikes_of(
        lambda: linear(79, 4, 3, 0.5),
        lambda: one(snn.LIF, 4, beta=0.9),
        lambda: linear(80, 2, 4, 0.5),
        lambda: snn.LI((2,), rngs=SEED),
        n_out=2,
    ),
    "spyx_lif_left_out": spikes_of(
        lambda: linear(81, 4, 3, 0.5),
        lambda: one(snn.LIF, 4, beta=0.9),
        lambda: one(snn.ALIF, 4, beta=0.8, gamma=0.5),
        lambda: linear(82, 2, 4, 0.9),
        lambda: one(snn.LIF, 2, beta=0.8),
        n_out=2,
    ),
    "spyx_lif_beta1": of_two(snn.LIF, 83, gain=0.2, beta=1.0),
    "spyx_lif_beta0": of_two(snn.LIF, 84, gain=1.0, beta=0.0),
    "spyx_lif_weights": spikes_of(
        lambda: linear(85, 4, 3, 0.5),
        lambda: one(snn.LIF, 4, beta=0.9),
        lambda: linear(86, 2, 4, 0.5, 0.1),
        n_out=2,
    ),
    "spyx_psu_lif_dt1e-3": of_two(snn.PSU_LIF, 87, gain=0.18, beta=0.9, dt=1e-3),
}

if __name__ == "__main__":
    cases.write_all(CASES)
