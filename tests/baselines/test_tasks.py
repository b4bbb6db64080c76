"""Task sets: what is written is read back, what is wrong is named, and a setting hides what it says."""

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
import yaml

from thgeval.errors import InputError, ProtocolError
from thgeval_baselines.generator import INPUTS
from thgeval_baselines.tasks.files import check_files, read_taskset, write_taskset
from thgeval_baselines.tasks.items import FILES, WORDS, Item, TaskSet
from thgeval_baselines.tasks.settings import FITTING, SETTINGS, setting, shown


@pytest.fixture
def tasks(tmp_path: Path) -> TaskSet:
    """Two items whose files hold their own names."""
    for name in ("img/a.png", "wav/a.wav", "ref/a.mp4", "fit/a.mp4", "drive/b.mp4", "curves/a.csv", "truth/a.npz"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    full = Item(
        id="a",
        inputs={
            "source_image": "img/a.png",
            "audio": "wav/a.wav",
            "text": "Bad moons, ma’am.",
            "driving_video": "drive/b.mp4",
            "target_video": "drive/b.mp4",
            "curves": "curves/a.csv",
            "fit_video": "fit/a.mp4",
        },
        reference="ref/a.mp4",
        truth={"params": "truth/a.npz"},
        identity="s001",
        frames=75,
        meta={"voice": "en-us"},
    )
    bare = Item(id="B-2", inputs={"audio": "wav/a.wav"}, fps=Fraction(30000, 1001), size=(128, 192), language="de")
    return TaskSet("synth-v1", tmp_path, (full, bare), data=("espeak-sentences",), made_by={"seed": 7})


def test_what_is_written_is_read_back(tasks: TaskSet) -> None:
    write_taskset(tasks)
    found = read_taskset(tasks.folder)
    assert found == read_taskset(tasks.folder / "taskset.yaml")
    assert [replace(item, sha256={}) for item in found] == list(tasks.items)
    assert replace(found, items=()) == replace(tasks, items=())
    assert set(found["a"].sha256) == {"source_image", "audio", "reference"}
    assert found.data_ids == ("synth-v1", "espeak-sentences")
    check_files(found, found["a"])


def test_a_changed_and_a_missing_file_are_named(tasks: TaskSet) -> None:
    write_taskset(tasks)
    found = read_taskset(tasks.folder)
    (tasks.folder / "wav/a.wav").write_text("another")
    with pytest.raises(InputError, match="its audio is another file than the set was made with") as caught:
        check_files(found, found["a"])
    assert caught.value.reason == "changed"
    check_files(found, found["a"], ["source_image"])
    (tasks.folder / "wav/a.wav").unlink()
    with pytest.raises(InputError, match="its audio is missing"):
        check_files(found, found["a"], ["audio"])


def line(**changed: object) -> str:
    return json.dumps({"id": "a", "inputs": {"audio": "wav/a.wav"}, **changed})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (line(inputs={"audio": "../secret.wav"}), "no path below the set's folder"),
        (line(inputs={"audio": "/etc/passwd"}), "no path below the set's folder"),
        (line(inputs={"audio": "wav\\..\\..\\secret.wav"}), "no path below the set's folder"),
        (line(inputs={"audio": "C:/secret.wav"}), "no path below the set's folder"),
        (line(reference="escape/secret.mp4"), "a link that leads out"),
        (line(truth={"params": "../t.npz"}), "no path below the set's folder"),
        (line(id="a.b"), "must match pattern"),
        (line(id="../a"), "must match pattern"),
        (line(id="a\n"), "must match pattern"),
        (line(protocol="self_audio"), "must not contain"),
        (line(inputs={"reference": "ref/a.mp4"}), "must not contain"),
        (line(frames=0), "bigger than or equal to 1"),
        (line(sha256={"text": "0" * 64}), "a hash of text, but no such file"),
        (line(reference="ref/a.mp4", inputs={"fit_video": "ref/a.mp4"}), "fits to its own reference"),
        (line() + "\n" + line(id="A"), "has a and A: one name too many"),
        ("{", "line 1 of .* is no JSON"),
        ("\n\n", "has no items"),
    ],
)
def test_a_line_that_is_no_item_is_refused_by_number(tasks: TaskSet, text: str, said: str) -> None:
    write_taskset(tasks)
    (tasks.folder / "escape").symlink_to(tasks.folder.parent)
    (tasks.folder / "items.jsonl").write_text(text + "\n", encoding="utf-8")
    with pytest.raises(ProtocolError, match=said):
        read_taskset(tasks.folder)


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ("- a\n", "taskset.yaml is no part of a task set"),
        ("schema: thgeval/taskset@2\nid: a\nitems: items.jsonl\n", "schema must be same as const"),
        ("schema: thgeval/taskset@1\nid: a\nitems: ../items.jsonl\n", "no path below"),
        ("schema: thgeval/taskset@1\nid: a\nitems: items.jsonl\nfps: 0\n", "fps"),
        ("a: [", "is no task set"),
        ("!!python/object/apply:os.system ['true']\n", "is no task set"),
    ],
)
def test_a_head_that_is_none_is_refused(tasks: TaskSet, head: str, said: str) -> None:
    write_taskset(tasks)
    (tasks.folder / "taskset.yaml").write_text(head)
    with pytest.raises(ProtocolError, match=said):
        read_taskset(tasks.folder)


