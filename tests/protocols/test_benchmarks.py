"""Protocols that ship as data: every fact with its source, every list that is known here as it is stated."""

import hashlib

import pytest

from thgeval.clip import Excerpt
from thgeval.errors import ProtocolError
from thgeval.pairing.benchmark import drawn_ids
from thgeval.protocol import Protocol, protocol, protocols
from thgeval.protocols.datasets import dataset
from thgeval.protocols.lists import LIST_FORMATS, drawn, listed_rows, shipped_ids

SHIPPED = protocols()
REPORTED = {label: found for label, found in SHIPPED.items() if found.benchmark.sources}
DRAWN = "eb1ecb4ab11d"
"""The beginning of the hash of all ids of the split: it may never change under its version."""
EXPERIMENTAL = ("rule", "secondary", "recall")


def facts(found):
    """The facts that a protocol states, as its file names them."""
    about = found.benchmark
    stated = {
        "clips": found.clips,
        "count": about.clips,
        "list": about.listing,
        "draw": about.draw,
        "people": about.people,
        "driver": about.driver,
        "cross": about.cross,
        "fps": found.fps,
        "size": found.size,
        "reports": about.reports,
        "unscorable": about.unscorable,
        "setting": about.setting != "reconstruction",
        "lengths": found.lengths != "strict",
        **{name: getattr(found.excerpt, name, None) for name in ("first_s", "last", "frames")},
    }
    return [name for name, value in stated.items() if value]


@pytest.mark.parametrize("label", REPORTED)
def test_every_fact_has_its_source(label):
    about = SHIPPED[label].benchmark
    assert set(facts(SHIPPED[label])) == about.sources.keys()
    assert set(about.unverified) <= about.sources.keys()
    for fact, source in about.sources.items():
        if source == "known in general" or "as reported by others" in source:
            assert fact in about.unverified, fact


def test_only_what_others_can_score_is_ranked():
    for label, found in SHIPPED.items():
        if found.benchmark.status in EXPERIMENTAL or found.benchmark.unscorable:
            assert not found.ranked, label
    assert SHIPPED["hdtf-gagavatar19@1"].ranked
    assert SHIPPED["native@1"].ranked
    assert not SHIPPED["hdtf-omniavatar15s@1"].ranked  # about 400 of 421 clips: which, nobody says
    assert not SHIPPED["person-nerf@1"].ranked


@pytest.mark.parametrize(
    ("label", "count"),
    [
        ("hdtf-sources@1", 421),
        ("hdtf-thgeval30@1", 30),
        ("hdtf-gagavatar19@1", 19),
        ("vox1-fomm@1", 525),
        ("vox1-dagan-same@1", 2083),
        ("lrs2-wav2lip-cross@1", 14239),
        ("resynced-tts@1", 18),
        ("talkinghead1kh-val@1", 38),
        ("mead-eat@1", 985),
        ("nersemble-nvs@2", 15),
        ("nersemble-mono@2", 80),
        ("native@1", None),
    ],
)
def test_how_many_clips(label, count):
    assert SHIPPED[label].count == count


def test_named_clips_are_ids_of_their_data_sets():
    for label, found in SHIPPED.items():
        if found.clips and found.benchmark.dataset:
            data = dataset(found.benchmark.dataset)
            assert [data.found(id).id for id in found.clips] == list(found.clips), label
            if data.universe:
                assert set(found.clips) <= set(shipped_ids(data.universe)), label


def test_files_are_small():
    from importlib.resources import files

    folder = files("thgeval").joinpath("protocols")
    for place in (folder, folder.joinpath("lists"), folder.joinpath("datasets")):
        assert all(len(item.read_bytes()) < 300_000 for item in place.iterdir() if item.is_file())


def test_the_split_of_hdtf_is_drawn_by_its_rule():
    found = protocol("hdtf-thgeval30")
    ids = drawn_ids(found)
    ordered = sorted(shipped_ids("hdtf"), key=lambda id: hashlib.sha256(f"thgeval-hdtf-30/1:{id}".encode()).hexdigest())
    people = [dataset("hdtf").found(id).person for id in ids]
    assert len(ids) == len(set(people)) == 30
    assert ordered[0] in ids
    assert hashlib.sha256("\n".join(ids).encode()).hexdigest()[:12] == DRAWN


def test_draws_keep_the_first_of_each_person():
    ids = [f"{person}_{clip}" for person in "abc" for clip in range(4)]
    found = drawn(ids, "salt", 2, lambda id: id[0])
    assert len({id[0] for id in found}) == len(found) == 2
    assert drawn(reversed(ids), "salt", 2, lambda id: id[0]) == found
    assert set(found) <= set(drawn(ids, "salt", 3, lambda id: id[0]))


