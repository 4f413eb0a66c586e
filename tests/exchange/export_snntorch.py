"""Networks of snntorch 1.0.0, as its export_to_nir writes them (dt is 0.1 ms, always)."""

from functools import partial
from pathlib import Path

import cases
import nir
import snntorch as snn
import torch
from snntorch.export_nir import export_to_nir
from torch_layers import STYLES, conv2d, linear


def leaky(n, beta=0.9, threshold=1.0, **how):
    """Leaky with a beta and a threshold for each neuron: those that are scalars cannot be exported."""
    full = partial(torch.full, (n,) if isinstance(n, int) else n)
    beta = full(beta) if isinstance(beta, float) else torch.tensor(beta)
    threshold = full(threshold) if isinstance(threshold, float) else torch.tensor(threshold)
    return snn.Leaky(beta=beta, threshold=threshold, init_hidden=True, **how)


def synaptic(n, alpha=0.8, beta=0.9, threshold=1.0, **how):
    """Synaptic with an alpha, a beta and a threshold for each neuron."""
    alpha = torch.full((n,), alpha) if isinstance(alpha, float) else torch.tensor(alpha)
    beta = torch.full((n,), beta) if isinstance(beta, float) else torch.tensor(beta)
    threshold = torch.full((n,), threshold)
    return snn.Synaptic(alpha=alpha, beta=beta, threshold=threshold, init_hidden=True, **how)


def recurrent(kind, n, seed, all_to_all=True, gain=0.5, **values):
    """RLeaky or RSynaptic with fixed recurrent weights."""
    how = {"linear_features": n} if all_to_all else {"V": torch.zeros(n)}
    layer = kind(**values, all_to_all=all_to_all, init_hidden=True, **how)
    if all_to_all:
        layer.recurrent.weight.data = torch.tensor(cases.weights(seed, n, n, gain=gain))
        layer.recurrent.bias.data = torch.tensor(cases.weights(seed + 1, n, gain=0.1))
    else:
        layer.recurrent.V.data = torch.tensor(cases.weights(seed, n, gain=gain))
    return layer


def write(folder: Path, name: str, layers, shape, seed=0, steps=cases.STEPS, style="plain"):
    """Export the layers, run them step by step and write the case."""
    spiking = [layer for layer in layers if isinstance(layer, snn.SpikingNeuron)]
    spiking[-1].output = spiking[-1] is layers[-1]
    network = torch.nn.Sequential(*layers)
    x = cases.inputs(seed, *shape, steps=steps)

    def first(result):
        return result[0] if isinstance(result, tuple) else result

    hidden, out = [], []
    spiking[0].register_forward_hook(lambda _m, _x, result: hidden.append(first(result)))
    with torch.no_grad():
        out = [first(network(torch.tensor(step)[None]))[0] for step in x]
    seen = torch.stack(hidden)[:, 0]
    for layer in spiking:
        layer.reset_mem()
    sample = torch.tensor(x[0]) if len(shape) == 1 else torch.tensor(x[0])[None]
    extra = {} if len(shape) == 1 else {"ignore_dims": [0]}
    nir.write(folder / f"{name}.nir", export_to_nir(STYLES[style](network), sample, **extra))
    cases.save(folder, name, x, torch.stack(out).numpy(), seen.numpy())


def two(neuron, seed=0, bias=None, gain=0.5, **how):
    """A network of 3, 4 and 2 of one kind of neuron."""
    first, second = linear(seed, 4, 3, gain, bias), linear(seed + 1, 2, 4, 2 * gain, bias)
    return [first, neuron(4, **how), second, neuron(2, **how)]


def of_two(neuron, seed=0, bias=None, gain=0.5, style="plain", **how):
    """How to write a case of such a network."""
    return lambda folder, name: write(
        folder, name, two(neuron, seed, bias, gain, **how), (3,), seed=seed, style=style
    )


def hetero(folder, name):
    """Another beta and another threshold for each neuron."""
    layers = [
        linear(7, 6, 5, 0.5),
        leaky(6, cases.between(1, 0.6, 0.97, 6), cases.between(2, 0.5, 1.5, 6)),
        linear(8, 3, 6, 0.8),
        leaky(3, cases.between(3, 0.6, 0.97, 3), cases.between(4, 0.5, 1.5, 3)),
    ]
    write(folder, name, layers, (5,), seed=7)


