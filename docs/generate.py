"""Write the pages of the documentation that are made from the code or from figures: metrics, protocols, intervals.

python docs/generate.py           write them
python docs/generate.py --check   fail if a committed page is not what would be written
"""

import json
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tabulate import tabulate

from thgeval.bibliography import entry
from thgeval.docstrings import described, sections
from thgeval.features.faces import supplied as given
from thgeval.features.frames import views
from thgeval.features.frames.npz import Layout
from thgeval.limits import LIMITS
from thgeval.media import container, image
from thgeval.metric import Metric
from thgeval.metrics import METRICS
from thgeval.protocol import protocols
from thgeval.registry import metric_class

DOCS = Path(__file__).parent
MADE = "<!-- made by docs/generate.py from the code; edit there -->\n\n"


def metric_page(cls: type[Metric[Any]]) -> str:
    """One metric: what its docstring says, its parameters, presets, signature and papers."""
    said, about = sections(cls), described(cls)
    lines = [f"# {cls.name}\n", said["Is"] + "\n"]
    rows = [
        ("Better", about["direction"]),
        ("Range", about["range"]),
        ("Version", about["version"]),
        ("Reads", said["Reads"]),
        ("Returns", said["Returns"]),
        ("Source", said["Source"]),
        ("Departs", said["Departs"]),
        ("Rests on", ", ".join(f"`{name}`" for name in about["needs"].split(", "))),
    ]
    lines.append(tabulate([(f"**{label}**", text) for label, text in rows], ("", ""), tablefmt="github") + "\n")
    if cls.parameters():
        defaults = ", ".join(f"`{name}={value}`" for name, value in cls.parameters().items())
        lines.append(f"## Parameters\n\nDefaults: {defaults}\n")
        if "Parameters" in said:
            lines.append(f"```text\n{said['Parameters']}\n```\n")
    if cls.presets:
        rows = [
            (f"`{cls.name}/{name}`", preset.says, ", ".join(f"`{key}={value}`" for key, value in preset.fields.items()))
            for name, preset in cls.presets.items()
        ]
        lines.append("## Presets\n\n" + tabulate(rows, ("preset", "is", "fields"), tablefmt="github") + "\n")
    lines.append("## Cite\n\n```bibtex\n" + "\n\n".join(entry(key) for key in cls.cites) + "\n```\n")
    return MADE + "\n".join(lines)


def metric_index() -> str:
    """All metrics in one table."""
    rows = []
    for name in METRICS:
        about = described(metric_class(name))
        rows.append((f"[`{name}`]({name}.md)", about["is"], about["direction"], about["range"]))
    return MADE + "# Metrics\n\n" + tabulate(rows, ("metric", "is", "better", "range"), tablefmt="github") + "\n"


def protocol_table() -> str:
    """All protocols that ship."""
    rows = [(f"`{label}`", item.says, "`" + " ".join(item.tokens()) + "`") for label, item in protocols().items()]
    return tabulate(rows, ("protocol", "is", "fields"), tablefmt="github") + "\n"


def ceilings() -> str:
    """The table of tolerances that the tests hold metrics to."""
    rows = [(f"`{row['metric']}`", f"{row['ceiling']:g} {row['kind']}", row["why"]) for row in _tolerances()["ceiling"]]
    return tabulate(rows, ("metric", "at most", "because"), tablefmt="github") + "\n"


def parity() -> str:
    """The table of tolerances that the tests hold networks and kernels to, beside other programs."""
    rows = [
        (row["name"], row["with"], f"{row['ceiling']:g} {row['kind']}", row["why"]) for row in _tolerances()["parity"]
    ]
    return tabulate(rows, ("what", "beside", "at most", "because"), tablefmt="github") + "\n"


def _tolerances() -> dict[str, list[dict[str, Any]]]:
    return tomllib.loads((DOCS.parent / "tests" / "golden" / "tolerances.toml").read_text(encoding="utf-8"))


def face_truth() -> str:
    """What the embedded face chain reads beside what is true, as last measured."""
    rows = [
        (
            row["what"].removeprefix("truth").lstrip(":, "),
            row["crf"],
            f"{row['error_px']:.2f}",
            f"{row['aperture_r']:.3f} ({row['aperture_worst_r']:.3f})",
            *(f"{row[f'{angle}_r']:.3f} ({row[f'{angle}_worst_r']:.3f})" for angle in ("yaw", "pitch", "roll")),
            f"{row['openness_r']:.3f}",
            f"{row['blinks_found_fixed']} of {row['blinks_driven_fixed']}, {row['blinks_invented_fixed']} invented",
        )
        for row in _measured("faces")
        if row["what"].startswith("truth")
    ]
    head = ("points, follow", "CRF", "error, px", "mouth r", "yaw r", "pitch r", "roll r", "eyes r", "blinks found")
    return tabulate(rows, head, tablefmt="github", disable_numparse=True) + "\n"


