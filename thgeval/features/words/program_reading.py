"""What a checkout of the user's own reads in a clip: auto_avsr, AV-HuBERT, or any other program that gives words.

The checkout (``thgeval.requirements.programs``) writes one JSON object with one key: ``{"text": "what it read"}``.
"""

import json

from thgeval.clip import Clip
from thgeval.errors import InputError
from thgeval.feature import Grain, feature
from thgeval.features.frames.checkout import answered
from thgeval.features.frames.offered import clip
from thgeval.requirements import Program


@feature(clip, version=1, grain=Grain.CLIP, requires=lambda model: (Program(model),))
def checkout_reading(source: Clip, *, model: str) -> str:
    """The text that the checkout writes for the clip's file.

    Raises InputError: "checkout failed", "checkout timed out", "no file" for frames in memory, or "excerpt".
    """
    with answered(source, model) as answer:
        try:
            said = json.loads(answer.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            said = None
    if not isinstance(said, dict) or said.keys() != {"text"} or not isinstance(said["text"], str):
        raise InputError(
            f'{source.name}: the checkout {model} must write {{"text": "what it read"}} and nothing else',
            reason="checkout failed",
        )
    return said["text"]
