"""The runner: what it makes, what a generator can see, what it goes on from, and that no failure is lost."""

import json
import shutil
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from support import odd_generators
from support.outputs import alive, levels

from thgeval.clip import Clip
from thgeval.errors import ProtocolError
from thgeval.media import decoded_speech, probe
from thgeval.timing import read_timing
from thgeval_baselines import systems as outside
from thgeval_baselines.catalogue import systems
from thgeval_baselines.generators import BUILTIN
from thgeval_baselines.running.plan import Options, planned
from thgeval_baselines.running.record import DONE, FAILED, SKIPPED, TIMEOUT, read_record
from thgeval_baselines.running.runner import Watcher, run
from thgeval_baselines.tasks.files import read_taskset
from thgeval_baselines.tasks.items import TaskSet
from thgeval_baselines.tasks.settings import SETTINGS


def made(tasks, out, options, *names, items=1, **changed):
    return run(tasks, systems(names), out, options=replace(options, **changed), items=tasks.items[:items])


FAILURES = {
    "Crashing": (FAILED, "crashed", "ZeroDivisionError: weights are zero"),
    "Refusing": (FAILED, "no face", "the portrait shows no face"),
    "Empty": (FAILED, "refused", "there are no frames to write"),
    "TooShort": (FAILED, "wrong length", "10 frames at 25 per second, 25 were wanted"),
    "ThreePanels": (FAILED, "panels", "384 x 128 px where 128 x 128 were wanted"),
    "FittingBadly": (FAILED, "fit failed", "the fit clip has no sound"),
    "FillingTheDisk": (FAILED, "disk", "had written 40 MiB"),
}
OTHERS = ("Swaying", "Spy", "Fitted", "WrongRate", "Frozen", "Faceless", "CopyingTheDriver", "Speaking", "Forking")


@dataclass(frozen=True)
class Made:
    """One run of all odd generators over one item, in ``out``."""

    tasks: TaskSet
    out: Path
    options: Options
    told: list

    def record(self, id):
        (record,) = [each for each in self.told[1:] if each[0].system["id"] == id]
        return record[0]

    def item(self, id):
        return self.out / self.record(id).setting / id / "items/item-a"


