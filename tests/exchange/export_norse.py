"""Networks of norse 1.1.0, as its to_nir writes them (dt 1 ms unless the name says another)."""

from functools import partial
from pathlib import Path

import cases
import nir
import norse.torch as norse
import torch
from norse.torch.utils.export_nir import to_nir
from torch_layers import STYLES, conv2d, linear

TAU, TAU_SYN = 20e-3, 10e-3


def each(n, value):
    """One value for each neuron: those that are scalars cannot be written."""
    shape = (n,) if isinstance(n, int) else n
    return torch.full(shape, value) if isinstance(value, float) else torch.tensor(value)


def lifbox(n, tau=TAU, threshold=1.0, leak=0.0, v_reset=0.0, dt=1e-3):
    """LIFBoxCell: no current of its own."""
    values = norse.LIFBoxParameters(
        tau_mem_inv=1 / each(n, tau),
        v_leak=each(n, leak),
        v_th=each(n, threshold),
        v_reset=each(n, v_reset),
    )
    return norse.LIFBoxCell(values, dt=dt)


def lif(n, tau=TAU, tau_syn=TAU_SYN, threshold=1.0, leak=0.0, v_reset=0.0, dt=1e-3):
    """LIFCell: the input goes into a current."""
    values = norse.LIFParameters(
        tau_syn_inv=1 / each(n, tau_syn),
        tau_mem_inv=1 / each(n, tau),
        v_leak=each(n, leak),
        v_th=each(n, threshold),
        v_reset=each(n, v_reset),
    )
    return norse.LIFCell(values, dt=dt)


def libox(n, tau=TAU, leak=0.0, dt=1e-3):
    """LIBoxCell: a membrane that does not fire."""
    values = norse.LIBoxParameters(tau_mem_inv=1 / each(n, tau), v_leak=each(n, leak))
    return norse.LIBoxCell(values, dt=dt)


def iaf(n, threshold=2.0, v_reset=0.0, dt=1e-3):
    """IAFCell: no leak."""
    values = norse.IAFParameters(v_th=each(n, threshold), v_reset=each(n, v_reset))
    return norse.IAFCell(values, dt=dt)


def write(folder: Path, name: str, layers, x, dt=1e-3, batch=False, style="plain"):
    """Export the layers, run them step by step and write the case."""
    network = norse.SequentialState(*layers)
    stateful = [layer for layer in layers if type(layer).__module__.startswith("norse")]
    hidden, out, state = [], [], None
    stateful[0].register_forward_hook(lambda _m, _x, result: hidden.append(result[0]))
    with torch.no_grad():
        for step in x:
            result, state = network(torch.tensor(step)[None], state)
            out.append(result[0])
    seen = torch.stack(hidden)[:, 0]
    sample = torch.tensor(x[0])
    graph = to_nir(STYLES[style](network), sample[None] if batch else sample, dt=dt)
    if x.ndim > 2:
        graph.infer_types()  # else its Conv2d has no input_shape, and cannot be written
    nir.write(folder / f"{name}.nir", graph)
    cases.save(folder, name, x, torch.stack(out).numpy(), seen.numpy(), dt)


def of_two(neuron, seed=0, bias=None, gain=5.0, batch=False, style="plain", **how):
    """How to write a case of 3, 4 and 2 of one kind of neuron."""

    def written(folder, name):
        layers = [
            linear(seed, 4, 3, gain, bias),
            neuron(4, **how),
            linear(seed + 1, 2, 4, 2 * gain, bias),
            neuron(2, **how),
        ]
        write(folder, name, layers, cases.inputs(seed, 3), how.get("dt", 1e-3), batch, style)

    return written


def readout(folder, name):
    """Spikes, then a membrane that does not fire."""
    layers = [linear(3, 4, 3, 5.0), lifbox(4), linear(4, 2, 4, 5.0), libox(2)]
    write(folder, name, layers, cases.inputs(3, 3))


def hetero(folder, name):
    """Another time constant and another threshold for each neuron."""
    tau, threshold = partial(cases.between, 1, 10e-3, 40e-3), partial(cases.between, 2, 0.5, 1.5)
    layers = [
        linear(5, 6, 5, 4.0),
        lifbox(6, tau(6), threshold(6)),
        linear(6, 3, 6, 6.0),
        lifbox(3, tau(3), threshold(3)),
    ]
    write(folder, name, layers, cases.inputs(5, 5))


def deep(folder, name):
    """Twelve layers, so that the names of the nodes in the file are out of order."""
    layers = []
    for i, (n_in, n_out) in enumerate(cases.DEEP):
        layers += [linear(20 + i, n_out, n_in, 6.0, bias=0.5), lifbox(n_out, 15e-3)]
    write(folder, name, layers, cases.inputs(6, 8, steps=200))


def convolution(neuron, gain, **how):
    """How to write a case of Conv2d, neurons, Conv2d, neurons."""

    def written(folder, name):
        layers = [
            conv2d(42, 3, 2, 3, gain, padding=1),
            neuron((3, 6, 6), **how),
            conv2d(44, 2, 3, 2, 2 * gain, stride=2),
            neuron((2, 3, 3), **how),
        ]
        write(folder, name, layers, cases.inputs(11, 2, 6, 6))

    return written


