import numpy as np
import pytest

from thgeval_baselines.rig.raster import Fragments, rasterise, seen

SIZE = (48, 64)


def oracle(points, corners, size, two_sided):
    """Every sample against every triangle, in real numbers: (rows, columns) of depth and of triangle."""
    rows, columns = np.mgrid[: size[0], : size[1]]
    depth, triangle = np.full(size, np.inf), np.full(size, -1)
    for number, (a, b, c) in enumerate(points[corners]):

        def edge(p, q):
            return (q[0] - p[0]) * (rows - p[1]) - (q[1] - p[1]) * (columns - p[0])

        area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
        if area == 0 or (area > 0 and not two_sided[number]):
            continue
        shares = np.stack([edge(b, c), edge(c, a), edge(a, b)]) / area
        here = 1 / sum(share / corner[2] for share, corner in zip(shares, (a, b, c), strict=True))
        nearer = np.all(shares > 0, axis=0) & (here < depth)
        depth[nearer], triangle[nearer] = here[nearer], number
    return depth, triangle


def random_triangles(seed, count=40):
    rng = np.random.default_rng(seed)
    points = rng.uniform([-20, -20, 1], [84, 68, 9], (3 * count, 3))
    points[:, :2] = np.rint(points[:, :2] * 256) / 256 + 1 / 512
    points[:, :2] = np.rint(points[:, :2] * 256) / 256
    return points, np.arange(3 * count, dtype=np.int32).reshape(-1, 3), rng.random(count) < 0.5


@pytest.mark.parametrize("seed", range(4))
def test_agrees_with_trying_every_sample(seed):
    points, corners, two_sided = random_triangles(seed)
    shown = rasterise(points, corners, size=SIZE, two_sided=two_sided)
    depth, triangle = oracle(points, corners, SIZE, two_sided)
    same = shown.triangle == triangle
    assert same.mean() > 0.995  # samples that lie on an edge itself belong to one of its sides
    assert shown.depth[same] == pytest.approx(depth[same], rel=1e-5)


def grid_of_triangles(seed, steps=9):
    """A picture cut into triangles that share edges, its inner corners moved about on a grid of 1/256 px."""
    rng = np.random.default_rng(seed)
    y, x = np.meshgrid(np.linspace(-1, SIZE[0], steps), np.linspace(-1, SIZE[1], steps), indexing="ij")
    inner = np.zeros((steps, steps), bool)
    inner[1:-1, 1:-1] = True
    points = np.stack([x, y, np.full_like(x, 2.0)], axis=-1)
    points[inner, :2] = np.rint(points[inner, :2] + rng.uniform(-1.5, 1.5, (inner.sum(), 2)))
    number = np.arange(steps * steps).reshape(steps, steps)
    a, b, c, d = (part.ravel() for part in (number[:-1, :-1], number[1:, :-1], number[1:, 1:], number[:-1, 1:]))
    return points.reshape(-1, 3), np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)]).astype(np.int32)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("samples", [1, 2])
def test_shared_edges_have_neither_holes_nor_double_samples(seed, samples):
    points, corners = grid_of_triangles(seed)
    drawn = np.zeros((SIZE[0] * samples, SIZE[1] * samples), int)
    for triangle in corners:
        drawn += rasterise(points, triangle[None], size=SIZE, samples=samples).triangle == 0
    assert np.all(drawn == 1)


