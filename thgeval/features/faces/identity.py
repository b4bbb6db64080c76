"""Who is seen: embeddings of faces by recognisers, whose angles tell people apart.

Embeddings of different recognisers can't be compared, nor those of one recogniser on faces that were cut in another
way; so a row of ``RECOGNISERS`` fixes both. Every face of a frame is embedded; who of them counts is chosen over the
whole clip, as ``people`` has it. A recogniser that reads whole frames finds no faces and has one person, always.

Embeddings come as their network gives them, of any length: MobileFaceNet, the ArcFace r50 and r100 and dlib's are not
normalised.
"""

from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from thgeval import networks
from thgeval.errors import InputError, ProtocolError
from thgeval.feature import Feature, Grain, Requirements, feature
from thgeval.features.faces import crops
from thgeval.features.faces.detection import DETECTORS, DLIB, SLOTS, Backend, Faces, bytes_of, faces, slotted
from thgeval.features.faces.landmarks import CHAINS, GIVEN, landmarks
from thgeval.features.faces.people import Slots, chosen, people, taken
from thgeval.features.faces.supplied import given
from thgeval.features.frames.frames import rgb
from thgeval.features.frames.offered import source_image
from thgeval.media import image
from thgeval.media.folder import image_content
from thgeval.media.frames import FrameBatch
from thgeval.requirements import Package, Weights

Pixels = NDArray[np.uint8]
SIDES = ("clip", "source")


class Crop(NamedTuple):
    """A square a network reads: cut from where, its side, and the values of 0 and 255 in it."""

    cut: str
    side_px: int
    black: float
    white: float
    bgr: bool = False


class Recogniser(NamedTuple):
    """A network and the faces it is shown.

    ``detector`` is empty for whole frames; ``crop`` is None where dlib cuts the face by its own 68 landmarks;
    ``per_s`` is how many frames a second its protocol takes, 0 for all of them.
    """

    weights: str
    dimensions: int
    detector: str
    crop: Crop | None
    package: Package = networks.TORCH
    per_s: float = 0.0

    @property
    def requires(self) -> Requirements:
        """What must be there to run it."""
        return self.package, Weights(self.weights)


ARCFACE = Crop("five points", 112, -1.0, 1.0)
FACENET = Crop("box", 160, -127.5 / 128, 127.5 / 128)

RECOGNISERS: Mapping[str, Recogniser] = MappingProxyType(
    {
        "dlib": Recogniser("dlib-face-descriptor", 128, "dlib", None, DLIB, per_s=5.0),
        "mobilefacenet": Recogniser("mobilefacenet", 128, "yunet", Crop("five points", 112, 0.0, 1.0)),
        "arcface-r50": Recogniser("arcface-r50", 512, "yunet", ARCFACE),
        "arcface-r100": Recogniser("arcface-r100", 512, "yunet", ARCFACE),
        "arcface-w600k-r50": Recogniser("arcface-w600k-r50", 512, "yunet", ARCFACE),
        "arcface-irse50": Recogniser("arcface-irse50", 512, "yunet", ARCFACE),
        "facenet-vggface2": Recogniser("facenet-vggface2", 512, "yunet", FACENET),
        "facenet-casia": Recogniser("facenet-casia", 512, "yunet", FACENET),
        "openface": Recogniser("openface-nn4", 128, "", Crop("frame", 96, 0.0, 1.0, bgr=True)),
        "openface-smoothed": Recogniser("openface-nn4", 128, "", Crop("frame smoothed", 96, 0.0, 1.0, bgr=True)),
        "arcface-r100-fullframe": Recogniser("arcface-r100", 512, "", Crop("frame", 112, -1.0, 1.0)),
    }
)


NETWORKS = (*RECOGNISERS, GIVEN)


class Described(NamedTuple):
    """Every face of the sampled frames: (sampled, slots, D) embeddings, NaN without a face, and their frames."""

    rows: NDArray[np.float32]
    frames: NDArray[np.int64]


class Embeddings(NamedTuple):
    """The chosen people in the sampled frames.

    ``rows`` is (sampled, people, D) as the network gives them, NaN where there is no face; ``frames`` (sampled,) says
    which frames of the clip they are, ``[0]`` for a source image.
    """

    rows: NDArray[np.float64]
    frames: NDArray[np.int64]


def _places(network: str, follow: str) -> Feature[Any]:
    """Where a recogniser looks: the faces of a detector, dlib's landmarks, or the frames themselves."""
    row = RECOGNISERS[network]
    if not row.detector:
        return rgb
    return faces(detector=row.detector, follow=follow) if row.crop else landmarks(model=row.detector, follow=follow)


