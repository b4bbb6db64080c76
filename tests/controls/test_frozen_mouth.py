"""``with_frozen_mouth``: the first frame's lower face on a head that moves, on any video with a face."""

import numpy as np
import pytest

pytest.importorskip("dlib")
pytest.importorskip("skimage")

from thgeval.controls.faces import marked, with_frozen_mouth
from thgeval.errors import InputError
from thgeval.features.faces import dlib_models
from thgeval_baselines.controls.table import TABLE, Clip, made
from thgeval_baselines.sets.clips import head, take


def frozen_mouth(frames):
    return np.stack(list(with_frozen_mouth(frames, marked(frames))))


BRIDGE, NOSTRILS, EYES = 27, 33, slice(36, 48)


@pytest.fixture(scope="module")
def performed():
    return take(head(seed=1, size=192), seed=2, seconds=1.2, first=0)


@pytest.fixture(scope="module")
def frozen(performed):
    return frozen_mouth(performed.frames)


@pytest.fixture(scope="module")
def seen(performed, frozen):
    """Landmarks as read before and after: twice (frames, 68, 2)."""
    return marked(performed.frames), marked(frozen)


def opening(points):
    return np.linalg.norm(points[:, [61, 62, 63]] - points[:, [67, 66, 65]], axis=2).mean(axis=1)


def test_the_mouth_stays_as_it_was_in_the_first_frame(seen):
    before, after = map(opening, seen)
    assert before.std() > 1.5
    assert after.std() < 0.2 * before.std()
    assert abs(after.mean() - before[0]) < 0.5


def test_the_mouth_goes_where_the_head_goes(performed, seen):
    assert np.ptp(performed.landmarks[:, BRIDGE], axis=0).max() > 4, "the head moves, or nothing is shown"
    assert np.abs(seen[1][:, BRIDGE] - seen[0][:, BRIDGE]).max() < 1
    corners = [points[:, [48, 54]].mean(axis=1) - points[:, BRIDGE] for points in seen]
    assert np.abs(corners[1] - corners[0]).max() < 3, "a mouth left behind would be further off"


def test_the_first_frame_eyes_and_background_are_untouched(performed, frozen):
    assert np.array_equal(frozen[0], performed.frames[0])
    rows, columns = np.nonzero((frozen != performed.frames).any(axis=(0, 3)))
    marks = performed.landmarks
    assert rows.min() > marks[:, EYES, 1].max(), "blinks are the eyes' own"
    assert marks[:, :17, 0].min() - 4 < columns.min() < columns.max() < marks[:, :17, 0].max() + 4
    assert rows.max() < marks[:, 8, 1].max() + 6


def test_frames_without_a_face_are_bridged(performed, frozen, monkeypatch):
    real, calls = dlib_models.detected_enlarged, []

    def now_and_then(frame):
        calls.append(frame)
        found = real(frame)
        return found._replace(boxes=found.boxes[:0]) if len(calls) % 5 == 0 else found

    monkeypatch.setattr(dlib_models, "detected_enlarged", now_and_then)
    bridged = frozen_mouth(performed.frames)
    assert len(calls) == len(performed.frames)
    assert np.abs(bridged.astype(int) - frozen).mean() < 0.1


@pytest.mark.parametrize("which", ["none", "few", "not the first"])
def test_a_video_without_a_face_to_hold_is_refused(performed, which):
    frames = performed.frames[:6].copy()
    frames[{"none": slice(None), "few": slice(1, 5), "not the first": slice(1)}[which]] = 128
    count = {"none": 0, "few": 2, "not the first": 5}[which]
    with pytest.raises(InputError, match=rf"a face is found in {count} of 6 frames, or not in the first") as refused:
        frozen_mouth(frames)
    assert refused.value.reason == "no face"


def test_the_control_holds_by_landmarks_where_the_set_knows_nothing(performed, frozen):
    clip = made(TABLE["ctl-mouthfreeze"], Clip(frames=performed.frames, fps=25, seed=0, sound=performed.sound))
    assert np.array_equal(clip.frames, frozen)
    assert clip.how == "the first frame's lower face, held by landmarks"
    assert np.array_equal(clip.sound, performed.sound)
