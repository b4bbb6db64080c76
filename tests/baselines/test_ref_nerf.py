"""``ref-nerf``: a radiance field fitted to views from known cameras."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from thgeval.errors import InputError
from thgeval_baselines.generator import Inputs
from thgeval_baselines.generators.nerf import ACTIONS, Nerf, depth_picture
from thgeval_baselines.generators.views import looked_at, rays, read_views
from thgeval_baselines.rig.camera import Camera
from thgeval_baselines.sets.synth3d import make_synth3d


class Short(Nerf):
    steps = 60


@pytest.fixture(scope="module")
def tasks(tmp_path_factory):
    folder = tmp_path_factory.mktemp("synth3d") / "set"
    return make_synth3d(folder, people=1, seconds=1, size=64, fit_seconds=1, stills=6)


@pytest.fixture(scope="module")
def inputs(tasks):
    item = next(iter(tasks))
    return Inputs(
        item.id,
        frames=2,
        size=(64, 48),
        curves=tasks.path("curves/p0.npz"),
        fit_views=tasks.path("views/p0"),
    )


def test_rays_meet_the_points_that_the_rig_s_camera_projects():
    camera, px = Camera(size=(64, 64), azimuth=20.0, elevation=-9.0), 64
    points = np.array([[0.3, 0.2, 0.9], [-0.5, -0.4, 0.1]])
    at = camera.project(points)[:, :2]
    origin, way = (each.reshape(px, px, 3) for each in rays(camera.intrinsics(), camera.pose(), np.eye(4), px))
    for point, (x, y) in zip(points, at, strict=True):
        row, column = round(y), round(x)
        off = np.linalg.norm(np.cross(point - origin[row, column], way[row, column]))
        assert off < 0.75 * 14.5 / (5.2 * px)


def test_cameras_look_at_the_head(tasks):
    centre, half = looked_at(read_views(tasks.path("views/p0"), names=ACTIONS, px=32))
    np.testing.assert_allclose(centre, Camera().target, atol=1e-6)
    assert half == pytest.approx(0.5 * 14 / 5.2, rel=1e-6)


def test_a_short_fit_is_nearer_than_the_background_and_repeats_on_any_number_of_threads(inputs, tmp_path):
    torch = pytest.importorskip("torch")
    threads = torch.get_num_threads()
    made = []
    try:
        for number in (1, 2):
            torch.set_num_threads(number)
            folder = tmp_path / str(number)
            folder.mkdir()
            Short().fit(inputs, folder, seed=3)
            made.append(Short().generate(inputs, seed=3, fitted=folder))
        first, second = (np.stack(list(each.frames)) for each in made)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)
    assert first.shape == (2, 64, 48, 3)
    np.testing.assert_array_equal(first, second)
    truth = np.asarray(Image.open(inputs.fit_views.parents[1] / "image" / "p0-front.png").convert("RGB"))[:, 8:56]
    error = np.mean((first[0].astype(float) - truth) ** 2)
    assert error < 0.8 * np.mean((truth[0, 0].astype(float) - truth) ** 2)
    depth = np.asarray(Image.open(io.BytesIO(made[0].evidence["depth.png"])))
    assert depth.shape == (96, 96)
    assert depth.max() > 0


def test_a_ray_past_the_box_brings_the_background_and_one_through_a_solid_its_surface():
    torch = pytest.importorskip("torch")
    from thgeval_baselines.generators.radiance import Box, RadianceField, conditions, shone

    torch.manual_seed(0)
    field = RadianceField(1, Box((0.0, 0.0, 0.0), 0.5))
    field.background.copy_(torch.tensor([0.2, 0.4, 0.6]))
    field.coarse.data[3] = 50.0
    field.net[-1].bias.data[3] = 50.0
    moment = field.at(conditions(np.ones((1, 1)), np.eye(4)[None]))
    origin = torch.tensor([[[0.1, 0.0, -3.0], [0.1, 2.0, -3.0]]])
    way = torch.tensor([[[0.01, 0.01, 1.0], [0.01, 0.01, 1.0]]])
    with torch.no_grad():
        fine, roughly = shone(field, moment, origin, way, coarse=64, fine=64, jitter=False)
    torch.testing.assert_close(fine.colour[0, 1], field.background)
    for found in (fine, roughly):
        assert found.opacity[0].tolist() == pytest.approx([1.0, 0.0], abs=1e-6)
        assert float(found.depth[0, 0]) == pytest.approx(2.0, abs=0.05)


def test_a_picture_is_that_of_all_rays_and_has_the_background_where_they_meet_nothing():
    torch = pytest.importorskip("torch")
    from thgeval_baselines.generators import radiance

    torch.manual_seed(0)
    box = radiance.Box((0.0, 0.0, 0.0), 1.5)
    field = radiance.RadianceField(1, radiance.FACE.within(box))
    field.background.copy_(torch.tensor([0.2, 0.4, 0.6]))
    cells = torch.linspace(-1, 1, radiance.COARSE_CELLS)
    away = torch.stack(torch.meshgrid(cells, cells, cells, indexing="ij")).square().sum(0).sqrt()
    field.coarse.data[3] = torch.where(away < 0.5, 20.0, -20.0)
    field.net[-1].bias.data[3] = 50.0
    camera, told = Camera(size=(48, 48), target=(0.0, 0.0, 0.0)), {"skull": np.eye(4), "actions": np.ones(1)}
    seen = {"intrinsics": camera.intrinsics(), "camera": camera.pose()}
    image, depth = radiance.picture(field, box, **seen, **told, px=48)
    origin, way = (each[None] for each in box.rays(*seen.values(), told["skull"], 48))
    moment = field.at(radiance.conditions(told["actions"][None], told["skull"][None]))
    with torch.no_grad():
        whole, roughly = radiance.shone(
            field, moment, origin, way, coarse=radiance.SHOWN_COARSE, fine=radiance.SHOWN_FINE, jitter=False
        )
    nothing = (roughly.opacity[0] < radiance.MET).numpy().reshape(48, 48)
    assert 0.2 < nothing.mean() < 0.9
    assert (image[nothing] == np.rint(255 * field.background.numpy())).all()
    assert np.isnan(depth[nothing]).all()
    everywhere = np.rint(255 * whole.colour[0].numpy()).reshape(48, 48, 3)
    assert np.abs(image[~nothing] - everywhere[~nothing]).max() <= 1
    assert np.isfinite(depth[~nothing & (whole.opacity[0] > 0.51).numpy().reshape(48, 48)]).all()


def test_near_is_light_and_nothing_is_black():
    shown = np.asarray(Image.open(io.BytesIO(depth_picture(np.array([[1.0, 2.0], [np.nan, 1.5]])))))
    assert shown[0, 0] > shown[1, 1] > shown[0, 1] > shown[1, 0] == 0


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        ({"views": []}, "says no cameras|has 0 views"),
        ({}, "says no cameras"),
        ({"file": "../000.png"}, "named without a folder"),
        ({"skull": [[1.0]]}, "says no cameras|finite matrix"),
        ({"skull": np.diag([2.0, 1, 1, 1]).tolist()}, "skull must turn and shift without stretching"),
    ],
)
def test_views_that_are_none_are_named(tasks, tmp_path, broken, says):
    known = json.loads(tasks.path("views/p0/cameras.json").read_text())
    if "views" in broken or not broken:
        known = broken
    else:
        known["views"] = [row | broken for row in known["views"]]
    (tmp_path / "cameras.json").write_text(json.dumps(known))
    with pytest.raises(InputError, match=says) as told:
        read_views(Path(tmp_path), names=ACTIONS, px=32)
    assert told.value.reason == "bad views"
