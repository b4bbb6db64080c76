"""What runs in a process of its own for a control: ``python -m thgeval_baselines.controls.worker JOB.json``."""

import json
import shutil
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from thgeval.clip import Clip as Video
from thgeval.engine.provenance import peak_bytes
from thgeval.errors import InputError, ThgevalError
from thgeval.media import decode, decoded_speech, write_video
from thgeval.media.encode import FAST, aac_rate_hz
from thgeval_baselines.controls.exact import Known
from thgeval_baselines.controls.table import TABLE, Clip, made
from thgeval_baselines.running.worker import REFUSED, REPORT, VIDEO, comment


def main(path: Path) -> int:
    """Do a job; the exit code."""
    given = json.loads(path.read_text(encoding="utf-8"))
    out = Path(given["out"])
    try:
        began = time.perf_counter()
        report = _make(given, out)
        report |= {"seconds": time.perf_counter() - began, "peak_memory_bytes": peak_bytes(), "spoke": True}
    except ThgevalError as error:
        reason = error.reason if isinstance(error, InputError) else "refused"
        (out / REPORT).write_text(json.dumps({"refused": reason, "message": str(error)}), encoding="utf-8")
        print(f"{type(error).__name__}: {error}", file=sys.stderr)  # noqa: T201 - the log is what is read
        return REFUSED
    (out / REPORT).write_text(json.dumps(report), encoding="utf-8")
    return 0


def _make(given: Mapping[str, Any], out: Path) -> dict[str, Any]:
    row, reference = TABLE[given["control"]], Path(given["reference"])
    if row.file_copied:
        shutil.copyfile(reference, out / f"raw{reference.suffix}")
        return {}
    clip = made(row, _clip(given, reference))
    write_video(
        out / VIDEO,
        clip.frames,
        fps=clip.fps,
        crf=row.crf,
        audio=clip.sound,
        rate_hz=clip.rate_hz,
        audio_start_s=clip.start_s,
        options=FAST,
        comment=comment(row.id),
    )
    return {"frames": len(clip.frames), "fps": str(clip.fps), "how": clip.how}


def _clip(given: Mapping[str, Any], reference: Path) -> Clip:
    with decode(Video("reference", reference), chunk=32) as batches:
        frames = np.concatenate([np.asarray(batch.new, np.uint8) for batch in batches])
        fps = batches.info.fps
    if fps is None:
        raise InputError("the reference has no frame rate", reason="unreadable")
    clip = Clip(frames=frames, fps=fps, seed=int(given["seed"]))
    try:
        heard = decoded_speech(reference)
    except InputError:
        heard = None
    if heard is not None:
        rate_hz = aac_rate_hz(heard.original_rate_hz)
        heard = heard if rate_hz == heard.rate_hz else decoded_speech(reference, rate_hz=rate_hz)
        clip = replace(clip, sound=heard.samples, rate_hz=heard.rate_hz, start_s=heard.start_s)
    if given["other_sound"] is not None:
        clip = replace(clip, other_sound=decoded_speech(Path(given["other_sound"]), rate_hz=clip.rate_hz).samples)
    if given["portrait"] is not None:
        clip = replace(clip, portrait=np.asarray(Image.open(given["portrait"]).convert("RGB")))
    return replace(clip, known=_known(given["known"], len(frames), fps))


def _known(given: Mapping[str, Any] | None, frames: int, fps: Fraction) -> Known | None:
    if given is None:
        return None
    return Known(
        made_by=given["made_by"],
        identity=given["identity"],
        meta=given["meta"],
        truth={name: Path(path) for name, path in given["truth"].items()},
        size=(given["size"][0], given["size"][1]),
        fps=fps,
        frames=frames,
    )


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
