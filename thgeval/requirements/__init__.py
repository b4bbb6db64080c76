"""What an installation may lack: files of weights, packages, and programs of the user's own.

A feature names what it needs; a run asks each requirement once what it is (``token``, which signatures hold), and says
of those that aren't there what helps (``problem``).
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TypeAlias

from thgeval.errors import MissingExtra, ThgevalError
from thgeval.requirements import programs, weights


class Requirement(ABC):
    """Something that must be on this machine; a frozen value, under a name."""

    def token(self) -> str:
        """What stands for it in signatures, by what it is now; empty for what can't change a number."""
        return ""

    @abstractmethod
    def problem(self, reader: str) -> ThgevalError | None:
        """Why ``reader``, a feature, can't have it, as the error that says what helps, or None."""


@dataclass(frozen=True)
class Weights(Requirement):
    """A file of weights, by its name in the manifest."""

    name: str

    def token(self) -> str:
        """See ``weights.token``."""
        return weights.token(self.name)

    def problem(self, reader: str) -> ThgevalError | None:
        """See ``weights.problem``."""
        return weights.problem(self.name)


@dataclass(frozen=True)
class Package(Requirement):
    """An importable module, and the extra that brings it."""

    module: str
    extra: str

    def problem(self, reader: str) -> ThgevalError | None:
        """The install line, if there is no such module; it is not imported for this."""
        return MissingExtra(reader, extra=self.extra) if find_spec(self.module) is None else None


@dataclass(frozen=True)
class Program(Requirement):
    """A program or model of the user's own, by the name of its folder."""

    name: str

    def token(self) -> str:
        """See ``programs.token``."""
        return programs.token(self.name)

    def problem(self, reader: str) -> ThgevalError | None:
        """See ``programs.problem``."""
        return programs.problem(self.name)


Pins: TypeAlias = Mapping[Requirement, str]
"""The token that each requirement had when it was looked at, once for a whole run."""


def pinned(requirements: Iterable[Requirement]) -> Pins:
    """What these requirements are now."""
    return {requirement: requirement.token() for requirement in dict.fromkeys(requirements)}
