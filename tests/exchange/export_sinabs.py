"""Networks of sinabs 3.1.3, as its to_nir writes them (with nir 1.0.4; its step is 1)."""

from functools import partial
from pathlib import Path

import cases
import nir
import sinabs.layers as sl
import torch
from sinabs.activation import MembraneReset, MembraneSubtract, SingleSpike
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


def images(*layers_of, shape=(2, 6, 6), seed=60):
    """How to write a case of layers for data of channels, rows and columns, all of a batch of 1."""

    def written(folder, name):
        x = cases.inputs(seed, *shape)
        layers = [make() for make in layers_of]
        network = torch.nn.Sequential(*layers)
        hidden = []
        first = next(layer for layer in layers if isinstance(layer, sl.StatefulLayer))
        handle = first.register_forward_hook(lambda _m, _x, result: hidden.append(result))
        with torch.no_grad():
            out = network(torch.tensor(x))
        handle.remove()
        graph = to_nir(network, torch.tensor(x[:1]))
        if any(isinstance(layer, torch.nn.Conv2d) for layer in layers):
            graph.infer_types()
        nir.write(folder / f"{name}.nir", graph)
        cases.save(folder, name, x, out.numpy(), hidden[0].numpy())

    return written


def convolved(out, kernel=3, gain=0.15, n_in=2, **how):
    """How to write a case of a convolution, then IAF, flattened into two."""
    size = out[0] * out[1] * out[2]
    return images(
        lambda: conv2d(61, out[0], n_in, kernel, gain, **how),
        lambda: sl.IAFSqueeze(batch_size=1, spike_threshold=torch.tensor(1.0)),
        torch.nn.Flatten,
        lambda: linear(62, 2, size, 2 / size),
        lambda: sl.IAFSqueeze(batch_size=1, spike_threshold=torch.tensor(1.0)),
        shape=(n_in, 6, 6),
    )


def pooled(out, *pool):
    """How to write a case of a pool between IAFs."""
    size = 2 * out[0] * out[1]
    return images(
        lambda: conv2d(63, 2, 2, 1, 0.5),
        lambda: sl.IAFSqueeze(batch_size=1, spike_threshold=torch.tensor(1.0)),
        lambda: sl.SumPool2d(*pool),
        torch.nn.Flatten,
        lambda: linear(64, 2, size, 2 / size),
        lambda: sl.IAFSqueeze(batch_size=1, spike_threshold=torch.tensor(1.0)),
    )


def squeezed_lif(n, tau, **how):
    """LIFSqueeze with a time constant for each neuron."""
    return sl.LIFSqueeze(
        batch_size=1, tau_mem=each(n, tau), spike_threshold=each(n, 1.0), norm_input=False, **how
    )


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
    "sinabs_lif_tau09": of_two(lif, seed=13, gain=1.5, tau=0.9),
    "sinabs_lif_tau1": of_two(lif, seed=14, gain=1.5, tau=1.0, norm_input=False),
    "sinabs_lif_tau300": of_two(lif, seed=15, gain=0.3, tau=300.0, norm_input=False),
    "sinabs_lif_threshold": of_two(lif, seed=16, gain=0.7, threshold=2.5, norm_input=False),
    "sinabs_lif_reset_norm": of_two(lif, seed=17, gain=8.0, reset_fn=MembraneReset()),
    "sinabs_lif_subtract_value": of_two(
        lif, seed=19, gain=0.5, norm_input=False, reset_fn=MembraneSubtract(subtract_value=0.7)
    ),
    "sinabs_iaf_reset": of_two(iaf, seed=20, gain=0.5, reset_fn=MembraneReset()),
    "sinabs_iaf_minv": of_two(iaf, seed=21, gain=0.8, bias=-0.3, min_v_mem=-1.0),
    "sinabs_iaf_hetero": of_two(lambda n: iaf(n, cases.between(7, 0.5, 2.5, n)), 22, gain=0.5),
    "sinabs_iaf_squeezed": images(
        lambda: linear(23, 4, 3, 0.5),
        lambda: sl.IAFSqueeze(batch_size=1, spike_threshold=each(4, 1.0)),
        lambda: linear(24, 2, 4, 0.5),
        lambda: sl.IAFSqueeze(batch_size=1, spike_threshold=each(2, 1.0)),
        shape=(3,),
    ),
    "sinabs_lif_squeezed": images(
        lambda: linear(25, 4, 3, 0.8),
        lambda: squeezed_lif(4, 12.0),
        lambda: linear(26, 2, 4, 0.8),
        lambda: squeezed_lif(2, 8.0),
        shape=(3,),
    ),
    "sinabs_expleak_bias": of_two(expleak, seed=27, gain=0.4, bias=0.2),
    "sinabs_iaf_conv_stride": convolved((3, 2, 2), stride=2),
    "sinabs_iaf_conv_dilation": convolved((3, 4, 4), padding=1, dilation=2),
    "sinabs_iaf_conv_oblong": convolved((3, 4, 5), (3, 2)),
    "sinabs_iaf_conv_groups": convolved((4, 4, 4), groups=2),
    "sinabs_iaf_conv_depthwise": convolved((6, 4, 4), n_in=3, groups=3),
    "sinabs_iaf_conv_same": convolved((3, 6, 6), 4, padding="same"),
    "sinabs_iaf_conv_nobias": convolved((3, 4, 4), bias=False),
    "sinabs_iaf_pool": pooled((2, 2), 3),
    "sinabs_iaf_pool_stride": pooled((4, 4), 3, 1),
    "sinabs_iaf_pool_oblong": pooled((2, 3), (3, 2)),
    "sinabs_iaf_pool_odd": pooled((1, 1), 4),
}

if __name__ == "__main__":
    cases.write_all(CASES)
