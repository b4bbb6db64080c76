"""Inputs that can't be used, given to every reference generator: each is that item's failure, and the run goes on."""

import json
import os
import sys
import wave
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from PIL import Image

from thgeval.clip import Clip
from thgeval.errors import InputError
from thgeval.media import decoded_speech, probe, write_video
from thgeval_baselines.catalogue import systems
from thgeval_baselines.generator import Inputs
from thgeval_baselines.generators import BUILTIN
from thgeval_baselines.running.plan import Options
from thgeval_baselines.running.record import DONE, FAILED, SKIPPED
from thgeval_baselines.running.runner import run
from thgeval_baselines.running.worker import loaded
from thgeval_baselines.sets.clips import head, take, write_take
from thgeval_baselines.sets.said import write_sound
from thgeval_baselines.speech.hearing import LONGEST_S
from thgeval_baselines.tasks.items import Item, TaskSet
from thgeval_baselines.tasks.settings import SETTINGS

FRAMES = 4
GOOD = {
    "source_image": "face.png",
    "audio": "words.wav",
    "text": "Map.",
    "curves": "curves.npz",
    "driving_video": "face.mp4",
    "target_video": "face.mp4",
    "fit_video": "face.mp4",
    "fit_views": "views",
}
FIRST = (("driving_video", "curves", "audio", "text"), ("target_video", "source_image"))
"""What moves a face, and what it is put into; a generator that takes several uses the first that is given."""
TORN = "truncated or no audio"
"""A generator that reads sound piece by piece finds nothing in it before it finds that it breaks off."""
BAD = {
    "no face in the portrait": ("source_image", "wall.png", "no face"),
    "no picture": ("source_image", "words.wav", "corrupt"),
    "empty text": ("text", "", "text"),
    "blank text": ("text", " \n", "text"),
    "text in another script": ("text", "\u041f\u0440\u0438\u0432\u0435\u0442 \u4f60\u597d", "text"),
    "nothing but signs": ("text", "?!...", "text"),
    "text of an hour": ("text", "word " * 9000, "text"),
    "speech that lasts": ("audio", "long.wav", "too long"),
    "no sound": ("audio", "wall.mp4", "no audio"),
    "a torn sound": ("audio", "torn.wav", TORN),
    "no face that drives": ("driving_video", "wall.mp4", "no face"),
    "no driving video": ("driving_video", "words.wav", "no video"),
    "no face to dub": ("target_video", "wall.mp4", "no face"),
    "no face to fit to": ("fit_video", "spoken-wall.mp4", "no face"),
    "no sound to fit to": ("fit_video", "mute.mp4", "no audio"),
    "no views to fit to": ("fit_views", "no-views", "bad views"),
    "no curves": ("curves", "words.wav", "bad curves"),
    "curves out of range": ("curves", "beyond.npz", "bad curves"),
}
"""What is spoilt, by what, and the reason that is given."""
UNHEARD, STREAMING = {"ref-image", "ref-parameter"}, {"ref-audio"}
"""What takes audio only to put it under the picture, and what shows any length of it piece by piece."""
GENERATORS = {kind.id: kind for kind in map(loaded, BUILTIN)}
APPLY = [
    (id, name)
    for id, kind in GENERATORS.items()
    for name, (spoilt, _, reason) in BAD.items()
    if spoilt in kind.needs | kind.takes | kind.fitting
    and not (spoilt == "audio" and id in UNHEARD)
    and not (reason == "too long" and id in STREAMING)
]


def lasting(path, seconds):
    """So long a silence."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(1)
        file.setframerate(4000)
        file.writeframes(bytes([128]) * round(4000 * seconds))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bad")
    (folder / "views").mkdir()
    (folder / "no-views").mkdir()
    (folder / "no-views/cameras.json").write_text("{}")
    seen = take(head(seed=3, size=256), seed=5, seconds=2.2, first=0)
    Image.fromarray(seen.frames[0]).save(folder / "face.png")
    Image.fromarray(np.full((256, 256, 3), 90, np.uint8)).save(folder / "wall.png")
    write_take(folder / "face.mp4", seen, crf=18)
    write_video(folder / "mute.mp4", seen.frames, fps=Fraction(25))
    walls = np.full((FRAMES, 256, 256, 3), 90, np.uint8)
    write_video(folder / "wall.mp4", walls, fps=Fraction(25))
    write_video(folder / "spoken-wall.mp4", walls, fps=Fraction(25), audio=seen.sound)
    write_sound(folder / "words.wav", seen.sound)
    write_sound(folder / "silence.wav", np.zeros(16000, np.float32))
    (folder / "torn.wav").write_bytes((folder / "words.wav").read_bytes()[:44])
    lasting(folder / "long.wav", LONGEST_S + 1)
    lasting(folder / "hour.wav", 3600)
    np.savez(folder / "curves.npz", jawOpen=np.linspace(0, 0.5, FRAMES))
    np.savez(folder / "beyond.npz", jawOpen=np.linspace(0, 1.5, FRAMES))
    return folder


def files(folder, given):
    return {name: value if name == "text" else folder / value for name, value in given.items()}


def alone(name):
    """The good inputs without those that a generator would use in place of this one."""
    first = next((group for group in FIRST if name in group), ())
    return {each: value for each, value in GOOD.items() if each == name or each not in first}


@pytest.fixture(scope="module")
def fitted(folder, tmp_path_factory):
    """Fits, by generator; the radiance field's would take minutes, and nothing here is made with it."""
    places = {id: tmp_path_factory.mktemp(id) for id in GENERATORS}
    for id in ("ref-video", "ref-diffusion"):
        briefly(id).fit(Inputs("fit", **files(folder, GOOD)), places[id], seed=0)
    return places


