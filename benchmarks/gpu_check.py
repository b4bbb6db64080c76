"""Everything that only a graphics card can prove, in one run under 8 minutes: ``make gpu-check``.

    python benchmarks/gpu_check.py [--only NAME,...] [--out FILE]

    parity      every kernel on the card beside the processor's loops on the same input, within ``bound``; equal frames
                score exactly 1
    networks    a network in gathered batches beside the processor, and its bits repeated
    waiting     an epoch of updates under torch's ``set_sync_debug_mode("error")``: nothing waits for the card
    training    metric objects and losses of ``thgeval.training`` on the card beside the processor, under autocast,
                and an epoch of their updates, which wait for nothing
    bandwidth   what SSIM, MS-SSIM and differences read a second, as a share of what a copy moves
    throughput  frames a second of the pixel metrics, frames already on the card

The result goes to ``benchmarks/results/gpu-CARD.json``. The exit code is 0 if all of it held, 1 if something did not
and, with one sentence, 3 where there is no card. In numba's simulator (``NUMBA_ENABLE_CUDASIM=1``) parity alone runs,
on inputs of a few pixels.

On a machine without a network, wheels for these are enough: numba, numpy, scipy, torch, numba-cuda[cu13] (with
cuda-bindings, cuda-core, cuda-pathfinder, cuda-toolkit's cccl, cudart, nvrtc and nvvm, nvidia-nvjitlink), and what
thgeval itself depends on (``pip download '.[cuda,models]'`` brings all of them).
"""

import json
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from thgeval.errors import ThgevalError
from thgeval.files import write_atomically
from thgeval.kernels import cpbd, difference, frechet, fsim, kid, landmarks, luma, mel, ms_ssim, prdc, ssim, warp
from thgeval.kernels.places import SIMULATED, in_memory, lack, put

RESULTS = Path(__file__).parent / "results"
NO_CARD = 3
DEVICE = "cuda"
FRAMES, SIDE_PX, UPDATES = 16, 512, 50


@dataclass(frozen=True)
class Sizes:
    """How large inputs are: frames and pixels, rows and dimensions of features, samples of sound."""

    frames: int
    side_px: int
    rows: int
    dimensions: int
    samples: int


LARGE, TINY = Sizes(4, 301, 700, 96, 16000), Sizes(1, 13, 7, 5, 500)


@dataclass(frozen=True)
class Case:
    """One kernel: its input, what it is called with, and how far the card may be from the processor.

    ``bound`` is relative to the largest value of a result that the processor finds.
    """

    make: Callable[[Sizes], Sequence[np.ndarray]]
    call: Callable[..., Sequence[Any]]
    bound: float
    least_px: int = 0


def _random(sizes: Sizes, *shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape) + sizes.side_px).random(shape)


def _pair(dtype: Any, channels: int = 3) -> Callable[[Sizes], list[np.ndarray]]:
    """A smooth picture and a noisy copy of it, (frames, height, width[, 3]); white is 255 for bytes, else 1."""

    def make(sizes: Sizes) -> list[np.ndarray]:
        y, x, c = np.ogrid[: sizes.side_px, : sizes.side_px + 2, :channels]
        smooth = 0.5 + 0.2 * np.sin(x / 7 + c) + 0.2 * np.cos(y / 5 - c)
        frames = smooth + 0.1 * (_random(sizes, sizes.frames, *smooth.shape) - 0.5)
        noisy = (frames + 0.1 * (_random(sizes, sizes.frames, *smooth.shape, 1)[..., 0] - 0.5)).clip(0, 1)
        sides = [side if channels == 3 else side[..., 0] for side in (frames, noisy)]
        return [(side * 255).astype(np.uint8) if dtype == np.uint8 else side.astype(dtype) for side in sides]

    return make


def _peak(frames: Any) -> float:
    return 255 if frames.dtype == np.uint8 else 1.0


