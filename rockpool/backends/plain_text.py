"""Text of others (errors, versions, names) as it may be shown, and be part of a command."""


def printable(text: object) -> str:
    """One line without control characters: a terminal would obey them. Escapes stand for them."""
    shown = str(text)
    if shown.isprintable():
        return shown
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in shown)


def printable_lines(text: str) -> str:
    """The same for several lines."""
    return "\n".join(map(printable, text.expandtabs().splitlines()))


def said_by(error: BaseException) -> str:
    """What a library says of a file, from which it may quote, on one line that is not too long."""
    text = printable(error) or type(error).__name__
    return text if len(text) <= 200 else f"{text[:197]}..."


def is_distribution(name: str) -> bool:
    """Whether a distribution may be called so: what else there is would be more than a name."""
    letters = name.replace("-", "").replace("_", "").replace(".", "")
    return letters.isascii() and letters.isalnum() and (name[0] + name[-1]).isalnum()


def is_version(text: str) -> bool:
    """Whether this can be a version, or a condition on one, of which a shell makes nothing else."""
    rest = text
    for mark in ".+-_!*<>=~, ":
        rest = rest.replace(mark, "")
    return rest.isascii() and rest.isalnum()
