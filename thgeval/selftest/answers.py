"""What networks say of their examples, each computed as the page or program does that publishes the value.

A function takes the example files by name and gives its answers by theirs. Networks are those that metrics read, in the
same folded form; metrics are used where the published value is that of a metric.
"""

import re
from collections.abc import Mapping
from fractions import Fraction
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from thgeval import networks
from thgeval.engine.run import Options, score
from thgeval.features.faces.detection import Found
from thgeval.kernels.mel import RATE_HZ
from thgeval.media.audio import decoded_speech
from thgeval.media.frames import FrameBatch
from thgeval.requirements.weights import Policy

Files = Mapping[str, Path]
Answers = dict[str, float]
ALLOWED = Options(weights=Policy(unverified=True), workers=1)


def picture(path: Path) -> NDArray[np.uint8]:
    """One picture as a clip of one RGB frame: (1, height, width, 3)."""
    with Image.open(path) as opened:
        return np.array(opened.convert("RGB"))[None]


def value(metric: str, generated: Any, reference: Any = None) -> float:
    """The score of one metric, NaN where it has none."""
    found = score(generated, reference, metrics=[metric], options=ALLOWED)[metric].value
    return float("nan") if found is None else found


def syncnet(files: Files) -> Answers:
    """demo_syncnet.py on a face crop; Wav2Lip's script for LRS calls the same function."""
    metrics = {"offset": "av-offset", "least distance": "lse-d", "confidence": "sync-conf"}
    run = score(*files.values(), metrics=[f"{name}/wav2lip-lrs" for name in metrics.values()], options=ALLOWED)
    found = {label: run[f"{name}/wav2lip-lrs"].value for label, name in metrics.items()}
    return {label: float("nan") if each is None else each for label, each in found.items()}


def lpips(files: Files, *, metric: str, pairs: list[list[str]]) -> Answers:
    """Distances of pairs of pictures."""
    return {f"{one}, {other}": value(metric, picture(files[other]), picture(files[one])) for one, other in pairs}


def lpips_of_noise(files: Files) -> Answers:
    """The call that torchmetrics documents: two pairs of noise in [-1, 1], of a generator with seed 42."""
    import torch

    from thgeval.features.frames.perceptual import lpips_network

    generator = torch.Generator().manual_seed(42)
    one, other = (torch.rand(2, 3, 100, 100, generator=generator) * 2 - 1 for _ in range(2))
    found = networks.rows(lpips_network("squeeze", "0.1"), generated=one, reference=other)
    return {"first pair": float(found[0]), "second pair": float(found[1])}


def set_distance(files: Files, *, metric: str) -> Answers:
    """A distance of two sets of pictures, those with ``-dist-`` and those with ``-ref-`` in their names."""
    sides = [
        np.concatenate([picture(path) for name, path in files.items() if kind in name]) for kind in ("-dist-", "-ref-")
    ]
    return {"distance": value(metric, *sides)}


def fvd_of_black_and_white(files: Files) -> Answers:
    """FVD of black clips from white ones, all alike, so that nothing is left of it but the distance of their means."""
    import torch

    network = networks.published("i3d-torchscript")
    clips = torch.stack([torch.full((3, 30, 224, 224), level) for level in (-1.0, 1.0)])
    black, white = networks.rows(network, clips).astype(np.float64)
    return {"distance": float(((black - white) ** 2).sum())}


def clip_labels(files: Files) -> Answers:
    """The README's example: how likely each of three labels is."""
    labels = ("a diagram", "a dog", "a cat")
    cosines = _sentences(labels) @ _looked_at(picture(*files.values()))[0]
    likely = np.exp(100 * (cosines - cosines.max()))
    return dict(zip(labels, (likely / likely.sum()).tolist(), strict=True))


GOOD = (
    "an orange cat and a grey cat are lying together.",
    "a black dog wearing headphones looks at the camera as an orange cat walks in the background.",
)
BAD = (
    "a calico cat and a white cat are lying together.",
    "a black dog wearing a hat looks at the camera as a tabby walks in the background.",
)


