"""Who is measured: policies over made-up boxes, without any detector."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from thgeval.errors import ProtocolError
from thgeval.features.faces.detection import SLOTS, Faces, faces, slotted
from thgeval.features.faces.detection import Found as _Found
from thgeval.features.faces.people import POLICIES, company, filled, overlap, people, taken, why_absent
from thgeval.features.faces.people import chosen as chosen_slots
from thgeval.view import Side

PAIRED = [policy for policy in POLICIES if policy != "all"]


def Found(*boxes) -> _Found:
    """One frame's faces from (left, top, side) squares."""
    squares = [(x, y, x + side, y + side) for x, y, side in boxes]
    return _Found(np.array(squares, float).reshape(-1, 4), np.ones(len(squares)))


def seen(*frames) -> Faces:
    return slotted([Found(*boxes) for boxes in frames], (240, 320))


def chosen(found: Faces, **how):
    """The slots (frames, people) that a policy chooses, and why frames have no one."""
    slots = Side({faces(): found})[people(**how)]
    return slots, why_absent(slots).tolist()


def slots(found: Faces, **how) -> list:
    return np.maximum(chosen(found, **how)[0], -1).tolist()


CLIP = seen([(10, 10, 50), (100, 10, 80)], [(100, 12, 78)], [], [(12, 10, 50), (98, 10, 82), (200, 9, 81)])


def test_largest_is_the_largest_of_each_frame():
    assert slots(CLIP) == [[1], [0], [-1], [1]]


def test_the_first_of_equals_is_taken():
    assert slots(seen([(0, 0, 50), (90, 0, 50)])) == [[0]]


def test_first_and_last_go_by_the_detectors_order():
    assert slots(CLIP, who="first") == [[0], [0], [-1], [0]]
    assert slots(CLIP, who="last") == [[1], [0], [-1], [2]]


def test_track_stays_with_one_face():
    crossing = seen([(0, 0, 60), (100, 0, 50)], [(104, 0, 90), (4, 0, 60)], [(110, 0, 90)], [(8, 0, 60), (120, 0, 99)])
    assert slots(crossing, who="track") == [[0], [1], [-1], [0]]
    assert slots(crossing) == [[0], [0], [0], [1]]


def test_track_begins_where_the_first_face_is():
    assert slots(seen([], [(0, 0, 50)], [(300, 0, 90), (2, 0, 50)]), who="track") == [[-1], [0], [1]]


def test_all_are_those_of_frames_with_the_usual_number():
    two = seen([(100, 0, 50), (0, 0, 50)], [(5, 0, 50)], [(1, 0, 50), (101, 0, 50)], [])
    assert slots(two, who="all") == [[1, 0], [-1, -1], [0, 1], [-1, -1]]


def test_all_of_equally_usual_numbers_are_the_fewest():
    assert slots(seen([(0, 0, 50)], [(0, 0, 50), (99, 0, 50)]), who="all") == [[0], [-1]]


def test_small_faces_are_not_there():
    assert slots(CLIP, min_px=79) == [[1], [-1], [-1], [1]]
    assert slots(CLIP, min_px=79, who="all") == [[1], [-1], [-1], [-1]]
    assert slots(CLIP, min_px=200, who="first") == [[-1]] * 4
    assert slots(seen([(0, 0, 80)]), min_px=80) == [[0]]


@pytest.mark.parametrize(
    ("how", "reasons"),
    [
        ({}, ["", "", "no face", ""]),
        ({"min_px": 79}, ["", "face too small", "no face", ""]),
        ({"who": "all"}, ["other number of faces", "", "no face", "other number of faces"]),
        ({"who": "track"}, ["", "", "no face", ""]),
    ],
)
def test_every_frame_without_anyone_has_a_reason(how, reasons):
    _, said = chosen(CLIP, **how)
    assert said == reasons


def test_a_lost_track_is_told_from_no_face():
    _, said = chosen(seen([(0, 0, 50)], [(200, 0, 50)], []), who="track")
    assert said == ["", "face lost", "no face"]


def test_unknown_policies_are_refused():
    with pytest.raises(ProtocolError, match="who must be one of largest, first, last, track, all, not 'me'"):
        chosen(CLIP, who="me")


def beside(*frames, who="largest", min_px=0):
    """In how many frames another face is as large as the chosen one, and how often the choice changed owner."""
    found = seen(*frames)
    return tuple(company(found, chosen_slots(found, who=who, min_px=min_px)[:, 0], min_px=min_px))


LEFT, RIGHT = (0, 0, 60), (150, 0, 60)


def test_faces_as_large_are_counted_and_so_is_the_choice_going_to_and_fro():
    assert beside([LEFT, RIGHT], [LEFT, (150, 0, 61)], [(0, 0, 62), RIGHT], [(0, 0, 62), RIGHT]) == (4, 2)
    assert beside([LEFT, RIGHT], [LEFT, (150, 0, 61)], who="track") == (2, 0)
    assert beside([LEFT, RIGHT], [RIGHT, LEFT], who="first") == (2, 1)


