"""``thgeval score``: the main job."""

import os
import re
from contextlib import ExitStack
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import Any

import click

from thgeval.cli.arguments import ANY_PLACE, FORMATS, Grouped, check_names, metric_names, metric_requests, named_place
from thgeval.cli.showing import say, say_instead, show
from thgeval.errors import ProtocolError
from thgeval.protocol import CHOICES, Protocol, protocol, written_rate

MOST_ALIKE = 10
ANY_PATH = click.Path(path_type=Path)
RESULT_SUFFIX = ".json"
PAIR = 2
"""Folders of one system and its references; more are of several systems."""
FORM_OF = {".csv": "csv", ".tex": "latex", ".md": "markdown", ".txt": "table"}


OPTIONS = {
    "Which clips": (
        *("list_file", "pred_suffix", "match", "ignore_case", "recursive", "unpaired", "transcripts", "clip_list"),
        *("limit", "shard", "allow_missing"),
    ),
    "What is measured": ("metrics", "controls", "protocol", "fps", "size", "crop", "lengths", "rates", "sizes"),
    "What comes out": (
        *(
            "outputs",
            "form",
            "digits",
            "signatures",
            "score_only",
            "per_clip",
            "per_frame",
            "parquet",
            "details",
            "quiet",
            "bootstrap",
            "seed",
        ),
    ),
    "How it runs": (
        *("workers", "engine", "address", "gpus", "device", "cache", "fresh"),
        *("allow_unverified_weights", "commercial_safe"),
    ),
}


