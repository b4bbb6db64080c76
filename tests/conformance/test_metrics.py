"""What every metric owes: run over the registry, so that a new metric is tested by being listed."""

import math
import pickle
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from conformance.conftest import NO_FLOAT, TOO_LITTLE, asked, cure, reason, scored
from lip_sync.conftest import speech_like
from PIL import Image
from scipy.io import wavfile

from thgeval import registry
from thgeval.about.bibliography import entries
from thgeval.about.docstrings import LABELS, sections
from thgeval.clip import Clip, Memory, Pair
from thgeval.engine.measure import UNFORESEEN, measured
from thgeval.engine.plan import plan
from thgeval.engine.workers import Cores
from thgeval.errors import Failure, ProtocolError
from thgeval.features.frames.frames import rgb
from thgeval.features.frames.offered import source_image
from thgeval.media.frames import FrameBatch
from thgeval.metric import Better
from thgeval.metrics.sets.sets import SetMetric
from thgeval.parameter import declared
from thgeval.protocol import Protocol
from thgeval.signature import closure, parse, pins_of, protocol_part, signature, signed
from thgeval.states import Framewise
from thgeval.view import View

pytestmark = pytest.mark.timeout(1200)  # the first test of a kind measures everything, half a minute when idle
NAMES = list(registry.table())
REQUESTS = [
    request for name in NAMES for request in (name, *(f"{name}/{p}" for p in registry.metric_class(name).presets))
]
ON_EACH_CLIP = [  # metrics of two sets say nothing of one clip: test_sets.py measures them
    request for request in REQUESTS if not issubclass(registry.metric_class(request.partition("/")[0]), SetMetric)
]
SIZE = 176  # the smallest that every metric accepts
LOOKS = {"aperture": (0.0, 0.3, 0.6, 0.9, 0.5), "blink": (0, 0, 0, 1, 1)}
SHOWN = np.array([0, 1, 2, 4, 3, 4, 2, 0, 1])
"""The look of each frame; large networks see each look once."""
INSTEAD = np.array([1, 2, 0, 4, 3])
"""The look of the noisy clip's frames by that of the clip that it is like; networks see each pair of looks once."""
FRAMES = len(SHOWN)


@pytest.fixture(scope="module")
def clips():
    """A face that turns, speaks and blinks, and a noisy clip like it, first: uint8, (FRAMES, SIZE, SIZE, 3)."""
    pytest.importorskip("skimage")
    from thgeval_baselines.photo.geometry import Parameters
    from thgeval_baselines.sets.clips import head

    drawn = head(seed=0, size=SIZE)
    looks = list(zip(*LOOKS.values(), strict=True))
    reference = [Parameters(aperture=a, blink=b, yaw=2 * turn) for turn, (a, b) in enumerate(looks)]
    generated = [Parameters(aperture=a / 2, blink=b, yaw=3, brow=0.8, roll=5, smile=0) for a, b in looks]
    worse, best = (np.stack([drawn.frame(each) for each in of]) for of in (generated, reference))
    noise = np.random.default_rng(42).normal(0, 8, size=worse.shape)
    return np.clip(worse + noise, 0, 255).astype(np.uint8)[INSTEAD[SHOWN]], best[SHOWN]


@pytest.fixture(scope="module")
def beside(clips, tmp_path_factory):
    """What may lie beside a pair: speech, a prompt and a portrait."""
    folder = tmp_path_factory.mktemp("beside")
    files = {what: folder / name for what, name in (("audio", "a.wav"), ("prompt", "a.txt"), ("source_image", "a.png"))}
    wavfile.write(files["audio"], 16000, speech_like(640 * FRAMES))
    files["prompt"].write_text("A woman with red hair\nspeaks.\n")
    Image.fromarray(clips[1][0]).save(files["source_image"])
    return files