def _moving(sizes: Sizes) -> list[np.ndarray]:
    previous, current = _pair(np.uint8)(sizes)
    flow = (4 * _random(sizes, *previous.shape[:3], 2) - 2).astype(np.float32)
    return [previous, current, flow, _random(sizes, *previous.shape[:3]) < 0.7]


def _two_ways(sizes: Sizes) -> list[np.ndarray]:
    shape = (sizes.frames, sizes.side_px, sizes.side_px + 2, 2)
    forward = (0.5 + 0.1 * _random(sizes, *shape)).astype(np.float32)
    return [forward, (-forward + _random(sizes, *shape, 1)[..., 0] - 0.5).astype(np.float32)]


def _rows(sizes: Sizes) -> list[np.ndarray]:
    sides = (_random(sizes, sizes.rows + more, sizes.dimensions).astype(np.float32) for more in (0, 2))
    return [side + shift for side, shift in zip(sides, (0.0, np.float32(0.1)), strict=True)]


def _faces(sizes: Sizes) -> list[np.ndarray]:
    return [100 * _random(sizes, sizes.frames + more, 68, 2)[more:] for more in (0, 1)]


def _sound(sizes: Sizes) -> list[np.ndarray]:
    return [(6000 * _random(sizes, sizes.samples) - 3000).astype(np.int16)]


def _errors(generated: Any, reference: Any) -> list[Any]:
    found = difference.errors(generated=generated, reference=reference)
    return [found.absolute, found.squared]


def _wrapped(generated: Any, reference: Any) -> list[Any]:
    sides = {"generated": generated, "reference": reference}
    return [difference.wrapped_absolute(**sides), difference.wrapped_squared(**sides)]


def _structure(**windows: Any) -> Callable[..., list[Any]]:
    def call(generated: Any, reference: Any) -> list[Any]:
        found = ssim.ssim_terms(generated=generated, reference=reference, peak=_peak(generated), **windows)
        return [found.ssim, found.contrast]

    return call


def _scales(generated: Any, reference: Any) -> list[Any]:
    weights = ms_ssim.WEIGHTS if generated.shape[1] > 160 else (0.5, 0.5)
    window = {} if len(weights) == 5 else {"window": 3}
    sides = {"generated": generated, "reference": reference}
    return [ms_ssim.ms_ssim(**sides, peak=_peak(generated), weights=weights, **window)]


def _features(generated: Any, reference: Any) -> list[Any]:
    found = fsim.similarity(generated=generated, reference=reference, peak=_peak(generated))
    return [found.fsim, found.fsimc]


def _groups(call: Callable[..., Any]) -> Callable[..., list[Any]]:
    def grouped(generated: Any, reference: Any) -> list[Any]:
        labels = {
            f"{name}_groups": np.arange(len(side)) % 3
            for name, side in (("generated", generated), ("reference", reference))
        }
        return [np.asarray(call(generated, reference, **labels))]

    return grouped


def _sharp(**rules: Any) -> Callable[..., list[Any]]:
    return lambda frames, _: [cpbd.cpbd(frames, **rules)]


