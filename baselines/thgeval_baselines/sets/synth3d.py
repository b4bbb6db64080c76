"""``synth3d-v1``: rigged people who are nobody, from five cameras, with everything about them known.

    SET/taskset.yaml, items.jsonl   the task set; one item a person and camera
    SET/recipe.json                 what it was made from, and its hash
    SET/README.txt                  what these files are; keep it with them
    SET/reference/p0-front.mp4      the video; beside it what metrics read: p0-front.faces.npz, p0-front.views.npz
    SET/truth/p0-front.npz          what is true of the view
    SET/truth/p0.npz                what is true of the person's performance, from wherever it is seen
    SET/curves/p0.npz               52 actions, yaw, pitch and roll: what drives ``parameter`` generators
    SET/audio/p0.wav, image/p0-front.png
    SET/fit/p0.mp4                  the person saying something else, from the front, to be fitted to
    SET/views/p0/000.png ...        stills of that other performance from cameras that ``cameras.json`` knows

Truth of a view (``np.load``): ``landmarks_dm`` (frames, 68, 3), ``landmarks_px`` (frames, 68, 2), ``visible`` (frames,
68), ``pose_deg`` (frames, 3), ``depth`` (every fifth frame, height, width) uint16 in 1/1000 dm along the camera's axis,
``intrinsics`` (3, 3) in shares of the picture's sides, ``camera_pose`` (4, 4) from the camera to the world.

Truth of a performance: ``actions`` (frames, 52) and ``action_names``; ``yaw pitch roll`` (frames,) degrees;
``blinks_s`` (blinks, 2); ``phones``, ``phone_start_s``, ``phone_end_s``; ``skull`` (frames, 4, 4), what the pose does
to the head; ``shape_names``, ``shape_weights`` of the person; ``key key_colour fill fill_colour ambient`` of the light;
``audio_offset_s``, how late the sound is; ``fps``; ``label``. All describe frames before encoding.

What is hashed is the recipe, not the pixels: another machine's rendering may differ by rounding. ``alike`` tells
whether two renderings of one recipe are near enough.
"""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from thgeval.clip import Clip
from thgeval.errors import ProtocolError
from thgeval.files import write_atomically
from thgeval.media import decode
from thgeval.media.encode import FAST, write_video
from thgeval_baselines.rig.acting import acted
from thgeval_baselines.rig.camera import Camera
from thgeval_baselines.rig.light import Light
from thgeval_baselines.rig.model import person, rig
from thgeval_baselines.rig.people import Person
from thgeval_baselines.rig.pose import skull
from thgeval_baselines.sets.clips import LABEL
from thgeval_baselines.sets.said import said, write_sound
from thgeval_baselines.sets.seen import PLACES, Filming, Scene, Seen, bundle, camera, faces_file
from thgeval_baselines.speech.lips import mouth
from thgeval_baselines.speech.spoken import RATE_HZ
from thgeval_baselines.speech.tts import Said
from thgeval_baselines.tasks.files import write_taskset
from thgeval_baselines.tasks.items import Item, TaskSet

ID, VERSION = "synth3d-v1", 1
CRF = 12
FIT_SECONDS, STILLS = 10.0, 120
ALIKE_DB = 45.0
"""PSNR of decoded frames from which two machines' renderings of one recipe count as the same."""

NOTICE = """Synthetic test material
=======================

The videos and pictures in this folder were rendered by thgeval to test metrics for talking heads. They are not
recordings: the heads are computer graphics (CC0 data of MakeHuman, moved by curves drawn from a seed), the people do
not exist, and a machine's voice speaks made-up sentences. Nobody says, does or endorses anything in them. Please keep
this notice with the files.
"""


