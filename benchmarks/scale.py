"""What size costs: many clips against few, clips elsewhere against clips here, sets of many rows, two nodes of Ray.

Seconds are of processor time where nothing else is said, so that they mean the same on a busy machine; the ratios of
clips elsewhere and of Ray are of wall clock, and mean something on an idle machine alone. Rows that need a package that
is not installed are left out. ``python benchmarks/scale.py ray 20`` rehearses a part at a twentieth of its size.
"""

import json
import os
import resource
import shutil
import subprocess
import sys
import time
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from support.clips import moving, write_clip

FEWEST, FEW, MANY = 30, 300, 3000
DIFFERENT = 20
METRICS = "psnr,ssim,f-mse"
S3_CLIPS = 1000
ROWS, DIMENSIONS, ROWS_A_CLIP = (3_000, 12_000), 512, 10
RAY_CLIPS, RAY_METRICS = 160, "psnr,ssim,ms-ssim,fsim,cpbd,f-mse,ofm,temporal-warp-error"
PARTS = {"clips": "many", "rows": "sets", "s3": "elsewhere", "ray": "nodes"}


def measurements() -> list[dict[str, Any]]:
    """All parts, or those named in ``SCALE_PARTS``; rows of parts that are not measured now stay as they were."""
    asked = os.environ.get("SCALE_PARTS", ",".join(PARTS)).split(",")
    held = Path(__file__).parent / "results" / "scale.json"
    kept = [row for row in json.loads(held.read_text())["rows"] if row["part"] not in asked] if held.exists() else []
    rows = [{"part": part, **row} for part in asked for row in globals()[PARTS[part]]()]
    return sorted([*kept, *rows], key=lambda row: list(PARTS).index(row["part"]))


