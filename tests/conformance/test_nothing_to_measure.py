"""What every metric says where there is nothing to measure: no value with a reason, or the value that is right.

Run over the registry. A metric that compares clips may give equal ones the best value, and others any, where it sees
what it looks for. Whatever else has a value in one of these cases must be listed in ``RIGHT``, with the value and why
it is one, or it counts nothing as something.
"""

import math
from fractions import Fraction

import numpy as np
import pytest

pytest.importorskip("dlib")
pytest.importorskip("skimage")

from lip_sync.conftest import speech_like

from thgeval import registry
from thgeval.clip import Clip, Memory, Pair
from thgeval.engine.run import Options, execute
from thgeval.metric import Better
from thgeval.metrics.pixels.regions import Regional
from thgeval.metrics.sync.syncnet import SyncNetMetric
from thgeval.pairing import Pairing
from thgeval.signature import closure
from thgeval_baselines.photo.head import render
from thgeval_baselines.sets.clips import head
from thgeval_baselines.sets.track import track

SIZE, FRAMES = 176, 8
REQUESTS = [
    request
    for name in registry.table()
    for request in (name, *(f"{name}/{preset}" for preset in registry.metric_class(name).presets))
]
HEARD = [
    name
    for name in registry.table()
    if any(feature.offered == "sound" for feature in closure(registry.metric(name).metric))
]

CASES = {
    "black frames on both sides": lambda face: (face * 0, face * 0),
    "frames of one grey against those of another": lambda face: (face * 0 + 100, face * 0 + 128),
    "a frozen clip and its copy": lambda face: (still(face), still(face)),
    "black frames against a face": lambda face: (face * 0, face),
    "a face against black frames": lambda face: (face, face * 0),
    "one frame and its copy": lambda face: (face[:1], face[:1]),
    "two frames against two others": lambda face: (face[:2], face[3:5]),
}

EQUAL = ("black frames on both sides", "a frozen clip and its copy", "one frame and its copy")
FACED = ("a frozen clip and its copy", "one frame and its copy", "two frames against two others")
"""Cases of equal clips, and of a face on either side."""

EXACT = dict.fromkeys(("l1", "l1-255", "lpips", "lmd", "f-lmd", "m-lmd", "akd", "mkr", "aue", "prmse", "apd"), 0.0)
EXACT |= dict.fromkeys(("ssim", "ms-ssim", "fsim", "fsimc", "csim", "aucon"), 1.0)
EXACT |= {"f-sim": 100.0, "aed-euclid": 0.0, "aed-3dmm": 0.0, "psnr": math.inf}
EXACT |= dict.fromkeys(("psnr/cap100", "psnr/atvgnet", "psnr/talklip", "psnr/disco"), 100.0) | {"psnr/vico": 80.0}
"""Values of equal frames, however few or plain they are."""

STILL = {"f-mse": 0.0, "ofm": 0.0, "temporal-warp-error": 0.0, "drift": 0.0}
"""A still clip does not change: as right for a black one as for any other."""

ANY = {"video-fps": 25.0, "blinks-per-s": 0.0}
"""The rate of the file; eyes that are seen and never shut."""

SETS = {"fid-random": 0.0, "e-fid/landmarks": 0.0}
"""Two rows make a covariance, and equal sets have equal ones."""

DYNAMICS = ("lip-dynamics-theval", "eyebrow-dynamics-theval", "head-motion-theval")
"""How much a face moves, alone."""

VALUES = None
"""In this case the metric measures something, whatever comes out."""

JET = {"ofm/diffused-heads": VALUES}
"""The mean colour of a picture of the flow, as its script has it: no flow has a colour too."""

PIXELS = dict.fromkeys(("psnr", "l1", "l1-255", "ssim", "ms-ssim", "fid-random", "f-mse", "ofm", "temporal-warp-error"))
FACES = dict.fromkeys(("lmd", "f-lmd", "m-lmd", "lvd", "akd", "mkr", "aue", "prmse", "apd", "aucon", "csim", "f-sim"))

RIGHT = {
    "black frames on both sides": {
        **{name: EXACT[name] for name in EXACT if name.startswith("psnr")},
        **{name: EXACT[name] for name in ("l1", "l1-255", "ssim", "ms-ssim")},
        **STILL,
        **JET,
        "video-fps": 25.0,
        "fid-random": 0.0,
    },
    "frames of one grey against those of another": {**PIXELS, **STILL, **JET, "video-fps": 25.0},
    "a frozen clip and its copy": {
        **EXACT,
        **STILL,
        **JET,
        **ANY,
        **SETS,
        **dict.fromkeys(DYNAMICS, 0.0),
        "cpbd": VALUES,  # one picture is sharp or not
        "id-consistency": 1.0,  # it looks like itself
        "lvd": 0.0,  # neither side moves
    },
    "black frames against a face": {
        **PIXELS,
        "fsim": VALUES,  # what is seen on one side alone
        "fsimc": VALUES,
        "mkr": 1.0,  # every face of the reference is lost
        "video-fps": 25.0,
        "ofm": 0.0,
        "f-mse": 0.0,
        "drift": 0.0,
        **JET,
        **dict.fromkeys(("prdc-random", "prdc-random/precision", "prdc-random/density", "prdc-random/recall"), 0.0),
    },
    "a face against black frames": {
        **PIXELS,
        **JET,
        **ANY,
        "fsim": VALUES,  # what is seen on one side alone
        "fsimc": VALUES,
        "cpbd": VALUES,
        "drift": VALUES,
        **dict.fromkeys(DYNAMICS),
        "id-consistency": VALUES,
        "prdc-random/recall": 0.0,  # the black picture lies in no generated ball
    },
    "one frame and its copy": {**EXACT, **ANY, "cpbd": VALUES},
    "two frames against two others": {
        **PIXELS,
        **FACES,
        **ANY,
        **JET,
        **dict.fromkeys(("fsim", "fsimc", "cpbd", "aed-euclid", "mouth-amplitude", "e-fid/landmarks", "drift")),
        **dict.fromkeys(DYNAMICS),
    },
}
"""By case, the metrics (with all their presets, unless these have a row of their own) that have a value, and which."""


