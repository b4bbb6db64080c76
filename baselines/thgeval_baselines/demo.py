"""A folder of synthetic clips to try every metric on: references, controls, truth.

    python -m thgeval_baselines.demo FOLDER

    FOLDER/README.txt             what these files are
    FOLDER/reference/face1.mp4    rendered heads, four pseudo-identities in turn
    FOLDER/truth/face1.npz        parameters, landmarks and blinks of every frame
    FOLDER/<control>/face1.mp4    each control of ``thgeval_baselines.controls``, same names

Everything follows from the seed. Needs scikit-image (the extra ``demo``) and no network.
"""

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np

from thgeval.errors import ProtocolError, ThgevalError
from thgeval_baselines.controls.takes import CONTROLS, Control
from thgeval_baselines.sets.clips import Take, head, take, write_notice, write_take, write_truth

IDENTITIES = 4
REFERENCE_CRF = 12


@dataclass(frozen=True)
class Demo:
    """What was made: the folders of references and truth, one folder per control, and the stems that all share."""

    folder: Path
    reference: Path
    truth: Path
    controls: dict[str, Path]
    stems: tuple[str, ...]


def make_demo(
    folder: Path,
    *,
    clips: int = 4,
    seconds: float = 4.0,
    size: int = 256,
    seed: int = 0,
    crf: int = REFERENCE_CRF,
) -> Demo:
    """Render references and encode every control of them into ``folder``, which must be new or empty.

    ``size`` is the height and width in pixels, even, 64 to 1024; ``crf`` the quality of the references (12 is hard to
    tell from the rendering; benchmarks at 512 px use 18). Raises ``ProtocolError`` for a request that can't be met.
    """
    if clips < 1:
        raise ProtocolError(f"a demo of {clips} clips has nothing in it, ask for at least 1")
    if size % 2:
        raise ProtocolError(f"H.264 needs an even number of pixels, use a size of {size - 1} or {size + 1}")
    if folder.exists() and any(folder.iterdir()):
        raise ProtocolError(f"{folder} is not empty, name a new folder for the demo")
    demo = Demo(
        folder=folder,
        reference=folder / "reference",
        truth=folder / "truth",
        controls={name: folder / name for name in CONTROLS},
        stems=tuple(f"face{number}" for number in range(1, clips + 1)),
    )
    for each in (demo.reference, demo.truth, *demo.controls.values()):
        each.mkdir(parents=True)
    write_notice(folder)
    heads = [head(seed=_seed(seed, 0, identity), size=size) for identity in range(min(clips, IDENTITIES))]
    for number, stem in enumerate(demo.stems):
        performed = take(heads[number % IDENTITIES], seed=_seed(seed, 1, number), seconds=seconds, first=number)
        write_truth(demo.truth / f"{stem}.npz", performed)
        _write_clip(demo, f"{stem}.mp4", performed, crf)
    return demo


def _write_clip(demo: Demo, name: str, performed: Take, crf: int) -> None:
    """Write one reference, then its controls, one on each processor."""
    reference = demo.reference / name
    write_take(reference, performed, crf=crf)

    def write(control: Control) -> None:
        path = demo.controls[control.name] / name
        if control.file_copied:
            shutil.copyfile(reference, path)
            return
        write_take(path, control.changed(performed), crf=crf if control.crf is None else control.crf)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(write, CONTROLS.values()))


def _seed(seed: int, purpose: int, number: int) -> int:
    """A seed of its own for each identity (purpose 0) and each take (purpose 1)."""
    return int(np.random.SeedSequence([seed, purpose, number]).generate_state(1)[0])


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--clips", default=4, show_default=True, help="How many references.")
@click.option("--seconds", default=4.0, show_default=True, help="Length of each.")
@click.option("--size", default=256, show_default=True, help="Height and width in pixels.")
@click.option("--seed", default=0, show_default=True, help="Other faces and other motion.")
@click.option("--crf", default=REFERENCE_CRF, show_default=True, help="x264 quality of the references.")
def main(folder: Path, clips: int, seconds: float, size: int, seed: int, crf: int) -> None:
    """Make FOLDER: synthetic talking heads with known truth, and controls of them."""
    try:
        demo = make_demo(folder, clips=clips, seconds=seconds, size=size, seed=seed, crf=crf)
    except ThgevalError as error:
        click.echo(f"error: {error}", err=True)
        raise SystemExit(error.exit_code) from error
    click.echo(f"{demo.reference}  {len(demo.stems)} clips of {seconds:g} s, {size} px")
    click.echo(f"{demo.truth}  parameters, landmarks and blinks of every frame")
    for name, control_folder in demo.controls.items():
        click.echo(f"{control_folder}  {CONTROLS[name].summary}")


if __name__ == "__main__":
    main()
