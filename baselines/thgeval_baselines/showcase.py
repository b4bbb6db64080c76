"""The main job on clips made on the spot: ``python -m thgeval_baselines.showcase FOLDER``.

Makes the demo clips, scores every control against the references, prints one table, and writes the report of one
control. Each control's result file stays in the folder, for ``thgeval compare`` and ``thgeval report``.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path

import click

from thgeval.cli.tables import as_table, number, scores_text
from thgeval.engine.run import Options, evaluate
from thgeval.report import write as write_report
from thgeval.results import Run
from thgeval_baselines.demo import make_demo

CLIPS = 3
SECONDS = 3.0
REPORTED = "crf30"
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
    runs = {
        name: scored(generated, demo.reference, folder / f"{name}.json", SHOWN)
        for name, generated in demo.controls.items()
    }
    click.echo(f"\n{controls_table(runs)}\n")
    click.echo(f"scoring {REPORTED} with every metric ...\n")
    result = folder / f"{REPORTED}.json"
    run = scored(demo.controls[REPORTED], demo.reference, result, ["all"])
    click.echo(scores_text(run, form="table", digits=4, brief=False))
    click.echo(f"\nreport: {write_report(result, result.with_suffix('.html'))}")


def scored(generated: Path, reference: Path, out: Path, metrics: Sequence[str]) -> Run:
    """One run, written with its states beside it."""
    run = evaluate(generated, reference, metrics=metrics, options=Options(out=out))
    run.write(out)
    return run


def controls_table(runs: dict[str, Run]) -> str:
    """One row a control, one column a metric with its direction; the references' own values below."""
    scores = next(iter(runs.values())).scores
    heads = ["", *(f"{key} {score.better.arrow}" for key, score in scores.items())]
    rows = [[name, *(_cell(run, key) for key in scores)] for name, run in runs.items()]
    own = [
        "(reference itself)",
        *(number(score.reference.value, 3) if score.reference else "" for score in scores.values()),
    ]
    return as_table(heads, [*rows, own], "table")


def _cell(run: Run, key: str) -> str:
    score = run[key]
    if score.value is None or score.interval is None:
        return number(score.value, 3)
    return f"{number(score.value, 3)} ±{(score.interval.high - score.interval.low) / 2:.2g}"


if __name__ == "__main__":
    main()