def clipscore(files: Files) -> Answers:
    """CLIPScore of two pictures with good captions and with bad ones: 2.5 times the mean cosine."""
    seen = np.concatenate([_looked_at(picture(path)) for path in files.values()])
    return {
        name: 2.5
        * float(np.maximum((seen * _sentences([f"A photo depicts {text}" for text in texts])).sum(1), 0).mean())
        for name, texts in (("good captions", GOOD), ("bad captions", BAD))
    }


def _looked_at(frames: NDArray[np.uint8]) -> NDArray[np.float32]:
    from thgeval.features.frames.clip import clip_image

    return clip_image.compute(FrameBatch(frames, 255.0, 0, fps=Fraction(25)))


def _sentences(texts: tuple[str, ...] | list[str]) -> NDArray[np.float32]:
    from thgeval_models import clip

    return networks.rows(networks.published("clip-vit-b32").sentences, clip.tokens(list(texts)))


def facenet(files: Files, *, weights: str) -> Answers:
    """Distances of five faces, as cut out by MTCNN, from each other."""
    faces = np.concatenate([picture(path) for path in files.values()])
    with networks.alone():
        images = networks.as_images(faces, 255.0, white=255.0)
        rows = networks.rows(networks.published(weights), (images - 127.5) / 128)
    return {f"{i + 1}, {j + 1}": float(np.linalg.norm(rows[i] - rows[j])) for i, j in combinations(range(len(rows)), 2)}


def mtcnn(files: Files) -> Answers:
    """How sure it is of the largest face of each photograph."""
    from thgeval.features.faces.mtcnn import detected

    found = {}
    for name, path in files.items():
        faces = detected(picture(path)[0])
        sides = faces.boxes[:, 2:] - faces.boxes[:, :2]
        found[name] = float(faces.scores[sides.prod(axis=1).argmax()]) if len(sides) else float("nan")
    return found


JAW = (
    (369, 220), (372, 254), (378, 289), (384, 322), (395, 353), (414, 382), (437, 407), (464, 424), (495, 428),
    (527, 420), (552, 399), (576, 372), (594, 344), (604, 314), (610, 282), (613, 250), (615, 219),
)  # fmt: skip


def dlib_landmarks(files: Files) -> Answers:
    """Box of the face, and how far the jaw lies from the points that face_recognition's tests expect.

    The predictor is shown colours, as there; the landmarks of metrics are read from a grey picture.
    """
    import dlib

    from thgeval.features.faces.dlib_models import detected, predictor

    (frame,) = picture(*files.values())
    box = detected(frame, upsample=1).boxes[0]
    shape = predictor()(frame, dlib.rectangle(*map(int, box)))
    points = np.array([(part.x, part.y) for part in shape.parts()][: len(JAW)])
    sides = dict(zip(("left", "top", "right", "bottom"), box.tolist(), strict=True))
    return sides | {"jaw": float(np.abs(points - np.array(JAW)).max())}


def dlib_descriptor(files: Files) -> Answers:
    """How far the first picture's face is from that of each other one."""
    from thgeval.features.faces.dlib_models import descriptors, detected, landmarks68

    rows = {}
    for name, path in files.items():
        (frame,) = picture(path)
        rows[name] = descriptors(frame, landmarks68(frame, detected(frame, upsample=1).boxes[:1]))[0]
    first, *others = rows
    return {name: float(np.linalg.norm(rows[first] - rows[name])) for name in others}


PHRASES = ("my fellow americans", "your country", "do for you")


def whisper(files: Files) -> Answers:
    """How many of the phrases of Whisper's own test are heard, whatever the size of the network."""
    from importlib.metadata import version

    from thgeval.features.words.whisper import faster_whisper_hearing

    (path,) = files.values()
    release = version("faster-whisper")
    heard = faster_whisper_hearing.compute(decoded_speech(path).samples, model="whisper", release=release).lower()
    return {"phrases heard": float(sum(phrase in heard for phrase in PHRASES))}


