"""Following faces between key frames: the same wherever a clip is cut, and no longer than a face is there."""

import numpy as np
import pytest

from thgeval.errors import ProtocolError
from thgeval.features.faces.detection import FOLLOWS, Backend, Found, faces, followed
from thgeval.features.faces.tracking import REACH, Trail
from thgeval.media.frames import FrameBatch

SIDE = 60
KEYS = FOLLOWS["tracked-8"]


def texture(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 255, (6, 6, 3)).astype(np.uint8)
    return coarse.repeat(SIDE // 6, axis=0).repeat(SIDE // 6, axis=1)


FACES = {1: texture(1), 2: texture(2)}
BACKGROUND = np.full((160, 240, 3), 90, np.uint8)


def drawn(*shown: tuple[int, int, int]) -> np.ndarray:
    """A frame with patches (which, left, top)."""
    frame = BACKGROUND.copy()
    for which, left, top in shown:
        frame[top : top + SIDE, left : left + SIDE] = FACES[which]
    return frame


class Finder:
    """A detector that finds the patches exactly where they are, and remembers in which frames it looked."""

    def __init__(self, frames) -> None:
        self.where = {frame.tobytes(): self._places(frame) for frame in frames}
        self.looked: list[int] = []
        self.order = [frame.tobytes() for frame in frames]

    def _places(self, frame):
        places = []
        for patch in FACES.values():
            for left, top in np.ndindex(frame.shape[1] - SIDE + 1, frame.shape[0] - SIDE + 1):
                corner = frame[top, left]
                if (corner == patch[0, 0]).all() and (frame[top : top + SIDE, left : left + SIDE] == patch).all():
                    places.append((left, top, left + SIDE, top + SIDE))
        return places

    def __call__(self, frame) -> Found:
        key = frame.tobytes()
        self.looked.append(self.order.index(key))
        boxes = np.array(self.where[key], float).reshape(-1, 4)
        return Found(boxes, np.ones(len(boxes)), boxes[:, None, :2].repeat(5, axis=1) + 3)


def test_a_moving_face_is_followed_between_key_frames():
    frames = [drawn((1, 20 + 5 * i, 30 + i)) for i in range(20)]
    finder = Finder(frames)
    found = followed(np.stack(frames), KEYS, finder)
    assert finder.looked == [0, 8, 16]
    assert np.allclose([frame.boxes[0] for frame in found], [finder.where[f.tobytes()][0] for f in frames], atol=0.6)
    for frame in found:  # points keep their place in the box
        assert np.allclose(frame.points[0] - frame.boxes[0, :2], 3)


def test_every_frame_is_looked_at_without_tracking():
    frames = [drawn((1, 20 + i, 30)) for i in range(5)]
    finder = Finder(frames)
    followed(np.stack(frames), 1, finder)
    assert finder.looked == list(range(5))


def test_a_lost_face_is_looked_for_at_once():
    frames = [drawn((1, 20 + i, 30)) for i in range(4)] + [drawn((2, 150 + i, 60)) for i in range(4)]
    finder = Finder(frames)
    found = followed(np.stack(frames), KEYS, finder)
    assert finder.looked == [0, 4]
    assert found[5].boxes[0, 0] == pytest.approx(151, abs=0.6)


def test_nothing_is_followed_where_there_is_nothing():
    frames = [drawn() for _ in range(3)] + [drawn((1, 90, 30 + i)) for i in range(3)] + [drawn(), drawn()]
    finder = Finder(frames)
    found = followed(np.stack(frames), KEYS, finder)
    assert [len(frame.boxes) for frame in found] == [0, 0, 0, 1, 1, 1, 0, 0]
    assert len(finder.looked) == 6  # the frames without a face, and the first with one


def test_one_lost_face_of_two_is_noticed():
    frames = [drawn((1, 20, 30), (2, 150, 30))] * 3 + [drawn((2, 150, 30))] * 3
    found = followed(np.stack(frames), KEYS, Finder(frames))
    assert [len(frame.boxes) for frame in found] == [2, 2, 2, 1, 1, 1]


def test_a_face_beside_another_is_seen_at_the_next_key_frame():
    frames = [drawn((1, 20, 30))] * 3 + [drawn((1, 20, 30), (2, 150, 30))] * 8
    found = followed(np.stack(frames), KEYS, Finder(frames))
    assert [len(frame.boxes) for frame in found] == [1] * 8 + [2] * 3


def test_a_face_at_the_border_is_not_followed():
    box = np.array([[-5.0, 10.0, 55.0, 70.0]])
    assert Trail.of(drawn((1, 20, 30)), box) is None
    assert Trail.of(drawn(), np.empty((0, 4))) is None


@pytest.mark.parametrize("value", [0, 255])
def test_black_and_white_frames_are_no_face(value):
    trail = Trail.of(drawn((1, 90, 40)), np.array([[90.0, 40, 150, 100]]))
    assert trail.into(np.full_like(BACKGROUND, value)) is None
    assert Trail.of(np.full_like(BACKGROUND, value), np.array([[90.0, 40, 150, 100]])) is None


def test_a_face_is_not_looked_for_far_away():
    trail = Trail.of(drawn((1, 20, 30)), np.array([[20.0, 30, 80, 90]]))
    far = 20 + int(SIDE * REACH * 2.5)
    assert trail.into(drawn((1, far, 30))) is None


def test_trackings_do_not_depend_on_where_a_clip_is_cut(monkeypatch):
    rng = np.random.default_rng(0)
    places = np.cumsum(rng.integers(-3, 5, 40))
    frames = np.stack([drawn((1, int(60 + places[i]), 30 + i % 7)) for i in range(40)])
    frames[13], frames[27:30] = drawn(), drawn((2, 10, 10))
    finder = Finder(frames)
    monkeypatch.setattr(Backend, "load", lambda self: finder)
    key = faces(follow="tracked-8")
    assert key.halo == KEYS - 1

    def whole(chunk: int):
        parts = []
        for start in range(0, len(frames), chunk):
            lead = min(key.halo, start)
            batch = FrameBatch(frames[start - lead : start + chunk], 255.0, start, lead)
            parts.append(key.compute(batch, **dict(key.parameters)))
        return [np.concatenate(columns) for columns in zip(*parts, strict=True)]

    expected = whole(len(frames))
    assert (expected[3] == 1).sum() == 39
    for chunk in (1, 3, 8, 13, 32):
        for one, two in zip(whole(chunk), expected, strict=True):
            assert np.array_equal(one, two, equal_nan=True)


def test_unknown_ways_to_follow_are_refused():
    with pytest.raises(ProtocolError, match="follow must be one of every, tracked-8, not 'always'"):
        faces(follow="always")
