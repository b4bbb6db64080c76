"""Recognisers: which frames and faces they are shown, and that real faces of one person are alike."""

from fractions import Fraction

import cv2
import numpy as np
import pytest
from PIL import Image
from support import assets

from thgeval.networks import memory
from thgeval.requirements import Weights

torch = pytest.importorskip("torch")
from support import random_weights
from support.tolerances import agree

from thgeval import networks
from thgeval.errors import InputError, ProtocolError, WeightsError
from thgeval.feature import joined
from thgeval.features.faces.identity import (
    CUTS,
    RECOGNISERS,
    described,
    embedded,
    embeddings_of_people,
    sampled_frames,
)
from thgeval.features.frames import offered
from thgeval.features.frames.frames import rgb
from thgeval.media.frames import FrameBatch
from thgeval.requirements import weights
from thgeval.view import Side

PEOPLE = ("May_5s.mp4", "WolfgangLanger_Pexels.mp4", "brbk7n.mpg", "iplap_129.mp4")
SAME, OTHER = 0.6, 0.3


def batch(frames, start=0, fps=25):
    return FrameBatch(frames, 255.0, start, fps=fps and Fraction(fps))


def unit(rows):
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


@pytest.mark.parametrize(("fps", "per_s", "taken"), [(25, 5, [0, 5, 10, 15]), (30, 12, [0, 3, 5, 8, 10, 13, 15, 18])])
def test_frames_are_taken_whenever_the_count_advances(fps, per_s, taken):
    frames = np.zeros((20, 1, 1, 3), np.uint8)
    assert sampled_frames(batch(frames, fps=fps), per_s).tolist() == taken
    parts = [sampled_frames(batch(frames[i : i + 7], i, fps), per_s) + i for i in range(0, 20, 7)]
    assert np.concatenate(parts).tolist() == taken


def test_more_frames_a_second_than_there_are_means_all():
    frames = np.zeros((20, 1, 1, 3), np.uint8)
    assert len(sampled_frames(batch(frames), 60.0)) == len(sampled_frames(batch(frames), 0.0)) == 20


def test_sampling_needs_a_rate():
    with pytest.raises(InputError, match="needs a frame rate") as said:
        sampled_frames(batch(np.zeros((2, 1, 1, 3), np.uint8), fps=None), 5.0)
    assert said.value.reason == "no frame rate"


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({"network": "arcface"}, "network must be one of dlib, mobilefacenet"),
        ({"network": "dlib", "of": "both"}, "of must be one of clip, source"),
        ({"network": "dlib", "per_s": -1.0}, "per_s must be 0 or more"),
    ],
)
def test_refuses_what_is_not_there(chosen, said):
    with pytest.raises(ProtocolError, match=said):
        embeddings_of_people(**chosen)


@pytest.mark.parametrize("network", RECOGNISERS)
def test_the_signature_names_the_weights_and_the_detector(network):
    needs = {item for feature in embeddings_of_people(network=network).closure() for item in feature.requires}
    alone = embeddings_of_people(network=network, of="source").requires
    assert needs == set(alone)
    assert Weights(RECOGNISERS[network].weights) in needs
    assert (Weights("yunet") in needs) == (RECOGNISERS[network].detector == "yunet")


@pytest.mark.parametrize(
    ("network", "side"), [("openface", 96), ("arcface-irse50", 112), ("arcface-r50", 112), ("facenet-casia", 160)]
)
def test_networks_see_what_their_row_says(network, side, monkeypatch):
    row = RECOGNISERS[network]
    squares = np.full((1, side, side, 3), (10, 20, 250), np.uint8)
    seen = []

    def watched(name, network=None):
        return lambda images: seen.append(images) or torch.zeros(1, row.dimensions)

    monkeypatch.setattr("thgeval.networks.published", watched)
    monkeypatch.setattr("thgeval.features.faces.identity.CUTS", {row.crop.cut: lambda *_: squares[0]})
    from thgeval.features.faces.detection import Found, slotted

    found = slotted([Found(np.array([[1, 2, 3, 4]]), np.ones(1), np.ones((1, 5, 2)))], (8, 8))
    embedded(squares, found if row.detector else None, network)
    expected = np.array([10, 20, 250]) / 255 * (row.crop.white - row.crop.black) + row.crop.black
    np.testing.assert_allclose(seen[0][0, :, 0, 0], expected[::-1] if row.crop.bgr else expected, atol=1e-6)
    assert seen[0].shape == (1, 3, side, side)