@feature(
    rgb,
    lambda network, follow, **_: _places(network, follow),
    version=1,
    requires=lambda network, **_: RECOGNISERS[network].requires,
)
def described(frames: FrameBatch, where: Any, *, network: str, per_s: float = 0.0, follow: str = "every") -> Described:
    """Embeddings of every face in every sampled frame."""
    sampled = sampled_frames(frames, per_s)
    pixels = bytes_of(frames)[sampled]
    picked = _picked(where, sampled) if RECOGNISERS[network].detector else None
    return Described(embedded(pixels, picked, network), (sampled + frames.start).astype(np.int64))


@feature(
    lambda network, per_s, follow, **_: described(network=network, per_s=per_s, follow=follow),
    lambda network, follow, who, min_px, **_: people(
        landmarks=RECOGNISERS[network].detector, follow=follow, who=who, min_px=min_px
    ),
    version=1,
    grain=Grain.CLIP,
)
def face_embeddings(
    found: Described, slots: Slots, *, network: str, per_s: float, who: str, min_px: int, follow: str
) -> Embeddings:
    """Embeddings of the chosen people in the sampled frames."""
    return Embeddings(taken(found.rows, slots[found.frames]), found.frames)


@feature(lambda network, per_s: described(network=network, per_s=per_s), version=1, grain=Grain.CLIP)
def frame_embeddings(found: Described, *, network: str, per_s: float) -> Embeddings:
    """Embeddings of the sampled frames as a whole, as those of one person."""
    return Embeddings(found.rows.astype(np.float64), found.frames)


@feature(
    source_image,
    version=1,
    grain=Grain.CLIP,
    requires=lambda network, **_: _needs(network),
)
def source_embeddings(path: Path, *, network: str, who: str, min_px: int) -> Embeddings:
    """Embeddings of the people in the source image; InputError if it shows none."""
    picture = read_picture(path)[None]
    detector = RECOGNISERS[network].detector
    if not detector:
        return Embeddings(embedded(picture, None, network).astype(np.float64), np.zeros(1, np.int64))
    found = slotted([DETECTORS[detector].load()(picture[0])], picture.shape[1:3])
    slots = chosen(found, who=who, min_px=min_px)
    if (slots < 0).all():
        raise InputError(f"no face is found in the source image {path}", reason="no face in source image")
    where = found if RECOGNISERS[network].crop else _marked(picture, found, detector)
    return Embeddings(taken(embedded(picture, where, network), slots), np.zeros(1, np.int64))


@feature(lambda of: given(array="embeddings" if of == "clip" else "source_embedding"), version=1, grain=Grain.CLIP)
def given_embeddings(found: NDArray[np.float64], *, of: str) -> Embeddings:
    """The embeddings that a file beside the clip holds, of the clip or of its source image."""
    return Embeddings(found, np.arange(len(found), dtype=np.int64))


def embeddings_of_people(
    *,
    network: str,
    who: str = "largest",
    min_px: int = 0,
    follow: str = "every",
    per_s: float = 0.0,
    of: str = "clip",
) -> Feature[Embeddings]:
    """The embeddings of a clip's people, or with ``of="source"`` those of its source image, by one recogniser.

    ``who``, ``min_px`` and ``follow`` choose faces, as for ``people``; ``per_s`` is how many frames a second are taken,
    0 for all. Raises ProtocolError for names that aren't there.
    """
    for name, value, known in (("network", network, NETWORKS), ("of", of, SIDES)):
        if value not in known:
            raise ProtocolError(f"{name} must be one of {', '.join(known)}, not {value!r}")
    if per_s < 0:
        raise ProtocolError(f"per_s must be 0 or more frames a second, not {per_s}")
    if network == GIVEN:
        if per_s:
            raise ProtocolError(f"network={GIVEN} takes the embeddings of every frame, not of {per_s:g} a second")
        return given_embeddings(of=of)
    if of == "source":
        return source_embeddings(network=network, who=who, min_px=min_px)
    if not RECOGNISERS[network].detector:
        return frame_embeddings(network=network, per_s=per_s)
    return face_embeddings(network=network, per_s=per_s, who=who, min_px=min_px, follow=follow)


def sampled_frames(frames: FrameBatch, per_s: float) -> NDArray[np.int64]:
    """Which of the new frames are taken, counted from the first of them.

    Frame i of the clip is, if floor(i x per_s / fps) is more than it was for the frame before. Raises InputError if
    that needs a frame rate and there is none.
    """
    if not per_s:
        return np.arange(len(frames), dtype=np.int64)
    if frames.fps is None:
        raise InputError(
            f"taking {per_s:g} frames a second needs a frame rate, which the clip doesn't have; state one with --fps",
            reason="no frame rate",
        )
    step = Fraction(str(per_s)) / frames.fps
    indices = range(frames.start, frames.start + len(frames))
    taken_ = [i for i in indices if i == 0 or int(i * step) > int((i - 1) * step)]
    return np.array(taken_, np.int64) - frames.start


