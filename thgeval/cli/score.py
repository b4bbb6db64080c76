"""``thgeval score``: the main job."""

from pathlib import Path
from typing import Any

import click

from thgeval.cli.arguments import FORMATS, OUTPUT, metric_requests

ANY_PATH = click.Path(path_type=Path)


@click.command("score")
@click.argument("pred_dir", type=ANY_PATH, required=False)
@click.argument("gt_dir", type=ANY_PATH, required=False)
@click.option("--list", "list_file", type=ANY_PATH, help="Pairs by line instead of folders: PRED<TAB>GT[<TAB>AUDIO].")
@click.option("-m", "--metrics", multiple=True, metavar="NAME", help="psnr, ssim:window=7, psnr/uint8-wrap, all, ...")
@click.option("--transcripts", type=ANY_PATH, help="A rule (YAML, TOML) that finds what is said in a clip's name.")
@click.option("--protocol", default="native", show_default=True, help="See `thgeval ls protocols`.")
@click.option("--workers", type=int, help="Threads at work; by default every core.")
@click.option("--device", default="cpu", show_default=True, help="Of networks: cpu, cuda or cuda:N.")
@click.option("--cache", default="off", show_default=True, help="off, read or read-write: states of clips seen before.")
@click.option("--allow-unverified-weights", is_flag=True, help="Use weights of unknown hash; signatures say so.")
@click.option("--commercial-safe", is_flag=True, help="Leave unscored what needs weights without a free licence.")
@click.option("--resume", is_flag=True, help="Take up what an interrupted run left beside OUT.")
@click.option("--allow-missing", is_flag=True, help="Exit with 0 even if clips are missing or failed.")
@click.option("--limit", type=int, help="Only the first N pairs; marked in every signature.")
@click.option("--per-frame", is_flag=True, help="Also write per-frame values to OUT.frames.csv.")
@click.option("--details", is_flag=True, help="Also print what metrics show of each clip, such as aligned words.")
@click.option("-f", "--format", "form", type=click.Choice(FORMATS), default="table", show_default=True)
@click.option("-b", "--score-only", is_flag=True, help="Print the numbers alone.")
@click.option("-w", "--width", "digits", type=click.IntRange(0, 15), default=4, show_default=True, help="Digits.")
@click.option("--bootstrap", type=click.IntRange(10, 1_000_000), default=1000, show_default=True, help="For medians.")
@click.option("--seed", type=click.IntRange(0), default=12345, show_default=True, help="Seed of the draws.")
@click.option("-q", "--quiet", is_flag=True, help="No progress on stderr.")
@click.option("-o", "--out", type=OUTPUT, help="Write the result file here; states go to a folder beside it.")
def command(**given: Any) -> int:
    """Score the clips of PRED_DIR against their namesakes in GT_DIR.

    Both may also be single files. A folder holds video files, .npy or .npz arrays, or folders of numbered images.
    Results go to stdout, progress and problems to stderr.
    """
    from thgeval.cli.progress import watching
    from thgeval.cli.tables import scores_text
    from thgeval.run import Options, scored
    from thgeval.statistics import Resampling
    from thgeval.weights import Policy

    requests = metric_requests(given["metrics"])
    protocol, pairing = _pairing(given)
    if given["per_frame"] and given["out"] is None:
        raise click.UsageError("--per-frame writes beside the result file: name it with -o OUT.json")
    options = Options(
        workers=given["workers"],
        device=given["device"],
        cache=given["cache"],
        resume=given["resume"],
        limit=given["limit"],
        out=given["out"],
        weights=Policy(unverified=given["allow_unverified_weights"], commercial=given["commercial_safe"]),
        resampling=Resampling(given["bootstrap"], given["seed"]),
    )
    with watching(quiet=given["quiet"]) as watcher:
        run = scored(pairing, requests or _default(), protocol, options, watcher)
    click.echo(scores_text(run, form=given["form"], digits=given["digits"], brief=given["score_only"]))
    if given["details"]:
        click.echo(_details(run), err=True)
    if given["out"] is not None:
        run.write(given["out"])
    if given["per_frame"]:
        from thgeval.curves import write_csv

        click.echo(f"per-frame values: {write_csv(given['out'])}", err=True)
    return _verdict(run, requests, allow_missing=given["allow_missing"])


def _details(run: Any) -> str:
    return "\n".join(f"{clip['id']}, {key}:\n{shown}" for clip in run.clips for key, shown in clip["details"].items())


def _default() -> tuple[str, ...]:
    from thgeval.metrics import DEFAULT

    return DEFAULT


def _pairing(given: dict[str, Any]) -> tuple[Any, Any]:
    from thgeval.pairing import listed, paired
    from thgeval.protocol import protocol
    from thgeval.wording import rule

    chosen = protocol(given["protocol"])
    if given["list_file"] is not None:
        if given["pred_dir"] is not None:
            raise click.UsageError("give either --list or PRED_DIR and GT_DIR")
        pairing = listed(given["list_file"])
    elif given["pred_dir"] is None:
        raise click.UsageError("name the folder of generated clips: thgeval score PRED_DIR GT_DIR")
    else:
        pairing = paired(given["pred_dir"], given["gt_dir"], chosen.clips)
    return chosen, pairing if given["transcripts"] is None else pairing.saying(rule(given["transcripts"]))


def _verdict(run: Any, requests: list[str], *, allow_missing: bool) -> int:
    """Name what was not scored, and choose the exit code."""
    from thgeval.registry import GROUPS, metrics

    asked = {named.key for named in metrics([text for text in requests if text not in GROUPS])}
    for clip in run.failures:
        click.echo(f"thgeval: {clip['id']}: {clip['failure']['message']}", err=True)
    told = {clip["failure"]["message"] for clip in run.failures}
    for clip in run.clips:
        for key in sorted(asked & clip["failed"].keys()):
            if clip["failed"][key]["message"] not in told:
                click.echo(f"thgeval: {key}: {clip['id']}: {clip['failed'][key]['message']}", err=True)
    for clip in run.clips:
        for note in clip["notes"]:
            click.echo(f"thgeval: note: {note}", err=True)
    unscored = [score for score in run.scores.values() if score.unscored and score.key in asked]
    partly = sum(1 for clip in run.clips if clip["failed"].keys() & asked)
    incomplete = bool(run.failures or partly)
    if incomplete and not allow_missing:
        said = f"{len(run.failures)} of {run.expected} clips failed"
        click.echo(
            f"thgeval: {said if run.failures else f'{partly} of {run.expected} clips lack a score'}; "
            "--allow-missing accepts that",
            err=True,
        )
    if unscored and not run.failures:
        return 3
    return 0 if allow_missing or not incomplete else 1
