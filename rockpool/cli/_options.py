"""What the options of the commands are made of, and how their values are read."""

Option = dict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
else:  # for those who check annotations at run time
    from _collections_abc import Callable


def flag(does: str) -> "Option":
    """An option without a value."""
    return {"help": does}


def value(
    metavar: str, does: str, default: object = None, convert: "Callable[[str], object]" = str
) -> "Option":
    """An option with a value."""
    return {"metavar": metavar, "help": does, "default": default, "convert": convert}


def seconds(text: str) -> float:
    """A time that is longer than none."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < 1e6:
        raise ValueError(f"must be a number of seconds > 0, got {text!r}")
    return number


def integer(least: int, most: int) -> "Callable[[str], int]":
    """What makes an integer of a text, and says between what it must be."""

    def convert(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = least - 1
        if not least <= number <= most:
            raise ValueError(f"must be an integer from {least} to {most}, got {text!r}")
        return number

    return convert
