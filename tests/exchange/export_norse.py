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
}

if __name__ == "__main__":
    cases.write_all(CASES)
