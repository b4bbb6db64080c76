"""Result files: what is written is read back equal, repeats nothing, follows the schema; anything else is refused."""

import json
import math
import random
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from support.clips import moving, write_clip

import thgeval
from thgeval import Run
from thgeval.cli.main import code
from thgeval.errors import Failure, ProtocolError
from thgeval.schema import SCHEMA, encoded

METRICS = ["psnr", "l1", "f-mse", "cpbd"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Three pairs, of which one is a copy, one too long, and a clip that nobody generated; and their result."""
    made = tmp_path_factory.mktemp("result")
    for number, name in enumerate("abc"):
        for side, noise in (("pred", 6.0), ("gt", 0.0)):
            (made / side).mkdir(exist_ok=True)
            write_clip(made / side / f"{name}.mp4", moving(seed=number, noise=0.0 if name == "a" else noise))
    write_clip(made / "pred" / "c.mp4", moving(frames=12, seed=2))
    write_clip(made / "gt" / "d.mp4", moving(seed=3))
    options = thgeval.Options(out=made / "run.json")
    thgeval.evaluate(made / "pred", made / "gt", metrics=METRICS, options=options)
    return made


def data(folder):
    return json.loads((folder / "run.json").read_text())


def test_files_follow_the_published_schema(folder):
    published = json.loads((Path(thgeval.__file__).parent / "result.schema.json").read_text())
    jsonschema.validate(data(folder), published)
    assert data(folder)["schema"] == SCHEMA


def test_what_is_written_is_read_back_equal(folder, tmp_path):
    run = Run.read(folder / "run.json")
    again = thgeval.evaluate(
        folder / "pred", folder / "gt", metrics=METRICS, options=thgeval.Options(out=folder / "run.json")
    )
    assert run.scores == again.scores
    assert run.canonical == again.canonical
    run.write(tmp_path / "copy.json")
    assert Run.read(tmp_path / "copy.json").canonical == run.canonical


def test_what_repeats_is_written_once(folder):
    held, run = data(folder), Run.read(folder / "run.json")
    assert all("*prepared" in score["signature"] for score in held["scores"].values())
    assert all("|fps:native|" in score.signature for score in run.scores.values())
    (c,) = [clip for clip in held["clips"] if clip["id"] == "c"]
    assert c["failed"] == [{**c["failure"], "metrics": c["failed"][0]["metrics"]}]
    assert not any("psnr" in clip["contributions"] for clip in held["clips"])
    assert run.clips[0].scores["psnr"] == float("inf")
    assert "psnr" not in run.clips[0].contributions
    b = run.clips[1]
    assert b.contributions["psnr"] == [b.scores["psnr"], 1.0]


def test_no_path_of_this_machine_is_in_the_canonical_part(folder):
    run = Run.read(folder / "run.json")
    assert str(folder) not in run.canonical.decode()
    assert data(folder)["clips"][1]["generated"] == "b.mp4"
    assert data(folder)["run"]["folders"] == {"generated": "pred", "reference": "gt"}
    assert run.place(run.clips[1], "generated").samefile(folder / "pred" / "b.mp4")


def test_the_run_record_says_what_the_numbers_may_depend_on(folder):
    made = data(folder)["run"]
    assert {"thgeval", "python", "decoder", "numpy", "scipy", "numba", "opencv", "platform", "processor"} <= set(
        made["environment"]
    )
    assert made["measured"] == {"measured": 1, "recalled": 2} or sum(made["measured"].values()) == 3
    assert made["cpu_seconds"] >= 0
    assert made["peak_bytes"] > 1 << 20


def test_sixty_metrics_of_a_clip_stay_small(folder):
    """A clip costs less than 6 kB at 60 metrics, failures of a dozen among them."""
    run = Run.read(folder / "run.json")
    score = run["l1"]
    keys = [f"metric-{number}/some-preset" for number in range(60)]
    scores = {key: 0.123456789012345678 * number for number, key in enumerate(keys[:48])}
    added = {key: [value * 125, 125.0] for key, value in scores.items()}
    reason = Failure("no face", "no face was found in any of the frames of this clip, which has 125")
    failed = dict.fromkeys(keys[48:], reason)
    clip = replace(run.clips[1], scores=scores, contributions=added, failed=failed)
    sizes = []
    for count in (10, 20):
        clips = tuple(replace(clip, id=f"clip-{number:05d}") for number in range(count))
        made = Run(dict.fromkeys(keys, score), clips, run.protocol, run.environment, run.options, count)
        sizes.append(len(encoded(made.to_dict())))
    assert (sizes[1] - sizes[0]) / 10 < 6_000


def test_files_of_the_first_version_are_brought_up_to_date(folder, tmp_path):
    run = Run.read(folder / "run.json")
    full = run.to_dict()
    old = {
        **{name: value for name, value in full.items() if name != "run"},
        "schema": "thgeval.result/1",
        "environment": full["run"]["environment"],
        "clips": [
            {name: value for name, value in clip.items() if name not in ("content", "states")} for clip in full["clips"]
        ],
    }
    (tmp_path / "old.json").write_text(json.dumps(old, indent=1))
    read = Run.read(tmp_path / "old.json")
    assert read.scores == run.scores
    assert read.environment == run.environment
    assert [clip.failed for clip in read.clips] == [clip.failed for clip in run.clips]
    assert read.clips[0].content == {}


def places(value, path=()):
    """Every place in nested data."""
    yield path
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from places(value[key], (*path, key))


ODD = [None, True, -1, 1e300, "x", "\ud800", [], {}, [[]], {"a": {}}, "<b>", 0.5]


def test_hostile_results_are_read_or_refused_in_one_sentence(folder, tmp_path, capsys):
    """A value of another kind anywhere: read, or refused; and whatever is read can be shown and compared."""
    whole, rng = data(folder), random.Random(7)
    path = tmp_path / "odd.json"
    found = list(places(whole))[1:]
    refused = 0
    for at in rng.sample(found, 150):
        changed = json.loads(json.dumps(whole))
        inner = changed
        for key in at[:-1]:
            inner = inner[key]
        inner[at[-1]] = rng.choice(ODD)
        path.write_text(json.dumps(changed))
        try:
            run = Run.read(path)
        except ProtocolError as error:
            refused += 1
            assert "is not a thgeval result file" in str(error)
            assert "\n" not in str(error)
            continue
        assert all(score.value is None or not math.isnan(score.value) for score in run.scores.values())
        assert code(["verify", str(path)]) in (0, 1, 2)
    capsys.readouterr()
    assert refused > 60


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "3", "null", '"x"', "{", "[" * 200_000, '{"schema": "thgeval.result/9"}', '{"schema": NaN}',
        '{"schema": "thgeval.result/2"}', '{"schema": "thgeval.result/1"}',
        '{"schema": "thgeval.result/1", "scores": 3}',
        '{"schema": "thgeval.result/2", "expected": 1e999}', "9" * 5000, "\udcff\x00",
    ],
)  # fmt: skip
def test_files_that_are_no_result(tmp_path, text):
    path = tmp_path / "odd.json"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ProtocolError, match=r"odd\.json is not a thgeval result file") as caught:
        Run.read(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["", "x", "@", "x@", "x@y", "x@-1", "x@1!!", "x|y@1", "x@" + "9" * 5000])
def test_protocols_of_no_version_are_refused(folder, tmp_path, name):
    data = json.loads((folder / "run.json").read_text())
    data["protocol"]["name"] = name
    (tmp_path / "odd.json").write_text(json.dumps(data))
    with pytest.raises(ProtocolError, match=r"odd\.json is not a thgeval result file"):
        Run.read(tmp_path / "odd.json")


def test_results_that_are_no_files(tmp_path):
    with pytest.raises(ProtocolError, match="can't be read"):
        Run.read("/dev/zero")
    with pytest.raises(ProtocolError, match="can't be read"):
        Run.read(tmp_path / "nowhere.json")
