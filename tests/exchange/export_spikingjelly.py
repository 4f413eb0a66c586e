"""Networks of spikingjelly 2.0.0, as its export_to_nir writes them (dt 0.1 ms unless named)."""

from functools import partial
from pathlib import Path

import cases
import torch
import torch_layers
from spikingjelly.activation_based import base, functional, layer, neuron
from spikingjelly.activation_based.nir_exchange import export_to_nir

linear = partial(torch_layers.linear, kind=layer.Linear)
conv2d = partial(torch_layers.conv2d, kind=layer.Conv2d)


def write(folder: Path, name: str, layers, x, dt=1e-4, mode="s", style="plain"):
    """Export the layers, run them (step by step, or in mode "m" at once) and write the case."""
    network = torch_layers.STYLES[style](torch.nn.Sequential(*layers))
    run_and_write(folder, name, network, x, dt, mode)


def run_and_write(folder: Path, name: str, network, x, dt=1e-4, mode="s"):
    """Export a network, run it and write the case."""
    functional.set_step_mode(network, mode)
    data = torch.tensor(x)[:, None]
    spiking = [module for module in network.modules() if isinstance(module, base.MemoryModule)]
    hidden = []
    handle = spiking[0].register_forward_hook(lambda _m, _x, result: hidden.append(result))
    with torch.no_grad():
        if mode == "m":
            out, seen = network(data)[:, 0], hidden[0][:, 0]
        else:
            out = torch.stack([network(step) for step in data])[:, 0]
            seen = torch.stack(hidden)[:, 0]
    handle.remove()
    functional.reset_net(network)
    export_to_nir(network, data if mode == "m" else data[0], folder / f"{name}.nir", dt=dt)
    cases.save(folder, name, x, out.numpy(), seen.numpy(), dt)


def of_two(neuron_of, seed=0, bias=None, gain=5.0, dt=1e-4, mode="s", style="plain", **how):
    """How to write a case of 3, 4 and 2 of one kind of neuron."""

    def written(folder, name):
        layers = [
            linear(seed, 4, 3, gain, bias),
            neuron_of(**how),
            linear(seed + 1, 2, 4, 2 * gain, bias),
            neuron_of(**how),
        ]
        write(folder, name, layers, cases.inputs(seed, 3), dt, mode, style)

    return written


def deep(folder, name):
    """Twelve layers, so that the names of the nodes in the file are out of order."""
    layers = []
    for i, (n_in, n_out) in enumerate(cases.DEEP):
        layers += [linear(20 + i, n_out, n_in, 2.0, bias=0.3), neuron.LIFNode(tau=3.0 + i)]
    write(folder, name, layers, cases.inputs(6, 8, steps=200))


def several_kinds(folder, name):
    """IFNode, LIFNode and CUBALIFNode one after another."""
    layers = [
        linear(50, 6, 4, 0.4),
        neuron.IFNode(v_threshold=0.8),
        linear(51, 5, 6, 2.0),
        neuron.LIFNode(tau=4.0, decay_input=False, v_threshold=1.5),
        linear(52, 3, 5, 0.4),
        neuron.CUBALIFNode(c_decay=0.7, v_decay=0.9, v_threshold=1.0),
    ]
    write(folder, name, layers, cases.inputs(7, 4), dt=1e-3)


