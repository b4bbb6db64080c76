"""``synth-v1``: a photograph that talks, with everything about it known.

    SET/taskset.yaml, items.jsonl   the task set
    SET/recipe.json                 what it was made from, and its hash
    SET/README.txt                  what these files are; keep it with them
    SET/reference/s1-e01-pose.mp4   the video; beside it what metrics read: s1-e01-pose.faces.npz
    SET/truth/s1-e01-pose.npz       what is true of it
    SET/curves/s1-e01-pose.npz      ARKit actions, yaw, pitch and roll: what drives ``parameter`` generators
    SET/audio/e01.wav, image/s1.png, fit/s1.mp4

Four pseudo-identities say 12 utterances, with still and with moving heads; stress clips vary one thing each (no sound,
only closures, only vowels, rate of blinks, yaw, late sound, frame rate, size); each person has 25 s to fit to.

Truth (``np.load``): the ten ``geometry.Parameters`` and ``landmarks`` (frames, 68, 2) px; ``blinks_s`` and
``closures_s`` (n, 2), begin and end in seconds; ``phones``, ``phone_start_s``, ``phone_end_s``; ``eye_distance_px``;
``audio_offset_s``, how late the sound is; ``fps``; ``label``. All describe frames before encoding.

What is hashed is the recipe, not the pixels: another machine's rendering may differ by rounding. The same call goes on
where an earlier one stopped.
"""

import hashlib
import io
import json
import os
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from thgeval.errors import ProtocolError
from thgeval.files import write_atomically
from thgeval.media.encode import FAST, write_video
from thgeval_baselines.photo.geometry import PARAMETERS, Parameters
from thgeval_baselines.photo.given import cropped, given
from thgeval_baselines.photo.head import Head
from thgeval_baselines.photo.portrait import portrait as drawn
from thgeval_baselines.sets.clips import LABEL, NOTICE
from thgeval_baselines.sets.performance import (
    FIT_SECONDS,
    FPS,
    REST_SMILE,
    SECONDS,
    SIZE,
    Performance,
    fitting_performance,
    performances,
)
from thgeval_baselines.sets.said import write_sound
from thgeval_baselines.speech.lips import closures
from thgeval_baselines.speech.tts import RATE_HZ
from thgeval_baselines.tasks.files import write_taskset
from thgeval_baselines.tasks.items import Item, TaskSet

ID, OWN_ID, VERSION = "synth-v1", "synth-own", 1
PEOPLE = 4
CRF = 12
FOLDERS = ("reference", "truth", "curves", "audio", "image", "fit")

OWN_NOTICE = """Synthetic test material
=======================

The videos in this folder were rendered by thgeval to test metrics for talking heads. They are not recordings: a
portrait that the maker of this folder gave was moved by parameters drawn from a seed, and a machine's voice speaks
made-up sentences. Nobody says, does or endorses anything in them. Please keep this notice with the files.
"""


def make_synth(
    folder: Path,
    *,
    seed: int = 0,
    people: int = PEOPLE,
    seconds: float = SECONDS,
    fit_seconds: float = FIT_SECONDS,
    portrait: Path | None = None,
    only: frozenset[str] | None = None,
    workers: int | None = None,
) -> TaskSet:
    """Render the set into ``folder`` and give its task set; what an earlier call has made there is kept.

    ``seconds`` and ``fit_seconds`` are the length of each clip and of each person's clip to be fitted to. ``portrait``
    is a picture of the user's own with one frontal face: the set then has that one person and is called ``synth-own``.
    ``only`` are ids of clips; None makes them all. ``workers`` processes draw, one a core if None.

    Raises ``ProtocolError`` for a request that can't be met or a folder that holds something else, and ``InputError``
    for a portrait without a face.
    """
    if not 1 <= people <= 16:
        raise ProtocolError(f"a set of {people} people can't be made, ask for 1 to 16")
    for asked in (seconds, fit_seconds):
        if not 1 <= asked <= 60:
            raise ProtocolError(f"clips of {asked:g} s can't be made, ask for 1 to 60 s")
    count = people if portrait is None else 1
    chosen = _chosen(performances(seed=seed, people=count, seconds=seconds), only)
    fits = [
        fitting_performance(person, seed=seed, seconds=fit_seconds)
        for person in sorted({clip.person for clip in chosen})
    ]
    facts: dict[str, Any] = {"seed": seed, "people": count, "seconds": seconds}
    if portrait is not None:
        facts["portrait_sha256"] = _portrait_sum(portrait)
    recipe = _recipe(facts, [*chosen, *fits])
    _begin(folder, recipe, OWN_NOTICE if portrait else NOTICE)
    _write_inputs(folder, chosen, fits, seed, portrait)
    waiting = [clip for clip in [*fits, *chosen] if not _video(folder, clip).is_file()]
    processes = min(workers or os.cpu_count() or 1, len(waiting))
    if processes > 1:
        with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
            done = [pool.submit(_write_clip, folder, clip, seed, portrait) for clip in waiting]
            for each in done:
                each.result()
    else:
        for clip in waiting:
            _write_clip(folder, clip, seed, portrait)
    return _tasks(folder, chosen, facts, recipe, own=portrait is not None)


