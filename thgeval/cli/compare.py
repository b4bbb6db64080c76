"""``thgeval compare``: paired significance tests between systems."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from thgeval.cli.arguments import FORMATS, RESULT
from thgeval.cli.showing import say, show

if TYPE_CHECKING:
    from thgeval.comparison import Compared, Comparison

COLUMNS = ("metric", "system", "score", "difference", "95 % interval", "p", "verdict", "group", "clips")
UNDER_METRIC = ("system", "score", "difference", "95 % interval", "p", "group", "verdict")
"""On a terminal every metric has a line of its own, and its systems are below it."""
CSV_COLUMNS = (
    *("metric", "direction", "system", "baseline", "compares"),
    *("baseline score", "score", "difference", "low", "high"),
    *("test", "p", "corrected p", "significant", "verdict", "group", "clips", "of clips"),
)


@click.command("compare")
@click.argument("results", nargs=-1, required=True, type=RESULT, metavar="BASELINE.json SYSTEM.json...")
@click.option("-f", "--format", "form", type=click.Choice(FORMATS), default="table", show_default=True)
@click.option("-w", "--width", "digits", type=click.IntRange(0, 15), default=4, show_default=True, help="Digits.")
@click.option("--draws", type=click.IntRange(100, 1_000_000), default=10_000, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=12345, show_default=True)
def command(results: tuple[Path, ...], form: str, digits: int, draws: int, seed: int) -> None:
    """Test whether systems differ from the first result, on the clips they share.

    Paired randomisation over clips, exact for few of them, and the jackknife for metrics of sets; Holm's correction
    over all pairs of systems under all metrics; p is after it. Systems in one group do not differ significantly from
    the group's best.
    """
    from thgeval.comparison import compared
    from thgeval.results.tables import as_csv, as_table
    from thgeval.statistics import Resampling

    found = compared(results, Resampling(draws, seed))
    for note in (*found.notes, *_explained(found)):
        say(note)
    if form == "json":
        rows = [asdict(row) | {"significant": row.significant, "verdict": row.verdict} for row in found.rows]
        said = {"baseline": found.baseline, "tests": found.tests, "rows": rows, "groups": found.groups}
        show(json.dumps(said | {"skipped": found.skipped, "notes": found.notes}, indent=1))
    elif form == "csv":
        show(as_csv(CSV_COLUMNS, [_line(found, row) for row in found.rows]))
    else:
        show(_by_metric(found, digits) if form == "table" else as_table(COLUMNS, list(_table(found, digits)), form))
    for why, keys in _untested(found).items():
        say(f"no test of {', '.join(keys)}: {why}")


def _by_metric(found: "Comparison", digits: int) -> str:
    """For terminals: a line for each metric with its clips, and below it the baseline and the systems."""
    from thgeval.results.tables import as_table

    heads, rows = [], []
    for metric, system, *measured, verdict, group, clips in _table(found, digits):
        shared, _, of = clips.partition("/")
        heads.append(f"{metric}, {of or shared} clips" if metric else "")
        rows.append([system, *measured, group, f"{verdict}, on {shared} clips" if of and not metric else verdict])
    title, rule, *lines = (f"  {line}" for line in as_table(UNDER_METRIC, rows, "table").splitlines())
    blocks = (line for pair in zip(heads, lines, strict=True) for line in pair if line)
    return "\n".join([title, rule, *blocks])


def _table(found: "Comparison", digits: int) -> Iterator[list[str]]:
    """The baseline's line and one for each system, metric by metric."""
    from thgeval.metric import Better
    from thgeval.results.tables import score_text

    metric = None
    for row in found.rows:
        groups = found.groups.get(row.metric, {})
        clips = str(row.clips) if row.clips == row.of_clips else f"{row.clips}/{row.of_clips}"
        if row.metric != metric:
            head = f"{row.metric} {Better(row.direction).arrow}"
            own = str(groups.get(found.baseline, ""))
            yield [head, found.baseline, score_text(row.baseline_score, digits), "", "", "", "baseline", own, clips]
        metric = row.metric
        yield [
            "",
            row.system,
            score_text(row.score, digits),
            ("-" if row.difference < 0 else "+") + score_text(abs(row.difference), digits),
            "" if row.interval is None else " .. ".join(score_text(bound, digits) for bound in row.interval),
            _p(row.corrected_p),
            row.verdict,
            str(groups.get(row.system, "")),
            clips,
        ]


def _line(found: "Comparison", row: "Compared") -> list[str]:
    """A test for machines: all digits, and nothing where there is nothing."""
    low, high = ("", "") if row.interval is None else map(repr, map(float, row.interval))
    return [
        *(row.metric, row.direction, row.system, found.baseline, row.compares),
        *(repr(float(value)) for value in (row.baseline_score, row.score, row.difference)),
        *(low, high, row.test, repr(float(row.p)), repr(float(row.corrected_p)), "yes" if row.significant else "no"),
        *(row.verdict, str(found.groups.get(row.metric, {}).get(row.system, "")), str(row.clips), str(row.of_clips)),
    ]


def _p(value: float) -> str:
    return f"{value:.4f}" if value >= 1e-4 else "<0.0001"


def _untested(found: "Comparison") -> dict[str, list[str]]:
    """Metrics without a test, by the reason."""
    reasons: dict[str, list[str]] = {}
    for key, why in found.skipped.items():
        reasons.setdefault(why, []).append(key)
    return reasons


def _explained(found: "Comparison") -> list[str]:
    """What is compared where it isn't the score."""
    said = {"distance to reference": "from the reference's own value", "distance to zero": "from zero"}
    return [
        f"difference and interval are of the mean distance of clips {where}: {', '.join(keys)}"
        for compares, where in said.items()
        if (keys := list(dict.fromkeys(row.metric for row in found.rows if row.compares == compares)))
    ]
