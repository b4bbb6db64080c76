"""Small files that ask for much time, memory or room."""

import io
from functools import partial
from pathlib import Path

import av
import numpy as np
from PIL import Image
from support.clips import moving

from attack.arrays import npy, zipped
from attack.cases import FRAMES, SIZE, Case, Rng, Sides
from attack.media import flat


def gif(delays: list[int], size: int = 8) -> bytes:
    """An animation; delays are in hundredths of a second, as far as GIF can say: 655 s."""
    images = [Image.new("RGB", (size, size), (index % 256, index // 256, 9)) for index in range(len(delays))]
    buffer = io.BytesIO()
    images[0].save(
        buffer, "GIF", save_all=True, append_images=images[1:], duration=[10 * one for one in delays], loop=0
    )
    return buffer.getvalue()


def leaping_sound(path: Path, leaps: int, seconds: float) -> None:
    """A film whose sound stands still for long between packets."""
    with av.open(str(path), "w") as container:
        pictures = container.add_stream("libx264", rate=25)
        pictures.height = pictures.width = SIZE
        pictures.pix_fmt = "yuv420p"
        sound = container.add_stream("pcm_s16le", rate=16000)
        for frame in moving(FRAMES, SIZE):
            container.mux(pictures.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(pictures.encode(None))
        for leap in range(leaps):
            block = av.AudioFrame.from_ndarray(np.zeros((1, 160), np.int16), format="s16", layout="mono")
            block.sample_rate, block.pts = 16000, int(leap * seconds * 16000)
            container.mux(sound.encode(block))
        container.mux(sound.encode(None))


def large(path: Path, width: int, height: int, frames: int = 2) -> None:
    """H.264 of one colour, of many pixels."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for _ in range(frames):
            container.mux(stream.encode(av.VideoFrame(width, height, "yuv420p")))
        container.mux(stream.encode(None))


def _written(sides: Sides, name: str, *, suffix: str, content: bytes) -> None:
    sides.partner(name)
    (sides.pred / f"{name}{suffix}").write_bytes(content)


def _made(sides: Sides, name: str, *, suffix: str, make: object) -> None:
    sides.partner(name)
    make(sides.pred / f"{name}{suffix}")


def _stills(sides: Sides, name: str) -> None:
    sides.partner(name)
    (sides.pred / name).mkdir()
    for number in range(4):
        (sides.pred / name / f"{number}.png").write_bytes(flat(8192))


def bombs(rng: Rng, count: int) -> list[Case]:
    """Small files that ask for much time, memory or room."""
    made = [
        Case("GIF of two days", partial(_written, suffix=".gif", content=gif([65535] * 300))),
        Case("GIF of 4,000 pictures", partial(_written, suffix=".gif", content=gif([2] * 4000, 4))),
        Case("GIF without delays", partial(_written, suffix=".gif", content=gif([0] * 50))),
        Case("sound in leaps", partial(_made, suffix=".mkv", make=partial(leaping_sound, leaps=150, seconds=590))),
        Case("sound in short leaps", partial(_made, suffix=".mkv", make=partial(leaping_sound, leaps=40, seconds=9))),
        Case("8192 px", partial(_made, suffix=".mp4", make=partial(large, width=8192, height=4320))),
        Case("16384 x 64", partial(_made, suffix=".mp4", make=partial(large, width=16384, height=64))),
        Case("16 x 16", partial(_made, suffix=".mp4", make=partial(large, width=16, height=16))),
        Case("four PNGs of 8192 px", _stills),
        Case("npy of 2 TB", partial(_sparse_array, shape=(1 << 21, 1024, 1024))),
        Case("npy of 2 TB in colour", partial(_sparse_array, shape=(1 << 19, 1024, 1024, 3))),
        Case(
            "npz of 700 MB",
            partial(
                _written,
                suffix=".npz",
                content=zipped({"frames.npy": (npy((700, 1000, 1000, 1)), 700 << 20)}),
            ),
        ),
    ]
    return made[:count]


def _sparse_array(sides: Sides, name: str, *, shape: tuple[int, ...]) -> None:
    sides.partner(name)
    with (sides.pred / f"{name}.npy").open("wb") as file:
        file.write(npy(shape))
        file.truncate(file.tell() + int(np.prod(shape, dtype=object)))
