"""id, cd and we against twins that go point by point, on bundles with known answers, and on files that are none."""

import io
import math
import pickle
import zipfile
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import views as oracle
from support import clips, views
from support.tolerances import agree

from thgeval import registry
from thgeval.clip import Clip, Pair
from thgeval.engine.measure import measured
from thgeval.engine.plan import plan
from thgeval.engine.workers import Cores
from thgeval.errors import ProtocolError
from thgeval.features.frames.views import FRONT_AND_SIDE
from thgeval.kernels.splat import splat
from thgeval.metrics.views.cd import chamfer
from thgeval.metrics.views.we import projected, unprojected
from thgeval.protocol import Protocol


@pytest.fixture
def scored(tmp_path):
    """The outcome of metrics on a clip that a bundle lies beside."""
    video = clips.write_clip(tmp_path / "a.mp4", clips.moving(2))

    def of(arrays, *requests):
        if arrays is not None:
            views.write(tmp_path / "a.views.npz", arrays)
        pair = Pair("a", Clip("a", video, Fraction(25)))
        planned = plan(registry.metrics(list(requests)), [pair])
        with Cores(1) as cores:
            outcome = cores.occupy(measured, pair, planned, Protocol(), cores, lambda frames: None)
        return planned, outcome

    return of


def value(outcome, request):
    metric = registry.metric(request).metric
    return metric.score(outcome.states[request])


def cube(side=5, step=1.0):
    line = np.arange(side) * step
    return np.stack(np.meshgrid(line, line, line), axis=-1).reshape(-1, 3)


def everything(cloud):
    return np.ones(cloud.shape[:-1], np.bool_)


@given(st.integers(0, 2**32 - 1))
def test_equal_clouds_are_at_distance_zero(seed):
    cloud = np.random.default_rng(seed).normal(size=(9, 3))
    counts = everything(cloud)
    assert chamfer(cloud, cloud, first_counts=counts, second_counts=counts) == 0


@given(st.floats(0.001, 0.4), st.floats(0, 2 * math.pi))
def test_a_sparse_grid_shifted_by_d_is_at_two_d_squared(shift, angle):
    cloud = cube()
    moved = cloud + shift * np.array([math.cos(angle), math.sin(angle), 0])
    counts = everything(cloud)
    found = chamfer(cloud, moved, first_counts=counts, second_counts=counts)
    assert found == pytest.approx(2 * shift**2, rel=1e-9)


def test_nearest_points_may_be_transparent_but_only_opaque_ones_are_asked():
    first, second = np.zeros((1, 3)), np.array([[1.0, 0, 0], [5.0, 0, 0]])
    found = chamfer(first, second, first_counts=everything(first), second_counts=np.array([False, True]))
    assert found == 1 + 25


def test_of_two_middle_values_the_lower_is_the_median():
    first, second = np.zeros((1, 3)), np.array([[1.0, 0, 0], [3.0, 0, 0]])
    counts = [everything(first), everything(second)]
    assert chamfer(first, second, first_counts=counts[0], second_counts=counts[1]) == 1 + 1


def test_the_order_of_the_two_views_does_not_matter():
    rng = np.random.default_rng(5)
    first, second = rng.normal(size=(30, 3)), rng.normal(size=(20, 3))
    counts = [rng.random(30) > 0.3, rng.random(20) > 0.3]
    one = chamfer(first, second, first_counts=counts[0], second_counts=counts[1])
    assert one == chamfer(second, first, first_counts=counts[1], second_counts=counts[0])


def test_cd_agrees_with_its_twin(scored):
    bundle = views.bundle()
    _, outcome = scored(bundle, "cd", "cd/pv3d-table")
    expected = [
        oracle.chamfer(*(bundle["points"][i] for i in pair), *(bundle["weights"][i] for i in pair), 0.5)
        for pair in FRONT_AND_SIDE
    ]
    assert outcome.states["cd"].record("a").values == pytest.approx(expected, rel=1e-12)
    assert value(outcome, "cd") == pytest.approx(np.mean(expected), rel=1e-12)
    assert value(outcome, "cd/pv3d-table") == pytest.approx(4000 * np.mean(expected), rel=1e-12)


