"""CLIP: open_clip's own module on random weights, its tokens, and no network connection."""

import socket
import warnings
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
from models import seeded
from support.tolerances import agree

from thgeval_models import clip
from thgeval_models.errors import InputShapeError, MissingPackageError
from thgeval_models.loading import fit, load_tensors

SENTENCES = ["A man talks and smiles.", "a woman with glasses, reading the news; she's nodding"]


@pytest.fixture(autouse=True)
def no_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket.socket, "connect", lambda *_: pytest.fail("something tried to reach the network"))


@pytest.fixture(scope="module")
def tensors() -> dict[str, torch.Tensor]:
    return seeded.weights_for(seeded.published_keys("clip"), seed=91, gain=0.5)


@torch.no_grad()
def test_equals_open_clip(tensors: dict[str, torch.Tensor]) -> None:
    package = pytest.importorskip("open_clip")
    with torch.device("meta"):
        theirs = package.CLIP(**package.get_model_config("ViT-B-32"), quick_gelu=True).eval()
    theirs.load_state_dict(tensors, assign=True)
    theirs.attn_mask = torch.full((77, 77), -torch.inf).triu(1)  # the one buffer that no file holds
    ours = fit(clip.build(), tensors)
    images = seeded.images(2, 3, 224, 224, seed=92)
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (clip.MEAN, clip.STD))
    original = theirs.encode_image((images - mean) / std, normalize=True)
    agree(ours.images(images), original, "clip")
    for marks in (True, False):
        numbers = clip.tokens(SENTENCES, marks=marks)
        agree(ours.sentences(numbers), theirs.encode_text(numbers, normalize=True), "clip")


def test_tokens_are_open_clips() -> None:
    package = pytest.importorskip("open_clip")
    numbers = clip.tokens(SENTENCES)
    assert numbers.shape == (2, 77)
    assert torch.equal(numbers, package.get_tokenizer("ViT-B-32")(SENTENCES))
    start, end = 49406, 49407
    assert (numbers[:, 0] == start).all()
    assert (numbers.max(dim=1).values == end).all()


# What SimpleTokenizer.tokenize(text, 77, truncate_text=True) of snap-research/MMVID at 6d832a5 gives.
MMVIDS = {
    "a young woman with long hair smiles": [320, 1888, 2308, 593, 1538, 2225, 8726],
    "She's  nodding &amp; isn\u2019t 42\n years!": [1043, 568, 578, 8974, 261, 2923, 713, 275, 273, 1151, 256],
    "caf\u00e9 \u4f60": [15304, 47466, 510],
}


@pytest.mark.parametrize("text", MMVIDS)
def test_tokens_without_marks_are_mmvids(text: str) -> None:
    pytest.importorskip("open_clip")
    (numbers,) = clip.tokens([text], marks=False).tolist()
    assert numbers == MMVIDS[text] + [0] * (77 - len(MMVIDS[text]))


def test_without_marks_a_sentence_is_read_at_its_highest_token(tensors: dict[str, torch.Tensor]) -> None:
    """At smiles, token 8726 in place 6: what stands behind it, and the padding, changes nothing."""
    pytest.importorskip("open_clip")
    network = fit(clip.build(), tensors)
    numbers = clip.tokens(["a young woman with long hair smiles"], marks=False)
    with torch.no_grad():
        direction = network.sentences(numbers)
        numbers[0, 7:] = 5
        assert torch.equal(network.sentences(numbers), direction)
        numbers[0, 7] = 9000
        assert not torch.allclose(network.sentences(numbers), direction)


def test_without_marks_77_tokens_fit() -> None:
    pytest.importorskip("open_clip")
    story = " ".join(["word"] * 76 + ["dog"])
    assert clip.tokens([story], marks=False)[0, -1] == clip.tokens(["dog"], marks=False)[0, 0]
    with pytest.raises(InputShapeError, match=r"CLIP reads 77 tokens, 1 sentences have more"):
        clip.tokens([story + " more"], marks=False)
    assert torch.equal(clip.tokens([story + " more"], marks=False, cut=True), clip.tokens([story], marks=False))


def test_long_sentences_are_not_cut_silently() -> None:
    pytest.importorskip("open_clip")
    story = " ".join(["word"] * 90)
    with pytest.raises(InputShapeError, match=r"CLIP reads 75 tokens, 1 sentences have more"):
        clip.tokens(["short", story])
    assert clip.tokens([story], cut=True)[0, -1] == 49407


def test_reads_openais_archive_layout(tmp_path: Path) -> None:
    """Half-precision weights inside TorchScript, with the sizes and the mask stored beside them."""

    class Archive(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.token_embedding = torch.nn.Embedding(3, 2).half()
            self.register_buffer("context_length", torch.tensor(77))
            self.register_buffer("vocab_size", torch.tensor(49408))
            self.visual = torch.nn.Module()
            self.visual.register_buffer("input_resolution", torch.tensor(224))
            self.attn_mask = torch.zeros(2, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.token_embedding(x)

    path = tmp_path / "ViT-B-32.pt"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # newer PyTorch calls TorchScript deprecated
        torch.jit.save(torch.jit.script(Archive()), str(path))
    found = load_tensors(path)
    assert {"context_length", "vocab_size", "visual.input_resolution", "attn_mask"} <= found.keys()
    kept = clip.from_openai(found)
    assert kept.keys() == {"token_embedding.weight"}
    assert kept["token_embedding.weight"].dtype == torch.float16


def test_half_precision_files_are_computed_in_single_precision(tensors: dict[str, torch.Tensor]) -> None:
    halves = {name: tensor.half() for name, tensor in tensors.items()}
    assert fit(clip.build(), halves).visual.proj.dtype == torch.float32


def test_says_which_package_has_the_vocabulary(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "open_clip.tokenizer", None)
    with pytest.raises(MissingPackageError, match="pip install open_clip_torch"):
        clip.tokens(["a"])


def test_refuses_other_shapes() -> None:
    network = clip.build()
    with pytest.raises(InputShapeError, match=r"\(N, 3, 224, 224\)"):
        network.images(torch.zeros(1, 3, 256, 256))
    with pytest.raises(InputShapeError, match=r"\(N, 77\)"):
        network.sentences(torch.zeros(1, 10, dtype=torch.long))