@pytest.fixture(scope="module")
def once(made_once, tmp_path_factory, odd):
    folder = tmp_path_factory.mktemp("once")
    shutil.copytree(made_once, folder / "secret-set")
    tasks = read_taskset(folder / "secret-set")
    options = Options(workers=2, timeout_s=120, disk_bytes=40 << 20, fits=folder / "fits")
    told = []
    watcher = Watcher(begins=told.append, ends=lambda record, fresh: told.append((record, fresh)))
    names = systems([odd(name) for name in (*FAILURES, *OTHERS)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("THGEVAL_HOME", str(folder / "home"))
        run(tasks, names, folder / "elsewhere", options=options, items=tasks.items[:1], watcher=watcher)
    return Made(tasks, folder / "elsewhere", options, told)


def test_a_generator_leaves_its_video_and_all_that_is_known_of_it(once):
    assert once.told[0] == len(FAILURES) + len(OTHERS) == len(once.told) - 1
    assert all(fresh for _, fresh in once.told[1:])
    folder, item = once.out / "self-audio/my-swaying", once.item("my-swaying")
    assert {path.name for path in item.iterdir()} == {"raw.mp4", "out.mp4", "run.json", "log.txt", "evidence"}
    assert len(levels(folder / "clips/item-a.mp4")) == 25
    assert abs(decoded_speech(folder / "clips/item-a.mp4").duration_s - 1) < 0.1
    assert (folder / "clips/item-a.txt").read_text() == "Sentence a.\n"
    assert (folder / "clips/item-a.source.png").read_bytes() == (once.tasks.folder / "img/a.png").read_bytes()
    record = read_record(item)
    assert record == once.record("my-swaying")
    assert (record.status, record.actions) == (DONE, ())
    assert (item / "evidence/seed.txt").read_text() == str(record.seed)
    assert record.video["frames"] == 25
    assert record.system["paradigm"] == "image"
    ((generated, reference),) = [line.split("\t") for line in (folder / "pairs.txt").read_text().splitlines()]
    assert generated == "clips/item-a.mp4"
    assert (folder / reference).resolve() == once.tasks.folder / "ref/a.mp4"
    assert json.loads((folder / "summary.json").read_text())["status"] == {"done": 1}


def test_the_cost_card_is_a_timing_record_and_says_more(once):
    path = once.out / "self-audio/my-fitted/clips/item-a.timing.json"
    record, card = read_timing(path), json.loads(path.read_text())
    assert record.frames == 25
    assert record.timed == "generator"
    assert 0 < card["first_frame_s"] <= card["seconds"]
    assert card["real_time_factor"] == pytest.approx(card["seconds"])  # of one second of video
    assert card["peak_memory_bytes"] > 20 << 20
    assert card["weights_bytes"] == Path(odd_generators.__file__).stat().st_size
    assert card["fit_s"] > 0
    assert "cores" in card["hardware"]


def test_no_generator_can_reach_the_reference(once):
    seen = json.loads((once.item("my-spy") / "evidence/seen.json").read_text())
    assert {Path(path).name for path in seen["files"]} == {"source_image.png", "audio.mp4", "fit_video.mp4", "job.json"}
    assert seen["links"] == []
    ours = {path.stat().st_ino for path in once.tasks.folder.rglob("*") if path.is_file()}
    assert not ours & set(seen["files"].values())
    told = json.dumps([seen[name] for name in ("argv", "environment", "cwd", "inputs", "files")])
    assert "secret-set" not in told
    assert "elsewhere" not in told
    assert all("secret-set" not in place for place in seen["open"])
    assert "item-b" not in told
    assert not Path(seen["cwd"]).exists(), "the folder is gone afterwards"


@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_is_kept_with_its_reason_and_counts_as_missing(once, name):
    generator = getattr(odd_generators, name)
    status, reason, said = FAILURES[name]
    record = once.record(generator.id)
    assert (record.status, record.reason) == (status, reason), record
    assert said in record.message
    folder = once.out / "self-audio" / generator.id
    assert read_record(folder / "items/item-a") == record
    assert not (folder / "clips/item-a.mp4").exists()
    assert (folder / "pairs.txt").read_text().startswith("clips/item-a.mp4\t")
    (failure,) = json.loads((folder / "summary.json").read_text())["failures"]
    assert failure["reason"] == reason


def test_the_tail_of_the_log_is_kept(once):
    assert "before the crash" in once.record("my-crashing").log_tail
    assert "Traceback" in once.record("my-crashing").log_tail


def test_a_wrong_rate_is_brought_to_the_wanted_one_and_said(once):
    record, folder = once.record("my-wrong-rate"), once.item("my-wrong-rate")
    assert record.actions == ("brought 50 to 25 frames per second by the nearest frame in time",)
    raw, out = levels(folder / "raw.mp4"), levels(folder / "out.mp4")
    assert (len(raw), len(out)) == (50, 25)
    assert probe(Clip("out", folder / "out.mp4")).fps == 25
    assert np.abs(out.astype(int) - raw[::2]).mean() < 2
    assert abs(decoded_speech(folder / "out.mp4").duration_s - 1) < 0.1


def test_a_still_picture_is_remarked_on_and_a_head_that_moves_is_not(once):
    assert "still: every frame shows the same picture" in once.record("my-frozen").remarks
    assert once.record("my-frozen").status == DONE
    assert not any("still" in remark for remark in once.record("my-swaying").remarks)


def test_a_video_without_a_face_is_no_result(once):
    record = once.record("my-faceless")
    if any("faces were not looked for" in remark for remark in record.remarks):
        pytest.skip("needs the extra faces")
    assert (record.status, record.reason) == (FAILED, "no face")
    assert once.record("my-swaying").video["faces"] == 1.0


def test_a_copy_of_what_was_shown_is_remarked_on(once):
    record = once.record("my-copying")
    assert record.setting == "self-reenactment"
    assert "copy: it shows what its driving_video shows" in record.remarks


def test_a_generator_that_speaks_keeps_its_own_sound(once):
    record = once.record("my-speaking")
    assert (record.setting, record.status) == ("text", DONE)
    sound = decoded_speech(once.out / "text/my-speaking/clips/item-a.mp4").samples
    assert np.abs(sound).mean() == pytest.approx(1 / np.pi, rel=0.1)


def test_where_training_sets_meet_the_record_says_so(once):
    said = " ".join(once.record("my-fitted").contamination)
    assert "my-fitted was trained on the 665 clips of GRID s1 that trained sync-lm, which tiny is made from" in said
    assert "sync-lm-conf" in said


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="only Linux shows what was left behind")
def test_what_a_generator_leaves_running_is_ended_with_it(once):
    assert once.record("my-forking").status == DONE
    assert alive("left-behind-by-a-test") == []


def test_nothing_stays_among_the_temporary_files_nor_of_a_fit_that_failed(once):
    seen = json.loads((once.item("my-spy") / "evidence/seen.json").read_text())
    assert not Path(seen["cwd"]).parent.exists()
    kept = {path.name.rpartition("-")[0] for path in once.options.fits.iterdir() if not path.name.startswith(".")}
    assert kept == {"my-fitted"}


def test_the_same_call_goes_on_and_makes_nothing_twice(tasks, tmp_path, options, odd):
    def again(tasks, **changed):
        fresh = []
        watcher = Watcher(ends=lambda record, new: fresh.append((record.item, new)))
        given = replace(options, **changed)
        run(tasks, systems([odd("Fitted")]), tmp_path / "out", options=given, watcher=watcher)
        return {item for item, new in fresh if new}

    folder = tmp_path / "out/self-audio/my-fitted"
    assert again(tasks) == {"item-a", "item-b", "item-c"}
    (fit,) = [path for path in options.fits.iterdir() if not path.name.startswith(".")]
    stamp = (fit / "learnt.txt").stat().st_mtime_ns
    assert again(tasks) == set()
    seeds = [read_record(folder / f"items/item-{name}").seed for name in "abc"]
    assert len(set(seeds)) == 3
    before = levels(folder / "clips/item-b.mp4")
    (folder / "items/item-b/out.mp4").unlink()
    (folder / "items/item-c/run.json").write_text("{")
    (tasks.folder / "img/a.png").write_bytes((tasks.folder / "img/b.png").read_bytes())
    unhashed = replace(tasks, items=tuple(replace(item, sha256={}) for item in tasks.items))
    assert again(unhashed) == {"item-a", "item-b", "item-c"}
    assert np.array_equal(levels(folder / "clips/item-b.mp4"), before), "the same seed makes the same frames"
    assert (fit / "learnt.txt").stat().st_mtime_ns == stamp, "one fit for all"


def test_another_seed_makes_other_frames(once, tmp_path, odd):
    made(once.tasks, tmp_path, once.options, odd("Swaying"), seed=1)
    ours, other = [place / "self-audio/my-swaying/clips/item-a.mp4" for place in (once.out, tmp_path)]
    assert not np.array_equal(levels(ours), levels(other))


def test_failures_stand_until_they_are_to_be_tried_again(tasks, tmp_path, options, odd):
    fresh = []
    for changed in ({}, {}, {"retry": True}):
        watcher, given = Watcher(ends=lambda record, new: fresh.append(new)), replace(options, **changed)
        run(tasks, systems([odd("Crashing")]), tmp_path, options=given, items=tasks.items[:1], watcher=watcher)
    assert fresh == [True, False, True]


def test_a_failed_item_leaves_no_old_video_to_be_scored(tasks, tmp_path, options):
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    shutil.copy(tasks.folder / "ref/b.mp4", theirs / "item-a.mp4")
    assert made(tasks, tmp_path / "out", options, f"mine={theirs}").count(DONE) == 1
    clips = tmp_path / "out/self-audio/mine/clips"
    assert (clips / "item-a.mp4").exists()
    (tmp_path / "out/self-audio/mine/items/item-a/run.json").unlink()
    (tasks.folder / "img/a.png").write_bytes(b"changed")
    outcome = made(tasks, tmp_path / "out", options, f"mine={theirs}")
    assert outcome.records[0].reason == "changed"
    assert list(clips.iterdir()) == []


def test_a_generator_that_hangs_is_ended_and_its_log_kept(tasks, tmp_path, options, odd):
    (record,) = made(tasks, tmp_path / "out", options, odd("Hanging"), timeout_s=10).records
    assert (record.status, record.reason) == (TIMEOUT, "timeout")
    assert record.message == "it was ended after 10 s; --timeout allows more"
    assert "going to sleep" in record.log_tail


def test_what_items_lack_is_said_where_some_setting_would_show_it(tasks):
    """The tiny set has neither curves nor views from known cameras, which no setting but one shows."""
    (nerf,) = systems(["ref-nerf"])
    (job,) = planned(tasks, [nerf], Options(), tasks.items[:1])
    assert (job.setting.name, job.unable) == ("parameter", "item-a has no curves, fit_views")


def test_what_a_setting_hides_is_said_and_nothing_runs(tasks, tmp_path, options, odd):
    (record,) = made(tasks, tmp_path / "out", options, odd("Speaking"), setting=SETTINGS["self-audio"]).records
    assert (record.status, record.reason) == (SKIPPED, "unable")
    assert record.message == "my-speaking needs text, which the setting self-audio hides"
    assert not (tmp_path / "out/self-audio/my-speaking/pairs.txt").exists()


def test_videos_made_elsewhere_are_taken_over(tasks, tmp_path, options):
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "item-a.mp4").write_bytes((tasks.folder / "ref/b.mp4").read_bytes())
    (theirs / "item-b.mp4").write_bytes(b"not a video")
    outcome = made(tasks, tmp_path / "out", options, f"echomimic={theirs}", items=3)
    assert [(record.status, record.reason) for record in outcome.records] == [
        (DONE, ""),
        (FAILED, "corrupt"),
        (FAILED, "no output"),
    ]
    folder = tmp_path / "out/self-audio/echomimic"
    assert (folder / "clips/item-a.mp4").read_bytes() == (theirs / "item-a.mp4").read_bytes()
    assert not (folder / "clips/item-a.timing.json").exists(), "nobody knows what it cost"