BYTES, SINGLE, GREY = _pair(np.uint8), _pair(np.float32), _pair(np.uint8, 1)
CASES = {
    "difference of bytes": Case(BYTES, _errors, 0),
    "difference of floats": Case(SINGLE, _errors, 1e-12),
    "wrapped difference": Case(BYTES, _wrapped, 0),
    **{
        f"luma {rule}": Case(BYTES, lambda a, _, rule=rule: [luma.luma(a, rule=rule, peak=255)], 1e-14)
        for rule in luma.RULES
    },
    "luma of floats": Case(SINGLE, lambda a, _: [luma.luma(a, rule="bt601-float", peak=1.0)], 1e-7),
    "scaled luma": Case(GREY, lambda a, _: [luma.scaled(a, peak=255, to=1.0), luma.uniform(a)], 1e-15),
    "ssim of bytes": Case(BYTES, _structure(), 4e-5),
    "ssim of floats": Case(SINGLE, _structure(window=7, weighting="uniform", sample_covariance=True), 4e-5),
    "downsampling": Case(GREY, lambda a, _: [ssim.downsample(a, 2), ssim.downsample(a, 3)], 1e-6),
    "ms-ssim": Case(BYTES, _scales, 1e-4),
    "cpbd": Case(GREY, _sharp(), 2e-3, least_px=64),
    "cpbd of python-cpbd": Case(GREY, _sharp(edges="octave", canny="skimage", widths="python-cpbd"), 0, least_px=64),
    "fsim": Case(BYTES, _features, 2e-5),
    "warp": Case(_moving, lambda _, frames, flow, mask: warp.warped(frames, flow=flow), 1e-12),
    "warp error": Case(
        _moving, lambda a, b, flow, mask: warp.squared_error(previous=a, current=b, flow=flow, mask=mask), 1e-12
    ),
    "visible": Case(_two_ways, lambda there, back: [warp.visible(forward=there, backward=back)], 0),
    "landmarks": Case(
        _faces,
        lambda a, b: [landmarks.points_apart(a, b, distance="l2"), landmarks.centred(a), landmarks.interocular(b)],
        1e-13,
    ),
    "kid": Case(_rows, lambda a, b: [np.array(kid.distance(a, b).mean)], 1e-8),
    "kid without groups": Case(_rows, _groups(kid.jackknife), 1e-8),
    "frechet": Case(_rows, lambda a, b: [np.array(frechet.distance(a, b))], 1e-8),
    "prdc": Case(_rows, lambda a, b: [np.array(prdc.scores(a, b, nearest=2))], 0),
    "prdc without groups": Case(_rows, _groups(lambda a, b, **groups: prdc.jackknife(a, b, nearest=2, **groups)), 0),
    "mel": Case(_sound, lambda s: [mel.mfcc(s), mel.log_mel(s), mel.loudness(s)], 1e-9),
}
EQUAL = {"ssim of bytes": _structure(), "fsim": _features}


def parity(names: Sequence[str], sizes: Sizes) -> Iterator[dict[str, Any]]:
    """One row a case: how far apart the two are, and whether the bound holds."""
    for name in names:
        case = CASES[name]
        inputs = case.make(replace(sizes, side_px=max(sizes.side_px, case.least_px)))
        here = [np.asarray(part, np.float64) for part in case.call(*inputs)]
        there = [in_memory(part).astype(np.float64) for part in case.call(*(put(side, DEVICE) for side in inputs))]
        apart = max(_apart(*sides) for sides in zip(there, here, strict=True))
        row = {"case": name, "apart": apart, "bound": case.bound, "held": bool(apart <= case.bound)}
        if name in EQUAL:
            frames = put(inputs[0], DEVICE)
            row["equal frames score 1"] = all((in_memory(part) == 1).all() for part in EQUAL[name](frames, frames))
            row["held"] &= row["equal frames score 1"]
        yield row


def _apart(found: np.ndarray, expected: np.ndarray) -> float:
    """Largest difference relative to the largest value; infinite where only one of the two is NaN."""
    if found.shape != expected.shape or (np.isnan(found) != np.isnan(expected)).any():
        return float("inf")
    known = ~np.isnan(expected)
    gap = np.abs(found[known] - expected[known]).max(initial=0.0)
    return float(gap / np.abs(expected[known]).max(initial=1e-300)) if gap else 0.0


def networks() -> dict[str, Any]:
    """A network of random weights in batches on the card, beside the processor."""
    import torch

    from thgeval import networks as through
    from thgeval.features.frames.random_embedding import SEED, _network
    from thgeval.networks import devices

    samples = torch.from_numpy(_random(LARGE, 40, 3, 64, 64).astype(np.float32))
    alone = through.rows(_network("image", SEED), samples)
    with devices.at(DEVICE):
        first, second = (through.rows(_network("image", SEED), samples[skip:]) for skip in (0, 3))
    apart = _apart(first.astype(np.float64), alone.astype(np.float64))
    repeats = second.tobytes() == first[3:].tobytes()
    return {"apart": apart, "bound": 1e-4, "repeats its bits": repeats, "held": bool(apart <= 1e-4 and repeats)}