def face_costs() -> str:
    """What faces cost at 256 px, as last measured."""
    rows = [
        (row["what"].removeprefix("cost: "), f"{row['cpu_ms']:.1f} ms")
        for row in _measured("faces")
        if row["what"].startswith("cost: ")
    ]
    return tabulate(rows, ("points, follow", "detection and landmarks, a frame"), tablefmt="github") + "\n"


def sync_stages() -> str:
    """What each stage of SyncNet's scores costs, as last measured."""
    rows = [
        (
            row["what"].removesuffix(" (stage)"),
            f"{row['ours_s']:.1f} s",
            f"{row['theirs_s']:.1f} s",
            f"{row['ratio']:.1f}",
        )
        for row in _measured("sync")
        if row["what"].endswith("(stage)") or row["what"] in ("file to scores", "file to scores, strided")
    ]
    return (
        tabulate(rows, ("stage", "here", "published route", "times"), tablefmt="github", disable_numparse=True) + "\n"
    )


def interval_coverage() -> str:
    """How often intervals hold the truth, and how often equal systems are found to differ, as last simulated."""
    held: dict[str, dict[int, str]] = {}
    false: dict[str, dict[int, str]] = {}
    for row in _measured("coverage"):
        if "false" in row:
            false.setdefault(row["design"].removeprefix("difference: "), {})[row["clips"]] = (
                f"{100 * row['false']:.1f} %"
            )
        else:
            shown = f"{100 * row['covers']:.1f} % ({row['width']:.2f})"
            held.setdefault(row["design"], {})[row["clips"]] = shown
    return (
        _by_clips("clips drawn from", held)
        + "\nIn brackets the mean half width, over 1.96 standard deviations of the score.\n\n"
        + "How often two systems that are alike are found to differ (p < .05), where 5 % is right:\n\n"
        + _by_clips("clips drawn from", false)
    )


def _by_clips(what: str, cells: Mapping[str, Mapping[int, str]]) -> str:
    """A row a design, a column a number of clips."""
    counts = sorted({count for row in cells.values() for count in row})
    rows = [(name, *(row.get(count, "") for count in counts)) for name, row in cells.items()]
    head = (what, *(f"{count} clips" for count in counts))
    return tabulate(rows, head, tablefmt="github", disable_numparse=True) + "\n"


def _measured(benchmark: str) -> list[dict[str, Any]]:
    """The rows of a benchmark's last published run."""
    file = DOCS.parent / "benchmarks" / "results" / f"{benchmark}.json"
    rows: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))["rows"]
    return rows


def layouts(table: Mapping[str, Layout]) -> str:
    """What the arrays of an NPZ file are."""
    rows = [(f"`{name}`", f"`{layout.shape}`", layout.says) for name, layout in table.items()]
    return tabulate(rows, ("array", "shape", "is"), tablefmt="github") + "\n"


def format_table() -> str:
    """Formats of video and sound, by what people and ffmpeg call them."""
    rows = [(name, f"`{of.replace(',', ' ')}`") for name, of in container.FORMATS.items()]
    return tabulate(rows, ("format", "as ffmpeg calls it"), tablefmt="github") + "\n"


def limit_table() -> str:
    """What one file may cost."""
    rows = [(f"`{name}`", f"{most:,}", says) for name, (most, says) in LIMITS.items()]
    return tabulate(rows, ("limit", "most", "of what"), tablefmt="github", disable_numparse=True) + "\n"


def pages() -> dict[Path, str]:
    """Every generated page by its path."""
    made = {DOCS / "metrics" / f"{name}.md": metric_page(metric_class(name)) for name in METRICS}
    made[DOCS / "metrics" / "index.md"] = metric_index()
    for name, tables in (
        ("protocols", {"protocols": protocol_table()}),
        ("precision", {"tolerances": ceilings(), "parity": parity()}),
        ("faces", {"truth": face_truth(), "costs": face_costs()}),
        ("lip-sync", {"stages": sync_stages()}),
        ("inputs", {"formats": format_table(), "images": ", ".join(image.FORMATS), "limits": limit_table()}),
        ("results", {"coverage": interval_coverage()}),
        ("interchange", {"faces": layouts(given.LAYOUTS), "views": layouts(views.LAYOUTS)}),
    ):
        text = (DOCS / f"{name}.in.md").read_text(encoding="utf-8")
        for mark, table in tables.items():
            text = text.replace(f"{{{{{mark}}}}}", table)
        made[DOCS / f"{name}.md"] = MADE + text
    return made


def main() -> int:
    """Write the pages, or say which are stale."""
    made = pages()
    stale = [path for path, text in made.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    stray = sorted(set((DOCS / "metrics").glob("*.md")) - made.keys())
    if "--check" in sys.argv[1:]:
        for path in [*stale, *stray]:
            print(f"{path.relative_to(DOCS.parent)} is not what the code says: run make docs", file=sys.stderr)
        return 1 if stale or stray else 0
    for path in stale:
        path.write_text(made[path], encoding="utf-8")
    for path in stray:
        path.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
