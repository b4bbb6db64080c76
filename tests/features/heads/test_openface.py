"""OpenFace's tables: angles against an independent conversion, faces that come, go and are several, and bad files."""

import stat
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import assets

from thgeval.clip import Clip, Memory
from thgeval.errors import InputError
from thgeval.features.faces.alignment import angles
from thgeval.features.faces.facs import OPENFACE
from thgeval.features.frames.frames import Shown, shown
from thgeval.features.frames.offered import clip, openface_file
from thgeval.features.heads.openface import (
    ANGLES,
    INTENSITY,
    LANDMARKS,
    PRESENCE,
    openface_pose,
    openface_units,
    read,
    rotations,
)
from thgeval.view import Side

FRAMES = 6
REAL = "OpenFace_Test.csv"


def table(rows=FRAMES, **columns):
    """Columns of a table of one face that is always found, some of them replaced."""
    rng = np.random.default_rng(3)
    held = {"frame": np.arange(1, rows + 1), "timestamp": np.arange(rows) / 25, "success": np.ones(rows)}
    held |= {name: rng.normal(0, 0.2, rows) for name in ANGLES}
    held |= {name: rng.integers(0, 2, rows) for name in PRESENCE} | {
        name: rng.uniform(0, 5, rows) for name in INTENSITY
    }
    return held | columns


def write(path, columns, blank=" "):
    names = [name for name, values in columns.items() if values is not None]
    rows = zip(*(columns[name] for name in names), strict=True)
    lines = [f",{blank}".join(names), *(f",{blank}".join(repr(float(value)) for value in row) for row in rows)]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def side(tmp_path):
    def of(columns, frames=FRAMES, **how):
        path = write(tmp_path / "a.csv", columns, **how) if isinstance(columns, dict) else columns
        return Side(
            {
                openface_file: path,
                shown: Shown(np.tile([99, 99], (frames, 1)), np.full(frames, 0.04), np.arange(frames) * 0.04),
            }
        )

    return of


def euler(yaw_deg, pitch_deg, roll_deg):
    """OpenFace's three angles, in radians, of a head turned by ours: read off its rotation matrix entry by entry."""
    y, p, r = np.radians([yaw_deg, pitch_deg, roll_deg])
    about_y = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    about_z = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    ours = about_z @ about_x @ about_y
    away = ours * np.array([[1, 1, -1], [1, 1, -1], [-1, -1, 1]])
    return np.arctan2(-away[1, 2], away[2, 2]), np.arcsin(away[0, 2]), np.arctan2(-away[0, 1], away[0, 0])


@given(st.floats(-80, 80), st.floats(-80, 80), st.floats(-80, 80))
def test_any_pose_comes_back_in_our_angles(yaw, pitch, roll):
    radians = np.array([euler(yaw, pitch, roll)])
    np.testing.assert_allclose(angles(rotations(radians)), [[yaw, pitch, roll]], atol=1e-6)


def test_small_angles_change_sign_and_place(side):
    columns = table(pose_Rx=np.full(FRAMES, 0.01), pose_Ry=np.full(FRAMES, 0.02), pose_Rz=np.full(FRAMES, 0.03))
    found = side(columns)[openface_pose()][0, 0]
    np.testing.assert_allclose(found, np.degrees([-0.02, -0.01, 0.03]), atol=0.05)


def test_a_real_table_is_read_and_its_turns_are_those_of_its_points():
    path = assets.there("clips", REAL)
    held = read(path)
    assert held.values.shape == (100, 431)
    points = np.stack([held.columns([f"{axis}_{point}" for point in range(68)]) for axis in "XYZ"], axis=-1)
    points[..., 2] *= -1  # towards the viewer
    turned = rotations(held.columns(ANGLES))
    for frame in range(10, 100, 10):
        first, second = points[0] - points[0].mean(axis=0), points[frame] - points[frame].mean(axis=0)
        left, _, right = np.linalg.svd(second.T @ first)
        expected = left @ right  # the turn from frame 0 that fits the points best
        rest = np.degrees(np.arccos((np.trace(turned[frame] @ turned[0].T @ expected.T) - 1) / 2))
        assert rest < 0.6
    nose = points[:, 30, 0] - points[:, [36, 45, 48, 54], 0].mean(axis=1)
    assert np.corrcoef(angles(turned)[:, 0], nose)[0, 1] > 0.9