def test_the_end_that_somebody_asks_for_ends_what_runs(tasks, tmp_path, options, odd):
    def ends(record, fresh):
        raise KeyboardInterrupt

    theirs = tmp_path / "theirs"
    theirs.mkdir()
    shutil.copy(tasks.folder / "ref/b.mp4", theirs / "item-a.mp4")
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run(
            tasks,
            systems([f"mine={theirs}", odd("Hanging")]),
            tmp_path / "out",
            options=replace(options, timeout_s=100),
            items=tasks.items[:1],
            watcher=Watcher(ends=ends),
        )
    assert time.monotonic() - began < 90
    assert read_record(tmp_path / "out/self-audio/my-hanging/items/item-a") is None
    assert read_record(tmp_path / "out/self-audio/mine/items/item-a").status == DONE


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("ref-nobody", "there is no generator called 'ref-nobody'"),
        ("nowhere.py:Swaying", "no such file"),
        ("json:JSONDecoder", "no class called JSONDecoder that is a"),
        ("no_such_module_here:A", "can't be loaded: ModuleNotFoundError"),
        ("Bad Name=folder", "no id of a generator"),
    ],
)
def test_a_name_that_is_no_generator_is_refused(name, said):
    with pytest.raises(ProtocolError, match=said):
        systems([name])


def test_a_folder_of_videos_that_is_missing_is_said_for_each_item(tasks, tmp_path, options):
    outcome = made(tasks, tmp_path / "out", options, f"mine={tmp_path / 'nowhere'}", items=2)
    assert {record.status for record in outcome.records} == {SKIPPED}
    assert "there is no folder" in outcome.records[0].message
    assert (tmp_path / "out/self-audio/mine/summary.json").exists()


@pytest.mark.parametrize("folder", ["generators", "photo", "rig", "sets", "speech"])
def test_a_reference_generator_made_of_other_modules_is_another(folder, tmp_path, monkeypatch):
    copy = tmp_path / "thgeval_baselines"
    shutil.copytree(Path(outside.__file__).parent, copy, ignore=shutil.ignore_patterns("*.npz", "*.opus"))
    monkeypatch.setattr(outside, "__file__", str(copy / "systems.py"))

    def code():
        outside._own.cache_clear()
        return outside.PythonSystem(BUILTIN[0], builtin=True).code()

    before = code()
    next((copy / folder).glob("*.py")).write_text("# changed\n")
    assert code() != before
    outside._own.cache_clear()