def synaptic_hetero(folder, name):
    """Another alpha and another beta for each neuron."""
    layers = [
        linear(9, 6, 5, 0.3),
        synaptic(6, cases.between(5, 0.5, 0.9, 6), cases.between(6, 0.6, 0.97, 6)),
        linear(10, 3, 6, 0.3),
        synaptic(3, cases.between(7, 0.5, 0.9, 3), cases.between(8, 0.6, 0.97, 3)),
    ]
    write(folder, name, layers, (5,), seed=8)


def deep(folder, name):
    """Twelve layers, so that the names of the nodes in the file are out of order."""
    layers = []
    for i, (n_in, n_out) in enumerate(cases.DEEP):
        layers += [linear(20 + i, n_out, n_in, 0.4, bias=0.1), leaky(n_out, 0.85)]
    write(folder, name, layers, (8,), seed=9, steps=200)


def flatten_first(folder, name):
    """Data of rows and columns, flattened."""
    layers = [torch.nn.Flatten(), linear(40, 6, 12, 0.3), leaky(6), linear(41, 3, 6), leaky(3)]
    write(folder, name, layers, (3, 4), seed=10)


def convolution(folder, name, **how):
    """Conv2d, Leaky, AvgPool2d, Flatten, Linear, Leaky."""
    layer = conv2d(42, 3, 2, 3, 0.15, padding=1)
    rest = [torch.nn.AvgPool2d(2), torch.nn.Flatten(), linear(44, 4, 27, 0.4), leaky(4, **how)]
    write(folder, name, [layer, leaky((3, 6, 6), **how), *rest], (2, 6, 6), seed=11)


def images(*layers_of, shape=(2, 6, 6), seed=60):
    """How to write a case of layers for data of channels, rows and columns."""

    def written(folder, name):
        write(folder, name, [make() for make in layers_of], shape, seed=seed)

    return written


def convolved(out, *, kernel=3, gain=0.3, n_in=2, **how):
    """How to write a case of a convolution, then Leaky of that shape, flattened into two."""
    size = out[0] * out[1] * out[2]
    return images(
        lambda: conv2d(61, out[0], n_in, kernel, gain, **how),
        lambda: leaky(out),
        torch.nn.Flatten,
        lambda: linear(62, 2, size, 4 / size),
        lambda: leaky(2),
        shape=(n_in, 6, 6),
    )


def pooled(out, *pool):
    """How to write a case of a pool before a convolution of one by one."""
    return images(
        lambda: torch.nn.AvgPool2d(*pool),
        lambda: conv2d(63, 2, 2, 1, 0.8),
        lambda: leaky((2, *out)),
    )


def weights_last(folder, name):
    """Weights behind the last neurons."""
    layers = [*two(leaky, 65), linear(66, 3, 2)]
    write(folder, name, layers, (3,), seed=65)


def two_recurrent(folder, name):
    """Two recurrent layers in a row, each with a beta for each neuron."""
    layers = [
        linear(67, 4, 3, 0.5),
        recurrent(snn.RLeaky, 4, 68, gain=0.2, beta=torch.tensor(cases.between(8, 0.6, 0.97, 4))),
        linear(69, 3, 4),
        recurrent(snn.RLeaky, 3, 70, False, beta=torch.tensor(cases.between(9, 0.6, 0.97, 3))),
    ]
    write(folder, name, layers, (3,), seed=67)


def with_recurrence(
    kind, after, seed, all_to_all=True, reset="subtract", reset_delay=True, **values
):
    """How to write a case with a recurrent layer of four, then two plain neurons."""

    how = {"reset_mechanism": reset, "reset_delay": reset_delay}

    def written(folder, name):
        layers = [
            linear(seed, 4, 3, 0.5),
            recurrent(kind, 4, seed + 1, all_to_all, **how, **values),
            linear(seed + 2, 2, 4),
            after(2, **how),
        ]
        write(folder, name, layers, (3,), seed=seed)

    return written


