import cv2
import numpy as np
import pytest
from skimage import data

from thgeval.errors import ProtocolError
from thgeval_baselines.photo.portrait import CROP_CENTRE, CROP_SIDE, MIRRORED, PHOTOGRAPH_LANDMARKS, portrait


def psnr_db(first, second):
    return 10 * np.log10(255.0**2 / np.mean((first.astype(float) - second.astype(float)) ** 2))


def as_photographed(size):
    left, top = (round(centre - CROP_SIDE / 2) for centre in CROP_CENTRE)
    side = round(CROP_SIDE)
    framed = cv2.copyMakeBorder(data.astronaut(), 200, 200, 200, 200, cv2.BORDER_REFLECT_101)
    return cv2.resize(framed[top + 200 : top + 200 + side, left + 200 : left + 200 + side], (size, size))


def test_the_same_seed_gives_the_same_portrait_and_another_seed_another():
    first, again, other = portrait(seed=5, size=128), portrait(seed=5, size=128), portrait(seed=6, size=128)
    assert np.array_equal(first.image, again.image)
    assert np.array_equal(first.landmarks, again.landmarks)
    assert psnr_db(first.image, other.image) < 30


@pytest.mark.parametrize("strength", [0.05, 0.12, 0.2])
@pytest.mark.parametrize("seed", range(6))
def test_the_photograph_is_never_shown_as_it_is(seed, strength):
    photograph = as_photographed(128)
    shown = portrait(seed=seed, size=128, strength=strength)
    for original in (photograph, photograph[:, ::-1]):
        assert psnr_db(shown.image, original) < 30
    plain = PHOTOGRAPH_LANDMARKS - PHOTOGRAPH_LANDMARKS[30]
    drawn = (shown.landmarks - shown.landmarks[30]) * CROP_SIDE / 128
    assert np.abs(np.abs(drawn) - np.abs(plain)).max() > 1.0


@pytest.mark.parametrize("seed", range(4))
def test_landmarks_are_where_the_picture_shows_their_points(seed, monkeypatch):
    marked = [0, 8, 16, 17, 26, 30, 36, 45, 48, 54]  # with each its partner, as the photograph may be mirrored
    dots = np.zeros((512, 512, 3), np.uint8)
    for x, y in PHOTOGRAPH_LANDMARKS[marked]:
        cv2.circle(dots, (round(x * 16), round(y * 16)), 32, (255, 255, 255), -1, cv2.LINE_AA, 4)
    monkeypatch.setattr(data, "astronaut", lambda: dots)
    shown = portrait(seed=seed, size=512)
    bright = (shown.image.max(axis=2) > 0.6 * shown.image.max()).astype(np.uint8)
    count, _, _, centres = cv2.connectedComponentsWithStats(bright)
    assert count == 1 + len(marked)
    for point in shown.landmarks[marked]:
        assert np.linalg.norm(centres[1:] - point, axis=1).min() < 1.0


def test_mirroring_twice_changes_nothing_and_keeps_the_sides():
    assert np.array_equal(MIRRORED[MIRRORED], np.arange(68))
    for seed in range(6):
        landmarks = portrait(seed=seed, size=128).landmarks
        assert landmarks[36, 0] < landmarks[45, 0]
        assert landmarks[0, 0] < landmarks[16, 0]
        assert landmarks[60, 0] < landmarks[61, 0] < landmarks[62, 0] < landmarks[63, 0] < landmarks[64, 0]
        assert landmarks[62, 1] < landmarks[66, 1]


def test_sizes_show_the_same_face():
    small, large = portrait(seed=2, size=128), portrait(seed=2, size=256)
    assert (small.landmarks + 0.5) * 2 - 0.5 == pytest.approx(large.landmarks)
    assert large.eye_distance_px == pytest.approx(2 * small.eye_distance_px)


@pytest.mark.parametrize(("size", "strength"), [(256, 0.0), (256, 0.5), (16, 0.12), (4096, 0.12)])
def test_other_sizes_and_strengths_are_refused(size, strength):
    with pytest.raises(ProtocolError, match="choose one in"):
        portrait(seed=0, size=size, strength=strength)