@pytest.fixture(scope="module")
def measure(clips, beside, networks, wanted):
    """The state of one metric on the pair, or on the reference against itself; all wanted are measured in one pass."""
    held, requests = {}, [request for request in ON_EACH_CLIP if request in wanted]

    def of(request, *, same=False, chunk=3, workers=1):
        if (run := (same, chunk, workers)) not in held:
            generated = clips[1] if same else clips[0]
            held[run] = measured_together(generated, clips[1], beside, chunk=chunk, workers=workers, requests=requests)
        outcome, unscored = held[run]
        named = registry.metric(asked(request))
        if named.key in unscored:  # a file that arrays don't have, or weights that can't be random
            pytest.skip(reason(unscored[named.key]))
        if named.key in outcome.failed and outcome.failed[named.key].reason in TOO_LITTLE:
            pytest.skip(f"a clip of {FRAMES} frames: {outcome.failed[named.key].message}")
        assert named.key not in outcome.failed, f"{named.key}: {cure(outcome.failed[named.key])}"
        return named, outcome.states[named.key]

    return of


def measured_together(generated, reference, beside, *, chunk, workers, requests):
    """All metrics of one pair, through the real runner: what came out, and what can't be scored."""
    rate = Fraction(25)
    sides = (Clip(name, Memory(frames, 255.0), rate) for name, frames in (("g", generated), ("r", reference)))
    pair, requests = Pair("clip", *sides, **beside), [asked(request) for request in requests]
    planned = plan(registry.metrics(requests), [pair])
    with Cores(workers) as cores:
        outcome = cores.occupy(measured, pair, planned, Protocol(), cores, lambda frames: None, chunk)
    assert outcome.failure is None, outcome.failure
    return outcome, planned.unscored


HARDLY = {
    "one frame": lambda frames: frames[:1],
    "two frames": lambda frames: frames[:2],
    "black frames": np.zeros_like,
    "one black frame": lambda frames: np.zeros_like(frames[:1]),
    "a face in one frame": lambda frames: np.concatenate([frames[:1], np.zeros_like(frames[1:])]),
}


@pytest.mark.parametrize("what", HARDLY)
def test_hardly_anything_to_see_is_an_answer(clips, beside, networks, what, listed):
    requests = [request for request in REQUESTS if request in listed]
    sides = [HARDLY[what](side) for side in clips]
    outcome, unscored = measured_together(*sides, beside, chunk=3, workers=1, requests=requests)
    named = [each for each in registry.metrics([asked(request) for request in requests]) if each.key not in unscored]
    faults = {key: of_answer(metric, outcome.failed.get(key) or outcome.states[key]) for key, metric in named}
    assert not any(faults.values()), "\n".join(f"{key}: {fault}" for key, fault in faults.items() if fault)


def of_answer(metric, answer):
    """What is wrong with what a metric says of a clip in which there is hardly anything to see; None if nothing is."""
    if isinstance(answer, Failure):
        if answer.reason == UNFORESEEN:
            return cure(answer)
        return None if answer.reason else "its InputError has no reason: give it one, as in reason='too short'"
    if not isinstance(value := metric.score(answer), float):
        return NO_FLOAT.format(value)
    said = metric.remark(answer)
    return None if said is None or said else f"remark gave {said!r}: return None where there is nothing to say"


@pytest.mark.parametrize("name", NAMES)
def test_the_docstring_says_what_is_read_and_returned_from_where_and_what_departs(name):
    said = sections(registry.metric_class(name))
    assert said["Is"].endswith("."), "its docstring must begin with one sentence that ends with a full stop"
    lacking = [label for label in LABELS if not said.get(label)]
    assert not lacking, f"its docstring says nothing under {', '.join(lacking)}: begin a line with that and say it"


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_is_explained(name):
    cls = registry.metric_class(name)
    assert list(cls.explained()) == list(cls.parameters())
    lacking = [field for field, says in cls.explained().items() if not says]
    assert not lacking, f"{name}: declare {', '.join(lacking)} as parameter(default, what it is)"


@pytest.mark.parametrize("name", NAMES)
def test_its_papers_are_in_the_bibliography(name):
    cites = registry.metric_class(name).cites
    assert cites or name == "video-fps", (
        f"{name} cites nothing: name the key of its paper in cites"
    )  # a fact of the file
    lacking = [key for key in cites if key not in entries()]
    assert not lacking, f"references.bib has no entry {', '.join(lacking)}: add it, or name another key in cites"