@click.command("score", cls=Grouped, groups=OPTIONS)
@click.argument("folders", nargs=-1, metavar="[[NAME=]PRED_DIR]... [GT_DIR]")
@click.option("--list", "list_file", type=ANY_PATH, help="Pairs by line instead of folders: PRED<TAB>GT[<TAB>AUDIO].")
@click.option("--pred-suffix", default="", help="What names of generated clips end with before .mp4, such as _pred.")
@click.option(
    "--match", default="", metavar="REGEX", help="A clip's id is what the group finds in names of both sides."
)
@click.option("--ignore-case", is_flag=True, help="Names that differ in case alone are one.")
@click.option("--recursive", is_flag=True, help="Clips of subfolders too, paired by their paths.")
@click.option(
    "-m",
    "--metrics",
    multiple=True,
    metavar="NAME",
    shell_complete=metric_names,
    help="Names (psnr, ssim:window=7, psnr/uint8-wrap) or groups: default, embedded, all, a family (`thgeval ls`).",
)
@click.option("--unpaired", is_flag=True, help="Compare the folders as sets of any clips; for metrics such as fid.")
@click.option("--transcripts", type=ANY_PATH, help="A rule (YAML, TOML) that finds what is said in a clip's name.")
@click.option("--protocol", default="native", show_default=True, help="A name (`thgeval ls protocols`) or FILE.toml.")
@click.option("--clip-list", type=ANY_PATH, help="The list of clips of a protocol whose list can't be passed on.")
@click.option("--fps", metavar="RATE", help="On top of the protocol, marked !: frames per second of both sides.")
@click.option("--size", type=int, metavar="PX", help="Likewise: the side in px both are resized to.")
@click.option("--crop", type=click.Choice(CHOICES["crop"]), help="Likewise: before resizing.")
@click.option("--lengths", type=click.Choice(CHOICES["lengths"]), help="Likewise: pairs of different lengths.")
@click.option("--rates", type=click.Choice(CHOICES["rates"]), help="Likewise: pairs of different frame rates.")
@click.option("--sizes", type=click.Choice(CHOICES["sizes"]), help="Likewise: pairs of different sizes.")
@click.option("--workers", type=int, help="Threads at work; by default every core, and one of each cluster's worker.")
@click.option("--engine", type=click.Choice(("local", "ray")), default="local", show_default=True, help="Who measures.")
@click.option("--address", default="auto", show_default=True, help="Of Ray: auto, local, HOST:PORT or ray://HOST:PORT.")
@click.option("--gpus", type=float, default=0.0, show_default=True, help="Of each worker of Ray; 0.25: four share one.")
@click.option("--device", default="cpu", show_default=True, help="Of networks and kernels: cpu, cuda or cuda:N.")
@click.option("--cache", default="off", show_default=True, help="off, read or read-write: states of clips seen before.")
@click.option("--allow-unverified-weights", is_flag=True, help="Use weights of unknown hash; signatures say so.")
@click.option("--commercial-safe", is_flag=True, help="Leave unscored what needs weights without a free licence.")
@click.option("--fresh", is_flag=True, help="Measure anew and replace what OUT holds, instead of adding to it.")
@click.option("--allow-missing", is_flag=True, help="Exit with 0 even if clips are missing or failed.")
@click.option("--limit", type=int, help="Only the first N pairs; marked in every signature.")
@click.option("--shard", metavar="I/N", help="Only shard I of N, from 1 on; `thgeval merge` joins them.")
@click.option("--per-clip", is_flag=True, help="Also write values per clip to OUT.clips.csv.")
@click.option("--per-frame", is_flag=True, help="Also write values per frame to OUT.frames.csv.")
@click.option("--parquet", is_flag=True, help="Write these as .parquet instead; needs the extra frame.")
@click.option(
    "--controls",
    is_flag=True,
    help="Also score blurred, frozen and other copies of GT_DIR, and say what each score is worth beside them.",
)
@click.option("--details", is_flag=True, help="Also print what metrics show of each clip, such as aligned words.")
@click.option("-f", "--format", "form", type=click.Choice(FORMATS), default="table", show_default=True)
@click.option("--signatures", is_flag=True, help="Also print how each score was made, whole.")
@click.option("-b", "--score-only", is_flag=True, help="Print the numbers alone.")
@click.option("-w", "--width", "digits", type=click.IntRange(0, 15), default=4, show_default=True, help="Digits.")
@click.option("--bootstrap", type=click.IntRange(10, 1_000_000), default=1000, show_default=True, help="For medians.")
@click.option("--seed", type=click.IntRange(0), default=12345, show_default=True, help="Seed of the draws.")
@click.option("-q", "--quiet", is_flag=True, help="No progress on stderr.")
@click.option(
    "-o",
    "--out",
    "outputs",
    type=ANY_PLACE,
    multiple=True,
    help="OUT.json: the result, with its states in a folder beside it (of several systems a folder, OUT/). Also .csv, "
    ".tex, .md, .txt: the table.",
)
def command(**given: Any) -> int:
    """Score the clips of PRED_DIR against their namesakes in GT_DIR, or with --unpaired the two as sets.

    Both may also be single files. A folder holds video files, .npy or .npz arrays, or folders of numbered images. It
    may lie elsewhere (s3://bucket/clips, https://host/clips), as may OUT. Pairs may lie in tars: 'x/{000..009}.tar'.
    Several systems may stand before GT_DIR; they come out as one table. Results go to stdout, progress and problems to
    stderr.

    \b
    thgeval score ours/ gt/ -o ours.json
    thgeval score ours/ wav2lip/ sadtalker/ gt/ -o runs/ -o table.tex
    thgeval score ours/ gt/ -m psnr,ssim,lmd,sync -o ours.json -o ours.tex
    thgeval score ours/ gt/ --protocol thg256 --lengths truncate
    """
    requests = metric_requests(given["metrics"])
    systems, given["gt_dir"] = _sides(given.pop("folders"))
    _check(given, list(systems.values()), requests)
    chosen = _protocol(given)
    if len(systems) > 1:
        from thgeval.cli.several import score_systems

        return score_systems(systems, given, requests, chosen)
    given["pred_dir"] = next(iter(systems.values()), None)
    _check_outputs(given)
    from thgeval.remote.delivery import delivered
    from thgeval.results import STATES

    with ExitStack() as stack:
        chosen, pairing = paired_clips(given, chosen, stack)
        delivery = stack.enter_context(delivered(given["outputs"], STATES))
        say_instead(delivery.addresses)
        return _scored(given, requests, chosen, pairing, delivery)


def _scored(given: dict[str, Any], requests: list[str], chosen: Protocol, pairing: Any, delivery: Any) -> int:
    """Measure, write and print what was asked for; the exit code."""
    from thgeval.tables import run_text

    out, tables = _outputs(delivery.paths)
    run = measured_run(given, requests, chosen, pairing, out, delivery.shared)
    text = partial(run_text, run, digits=given["digits"], brief=given["score_only"], signatures=given["signatures"])
    try:
        write_results(run, out, {path: text(form=form) for path, form in tables.items()}, given)
    finally:  # a result that can't be written is still worth seeing
        show(text(form=given["form"]))
    if given["details"]:
        click.echo(_details(run), err=True)
    return verdict(run, requests, allow_missing=given["allow_missing"])


def measured_run(
    given: dict[str, Any], requests: list[str], chosen: Protocol, pairing: Any, out: Path | None, shared: Any = None
) -> Any:
    """The run that was asked for, of the clips of one system."""
    from thgeval.cli.ahead import compiled_ahead
    from thgeval.cli.progress import watching
    from thgeval.engine.run import Options, execute
    from thgeval.requirements.weights import Policy
    from thgeval.statistics import Resampling

    options = Options(
        workers=given["workers"],
        device=given["device"],
        cache=given["cache"],
        fresh=given["fresh"],
        limit=given["limit"],
        shard=given["shard"],
        out=out,
        shared=shared,
        engine=given["engine"],
        address=given["address"],
        gpus=given["gpus"],
        weights=Policy(unverified=given["allow_unverified_weights"], commercial=given["commercial_safe"]),
        seen=given.get("seen"),
        controls=given["controls"],
        resampling=Resampling(given["bootstrap"], given["seed"]),
    )
    with watching(quiet=given["quiet"]) as watcher, compiled_ahead(options.cores) as ahead:

        def plans(metrics: Any) -> None:
            _remind(watcher, metrics)
            ahead.plans(metrics)

        return execute(pairing, requests or _default(), chosen, options, replace(watcher, plans=plans))