def _on_card(dtype: Any) -> list[Any]:
    """Two clips of tensors, made on the card."""
    import torch

    torch.manual_seed(0)
    shape = (FRAMES, SIDE_PX, SIDE_PX, 3)
    pairs = [torch.rand(shape, device=DEVICE) for _ in range(2)]
    return [(side * 255).to(torch.uint8) if dtype == np.uint8 else side for side in pairs]


def waiting() -> dict[str, Any]:
    """An epoch of updates that add sums on the card; torch raises if anything waits for it."""
    import torch

    sides = dict(zip(("generated", "reference"), _on_card(np.float32), strict=True))
    total = torch.zeros(2, dtype=torch.float64, device=DEVICE)

    def update() -> None:
        found = difference.errors(**sides).squared, ssim.ssim(**sides, peak=1.0)
        total.add_(torch.stack([torch.as_tensor(part, device=DEVICE).sum() for part in found]))

    update()  # compiles
    with _nothing_waits():
        for _ in range(UPDATES):
            update()
    held = bool(torch.isfinite(total).all())
    return {"updates": UPDATES, "held": held}


@contextmanager
def _nothing_waits() -> Iterator[None]:
    """Torch raises at whatever waits for the card; where there is none nothing can."""
    import torch

    if not torch.cuda.is_available():
        yield
        return
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")


def training(device: str = DEVICE) -> dict[str, Any]:
    """What a training loop calls, under the autocast that it may be in."""
    import torch

    from thgeval import training
    from thgeval.training import losses

    pair = [torch.from_numpy(side).permute(0, 3, 1, 2).float() for side in _pair(np.float32)(LARGE)]
    there = [side.to(device) for side in pair]
    apart = {}
    for cls in (training.PSNR, training.L1, training.MSE, training.SSIM, training.MSSSIM):
        own, other = cls(data_range=1.0), cls(data_range=1.0).to(device)
        own.update(*pair)
        with torch.autocast(device, dtype=torch.bfloat16):
            other.update(*there)  # makes what is made once
            with _nothing_waits():
                for _ in range(UPDATES):
                    other.update(*there)
        apart[cls.__name__] = abs(other.compute().item() / own.compute().item() - 1)
    for made in (losses.SSIMLoss, losses.MSSSIMLoss, losses.L1SSIMLoss):
        loss, gradients = made(data_range=1.0), []
        for sides in ([side.double() for side in pair], there):
            generated = sides[0].clone().requires_grad_()
            with torch.autocast(device, dtype=torch.bfloat16):
                value = loss(generated, sides[1])
            value.backward()
            gradients.append(generated.grad.double().cpu().numpy())
        apart[made.__name__] = _apart(*gradients)
    return {"apart": apart, "bound": 1e-4, "updates": UPDATES, "held": max(apart.values()) <= 1e-4}


def _seconds(call: Callable[[], Any], rounds: int = 20) -> float:
    """Median of the time that a call takes, all it launched included."""
    import torch

    call()
    spent = []
    for _ in range(rounds):
        torch.cuda.synchronize()
        began = time.perf_counter()
        call()
        torch.cuda.synchronize()
        spent.append(time.perf_counter() - began)
    return float(np.median(spent))


def _readings(dtype: Any) -> dict[str, Callable[[], Any]]:
    generated, reference = _on_card(dtype)
    sides, peak = {"generated": generated, "reference": reference}, 255 if dtype == np.uint8 else 1.0
    return {
        "difference": lambda: difference.errors(**sides),
        "ssim": lambda: ssim.ssim(**sides, peak=peak),
        "ms-ssim": lambda: ms_ssim.ms_ssim(**sides, peak=peak),
    }