@pytest.mark.parametrize("request_", REQUESTS)
def test_signatures_round_trip(request_):
    metric = registry.metric(request_).metric
    for protocol in (
        Protocol(),
        Protocol(fps=Fraction(30000, 1001), size=256, crop="centre-square", lengths="truncate"),
    ):
        text = signature(metric, protocol, pins_of(metric), {"n": "3/4", "bs": "1000-12345"}, "!limit")
        parsed = parse(text, registry.metric_class)
        assert parsed.metric == metric, f"{text} is read as {parsed.metric}: parameters must be what signatures hold"
        assert replace(parsed.protocol, name=protocol.name) == protocol
        assert parsed.run == {"n": "3/4", "bs": "1000-12345"}
        assert parsed.flags == ("!limit",)


@pytest.mark.parametrize("request_", REQUESTS)
def test_signatures_hold_every_field_and_feature(request_):
    metric = registry.metric(request_).metric
    pins = pins_of(metric)
    tokens = protocol_part(metric, Protocol(), pins).split("|")
    unsigned = set(signed(metric)) - {token.partition(":")[0] for token in tokens}
    unsaid = {name for name in metric.settings() if name not in signed(metric)}
    assert unsaid <= {name for name, said in declared(type(metric)).items() if said.get("later")}
    assert not unsigned, (
        f"its signature leaves out {', '.join(sorted(unsigned))}: a field may not be called like a feature"
    )
    assert {feature.identity(pins) for feature in closure(metric)} <= set(tokens)


@pytest.mark.parametrize("name", NAMES)
def test_a_signature_of_another_version_is_refused(name):
    metric = registry.metric(name).metric
    text = signature(metric, Protocol(), pins_of(metric), {"n": "1/1"})
    with pytest.raises(ProtocolError, match="this version of thgeval signs"):
        parse(text.replace(f"{name}@{metric.version}", f"{name}@{metric.version + 1}", 1), registry.metric_class)


@pytest.mark.parametrize("request_", REQUESTS)
def test_keys_round_trip(request_):
    named = registry.metric(request_)
    assert named.key == request_, f"{request_} is {named.key} by another name: give the preset a field of its own"
    assert registry.metric(named.key).metric == named.metric


@pytest.mark.parametrize("name", NAMES)
def test_unknown_parameters_and_presets_are_refused(name):
    with pytest.raises(ProtocolError, match="has no parameter 'nonsense'"):
        registry.metric(f"{name}:nonsense=1")
    with pytest.raises(ProtocolError, match="has no preset 'nonsense'"):
        registry.metric(f"{name}/nonsense")


@pytest.mark.parametrize("request_", ON_EACH_CLIP)
def test_identical_clips_give_the_best_value(request_, measure):
    named, state = measure(request_, same=True)
    metric = named.metric
    if not metric.needs.pair and not metric.needs.reference:
        pytest.skip("looks at the generated clip alone")
    if source_image in closure(metric):
        pytest.skip("compares with the portrait, not with the reference")
    if request_ == "csim/first":
        pytest.skip("compares with the reference's first frame alone")
    if metric.name in ("temporal-warp-error", "avd"):
        pytest.skip("the reference has an error of its own")
    best, value = best_of(request_, metric), scored(metric, state)
    assert best is not None, f"{metric.name} compares clips: better must be HIGHER, LOWER or CLOSER_TO_ZERO"
    exact = value == (pytest.approx(best, abs=1e-12) if metric.better is Better.HIGHER else best)
    assert exact, (
        f"copies must give exactly the best value, {best:g} where {metric.better.value} is better, not {value!r}: "
        "use a formula that is exact, or mend better and range"
    )


def best_of(request_, metric):
    """The value of a clip that is a copy of its reference."""
    if request_ == "clipsim/relative":
        return 1.0
    if request_ in ("psnr/cap100", "psnr/atvgnet", "psnr/talklip", "psnr/disco"):
        return 100.0
    if request_ == "psnr/vico":
        return 80.0
    if metric.better is Better.HIGHER:
        return metric.range[1]
    return 0.0 if metric.better in (Better.LOWER, Better.CLOSER_TO_ZERO) else None


