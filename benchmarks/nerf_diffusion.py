"""``ref-nerf`` and ``ref-diffusion`` against what they are to reach: fits, and pictures and speech they never saw.

    python benchmarks/run.py nerf_diffusion
    THGEVAL_GENERATORS=ref-nerf python benchmarks/run.py nerf_diffusion      # this alone; the other row stays

``fit_seconds`` and ``seconds`` (of 5 s at 25 frames per second, encoding aside) are wall time, ``..._cpu_seconds`` what
all threads together took; ``load`` is what the machine did on average while fitting, in running processes. ``psnr_db``
is over what was never seen, ``over_db`` how much that is over a picture that knows nothing of the moment:

* ``ref-nerf``: head pixels at 96 px of five cameras on another performance of ``synth3d-v1``, over the median of the
  views that it was fitted to. ``depth_error_dm`` is the median error of depth there.
* ``ref-diffusion``: the mouth's square at 40 px, seen softly at its edges, in clips of ``synth-v1`` in the voice that
  it was fitted to, over the mean mouth. The background is the clip whose speech it is, so that the true mouth is known
  (the setting ``self-dub``). ``other_voices_over_db`` is the same for sentences in other voices;
  ``silent_over_db`` with silence for speech: what the head's turn and the landmarks tell without it. ``spread_levels``
  is how far apart two seeds' mouths are (root mean square, of 255 levels).

``lips_r`` is the correlation of the opening of the lips, as dlib reads it in the encoded video, with that in the clip
that was fitted to, driven as that was; ``new_lips_r`` the same for the performance or the sentences it never saw.
"""

import json
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from generators import BARS_S, FIT_BARS_S, FIT_SECONDS, FPS, FRAMES, opening

PSNR_BARS_DB = {"ref-nerf": 26.0}
OVER_BARS_DB = {"ref-nerf": 8.0, "ref-diffusion": 2.0}
LIPS_BAR = 0.9
EVERY = 10
"""Frames of the performance from one whose views are compared to the next."""
OWN_VOICE, OTHER_VOICES = ("s1-e01-still", "s1-e02-pose"), ("s1-e03-still", "s1-e04-pose")
RESULTS = Path(__file__).parent / "results" / "nerf_diffusion.json"


def measurements() -> list[dict[str, Any]]:
    """A row for each of the two."""
    asked = [name for name in os.environ.get("THGEVAL_GENERATORS", "").split(",") if name] or list(MEASURED)
    rows = json.loads(RESULTS.read_text())["rows"] if RESULTS.is_file() else []
    held = {row["generator"]: row for row in rows}
    for name in asked:
        with tempfile.TemporaryDirectory() as folder:
            held[name] = MEASURED[name](Path(folder))
    return [held[name] for name in MEASURED if name in held]


def radiance_field(folder: Path) -> dict[str, Any]:
    """``ref-nerf`` on a person of ``synth3d-v1``."""
    from thgeval_baselines.generator import Inputs
    from thgeval_baselines.generators.nerf import Nerf
    from thgeval_baselines.sets.synth3d import make_synth3d

    tasks = make_synth3d(folder / "set", people=1)
    new = Inputs("bench", fps=Fraction(FPS), frames=FRAMES, fit_views=tasks.path("views/p0"))
    new = replace(new, curves=tasks.path("curves/p0.npz"))
    seen = replace(new, curves=_fit_curves(folder))
    generator, row = Nerf(), {"generator": "ref-nerf"}
    fitted = folder / "fit"
    fitted.mkdir()
    row |= _timed("fit_", lambda: generator.fit(new, fitted, seed=0)) | {"fit_bar_s": FIT_BARS_S["nerf"]}
    frames: list[Any] = []
    row |= _timed("", lambda: frames.extend(generator.generate(new, seed=0, fitted=fitted).frames))
    row |= {"bar_s": BARS_S["nerf"], **_held_out(tasks, fitted)}
    shown = list(generator.generate(seen, seed=0, fitted=fitted).frames)
    lips = _lips(folder, shown, _decoded(tasks.path("fit/p0.mp4"))[:FRAMES])
    return (
        row
        | {"lips_r": lips, "lips_bar": LIPS_BAR}
        | {"new_lips_r": _lips(folder, frames, _decoded(tasks.path("reference/p0-front.mp4")))}
    )


