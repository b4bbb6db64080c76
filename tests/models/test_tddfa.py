"""3DDFA: a twin on random weights, and the published files against another detector's points."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from models import seeded
from models.twins import tddfa as twin
from support.tolerances import agree

from thgeval_models import tddfa
from thgeval_models.errors import InputShapeError, UnreadableFileError
from thgeval_models.loading import fit, load_tensors

ASSETS = Path(__file__).resolve().parents[2] / ".." / "shared" / "assets"
WEIGHTS = ASSETS / "weights"
CHECKPOINT, DETECTOR = WEIGHTS / "mb05_120x120.pth", WEIGHTS / "yunet_n_640_640.onnx"
CLIP = ASSETS / "clips" / "May_5s.mp4"


def weights(seed: int) -> dict[str, torch.Tensor]:
    return seeded.weights_for(seeded.published_keys("tddfa_checkpoint"), seed)


@torch.no_grad()
def test_equals_the_twin() -> None:
    tensors = weights(seed=161)
    faces = seeded.images(2, 3, 120, 120, seed=162, high=255)
    ours = fit(tddfa.build(), tddfa.from_checkpoint(tensors))(faces)
    assert ours.shape == (2, 62)
    agree(ours, twin.parameters(tensors, faces), "tddfa")


def test_points_equal_the_twin() -> None:
    generator = torch.Generator().manual_seed(163)
    outputs = torch.randn(3, 62, generator=generator)
    sizes = ((5e4, (204,)), (1e-2, (204, 40)), (1e3, (204, 10)))  # as large as the published numbers
    basis = tddfa.Basis(*(scale * torch.randn(size, generator=generator) for scale, size in sizes))
    rows = outputs * torch.tensor(tddfa.SPREAD) + torch.tensor(tddfa.MEAN)
    for row, points in zip(rows.double().numpy(), tddfa.landmarks(tddfa.decoded(outputs), basis), strict=True):
        theirs = twin.points(row, *(part.double().numpy() for part in (basis.mean, basis.shape, basis.expression)))
        agree(points.double(), torch.from_numpy(theirs), "tddfa")


@pytest.mark.skipif(not all(path.exists() for path in (CHECKPOINT, DETECTOR, CLIP)), reason="needs ../shared/assets")
@torch.no_grad()
def test_published_files_agree_with_another_detector() -> None:
    """Eyes, nose and mouth corners where YuNet sees them, within a tenth of the distance between the eyes."""
    av, cv2 = (pytest.importorskip(name) for name in ("av", "cv2"))
    with av.open(str(CLIP)) as container:
        image = next(container.decode(video=0)).to_ndarray(format="bgr24")
    found = cv2.FaceDetectorYN.create(str(DETECTOR), "", image.shape[1::-1]).detect(image)[1][0]
    x, y, width, height = found[:4]
    left, top, right, _ = tddfa.crop_px(x, y, x + width, y + height)
    scale = 120 / (right - left)
    crop = cv2.warpAffine(image, np.float32([[scale, 0, -scale * left], [0, scale, -scale * top]]), (120, 120))
    network = fit(tddfa.build(), tddfa.from_checkpoint(load_tensors(CHECKPOINT)))
    face = tddfa.decoded(network(torch.from_numpy(crop).permute(2, 0, 1)[None].float()))
    basis = tddfa.Basis(*(tddfa.read_numbers(WEIGHTS / f"3ddfa_{part}_base.txt") for part in ("u", "w_shp", "w_exp")))
    points = tddfa.landmarks(face, basis)[0, :, :2].numpy()
    ours = np.stack([points[36:42].mean(0), points[42:48].mean(0), points[30], points[48], points[54]])
    theirs = (found[4:14].reshape(5, 2) - [left, top]) * scale
    eye_distance = np.linalg.norm(theirs[0] - theirs[1])
    assert np.linalg.norm(ours - theirs, axis=1).max() < 0.2 * eye_distance
    rows = face.pose[0, :, :3] / face.pose[0, :, :3].norm(dim=1, keepdim=True)
    assert torch.allclose(rows @ rows.T, torch.eye(3), atol=0.05)  # the pose is a scaled rotation
    assert face.pose[0, :, :3].norm(dim=1).std() < 0.05 * face.pose[0, :, :3].norm(dim=1).mean()


def test_the_crop_is_square_and_lower() -> None:
    left, top, right, bottom = tddfa.crop_px(100, 50, 200, 150)
    assert right - left == bottom - top == 158
    assert ((left + right) / 2, (top + bottom) / 2) == (150, 114)


def test_refuses_other_sizes_and_files(tmp_path: Path) -> None:
    with pytest.raises(InputShapeError, match=r"3DDFA takes .*3, 120, 120"):
        tddfa.build()(torch.zeros(1, 3, 112, 112))
    (tmp_path / "words.txt").write_text("not numbers")
    with pytest.raises(UnreadableFileError, match="not a text file of numbers"):
        tddfa.read_numbers(tmp_path / "words.txt")
