"""Poses, action units and expressions of made-up faces: what is added up, and what is left out."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import frechet
from support.stubs import scored, seen

from thgeval import registry
from thgeval.comparison import compared
from thgeval.engine.scoring import Contribution, Setting, scored_run
from thgeval.engine.verification import from_clips
from thgeval.errors import InputError
from thgeval.features.faces.facs import ActionUnits
from thgeval.features.heads.action_units import units_of
from thgeval.protocol import Protocol
from thgeval.registry import Named
from thgeval.results import ClipResult, Run
from thgeval.signature import pins_of
from thgeval.significance import JACKKNIFE
from thgeval.states import TwoSets
from thgeval.states.checkpoint import Checkpoint, Kept, load, save
from thgeval.statistics import Resampling, bounds, contributions


def metric(request):
    return registry.metric(request).metric


# Poses


def angles(rng, frames=20):
    return rng.uniform(-40, 40, (frames, 1, 3))


def test_prmse_is_a_root_of_means_per_clip_or_pooled():
    rng = np.random.default_rng(4)
    clips = [(angles(rng), angles(rng)), (angles(rng, 5), angles(rng, 5))]
    squares = [((first - second) ** 2).mean(axis=-1).ravel() for first, second in clips]
    for request, expected in (
        ("prmse/pnp", np.mean([math.sqrt(each.mean()) for each in squares])),
        ("prmse/pnp-pooled", math.sqrt(np.concatenate(squares).mean())),
    ):
        named = metric(request)
        parts = [named.measure(seen(named, *pair, clip=str(number))) for number, pair in enumerate(clips)]
        assert named.score(parts[0] + parts[1]) == pytest.approx(expected, rel=1e-12)


def test_angles_are_wrapped():
    first, second = np.full((4, 1, 3), 179.0), np.full((4, 1, 3), -179.0)
    assert scored(metric("prmse/pnp"), first, second) == pytest.approx(2.0)
    assert scored(metric("apd/pnp"), first, second) == pytest.approx(math.radians(2.0))


def test_apd_is_a_mean_in_radians():
    rng = np.random.default_rng(4)
    first, second = angles(rng), angles(rng)
    assert scored(metric("apd/pnp"), first, second) == pytest.approx(np.radians(np.abs(first - second)).mean())


def test_a_pooled_root_has_an_interval_of_its_own_and_survives_a_checkpoint(tmp_path):
    rng = np.random.default_rng(8)
    named = metric("prmse/pnp-pooled")
    parts = [named.measure(seen(named, angles(rng), angles(rng), clip=f"clip{number}")) for number in range(30)]
    total = sum(parts[1:], parts[0])
    found = bounds(named, total, Resampling())
    low, high = found.interval
    assert found.how == "jackknife-20"
    assert low < named.score(total) < high
    save(tmp_path / "a.npz", Checkpoint("clip0", {}, "", {"prmse": Kept("", parts[0])}))
    again = load(tmp_path / "a.npz").kept["prmse"].state
    assert (type(again), named.score(again)) == (type(parts[0]), named.score(parts[0]))


def test_a_pooled_root_has_a_value_per_clip_and_is_compared_by_groups(tmp_path):
    """It was sent to disk and denied the values that each clip has, as if it were rows of a set."""
    rng = np.random.default_rng(8)
    named = Named("prmse/pnp-pooled", metric("prmse/pnp-pooled"))
    clips = [f"clip{number}" for number in range(12)]
    files = []
    for system in ("one", "two"):
        states = {clip: named.metric.measure(seen(named.metric, angles(rng), angles(rng), clip=clip)) for clip in clips}
        assert not any(state.large for state in states.values())
        added = [Contribution(ClipResult(clip), {named.key: state}) for clip, state in states.items()]
        environment = {"thgeval": "0", "decoder": "d"}
        options = {"metrics": [named.key], "limit": None, "bootstrap": {"draws": 9, "seed": 1}}
        setting = Setting(Protocol(), Resampling(), 12, {}, pins_of(named.metric))
        run = scored_run([named], {}, added, setting, environment, options)
        files.append(tmp_path / f"{system}.json")
        run.write(files[-1])
        again = Run.read(files[-1])
        assert {clip.id: clip.scores[named.key] for clip in again.clips} == {
            clip: named.metric.score(state) for clip, state in states.items()
        }
        assert from_clips(again).differs == ()
        assert "|ci:jackknife-12" in again[named.key].signature
    (row,) = compared(files, Resampling()).rows
    assert (row.test, row.score) == (JACKKNIFE, again[named.key].value)


# Action units


def units(presence, intensity=None):
    presence = np.asarray(presence, float)[:, None]
    return ActionUnits(presence, presence if intensity is None else np.asarray(intensity, float)[:, None])


def test_aucon_is_the_share_of_units_told_alike_and_says_what_a_still_face_scores():
    rng = np.random.default_rng(1)
    count = len(units_of("geometric"))
    here, there = rng.random((2, 30, count)) < 0.3
    named = metric("aucon/geometric")
    state = named.measure(seen(named, units(here), units(there)))
    assert named.score(state) == pytest.approx((here == there).mean(), rel=1e-12)
    assert named.remark(state) == f"a face on which no unit ever appears would score {1 - there.mean():.3f}"
    assert contributions(named, state)[0, 0] == pytest.approx((here == there).mean())


def test_what_stands_beside_a_value_is_not_part_of_its_curve():
    rng = np.random.default_rng(1)
    here, there = rng.random((2, 30, len(units_of("geometric")))) < 0.3
    named = metric("aucon/geometric")
    state = named.measure(seen(named, units(here), units(there)))
    np.testing.assert_allclose(named.per_frame(state.record("clip").column), (here == there).mean(axis=1))


def test_aue_sums_squared_differences_over_the_units_of_a_region():
    rng = np.random.default_rng(1)
    told = units_of("geometric")
    here, there = rng.uniform(0, 5, (2, 30, len(told)))
    value = {
        region: scored(metric(f"aue:source=geometric,region={region}"), units(here, here), units(there, there))
        for region in ("all", "lower", "upper")
    }
    assert value["all"] == pytest.approx(value["lower"] + value["upper"], rel=1e-12)
    upper = [index for index, unit in enumerate(told) if unit in {"AU01", "AU02", "AU04", "AU05", "AU45"}]
    assert value["upper"] == pytest.approx(((here - there)[:, upper] ** 2).mean(axis=0).sum(), rel=1e-12)


# Expressions


def test_aed_is_a_mean_over_coefficients_or_their_sum():
    rng = np.random.default_rng(1)
    here, there = rng.normal(size=(2, 20, 1, 64))
    assert scored(metric("aed-3dmm"), here, there) == pytest.approx(np.abs(here - there).mean(), rel=1e-12)
    assert scored(metric("aed-3dmm/sum"), here, there) == pytest.approx(64 * np.abs(here - there).mean(), rel=1e-12)


def test_e_fid_pools_the_faces_of_all_clips_and_counts_those_without():
    rng = np.random.default_rng(6)
    named = metric("e-fid/landmarks")
    here, there = rng.normal(size=(2, 200, 1, 5))
    here += 0.5
    here[:20], there[10:50] = np.nan, np.nan
    parts = [
        named.measure(seen(named, here[cut], there[cut], clip=clip))
        for clip, cut in (("a", slice(0, 100)), ("b", slice(100, 200)))
    ]
    state = parts[0] + parts[1]
    assert named.score(state) == pytest.approx(frechet.distance(here[20:, 0], np.delete(there[:, 0], np.s_[10:50], 0)))
    assert state.left_out == {"no face in generated": 10, "no face in either": 10, "no face in reference": 30}
    assert "50 of" in named.remark(state)
    assert "rests on 160 faces a side" in named.remark(state)


@pytest.mark.parametrize("missing", ["skip", "hold"])
def test_e_fid_of_clips_that_stand_alone_is_that_of_pairs(missing):
    rng = np.random.default_rng(6)
    named = metric(f"e-fid:source=landmarks,missing={missing}")
    here, there = rng.normal(size=(2, 100, 1, 5))
    here[10:20], there[5:50] = np.nan, np.nan
    pair = named.measure(seen(named, here, there))
    lone = [named.measure_alone(seen(named, side, side, clip=name)) for name, side in (("g", here), ("r", there))]
    state = TwoSets.of_sides(lone[:1], lone[1:])
    assert named.score(state) == named.score(pair)
    became = ", held" if missing == "hold" else ""
    assert state.left_out == {f"no face in generated{became}": 10, f"no face in reference{became}": 45}
    assert "55 of 200 frames have no value of their own" in named.remark(state)
    with pytest.raises(InputError, match="g: no face in 10 of 100 frames, first in frame 10"):
        metric("e-fid:source=landmarks,missing=fail").measure_alone(seen(named, here, here, clip="g"))


def test_a_clip_without_anyone_gives_a_set_no_rows():
    named = metric("e-fid/landmarks")
    state = named.measure_alone(seen(named, np.empty((4, 0, 5)), np.empty((4, 0, 5)), clip="g"))
    assert state.left_out == {"no face": 4}
    sets = TwoSets.of_sides([state], [])
    assert (sets.scored, sets.frames, sets.fewest) == ((), 0, 0)


def test_e_fid_of_a_set_and_itself_is_zero():
    rows = np.random.default_rng(6).normal(size=(50, 1, 8))
    assert scored(metric("e-fid/landmarks"), rows, rows) == pytest.approx(0, abs=1e-9)


def test_sides_measured_in_other_ways_are_refused():
    here, there = np.ones((4, 1, 64)), np.ones((4, 1, 10))
    for request in ("aed-3dmm", "e-fid"):
        with pytest.raises(InputError, match="clip has 64 numbers for a face and its reference 10") as raised:
            scored(metric(request), here, there)
        assert raised.value.reason == "other number of values"


# Meshes


def test_avd_is_a_mean_distance_from_the_first_face_and_says_how_far_that_is_from_itself():
    rng = np.random.default_rng(3)
    here, there = rng.normal(size=(2, 12, 1, 68, 3))
    there[:2] = np.nan
    named, paired = metric("avd/3ddfa"), metric("avd:model=3ddfa,against=paired")
    state = named.measure(seen(named, here, there))

    def apart(first, second):
        return np.linalg.norm(first - second, axis=-1).mean()

    assert named.score(state) == pytest.approx(apart(here[2:], there[2]), rel=1e-12)
    assert named.remark(state) == (
        "2 of 12 frames have no value of their own (no face in reference: 2); "
        f"the reference is {apart(there[2:], there[2]):.4f} dm from its own first frame"
    )
    assert scored(paired, here, there) == pytest.approx(apart(here[2:], there[2:]), rel=1e-12)


@given(st.floats(-2, 2))
def test_moving_every_point_by_one_vector_moves_avd_by_its_length(step):
    still = np.random.default_rng(3).normal(size=(1, 1, 68, 3)).repeat(4, axis=0)
    assert scored(metric("avd/3ddfa"), still + np.array([step, 0, 0]), still) == pytest.approx(abs(step), abs=1e-12)
