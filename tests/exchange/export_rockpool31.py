"""Networks of SynSense rockpool 3.1.0, as its to_nir writes them (dt 1 ms unless named).

The package is run as a black box. Its name is that of this one: the environment holds the other.
"""

from pathlib import Path

import cases
import nir
import numpy as np
import torch

from rockpool.nn.combinators import Sequential
from rockpool.nn.modules import ExpSynTorch, LIFNeuronTorch, LIFTorch, LinearTorch, TorchModule
from rockpool.nn.modules.torch.nir import to_nir


def linear(seed, n_out, n_in, gain=1.0, bias=None):
    """A linear layer with the weights of a seed; bias is the largest of its biases."""
    values = {"weight": torch.tensor(cases.weights(seed, n_out, n_in, gain=gain).T)}
    if bias is not None:
        values["bias"] = torch.tensor(cases.weights(seed + 50, n_out, gain=bias))
    return LinearTorch((n_in, n_out), has_bias=bias is not None, **values)


def each(n, value):
    """One value for each neuron."""
    return torch.tensor(np.broadcast_to(np.float32(value), n).copy())


def lif(n, tau=20e-3, tau_syn=10e-3, threshold=4.0, bias=0.0, dt=1e-3, w_rec=None, **how):
    """LIFTorch: the input goes into a current."""
    if w_rec is not None:
        how |= {"has_rec": True, "w_rec": torch.tensor(w_rec)}
    return LIFTorch(
        n,
        tau_mem=each(n, tau),
        tau_syn=each(n, tau_syn),
        threshold=each(n, threshold),
        bias=each(n, bias),
        dt=dt,
        **how,
    )


def neuron(n, tau=20e-3, threshold=1.0, bias=0.0, dt=1e-3, **how):
    """LIFNeuronTorch: no current of its own."""
    return LIFNeuronTorch(
        n,
        tau_mem=each(n, tau),
        threshold=each(n, threshold),
        bias=each(n, bias),
        dt=dt,
        **how,
    )


def write(folder: Path, name: str, layers, x, dt=1e-3, exported=None):
    """Run the layers, export them and write the case."""
    network, first = Sequential(*layers), Sequential(*layers[:2])
    data = torch.tensor(x)[None]
    with torch.no_grad():
        hidden = first(data)[0][0]
        first.reset_state()
        network.reset_state()
        out = network(data)[0][0]
    network.reset_state()
    nir.write(folder / f"{name}.nir", to_nir(exported or network, data))
    cases.save(folder, name, x, out.numpy(), hidden.numpy(), dt)


class Named(TorchModule):
    """Layers as attributes, as the nodes of the file are then called; shapes have other axes."""

    def __init__(self, layers):
        super().__init__((3, 2))
        self.fc1, self.lif1, self.fc2, self.lif2 = layers

    def forward(self, x):
        for layer in (self.fc1, self.lif1, self.fc2, self.lif2):
            x = layer(x)[0]
        return x


def named(folder, name):
    """The network of `of_two` as attributes of a module."""
    layers = [linear(9, 4, 3, 0.4), lif(4), linear(10, 2, 4, 0.4), lif(2)]
    write(folder, name, layers, cases.inputs(9, 3), exported=Named(layers))


def of_two(kind, seed=0, gain=1.0, linear_bias=None, **how):
    """How to write a case of 3, 4 and 2 of one kind of neuron."""

    def written(folder, name):
        layers = [
            linear(seed, 4, 3, gain, linear_bias),
            kind(4, **how),
            linear(seed + 1, 2, 4, gain, linear_bias),
            kind(2, **how),
        ]
        write(folder, name, layers, cases.inputs(seed, 3), how.get("dt", 1e-3))

    return written


def hetero(folder, name):
    """Other time constants and another threshold for each neuron."""

    def neurons(n, seed):
        return lif(
            n,
            cases.between(seed, 10e-3, 40e-3, n),
            cases.between(seed + 1, 5e-3, 20e-3, n),
            cases.between(seed + 2, 3.0, 6.0, n),
        )

    layers = [linear(7, 6, 5, 0.3), neurons(6, 1), linear(8, 3, 6, 0.3), neurons(3, 11)]
    write(folder, name, layers, cases.inputs(7, 5))


