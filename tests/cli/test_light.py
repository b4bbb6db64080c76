"""Help, and mistakes in what was typed, are answered before anything heavy is imported."""

import subprocess
import sys

import pytest

HEAVY = ("numpy", "av", "numba", "scipy", "cv2", "torch", "rich", "jinja2")
CODE = """
import sys
from thgeval.cli.main import code
code(sys.argv[1:])
print("loaded", *(name for name in %r if name in sys.modules), file=sys.stderr)
"""


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["--help"], "Commands:"),
        (["score", "--help"], "Which clips"),
        (["scroe"], "did you mean score?"),
        (["score"], "name the folder of generated clips"),
        (["score", "no-such-folder", "gt"], "there is no file or folder 'no-such-folder'"),
        (["score", ".", ".", "-m", "psmr"], "no metric is called 'psmr'"),
        (["score", ".", ".", "-m", "psnr", "--protocol", "thg25"], "did you mean thg256?"),
        (["score", ".", ".", "-o", "out.xyz"], "the suffix says what is written"),
        (["score", "a", "--list", "b"], "give either --list or PRED_DIR"),
        (["table", "no-such.json"], "can't be read"),
        (["report", "no-such.json"], "can't be read"),
        (["explain", "psmr"], "no metric is called 'psmr'"),
        (["fetch", "no-such-weights"], "no weights are called"),
    ],
    ids=lambda case: " ".join(case) if isinstance(case, list) else "",
)
def test_nothing_heavy_is_imported(typed, said, tmp_path):
    command = [sys.executable, "-c", CODE % (HEAVY,), *typed]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert said in done.stdout + done.stderr
    assert done.stderr.splitlines()[-1] == "loaded"