def test_a_view_with_nothing_opaque_has_no_distance(scored):
    bundle = views.bundle()
    bundle["weights"][2] = 0.1
    _, outcome = scored(bundle, "cd")
    assert dict(outcome.states["cd"].left_out) == {"nothing opaque in a view": 2}
    assert math.isfinite(value(outcome, "cd"))


@pytest.mark.parametrize("yaw_deg", [0.0, 4.0, 30.0])
def test_a_camera_that_looks_back_sees_what_it_saw(yaw_deg):
    bundle = views.bundle(side=13, yaw_deg=yaw_deg)
    camera = {"intrinsics": bundle["intrinsics"][1], "pose": bundle["poses"][1]}
    places = projected(unprojected(bundle["depth"][1], **camera), **camera)
    lines = (np.arange(13) + 0.5) / 13
    assert places == pytest.approx(np.stack(np.meshgrid(lines, lines), axis=-1), abs=1e-12)


def test_a_camera_warps_its_own_view_to_itself(scored):
    bundle = views.bundle(yaw_deg=0.0)
    bundle["images"][:] = bundle["images"][0]
    _, outcome = scored(bundle, "we", "we/left-out")
    assert value(outcome, "we") == value(outcome, "we/left-out") == 0


def test_points_behind_a_camera_have_no_place():
    camera = {"intrinsics": views.bundle()["intrinsics"][0], "pose": views.pose()}
    behind, before = views.pose()[:3, 3] * 2, np.zeros(3)
    places = projected(np.stack([behind, before]), **camera)
    assert np.isnan(places[0]).all()
    assert places[1] == pytest.approx([0.5, 0.5])


@pytest.mark.parametrize(("yaw_deg", "leaving"), [(3.0, "border"), (8.0, "left-out"), (30.0, "border")])
def test_we_agrees_with_its_twin(scored, yaw_deg, leaving):
    bundle = views.bundle(side=32, image_px=32, yaw_deg=yaw_deg)
    request = f"we:size_px=32{',leaving=left-out' if leaving == 'left-out' else ''}"
    _, outcome = scored(bundle, request)
    expected = [
        oracle.warping_error(
            bundle["images"][front],
            bundle["images"][side],
            bundle["depth"][side],
            *((bundle["intrinsics"][i], bundle["poses"][i]) for i in (side, front)),
            leaving == "border",
        )
        for front, side in FRONT_AND_SIDE
    ]
    assert outcome.states[request].record("a").values == pytest.approx(expected, rel=1e-9)


def test_views_that_share_nothing_have_no_error(scored):
    bundle = views.bundle()
    bundle["poses"][1:3, :3, 2] *= -1  # the side cameras look away
    bundle["poses"][1:3, :3, 0] *= -1
    _, outcome = scored(bundle, "we")
    assert dict(outcome.states["we"].left_out) == {"no pixel in both views": 4}
    assert math.isnan(value(outcome, "we"))


def test_the_last_pixel_written_stays():
    image = np.arange(4, dtype=np.uint8).reshape(2, 2, 1)
    places = np.full((2, 2, 2), 0.25)
    found = splat(image, places=places)
    assert found.pixels[0, 0, 0] == 3
    assert found.written.tolist() == [[True, False], [False, False]]


@pytest.mark.parametrize(("clamp", "written"), [(True, 3), (False, 1)])
def test_what_leaves_lands_on_the_border_or_nowhere(clamp, written):
    image = np.full((2, 2, 3), 9, np.uint8)
    places = np.array([[[-0.1, 0.1], [1.1, 0.1]], [[0.1, 0.9], [np.nan, 0.5]]])
    found = splat(image, places=places, clamp=clamp)
    assert found.written.sum() == written
    assert found.leaves.tolist() == [[True, True], [False, True]]


@pytest.mark.parametrize(
    ("image", "places"),
    [
        (np.zeros((2, 2), np.uint8), np.zeros((2, 2, 2))),
        (np.zeros((2, 2, 3), np.int64), np.zeros((2, 2, 2))),
        (np.zeros((2, 2, 3), np.uint8), np.zeros((2, 3, 2))),
        (np.zeros((2, 2, 3), np.uint8), np.zeros((2, 2, 2), np.float32)),
    ],
)
def test_splat_refuses_other_shapes_and_types(image, places):
    with pytest.raises(ProtocolError, match="splat"):
        splat(image, places=places)