@pytest.mark.parametrize("size", [(256, 256), (97, 143), (96, 300), (60, 80), (96, 96)])
def test_whole_frames_are_squeezed_as_scikit_image_does(size):
    """With its smoothing, which is on where either side gets shorter; and without, as its releases before 0.15."""
    resize = pytest.importorskip("skimage.transform").resize
    frame = cv2.resize(pytest.importorskip("skimage.data").astronaut(), size[::-1], interpolation=cv2.INTER_AREA)
    smooth = CUTS["frame smoothed"](frame, None, 0, 0, 96) / 255
    agree(smooth, resize(frame, (96, 96)), "squeezed frames")
    plain = CUTS["frame"](frame, None, 0, 0, 96) / 255
    inside = np.s_[1:-1, 1:-1]  # OpenCV repeats the outermost px, scikit-image mirrors
    agree(plain[inside], resize(frame, (96, 96), anti_aliasing=False)[inside], "squeezed frames, unsmoothed")
    assert np.abs(smooth - plain).max() > 0.05 or max(size) < 256 or min(size) == 96


@pytest.mark.slow
def test_weights_of_another_network_are_refused():
    with random_weights.installed(["arcface-r50"]), memory.apart():
        file = weights.folder() / weights.entry("arcface-r50").file
        random_weights.save(random_weights.tensors("facenet-casia"), file)
        with pytest.raises(WeightsError, match=r"arcface-r50 .* can't be used: IResNet can't take these weights"):
            networks.published("arcface-r50")


@pytest.mark.slow
def test_whole_frames_need_no_face():
    frames = np.random.default_rng(3).integers(0, 256, (3, 90, 120, 3), dtype=np.uint8)
    with random_weights.installed(["openface-nn4"]):
        found = Side({rgb: batch(frames)})[embeddings_of_people(network="openface")]
    assert found.rows.shape == (3, 1, 128)
    np.testing.assert_allclose(np.linalg.norm(found.rows, axis=-1), 1, atol=1e-3)


@pytest.mark.slow
def test_real_people_are_told_apart():
    with assets.light():
        rows = {}
        for name in PEOPLE:
            found = Side({rgb: batch(assets.frames(name, 8, 8))})[embeddings_of_people(network="mobilefacenet")]
            assert found.frames.tolist() == list(range(8))
            rows[name] = unit(found.rows[:, 0])
    for name, own in rows.items():
        assert (own @ own.T).min() > SAME
        assert all((own @ other.T).max() < OTHER for them, other in rows.items() if them != name)


def test_a_clip_without_a_face_has_rows_without_numbers():
    with assets.light():
        found = Side({rgb: batch(assets.frames("no_face.mp4", 3))})[embeddings_of_people(network="mobilefacenet")]
    assert found.rows.shape == (3, 1, 128)
    assert np.isnan(found.rows).all()


def test_chunks_do_not_change_a_bit():
    frames = assets.frames("iplap_129.mp4", 7)
    feature = described(network="mobilefacenet", per_s=10.0)
    with assets.light():
        whole = Side({rgb: batch(frames)})[feature]
        parts = joined([Side({rgb: batch(frames[i : i + 3], i)})[feature] for i in range(0, 7, 3)])
    assert whole.frames.tolist() == parts.frames.tolist() == [0, 3, 5]
    assert whole.rows.tobytes() == parts.rows.tobytes()


def test_the_source_image_is_embedded_like_a_frame(tmp_path):
    frames = assets.frames("iplap_129.mp4", 1)
    Image.fromarray(frames[0]).save(tmp_path / "a.source.png")
    with assets.light():
        source = Side({offered.source_image: tmp_path / "a.source.png"})
        found = source[embeddings_of_people(network="mobilefacenet", of="source")]
        clip = Side({rgb: batch(frames)})[embeddings_of_people(network="mobilefacenet")]
    np.testing.assert_array_equal(found.rows, clip.rows)
    assert found.frames.tolist() == [0]


@pytest.mark.parametrize(
    ("content", "reason"), [("faceless", "no face in source image"), ("text", "unreadable source image")]
)
def test_a_source_image_that_cannot_serve_says_why(tmp_path, content, reason):
    path = tmp_path / "a.source.png"
    if content == "text":
        path.write_text("no picture")
    else:
        Image.new("RGB", (64, 64)).save(path)
    with assets.light(), pytest.raises(InputError) as said:
        Side({offered.source_image: path})[embeddings_of_people(network="mobilefacenet", of="source")]
    assert said.value.reason == reason
    assert str(path) in str(said.value)
