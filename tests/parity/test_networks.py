"""Whole pipelines beside the programs whose numbers are published, on the same frames and the same random weights."""

import warnings
from pathlib import Path

import numpy as np
import pytest

from thgeval.networks import memory

torch = pytest.importorskip("torch")
from PIL import Image
from support import random_weights
from support.tolerances import agree

from thgeval import networks
from thgeval.features.frames import clip, inception
from thgeval.features.frames.i3d import i3d
from thgeval.features.frames.perceptual import perceptual_distance
from thgeval.features.frames.quality import places, quality
from thgeval.features.frames.windows import squares
from thgeval.kernels import frechet
from thgeval.media.frames import FrameBatch
from thgeval.requirements import weights as weight_files

SQUEEZENET = (
    Path(__file__).resolve().parents[2] / ".." / "shared/assets/weights/squeezenet1_1_frozen_features_fp32_a.pt"
)


@pytest.fixture(scope="module", autouse=True)
def home():
    with random_weights.installed(list(random_weights.KEYS)) as folder, memory.apart():
        yield folder


@pytest.fixture(scope="module")
def frames():
    """Frames with edges and texture, of a size that is no multiple of anything: uint8, (5, 97, 131, 3)."""
    rng = np.random.default_rng(11)
    coarse = rng.integers(0, 256, size=(5, 14, 18, 3)).repeat(8, axis=1).repeat(8, axis=2)[:, :97, :131]
    return np.clip(coarse + rng.normal(0, 10, size=coarse.shape), 0, 255).astype(np.uint8)


def computed(feature, *batches):
    return feature.compute(*batches, **dict(feature.parameters))


def batch(frames):
    return FrameBatch(frames, 255.0, 0)


def test_fid_is_pytorch_fids(frames, tmp_path, monkeypatch):
    theirs = pytest.importorskip("pytorch_fid.inception")
    from pytorch_fid import fid_score

    weights = random_weights.tensors("inception-fid")
    monkeypatch.setattr(theirs, "load_state_dict_from_url", lambda *_, **__: weights)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = theirs.InceptionV3([theirs.InceptionV3.BLOCK_INDEX_BY_DIM[2048]]).eval()
    files = []
    for i, frame in enumerate(frames):
        files.append(str(tmp_path / f"{i}.png"))
        Image.fromarray(frame).save(files[-1])
    rows = fid_score.get_activations(files, model, batch_size=5, dims=2048, num_workers=0)
    ours = computed(inception.inception(), batch(frames))
    agree(ours, rows, "pipelines")
    agree(frechet.distance(ours[:3], ours[2:]), frechet.distance(rows[:3], rows[2:]), "pipelines")


@pytest.mark.parametrize("size", [(97, 131), (299, 299), (340, 320)])
def test_clean_resizing_is_clean_fids(size):
    resize = pytest.importorskip("cleanfid.resize")
    frame = np.random.default_rng(2).integers(0, 256, size=(*size, 3)).astype(np.uint8)
    theirs = resize.make_resizer("PIL", False, "bicubic", (299, 299))(frame)
    ours = inception.RESIZES["bicubic-pil"](frame[None], 255.0)[0].permute(1, 2, 0).numpy() * 128 + 128
    agree(ours, theirs, "resized")


def test_the_default_resizing_is_clean_fids_legacy_pytorch(frames):
    resize = pytest.importorskip("cleanfid.resize")
    with warnings.catch_warnings():
        theirs = resize.make_resizer("PyTorch", False, "bilinear", (299, 299))(frames[0])
    ours = inception.RESIZES["bilinear"](frames[:1], 255.0)[0].permute(1, 2, 0).numpy()
    agree((ours + 1) * 127.5, theirs, "resized")


def test_antialiased_resizing_is_torchmetrics(frames):
    """Its FID needs torch-fidelity; this is the one line that differs, on its own input."""
    images = torch.from_numpy(frames).permute(0, 3, 1, 2).float()
    theirs = torch.nn.functional.interpolate(
        images, size=(299, 299), mode="bilinear", align_corners=False, antialias=True
    )
    agree(inception.RESIZES["bilinear-antialias"](frames, 255.0), (theirs - 128) / 128, "resized")


@pytest.mark.parametrize("size", [(97, 131), (512, 400), (299, 299)])
def test_tensorflow_resizing_is_that_of_nvidias_network(size):
    """NVIDIA's port makes TensorFlow 1's places by shifting torch's sampling grid; so does this twin."""
    frame = np.random.default_rng(4).integers(0, 256, size=(1, *size, 3)).astype(np.uint8)
    images = torch.from_numpy(frame).permute(0, 3, 1, 2).double()
    height, width = size
    theta = torch.eye(2, 3, dtype=torch.float64)[None]
    theta[0, 0, 2] = 1 / width - 1 / 299
    theta[0, 1, 2] = 1 / height - 1 / 299
    grid = torch.nn.functional.affine_grid(theta, [1, 3, 299, 299], align_corners=False)
    theirs = torch.nn.functional.grid_sample(images, grid, mode="bilinear", padding_mode="border", align_corners=False)
    ours = inception.RESIZES["bilinear-tf1"](frame, 255.0).double() * 128 + 128
    agree(ours, theirs, "resized as tensorflow")


