"""Networks of sinabs 3.1.3, as its to_nir writes them (with nir 1.0.4; its step is 1)."""

from functools import partial
from pathlib import Path

import cases
import nir
import sinabs.layers as sl
import torch
from sinabs.activation import MembraneReset, SingleSpike
from sinabs.nir import to_nir
from torch_layers import STYLES, conv2d, linear


def each(n, value):
    """One value for each neuron."""
    return torch.full((n,), value) if isinstance(value, float) else torch.tensor(value)


def lif(n, tau=20.0, threshold=1.0, **how):
    """LIF with a time constant and a threshold for each neuron."""
    return sl.LIF(tau_mem=each(n, tau), spike_threshold=each(n, threshold), **how)


def iaf(n, threshold=2.0, **how):
    """IAF with a threshold for each neuron."""
    return sl.IAF(spike_threshold=each(n, threshold), **how)


def expleak(n, tau=20.0, **how):
    """ExpLeak with a time constant for each neuron."""
    return sl.ExpLeak(tau_mem=each(n, tau), **how)


def write(folder: Path, name: str, layers, x, style="plain"):
    """Export the layers, run them over all steps and write the case."""
    network = torch.nn.Sequential(*layers)
    stateful = [layer for layer in layers if isinstance(layer, sl.StatefulLayer)]
    hidden = []
    handle = stateful[0].register_forward_hook(lambda _m, _x, result: hidden.append(result))
    with torch.no_grad():
        out = network(torch.tensor(x)[None])[0]
    handle.remove()
    for layer in stateful:
        layer.reset_states()
    nir.write(folder / f"{name}.nir", to_nir(STYLES[style](network), torch.tensor(x[:5])[None]))
    cases.save(folder, name, x, out.numpy(), hidden[0][0].numpy())


def of_two(neuron, seed=0, bias=None, gain=1.0, style="plain", **how):
    """How to write a case of 3, 4 and 2 of one kind of neuron."""

    def written(folder, name):
        layers = [
            linear(seed, 4, 3, gain, bias),
            neuron(4, **how),
            linear(seed + 1, 2, 4, gain, bias),
            neuron(2, **how),
        ]
        write(folder, name, layers, cases.inputs(seed, 3), style)

    return written


def hetero(folder, name):
    """Another time constant and another threshold for each neuron."""
    tau, threshold = partial(cases.between, 1, 5.0, 40.0), partial(cases.between, 2, 0.5, 1.5)
    layers = [
        linear(5, 6, 5, 0.4),
        lif(6, tau(6), threshold(6), norm_input=False),
        linear(6, 3, 6, 0.4),
        lif(3, tau(3), threshold(3), norm_input=False),
    ]
    write(folder, name, layers, cases.inputs(5, 5))


def deep(folder, name):
    """Twelve layers, so that the names of the nodes in the file are out of order."""
    layers = []
    for i, (n_in, n_out) in enumerate(cases.DEEP):
        layers += [linear(20 + i, n_out, n_in, 0.25, 0.05), lif(n_out, norm_input=False)]
    write(folder, name, layers, cases.inputs(6, 8, steps=200))


def readout(folder, name):
    """Spikes, then a membrane that does not fire."""
    layers = [linear(3, 4, 3, 0.4), lif(4, norm_input=False), linear(4, 2, 4), expleak(2)]
    write(folder, name, layers, cases.inputs(3, 3))


def convolution(folder, name):
    """Conv2d, IAF, SumPool2d, Flatten, Linear, IAF, on steps that are given as a batch."""
    layer = conv2d(42, 3, 2, 3, 0.15, padding=1)
    x = cases.inputs(11, 2, 6, 6)
    first, last = (sl.IAFSqueeze(batch_size=1, spike_threshold=torch.tensor(1.0)) for _ in "ab")
    network = torch.nn.Sequential(
        layer, first, sl.SumPool2d(2), torch.nn.Flatten(), linear(44, 4, 27, 0.05), last
    )
    hidden = []
    handle = first.register_forward_hook(lambda _m, _x, result: hidden.append(result))
    with torch.no_grad():
        out = network(torch.tensor(x))
    handle.remove()
    graph = to_nir(network, torch.tensor(x[:1]))
    graph.infer_types()  # else its Conv2d has no input_shape, and cannot be written
    nir.write(folder / f"{name}.nir", graph)
    cases.save(folder, name, x, out.numpy(), hidden[0].numpy())


CASES = {
    "sinabs_lif": of_two(lif, gain=8.0),
    "sinabs_lif_nonorm": of_two(lif, gain=0.4, norm_input=False),
    "sinabs_lif_nonorm_bias": of_two(lif, seed=2, gain=0.4, bias=0.1, norm_input=False),
    "sinabs_lif_nonorm_tau3": of_two(lif, seed=3, tau=3.0, norm_input=False),
    "sinabs_lif_norm_tau3": of_two(lif, seed=3, gain=4.0, tau=3.0),
    "sinabs_lif_named": of_two(lif, seed=9, gain=8.0, style="named"),
    "sinabs_lif_inner": of_two(lif, seed=12, gain=8.0, style="inner"),
    "sinabs_lif_tausyn": of_two(lif, gain=0.3, tau_syn=10.0, norm_input=False),
    "sinabs_lif_single": of_two(lif, gain=2.0, norm_input=False, spike_fn=SingleSpike),
    "sinabs_lif_reset": of_two(lif, gain=0.4, norm_input=False, reset_fn=MembraneReset()),
    "sinabs_lif_minv": of_two(lif, seed=38, gain=0.5, bias=-0.3, norm_input=False, min_v_mem=-0.0),
    "sinabs_lif_hetero": hetero,
    "sinabs_lif_deep": deep,
    "sinabs_lif_readout": readout,
    "sinabs_iaf": of_two(iaf, gain=0.5),
    "sinabs_iaf_bias": of_two(iaf, seed=7, gain=0.5, bias=0.1),
    "sinabs_iaf_named": of_two(iaf, seed=10, gain=0.5, style="named"),
    "sinabs_iaf_many": of_two(iaf, seed=8, gain=6.0),
    "sinabs_iaf_single": of_two(iaf, seed=8, gain=6.0, spike_fn=SingleSpike),
    "sinabs_iaf_conv": convolution,
    "sinabs_expleak": of_two(expleak, gain=0.4),
    "sinabs_expleak_norm": of_two(expleak, gain=0.4, norm_input=True),
}

if __name__ == "__main__":
    cases.write_all(CASES)