def embedded(frames: Pixels, where: Any, network: str) -> NDArray[np.float32]:
    """Embeddings of all faces in (frames, height, width, 3): (frames, slots, D), NaN where there is none.

    ``where`` is their ``Faces``, dlib's (frames, slots, 68, 2) landmarks, or None for whole frames.
    """
    row = RECOGNISERS[network]
    if row.crop is None:
        return _by_dlib(frames, where, row.dimensions)
    cut = CUTS[row.crop.cut]
    slots = SLOTS if row.detector else 1
    rows = np.full((len(frames), slots, row.dimensions), np.nan, np.float32)
    there = np.ones((len(frames), 1), bool) if where is None else ~np.isnan(where.boxes[..., 0])
    if there.any():
        places = np.argwhere(there)
        squares = [cut(frames[frame], where, frame, slot, row.crop.side_px) for frame, slot in places]
        rows[there] = _through(row, row.crop, np.stack(squares))
    return rows


def _through(row: Recogniser, crop: Crop, squares: NDArray[Any]) -> NDArray[np.float32]:
    with networks.alone():
        images = networks.as_images(squares[..., ::-1] if crop.bgr else squares, 255.0)
        return networks.rows(networks.published(row.weights), images * (crop.white - crop.black) + crop.black)


def _by_dlib(frames: Pixels, points: NDArray[np.float32], dimensions: int) -> NDArray[np.float32]:
    describe = Backend("dlib_models:descriptors").load()
    rows = np.full((*points.shape[:2], dimensions), np.nan, np.float32)
    for frame, pixels in enumerate(frames):
        held = ~np.isnan(points[frame, :, 0, 0])
        if held.any():
            rows[frame, held] = describe(pixels, points[frame, held])
    return rows


def _whole(frame: Pixels, where: None, index: int, slot: int, side_px: int) -> Pixels:
    return np.asarray(cv2.resize(frame, (side_px, side_px), interpolation=cv2.INTER_LINEAR), np.uint8)


def _whole_smoothed(frame: Pixels, where: None, index: int, slot: int, side_px: int) -> NDArray[np.float32]:
    """As ``resize`` of scikit-image since 0.15: a Gaussian of half of what is lost, then bilinear, on floats."""
    factors = np.array([frame.shape[0] / side_px, frame.shape[1] / side_px, 1.0])
    smooth = ndimage.gaussian_filter(frame.astype(np.float64), np.maximum(0.0, (factors - 1) / 2), mode="mirror")
    return np.asarray(ndimage.zoom(smooth, 1 / factors, order=1, mode="mirror", grid_mode=True), np.float32)


def _on_template(frame: Pixels, where: Faces, index: int, slot: int, side_px: int) -> Pixels:
    return crops.arcface(frame, where.points[index, slot])


def _boxed(frame: Pixels, where: Faces, index: int, slot: int, side_px: int) -> Pixels:
    return crops.boxed(frame, where.boxes[index, slot], side_px)


CUTS: Mapping[str, Callable[..., NDArray[Any]]] = MappingProxyType(
    {"five points": _on_template, "box": _boxed, "frame": _whole, "frame smoothed": _whole_smoothed}
)


def _picked(where: Any, sampled: NDArray[np.int64]) -> Any:
    return Faces._make(field[sampled] for field in where) if isinstance(where, Faces) else where[sampled]


def _marked(picture: Pixels, found: Faces, model: str) -> NDArray[np.float32]:
    held = ~np.isnan(found.boxes[0, :, 0])
    points = np.full((1, SLOTS, 68, 2), np.nan, np.float32)
    points[0, held] = CHAINS[model].landmarks.load()(picture[0], found.boxes[0, held])
    return points


def _needs(network: str) -> Requirements:
    """All that a source image needs to be read with this recogniser: there is no shared detection for it."""
    row = RECOGNISERS[network]
    needs = row.requires
    if row.detector:
        needs += DETECTORS[row.detector].requires
    if row.crop is None:
        needs += CHAINS[row.detector].landmarks.requires
    return tuple(dict.fromkeys(needs))


def read_picture(path: Path) -> Pixels:
    """A picture file as (height, width, 3) 8-bit RGB, turned as its tags say; InputError if it can't be read."""
    try:
        return image.portrait(image_content(path), str(path))
    except InputError as error:
        raise InputError(f"the source image can't be read: {error}", reason="unreadable source image") from None
