"""A board of ten entries as a site: systems, controls, ground truth, a withdrawn one, one made otherwise."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from support.boards import made_entry

from thgeval_leaderboard.entry import Event, Reported
from thgeval_leaderboard.site.build import build

CENTRES = {
    "psnr": 28.0,
    "ssim": 0.85,
    "lmd": 2.5,
    "csim/dlib": 0.8,
    "sync-lm-conf": 0.5,
    "sync-lm-offset": 0.2,
    "l1": 0.03,
}
EXTRA = {
    "psnr/y": 30.0,
    "lmd/eat": 3.0,
    "cpbd": 0.5,
    "f-mse": 5.0,
    "fsim": 0.9,
    "ms-ssim": 0.95,
    "mouth-correlation": 0.6,
}
HOSTILE = '=1+1 <script>alert(1)</script> & "co"'


@pytest.fixture(scope="session")
def entries():
    rng = np.random.default_rng(5)
    base = {key: centre * (1 + rng.normal(0, 0.03, 12)) for key, centre in (CENTRES | EXTRA).items()}

    def made(id, shift, **more):
        clips = {
            key: np.minimum(each * (1 + shift + rng.normal(0, 0.002, 12)), 0.99 if each.mean() < 1 else 99)
            for key, each in base.items()
        }
        return made_entry(id, clips, **more)

    systems = [made(f"system-{at}", 0.01 * at, paradigm=("2d", "nerf")[at % 2]) for at in range(5)]
    systems[0] = replace(systems[0], history=(Event("2026-10-01", "added"),))
    hostile = made("hostile", 0.001)
    hostile = replace(hostile, method=replace(hostile.method, name=HOSTILE, says=HOSTILE, licence=HOSTILE))
    gone = made("gone", 0.2).after(Event("2026-11-29", "withdrawn", "its mouths were those of the reference"))
    reported = replace(
        made("printed", 0), run=None, reported=(Reported("LSE-D", 6.4, "https://example.org/paper", "Table 2"),)
    )
    return (
        *systems,
        hostile,
        gone,
        made("otherwise", 0.02, tokens={"psnr": "region:face"}),
        made("ctl-still", -0.1, role="control", paradigm="none"),
        made("ctl-gt", 0.05, role="ground-truth", paradigm="none"),
        reported,
    )


@pytest.fixture(scope="session")
def media(tmp_path_factory):
    """A picture of every second clip of one system."""
    folder = tmp_path_factory.mktemp("media") / "system-1"
    folder.mkdir()
    for at in range(0, 12, 2):
        Image.new("RGB", (60, 40), (20 * at, 90, 120)).save(folder / f"clip{at}.png")
    return {folder.name: folder}


@pytest.fixture(scope="session")
def site(entries, media, tmp_path_factory):
    folder = tmp_path_factory.mktemp("built") / "site"
    build(entries, folder, media)
    return folder
