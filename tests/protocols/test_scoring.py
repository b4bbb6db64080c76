"""Benchmarks scored on made clips that lie as data sets do: pairs, excerpts, what is left out, what is refused."""

import hashlib
import json
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from PIL import Image
from support.clips import moving, write_clip, written_at

import thgeval
from thgeval.clip import Clip, Excerpt
from thgeval.engine.run import execute
from thgeval.errors import InputError, ProtocolError
from thgeval.features.heads.openface import openface_run
from thgeval.features.words.av_hubert import embeddings
from thgeval.features.words.program_reading import checkout_reading
from thgeval.media import audio
from thgeval.media.encode import write_video
from thgeval.pairing import listed, pair
from thgeval.protocol import Protocol, protocol
from thgeval.results import Run

PSNR = ["psnr"]
RATE_HZ = 16000


def clips(folder, names, frames=12, size=64, seed=0, fps=25):
    """Small clips under these names, each moving in its own way."""
    for number, name in enumerate(names):
        path = folder / f"{name}.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_clip(path, moving(frames, size, seed=number, noise=seed), fps=fps)
    return folder


def own(folder, **fields):
    """A protocol of the user's own in a file."""
    path = folder / "mine.toml"
    tables = {name: fields.pop(name) for name in ("list", "draw") if name in fields}
    lines = [f"{name} = {json.dumps(value)}" for name, value in {"name": "mine", **fields}.items()]
    for name, table in tables.items():
        lines += [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in table.items())]
    path.write_text("\n".join(lines) + "\n")
    return path


def scored(generated, reference, path, **more):
    return thgeval.evaluate(generated, reference, metrics=more.pop("metrics", PSNR), protocol=str(path), **more)


HDTF = ["WRA_ReneeEllmers_000", "WDA_AdamSchiff_000", "RD_Radio11_001"]
LAID_OUT = {
    "hdtf": (["WRA/ReneeEllmers_0", "WDA/AdamSchiff_0", "RD/Radio11_1"], HDTF),
    "voxceleb1": (
        ["test/id10280#NXjT3732Ekg#001093#001192", "test/id10281#TMCTm7GxiDE#002960#003224"],
        ["id10280#NXjT3732Ekg#001093#001192", "id10281#TMCTm7GxiDE#002960#003224"],
    ),
    "voxceleb2": (
        ["mp4/id00530/9EtkaLUCdWM/00026", "mp4/id00017/01dfn2spqyE/00001"],
        ["id00530_9EtkaLUCdWM_00026", "id00017_01dfn2spqyE_00001"],
    ),
    "mead": (
        ["M003/video/front/angry/level_1/001", "W015/video/front/sad/level_3/002"],
        ["M003_ang_1_001", "W015_sad_3_002"],
    ),
    "grid": (["s29/video/mpg_6000/bbaf2n", "s1/video/mpg_6000/bbaf2n"], ["s29_bbaf2n", "s1_bbaf2n"]),
    "lrs3": (["test/DOgsYATbVSs/00003", "test/DOgsYATbVSs/00004"], ["DOgsYATbVSs/00003", "DOgsYATbVSs/00004"]),
}  # fmt: skip


@pytest.mark.parametrize("name", LAID_OUT)
def test_copies_in_different_layouts_are_paired(tmp_path, name):
    theirs, ours = LAID_OUT[name]
    reference, generated = clips(tmp_path / "data", theirs), clips(tmp_path / "out", ours, seed=3)
    run = scored(generated, reference, own(tmp_path, dataset=name))
    assert run.expected == len(theirs) == run["psnr"].clips
    assert not run.failures
    assert 25 < run["psnr"].value < 45  # each with its own reference, not another


def test_people_and_what_is_left_out(tmp_path):
    names = [f"M003/video/front/angry/level_1/00{number}" for number in (1, 2)]
    reference = clips(tmp_path / "data", [*names, "W015/video/front/sad/level_3/002"])
    generated = clips(tmp_path / "out", ["M003_ang_1_001", "M003_ang_1_002", "W015_sad_3_002"], seed=3)
    with pytest.warns(UserWarning, match="left out, as mine#[0-9a-f]{12}@1 doesn't name them: W015/front/sad/3/002"):
        run = scored(generated, reference, own(tmp_path, dataset="mead", people=["M003"], count=2))
    assert [clip.id for clip in run.clips] == ["M003/front/ang/1/001", "M003/front/ang/1/002"]
    with pytest.raises(ProtocolError, match=r"is of 3 clips, and .*data holds 2 of M003; score a whole copy"):
        scored(generated, reference, own(tmp_path, dataset="mead", people=["M003"], count=3))


