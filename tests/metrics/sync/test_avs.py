"""avs-u, avs-m, avs-v and lip-score: cosines against plain loops, and files that are no rows."""

import json
import math
import sys

import numpy as np
import pytest
from support.clips import moving, write_clip

import thgeval
from thgeval.errors import InputError
from thgeval.features.words.av_hubert import cosines, read
from thgeval.requirements import programs

FRAMES, SIZE = 6, 5


def rows(seed, frames=FRAMES, size=SIZE):
    return np.random.default_rng(seed).normal(size=(frames, size)).astype(np.float32)


def slow(first, second):
    found = []
    for a, b in zip(first.astype(float), second.astype(float), strict=True):
        dot = sum(x * y for x, y in zip(a, b, strict=True))
        found.append(dot / math.sqrt(sum(x * x for x in a)) / math.sqrt(sum(y * y for y in b)))
    return sum(found) / len(found)


@pytest.fixture
def pair(tmp_path):
    """Two folders of one clip each, and a way to put rows beside either."""
    sides = {}
    for side in ("generated", "reference"):
        (tmp_path / side).mkdir()
        sides[side] = write_clip(tmp_path / side / "a.mp4", moving(4))

    def beside(side, kind="avhubert", **arrays):
        np.savez(sides[side].with_name(f"a.{kind}.npz"), **{"model": np.array("large_vox_iter5-last"), **arrays})

    return sides, beside


def evaluated(sides, metric):
    run = thgeval.evaluate(sides["generated"].parent, sides["reference"].parent, metrics=[metric])
    return run[metric]


def test_each_metric_reads_its_own_rows(pair):
    sides, beside = pair
    given = {
        side: {part: rows(3 * i + j) for j, part in enumerate(("audio", "video", "joint"))}
        for i, side in enumerate(sides)
    }
    for side, arrays in given.items():
        beside(side, **arrays)
        beside(side, "lipreader", video=arrays["video"])
    ours, theirs = given["generated"], given["reference"]
    expected = {
        "avs-u": slow(ours["audio"], ours["video"]),
        "avs-m": slow(ours["joint"], theirs["joint"]),
        "avs-v": slow(ours["video"], theirs["video"]),
        "lip-score": slow(ours["video"], theirs["video"]),
    }
    for metric, value in expected.items():
        score = evaluated(sides, metric)
        assert score.value == pytest.approx(value, abs=1e-12)
        assert "under:large_vox_iter5-last" in score.signature
    assert evaluated(sides, "avs-u").reference.value == pytest.approx(slow(theirs["audio"], theirs["video"]), abs=1e-12)


def test_equal_rows_give_one(pair):
    sides, beside = pair
    for side in sides:
        beside(side, joint=rows(1), video=rows(2))
    assert evaluated(sides, "avs-m").value == pytest.approx(1, abs=1e-12)
    assert evaluated(sides, "avs-v").value == pytest.approx(1, abs=1e-12)


def test_a_zero_row_has_no_cosine(pair):
    sides, beside = pair
    silent = rows(1)
    silent[2] = 0
    beside("generated", audio=silent, video=rows(2))
    score = evaluated(sides, "avs-u")
    assert score.frames == FRAMES - 1
    assert score.frames_left_out == {"no direction": 1}
    assert np.isnan(cosines(silent, silent)[2])


@pytest.mark.parametrize(
    ("arrays", "other", "reason"),
    [
        ({"joint": rows(1)}, {"joint": rows(1, frames=5)}, "length differs"),
        ({"joint": rows(1)}, {"joint": rows(1, size=4)}, "bad embeddings"),
        ({"joint": rows(1)}, {"joint": rows(1), "model": np.array("base")}, "models differ"),
        ({"video": rows(1)}, {"joint": rows(1)}, "no such rows"),
        ({"joint": rows(1)[0]}, {"joint": rows(1)}, "bad embeddings"),
        ({"joint": rows(1).astype(int)}, {"joint": rows(1)}, "bad embeddings"),
        ({"joint": np.full((3, 4), np.nan)}, {"joint": rows(1)}, "bad embeddings"),
        ({"joint": np.zeros((0, 4))}, {"joint": rows(1)}, "bad embeddings"),
        ({"joint": rows(1), "video": rows(1, frames=4)}, {"joint": rows(1)}, "bad embeddings"),
        ({"joint": rows(1), "model": np.array("two words")}, {"joint": rows(1)}, "bad embeddings"),
        ({"joint": rows(1), "model": np.array("")}, {"joint": rows(1)}, "bad embeddings"),
        ({"other": rows(1)}, {"joint": rows(1)}, "bad embeddings"),
    ],
)
def test_rows_that_do_not_fit_fail_the_clip(arrays, other, reason, pair):
    sides, beside = pair
    beside("generated", **arrays)
    beside("reference", **other)
    assert evaluated(sides, "avs-m").left_out == {reason: 1}


def test_a_file_of_objects_or_of_nothing_is_refused(tmp_path):
    path = tmp_path / "a.avhubert.npz"
    for content in (b"", b"not an archive"):
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"is no .npz file"):
            read(path, "avhubert", "a")
    np.savez(path, model=np.array("m"), video=np.array([{}], dtype=object))
    with pytest.raises(InputError, match=r"is no .npz file"):
        read(path, "avhubert", "a")


def test_without_rows_there_is_a_sentence(pair):
    sides, _ = pair
    assert "a CLIP.avhubert.npz beside it" in evaluated(sides, "avs-u").unscored


def test_a_checkout_can_make_the_rows(pair, tmp_path, monkeypatch):
    monkeypatch.setenv("THGEVAL_HOME", str(tmp_path / "home"))
    place = programs.folder("av-hubert")
    place.mkdir(parents=True)
    (place / "embed.py").write_text(
        "import sys, numpy as np\n"
        "with open(sys.argv[2], 'wb') as out:\n"
        "    seed = 1 if 'generated' in sys.argv[1] else 2\n"
        "    rows = np.random.default_rng(seed).normal(size=(6, 5))\n"
        "    np.savez(out, model=np.array('fake'), joint=rows)\n"
    )
    command = [sys.executable, "embed.py", "{clip}", "{out}"]
    (place / programs.RECIPE).write_text(f"command = {json.dumps(command)}")
    sides, _ = pair
    key = "avs-m:model=av-hubert"
    score = next(iter(thgeval.evaluate(*(side.parent for side in sides.values()), metrics=[key]).scores.values()))
    one, two = (np.random.default_rng(seed).normal(size=(6, 5)) for seed in (1, 2))
    assert score.value == pytest.approx(slow(one, two), abs=1e-12)
    assert programs.token("av-hubert") in score.signature
