"""CLIP's view of frames and of the text that a clip was made from: directions in one space, compared by their angle.

Both are of unit length, so that their product is the cosine. Frames become 224 x 224 in one of two ways:

``bicubic-crop``  Pillow's bicubic on 8-bit pixels, the shorter side to 224, then the centre (OpenAI's)
``nearest``       the nearest pixel, the aspect is not kept (MMVID's)

CLIP reads 75 tokens; a longer text is refused, or cut, as ``long`` says. ``form`` is the sentence read: the text as it
is (``plain``); ``A photo depicts`` and the text, as CLIPScore has it (``photo``); or the text without the marks of
start and end that CLIP was trained with (``bare``, up to 77 tokens), whose direction is then read at the token of the
highest number, as MMVID does.

Source: Radford et al., ICML 2021.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from thgeval import limits, networks
from thgeval.errors import InputError
from thgeval.feature import Grain, feature
from thgeval.features.frames.frames import rgb
from thgeval.features.frames.offered import prompt
from thgeval.media.frames import FrameBatch
from thgeval.requirements import Package, Weights

if TYPE_CHECKING:
    from torch import Tensor

SIDE_PX = 224
DIMENSIONS = 512
WEIGHTS = "clip-vit-b32"
CLIP_SQUARES = ("bicubic-crop", "nearest")
FORMS = {"plain": "{}", "photo": "A photo depicts {}", "bare": "{}"}
LONG = ("refuse", "cut")


def read_prompt(path: Path) -> str:
    """The text of a prompt file on one line; InputError if it has none."""
    try:
        text = " ".join(limits.text(path, "text_bytes").split())
    except InputError as error:
        raise InputError(f"the prompt can't be read: {error}", reason="unreadable prompt") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"the prompt {path} can't be read: {error}", reason="unreadable prompt") from None
    if not text:
        raise InputError(f"the prompt {path} is empty", reason="empty prompt")
    return text


@feature(rgb, version=1, requires=(networks.TORCH, Weights(WEIGHTS)))
def clip_image(frames: FrameBatch, *, square: str = "bicubic-crop") -> NDArray[np.float32]:
    """Direction of every frame: (frames, 512), of unit length."""
    if not len(frames):
        return np.empty((0, DIMENSIONS), np.float32)
    network = networks.published(WEIGHTS)
    with networks.alone():
        images = (_cropped if square == "bicubic-crop" else _nearest)(frames)
    return networks.rows(network.images, images)


@feature(
    prompt,
    version=1,
    grain=Grain.CLIP,
    requires=(networks.TORCH, Package("open_clip", extra="models"), Weights(WEIGHTS)),
)
def clip_text(file: Path, *, form: str = "plain", long: str = "refuse") -> NDArray[np.float32]:
    """Direction of the clip's prompt: (512,), of unit length."""
    from thgeval_models import clip
    from thgeval_models.errors import InputShapeError

    text = read_prompt(file)
    try:
        tokens = clip.tokens([FORMS[form].format(text)], cut=long == "cut", marks=form != "bare")
    except InputShapeError as error:
        raise InputError(str(error), reason="prompt too long") from None
    network = networks.published(WEIGHTS)
    found: NDArray[np.float32] = networks.rows(network.sentences, tokens)[0]
    return found


def _cropped(frames: FrameBatch) -> "Tensor":
    small = [_centre(frame) for frame in networks.as_bytes(frames.new, frames.peak)]
    return networks.as_images(np.stack(small), 255.0)


def _centre(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = frame.shape[:2]
    shorter = min(height, width)
    size = (SIDE_PX * width // shorter, SIDE_PX * height // shorter)
    resized = np.asarray(Image.fromarray(frame).resize(size, resample=Image.Resampling.BICUBIC))
    top, left = (round((length - SIDE_PX) / 2) for length in resized.shape[:2])
    return resized[top : top + SIDE_PX, left : left + SIDE_PX]


def _nearest(frames: FrameBatch) -> "Tensor":
    from torch.nn.functional import interpolate

    return interpolate(networks.as_images(frames.new, frames.peak), size=(SIDE_PX, SIDE_PX), mode="nearest")