def diffusion(folder: Path) -> dict[str, Any]:
    """``ref-diffusion`` on a person of ``synth-v1``."""
    from thgeval.media.audio import decoded_speech
    from thgeval_baselines.generator import Inputs
    from thgeval_baselines.generators.diffusion import RATE_HZ, Diffusion
    from thgeval_baselines.sets.said import write_sound
    from thgeval_baselines.sets.synth import make_synth

    clips = frozenset({*OWN_VOICE, *OTHER_VOICES})
    tasks = make_synth(folder / "set", people=1, only=clips, fit_seconds=FIT_SECONDS, workers=1)
    given = {name: _own_speech(tasks, name) for name in clips}
    fit_video = tasks.path(tasks[OWN_VOICE[0]].inputs["fit_video"])
    write_sound(folder / "silence.wav", np.zeros(FRAMES * RATE_HZ // FPS, np.float32))
    write_sound(folder / "fit.wav", decoded_speech(fit_video, rate_hz=RATE_HZ).samples)
    generator, fitted = Diffusion(), folder / "fit"
    fitted.mkdir()
    base = Inputs("bench", fps=Fraction(FPS), frames=FRAMES, fit_video=fit_video)

    def made(audio: Path, target: Path, seed: int = 0) -> list[Any]:
        item = replace(base, audio=audio, target_video=target)
        return list(generator.generate(item, seed=seed, fitted=fitted).frames)

    row: dict[str, Any] = {"generator": "ref-diffusion"}
    row |= _timed("fit_", lambda: generator.fit(base, fitted, seed=0)) | {"fit_bar_s": FIT_BARS_S["diffusion"]}
    own: list[list[Any]] = []
    row |= _timed("", lambda: own.append(made(**given[OWN_VOICE[0]]))) | {"bar_s": BARS_S["diffusion"]}
    own += [made(**given[name]) for name in OWN_VOICE[1:]]
    judged = Judged(fitted, {name: given[name]["target"] for name in clips})
    psnr_db, over_db = judged.over(OWN_VOICE, own)
    others = [made(**given[name]) for name in OTHER_VOICES]
    silent = [made(folder / "silence.wav", given[name]["target"]) for name in OWN_VOICE]
    other_seed = made(**given[OWN_VOICE[0]], seed=1)
    shown = made(folder / "fit.wav", fit_video)
    new = [_lips(folder, frames, judged.truth[name]) for name, frames in zip(OWN_VOICE, own, strict=True)]
    return row | {
        "psnr_db": psnr_db,
        "over_db": over_db,
        "over_bar_db": OVER_BARS_DB["ref-diffusion"],
        "other_voices_over_db": judged.over(OTHER_VOICES, others)[1],
        "silent_over_db": judged.over(OWN_VOICE, silent)[1],
        "spread_levels": judged.apart(OWN_VOICE[0], own[0], other_seed),
        "lips_r": _lips(folder, shown, _decoded(fit_video)[:FRAMES]),
        "lips_bar": LIPS_BAR,
        "new_lips_r": float(np.mean(new)),
    }


MEASURED: dict[str, Callable[[Path], dict[str, Any]]] = {"ref-nerf": radiance_field, "ref-diffusion": diffusion}


class Judged:
    """Mouths of made frames beside those of the true clips, in the square and at the size of the fitted model."""

    def __init__(self, fitted: Path, videos: dict[str, Path]) -> None:
        from thgeval_baselines.generator import Inputs
        from thgeval_baselines.generators.diffusion import PX, read_model, steady_landmarks
        from thgeval_baselines.generators.mouths import mask

        self.place, _, guess, _ = read_model(fitted)
        self.px, self.seen = PX, mask(PX)[..., None]
        self.mean = np.rint(guess.mean).astype(np.uint8)
        self.truth = {name: _decoded(video) for name, video in videos.items()}
        about = Inputs("bench", fps=Fraction(FPS))
        self.marks = {name: steady_landmarks(video, about, count=FRAMES) for name, video in videos.items()}

    def over(self, names: tuple[str, ...], made: list[list[Any]]) -> tuple[float, float]:
        """PSNR of the mouths in these clips' made frames, and by how much it is over the mean mouth's, in dB."""
        own, mean = [], []
        for name, frames in zip(names, made, strict=True):
            own.append(self._error(name, frames))
            put = [self.place.put(*each, self.mean) for each in zip(self.truth[name], self.marks[name], strict=True)]
            mean.append(self._error(name, put))
        return _db(float(np.mean(own))), _db(float(np.mean(own))) - _db(float(np.mean(mean)))

    def apart(self, name: str, one: list[Any], other: list[Any]) -> float:
        """How far apart the mouths of two renderings of a clip are, levels."""
        return float(np.sqrt(self._between(self._cut(name, one), self._cut(name, other))))

    def _error(self, name: str, frames: list[Any]) -> float:
        return self._between(self._cut(name, frames), self._cut(name, self.truth[name]))

    def _cut(self, name: str, frames: Any) -> Any:
        pairs = zip(frames, self.marks[name], strict=True)
        return np.stack([self.place.cut(frame, marks, self.px) for frame, marks in pairs])

    def _between(self, one: Any, other: Any) -> float:
        apart = (one.astype(np.float64) - other) ** 2 * self.seen
        return float(apart.mean() / self.seen.mean())


def _held_out(tasks: Any, fitted: Path) -> dict[str, Any]:
    """Pictures of a performance and from cameras that the field never saw."""
    from thgeval_baselines.generators.nerf import ACTIONS, PX, read_field
    from thgeval_baselines.generators.radiance import picture
    from thgeval_baselines.generators.views import rays, read_views
    from thgeval_baselines.rig.model import rig
    from thgeval_baselines.sets.seen import DEPTH_EVERY, DEPTH_UNIT_DM, PLACES

    field, box = read_field(fitted)
    median = np.median(read_views(tasks.path("views/p0"), names=ACTIONS, px=PX).images, axis=0)
    told = [rig().action_names.index(name) for name in ACTIONS]
    with np.load(tasks.path("truth/p0.npz")) as known:
        actions, skulls = known["actions"][:, told], known["skull"]
    own, still, deep = [], [], []
    for place in PLACES:
        with np.load(tasks.path(f"truth/p0-{place}.npz")) as known:
            intrinsics, camera, depth = known["intrinsics"], known["camera_pose"], known["depth"] * DEPTH_UNIT_DM
        truth = _decoded(tasks.path(f"reference/p0-{place}.mp4"))
        for frame in range(0, FRAMES, EVERY):
            shown, found = picture(
                field, box, intrinsics=intrinsics, camera=camera, skull=skulls[frame], actions=actions[frame], px=PX
            )
            wanted, true_depth = (_small(each, PX) for each in (truth[frame], depth[frame // DEPTH_EVERY]))
            head = _small((depth[frame // DEPTH_EVERY] > 0).astype(np.float32), PX)
            own.append(_errors(shown, wanted)[head > 0.5])
            still.append(_errors(median, wanted)[head > 0.5])
            _, way = rays(intrinsics, camera, np.eye(4), PX)
            along = found * (way @ camera[:3, 2]).reshape(PX, PX)
            deep.append(np.abs(along - true_depth)[(head == 1) & np.isfinite(found)])
    psnr_db = _db(float(np.concatenate(own).mean()))
    return {
        "psnr_db": psnr_db,
        "psnr_bar_db": PSNR_BARS_DB["ref-nerf"],
        "over_db": psnr_db - _db(float(np.concatenate(still).mean())),
        "over_bar_db": OVER_BARS_DB["ref-nerf"],
        "depth_error_dm": float(np.median(np.concatenate(deep))),
    }


def _fit_curves(folder: Path) -> Path:
    """The curves of the performance that the views show."""
    from thgeval_baselines.rig.model import rig
    from thgeval_baselines.sets.synth3d import FIT_SECONDS as SECONDS
    from thgeval_baselines.sets.synth3d import perform

    acting = perform(0, seed=0, seconds=SECONDS, fps=FPS, fitting=True).scene.acting
    angles = dict(zip(("yaw", "pitch", "roll"), acting.angles.T, strict=True))
    np.savez(folder / "seen.npz", **{name: acting[name] for name in rig().action_names}, **angles, fps=FPS)
    return folder / "seen.npz"


def _timed(prefix: str, what: Callable[[], Any]) -> dict[str, float]:
    begun, busy = time.perf_counter(), time.process_time()
    what()
    took = {f"{prefix}seconds": time.perf_counter() - begun, f"{prefix}cpu_seconds": time.process_time() - busy}
    return took | ({"load": os.getloadavg()[1]} if prefix else {})


def _own_speech(tasks: Any, name: str) -> dict[str, Path]:
    """A clip's sound, and the clip as what the mouth is drawn into."""
    return {"audio": tasks.path(tasks[name].inputs["audio"]), "target": tasks.path(tasks[name].reference)}


def _lips(folder: Path, frames: list[Any], truth: Any) -> float:
    one, other = opening(frames, folder / "made.mp4"), opening(list(truth), folder / "true.mp4")
    both = ~np.isnan(one) & ~np.isnan(other)
    return float(np.corrcoef(one[both], other[both])[0, 1])


def _decoded(path: Path) -> Any:
    from thgeval.clip import Clip
    from thgeval.media import decode

    with decode(Clip(path.stem, path), chunk=64) as batches:
        return np.concatenate([batch.new for batch in batches])


def _small(image: Any, px: int) -> Any:
    return cv2.resize(image, (px, px), interpolation=cv2.INTER_AREA)


def _errors(one: Any, other: Any) -> Any:
    return ((one.astype(np.float64) - other) ** 2).mean(axis=-1)


def _db(error: float) -> float:
    return float(10 * np.log10(255**2 / error))