def convolved(neuron, out, kernel=3, n_in=2, gain=1.0, neurons=None, **how):
    """How to write a case of one convolution and neurons of that shape."""

    def written(folder, name):
        layers = [conv2d(61, out[0], n_in, kernel, gain, **how), neuron(out, **(neurons or {}))]
        write(folder, name, layers, cases.inputs(61, n_in, 6, 6))

    return written


def several_kinds(folder, name):
    """LIFBoxCell, LIFCell, IAFCell and LIBoxCell one after another."""
    layers = [
        linear(62, 5, 4, 5.0),
        lifbox(5, cases.between(1, 5e-3, 30e-3, 5)),
        linear(63, 4, 5, 1.5),
        lif(4, 15e-3, cases.between(2, 4e-3, 12e-3, 4)),
        linear(64, 3, 4, 0.8),
        iaf(3, cases.between(3, 0.5, 1.5, 3)),
        linear(65, 2, 3, 4.0),
        libox(2, cases.between(4, 5e-3, 30e-3, 2)),
    ]
    write(folder, name, layers, cases.inputs(62, 4))


def lif_hetero(folder, name):
    """Other time constants, thresholds and leaks for each neuron of LIFCell."""
    layers = [
        linear(66, 6, 5, 0.8),
        lif(
            6,
            cases.between(1, 10e-3, 40e-3, 6),
            cases.between(2, 5e-3, 20e-3, 6),
            cases.between(3, 0.5, 1.5, 6),
            cases.between(4, -0.2, 0.2, 6),
        ),
        linear(67, 3, 6, 1.0),
        lif(3),
    ]
    write(folder, name, layers, cases.inputs(66, 5))


def weights_last(folder, name):
    """Weights behind the last neurons."""
    layers = [linear(68, 4, 3, 5.0), lifbox(4), linear(69, 2, 4, 1.0, 0.2)]
    write(folder, name, layers, cases.inputs(68, 3))


CASES = {
    "norse_lifbox": of_two(lifbox),
    "norse_lifbox_batch": of_two(lifbox, batch=True),
    "norse_lifbox_bias": of_two(lifbox, seed=2, bias=1.0),
    "norse_lifbox_vleak": of_two(lifbox, seed=2, leak=0.2),
    "norse_lifbox_vreset": of_two(lifbox, seed=2, v_reset=-0.5),
    "norse_lifbox_dt5e-4": of_two(lifbox, seed=4, gain=8.0, dt=5e-4),
    "norse_lifbox_dt1e-4": of_two(lifbox, seed=4, gain=40.0, dt=1e-4),
    "norse_lifbox_tau5": of_two(lifbox, seed=7, gain=3.0, tau=5e-3),
    "norse_lifbox_named": of_two(lifbox, seed=12, style="named"),
    "norse_lifbox_inner": of_two(lifbox, seed=13, style="inner"),
    "norse_lifbox_hetero": hetero,
    "norse_lifbox_deep": deep,
    "norse_lifbox_conv": convolution(lifbox, 1.0),
    "norse_lif": of_two(lif, gain=1.0),
    "norse_lif_vreset": of_two(lif, gain=1.0, v_reset=-0.5),
    "norse_lif_vleak": of_two(lif, gain=1.0, leak=0.2),
    "norse_lif_dt5e-4": of_two(lif, seed=8, gain=1.0, dt=5e-4),
    "norse_lif_tausyn5": of_two(lif, seed=9, gain=1.5, tau_syn=5e-3),
    "norse_lif_named": of_two(lif, seed=14, gain=1.0, style="named"),
    "norse_lif_conv": convolution(lif, 0.2),
    "norse_libox": of_two(libox),
    "norse_libox_vleak": of_two(libox, leak=0.2),
    "norse_libox_readout": readout,
    "norse_iaf": of_two(iaf, gain=0.5),
    "norse_iaf_named": of_two(iaf, seed=15, gain=0.5, style="named"),
    "norse_iaf_vreset": of_two(iaf, gain=0.5, v_reset=-0.5),
    "norse_iaf_conv": convolution(iaf, 0.1),
    "norse_lifbox_conv_stride": convolved(lifbox, (3, 2, 2), stride=2),
    "norse_lifbox_conv_dilation": convolved(lifbox, (3, 4, 4), padding=1, dilation=2),
    "norse_lifbox_conv_groups": convolved(lifbox, (4, 4, 4), groups=2),
    "norse_lifbox_conv_same": convolved(lifbox, (3, 6, 6), 4, padding="same"),
    "norse_lif_conv_groups": convolved(lif, (6, 4, 4), n_in=3, gain=0.4, groups=3),
    "norse_lifbox_weights": weights_last,
    "norse_lif_hetero": lif_hetero,
    "norse_lif_dt1e-4": of_two(lif, seed=70, gain=4.0, dt=1e-4),
    "norse_libox_dt1e-4": of_two(libox, seed=71, gain=4.0, dt=1e-4),
    "norse_iaf_hetero": of_two(lambda n: iaf(n, cases.between(5, 0.5, 2.5, n)), 72, gain=0.5),
    "norse_lif_bias": of_two(lif, seed=73, bias=0.3, gain=0.8),
    "norse_kinds": several_kinds,
    "norse_lifbox_threshold": of_two(lifbox, seed=74, gain=20.0, threshold=3.0),
}

if __name__ == "__main__":
    cases.write_all(CASES)
