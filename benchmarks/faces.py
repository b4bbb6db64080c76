"""The embedded face chain beside the truth: synthetic portraits whose landmarks, pose, mouth and blinks are known.

    python benchmarks/run.py faces

Truth is drawn, not annotated: it shows what codec, detector and landmarks add, on one kind of face (a photograph under
seeded changes), without perspective. Rows of truth are means over takes, one per head, beside the worst correlation.
Where there is a ``load`` (of the machine, before), times of the clock stand beside CPU times: they mean something only
if it is well below the number of cores.
"""

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

HEADS = range(32, 64)  # the pose was tuned on 0 to 7 and 16 to 31, and looked at on 8 to 15
CRFS = (12, 23, 30)
SIDE_PX = 256
SECONDS = 6.0
FPS = 25
ROUNDS = 3
CHAINS = ("dlib", "dlib-x4")
WIDE = {"yaw": 1.5, "pitch": 2.0, "roll": 2.0}  # of the sway: up to 15, 10 and 8 degrees
FOLLOWS = ("every", "tracked-8")
SUITE = (
    *("csim/dlib", "f-sim/dlib", "aed-euclid/dlib", "id-consistency/dlib", "prmse/pnp", "apd/pnp", "aucon/geometric"),
    *("aue/geometric", "akd/dlib", "mkr/faces", "lmd", "f-lmd", "m-lmd", "lvd", "blinks-per-s", "blink-duration"),
    *("e-fid/landmarks", "mouth-amplitude", "mouth-correlation"),
)


class Shown(NamedTuple):
    """One take as a file shows it, and what is true of it."""

    frames: Any
    take: Any


class Read(NamedTuple):
    """What a chain reads off a take: (frames, 68, 2) landmarks, and the features that rest on them."""

    points: Any
    values: dict[str, Any]


