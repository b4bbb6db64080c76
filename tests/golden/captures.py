"""What commands print on terminals of 80 and 160 columns, from results written by hand.

``python tests/golden/captures.py`` writes ``tests/golden/terminal/`` anew; read the difference like code.
"""

import os
import sys
import tempfile
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from io import BytesIO, TextIOWrapper
from pathlib import Path
from unittest.mock import patch

import numpy as np

from thgeval.cli.main import code
from thgeval.cli.showing import show
from thgeval.results import Run
from thgeval.tables import run_text

HERE = Path(__file__).parent
PLACE = HERE / "terminal"
WIDTHS = (80, 160)
CAPTURES: Mapping[str, list[str]] = {
    "score": ["score"],
    "signatures": ["score", "--signatures"],
    "table": ["table", "ours.json", "wav2lip.json", "sadtalker.json", "--control", "still"],
    "table-intervals": ["table", "ours.json", "wav2lip.json", "-m", "psnr,lmd", "--intervals", "half-width"],
    "compare": ["compare", "wav2lip.json", "ours.json", "sadtalker.json"],
}
"""By name, what is typed; ``score`` shows a result that is there already."""

CONTROLS = {
    "psnr": {"crf18": 40.0, "crf30": 33.0, "crf42": 27.0, "still": 22.0, "mouthfreeze": 36.0},
    "lmd": {"crf18": 0.3, "crf30": 0.5, "crf42": 0.9, "shift2": 1.2, "shift5": 2.4, "still": 1.4, "mouthfreeze": 1.1},
    "f-mse": {"crf18": 24.0, "crf30": 21.0, "crf42": 18.0, "still": 0.0},
}


def results(folder: Path) -> None:
    """Result files of three systems: metrics of four families, one with a lost clip, one that can't be scored."""
    from support.results import NAMES, of, writer

    rng = np.random.default_rng(4)
    write = writer(folder)
    scatter = rng.normal(0, 1, (4, 10))
    for name, gain in (("ours", 0.0), ("wav2lip", -2.5), ("sadtalker", -4.0)):
        found = {
            "psnr": of(34.5 + gain + scatter[0] / 2, unit="dB", interval=[33.1 + gain, 35.9 + gain]),
            "f-mse": of(20 + gain + scatter[1], own=np.full(10, 23.9), better="closer-to-reference"),
            "csim": of(0.93 + gain / 100 + scatter[2, :9] / 200, NAMES[:9], left_out={"no face": 1}),
            "lmd": of(1.3 - gain / 4 + scatter[3] / 20, better="lower", unit="px", note="px of 256x256 frames"),
            "lse-d": {"unscored": "the weights syncnet-v2 are not here; thgeval fetch syncnet-v2"},
        }
        for key, copies in CONTROLS.items():
            found[key]["controls"] = copies
        write(name, found)


def captured(arguments: list[str], folder: Path, width: int) -> str:
    """What a command prints, told apart where it goes to stderr."""
    out, err = (TextIOWrapper(BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    before = Path.cwd()
    os.chdir(folder)
    try:
        with patch.dict(os.environ, {"COLUMNS": str(width)}), redirect_stdout(out), redirect_stderr(err):
            if arguments[0] == "score":
                show(run_text(Run.read("ours.json"), form="table", digits=4, signatures="--signatures" in arguments))
            else:
                code(arguments)
    finally:
        os.chdir(before)
    printed, said = (stream.buffer.getvalue().decode() for stream in (out, err))
    return printed + "".join(f"2> {line}\n" for line in said.splitlines())


def main() -> None:
    """Write all captures."""
    sys.path.insert(0, str(HERE.parent))
    PLACE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        results(Path(folder))
        for name, arguments in CAPTURES.items():
            for width in WIDTHS:
                (PLACE / f"{name}-{width}.txt").write_text(captured(arguments, Path(folder), width), encoding="utf-8")


if __name__ == "__main__":
    main()
