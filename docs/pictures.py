"""Draw the pictures of the pages on baselines: what drives a generator, frames that it makes, and its evidence.

    python docs/pictures.py              every registered reference generator
    python docs/pictures.py ref-2d ...   these alone

Writes ``docs/images/baselines/PARADIGM.jpg``, each below 150 kB. Everything is synthetic test material: the first clip
of ``synth-v1`` whose head moves, or of ``synth3d-v1`` for what is fitted to views.
"""

import csv
import io
import sys
import tempfile
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

OUT = Path(__file__).parent / "images" / "baselines"
MOST_BYTES = 150_000
TILES, TILE, LABEL = 6, 150, 18
SECONDS = 3.0
ITEM, OTHERS = "s1-e01-pose", ("s2-e01-pose", "s1-e02-pose")
DRIVES = ("driving_video", "curves", "audio", "text")
SHOWN_CURVES = ("jawOpen", "mouthFunnel", "mouthPucker", "mouthClose", "eyeBlinkLeft", "aperture", "rounding")
COLOURS = ("#00796b", "#c2185b", "#ef6c00", "#3949ab", "#777777", "#00796b", "#c2185b")


def main(names: list[str]) -> int:
    """Draw the named generators' pictures, or all."""
    from thgeval_baselines.catalogue import builtin
    from thgeval_baselines.running.worker import loaded
    from thgeval_baselines.sets.synth import make_synth

    OUT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        tasks = make_synth(Path(folder) / "photo", people=2, seconds=SECONDS, only=frozenset({ITEM, *OTHERS}))
        given = {name: tasks.path(path) for name, path in tasks[ITEM].inputs.items()}
        given["text"] = tasks[ITEM].inputs["text"]
        for system in builtin():
            if not names or system.id in names:
                draw(loaded(system.spec)(), given, Path(folder))
    return 0


def draw(generator: Any, given: dict[str, Any], folder: Path) -> None:
    """One generator's picture."""
    from thgeval_baselines.generator import Inputs

    if "fit_views" in generator.needs:
        given = given | _views(folder)
    drive = next(name for names in (generator.needs, generator.takes) for name in DRIVES if name in names)
    behind = generator.takes & {"target_video"}
    named = {name: given[name] for name in generator.needs | generator.fitting | {drive} | behind}
    frames = None if drive == "text" else round(SECONDS * 25)
    inputs = Inputs("picture", fps=Fraction(25), frames=frames, **named)
    fitted = None
    if generator.fitting:
        fitted = folder / f"fit-{generator.id}"
        fitted.mkdir()
        generator.fit(inputs, fitted, seed=0)
    made = generator.generate(inputs, seed=1, fitted=fitted)
    rows = []
    if drive == "driving_video":
        rows.append(("the driving video", _tiles(_frames(given["driving_video"]))))
    if "fit_video" in generator.fitting:
        rows.append(("the footage that it is fitted to", _tiles(_frames(given["fit_video"]))))
    if drive == "curves":
        with np.load(given["curves"]) as curves:
            held = {name: curves[name] for name in SHOWN_CURVES if name in curves.files}
        table = [dict(zip(held, row, strict=True)) for row in zip(*held.values(), strict=True)]
        rows.append(("the curves", _lines(table)))
    first = Image.open(given["source_image"]).convert("RGB") if "source_image" in named else None
    rows.append(("source image, and frames" if first else "frames", _tiles(list(made.frames), first)))
    shown = [(name, _evidence(name, content)) for name, content in made.evidence.items() if _drawable(name)]
    _write(OUT / f"{generator.paradigm.value}.jpg", rows + _packed(shown))


def _views(folder: Path) -> dict[str, Any]:
    from thgeval_baselines.sets.synth3d import make_synth3d

    tasks = make_synth3d(folder / "views", people=1, seconds=SECONDS, fit_seconds=1.0)
    return {name: tasks.path(path) for name, path in tasks.items[0].inputs.items() if name in {"fit_views", "curves"}}


def _frames(path: Path) -> list[Any]:
    from thgeval.clip import Clip
    from thgeval.media import decode

    with decode(Clip(path.stem, path), chunk=64) as batches:
        return [frame.copy() for batch in batches for frame in batch.new]


def _tiles(frames: list[Any], first: Image.Image | None = None) -> Image.Image:
    """Frames evenly over a video, side by side."""
    count = TILES - (first is not None)
    chosen = [Image.fromarray(frames[int((n + 0.5) * len(frames) / count)]) for n in range(count)]
    row = Image.new("RGB", (TILES * TILE, TILE), "white")
    for number, tile in enumerate(([first] if first else []) + chosen):
        row.paste(tile.resize((TILE, TILE), Image.Resampling.LANCZOS), (number * TILE, 0))
    return row


def _drawable(name: str) -> bool:
    return name.endswith((".jpg", ".png")) or name == "curves.csv"


def _evidence(name: str, content: bytes) -> Image.Image:
    """A picture as it is, at the strip's height or width; a table of curves as lines."""
    if name.endswith(".csv"):
        return _lines(list(csv.DictReader(io.StringIO(content.decode()))))
    picture = Image.open(io.BytesIO(content)).convert("RGB")
    share = min(TILES * TILE / picture.width, 2 * TILE / picture.height)
    return picture.resize((round(picture.width * share), round(picture.height * share)), Image.Resampling.LANCZOS)


def _lines(table: Sequence[Mapping[str, Any]]) -> Image.Image:
    """Curves over time, one colour each."""
    width, height = TILES * TILE, 90
    drawn = Image.new("RGB", (width, height), "white")
    pen = ImageDraw.Draw(drawn)
    for number, name in enumerate(each for each in SHOWN_CURVES if each in table[0]):
        values = [float(row[name]) for row in table]
        points = [
            (n * (width - 1) / (len(values) - 1), (height - 5) * (1 - value) + 2) for n, value in enumerate(values)
        ]
        pen.line(points, fill=COLOURS[number], width=2)
        pen.text((4 + 120 * number, 2), name, fill=COLOURS[number], font_size=11)
    return drawn


def _packed(pictures: list[tuple[str, Image.Image]]) -> list[tuple[str, Image.Image]]:
    """The same side by side where they fit into one row."""
    rows: list[tuple[str, Image.Image]] = []
    for name, picture in pictures:
        if rows and rows[-1][1].width + picture.width <= TILES * TILE:
            before, held = rows.pop()
            both = Image.new("RGB", (held.width + picture.width, max(held.height, picture.height)), "white")
            both.paste(held, (0, 0))
            both.paste(picture, (held.width, 0))
            rows.append((f"{before}, {name}", both))
        else:
            rows.append((name, picture))
    return rows


def _write(path: Path, rows: list[tuple[str, Image.Image]]) -> None:
    """The rows below each other with their names, as a JPEG that is small enough."""
    canvas = Image.new("RGB", (TILES * TILE, sum(row.height + LABEL for _, row in rows)), "white")
    pen, top = ImageDraw.Draw(canvas), 0
    for name, row in rows:
        pen.text((2, top + 2), name, fill="#555555", font_size=12)
        canvas.paste(row, (0, top + LABEL))
        top += row.height + LABEL
    for quality in range(88, 30, -4):
        held = io.BytesIO()
        canvas.save(held, "JPEG", quality=quality, optimize=True, comment=b"synthetic test material (thgeval)")
        if held.tell() < MOST_BYTES:
            break
    path.write_bytes(held.getvalue())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
