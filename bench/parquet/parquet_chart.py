"""The benchmark as a picture: for every shape and rival a dot at "how many times ours", on a logarithmic axis."""

from __future__ import annotations

import math
from html import escape

COLOURS = ("#4e79a7", "#a0cbe8", "#f28e2b", "#59a14f", "#b6992d", "#e15759", "#9c755f", "#79706e")
LEFT, WIDTH, GAP, ROW, TOP = 96, 420, 60, 22, 84
TICKS = (0.25, 0.5, 1, 2, 4, 8, 16, 32, 64, 128)


def _panel(title: str, at: int, shapes: list[str], ratios: dict[str, dict[str, float]], rivals: list[str]) -> list[str]:
    low, high = math.log(TICKS[0]), math.log(TICKS[-1])

    def x(ratio: float) -> float:
        return at + WIDTH * (min(max(math.log(ratio), low), high) - low) / (high - low)

    bottom = TOP + ROW * len(shapes)
    out = [f'<text x="{at}" y="{TOP - 24}" font-weight="bold">{escape(title)}</text>']
    for tick in TICKS:
        colour = "#333" if tick == 1 else "#ddd"
        out.append(f'<line x1="{x(tick):.1f}" y1="{TOP - 6}" x2="{x(tick):.1f}" y2="{bottom}" stroke="{colour}"/>')
        out.append(f'<text x="{x(tick):.1f}" y="{TOP - 10}" text-anchor="middle" font-size="10">{tick:g}×</text>')
    for i, shape in enumerate(shapes):
        y = TOP + ROW * i + ROW // 2
        out.append(f'<line x1="{at}" y1="{y}" x2="{at + WIDTH}" y2="{y}" stroke="#eee"/>')
        for k, rival in enumerate(rivals):
            ratio = ratios[shape].get(rival)
            if ratio:
                out.append(f'<circle cx="{x(ratio):.1f}" cy="{y}" r="4.5" fill="{COLOURS[k % len(COLOURS)]}"'
                           f' fill-opacity="0.85"><title>{escape(f"{shape}, {rival}: {ratio:.2f}×")}</title></circle>')
    return out


def draw(panels: list[tuple[str, dict[str, dict[str, float]]]], shapes: list[str], rivals: list[str],
         note: str) -> str:
    """panels: a title and, by shape and rival, the rival's time as a multiple of ours."""
    width = LEFT + len(panels) * (WIDTH + GAP)
    height = TOP + ROW * len(shapes) + 30
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
           f'font-family="sans-serif" font-size="12">', f'<rect width="{width}" height="{height}" fill="white"/>']
    for k, rival in enumerate(rivals):
        x = LEFT + k * 150
        out.append(f'<circle cx="{x}" cy="20" r="5" fill="{COLOURS[k % len(COLOURS)]}"/>')
        out.append(f'<text x="{x + 9}" y="24">{escape(rival)}</text>')
    for i, shape in enumerate(shapes):
        out.append(f'<text x="{LEFT - 10}" y="{TOP + ROW * i + ROW // 2 + 4}" text-anchor="end">{escape(shape)}</text>')
    for p, (title, ratios) in enumerate(panels):
        out += _panel(title, LEFT + p * (WIDTH + GAP), shapes, ratios, rivals)
    out.append(f'<text x="{LEFT}" y="{height - 10}" font-size="10" fill="#555">{escape(note)}</text>')
    return "\n".join(out + ["</svg>", ""])
