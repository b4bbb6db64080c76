"""Folders of numbered images are clips; what can't be one is refused with the names of the files at fault."""

import io
import struct
import zlib
from fractions import Fraction

import cv2
import numpy as np
import pytest
from PIL import Image

from thgeval.clip import Clip
from thgeval.errors import InputError
from thgeval.limits import limit
from thgeval.media import decode, probe


def read(path, **how):
    with decode(Clip("clip", path), **({"chunk": 3} | how)) as batches:
        return np.concatenate([batch.new for batch in batches])


def refused(path):
    with pytest.raises(InputError) as caught:
        read(path)
    return caught.value


def store(folder, frames, pattern="{:05d}.png", first=0):
    folder.mkdir(exist_ok=True)
    for index, frame in enumerate(frames):
        Image.fromarray(frame).save(folder / pattern.format(first + index))
    return folder


@pytest.mark.parametrize("pattern", ["{:05d}.png", "{}.png", "frame_{}.PNG", "take2_{}_final.png", "é {}.png"])
def test_frames_are_in_the_order_of_their_numbers(pattern, tmp_path, moving):
    frames = moving(12, 24, 33)
    folder = store(tmp_path / "clip", frames, pattern, first=95)
    assert (read(folder) == frames).all()


def test_batches_and_rates(tmp_path, moving):
    frames = moving(6, 24, 32)
    folder = store(tmp_path / "clip", frames)
    with decode(Clip("clip", folder, fps=Fraction(30)), chunk=4, lead=1, fps=Fraction(15)) as decoder:
        held = list(decoder)
    assert (np.concatenate([batch.new for batch in held]) == frames[[0, 2, 4]]).all()
    assert decoder.frames == 6
    assert decoder.times_s == []


def test_what_is_known_of_a_folder(tmp_path, moving):
    folder = store(tmp_path / "clip", moving(5, 24, 32))
    info = probe(Clip("clip", folder, fps=Fraction(25)))
    assert (info.container, info.codec, info.frames, info.width, info.height) == ("folder", "png", 5, 32, 24)
    assert (info.fps, info.duration_s, info.matrix, info.colour_range, info.bits) == (25, 0.2, "rgb", "full", 8)
    assert probe(Clip("clip", folder)).fps is None


def test_a_single_image_is_a_clip_of_one_frame(tmp_path, moving):
    frames = moving(1, 24, 32)
    folder = store(tmp_path / "clip", frames, "portrait.png")
    assert (read(folder) == frames).all()
    assert (read(folder / "portrait.png") == frames).all()
    assert probe(Clip("clip", folder / "portrait.png")).container == "image"


def test_jpeg_frames(tmp_path, moving):
    frames = moving(3, 48, 64)
    for suffix in ("jpg", "jpeg"):
        folder = tmp_path / suffix
        folder.mkdir()
        for index, frame in enumerate(frames):
            Image.fromarray(frame).save(folder / f"{index}.{suffix}", quality=95)
        assert np.abs(read(folder).astype(float) - frames).mean() < 4


def test_other_files_are_left_alone(tmp_path, moving):
    folder = store(tmp_path / "clip", moving(2, 24, 32))
    (folder / ".hidden.png").write_bytes(b"no image")
    (folder / "._00001.png").write_bytes(b"no image")
    (folder / "Thumbs.db").write_bytes(b"no image")
    (folder / "notes.txt").write_text("no image")
    (folder / "00007.png").mkdir()
    assert len(read(folder)) == 2


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGBA", "LA", "RGB"])
def test_every_kind_of_8_bit_image(mode, tmp_path, moving):
    image = Image.fromarray(moving(1, 24, 32)[0]).convert(mode)
    (tmp_path / "clip").mkdir()
    image.save(tmp_path / "clip" / "0.png")
    assert (read(tmp_path / "clip")[0] == np.asarray(image.convert("RGB"))).all()


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_16_bits_are_rounded_to_the_nearest_level(channels, tmp_path):
    codes = np.random.default_rng(0).integers(0, 65536, (24, 32, channels)).astype(np.uint16)
    if channels == 4:
        codes[..., 3] = 65535
    (tmp_path / "clip").mkdir()
    cv2.imwrite(str(tmp_path / "clip" / "0.png"), codes)
    colours = codes if channels == 1 else codes[..., 2::-1]
    assert (read(tmp_path / "clip")[0] == np.rint(colours * (255.0 / 65535))).all()
    assert probe(Clip("clip", tmp_path / "clip")).bits == 16


