"""Programs beside Python that some tests drive: they may be missing at home, not in CI, which brings them."""

import os
import shutil

import pytest

DEBIAN = {
    "chromium": "chromium",
    "ffmpeg": "ffmpeg",
    "git": "git",
    "openssl": "openssl",
    "pdflatex": "texlive-latex-recommended",
    "xelatex": "texlive-xetex",
}
"""The package of each program; ``.ci/run`` installs the same."""


def program(name: str) -> str:
    """Where a program is; without it the test is skipped, and in CI fails."""
    found = shutil.which(name)
    if found is None:
        absent(f"needs the program {name}: apt-get install {DEBIAN[name]}")
    return found


def absent(why: str) -> None:
    """Skip a test for what this machine lacks; in CI that is an error, as CI brings everything."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI {why}", pytrace=False)
    pytest.skip(why)
