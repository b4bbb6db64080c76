"""Every stem of either folder is accounted for, whatever it is called."""

import unicodedata

import pytest

from thgeval.errors import ProtocolError
from thgeval.pairing import listed, paired


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
    assert {(item.id, item.reason) for item in pairing.unpaired} == {
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
    assert problem.reason == "duplicate stem"
    assert "a.mov, a.mp4" in problem.message


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
    assert [(item.id, item.reason) for item in pairing.unpaired] == [(id, "in a subfolder") for id in lower]
    assert pairing.expected == 5
    message = pairing.unpaired[0].message
    assert "b.mp4 lies in a subfolder, and these are not searched; name the subfolder itself" in message


def test_a_folder_whose_clips_all_lie_deeper_is_told_apart_from_one_without(folders):
    with pytest.raises(ProtocolError, match=r"there is no clip in \S+ nor in \S+$"):
        paired(*folders)
    nested(folders[0], "x/b.mp4", "y/a.mp4")
    with pytest.raises(ProtocolError, match=r"but there are 2 in subfolders, such as .*b\.mp4; .* --list"):
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
    assert [item.reason for item in paired(*folders).unpaired] == ["duplicate stem"]


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
