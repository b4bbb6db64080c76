"""What runs in a process of its own for a generator in Python: ``python -m thgeval_baselines.running.worker JOB.json``.

The job names the generator (``module:Class`` or ``FILE.py:Class``), the staged inputs, the seed, and what to do: fit,
or generate. Beside the video it leaves ``report.json``: seconds, seconds to the first frame, the most memory the
process had, or what the generator refused with its reason. Seconds count the generator alone, encoding aside.
"""

import hashlib
import importlib
import importlib.util
import inspect
import json
import os
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thgeval.engine.provenance import peak_bytes
from thgeval.errors import InputError, ProtocolError, ThgevalError
from thgeval.media import decoded_speech, write_video
from thgeval.media.encode import FAST, aac_rate_hz
from thgeval_baselines.generator import INPUTS, REFERENCE_NOTE, Generated, Generator, Inputs

REFUSED = 3
"""Exit code where the report has the reason."""
CRF = 12
VIDEO, REPORT, EVIDENCE = "raw.mp4", "report.json", "evidence"


def job(spec: str, inputs: Inputs, *, seed: int, out: Path, fitted: Path | None, task: str) -> dict[str, Any]:
    """The job as JSON has it; ``task`` is ``generate`` or ``fit``."""
    given: dict[str, Any] = {name: None if value is None else str(value) for name, value in asdict(inputs).items()}
    given |= {"frames": inputs.frames, "size": list(inputs.size)}
    return {
        "task": task,
        "generator": spec,
        "inputs": given,
        "seed": seed,
        "out": str(out),
        "fitted": None if fitted is None else str(fitted),
    }


def inputs_of(given: Mapping[str, Any]) -> Inputs:
    """The inputs of a job."""
    files = {name: Path(given[name]) for name in INPUTS if given.get(name) is not None and name != "text"}
    return Inputs(
        item=given["item"],
        fps=Fraction(given["fps"]),
        frames=given["frames"],
        size=(given["size"][0], given["size"][1]),
        language=given["language"],
        text=given.get("text"),
        **files,
    )


def loaded(spec: str) -> type[Generator]:
    """The class that ``module:Class`` or ``FILE.py:Class`` names.

    Raises ProtocolError if there is none or it is no generator; ImportError as the module raises it.
    """
    place, _, name = spec.rpartition(":")
    if place.endswith(".py"):
        path = Path(place).resolve()
        key = f"thgeval_user_{hashlib.sha256(str(path).encode()).hexdigest()[:12]}"
        found = importlib.util.spec_from_file_location(key, path)
        if found is None or found.loader is None or not path.is_file():
            raise ProtocolError(f"there is no generator in {place}: no such file")
        module = importlib.util.module_from_spec(found)
        sys.modules[key] = module  # dataclasses of the module look it up
        found.loader.exec_module(module)
    else:
        module = importlib.import_module(place)
    kind = getattr(module, name, None)
    if not (isinstance(kind, type) and issubclass(kind, Generator)):
        raise ProtocolError(f"{place} has no class called {name} that is a thgeval_baselines.generator.Generator")
    if inspect.isabstract(kind):
        raise ProtocolError(f"{spec} has no method generate")
    return kind


@dataclass
class Clock:
    """Seconds that frames took to make, and the first of them."""

    seconds: float = 0.0
    first_s: float | None = None
    frames: int = 0

    def timing(self, frames: Iterable[NDArray[np.uint8]]) -> Iterator[NDArray[np.uint8]]:
        """The same frames, each counted and timed."""
        upcoming = iter(frames)
        while True:
            began = time.perf_counter()
            frame = next(upcoming, None)
            self.seconds += time.perf_counter() - began
            if frame is None:
                return
            self.frames += 1
            if self.first_s is None:
                self.first_s = self.seconds
            yield frame


def main(path: Path) -> int:
    """Do a job; the exit code. What isn't a refusal keeps its traceback, for the log."""
    import cv2

    cv2.setNumThreads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    given = json.loads(path.read_text(encoding="utf-8"))
    out = Path(given["out"])
    try:
        generator = loaded(given["generator"])()
        done = _fit if given["task"] == "fit" else _generate
        report = done(generator, inputs_of(given["inputs"]), given, out)
    except ThgevalError as error:
        reason = error.reason if isinstance(error, InputError) else "refused"
        _write(out, {"refused": reason, "message": str(error)})
        print(f"{type(error).__name__}: {error}", file=sys.stderr)  # noqa: T201 - the log is what is read
        return REFUSED
    _write(out, report)
    return 0


def _fit(generator: Generator, inputs: Inputs, given: Mapping[str, Any], out: Path) -> dict[str, Any]:
    began = time.perf_counter()
    folder = out / "fit"
    folder.mkdir()
    generator.fit(inputs, folder, seed=given["seed"])
    return {"seconds": time.perf_counter() - began, "peak_memory_bytes": peak_bytes()}


def _generate(generator: Generator, inputs: Inputs, given: Mapping[str, Any], out: Path) -> dict[str, Any]:
    fitted = None if given["fitted"] is None else Path(given["fitted"])
    clock = Clock()
    began = time.perf_counter()
    made = generator.generate(inputs, seed=given["seed"], fitted=fitted)
    clock.seconds = time.perf_counter() - began
    sound, rate_hz, start_s = _sound(made, inputs)
    write_video(
        out / VIDEO,
        clock.timing(made.frames),
        fps=made.fps,
        crf=CRF,
        audio=sound,
        rate_hz=rate_hz,
        audio_start_s=start_s,
        options=FAST,
        comment=comment(generator.id),
    )
    for name, content in made.evidence.items():
        place = out / EVIDENCE / Path(name).name
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(content)
    return {
        "frames": clock.frames,
        "fps": str(made.fps),
        "seconds": clock.seconds,
        "first_frame_s": clock.first_s,
        "peak_memory_bytes": peak_bytes(),
        "spoke": made.sound is not None,
    }


def comment(id: str) -> str:
    """What the file says of itself."""
    return f"synthetic test material (thgeval): made by {id}" + (f", {REFERENCE_NOTE}" if id.startswith("ref-") else "")


def _sound(made: Generated, inputs: Inputs) -> tuple[NDArray[np.float32] | None, int, float]:
    """What is heard: the generator's own sound, else the item's, else the driving video's; samples, rate, start."""
    if made.sound is not None:
        return made.sound, made.rate_hz, 0.0
    shown_s = None if inputs.frames is None else float(inputs.frames / inputs.fps)
    for source in (inputs.audio, inputs.driving_video):
        if source is None:
            continue
        try:
            return _heard(source, shown_s, from_start=source is inputs.audio)
        except InputError:
            if source is inputs.audio:
                raise
    return None, 16000, 0.0


def _heard(source: Path, shown_s: float | None, *, from_start: bool) -> tuple[NDArray[np.float32], int, float]:
    """The sound of a file until the picture ends; ``from_start`` if its first sample belongs to the first frame."""
    found = decoded_speech(source, seconds=shown_s)
    start_s = 0.0 if from_start else found.start_s
    rate_hz = aac_rate_hz(found.original_rate_hz)
    if rate_hz != found.rate_hz or start_s:
        left_s = None if shown_s is None else max(0.0, shown_s - start_s)
        found = decoded_speech(source, rate_hz=rate_hz, seconds=left_s)
    return found.samples, found.rate_hz, start_s


def _write(out: Path, report: Mapping[str, Any]) -> None:
    (out / REPORT).write_text(json.dumps(report), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
