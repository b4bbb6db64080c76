"""Settings: what a generator may see of an item. Scores of different settings are never compared.

A setting shows inputs that the item has, and two of them hand over the reference under another name, because that is
what they are: ``self-dub`` dubs the very video that is judged, ``self-reenactment`` takes the motion from it. What a
setting gives away is said with it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import Any

from thgeval.errors import ProtocolError
from thgeval_baselines.generator import Inputs
from thgeval_baselines.tasks.items import REFERENCE, WORDS, Item, TaskSet, nothing

FITTING = frozenset({"fit_video", "fit_views"})
"""Shown in every setting; a generator that doesn't fit has no use for them."""


@dataclass(frozen=True)
class Setting:
    """What is shown.

    ``needs``     what an item must have, ``reference`` among them where it is judged against one
    ``takes``     shown too, where the item has it
    ``renamed``   inputs that are another file of the item: ``{"driving_video": "reference"}``
    ``timed``     whether frames pair with those of the reference; not where the generator speaks itself
    ``gives_away`` what the inputs tell of the reference, for whoever reads the scores
    """

    name: str
    says: str
    needs: frozenset[str]
    takes: frozenset[str] = frozenset()
    renamed: Mapping[str, str] = field(default_factory=nothing)
    timed: bool = True
    gives_away: str = ""

    @property
    def shows(self) -> frozenset[str]:
        """Names of every input that can be seen."""
        return frozenset(self.needs - {REFERENCE}) | self.takes | FITTING | self.renamed.keys()

    def files(self, item: Item) -> dict[str, str]:
        """What is shown of an item: paths below the set's folder, by the names under which they are shown."""
        has = item.files()
        shown = {name: has[name] for name in self.shows if name in has and name not in self.renamed}
        return shown | {name: has[source] for name, source in self.renamed.items() if source in has}

    def missing(self, item: Item) -> list[str]:
        """What the item lacks for this setting."""
        has = item.files().keys() | ({WORDS} if item.inputs.get(WORDS) is not None else set())
        return sorted(self.needs - has)


_TABLE = (
    Setting(
        "self-audio",
        "a portrait and the speech of the very clip that it is judged against",
        needs=frozenset({"source_image", "audio", REFERENCE}),
    ),
    Setting("cross-audio", "a portrait and speech of any clip", needs=frozenset({"source_image", "audio"})),
    Setting(
        "self-dub",
        "the video that it is judged against, and its own speech",
        needs=frozenset({"audio", REFERENCE}),
        takes=frozenset({"source_image"}),
        renamed=MappingProxyType({"target_video": REFERENCE}),
        gives_away="everything: a copy of the input scores perfectly, so that only masked input is comparable",
    ),
    Setting(
        "cross-dub",
        "a video of the person, and other speech",
        needs=frozenset({"target_video", "audio"}),
        takes=frozenset({"source_image"}),
    ),
    Setting(
        "self-reenactment",
        "a portrait, and the motion of the very video that it is judged against",
        needs=frozenset({"source_image", REFERENCE}),
        takes=frozenset({"audio"}),
        renamed=MappingProxyType({"driving_video": REFERENCE}),
        gives_away="pose and expression: it is a reconstruction",
    ),
    Setting(
        "cross-reenactment",
        "a portrait, and the motion of a video of somebody else",
        needs=frozenset({"source_image", "driving_video"}),
        takes=frozenset({"audio"}),
    ),
    Setting(
        "text",
        "a portrait and words, which the generator speaks itself",
        needs=frozenset({"source_image", WORDS}),
        timed=False,
    ),
    Setting(
        "text-audio",
        "a portrait, words, and their speech",
        needs=frozenset({"source_image", WORDS, "audio"}),
    ),
    Setting(
        "parameter",
        "a portrait, and curves of actions and pose",
        needs=frozenset({"source_image", "curves"}),
        takes=frozenset({"audio"}),
        gives_away="pose and expression, as numbers",
    ),
)

SETTINGS: Mapping[str, Setting] = MappingProxyType({setting.name: setting for setting in _TABLE})
"""Every setting by name, the usual ones first."""


def setting(name: str) -> Setting:
    """The setting of that name; ProtocolError names those that there are."""
    if name not in SETTINGS:
        raise ProtocolError(f"there is no setting called {name!r}; there are {', '.join(SETTINGS)}")
    return SETTINGS[name]


def shown(tasks: TaskSet, item: Item, setting: Setting) -> Inputs:
    """The inputs that a setting shows of an item, where they lie in the set; a runner hands out copies of them.

    Raises ProtocolError where the item lacks what the setting needs.
    """
    if lacking := setting.missing(item):
        raise ProtocolError(f"{item.id} of {tasks.id} has no {', '.join(lacking)}, which {setting.name} needs")
    return inputs_from(tasks, item, setting, {name: tasks.path(path) for name, path in setting.files(item).items()})


def inputs_from(tasks: TaskSet, item: Item, setting: Setting, places: Mapping[str, Path]) -> Inputs:
    """The inputs that a setting shows of an item, with files at other places."""
    given: dict[str, Any] = dict(places)
    if WORDS in setting.shows:
        given[WORDS] = item.inputs.get(WORDS)
    return Inputs(
        item=item.id,
        fps=Fraction(item.fps or tasks.fps),
        frames=item.frames if setting.timed else None,
        size=item.size or tasks.size,
        language=item.language or tasks.language,
        **given,
    )
