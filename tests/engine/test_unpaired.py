"""Two folders as sets: any numbers, names, lengths and sizes of clips, each measured alone and counted on its side."""

import importlib
import json
import warnings
from dataclasses import dataclass
from importlib.resources import files

import jsonschema
import numpy as np
import pytest
from scipy import stats
from support.clips import moving, write_clip
from support.tolerances import agree

import thgeval
from thgeval.comparison import compared
from thgeval.engine.execution import OFFER
from thgeval.engine.merging import merged
from thgeval.engine.run import Options, Watcher
from thgeval.errors import InputError, ProtocolError
from thgeval.metric import Better, Needs
from thgeval.metrics.sets.sets import SetComparison, SetMetric
from thgeval.pairing import apart
from thgeval.protocol import Protocol
from thgeval.registry import metric_class
from thgeval.results import Run, states_folder
from thgeval.schema import encoded
from thgeval.signature import parse
from thgeval.states import Rows, TwoSets
from thgeval.states.checkpoint import load
from thgeval.statistics import Resampling, bounds

pytestmark = pytest.mark.usefixtures("seen_once")
SMALL = ("fid-random:side_px=32", "prdc-random:nearest=2,side_px=32", "fvd-random:length=8,windows=all,side_px=32")
FID, COVERAGE, FVD = SMALL
GENERATED = {"a": (16, 48), "b": (9, 64), "take 3": (17, 48), "d": (10, 48)}  # frames and px
REFERENCE = {"a": (11, 80), "real": (17, 64), "z": (24, 80)}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Four generated clips and three real ones, of which one pair shares a name and none its length and size."""
    pytest.importorskip("torch")
    folder = tmp_path_factory.mktemp("sets")
    return [
        filled(folder / side, shapes, noise, first)
        for side, shapes, noise, first in (("fake", GENERATED, 6.0, 0), ("real", REFERENCE, 0.0, 9))
    ]


def filled(folder, shapes, noise=0.0, first=0):
    folder.mkdir()
    for seed, (name, (frames, size)) in enumerate(shapes.items(), start=first):
        write_clip(folder / f"{name}.mp4", moving(frames, size, seed, noise))
    return folder


@pytest.fixture(scope="module")
def run(folders, tmp_path_factory):
    """A run with its states beside it."""
    return written(tmp_path_factory.mktemp("runs") / "run.json", *folders)


def written(out, generated, reference, metrics=SMALL, **options):
    options = Options(workers=2, out=out, **options)
    thgeval.evaluate(generated, reference, metrics=metrics, unpaired=True, options=options).write(out)
    return Run.read(out)


def rows(run, key, side):
    """The rows of one side, as its states hold them."""
    held = [load(path) for path in sorted(states_folder(run.path).glob(f"{side}_*.npz"))]
    return np.concatenate([kept.kept[key].state.stacked()[:] for kept in held]).astype(np.float64)


def peer(name):
    """Another package, whose own warnings while loading are not ours."""
    pytest.importorskip(name.split(".")[0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module(name)


def test_both_sides_are_counted_everywhere(run, folders):
    score = run[FID]
    assert (score.clips, run.expected) == (4, 4)
    assert (score.reference_clips, run.expected_references) == (3, 3)
    assert score.frames == sum(frames for frames, _ in GENERATED.values())
    assert "|pairs:none||n:4/4|references:3/3|" in score.signature
    assert "lengths" not in score.signature
    assert not run.failures
    assert {clip.id: (clip.side, bool(clip.generated), bool(clip.reference)) for clip in run.clips} == {
        **{f"generated/{name}": ("generated", True, False) for name in GENERATED},
        **{f"reference/{name}": ("reference", False, True) for name in REFERENCE},
    }
    assert [clip.frames for clip in run.clips if clip.id == "reference/real"] == [17]
    schema = json.loads(files("thgeval").joinpath("result.schema.json").read_text())
    jsonschema.validate(json.loads(encoded(run.to_dict())), schema)
    for key in SMALL:
        low, high = run[key].interval
        assert low <= run[key].value <= high


def test_values_are_those_of_other_packages_on_the_rows(run):
    for key, ddof in ((FID, 1), (FVD, 1)):
        distance = peer("pytorch_fid.fid_score").calculate_frechet_distance
        sides = [rows(run, key, side) for side in ("generated", "reference")]
        moments = [value for side in sides for value in (side.mean(axis=0), np.cov(side, rowvar=False, ddof=ddof))]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            agree(run[key].value, distance(*moments), "fréchet of few rows")
    generated, reference = (rows(run, COVERAGE, side) for side in ("generated", "reference"))
    within = np.linalg.norm(reference[:, None] - reference, axis=2)
    radii = np.sort(within, axis=1)[:, 2]
    covered = (np.linalg.norm(reference[:, None] - generated, axis=2) < radii[:, None]).any(axis=1)
    agree(run[COVERAGE].value, covered.mean(), "coverage")


def test_folders_that_do_fit_have_the_value_they_have_in_pairs(folders, tmp_path):
    """To the last bit: rows are the same in the same order."""
    twin = filled(tmp_path / "twin", GENERATED, 12.0)
    pairs = thgeval.evaluate(twin, folders[0], metrics=SMALL)
    sets = thgeval.evaluate(twin, folders[0], metrics=SMALL, unpaired=True)
    for key in SMALL:
        assert sets[key].value == pairs[key].value != 0
        assert sets[key].signature.partition("||")[0] != pairs[key].signature.partition("||")[0]


def test_names_do_not_matter(run, folders, tmp_path):
    """To rounding: sums of rows follow the order of names."""
    for folder, new in zip(folders, ("fake", "real"), strict=True):
        (tmp_path / new).mkdir()
        for number, clip in enumerate(sorted(folder.iterdir(), reverse=True)):
            (tmp_path / new / f"{number}{clip.suffix}").symlink_to(clip)
    other = thgeval.evaluate(tmp_path / "fake", tmp_path / "real", metrics=SMALL, unpaired=True)
    for key in SMALL:
        assert other[key].value == pytest.approx(run[key].value, rel=1e-9)


@pytest.mark.parametrize("options", [{"workers": 1, "chunk": 5}, {"workers": 3, "chunk": 64}])
def test_workers_and_chunks_do_not_matter(run, folders, options):
    again = thgeval.evaluate(*folders, metrics=SMALL, unpaired=True, options=Options(**options))
    assert {key: (score.value, score.interval) for key, score in again.scores.items()} == {
        key: (score.value, score.interval) for key, score in run.scores.items()
    }


def test_shards_may_share_their_reference_folder(run, folders, tmp_path):
    names = [("a", "d"), ("b", "take 3")]
    for shard, held in enumerate(names):
        (tmp_path / f"{shard}").mkdir()
        for name in held:
            (tmp_path / f"{shard}" / f"{name}.mp4").symlink_to(folders[0] / f"{name}.mp4")
        written(tmp_path / f"{shard}.json", tmp_path / f"{shard}", folders[1], [FID])
    whole = merged([tmp_path / "0.json", tmp_path / "1.json"], tmp_path / "all.json")
    assert whole.scores == {FID: run[FID]}
    assert (whole.expected, whole.expected_references) == (4, 3)
    with pytest.raises(ProtocolError, match=r"clip generated/a is in .* merge distinct clips"):
        merged([tmp_path / "0.json", tmp_path / "0.json"], tmp_path / "twice.json")


def test_another_reference_under_one_name_is_not_merged(folders, tmp_path):
    other = filled(tmp_path / "other", {"a": (12, 48)})
    ours = filled(tmp_path / "ours", {"x": (12, 48)})
    written(tmp_path / "0.json", ours, other, [FID])
    written(tmp_path / "1.json", folders[0], folders[1], [FID])
    with pytest.raises(ProtocolError, match=r"clip reference/a is in .* merge distinct clips"):
        merged([tmp_path / "0.json", tmp_path / "1.json"], tmp_path / "all.json")


def test_sets_and_pairs_are_not_merged(folders, tmp_path):
    written(tmp_path / "sets.json", *folders, [FID])
    ours = filled(tmp_path / "ours", {"x": (12, 48)})
    out = tmp_path / "pairs.json"
    thgeval.evaluate(ours, ours, metrics=[FID], options=Options(out=out)).write(out)
    with pytest.raises(ProtocolError, match="was made differently"):
        merged([tmp_path / "sets.json", out], tmp_path / "all.json")


def test_systems_are_compared_clip_by_clip_alone(folders, tmp_path):
    for name in ("x", "y"):
        written(tmp_path / f"{name}.json", *folders, [FID, "video-fps"])
    found = compared([tmp_path / "x.json", tmp_path / "y.json"], Resampling())
    assert [row.metric for row in found.rows] == ["video-fps"]
    assert found.skipped == {
        FID: "its clips don't come in pairs, so no group of one system's belongs to one of another's; compare intervals"
    }


def test_a_reference_folder_in_the_cache_serves_every_system(folders, tmp_path, monkeypatch):
    monkeypatch.setenv("THGEVAL_HOME", str(tmp_path / "home"))
    options = Options(cache="read-write")
    thgeval.evaluate(*folders, metrics=[FID], unpaired=True, options=options)
    seen: list[int] = []
    other = filled(tmp_path / "other", {"x": (12, 48), "y": (14, 48)}, 3.0)
    watcher = Watcher(frames=seen.append)
    cached = thgeval.evaluate(other, folders[1], metrics=[FID], unpaired=True, options=options, watcher=watcher)
    assert sum(seen) == 26
    plain = thgeval.evaluate(other, folders[1], metrics=[FID], unpaired=True)
    assert cached.scores == plain.scores
    assert [clip.media.keys() for clip in cached.clips] == [clip.media.keys() for clip in plain.clips]


def test_an_interrupted_run_measures_what_is_missing(run, folders, tmp_path):
    out = tmp_path / "run.json"
    written(out, *folders, [FID])
    gone = next(states_folder(out).glob("reference_real*"))
    gone.unlink()
    seen: list[int] = []
    options = Options(out=out)
    asked = {"metrics": [FID], "unpaired": True, "options": options}
    again = thgeval.evaluate(*folders, **asked, watcher=Watcher(frames=seen.append))
    assert sum(seen) == 17
    assert again.scores == {FID: run[FID]}


@pytest.mark.parametrize("side", [0, 1])
def test_a_broken_clip_on_either_side_is_named_and_counted(folders, tmp_path, side):
    sides = []
    for number, folder in enumerate(folders):
        sides.append(tmp_path / folder.name)
        sides[-1].mkdir()
        for clip in folder.iterdir():
            (sides[-1] / clip.name).symlink_to(clip)
        if number == side:
            (sides[-1] / "broken.mp4").write_bytes(b"no video")
    found = thgeval.evaluate(*sides, metrics=[FID], unpaired=True)
    (failure,) = found.failures
    assert failure.id == ("generated/broken", "reference/broken")[side]
    score = found[FID]
    assert score.left_out == ({"corrupt": 1}, {"corrupt in reference": 1})[side]
    assert ("|n:4/5|references:3/3|", "|n:4/4|references:3/4|")[side] in score.signature.replace("||", "|")


def test_a_side_without_any_value_leaves_no_score(folders, tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.mp4").write_bytes(b"no video")
    found = thgeval.evaluate(folders[0], tmp_path / "real", metrics=[FID], unpaired=True)
    assert found[FID].unscored == "fid-random needs at least 2 frames on either side, not 0"
    assert found[FID].left_out == {"corrupt in reference": 1}


def test_one_clip_on_a_side_gives_no_interval(folders, tmp_path):
    one = filled(tmp_path / "one", {"x": (20, 48)})
    found = thgeval.evaluate(folders[0], one / "x.mp4", metrics=[FID], unpaired=True)
    assert (found[FID].reference_clips, found[FID].interval) == (1, None)
    assert found[FID].value > 0


def test_clips_of_one_stem_go_by_their_whole_names(tmp_path):
    for side in ("fake", "real"):
        (tmp_path / side).mkdir()
        for name in ("a.mp4", "a.avi", "b.mp4"):
            (tmp_path / side / name).write_bytes(b"")
    (tmp_path / "real" / "a.avi").unlink()
    pairing = apart(tmp_path / "fake", tmp_path / "real")
    assert [pair.id for pair in pairing.pairs] == [
        "generated/a.avi", "generated/a.mp4", "generated/b.mp4", "reference/a", "reference/b"
    ]  # fmt: skip
    assert pairing.expected == 3
    assert [pair.id for pair in pairing.limited(1).pairs] == ["generated/a.avi", "reference/a"]


def test_a_list_of_clips_in_a_protocol_holds_for_either_side(tmp_path):
    for side, names in (("fake", "ab"), ("real", "bc")):
        (tmp_path / side).mkdir()
        for name in names:
            (tmp_path / side / f"{name}.mp4").write_bytes(b"")
    pairing = apart(tmp_path / "fake", tmp_path / "real", ("a", "b"))
    assert [pair.id for pair in pairing.pairs] == ["generated/a", "generated/b", "reference/b"]
    (missing,) = pairing.unpaired
    assert (missing.id, missing.failure.reason, missing.side) == ("reference/a", "missing reference", "reference")
    assert pairing.expected == 2


def test_words_are_found_in_names_without_their_side(tmp_path):
    for side in ("fake", "real"):
        (tmp_path / side).mkdir()
        (tmp_path / side / "bin blue.mp4").write_bytes(b"")
    told = apart(tmp_path / "fake", tmp_path / "real").saying(lambda name: name)
    assert [pair.transcript for pair in told.pairs] == ["bin blue", "bin blue"]


def test_single_clips_are_scored_beside_the_reference_folder_s_own_value(folders):
    found = thgeval.evaluate(*folders, metrics=["f-mse", "cpbd"], unpaired=True)
    alone = thgeval.evaluate(folders[1], metrics=["f-mse"])
    assert found["f-mse"].reference.value == alone["f-mse"].value
    assert found["f-mse"].reference.clips == 3
    assert "||n:4/4|references:3/3|" in found["f-mse"].signature
    assert found["cpbd"].reference is None  # nor has it where clips come in pairs
    assert set(found.to_frame()["f-mse"].dropna().index) == {f"generated/{name}" for name in GENERATED}


def test_metrics_that_compare_clips_are_refused(folders):
    with pytest.raises(ProtocolError) as refusal:
        thgeval.evaluate(*folders, metrics=["psnr", FID, "lmd"], unpaired=True)
    assert str(refusal.value) == (
        "without pairs there is nothing to compare each clip with, as psnr, lmd would; ask for metrics of sets, such "
        "as fid-random, or of single clips"
    )
    with pytest.raises(ProtocolError, match="without pairs, two folders are compared"):
        thgeval.evaluate(folders[0], metrics=[FID], unpaired=True)


def test_groups_of_metrics_hold_those_that_fit(tmp_path):
    for side in ("fake", "real"):
        filled(tmp_path / side, {"a": (1, 48)})
    found = thgeval.evaluate(tmp_path / "fake", tmp_path / "real", metrics=["embedded"], unpaired=True)
    assert {"fid-random", "prdc-random", "fvd-random", "e-fid/landmarks", "f-mse", "cpbd"} <= found.scores.keys()
    assert not {"psnr", "ssim", "lmd", "csim/dlib"} & found.scores.keys()


def test_frames_in_memory_may_differ_in_number_and_size():
    pytest.importorskip("torch")
    generated, reference = moving(30, 48, noise=5.0), moving(25, 64, seed=1)
    found = thgeval.score(generated, reference, metrics=[FID], unpaired=True)
    assert found[FID].value > 0
    with pytest.raises(InputError, match="the protocol wants equal lengths") as refusal:
        thgeval.score(generated, reference, metrics=[FID])
    assert str(refusal.value).endswith(OFFER)
    with pytest.raises(InputError) as refusal:
        thgeval.score(generated, reference, metrics=[FID, "psnr"])
    assert OFFER not in str(refusal.value)
    with pytest.raises(ProtocolError, match="two sets are compared"):
        thgeval.score(generated, metrics=[FID], unpaired=True)


def test_the_protocol_goes_into_signatures_and_comes_back(run):
    parsed = parse(run[FID].signature, metric_class)
    assert parsed.protocol.unpaired
    assert parsed.protocol.tokens() == ("fps:native", "size:native", "crop:none", "pairs:none")
    lenient = Protocol(lengths="truncate", rates="ignore", sizes="resize-generated", pairs="none")
    assert lenient.tokens() == parsed.protocol.tokens()
    with pytest.raises(ProtocolError, match="pairs must be one of matched, none, not 'some'"):
        Protocol(pairs="some")


class Means(SetComparison):
    def compared(self, generated, reference):
        return float(generated[:].mean() - reference[:].mean())


@dataclass(frozen=True)
class DifferenceOfMeans(SetMetric):
    name = "difference-of-means"
    version = 1
    range = (-np.inf, np.inf)
    better = Better.LOWER
    cites = ()
    needs = Needs()
    rows = None
    comparison = Means()


def sets(generated, reference):
    sides = [
        [Rows.of(f"{side}/{number}", np.full((4, 1), value)) for number, value in enumerate(values)]
        for side, values in (("generated", generated), ("reference", reference))
    ]
    return TwoSets.of_sides(*sides)


@pytest.mark.parametrize("counts", [(5, 12), (20, 3), (2, 2)])
def test_the_interval_of_a_difference_of_means_is_welch_s(counts):
    """Leaving out single clips of equal length gives the textbook's variances of means."""
    rng = np.random.default_rng(sum(counts))
    values = [rng.normal(scale=scale, size=count) for scale, count in zip((1.0, 3.0), counts, strict=True)]
    expected = stats.ttest_ind(*values, equal_var=False).confidence_interval()
    found = bounds(DifferenceOfMeans(), sets(*values), Resampling())
    np.testing.assert_allclose(found.interval, tuple(expected))
    assert found.how == f"jackknife-{counts[0]}+{counts[1]}"


