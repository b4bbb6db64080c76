"""Everything thgeval raises on purpose.

The command line prints these as one sentence and leaves with the exit code of their class; any other exception is a
bug and keeps its traceback.

    ThgevalError            2
    ├── InputError          1   this clip can't be read or doesn't fit its partner; the run goes on without it
    ├── ProtocolError       2   this request makes no sense: unknown metric, parameter, option, mixed signatures
    ├── UnmetNeed           3   the metric needs something the clips don't offer (a reference, speech, a transcript)
    ├── MissingExtra        3   an optional package is not installed; the sentence holds the install line
    ├── WeightsError        3   a network's weights are missing, unverified or damaged; the sentence says what helps
    └── OutputError         4   a result can't be written: disk full, no permission
"""

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class Failure:
    """Why something was not scored: the short ``reason`` it is counted under, and a sentence."""

    reason: str
    message: str

    @classmethod
    def of(cls, error: "InputError") -> Self:
        """What an error says of the clip that raised it."""
        return cls(error.reason, str(error))


class ThgevalError(Exception):
    """A problem the user can solve, said in one sentence."""

    exit_code = 2


class InputError(ThgevalError):
    """A clip that can't be scored: unreadable, empty, of another length than its reference, ...

    ``reason`` is the short name under which coverage counts it (``"unreadable"``); the message tells the whole story.
    """

    exit_code = 1

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason

    def __reduce__(self) -> tuple[object, ...]:
        return (_input_error, (str(self), self.reason))


def _input_error(message: str, reason: str) -> InputError:
    return InputError(message, reason=reason)


class ProtocolError(ThgevalError):
    """A request that can't be carried out as asked, whatever the clips."""


class UnmetNeed(ThgevalError):
    """A metric needs something that the clips don't offer; the message shows the path from the metric to it."""

    exit_code = 3


INSTALLED_ALONE = {
    "facenet-pytorch": "pip install --no-deps facenet-pytorch (alone, as it asks for old versions of torch and numpy)",
}
"""Install lines of packages that no extra can bring, because what they depend on would replace newer versions."""


INSTALLED_FROM = "."
INSTALLED_HOW = "in a clone of thgeval, or with the path of its wheel in place of the dot"
"""Where pip gets thgeval and its extras from. A release on the package index changes these two, and the README."""


def install_line(extra: str = "") -> str:
    """What to type for thgeval with an extra, or for one of the packages that are installed alone."""
    if extra in INSTALLED_ALONE:
        return INSTALLED_ALONE[extra]
    what = f"'{INSTALLED_FROM}[{extra}]'" if extra else INSTALLED_FROM
    return f"pip install {what}" + (f" ({INSTALLED_HOW})" if INSTALLED_HOW else "")


class MissingExtra(ThgevalError):
    """An optional package is not installed."""

    exit_code = 3

    def __init__(self, what: str, *, extra: str) -> None:
        super().__init__(f"{what} needs an optional package: {install_line(extra)}")
        self.extra = extra


class WeightsError(ThgevalError):
    """A network's weights are missing, unverified or damaged."""

    exit_code = 3


class OutputError(ThgevalError):
    """A result can't be written; what was there before is untouched."""

    exit_code = 4