def test_a_folder_without_a_set_says_so(tmp_path: Path) -> None:
    with pytest.raises(ProtocolError, match=r"is no task set: .* there is no such file"):
        read_taskset(tmp_path)


def test_what_could_not_be_read_is_not_written(tasks: TaskSet) -> None:
    with pytest.raises(ProtocolError, match="no path below"):
        write_taskset(replace(tasks, items=(Item("a", {"audio": "../a.wav"}),)))
    assert not (tasks.folder / "taskset.yaml").exists()


@pytest.mark.parametrize("name", SETTINGS)
def test_a_setting_shows_what_it_says_and_no_reference_but_by_its_definition(tasks: TaskSet, name: str) -> None:
    inputs = shown(tasks, tasks["a"], SETTINGS[name])
    assert inputs.given() <= SETTINGS[name].shows
    assert SETTINGS[name].needs - {"reference"} <= inputs.given()
    seen = {key for key in FILES if getattr(inputs, key) == tasks.path("ref/a.mp4")}
    assert seen == {"self-dub": {"target_video"}, "self-reenactment": {"driving_video"}}.get(name, set())
    assert (inputs.frames is None) == (name == "text")
    assert bool(SETTINGS[name].gives_away) >= bool(seen)


def test_text_hides_the_speech_and_speech_hides_the_text(tasks: TaskSet) -> None:
    assert shown(tasks, tasks["a"], setting("text")).audio is None
    assert shown(tasks, tasks["a"], setting("self-audio")).text is None
    assert shown(tasks, tasks["a"], setting("self-audio")).driving_video is None


def test_an_item_has_its_own_rate_size_and_language(tasks: TaskSet) -> None:
    (tasks.folder / "img/b.png").write_text("b")
    item = replace(tasks["B-2"], inputs={"audio": "wav/a.wav", "source_image": "img/b.png"})
    inputs = shown(tasks, item, setting("cross-audio"))
    assert (inputs.fps, inputs.size, inputs.language) == (Fraction(30000, 1001), (128, 192), "de")


def test_what_an_item_lacks_is_said(tasks: TaskSet) -> None:
    with pytest.raises(ProtocolError, match="B-2 of synth-v1 has no reference, source_image, which self-audio needs"):
        shown(tasks, tasks["B-2"], setting("self-audio"))
    with pytest.raises(ProtocolError, match="no setting called 'self_audio'; there are self-audio, "):
        setting("self_audio")


def test_items_settings_and_generators_speak_of_the_same_inputs() -> None:
    assert {*FILES, WORDS} == set(INPUTS)
    assert set(FILES) >= FITTING
    assert all(each.shows <= set(INPUTS) for each in SETTINGS.values())


def test_the_schema_lists_every_input() -> None:
    from thgeval_baselines import tasks as room

    schema = json.loads((Path(room.__file__).parent / "item.schema.json").read_text())
    assert set(schema["properties"]["inputs"]["properties"]) == set(INPUTS)


def test_a_set_is_plain_yaml(tasks: TaskSet) -> None:
    write_taskset(tasks)
    head = yaml.safe_load((tasks.folder / "taskset.yaml").read_text(encoding="utf-8"))
    assert (head["fps"], head["size"], head["id"]) == ("25", [256, 256], "synth-v1")
