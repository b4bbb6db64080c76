"""SyncNet's scores beside the published programs: cepstra, the network, and a clip from file to number, by stage.

    python benchmarks/run.py sync

Weights are random, in the format of the published files: they take as long as the real ones. As random weights find no
faces, S3FD is run on every frame, on either side, and a fixed box taken for its answer. The published route is
emulated, file by file, with ffmpeg's libraries and OpenCV: AVI, JPEGs, WAV, a crop file, and JPEGs again; it starts no
processes, which the programs do. Everything runs on one thread, and figures are processor seconds, so that they mean
something on a busy machine too.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from fractions import Fraction
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any
from unittest.mock import patch

import cv2
import numpy as np

HERE = Path(__file__).parent
SIDE_PX, FRAMES = 512, 110
BOX = (150.0, 120.0, 330.0, 340.0)
RATE = 25
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def measurements() -> list[dict[str, Any]]:
    """Every comparison."""
    if str(HERE.parent / "tests") not in sys.path:
        sys.path.insert(0, str(HERE.parent / "tests"))
    import torch
    from support import random_weights

    torch.set_num_threads(1)
    with random_weights.installed(["syncnet-v2", "sfd-face"]), tempfile.TemporaryDirectory() as folder:
        return [_alone(_cepstra), *_network(), *_end_to_end(Path(folder))]


def _alone(job: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What a job measures in a process of its own, whose linear algebra has one thread and doesn't wait for others."""
    with patch.dict(os.environ, ONE_THREAD), ProcessPoolExecutor(1, get_context("spawn")) as process:
        return process.submit(job).result()


def _row(what: str, ours: float, theirs: float) -> dict[str, Any]:
    return {"what": what, "ours_s": ours, "theirs_s": theirs, "ratio": theirs / ours if ours else None}


def _taking_turns(ours: Callable[[], Any], theirs: Callable[[], Any], rounds: int) -> tuple[float, float]:
    """Median seconds of two jobs, after one round that isn't counted."""
    times: list[list[float]] = [[], []]
    for turn in range(rounds + 1):
        for job, kept in zip((ours, theirs), times, strict=True):
            start = time.process_time()
            job()
            if turn:
                kept.append(time.process_time() - start)
    return median(times[0]), median(times[1])


def _sound(seconds: float) -> Any:
    from lip_sync.conftest import speech_like

    return speech_like(round(16000 * seconds))


def _cepstra() -> dict[str, Any]:
    from python_speech_features import mfcc

    from thgeval.kernels import mel

    samples = _sound(10)
    row = _row("mfcc of 10 s", *_taking_turns(lambda: mel.mfcc(samples), lambda: mfcc(samples, 16000), 15))
    return row | {"largest_difference": float(np.abs(mel.mfcc(samples) - mfcc(samples, 16000)).max())}


def _network() -> list[dict[str, Any]]:
    """45 windows through either stream, theirs in batches of 20 through the network as published."""
    import torch
    from lip_sync.conftest import face_like

    from thgeval.features.sync import syncnet as features
    from thgeval.kernels import mel
    from thgeval_models import networks as published

    network: Any = published.network("syncnet-v2", _weights("syncnet-v2"))
    crops, cepstra = face_like(49), mel.mfcc(_sound(2))

    def lips() -> None:
        stream = features._Windows(features._streams()[0])
        for crop in crops:
            stream.add(crop)
        stream.rows()

    seen = torch.from_numpy(crops.astype(np.float32)).permute(3, 0, 1, 2)[None]
    heard = torch.from_numpy(cepstra.T.astype(np.float32))[None, None]

    def their_lips() -> None:
        _in_batches(lambda faces: network.netfclip(network.netcnnlip(faces).flatten(1)), seen, 45, 1, 5)

    def their_speech() -> None:
        _in_batches(lambda columns: network.netfcaud(network.netcnnaud(columns).flatten(1)), heard, 45, 4, 20)

    return [
        _row("lip stream, 45 windows", *_taking_turns(lips, their_lips, 5)),
        _row("speech stream, 45 windows", *_taking_turns(lambda: features._speech(cepstra, 45), their_speech, 5)),
    ]


