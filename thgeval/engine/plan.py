"""What a run will do, settled before the first frame is decoded.

The plan sorts metrics by when they are measured (with each chunk, or once a clip has been seen), finds how many
earlier frames each chunk must repeat, which sides have to be decoded at all, and says of every metric that can't be
scored on any of the pairs what it lacks, along the path that leads there.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from thgeval.clip import Pair
from thgeval.engine.company import choices
from thgeval.errors import ThgevalError, UnmetNeed
from thgeval.feature import Feature, Grain
from thgeval.metric import Better, Metric
from thgeval.registry import Named, metric
from thgeval.requirements import Pins
from thgeval.signature import closure, pins_of

LACKS = {
    "reference": "no reference clip",
    "timing": "no timing record (a CLIP.timing.json beside it, as `thgeval time` writes)",
    "prompt": "no prompt (a CLIP.prompt.txt beside it)",
    "transcript": "no transcript (a CLIP.txt or CLIP.align beside it, or --transcripts)",
    "source_image": "no source image (a CLIP.source.png beside it)",
    "sound": "no sound (frames alone have none)",
    "openface": "no OpenFace table (a CLIP.openface.csv beside it)",
    "faces": "no file of face measurements (a CLIP.faces.npz beside it)",
    "mesh": "no mesh of its face (a CLIP.mesh.npz beside it)",
    "views": "no bundle of views, and a plain video shows one view (a CLIP.views.npz beside it)",
    "avhubert": "no rows of AV-HuBERT (a CLIP.avhubert.npz beside it)",
    "lipreader": "no rows of a lip reader (a CLIP.lipreader.npz beside it)",
}


@dataclass(frozen=True)
class Plan:
    """Metrics by the moment they are measured, and those that no pair can serve, with the reason.

    ``pins`` hold what all of them require, as it was when the plan was made. ``device`` is where kernels run that can
    run on a graphics card.
    """

    chunkwise: tuple[Named, ...]
    clipwise: tuple[Named, ...]
    unscored: dict[str, str]
    pins: Pins
    device: str = "cpu"

    @property
    def metrics(self) -> tuple[Named, ...]:
        """Every metric that is measured."""
        return self.chunkwise + self.clipwise

    @property
    def keys(self) -> set[str]:
        """The keys of every metric that is measured."""
        return {key for key, _ in self.metrics}

    @property
    def on_card(self) -> tuple[Named, ...]:
        """The metrics of chunks that are measured on a graphics card."""
        return () if self.device == "cpu" else tuple(named for named in self.chunkwise if runs_on_card(named.metric))

    @property
    def lead(self) -> int:
        """How many frames each chunk repeats of the one before."""
        return max((feature.halo for named in self.metrics for feature in closure(named.metric)), default=0)

    @property
    def rests_on_reference(self) -> bool:
        """Whether any number says nothing without the reference; others have its own value beside them if there is."""
        return any(
            metric.needs.a_reference or metric.better is Better.CLOSER_TO_REFERENCE for _, metric in self.metrics
        )

    def decodes(self, *, reference: bool) -> bool:
        """Whether the frames of a side are needed at all."""
        return self._reads("frames", reference=reference)

    def hears(self, *, reference: bool) -> bool:
        """Whether the sound of a side is needed."""
        return self._reads("sound", reference=reference)

    def _reads(self, what: str, *, reference: bool) -> bool:
        needs = [need for named in self.metrics for need in side(named.metric, reference=reference)]
        return any(feature.offered == what for need in needs for feature in need.closure())

    def collected(self, *, reference: bool) -> tuple[Feature[Any], ...]:
        """Features of frames that must be joined over the whole clip: for metrics or features of whole clips, and
        the faces among which any metric chooses one.
        """
        needs = [need for named in self.clipwise for need in side(named.metric, reference=reference)]
        whole = [user for need in needs for user in need.closure() if user.grain is Grain.CLIP]
        used = [*needs, *(source for user in whole for source in user.inputs)]
        found = [source for source in used if source.grain is Grain.FRAMES]
        for named in self.metrics:
            found += [choice.found for choice in choices(side(named.metric, reference=reference))]
        return tuple(dict.fromkeys(found))

    def without(self, keys: Collection[str]) -> "Plan":
        """The part of the plan that measures none of these metrics, given by key."""
        chunkwise, clipwise = (
            tuple(named for named in metrics if named.key not in keys) for metrics in (self.chunkwise, self.clipwise)
        )
        return replace(self, chunkwise=chunkwise, clipwise=clipwise)

    def without_reference(self) -> "Plan":
        """The part of the plan that looks at the generated clip alone."""
        return self.without({key for key, metric in self.metrics if metric.needs.a_reference})

    def of_references(self) -> "Plan":
        """The part of the plan that reference clips without a partner are measured for."""
        return self.without({key for key, metric in self.metrics if not (metric.sets or measures_reference(metric))})


def plan(metrics: Sequence[Named], pairs: Sequence[Pair] | None) -> Plan:
    """Sort metrics by when they are measured, and set aside those that none of the pairs can serve.

    ``pairs`` are None where they come one by one, so that nobody knows yet what they offer.
    """
    unscored: dict[str, str] = {}
    for named in metrics:
        if (lack := uninstalled(named.metric)) is not None:
            unscored[named.key] = str(lack) + _instead(named, pairs)
        elif pairs and all(unmet_need(named.metric, pair) for pair in pairs):
            unscored[named.key] = str(unmet_need(named.metric, pairs[0])) + _instead(named, pairs)
    able = [named for named in metrics if named.key not in unscored]
    clipwise = [named for named in able if any(feature.grain is Grain.CLIP for feature in closure(named.metric))]
    chunkwise = tuple(named for named in able if named not in clipwise)
    return Plan(chunkwise, tuple(clipwise), unscored, pins_of(*(metric for _, metric in metrics)))


def _instead(named: Named, pairs: Sequence[Pair] | None) -> str:
    """What could be asked for in place of a metric whose files or packages are not here."""
    request = named.metric.embedded and f"{named.metric.name}/{named.metric.embedded}"
    if not request or request == named.key or pairs is None:
        return ""
    form = metric(request).metric
    if uninstalled(form) is not None or (pairs and all(unmet_need(form, pair) for pair in pairs)):
        return ""
    return f"; {request} is scored without them, as a number of its own"


def runs_on_card(metric: Metric[Any]) -> bool:
    """Whether a metric and everything it reads can be computed where frames lie, be it on a graphics card."""
    return metric.on_card and all(feature.on_card for feature in closure(metric))


def uninstalled(metric: Metric[Any]) -> ThgevalError | None:
    """What a metric needs and this installation doesn't have, as the error that says what helps, or None."""
    return next((lack for feature in closure(metric) if (lack := feature.lacks()) is not None), None)


