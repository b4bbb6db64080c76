"""What published lip readers read off the mouths of a clip: LipNet sentences of GRID, the LRW reader one word of 500.

LipNet's letters are taken one by one, the likeliest of each frame, without a dictionary or a beam. The word reader sees
the first 29 frames, as facial-animation-evaluation shows it; a shorter clip is refused, because the word is in the
middle of what it was trained on.
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from thgeval import networks
from thgeval.errors import InputError, WeightsError
from thgeval.feature import Grain, feature
from thgeval.features.words.mouths import Mouths, complete, mouths
from thgeval.requirements import Weights, weights

PORTS: Mapping[str, str] = MappingProxyType({"unseen": "lipnet-unseen", "overlap": "lipnet-overlap"})
LRW, LRW_WORDS = "lrw-mstcn", "lrw-words"


@feature(
    mouths(crop="lipnet"),
    version=1,
    grain=Grain.CLIP,
    requires=lambda port: (networks.TORCH, Weights(PORTS[port])),
)
def lipnet_reading(found: Mouths, *, port: str = "unseen") -> str:
    """The sentence LipNet reads; ``port`` says which speakers of GRID it was not trained on: some, or none.

    Raises InputError: "face lost", "frame rate".
    """
    import torch

    from thgeval_models import lipnet

    seen = complete(found, "LipNet")
    network = networks.published(PORTS[port])
    with networks.alone():
        blue_first = torch.from_numpy(seen[..., ::-1].copy()).permute(3, 0, 1, 2).float() / 255
        return lipnet.text(network(blue_first[None])[0].numpy())


@feature(mouths(crop="lrw"), version=1, grain=Grain.CLIP, requires=(networks.TORCH, Weights(LRW), Weights(LRW_WORDS)))
def lrw_reading(found: Mouths) -> str:
    """The word that the first 29 frames fit best.

    Raises InputError: "face lost", "frame rate", "too short".
    """
    import torch

    from thgeval_models import mstcn

    first = Mouths(*(column[: mstcn.FRAMES] for column in found))  # type: ignore[arg-type]
    seen = complete(first, "the LRW word reader")
    if len(seen) < mstcn.FRAMES:
        raise InputError(
            f"the LRW word reader needs {mstcn.FRAMES} frames; this clip has {len(seen)}", reason="too short"
        )
    network = networks.published(LRW)
    with weights.opened(LRW_WORDS) as file:
        words = vocabulary(file)
    with networks.alone():
        grey = torch.from_numpy(seen[:, 4:-4, 4:-4].copy()).float() / 255
        scores = network(((grey - mstcn.MEAN) / mstcn.SPREAD)[None, None])[0]
    return words[int(scores.argmax())]


def vocabulary(path: Path) -> tuple[str, ...]:
    """The 500 words of LRW in the order of their names, one a line; WeightsError if the file holds anything else."""
    from thgeval_models import mstcn

    try:
        words = tuple(path.read_text(encoding="utf-8").split())
    except (OSError, UnicodeDecodeError) as error:
        raise WeightsError(f"{path} can't be read as a list of words ({error})") from None
    if len(set(words)) != mstcn.WORDS or list(words) != sorted(words):
        raise WeightsError(f"{path} must list {mstcn.WORDS} words, one a line, in the order of their names")
    return words