def _in_batches(stream: Callable[[Any], Any], seen: Any, count: int, step: int, length: int) -> Any:
    """A stream of the published network over windows, 20 at a time; time is axis 2 of frames and 3 of columns."""
    import torch

    axis = 2 if seen.ndim == 5 else 3
    windows = [seen.narrow(axis, step * i, length) for i in range(count)]
    with torch.no_grad():
        return torch.cat([stream(torch.cat(windows[i : i + 20])) for i in range(0, count, 20)])


def _weights(name: str) -> Path:
    from thgeval.requirements import weights

    return weights.path(name)


class _Stages:
    """Seconds by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def time(self, stage: str, work: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        start = time.process_time()
        try:
            return work(*args, **kwargs)
        finally:
            self.seconds[stage] = self.seconds.get(stage, 0.0) + time.process_time() - start


def _end_to_end(folder: Path) -> list[dict[str, Any]]:
    from lip_sync.conftest import face_like

    from thgeval.media import write_video

    path = folder / "clip.mp4"
    frames = face_like(FRAMES, SIDE_PX, SIDE_PX)
    smooth = np.stack([cv2.GaussianBlur(frame, (0, 0), 6) for frame in frames])
    write_video(path, smooth, fps=RATE, audio=_sound(FRAMES / RATE).astype(np.float32) / 32768)
    ours, theirs = _our_route(path), _their_route(path, folder)
    rows = [_row(f"{stage} (stage)", ours.get(stage, 0.0), theirs.get(stage, 0.0)) for stage in theirs]
    without = [sum(value for stage, value in route.items() if stage != "S3FD") for route in (ours, theirs)]
    return [
        *rows,
        _row("file to scores, all but S3FD and SyncNet", *(_media(route) for route in (ours, theirs))),
        _row("file to scores, all but S3FD", *without),
        _row("file to scores", sum(ours.values()), sum(theirs.values())),
        _row("file to scores, strided", sum(_our_route(path, every=5).values()), sum(theirs.values())),
    ]


def _media(route: dict[str, float]) -> float:
    return sum(value for stage, value in route.items() if stage not in ("S3FD", "SyncNet"))


def _our_route(path: Path, *, every: int = 1) -> dict[str, float]:
    from thgeval import networks
    from thgeval.clip import Clip, Pair
    from thgeval.features.frames import offered as companions
    from thgeval.features.sync import syncnet as features
    from thgeval.view import Side

    networks.published("sfd-face")
    features._streams()
    stages = _Stages()
    find, run, speech = features.s3fd_boxes, features._Windows._run, features._speech

    def found(detector: Any, frame: Any) -> Any:
        stages.time("S3FD", find, detector, frame)
        return np.array([BOX])

    with (
        patch.object(features, "detected", found),
        patch.object(features._Windows, "_run", lambda self: stages.time("SyncNet", run, self)),
        patch.object(features, "_speech", lambda *args: stages.time("SyncNet", speech, *args)),
    ):
        side = Side(companions.offered(Pair("a", Clip("a", path)), reference=False))
        start = time.process_time()
        (synced,) = side[features.syncnet(every=every)]
        total = time.process_time() - start
    if synced.alignment is None or synced.alignment.windows < FRAMES - 10:
        raise RuntimeError("the clip was not scored")
    rest = total - sum(stages.seconds.values())
    return stages.seconds | {"files, crops, cuts and arithmetic": rest}


def _their_route(path: Path, folder: Path) -> dict[str, float]:
    """AVI, JPEGs and WAV; S3FD on every JPEG; cuts in the AVI; padded crops to XVID; JPEGs again; batches of 20."""
    import scenedetect
    import soundfile
    import torch
    from python_speech_features import mfcc
    from scipy.signal import medfilt

    from thgeval.clip import Clip
    from thgeval.features.sync import avi_route
    from thgeval.media import audio, decode
    from thgeval_models import networks as published
    from thgeval_models import s3fd

    detector: Any = published.network("sfd-face", _weights("sfd-face"))
    network: Any = published.network("syncnet-v2", _weights("syncnet-v2"))
    stages, media = _Stages(), "files, crops, cuts and arithmetic"
    avi, wav = folder / "video.avi", folder / "audio.wav"

    def convert() -> None:
        avi_route.write_avi(avi, Clip("a", path), audio.decoded_speech(path, rate_hz=16000), own=True)
        soundfile.write(wav, audio.decoded_speech(avi).samples, 16000, subtype="PCM_16")
        _write_jpegs(avi, folder / "frames", finest=True)

    def read(folder: Path) -> list[Any]:
        return [cv2.imread(str(file)) for file in sorted(folder.glob("*.jpg"))]

    def detect(frame: Any) -> None:
        small = cv2.resize(frame[..., ::-1], (0, 0), fx=0.25, fy=0.25).astype(np.float32)
        with torch.no_grad():
            boxes, scores = detector(torch.from_numpy(small).permute(2, 0, 1)[None])
            s3fd.distinct(boxes[0], scores[0], threshold=0.05, overlap=0.3)

    def crop() -> None:
        writer = cv2.VideoWriter(str(folder / "crop.avi"), cv2.VideoWriter.fourcc(*"XVID"), RATE, (224, 224))
        x, y, s = ((BOX[0] + BOX[2]) / 2, (BOX[1] + BOX[3]) / 2, max(BOX[2] - BOX[0], BOX[3] - BOX[1]) / 2)
        places = [medfilt([value] * FRAMES, 13) for value in (x, y, s)]
        for image, mx, my, bs in zip(read(folder / "frames"), *places, strict=False):
            pad = int(bs * 1.8)
            padded = np.pad(image, ((pad, pad), (pad, pad), (0, 0)), "constant", constant_values=110)
            rows = slice(int(my + pad - bs), int(my + pad + 1.8 * bs))
            columns = slice(int(mx + pad - 1.4 * bs), int(mx + pad + 1.4 * bs))
            writer.write(cv2.resize(padded[rows, columns], (224, 224)))
        writer.release()
        _write_jpegs(folder / "crop.avi", folder / "crops", finest=False)

    def embed() -> tuple[Any, Any]:
        seen = np.transpose(np.expand_dims(np.stack(read(folder / "crops"), axis=3), axis=0), (0, 3, 4, 1, 2))
        faces = torch.from_numpy(seen.astype(float)).float()
        samples, _ = soundfile.read(wav, dtype="int16")
        heard = torch.from_numpy(mfcc(samples, 16000).T.astype(float)[None, None]).float()
        count = min(faces.shape[2], len(samples) // 640) - 5
        lips = _in_batches(lambda batch: network.netfclip(network.netcnnlip(batch).flatten(1)), faces, count, 1, 5)
        speech = _in_batches(lambda batch: network.netfcaud(network.netcnnaud(batch).flatten(1)), heard, count, 4, 20)
        return lips, speech

    def compare(lips: Any, speech: Any) -> Any:
        padded = torch.nn.functional.pad(speech, (0, 0, 15, 15))
        distances = [
            torch.nn.functional.pairwise_distance(lips[[i]].repeat(31, 1), padded[i : i + 31]) for i in range(len(lips))
        ]
        return torch.stack(distances, 1).mean(1)

    stages.time(media, convert)
    for frame in stages.time(media, read, folder / "frames"):
        stages.time("S3FD", detect, frame)
    stages.time(media, scenedetect.detect, str(avi), scenedetect.ContentDetector())
    stages.time(media, crop)
    embeddings = stages.time("SyncNet", embed)
    stages.time(media, compare, *embeddings)
    with decode(Clip("a", avi), chunk=64) as batches:
        if sum(len(batch) for batch in batches) != FRAMES:
            raise RuntimeError("the AVI file has other frames than the clip")
    return stages.seconds


def _write_jpegs(video: Path, folder: Path, *, finest: bool) -> None:
    """Every frame of a file as ffmpeg's JPEG encoder writes it, into a folder."""
    import av

    folder.mkdir()
    options = {"flags": "+qscale", "global_quality": "236"} if finest else {"b": "200k"}
    with av.open(video) as container:
        encoder: Any = None
        for index, frame in enumerate(container.decode(video=0)):
            if encoder is None:
                encoder = av.VideoCodecContext.create("mjpeg", "w")
                encoder.width, encoder.height = frame.width, frame.height
                encoder.pix_fmt, encoder.time_base, encoder.options = "yuvj420p", Fraction(1, RATE), options
            picture = frame.reformat(format="yuvj420p", dst_color_range="JPEG")
            picture.pts = index
            for packet in encoder.encode(picture):
                (folder / f"{index:06d}.jpg").write_bytes(bytes(packet))