def still(face):
    return np.repeat(face[:1], len(face), axis=0)


def judged(pair, requests):
    return execute(Pairing((pair,), ()), requests, "native", Options(workers=2)).scores


def pair_of(generated, reference):
    sides = [
        None if side is None else Clip("clip", Memory(side, 255.0), Fraction(25)) for side in (generated, reference)
    ]
    return Pair("clip", *sides)


@pytest.fixture(scope="module")
def face(seen_once):
    return render(head(seed=0, size=SIZE), track(seed=1, seconds=1.0).frames()[:FRAMES])[0]


@pytest.mark.parametrize("case", CASES)
def test_a_value_is_right_or_there_is_none_and_a_reason(case, face, listed):
    right = RIGHT[case]
    answered, faults = set(), {}
    requests = [request for request in REQUESTS if request in listed]
    for key, score in judged(pair_of(*CASES[case](face)), requests).items():
        if score.value is None:
            if not score.unscored:
                faults[key] = "nothing: say in remark why there is no number"
            continue
        row = key if key in right else key.partition("/")[0]
        if row not in right:
            if wrong := against_rule(key, score.value, case):
                faults[key] = f"{score.value}: {wrong}"
            continue
        answered.add(row)
        expected = right[row]
        if expected is not VALUES and score.value != pytest.approx(expected, abs=1e-9):
            faults[key] = f"{score.value}: mend the formula, as {expected} is right"
        elif not score.range[0] <= score.value <= score.range[1]:
            faults[key] = f"{score.value}: mend range, or the formula"
    assert not faults, "\n".join(f"{key}: for {case} it gives {fault}" for key, fault in faults.items())
    assert {row for row in right if row in requests and "/" not in row and offline(row)} <= answered


def against_rule(key, value, case):
    """What to do about the value of a metric that isn't listed; None if it compares what there is to see."""
    metric = registry.metric(key).metric
    features = [feature for feature in closure(metric) if feature.compute is not None]
    faces = any(not feature.compute.__module__.startswith("thgeval.features.frames.") for feature in features)
    seen = (*FACED, "black frames against a face") if isinstance(metric, Regional) else FACED  # at the reference's face
    if not metric.needs.compares or (faces and case not in seen):
        return "raise InputError with a reason there, or give the state NaN; if it is right, list it in RIGHT"
    if case in EQUAL and value != pytest.approx(
        best := 0.0 if metric.better is Better.LOWER else metric.range[1], abs=1e-9
    ):
        return f"equal clips have the best value, {best:g}: mend the formula, or list it in RIGHT if another is right"
    low, high = metric.range
    return None if low <= value <= high else f"its range is {low:g} .. {high:g}: mend range, or the formula"


def offline(name):
    """Whether some form of a metric needs nothing that this test doesn't have."""
    return registry.embedded(name) is not None


SILENT = {
    "a silent clip": (lambda face: face, lambda sound: sound * 0),
    "a mouth that never moves": (still, lambda sound: sound),
    "nobody in the picture": (lambda face: face * 0, lambda sound: sound),
    "a clip shorter than a window": (lambda face: face[:4], lambda sound: sound[: 4 * 640]),
}
HEARD_RIGHT = {
    "a silent clip": {"silent-lip-stability", "silent-lip-stability/silero"},  # the whole clip is a pause
    "a mouth that never moves": {
        "silent-lip-stability/silero",  # which hears no voice in noise, so that all is a pause, and the mouth rests
        "sync-lm-conf",  # lips that say nothing fit no shift better than another: near 0
        "sync-lm-dist",  # and none well
        "lip-sync-theval",  # a mouth whose opening is 0 throughout, against the loudness
        "pbas",  # a head that never beats, which is the worst
    },
    "nobody in the picture": set(),
    "a clip shorter than a window": {"lip-sync-theval"},  # its program compares frame by frame
}


@pytest.mark.parametrize("case", SILENT)
def test_lips_and_sound_are_not_compared_where_one_is_missing(case, tmp_path, listed):
    requests = [
        request
        for request in REQUESTS
        if request in listed
        and (name := request.partition("/")[0]) in HEARD
        and not issubclass(registry.metric_class(name), SyncNetMetric)
    ]
    if not requests:
        pytest.skip("none of the metrics asked for hears anything")
    soundfile = pytest.importorskip("soundfile")
    frames = render(head(seed=0, size=SIZE), track(seed=1, seconds=2.0).frames()[:44])[0]
    show, hear = SILENT[case]
    soundfile.write(tmp_path / "speech.wav", hear(speech_like(44 * 640)), 16000)
    clip = Clip("clip", Memory(show(frames), 255.0), Fraction(25))
    scores = judged(Pair("clip", clip, audio=tmp_path / "speech.wav"), requests)
    for key, score in scores.items():
        if (key if key.endswith("/silero") else key.partition("/")[0]) in HEARD_RIGHT[case]:
            assert score.value is not None, key
        else:
            assert score.value is None, f"{key} gives {score.value} for {case}"
            assert score.unscored, key
    if case == "a mouth that never moves" and {"sync-lm-conf", "sync-envelope", "sync-lm-offset"} <= scores.keys():
        assert scores["sync-lm-conf"].value < 0.1
        assert scores["sync-envelope"].left_out == {"still mouth": 1}
        assert scores["sync-lm-offset"].left_out == {"still mouth": 1}