def test_named_clips_that_are_missing_count(tmp_path):
    reference = clips(tmp_path / "data", ["WRA_ReneeEllmers_000", "WRA_TomCotton_000"])
    generated = clips(tmp_path / "out", ["WRA_ReneeEllmers_000", "WRA_TomPrice_000"], frames=100, seed=3)
    clips(tmp_path / "data", ["WRA_ReneeEllmers_000"], frames=100)
    run = thgeval.evaluate(generated, reference, metrics=PSNR, protocol="hdtf-gagavatar19")
    assert run.expected == 19
    assert run["psnr"].clips == 1
    assert "n:1/19" in run["psnr"].run_tokens
    assert "protocol:hdtf-gagavatar19@1" in run["psnr"].run_tokens
    assert "excerpt:even-100" in run["psnr"].protocol_part
    reasons = {clip.id: clip.failure.reason for clip in run.failures}
    assert len(reasons) == 18
    assert reasons["WRA_TomPrice_000"] == "missing reference"
    assert reasons["WRA_TomCotton_000"] == "missing clip"


def test_two_files_of_one_clip_are_told(tmp_path):
    reference = clips(tmp_path / "data", ["WRA/ReneeEllmers_0", "WRA_ReneeEllmers_000", "WDA_AdamSchiff_000"])
    generated = clips(tmp_path / "out", ["WRA_ReneeEllmers_000", "WDA_AdamSchiff_000"], seed=3)
    run = scored(generated, reference, own(tmp_path, dataset="hdtf"))
    assert {clip.id: clip.failure.reason for clip in run.failures} == {"WRA_ReneeEllmers_000": "duplicate stem"}


def test_one_driver_and_the_next_are_references(tmp_path):
    reference = clips(tmp_path / "data", HDTF)
    order = sorted(HDTF)
    driven = {"driver": "WRA_ReneeEllmers_000"}, {"cross": "next"}
    for fields, wanted in zip(driven, (dict.fromkeys(order[:2], "WRA_ReneeEllmers_000"),
                              dict(zip(order, [*order[1:], order[0]], strict=True))), strict=True):  # fmt: skip
        generated = tmp_path / next(iter(fields))
        generated.mkdir()
        for id, driver in wanted.items():
            (generated / f"{id}.mp4").write_bytes((reference / f"{driver}.mp4").read_bytes())
        run = scored(generated, reference, own(tmp_path, dataset="hdtf", **fields))
        assert {clip.id: clip.reference for clip in run.clips} == {id: f"{driver}.mp4" for id, driver in wanted.items()}
        assert run["psnr"].value == float("inf")


LIST = "spk/00001 6330311066473698535/00011\nspk/00002 6330311066473698535/00018\n"


def test_lists_name_clips_by_their_rows(tmp_path):
    reference = clips(tmp_path / "main", ["6330311066473698535/00011", "6330311066473698535/00018"], frames=14)
    generated = clips(tmp_path / "out", ["0", "0001"], seed=3)
    listed = {"file": "l.txt", "where": "a drawer", "format": "audio-video", "clips": 2}
    (tmp_path / "l.txt").write_text(LIST)
    path = own(
        tmp_path,
        dataset="lrs2",
        lengths="truncate",
        list={**listed, "sha256": hashlib.sha256(LIST.encode()).hexdigest()},
    )
    run = scored(generated, reference, path, clip_list=tmp_path / "l.txt")
    assert [(clip.id, clip.generated, clip.reference) for clip in run.clips] == [
        ("0", "0.mp4", "6330311066473698535/00011.mp4"),
        ("1", "0001.mp4", "6330311066473698535/00018.mp4"),
    ]
    assert run["psnr"].value > 25
    with pytest.raises(
        ProtocolError, match=r"of 2 clips that l\.txt names, .*from a drawer and give it with --clip-list"
    ):
        scored(generated, reference, path)
    (tmp_path / "l.txt").write_text(LIST.replace("spk", "other"))
    with pytest.raises(ProtocolError, match="is another list"):
        scored(generated, reference, path, clip_list=tmp_path / "l.txt")
    plain = own(tmp_path, dataset="hdtf")
    with pytest.raises(ProtocolError, match="needs no list of clips, so"):
        scored(generated, reference, plain, clip_list=tmp_path / "l.txt")