def _sides(folders: tuple[str, ...]) -> tuple[dict[str, Any], Any]:
    """The folders of generated clips by the names of their systems, and that of references; the last one, if any."""
    from thgeval.remote.addresses import location

    if len(folders) <= PAIR:
        return {folder: location(folder) for folder in folders[:1]}, next(map(location, folders[1:]), None)
    named = [(name, location(place)) for name, place in map(named_place, folders[:-1])]
    names = [name or place.name or str(place) for name, place in named]
    if twice := [name for name in names if names.count(name) > 1]:
        raise ProtocolError(f"two systems are called {twice[0]}; name one: {twice[0]}-2=FOLDER")
    return dict(zip(names, (place for _, place in named), strict=True)), location(folders[-1])


def _check(given: dict[str, Any], systems: list[Any], requests: list[str]) -> None:
    """Refuse what can't be meant, before anything is imported that measures."""
    listed = given["list_file"]
    if listed is not None and systems:
        raise click.UsageError("give either --list or PRED_DIR and GT_DIR")
    if listed is None and not systems:
        raise click.UsageError("name the folder of generated clips: thgeval score PRED_DIR GT_DIR")
    for place in (*systems, given["gt_dir"]):
        if isinstance(place, Path) and _is_nothing(place):
            raise ProtocolError(f"there is no file or folder {str(place)!r}")
    check_names(requests)


def _is_nothing(place: Path) -> bool:
    """Whether nothing has this path, and it can't be a pattern of tars either."""
    return not os.path.lexists(place) and not set("\0{*?[") & set(str(place))


def _check_outputs(given: dict[str, Any]) -> None:
    """Refuse what nobody knows how to write, and values without a result beside which they would lie."""
    for asked in ("per_clip", "per_frame"):
        if given[asked] and not any(map(_is_result, given["outputs"])):
            option = f"--{asked.replace('_', '-')}"
            raise click.UsageError(f"{option} writes beside the result file: name it with -o OUT.json")
    _check_suffixes(given["outputs"])


def _protocol(given: dict[str, Any]) -> Protocol:
    """How clips are prepared: the protocol, with what is asked for on top of it."""
    changes = {name: given.get(name) for name in ("size", *CHOICES)}
    changes["pairs"] = "none" if given["unpaired"] else None
    return protocol(given["protocol"]).but(fps=given["fps"] and written_rate(given["fps"]), **changes)


def _is_result(path: Any) -> bool:
    return bool(path.suffix.lower() == RESULT_SUFFIX)


def _check_suffixes(paths: tuple[Any, ...]) -> None:
    """What nobody knows how to write is refused before anything is measured, and more than one result file."""
    for path in paths:
        if path.suffix.lower() not in (RESULT_SUFFIX, *FORM_OF):
            raise ProtocolError(
                f"{path}: the suffix says what is written: {RESULT_SUFFIX} the result, "
                + ", ".join(f"{suffix} the scores ({form})" for suffix, form in FORM_OF.items())
            )
    if (results := sum(map(_is_result, paths))) > 1:
        raise ProtocolError(f"a run has one result file, not {results}")


def _outputs(paths: tuple[Path, ...]) -> tuple[Path | None, dict[Path, str]]:
    """The result file, and the form of each table; what can't be written is refused before anything is measured."""
    from thgeval.files import replaceable

    for path in paths:
        replaceable(path)
    out = next(filter(_is_result, paths), None)
    return out, {path: FORM_OF[path.suffix.lower()] for path in paths if path != out}


def write_results(run: Any, out: Path | None, tables: dict[Path, str], given: dict[str, Any]) -> None:
    """Write the result file, the tables by their paths, and values of clips and frames beside the result."""
    from thgeval.engine.value_tables import write_values
    from thgeval.files import write_atomically

    if out is not None:
        run.write(out)
    for path, text in tables.items():
        write_atomically(path, (text + "\n").encode())
    for name in ("clips", "frames"):
        if out is not None and given[f"per_{name.removesuffix('s')}"]:
            say(f"values of {name}: {write_values(out, name, 'parquet' if given['parquet'] else 'csv')}")


