"""What every metric of two sets owes: run over the registry, so that a new one is tested by being listed."""

import math
import pickle
from fractions import Fraction

import numpy as np
import pytest
from conformance.conftest import asked, cure, reason

from thgeval import registry
from thgeval.clip import Clip, Memory, Pair
from thgeval.engine.measure import measured
from thgeval.engine.plan import plan
from thgeval.engine.workers import Cores
from thgeval.errors import Failure
from thgeval.metric import Better
from thgeval.metrics.sets.sets import SetMetric
from thgeval.protocol import Protocol
from thgeval.states import TwoSets
from thgeval.statistics import Resampling, bounds

pytestmark = pytest.mark.timeout(1200)  # the first test measures everything, a minute on an idle machine
REQUESTS = [
    request
    for name in registry.table()
    if issubclass(registry.metric_class(name), SetMetric)
    for request in (name, *(f"{name}/{preset}" for preset in registry.metric_class(name).presets))
]
SIZE = 176  # the smallest in which faces are found
RATE = Fraction(25)
FRAMES = 17  # one window of the longest, and a frame to spare
SEEN = {
    "fid": 2,
    "kid": 2,
    "prdc": 3,  # six rows are the least, also without one of the clips
    "e-fid": 3,
    "fid-random": 3,
    "prdc-random": 6,
    "fvd": 9,
    "fid-vid": 3,
    "fvd/latentsync": 29,
}  # by metrics of large networks
CLIPS, SIDES = ("a", "b", "c"), ("generated", "reference")


@pytest.fixture(scope="module")
def clips():
    """Reference clips of a face that moves, by name: uint8, (FRAMES, SIZE, SIZE, 3)."""
    pytest.importorskip("skimage")
    from thgeval_baselines.photo.head import render
    from thgeval_baselines.sets.clips import head
    from thgeval_baselines.sets.track import track

    drawn = head(seed=0, size=SIZE)
    return {
        name: render(drawn, track(seed=seed, seconds=2.0).frames()[: max(FRAMES, *SEEN.values())])[0]
        for seed, name in enumerate(CLIPS)
    }


