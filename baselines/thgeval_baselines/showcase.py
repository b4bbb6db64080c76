"""The main job on clips made on the spot: ``python -m thgeval_baselines.showcase FOLDER``.

Makes the demo clips, scores every control against the references, prints one table, and writes the report of one
control. Each control's result file stays in the folder, for ``thgeval compare`` and ``thgeval report``.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path

import click

from thgeval.cli.tables import as_table, interval, number, reference, scores_text
from thgeval.engine.run import Options, evaluate
from thgeval.report import write as write_report
from thgeval.results import Run
from thgeval.seen import Seen
from thgeval_baselines.demo import make_demo

CLIPS = 3
SECONDS = 3.0
REPORTED = "crf30"
DIGITS = 3
SHOWN = (
    *("psnr", "ssim", "cpbd", "f-mse", "lmd", "mouth-correlation", "blinks-per-s"),
    *("sync-lm-conf", "sync-lm-offset"),
)


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def main(folder: Path) -> None:
    """Make clips in FOLDER (replacing an earlier demo there), score them, and show what a run gives."""
    clips = folder / "clips"
    if clips.exists():
        shutil.rmtree(folder)
    click.echo(f"making talking-head clips in {clips} (synthetic test material) ...")
    demo = make_demo(clips, clips=CLIPS, seconds=SECONDS)
    click.echo("scoring every control against the references ...")
    seen = Seen()  # so that the references' faces are found once for all controls
    runs = {
        name: scored(generated, demo.reference, folder / f"{name}.json", SHOWN, seen)
        for name, generated in demo.controls.items()
    }
    click.echo(f"\n{controls_table(runs)}\n")
    click.echo(f"scoring {REPORTED} with every metric ...\n")
    result = folder / f"{REPORTED}.json"
    run = scored(demo.controls[REPORTED], demo.reference, result, ["all"], seen)
    click.echo(scores_text(run, form="table", digits=4, brief=False))
    click.echo(f"\nreport: {write_report(result, result.with_suffix('.html'))}")


def scored(generated: Path, references: Path, out: Path, metrics: Sequence[str], seen: Seen) -> Run:
    """One run, written with its states beside it."""
    run = evaluate(generated, references, metrics=metrics, options=Options(out=out, seen=seen))
    run.write(out)
    return run


def controls_table(runs: dict[str, Run]) -> str:
    """Two rows a control, the scores and their intervals, one column a metric with its direction.

    Below are the references' own values.
    """
    scores = next(iter(runs.values())).scores
    heads = ["", *(f"{key} {score.better.arrow}" for key, score in scores.items())]
    rows = [row for name, run in runs.items() for row in _rows(name, run)]
    own = ["(reference itself)", *(reference(score, DIGITS) for score in scores.values())]
    return as_table(heads, [*rows, own], "table")


def _rows(name: str, run: Run) -> tuple[list[str], list[str]]:
    scores = run.scores.values()
    return (
        [name, *(number(score.value, DIGITS) for score in scores)],
        ["", *(interval(score, DIGITS) for score in scores)],
    )


if __name__ == "__main__":
    main()
