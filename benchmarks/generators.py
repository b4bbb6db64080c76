"""Every registered generator: seconds for 5 s of 256 px at 25 frames per second, and whether lips do what drives them.

    python benchmarks/run.py generators
    THGEVAL_GENERATORS=ref-2d,ref-image python benchmarks/run.py generators     # these alone; other rows stay

A row is a generator and what drives it, of everything that it can be driven by: ``curves`` (``jawOpen`` from 0 to 0.6
and back), ``driving_video`` (another person whose lips make that very curve), ``audio`` and ``text`` (a shipped
sentence). ``seconds`` is from the call to the last frame, encoding aside, the median of runs in a warm process;
``cpu_seconds`` is what all threads together took; ``bar_s`` is what it may take. ``lips_r`` is the correlation of the
opening of the lips, as dlib reads it in the encoded video, with the curve that drove them: of speech the curve of its
own phones. ``faces`` is the share of frames in which dlib finds one; ``repeats`` is whether every run made the same
frames. What is fitted first, ``fit_seconds`` says, on a clip of 25 s, or on views, of the person.

Generators of other packages (entry point ``thgeval.generators``) are rows too.
"""

import hashlib
import json
import os
import tempfile
import time
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

FRAMES, FPS, REPEATS, LONG_S = 125, 25, 3, 15.0
WIDEST_JAW = 0.6
DRIVES = ("curves", "driving_video", "audio", "text")
BARS_S = {
    "image": 5.0,
    "audio": 3.0,
    "video": 5.0,
    "text": 3.0,
    "2d": 3.0,
    "3d": 3.0,
    "parameter": 3.0,
    "nerf": 20.0,
    "diffusion": 10.0,
    "anim3d": 5.0,
}
FIT_BARS_S = {"nerf": 120.0, "diffusion": 180.0}
FIT_SECONDS = 25.0
RESULTS = Path(__file__).parent / "results" / "generators.json"


def measurements() -> list[dict[str, Any]]:
    """A row for each generator and each thing that can drive it."""
    from thgeval_baselines.catalogue import builtin, registered
    from thgeval_baselines.running.worker import loaded

    asked = [name for name in os.environ.get("THGEVAL_GENERATORS", "").split(",") if name]
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        kit = Kit(Path(folder))
        for system in (*builtin(), *registered()[0]):
            if asked and system.id not in asked:
                continue
            rows += measured(loaded(system.spec)(), kit)
    if asked and RESULTS.is_file():
        rows = [row for row in json.loads(RESULTS.read_text())["rows"] if row["generator"] not in asked] + rows
    return rows