def test_a_list_of_unknown_hash_shows_in_the_label(tmp_path):
    reference = clips(tmp_path / "main", ["6330311066473698535/00011", "6330311066473698535/00018"])
    generated = clips(tmp_path / "out", ["0", "1"], seed=3)
    path = own(
        tmp_path, dataset="lrs2", list={"file": "l.txt", "where": "a drawer", "format": "audio-video", "clips": 2}
    )
    labels = []
    for text in (LIST, LIST.replace("spk", "other")):
        (tmp_path / "l.txt").write_text(text)
        labels.append(scored(generated, reference, path, clip_list=tmp_path / "l.txt").protocol["name"])
    assert labels[0] != labels[1]
    assert protocol(str(path)).label not in labels


def test_pairs_of_frames(tmp_path):
    frames = moving(6)
    place = tmp_path / "data" / "test" / "id10280#NXjT3732Ekg#001093#001192.mp4"
    place.mkdir(parents=True)
    (tmp_path / "out").mkdir()
    for number, frame in enumerate(frames):
        Image.fromarray(frame).save(place / f"{number:07}.png")
    text = "source,driving,frame\n"
    for row, number in enumerate((2, 5)):
        text += f"/x/test/{place.name}/0000000.png,/x/test/{place.name}/{number:07}.png\n"
        Image.fromarray(frames[number]).save(tmp_path / "out" / f"{row}.png")
    (tmp_path / "l.csv").write_text(text)
    listed = {"file": "l.csv", "where": "a drawer", "format": "frames", "clips": 2}
    run = scored(tmp_path / "out", tmp_path / "data", own(tmp_path, list=listed), clip_list=tmp_path / "l.csv")
    assert run["psnr"].value == float("inf")
    assert run["psnr"].clips == 2


def lengths(run):
    return {clip.id: clip.frames for clip in run.clips}


@pytest.mark.parametrize("fps", [None, 25, 10])
def test_the_first_seconds_alone_are_looked_at(tmp_path, fps):
    """The clips differ after the cut, and in length: before it they are one."""
    frames = moving(40)
    other = np.concatenate([frames[:20], 255 - frames[20:]])
    for folder, shown in (("data", frames), ("out", other[:32])):
        (tmp_path / folder).mkdir()
        np.savez(tmp_path / folder / "a.npz", frames=shown, fps=25)
    fields = {"first_s": 0.8} | ({} if fps is None else {"fps": fps})
    run = scored(tmp_path / "out", tmp_path / "data", own(tmp_path, **fields))
    assert lengths(run) == {"a": 20 if fps is None else round(0.8 * fps)}
    assert run["psnr"].value == float("inf")
    assert "excerpt:first-4/5s" in run["psnr"].protocol_part
    whole = scored(tmp_path / "out", tmp_path / "data", own(tmp_path, lengths="truncate"))
    assert whole["psnr"].value < 30


def test_video_files_are_cut_by_their_clock(tmp_path):
    reference = clips(tmp_path / "data", ["a"], frames=30, fps=30)
    generated = clips(tmp_path / "out", ["a"], frames=24, fps=30, seed=3)
    run = scored(generated, reference, own(tmp_path, first_s=0.5))
    assert lengths(run) == {"a": 15}
    run = scored(generated, reference, own(tmp_path, first_s=0.5, fps=10))
    assert lengths(run) == {"a": 5}