def measurements() -> list[dict[str, Any]]:
    """Truth for every chain and way to follow, then times."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for crf in CRFS:
            takes = list(_takes(Path(folder), crf))
            errors: dict[tuple[str, str], list[float]] = {}
            for chain in CHAINS:
                for follow in FOLLOWS:
                    reads = [_read(shown.frames, chain, follow) for shown in takes]
                    errors[chain, follow] = [_error(shown, read) for shown, read in zip(takes, reads, strict=True)]
                    rows.append(_truth(takes, reads, chain, follow, crf))
                rows.append(_nearer(errors[chain, "tracked-8"], errors[chain, "every"], chain, crf))
        turning = list(_takes(Path(folder), 23, WIDE))
        for chain in CHAINS:
            row = _truth(turning, [_read(shown.frames, chain, "every") for shown in turning], chain, "every", 23)
            rows.append(row | {"what": f"truth, head turning twice as far: {chain}, every"})
        rows += [_cost(takes[0].frames, chain, follow) for chain in CHAINS for follow in FOLLOWS]
        rows.append(_described(takes[0].frames))
        rows.append(_suite(Path(folder)))
    return rows


def _takes(folder: Path, crf: int, wider: Mapping[str, float] | None = None) -> Iterator[Shown]:
    """One take of each head, read back from its file; ``wider`` multiplies parameters of its motion."""
    from thgeval.clip import Clip
    from thgeval.media import decode
    from thgeval_baselines.photo.geometry import PARAMETERS
    from thgeval_baselines.sets.clips import Take, head, write_take
    from thgeval_baselines.sets.track import track

    scale = np.array([(wider or {}).get(name, 1.0) for name in PARAMETERS])
    for seed in HEADS:
        motion = track(seed=100 + seed, seconds=SECONDS, fps=FPS)
        played = Take.of(head(seed=seed, size=SIDE_PX), replace(motion, values=motion.values * scale))
        path = folder / f"{seed}-{crf}.mp4"
        write_take(path, played, crf=crf)
        with decode(Clip(path.stem, path), chunk=32) as batches:
            yield Shown(np.concatenate([batch.new for batch in batches]), played)


def _read(frames: Any, chain: str, follow: str) -> Read:
    from thgeval.features.faces.detection import faces
    from thgeval.features.faces.eyes import eyes
    from thgeval.features.faces.landmarks import landmarks
    from thgeval.features.faces.mouth import mouth
    from thgeval.features.faces.people import shapes
    from thgeval.features.frames.frames import rgb
    from thgeval.features.heads.pose import pose
    from thgeval.media.frames import FrameBatch
    from thgeval.view import Side

    chosen = {"landmarks": chain, "follow": follow}
    of_frames = Side({rgb: FrameBatch(frames, 255.0, 0)})
    found = {key: of_frames[key] for key in (faces(follow=follow), landmarks(model=chain, follow=follow))}
    clip = Side(found)
    values = {"pose": clip[pose(**chosen)], "mouth": clip[mouth(**chosen)], "eyes": clip[eyes(**chosen)]}
    return Read(clip[shapes(**chosen)][:, 0], {name: value[:, 0] for name, value in values.items()})


def _error(shown: Shown, read: Read) -> float:
    """Mean distance of landmarks from the truth, in px."""
    return float(np.nanmean(np.linalg.norm(read.points - shown.take.landmarks, axis=-1)))


def _truth(takes: list[Shown], reads: list[Read], chain: str, follow: str, crf: int) -> dict[str, Any]:
    from thgeval_baselines.photo.geometry import WIDEST_GAP

    errors = [_error(shown, read) for shown, read in zip(takes, reads, strict=True)]
    units = [shown.take.head.portrait.eye_distance_px for shown in takes]
    row: dict[str, Any] = {
        "what": f"truth: {chain}, {follow}",
        "crf": crf,
        "takes": len(takes),
        "frames": sum(len(shown.frames) for shown in takes),
        "without_face": int(sum(np.isnan(read.points[:, 0, 0]).sum() for read in reads)),
        "error_px": float(np.mean(errors)),
        "error_of_eye_distance": float(np.mean(np.divide(errors, units))),
    }
    fits = {
        "aperture": [_fit(s.take.track["aperture"] * WIDEST_GAP, r.values["mouth"]) for s, r in _each(takes, reads)],
        "openness": [_fit(_open(s.take.landmarks), r.values["eyes"].mean(axis=1)) for s, r in _each(takes, reads)],
    }
    for column, name in enumerate(("yaw", "pitch", "roll")):
        fits[name] = [_fit(s.take.track[name], r.values["pose"][:, column]) for s, r in _each(takes, reads)]
    for name, found in fits.items():
        slope, offset, r, rms = np.mean(found, axis=0)
        row |= {f"{name}_r": float(r), f"{name}_worst_r": float(np.min(found, axis=0)[2])}
        row |= {f"{name}_slope": float(slope), f"{name}_offset": float(offset), f"{name}_rms": float(rms)}
    for name, share in (("fixed", 0.0), ("per_person", 0.75)):
        row |= {
            f"blinks_{kind}_{name}": int(count)
            for kind, count in zip(
                ("driven", "found", "invented"),
                np.sum([_blinks(s.take, r.values["eyes"].mean(axis=1), share) for s, r in _each(takes, reads)], axis=0),
                strict=True,
            )
        }
    return row


def _each(takes: list[Shown], reads: list[Read]) -> Iterator[tuple[Shown, Read]]:
    return zip(takes, reads, strict=True)


def _fit(truth: Any, found: Any) -> tuple[float, float, float, float]:
    """Slope, offset and correlation of what is found over what is true, where something is, and the rest's RMS."""
    there = ~np.isnan(found)
    truth, found = truth[there], found[there]
    slope, offset = np.polyfit(truth, found, 1)
    rest = found - slope * truth - offset
    return float(slope), float(offset), float(np.corrcoef(truth, found)[0, 1]), float(np.sqrt(np.mean(rest**2)))


def _open(landmarks: Any) -> Any:
    from thgeval.features.faces.eyes import LEFT, RIGHT, aspect

    return np.mean([aspect(landmarks[:, eye]) for eye in (LEFT, RIGHT)], axis=0)


