"""The main job on clips made on the spot: ``python -m thgeval_baselines.showcase FOLDER``.

Makes a few clips of a synthetic set, lets generators and controls make them again, scores all, prints one table, and
writes the report of one generator and a leaderboard. The result files stay in the folder, for ``thgeval compare``.
"""

import shutil
import sys
from pathlib import Path

import click

from thgeval.engine.options import Options
from thgeval.report import write as write_report
from thgeval.seen import Seen
from thgeval.tables import systems_table, table_text
from thgeval_baselines.catalogue import systems
from thgeval_baselines.first_results import kept, made_videos, score
from thgeval_baselines.sets.short import Subset
from thgeval_baselines.sets.synth import make_synth
from thgeval_baselines.tasks.items import TaskSet
from thgeval_leaderboard.entry import read
from thgeval_leaderboard.site.build import build

SECONDS = 2.0
REPORTED = "ref-3d"
SYSTEMS = ("ctl-gt", "ref-3d", "ref-2d", "ref-audio", "ctl-still", "ctl-mouthfreeze", "ctl-shift5", "ctl-blur2")
SHOWN = (
    *("psnr", "ssim", "cpbd", "f-mse", "lmd", "mouth-correlation", "blinks-per-s"),
    *("sync-lm-conf", "sync-lm-offset"),
)


def _make(folder: Path) -> TaskSet:
    return make_synth(folder, seconds=SECONDS, fit_seconds=1.0, only=frozenset(DEMO.items))


DEMO = Subset("demo", _make, ("s1-e01-pose", "s2-e06-still", "s3-de1-pose"))


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def main(folder: Path) -> None:
    """Make clips in FOLDER (replacing an earlier demo there), score them, and show what a run gives."""
    if (folder / DEMO.name).exists():
        shutil.rmtree(folder)
    click.echo(f"making talking-head clips in {folder} (synthetic test material) ...")
    asked = [each for each in made_videos(DEMO, systems(SYSTEMS), folder) if each.setting != "text"]
    click.echo("scoring generators and controls against the references ...")
    options = Options(seen=Seen())  # so that the references' faces are found once for all of them
    runs = {each.system.id: score(each, SHOWN, options) for each in asked}
    click.echo(f"scoring {REPORTED} with every metric ...")
    reported = next(each for each in asked if each.system.id == REPORTED)
    score(reported, ["all"], options)
    entries = [read(kept(each, folder / "entries")) for each in asked]
    build(entries, folder / "site", {entry.id: each.clips for entry, each in zip(entries, asked, strict=True)})
    controls = {each.system.id: runs.pop(each.system.id) for each in asked if each.system.kind == "control"}
    click.echo(f"\n{table_text(systems_table(runs, controls))}\n")
    click.echo(f"report: {write_report(reported.result, reported.result.with_suffix('.html'))}")
    click.echo(f"leaderboard: {folder / 'site' / 'index.html'}")
    failures = [sentence for each in asked for sentence in each.failures]
    for sentence in failures:
        click.echo(sentence, err=True)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
