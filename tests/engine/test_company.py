"""Two people side by side: the note of every metric that chooses one says so, in the table, the file and the report."""

import numpy as np
import pytest

pytest.importorskip("dlib")
pytest.importorskip("skimage")

import thgeval
from thgeval import registry
from thgeval.engine.company import choices
from thgeval.engine.plan import side
from thgeval.results.tables import scores_text
from thgeval.states import ClipMean, Part, TrackMean
from thgeval.states.checkpoint import Checkpoint, Kept, load, save
from thgeval_baselines.photo.head import render
from thgeval_baselines.sets.clips import head
from thgeval_baselines.sets.track import track

FRAMES = 8
METRICS = ["blinks-per-s", "lmd", "mkr/faces", "l1/mouth", "blinks-per-s:who=track", "lmd:who=all", "psnr"]


def speaking(seed):
    return render(head(seed=seed, size=192), track(seed=seed, seconds=2.0).frames()[:FRAMES])[0]


@pytest.fixture(scope="module")
def one():
    return speaking(4)


@pytest.fixture(scope="module")
def two(one):
    """The larger of two faces is now the left and now the right one: the left picture grows and shrinks a little."""
    other = np.stack([np.pad(frame[8:-8, 8:-8], ((8, 8), (8, 8), (0, 0)), mode="edge") for frame in one])
    shrunk = np.where((np.arange(FRAMES) // 3 % 2 == 1)[:, None, None, None], other, one)
    return np.concatenate([shrunk, one[::-1]], axis=2)


@pytest.fixture(scope="module")
def run(two):
    return thgeval.score(two, two, metrics=METRICS, fps=25)


def test_every_metric_that_chooses_a_face_tells_of_the_other(run):
    frames = f"another face is as large in {FRAMES} frames of 1 "
    assert f"{frames}generated clip" in run["blinks-per-s"].note
    assert run["blinks-per-s"].note.endswith("; who=track follows one person")
    assert f"{frames}generated clip and {FRAMES} frames of 1 reference clip" in run["lmd"].note
    assert f"{FRAMES} frames of 1 reference clip" in run["mkr/faces"].note
    assert f"{frames}reference clip" in run["l1/mouth"].note
    assert run["blinks-per-s:who=track"].note.endswith(f"{frames}generated clip")
    assert "another face" not in run["lmd:who=all"].note
    assert "another face" not in (run["psnr"].note or "")


def test_changes_of_owner_are_counted_alike_whatever_the_chunks(run, two):
    assert "the choice changed owner" in run["lmd"].note
    metrics = ["lmd", "l1/mouth"]
    again = thgeval.score(two, two, metrics=metrics, fps=25, options=thgeval.Options(chunk=3))
    assert [again[key].note for key in metrics] == [run[key].note for key in metrics]


def test_it_reaches_the_file_the_table_and_the_report(run, tmp_path):
    from thgeval import report

    note = run["blinks-per-s"].note
    assert run.to_dict()["scores"]["blinks-per-s"]["note"] == note
    assert note in scores_text(run, form="table", digits=4, brief=False)
    run.write(tmp_path / "run.json")
    report.write(tmp_path / "run.json", tmp_path / "run.html")
    assert note in (tmp_path / "run.html").read_text(encoding="utf-8")


def test_one_person_has_no_company(one):
    beside = np.pad(one, ((0, 0), (0, 0), (0, 160), (0, 0)))
    beside[:, 40:120, -120:-40] = one[:, ::2, ::2][:, 8:88, 8:88]  # a picture of a face, a quarter of the area
    for frames in (one, beside):
        scores = thgeval.score(frames, frames, metrics=METRICS, fps=25).scores
        assert not any("another face" in (score.note or "") for score in scores.values())


def test_what_was_counted_survives_a_checkpoint(tmp_path):
    state = ClipMean.of("a", [1.0, 2.0]).counting("a", {"generated frames": 3})
    save(tmp_path / "a.npz", Checkpoint("a", {}, "", {"lmd": Kept("", state)}))
    again = load(tmp_path / "a.npz").kept["lmd"].state
    assert again.counted("a") == {"generated frames": 3}
    assert (again + state.renamed("b")).counted("b") == {"generated frames": 3}
    assert state.counting("a", {"generated frames": 2}).counted("a") == {"generated frames": 2}


def test_every_choice_of_a_face_is_known():
    """Whatever rests on the faces of a frame rests on a choice among them."""
    chooses = set()
    for name in registry.table():
        for request in (name, *(f"{name}/{preset}" for preset in registry.metric_class(name).presets)):
            metric = registry.metric(request).metric
            needs = side(metric, reference=False) + side(metric, reference=True)
            if any(below.name == "faces" and below.compute for need in needs for below in need.closure()):
                assert choices(needs), request
                chooses.add(name)
            else:
                assert not choices(needs), request
    assert {"lmd", "blinks-per-s", "csim", "sync-lm-conf", "sync-envelope", "wer", "psnr", "prmse"} <= chooses


@pytest.mark.parametrize(("starts", "said"), [((0, 50), True), ((0, 150), False), ((0,), False)])
def test_tracks_at_once_are_told_of(starts, said):
    """SyncNet scores every tracked face, speaker or not."""
    parts = tuple(Part(start, np.ones(120)) for start in starts)
    note = registry.metric("sync-conf").metric.remark(TrackMean({"a": parts}))
    assert note == (
        "in 1 of 1 clips several faces are tracked at once, and each counts though one may listen" if said else None
    )
