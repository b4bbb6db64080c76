"""Pieces of figures: SVG with a title and a description, its axes, and the table of the same numbers beneath.

Coordinates are rounded to a tenth, so that equal numbers make equal bytes. What is drawn most often is put together by
``%``, which escapes as ``format`` does and takes less time.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from thgeval.report.axes import Axis
from thgeval.report.text import number

WIDTH = 640
SHORT = 24


@dataclass(frozen=True)
class Figure:
    """A figure and what it shows: as a sentence, and as a table of ``rows`` under ``heads``."""

    title: str
    svg: Markup
    says: str
    heads: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


def svg(parts: Iterable[Markup], height: float, title: str, says: str, width: float = WIDTH) -> Markup:
    """The parts as one picture, with its title and description for those who can't see it."""
    head = Markup('<svg class="plot" viewBox="0 0 {} {}" role="img"><title>{}</title><desc>{}</desc>')
    return head.format(width, height, title, says) + Markup("").join(parts) + Markup("</svg>")


def label(x: float, y: float, said: str, kind: str, anchor: str = "start") -> Markup:
    """A text at a place; ``kind`` are its classes."""
    text = Markup('<text class="%s" x="%s" y="%s" text-anchor="%s">%s</text>')
    return text % (kind.strip(), round(x, 1), round(y, 1), anchor, said)


def grid(across: Axis, top: float, bottom: float) -> list[Markup]:
    """Vertical lines at round values, with their values beneath."""
    line = Markup('<line class="grid" x1="%s" x2="%s" y1="%s" y2="%s"/>')
    return [
        part
        for x, said in across.ticks(6)
        for part in (line % (x, x, top, bottom), label(x, bottom + 14, said, "tick", "middle"))
    ]


def levels(up: Axis, left: float, right: float) -> list[Markup]:
    """Horizontal lines at round values, with their values to the left."""
    line = Markup('<line class="grid" x1="%s" x2="%s" y1="%s" y2="%s"/>')
    return [
        part
        for y, said in up.ticks(5)
        for part in (line % (left, right, y, y), label(left - 6, y + 4, said, "tick", "end"))
    ]


def short(name: str) -> str:
    """A name that fits beside a figure."""
    return name if len(name) <= SHORT else name[: SHORT - 1] + "…"


def bounds(interval: Sequence[float] | None) -> str:
    """An interval as text; empty if there is none."""
    return "" if interval is None else " .. ".join(number(bound) for bound in interval)
