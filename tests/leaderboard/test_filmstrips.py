"""Worst clips as pictures: those that were scored, drawn again and small; what is missing or broken is said."""

import io
from dataclasses import replace

import html5lib
import numpy as np
import pytest
from PIL import Image
from support.boards import made_entry

from thgeval.clip import Clip
from thgeval.media import fingerprint
from thgeval_leaderboard.site.build import build
from thgeval_leaderboard.site.filmstrips import BROADEST, HEIGHT_PX, MOST_BYTES, filmstrips, folders

PSNR = [30.0, 20.0, 28.0, 25.0, 31.0, 32.0, 33.0, 34.0, 35.0]


def clip_file(path, shade=0, frames=12):
    """A clip of frames that brighten by 16 each."""
    path.parent.mkdir(parents=True, exist_ok=True)
    levels = shade + 16 * np.arange(frames, dtype=np.uint8)
    np.save(path, np.broadcast_to(levels[:, None, None, None], (frames, 40, 30, 3)))
    return fingerprint(Clip(path.stem, path))


def of_clips(contents, id="ours", psnr=PSNR):
    """An entry whose clips have these hashes, where any is given."""
    entry = made_entry(id, {"psnr": psnr})
    clips = [
        replace(clip, content={"generated": contents.get(clip.id, "0" * 64)}, frames=12) for clip in entry.run.clips
    ]
    return replace(entry, run=replace(entry.run, clips=tuple(clips)))


def shown(site, id="ours"):
    page = html5lib.parse((site / f"methods/{id}.html").read_text(encoding="utf-8"), namespaceHTMLElements=False)
    found = page.findall(".//section[@id='worst']//figure")
    return {figure.find(".//bdi").text: figure for figure in found}


def said(figure):
    return " ".join("".join(figure.itertext()).split())


def opened(site, figure):
    return Image.open(io.BytesIO((site / "methods" / figure.find(".//img").get("src")).read_bytes()))


@pytest.fixture(scope="module")
def media(tmp_path_factory):
    """clip1 as it was scored, clip3 changed since, clip2 as a picture, clip0 broken, and clip4 nowhere."""
    folder = tmp_path_factory.mktemp("media")
    hashes = {"clip1": clip_file(folder / "ours/clips/clip1.npy"), "clip3": clip_file(folder / "ours/clip3.npy")}
    clip_file(folder / "ours/clip3.npy", shade=3)
    Image.new("RGB", (60, 40), (200, 30, 30)).save(folder / "ours/clip2.png")
    Image.new("RGB", (60, 60)).save(folder / "ours/clips/clip1.source.png")  # a portrait, as runs keep it there
    (folder / "ours/clip0.jpg").write_bytes(b"\xff\xd8 broken")
    return folder, hashes


@pytest.fixture(scope="module")
def site(media, tmp_path_factory):
    folder, hashes = media
    out = tmp_path_factory.mktemp("filmed") / "site"
    build([of_clips(hashes), made_entry("other", {"psnr": PSNR})], out, folders(folder))
    return out


def test_the_worst_clip_is_frames_evenly_over_its_length(site):
    figure = shown(site)["clip1"]
    picture = opened(site, figure)
    assert (picture.format, picture.size) == ("WEBP", (6 * 30, 40))
    tiles = np.asarray(picture.convert("L"), float).reshape(40, 6, 30)[5:-5, :, 5:-5].mean(axis=(0, 2))
    assert tiles == pytest.approx(32 * np.arange(6), abs=5)
    assert said(figure) == "clip1 among the worst by PSNR"
    assert (figure.find(".//img").get("width"), figure.find(".//img").get("height")) == ("180", "40")


def test_the_worst_come_first_and_only_they(site):
    assert list(shown(site)) == ["clip1", "clip3", "clip2"]


def test_another_clip_of_the_same_name_is_never_shown_as_the_one_that_was_scored(site):
    figure = shown(site)["clip3"]
    assert figure.find(".//img") is None
    assert "Not shown: clip3.npy is not the clip that was scored." in said(figure)


def test_a_picture_is_shown_as_sent(site):
    figure = shown(site)["clip2"]
    assert "A picture as sent, not held against the scored clip." in said(figure)
    assert opened(site, figure).size == (60, 40)


def test_what_is_broken_or_missing_is_said_without_this_machines_folders(media):
    folder, hashes = media
    clips = of_clips(hashes).run.clips
    broken, missing = filmstrips([clips[0], clips[4]], folder / "ours")
    assert broken.picture == missing.picture == b""
    assert "clip0" in broken.says
    assert str(folder) not in broken.says
    assert missing.says == "no clip or picture of it is among the media."


def test_an_entry_without_media_has_its_page_as_ever(site):
    assert shown(site, "other") == {}
    assert not (site / "media/other").exists()


def test_the_same_media_make_the_same_bytes(media, site, tmp_path):
    folder, hashes = media
    build([of_clips(hashes), made_entry("other", {"psnr": PSNR})], tmp_path / "again", folders(folder))
    for path in (site / "media").rglob("*.webp"):
        assert path.read_bytes() == (tmp_path / "again" / path.relative_to(site)).read_bytes()


def test_a_strip_is_small_whatever_it_shows(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (6, 720, 1280, 3), np.uint8)
    np.save(tmp_path / "clip0.npy", noise)
    clip = replace(of_clips({"clip0": fingerprint(Clip("clip0", tmp_path / "clip0.npy"))}).run.clips[0], frames=6)
    (strip,) = filmstrips([clip], tmp_path)
    assert 0 < len(strip.picture) <= MOST_BYTES
    assert strip.height == HEIGHT_PX
    Image.new("RGB", (BROADEST * 10 + 1, 10)).save(tmp_path / "clip1.png")
    (broad,) = filmstrips([replace(clip, id="clip1", generated="clip1.mp4")], tmp_path)
    assert broad.says == f"it is {BROADEST * 10 + 1} x 10 px, too broad for a strip."


def test_names_and_links_lead_nowhere_else(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    Image.new("RGB", (8, 8)).save(outside / "secret.png")
    inside = tmp_path / "media/ours"
    inside.mkdir(parents=True)
    (inside / "clip0.png").symlink_to(outside / "secret.png")
    (tmp_path / "media/linked").symlink_to(outside)
    assert list(folders(tmp_path / "media")) == ["ours"]
    clip = of_clips({}).run.clips[0]
    names = ("clip0", "../../outside/secret", str(outside / "secret"), "..", "")
    strips = list(filmstrips([replace(clip, id=name, generated=f"{name}.png") for name in names], inside))
    assert [strip.picture for strip in strips] == [b""] * len(names)
    assert strips[0].says == "clip0.png is a link that leads out of the folder."
    assert all(strip.says for strip in strips)
