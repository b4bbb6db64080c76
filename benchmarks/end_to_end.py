"""Whole runs against what people do today: decoding alone, ffmpeg's own filter, and scripts around known packages.

Every comparison is made in one run, interleaved, and quoted as a median; throughput uses both cores. The scripts are
timed on a sample of frames and scaled up, because they take minutes: the table says so.
"""

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

import av
import numpy as np

SUITE = ("psnr", "l1", "ssim", "ms-ssim", "cpbd", "f-mse")
REPEATS = 7


def measurements() -> list[dict[str, Any]]:
    """Every end-to-end comparison."""
    from thgeval_baselines.demo import make_demo

    with tempfile.TemporaryDirectory() as folder:
        demo = make_demo(Path(folder), clips=4, seconds=5.0, size=512)
        pairs = [Path(folder) / "crf18", Path(folder) / "reference"]
        del demo
        return [*_against_decoding(*pairs), *_against_ffmpeg(*pairs), _against_scripts(*pairs), *_memory(pairs[1])]


def interleaved(*jobs: Callable[[], object], repeats: int = REPEATS) -> list[float]:
    """Median seconds of each job, the jobs taking turns; one round before the clock starts."""
    times: list[list[float]] = [[] for _ in jobs]
    for round_ in range(repeats + 1):
        for job, seen in zip(jobs, times, strict=True):
            began = time.perf_counter()
            job()
            if round_:
                seen.append(time.perf_counter() - began)
    return [median(seen) for seen in times]


def _against_decoding(generated: Path, reference: Path) -> list[dict[str, Any]]:
    from thgeval import Options, evaluate

    files = [*sorted(generated.glob("*.mp4")), *sorted(reference.glob("*.mp4"))]

    def decode() -> int:
        return sum(_decoded(path) for path in files)

    frames = decode() // 2
    ours, theirs, alone = interleaved(
        lambda: evaluate(generated, reference, metrics=SUITE),
        decode,
        lambda: evaluate(generated, reference, metrics=SUITE, options=Options(workers=1)),
    )
    return [
        _row("six metrics, end to end, 2 workers", ours, frames, "decoding the same files with PyAV to rgb24", theirs),
        _row("six metrics, end to end, 1 worker", alone, frames, "decoding the same files with PyAV to rgb24", theirs),
    ]


def _decoded(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(1 for frame in container.decode(video=0) if frame.to_ndarray(format="rgb24") is not None)


def _against_ffmpeg(generated: Path, reference: Path) -> list[dict[str, Any]]:
    from thgeval import evaluate

    program = shutil.which("ffmpeg")
    if program is None:
        return []
    pairs = [(path, reference / path.name) for path in sorted(generated.glob("*.mp4"))]

    def filtered() -> None:
        for first, second in pairs:
            command = [program, "-v", "error", "-i", first, "-i", second, "-lavfi", "ssim", "-f", "null", "-"]
            subprocess.run(command, check=True, capture_output=True)

    ours, theirs = interleaved(lambda: evaluate(generated, reference, metrics=["psnr", "ssim"]), filtered)
    frames = sum(_decoded(path) for path, _ in pairs)
    return [_row("PSNR + SSIM, end to end", ours, frames, "the ffmpeg program with its ssim filter", theirs)]


def _against_scripts(generated: Path, reference: Path) -> dict[str, Any]:
    """20 clips of 125 frames; the scripts are timed on a few frames and scaled."""
    from thgeval import evaluate

    clips, length, sample = 20, 125, 3
    with tempfile.TemporaryDirectory() as folder:
        sides = []
        for side in (generated, reference):
            target = Path(folder) / side.name
            target.mkdir()
            originals = sorted(side.glob("*.mp4"))
            for number in range(clips):
                (target / f"{number:02}.mp4").symlink_to(originals[number % len(originals)])
            sides.append(target)
        (ours,) = interleaved(lambda: evaluate(*sides, metrics=SUITE), repeats=2)
        pair = [_frames(next(iter(sorted(side.glob("*.mp4")))), sample + 1) for side in sides]
    script = _script(*pair) / sample
    row = _row("20 clips x 125 frames, six metrics", ours, clips * length, "scikit-image, pytorch-msssim, cpbd", 0.0)
    theirs = script * clips * length
    return row | {"peer_s": theirs, "times_faster": theirs / ours, "note": f"peer timed on {sample} frames and scaled"}


def _script(generated: np.ndarray, reference: np.ndarray) -> float:
    """Seconds that the usual packages take for all frames but the first."""
    import torch
    from oracles.cpbd import published_package
    from pytorch_msssim import ms_ssim
    from skimage.metrics import peak_signal_noise_ratio, structural_similarity

    cpbd = published_package().compute
    began = time.perf_counter()
    for index in range(1, len(generated)):
        first, second = generated[index], reference[index]
        grey = [np.dot(frame[..., :3], [0.2989, 0.5870, 0.1140]) for frame in (first, second)]
        peak_signal_noise_ratio(second, first)
        np.abs(first.astype(np.float64) - second).mean()
        structural_similarity(*grey, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255)
        tensors = [torch.from_numpy(frame).permute(2, 0, 1)[None].float() for frame in (first, second)]
        ms_ssim(*tensors, data_range=255)
        cpbd(grey[0].round().astype(np.uint8))
        ((first.astype(np.float64) - generated[index - 1]) ** 2).mean()
    return time.perf_counter() - began


def _frames(path: Path, count: int) -> np.ndarray:
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in islice(container.decode(video=0), count)]
    return np.stack(frames)


def _memory(reference: Path) -> list[dict[str, Any]]:
    """Peak memory of scoring a clip of 10 seconds and one of 10 minutes, each in a process of its own."""
    source = next(iter(sorted(reference.glob("*.mp4"))))
    with tempfile.TemporaryDirectory() as folder:
        peaks = {}
        for seconds in (10, 600):
            path = Path(folder) / f"{seconds}.mp4"
            _looped(source, path, seconds)
            done = subprocess.run([sys.executable, __file__, path], check=True, capture_output=True)
            peaks[seconds] = int(done.stdout)
    mib = {seconds: peak / 1024 for seconds, peak in peaks.items()}
    return [
        {
            "what": "peak memory, 10 min clip",
            "ours_mib": mib[600],
            "peer": "10 s clip",
            "peer_mib": mib[10],
            "ratio": mib[600] / mib[10],
        }
    ]


def _looped(source: Path, target: Path, seconds: int) -> None:
    """Repeat a clip's packets, without encoding again."""
    with av.open(str(source)) as probe:
        stream = probe.streams.video[0]
        length = float(stream.duration * stream.time_base)
    command = ["ffmpeg", "-v", "error", "-stream_loop", str(int(seconds / length)), "-i", source]
    subprocess.run([*command, "-t", str(seconds), "-map", "0:v", "-c", "copy", target], check=True)


def _row(what: str, ours: float, frames: int, peer: str, theirs: float) -> dict[str, Any]:
    return {
        "what": what,
        "ours_s": ours,
        "frames": frames,
        "ours_ms_per_frame": ours / frames * 1000,
        "peer": peer,
        "peer_s": theirs,
        "times_faster": theirs / ours,
    }


if __name__ == "__main__":
    from thgeval import evaluate

    evaluate(sys.argv[1], sys.argv[1], metrics=SUITE)
    status = Path("/proc/self/status").read_text()  # ru_maxrss would remember the process that started this one
    print(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))
