"""``thgeval time``: how fast does a generator generate?"""

import json
import subprocess
from pathlib import Path
from time import perf_counter

import click

from thgeval.cli.showing import show
from thgeval.errors import ProtocolError
from thgeval.printable import printable

STDERR = 2


@click.command(
    "time",
    context_settings={"ignore_unknown_options": True},
)
@click.option("--clip", type=click.Path(path_type=Path), required=True, help="The clip that the command writes.")
@click.option("--device", required=True, help="What it runs on: cpu, NVIDIA A100, ...")
@click.option("--dtype", default="float32", show_default=True)
@click.option("--batch", type=click.IntRange(1), default=1, show_default=True)
@click.argument("run", nargs=-1, required=True, type=click.UNPROCESSED, metavar="-- COMMAND...")
def command(clip: Path, device: str, dtype: str, batch: int, run: tuple[str, ...]) -> None:
    """Run COMMAND, count the frames of the clip it writes, and leave a timing record beside the clip.

    The time is that of the whole command, start-up included: an upper bound of the model's own time. A generator that
    times its own forward pass writes the record itself, with the same fields.
    """
    from thgeval.clip import Clip
    from thgeval.files import write_atomically
    from thgeval.media import decode
    from thgeval.pairing import TIMING

    began = perf_counter()
    try:
        done = subprocess.run(run, stdout=STDERR, check=False)  # noqa: S603 - running it is the point
    except OSError as error:
        raise ProtocolError(f"{run[0]} can't be run: {error.strerror}") from None
    seconds = perf_counter() - began
    if done.returncode != 0:
        raise ProtocolError(f"{run[0]} ended with exit code {done.returncode}; nothing is recorded")
    with decode(Clip(clip.stem, clip), chunk=16) as frames:
        count = sum(map(len, frames))
        info = frames.info
    record = {
        "frames": count,
        "seconds": seconds,
        "device": device,
        "dtype": dtype,
        "batch": batch,
        "resolution": f"{info.width}x{info.height}",
        "timed": "whole command",
    }
    target = clip.with_name(clip.stem + TIMING)
    write_atomically(target, (json.dumps(record, indent=1) + "\n").encode())
    show(f"{printable(str(target))}: {count} frames in {seconds:.3f} s, {count / seconds:.2f} frames per second")
