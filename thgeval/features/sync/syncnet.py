"""SyncNet on a clip: which faces are tracked in it, and how well each goes together with the speech.

The clip is read twice at 25 frames per second, whatever the protocol's rate, once to find faces and cuts and once to
crop the tracked ones, so that no more than a batch of frames is ever held. ``face`` says what the network looks at:

``s3fd``         tracks of faces, found by S3FD in every ``every``-th frame at a quarter of its size, and the squares
                 around them (see ``face_tracks``); tracks end at cuts, as PySceneDetect's ContentDetector sees them
``whole-frame``  all of it, squeezed to 224 px: the clip must be a face crop already

``clock`` is ``25fps``, or ``native``: the frames as they are, taken for 25 a second whatever they are.
``resize`` of whole frames is ``bilinear`` or ``bicubic``, as OpenCV does both.

A track of n frames has n - 5 windows, or fewer where the speech ends first: window i is frames i to i + 4 and columns
4 i to 4 i + 19 of the cepstra of the track's own speech. Pixels are blue, green, red in 0..255.

``route`` is ``direct``, from the decoder to the networks, or one through the lossy files of ``avi_route``:

``avi``          frames through ``video.avi``, JPEGs and the crops' files; speech through the MP3 of ``video.avi``
``avi-pictures`` the same for frames, at a constant rate as of ffmpeg 7; speech straight from its file
``jpeg``         whole frames through JPEGs at 200 kbit/s; before they are resized, or, if ``bicubic``, after

Windows go through the network in batches of 20 that start with the track, as in the authors' program, so that nothing
but the clip decides what comes out.

Source: Chung and Zisserman, ACCV workshops 2016; ``run_pipeline.py``, ``detectors/s3fd`` and ``SyncNetInstance.py`` of
joonson/syncnet_python (6efbb1c). Batch normalisation is folded into the layers before it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from thgeval import networks
from thgeval.clip import Clip
from thgeval.errors import InputError
from thgeval.feature import Feature, Grain, feature
from thgeval.features.frames.offered import clip, sound
from thgeval.features.sync import face_tracks
from thgeval.features.sync.avi_route import Avi, CropFile, avi_copy, avi_pcm, avi_pictures, frame_jpegs
from thgeval.features.sync.face_tracks import FaceBoxes
from thgeval.features.sync.offsets import OffsetDistances, aligned
from thgeval.features.sync.speech import pcm
from thgeval.kernels import mel
from thgeval.media import decode
from thgeval.requirements import Package, Weights

if TYPE_CHECKING:
    from torch import Tensor

FACES, CLOCKS, SYNCNET_RESIZES = ("s3fd", "whole-frame"), ("25fps", "native"), ("bilinear", "bicubic")
ROUTES = {"s3fd": ("direct", "avi", "avi-pictures"), "whole-frame": ("direct", "jpeg")}
RATE = Fraction(25)
SAMPLES = 640
"""Of speech at 16 kHz for one frame."""
WINDOW, COLUMNS, BATCH, CHUNK = 5, 20, 20, 8
DIMENSIONS = 1024
DETECTOR_SCALE, LIKELY, FIRST_OVERLAP, LAST_OVERLAP = 0.25, 0.9, 0.3, 0.1
CUTS_WIDTH_PX = 256
INTERPOLATIONS = {"bilinear": cv2.INTER_LINEAR, "bicubic": cv2.INTER_CUBIC}

SYNCNET = (networks.TORCH, Weights("syncnet-v2"))

Image = NDArray[np.uint8]
Rows = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class LipWindows:
    """Embeddings of one track's windows, (windows, 1024), from frame ``first`` on; ``frames`` is how long it is."""

    first: int
    frames: int
    rows: Rows


@dataclass(frozen=True, eq=False)
class SyncedTrack:
    """One track of ``frames`` frames from ``first`` on against the speech; no alignment where there is no speech."""

    first: int
    frames: int
    alignment: OffsetDistances | None


def _filmed(route: str, **_: Any) -> Feature[Any]:
    if route == "direct":
        return clip
    return avi_copy() if route == "avi" else avi_pictures()


