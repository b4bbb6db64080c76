"""``ref-diffusion``: a small denoising diffusion model of one person's mouth, drawn for new speech and put in a face.

``fit`` cuts the mouth out of the person's ``fit_video``, learns which mouth to expect for speech (``spectra``,
``guessing``), and trains the model (``denoising``) on how mouths differ from that. What to expect is learnt with speech
that was new to the ear; the model is told by the whole ear, as it will be when it draws: told by ears to which the
speech was new, it learnt to trust none, and its lips did worse on new speech too. ``generate`` draws a mouth for each
frame, told by the one to be expected and by the one before it, and puts it into the face of the ``target_video`` where
there is one, of the source image otherwise. The seed draws the noise: two seeds are two videos.

What it can't do: another person than the one in the fit video; voices and languages far from that video's; more detail
than ``PX`` pixels across the mouth; light and poses far from those it has seen; anything but the mouth: the source
image's eyes and head stay still.
"""

import io
import json
from collections.abc import Iterable, Iterator
from itertools import repeat
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from thgeval.errors import InputError
from thgeval.features.sync.speech import placed
from thgeval.media.audio import Audio, decoded_speech
from thgeval_baselines.generator import Generated, Generator, Inputs, Paradigm
from thgeval_baselines.generators.following import video_frames
from thgeval_baselines.generators.guessing import Guess
from thgeval_baselines.generators.mouths import Place, mask, steadied
from thgeval_baselines.generators.one_thread import one_thread
from thgeval_baselines.generators.ordered import in_order_of
from thgeval_baselines.generators.portraits import portrait_of
from thgeval_baselines.generators.spectra import COLUMNS, Ear, heard_around, told_across
from thgeval_baselines.generators.talking import lacking
from thgeval_baselines.photo.given import NO_FACE, landmarks_in
from thgeval_baselines.speech.hearing import sound_in

Picture = NDArray[np.uint8]
Points = NDArray[np.float64]

PX, STEPS = 40, 500
RATE_HZ = 16000
LONGEST = 6000
"""Frames of a fit video that are looked at: four minutes at 25 a second."""
STEADIED_FRAMES = 1.0
"""Time over which landmarks are smoothed: dlib's readings tremble."""
SEEDS, SHOWN_SEEDS = 8, 3
"""Seeds whose mouths of one frame are compared, and of those, the ones that are shown."""
LEAST_FRAMES = 50


