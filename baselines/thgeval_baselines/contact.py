"""Contact sheets: a few frames of each of several clips in one picture, with their names."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from thgeval.clip import Clip
from thgeval.errors import InputError
from thgeval.files import write_atomically
from thgeval.media.stills import image_file, spread
from thgeval_baselines.sets.clips import LABEL

MOST_BYTES = 150_000
TILE = 88
NAMES = 150
LINE = 18
QUALITIES = tuple((1 << 16, quality) for quality in range(85, 20, -5))
"""Never smaller than drawn, ever coarser, until it fits."""


def sheet(rows: Sequence[tuple[str, Path]], out: Path, *, moments: int, columns: int = 1) -> None:
    """Draw ``moments`` frames of each clip, evenly over its length, in ``columns`` of rows; a JPEG below 150 kB.

    A clip that isn't there or can't be read keeps its row, with the reason in place of frames.
    """
    high = -(-len(rows) // columns)
    width = NAMES + moments * TILE
    canvas = Image.new("RGB", (columns * width, high * (TILE + 2)), "white")
    pen = ImageDraw.Draw(canvas)
    for at, (name, clip) in enumerate(rows):
        x, y = at // high * width, at % high * (TILE + 2)
        pen.text((x + 6, y + TILE // 2 - LINE // 2), name, fill="black", font_size=12)
        try:
            frames = spread(_made(clip), moments)
        except InputError as error:
            pen.text((x + NAMES, y + TILE // 2 - LINE // 2), str(error)[:60], fill="black", font_size=12)
            continue
        for number, frame in enumerate(frames):
            canvas.paste(
                Image.fromarray(frame).resize((TILE, TILE), Image.Resampling.LANCZOS), (x + NAMES + number * TILE, y)
            )
    write_atomically(
        out, image_file(np.asarray(canvas), MOST_BYTES, kind="JPEG", settings=QUALITIES, optimize=True, comment=LABEL)
    )


def _made(path: Path) -> Clip:
    if not path.is_file():
        raise InputError("no clip was made", reason="missing")
    return Clip(path.stem, path)