def test_frames_evenly_spread(tmp_path):
    frames = moving(50)
    (tmp_path / "data").mkdir()
    (tmp_path / "out").mkdir()
    np.savez(tmp_path / "data" / "a.npz", frames=frames, fps=25)
    taken = [number * 50 // 7 for number in range(7)]
    changed = 255 - frames
    changed[taken] = frames[taken]
    for shown in (changed, frames[taken]):
        np.savez(tmp_path / "out" / "a.npz", frames=shown, fps=25)
        run = scored(tmp_path / "out", tmp_path / "data", own(tmp_path, frames=7))
        assert lengths(run) == {"a": 7}
        assert run["psnr"].value == float("inf")
    np.savez(tmp_path / "out" / "a.npz", frames=frames[:40], fps=25)
    run = scored(tmp_path / "out", tmp_path / "data", own(tmp_path, frames=7))
    assert [clip.failure.reason for clip in run.failures] == ["length differs"]
    assert (
        "a has 40 generated frames and 50 reference frames, of which the protocol takes 7"
        in run.failures[0].failure.message
    )
    run = scored(tmp_path / "data", tmp_path / "data", own(tmp_path, frames=51))
    assert [clip.failure.reason for clip in run.failures] == ["too short"]


@pytest.mark.parametrize("excerpt", [{"frames": 5}, {"first_s": 0.6}, {"last": "1/2"}])
def test_clocks_that_drift_apart_are_refused_in_excerpts_too(tmp_path, excerpt):
    """Frames of one side are shown late from the fourth on; at the end of the held-out half by as much."""
    even = list(range(0, 80, 4))
    late = [at + 3 * (number > 2) for number, at in enumerate(even)]
    drifts = late if "last" not in excerpt else [at + 3 * (number > 15) for number, at in enumerate(even)]
    (tmp_path / "data").mkdir()
    (tmp_path / "out").mkdir()
    shown = moving(20)
    written_at(tmp_path / "data" / "a.mkv", shown, drifts, Fraction(1, 100))
    ours = slice(10, None) if "last" in excerpt else slice(None)
    written_at(tmp_path / "out" / "a.mkv", shown[ours], even[: len(shown[ours])], Fraction(1, 100))
    path = own(tmp_path, **excerpt)
    run = scored(tmp_path / "out", tmp_path / "data", path)
    assert [clip.failure.reason for clip in run.failures] == ["frame times differ"]
    path = own(tmp_path, rates="ignore", **excerpt)
    assert scored(tmp_path / "out", tmp_path / "data", path)["psnr"].value == float("inf")


def test_the_held_out_end_of_the_reference(tmp_path):
    frames = moving(23)
    (tmp_path / "data").mkdir()
    (tmp_path / "out").mkdir()
    np.savez(tmp_path / "data" / "a.npz", frames=frames, fps=25)
    np.savez(tmp_path / "out" / "a.npz", frames=frames[20:], fps=25)  # int(23 * 10 / 11) = 20 frames train
    run = scored(tmp_path / "out", tmp_path / "data", own(tmp_path, last="1/11"))
    assert lengths(run) == {"a": 3}
    assert run["psnr"].value == float("inf")
    np.savez(tmp_path / "out" / "a.npz", frames=frames, fps=25)
    run = scored(tmp_path / "out", tmp_path / "data", own(tmp_path, last="1/11"))
    assert [clip.failure.reason for clip in run.failures] == ["length differs"]


def test_sound_is_cut_with_the_picture(tmp_path):
    sound = (np.sin(np.arange(2 * RATE_HZ) / 5) / 2).astype(np.float32)
    write_video(tmp_path / "a.mp4", moving(50), fps=25, audio=sound)
    heard = audio.speech(Clip("a", tmp_path / "a.mp4", excerpt=Excerpt(first_s=Fraction(4, 5))))
    whole = audio.speech(Clip("a", tmp_path / "a.mp4"))
    assert len(heard.samples) == round((Fraction(4, 5) - Fraction(heard.start_s)) * RATE_HZ)
    assert len(whole.samples) > 2 * len(heard.samples)
    assert np.array_equal(heard.samples, whole.samples[: len(heard.samples)])


WHOLE = ("transcript", "faces", "openface", "views", "lipreader", "avhubert")


@pytest.mark.parametrize(
    ("excerpt", "generated", "reference"),
    [
        (None, {*WHOLE, "clip", "sound"}, {*WHOLE, "clip", "sound"}),
        (Excerpt(first_s=Fraction(8)), {"clip", "sound"}, {"clip", "sound"}),
        (Excerpt(frames=5), set(), set()),
        (Excerpt(last=Fraction(1, 11)), {*WHOLE, "clip", "sound"}, set()),
    ],
)
def test_what_an_excerpt_offers(tmp_path, excerpt, generated, reference):
    for name in ("g", "r"):
        for suffix in (".mp4", ".txt", ".faces.npz", ".openface.csv", ".views.npz", ".lipreader.npz", ".avhubert.npz"):
            (tmp_path / f"{name}{suffix}").touch()
    whole = replace(pair("a", tmp_path / "g.mp4", tmp_path / "r.mp4"), id="a")
    cut = whole.cut(excerpt)
    asked = (*WHOLE, "clip", "sound")
    assert {what for what in asked if cut.offers(what)} == generated
    theirs = [what for what in asked if what != "transcript"]  # which belongs to the pair
    assert {what for what in theirs if cut.offers(what, reference=True)} == reference - {"transcript"}
    assert cut.offers("frames")
    assert cut.offers("info", reference=True)


def test_metrics_that_need_the_whole_clip_say_so(tmp_path):
    reference = clips(tmp_path / "data", ["a"], frames=30)
    generated = clips(tmp_path / "out", ["a"], frames=30, seed=3)
    for folder in (reference, generated):
        (folder / "a.faces.npz").write_bytes(b"")
    run = scored(generated, reference, own(tmp_path, frames=5), metrics=["psnr", "mkr"])
    assert run["psnr"].clips == 1
    assert run["mkr"].value is None
    assert "needs faces of a whole clip (mkr <- " in run["mkr"].unscored
    assert "the protocol looks at an excerpt of each clip (even-5)" in run["mkr"].unscored


def test_a_driving_speech_of_its_own_can_not_be_cut(tmp_path):
    clips(tmp_path, ["g", "r"])
    (tmp_path / "s.wav").touch()
    (tmp_path / "list.tsv").write_text("g.mp4\tr.mp4\ts.wav\n")
    with pytest.raises(ProtocolError, match=r"g: .*s\.wav can't be cut with its clip; leave the third column out"):
        execute(listed(tmp_path / "list.tsv"), PSNR, Protocol(excerpt=Excerpt(first_s=Fraction(1))), thgeval.Options())


@pytest.mark.parametrize(
    "read",
    [
        openface_run.compute,
        lambda cut: checkout_reading.compute(cut, model="auto-avsr"),
        lambda cut: embeddings.compute(cut, kind="avhubert", model="av-hubert"),
    ],
)
def test_programs_that_read_files_refuse_excerpts(tmp_path, monkeypatch, read):
    monkeypatch.setattr("shutil.which", lambda name: "/bin/false")
    cut = Clip("a", tmp_path / "a.mp4", excerpt=Excerpt(first_s=Fraction(8)))
    with pytest.raises(InputError, match=r"reads whole files, not an excerpt \(first-8s\)"):
        read(cut)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"dataset": "hdtf"}, "no clip in .*data is called as those of HDTF are: WRA_ReneeEllmers_000"),
        ({"dataset": "hdtf", "clips": ["WRA_TomPrice_000"]}, "no clip in .*data is called as those of HDTF"),
    ],
)
def test_folders_of_other_data_are_refused(tmp_path, fields, said):
    reference, generated = clips(tmp_path / "data", ["x"]), clips(tmp_path / "out", ["x"])
    with pytest.raises(ProtocolError, match=said):
        scored(generated, reference, own(tmp_path, **fields))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("hdtf-latentsync30", "can't be scored: the 30 clips were drawn at random, and no list was published"),
        ("vox1-fomm", r"is of 525 clips that vox-metadata\.csv names"),
        ("celebvhq", "can't be scored: the data set has no split"),
    ],
)
def test_protocols_that_can_not_be_scored_as_they_are(tmp_path, name, said):
    reference, generated = clips(tmp_path / "data", ["x"]), clips(tmp_path / "out", ["x"])
    with pytest.raises(ProtocolError, match=said):
        thgeval.evaluate(generated, reference, metrics=PSNR, protocol=name)


