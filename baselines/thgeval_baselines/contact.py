"""Contact sheets: a few frames of each of several clips in one picture, with their names."""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from thgeval.clip import Clip
from thgeval.errors import InputError
from thgeval.files import write_atomically
from thgeval.media import decode
from thgeval_baselines.sets.clips import LABEL

MOST_BYTES = 150_000
TILE = 88
NAMES = 150
LINE = 18


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
            frames = spread(clip, moments)
        except InputError as error:
            pen.text((x + NAMES, y + TILE // 2 - LINE // 2), str(error)[:60], fill="black", font_size=12)
            continue
        for number, frame in enumerate(frames):
            canvas.paste(
                Image.fromarray(frame).resize((TILE, TILE), Image.Resampling.LANCZOS), (x + NAMES + number * TILE, y)
            )
    write_atomically(out, _encoded(canvas))


def spread(path: Path, moments: int) -> list[NDArray[np.uint8]]:
    """Frames in the middles of equal parts of a clip, (height, width, 3) uint8; InputError if it can't be read."""
    if not path.is_file():
        raise InputError("no clip was made", reason="missing")
    with decode(Clip(path.stem, path), chunk=64) as batches:
        frames = np.concatenate([batch.new for batch in batches])
    return [frames[int((moment + 0.5) * len(frames) / moments)] for moment in range(moments)]


def _encoded(canvas: Image.Image) -> bytes:
    """JPEG at the best quality that is small enough."""
    for quality in range(85, 20, -5):
        held = io.BytesIO()
        canvas.save(held, "JPEG", quality=quality, optimize=True, comment=LABEL)
        if held.tell() < MOST_BYTES:
            break
    return held.getvalue()