class Kit:
    """Inputs that generators are given, made when they are asked for, and the curve that lips are to follow."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.jaw = WIDEST_JAW * (1 - np.cos(np.linspace(0, 12 * np.pi, FRAMES))) / 2
        self._paths: dict[str, Any] = {}

    def inputs(self, names: frozenset[str]) -> Any:
        """An item with these inputs."""
        from thgeval_baselines.generator import Inputs

        given = {name: self[name] for name in names}
        return Inputs("bench", fps=Fraction(FPS), frames=None if "text" in names else FRAMES, **given)

    def __getitem__(self, name: str) -> Any:
        if name not in self._paths:
            self._paths[name] = getattr(self, f"_{name}")()
        return self._paths[name]

    def _set(self) -> Any:
        from thgeval_baselines.sets.synth import make_synth

        only = frozenset({"s1-e01-still", "s1-e02-still"})
        return make_synth(self.folder / "synth", people=2, only=only, fit_seconds=1.0)

    def _item(self, name: str) -> Path:
        tasks = self["set"]
        return Path(tasks.path(tasks["s1-e01-still"].inputs[name]))

    def _source_image(self) -> Path:
        from PIL import Image

        from thgeval_baselines.sets.synth import head_of, rest

        Image.fromarray(head_of(0, seed=0).frame(rest(own=False))).save(self.folder / "face.png")
        return self.folder / "face.png"

    def _audio(self) -> Path:
        return self._item("audio")

    def _fit_video(self) -> Path:
        from thgeval_baselines.sets.synth import make_synth

        only = frozenset({"s1-e01-still"})
        tasks = make_synth(self.folder / "longer", people=2, only=only, fit_seconds=FIT_SECONDS)
        return Path(tasks.path(tasks["s1-e01-still"].inputs["fit_video"]))

    def _target_video(self) -> Path:
        return self._item("target_video")

    def _text(self) -> str:
        return str(self["set"]["s1-e01-still"].inputs["text"])

    def _curves(self) -> Path:
        np.savez(self.folder / "jaw.npz", jawOpen=self.jaw)
        return self.folder / "jaw.npz"

    def _driving_video(self) -> Path:
        from thgeval.media.encode import write_video
        from thgeval_baselines.photo.geometry import Parameters
        from thgeval_baselines.sets.synth import head_of

        head, path = head_of(1, seed=0), self.folder / "driving.mp4"
        frames = (head.frame(Parameters(aperture=float(jaw) / WIDEST_JAW, smile=0.4)) for jaw in self.jaw)
        write_video(path, frames, fps=FPS, crf=12)
        return path

    def _fit_views(self) -> Path:
        from thgeval_baselines.sets.synth3d import make_synth3d

        tasks = make_synth3d(self.folder / "synth3d", people=1, seconds=1.0, fit_seconds=1.0)
        return Path(tasks.path(tasks.items[0].inputs["fit_views"]))

    def truth(self, drive: str, made: Any) -> Any:
        """The opening (frames,) that lips are to have."""
        from thgeval_baselines.speech.lips import mouth
        from thgeval_baselines.speech.visemes import Phone

        if drive in {"curves", "driving_video"}:
            return self.jaw
        if drive == "audio":
            tasks = self["set"]
            with np.load(tasks.path(tasks["s1-e01-still"].truth["clip"])) as truth:
                return truth["aperture"]
        if "phones.csv" not in made.evidence:
            raise LookupError("it leaves no phones.csv, which would say when each sound begins")
        lines = made.evidence["phones.csv"].decode().splitlines()
        phones = [Phone(name, float(a), float(b)) for a, b, name in (line.split(",", 2) for line in lines)]
        return mouth(phones, fps=FPS, frames=round(len(made.sound) / made.rate_hz * FPS)).aperture


def measured(generator: Any, kit: Kit) -> list[dict[str, Any]]:
    """The rows of one generator."""
    about = {"generator": generator.id, "paradigm": generator.paradigm.value}
    problems = generator.problems()
    if problems:
        return [about | {"lacks": problems[0]}]
    fitted, fit = _fitted(generator, kit)
    return [about | _tried(generator, kit, drive, fitted) | fit for drive in drives(generator)]


def drives(generator: Any) -> list[str]:
    """What can drive a generator: each thing that it takes, or the one that it needs."""
    needed = [name for name in DRIVES if name in generator.needs]
    return needed[:1] or [name for name in DRIVES if name in generator.takes]


def _fitted(generator: Any, kit: Kit) -> tuple[Path | None, dict[str, Any]]:
    if not generator.fitting:
        return None, {}
    folder = kit.folder / f"fit-{generator.id}"
    folder.mkdir()
    begun = time.perf_counter()
    generator.fit(kit.inputs(generator.fitting), folder, seed=0)
    bar = FIT_BARS_S.get(generator.paradigm.value)
    return folder, {"fit_seconds": time.perf_counter() - begun} | ({"fit_bar_s": bar} if bar else {})


def _tried(generator: Any, kit: Kit, drive: str, fitted: Path | None) -> dict[str, Any]:
    """What was measured; a generator that fails costs its own row alone."""
    try:
        return {"driven_by": drive, **_driven(generator, kit, drive, fitted)}
    except Exception as error:  # anybody's generator
        return {"driven_by": drive, "failed": f"{type(error).__name__}: {error}"}


def _driven(generator: Any, kit: Kit, drive: str, fitted: Path | None) -> dict[str, Any]:
    inputs = kit.inputs(generator.needs | {drive} | (generator.takes & {"target_video"}))
    made = generator.generate(replace(inputs, frames=3), seed=0, fitted=fitted)
    list(made.frames)  # so that what is compiled, or read from disk once, is
    took, cpu, sums, frames = [], [], set(), []
    while not took or (len(took) < REPEATS and took[0] < LONG_S):
        begun, busy = time.perf_counter(), time.process_time()
        made = generator.generate(inputs, seed=0, fitted=fitted)
        frames = list(made.frames)
        took.append(time.perf_counter() - begun)
        cpu.append(time.process_time() - busy)
        sums.add(hashlib.sha256(np.stack(frames).tobytes()).hexdigest())
    gap = opening(frames, kit.folder / "made.mp4")
    truth, seen = kit.truth(drive, made), ~np.isnan(gap)
    seconds = float(np.median(took))
    return {
        "frames": len(frames),
        "seconds": seconds,
        "cpu_seconds": float(np.median(cpu)),
        "real_time": seconds / (len(frames) / FPS),
        "bar_s": BARS_S[generator.paradigm.value],
        "lips_r": float(np.corrcoef(gap[seen], truth[seen])[0, 1]) if seen.sum() > 2 else float("nan"),
        "faces": float(seen.mean()),
        "repeats": len(sums) == 1 if len(took) > 1 else None,
    }


def opening(frames: list[Any], path: Path) -> Any:
    """The gap of the inner lips (frames,) in eye distances, as dlib reads it once they are encoded; NaN for no face."""
    from thgeval.clip import Clip
    from thgeval.media import decode
    from thgeval.media.encode import write_video
    from thgeval_baselines.photo.given import landmarks_in

    write_video(path, frames, fps=FPS, crf=18)
    with decode(Clip(path.stem, path), chunk=32) as batches:
        found = [landmarks_in(frame) for batch in batches for frame in batch.new]
    return np.array([np.nan if marks is None else _gap(marks) for marks in found])


def _gap(marks: Any) -> float:
    gap = np.linalg.norm(marks[[61, 62, 63]] - marks[[67, 66, 65]], axis=1).mean()
    return float(gap / np.linalg.norm(marks[36] - marks[45]))
