"""Checkouts of the user's own: how they are described, run, and named in signatures; all on fakes."""

import json
import os
import sys

import numpy as np
import pytest
from support.clips import moving

import thgeval
from thgeval import Options
from thgeval.clip import Clip, Memory
from thgeval.errors import InputError, ProtocolError
from thgeval.features.words.program_reading import checkout_reading
from thgeval.requirements import pinned, programs

HONEST = """
import json, pathlib, sys
clip, out = map(pathlib.Path, sys.argv[1:])
out.write_text(json.dumps({"text": "heard of " + clip.name}))
"""


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """Make THGEVAL_HOME/checkouts/fake, which runs a script of python."""
    monkeypatch.setenv("THGEVAL_HOME", str(tmp_path / "home"))

    def make(script, *, command=None, more=""):
        place = programs.folder("fake")
        place.mkdir(parents=True, exist_ok=True)
        (place / "read.py").write_text(script)
        command = command or [sys.executable, "read.py", "{clip}", "{out}"]
        (place / programs.RECIPE).write_text(f"command = {json.dumps(command)}\n{more}")
        return place

    return make


def read(path):
    return checkout_reading(model="fake").compute(Clip("a", path), model="fake")


def test_a_checkout_answers(checkout, tmp_path):
    checkout(HONEST)
    assert read(tmp_path / "a clip; touch x.mp4") == "heard of a clip; touch x.mp4"
    assert not (tmp_path / "x.mp4").exists()


@pytest.mark.parametrize("name", ["{out}", "{clip}", "{out}{clip}.mp4", "a{out", "\\1"])
def test_a_clip_may_be_called_like_a_mark(name, checkout, tmp_path):
    """What stands for a mark is not looked at for marks again; a clip ``{out}`` was given the answer's path."""
    script = HONEST.replace("clip.name", "str(clip)")
    checkout(script)
    assert read(tmp_path / name) == f"heard of {tmp_path / name}"
    checkout(script, command=[sys.executable, "read.py", "/x{clip}", "{out}"])
    assert read(tmp_path / name) == f"heard of /x{tmp_path / name}"


def test_a_checkout_may_print_what_it_read(checkout, tmp_path):
    command = [sys.executable, "read.py", "file_path={clip}"]
    script = "import sys; print('loading'); print('transcript:  SEEN', sys.argv[1][-5:])"
    checkout(script, command=command, more="says = 'transcript:'")
    assert read(tmp_path / "a.mp4") == "SEEN a.mp4"
    for script, count in (("print('done')", 0), ("print('transcript: a\\ntranscript: b')", 2)):
        checkout(script, command=command, more="says = 'transcript:'")
        with pytest.raises(InputError, match=f"printed {count} lines that begin with 'transcript:' instead of one"):
            read(tmp_path / "a.mp4")


def test_a_checkout_may_write_a_folder(checkout, tmp_path):
    script = HONEST.replace(
        "out.write_text(", "out.mkdir(); (out / 'b.txt').touch(); (out / 'a_results.json').write_text("
    )
    checkout(script, more="file = '*_results.json'")
    assert read(tmp_path / "a.mp4") == "heard of a.mp4"
    for pattern, count in (("*.csv", 0), ("?*", 2)):
        checkout(script, more=f"file = '{pattern}'")
        with pytest.raises(InputError, match=f"wrote {count} files .* instead of one"):
            read(tmp_path / "a.mp4")
    checkout(HONEST, more="file = '*'")  # it wrote a file, no folder
    with pytest.raises(InputError, match="wrote 0 files"):
        read(tmp_path / "a.mp4")


def test_its_answer_does_not_stay(checkout, tmp_path):
    checkout(HONEST)
    with programs.answer("fake", tmp_path / "a.mp4") as out:
        assert out.is_file()
    assert not out.exists()


@pytest.mark.parametrize(
    ("script", "reason", "said"),
    [
        (
            "import sys; print('no GPU', file=sys.stderr); sys.exit(3)",
            "checkout failed",
            "ended with 3, saying 'no GPU'",
        ),
        ("pass", "checkout failed", "wrote no answer"),
        ("import sys; open(sys.argv[2], 'w').write('words')", "checkout failed", "must write"),
        ("import sys; open(sys.argv[2], 'w').write('[\"words\"]')", "checkout failed", "must write"),
        ("import sys; open(sys.argv[2], 'w').write('{\"text\": 3}')", "checkout failed", "must write"),
        ('import sys; open(sys.argv[2], \'w\').write(\'{"text": "a", "b": 1}\')', "checkout failed", "must write"),
        ("import sys; open(sys.argv[2], 'wb').write(b'\\xff')", "checkout failed", "must write"),
    ],
)
def test_a_checkout_that_fails_fails_the_clip(script, reason, said, checkout, tmp_path):
    checkout(script)
    with pytest.raises(InputError, match=said) as caught:
        read(tmp_path / "a.mp4")
    assert caught.value.reason == reason