def bandwidth() -> dict[str, Any]:
    """GB/s that kernels read of both sides, and as a share of what a copy on the card moves."""
    import torch

    source = torch.empty(1 << 30, dtype=torch.uint8, device=DEVICE)
    target = torch.empty_like(source)
    copied = 2 * source.numel() / _seconds(lambda: target.copy_(source)) / 1e9
    rows = []
    for dtype, width in ((np.uint8, 1), (np.float32, 4)):
        read = 2 * FRAMES * SIDE_PX**2 * 3 * width
        for name, call in _readings(dtype).items():
            speed = read / _seconds(call) / 1e9
            rows.append({"kernel": name, "type": np.dtype(dtype).name, "GB/s": speed, "share": speed / copied})
    return {"copy GB/s": copied, "kernels": rows, "held": True}


def throughput() -> dict[str, Any]:
    """Frames of 512 x 512 px a second: each kernel, and the suite of PSNR, L1, SSIM of luma and MS-SSIM."""
    generated, reference = _on_card(np.uint8)
    sides = {"generated": generated, "reference": reference}
    grey = [luma.luma(side, rule="bt601-rounded", peak=255) for side in (generated, reference)]

    def suite() -> None:
        difference.errors(**sides)
        planes = [luma.luma(side, rule="bt601-rounded", peak=255) for side in (generated, reference)]
        ssim.ssim(generated=planes[0], reference=planes[1], peak=255)
        ms_ssim.ms_ssim(**sides, peak=255)

    calls = {
        "suite": suite,
        **_readings(np.uint8),
        "fsim": lambda: fsim.similarity(**sides, peak=255),
        "cpbd": lambda: cpbd.cpbd(grey[0]),
    }
    return {"frames/s": {name: FRAMES / _seconds(call, 10) for name, call in calls.items()}, "held": True}


PARTS = {
    "networks": networks,
    "waiting": waiting,
    "training": training,
    "bandwidth": bandwidth,
    "throughput": throughput,
}


def card() -> str:
    """The card in use; ThgevalError, in one sentence, where there is none or nothing that could run on it."""
    from thgeval.networks import devices

    name = devices.token(DEVICE)
    if (missing := lack()) is not None:
        raise missing
    return name.removeprefix("cuda-")


def checked(cases: Sequence[str], parts: Sequence[str], sizes: Sizes) -> dict[str, Any]:
    """The parts asked for, of which one that fails is a row of the result and not its end."""
    from thgeval.kernels import cuda_target

    found: dict[str, Any] = {"compiler": cuda_target.compiler, "parity": list(parity(cases, sizes))}
    for name in parts:
        began = time.perf_counter()
        try:
            found[name] = PARTS[name]()
        except Exception as error:  # whatever a card does, the other figures are wanted too
            found[name] = {"held": False, "error": f"{type(error).__name__}: {error}"}
        found[name]["seconds"] = time.perf_counter() - began
    held = [row["held"] for row in found["parity"]] + [found[name]["held"] for name in parts]
    return {**found, "held": all(held)}


def main(arguments: Sequence[str]) -> int:
    """Run, write and print; the exit code."""
    given = dict(zip(arguments[::2], arguments[1::2], strict=True))
    try:
        name = card()
    except ThgevalError as error:
        print(f"gpu-check: {error}", file=sys.stderr)
        return NO_CARD
    only = given.get("--only", "").split(",") if "--only" in given else [*CASES, *PARTS]
    parts = [part for part in only if part in PARTS and not SIMULATED and find_spec("torch") is not None]
    result = {"card": name, **checked([case for case in only if case in CASES], parts, TINY if SIMULATED else LARGE)}
    path = Path(given.get("--out", RESULTS / f"gpu-{re.sub('[^A-Za-z0-9.]+', '-', name)}.json"))
    write_atomically(path, (json.dumps(result, indent=1) + "\n").encode())
    for row in [row for row in result["parity"] if not row["held"]]:
        print(f"{row['case']}: {row['apart']:g} apart, bound {row['bound']:g}")
    print(f"{path}: {'all of it held' if result['held'] else 'not all of it held'}")
    return 0 if result["held"] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