def test_intervals_from_groups_cover_the_truth_about_as_often_as_they_say():
    rng = np.random.default_rng(3)
    covered = 0
    for _ in range(100):
        drawn = sets(rng.normal(size=50), rng.normal(2, 1, size=30))
        low, high = bounds(DifferenceOfMeans(), drawn, Resampling()).interval
        covered += low < -2 < high
    assert 88 <= covered <= 100


def test_no_interval_where_nothing_varies():
    assert bounds(DifferenceOfMeans(), sets([1.0] * 5, [2.0] * 5), Resampling()).interval is None


def test_sets_are_sums_of_their_parts():
    whole = sets([1.0, 2.0, 3.0], [4.0, 5.0])
    parts = [whole.only(["generated/0", "reference/1"]), whole.only(["generated/1", "generated/2", "reference/0"])]
    total = TwoSets.total(parts)
    assert total.references == whole.references
    assert total.generated[:].tolist() == whole.generated[:].tolist()
    assert (total.scored, total.scored_references) == (whole.scored, whole.scored_references)
    assert total.counts.tolist() == [[4, 0]] * 3 + [[0, 4]] * 2


def test_a_protocol_file_may_say_so(folders):
    found = thgeval.evaluate(*folders, metrics=[FID], protocol=Protocol(name="sets", pairs="none"))
    assert found.protocol == {"name": "sets@1", "fields": ["fps:native", "size:native", "crop:none", "pairs:none"]}
