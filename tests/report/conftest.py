"""Runs written by hand: every value of every frame is chosen by the test, and states lie beside the result file."""

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar, TypeVar

import numpy as np
import pytest

import thgeval.report.data
from thgeval.clip import Clip
from thgeval.engine.scoring import Contribution, Setting, scored_run
from thgeval.feature import Feature
from thgeval.media import fingerprint
from thgeval.metric import Better, Metric, View, of_generated, of_pair
from thgeval.protocol import Protocol
from thgeval.registry import Named
from thgeval.registry import metric_class as registered
from thgeval.results import ClipResult, Run, states_folder
from thgeval.signature import protocol_part
from thgeval.states import ClipMean, PooledMean, Rows, State
from thgeval.states.checkpoint import Checkpoint, Kept, digest, save
from thgeval.states.store import file_name
from thgeval.statistics import Resampling

FRAMES: Feature[Any] = Feature("rgb", version=1, offered="frames")


S = TypeVar("S", bound=State)


class Written(Metric[S]):
    """A metric whose states a test writes by hand: a report reads what was measured, and measures nothing itself."""

    def measure(self, view: View) -> S:
        raise AssertionError(f"the report measures {view.clip}")


@dataclass(frozen=True)
class Likeness(Written[ClipMean]):
    """How alike two frames are."""

    name = "likeness"
    version = 1
    range = (0.0, 1.0)
    better = Better.HIGHER
    needs = of_pair(FRAMES)

    def score(self, state: ClipMean) -> float:
        return state.value


@dataclass(frozen=True)
class Distance(Written[PooledMean]):
    """How far two frames are apart."""

    name = "distance"
    version = 2
    unit = "px"
    range = (0.0, float("inf"))
    better = Better.LOWER
    needs = of_pair(FRAMES)

    def score(self, state: PooledMean) -> float:
        return state.value


@dataclass(frozen=True)
class Decibels(Written[ClipMean]):
    """Keeps squared errors and scores decibels, so that higher is better though kept values are better when low."""

    name = "decibels"
    version = 1
    unit = "dB"
    range = (-float("inf"), float("inf"))
    better = Better.HIGHER
    needs = of_pair(FRAMES)

    def score(self, state: ClipMean) -> float:
        with np.errstate(divide="ignore"):
            return float(np.mean(-10 * np.log10(state.means))) if state.frames else float("nan")

    def per_frame(self, values: np.ndarray) -> np.ndarray:
        with np.errstate(divide="ignore"):
            return -10 * np.log10(values)


@dataclass(frozen=True)
class Sharpness(Written[ClipMean]):
    """Says nothing without what the reference scores."""

    name = "sharpness"
    version = 1
    range = (0.0, 1.0)
    better = Better.CLOSER_TO_REFERENCE
    needs = of_generated(FRAMES)

    def score(self, state: ClipMean) -> float:
        return state.value


@dataclass(frozen=True)
class Spread(Written[Rows]):
    """Of all clips together: no values per frame."""

    name = "spread"
    version = 1
    range = (0.0, float("inf"))
    better = Better.LOWER
    needs = of_pair(FRAMES)

    def score(self, state: Rows) -> float:
        return float(np.asarray(state.stacked()).std())


def called(kind: type[Metric[Any]], name: str) -> type[Metric[Any]]:
    """The same metric under another name."""
    return type(kind.__name__, (kind,), {"name": name, "__doc__": kind.__doc__})


METRICS: dict[str, type[Metric[Any]]] = {kind.name: kind for kind in (Likeness, Distance, Decibels, Sharpness, Spread)}