class Diffusion(Generator):
    """A video of a person and new speech in, the person's face with a mouth drawn for it out."""

    id: ClassVar[str] = "ref-diffusion"
    paradigm: ClassVar[Paradigm] = Paradigm.DIFFUSION
    says: ClassVar[str] = "a denoising diffusion model of the person's mouth at 40 px, told by speech, put in the face"
    needs: ClassVar[frozenset[str]] = frozenset({"audio", "fit_video"})
    takes: ClassVar[frozenset[str]] = frozenset({"source_image", "target_video"})
    fitting: ClassVar[frozenset[str]] = frozenset({"fit_video"})
    extra: ClassVar[str] = "diffusion"
    steps: ClassVar[int] = STEPS

    def problems(self) -> list[str]:
        """What isn't installed."""
        return lacking({"torch": "diffusion", "diffusers": "diffusion", "dlib": "diffusion"})

    def fit(self, inputs: Inputs, folder: Path, *, seed: int) -> None:
        """Leaves the network (``denoiser.pt``), what it is told by (``ear.npz``, ``guess.npz``), and where the mouth
        lies in the person's face (``mouth.json``).
        """
        import torch

        from thgeval_baselines.generators.denoising import SpeechSamples, train_denoiser

        path = _given(inputs, "fit_video")
        marks = steady_landmarks(path, inputs, count=LONGEST)
        seen = [each for each in marks if each is not None]
        if len(seen) < LEAST_FRAMES:
            raise InputError(
                f"{path}: a face is found in {len(seen)} frames of the fit video, {LEAST_FRAMES} are needed",
                reason=NO_FACE,
            )
        place = Place.of(np.stack(seen))
        there = np.array([each is not None for each in marks])
        held = np.zeros((len(marks), PX, PX, 3), np.uint8)
        for number, frame in enumerate(video_frames(path, inputs.size, inputs.fps, count=len(marks))):
            points = marks[number]
            if points is not None:
                held[number] = place.cut(frame, points, PX)
        heard = heard_around(_placed(decoded_speech(path, rate_hz=RATE_HZ)), frames=len(marks), fps=inputs.fps)
        turned = _turned(place, marks)
        spoken = place.spoken(np.stack(seen))
        ear = Ear.of(heard[there], spoken)
        told = told_across(heard[there], spoken, fps=inputs.fps)
        guess = Guess.of(told, turned[there], held[there])
        samples = SpeechSamples(
            pictures=held[there],
            heard=guess.pictures(ear.told(heard[there]), turned[there]),
            unheard=guess.pictures(np.zeros_like(told), turned[there]),
            which=np.flatnonzero(np.diff(np.flatnonzero(there)) == 1) + 1,
        )
        np.savez(folder / "ear.npz", known=ear.known, weights=ear.weights, width=ear.width)
        np.savez(folder / "guess.npz", **vars(guess))
        with one_thread():
            net = train_denoiser(samples, steps=self.steps, seed=seed)
        torch.save(net.state_dict(), folder / "denoiser.pt")
        (folder / "mouth.json").write_text(json.dumps(place.known()), encoding="utf-8")

    def generate(self, inputs: Inputs, *, seed: int, fitted: Path | None) -> Generated:
        """One video; ``denoising.png`` shows how a mouth comes out of noise for several seeds, ``spread.json`` how far
        apart they end.
        """
        if fitted is None:
            raise InputError(f"{inputs.item} has no fitted model of the person's mouth", reason="missing")
        place, ear, guess, net = read_model(fitted)
        sound, frames = sound_in(_given(inputs, "audio"), fps=inputs.fps, frames=inputs.frames)
        heard = heard_around(_placed(sound), frames=frames, fps=inputs.fps)
        behind, marks = _behind(inputs, frames)
        told, turned = ear.told(heard), _turned(place, marks)
        shown = int(np.argmax(heard[:, COLUMNS // 2].mean(axis=-1)))
        ((first, unheard),) = _expected(guess, told[shown : shown + 1], turned[shown : shown + 1])
        return Generated(
            _frames(net, place, behind, marks, _expected(guess, told, turned), seed),
            fps=inputs.fps,
            evidence=_evidence(net, first, unheard, seed),
        )


def read_model(fitted: Path) -> tuple[Place, Ear, Guess, Any]:
    """The place, the ear, the guess and the ``Denoiser`` that a fit has left."""
    import torch

    from thgeval_baselines.generators.denoising import Denoiser

    place = Place.read(json.loads((fitted / "mouth.json").read_text(encoding="utf-8")))
    with np.load(fitted / "ear.npz", allow_pickle=False) as held:
        ear = Ear(held["known"], held["weights"], float(held["width"]))
    with np.load(fitted / "guess.npz", allow_pickle=False) as held:
        guess = Guess(**held)
    net = Denoiser(PX)
    net.load_state_dict(torch.load(fitted / "denoiser.pt", weights_only=True))
    return place, ear, guess, net.eval()


def _expected(
    guess: Guess, told: NDArray[np.float32], turned: NDArray[np.float32]
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """For each frame the mouth (px, px, 3) to be expected, and the one if nothing were heard."""
    for number in range(len(told)):
        this = slice(number, number + 1)
        yield guess.pictures(told[this], turned[this])[0], guess.pictures(np.zeros_like(told[this]), turned[this])[0]


def _frames(
    net: Any,
    place: Place,
    behind: Iterable[Picture],
    marks: list[Points | None],
    expected: Iterable[tuple[NDArray[np.float32], NDArray[np.float32]]],
    seed: int,
) -> Iterator[Picture]:
    """The background with a mouth drawn for each frame; a frame without a face is left as it is."""
    from thgeval_baselines.generators.denoising import drawn

    with one_thread():
        for image, points, mouth in zip(behind, marks, drawn(net, expected, seed=seed), strict=False):
            yield image if points is None else place.put(image, points, mouth)


def _behind(inputs: Inputs, frames: int) -> tuple[Iterator[Picture], list[Points | None]]:
    """What the mouth is put into, and the landmarks of each of its frames; a shorter video's last frame is held."""
    path = inputs.target_video
    if path is None:
        face = portrait_of(inputs)
        return repeat(face.image, frames), [face.landmarks] * frames
    marks = steady_landmarks(path, inputs, count=frames)
    if all(each is None for each in marks):
        raise InputError(f"{path}: no face is found in the target video", reason=NO_FACE)
    marks += [marks[-1]] * (frames - len(marks))
    return _held(video_frames(path, inputs.size, inputs.fps, count=frames), frames), marks


def _held(pictures: Iterator[Picture], count: int) -> Iterator[Picture]:
    last, shown = None, 0
    for last in pictures:
        shown += 1
        yield last
    if last is not None:
        yield from repeat(last, count - shown)


def steady_landmarks(path: Path, inputs: Inputs, *, count: int) -> list[Points | None]:
    """Steadied landmarks of each frame of a video; None where no face is seen."""
    return steadied(
        list(in_order_of(landmarks_in, video_frames(path, inputs.size, inputs.fps, count=count))), STEADIED_FRAMES
    )


def _turned(place: Place, marks: list[Points | None]) -> NDArray[np.float32]:
    found = [np.zeros(Place.WAYS) if each is None else place.turned(each) for each in marks]
    return np.asarray(np.stack(found), np.float32)


def _placed(found: Audio) -> NDArray[np.float32]:
    """Speech from the first video frame on, or from the start of a sound file."""
    return placed(found.samples, round(found.start_s * RATE_HZ))


def _given(inputs: Inputs, name: str) -> Path:
    path: Path | None = getattr(inputs, name)
    if path is None:
        raise InputError(f"{inputs.item} has no {name.replace('_', ' ')}, which ref-diffusion needs", reason="missing")
    return path


def _evidence(net: Any, heard: NDArray[np.float32], unheard: NDArray[np.float32], seed: int) -> dict[str, bytes]:
    """One frame, from noise to mouth, for several seeds; and how far apart these mouths are."""
    from thgeval_baselines.generators.denoising import unfolding

    with one_thread():
        steps = unfolding(net, heard, unheard, seed=seed, times=SEEDS)  # (steps + 1, seeds, px, px, 3)
    strip = np.concatenate([np.concatenate(list(row), axis=1) for row in steps[:, :SHOWN_SEEDS].swapaxes(0, 1)])
    large = Image.fromarray(strip).resize((2 * strip.shape[1], 2 * strip.shape[0]), Image.Resampling.NEAREST)
    held = io.BytesIO()
    large.save(held, "PNG")
    spread = steps[-1].astype(np.float64).std(axis=0, ddof=1)
    seen = mask(PX)[..., None] / (3 * mask(PX).sum())
    known = {"what": "standard deviation over seeds of one frame's mouth, grey levels", "seeds": SEEDS}
    known |= {"spread": round(float((spread * seen).sum()), 3)}
    return {"denoising.png": held.getvalue(), "spread.json": json.dumps(known).encode()}
