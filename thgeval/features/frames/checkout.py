"""What a checkout of the user's own answers about a clip: the file that it writes, and what a JSON object in one says.

A network that can't be shipped, nor rebuilt here, runs in a checkout (``thgeval.requirements.programs``), once for each
clip, and writes what it finds as one JSON object. A value is a number for the whole clip, or a list of numbers, one for
each frame or window; ``null`` stands where there is none, as where no face is found. Texts take the place of numbers
where something is named. Metrics of one checkout share its answer.
"""

import json
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thgeval.clip import Clip, check_whole
from thgeval.errors import InputError
from thgeval.feature import Grain, feature
from thgeval.features.frames.offered import clip
from thgeval.requirements import Program, programs

LARGEST = 1e300


@dataclass(frozen=True)
class CheckoutAnswer:
    """The JSON object that a checkout wrote for a clip, and what to call it."""

    said: Mapping[str, Any]
    name: str

    def numbers(self, key: str, *, least: float = -math.inf, most: float = math.inf) -> NDArray[np.float64]:
        """The numbers under a key, NaN where it says null: (values,), one for a number alone.

        Raises InputError "checkout failed" for anything else, and for numbers that aren't within least and most.
        """
        values = self._listed(key)
        if not all(value is None or _is_number(value) for value in values):
            raise self.refusal(f"must give a number, or a list of numbers and null, for {key!r}")
        found = np.array([math.nan if value is None else value for value in values], np.float64)
        if ((found < least) | (found > most)).any():
            raise self.refusal(f"gives numbers for {key!r} that are not within {least:g} and {most:g}")
        return found

    def texts(self, key: str) -> list[str | None]:
        """The texts under a key, None where it says null; InputError "checkout failed" for anything else."""
        values = self._listed(key)
        if not all(value is None or isinstance(value, str) for value in values):
            raise self.refusal(f"must give a text, or a list of texts and null, for {key!r}")
        return values

    def value(self, key: str) -> Any:
        """What stands under a key; InputError "checkout failed" if nothing does."""
        if key not in self.said:
            said = ", ".join(map(repr, self.said)) or "nothing"
            raise self.refusal(f"says nothing of {key!r}, but of {said[:200]}")
        return self.said[key]

    def refusal(self, why: str) -> InputError:
        """Why the answer can't be used."""
        return InputError(f"{self.name} {why}", reason="checkout failed")

    def _listed(self, key: str) -> list[Any]:
        value = self.value(key)
        values = value if isinstance(value, list) else [value]
        if not values:
            raise self.refusal(f"gives an empty list for {key!r}")
        return values


def _is_number(value: Any) -> bool:
    """Whether it is a number of JSON, and neither NaN nor beyond all use."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LARGEST


@contextmanager
def answered(source: Clip, model: str) -> Iterator[Path]:
    """The file that a checkout writes for the file of a clip, which is gone afterwards.

    Raises InputError: "checkout failed", "checkout timed out", "no file" for frames in memory, or "excerpt".
    """
    check_whole(source, "a checkout")
    if not isinstance(source.source, Path):
        raise InputError(f"{source.name}: a checkout needs a file; frames in memory have none", reason="no file")
    with programs.answer(model, source.source) as answer:
        yield answer


@feature(clip, version=1, grain=Grain.CLIP, requires=lambda model: (Program(model),))
def checkout_answer(source: Clip, *, model: str) -> CheckoutAnswer:
    """The JSON object that a checkout writes for the clip's file; raises what ``answered`` does."""
    name = f"what the checkout {model} wrote for {source.name}"
    with answered(source, model) as path:
        try:
            said = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            said = None
    if not isinstance(said, dict):
        raise CheckoutAnswer({}, name).refusal("is no JSON object")
    return CheckoutAnswer(said, name)