def test_transparency_is_refused(tmp_path, moving):
    rgba = np.concatenate([moving(1, 24, 32)[0], np.full((24, 32, 1), 255, np.uint8)], axis=2)
    assert read(store(tmp_path / "opaque", [rgba])).shape == (1, 24, 32, 3)
    rgba[3, 4, 3] = 254
    assert refused(store(tmp_path / "clip", [rgba])).reason == "transparent"
    (tmp_path / "deep").mkdir()
    cv2.imwrite(str(tmp_path / "deep" / "0.png"), np.full((4, 4, 4), 60000, np.uint16))
    assert refused(tmp_path / "deep").reason == "transparent"


def test_a_transparent_colour_is_refused(tmp_path, moving):
    (tmp_path / "clip").mkdir()
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(tmp_path / "clip" / "0.png", transparency=0)
    assert refused(tmp_path / "clip").reason == "transparent"


def test_colours_for_printing_are_refused(tmp_path, moving):
    (tmp_path / "clip").mkdir()
    Image.fromarray(moving(1, 24, 32)[0]).convert("CMYK").save(tmp_path / "clip" / "0.jpg")
    found = refused(tmp_path / "clip")
    assert found.reason == "pixel format"
    assert "its pixels are CMYK; store it as RGB" in str(found)


@pytest.mark.parametrize(("orientation", "turns"), [(1, 0), (3, 2), (6, 3), (8, 1)])
def test_exif_turns_images_upright(orientation, turns, tmp_path, moving):
    lying = moving(1, 24, 32)[0]
    (tmp_path / "clip").mkdir()
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(lying).save(tmp_path / "clip" / "0.png", exif=exif)
    assert (read(tmp_path / "clip")[0] == np.rot90(lying, turns)).all()
    info = probe(Clip("clip", tmp_path / "clip"))
    assert (info.rotation, info.width) == (turns * 90, 24 if turns % 2 else 32)


def test_exif_mirrors_are_refused(tmp_path, moving):
    (tmp_path / "clip").mkdir()
    exif = Image.Exif()
    exif[0x0112] = 2
    Image.fromarray(moving(1, 24, 32)[0]).save(tmp_path / "clip" / "0.jpg", exif=exif)
    assert refused(tmp_path / "clip").reason == "rotation"


def test_gaps_are_refused(tmp_path, moving):
    folder = store(tmp_path / "clip", moving(5, 24, 32))
    (folder / "00003.png").unlink()
    found = refused(folder)
    assert found.reason == "missing frames"
    assert "nothing lies between 00002.png and 00004.png" in str(found)


@pytest.mark.parametrize(
    "names",
    [("1.png", "01.png"), ("a_1.png", "b_1.png"), ("a_1.png", "b_2.png"), ("1.png", "1.jpg"), ("a.png", "b.png")],
)
def test_names_that_give_no_order_are_refused(names, tmp_path, moving):
    (tmp_path / "clip").mkdir()
    for name in names:
        Image.fromarray(moving(1, 24, 32)[0]).save(tmp_path / "clip" / name)
    assert refused(tmp_path / "clip").reason == "numbering"


def test_frames_of_different_sizes_are_refused(tmp_path, moving):
    folder = store(tmp_path / "clip", moving(4, 24, 32))
    Image.fromarray(moving(1, 24, 33)[0]).save(folder / "00004.png")
    found = refused(folder)
    assert found.reason == "size changes"
    assert "at frame 4, to 33 x 24 px" in str(found)


def test_a_folder_without_images(tmp_path):
    (tmp_path / "clip").mkdir()
    (tmp_path / "clip" / "0.txt").write_text("no image")
    found = refused(tmp_path / "clip")
    assert found.reason == "no frames"
    assert str(tmp_path / "clip") in str(found)


def test_links_that_lead_nowhere(tmp_path, moving):
    folder = store(tmp_path / "clip", moving(2, 24, 32))
    (folder / "00002.png").symlink_to(tmp_path / "gone.png")
    assert refused(folder).reason == "unreadable"
    (folder / "00002.png").unlink()
    (folder / "00002.png").symlink_to(folder / "00002.png")
    assert refused(folder).reason == "unreadable"


def test_links_to_images_are_followed(tmp_path, moving):
    frames = moving(2, 24, 32)
    folder = store(tmp_path / "clip", frames[:1])
    Image.fromarray(frames[1]).save(tmp_path / "elsewhere.png")
    (folder / "00001.png").symlink_to(tmp_path / "elsewhere.png")
    assert (read(folder) == frames).all()


def test_a_folder_nobody_may_list(tmp_path, moving, monkeypatch):
    folder = store(tmp_path / "clip", moving(2, 24, 32))

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(folder), "iterdir", refuse)
    assert refused(folder).reason == "unreadable"


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("share", [0.1, 0.6, 0.95])
def test_images_that_break_off(share, deep, tmp_path, moving):
    folder = tmp_path / "clip"
    folder.mkdir()
    for index, frame in enumerate(moving(3, 48, 64)):
        cv2.imwrite(str(folder / f"{index}.png"), frame.astype(np.uint16) * 257 if deep else frame)
    content = (folder / "1.png").read_bytes()
    (folder / "1.png").write_bytes(content[: int(len(content) * share)])
    found = refused(folder)
    assert found.reason == "corrupt"
    assert "1.png" in str(found)


