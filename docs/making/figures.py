"""Tables of what benchmarks measured: the rows of their last published run."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from making.markdown import table

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results"


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
    return table(rows, head)


def face_costs() -> str:
    """What faces cost at 256 px, as last measured."""
    rows = [
        (row["what"].removeprefix("cost: "), f"{row['cpu_ms']:.1f} ms")
        for row in _measured("faces")
        if row["what"].startswith("cost: ")
    ]
    return table(rows, ("points, follow", "detection and landmarks, a frame"))


def rigged_poses() -> str:
    """Pose read from people of the rig beside their true pose, by reader and camera, as last measured."""
    rows = [
        (
            row["what"].removeprefix("pose: "),
            f"{row['frames'] - row['without_face']} of {row['frames']}",
            *(
                f"{row[f'{angle}_r']:.3f}, {row[f'{angle}_bias']:.1f}, {row[f'{angle}_scatter']:.1f}"
                for angle in ("yaw", "pitch", "roll")
            ),
        )
        for row in _measured("rigged")
        if row["what"].startswith("pose: ")
    ]
    return table(rows, ("reader, camera", "frames read", "yaw", "pitch", "roll"))


def rigged_units() -> str:
    """Action units read from people of the rig beside the curves that drove them."""
    rows = [
        (row["what"].removeprefix("unit: "), row["people"], f"{row['r']:.2f}", f"{row['worst_r']:.2f}")
        for row in _measured("rigged")
        if row["what"].startswith("unit: ")
    ]
    return table(rows, ("action unit", "people who show it", "r", "worst r"))


def rigged_actions() -> str:
    """ARKit actions driven one by one, and what a reader of blendshapes says of each."""
    rows = [
        (
            f"`{row['what'].removeprefix('action: ')}`",
            *(
                ("not read", "", "")
                if row["r"] is None
                else (f"{row[key]:.2f}".replace("-0.00", "0.00") for key in ("r", "slope", "rest"))
            ),
        )
        for row in _measured("rigged")
        if row["what"].startswith("action: ")
    ]
    return table(rows, ("action", "r", "slope", "at rest"))


def rigged_identity() -> str:
    """Distances between faces of the rig, within and between people."""
    (row,) = (row for row in _measured("rigged") if row["what"].startswith("identity: "))
    rows = [
        ("of one person, front and left", f"{row['within']:.2f}", f"largest {row['within_largest']:.2f}"),
        ("of two people", f"{row['between']:.2f}", f"smallest {row['between_smallest']:.2f}"),
    ]
    return (
        table(rows, ("two faces", "mean distance", ""))
        + f"\n{100 * row['between_under_0.6']:.0f} % of the pairs of two people lie under 0.6, below which "
        + "`face_recognition` calls two faces one person.\n"
    )


def rigged_views() -> str:
    """Metrics of views on true bundles, and on bundles with one thing wrong."""
    rows = [
        (row["what"].removeprefix("views: "), f"{row['cd']:.4f}", f"{row['we']:.1f}")
        for row in _measured("rigged")
        if row["what"].startswith("views: ")
    ]
    return table(rows, ("bundle", "CD", "WE"))


def heard_lips() -> str:
    """How near the lips of ref-audio are to true ones, by kind of speech, as last measured."""
    return _lips(row for row in _measured("ref_audio") if "r" in row and not row["what"].startswith("sentence "))


def heard_sentences() -> str:
    """The same of each sentence in the package."""
    return _lips(row for row in _measured("ref_audio") if row["what"].startswith("sentence "))


def stitched_sentences() -> str:
    """How near the lips of ref-video, as dlib reads them, are to true ones: all sentences together, then each."""
    return _lips(_measured("ref_video"))


def _lips(measured: Iterable[Mapping[str, Any]]) -> str:
    rows = [
        (
            row["what"].removeprefix("sentence "),
            row["clips"],
            f"{row['r']:.2f}" + (f" ({row['least r']:.2f})" if row["clips"] > 1 else ""),
            f"{100 * row['truth meets']:.0f} %",
            f"{100 * row['ours of those']:.0f} % of {row['closures']}",
            f"{100 * row['by chance']:.0f} %",
            f"{row['clips within a frame']} of {row['clips']}",
        )
        for row in measured
    ]
    head = ("speech", "clips", "r", "true lips meet", "ours of those", "at random times", "within a frame")
    return table(rows, head)


def heard_lags() -> str:
    """By how many frames the lips of ref-audio follow the loudness of the sound, beside true ones."""
    rows = [
        (row["what"], row["lag to loudness"], row["true lag to loudness"])
        for row in _measured("ref_audio")
        if "lag to loudness" in row and not row["what"].startswith("sentence ")
    ]
    return table(rows, ("speech", "lips of ref-audio", "true lips"))


def heard_costs() -> str:
    """What ref-audio costs, as last measured."""
    rows = [
        (
            row["what"],
            f"{row['seconds']:.1f} s" + (f", the first time {row['first']:.1f} s" if "first" in row else ""),
            f"{row['largest memory, MB']} MB" if "largest memory, MB" in row else "",
        )
        for row in _measured("ref_audio")
        if "seconds" in row
    ]
    return table(rows, ("what", "time", "largest memory"))


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
    return table(rows, ("stage", "here", "published route", "times"))


def interval_coverage() -> str:
    """How often intervals hold the truth, and how often equal systems are found to differ, as last simulated."""
    held: dict[str, dict[int, str]] = {}
    false: dict[str, dict[int, str]] = {}
    for row in _measured("interval_coverage"):
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


def trained_features() -> str:
    """How features with random weights and trained ones rank controls, and which rank better, as last measured."""
    measured = [row for row in _measured("trained_features") if "metric" in row]
    rows = [
        (
            f"`{row['metric']}`",
            f"{row['right']} of {row['of']}",
            f"{row['always']}",
            "none"
            if not row["wrong"]
            else row["wrong"]
            if row["wrong"].count(",") < 3
            else f"{row['of'] - row['right']}",
            f"{row['seen']:.3f}",
        )
        for row in measured
    ]
    head = ("metric", "ranked right", "whichever clip is left out", "ranked wrong", "faults of parts")
    right = {row["metric"].partition(":")[0]: row["right"] for row in measured}
    said = "; ".join(
        f"{name.upper()}: {_better(right[random], right[trained])}" for name, (random, trained) in TRAINED.items()
    )
    return f"{table(rows, head)}\nWhich of the two ranks better, by metrics of one form: {said}.\n"


TRAINED = {
    "fid": ("fid-random", "fid/effnet"),
    "prdc": ("prdc-random", "prdc/effnet"),
    "fvd": ("fvd-random", "fvd-effnet"),
}
"""Metrics of one form, by features with random weights and by trained ones."""


def _better(random: int, trained: int) -> str:
    """Which of two counts of rightly ranked neighbours is the larger."""
    if random == trained:
        return f"neither ({random} each)"
    return f"random features ({random} to {trained})" if random > trained else f"trained ones ({trained} to {random})"


def _by_clips(what: str, cells: Mapping[str, Mapping[int, str]]) -> str:
    """A row a design, a column a number of clips."""
    counts = sorted({count for row in cells.values() for count in row})
    rows = [(name, *(row.get(count, "") for count in counts)) for name, row in cells.items()]
    head = (what, *(f"{count} clips" for count in counts))
    return table(rows, head)


def _measured(benchmark: str) -> list[dict[str, Any]]:
    """The rows of a benchmark's last published run."""
    rows: list[dict[str, Any]] = json.loads((RESULTS / f"{benchmark}.json").read_text(encoding="utf-8"))["rows"]
    return rows


def training_costs() -> str:
    """What losses and metric objects cost beside their peers, as last measured."""
    rows = [
        (
            row["what"],
            row["batch"],
            f"{row['ours_ms']:.1f} ms",
            row["peer"],
            f"{row['peer_ms']:.0f} ms",
            f"{row['faster']:.0f}x",
        )
        for row in _measured("training")
        if "peer" in row
    ]
    return table(rows, ("what", "batch", "thgeval", "peer", "takes", "faster"))
