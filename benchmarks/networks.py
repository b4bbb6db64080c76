"""Metrics that look through networks: beside pytorch-fid, beside the network alone, and a second time from the cache.

    python benchmarks/run.py networks

Weights are random, in the format of the published files: they take as long as the real ones. Jobs take turns, and
figures are medians of wall-clock time on an otherwise idle machine; on a busy one only their ratios mean something.
"""

import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from pkgutil import resolve_name
from statistics import median
from typing import Any
from unittest.mock import patch

import numpy as np
from PIL import Image

HERE = Path(__file__).parent
SIDE_PX = 256
SECONDS = 1.0
FRAMES = 25
CLIPS = 2
ROUNDS = 3
NETWORKS = {
    "fid": "thgeval.features.networks.rows",
    "lpips": "thgeval_models.lpips.LPIPS.forward",
    "fvd": "thgeval.features.networks.rows",
    "fid-random": "thgeval.features.networks.rows",
}


def measurements() -> list[dict[str, Any]]:
    """Every comparison."""
    if str(HERE.parent / "tests") not in sys.path:
        sys.path.insert(0, str(HERE.parent / "tests"))
    from support import random_weights

    names = ["inception-fid", "i3d-torchscript", "alexnet"]
    with random_weights.installed(names) as home:
        folders = made(home / "clips")
        rows = [_beside_pytorch_fid(folders, random_weights.tensors("inception-fid"))]
        rows += [_beside_its_network(metric, folders) for metric in NETWORKS]
        return [*rows, _second_run(folders)]


def made(folder: Path) -> tuple[Path, Path]:
    """Folders of generated and reference clips, with their frames as PNG files beside them."""
    from thgeval.clip import Clip
    from thgeval.media import decode
    from thgeval_baselines.demo import make_demo

    demo = make_demo(folder, clips=CLIPS, seconds=SECONDS, size=SIDE_PX)
    folders = demo.controls["crf30"], demo.reference
    for side in folders:
        (side / "frames").mkdir()
        for path in sorted(side.glob("*.mp4")):
            with decode(Clip(path.stem, path), chunk=8) as batches:
                frames = np.concatenate([batch.new for batch in batches])
            for i, frame in enumerate(frames):
                Image.fromarray(frame).save(side / "frames" / f"{path.stem}-{i:03d}.png")
    return folders


def _beside_pytorch_fid(folders: tuple[Path, Path], tensors: dict[str, Any]) -> dict[str, Any]:
    """Both from files to features, on all cores each."""
    import torch
    from pytorch_fid import fid_score, inception

    with patch.object(inception, "load_state_dict_from_url", lambda *_, **__: tensors), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = inception.InceptionV3([inception.InceptionV3.BLOCK_INDEX_BY_DIM[2048]]).eval()
    files = [str(path) for folder in folders for path in sorted((folder / "frames").glob("*.png"))]
    cores = torch.get_num_threads()
    ours_s, theirs_s = _turns(
        lambda: _scored(folders, ["fid"], workers=cores),
        lambda: fid_score.get_activations(files, model, batch_size=50, dims=2048, num_workers=0),
    )
    frames = len(files)
    return {
        "what": f"fid beside pytorch-fid, {cores} cores",
        "frames": frames,
        "ours_ms": 1000 * ours_s / frames,
        "theirs_ms": 1000 * theirs_s / frames,
        "times_faster": theirs_s / ours_s,
    }


def _beside_its_network(metric: str, folders: tuple[Path, Path]) -> dict[str, Any]:
    """A whole run on one thread, and the part of it that the network took."""
    totals, inside = [], []
    _scored(folders, [metric], workers=1)
    for _ in range(ROUNDS):
        with _timing(NETWORKS[metric]) as spent:
            totals.append(_seconds(lambda: _scored(folders, [metric], workers=1)))
        inside.append(sum(spent))
    shares = [total / part - 1 for total, part in zip(totals, inside, strict=True)]
    return {
        "what": f"{metric} beside its network, one thread",
        "frames": 2 * CLIPS * FRAMES,
        "ours_ms": 1000 * median(totals) / (2 * CLIPS * FRAMES),
        "network_ms": 1000 * median(inside) / (2 * CLIPS * FRAMES),
        "outside_the_network": median(shares),
    }


def _second_run(folders: tuple[Path, Path]) -> dict[str, Any]:
    """A run with an empty cache, and the same run again."""
    first, second = [], []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as folder, patch("thgeval.store.home", lambda: Path(folder)):
            for seconds in (first, second):
                seconds.append(_seconds(lambda: _scored(folders, ["fid", "fvd"], cache="read-write")))
    return {
        "what": "fid and fvd again, from the cache",
        "frames": 2 * CLIPS * FRAMES,
        "first_s": median(first),
        "second_s": median(second),
        "times_faster": median(first) / median(second),
    }


def _scored(folders: tuple[Path, Path], metrics: list[str], **options: Any) -> None:
    from thgeval.run import Options, evaluate
    from thgeval.weights import Policy

    run = evaluate(*folders, metrics=metrics, options=Options(weights=Policy(unverified=True), **options))
    if missing := [score.unscored for score in run.scores.values() if score.value is None]:
        raise RuntimeError(missing[0])


@contextmanager
def _timing(place: str) -> Iterator[list[float]]:
    """The seconds of every call of the function at that place."""
    spent: list[float] = []
    owner_name, _, name = place.rpartition(".")
    owner = resolve_name(owner_name)
    real = getattr(owner, name)

    def timed(*args: Any, **named: Any) -> Any:
        began = time.perf_counter()
        result = real(*args, **named)
        spent.append(time.perf_counter() - began)
        return result

    with patch.object(owner, name, timed):
        yield spent


def _seconds(job: Callable[[], object]) -> float:
    began = time.perf_counter()
    job()
    return time.perf_counter() - began


def _turns(*jobs: Callable[[], object]) -> list[float]:
    """Median seconds of each job; one round before the clock starts."""
    rounds = [[_seconds(job) for job in jobs] for _ in range(ROUNDS + 1)]
    return [median(times) for times in list(zip(*rounds[1:], strict=True))]


if __name__ == "__main__":
    for row in measurements():
        print(row)