CASES = {
    "snntorch_leaky": of_two(leaky),
    "snntorch_leaky_zero": of_two(leaky, reset_mechanism="zero"),
    "snntorch_leaky_none": of_two(leaky, reset_mechanism="none", gain=0.18),
    "snntorch_leaky_nodelay": of_two(leaky, reset_delay=False),
    "snntorch_leaky_zero_nodelay": of_two(leaky, reset_mechanism="zero", reset_delay=False),
    "snntorch_leaky_bias": of_two(leaky, seed=3, bias=0.2),
    "snntorch_leaky_beta99": of_two(leaky, seed=4, gain=0.2, beta=0.99),
    "snntorch_leaky_beta5": of_two(leaky, seed=5, gain=1.0, beta=0.5, threshold=0.7),
    "snntorch_leaky_named": of_two(leaky, seed=18, style="named"),
    "snntorch_leaky_inner": of_two(leaky, seed=20, style="inner"),
    "snntorch_leaky_hetero": hetero,
    "snntorch_leaky_deep": deep,
    "snntorch_leaky_flatten": flatten_first,
    "snntorch_leaky_conv": convolution,
    "snntorch_leaky_conv_zero": partial(convolution, reset_mechanism="zero"),
    "snntorch_synaptic": of_two(synaptic, seed=12, gain=0.2),
    "snntorch_synaptic_zero": of_two(synaptic, seed=12, gain=0.2, reset_mechanism="zero"),
    "snntorch_synaptic_nodelay": of_two(synaptic, seed=12, gain=0.2, reset_delay=False),
    "snntorch_synaptic_named": of_two(synaptic, seed=19, gain=0.2, style="named"),
    "snntorch_synaptic_hetero": synaptic_hetero,
    "snntorch_rleaky": with_recurrence(snn.RLeaky, leaky, 13, gain=0.2, beta=0.9),
    "snntorch_rleaky_diagonal": with_recurrence(snn.RLeaky, leaky, 14, False, beta=0.9),
    "snntorch_rleaky_zero": with_recurrence(
        snn.RLeaky, leaky, 15, gain=0.2, reset="zero", beta=0.9
    ),
    "snntorch_rsynaptic": with_recurrence(
        snn.RSynaptic, synaptic, 16, gain=0.03, alpha=0.8, beta=0.9
    ),
    "snntorch_rsynaptic_diagonal": with_recurrence(
        snn.RSynaptic, synaptic, 17, False, gain=0.05, alpha=0.8, beta=0.9
    ),
    "snntorch_leaky_nodelay_strong": of_two(leaky, seed=21, gain=3.0, reset_delay=False),
    "snntorch_leaky_beta1": of_two(leaky, seed=22, gain=0.3, beta=1.0),
    "snntorch_leaky_beta0": of_two(leaky, seed=23, gain=1.5, beta=0.0),
    "snntorch_leaky_weights": weights_last,
    "snntorch_leaky_graded": of_two(leaky, seed=24, graded_spikes_factor=0.5),
    "snntorch_leaky_conv_stride": convolved((3, 2, 2), stride=2),
    "snntorch_leaky_conv_dilation": convolved((3, 4, 4), padding=1, dilation=2),
    "snntorch_leaky_conv_groups": convolved((4, 4, 4), groups=2),
    "snntorch_leaky_conv_depthwise": convolved((6, 4, 4), n_in=3, groups=3),
    "snntorch_leaky_conv_same": convolved((3, 6, 6), padding="same"),
    "snntorch_leaky_conv_same4": convolved((3, 6, 6), kernel=4, padding="same"),
    "snntorch_leaky_conv_nobias": convolved((3, 4, 4), bias=False),
    "snntorch_leaky_pool": pooled((2, 2), 3),
    "snntorch_leaky_pool_stride": pooled((4, 4), 3, 1),
    "snntorch_leaky_pool_oblong": pooled((2, 3), (3, 2)),
    "snntorch_synaptic_nodelay_strong": of_two(synaptic, seed=26, gain=1.0, reset_delay=False),
    "snntorch_synaptic_zero_nodelay": of_two(
        synaptic, seed=27, gain=0.2, reset_mechanism="zero", reset_delay=False
    ),
    "snntorch_synaptic_none": of_two(synaptic, seed=28, gain=0.03, reset_mechanism="none"),
    "snntorch_rleaky_nodelay": with_recurrence(
        snn.RLeaky, leaky, 29, gain=0.4, reset_delay=False, beta=0.9
    ),
    "snntorch_rleaky_none": with_recurrence(
        snn.RLeaky, leaky, 31, gain=0.02, reset="none", beta=0.6
    ),
    "snntorch_rleaky_zero_nodelay": with_recurrence(
        snn.RLeaky, leaky, 33, gain=0.4, reset="zero", reset_delay=False, beta=0.9
    ),
    "snntorch_rleaky_two": two_recurrent,
    "snntorch_rsynaptic_zero": with_recurrence(
        snn.RSynaptic, synaptic, 35, gain=0.03, reset="zero", alpha=0.8, beta=0.9
    ),
}

if __name__ == "__main__":
    cases.write_all(CASES)