def test_a_real_table_gives_rows_for_every_frame(side):
    held = side(assets.there("clips", REAL), frames=100)
    assert held[openface_pose()].shape == (100, 1, 3)
    units = held[openface_units()]
    assert units.presence.shape == units.intensity.shape == (100, 1, 18)
    assert set(np.unique(units.presence)) <= {0, 1}


@pytest.mark.parametrize("blank", ["", " "])
def test_blanks_before_names_do_not_matter(side, blank):
    columns = table()
    held = side(columns, blank=blank)
    np.testing.assert_array_equal(held[openface_units()].presence[:, 0], np.stack([columns[n] for n in PRESENCE], 1))
    intensity = held[openface_units()].intensity[:, 0]
    np.testing.assert_allclose(np.delete(intensity, 16, axis=1), np.stack([columns[n] for n in INTENSITY], 1))
    assert np.isnan(intensity[:, OPENFACE.index("AU28")]).all()


def test_rows_without_success_have_no_face(side):
    found = side(table(success=[1, 1, 0, 1, 0, 1]))
    assert np.isnan(found[openface_pose()]).all(axis=(1, 2)).tolist() == [False, False, True, False, True, False]
    assert np.isnan(found[openface_units()].presence).any(axis=(1, 2)).tolist() == [0, 0, 1, 0, 1, 0]
    assert not np.isnan(found[openface_pose(fill=1)]).any()


def two_faces(**more):
    """Face 4 is small and always there; face 7 is large and comes in frames 2 and 3 of 4."""
    frame, face = np.array([1, 2, 2, 3, 3, 4]), np.array([4, 4, 7, 4, 7, 4])
    size = np.where(face == 7, 50.0, 20.0)
    points = {name: size * (0.0 if index % 68 else 1.0) for index, name in enumerate(LANDMARKS)}
    return table(6, frame=frame, face_id=face, pose_Rz=face / 100, pose_Rx=face * 0, pose_Ry=face * 0, **points, **more)


@pytest.mark.parametrize(
    ("chosen", "rolls"),
    [
        ({"who": "largest"}, [[4], [7], [7], [4]]),
        ({"who": "first"}, [[4], [4], [4], [4]]),
        ({"who": "last"}, [[4], [7], [7], [4]]),
        ({"who": "all"}, [[4], [np.nan], [np.nan], [4]]),  # another number of faces than most frames have
        ({"who": "largest", "min_px": 30}, [[np.nan], [7], [7], [np.nan]]),
    ],
)
def test_several_faces_are_chosen_by_policy(side, chosen, rolls):
    found = np.radians(side(two_faces(), frames=4)[openface_pose(**chosen)][..., 2]) * 100
    np.testing.assert_allclose(found, rolls, atol=1e-9)


def test_several_faces_may_be_gone_before_the_clip_ends(side):
    found = side(two_faces(), frames=9)[openface_pose()]
    assert np.isnan(found[4:]).all()


def test_faces_that_nothing_tells_apart_are_a_sentence(side):
    columns = {name: None if name in LANDMARKS else values for name, values in two_faces().items()}
    assert side(columns, frames=4)[openface_pose(who="first")].shape == (4, 1, 3)
    with pytest.raises(InputError, match="lacks the column 'x_0'"):
        side(columns, frames=4)[openface_pose()]


