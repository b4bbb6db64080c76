"""What is said: files of every kind, and the two rules of what a word is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thgeval.errors import InputError
from thgeval.features.transcripts import TEXTS, written
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


def test_verbatim_words():
    assert TEXTS["verbatim"](" It\u2019s \u2026 HERE ") == ["It\u2019s", "\u2026", "HERE"]


@given(st.text())
def test_plain_words_are_their_own_plain_words(text):
    words = TEXTS["plain"](text)
    assert TEXTS["plain"](" ".join(words)) == words
    assert all(words)
    assert not any(character.isspace() for word in words for character in word)