@pytest.mark.parametrize("request_", ["id", "cd", "we"])
def test_a_plain_video_is_not_applicable(scored, request_):
    planned, _ = scored(None, request_)
    said = planned.unscored[request_]
    assert "a has no bundle of views, and a plain video shows one view (a CLIP.views.npz beside it)" in said or (
        request_ == "id" and "arcface-irse50" in said
    )


def without(name):
    return lambda arrays: arrays.pop(name)


def setting(name, change):
    return lambda arrays: arrays.__setitem__(name, change(arrays[name]))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (without("depth"), "lacks the array 'depth'"),
        (setting("extra", lambda _: np.zeros(3)), "holds 'extra', which is none of images"),
        (setting("images", lambda a: a[:3]), "images must be (4, height, width, 3), not (3, 40, 40, 3)"),
        (setting("images", lambda a: a / 255), "images must be uint8, not float64"),
        (setting("points", lambda a: a[..., :2]), "points must be (4, rows, columns, 3), not (4, 16, 16, 2)"),
        (setting("points", lambda a: np.where(a > 0.1, np.nan, a)), "points holds NaN or infinity"),
        (setting("depth", lambda a: a[:, :8]), "depth, points and weights must have the same rows and columns"),
        (setting("poses", np.zeros_like), "poses holds a matrix without an inverse"),
        (setting("weights", lambda a: a.astype(str)), "weights holds <U32, not real numbers"),
    ],
)
def test_a_bundle_that_is_none_is_a_sentence_and_a_count(scored, spoil, said):
    arrays = views.bundle() | {"extra": None}
    spoil(arrays)
    _, outcome = scored({name: array for name, array in arrays.items() if array is not None}, "cd", "we")
    assert outcome.failed.keys() == {"cd", "we"}
    for failure in outcome.failed.values():
        assert failure.reason == "bad bundle of views"
        assert said in failure.message


def written(path, content):
    path.write_bytes(content)


def object_array():
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        buffer = io.BytesIO()
        np.lib.format.write_array(buffer, np.array([{}], object), allow_pickle=True)
        archive.writestr("images.npy", buffer.getvalue())
    return held.getvalue()


def one_array():
    held = io.BytesIO()
    np.save(held, np.zeros(3))
    return held.getvalue()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "can't be read as an NPZ file"),
        (b"not an archive", "can't be read as an NPZ file"),
        (pickle.dumps({"images": 1}), "can't be read as an NPZ file"),
        (object_array(), "Object arrays cannot be loaded"),
        (one_array(), "holds one array without a name"),
    ],
)
def test_a_file_of_another_kind_is_refused_and_nothing_in_it_is_run(scored, tmp_path, content, said):
    written(tmp_path / "a.views.npz", content)
    _, outcome = scored(None, "cd")
    assert outcome.failed["cd"].reason == "bad bundle of views"
    assert said in outcome.failed["cd"].message


def test_a_truncated_bundle_is_refused(scored, tmp_path):
    whole = views.write(tmp_path / "a.views.npz", views.bundle()).read_bytes()
    written(tmp_path / "a.views.npz", whole[: len(whole) // 2])
    _, outcome = scored(None, "cd")
    assert "can't be read as an NPZ file" in outcome.failed["cd"].message


@pytest.mark.parametrize("request_", ["cd:opaque=1", "cd:times=0", "we:size_px=0", "we:leaving=never", "id:network=no"])
def test_fields_out_of_range_are_refused(request_):
    with pytest.raises(ProtocolError):
        registry.metric(request_)


@pytest.mark.slow
def test_id_is_the_mean_cosine_of_six_pairs_of_whole_images(scored):
    torch = pytest.importorskip("torch")
    from support import random_weights

    from thgeval.requirements import weights
    from thgeval_models import networks

    bundle = views.bundle(image_px=112)
    with random_weights.installed(["arcface-irse50"]):
        _, outcome = scored(bundle, "id")
        network = networks.network("arcface-irse50", weights.path("arcface-irse50"))
        with torch.inference_mode():
            images = torch.from_numpy(bundle["images"]).permute(0, 3, 1, 2) / 127.5 - 1
            rows = network(images).double().numpy()
    expected = [rows[a] @ rows[b] for a, b in ((0, 2), (3, 1), (0, 1), (3, 2), (0, 3), (2, 1))]
    agree(outcome.states["id"].record("a").values, expected, "cosines")
    agree(value(outcome, "id"), np.mean(expected), "cosines")
