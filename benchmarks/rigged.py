"""Readers of faces beside the truth of ``synth3d-v1``: people of the rig from several cameras, actions one by one.

    python benchmarks/run.py rigged

Clips are decoded from their files. ``action`` rows drive one ARKit action alone from 0 to 1 on three people and read
the blendshape of the same name with MediaPipe's Face Landmarker: r is over the steps of all three, slope the change
read for a whole change driven. Rows of MediaPipe need its weights file and are left out without it.
"""

import tempfile
from contextlib import ExitStack
from importlib.util import find_spec
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

PEOPLE, SECONDS, EVERY = 6, 4.0, 5
VIEWS = ("front", "left", "high")
STEPS = np.linspace(0, 1, 5)
ACTORS = (8, 9, 10)
UNITS = ("AU01", "AU02", "AU04", "AU05", "AU12", "AU15", "AU25", "AU26", "AU45")


def measurements() -> list[dict[str, Any]]:
    """Pose, action units, identity, views, and the round trip of actions."""
    import pytest
    from support import assets

    from thgeval_baselines.sets.synth3d import make_synth3d

    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        try:
            stack.enter_context(assets.light())
            mesh = True
        except pytest.skip.Exception:
            mesh = False
        tasks = make_synth3d(Path(folder) / "set", people=PEOPLE, seconds=SECONDS, fit_seconds=0)
        rows = [row for view in VIEWS for row in _poses(tasks.folder, view, mesh)]
        rows += _units(tasks.folder)
        rows.append(_identity(tasks.folder))
        rows += _views(tasks.folder)
        return rows + (_round_trip() if mesh else [])


def _frames(path: Path) -> Any:
    from thgeval.clip import Clip
    from thgeval.media import decode

    with decode(Clip(path.stem, path), chunk=32) as batches:
        return np.concatenate([batch.new for batch in batches])


def _values(frames: Any, model: str) -> Any:
    from thgeval.features.faces.detection import faces
    from thgeval.features.faces.landmarks import landmarks
    from thgeval.features.frames.frames import rgb
    from thgeval.media.frames import FrameBatch
    from thgeval.view import Side

    of_frames = Side({rgb: FrameBatch(frames, 255.0, 0)})
    return Side({key: of_frames[key] for key in (faces(), landmarks(model=model))})


def _mesh_of(frames: Any) -> Any:
    from thgeval.features.faces.face_mesh import face_mesh
    from thgeval.features.frames.frames import rgb
    from thgeval.media.frames import FrameBatch
    from thgeval.view import Side

    return Side({rgb: FrameBatch(frames, 255.0, 0)})[face_mesh()]


def _poses(folder: Path, view: str, mesh: bool) -> list[dict[str, Any]]:
    from thgeval.features.faces.alignment import angles, downwards
    from thgeval.features.heads.pose import pose

    found: dict[str, list[Any]] = {"pnp, dlib-x4": []} | ({"mediapipe": []} if mesh else {})
    truth = []
    for number in range(PEOPLE):
        frames = _frames(folder / "reference" / f"p{number}-{view}.mp4")[::EVERY]
        truth.append(np.load(folder / "truth" / f"p{number}-{view}.npz")["pose_deg"][::EVERY])
        found["pnp, dlib-x4"].append(_values(frames, "dlib-x4")[pose(landmarks="dlib-x4")][:, 0])
        if mesh:
            found["mediapipe"].append(angles(downwards(_mesh_of(frames).transforms[:, 0, :3, :3].astype(float))))
    rows = []
    for name, read in found.items():
        row: dict[str, Any] = {"what": f"pose: {name}, {view}", "frames": sum(len(each) for each in truth)}
        row["without_face"] = int(sum(np.isnan(each[:, 0]).sum() for each in read))
        for axis, angle in enumerate(("yaw", "pitch", "roll")):
            fits = [_fit(t[:, axis], r[:, axis]) for t, r in zip(truth, read, strict=True)]
            row |= {f"{angle}_{key}": float(np.nanmean([fit[key] for fit in fits])) for key in ("r", "bias", "scatter")}
        rows.append(row)
    return rows


def _fit(truth: Any, read: Any) -> dict[str, float]:
    kept = ~np.isnan(read)
    if kept.sum() < 3:
        return {"r": np.nan, "bias": np.nan, "scatter": np.nan}
    off = read[kept] - truth[kept]
    return {
        "r": float(np.corrcoef(truth[kept], read[kept])[0, 1]),
        "bias": float(np.abs(off.mean())),
        "scatter": float(off.std()),
    }


def _units(folder: Path) -> list[dict[str, Any]]:
    """Action units read by distances on the face, against the curves that drove it: r of intensities."""
    from thgeval.features.faces.facs import OPENFACE
    from thgeval.features.heads.action_units import action_units, units_of

    names = units_of("geometric")
    r: dict[str, list[float]] = {}
    for number in range(PEOPLE):
        frames = _frames(folder / "reference" / f"p{number}-front.mp4")
        read = _values(frames, "dlib-x4")[action_units(landmarks="dlib-x4")].intensity[:, 0]
        held = np.load(folder / "reference" / f"p{number}-front.faces.npz")["au_intensity"]
        driven = dict(zip([name for name in OPENFACE if name != "AU28"], held.T, strict=True))
        for unit in UNITS:
            if driven[unit].max() >= 1:
                value = read[:, names.index(unit)]
                kept = ~np.isnan(value)
                still = value[kept].std() == 0
                r.setdefault(unit, []).append(
                    0.0 if still else float(np.corrcoef(driven[unit][kept], value[kept])[0, 1])
                )
    return [
        {"what": f"unit: {unit}", "people": len(each), "r": float(np.mean(each)), "worst_r": float(np.min(each))}
        for unit, each in sorted(r.items())
    ]