def head_of(person: int, *, seed: int, size: int = SIZE, portrait: Path | None = None) -> Head:
    """The head of a person of the set."""
    return _head(person, seed, size, portrait)


def rest(*, own: bool) -> Parameters:
    """A head at rest, as its source image shows it: a portrait of the user's own keeps its smile."""
    return Parameters(smile=1.0 if own else REST_SMILE)


@cache
def _head(person: int, seed: int, size: int, portrait: Path | None) -> Head:
    if portrait is not None:
        return Head.of(cropped(given(portrait), size=size))
    drawn_from = int(np.random.SeedSequence([seed, 0, person]).generate_state(1)[0])
    return Head.of(drawn(seed=drawn_from, size=size))


def _chosen(clips: list[Performance], only: frozenset[str] | None) -> list[Performance]:
    if only is None:
        return clips
    if unknown := sorted(only - {clip.id for clip in clips}):
        raise ProtocolError(f"the set has no clip called {unknown[0]}, choose such as {', '.join(_ids(clips[:3]))}")
    return [clip for clip in clips if clip.id in only]


def _ids(clips: list[Performance]) -> list[str]:
    return [clip.id for clip in clips]


def _begin(folder: Path, recipe: Mapping[str, Any], notice: str) -> None:
    """Make the folder, or find in it the same recipe."""
    known = folder / "recipe.json"
    if folder.exists() and any(folder.iterdir()):
        try:
            same = json.loads(known.read_text(encoding="utf-8"))["sha256"] == recipe["sha256"]
        except (OSError, ValueError, KeyError, TypeError):
            same = False
        if not same:
            raise ProtocolError(f"{folder} holds something else than this set, name a new folder")
    for name in FOLDERS:
        (folder / name).mkdir(parents=True, exist_ok=True)
    write_atomically(folder / "README.txt", notice.encode())
    write_atomically(known, (json.dumps(recipe, indent=1) + "\n").encode())


def _write_inputs(
    folder: Path, clips: list[Performance], fits: list[Performance], seed: int, portrait: Path | None
) -> None:
    """Sounds, source images and curves."""
    for clip in {clip.utterance: clip for clip in clips}.values():
        write_sound(folder / _audio(clip), clip.said.samples, comment=LABEL)
    for person, size in sorted({(clip.person, clip.size) for clip in [*clips, *fits]}):
        head = head_of(person, seed=seed, size=size, portrait=portrait)
        path = folder / _image(person, size)
        held, about = io.BytesIO(), PngInfo()
        about.add_text("Comment", LABEL)
        Image.fromarray(head.frame(rest(own=portrait is not None))).save(held, "PNG", pnginfo=about)
        write_atomically(path, held.getvalue())
    for clip in clips:
        angles = {name: clip[name] for name in ("yaw", "pitch", "roll")}
        _save(folder / _curves(clip), clip.actions() | angles | {"fps": np.array(float(clip.fps))})


def _write_clip(folder: Path, clip: Performance, seed: int, portrait: Path | None) -> None:
    """Truth, then the video: what has a video is whole."""
    head = head_of(clip.person, seed=seed, size=clip.size, portrait=portrait)
    smile = 1.0 - REST_SMILE if portrait is not None else 0.0
    frames = [_smiling(each, smile) for each in clip.frames()]
    landmarks = np.stack([head.landmarks(parameters) for parameters in frames])
    if clip.split != "fit":
        _save(folder / f"truth/{clip.id}.npz", _truth(clip, head, frames, landmarks))
        _save(folder / f"reference/{clip.id}.faces.npz", _faces(clip, frames, landmarks))
    write_video(
        _video(folder, clip),
        (head.frame(parameters) for parameters in frames),
        fps=clip.fps,
        crf=CRF,
        audio=clip.said.samples,
        rate_hz=RATE_HZ,
        audio_start_s=clip.late_s,
        options=FAST,
        comment=LABEL,
    )


def _smiling(frame: Parameters, more: float) -> Parameters:
    values = {name: getattr(frame, name) for name in PARAMETERS}
    return Parameters(**values | {"smile": min(1.0, frame.smile + more)})


def _truth(clip: Performance, head: Head, frames: list[Parameters], landmarks: NDArray[np.float64]) -> dict[str, Any]:
    return {name: np.array([getattr(frame, name) for frame in frames]) for name in PARAMETERS} | {
        "landmarks": landmarks,
        "blinks_s": clip.blinks_s,
        "closures_s": closures(clip.said.phones),
        "phones": np.array([phone.name for phone in clip.said.phones], np.str_),
        "phone_start_s": np.array([phone.start_s for phone in clip.said.phones]),
        "phone_end_s": np.array([phone.end_s for phone in clip.said.phones]),
        "eye_distance_px": np.array(head.portrait.eye_distance_px),
        "audio_offset_s": np.array(clip.late_s),
        "fps": np.array(float(clip.fps)),
        "label": np.array(LABEL),
    }


