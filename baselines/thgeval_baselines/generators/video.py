"""``ref-video``: Video Rewrite. Footage of a person is cut at its phones, and triphones of it show new speech.

``fit`` finds phones, mouths and their shapes in the person's ``fit_video``. ``generate`` hears the phones of new
speech, searches the sequence of triphones (``triphones``), and puts their mouths into a background (``stitching``): the
``target_video`` where there is one, else the footage itself, from a frame that the seed draws. Where the background is
too short it runs back and forth.

Source: Bregler, Covell, Slaney, "Video Rewrite: Driving Visual Speech with Audio", SIGGRAPH 1997. Departs: phones are
heard by PocketSphinx's phone loop, without a transcript; see ``footage``, ``triphones`` and ``stitching``.
Can't: sounds that the footage doesn't hold; voices and languages that the recogniser wasn't made for are heard worse;
poses far from the footage's; another light.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from thgeval.errors import InputError
from thgeval_baselines.generator import Generated, Generator, Inputs, Paradigm
from thgeval_baselines.generators.following import video_frames
from thgeval_baselines.generators.footage import Mouths, learnt, points_in, recalled
from thgeval_baselines.generators.ordered import in_order_of
from thgeval_baselines.generators.stitching import stitched
from thgeval_baselines.generators.talking import lacking
from thgeval_baselines.generators.triphones import chosen, plain, sequence
from thgeval_baselines.photo.given import NO_FACE
from thgeval_baselines.speech.hearing import heard_in
from thgeval_baselines.speech.visemes import Phone

Image = NDArray[np.uint8]

HELD_BYTES = 256 << 20
"""What a background that runs back and forth may take."""


class Video(Generator):
    """Footage and new speech in, the person saying it out."""

    id: ClassVar[str] = "ref-video"
    paradigm: ClassVar[Paradigm] = Paradigm.VIDEO
    says: ClassVar[str] = (
        "Video Rewrite: triphones of the person's footage, searched by phones and lip shapes, stitched in"
    )
    needs: ClassVar[frozenset[str]] = frozenset({"audio", "fit_video"})
    takes: ClassVar[frozenset[str]] = frozenset({"target_video"})
    fitting: ClassVar[frozenset[str]] = frozenset({"fit_video"})
    extra: ClassVar[str] = "faces,speech"

    def problems(self) -> list[str]:
        """What isn't installed."""
        return lacking({"dlib": "faces", "pocketsphinx": "speech"})

    def fit(self, inputs: Inputs, folder: Path, *, seed: int) -> None:
        """Leaves the footage's phones, shapes and mouths; nothing is random."""
        learnt(_given(inputs, "fit_video"), inputs.size, inputs.fps, folder)

    def generate(self, inputs: Inputs, *, seed: int, fitted: Path | None) -> Generated:
        """One video; the seed draws where in the footage the background begins."""
        if fitted is None:
            raise InputError(f"{inputs.item} has no footage that was fitted to", reason="missing")
        mouths = recalled(fitted)
        phones, frames = heard_in(_given(inputs, "audio"), fps=inputs.fps, frames=inputs.frames)
        wanted = plain(phones, seconds=float(frames / inputs.fps))
        path = chosen(wanted, mouths.footage)
        seen = sequence(wanted, path, mouths.footage, fps=float(inputs.fps), count=frames)
        behind = _behind(inputs, mouths, frames, seed)

        def frame(given: tuple[int, tuple[Image, NDArray[np.float64]]]) -> Image:
            number, (image, points) = given
            if not np.isfinite(points).all():
                return image
            return stitched(image, points, mouths, seen.frames[number], seen.weights[number])

        evidence = {"triphones.csv": _listed(wanted, [mouths.footage.phones[number] for number in path])}
        return Generated(in_order_of(frame, enumerate(behind.played(frames))), fps=inputs.fps, evidence=evidence)


@dataclass(frozen=True, eq=False)
class _Behind:
    """A background: a video from its frame ``start`` on, and the landmarks (frames, 68, 2) of its face from there."""

    inputs: Inputs
    path: Path
    start: int
    points: NDArray[np.float64]

    def played(self, frames: int) -> Iterator[tuple[Image, NDArray[np.float64]]]:
        """So many frames with their landmarks, back and forth if there are fewer."""
        pictures = islice(video_frames(self.path, self.inputs.size, self.inputs.fps), self.start, None)
        if frames <= len(self.points):
            yield from islice(zip(pictures, self.points, strict=False), frames)
            return
        height, width = self.inputs.size
        most = max(1, HELD_BYTES // (3 * height * width))
        held = list(islice(zip(pictures, self.points, strict=False), most))
        period = max(1, 2 * len(held) - 2)
        for number in range(frames):
            yield held[min(number % period, -number % period)]


def _behind(inputs: Inputs, mouths: Mouths, frames: int, seed: int) -> _Behind:
    if inputs.target_video is None:
        spare = max(0, len(mouths.placed) - frames)
        start = int(np.random.default_rng(seed).integers(spare + 1))
        return _Behind(inputs, _given(inputs, "fit_video"), start, mouths.placed[start:])
    points = points_in(inputs.target_video, inputs.size, inputs.fps, count=frames)
    if not np.isfinite(points).any():
        raise InputError(f"{inputs.target_video}: no face is found in the target video", reason=NO_FACE)
    return _Behind(inputs, inputs.target_video, 0, points)


def _given(inputs: Inputs, name: str) -> Path:
    path: Path | None = getattr(inputs, name)
    if path is None:
        raise InputError(f"{inputs.item} has no {name.replace('_', ' ')}, which ref-video needs", reason="missing")
    return path


def _listed(wanted: tuple[Phone, ...], held: list[Phone]) -> bytes:
    """The new phones and those of the footage that show them, as CSV: begin, end, name, twice in a row."""
    rows = zip(wanted, held, strict=True)
    lines = [f"{a.start_s:.3f},{a.end_s:.3f},{a.name},{b.start_s:.3f},{b.end_s:.3f},{b.name}\n" for a, b in rows]
    return "".join(["start_s,end_s,phone,footage_start_s,footage_end_s,footage_phone\n", *lines]).encode()
