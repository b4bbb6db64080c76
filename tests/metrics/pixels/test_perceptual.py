"""What metrics of frames and text make of the numbers that networks give, without any network."""

from types import SimpleNamespace

import numpy as np
import pytest

from thgeval import registry
from thgeval.clip import Clip
from thgeval.errors import InputError
from thgeval.features.frames.clip import read_prompt
from thgeval.features.frames.quality import CROP_PX, HEIGHT_PX, WIDTH_PX, places
from thgeval.kernels import frechet, kid
from thgeval.pairing import pair
from thgeval.states import TwoRows
from thgeval.statistics import contributions

TEXT = np.array([1.0, 0.0], np.float32)
OURS = np.array([[0.2, 0.9], [0.4, 0.9], [-0.3, 0.9]], np.float32)
THEIRS = np.array([[0.5, 0.8], [0.5, 0.8], [0.2, 0.8]], np.float32)


def clipsim(request, clip="a", ours=OURS, theirs=THEIRS):
    metric = registry.metric(request).metric
    generated = {metric.images: ours, metric.text: TEXT}
    view = SimpleNamespace(clip=clip, start=0, generated=generated, reference={metric.images: theirs})
    return metric, metric.measure(view)


@pytest.mark.parametrize(
    ("request_", "value"),
    [
        ("clipsim", 0.1),
        ("clipsim:pooling=max", 0.4),
        ("clipsim/max", 0.4),
        ("clipsim/clipscore", 2.5 * 0.2),
        ("clipsim:positive=yes", 0.2),
        ("clipsim/relative", 0.1 / 0.4),
        ("clipsim:relative=yes,pooling=max", 0.4 / 0.5),
    ],
)
def test_clipsim_pools_scales_and_divides(request_, value):
    metric, state = clipsim(request_)
    assert metric.score(state) == pytest.approx(value, rel=1e-6)
    assert metric.better.value == "higher"


def test_relative_matching_divides_sums_over_clips():
    metric, first = clipsim("clipsim/relative")
    _, second = clipsim("clipsim/relative", clip="b", ours=THEIRS, theirs=OURS)
    assert metric.score(first + second) == pytest.approx(1.0)
    assert contributions(metric, first).ravel().tolist() == pytest.approx([0.1, 0.4])


def test_only_relative_matching_reads_the_reference():
    assert not registry.metric("clipsim").metric.needs.a_reference
    assert registry.metric("clipsim/relative").metric.needs.a_reference


def test_prompts_lie_beside_the_generated_clip(tmp_path):
    prompt = tmp_path / "a.prompt.txt"
    assert pair("a", tmp_path / "a.mp4", None).prompt is None
    prompt.write_text("  one\n two ")
    found = pair("a", tmp_path / "a.mp4", None)
    assert found.prompt == prompt
    assert found.generated == Clip("a", tmp_path / "a.mp4")
    assert found.transcript is None
    assert read_prompt(prompt) == "one two"


@pytest.mark.parametrize(
    ("content", "reason"), [(b" \n", "empty prompt"), (b"\xff\xfe", "unreadable prompt"), (None, "unreadable prompt")]
)
def test_prompts_that_say_nothing_fail_the_clip(tmp_path, content, reason):
    file = tmp_path / "a.prompt.txt"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(InputError) as failure:
        read_prompt(file)
    assert failure.value.reason == reason


def test_a_long_prompt_is_refused_or_cut(tmp_path):
    pytest.importorskip("open_clip")
    from thgeval import networks
    from thgeval.features.frames import clip

    file = tmp_path / "a.prompt.txt"
    file.write_text("word " * 90)
    seen = []

    class Sentences:
        def sentences(self, tokens):
            seen.append(tokens)
            return tokens.float()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(networks, "published", lambda name: Sentences())
        with pytest.raises(InputError, match="CLIP reads 75 tokens") as failure:
            clip.clip_text().compute(file)
        assert failure.value.reason == "prompt too long"
        assert clip.clip_text(long="cut").compute(file, long="cut").shape == (77,)
        file.write_text("a dog")
        clip.clip_text(form="photo").compute(file, form="photo")
    from thgeval_models.clip import tokens

    assert seen[-1].tolist() == tokens(["A photo depicts a dog"]).tolist()