def convolution(neuron_of, gain, mode="s", dt=1e-4, kernel=3, **how):
    """How to write a case of Conv2d, neurons, AvgPool2d, Flatten, Linear, neurons."""

    def written(folder, name):
        layers = [
            conv2d(42, 3, 2, kernel, gain, padding=kernel // 2),
            neuron_of(**how),
            layer.AvgPool2d(2),
            layer.Flatten(),
            linear(44, 4, 27, 4 * gain),
            neuron_of(**how),
        ]
        write(folder, name, layers, cases.inputs(11, 2, 6, 6), dt, mode)

    return written


def strided(folder, name):
    """Conv2d of stride 2 with a kernel of 3 and no padding, then a second Conv2d."""
    layers = [
        conv2d(60, 2, 1, 3, 0.8, stride=2, bias=False),
        neuron.LIFNode(tau=3.0),
        conv2d(61, 2, 2, 2, 0.8, padding=1),
        neuron.IFNode(v_threshold=2.0),
    ]
    write(folder, name, layers, cases.inputs(12, 1, 9, 9))


class Residual(torch.nn.Module):
    """A layer whose output goes into two others, which are added up."""

    def __init__(self):
        super().__init__()
        self.fc1, self.lif1 = linear(70, 5, 3, 3.0), neuron.LIFNode(tau=4.0)
        self.fc2, self.lif2 = linear(71, 5, 5, 3.0), neuron.LIFNode(tau=4.0)
        self.fc3, self.lif3 = linear(72, 2, 5, 2.0), neuron.LIFNode(tau=4.0)

    def forward(self, x):
        first = self.lif1(self.fc1(x))
        return self.lif3(self.fc3(first + self.lif2(self.fc2(first))))


class TwoBranches(torch.nn.Module):
    """Two layers of weights from the input into one of neurons, and a skip to the last."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = linear(73, 4, 3, 1.5), linear(74, 4, 3, 1.5), linear(75, 2, 3, 1.0)
        self.lif1, self.d = neuron.LIFNode(tau=3.0), linear(76, 2, 4, 1.0)
        self.lif2 = neuron.IFNode(v_threshold=3.0)

    def forward(self, x):
        return self.lif2(self.d(self.lif1(self.a(x) + self.b(x))) + self.c(x))


def of(network, seed, dt=1e-4):
    """How to write a case of a network of three inputs."""
    return lambda folder, name: run_and_write(folder, name, network(), cases.inputs(seed, 3), dt)


def convolved(neuron_of, out, kernel=3, gain=0.4, mode="s", **how):
    """How to write a case of one convolution and neurons, flattened into two."""
    size = out[0] * out[1] * out[2]

    def written(folder, name):
        layers = [
            conv2d(61, out[0], 2, kernel, gain, **how),
            neuron_of(),
            layer.Flatten(),
            linear(62, 2, size, 60 / size),
            neuron_of(),
        ]
        write(folder, name, layers, cases.inputs(61, 2, 6, 6), 1e-3, mode)

    return written


def pooled(*pool, gain=1.5, **how):
    """How to write a case of a pool before a convolution of one by one."""

    def written(folder, name):
        layers = [
            conv2d(63, 2, 2, 1, gain),
            neuron.LIFNode(tau=3.0),
            layer.AvgPool2d(*pool, **how),
            conv2d(65, 2, 2, 1, 2 * gain),
            neuron.LIFNode(tau=2.0),
        ]
        write(folder, name, layers, 2 * cases.inputs(63, 2, 6, 6), 1e-3)

    return written


def convolved_1d(mode, **how):
    """How to write a case of a convolution along one axis."""

    def written(folder, name):
        made = layer.Conv1d(2, 3, 3, **how)
        made.weight.data = torch.tensor(cases.weights(64, 3, 2, 3, gain=1.5))
        if made.bias is not None:
            made.bias.data = torch.tensor(cases.weights(65, 3, gain=0.2))
        layers = [made, neuron.LIFNode(tau=3.0)]
        write(folder, name, layers, cases.inputs(64, 2, 9), 1e-3, mode)

    return written


def flattened_rows(folder, name):
    """Flatten of the last two axes of three, then weights on the last one."""
    layers = [layer.Flatten(start_dim=2), neuron.LIFNode(tau=3.0, v_threshold=0.3)]
    write(folder, name, layers, cases.inputs(66, 2, 3, 4), 1e-3)


def weights_last(folder, name):
    """Weights behind the last neurons, and a bias."""
    layers = [linear(67, 4, 3, 3.0), neuron.LIFNode(tau=4.0), linear(68, 2, 4, 1.0, 0.2)]
    write(folder, name, layers, cases.inputs(67, 3))


class TwoOutputs(torch.nn.Module):
    """A layer that two others read, whose outputs are added behind the last neurons."""

    def __init__(self):
        super().__init__()
        self.fc, self.lif = linear(77, 4, 3, 3.0), neuron.LIFNode(tau=4.0)
        self.a, self.b = linear(78, 2, 4, 2.0), linear(79, 2, 4, 2.0)
        self.lif_a, self.lif_b = neuron.LIFNode(tau=3.0), neuron.IFNode(v_threshold=2.0)

    def forward(self, x):
        spikes = self.lif(self.fc(x))
        return self.lif_a(self.a(spikes)) + self.lif_b(self.b(spikes))


class SharedTwice(torch.nn.Module):
    """Weights that are used at two places."""

    def __init__(self):
        super().__init__()
        self.fc, self.w = linear(80, 4, 3, 3.0), linear(81, 4, 4, 3.0)
        self.lif1, self.lif2 = neuron.LIFNode(tau=4.0), neuron.LIFNode(tau=3.0)
        self.lif3 = neuron.LIFNode(tau=5.0)

    def forward(self, x):
        return self.lif3(self.w(self.lif2(self.w(self.lif1(self.fc(x))))))


LIF, IF, PLIF, CUBA = neuron.LIFNode, neuron.IFNode, neuron.ParametricLIFNode, neuron.CUBALIFNode

CASES = {
    "spikingjelly_lif_decay_input": of_two(LIF, gain=3.0, tau=5.0),
    "spikingjelly_lif_decay_input_dt1e-3": of_two(LIF, gain=3.0, tau=5.0, dt=1e-3),
    "spikingjelly_lif_decay_input_dt1": of_two(LIF, gain=3.0, tau=5.0, dt=1.0),
    "spikingjelly_lif_no_decay_input": of_two(LIF, gain=0.6, tau=5.0, decay_input=False),
    "spikingjelly_lif_no_decay_input_dt1e-3": of_two(
        LIF, gain=0.6, tau=5.0, decay_input=False, dt=1e-3
    ),
    "spikingjelly_lif_bias": of_two(LIF, seed=2, bias=0.5, gain=2.0, tau=4.0),
    "spikingjelly_lif_vreset": of_two(LIF, seed=2, gain=4.0, tau=4.0, v_reset=-0.5),
    "spikingjelly_lif_multistep": of_two(LIF, seed=3, gain=3.0, tau=5.0, mode="m"),
    "spikingjelly_lif_tau20": of_two(LIF, seed=4, gain=6.0, tau=20.0),
    "spikingjelly_lif_named": of_two(LIF, seed=9, gain=3.0, tau=5.0, style="named"),
    "spikingjelly_lif_inner": of_two(LIF, seed=11, gain=3.0, tau=5.0, style="inner"),
    "spikingjelly_lif_residual": of(Residual, 14),
    "spikingjelly_lif_branches": of(TwoBranches, 15),
    "spikingjelly_lif_deep": deep,
    "spikingjelly_lif_conv": convolution(LIF, 0.4, tau=3.0),
    "spikingjelly_lif_conv_multistep": convolution(LIF, 0.4, "m", tau=3.0),
    "spikingjelly_lif_conv_kernel5": convolution(LIF, 0.2, tau=3.0, dt=1e-3, kernel=5),
    "spikingjelly_plif": of_two(PLIF, gain=2.0, init_tau=3.0),
    "spikingjelly_plif_no_decay_input": of_two(PLIF, gain=0.6, init_tau=4.0, decay_input=False),
    "spikingjelly_if": of_two(IF, gain=0.4),
    "spikingjelly_if_dt1e-3": of_two(IF, seed=5, gain=0.4, dt=1e-3),
    "spikingjelly_if_vreset": of_two(IF, seed=5, gain=0.4, v_threshold=1.5, v_reset=-0.5),
    "spikingjelly_if_conv": convolution(IF, 0.1),
    "spikingjelly_if_strided": strided,
    "spikingjelly_cubalif": of_two(CUBA, gain=0.2, c_decay=0.8, v_decay=0.9, v_threshold=1.0),
    "spikingjelly_cubalif_dt1e-3": of_two(CUBA, seed=8, gain=0.2, dt=1e-3),
    "spikingjelly_cubalif_vreset": of_two(
        CUBA, seed=8, gain=0.3, c_decay=0.6, v_threshold=1.0, v_reset=-0.5
    ),
    "spikingjelly_cubalif_named": of_two(CUBA, seed=10, gain=0.2, dt=1e-3, style="named"),
    "spikingjelly_kinds_dt1e-3": several_kinds,
    "spikingjelly_lif_conv_stride": convolved(LIF, (3, 2, 2), stride=2),
    "spikingjelly_lif_conv_dilation": convolved(LIF, (3, 4, 4), padding=1, dilation=2),
    "spikingjelly_lif_conv_same": convolved(LIF, (3, 6, 6), 4, padding="same"),
    "spikingjelly_lif_conv_same_multistep": convolved(LIF, (3, 6, 6), 3, mode="m", padding="same"),
    "spikingjelly_cubalif_conv": convolved(CUBA, (3, 4, 4), gain=0.1),
    "spikingjelly_lif_pool": pooled(3),
    "spikingjelly_lif_pool_stride": pooled(3, 1),
    "spikingjelly_lif_pool_oblong": pooled((3, 2)),
    "spikingjelly_lif_pool_padding": pooled(3, 2, 1),
    "spikingjelly_lif_conv1d": convolved_1d("s"),
    "spikingjelly_lif_conv1d_stride": convolved_1d("m", stride=2, padding=1),
    "spikingjelly_lif_conv1d_same": convolved_1d("s", padding="same", dilation=2),
    "spikingjelly_lif_conv1d_nobias": convolved_1d("s", bias=False, dilation=2),
    "spikingjelly_lif_rows": flattened_rows,
    "spikingjelly_lif_weights": weights_last,
    "spikingjelly_lif_outputs": of(TwoOutputs, 16),
    "spikingjelly_lif_shared": of(SharedTwice, 17),
    "spikingjelly_lif_threshold": of_two(LIF, seed=18, gain=4.0, tau=5.0, v_threshold=0.4),
    "spikingjelly_lif_tau1": of_two(LIF, seed=19, gain=1.0, tau=1.01),
    "spikingjelly_lif_no_decay_input_vreset": of_two(
        LIF, seed=20, gain=0.8, tau=4.0, v_reset=-0.5, decay_input=False
    ),
    "spikingjelly_lif_no_decay_input_vreset_up": of_two(
        LIF, seed=21, gain=0.8, tau=4.0, v_reset=0.25, decay_input=False, dt=1e-3
    ),
    "spikingjelly_plif_vreset": of_two(PLIF, seed=22, gain=3.0, init_tau=3.0, v_reset=0.2),
    "spikingjelly_plif_conv": convolved(PLIF, (3, 4, 4)),
    "spikingjelly_cubalif_zero": of_two(
        CUBA, seed=23, gain=1.5, c_decay=0.0, v_decay=0.5, v_threshold=1.0, dt=1e-3
    ),
}

if __name__ == "__main__":
    cases.write_all(CASES)