@pytest.mark.parametrize(
    ("columns", "reason", "said"),
    [
        (table(pose_Ry=None), "bad OpenFace table", "lacks the column 'pose_Ry'"),
        (table(success=None), "bad OpenFace table", "lacks the column 'success'"),
        (table(frame=None), "bad OpenFace table", "lacks the column 'frame'"),
        (table(FRAMES - 1), "other length", "ends with frame 5 and the clip has 6 frames"),
        (table(FRAMES + 1), "other length", "ends with frame 7 and the clip has 6 frames"),
        (table(frame=[0, 1, 2, 3, 4, 5]), "bad OpenFace table", "frames must be whole numbers from 1"),
        (table(frame=[1, 2, 2.5, 4, 5, 6]), "bad OpenFace table", "frames must be whole numbers from 1"),
        (table(frame=[1, 2, 2, 4, 5, 6]), "bad OpenFace table", "two rows of one face in one frame"),
        (table(pose_Rx=[np.nan] * 6), "bad OpenFace table", "NaN or infinity where a face was found"),
    ],
)
def test_a_table_that_cannot_be_the_clips_is_a_sentence(side, columns, reason, said):
    with pytest.raises(InputError) as caught:
        side(columns)[openface_pose()]
    assert caught.value.reason == reason
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "can't be read as an OpenFace table"),
        (b"\xff\xfe\x00", "can't be read as an OpenFace table"),
        (b"frame,success\n1,1,1\n", "line 2 has 3 values under 2 names"),
        (b"frame,success\n1,yes\n", "holds what is not a number"),
        (b"frame,success\n", "lacks the column 'pose_Rx'"),
    ],
)
def test_a_file_of_another_kind_is_a_sentence(side, tmp_path, content, said):
    path = tmp_path / "other.csv"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        side(path)[openface_pose()]
    assert caught.value.reason == "bad OpenFace table"
    assert said in str(caught.value)


def program(folder, body):
    """A FeatureExtraction on the PATH that runs this Python."""
    path = folder / "FeatureExtraction"
    path.write_text(f"#!{sys.executable}\nimport sys, pathlib\narguments = sys.argv[1:]\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(folder)


COPIES = """
out = pathlib.Path(arguments[arguments.index('-out_dir') + 1])
source = pathlib.Path(arguments[arguments.index('-f') + 1])
(out / (arguments[arguments.index('-of') + 1] + '.csv')).write_text(source.with_suffix('.made').read_text())
"""


def running(tmp_path, source=None):
    frames = Shown(np.tile([99, 99], (FRAMES, 1)), np.full(FRAMES, 0.04), np.arange(FRAMES) * 0.04)
    seen = Clip("a", source or tmp_path / "a clip; rm.mp4")
    return Side({clip: seen, shown: frames})[openface_pose(binary=True)]


def test_the_program_is_run_on_the_clip(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", program(tmp_path, COPIES))
    write(tmp_path / "a clip; rm.made", table())
    (tmp_path / "a clip; rm.mp4").touch()
    assert running(tmp_path).shape == (FRAMES, 1, 3)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("sys.exit('no model found')", "OpenFace failed: no model found"),
        ("sys.exit(3)", "OpenFace failed: exit code 3"),
        ("pass", "OpenFace failed: exit code 0"),
    ],
)
def test_a_program_that_fails_is_a_sentence(tmp_path, monkeypatch, body, said):
    monkeypatch.setenv("PATH", program(tmp_path, body))
    with pytest.raises(InputError) as caught:
        running(tmp_path)
    assert caught.value.reason == "OpenFace failed"
    assert said in str(caught.value)


def test_a_program_that_never_ends_is_stopped(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", program(tmp_path, "import time; time.sleep(60)"))
    monkeypatch.setattr("thgeval.features.heads.openface.LONGEST_S", 0.2)
    with pytest.raises(InputError, match="OpenFace did not finish"):
        running(tmp_path)


def test_without_the_program_or_a_file_it_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match="FeatureExtraction is not on the PATH"):
        running(tmp_path)
    monkeypatch.setenv("PATH", program(tmp_path, "pass"))
    with pytest.raises(InputError, match="OpenFace reads files, not frames in memory"):
        running(Path(), Memory(np.zeros((1, 8, 8, 3), np.uint8), 255.0))
