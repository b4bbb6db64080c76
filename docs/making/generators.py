"""Tables of the reference generators: what they are, and what was last measured of them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from making.figures import RESULTS
from making.markdown import code, table
from thgeval_baselines.generator import Generator
from thgeval_baselines.generators import BUILTIN
from thgeval_baselines.running.worker import loaded

DRIVERS: Mapping[str, str] = {
    "curves": "`jawOpen` from 0 to 0.6 and back",
    "driving_video": "another person's video, lips as those curves",
    "audio": "a sentence",
    "text": "the words of a sentence",
}
"""What the benchmark's rows are driven by, in words."""

IMAGES = Path(__file__).parents[1] / "images"
HEAD = ("driven by", "seconds", "of real time", "processor", "lips r")


def generator_table(pages: frozenset[str]) -> str:
    """Every registered generator by its paradigm, with a link where ``pages`` (names of paradigms) have one."""
    return table([_row(loaded(spec), pages) for spec in BUILTIN], ("paradigm", "generator", "what it is", "needs"))


def _row(kind: type[Generator], pages: frozenset[str]) -> tuple[str, ...]:
    name = kind.paradigm.value
    paradigm = f"[{name}]({name}.md)" if name in pages else name
    needs = sorted(kind.needs | kind.fitting)
    wanted = ", ".join(map(code, needs)) or f"one of {', '.join(map(code, sorted(kind.takes)))}"
    return paradigm, code(kind.id), kind.says, wanted


def picture(id: str) -> str:
    """The picture of a generator that ``docs/pictures.py`` has drawn; nothing where it hasn't."""
    name = f"baselines/{id.removeprefix('ref-')}.jpg"
    if not (IMAGES / name).is_file():
        return ""
    return f"![What drives {id}, frames that it makes, and its evidence](../images/{name})\n"


def measured_generator(id: str) -> str:
    """What a generator took for 5 s of 256 px at 25 frames a second, and how its lips follow what drives them."""
    rows = [row for row in _measured() if row["generator"] == id]
    return table([_measured_row(row) for row in rows], HEAD) if rows else "Nothing yet.\n"


def measured_generators() -> str:
    """The same of all that were measured."""
    return table([(code(row["generator"]), *_measured_row(row)) for row in _measured()], ("generator", *HEAD))


def fitted_in(id: str) -> str:
    """How long its fit took, in words."""
    found = next((row["fit_seconds"] for row in _measured() if row["generator"] == id and "fit_seconds" in row), None)
    return "not been measured" if found is None else f"taken {found:.0f} s"


def _measured() -> list[dict[str, Any]]:
    """Rows of generators that could run, in the order of the paradigms."""
    rows: list[dict[str, Any]] = json.loads((RESULTS / "generators.json").read_text(encoding="utf-8"))["rows"]
    order = [loaded(spec).id for spec in BUILTIN]
    ours = [row for row in rows if row["generator"] in order and "seconds" in row]
    return sorted(ours, key=lambda row: order.index(row["generator"]))


def _measured_row(row: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        DRIVERS[row["driven_by"]],
        f"{row['seconds']:.1f}",
        f"{row['real_time']:.2f}",
        f"{row['cpu_seconds']:.1f} s",
        f"{row['lips_r']:.2f}",
    )
