"""Every stem of either folder is accounted for, whatever it is called."""

import unicodedata
from pathlib import PureWindowsPath

import pytest

from thgeval.errors import ProtocolError
from thgeval.pairing import apart, listed, paired
from thgeval.pairing.naming import Naming


@pytest.fixture
def folders(tmp_path):
    for name in ("pred", "gt"):
        (tmp_path / name).mkdir()
    return tmp_path / "pred", tmp_path / "gt"


def touch(folder, *names):
    for name in names:
        (folder / name).write_bytes(b"")


def test_clips_are_paired_by_stem_whatever_their_container(folders):
    touch(folders[0], "b.mp4", "a.webm")
    touch(folders[1], "a.mov", "b.avi", "notes.txt", ".hidden.mp4")
    pairing = paired(*folders)
    assert [(pair.id, pair.reference.source.name) for pair in pairing.pairs] == [("a", "a.mov"), ("b", "b.avi")]
    assert pairing.unpaired == ()


def test_unmatched_names_are_expected_and_named(folders):
    touch(folders[0], "a.mp4", "extra.mp4")
    touch(folders[1], "a.mp4", "lost.mp4")
    pairing = paired(*folders)
    assert {(item.id, item.failure.reason) for item in pairing.unpaired} == {
        ("extra", "missing reference"),
        ("lost", "missing clip"),
    }
    assert pairing.expected == 3
    assert [pair.id for pair in pairing.pairs] == ["a", "extra"]
    assert pairing.pairs[1].reference is None


def test_duplicate_stems_are_not_guessed(folders):
    touch(folders[0], "a.mp4", "a.mov")
    touch(folders[1], "a.mp4")
    (problem,) = paired(*folders).unpaired
    assert problem.failure.reason == "duplicate stem"
    assert "a.mov, a.mp4" in problem.failure.message


@pytest.mark.parametrize("name", ["with space", "new\nline", "ünïcode 头", "-rf", "quote'\"", "<b>", "a.b.c"])
def test_odd_names_are_names(folders, name):
    touch(folders[0], f"{name}.mp4")
    touch(folders[1], f"{name}.mp4")
    assert [pair.id for pair in paired(*folders).pairs] == [name]


def test_folders_of_images_are_clips(folders):
    for folder in folders:
        (folder / "take.1").mkdir()
        touch(folder / "take.1", "0001.png", "0002.png")
    assert [pair.id for pair in paired(*folders).pairs] == ["take.1"]


def test_a_folder_of_images_alone_is_one_clip(folders):
    for folder in folders:
        touch(folder, "0001.png", "0002.png")
    (pair,) = paired(*folders).pairs
    assert pair.generated.source == folders[0]


def test_a_directory_named_like_a_video_is_a_clip_that_will_fail(folders):
    (folders[0] / "a.mp4").mkdir()
    touch(folders[1], "a.mp4")
    assert [pair.id for pair in paired(*folders).pairs] == ["a"]


def test_symlink_loops_do_not_hang(folders):
    (folders[0] / "loop").symlink_to("loop")
    (folders[0] / "self").symlink_to(folders[0])
    touch(folders[0], "a.mp4")
    touch(folders[1], "a.mp4")
    assert [pair.id for pair in paired(*folders).pairs] == ["a"]


def test_empty_folders_and_missing_paths_are_refused(folders):
    with pytest.raises(ProtocolError, match="there is no clip in"):
        paired(*folders)
    with pytest.raises(ProtocolError, match="there is no file or folder"):
        paired(folders[0] / "nowhere", folders[1])


def test_a_file_is_not_paired_with_a_folder(folders):
    touch(folders[0], "a.mp4")
    with pytest.raises(ProtocolError, match="is one clip, but"):
        paired(folders[0] / "a.mp4", folders[1])


def test_a_protocol_may_say_which_clips_must_be_there(folders):
    touch(folders[0], "a.mp4", "b.mp4")
    touch(folders[1], "a.mp4", "b.mp4")
    pairing = paired(*folders, clips=("a", "c"))
    assert [pair.id for pair in pairing.pairs] == ["a"]
    assert [item.id for item in pairing.unpaired] == ["c"]