@pytest.fixture(scope="module")
def blurred(clips):
    """The same, each frame averaged with its neighbours in time and darkened."""
    return {name: (frames // 2 + np.roll(frames, 1, axis=0) // 4).astype(np.uint8) for name, frames in clips.items()}


@pytest.fixture(scope="module")
def states(clips, blurred, networks, wanted):
    """The states of all clips by metric: against themselves or blurred, measured once, all metrics together."""
    copies = [measure(name, clips[name], clips[name], wanted) for name in CLIPS]
    others = [measure(name, blurred[name], clips[name], spoilt(wanted, name)) for name in CLIPS]
    held = {True: copies, False: [copy | other for copy, other in zip(copies, others, strict=True)]}

    def of(request, *, same):
        return [chosen(request, states) for states in held[same]]

    return of


@pytest.fixture(scope="module")
def apart(clips, blurred, networks, wanted):
    """The states of clips that stand alone by metric: blurred ones on the generated side, and the others."""
    sides = [[measured_alone(f"{side}/{name}", clips[name], side, wanted) for name in CLIPS] for side in SIDES]
    sides[0] = [
        states | measured_alone(f"generated/{name}", blurred[name], "generated", spoilt(wanted, name))
        for name, states in zip(CLIPS, sides[0], strict=True)
    ]
    return lambda request: TwoSets.of_sides(*([chosen(request, held) for held in side] for side in sides))


@pytest.fixture(scope="module")
def again(clips, blurred, networks, wanted):
    """The states of one clip by metric, cut into other chunks and measured by other numbers of workers."""
    return [
        measure("a", blurred["a"], clips["a"], wanted, chunk=chunk, workers=workers)
        for chunk, workers in ((1, 1), (2, 2), (FRAMES, 4))
    ]


def spoilt(wanted, name):
    """Requests by whose measure a clip of the other set is blurred: one clip is enough to be further off.

    Shares of rows that lie near others need more, and large networks see the rest again.
    """
    return [request for request in wanted if name == CLIPS[0] or request.startswith("prdc")]


def measure(name, generated, reference, wanted, *, chunk=0, workers=1):
    """All states of one pair, through the real runner."""

    def pair(frames):
        sides = (Clip(side, Memory(of[:frames], 255.0), RATE) for side, of in (("g", generated), ("r", reference)))
        return Pair(name, *sides)

    return states_of(pair, wanted, chunk=chunk, workers=workers)


def measured_alone(name, frames, side, wanted):
    """All states of one clip of a folder that is compared as a set, through the real runner."""
    return states_of(lambda count: Pair(name, Clip("g", Memory(frames[:count], 255.0), RATE), side=side), wanted)


def states_of(pair, wanted, *, chunk=0, workers=1):
    """The states of a pair by metric; ``pair`` makes it of as many frames as a metric sees."""
    found = {}
    for frames in {FRAMES, *SEEN.values()}:
        requests = [request for request in wanted if seen(request) == frames]
        if not requests:
            continue
        made = pair(frames)
        planned = plan(registry.metrics([asked(request) for request in requests]), [made])
        with Cores(workers) as cores:
            outcome = cores.occupy(measured, made, planned, Protocol(), cores, lambda frames: None, chunk)
        assert outcome.failure is None, outcome.failure
        found |= outcome.states | outcome.failed | planned.unscored
    return found


def seen(request):
    """How many frames of each clip a metric sees."""
    return SEEN.get(request, SEEN.get(request.partition("/")[0], FRAMES))


def metric_of(request):
    return registry.metric(asked(request)).metric


def chosen(request, states):
    """The state of one metric; skips where it couldn't be measured."""
    found = states[registry.metric(asked(request)).key]
    if isinstance(found, str):
        pytest.skip(reason(found))
    assert not isinstance(found, Failure), f"{request}: {cure(found)}"
    return found


def total(parts):
    return type(parts[0]).total(parts)


@pytest.mark.parametrize("request_", REQUESTS)
def test_a_set_and_its_copy_are_as_close_as_can_be(request_, states):
    metric = metric_of(request_)
    value = metric.score(total(states(request_, same=True)))
    if "estimate:infinity" in request_ or math.isnan(value):
        assert metric.remark(total(states(request_, same=True))), f"{request_} has no number: say why in remark"
        return
    lower = metric.better is Better.LOWER
    near = pytest.approx(1.0, abs=0.2 if "density" in request_ else 0)
    assert value <= 1e-9 if lower else value == near, (
        f"a set and its copy must have the best value, {0 if lower else 1} where {metric.better.value} is better, "
        f"not {value!r}: mend the formula, or better"
    )


@pytest.mark.parametrize("request_", REQUESTS)
def test_another_set_is_further(request_, states):
    metric = metric_of(request_)
    same, other = (metric.score(total(states(request_, same=same))) for same in (True, False))
    if math.isnan(same):
        pytest.skip("needs more clips than a test has")
    low, high = metric.range
    assert low <= other <= high, f"{other!r} lies outside of {low:g} .. {high:g}: mend range, or the formula"
    assert other > same if metric.better is Better.LOWER else other < same, (
        f"another set has {other!r}, the same set {same!r}: mend rows, or better, if it says the wrong way"
    )


@pytest.mark.parametrize("request_", REQUESTS)
def test_clips_that_stand_alone_give_the_number_of_pairs(request_, states, apart):
    """To the last bit where there is a pair for each."""
    metric = metric_of(request_)
    pairs, sets = total(states(request_, same=False)), apart(request_)
    assert repr(metric.score(sets)) == repr(metric.score(pairs)), (
        "clips that stand alone have another number than pairs: rows must be of one clip, not of its partner too"
    )
    assert metric.remark(sets) == metric.remark(pairs)
    assert sets.frames == pairs.frames
    assert sets.scored_references == tuple(f"reference/{name}" for name in CLIPS)
    if not math.isnan(metric.score(sets)):
        groups = [[clip] for clip in (*sets.scored, *sets.scored_references)]
        left = [sets.only([other for other in sets.clips if other != clip]) for (clip,) in groups]
        expected = [metric.score(state) for state in left]
        assert metric.scores_without(sets, groups) == pytest.approx(expected, rel=1e-6, abs=1e-6, nan_ok=True)


@pytest.mark.parametrize("request_", REQUESTS)
def test_chunks_and_workers_do_not_matter(request_, states, again):
    whole = states(request_, same=False)[0].record("a").values.tobytes()
    for another in again:
        assert chosen(request_, another).record("a").values.tobytes() == whole, (
            "chunks give other rows: the feature of rows must look at the frames of the piece alone (batch.new)"
        )


@pytest.mark.parametrize("request_", REQUESTS)
def test_the_order_of_clips_does_not_matter(request_, states):
    metric = metric_of(request_)
    parts = states(request_, same=False)
    one, other = total(parts), total([pickle.loads(pickle.dumps(part)) for part in reversed(parts)])
    assert repr(metric.score(one)) == repr(metric.score(other)), "the order of clips changes the number: mend the sums"
    assert one.scored == other.scored == CLIPS


@pytest.mark.parametrize("request_", REQUESTS)
def test_too_few_is_no_number_with_a_reason(request_, states):
    metric = metric_of(request_)
    nothing = states(request_, same=False)[0].only([])
    value = metric.score(nothing)
    assert math.isnan(value), f"score must be NaN where nothing was measured, not {value!r}: ask the state first"
    assert metric.remark(nothing) == (
        f"{metric.name} needs at least {metric.least} {metric.row} on either side, not 0"
    ), "remark must say how many rows are needed: add to super().remark(state), don't replace it"


@pytest.mark.parametrize("request_", REQUESTS)
def test_few_rows_are_a_number_with_a_note(request_, states):
    metric = metric_of(request_)
    parts = total(states(request_, same=False))
    if parts.frames >= metric.least:
        note = (
            f"rests on {parts.frames} {metric.row} a side; below {metric.enough} the value depends much on their number"
        )
        assert (metric.remark(parts) or "").startswith(note), (
            "few rows must have a note: say in enough how many make the number steady, and keep super().remark(state)"
        )


@pytest.mark.parametrize("request_", REQUESTS)
def test_intervals_leave_groups_of_clips_out(request_, states):
    metric = metric_of(request_)
    held = states(request_, same=False)
    parts = total([*held, *(part.renamed(name + name) for part, name in zip(held, CLIPS, strict=True))])
    assert not parts.additive
    assert not parts.per_clip
    assert bounds(metric, parts.only(["a"]), Resampling()).interval is None
    if not math.isnan(metric.score(parts)):
        found = bounds(metric, parts, Resampling())
        low, high = found.interval or (-math.inf, math.inf)
        assert low <= metric.score(parts) <= high
        assert found.interval is not None or "the same whichever clips are left out" in found.note