def test_what_is_no_image(tmp_path):
    (tmp_path / "clip").mkdir()
    for name, content in (("0.png", b""), ("1.png", b"text")):
        (tmp_path / "clip" / name).write_bytes(content)
    assert refused(tmp_path / "clip").reason == "corrupt"


def claiming(width, height):
    """A PNG of a few bytes whose header claims any size."""

    def piece(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + piece(b"IHDR", head) + piece(b"IDAT", zlib.compress(b"\0" * 100)) + piece(b"IEND", b"")
    )


@pytest.mark.parametrize("side", [8193, 12000, 60000])
def test_images_that_claim_to_be_huge_are_refused_unread(side, tmp_path):
    assert side * side > limit("frame_pixels")
    (tmp_path / "clip").mkdir()
    (tmp_path / "clip" / "0.png").write_bytes(claiming(side, side))
    found = refused(tmp_path / "clip")
    assert found.reason == "too large"
    assert str(limit("frame_pixels")) in str(found)


def test_any_damage_to_an_image_is_an_input_error(tmp_path, moving):
    generator = np.random.default_rng(0)
    stored = io.BytesIO()
    Image.fromarray(moving(1, 16, 16)[0]).save(stored, "PNG")
    path = tmp_path / "0.png"
    for _ in range(150):
        content = bytearray(stored.getvalue())
        at = generator.integers(0, len(content), 4)
        content[at[0]] ^= int(generator.integers(1, 256))
        path.write_bytes(content[: generator.integers(len(content) // 2, len(content) + 1)])
        try:
            assert read(path).ndim == 4
        except InputError as error:
            assert error.reason in {"corrupt", "too large", "transparent", "pixel format", "rotation"}


@pytest.mark.parametrize(
    ("name", "kind"), [("webp", "WEBP"), ("bmp", "BMP"), ("tif", "TIFF"), ("tiff", "TIFF"), ("png", "PNG")]
)
def test_images_of_every_format_without_loss(name, kind, tmp_path, moving):
    frames = moving(3, 10, 12)
    (tmp_path / "clip").mkdir()
    for index, frame in enumerate(frames):
        Image.fromarray(frame).save(tmp_path / "clip" / f"{index}.{name}", kind, lossless=True)
    assert (read(tmp_path / "clip") == frames).all()
    assert (read(tmp_path / "clip" / f"1.{name}") == frames[1:2]).all()


@pytest.mark.parametrize("name", ["png", "tif"])
@pytest.mark.parametrize("shape", [(9, 8), (9, 8, 3)])
def test_images_of_16_bits_are_rounded(shape, name, tmp_path):
    deep = np.random.default_rng(0).integers(0, 1 << 16, shape, dtype=np.uint16)
    cv2.imwrite(str(tmp_path / f"0.{name}"), deep[..., ::-1] if len(shape) == 3 else deep)
    wanted = np.rint(deep / 257).astype(np.uint8).reshape(9, 8, -1)
    assert (read(tmp_path / f"0.{name}")[0] == wanted).all()


@pytest.mark.parametrize(("name", "kind"), [("png", "PNG"), ("webp", "WEBP"), ("tif", "TIFF")])
def test_files_of_several_images_are_refused(name, kind, tmp_path, moving):
    """Scoring the first of an animation would leave the others out without a word."""
    images = [Image.fromarray(frame) for frame in moving(3, 10, 12)]
    images[0].save(tmp_path / f"0.{name}", kind, save_all=True, append_images=images[1:])
    found = refused(tmp_path / f"0.{name}")
    assert found.reason == "several images"
    assert "it holds 3 images, not one; give an animation as a video" in str(found)


@pytest.mark.parametrize(("name", "kind"), [("png", "PNG"), ("webp", "WEBP"), ("tif", "TIFF")])
def test_transparency_in_every_format(name, kind, tmp_path, moving):
    pixels = np.dstack([moving(1, 10, 12)[0], np.full((10, 12), 255, np.uint8)])
    Image.fromarray(pixels).save(tmp_path / f"0.{name}", kind, lossless=True)
    assert (read(tmp_path / f"0.{name}")[0] == pixels[..., :3]).all()
    pixels[3, 4, 3] = 100
    Image.fromarray(pixels).save(tmp_path / f"0.{name}", kind, lossless=True)
    assert refused(tmp_path / f"0.{name}").reason == "transparent"