def many(shrunk: int = 1) -> list[dict[str, Any]]:
    """Time and memory per clip at ten times as many clips."""
    found = []
    for clips in (1, *(count // shrunk for count in (FEWEST, FEW, MANY))):  # the first one compiles
        with TemporaryDirectory(prefix="scale-") as folder:
            work = filled(Path(folder), clips, frames=8, side=64)
            run = scored(work, "-m", METRICS, "--workers", "1", "-o", work / "run.json")
            size = (work / "run.json").stat().st_size
            report = cpu_of("report", work / "run.json")
            found.append({**run, "clips": clips, "result_mb": size / 1e6, "report_cpu_s": report})
    found = found[1:]
    _, few, more = found
    per_clip = [row["cpu_s"] / row["clips"] for row in found]
    added = [(b["cpu_s"] - a["cpu_s"]) / (b["clips"] - a["clips"]) for a, b in pairwise(found)]
    figures = {"cpu_ms_a_clip": per_clip[2] * 1000, "to_300": per_clip[2] / per_clip[1]}
    figures |= {"cpu_ms_an_added_clip": added[1] * 1000, "added_to_300": added[1] / added[0]}
    return [
        {"what": f"{more['clips']} clips of 8 frames, 64 px, beside {few['clips']}", **figures}
        | {"memory_to_300": more["mb"] / few["mb"], "peak_mb": more["mb"], "result_mb": more["result_mb"]}
        | {"report_cpu_s": more["report_cpu_s"]}
    ]


def sets(shrunk: int = 1) -> list[dict[str, Any]]:
    """Distances of sets with their intervals, from rows on disk: time and memory at four times as many rows."""
    found = []
    for kind in ("frechet", "kid", "prdc"):
        for rows in (count // shrunk for count in ROWS):
            command = [sys.executable, __file__, "of_rows", kind, str(rows)]
            done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment())
            found.append({"what": f"{kind} and its jackknife, {rows} rows of {DIMENSIONS}", **json.loads(done.stdout)})
    return found


def elsewhere(shrunk: int = 1) -> list[dict[str, Any]]:
    """1,000 clips of about 1 MB on a local server of S3 against the same in folders."""
    if not (find_spec("s3fs") and find_spec("moto")):
        return []
    with TemporaryDirectory(prefix="scale-") as folder:
        work = filled(Path(folder), S3_CLIPS // shrunk, frames=50, side=256)
        sizes = [path.stat().st_size / 1e6 for path in (work / "pred").iterdir()]
        here = scored(work, "-m", "psnr,ssim", "-o", work / "here.json")
        with server() as more:
            for side in ("pred", "gt"):
                upload(work / side, side)
            there = scored(
                work, "-m", "psnr,ssim", "-o", work / "there.json", sides=("s3://scale/pred", "s3://scale/gt")
            )
            same = canonical(work / "here.json") == canonical(work / "there.json")
        del more
    ratio = there["wall_s"] / here["wall_s"]
    return [
        {
            "what": f"{len(sizes)} pairs over S3",
            "clip_mb": sum(sizes) / len(sizes),
            "wall_s": there["wall_s"],
            "ratio": ratio,
            "same": same,
        }
    ]


def nodes(shrunk: int = 1) -> list[dict[str, Any]]:
    """Two nodes of Ray, of a core each, against one core."""
    if not find_spec("ray"):
        return []
    with TemporaryDirectory(prefix="scale-") as folder:
        work = filled(Path(folder), RAY_CLIPS // shrunk, frames=25, side=192)
        one = scored(work, "-m", RAY_METRICS, "--workers", "1", "-o", work / "one.json")
        command = [sys.executable, __file__, "of_nodes", str(work)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment())
        two = json.loads(done.stdout.splitlines()[-1])
        same = canonical(work / "one.json") == canonical(work / "two.json")
    figures = {"wall_s": two["wall_s"], "one_core_s": one["wall_s"], "one_core_cpu_s": one["cpu_s"]}
    figures["times_faster"] = one["wall_s"] / two["wall_s"]
    return [{"what": f"{RAY_CLIPS // shrunk} pairs on two nodes of one core", **figures, "same": same}]


def filled(work: Path, clips: int, *, frames: int, side: int) -> Path:
    """Pairs of clips, few of them different."""
    for folder, noise in (("pred", 6.0), ("gt", 0.0)):
        (work / folder).mkdir(parents=True)
        for number in range(min(DIFFERENT, clips)):
            made = moving(frames=frames, size=side, seed=number, noise=noise)
            write_clip(work / f"{folder}{number}.mp4", made)
        for number in range(clips):
            shutil.copy(work / f"{folder}{number % DIFFERENT}.mp4", work / folder / f"{number:05}.mp4")
    return work


def scored(work: Path, *options: Any, sides: tuple[Any, ...] = ()) -> dict[str, float]:
    """One ``thgeval score`` in a process of its own: wall clock, processor seconds and peak memory."""
    before, began = os.times(), time.monotonic()
    run("score", *(sides or (work / "pred", work / "gt")), "-q", *options)
    wall, after = time.monotonic() - began, os.times()
    record = json.loads(Path(options[-1]).read_text())["run"]
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return {"wall_s": wall, "cpu_s": cpu, "mb": record["peak_bytes"] / 1e6}


def cpu_of(*arguments: Any) -> float:
    """Processor seconds of a command."""
    before = os.times()
    run(*arguments)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def run(*arguments: Any) -> None:
    command = [sys.executable, "-m", "thgeval.cli.main", *map(str, arguments)]
    subprocess.run(command, check=True, capture_output=True, env=environment())


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "OMP_NUM_THREADS": "1"}


def canonical(path: Path) -> bytes:
    import thgeval

    return thgeval.Run.read(path).canonical


def server() -> Any:
    """A server that speaks S3 in a process of its own, with a bucket; and a home without what was fetched before."""
    from contextlib import contextmanager

    @contextmanager
    def running() -> Any:
        command = [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1", "-p", "5555"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        keys = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "us-east-1"}
        with TemporaryDirectory(prefix="scale-home-") as home:
            os.environ.update(keys, AWS_ENDPOINT_URL="http://127.0.0.1:5555", THGEVAL_HOME=home)
            time.sleep(10)
            try:
                yield process
            finally:
                process.terminate()
                process.wait()
                del os.environ["THGEVAL_HOME"]

    return running()


def upload(folder: Path, prefix: str) -> None:
    import boto3

    client = boto3.client("s3", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
    if prefix == "pred":
        client.create_bucket(Bucket="scale")
    for path in sorted(folder.iterdir()):
        client.upload_file(str(path), "scale", f"{prefix}/{path.name}")


def of_rows(kind: str, rows: int) -> dict[str, float]:
    """One distance with its jackknife, of rows that are written to checkpoints first, as a run does."""
    from thgeval.kernels import frechet, kid, prdc
    from thgeval.states import TwoRows
    from thgeval.states.checkpoint import Checkpoint, Kept, save_and_reopen

    random = np.random.default_rng(0)
    states = []
    with TemporaryDirectory(prefix="scale-") as folder:
        for number in range(rows // ROWS_A_CLIP):
            clip = f"{number:06}"
            sides = (random.normal(shift, 1, (ROWS_A_CLIP, DIMENSIONS)).astype(np.float32) for shift in (0.1, 0.0))
            state = TwoRows.of(clip, **dict(zip(("generated", "reference"), sides, strict=True)))
            held = save_and_reopen(Path(folder, f"{clip}.npz"), Checkpoint(clip, {}, "", {kind: Kept("", state)}))
            states.append(held.kept[kind].state)
        total = TwoRows.total(states)
        groups = np.repeat(np.arange(rows // ROWS_A_CLIP) % 20, ROWS_A_CLIP)
        compare = {"frechet": frechet, "kid": kid, "prdc": prdc}[kind].jackknife
        sides = total.generated, total.reference
        compare(*(side[: 20 * 40] for side in sides), generated_groups=groups[:800], reference_groups=groups[:800])
        base, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
        compare(*sides, generated_groups=groups, reference_groups=groups)
        spent, peak = time.process_time() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"cpu_s": spent, "mb_more": (peak - base) / 1e3, "rows_mb": 2 * rows * DIMENSIONS * 4 / 1e6}


def of_nodes(work: Path) -> dict[str, float]:
    """A run on a cluster of two nodes of one core, which is up before the clock starts."""
    from ray.cluster_utils import Cluster

    import thgeval

    node = {"num_cpus": 1, "object_store_memory": 80_000_000}
    cluster = Cluster(initialize_head=True, head_node_args=node)
    cluster.add_node(**node)
    options = thgeval.Options(out=work / "two.json", engine="ray", address=cluster.address)
    began = time.monotonic()
    thgeval.evaluate(work / "pred", work / "gt", metrics=RAY_METRICS.split(","), options=options)
    return {"wall_s": time.monotonic() - began}


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["of_nodes", work]:
            print(json.dumps(of_nodes(Path(work))))
        case ["of_rows", kind, rows]:
            print(json.dumps(of_rows(kind, int(rows))))
        case [part, shrunk]:
            print(json.dumps(globals()[PARTS[part]](int(shrunk)), indent=1))