@feature(
    _filmed,
    version=1,
    grain=Grain.CLIP,
    requires=(networks.TORCH, Package("scenedetect", extra="sync"), Weights("sfd-face")),
)
def shot_faces(video: Clip | Avi, *, every: int = 1, route: str = "direct") -> FaceBoxes:
    """Boxes of faces in every ``every``-th frame at 25 per second, and the frames where a new scene starts."""
    detector, scenes = networks.published("sfd-face"), _Scenes()
    boxes = []
    for index, frame in enumerate(_scenery(video, scenes)):
        boxes.append(np.empty((0, 4)) if index % every else s3fd_boxes(detector, frame))
    return FaceBoxes(tuple(boxes), tuple(scenes.cuts), every, end=scenes.frames)


@feature(
    _filmed,
    lambda every, route, **_: shot_faces(every=every, route=route),
    version=1,
    grain=Grain.CLIP,
    requires=SYNCNET,
)
def tracked_lips(
    video: Clip | Avi,
    faces: FaceBoxes,
    *,
    min_track: int = 100,
    every: int = 1,
    tracker: str = "any",
    route: str = "direct",
) -> tuple[LipWindows, ...]:
    """Lips of every track. Raises InputError ("no face", "short track", "small face") where there is none."""
    found = face_tracks.tracks(faces, min_track=min_track, tracker=tracker)
    if not found:
        name = video.clip.id if isinstance(video, Avi) else video.name
        raise no_track(name, faces, min_track=min_track, tracker=tracker)
    squares = [face_tracks.squares(track.boxes) for track in found]
    streams = [_Windows(_streams()[0]) if route == "direct" else CropFile(face_tracks.SIDE_PX) for _ in found]
    for index, frame in enumerate(_scenery(video)):
        for track, square, stream in zip(found, squares, streams, strict=True):
            if 0 <= index - track.first < len(square):
                stream.add(face_tracks.cropped(frame, square[index - track.first]))
    return tuple(_lips(track.first, _read_back(stream)) for track, stream in zip(found, streams, strict=True))


@feature(clip, version=1, grain=Grain.CLIP, requires=SYNCNET)
def whole_frame_lips(video: Clip, *, clock: str = "25fps", resize: str = "bilinear") -> tuple[LipWindows, ...]:
    """Lips of a clip that is a face crop already, as its one track."""
    return _whole(_frames(video, RATE if clock == "25fps" else None), resize)


@feature(clip, sound, version=1, grain=Grain.CLIP, requires=SYNCNET)
def jpeg_lips(
    video: Clip, source: Clip | Path, *, clock: str = "25fps", resize: str = "bilinear"
) -> tuple[LipWindows, ...]:
    """The same by way of JPEGs, with the frame that ffmpeg shows at each tick of the clock."""
    side_px = face_tracks.SIDE_PX if resize == "bicubic" else None
    fps, own = RATE if clock == "25fps" else None, isinstance(source, Clip)
    return _whole(frame_jpegs(video, fps, own=own, side_px=side_px), resize)


def _whole(frames: Iterator[Image], resize: str) -> tuple[LipWindows, ...]:
    """Frames resized to what the network takes, as one track."""
    stream, side = _Windows(_streams()[0]), (face_tracks.SIDE_PX, face_tracks.SIDE_PX)
    for frame in frames:
        stream.add(np.asarray(cv2.resize(frame, side, interpolation=INTERPOLATIONS[resize]), np.uint8))
    return (_lips(0, stream),)


def _lips_of(
    face: str, clock: str, resize: str, min_track: int, every: int, tracker: str, route: str, **_: Any
) -> Feature[tuple[LipWindows, ...]]:
    if face == "s3fd":
        return tracked_lips(min_track=min_track, every=every, tracker=tracker, route=route)
    lips = jpeg_lips if route == "jpeg" else whole_frame_lips
    return lips(clock=clock, resize=resize)


def _heard(route: str, **_: Any) -> Feature[NDArray[np.int16]]:
    return avi_pcm() if route == "avi" else pcm()


