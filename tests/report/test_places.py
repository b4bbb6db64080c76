"""A report opens clips below the folders it was told of, and leaves everything else alone, whatever a result says."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from report.test_pictures import clip_files, likeness, trio

from thgeval.cli.report import command
from thgeval.engine.run import Options, evaluate
from thgeval.errors import InputError
from thgeval.report import page, pictures
from thgeval.report.places import OUTSIDE, clip_at
from thgeval.results import Run

SENTENCE = f"{OUTSIDE}."


def card(html):
    (found, *_) = html.all("figure", class_="card")
    return " ".join(found.text.split())


@pytest.fixture
def shared(sketch, tmp_path):
    """A result in a folder of its own with clips elsewhere, and the path it gives for the generated one."""
    (tmp_path / "run").mkdir()

    def written(generated, reference=None, folder=tmp_path / "run"):
        files = clip_files(tmp_path, "a")
        begun = sketch("likeness")
        begun.folder = folder
        named = {"generated": str(generated), "reference": str(reference or files[1])}
        return begun.clip("a", likeness(5), files=files, **named).write()

    return written


TOUCHING = """
import os, sys
told = []
def hook(event, args):
    text = os.fsdecode(args[0]) if args and isinstance(args[0], (str, bytes)) else ""
    if text.startswith(sys.argv[1]) and event in ("open", "os.listdir", "os.scandir"):
        told.append((event, text))
real = {name: getattr(os, name) for name in ("stat", "lstat", "readlink")}
for name, function in real.items():
    def watched(path, *args, _function=function, _name=name, **named):
        if not isinstance(path, int) and os.fsdecode(path).startswith(sys.argv[1]):
            told.append((_name, os.fsdecode(path)))
        return _function(path, *args, **named)
    setattr(os, name, watched)
from pathlib import Path
from thgeval.report import page
from thgeval.results import Run
from thgeval.engine.run import Options, evaluate
from thgeval.report import data, places
sys.addaudithook(hook)
from thgeval.errors import InputError
for written in sys.argv[3:]:
    try:
        places.clip_at(os.path.join(sys.argv[2], written), [Path(sys.argv[2])])
    except InputError as error:
        print(error.reason)