def _blinks(take: Any, openness: Any, share: float) -> tuple[int, int, int]:
    """Driven blinks, those of them that are found, and runs of shut eyes (two frames and more) that none explains."""
    threshold = share * float(np.nanmedian(openness)) if share else 0.2
    edges = np.flatnonzero(np.diff(np.r_[0, openness < threshold, 0]))
    runs = [(a, b) for a, b in edges.reshape(-1, 2) if b - a >= 2]
    driven = [(int(a * FPS), int(np.ceil(b * FPS)) + 1) for a, b in take.track.blinks_s]
    found = sum(any(a < end and begin < b for a, b in runs) for begin, end in driven)
    invented = sum(not any(a < end and begin < b for begin, end in driven) for a, b in runs)
    return len(driven), found, invented


def _nearer(tracked: list[float], every: list[float], chain: str, crf: int) -> dict[str, Any]:
    """How much nearer to the truth landmarks are with tracking: the paired difference over takes."""
    gains = np.subtract(every, tracked)
    return {
        "what": f"tracked-8 nearer than every: {chain}",
        "crf": crf,
        "takes": len(gains),
        "gain_px": float(gains.mean()),
        "standard_error_px": float(gains.std(ddof=1) / np.sqrt(len(gains))),
    }


def _cost(frames: Any, chain: str, follow: str) -> dict[str, Any]:
    """Detection and landmarks alone, on one thread."""
    _read(frames[:8], chain, follow)
    best = min(_cpu_seconds(partial(_read, frames, chain, follow)) for _ in range(ROUNDS))
    return {
        "what": f"cost: {chain}, {follow}",
        "frames": len(frames),
        "side_px": SIDE_PX,
        "cpu_ms": 1000 * best / len(frames),
    }


def _described(frames: Any) -> dict[str, Any]:
    """Dlib's descriptor asked for by two threads: in this process, and in a process for each."""
    from thgeval.features.faces import descriptors
    from thgeval.requirements import weights

    chips = np.stack([frames[i][50:200, 50:200] for i in range(24)])
    token = weights.token(descriptors.NAME)

    def here(chip: Any) -> Any:
        return descriptors._here(token, chip)

    def there(chip: Any) -> Any:
        return descriptors.descriptors_of(chip[None])

    row: dict[str, Any] = {"what": "dlib's descriptor, two threads", "faces": len(chips), "load": os.getloadavg()[0]}
    with ThreadPoolExecutor(2) as threads:
        for name, describe in (("one_process", here), ("process_each", there)):
            list(threads.map(describe, chips[:4]))
            before, seconds = _cpu_of_all(), []
            for _ in range(ROUNDS):
                began = time.perf_counter()
                list(threads.map(describe, chips))
                seconds.append(time.perf_counter() - began)
            row[f"{name}_ms"] = 1000 * min(seconds) / len(chips)
            row[f"{name}_cpu_ms"] = 1000 * (_cpu_of_all() - before) / len(chips) / ROUNDS
    return row


def _suite(folder: Path) -> dict[str, Any]:
    """Every embedded metric of faces on one pair, from files to scores, on two threads, in a process that has run."""
    from thgeval import score
    from thgeval.engine.run import Options
    from thgeval_baselines.sets.clips import head, take, write_take

    played = take(head(seed=0, size=SIDE_PX), seed=1, seconds=5.0, fps=FPS)
    sides = folder / "generated.mp4", folder / "reference.mp4"
    for path, crf in zip(sides, (28, 12), strict=True):
        write_take(path, played, crf=crf)
    options = Options(workers=2)
    _cpu_of_all()
    began, before = time.perf_counter(), _cpu_of_all()
    run = score(*sides, metrics=list(SUITE), options=options)
    seconds = time.perf_counter() - began
    return {
        "what": "whole suite, 5 s pair, two threads",
        "metrics": len(SUITE),
        "unscored": sum(found.value is None for found in run.scores.values()),
        "seconds": seconds,
        "cpu_s": _cpu_of_all() - before,
        "load": os.getloadavg()[0],
    }


def _cpu_of_all() -> float:
    """CPU time of this process and of the workers it has had, which are let go so that theirs is known."""
    from thgeval.features.faces import descriptors
    from thgeval.requirements import weights

    idle = descriptors._idle(weights.token(descriptors.NAME))
    while not idle.empty():
        descriptors._ended(idle.get())
    return sum(os.times()[:4])


def _cpu_seconds(job: Callable[[], object]) -> float:
    began = time.thread_time()
    job()
    return time.thread_time() - began
