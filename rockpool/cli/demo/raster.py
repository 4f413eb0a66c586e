"""A spike raster in characters: braille, or plain ASCII where the terminal has nothing else."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from rockpool.cli._output import can_show, terminal_width
from rockpool.cli.demo.experiment import Example

__all__ = ["raster_lines", "show"]

ROWS = 8  # lines of a raster, as many as an image has
PER_LINE = 4  # neurons
SIDE = 18  # columns for what stands left of a raster, the image among it
# The dot of row r and column c in a braille character is bit DOTS[r, c] (ISO/IEC TR 11548-1).
DOTS = np.array([[0, 3], [1, 4], [2, 5], [6, 7]])


def show(example: Example, duration: float) -> str:
    """The image and the spikes of both layers, a few neurons a line, over a duration in seconds."""
    fine = can_show("⠿█░│└─")
    room = max(10, terminal_width() - SIDE - 4)
    columns = min(room, -(-len(example.pixel_spikes) // 2))
    image = _image(example.image, fine)
    lines: list[str] = []
    for layer, spikes, side in (
        ("pixel", example.pixel_spikes, image),
        ("hidden", example.hidden_spikes, [""] * ROWS),
    ):
        shown, rows = _drawn(spikes, columns, ROWS, fine)
        wall, corner, floor = "│└─" if fine else "|+-"
        lines.append(f"{'':{SIDE}}{shown} of {spikes.shape[1]} {layer} neurons")
        lines += [f"{left:<{SIDE}}{wall}{row}" for left, row in zip(side, rows, strict=True)]
        lines.append(f"{'':{SIDE}}{corner}{floor * columns}")
    end = f"{duration * 1e3:g} ms"
    lines.append(f"{'':{SIDE}} 0{end:>{columns - 1}}")
    return "".join(f"{line.rstrip()}\n" for line in lines)


def raster_lines(spikes: np.ndarray, duration: float) -> list[str]:
    """The lines of a raster of spikes (time, neurons), over a duration in seconds."""
    fine = can_show("⠿│└─")
    columns = min(max(10, terminal_width() - 4), -(-len(spikes) // 2))
    shown, rows = _drawn(spikes, columns, min(ROWS, -(-spikes.shape[1] // PER_LINE)), fine)
    wall, corner, floor = "│└─" if fine else "|+-"
    end = f"{duration * 1e3:g} ms"
    lines = [f"{shown} of {spikes.shape[1]} neurons", *(f"{wall}{row}" for row in rows)]
    lines += [f"{corner}{floor * columns}", f" 0{end:>{columns - 1}}"]
    return [f"{line.rstrip()}\n" for line in lines]


def _drawn(spikes: np.ndarray, columns: int, n_rows: int, fine: bool) -> tuple[int, list[str]]:
    """How many neurons are shown, and the lines that show them."""
    shown = min(n_rows * PER_LINE, spikes.shape[1])
    chosen = np.linspace(0, spikes.shape[1] - 1, shown).astype(int)
    grid = np.zeros((n_rows * PER_LINE, columns * (2 if fine else 1)), dtype=int)
    grid[:shown] = _pooled(spikes[:, chosen] > 0, grid.shape[1])
    return shown, _braille(grid) if fine else _ascii(grid)


def _pooled(spikes: np.ndarray, columns: int) -> np.ndarray:
    """Whether each neuron spiked in each of so many stretches of time; shape (neurons, columns)."""
    edges = np.linspace(0, len(spikes), columns + 1).astype(int)
    return np.stack([spikes[a : max(b, a + 1)].any(axis=0) for a, b in pairwise(edges)], axis=1)


def _braille(grid: np.ndarray) -> list[str]:
    """Four neurons a line, two stretches of time a character."""
    rows, columns = grid.shape[0] // 4, grid.shape[1] // 2
    bits = grid.reshape(rows, 4, columns, 2) << DOTS[np.newaxis, :, np.newaxis, :]
    codes = bits.sum(axis=(1, 3))
    return ["".join(chr(0x2800 + code) if code else " " for code in row) for row in codes]


def _ascii(grid: np.ndarray) -> list[str]:
    """Four neurons a line: ``'`` for the upper two, ``.`` for the lower two, ``:`` for both."""
    pairs = grid[0::2] | grid[1::2]
    codes = pairs[0::2] + 2 * pairs[1::2]
    return ["".join(" '.:"[code] for code in row) for row in codes]


def _image(image: np.ndarray, blocks: bool) -> list[str]:
    """Two characters a pixel, which makes it about square."""
    shades = " ░▒▓█" if blocks else " .+#@"
    levels = np.minimum((image * len(shades)).astype(int), len(shades) - 1)
    return ["".join(shades[level] * 2 for level in row) for row in levels]
