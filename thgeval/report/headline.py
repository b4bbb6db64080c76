"""What a report says first: how many metrics were scored, on how many clips, and what is missing."""

from dataclasses import dataclass

from thgeval.report.data import ClipData, Collected, MetricData


@dataclass(frozen=True)
class Headline:
    """A sentence, and whether nothing is missing."""

    sentence: str
    complete: bool


def headline(found: Collected) -> Headline:
    """The truth about a run in one sentence."""
    scored = [data for data in found.metrics if data.score.value is not None]
    expected = found.run.expected + found.run.expected_references
    failed = expected - sum(clip.result.failure is None for clip in found.clips)
    partly = sum(clip.result.failure is None and _lacks(clip, scored) for clip in found.clips)
    of_metrics = _of_metrics(len(scored), len(found.metrics))
    complete = len(scored) == len(found.metrics) and not failed and not partly
    return Headline(f"{of_metrics} {_on_clips(expected, failed, partly)}.", complete)


def _lacks(clip: ClipData, scored: list[MetricData]) -> bool:
    """Whether a clip has no value under a metric that others have one under; references alone may have none."""
    return any(
        data.score.key in clip.result.failed
        or (clip.result.side != "reference" and data.clips and clip.id not in data.clips)
        for data in scored
    )


def _of_metrics(scored: int, asked: int) -> str:
    if scored == asked:
        return "The only metric was scored" if asked == 1 else f"All {asked} metrics were scored"
    return f"{scored or 'None'} of {asked} metrics {'was' if scored < 2 else 'were'} scored"


def _on_clips(expected: int, failed: int, partly: int) -> str:
    if not failed:
        every = "the only clip" if expected == 1 else f"{'' if partly else 'all '}{expected} clips"
        return f"on {every}" + (f", {partly} of them not by every metric" if partly and expected > 1 else "")
    said = f"on {expected - failed} of {expected} clips; {failed} failed or {'is' if failed == 1 else 'are'} missing"
    return said + (f", {partly} more lack{'s' * (partly == 1)} a score" if partly else "")
