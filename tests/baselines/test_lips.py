"""From phones to the mouth that says them: closures are met at any frame rate, weak sounds follow their neighbours."""

import json
from importlib import resources

import numpy as np
import pytest

from thgeval_baselines.rig.model import rig
from thgeval_baselines.speech.lips import SHORTEST_CLOSURE_S, closures, closures_met, mouth
from thgeval_baselines.speech.visemes import ACTIONS, ARPABET, IPA, VISEMES, Phone, visemes

SHORT_S = 0.03


def said(*names: str, each_s: float = 0.09, start_s: float = 0.3) -> list[Phone]:
    """Phones of one length after each other."""
    return [Phone(name, start_s + each_s * n, start_s + each_s * (n + 1)) for n, name in enumerate(names)]


def shipped() -> list[list[Phone]]:
    """The phones of the sentences in the package, with the times that are written there."""
    records = json.loads(resources.files("thgeval_baselines.speech").joinpath("speech.json").read_text("utf-8"))
    sentences = []
    for record in records:
        ends = [begin for begin, _ in record["phonemes"][1:]] + [record["samples"] / 16000]
        sentences.append([Phone(name, a, b) for (a, name), b in zip(record["phonemes"], ends, strict=True)])
    return sentences


@pytest.mark.parametrize("fps", [10, 12.5, 23.976, 25, 30, 60, 200])
def test_closures_are_met_at_any_frame_rate(fps: float) -> None:
    for phones in shipped():
        frames = int(phones[-1].end_s * fps)
        times_s, seen = np.arange(frames) / fps, mouth(phones, fps=fps, frames=frames)
        for begin, end in closures(phones, shortest_s=1 / fps):
            inside = (times_s >= begin) & (times_s <= end)
            assert inside.any() or begin > times_s[-1] or end < 0
            assert np.all(seen.aperture[inside] == 0)
            assert np.allclose(seen.actions["jawOpen"][inside], seen.actions["mouthClose"][inside])


def test_a_closure_is_seen_however_short_the_sound() -> None:
    phones = [Phone("a", 0.0, 0.51), Phone("p", 0.51, 0.51 + SHORT_S / 10), Phone("a", 0.52, 1.0)]
    assert mouth(phones, fps=25, frames=25).aperture.min() == 0.0
    assert np.ptp(closures(phones), axis=1) == pytest.approx([SHORTEST_CLOSURE_S])


def test_every_curve_stays_in_its_range() -> None:
    for phones in (*shipped(), said(*IPA), said(*ARPABET), []):
        seen = mouth(phones, fps=25, frames=120)
        assert set(seen.actions) == set(ACTIONS)
        assert set(ACTIONS) <= set(rig().action_names)
        for curve in (seen.aperture, seen.rounding, *seen.actions.values()):
            assert curve.shape == (120,)
            assert curve.min() >= 0
            assert curve.max() <= 1


def test_the_rigs_lips_open_as_the_aperture_says_and_touch_where_it_does() -> None:
    phones, head = shipped()[0], rig()
    seen = mouth(phones, fps=25, frames=80)
    curves = np.zeros((80, len(head.action_names)))
    for name, curve in seen.actions.items():
        curves[:, head.action_names.index(name)] = curve
    marks = head.performed(head.vertices, curves)[:, head.landmarks]
    gap = (marks[:, 62, 1] - marks[:, 66, 1]) / (marks[:, 45, 0] - marks[:, 36, 0])
    assert np.corrcoef(gap, seen.aperture)[0, 1] > 0.98
    assert gap[seen.aperture == 0].max() < 0.01 < gap[seen.aperture > 0.2].min()


def test_weak_sounds_take_the_shape_of_their_neighbours() -> None:
    rounded, spread = (mouth(said("", vowel, "k", vowel, ""), fps=200, frames=160).rounding for vowel in ("u", "i"))
    middle_of_k = round((0.3 + 0.09 * 2.5) * 200)
    assert rounded[middle_of_k] > 0.6
    assert spread[middle_of_k] < 0.05


def test_lips_round_before_the_rounded_sound_begins() -> None:
    seen = mouth(said("a", "t", "u"), fps=200, frames=160)
    start_of_u = round((0.3 + 0.18) * 200)
    assert seen.rounding[start_of_u] > 0.15


def test_a_long_sound_holds_its_aim_and_rest_is_at_rest() -> None:
    seen = mouth([Phone("ɑː", 0.5, 1.5)], fps=100, frames=250)
    assert seen.aperture[100] == pytest.approx(VISEMES["aa"].aperture, abs=0.01)
    assert seen.aperture[0] < 0.01
    assert seen.aperture[-1] < 0.01


def test_nothing_said_is_a_mouth_at_rest() -> None:
    for phones in ([], [Phone("", 0.2, 0.9)], [Phone("SIL", 0.0, 1.0)]):
        seen = mouth(phones, fps=25, frames=30)
        assert not seen.aperture.any()
        assert not seen.rounding.any()
        assert not seen.actions["jawOpen"].any()


def test_long_speech_is_made_in_blocks_without_a_seam() -> None:
    phones = [
        phone for n in range(9) for phone in said("m", "a", "s", "u", "", start_s=0.45 * n * 5 + 0.1, each_s=0.45)
    ]
    whole = mouth(phones, fps=25, frames=500)
    later = mouth([Phone(name, a - 8.0, b - 8.0) for name, a, b in phones], fps=25, frames=300)
    assert np.allclose(whole.aperture[200:], later.aperture, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("oʊ", [("oh", 0.5), ("uw", 0.5)]),
        ("ɔːɹ", [("ao", 2 / 3), ("r", 1 / 3)]),
        ("ˈʌ", [("ah", 1.0)]),
        ("ɔ̃", [("ao", 1.0)]),
        ("AW1", [("aa", 0.5), ("uw", 0.5)]),
        ("CH", [("dd", 0.5), ("sh", 0.5)]),
        ("", [("rest", 1.0)]),
        ("(en)", [("rest", 1.0)]),
        ("+NSN+", [("rest", 1.0)]),
        ("ʘ", [("hh", 1.0)]),
    ],
)
def test_names_are_read_as_visemes(name: str, found: list[tuple[str, float]]) -> None:
    assert [
        (next(key for key, each in VISEMES.items() if each is viseme), share) for viseme, share in visemes(name)
    ] == [(viseme, pytest.approx(share)) for viseme, share in found]


def test_closures_are_met_by_lips_that_nearly_touch_near_them():
    opening = np.full(50, 0.3)
    opening[[10, 11, 30]] = 0.05
    spans = np.array([[0.40, 0.44], [0.80, 0.84], [1.24, 1.28], [1.9, 1.95]])
    assert closures_met(opening, spans, fps=25).tolist() == [True, False, True, False]
    opening[11] = np.nan
    assert closures_met(opening + 0.1, spans[:1], fps=25).tolist() == [True]
