"""Entries: what is written is read again, and strangers' files are refused with the file and the field."""

import json

import pytest
from support.boards import made_entry

from thgeval_leaderboard.entry import Event, read, read_all
from thgeval_leaderboard.untrusted import MOST_BYTES, EntryError, fault_of, fault_of_link, mixed_scripts, read_json

VALUES = {"psnr": [30.0, 31.0, 33.0], "ssim": [0.8, 0.9, 0.85]}


@pytest.fixture
def written(tmp_path):
    path = made_entry("mine", VALUES).write(tmp_path)
    return path, json.loads(path.read_text(encoding="utf-8"))


def test_an_entry_is_read_as_it_was_written(written):
    path, _ = written
    again = read(path)
    assert again.encoded() == path.read_bytes()
    assert again.run["psnr"].value == pytest.approx(31.333, abs=1e-3)
    assert again.history == (Event("2026-11-28", "added"),)


def test_a_changed_clip_is_a_changed_line(written, tmp_path):
    path, _ = written
    other = made_entry("mine", VALUES | {"psnr": [30.0, 31.0, 34.0]})
    before, after = path.read_text().splitlines(), other.encoded().decode().splitlines()
    assert len(before) == len(after)
    assert sum(ours != theirs for ours, theirs in zip(before, after, strict=True)) == 2


@pytest.mark.parametrize(
    ("change", "field", "says"),
    [
        (lambda data: data.update(extra=1), "", "must not contain {'extra'} properties"),
        (lambda data: data["method"].update(paradigm="magic"), "method.paradigm", "must be one of"),
        (lambda data: data["method"].update(name="x" * 100), "method.name", "shorter than or equal to 60"),
        (lambda data: data.update(id="../up"), "id", "must match pattern"),
        (lambda data: data["board"].update(dataset="a/b@1"), "board.dataset", "must match pattern"),
        (lambda data: data["history"][0].update(date="yesterday"), "history.0.date", "must match pattern"),
        (lambda data: data["method"].update(says="a\u202eb"), "method.says", "U+202E"),
        (lambda data: data["method"].update(says="e\u0301"), "method.says", "NFC"),
        (lambda data: data["method"].update(says="y" * 5000), "method.says", "too many"),
        (lambda data: data["run"].update(schema="other"), "run", "schema"),
        (lambda data: data["run"]["scores"]["psnr"].update(value="high"), "run", "value"),
        (lambda data: data["run"].pop("clips"), "run", "clips"),
        (lambda data: data.update(verified="sure"), "verified", "must be one of"),
    ],
)
def test_what_is_wrong_is_named_by_its_field(written, change, field, says):
    path, data = written
    change(data)
    path.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(EntryError) as raised:
        read(path)
    assert raised.value.file == "mine.json"
    assert raised.value.field == field
    assert says in raised.value.says


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b'{"a": 1, "a": 2}', "says 'a' twice"),
        (b'{"a": NaN}', "NaN is not a number"),
        (b'{"a": 1e999}', "not a number that can be computed with"),
        (b'{"a": ' + b"[" * 5000 + b"]" * 5000 + b"}", "deeper than 24"),
        (b'{"a": ' + b"9" * 400 + b"}", "400 digits"),
        (b"[]", "holds a list"),
        (b"\xff\xfe", "not UTF-8"),
        (b"{", "no JSON"),
        (b" " * (MOST_BYTES + 1), "more than"),
        (b'{"a": "\\ud800"}', "U+D800"),
    ],
)
def test_hostile_json_is_refused_with_a_sentence(tmp_path, content, says):
    path = tmp_path / "it.json"
    path.write_bytes(content)
    with pytest.raises(EntryError, match=r"^it\.json") as raised:
        read_json(path)
    assert says in raised.value.says


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)",
        "http://example.org",
        "https://",
        "https://user@example.org/",
        'https://example.org/"onload=x',
        "https://localhost/x",
        "https://exam ple.org",
        "//example.org",
        "https://[::1",
        "data:text/html,x",
    ],
)
def test_only_plain_addresses_are_links(link):
    assert fault_of_link(link)


def test_an_ordinary_address_is_a_link():
    assert fault_of_link("https://arxiv.org/abs/2507.02900?x=1#s") == ""


def test_look_alike_letters_are_seen():
    assert mixed_scripts("Wаv2Lip") == "Cyrillic and Latin"
    assert mixed_scripts("Wav2Lip") == mixed_scripts("Ωmega"[1:]) == ""
    assert fault_of("plain words\nand a line") == ""


def test_a_file_under_another_name_is_refused_and_the_rest_is_read(written, tmp_path):
    path, _ = written
    path.rename(tmp_path / "theirs.json")
    made_entry("second", VALUES).write(tmp_path)
    entries, wrong = read_all(tmp_path)
    assert [entry.id for entry in entries] == ["second"]
    assert str(wrong[0]) == "theirs.json: id: 'mine' is not the file's name"