def briefly(id):
    """A generator whose fit is short."""
    kind = GENERATORS[id]
    return type("Briefly", (kind,), {"steps": 2})() if hasattr(kind, "steps") else kind()


@pytest.fixture(autouse=True)
def needed():
    for package in ("dlib", "pocketsphinx", "espeakng_loader", "torch", "diffusers"):
        pytest.importorskip(package)


@pytest.mark.parametrize(("id", "name"), APPLY)
def test_every_generator_refuses_what_it_cannot_use_and_says_why(folder, fitted, tmp_path, id, name):
    spoilt, by, reason = BAD[name]
    generator, given = briefly(id), files(folder, alone(spoilt) | {spoilt: by})
    inputs = Inputs("one", frames=None if spoilt == "audio" else FRAMES, **given)

    def made():
        if spoilt in generator.fitting:
            return generator.fit(inputs, tmp_path, seed=0)
        return list(generator.generate(inputs, seed=0, fitted=fitted[id]).frames)

    with pytest.raises(InputError) as told:
        made()
    assert told.value.reason in reason.split(" or ")
    assert len(str(told.value)) > 20


SPEAKING = [id for id, kind in GENERATORS.items() if "audio" in kind.takes | kind.needs and id not in UNHEARD]


@pytest.mark.parametrize("sound", ["silence.wav", "long.wav"])
@pytest.mark.parametrize("id", SPEAKING)
def test_silence_is_shown_and_of_what_lasts_the_frames_that_are_asked_for(folder, fitted, id, sound):
    given = files(folder, alone("audio") | {"audio": sound})
    made = briefly(id).generate(Inputs("one", frames=FRAMES, **given), seed=0, fitted=fitted[id])
    assert [frame.shape for frame in made.frames] == [(256, 256, 3)] * FRAMES


def performed(folder, place, items, *names, **changed):
    """The records of a run of its own, by item, and the folder of one system's clips."""
    tasks = TaskSet("bad", folder, tuple(items))
    options = Options(workers=2, timeout_s=100, fits=place / "fits", **changed)
    made = run(tasks, systems(names), place / "out", options=options)
    return {record.item: record for record in made.records}, made.folders[names[0]]


def test_what_fails_is_kept_with_its_log_and_the_run_goes_on(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("THGEVAL_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PATH", "")
    given = {"source_image": "face.png", "text": "Map."}
    items = [
        Item(id="1-wall", inputs=given | {"source_image": "wall.png"}, frames=FRAMES),
        Item(id="2-signs", inputs=given | {"text": "?!..."}, frames=FRAMES),
        Item(id="3-gone", inputs=given | {"source_image": "gone.png"}, frames=FRAMES),
        Item(id="4-good", inputs=given, frames=FRAMES),
    ]
    records, made = performed(folder, tmp_path, items, "ref-text")
    assert {id: (record.status, record.reason) for id, record in records.items()} == {
        "1-wall": (FAILED, "no face"),
        "2-signs": (FAILED, "text"),
        "3-gone": (FAILED, "missing"),
        "4-good": (DONE, ""),
    }
    assert records["1-wall"].message == "no face is found in source_image.png, give a picture of one frontal face"
    for id in ("1-wall", "2-signs"):
        kept = json.loads((made / "items" / id / "run.json").read_text())
        assert kept["message"] == records[id].message
        assert "InputError: " in kept["log_tail"]
        assert "InputError: " in (made / "items" / id / "log.txt").read_text()
    assert [path.name for path in (made / "clips").glob("*.mp4")] == ["4-good.mp4"]


def test_an_hour_is_refused_in_a_sentence_that_names_no_folder(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("THGEVAL_HOME", str(tmp_path / "home"))
    items = [
        Item(id="1-hour", inputs={"audio": "hour.wav"}),
        Item(id="2-begins", inputs={"audio": "hour.wav"}, frames=FRAMES),
    ]
    setting = SETTINGS["cross-audio"]
    shown = replace(setting, needs=setting.needs - {"source_image"})
    records, made = performed(folder, tmp_path, items, "ref-anim3d", setting=shown)
    assert (records["1-hour"].status, records["1-hour"].reason) == (FAILED, "too long")
    assert records["1-hour"].message == (
        "audio.wav: more than 600 s are to be shown; cut the sound, or ask for fewer frames"
    )
    assert records["2-begins"].status == DONE
    clip = made / "clips/2-begins.mp4"
    assert probe(Clip("begins", clip)).frames == FRAMES
    assert decoded_speech(clip).duration_s < 0.3


def test_a_missing_espeak_ng_is_named_and_a_broken_one_is_its_items_failure(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("THGEVAL_HOME", str(tmp_path / "home"))
    items = [Item(id="words", inputs={"source_image": "face.png", "text": "Map."}, frames=FRAMES)]
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "espeakng_loader", None)
        records, _ = performed(folder, tmp_path, items, "ref-text")
    assert (records["words"].status, records["words"].reason) == (SKIPPED, "unable")
    assert records["words"].message.startswith("it needs espeakng_loader: ")
    broken = "def get_library_path():\n    return 'nowhere.so'\n"
    (tmp_path / "espeakng_loader.py").write_text(broken)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *sys.path]))
    records, _ = performed(folder, tmp_path, items, "ref-text")
    assert (records["words"].status, records["words"].reason) == (FAILED, "text")
    assert records["words"].message.startswith("espeak-ng failed: OSError: nowhere.so")
    assert "espeak-ng failed" in records["words"].log_tail
