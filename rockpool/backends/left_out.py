"""What SynSense Rockpool has and this package has not, and what to use instead: `refuse`."""

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
