"""Benchmarks scored on made clips that lie as data sets do: pairs, what is left out, and what is refused."""

import hashlib

import pytest
from PIL import Image
from support.benchmarks import PSNR, clips, own, scored
from support.clips import moving

import thgeval
from thgeval.errors import ProtocolError
from thgeval.protocol import Protocol, protocol
from thgeval.results import Run

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


def test_a_single_pair_is_no_benchmark(tmp_path):
    path = clips(tmp_path, HDTF[:1]) / f"{HDTF[0]}.mp4"
    with pytest.raises(ProtocolError, match="hdtf-gagavatar19@1 is about folders of clips, not a single one"):
        thgeval.score(path, path, metrics=PSNR, protocol="hdtf-gagavatar19")


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