@dataclass(frozen=True, eq=False)
class Performance:
    """One person of the set: who, what is said, and what is done."""

    name: str
    seed: int
    scene: Scene
    said: Said
    late_s: float

    def recipe(self) -> dict[str, Any]:
        """What it is made from, with curves to 1/10000 and sound to 16 bits as hashes."""
        sound = np.rint(32767 * np.clip(self.said.samples, -1, 1)).astype("<i2")
        return {
            "seed": self.seed,
            "light": asdict(self.scene.light),
            "background": self.scene.background,
            "late_s": self.late_s,
            "audio_sha256": hashlib.sha256(sound.tobytes()).hexdigest(),
            "curves_sha256": _sum(self.scene.acting.actions, self.scene.acting.angles / 90),
        }


def make_synth3d(
    folder: Path,
    *,
    people: int = 8,
    seconds: float = 5.0,
    seed: int = 0,
    size: int = 256,
    fps: int = 25,
    late_frames: int = 0,
    fit_seconds: float = FIT_SECONDS,
    stills: int = STILLS,
    cameras: Sequence[str] = tuple(PLACES),
) -> TaskSet:
    """Render the set into ``folder``, which must be new or empty, and give its task set.

    ``late_frames`` is how many frames the sound comes late; ``fit_seconds`` and ``stills`` are the length of each
    person's clip to be fitted to and the number of views of it, 0 for none; ``cameras`` are those of ``PLACES`` that
    clips are made from.

    Raises ``ProtocolError`` for a request that can't be met.
    """
    _check(folder, people=people, seconds=seconds, size=size, fps=fps)
    for name in ("reference", "truth", "curves", "audio", "image"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    write_atomically(folder / "README.txt", NOTICE.encode())
    late_s = late_frames / fps
    performances = [perform(number, seed=seed, seconds=seconds, fps=fps, late_s=late_s) for number in range(people)]
    fits = [perform(n, seed=seed, seconds=fit_seconds, fps=fps, fitting=True) for n in range(people) if fit_seconds]
    facts = {"seed": seed, "people": people, "seconds": seconds, "size": size, "fps": fps}
    recipes = {each.name: each.recipe() for each in (*performances, *fits)}
    recipe = _recipe(facts, cameras, recipes)
    write_atomically(folder / "recipe.json", (json.dumps(recipe, indent=1) + "\n").encode())
    jobs = [(_write_view, each, place) for each in performances for place in cameras]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for each in performances:
            _write_person(folder, each, fps)
        done = [pool.submit(job, folder, each, place, size, fps) for job, each, place in jobs]
        done += [pool.submit(_write_fit, folder, each, size, fps) for each in fits]
        done += [pool.submit(_write_stills, folder, each, stills, size, seed) for each in fits if stills]
        for each_done in done:
            each_done.result()
    return _tasks(
        folder, performances, cameras, fitted=bool(fits), stills=bool(fits and stills), facts=facts, recipe=recipe
    )


def perform(
    number: int, *, seed: int, seconds: float, fps: int, late_s: float = 0.0, fitting: bool = False
) -> Performance:
    """The performance of one person of a set: the same person whether for fitting or to be scored."""
    own, motion = (int(np.random.SeedSequence([seed, kind, number]).generate_state(1)[0]) for kind in (0, 1 + fitting))
    frames = round(seconds * fps)
    speech = said(number + 2 * fitting, seconds=frames / fps)
    lips = mouth(speech.phones, fps=fps, frames=frames)
    tint = np.random.default_rng([own, 5]).uniform(0.35, 0.75, 3)
    acting = acted(lips.actions, frames=frames, fps=fps, seed=motion)
    grey = 0.5 * tint + 0.5 * tint.mean()
    scene = Scene(Person.of(own), acting, Light.of(own), (float(grey[0]), float(grey[1]), float(grey[2])))
    return Performance(f"p{number}" + ("-fit" if fitting else ""), own, scene, speech, late_s)


def alike(first: Path, second: Path) -> float:
    """PSNR in dB of two videos' decoded frames, infinite where they are the same; ``ALIKE_DB`` is near enough.

    Raises ``ProtocolError`` where they have other numbers or sizes of frames.
    """
    one, other = (_decoded(path) for path in (first, second))
    if one.shape != other.shape:
        raise ProtocolError(f"{first} has frames of {one.shape} and {second} of {other.shape}: not one recipe")
    error = np.mean((one.astype(np.float64) - other) ** 2)
    return float("inf") if error == 0 else float(10 * np.log10(255**2 / error))


def _check(folder: Path, *, people: int, seconds: float, size: int, fps: int) -> None:
    if not 1 <= people <= 1000:
        raise ProtocolError(f"a set of {people} people can't be made, ask for 1 to 1000")
    if not 1 <= seconds <= 600:
        raise ProtocolError(f"clips of {seconds:g} s can't be made, ask for 1 to 600 s")
    if size % 2 or not 64 <= size <= 1024:
        raise ProtocolError(f"size is {size} px, choose an even one in [64, 1024]")
    if not 10 <= fps <= 100:
        raise ProtocolError(f"{fps} frames per second can't be made, ask for 10 to 100")
    if folder.exists() and any(folder.iterdir()):
        raise ProtocolError(f"{folder} is not empty, name a new folder for the set")


def _write_person(folder: Path, each: Performance, fps: int) -> None:
    acting, shapes = each.scene.acting, person(each.seed)
    driving = {name: acting[name] for name in rig().action_names}
    angles = dict(zip(("yaw", "pitch", "roll"), acting.angles.T, strict=True))
    np.savez_compressed(folder / "curves" / f"{each.name}.npz", **driving, **angles, fps=np.array(fps))  # type: ignore[arg-type]
    write_sound(folder / "audio" / f"{each.name}.wav", each.said.samples)
    known: dict[str, Any] = {
        "actions": acting.actions,
        "action_names": np.array(rig().action_names),
        **angles,
        "blinks_s": acting.blinks_s,
        "phones": np.array([phone.name for phone in each.said.phones], np.str_),
        "phone_start_s": np.array([phone.start_s for phone in each.said.phones]),
        "phone_end_s": np.array([phone.end_s for phone in each.said.phones]),
        "skull": np.array([skull(acting.pose(frame)) for frame in range(len(acting))]),
        "shape_names": np.array(list(shapes)),
        "shape_weights": np.array(list(shapes.values())),
        **{name: np.array(value) for name, value in asdict(each.scene.light).items()},
        "audio_offset_s": np.array(each.late_s),
        "fps": np.array(fps),
        "label": np.array(LABEL),
    }
    np.savez_compressed(folder / "truth" / f"{each.name}.npz", **known)


def _write_view(folder: Path, each: Performance, place: str, size: int, fps: int) -> None:
    stem = f"{each.name}-{place}"
    filming = Filming(each.scene, camera(place, size))
    _encode(folder / "reference" / f"{stem}.mp4", filming, each, fps)
    seen = filming.seen()
    np.savez_compressed(folder / "reference" / f"{stem}.faces.npz", **faces_file(each.scene, seen))
    if place == "front":
        np.savez_compressed(folder / "reference" / f"{stem}.views.npz", **bundle(each.scene, size=size))
    np.savez_compressed(folder / "truth" / f"{stem}.npz", **_truth(seen))
    image = each.scene.shot(0, seen.camera)[1].image
    Image.fromarray(image).save(folder / "image" / f"{stem}.png", pnginfo=_labelled())


def _truth(seen: Seen) -> dict[str, Any]:
    return {
        "landmarks_dm": seen.landmarks_dm,
        "landmarks_px": seen.landmarks_px,
        "visible": seen.visible,
        "pose_deg": seen.pose_deg,
        "depth": seen.depth,
        "intrinsics": seen.camera.intrinsics(),
        "camera_pose": seen.camera.pose(),
        "label": np.array(LABEL),
    }


def _write_fit(folder: Path, each: Performance, size: int, fps: int) -> None:
    (folder / "fit").mkdir(exist_ok=True)
    _encode(
        folder / "fit" / f"{each.name.removesuffix('-fit')}.mp4", Filming(each.scene, camera("front", size)), each, fps
    )


def _write_stills(folder: Path, each: Performance, stills: int, size: int, seed: int) -> None:
    """Views of random frames from random cameras, with what a renderer must know of each."""
    place = folder / "views" / each.name.removesuffix("-fit")
    place.mkdir(parents=True)
    rng = np.random.default_rng([seed, 6, each.seed])
    acting, rows = each.scene.acting, []
    for number in range(stills):
        frame = int(rng.integers(len(acting)))
        view = Camera(size=(size, size), azimuth=float(rng.uniform(-35, 35)), elevation=float(rng.uniform(-22, 22)))
        name = f"{number:03}.png"
        Image.fromarray(each.scene.shot(frame, view)[1].image).save(place / name, pnginfo=_labelled())
        curves = zip(rig().action_names, acting.actions[frame], strict=True)
        rows.append(
            {
                "file": name,
                "azimuth": view.azimuth,
                "elevation": view.elevation,
                "intrinsics": view.intrinsics().tolist(),
                "camera_pose": view.pose().tolist(),
                "skull": skull(acting.pose(frame)).tolist(),
                "actions": {action: round(float(value), 5) for action, value in curves},
            }
        )
    known = {"unit": "dm", "size": [size, size], "background": each.scene.background, "label": LABEL, "views": rows}
    write_atomically(place / "cameras.json", (json.dumps(known) + "\n").encode())


def _encode(path: Path, filming: Filming, each: Performance, fps: int) -> None:
    write_video(
        path,
        filming,
        fps=Fraction(fps),
        crf=CRF,
        audio=each.said.samples,
        rate_hz=RATE_HZ,
        audio_start_s=each.late_s,
        options=FAST,
        comment=LABEL,
    )


def _tasks(
    folder: Path,
    performances: list[Performance],
    cameras: Sequence[str],
    *,
    fitted: bool,
    stills: bool,
    facts: Mapping[str, Any],
    recipe: Mapping[str, Any],
) -> TaskSet:
    items = []
    for each in performances:
        inputs = {"audio": f"audio/{each.name}.wav", "curves": f"curves/{each.name}.npz", "text": each.said.text}
        inputs |= {"fit_video": f"fit/{each.name}.mp4"} if fitted else {}
        inputs |= {"fit_views": f"views/{each.name}"} if stills else {}
        for place in cameras:
            azimuth, elevation = PLACES[place]
            stem = f"{each.name}-{place}"
            items.append(
                Item(
                    id=stem,
                    inputs=inputs | {"source_image": f"image/{stem}.png"},
                    reference=f"reference/{stem}.mp4",
                    truth={"view": f"truth/{stem}.npz", "performance": f"truth/{each.name}.npz"},
                    identity=each.name,
                    frames=len(each.scene.acting),
                    meta={"camera": place, "azimuth": azimuth, "elevation": elevation},
                )
            )
    size = facts["size"]
    tasks = TaskSet(
        id=ID,
        folder=folder,
        items=tuple(items),
        title="rigged heads from five cameras, with exact truth",
        licence="CC0-1.0",
        notice=LABEL,
        fps=Fraction(facts["fps"]),
        size=(size, size),
        made_by={"tool": "thgeval synth synth3d-v1", "version": VERSION, **facts, "recipe_sha256": recipe["sha256"]},
    )
    write_taskset(tasks)
    return tasks


def _labelled() -> PngInfo:
    about = PngInfo()
    about.add_text("Comment", LABEL)
    return about


def _recipe(facts: Mapping[str, Any], cameras: Sequence[str], performances: Mapping[str, Any]) -> dict[str, Any]:
    seen_from = {place: PLACES[place] for place in cameras}
    whole = {"id": ID, "version": VERSION, **facts, "cameras": seen_from, "performances": performances}
    text = json.dumps(whole, sort_keys=True)
    return whole | {"sha256": hashlib.sha256(text.encode()).hexdigest()}


def _sum(*curves: NDArray[np.float64]) -> str:
    digest = hashlib.sha256()
    for curve in curves:
        digest.update(np.rint(curve * 1e4).astype("<i2").tobytes())
    return digest.hexdigest()


def _decoded(path: Path) -> NDArray[np.uint8]:
    with decode(Clip(path.stem, path), chunk=32) as batches:
        return np.concatenate([batch.new for batch in batches])