def recurrent(folder, name):
    """A recurrent layer of four, then two plain neurons."""
    w_rec = cases.weights(3, 4, 4, gain=0.1)
    layers = [linear(0, 4, 3, 0.3), lif(4, w_rec=w_rec), linear(1, 2, 4, 0.3), lif(2)]
    write(folder, name, layers, cases.inputs(0, 3))


def deep(folder, name):
    """Twelve layers, so that the names of the nodes in the file are out of order."""
    layers = []
    for i, (n_in, n_out) in enumerate(cases.DEEP):
        layers += [linear(20 + i, n_out, n_in, 0.1), lif(n_out)]
    write(folder, name, layers, cases.inputs(6, 8, steps=200))


def row(*made, n_in=3, seed=20, dt=1e-3):
    """How to write a case of layers in a row."""
    return lambda folder, name: write(
        folder, name, [make() for make in made], cases.inputs(seed, n_in), dt
    )


def nested(folder, name):
    """Layers in a Sequential of Sequentials."""
    inner = Sequential(linear(21, 4, 3, 0.4), lif(4))
    layers = [inner, linear(22, 2, 4, 0.4), lif(2)]
    write(folder, name, layers, cases.inputs(21, 3))


CASES = {
    "rockpool_lif": of_two(lif, gain=1.2),
    "rockpool_lif_1spike": of_two(lif, gain=1.2, max_spikes_per_dt=1),
    "rockpool_lif_bias": of_two(lif, gain=0.4, bias=0.25),
    "rockpool_lif_affine": of_two(lif, seed=2, gain=0.3, linear_bias=0.05),
    "rockpool_lif_rec": recurrent,
    "rockpool_lif_hetero": hetero,
    "rockpool_lif_dt5e-4": of_two(lif, seed=3, gain=0.3, dt=5e-4),
    "rockpool_lif_dt1e-4": of_two(lif, seed=4, gain=0.1, dt=1e-4),
    "rockpool_lif_named": named,
    "rockpool_lif_deep": deep,
    "rockpool_lifneuron": of_two(neuron, gain=0.5),
    "rockpool_lifneuron_tau5": of_two(neuron, seed=5, gain=0.9, tau=5e-3),
    "rockpool_lif_nested": nested,
    "rockpool_lif_scalar": row(
        lambda: linear(23, 4, 3, 0.4),
        lambda: LIFTorch(4, tau_mem=0.02, tau_syn=0.01, threshold=2.0, dt=1e-3),
        lambda: linear(24, 2, 4, 0.4),
        lambda: lif(2),
    ),
    "rockpool_lif_weights": row(
        lambda: linear(25, 4, 3, 0.4), lambda: lif(4), lambda: linear(26, 2, 4, 0.5, 0.1)
    ),
    "rockpool_lif_alone": row(lambda: linear(27, 4, 3, 0.4), lambda: lif(4)),
    "rockpool_lif_kinds": row(
        lambda: linear(28, 4, 3, 0.4),
        lambda: lif(4, cases.between(1, 10e-3, 40e-3, 4), threshold=1.0),
        lambda: linear(29, 3, 4, 0.3),
        lambda: neuron(3, cases.between(2, 10e-3, 40e-3, 3)),
    ),
    "rockpool_lifneuron_hetero": of_two(
        lambda n: neuron(n, cases.between(3, 10e-3, 40e-3, n), cases.between(4, 0.5, 1.5, n)),
        seed=30,
        gain=0.5,
    ),
    "rockpool_lifneuron_dt1e-4": of_two(neuron, seed=31, gain=0.2, dt=1e-4),
    "rockpool_lifneuron_bias": of_two(neuron, seed=32, gain=0.3, bias=0.1),
    "rockpool_lif_many": of_two(lif, seed=33, gain=8.0),
    "rockpool_lif_dt2e-3": of_two(lif, seed=34, gain=0.8, dt=2e-3),
    "rockpool_expsyn": row(
        lambda: linear(35, 4, 3, 0.4),
        lambda: lif(4),
        lambda: linear(36, 2, 4, 0.4),
        lambda: ExpSynTorch(2, tau=each(2, 10e-3), dt=1e-3),
    ),
    "rockpool_lif_synapses": row(
        lambda: linear(37, 8, 3, 0.4),
        lambda: LIFTorch(
            (8, 4), tau_mem=each(4, 0.02), tau_syn=each(2, 0.01).expand(4, 2).clone(), dt=1e-3
        ),
    ),
}

if __name__ == "__main__":
    cases.write_all(CASES)