def _identity(folder: Path) -> dict[str, Any]:
    """Distances of dlib's 128 numbers: of one person's frames and views, and of different people."""
    import dlib

    models = Path(find_spec("face_recognition_models").submodule_search_locations[0]) / "models"
    network = dlib.face_recognition_model_v1(str(models / "dlib_face_recognition_resnet_model_v1.dat"))
    predict = dlib.shape_predictor(str(models / "shape_predictor_68_face_landmarks.dat"))
    detect = dlib.get_frontal_face_detector()
    rows: list[list[Any]] = []
    for number in range(PEOPLE):
        own = []
        for view in ("front", "left"):
            for frame in _frames(folder / "reference" / f"p{number}-{view}.mp4")[::40]:
                boxes = detect(frame, 0)
                own += [np.array(network.compute_face_descriptor(frame, predict(frame, box))) for box in boxes[:1]]
        rows.append(own)
    within = [np.linalg.norm(a - b) for own in rows for a, b in combinations(own, 2)]
    between = [np.linalg.norm(a - b) for one, other in combinations(rows, 2) for a in one for b in other]
    return {
        "what": "identity: dlib",
        "within": float(np.mean(within)),
        "within_largest": float(np.max(within)),
        "between": float(np.mean(between)),
        "between_smallest": float(np.min(between)),
        "between_under_0.6": float(np.mean(np.array(between) < 0.6)),
    }


def _views(folder: Path) -> list[dict[str, Any]]:
    """CD and WE of true bundles, and of bundles with one thing wrong."""
    import thgeval

    clips = sorted((folder / "reference").glob("*-front.mp4"))
    bundles = [dict(np.load(clip.with_suffix(".views.npz"))) for clip in clips]
    rows = []
    for what, wrong in FAULTS.items():
        made = folder / "faults" / wrong.__name__
        made.mkdir(parents=True)
        for clip, bundle, other in zip(clips, bundles, bundles[1:] + bundles[:1], strict=True):
            (made / clip.name).symlink_to(clip.resolve())
            np.savez(made / f"{clip.stem}.views.npz", **wrong(bundle, other))
        scores = thgeval.evaluate(made, metrics=["cd", "we"]).scores
        rows.append({"what": f"views: {what}", **{key: score.value for key, score in scores.items()}})
    return rows


def _true(bundle: Any, other: Any) -> Any:
    return bundle


def _nearer(bundle: Any, other: Any) -> Any:
    return _at_depth(bundle, bundle["depth"] * np.where(np.isin(np.arange(4), SIDES), 0.98, 1.0)[:, None, None])


def _flat(bundle: Any, other: Any) -> Any:
    head = bundle["weights"] > 0.5
    middle = [np.median(depth[seen]) for depth, seen in zip(bundle["depth"], head, strict=True)]
    return _at_depth(bundle, np.where(head, np.reshape(middle, (4, 1, 1)), bundle["depth"]))


def _turned(bundle: Any, other: Any) -> Any:
    angle = np.deg2rad(3)
    turn = np.eye(4)
    turn[[0, 0, 2, 2], [0, 2, 0, 2]] = np.cos(angle), np.sin(angle), -np.sin(angle), np.cos(angle)
    poses = [turn @ pose if view in SIDES else pose for view, pose in enumerate(bundle["poses"])]
    return _at_depth({**bundle, "poses": np.stack(poses)}, bundle["depth"])


def _others_side(bundle: Any, other: Any) -> Any:
    side = np.isin(np.arange(4), SIDES)
    return {name: np.where(side.reshape(4, *[1] * (own.ndim - 1)), other[name], own) for name, own in bundle.items()}


def _at_depth(bundle: Any, depth: Any) -> Any:
    from thgeval.metrics.views.we import unprojected

    views = zip(depth, bundle["intrinsics"], bundle["poses"], strict=True)
    points = np.stack([unprojected(along, intrinsics=shares, pose=pose) for along, shares, pose in views])
    return {**bundle, "depth": depth, "points": points}


SIDES = (1, 2)
FAULTS = {
    "true": _true,
    "side 2 % nearer its camera": _nearer,
    "side camera 3 degrees off": _turned,
    "head without relief": _flat,
    "side of another person": _others_side,
}
"""What is wrong with a bundle of views."""


def _round_trip() -> list[dict[str, Any]]:
    from mediapipe.tasks.python.vision import face_landmarker

    from thgeval_baselines.rig.camera import Camera
    from thgeval_baselines.rig.model import rig
    from thgeval_baselines.rig.people import Person

    names = [each.name.lower().replace("_", "") for each in face_landmarker.Blendshapes]
    rows = []
    for action in rig().action_names:
        if action.lower() not in names:
            rows.append({"what": f"action: {action}", "r": None, "slope": None, "rest": None})
            continue
        read = []
        for seed in ACTORS:
            person = Person.of(seed)
            faces = [rig().acting(person.neutral, {action: float(step)}) for step in STEPS]
            images = np.stack([person.shot(face, Camera()).image for face in faces])
            read.append(_mesh_of(images).blendshapes[:, 0, names.index(action.lower())])
        values = np.array(read, np.float64)
        centred = values - values.mean(axis=1, keepdims=True)
        still = np.nanstd(centred) < 1e-6
        steps = np.tile(STEPS, (len(ACTORS), 1))
        rows.append(
            {
                "what": f"action: {action}",
                "r": 0.0 if still else float(np.corrcoef(steps.ravel(), centred.ravel())[0, 1]),
                "slope": float(np.polyfit(steps.ravel(), centred.ravel(), 1)[0]),
                "rest": float(values[:, 0].mean()),
            }
        )
    return rows