def test_one_person_is_alone_whatever_else_is_found():
    alone = [[LEFT], [(3, 0, 61)], [], [(5, 0, 58)]]
    small = [[*boxes, (200, 100, 20)] for boxes in alone if boxes]
    twice = [[LEFT, (4, 3, 58)], [(3, 2, 59), (1, 0, 60)]]
    assert beside(*alone) == beside(*small) == beside(*twice) == (0, 0)


def test_a_face_two_thirds_as_large_is_as_large():
    assert beside([(0, 0, 60), (150, 0, 50)]) == (1, 0)
    assert beside([(0, 0, 60), (150, 0, 48)]) == (0, 0)
    assert beside([(0, 0, 60), (150, 0, 50)], min_px=55) == (0, 0)


def test_an_owner_who_leaves_is_not_a_change_of_mind():
    assert beside([LEFT], [], [RIGHT], [RIGHT]) == (0, 0)
    assert beside([LEFT], [RIGHT]) == (0, 0)
    assert beside([LEFT, (150, 0, 20)], [LEFT, (150, 0, 90)]) == (0, 1)
    assert beside([LEFT], [(200, 100, 20)], [LEFT, (200, 100, 20)]) == (0, 1)


boxes = st.lists(
    st.tuples(st.integers(0, 300), st.integers(0, 200), st.integers(1, 120)).map(lambda box: tuple(map(float, box))),
    max_size=SLOTS + 2,
)
clips = st.lists(boxes, min_size=1, max_size=12)


@given(clips, st.sampled_from(POLICIES), st.integers(0, 100))
def test_policies_choose_faces_that_are_there(frames, who, min_px):
    found = seen(*frames)
    slots, said = chosen(found, who=who, min_px=min_px)
    assert slots.shape[0] == len(frames)
    assert slots.shape[1] >= 1
    assert ((slots >= 0).all(axis=1) == (np.array(said) == "")).all()
    values = taken(found.boxes, slots)
    assert (np.isnan(values[..., 0]) == (slots < 0)).all()
    side = values[..., 2] - values[..., 0]
    assert (side[slots >= 0] >= min_px).all()
    for row in slots:
        used = row[row >= 0]
        assert len(set(used)) == len(used)


@given(clips, st.sampled_from(PAIRED))
def test_a_face_alone_is_chosen_by_every_policy(frames, who):
    alone = [boxes[:1] for boxes in frames]
    slots, _ = chosen(seen(*alone), who=who)
    there = np.array([len(boxes) for boxes in alone])
    if who != "track":
        assert (slots[:, 0] >= 0).tolist() == (there > 0).tolist()
    elif there.any():
        first = int(np.flatnonzero(there)[0])
        assert slots[first, 0] == 0


@given(clips)
def test_all_stand_from_left_to_right(frames):
    found = seen(*frames)
    slots, _ = chosen(found, who="all")
    centres = taken(found.boxes, slots)[..., [0, 2]].sum(axis=-1)
    kept = centres[(slots >= 0).all(axis=1)]
    assert (np.diff(kept, axis=1) >= 0).all()


@given(hnp.arrays(float, (9, 2, 3), elements=st.floats(-9, 9)), hnp.arrays(bool, (9, 2)), st.integers(0, 9))
def test_gaps_are_bridged_by_straight_lines(values, missing, gap):
    values[missing] = np.nan
    bridged = filled(values, gap)
    for person in range(2):
        own, new = values[:, person, 0], bridged[:, person, 0]
        there = np.flatnonzero(~np.isnan(own))
        assert np.array_equal(new[there], own[there])
        for frame in np.flatnonzero(np.isnan(own)):
            before, after = there[there < frame], there[there > frame]
            if len(before) and len(after) and after[0] - before[-1] - 1 <= gap:
                line = np.interp(frame, [before[-1], after[0]], own[[before[-1], after[0]]])
                assert new[frame] == pytest.approx(line)
            else:
                assert np.isnan(new[frame])


@given(boxes.filter(bool), boxes.filter(bool))
def test_overlap_is_symmetrical(first, second):
    one, two = Found(*first).boxes, Found(*second).boxes
    for other in two:
        shares = overlap(one, other)
        assert ((shares >= 0) & (shares <= 1)).all()
        assert shares == pytest.approx([overlap(other[None], box)[0] for box in one])
    assert overlap(one, one[0])[0] == pytest.approx(1)


def test_more_faces_than_slots_are_counted():
    many = seen([(9.0 * i, 0.0, 5.0) for i in range(SLOTS + 3)])
    assert many.counts.tolist() == [SLOTS + 3]
    assert not np.isnan(many.boxes).any()
