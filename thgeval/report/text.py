"""Numbers, counts and policies as a reader wants them: four significant digits, words beside every symbol.

A score and its interval have the same number of decimals, and so have the scores of one column. Infinity is a symbol
and a word.
"""

import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from statistics import median

from thgeval.clip import Excerpt
from thgeval.metric import Better
from thgeval.protocol import setting
from thgeval.statistics import Interval

DIGITS = 4

TURNS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Characters that change the direction of what follows them."""

DIRECTIONS = {
    Better.HIGHER: "higher is better",
    Better.LOWER: "lower is better",
    Better.CLOSER_TO_REFERENCE: "closer to the reference’s own value is better",
    Better.CLOSER_TO_ZERO: "closer to zero is better",
    Better.NONE: "neither way is better",
}

# One sentence for every token a protocol can put in a signature, but for frame rates and sizes, which hold a number.
PROTOCOL = {
    "fps:native": "each clip’s own frame rate",
    "size:native": "native size",
    "crop:none": "not cropped",
    "crop:centre-square": "cropped to the centred square",
    "pairs:none": "folders compared as sets, without pairs",
    "lengths:strict": "lengths must agree",
    "lengths:truncate": "cut to the shorter clip",
    "rates:strict": "frame rates must agree",
    "rates:ignore": "frames paired by index whatever their rates",
    "sizes:strict": "sizes must agree",
    "sizes:resize-generated": "generated frames resized to the reference’s size",
}


def decimals(*values: float) -> int:
    """How many decimals show the largest of these with four significant digits."""
    largest = max((abs(value) for value in values if math.isfinite(value)), default=0.0)
    if largest == 0:
        return 0
    return max(0, DIGITS - 1 - math.floor(math.log10(largest)))


def number(value: float, places: int | None = None) -> str:
    """A number with so many decimals, or four significant digits; ∞ for infinity; powers of ten where it is tiny."""
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    wanted = decimals(value) if places is None else places
    if wanted > 8 or abs(value) >= 1e7:
        return f"{value:.{DIGITS - 1}e}"
    return f"{value:.{wanted}f}"


def spoken(value: float) -> str:
    """What a symbol needs beside it: words for infinity, nothing for other numbers."""
    return "infinite throughout" if math.isinf(value) else ""


def shared_decimals(values: Collection[float]) -> int:
    """How many decimals suit numbers that stand together: those of a typical one that is not zero."""
    sizes = [abs(value) for value in values if value and math.isfinite(value)]
    return decimals(median(sizes)) if sizes else 0


def interval(value: float, bounds: Interval) -> tuple[str, str, str]:
    """Value, lower and upper bound, all with the decimals of the value, or of the bounds if those are far larger."""
    reach = max(abs(bounds.low), abs(bounds.high))
    places = decimals(value if 10 * abs(value) >= reach else reach)
    return number(value, places), number(bounds.low, places), number(bounds.high, places)


def counted(count: int, noun: str) -> str:
    """``1 clip``, ``2 clips``."""
    return f"{count} {noun}" + ("" if count == 1 else "s")


def reasons(left_out: Mapping[str, int], noun: str) -> str:
    """``3 frames: identical (2), no face (1)``; empty if nothing was left out."""
    if not left_out:
        return ""
    return f"{counted(sum(left_out.values()), noun)}: " + ", ".join(f"{why} ({n})" for why, n in left_out.items())


def ranges(frames: Iterable[int]) -> str:
    """Frame numbers with runs drawn together: ``3, 7–9``."""
    return ", ".join(str(a) if a == b else f"{a}–{b}" for a, b in runs(sorted(frames)))


def runs(frames: Sequence[int]) -> list[tuple[int, int]]:
    """First and last of every run of consecutive numbers, of sorted ones."""
    found: list[tuple[int, int]] = []
    for frame in frames:
        if found and frame == found[-1][1] + 1:
            found[-1] = (found[-1][0], frame)
        else:
            found.append((frame, frame))
    return found


def upright(text: str) -> str:
    """Text for places where no element can keep its direction to itself: what would turn others is spelt out."""
    return TURNS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def excerpt(text: str) -> str:
    """The part of each clip that a protocol looks at, in words."""
    part = Excerpt.parse(text)
    if part.first_s is not None:
        return f"the first {float(part.first_s):g} s"
    if part.last is not None:
        return f"the last {part.last} of the reference’s frames"
    return f"{part.frames} frames, evenly spread"


def policy(token: str) -> str:
    """A protocol token in words: ``25fps`` is 25 frames per second."""
    if token in PROTOCOL:
        return PROTOCOL[token]
    name, value = setting(token)
    if name == "excerpt":
        return excerpt(value)
    return {"fps": f"{value} frames per second", "size": f"{value} px square"}.get(name, token)