def test_lists_name_pairs_relative_to_themselves(tmp_path):
    (tmp_path / "pairs.tsv").write_text("# pred\tgt\nx/one.mp4\ty/uno.mp4\tz/one.wav\ntwo.mp4\tdos.mp4\n")
    first, second = listed(tmp_path / "pairs.tsv").pairs
    assert (first.id, second.id) == ("one", "two")
    assert first.reference.source == tmp_path / "y" / "uno.mp4"
    assert first.audio == tmp_path / "z" / "one.wav"


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "names no clip"), ("one\n", "two or three fields"), ("a.mp4\tb\na.mp4\tc\n", "names a twice")],
)
def test_bad_lists_say_what_is_wrong(tmp_path, text, said):
    (tmp_path / "pairs.tsv").write_text(text)
    with pytest.raises(ProtocolError, match=said):
        listed(tmp_path / "pairs.tsv")


def test_companions_beside_the_generated_clip_are_found(folders):
    touch(folders[0], "a.mp4", "a.timing.json", "a.txt")
    (pair,) = paired(folders[0], None).pairs
    assert pair.timing.name == "a.timing.json"
    assert pair.transcript.name == "a.txt"


def test_what_lies_beside_a_clip_is_its_companion_and_no_clip(folders):
    touch(folders[0], "a.mp4", "a.faces.npz", "a.align", "a.source.png", "a.csv", "b.mp4", "b.txt", "b.prompt.txt")
    touch(folders[1], "a.mp4", "a.openface.csv", "a.csv", "b.mp4")
    pairing = paired(*folders)
    first, second = pairing.pairs
    assert pairing.unpaired == ()
    assert first.generated.companion("faces").name == "a.faces.npz"
    assert first.reference.companion("faces") is None
    assert first.generated.companion("openface").name == "a.csv"
    assert first.reference.companion("openface").name == "a.openface.csv"
    assert (first.transcript.name, first.source_image.name, first.prompt) == ("a.align", "a.source.png", None)
    assert (second.transcript.name, second.prompt.name) == ("b.txt", "b.prompt.txt")
    assert first.offers("openface", reference=True)
    assert not first.offers("faces", reference=True)
    assert {path.name for path in first.companions.values()} == {
        "a.align", "a.source.png", "a.faces.npz", "a.csv", "a.openface.csv"
    }  # fmt: skip