@dataclass
class Sketch:
    """A run in the making: add clips, then ``write`` it."""

    folder: Path
    keys: tuple[str, ...]
    protocol: Protocol = field(default_factory=Protocol)
    expected: int | None = None
    limit: int | None = None
    contributions: list[Contribution] = field(default_factory=list)
    checkpoints: list[Checkpoint] = field(default_factory=list)

    KINDS: ClassVar[Mapping[str, type[State]]] = {
        "likeness": ClipMean,
        "distance": PooledMean,
        "decibels": ClipMean,
        "sharpness": ClipMean,
    }

    def named(self) -> list[Named]:
        return [Named(key, METRICS[key]()) for key in self.keys]

    def clip(
        self,
        id: str,
        values: Mapping[str, Any],
        *,
        reference_values: Mapping[str, Any] | None = None,
        left_out: Mapping[str, Mapping[str, list[int]]] | None = None,
        files: tuple[Path, Path] | None = None,
        **record: Any,
    ) -> "Sketch":
        """Add a clip by its values per frame, by metric."""
        states = {key: self._state(id, key, value, (left_out or {}).get(key)) for key, value in values.items()}
        own = {key: self._state(id, key, value, None) for key, value in (reference_values or {}).items()}
        paths = files or (Path(f"gen/{id}.mp4"), Path(f"ref/{id}.mp4"))
        content = {}
        if files:
            content = {
                side: fingerprint(Clip(id, path)) for side, path in zip(("generated", "reference"), files, strict=True)
            }
        parts = {named.key: protocol_part(named.metric, self.protocol, {}) for named in self.named()}
        kept = {key: Kept(parts[key], state, own.get(key)) for key, state in states.items()}
        full = {
            "id": id,
            "generated": str(paths[0]),
            "reference": str(paths[1]),
            "content": content,
            "states": digest(kept),
            "frames": max((len(value) for value in values.values()), default=0),
            "failure": None,
            "failed": {},
            "notes": [],
            "media": {"generated": {"fps": 25.0, "variable_rate": False}},
            "scores": {},
        } | record
        self.contributions.append(Contribution(ClipResult.from_dict(full), states, own))
        self.checkpoints.append(Checkpoint(id, content, "pyav-by-hand", kept, full))
        return self

    def _state(self, id: str, key: str, values: Any, left_out: Mapping[str, list[int]] | None) -> State:
        if key == "spread":
            return Rows.of(id, np.asarray(values))
        return self.KINDS[key].of(id, values, left_out=left_out)  # type: ignore[attr-defined,no-any-return]

    def run(self, unscored: Mapping[str, str] | None = None) -> Run:
        setting = Setting(
            protocol=self.protocol,
            resampling=Resampling(draws=200, seed=1),
            expected=len(self.contributions) if self.expected is None else self.expected,
            run={"protocol": self.protocol.label, "dec": "hand", "thgeval": "0"},
            pins={},
        )
        environment = {"thgeval": "0.0.7", "decoder": "pyav-by-hand"}
        options = {
            "metrics": list(self.keys),
            "limit": self.limit,
            "bootstrap": {"draws": setting.resampling.draws, "seed": setting.resampling.seed},
        }
        return scored_run(self.named(), unscored or {}, self.contributions, setting, environment, options)

    def write(self, unscored: Mapping[str, str] | None = None, *, states: bool = True) -> Path:
        """Write result file and states; the result file's path."""
        path = self.folder / "run.json"
        self.run(unscored).write(path)
        for checkpoint in self.checkpoints if states else ():
            save(states_folder(path) / file_name(checkpoint.pair), checkpoint)
        return path


def know_them(patch: pytest.MonkeyPatch) -> None:
    """Let reports know the metrics written by hand as well as the registered ones."""
    patch.setattr(
        thgeval.report.data, "metric_class", lambda name: METRICS[name] if name in METRICS else registered(name)
    )


@pytest.fixture(scope="session")
def by_hand() -> ModuleType:
    """Everything here, for whoever writes larger runs."""
    return sys.modules[__name__]


@pytest.fixture
def sketch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Sketch]:
    """Begin a run with these metrics, which reports know as well as the registered ones."""
    know_them(monkeypatch)
    return lambda *keys, **settings: Sketch(tmp_path, keys, **settings)


VOID = {"meta", "img", "input"}
APART = {"td", "th", "p", "summary", "dt", "dd", "li", "h2", "h3", "figcaption"}


class Reading(HTMLParser):
    """A page taken apart: its elements in order, each with its attributes, its text, and the elements around it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self._open: list[Element] = []
        self.feed(html)
        self.close()
        assert not self._open, f"never closed: {self._open[-1].tag}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, dict(attrs), tuple(self._open))
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(Element(tag, dict(attrs), tuple(self._open)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop().tag == tag
        if tag in APART:
            self.handle_data(" ")

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data

    def all(self, tag: str, **attributes: str) -> "list[Element]":
        """Elements by tag, and by words of their attributes (``class_="a"``)."""
        wanted = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}
        return [
            element
            for element in self.elements
            if element.tag == tag
            and all(value in (element.attributes.get(name) or "").split() for name, value in wanted.items())
        ]

    def inside(self, outer: "Element", tag: str) -> "list[Element]":
        """Elements by tag within another."""
        return [element for element in self.elements if element.tag == tag and outer in element.around]

    @property
    def text(self) -> str:
        """Everything a reader sees, spaces drawn together."""
        (body,) = self.all("body")
        return " ".join(body.text.split())

    @property
    def data(self) -> dict[str, Any]:
        """The numbers behind the plots."""
        (block,) = self.all("script", id="data")
        loaded: dict[str, Any] = json.loads(block.text)
        return loaded

    def section(self, id: str) -> str:
        """The text of one section."""
        (found,) = self.all("section", id=id)
        return " ".join(found.text.split())

    def metric_row(self, key: str) -> str:
        """The text of a metric's rows in the table of scores."""
        (found,) = self.all("tbody", data_metric=key)
        return " ".join(found.text.split())

    def worst_frames(self, key: str) -> list[str]:
        """The listed worst frames of a metric, in order."""
        found = self.all("div", class_="ranking", data_metric=key)
        return [" ".join(item.text.split()) for item in self.inside(found[0], "li")] if found else []


@dataclass(eq=False)
class Element:
    """One element of a page."""

    tag: str
    attributes: dict[str, str | None]
    around: "tuple[Element, ...]"
    text: str = ""


@pytest.fixture
def read() -> type[Reading]:
    """Takes a page apart."""
    return Reading
