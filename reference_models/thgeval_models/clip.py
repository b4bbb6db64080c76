"""CLIP ViT-B/32: images and sentences in one space, where the angle between them tells how well they match.

Paper     Radford et al., Learning Transferable Visual Models From Natural Language Supervision, ICML 2021
Weights   ``ViT-B-32.pt`` of openai/CLIP (MIT), a TorchScript archive with half-precision numbers
Input     RGB, (N, 3, 224, 224), in [0, 1], normalised inside the network; token numbers, (N, 77), from ``tokens``
Output    embeddings of unit length, (N, 512)

Names and shapes after openai/CLIP ``clip/model.py`` (0845fc462666). The network needs torch alone; sentences are cut
into tokens by the open_clip_torch package, which ships the vocabulary.
"""

import importlib
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from thgeval_models.errors import InputShapeError, MissingPackageError
from thgeval_models.inputs import check_shape, standardised

MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)
SIZE_PX = 224
PATCH_PX = 32
LAYERS = 12
HEAD_WIDTH = 64
IMAGE_WIDTH, TEXT_WIDTH, DIMENSIONS = 768, 512, 512
VOCABULARY = 49408
CONTEXT = 77

_NO_WEIGHTS = ("attn_mask", "input_resolution", "context_length", "vocab_size")


def build() -> "CLIP":
    """The network, which can't be used until ``loading.fit`` has given it weights."""
    with torch.device("meta"):
        return CLIP().eval()


def from_openai(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights in OpenAI's archive, without the sizes and masks it stores beside them."""
    return {name: tensor for name, tensor in tensors.items() if name.rsplit(".", 1)[-1] not in _NO_WEIGHTS}


def tokens(sentences: Sequence[str], *, cut: bool = False, marks: bool = True) -> Tensor:
    """Token numbers, (N, 77), zero behind the last.

    They stand between a start and an end mark, or without ``marks`` alone, as MMVID's ``SimpleTokenizer`` has them
    (snap-research/MMVID 6d832a5): the network then reads a sentence off at the rarest word it knows, that of the
    highest number. A sentence of more than 75 tokens, 77 without marks, raises InputShapeError unless ``cut`` allows to
    drop what does not fit.
    """
    try:
        tokenizer = _made(importlib.import_module("open_clip.tokenizer").SimpleTokenizer)
    except ImportError as error:
        raise MissingPackageError("CLIP's vocabulary comes with a package: pip install open_clip_torch") from error
    encoded = [tokenizer.encode(text) for text in sentences]
    most = CONTEXT - 2 * marks
    too_long = [text for text, numbers in zip(sentences, encoded, strict=True) if len(numbers) > most]
    if too_long and not cut:
        raise InputShapeError(
            f"CLIP reads {most} tokens, {len(too_long)} sentences have more, first '{too_long[0][:40]}...'; "
            "shorten them or allow cutting."
        )
    found = torch.zeros(len(encoded), CONTEXT, dtype=torch.long)
    for row, numbers in zip(found, encoded, strict=True):
        kept = numbers[:most]
        framed = [tokenizer.sot_token_id, *kept, tokenizer.eot_token_id] if marks else kept
        row[: len(framed)] = torch.tensor(framed, dtype=torch.long)
    return found


@cache
def _made(kind: type[Any]) -> Any:
    """The tokenizer, whose vocabulary takes a quarter of a second to read."""
    return kind()


class CLIP(nn.Module):
    """A transformer over image patches and one over tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.visual = _ImageTower()
        self.transformer = _Transformer(TEXT_WIDTH)
        self.token_embedding = nn.Embedding(VOCABULARY, TEXT_WIDTH)
        self.positional_embedding = nn.Parameter(torch.empty(CONTEXT, TEXT_WIDTH))
        self.ln_final = nn.LayerNorm(TEXT_WIDTH)
        self.text_projection = nn.Parameter(torch.empty(TEXT_WIDTH, DIMENSIONS))
        self.logit_scale = nn.Parameter(torch.empty(()))  # the training's temperature; cosines don't use it

    def images(self, images: Tensor) -> Tensor:
        """Embeddings of RGB images in [0, 1], (N, 512), of unit length."""
        check_shape(images, 3, SIZE_PX, SIZE_PX, network="CLIP")
        return F.normalize(self.visual(standardised(images, MEAN, STD)), dim=1)

    def sentences(self, numbers: Tensor) -> Tensor:
        """Embeddings of tokenised sentences, (N, 512), of unit length, read off at the end mark if there is one."""
        if numbers.ndim != 2 or numbers.shape[1] != CONTEXT:
            raise InputShapeError(f"CLIP takes token numbers of shape (N, {CONTEXT}), not {tuple(numbers.shape)}.")
        x = self.token_embedding(numbers) + self.positional_embedding
        future = torch.full((CONTEXT, CONTEXT), -torch.inf, dtype=x.dtype, device=x.device).triu(1)
        x = self.ln_final(self.transformer(x, future))
        ends = numbers.argmax(dim=1)  # the end mark has the highest number there is
        return F.normalize(x[torch.arange(len(x), device=x.device), ends] @ self.text_projection, dim=1)


class _ImageTower(nn.Module):
    """Patches, a class token, twelve layers, and a projection of the class token."""

    def __init__(self) -> None:
        super().__init__()
        patches = (SIZE_PX // PATCH_PX) ** 2
        self.conv1 = nn.Conv2d(3, IMAGE_WIDTH, PATCH_PX, stride=PATCH_PX, bias=False)
        self.class_embedding = nn.Parameter(torch.empty(IMAGE_WIDTH))
        self.positional_embedding = nn.Parameter(torch.empty(patches + 1, IMAGE_WIDTH))
        self.ln_pre = nn.LayerNorm(IMAGE_WIDTH)
        self.transformer = _Transformer(IMAGE_WIDTH)
        self.ln_post = nn.LayerNorm(IMAGE_WIDTH)
        self.proj = nn.Parameter(torch.empty(IMAGE_WIDTH, DIMENSIONS))

    def forward(self, images: Tensor) -> Tensor:
        patches = self.conv1(images).flatten(2).transpose(1, 2)
        first = self.class_embedding.expand(len(images), 1, -1)
        x = self.ln_pre(torch.cat([first, patches], dim=1) + self.positional_embedding)
        out: Tensor = self.ln_post(self.transformer(x, None)[:, 0]) @ self.proj
        return out


class _Transformer(nn.Module):
    """Layers of attention and a two-layer perceptron, each normalised before and added to its input."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.resblocks = nn.ModuleList(_Layer(width) for _ in range(LAYERS))

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        for layer in self.resblocks:
            x = layer(x, mask)
        return x


class _Layer(nn.Module):
    """One transformer layer."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.attn = nn.MultiheadAttention(width, width // HEAD_WIDTH, batch_first=True)
        self.ln_1 = nn.LayerNorm(width)
        self.mlp = nn.ModuleDict({"c_fc": nn.Linear(width, 4 * width), "c_proj": nn.Linear(4 * width, width)})
        self.ln_2 = nn.LayerNorm(width)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        y = self.ln_1(x)
        x = x + self.attn(y, y, y, need_weights=False, attn_mask=mask)[0]
        wide = self.mlp["c_fc"](self.ln_2(x))
        out: Tensor = x + self.mlp["c_proj"](wide * (1.702 * wide).sigmoid())
        return out