def _details(run: Any) -> str:
    return "\n".join(f"{clip.id}, {key}:\n{shown}" for clip in run.clips for key, shown in clip.details.items())


def _remind(watcher: Any, metrics: Any) -> None:
    """Say of the metrics that will be measured what is to be said of the terms of their weights."""
    from thgeval.licences import reminders

    for sentence in reminders(metrics):
        watcher.warns(sentence)


def _default() -> tuple[str, ...]:
    from thgeval.metrics import DEFAULT

    return DEFAULT


def paired_clips(given: dict[str, Any], chosen: Protocol, stack: ExitStack) -> tuple[Protocol, Any]:
    """Which clips belong together, and the protocol with what it knows of them."""
    from thgeval.pairing import listed
    from thgeval.pairing.benchmark import of_protocol
    from thgeval.pairing.elsewhere import at_hand
    from thgeval.pairing.naming import Naming
    from thgeval.pairing.packed import is_packed, of_tars
    from thgeval.pairing.transcript_rules import rule

    naming = Naming(**{field.name: given[field.name] for field in fields(Naming)})
    if given["list_file"] is not None:
        if naming.options:
            raise click.UsageError(
                f"--list names the files of each pair, so {naming.options} can't change how they pair"
            )
        if chosen.benchmark.selects:
            raise click.UsageError(f"--list names pairs, and {chosen.label} says itself which clips belong together")
        if chosen.unpaired:
            raise click.UsageError("--list names pairs; without them, give two folders: --unpaired PRED_DIR GT_DIR")
        pairing = listed(given["list_file"])
    else:
        if is_packed(given["pred_dir"]):
            return chosen, of_tars(given["pred_dir"], given["gt_dir"], chosen, naming)
        recursive = naming.recursive or chosen.benchmark.selects
        sides = stack.enter_context(at_hand(given["pred_dir"], given["gt_dir"], recursive=recursive))
        say_instead(sides.mirrors.addresses.items())
        chosen, pairing = of_protocol(sides.generated, sides.reference, chosen, naming, given["clip_list"])
        pairing = pairing.mirroring(sides.mirrors)
    return chosen, pairing if given["transcripts"] is None else pairing.saying(rule(given["transcripts"]))


def _kind(note: str, clip: str) -> str:
    """What notes that differ in their clip and their numbers alone have in common."""
    return re.sub(r"\d+(\.\d+)?", "N", note.replace(clip, "CLIP"))


def _list(sentences: list[tuple[str, str]]) -> None:
    """Sentences by what they have in common; of many alike the first ones, and how many more there are."""
    alike: dict[str, list[str]] = {}
    for reason, sentence in sentences:
        alike.setdefault(reason, []).append(sentence)
    for reason, found in alike.items():
        shown = found if len(found) <= MOST_ALIKE else found[: MOST_ALIKE // 2]
        for sentence in shown:
            say(sentence)
        if len(shown) < len(found):
            say(f"... and {len(found) - len(shown)} more of the kind {reason!r}; the result file (-o) names all")


def _matters(run: Any, score: Any) -> bool:
    """Whether it matters that a metric isn't scored; of one shard it does only if no other could score it either."""
    from thgeval.engine.plan import uninstalled
    from thgeval.registry import metric

    return run.options.get("shard") is None or uninstalled(metric(score.key).metric) is not None


def verdict(run: Any, requests: list[str], *, allow_missing: bool) -> int:
    """Name what was not scored, and choose the exit code."""
    from thgeval.metrics import GROUPS
    from thgeval.registry import metrics

    asked = {named.key for named in metrics([text for text in requests if text.lower() not in GROUPS])}
    told = {clip.failure.message for clip in run.failures}
    failures = [(clip.failure.reason, f"{clip.id}: {clip.failure.message}") for clip in run.failures]
    failures += [
        (f"{key}: {failed.reason}", f"{key}: {clip.id}: {failed.message}")
        for clip in run.clips
        for key, failed in sorted(clip.failed.items())
        if key in asked and failed.message not in told
    ]
    _list(failures)
    _list([(_kind(note, clip.id), f"note: {note}") for clip in run.clips for note in clip.notes])
    total = run.expected + run.expected_references
    unscored = [
        score for score in run.scores.values() if score.unscored and score.key in asked and _matters(run, score)
    ]
    partly = sum(1 for clip in run.clips if clip.failed.keys() & asked)
    incomplete = bool(run.failures or partly)
    if incomplete and not allow_missing:
        said = f"{len(run.failures)} of {total} clips failed"
        lack = said if run.failures else f"{partly} of {total} clips lack a score"
        scored = any(score.value is not None for score in run.scores.values())
        say(f"{lack}; --allow-missing accepts that" if scored else f"{lack}; nothing could be scored")
    if unscored and not run.failures:
        return 3
    return 0 if allow_missing or not incomplete else 1