def test_a_tilted_plane_has_its_depth_and_colours_in_perspective():
    """z = 4 + x/2 seen with a focal length of 40 px: depth and place follow from the ray."""
    focal, centre = 40.0, np.array([31.5, 23.5])
    world = np.array([(x, y, 4 + 0.5 * x) for x, y in ((-3.0, -6.0), (-3.0, 6.0), (20.0, 6.0), (20.0, -6.0))])
    points = np.column_stack([centre + focal * world[:, :2] / world[:, 2:], world[:, 2]])
    corners = np.array([(0, 1, 2), (0, 2, 3)], np.int32)
    shown = rasterise(points, corners, size=SIZE)
    hit = shown.triangle >= 0
    ray_x = (np.arange(SIZE[1]) - centre[0])[None] / focal + np.zeros(SIZE)[..., :1] * 0
    expected = np.broadcast_to(4 / (1 - 0.5 * ray_x), SIZE)
    assert hit.mean() > 0.4
    assert shown.depth[hit] == pytest.approx(expected[hit], rel=2e-3)
    places = shown.of(corners, world.astype(np.float32))
    assert places[hit][:, 2] == pytest.approx(shown.depth[hit], rel=1e-4)
    assert places[hit][:, 0] == pytest.approx((expected * ray_x)[hit], abs=0.05)


def test_a_sphere_has_its_depth():
    turns, rises = np.meshgrid(np.linspace(0, 2 * np.pi, 121), np.linspace(0, np.pi, 61))
    ball = np.stack([np.sin(rises) * np.cos(turns), np.cos(rises), np.sin(rises) * np.sin(turns)], axis=-1)
    number = np.arange(ball[..., 0].size).reshape(turns.shape)
    a, b, c, d = (part.ravel() for part in (number[:-1, :-1], number[1:, :-1], number[1:, 1:], number[:-1, 1:]))
    corners = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)]).astype(np.int32)
    world = ball.reshape(-1, 3) + np.array([0, 0, 5.0])
    points = np.column_stack([[31.5, 23.5] + 100 * world[:, :2] / world[:, 2:], world[:, 2]])
    front, whole = (rasterise(points, corners, size=SIZE, two_sided=np.full(len(corners), both)) for both in (0, 1))
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    ray = np.stack([(columns - 31.5) / 100, (rows - 23.5) / 100, np.ones(SIZE)], axis=-1)
    along = 5 / np.sum(ray**2, axis=-1)
    inside = along**2 - 24 / np.sum(ray**2, axis=-1)
    hit = inside > 0.05
    assert whole.depth[hit] == pytest.approx((along - np.sqrt(inside.clip(0)))[hit], abs=0.01)
    far, near = (shown.depth[hit] for shown in (front, whole))
    assert np.array_equal(far, near) or far.min() > near.min()  # culling takes one of the two sides away, whole
    visible = seen(whole, corners, len(points))
    assert 0.2 < visible.mean() < 0.5


def test_what_faces_away_is_left_out_unless_both_sides_show():
    points = np.array([(5.0, 5.0, 2.0), (40.0, 5.0, 2.0), (5.0, 40.0, 2.0)])
    behind, front = np.array([(0, 1, 2)], np.int32), np.array([(0, 2, 1)], np.int32)
    assert (rasterise(points, front, size=SIZE).triangle == 0).sum() > 500
    assert (rasterise(points, behind, size=SIZE).triangle == 0).sum() == 0
    both = rasterise(points, behind, size=SIZE, two_sided=np.array([True]))
    assert np.array_equal(both.depth, rasterise(points, front, size=SIZE).depth)
    values = np.array([[1.0], [2.0], [3.0]], np.float32)
    expected = rasterise(points, front, size=SIZE).of(front, values)
    assert both.of(behind, values) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -1.0, 0.0])
def test_a_corner_behind_the_camera_or_without_a_place_is_left_out(wrong):
    points = np.array([(5.0, 5.0, 2.0), (5.0, 40.0, 2.0), (40.0, 5.0, wrong)])
    shown = rasterise(points, np.array([(0, 1, 2)], np.int32), size=SIZE)
    assert isinstance(shown, Fragments)
    if wrong != np.inf:
        assert np.all(shown.triangle == -1)
    points = np.array([(5.0, 5.0, 2.0), (5.0, 40.0, 2.0), (1e9, 5.0, 2.0)])
    assert np.all(rasterise(points, np.array([(0, 1, 2)], np.int32), size=SIZE).triangle == -1)
