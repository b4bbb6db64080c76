"""Geometric action units, eyes and mouth on faces whose parameters are known."""

import numpy as np
import pytest

from thgeval.errors import ProtocolError
from thgeval.features.faces.eyes import eyes
from thgeval.features.faces.facs import NAMES
from thgeval.features.faces.mouth import mouth
from thgeval.features.faces.people import shapes
from thgeval.features.heads.action_units import action_units, units_of
from thgeval.features.heads.expression import expression
from thgeval.features.heads.pose import pose
from thgeval.view import Side

pytest.importorskip("skimage")

from thgeval_baselines.photo.geometry import WIDEST_GAP, Parameters
from thgeval_baselines.sets.clips import head

UNITS = units_of("geometric")
REST = Parameters()
MOVES = {
    "AU01": [Parameters(brow=0.8)],
    "AU02": [Parameters(brow=0.8)],
    "AU04": [Parameters(brow=-0.8)],
    "AU12": [Parameters(smile=1.0)],
    "AU15": [Parameters(smile=0.0)],
    "AU18": [Parameters(rounding=1.0)],
    "AU25": [Parameters(aperture=0.3), Parameters(aperture=1.0)],
    "AU26": [Parameters(aperture=0.6), Parameters(aperture=1.0)],
    "AU45": [Parameters(blink=0.8), Parameters(blink=1.0)],
}
RESTS = {"AU12": Parameters(smile=0.0), "AU15": Parameters(smile=1.0)}
TOGETHER = {
    "AU01": {"AU02"},
    "AU02": {"AU01"},
    "AU15": {"AU18"},
    "AU18": {"AU15"},
    "AU25": {"AU26", "AU18"},
    "AU26": {"AU25", "AU18"},
}
"""Units that come with another in this head: brows rise as a whole, a fading smile and an open mouth are narrower."""


@pytest.fixture(scope="module", params=[0, 3, 5])
def person(request):
    return head(seed=request.param)


def of(feature, person, frames):
    """A feature's value on the exact landmarks of a person: one face a frame."""
    points = np.stack([person.landmarks(frame) for frame in frames])[:, None]
    return Side({shapes(): points})[feature]


@pytest.mark.parametrize("unit", MOVES)
def test_a_move_is_its_unit_and_no_other(person, unit):
    frames = [RESTS.get(unit, REST)] * 9 + MOVES[unit]
    found = of(action_units(), person, frames)
    moved = range(9, len(frames))
    assert not found.presence[:9].any()
    for frame in moved:
        present = {name for name, there in zip(UNITS, found.presence[frame, 0], strict=True) if there}
        assert unit in present
        assert present <= {unit} | TOGETHER.get(unit, set())
    assert (found.intensity[moved, 0, UNITS.index(unit)] > 1).all()


@pytest.mark.parametrize(("unit", "name", "way"), [("AU01", "brow", 1), ("AU04", "brow", -1), ("AU25", "aperture", 1)])
def test_intensity_grows_with_the_move(person, unit, name, way):
    steps = np.linspace(0, 1, 6)
    found = of(action_units(), person, [REST] * 9 + [Parameters(**{name: float(way * step)}) for step in steps])
    intensity = found.intensity[9:, 0, UNITS.index(unit)]
    assert (np.diff(intensity) > 0).all() or intensity[-1] == 5
    assert (np.diff(intensity) >= 0).all()
    assert intensity[-1] > 3
    assert found.intensity.min() == 0
    assert found.intensity.max() <= 5


def test_units_survive_a_turned_head(person):
    turned = {"yaw": 10.0, "pitch": -4.0, "roll": 6.0}
    frames = [REST] * 9 + [Parameters(brow=1.0, **turned), Parameters(blink=1.0, **turned)]
    found = of(action_units(), person, frames).presence[:, 0]
    assert found[9, UNITS.index("AU01")] == 1
    assert found[10, UNITS.index("AU45")] == 1
    assert found[9, UNITS.index("AU45")] == found[10, UNITS.index("AU01")] == 0


def test_a_still_face_has_no_units_but_an_open_mouth(person):
    found = of(action_units(), person, [Parameters(aperture=0.5, brow=0.7)] * 5)
    present = {name for name, there in zip(UNITS, found.presence[0, 0], strict=True) if there}
    assert present == {"AU25"}


def test_frames_without_a_face_have_no_units(person):
    points = np.stack([person.landmarks(REST)] * 4)[:, None]
    points[2] = np.nan
    found = Side({shapes(): points})[action_units()]
    for part in found:
        assert part.shape == (4, 1, len(UNITS))
        assert np.isnan(part[2]).all()
        assert not np.isnan(part[[0, 1, 3]]).any()
    nobody = Side({shapes(): np.full((3, 1, 68, 2), np.nan)})[action_units()]
    assert np.isnan(nobody.presence).all()


def test_the_aperture_of_the_mouth_is_the_drawn_one(person):
    apertures = np.linspace(0, 1, 5)
    found = of(mouth(), person, [Parameters(aperture=float(aperture)) for aperture in apertures])[:, 0]
    assert np.allclose(found, apertures * WIDEST_GAP, atol=0.005)


def test_eyes_shut_as_drawn(person):
    blinks = np.linspace(0, 1, 5)
    found = of(eyes(), person, [Parameters(blink=float(blink)) for blink in blinks])[:, 0]
    assert found.shape == (5, 2)
    assert (found[0] > 0.2).all()
    assert np.allclose(found, found[0] * (1 - blinks[:, None]), atol=0.02)


def test_the_eye_aspect_ratio_is_its_formula():
    points = np.full((1, 1, 68, 2), 7.0)
    points[0, 0, 36:42] = [(0, 0), (1, -1), (3, -1), (4, 0), (3, 2), (1, 1)]
    points[0, 0, 42:48] = [(0, 0), (0, 0), (0, 0), (2, 0), (0, 0), (0, 0)]
    assert Side({shapes(): points})[eyes()][0, 0] == pytest.approx([(2 + 3) / (2 * 4), 0.0])


def test_unknown_names_are_refused():
    for feature, name in ((pose, "estimator"), (expression, "source"), (action_units, "source")):
        with pytest.raises(ProtocolError, match=rf"{name} must be one of .*, not 'guess'"):
            feature(**{name: "guess"})
    with pytest.raises(ProtocolError, match="shapes takes"):
        eyes(whom="largest")


def test_units_have_names():
    assert set(UNITS) <= NAMES.keys()