@feature(_lips_of, _heard, version=1, grain=Grain.CLIP, requires=SYNCNET)
def syncnet(
    tracks: tuple[LipWindows, ...],
    samples: NDArray[np.int16],
    *,
    face: str = "s3fd",
    clock: str = "25fps",
    resize: str = "bilinear",
    min_track: int = 100,
    every: int = 1,
    tracker: str = "any",
    route: str = "direct",
    furthest: int = 15,
) -> tuple[SyncedTrack, ...]:
    """Every track against the speech under it. Raises InputError: "silent", or "too short" for any window."""
    if not samples.any():
        raise InputError("its speech is silent from beginning to end; nothing can be in sync with it", reason="silent")
    found = tuple(_synced(lips, samples, furthest) for lips in tracks)
    if all(synced.alignment is None for synced in found):
        heard = max(len(samples) // SAMPLES - lips.first for lips in tracks)
        raise InputError(
            f"SyncNet needs {WINDOW + 1} frames of picture with speech; there are "
            f"{max(min(heard, max(lips.frames for lips in tracks)), 0)}",
            reason="too short",
        )
    return found


def no_track(name: str, faces: FaceBoxes, *, min_track: int, tracker: str = "any") -> InputError:
    """Why nothing in a clip can be tracked."""
    if not faces.found:
        return InputError(f"{name}: no face is found in any of its {len(faces.boxes)} frames", reason="no face")
    long = [
        track
        for track in face_tracks.all_tracks(faces, min_track=min_track, tracker=tracker)
        if face_tracks.is_long(track, faces, min_track=min_track)
    ]
    if long:
        return InputError(
            f"{name}: its largest tracked face measures {max(track.size_px for track in long):.0f} px, and must exceed "
            f"{face_tracks.SMALLEST_FACE_PX}",
            reason="small face",
        )
    return InputError(
        f"{name}: no face is seen in more than {min_track} frames of one scene; there are {len(faces.boxes)} frames, "
        f"{len(faces.cuts)} cuts and {faces.found} frames with a face",
        reason="short track",
    )


def s3fd_boxes(detector: Callable[["Tensor"], tuple["Tensor", "Tensor"]], frame: Image) -> NDArray[np.float64]:
    """Boxes of faces in a BGR frame, (faces, 4) in its own px, best first."""
    import torch

    from thgeval_models.s3fd import SMALLEST_PX, distinct

    height, width = frame.shape[:2]
    if min(height, width) * DETECTOR_SCALE < SMALLEST_PX:
        least = round(SMALLEST_PX / DETECTOR_SCALE)
        raise InputError(f"S3FD needs frames of at least {least} px a side, not {width} x {height}", reason="too small")
    small = cv2.resize(frame[..., ::-1], (0, 0), fx=DETECTOR_SCALE, fy=DETECTOR_SCALE, interpolation=cv2.INTER_LINEAR)
    with networks.alone():
        places, scores = detector(networks.as_images(small[None], 255.0, white=255.0))
        kept, best = distinct(places[0], scores[0], threshold=LIKELY, overlap=FIRST_OVERLAP)
        kept, _ = distinct(kept, best, threshold=LIKELY, overlap=LAST_OVERLAP)
    scale = torch.tensor([width / small.shape[1], height / small.shape[0]] * 2)
    return np.asarray((kept * scale).numpy(), np.float64)


class _Scenes:
    """Where scenes change, as PySceneDetect sees it in frames brought to 256 px in width."""

    def __init__(self) -> None:
        from scenedetect import ContentDetector

        self._detector = ContentDetector()
        self.cuts: list[int] = []
        self.frames = 0

    def see(self, frame: Image) -> None:
        """Look at the next frame, in BGR."""
        from scenedetect import FrameTimecode

        height, width = frame.shape[:2]
        factor = max(width / CUTS_WIDTH_PX, 1.0)
        size = (max(1, round(width / factor)), max(1, round(height / factor)))
        seen = frame if factor == 1 else cv2.resize(frame, size, interpolation=cv2.INTER_LINEAR)
        time = FrameTimecode(self.frames, float(RATE))
        self.cuts += [cut.frame_num for cut in self._detector.process_frame(time, seen)]
        self.frames += 1


class _Windows:
    """Crops of one track on their way through the lip stream, a batch of windows at a time."""

    def __init__(self, network: Callable[["Tensor"], "Tensor"]) -> None:
        self._network = network
        self._waiting: list[Image] = []
        self._rows: list[Rows] = []
        self.frames = 0

    def add(self, crop: Image) -> None:
        self._waiting.append(crop)
        self.frames += 1
        if len(self._waiting) == BATCH + WINDOW - 1:
            self._run()

    def rows(self) -> Rows:
        """Embeddings of all windows; (0, 1024) of fewer than five frames."""
        if len(self._waiting) >= WINDOW:
            self._run()
        return np.concatenate([np.empty((0, DIMENSIONS), np.float32), *self._rows])

    def _run(self) -> None:
        import torch

        seen = torch.from_numpy(np.stack(self._waiting)).permute(0, 3, 1, 2).float()
        windows = seen.unfold(0, WINDOW, 1).permute(0, 1, 4, 2, 3).flatten(1, 2)
        with networks.alone():
            self._rows.append(self._network(windows).numpy())
        del self._waiting[: len(windows)]


def _read_back(stream: _Windows | CropFile) -> _Windows:
    """The crops of a track on their way through the network, from a file if they were written to one."""
    if isinstance(stream, _Windows):
        return stream
    windows = _Windows(_streams()[0])
    for crop in stream.frames():
        windows.add(crop)
    return windows


def _lips(first: int, stream: _Windows) -> LipWindows:
    return LipWindows(first, stream.frames, stream.rows())


def _synced(lips: LipWindows, samples: NDArray[np.int16], furthest: int) -> SyncedTrack:
    heard = samples[lips.first * SAMPLES : (lips.first + lips.frames) * SAMPLES]
    windows = min(lips.frames, len(heard) // SAMPLES) - WINDOW
    if windows < 1:
        return SyncedTrack(lips.first, lips.frames, None)
    speech = _speech(mel.mfcc(heard), windows)
    return SyncedTrack(lips.first, lips.frames, aligned(seen=lips.rows[:windows], heard=speech, furthest=furthest))


def _speech(cepstra: NDArray[np.float64], windows: int) -> Rows:
    """Embeddings of speech, (windows, 1024): columns 4 i to 4 i + 19 for window i."""
    import torch

    columns = torch.from_numpy(cepstra.T.astype(np.float32)).unfold(1, COLUMNS, 4)[:, :windows]
    seen = columns.permute(1, 0, 2)[:, None]
    with networks.alone():
        found: Rows = torch.cat([_streams()[1](seen[i : i + BATCH]) for i in range(0, windows, BATCH)]).numpy()
    return found


def _streams() -> Any:
    """Lip stream and speech stream."""
    network = networks.published("syncnet-v2")

    def load() -> Any:
        from thgeval_models.syncnet import streams

        return tuple(map(networks.channels_last, streams(network)))

    return networks.loaded(("syncnet streams", id(network)), load)


def _scenery(video: Clip | Avi, scenes: "_Scenes | None" = None) -> Iterator[Image]:
    """Frames of a whole clip at 25 per second, in BGR; of a lossy copy, as JPEG leaves them.

    ``scenes`` is shown the frames on the way: of a lossy copy those of its file, where none is there twice.
    """
    if isinstance(video, Avi):
        yield from video.jpegs(None if scenes is None else scenes.see)
        return
    for frame in _frames(video, RATE):
        if scenes is not None:
            scenes.see(frame)
        yield frame


def _frames(video: Clip, fps: Fraction | None) -> Iterator[Image]:
    """Frames in BGR, one at a time."""
    with decode(video, chunk=CHUNK, fps=fps) as batches:
        for batch in batches:
            for frame in networks.as_bytes(batch.new, batch.peak):
                yield np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR), np.uint8)