METADATA = """video_id,start,end,bbox,fps,width,height,partition,person_id
v,3657,3994,1-2-3-4,25,1280,720,train,id10005
w,17,90,1-2-3-4,25,1280,720,test,id10280
x,1,2,1-2-3-4,25,1280,720,test,id10281
"""
LISTS = {
    "ids": ("a/1 NF\nb/2\n", [("a/1", "a/1"), ("b/2", "b/2")]),
    "audio-video": ("s/1 v/1\ns/2 v/2\n", [("0", "v/1"), ("1", "v/2")]),
    "video-audio": ("v.mp4 s.wav\nw.mp4 s.mp4\n", [("0", "v"), ("1", "w")]),
    "tubes": ("vid_0001,720,1280,3,99,10,20,300,310\nw_0000,1,2,3,4,5,6,7,8\n", [
        ("vid_0001_S3_E99_L10_T20_R300_B310",) * 2, ("w_0000_S3_E4_L5_T6_R7_B8",) * 2,
    ]),
    "vox-metadata": (
        METADATA,
        [("id10280#w#000017#000090",) * 2, ("id10281#x#000001#000002",) * 2],
    ),
    "source-driving": ("source,driving,frame\na#1.mp4,b#2.mp4,0.0\nc.mp4,d.mp4,0.0\n", [("0", "b#2"), ("1", "d")]),
    "frames": ("source,driving,frame\n/x/a.mp4/01.png,/x/b.mp4/02.png\n/x/a/3.png,/x/b/4.png\n", [
        ("0", "b.mp4/02.png"), ("1", "b/4.png"),
    ]),
    "person-frames": ("source,driving\n/x/A/Image/1.jpg,/x/B/Image/2.jpg\n/x/A/Image/3.jpg,/x/B/Image/4.jpg\n", [
        ("0", "B/Image/2.jpg"), ("1", "B/Image/4.jpg"),
    ]),
}  # fmt: skip


@pytest.mark.parametrize("form", LIST_FORMATS)
def test_lists_of_every_form(tmp_path, form):
    text, wanted = LISTS[form]
    path = tmp_path / "list.txt"
    path.write_text(text)
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    for stated in (sha256, ""):
        rows, found = listed_rows(path, form, 2, stated)
        assert [(row.id, row.reference) for row in rows] == wanted
        assert found == sha256
        assert all(row.frame == form.endswith("frames") for row in rows)


@pytest.mark.parametrize(
    ("form", "text", "said"),
    [
        ("ids", "a\n", "names 1 clips, and the protocol's list 2"),
        ("audio-video", "a b\nc\n", "line 2 has 1 fields, not 2"),
        ("tubes", "a,b\n", "is no list of the form tubes"),
        ("vox-metadata", "a,b\n1,2\n", "is no list of the form vox-metadata: 'partition'"),
        ("frames", "source,driving\na,/x/../../etc/passwd\n", "is no frame in a folder"),
        ("frames", "source,driving\na,passwd\n", "is no frame in a folder"),
        ("ids", "\udcff", "can't be read as text in UTF-8"),
    ],
)
def test_lists_that_are_none(tmp_path, form, text, said):
    path = tmp_path / "list.txt"
    path.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(ProtocolError) as caught:
        listed_rows(path, form, 2, "")
    assert said in str(caught.value)
    assert "list.txt" in str(caught.value)


def test_another_list_is_refused(tmp_path):
    path = tmp_path / "lrs2.txt"
    path.write_text("a b\n")
    with pytest.raises(ProtocolError, match=r"lrs2\.txt is another list: its sha256 is [0-9a-f]{64}, and that of"):
        listed_rows(path, "audio-video", 1, "0" * 64)


@pytest.mark.parametrize(
    ("given", "text"),
    [({"first_s": 8}, "first-8s"), ({"frames": 100}, "even-100")],
)
def test_excerpts_as_signatures_have_them(given, text):
    assert str(Excerpt(**given)) == text
    assert Excerpt.parse(text) == Excerpt(**given)


@pytest.mark.parametrize("label", SHIPPED)
def test_what_signatures_say_reads_back(label):
    found = SHIPPED[label]
    from thgeval.protocol import setting

    read = Protocol.of_settings(dict(map(setting, found.tokens())))
    assert read.tokens() == found.tokens()
    assert read.excerpt == found.excerpt


@pytest.mark.parametrize("text", ["", "first-8", "last-0", "even-x", "last-1/0", "first--3s", "odd-3"])
def test_texts_that_are_no_excerpt(text):
    with pytest.raises(ProtocolError):
        Excerpt.parse(text)