def test_what_a_benchmark_decides_itself(tmp_path):
    reference, generated = clips(tmp_path / "data", HDTF), clips(tmp_path / "out", [f"{name}_pred" for name in HDTF])
    path = own(tmp_path, dataset="hdtf")
    assert scored(generated, reference, path, naming=thgeval.Naming(pred_suffix="_pred"))["psnr"].clips == 3
    with pytest.raises(ProtocolError, match="says how names are read, so --match can't"):
        scored(generated, reference, path, naming=thgeval.Naming(match="(.*)_pred"))
    with pytest.raises(ProtocolError, match="which clips belong together, so --unpaired can't take them apart"):
        scored(generated, reference, path, unpaired=True)
    with pytest.raises(ProtocolError, match=r"is about folders of reference clips, and .* is none"):
        scored(generated, reference / f"{HDTF[0]}.mp4", path)


def test_a_file_of_ones_own_shows_by_its_hash(tmp_path):
    reference, generated = clips(tmp_path / "data", ["a"]), clips(tmp_path / "out", ["a"], seed=3)
    path = own(tmp_path, fps=25)
    first = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    run = scored(generated, reference, path)
    assert run.protocol["name"] == f"mine#{first}@1"
    assert f"protocol:mine#{first}@1" in run["psnr"].run_tokens
    again = thgeval.evaluate(
        generated, reference, metrics=PSNR, protocol=str(path), options=thgeval.Options(out=tmp_path / "run.json")
    )
    assert Run.read(tmp_path / "run.json").protocol == again.protocol == run.protocol
    path.write_text(path.read_text() + "# another\n")
    assert scored(generated, reference, path).protocol["name"] != run.protocol["name"]
    assert not protocol(str(path)).ranked
    assert Protocol(name="mine").label == "mine@1"