def nested(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")


def test_clips_in_subfolders_are_named_and_counted(folders):
    for folder in folders:
        nested(folder, "a.mp4", "sub/b.mp4", "sub/deep/c.mp4", "sub/d.faces.npz", ".hidden/e.mp4", "run.states/f.npz")
        nested(folder, "clip/0.png", "sub/frames/0.png", "sub/notes.txt")
    pairing = paired(*folders)
    assert [pair.id for pair in pairing.pairs] == ["a", "clip"]
    lower = ["sub/b", "sub/deep/c", "sub/frames"]
    assert [(item.id, item.failure.reason) for item in pairing.unpaired] == [(id, "in a subfolder") for id in lower]
    assert pairing.expected == 5
    message = pairing.unpaired[0].failure.message
    assert "b.mp4 lies in a subfolder; --recursive" in message


def test_a_folder_whose_clips_all_lie_deeper_is_told_apart_from_one_without(folders):
    with pytest.raises(ProtocolError, match=r"there is no clip in \S+ nor in \S+$"):
        paired(*folders)
    nested(folders[0], "x/b.mp4", "y/a.mp4")
    with pytest.raises(ProtocolError, match=r"but 2 clips lie in subfolders, .* --list"):
        paired(*folders)


def test_a_named_set_leaves_subfolders_alone(folders):
    for folder in folders:
        nested(folder, "a.mp4", "sub/b.mp4")
    assert paired(*folders, clips=["a"]).unpaired == ()


def test_names_that_look_the_same_are_the_same(folders):
    """macOS keeps names decomposed, others mostly composed."""
    composed, apart = (unicodedata.normalize(form, "Zoë Müller") for form in ("NFC", "NFD"))
    assert composed != apart
    touch(folders[0], f"{composed}.mp4", f"{apart}.txt", f"{apart}.faces.npz", f"{composed}.source.webp")
    touch(folders[1], f"{apart}.mp4")
    (pair,) = paired(*folders, clips=[apart]).pairs
    assert (pair.id, paired(*folders).unpaired) == (composed, ())
    assert pair.reference.source.name == f"{apart}.mp4"
    assert pair.transcript.name == f"{apart}.txt"
    assert pair.generated.companion("faces").name == f"{apart}.faces.npz"
    assert pair.source_image.suffix == ".webp"


def test_both_forms_of_a_name_in_one_folder_are_a_duplicate(folders):
    for form in ("NFC", "NFD"):
        touch(folders[0], unicodedata.normalize(form, "é") + ".mp4")
    touch(folders[1], "é.mp4")
    assert [item.failure.reason for item in paired(*folders).unpaired] == ["duplicate stem"]


LISTS = {
    "plain": b"p/a.mp4\tg/a.mp4\n",
    "marked": b"\xef\xbb\xbfp/a.mp4\tg/a.mp4\n",
    "windows": b"p/a.mp4\tg/a.mp4\r\n\r\n",
    "no end": b"p/a.mp4\tg/a.mp4",
    "commented": b"  # generated, reference\np/a.mp4\tg/a.mp4\n#end",
    "spaced": b" p/a.mp4 \t g/a.mp4  \n   \n",
    "tab at the end": b"p/a.mp4\tg/a.mp4\t\n",
}


@pytest.mark.parametrize("case", LISTS)
def test_lists_as_programs_save_them(case, tmp_path):
    (tmp_path / "list.tsv").write_bytes(LISTS[case])
    (pair,) = listed(tmp_path / "list.tsv").pairs
    assert (pair.generated.source, pair.reference.source) == (tmp_path / "p/a.mp4", tmp_path / "g/a.mp4")
    assert pair.audio is None


def test_a_name_may_hold_what_ends_lines_elsewhere(tmp_path):
    (tmp_path / "list.tsv").write_text("p/a\u2028b\x0bc.mp4\tg/a.mp4\n", encoding="utf-8")
    (pair,) = listed(tmp_path / "list.tsv").pairs
    assert pair.generated.source.name == "a\u2028b\x0bc.mp4"


WRONG_LISTS = {
    "commas": (b"p/a.mp4,g/a.mp4\n", "if these are 2 files, write p/a.mp4<TAB>g/a.mp4"),
    "semicolons": (b"p/a.mp4; g/a.mp4; s.wav\n", "if these are 3 files, write p/a.mp4<TAB>g/a.mp4<TAB>s.wav"),
    "spaces": (b"p/a.mp4  g/a.mp4\n", "if these are 2 files, write p/a.mp4<TAB>g/a.mp4"),
    "one": (b"p/a.mp4\n", "needs two or three fields separated by tabs, not ['p/a.mp4']"),
    "four": (b"a\tb\tc\td\n", "needs two or three fields separated by tabs"),
    "empty field": (b"a\t\tc\n", "needs two or three fields separated by tabs"),
    "utf-16": ("a\tb\n".encode("utf-16"), "can't be read as text in UTF-8"),
    "nothing": (b"\xef\xbb\xbf# only this\n", "names no clip"),
    "twice": (b"a/x.mp4\tb/x.mp4\na/x.mkv\tb/x.mp4\n", "names a/x twice"),
}


@pytest.mark.parametrize("case", WRONG_LISTS)
def test_lists_that_can_not_be_meant(case, tmp_path):
    content, said = WRONG_LISTS[case]
    (tmp_path / "list.tsv").write_bytes(content)
    with pytest.raises(ProtocolError) as caught:
        listed(tmp_path / "list.tsv")
    assert said in str(caught.value)


def test_a_list_that_is_no_file(tmp_path):
    for path in (tmp_path, tmp_path / "none", tmp_path / "a\0b"):
        with pytest.raises(ProtocolError, match="can't be read"):
            listed(path)


def fill(folder, *names):
    """Empty files called names.mp4, in subfolders where a name has any."""
    for name in names:
        place = folder / (name if name.lower().endswith((".mp4", ".json", ".png")) else f"{name}.mp4")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(b"")


def ids(pairing):
    return [pair.id for pair in pairing.pairs if pair.reference is not None]


@pytest.mark.parametrize(
    ("naming", "generated", "reference", "expected"),
    [
        ({"pred_suffix": "_pred"}, ["a_pred", "b_pred"], ["a", "b"], ["a", "b"]),
        ({"pred_suffix": "_pred"}, ["a_pred", "b"], ["a", "b"], ["a", "b"]),  # names without it stay as they are
        ({"pred_suffix": "_pred"}, ["_pred", "a_pred"], ["_pred", "a"], ["_pred", "a"]),  # no id is empty
        ({"pred_suffix": "##WDA"}, ["RD_Radio10_000##WDA"], ["RD_Radio10_000"], ["RD_Radio10_000"]),
        ({"pred_suffix": "_é"}, ["x_e\u0301"], ["x"], ["x"]),  # in any Unicode form
        ({"match": r"(\d+)"}, ["p12x", "p7"], ["12", "g7"], ["12", "7"]),
        ({"match": r"(?P<id>\d+)-(\d+)"}, ["1-5"], ["x1-9"], ["1"]),
        ({"match": "^gen_(.+)"}, ["gen_a", "b"], ["a", "b"], ["a", "b"]),
        ({"match": "(é)"}, ["1e\u0301"], ["2\u00e9"], ["\u00e9"]),
        ({"pred_suffix": "_p", "match": r"(\d+)$"}, ["x1_p"], ["y1"], ["1"]),
        ({"ignore_case": True}, ["hdtf_001.MP4"], ["HDTF_001"], ["HDTF_001"]),
        ({"ignore_case": True, "pred_suffix": "_pred"}, ["straße_PRED"], ["STRASSE"], ["STRASSE"]),
        ({"ignore_case": True, "match": "hdtf_(.+)"}, ["HDTF_a"], ["hdtf_A"], ["A"]),
        ({"recursive": True}, ["id1/1", "id2/1", "top"], ["id1/1", "id2/1", "top"], ["id1/1", "id2/1", "top"]),
        ({"recursive": True, "pred_suffix": "_p"}, ["id1/1_p", "id2/1_p"], ["id1/1", "id2/1"], ["id1/1", "id2/1"]),
        ({"recursive": True, "match": r"(\d+)"}, ["i1/x1", "i2/x1"], ["i1/1y", "i2/1y"], ["i1/1", "i2/1"]),
        ({"recursive": True, "ignore_case": True}, ["ID1/A"], ["id1/a"], ["id1/a"]),
        ({"recursive": True}, ["e\u0301/1"], ["\u00e9/1"], ["\u00e9/1"]),
    ],
)
def test_names_are_read_as_told(tmp_path, naming, generated, reference, expected):
    fill(tmp_path / "pred", *generated)
    fill(tmp_path / "gt", *reference)
    pairing = paired(tmp_path / "pred", tmp_path / "gt", naming=Naming(**naming))
    assert ids(pairing) == expected
    assert pairing.unpaired == ()
    assert pairing.advice == ""
    assert {pair.id for pair in apart(tmp_path / "pred", tmp_path / "gt", naming=Naming(**naming)).pairs} >= {
        f"reference/{id}" for id in expected
    }


@pytest.mark.parametrize(
    ("naming", "said"),
    [
        ({"match": "("}, r"^'\(' is not a valid regular expression: missing \)"),
        ({"match": "a{99999999999}(b)"}, "is not a valid regular expression"),
        ({"match": "a"}, r"has no group: put the part of the name that is the id in \(parentheses\)"),
        ({"match": "(a)(b)"}, r"has 2 groups: call the one that is the id \(\?P<id>"),
        ({"match": 7}, "^match must be text, not 7"),
        ({"recursive": "yes"}, "^recursive must be True or False, not 'yes'"),
        ({"pred_suffix": "a/b"}, "the end of a name, not of a path"),
        ({"match": "(zzz)"}, "^'\\(zzz\\)' is found in no name, such as HDTF_001"),
        ({"pred_suffix": "_prd"}, "no generated clip's name ends with _prd, such as HDTF_001_pred"),
        (
            {"match": "(HDTF)"},
            "by --match '\\(HDTF\\)' two generated clips, HDTF_001_pred and HDTF_002_pred, ",
        ),
        ({"pred_suffix": "1_pred", "match": "(.+)_00"}, "would both be called HDTF"),
    ],
)
def test_namings_that_can_t_be_used_are_refused(tmp_path, naming, said):
    fill(tmp_path / "pred", "HDTF_001_pred", "HDTF_002_pred")
    fill(tmp_path / "gt", "HDTF_001", "HDTF_002")
    with pytest.raises(ProtocolError, match=said):
        paired(tmp_path / "pred", tmp_path / "gt", naming=Naming(**naming))


def test_ids_that_case_alone_tells_apart_can_t_be_one(tmp_path):
    fill(tmp_path / "pred", "a")
    fill(tmp_path / "gt", "a", "A")
    with pytest.raises(ProtocolError, match="by --ignore-case two reference clips, A and a, would both be called a"):
        paired(tmp_path / "pred", tmp_path / "gt", naming=Naming(ignore_case=True))


def test_an_expression_that_would_take_years_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr("thgeval.pairing.naming.LONGEST_S", 1)
    fill(tmp_path / "pred", "a" * 60)
    fill(tmp_path / "gt", "a" * 60)
    with pytest.raises(ProtocolError, match="takes longer than 1 s on these names"):
        paired(tmp_path / "pred", tmp_path / "gt", naming=Naming(match="((?:a+)+)$x"))


@pytest.mark.parametrize(
    ("generated", "reference", "said", "offered"),
    [
        (
            ["HDTF_1_pred", "HDTF_10_pred"],
            ["HDTF_1", "HDTF_10"],
            "2 names differ by the suffix _pred",
            "--pred-suffix _pred",
        ),
        (["R1_0##WDA", "R10_0##WDA"], ["R1_0", "R10_0"], "2 names differ by the suffix ##WDA", "--pred-suffix '##WDA'"),
        (["R1_0##x", "R10_0##y"], ["R1_0", "R10_0"], "2 names differ by what stands", "--match '(.+?)##'"),
        (["a", "b_pred"], ["a", "b"], "1 name differs by the suffix _pred", "--pred-suffix _pred"),
        (["a-x", "b-x"], ["a", "b"], "2 names differ by the suffix -x", "--pred-suffix=-x"),
        (["hdtf_1.MP4"], ["HDTF_1"], "1 name differs by case", "--ignore-case"),
        (["h_1_pred", "h_2_pred"], ["H_1", "H_2"], "suffix _pred and case", "--pred-suffix _pred --ignore-case"),
        (["pred_1", "pred_2"], ["1", "2"], "2 names differ by what stands", "--match '^pred_(.+)'"),
        (["1", "2"], ["1_gt", "2_gt"], "2 names differ by what stands", "--match '(.+)_gt$'"),
        (["1_pred", "2_pred"], ["1_gt", "2_gt"], "2 names differ by what stands", "--match '(.+)(?:_pred|_gt)$'"),
        (["a", "s/b"], ["a", "s/b"], "1 name lies in a subfolder", "--recursive"),
        (
            ["a", "i/1_p", "j/1_p"],
            ["a", "i/1", "j/1"],
            "suffix _p and lie",
            "--pred-suffix _p --recursive",
        ),
    ],
)
def test_what_would_pair_names_is_offered_and_does(tmp_path, generated, reference, said, offered):
    fill(tmp_path / "pred", *generated)
    fill(tmp_path / "gt", *reference)
    advice = paired(tmp_path / "pred", tmp_path / "gt").advice
    assert said in advice
    assert f": {offered} (in Python, naming=Naming(" in advice
    assert advice.endswith("), or list pairs with --list")
    python = advice.partition("naming=")[2].partition("), or")[0]
    naming = eval(python, {"Naming": Naming})
    assert naming.options == offered
    pairing = paired(tmp_path / "pred", tmp_path / "gt", naming=naming)
    assert (len(ids(pairing)), pairing.unpaired) == (len(reference), ())


@pytest.mark.parametrize(
    ("generated", "reference", "advice"),
    [
        (["a"], ["a"], ""),
        (["a", "b"], ["a"], ""),
        (["a1", "a10"], ["a1", "a100"], ""),  # a digit more is another number
        (["c", "clip_1_2"], ["c", "clip_1"], ""),
        (["a_1", "b_1"], ["a_2", "b_3"], "no clip is called the same on both sides, such as a_1 and a_2: pair them"),
        (["1"], ["i/1"], "1 clip lies in subfolders, where --recursive finds no pairs: name the subfolders"),
    ],
)
def test_nothing_is_offered_that_would_not_help(tmp_path, generated, reference, advice):
    fill(tmp_path / "pred", *generated)
    fill(tmp_path / "gt", *reference)
    found = paired(tmp_path / "pred", tmp_path / "gt").advice
    assert found.startswith(advice)
    assert bool(found) == bool(advice)


def test_clips_in_subfolders_alone_are_named_with_the_way_to_them(tmp_path):
    fill(tmp_path / "pred", "i/1")
    fill(tmp_path / "gt", "i/1")
    for found in (paired, apart):
        with pytest.raises(ProtocolError, match=r"there is no clip in .*, but .* in .*subfolders?: --recursive"):
            found(tmp_path / "pred", tmp_path / "gt")
    with pytest.raises(ProtocolError, match="1 clip lies in subfolders: --recursive"):
        paired(tmp_path / "pred", None)
    fill(tmp_path / "pred", "top")
    fill(tmp_path / "gt", "other")
    assert {
        (item.id, item.failure.reason, item.side) for item in apart(tmp_path / "pred", tmp_path / "gt").unpaired
    } == {
        ("generated/i/1", "in a subfolder", "generated"),
        ("reference/i/1", "in a subfolder", "reference"),
    }


def test_companions_of_subfolders_lie_beside_their_clips(tmp_path):
    fill(tmp_path / "pred", "i/1_p", "i/1_p.timing.json", "i/1.timing.json", "x.states/no", "i/.hidden/no")
    fill(tmp_path / "pred", "j/frames.1/1.png", "j/frames.1/2.png")
    fill(tmp_path / "gt", "i/1", "j/frames.1")
    first, second = paired(tmp_path / "pred", tmp_path / "gt", naming=Naming(pred_suffix="_p", recursive=True)).pairs
    assert (first.id, first.timing) == ("i/1", tmp_path / "pred" / "i" / "1_p.timing.json")
    assert (second.id, second.generated.source) == ("j/frames.1", tmp_path / "pred" / "j" / "frames.1")


def test_links_to_folders_are_followed_but_never_in_a_circle(tmp_path):
    fill(tmp_path / "store", "1", "deep/2")
    fill(tmp_path / "pred", "x/1")
    (tmp_path / "pred" / "i").symlink_to(tmp_path / "store")
    for circle, target in (("self", "."), ("x/up", ".."), ("x/root", "/")):
        (tmp_path / "pred" / circle).symlink_to(target)
    (tmp_path / "store" / "deep" / "back").symlink_to(tmp_path / "store")
    pairing = paired(tmp_path / "pred", None, naming=Naming(recursive=True))
    assert [pair.id for pair in pairing.pairs] == ["i/1", "i/deep/2", "x/1"]


def test_an_image_beside_subfolders_makes_no_clip_of_the_folder(tmp_path):
    fill(tmp_path / "pred", "cover.png", "i/1")
    assert [pair.id for pair in paired(tmp_path / "pred", None, naming=Naming(recursive=True)).pairs] == ["i/1"]


def test_single_files_are_named_like_others(tmp_path):
    fill(tmp_path, "a_pred", "a")
    (pair,) = paired(tmp_path / "a_pred.mp4", tmp_path / "a.mp4", naming=Naming(pred_suffix="_pred")).pairs
    assert pair.id == "a"


def test_a_protocol_s_clips_are_ids(tmp_path):
    fill(tmp_path / "pred", "A_pred", "b_pred")
    fill(tmp_path / "gt", "a", "b")
    naming = Naming(pred_suffix="_pred", ignore_case=True)
    pairing = paired(tmp_path / "pred", tmp_path / "gt", clips=("A", "c"), naming=naming)
    assert ([pair.id for pair in pairing.pairs], [item.id for item in pairing.unpaired]) == (["A"], ["c"])


def test_lists_written_on_windows(tmp_path):
    fill(tmp_path, "x/one", "y/one", "odd\\name", "gt")
    (tmp_path / "pairs.tsv").write_text("x\\one.mp4\tgt.mp4\r\ny\\one.mp4\tgt.mp4\r\nodd\\name.mp4\tgt.mp4\r\n")
    pairs = listed(tmp_path / "pairs.tsv").pairs
    assert [pair.id for pair in pairs] == ["odd\\name", "x/one", "y/one"]  # a file that is called so is meant
    assert all(pair.generated.source.is_file() for pair in pairs)


def test_ids_of_lists_have_slashes_on_windows(tmp_path, monkeypatch):
    monkeypatch.setattr("thgeval.pairing.PurePath", PureWindowsPath)
    (tmp_path / "pairs.tsv").write_text("x\\one.mp4\tg.mp4\ny/one.mp4\tg.mp4\n")
    assert [pair.id for pair in listed(tmp_path / "pairs.tsv").pairs] == ["x/one", "y/one"]