def test_a_checkout_that_hangs_is_ended(checkout, tmp_path):
    checkout("import time; time.sleep(60)", more="timeout_s = 0.5")
    with pytest.raises(InputError, match=r"took more than 0.5 s") as caught:
        read(tmp_path / "a.mp4")
    assert caught.value.reason == "checkout timed out"


def test_a_program_that_is_not_there(checkout, tmp_path):
    checkout("", command=["/no/such/python", "{clip}", "{out}"])
    with pytest.raises(InputError, match="can't be run"):
        read(tmp_path / "a.mp4")


def test_frames_in_memory_have_no_file(checkout):
    checkout(HONEST)
    clip = Clip("a", Memory(np.zeros((1, 2, 2, 3), np.uint8), 255.0))
    with pytest.raises(InputError, match="needs a file"):
        checkout_reading(model="fake").compute(clip, model="fake")


@pytest.mark.parametrize(
    ("recipe", "said"),
    [
        ("", "command must name {clip} and {out}"),
        ("command = 'rm -rf /'", "command must be a list of texts"),
        ("command = ['a', '{clip}']", "command must name"),
        ("command = ['a', '{clip}', '{out}']\nshell = true", "unknown keys: shell"),
        ("command = ['a', '{clip}', '{out}']\ntimeout_s = 0", "timeout_s must be a positive number"),
        ("command = ['a', '{clip}', '{out}']\nfiles = [1]", "files must be a list of texts"),
        ("command = ['a', '{out}']\nsays = 'x'", "command must name {clip}"),
        ("command = ['a', '{clip}']\nsays = 1", "says must be a text"),
        ("command = ['a', '{clip}', '{out}']\nfile = '../x'", "file must be the name of a file"),
        ("command = ['a', '{clip}', '{out}']\nfile = 1", "file must be the name of a file"),
        ("command = ['a', '{clip}', '{out}']\nfile = 'x'\nsays = 'y'", "says and file can't stand together"),
        ("command = [", "can't be read"),
    ],
)
def test_a_recipe_that_says_too_little_is_refused(recipe, said, checkout):
    (checkout(HONEST) / programs.RECIPE).write_text(recipe)
    with pytest.raises(ProtocolError, match=said):
        programs.recipe("fake")
    assert said in str(programs.problem("fake"))


@pytest.mark.parametrize("name", ["", "..", "a/b", "openai/whisper", "/etc", ".hidden", "a b"])
def test_a_name_that_is_a_path_or_a_hub_is_refused(name):
    with pytest.raises(ProtocolError, match="is not the name of a folder"):
        programs.folder(name)


def test_without_a_folder_there_is_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv("THGEVAL_HOME", str(tmp_path))
    assert "there is no folder" in str(programs.problem("whisper"))
    assert programs.token("whisper") == "absent"
    assert checkout_reading(model="whisper").lacks() is not None


def _signed(feature):
    return feature.identity(pinned(feature.requires))


def test_every_file_is_in_the_signature(checkout, tmp_path):
    weights = tmp_path / "weights.pth"
    weights.write_bytes(b"one")
    place = checkout(HONEST, more=f"files = [{json.dumps(str(weights))}]")
    seen = [_signed(checkout_reading(model="fake"))]
    for path, content in ((weights, b"two"), (place / "read.py", b"pass"), (place / "new", b"")):
        path.write_bytes(content)
        os.utime(path, ns=(len(seen), len(seen)))
        seen.append(_signed(checkout_reading(model="fake")))
    assert len(set(seen)) == 4
    weights.unlink()
    assert "can't be read" in str(programs.problem("fake"))


def test_a_program_that_cannot_be_read_costs_its_own_metric_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("THGEVAL_HOME", str(tmp_path))
    (tmp_path / "checkouts" / "auto-avsr").mkdir(parents=True)
    (tmp_path / "checkouts" / "auto-avsr" / programs.RECIPE).write_text("command = [")
    found = thgeval.score(moving(6), fps=25, metrics=["video-fps", "wer/auto-avsr"], options=Options(workers=1))
    assert found["video-fps"].clips == 1
    assert "thgeval.toml can't be read" in found["wer/auto-avsr"].unscored
    assert "|checkout-reading@1:auto-avsr,unknown|" in found["wer/auto-avsr"].signature