def _faces(clip: Performance, frames: list[Parameters], landmarks: NDArray[np.float64]) -> dict[str, Any]:
    """The arrays of ``CLIP.faces.npz``."""
    expression = ("aperture", "rounding", "smile", "blink", "brow")
    return {
        "size_px": np.array([clip.size, clip.size]),
        "landmarks_px": landmarks,
        "pose_deg": np.array([(frame.yaw, frame.pitch, frame.roll) for frame in frames]),
        "expression": np.array([[getattr(frame, name) for name in expression] for frame in frames]),
    }


def _tasks(
    folder: Path, clips: list[Performance], facts: Mapping[str, Any], recipe: Mapping[str, Any], *, own: bool
) -> TaskSet:
    tasks = TaskSet(
        id=OWN_ID if own else ID,
        folder=folder,
        items=tuple(_item(clip, clips) for clip in clips),
        title="a photograph that talks, with exact truth",
        licence="" if own else "CC0-1.0",
        notice=LABEL,
        fps=FPS,
        size=(SIZE, SIZE),
        made_by={"tool": "thgeval synth synth-v1", "version": VERSION, **facts, "recipe_sha256": recipe["sha256"]},
    )
    write_taskset(tasks)
    return tasks


def _item(clip: Performance, clips: list[Performance]) -> Item:
    inputs = {
        "source_image": _image(clip.person, clip.size),
        "audio": _audio(clip),
        "curves": _curves(clip),
        "fit_video": f"fit/s{clip.person + 1}.mp4",
    }
    if clip.utterance and clip.meta.get("stress") not in {"closures", "vowels"}:
        inputs["text"] = clip.said.text
    if clip.split == "test":
        kind = clip.id.rpartition("-")[2]
        alike = [each for each in clips if each.split == "test" and each.id.endswith(kind)]
        others = [each for each in alike if each.utterance == clip.utterance and each.person != clip.person]
        after = [each for each in others if each.person > clip.person] + others
        own = [each for each in alike if each.person == clip.person]
        target = own[(own.index(clip) + 1) % len(own)]
        inputs |= {"driving_video": f"reference/{after[0].id}.mp4"} if after else {}
        inputs |= {"target_video": f"reference/{target.id}.mp4"} if target is not clip else {}
    return Item(
        id=clip.id,
        inputs=inputs,
        reference=f"reference/{clip.id}.mp4",
        truth={"clip": f"truth/{clip.id}.npz"},
        identity=f"s{clip.person + 1}",
        split=clip.split,
        frames=len(clip),
        fps=None if clip.fps == FPS else clip.fps,
        size=None if clip.size == SIZE else (clip.size, clip.size),
        language=clip.said.language or None,
        meta={"utterance": clip.utterance or None, "voice": clip.said.voice or None, **clip.meta},
    )


def _video(folder: Path, clip: Performance) -> Path:
    return folder / (f"fit/s{clip.person + 1}.mp4" if clip.split == "fit" else f"reference/{clip.id}.mp4")


def _audio(clip: Performance) -> str:
    return f"audio/{clip.utterance or 'silence'}.wav"


def _image(person: int, size: int) -> str:
    return f"image/s{person + 1}{'' if size == SIZE else f'-{size}'}.png"


def _curves(clip: Performance) -> str:
    return f"curves/{clip.id}.npz"


def _save(path: Path, arrays: Mapping[str, Any]) -> None:
    held = io.BytesIO()
    np.savez_compressed(held, **arrays)
    write_atomically(path, held.getvalue())


def _portrait_sum(path: Path) -> str:
    face = given(path)
    return hashlib.sha256(face.image.tobytes() + repr(face.image.shape).encode()).hexdigest()


def _recipe(facts: Mapping[str, Any], clips: list[Performance]) -> dict[str, Any]:
    """What the set is made from: curves to 1/10000 and sound to 16 bits, as hashes."""
    rows = {}
    for clip in clips:
        sound = np.rint(32767 * np.clip(clip.said.samples, -1, 1)).astype("<i2")
        curves = np.rint(clip.values * 1e4).astype("<i4")
        rows[clip.id] = {
            "audio_sha256": hashlib.sha256(sound.tobytes()).hexdigest(),
            "curves_sha256": hashlib.sha256(curves.tobytes()).hexdigest(),
            "frames": len(clip),
            "fps": str(clip.fps),
            "size": clip.size,
            "late_s": clip.late_s,
        }
    whole = {"version": VERSION, **facts, "crf": CRF, "clips": rows}
    return whole | {"sha256": hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()}
