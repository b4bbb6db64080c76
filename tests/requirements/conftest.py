"""A manifest of small made-up files, a home of their own, and a server that has the files."""

from contextlib import ExitStack
from dataclasses import dataclass, field
from types import MappingProxyType

import pytest
from requirements.sites import serving

import thgeval_models.manifest
from thgeval.cli.main import code
from thgeval.fetching import TransferWatcher
from thgeval.requirements import weights
from thgeval_models.manifest import parse


@pytest.fixture
def site():
    with serving() as made:
        yield made


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """An empty THGEVAL_HOME, no proxies, no mirror."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.delenv("THGEVAL_MIRROR", raising=False)
    monkeypatch.setenv("THGEVAL_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def allow():
    """``allow(Policy(...))`` says what may be used from now on, as in a run of its own, until the test ends."""
    with ExitStack() as runs:
        yield lambda policy: runs.enter_context(weights.allowed(policy))


@pytest.fixture
def manifest(monkeypatch):
    """``manifest(entry_text(...), ...)`` puts these entries in the place of the real ones."""

    def put(*texts: str) -> str:
        entries = MappingProxyType(parse("\n".join(texts)))
        monkeypatch.setattr(thgeval_models.manifest, "manifest", lambda: entries)
        return "\n".join(texts)

    return put


@dataclass(frozen=True)
class Said:
    sentences: list[str] = field(default_factory=list)
    progress: list[tuple[str, int, int]] = field(default_factory=list)

    @property
    def watcher(self) -> TransferWatcher:
        return TransferWatcher(progress=lambda *seen: self.progress.append(seen), say=self.sentences.append)


@pytest.fixture
def said() -> Said:
    return Said()


@dataclass(frozen=True)
class Output:
    code: int
    out: str
    err: str


@pytest.fixture
def thgeval(capsys):
    """Run the command line in this process."""

    def run(*arguments: object) -> Output:
        returned = code([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Output(returned, captured.out, captured.err)

    return run