print(told)
Path(sys.argv[1]).exists()
print(told)
"""


def test_what_is_outside_is_not_even_looked_at(tmp_path):
    """Neither opened nor stat'ed, by its path or through a link of the folder, there or not."""
    secret, folder = tmp_path / "secret", tmp_path / "run"
    secret.mkdir()
    folder.mkdir()
    (secret / "there.npy").write_bytes(b"x")
    (folder / "link.npy").symlink_to(secret / "there.npy")
    (folder / "gone.npy").symlink_to(secret / "gone.npy")
    (folder / "links").symlink_to(secret)
    written = [
        str(secret / "there.npy"),
        str(secret / "gone.npy"),
        "../secret/there.npy",
        "link.npy",
        "gone.npy",
        "links/there.npy",
        f"{folder}/../secret/there.npy",
        "/dev/zero",
    ]
    done = subprocess.run(
        [sys.executable, "-c", TOUCHING, secret, folder, *written], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == ["outside"] * len(written) + ["[]", f"[('stat', '{secret}')]"]


@pytest.mark.parametrize(
    "path", ["/dev/zero", "/dev/random", "/etc/passwd", "/proc/self/environ", "/no/such/file", "/"]
)
def test_a_path_outside_is_told_in_one_sentence_that_is_always_the_same(path, shared, read):
    html = read(page(Run.read(shared(path))))
    assert card(html).endswith(SENTENCE)
    assert path not in card(html)


@pytest.mark.parametrize("how", ["unchanged", "changed", "gone", "pipe"])
def test_nothing_tells_whether_a_file_outside_is_there(how, shared, read, tmp_path):
    path = shared(tmp_path / "gen" / "a.npy")
    file = tmp_path / "gen" / "a.npy"
    if how == "changed":
        np.save(file, np.load(file)[::-1])
    if how in ("gone", "pipe"):
        file.unlink()
    if how == "pipe":
        os.mkfifo(file)
    assert card(read(page(Run.read(path)))).endswith(SENTENCE)


@pytest.mark.parametrize("kind", ["pipe", "device", "endless link"])
def test_what_is_no_file_is_not_opened_inside_either(kind, shared, read, tmp_path):
    place = tmp_path / "run" / "a.npy"
    path = shared(place)
    if kind == "pipe":
        os.mkfifo(place)
        assert "it is not a regular file" in card(read(page(Run.read(path), clips=[tmp_path])))
    elif kind == "device":
        assert "is not a regular file" in card(read(page(Run.read(shared("/dev/zero")), clips=[Path("/dev")])))
    else:
        place.symlink_to(place)
        assert card(read(page(Run.read(path)))).endswith(SENTENCE)


def test_links_are_followed_as_long_as_they_stay_inside(shared, read, tmp_path):
    paths = clip_files(tmp_path, "a")
    inside = tmp_path / "all"
    inside.mkdir()
    (inside / "a.npy").symlink_to(paths[0])
    (tmp_path / "run" / "links").symlink_to(inside)
    path = shared(tmp_path / "run" / "links" / "a.npy")
    assert card(read(page(Run.read(path)))).endswith(SENTENCE)
    assert card(read(page(Run.read(path), clips=[inside]))).endswith(SENTENCE), "it goes on from there"
    assert len(trio(read(page(Run.read(path), worst=1, clips=[tmp_path])), "a", 5)) == 3
    assert (
        len(trio(read(page(Run.read(path), worst=1, clips=[inside, tmp_path / "gen", tmp_path / "ref"])), "a", 5)) == 3
    )


def test_a_folder_of_frames_with_a_link_out_of_it_is_outside(tmp_path):
    folder = tmp_path / "run"
    (folder / "a").mkdir(parents=True)
    (folder / "a" / "0001.png").write_bytes(b"")
    assert clip_at(str(folder / "a"), [folder]) == (folder / "a").resolve()
    (folder / "a" / "0002.png").symlink_to("/etc/passwd")
    with pytest.raises(InputError, match="outside the folder"):
        clip_at(str(folder / "a"), [folder])


def test_relative_paths_begin_here_and_those_of_a_result_at_the_result(tmp_path, monkeypatch):
    (tmp_path / "here" / "gen").mkdir(parents=True)
    (tmp_path / "here" / "gen" / "a.npy").touch()
    monkeypatch.chdir(tmp_path / "here")
    clip = (tmp_path / "here" / "gen" / "a.npy").resolve()
    assert clip_at("gen/a.npy", [Path()]) == clip_at("x/../gen/a.npy", [Path("gen")]) == clip
    with pytest.raises(InputError) as raised:
        clip_at("gen/b.npy", [Path()])
    assert raised.value.reason == "missing"
    for written in ("../here/gen/a.npy", "a\0b", "x" * 5000, "gen"):
        with pytest.raises(InputError):
            clip_at(written, [Path("gen") / "gen"])
    with pytest.raises(InputError, match="can't be read"):
        clip_at("x" * 5000, [Path()])


def test_a_result_beside_the_folders_of_its_clips_is_told_of_them(tmp_path, monkeypatch, read):
    """As `thgeval score gen ref -o results/run.json` leaves it."""
    clip_files(tmp_path, "a")
    monkeypatch.chdir(tmp_path)
    run = Path("results", "run.json")
    evaluate("gen", "ref", metrics=["l1"], options=Options(out=run))
    assert card(read(page(Run.read(run)))).endswith(SENTENCE)
    assert len(trio(read(page(Run.read(run), worst=1, clips=[Path()])), "a", 5)) == 3
    assert len(trio(read(page(Run.read(run.resolve()), worst=1, clips=[Path("gen"), Path("ref")])), "a", 5)) == 3
    Path("gen", "a.npy").unlink()
    os.mkfifo(Path("gen", "a.npy"))
    said = card(read(page(Run.read(run), clips=[Path()])))
    assert "a.npy: it is not a regular file" in said
    assert str(tmp_path) not in said


def test_the_command_names_further_folders(shared, read, tmp_path):
    path = shared(tmp_path / "gen" / "a.npy")
    out = path.with_suffix(".html")
    assert CliRunner().invoke(command, [str(path)]).exit_code == 0
    assert card(read(out.read_text())).endswith(SENTENCE)
    named = ["--clips", str(tmp_path / "gen"), "--clips", str(tmp_path / "ref")]
    assert CliRunner().invoke(command, [str(path), "--worst", "1", *named]).exit_code == 0
    assert len(trio(read(out.read_text()), "a", 5)) == 3
    assert CliRunner().invoke(command, [str(path), "--clips", str(tmp_path / "none")]).exit_code == 2


def test_nothing_is_decoded_for_a_clip_of_which_one_side_is_outside(shared, tmp_path, monkeypatch):
    path = shared(tmp_path / "gen" / "a.npy")
    monkeypatch.setattr(pictures, "decode", lambda *args, **named: pytest.fail("decoded"))
    page(Run.read(path), clips=[tmp_path / "gen"])