def unmet_need(metric: Metric[Any], pair: Pair) -> UnmetNeed | None:
    """What a pair doesn't offer a metric, as the error that says so, or None."""
    if metric.needs.a_reference and not pair.side and not pair.offers("reference"):
        return UnmetNeed(f"{metric.name} compares with a reference; {pair.id} has {LACKS['reference']}")
    for reference in (False,) if pair.side else (False, True):
        for way in _offered(metric, reference):
            offered = str(way[-1].offered)
            if not pair.offers(offered, reference=reference):
                path = " <- ".join([metric.name, *(feature.name for feature in way)])
                owner = f"the reference of {pair.id}" if reference else pair.id
                if (cut := pair.excerpt(reference=reference)) is not None and not cut.has(offered):
                    said = f"and the protocol looks at an excerpt of each clip ({cut})"
                    return UnmetNeed(f"{metric.name} needs {offered} of a whole clip ({path}), {said}")
                return UnmetNeed(f"{metric.name} needs {offered} ({path}); {owner} has {LACKS[offered]}")
    return None


@cache
def _offered(metric: Metric[Any], reference: bool) -> tuple[tuple[Feature[Any], ...], ...]:
    """The ways down to what one side must offer."""
    ways = _ways(side(metric, reference=reference, own=False))
    return tuple(way for way in ways if way[-1].offered is not None)


def measures_reference(metric: Metric[Any]) -> bool:
    """Whether the reference's own value is measured too, because the generated one says nothing without it."""
    return not metric.needs.compares and (metric.with_reference or metric.better is Better.CLOSER_TO_REFERENCE)


def side(metric: Metric[Any], *, reference: bool, own: bool = True) -> tuple[Feature[Any], ...]:
    """What a metric reads from one side of a pair, features of both sides included.

    With ``own``, what it needs to measure the reference's own value too, which it can do without.
    """
    needs = metric.needs
    if not reference:
        return needs.generated + needs.pair
    looked_at = tuple(
        source
        for need in needs.generated + needs.pair
        for feature in need.closure()
        if feature.of_reference
        for source in feature.inputs
    )
    return needs.reference + needs.pair + looked_at + (needs.generated if own and measures_reference(metric) else ())


def _ways(needs: tuple[Feature[Any], ...]) -> Iterator[tuple[Feature[Any], ...]]:
    """Every way down from features to what the clip itself must offer; what the other clip offers is left to it."""

    def down(way: tuple[Feature[Any], ...]) -> Iterator[tuple[Feature[Any], ...]]:
        if way[-1].of_reference:
            return
        if not way[-1].inputs:
            yield way
        for source in way[-1].inputs:
            yield from down((*way, source))

    for need in needs:
        yield from down((need,))