def s3fd(files: Files) -> Answers:
    """How many faces face-alignment's detector finds in each picture."""
    from thgeval.features.faces.fan import detected

    return {name: float(len(detected(picture(path)[0]).boxes)) for name, path in files.items()}


def face_landmarker(files: Files) -> Answers:
    """How far landmarks, in widths of the picture, and blendshapes lie from the tables of MediaPipe's tests."""
    from thgeval.features.faces.face_mesh import face_mesh

    mesh = face_mesh.compute(FrameBatch(picture(files["mediapipe-portrait"]), 255.0, 0, fps=Fraction(25)))
    side = mesh.size[0]
    expected = np.stack([_numbers(files["mediapipe-face-landmarks"], key) for key in ("x", "y")], axis=1)
    shapes = _numbers(files["mediapipe-blendshapes"], "score")
    return {
        "landmarks": float(np.abs(mesh.points[0, 0, :, :2] / side - expected).max()),
        "blendshapes": float(np.abs(mesh.blendshapes[0, 0] - shapes).max()),
    }


def _numbers(table: Path, key: str) -> NDArray[np.float64]:
    return np.array(
        [float(found) for found in re.findall(rf"\b{key}: (-?[\d.e+-]+)", table.read_text(encoding="utf-8"))]
    )


def yunet(files: Files) -> Answers:
    """Where it finds the face of a photograph, which nobody has published."""
    from thgeval.features.faces.yunet import detected

    return _box(detected(picture(*files.values())[0]))


def sfd_face(files: Files) -> Answers:
    """Where SyncNet's S3FD finds the face of a photograph, which nobody has published."""
    from thgeval.features.sync.syncnet import s3fd_boxes

    boxes = s3fd_boxes(networks.published("sfd-face"), picture(*files.values())[0])
    return _box(Found(boxes, np.ones(len(boxes))))


def _box(found: Found) -> Answers:
    sides = found.boxes[0].tolist() if len(found.boxes) else [float("nan")] * 4
    return dict(zip(("left", "top", "right", "bottom"), sides, strict=True))


def of_noise(files: Files, *, weights: str, shape: list[int], low: float = 0.0, high: float = 1.0) -> Answers:
    """What a network gives for seeded noise: mean and deviation of its numbers, and how far two noises are apart."""
    import torch

    generator = torch.Generator().manual_seed(1)
    noise = torch.rand(2, *shape, generator=generator) * (high - low) + low
    found = networks.rows(networks.published(weights), noise).astype(np.float64)
    apart = float(np.abs(found[0] - found[1]).max())
    return {"mean": float(found.mean()), "deviation": float(found.std()), "apart": apart if apart else float("nan")}


def voice_in_noise(files: Files) -> Answers:
    """How probably Silero VAD hears a voice in two seconds of seeded noise."""
    from thgeval.features.sync.silero import SILERO
    from thgeval.networks.memory import read_once
    from thgeval_models import silero

    noise = np.random.default_rng(1).uniform(-0.1, 0.1, 2 * RATE_HZ).astype(np.float32)
    found = silero.probabilities(read_once(SILERO, silero.load), noise)
    return {"mean": float(found.mean()), "most": float(found.max())}


def flow_of_noise(files: Files, *, weights: str) -> Answers:
    """Optical flow of seeded noise moved right by two px, in the middle of the picture."""
    import torch

    from thgeval_models import raft

    noise = torch.rand(1, 3, 16, 18, generator=torch.Generator().manual_seed(1)) * 255
    large = torch.nn.functional.interpolate(noise, scale_factor=10, mode="bicubic").clamp(0, 255)
    with networks.alone():
        flow = raft.flow(networks.published(weights), large[..., 2:162], large[..., :160])
    return {"right": float(flow[0, 0, 40:-40, 40:-40].median()), "down": float(flow[0, 1, 40:-40, 40:-40].median())}
