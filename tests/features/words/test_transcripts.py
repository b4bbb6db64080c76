"""What is said: files of every kind, and the two rules of what a word is."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thgeval.errors import InputError
from thgeval.features.words.transcripts import TEXTS, unparted, written
from thgeval.limits import limit

read = written().compute


def test_a_text_file(tmp_path):
    path = tmp_path / "clip.txt"
    path.write_bytes("\ufeffBin blue, at F.\n".encode())
    assert read(path) == "Bin blue, at F.\n"
    assert read("given words") == "given words"


def test_what_comes_with_lrs(tmp_path):
    path = tmp_path / "clip.txt"
    path.write_text("Text:  WHEN YOU'RE COOKING\nConf:  6\n\nWORD START END ASDSCORE\nWHEN 0.13 0.30 3.6\n")
    assert TEXTS["plain"](read(path)) == ["when", "you're", "cooking"]


def test_grids_alignment(tmp_path):
    path = tmp_path / "clip.align"
    path.write_text("0 23750 sil\n23750 29500 bin\n29500 34000 blue\n34000 74500 sp\n\n")
    assert read(path) == "bin blue"
    path.write_text("0 23750 sil\n")
    assert read(path) == ""


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("clip.align", b"0 1 bin\nbin blue\n", "has a line that is not start, end and word: 'bin blue'"),
        ("clip.align", b"one two three\n", "has a line that is not start, end and word"),
        ("clip.txt", b"\xff\xfe\x00", "can't be read as text in UTF-8"),
        ("clip.txt", b"a" * (limit("text_bytes") + 1), "it has 1000001 bytes, beyond the limit"),
    ],
)
def test_what_is_no_transcript_is_refused(name, content, said, tmp_path):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError, match=said) as caught:
        read(path)
    assert caught.value.reason == "unreadable transcript"


def test_a_file_that_vanished(tmp_path):
    with pytest.raises(InputError, match="can't be read"):
        read(tmp_path / "none.txt")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("  It\u2019s \u201cnot\u201d well-known\u2026 at 2:30! ", ["it's", "not", "well", "known", "at", "2", "30"]),
        ("STRASSE stra\u00dfe", ["strasse", "strasse"]),
        ("\uff26\uff35\uff2c\uff2c \ufb01ne", ["full", "fine"]),
        ("cafe\u0301 caf\u00e9", ["caf\u00e9", "caf\u00e9"]),
        ("'quoted' rock 'n' roll dogs'", ["quoted", "rock", "n", "roll", "dogs"]),
        ("\u4f60\u597d \u0928\u092e\u0938\u094d\u0924\u0947", ["\u4f60\u597d", "\u0928\u092e\u0938\u094d\u0924\u0947"]),
        ("one\u00a0two\u2014three\tfour", ["one", "two", "three", "four"]),
        ("... -- !?", []),
        ("", []),
    ],
)
def test_plain_words(text, words):
    assert TEXTS["plain"](text) == words


LIKE_AN_APOSTROPHE = (
    *(
        "'",
        "`",
        "\u00b4",
        "\u02b9",
        "\u02bb",
        "\u02bc",
        "\u02bd",
        "\u02be",
        "\u02bf",
        "\u02c8",
        "\u0374",
        "\u0384",
        "\u055a",
    ),
    *(
        "\u05f3",
        "\u07f4",
        "\u1fbd",
        "\u1fbf",
        "\u1fef",
        "\u1ffd",
        "\u2018",
        "\u2019",
        "\u201b",
        "\u2032",
        "\u2035",
        "\u275b",
    ),
    *("\u275c", "\ua78b", "\ua78c", "\uff07", "\uff40"),
)
NOT_SEEN = (
    *(
        "\u00ad",
        "\u200b",
        "\u200c",
        "\u200d",
        "\u2060",
        "\ufeff",
        "\u200e",
        "\u202a",
        "\u2066",
        "\u061c",
        "\u034f",
        "\ufe0f",
    ),
    *(
        "\u180e",
        "\u3164",
        "\u115f",
        "\u1160",
        "\uffa0",
        "\u2062",
        "\ufff9",
        "\U000e0101",
        "\x00",
        "\x07",
        "\x7f",
        "\u0640",
    ),
)
HYPHENS = (
    "-",
    "\u2010",
    "\u2011",
    "\u2012",
    "\u2013",
    "\u2014",
    "\u2212",
    "\ufe58",
    "\ufe63",
    "\uff0d",
    "\u058a",
    "\u05be",
)
SPACES = (
    "\u00a0",
    "\u1680",
    "\u2003",
    "\u2007",
    "\u2009",
    "\u200a",
    "\u2028",
    "\u202f",
    "\u205f",
    "\u3000",
    "\x85",
    "\x0b",
)


@pytest.mark.parametrize("mark", LIKE_AN_APOSTROPHE, ids=ascii)
def test_whatever_is_typed_for_an_apostrophe_is_one(mark):
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        text = unicodedata.normalize(form, f"I don{mark}t say {mark}so{mark}")
        assert TEXTS["plain"](text) == ["i", "don't", "say", "so"]


@pytest.mark.parametrize("mark", NOT_SEEN, ids=ascii)
def test_what_is_not_seen_neither_parts_words_nor_changes_them(mark):
    assert TEXTS["plain"](f"{mark}ca{mark}fe{mark}\u0301 {mark} no{mark}") == ["caf\u00e9", "no"]


@pytest.mark.parametrize(("marks", "words"), [(HYPHENS, ["well", "known"]), (SPACES, ["well", "known"])])
def test_hyphens_and_spaces_of_all_kinds_part_words_alike(marks, words):
    assert {mark: TEXTS["plain"](f"well{mark}known") for mark in marks} == dict.fromkeys(marks, words)


@pytest.mark.parametrize(
    ("written_so", "or_so"),
    [
        ("\ufb01ne \ufb03", "fine ffi"),
        ("\uff26\uff55\uff4c\uff4c", "full"),
        ("\u0132 \u01c4", "ij d\u017e"),
        ("stra\u1e9ee", "STRASSE"),
        ("\u0130stanbul", "istanbul"),
        ("\u03c3\u03bf\u03c6\u03cc\u03c2", "\u03a3\u039f\u03a6\u038c\u03a3"),
        ("\u212bngstr\u00f6m", "\u00c5ngstro\u0308m"),
        ("\uff76\uff9e", "\u30ac"),
        ("\ud55c", "\u1112\u1161\u11ab"),
        ("\ufe8d\ufedf\ufb8a", "\u0627\u0644\u0698"),
        ("\u0149", "'n"),
        ("2\u0660", "2\u0660"),
        ("na\u0131\u0308ve", "na\u0131\u0308ve"),
    ],
)
def test_forms_of_one_word_are_one_word(written_so, or_so):
    assert TEXTS["plain"](written_so) == TEXTS["plain"](or_so) != []


@given(st.text(), st.sampled_from(["NFC", "NFD"]))
def test_composed_or_not_makes_no_difference(text, form):
    assert TEXTS["plain"](unicodedata.normalize(form, text)) == TEXTS["plain"](text)


@given(st.text(st.sampled_from("ab1 \u00e9\u0301'-" + "".join((*LIKE_AN_APOSTROPHE, *NOT_SEEN, *SPACES)))))
def test_plain_words_are_their_own_plain_words_among_the_marks_above(text):
    words = TEXTS["plain"](text)
    assert TEXTS["plain"](" ".join(words)) == words
    assert "".join(words) == "".join(TEXTS["plain"]("".join(c for c in text if c not in NOT_SEEN)))


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("\u4eca\u5929\u5929\u6c14\u5f88\u597d\u6211\u4eec\u53bb\u5427", True),
        ("\u4eca\u5929 \u5929\u6c14 \u5f88 \u597d \u6211\u4eec \u53bb \u5427", False),
        ("\u304d\u3087\u3046\u306f\u3044\u3044\u5929\u6c17\u3067\u3059\u306d", True),
        ("\u0e27\u0e31\u0e19\u0e19\u0e35\u0e49\u0e2d\u0e32\u0e01\u0e32\u0e28\u0e14\u0e35\u0e21\u0e32\u0e01", True),
        (
            "\u1790\u17d2\u1784\u17c3\u1793\u17c1\u17c7\u17a2\u17b6\u1780\u17b6\u179f\u1792\u17b6\u178f\u17bb\u179b\u17d2\u17a2\u178e\u17b6\u179f\u17cb",
            True,
        ),
        (
            "\u0ea7\u0eb1\u0e99\u0e99\u0eb5\u0ec9\u0ead\u0eb2\u0e81\u0eb2\u0e94\u0e94\u0eb5\u0eab\u0ebc\u0eb2\u0e8d",
            True,
        ),
        (
            "\u1012\u102e\u1014\u1031\u1037\u101b\u102c\u101e\u102e\u1025\u1010\u102f\u1000\u1031\u102c\u1004\u103a\u1038\u1010\u101a\u103a",
            True,
        ),
        ("donaudampfschifffahrt", False),
        ("ABSOLUTELY", False),
        ("\uc548\ub155\ud558\uc138\uc694\uc624\ub298\ub0a0\uc528", False),
        ("\u4f60\u597d", False),
        ("", False),
    ],
)
def test_sentences_that_nobody_parted_are_told_from_words(text, whole):
    assert unparted(TEXTS["plain"](text)) is whole


def test_verbatim_words():
    assert TEXTS["verbatim"](" It\u2019s \u2026 HERE ") == ["It\u2019s", "\u2026", "HERE"]


@given(st.text())
def test_plain_words_are_their_own_plain_words(text):
    words = TEXTS["plain"](text)
    assert TEXTS["plain"](" ".join(words)) == words
    assert all(words)
    assert not any(character.isspace() for word in words for character in word)
