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


BARS: Mapping[str, tuple[str, str, str]] = {
    "fit_seconds": ("fit, s", "fit_bar_s", "at most"),
    "fit_cpu_seconds": ("fit, s of processor", "", ""),
    "seconds": ("5 s of video, s", "bar_s", "at most"),
    "cpu_seconds": ("5 s of video, s of processor", "", ""),
    "psnr_db": ("PSNR of what it never saw, dB", "psnr_bar_db", "at least"),
    "over_db": ("over the median view or the mean mouth, dB", "over_bar_db", "at least"),
    "other_voices_over_db": ("the same in other voices, dB", "", ""),
    "silent_over_db": ("the same with silence for speech, dB", "", ""),
    "spread_levels": ("between two seeds' mouths, levels of 255", "", ""),
    "depth_error_dm": ("median error of depth, dm", "", ""),
    "lips_r": ("lips r, as in the fit", "lips_bar", "at least"),
    "new_lips_r": ("lips r, never seen", "", ""),
}
"""What ``nerf_diffusion`` measures: in words, the column of the bar, and which way it holds."""


def bars(id: str) -> str:
    """What a generator that is fitted with torch was measured at, beside what it is to reach."""
    path = RESULTS / "nerf_diffusion.json"
    held = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {"rows": []}
    row = next((row for row in held["rows"] if row["generator"] == id), None)
    if row is None:
        return "Nothing yet.\n"
    rows = [
        (words, _rounded(row[name]), f"{way} {row[bar]:g}" if bar in row else "")
        for name, (words, bar, way) in BARS.items()
        if name in row
    ]
    load = f"On {held['machine']['cores']} cores, with {row['load']:.0f} processes running on average beside the fit.\n"
    return table(rows, ("of what", "measured", "bar")) + "\n" + load


def repeated() -> str:
    """Whether each generator makes the same frames again, on one thread and on two; fits by steps may be short ones."""
    rows = json.loads((RESULTS / "determinism.json").read_text(encoding="utf-8"))["rows"]
    return table([_repeated_row(row) for row in rows], REPEATED)


REPEATED = ("generator", "fit", "twice on one thread", "largest difference on two", "pixels that differ")


def _repeated_row(row: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        code(row["generator"]),
        f"{row['steps']} of {row['of steps']} steps" if "steps" in row else "",
        row["one thread twice"],
        f"{row['two threads: largest difference']} levels",
        f"{row['two threads: share of pixels']:.3%}",
    )


def _rounded(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.2f}"


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