@pytest.mark.parametrize("request_", ON_EACH_CLIP)
def test_a_worse_clip_scores_worse(request_, measure):
    named, state = measure(request_)
    metric, value = named.metric, scored(named.metric, state)
    low, high = metric.range
    assert math.isfinite(value), f"a clip like its reference must have a number, not {value!r}: mend measure or score"
    assert low <= value <= high, f"{value!r} lies outside of {low:g} .. {high:g}: mend range, or the formula"
    if metric.name == "mkr":
        pytest.skip("every face of the reference is found in both clips")
    if metric.better is Better.CLOSER_TO_ZERO:
        assert value != 0, WORSE
    elif metric.needs.pair or metric.needs.reference:
        assert value < high if metric.better is Better.HIGHER else value > low, WORSE


WORSE = "a worse clip has the best value: mend what measure compares, or better, if it says the wrong way"


@pytest.mark.parametrize("request_", ON_EACH_CLIP)
def test_chunks_and_workers_do_not_matter(request_, measure):
    named, whole = measure(request_, chunk=100)
    for chunk, workers in ((1, 1), (2, 3), (3, 1)):
        _, state = measure(request_, chunk=chunk, workers=workers)
        assert scored(named.metric, state) == scored(named.metric, whole), CHUNKS
        assert state.record("clip").values.tobytes() == whole.record("clip").values.tobytes(), CHUNKS


CHUNKS = (
    "chunks give other values: hand start=view.start to the state, and measure the frames of the piece alone "
    "(batch.new, or a feature's planes)"
)


@pytest.mark.parametrize("request_", ON_EACH_CLIP)
def test_states_pickle_and_add(request_, measure):
    named, state = measure(request_)
    again = pickle.loads(pickle.dumps(state))
    assert scored(named.metric, again) == scored(named.metric, state), (
        "a state read back scores differently: keep all in it"
    )
    two = state.renamed("a") + again.renamed("b")
    assert two.scored == ("a", "b")
    assert scored(named.metric, two) == pytest.approx(scored(named.metric, state), rel=1e-12), (
        "a clip and its copy must score as one of them: score the sum of states by a mean over clips"
    )


@pytest.mark.parametrize("request_", ON_EACH_CLIP)
def test_values_per_frame_are_what_frames_score_alone(request_, measure):
    """Where a state keeps something else than is scored, ``per_frame`` of the metric must say how it is read."""
    named, state = measure(request_)
    if not isinstance(state, Framewise):
        pytest.skip("it keeps no values per frame")
    values = state.record("clip").column
    values = values[~np.isnan(values)]
    alone = [scored(named.metric, type(state).of("clip", [value])) for value in values]
    said = "per_frame must give what each frame scores alone: override it where the state keeps something else"
    np.testing.assert_array_equal(named.metric.per_frame(values), alone, said)


@pytest.mark.parametrize("request_", ON_EACH_CLIP)
def test_no_clips_is_no_number(request_, measure):
    named, state = measure(request_)
    value = scored(named.metric, state.only([]))
    assert math.isnan(value), f"score must be NaN where nothing was measured, not {value!r}: ask the state first"


@pytest.mark.parametrize("name", NAMES)
def test_metrics_are_frozen_values(name):
    metric = registry.metric(name).metric
    assert metric == registry.metric(name).metric
    assert hash(metric) == hash(registry.metric(name).metric)
    with pytest.raises(AttributeError):
        metric.anything = 1


def test_only_declared_features_are_handed_out(clips):
    batch = FrameBatch(clips[0], 255.0, 0)
    view = View.of("clip", 0, {rgb: batch}, {rgb: batch}).seen_by(registry.metric("psnr").metric.needs, "psnr")
    with pytest.raises(LookupError, match="psnr reads rgb@1 without declaring it in its needs"):
        view.generated[rgb]