def test_squares_of_quality_lie_inside_and_follow_the_seed():
    corners = places(1000, seed=3)
    assert corners.min(axis=0).tolist() == [0, 0]
    assert corners.max(axis=0).tolist() == [HEIGHT_PX - CROP_PX, WIDTH_PX - CROP_PX]
    assert (places(10, seed=3) == corners[:10]).all()
    assert (places(10, seed=4) != corners[:10]).any()


@pytest.fixture(scope="module")
def many():
    rng = np.random.default_rng(8)
    generated, reference = rng.normal(size=(2, 10000, 6)).astype(np.float32)
    return TwoRows.of("a", generated=generated + np.float32(0.1), reference=reference)


def test_fid_of_infinitely_many_frames_is_below_that_of_those_given(many):
    plain, infinity = (registry.metric(request).metric for request in ("fid", "fid/infinity"))
    expected = frechet.infinity(many.generated, many.reference, seed=0)
    assert infinity.score(many) == expected
    assert expected < plain.score(many) == frechet.distance(many.generated, many.reference)
    assert plain.remark(many) is None
    fewer = TwoRows.of("a", generated=many.generated[1:], reference=many.reference[1:])
    assert np.isnan(infinity.score(fewer))
    assert infinity.remark(fewer) == "fid needs at least 10000 frames on either side, not 9999"


def test_kid_takes_all_pairs_or_the_authors_subsets(many):
    some = TwoRows.of("a", generated=many.generated[:1200], reference=many.reference[:1200])
    rows = some.generated, some.reference
    assert registry.metric("kid").metric.score(some) == kid.distance(*rows).mean
    subsets = registry.metric("kid/subsets").metric.score(some)
    assert subsets == kid.distance(*rows, subsets=100, subset_size=1000, seed=0).mean


def test_fvd_divides_covariances_as_the_script_it_follows(many):
    some = TwoRows.of("a", generated=many.generated[:20], reference=many.reference[:20])
    for request, ddof in (("fvd", 0), ("fvd/videogpt", 1), ("fvd/latentsync", 1)):
        expected = frechet.distance(some.generated, some.reference, ddof=ddof)
        assert registry.metric(request).metric.score(some) == expected


def test_the_smaller_side_decides_whether_there_are_enough_rows():
    rows = np.ones((5, 2), np.float32)
    missing = rows.copy()
    missing[1:] = np.nan
    metric = registry.metric("fid").metric
    state = TwoRows.of("a", generated=rows, reference=missing)
    assert metric.remark(state) == "fid needs at least 2 frames on either side, not 1"
    assert np.isnan(metric.score(state))


def test_rows_that_are_no_numbers_fail_the_clip():
    metric = registry.metric("fid").metric
    rows = np.ones((5, 2), np.float32)
    broken = np.where(np.arange(5)[:, None] == 3, np.float32(np.nan), rows)
    view = SimpleNamespace(clip="a", start=0, generated={metric.rows: rows}, reference={metric.rows: broken})
    with pytest.raises(InputError, match="a: the network gave NaN or infinity for reference frames") as failure:
        metric.measure(view)
    assert failure.value.reason == "not finite"


def test_lpips_refuses_frames_that_are_too_small():
    pytest.importorskip("torch")
    pytest.importorskip("lpips")
    from support import random_weights

    from thgeval.features.frames.perceptual import perceptual_distance
    from thgeval.media.frames import FrameBatch

    small = FrameBatch(np.zeros((1, 31, 40, 3), np.uint8), 255.0, 0)
    with random_weights.installed(["squeezenet"]), pytest.raises(InputError, match="at least 32 px") as failure:
        perceptual_distance(trunk="squeeze").compute(small, small, trunk="squeeze")
    assert failure.value.reason == "too small"


def test_the_scale_of_floats_does_not_matter_but_their_peak_does():
    torch = pytest.importorskip("torch")
    from thgeval.networks import as_images

    frames = np.random.default_rng(0).integers(0, 256, size=(2, 3, 4, 3)).astype(np.uint8)
    whole = as_images(frames, 255.0)
    assert torch.equal(whole, torch.from_numpy(frames).permute(0, 3, 1, 2) / 255)
    assert torch.allclose(as_images(frames / 255.0, 1.0), whole, rtol=0, atol=1e-7)
    assert torch.equal(as_images(frames, 255.0, white=255.0), torch.from_numpy(frames).permute(0, 3, 1, 2).float())
