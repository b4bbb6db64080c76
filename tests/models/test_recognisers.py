"""Face recognisers: twins and packages on random weights, and a published file on real frames."""

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
from models import seeded
from models.twins import arcface as twin
from support.tolerances import agree

from thgeval_models import arcface, inception_resnet_v1, manifest, mobilefacenet
from thgeval_models.errors import ArchitectureError, InputShapeError
from thgeval_models.hashing import verify
from thgeval_models.inputs import IMAGENET_MEAN, IMAGENET_STD
from thgeval_models.loading import fit, load_tensors

ASSETS = Path(__file__).resolve().parents[2] / ".." / "shared" / "assets"
PUBLISHED = ASSETS / "weights" / "mobilefacenet_foamliu.pt"
DETECTOR = ASSETS / "weights" / "yunet_n_640_640.onnx"
CLIPS = [ASSETS / "clips" / name for name in ("May_5s.mp4", "WolfgangLanger_Pexels.mp4")]
TEMPLATE_PX = [(38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041)]


def weights(name: str, seed: int) -> dict[str, torch.Tensor]:
    return seeded.weights_for(seeded.published_keys(name), seed, gain=0.5)


@torch.no_grad()
@pytest.mark.parametrize("depth", ["r50", "r100"])
def test_iresnet_equals_the_twin(depth: arcface.Depth) -> None:
    tensors = weights(f"arcface_{depth}", seed=61)
    faces = seeded.images(1, 3, 112, 112, seed=62, low=-1)
    ours = fit(arcface.build(depth), tensors)(faces)
    agree(ours, twin.iresnet(tensors, faces), "arcface")


@torch.no_grad()
def test_irse50_equals_the_twin() -> None:
    tensors = weights("arcface_irse50", seed=63)
    faces = seeded.images(2, 3, 112, 112, seed=64, low=-1)
    ours = fit(arcface.build("irse50"), tensors)(faces)
    assert torch.allclose(ours.norm(dim=1), torch.ones(2))
    agree(ours, twin.irse50(tensors, faces), "arcface")


def test_the_depths_are_not_interchangeable() -> None:
    with pytest.raises(ArchitectureError, match="IResNet can't take these weights"):
        fit(arcface.build("r50"), weights("arcface_r100", seed=65))
    with pytest.raises(ValueError, match="choose one of r50, r100, irse50"):
        arcface.build("r18")  # type: ignore[arg-type]


@torch.no_grad()
def test_mobilefacenet_equals_the_twin() -> None:
    tensors = weights("mobilefacenet", seed=66)
    tensors["conv1.1.weight"] *= 10  # some activations must reach the upper end of ReLU6
    faces = seeded.images(2, 3, 112, 112, seed=67)
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (IMAGENET_MEAN, IMAGENET_STD))
    ours = fit(mobilefacenet.build(), tensors)(faces)
    theirs = twin.mobilefacenet(tensors, (faces - mean) / std)
    agree(ours, theirs, "mobilefacenet")


def aligned_faces(clip: Path, frames: tuple[int, ...]) -> torch.Tensor:
    """Faces of some frames, warped to the five-point template, (len(frames), 3, 112, 112) in [0, 1]."""
    av, cv2, np = (pytest.importorskip(name) for name in ("av", "cv2", "numpy"))
    with av.open(str(clip)) as container:
        images = [frame.to_ndarray(format="bgr24") for i, frame in enumerate(container.decode(video=0)) if i in frames]
    height, width = images[0].shape[:2]
    detector = cv2.FaceDetectorYN.create(str(DETECTOR), "", (width, height))
    faces = []
    for image in images:
        points = detector.detect(image)[1][0][4:14].reshape(5, 2)
        warp, _ = cv2.estimateAffinePartial2D(points, np.float32(TEMPLATE_PX), method=cv2.LMEDS)
        faces.append(cv2.warpAffine(image, warp, (112, 112))[:, :, ::-1] / 255)
    return torch.from_numpy(np.stack(faces)).permute(0, 3, 1, 2).float()


@pytest.mark.skipif(not all(path.exists() for path in (PUBLISHED, DETECTOR, *CLIPS)), reason="needs ../shared/assets")
@torch.no_grad()
def test_the_published_mobilefacenet_tells_people_apart() -> None:
    assert verify(PUBLISHED, manifest.weights("mobilefacenet")).state == "verified"
    network = fit(mobilefacenet.build(), load_tensors(PUBLISHED))
    one, other = (torch.nn.functional.normalize(network(aligned_faces(clip, (0, 40, 80)))) for clip in CLIPS)
    assert min((one @ one.T).min(), (other @ other.T).min()) > 0.6
    assert (one @ other.T).max() < 0.3


@torch.no_grad()
def test_inception_resnet_equals_facenet_pytorch() -> None:
    package = pytest.importorskip("facenet_pytorch")
    tensors = weights("inception_resnet_v1", seed=69)
    theirs = package.InceptionResnetV1().eval()
    theirs.load_state_dict(tensors, strict=False)
    faces = seeded.images(2, 3, 89, 160, seed=70, low=-1)
    with_classifier = tensors | {"logits.weight": torch.zeros(8631, 512), "logits.bias": torch.zeros(8631)}
    ours = fit(inception_resnet_v1.build(), inception_resnet_v1.embedding_tensors(with_classifier))(faces)
    agree(ours, theirs(faces), "inception_resnet_v1")


@pytest.mark.parametrize(
    ("network", "name"), [(arcface.build("r50"), "ArcFace"), (mobilefacenet.build(), "MobileFaceNet")]
)
def test_refuses_other_sizes(network: torch.nn.Module, name: str) -> None:
    with pytest.raises(InputShapeError, match=rf"{name} takes floating point batches of shape \(N, 3, 112, 112\)"):
        network(torch.zeros(1, 3, 112, 96))
