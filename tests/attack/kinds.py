"""The table of what is tried, and one kind from beginning to end."""

import atexit
import json
import shutil
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zlib import crc32

import numpy as np
from support import views

from attack import arrays, beside, bombs, claims, media
from attack.cases import FRAMES, SIZE, Case, Kind, Rng
from attack.runner import MODES, Tally, alone, asked, claimed, folders, ran, scored

RNG = np.random.default_rng(0)
POINTS = beside.npz_of({"landmarks_px": RNG.uniform(0, SIZE, (FRAMES, 68, 2)), "size_px": np.array([SIZE, SIZE])})
ROWS = beside.npz_of(
    {part: RNG.normal(size=(FRAMES, 8)).astype(np.float32) for part in ("audio", "video", "joint")}
    | {"model": np.array("large")}
)
POSES = "\n".join(
    ["frame, face_id, timestamp, confidence, success, pose_Rx, pose_Ry, pose_Rz"]
    + [f"{frame + 1}, 0, {frame / 25}, 0.9, 1, 0.1, 0.2, 0.3" for frame in range(FRAMES)]
).encode()
TIMED = {"frames": 6, "seconds": 0.3, "device": "cpu", "dtype": "float32", "batch": 1, "resolution": "64x64"}

KINDS: dict[str, Kind] = {
    "damaged videos": Kind("mp4, mov, mkv, ts, webm, avi, mpg, gif in eight ways", media.damaged_videos, 256),
    "folders of frames": Kind("frames that are odd, bombs, links, pipes", media.image_folders, 72),
    "arrays": Kind("npy and npz: pickles, shapes, bombs, slips", arrays.arrays, 80),
    "faces files": Kind("CLIP.faces.npz", beside.faces, 56, ("lmd:landmarks=npz", "l1"), ((".faces.npz", POINTS),)),
    "bundles of views": Kind(
        "CLIP.views.npz", beside.bundles, 44, ("cd", "we", "l1"), ((".views.npz", beside.npz_of(views.bundle())),)
    ),
    "rows of AV-HuBERT": Kind(
        "CLIP.avhubert.npz", beside.rows, 48, ("avs-u", "avs-m", "avs-v"), ((".avhubert.npz", ROWS),)
    ),
    "OpenFace tables": Kind("CLIP.openface.csv", beside.tables, 44, ("prmse", "l1"), ((".openface.csv", POSES),)),
    "timing records": Kind(
        "CLIP.timing.json", beside.timings, 100, ("fps", "l1"), ((".timing.json", json.dumps(TIMED).encode()),)
    ),
    "transcripts and prompts": Kind(
        "CLIP.txt, .align, .prompt.txt", beside.texts, 48, ("wer/pocketsphinx", "l1"), ((".txt", b"one two three"),)
    ),
    "names": Kind("of good clips and broken ones", beside.names, 100),
    "places and playlists": Kind(
        "links, devices, pipes, sockets, sparse files, lists instead of clips", media.places, 100
    ),
    "bombs": Kind("small files that cost much", bombs.bombs, 12, batch=4),
}
ALONE: dict[object, object] = {}
"""The good clips' entries in runs without hostile inputs, by what is asked of them and lies beside them."""

CLAIMS = {
    "results": (claims.results, 110),
    "states": (claims.states, 80),
    "lists and protocols": (claims.requests, 60),
}


def attacked(work: Path, name: str, seed: int, share: float, hang_s: float) -> dict[str, Any]:
    """Everything of one kind: what was tried, what it cost, and what did not hold."""
    if name in CLAIMS:
        tally = Tally()
        make, count = CLAIMS[name]
        goods = _goods(work)
        claimed(work, name, make(_rng(seed, name), max(1, round(count * share)), goods[0]), goods, hang_s, tally)
        return _figures(name, tally)
    return _tried(work, name, KINDS[name], chosen(name, seed, max(1, round(KINDS[name].count * share))), hang_s)


def blended(work: Path, names: Sequence[str], each: int, seed: int, hang_s: float) -> dict[str, Any]:
    """Some of several kinds among the same good clips, in as few runs as may be; transcripts are not read aloud."""
    kinds = [KINDS[name] for name in names]
    metrics = dict.fromkeys(metric for kind in kinds for metric in kind.metrics if not metric.startswith("wer"))
    present = tuple(item for kind in kinds for item in kind.beside)
    both = Kind("several", lambda rng, count: [], 0, tuple(metrics), present, batch=each * len(names))
    return _tried(work, "several", both, [case for name in names for case in chosen(name, seed, each)], hang_s)


def chosen(name: str, seed: int, count: int) -> list[Case]:
    """So many inputs of a kind."""
    rng = _rng(seed, name)
    cases = KINDS[name].make(rng, KINDS[name].count)
    return [cases[place] for place in rng.permutation(len(cases))[:count]]


def _tried(work: Path, name: str, kind: Kind, cases: Sequence[Case], hang_s: float) -> dict[str, Any]:
    tally = Tally()
    asks = kind.metrics, kind.beside
    if asks not in ALONE:
        ALONE[asks] = alone(work / "alone", kind, hang_s)
    for number, first in enumerate(range(0, len(cases), kind.batch)):
        place = work / f"batch{number}"
        mode = MODES[(number + 3) % len(MODES)]
        scored(place, name, kind, cases[first : first + kind.batch], mode, ALONE[asks], hang_s, tally)
        shutil.rmtree(place, ignore_errors=True)
    return _figures(name, tally)


def _rng(seed: int, name: str) -> Rng:
    return np.random.default_rng([seed, crc32(name.encode())])


def _figures(name: str, tally: Tally) -> dict[str, Any]:
    return {
        "tried": tally.tried[name],
        "exit codes": dict(sorted(tally.ended.items())),
        "peak MB": round(tally.peak_bytes.get(name, 0) / 1e6),
        "CPU s": round(tally.cpu_s[name], 1),
        "findings": tally.findings.get(name, []),
    }


def _goods(work: Path) -> tuple[Path, Path]:
    """Two good runs of different clips, to merge and to compare, in a folder."""
    shutil.copytree(_made_goods(), work, dirs_exist_ok=True)
    return work / "out" / "good.json", work / "other" / "out" / "good.json"


@cache
def _made_goods() -> Path:
    """A folder with both of them, made once in a process and gone when that ends."""
    held = TemporaryDirectory()
    atexit.register(held.cleanup)
    work = Path(held.name)
    kind = KINDS["damaged videos"]
    folders(work, kind)
    other = work / "other"
    folders(other, kind)
    for side in ("pred", "gt"):
        for place in (other / side).iterdir():
            place.rename(place.with_name(f"other{place.name}"))
    for place in (work, other):
        ended = ran(["score", "pred", "gt", *asked(kind), "-q", "-o", "out/good.json"], place, 300)
        if ended.code != 0:
            raise AssertionError(ended.err)
    return work
