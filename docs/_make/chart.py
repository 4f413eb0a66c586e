"""Bars on a logarithmic axis, as SVG in the colours of the page."""

from __future__ import annotations

import math
from typing import NamedTuple

_LEFT, _WIDTH, _STEP, _TOP, _BELOW = 256, 720, 19, 26, 24


class Bar(NamedTuple):
    """One bar: what stands before it, where its parts end, and whether it is one of ours."""

    label: str
    forward: float
    both: float | None
    ours: bool


def chart(title: str, bars: list[Bar]) -> str:
    """Return the bars below each other, on an axis of whole decades."""
    values = [value for bar in bars for value in (bar.forward, bar.both) if value]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    bottom = _TOP + _STEP * len(bars)

    def at(value: float) -> float:
        return _LEFT + (math.log10(value) - low) / (high - low) * (_WIDTH - _LEFT - 24)

    lines = [_text(_WIDTH - 4, 12, "end", title)]
    for decade in range(low, high + 1):
        x = at(10.0**decade)
        lines.append(f'<path d="M{x:.1f} {_TOP - 4}V{bottom}"/>')
        lines.append(_text(x, bottom + 16, "middle", f"{10.0**decade:g}"))
    for place, bar in enumerate(bars):
        y = _TOP + _STEP * place
        lines.append(_text(_LEFT - 8, y + 11, "end", bar.label))
        for part, value in (("both", bar.both), ("forward", bar.forward)):
            if value:
                whose = "ours" if bar.ours else "theirs"
                size = f'width="{at(value) - _LEFT:.1f}" height="{_STEP - 6}"'
                lines.append(f'<rect class="{whose} {part}" x="{_LEFT}" y="{y + 1}" {size}/>')
    head = f'<svg viewBox="0 0 {_WIDTH} {bottom + _BELOW}" role="img" aria-label="{title}">'
    return "\n".join(['<div class="chart">', head, *lines, "</svg>", "</div>"])


def _text(x: float, y: float, anchor: str, text: str) -> str:
    return f'<text x="{x:.1f}" y="{y}" text-anchor="{anchor}">{text}</text>'