def theirs_lpips(lpips, trunk, version, weights):
    """The lpips package with its own heads and these weights in its trunk."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = lpips.LPIPS(net=trunk, version=version, pnet_rand=True, verbose=False).eval()
    for name, parameter in model.net.named_parameters():
        parameter.data = weights["features." + name.split(".", 1)[1]].clone()
    return model


@pytest.mark.parametrize(
    ("trunk", "release", "black", "spatial"),
    [
        ("alex", "0.1", "minus-one", False),
        ("alex", "0.0", "minus-one", False),
        ("alex", "0.1", "minus-one", True),
        ("vgg", "0.1", "zero", False),
        ("squeeze", "0.1", "minus-one", False),
    ],
)
def test_lpips_is_the_packages(frames, trunk, release, black, spatial):
    lpips = pytest.importorskip("lpips")
    name = {"alex": "alexnet", "vgg": "vgg16", "squeeze": "squeezenet"}[trunk]
    model = theirs_lpips(lpips, trunk, release, random_weights.tensors(name))
    model.spatial = spatial
    first, second = frames[:2], frames[2:4]
    unit = [torch.from_numpy(side).permute(0, 3, 1, 2) / 255 for side in (first, second)]
    with torch.no_grad():
        theirs = model(*unit, normalize=black == "minus-one").mean(dim=(1, 2, 3))
    asked = perceptual_distance(trunk=trunk, release=release, black=black, mean="map" if spatial else "layers")
    agree(computed(asked, batch(first), batch(second)), theirs, "pipelines")


def test_lpips_with_real_weights_is_torchmetrics(frames, home):
    functional = pytest.importorskip("torchmetrics.functional.image.lpips")
    if not SQUEEZENET.is_file():
        pytest.skip(f"{SQUEEZENET.name} is not here")
    weights = torch.load(SQUEEZENET, map_location="cpu", weights_only=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = functional._LPIPS(net="squeeze", pretrained=True, pnet_rand=True).eval()
    for name, parameter in model.net.named_parameters():
        parameter.data = weights["features." + name.removeprefix("slices.").split(".", 1)[1]].float()
    random_weights.save(weights, home / "weights" / "squeezenet1_1-b8a52dc0.pth")
    first, second = frames[:2], frames[1:3]
    unit = [torch.from_numpy(side).permute(0, 3, 1, 2) / 255 for side in (first, second)]
    with torch.no_grad():
        theirs = model(*unit, normalize=True).squeeze()
    with weight_files.allowed(weight_files.policy()):  # a new run: until then a file must stay the one it began with
        ours = computed(perceptual_distance(trunk="squeeze"), batch(first), batch(second))
    agree(ours, theirs, "pipelines")
    assert 0.1 < ours.mean() < 1


def test_clip_is_open_clips(frames, tmp_path):
    open_clip = pytest.importorskip("open_clip")
    weights = random_weights.tensors("clip-vit-b32")
    model = open_clip.create_model("ViT-B-32-quickgelu", pretrained=None).eval()
    missing = model.load_state_dict(weights, strict=False)
    assert not missing.unexpected_keys
    assert set(missing.missing_keys) <= {"attn_mask"}
    mean, std = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
    prepare = open_clip.image_transform(224, is_train=False, mean=mean, std=std)
    text = "A man with grey hair, who nods."
    with torch.no_grad():
        seen = model.encode_image(torch.stack([prepare(Image.fromarray(frame)) for frame in frames]), normalize=True)
        read = model.encode_text(open_clip.get_tokenizer("ViT-B-32-quickgelu")([text]), normalize=True)[0]
    file = tmp_path / "prompt.txt"
    file.write_text(text)
    ours = computed(clip.clip_image(), batch(frames)), computed(clip.clip_text(), file)
    agree(ours[0], seen, "pipelines")
    agree(ours[1], read, "pipelines")
    agree(ours[0] @ ours[1], seen @ read, "pipelines")


@pytest.mark.parametrize("port", ["stylegan-v", "videogpt"])
def test_fvd_rows_are_those_of_the_network_in_one_batch(port):
    """The published programs feed resized clips in batches; ours go alone, folded and channels last."""
    from thgeval_models import networks as reference_networks

    rng = np.random.default_rng(5)
    frames = rng.integers(0, 256, size=(20, 12, 15, 3)).repeat(4, axis=1).repeat(4, axis=2).astype(np.uint8)
    asked = i3d(port=port, length=9, which="all")
    rows = computed(asked, computed(squares(side_px=224), batch(frames)))
    with networks.alone():
        name = {"stylegan-v": "i3d-torchscript", "videogpt": "i3d-kinetics400"}[port]
        network = reference_networks.network(name, weight_files.path(name))
        images = torch.from_numpy(frames).permute(0, 3, 1, 2).float()
        resized = torch.nn.functional.interpolate(images, size=(224, 224), mode="bilinear", align_corners=False)
        clips = (2 * resized / 255 - 1).permute(1, 0, 2, 3)
        theirs = network(torch.stack([clips[:, :9], clips[:, 9:18]]))
    agree(rows, theirs, "pipelines")


def test_quality_is_the_demos(frames):
    """The authors' demo with torchvision's transforms, its random squares put where ours are."""
    torchvision = pytest.importorskip("torchvision")
    from thgeval_models import networks as reference_networks

    transforms = torchvision.transforms
    network = reference_networks.network("hyperiqa", weight_files.path("hyperiqa"))
    resized = transforms.Resize((512, 384))(Image.fromarray(frames[0]))
    squares = [
        transforms.functional.to_tensor(transforms.functional.crop(resized, int(top), int(left), 224, 224))
        for top, left in places(3, seed=9)
    ]
    with torch.no_grad():
        theirs = network(torch.stack(squares)).mean()
    ours = computed(quality(crops=3, seed=9), batch(frames[:1]))
    agree(ours, theirs[None], "pipelines")
