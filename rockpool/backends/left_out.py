"""What SynSense Rockpool has and this package has not, and what to use instead: `refuse`."""

_NETWORK = (
    "a network of version 1",
    "the neurons of rockpool.nn.modules have recurrent weights with has_rec=True, which can be "
    "set, as w_rec, or trained",
)
_RIDGE = (
    "ridge regression for the layers of version 1",
    "sklearn.linear_model.Ridge, or numpy.linalg.solve(x.T @ x + penalty * numpy.eye(n), x.T @ y): "
    "the weights from n recorded activities x (T, n) to targets y, for a Linear",
)

# By module: what is in it there, and what there is here.
LEFT_OUT = {
    "rockpool.devices": (
        "the programs for SynSense's chips, which need samna",
        "rockpool.transform.quantize_methods makes whole numbers for hardware, and rockpool.save "
        "writes a network to a file; the chips themselves need SynSense's rockpool, in an "
        "environment of its own",
    ),
    "rockpool.nn.layers": (
        "the layers of version 1",
        "rockpool.nn.modules has LIF, ExpSyn, Rate and Linear, and TimedModuleWrapper for the "
        "interface of time series that those layers had",
    ),
    "rockpool.weights": (
        "the weight matrices of reservoirs, of version 1",
        "the argument weight_init_func draws weights, w_rec takes an array of recurrent ones, and "
        "rockpool.training.init.spiking gives weights with which a network spikes",
    ),
    "rockpool.analysis": (
        "the local variation and the Fano factor of spikes",
        "counts.var(0) / counts.mean(0) are Fano factors, of the counts TSEvent.raster(window, "
        "add_events=True) gives; elephant.statistics has lv and fanofactor",
    ),
    "rockpool.version": ("a file that had the version", "rockpool.__version__"),
    "rockpool.nn.networks.net_ads": _NETWORK,
    "rockpool.nn.networks.net_deneve": _NETWORK,
    "rockpool.training.train_rr": _RIDGE,
    "rockpool.training.rr_trained_layer": _RIDGE,
    "rockpool.utilities.timedarray_shift": (
        "a TimedArray of Brian 2 with an offset in time",
        "brian2.TimedArray takes the values, and a call of it `t - offset`",
    ),
}


def refuse(module: str) -> None:
    """Raise the ModuleNotFoundError for a module that is left out."""
    what, instead = LEFT_OUT[module]
    # without `name`: Python would take it for a module that was looked for in vain, and say so
    # itself, where `from rockpool import devices` asks for it
    raise ModuleNotFoundError(f"{module} is not part of this package: {what}. Instead: {instead}")
