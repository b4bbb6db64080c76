"""Every pixel format a decoder may hand out becomes the RGB it stands for, or is refused with a reason."""

import av
import numpy as np
import pytest
from av.video.reformatter import Interpolation
from oracles import colour as oracle

from thgeval.errors import InputError
from thgeval.media.picture import PLANAR, RgbWriter, rounded_levels, tags

HEIGHT, WIDTH = 23, 37
BT709, UNSPECIFIED, YCGCO = 1, 2, 8
LIMITED, FULL = 1, 2


def written(frame):
    out = np.full((frame.height, frame.width, 3), 99, np.uint8)
    RgbWriter("clip").write(frame, out)
    return out


def samples(frame, plane):
    """One plane's samples as stored, without the padding of its rows: a writable view."""
    bits = frame.format.components[0].bits
    source = frame.planes[plane]
    return np.frombuffer(source, np.uint8 if bits == 8 else np.uint16).reshape(source.height, -1)


def random_frame(pixel_format, seed=0):
    """A frame of random codes, and its planes as plain (luma, u, v) arrays."""
    layout = PLANAR[pixel_format]
    generator = np.random.default_rng(seed)
    frame = av.VideoFrame(WIDTH, HEIGHT, pixel_format)
    for plane in range(len(frame.planes)):
        rows = samples(frame, plane)
        codes = generator.integers(0, 1 << layout.bits, rows.shape).astype(rows.dtype)
        rows[...] = codes << layout.padding_bits
    if layout.alpha:
        samples(frame, 3)[...] = (1 << layout.bits) - 1
    chroma_width = -(-WIDTH // 2 ** layout.halvings[0])
    chroma_height = -(-HEIGHT // 2 ** layout.halvings[1])
    luma = samples(frame, 0)[:HEIGHT, :WIDTH] >> layout.padding_bits
    if layout.interleaved:
        pairs = samples(frame, 1)[:chroma_height, : 2 * chroma_width] >> layout.padding_bits
        chroma = [pairs[:, layout.interleaved.index(which) :: 2] for which in "uv"]
    else:
        chroma = [samples(frame, plane)[:chroma_height, :chroma_width] for plane in (1, 2)]
    return frame, (luma, *chroma)


def available(pixel_format):
    try:
        av.VideoFormat(pixel_format)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("pixel_format", sorted(name for name in PLANAR if available(name)))
def test_planar_yuv_is_converted_as_its_tags_say(pixel_format):
    frame, planes = random_frame(pixel_format)
    frame.colorspace, frame.color_range = BT709, LIMITED
    layout = PLANAR[pixel_format]
    exact = oracle.rgb(
        *planes,
        matrix="bt709",
        full_range=pixel_format.startswith("yuvj"),
        bits=layout.bits,
        halvings=layout.halvings,
    )
    assert np.abs(written(frame) - exact.clip(0, 255)).max() <= 0.6


@pytest.mark.parametrize(
    ("pixel_format", "space", "colour_range", "expected"),
    [
        ("yuv420p", BT709, LIMITED, ("bt709", "limited")),
        ("yuv420p", 5, FULL, ("bt601", "full")),
        ("yuv420p", 6, LIMITED, ("bt601", "limited")),
        ("yuv420p10le", 9, LIMITED, ("bt2020", "limited")),
        ("yuv420p", UNSPECIFIED, 0, ("bt601-assumed", "limited-assumed")),
        ("yuvj420p", UNSPECIFIED, 0, ("bt601-assumed", "full")),
        ("nv12", BT709, 0, ("bt709", "limited-assumed")),
        ("p010le", BT709, FULL, ("bt709", "full")),
        ("yuyv422", BT709, LIMITED, ("bt709", "limited")),
        ("rgb24", UNSPECIFIED, 0, ("rgb", "full")),
        ("gbrp", BT709, LIMITED, ("rgb", "full")),
        ("gray", UNSPECIFIED, LIMITED, ("grey", "full")),
    ],
)
def test_tags_name_the_conversion(pixel_format, space, colour_range, expected):
    frame = av.VideoFrame(16, 16, pixel_format)
    frame.colorspace, frame.color_range = space, colour_range
    assert tuple(tags(frame, "clip")) == expected


def test_a_matrix_that_is_none_is_refused():
    frame = av.VideoFrame(16, 16, "yuv420p")
    frame.colorspace = YCGCO
    with pytest.raises(InputError, match=r"matrix 8 of ITU-T H\.273.*re-encode it as BT\.709") as caught:
        written(frame)
    assert caught.value.reason == "colour matrix"


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv422p", "yuvj420p", "yuv444p"])
@pytest.mark.parametrize("space", [BT709, 5])
def test_smooth_pictures_agree_with_swscale_within_its_own_bias(pixel_format, space, moving):
    """swscale's fast path for halved chroma truncates (about one level dark); at full chroma it rounds as we do."""
    picture = av.VideoFrame.from_ndarray(moving(1, 64, 96)[0], format="rgb24")
    frame = picture.reformat(format=pixel_format, dst_colorspace=space, dst_color_range=LIMITED)
    frame.colorspace, frame.color_range = space, LIMITED
    difference = np.abs(written(frame).astype(int) - frame.to_ndarray(format="rgb24"))
    exact = pixel_format == "yuv444p"
    assert difference.max() <= (1 if exact else 3)
    assert difference.mean() <= (0.05 if exact else 1.5)


@pytest.mark.parametrize(
    "pixel_format",
    [
        "rgb24",
        "bgr24",
        "rgb0",
        "0bgr",
        "gbrp",
        "rgba",
        "bgra",
        "argb",
        "abgr",
        "gbrap",
        "rgb565le",
        "gray",
        "ya8",
        "monow",
    ],
)
def test_rgb_and_grey_of_8_bits_are_only_reordered(pixel_format, moving):
    rgb = av.VideoFrame.from_ndarray(moving(1, HEIGHT, WIDTH)[0], format="rgb24")
    frame = rgb.reformat(format=pixel_format, interpolation=Interpolation.POINT)
    assert (written(frame) == frame.to_ndarray(format="rgb24")).all()


@pytest.mark.parametrize("packed", ["yuyv422", "uyvy422", "yvyu422"])
def test_packed_yuv_is_its_planar_equal(packed):
    planar, _ = random_frame("yuv422p")
    frame = planar.reformat(format=packed)
    back = frame.reformat(format="yuv422p")
    assert (written(frame) == written(back)).all()


def test_big_endian_samples_are_swapped():
    frame, _ = random_frame("yuv420p10le")
    swapped = av.VideoFrame(WIDTH, HEIGHT, "yuv420p10be")
    for plane in range(3):
        samples(swapped, plane)[...] = samples(frame, plane).byteswap()
    assert (written(swapped) == written(frame)).all()


@pytest.mark.parametrize(
    ("pixel_format", "bits"), [("gray10le", 10), ("gray12le", 12), ("gray16le", 16), ("gray16be", 16)]
)
def test_deep_grey_is_rounded_to_the_nearest_level(pixel_format, bits):
    frame = av.VideoFrame(WIDTH, HEIGHT, pixel_format)
    codes = np.random.default_rng(1).integers(0, 1 << bits, (HEIGHT, WIDTH)).astype(np.uint16)
    samples(frame, 0)[:, :WIDTH] = codes.byteswap() if pixel_format.endswith("be") else codes
    expected = np.rint(codes * 255.0 / ((1 << bits) - 1))
    assert (written(frame) == expected[..., None]).all()


@pytest.mark.parametrize("pixel_format", ["gbrp10le", "gbrp12le", "gbrp16le", "gbrap10le", "rgb48le", "rgba64le"])
def test_deep_rgb_is_rounded_to_the_nearest_level(pixel_format):
    frame = av.VideoFrame(WIDTH, HEIGHT, pixel_format)
    bits = frame.format.components[0].bits
    codes = np.random.default_rng(2).integers(0, 1 << bits, (HEIGHT, WIDTH, 4)).astype(np.uint16)
    codes[..., 3] = (1 << bits) - 1
    if pixel_format.startswith("gbr"):
        for plane, channel in zip(range(len(frame.planes)), (1, 2, 0, 3), strict=False):
            samples(frame, plane)[:, :WIDTH] = codes[..., channel]
    else:
        channels = len(frame.format.components)
        samples(frame, 0)[:, : WIDTH * channels] = codes[..., :channels].reshape(HEIGHT, -1)
    expected = np.rint(codes[..., :3] * 255.0 / ((1 << bits) - 1))
    assert (written(frame) == expected).all()


@pytest.mark.parametrize("bits", [9, 10, 12, 14, 16])
def test_every_code_is_rounded_to_the_nearest_level(bits):
    codes = np.arange(1 << bits, dtype=np.uint16)
    assert np.abs(rounded_levels(codes, bits) - codes * 255.0 / ((1 << bits) - 1)).max() <= 0.5


@pytest.mark.parametrize("pixel_format", ["rgba", "bgra", "gbrap", "ya8", "yuva420p", "yuva444p10le", "rgba64le"])
def test_transparency_is_refused_and_opacity_dropped(pixel_format):
    frame = av.VideoFrame(WIDTH, HEIGHT, pixel_format)
    for plane in frame.planes:
        np.frombuffer(plane, np.uint8)[:] = 255
    if pixel_format == "yuva444p10le":
        samples(frame, 3)[...] = 1023
    assert written(frame).shape == (HEIGHT, WIDTH, 3)
    for plane in frame.planes:
        np.frombuffer(plane, np.uint8)[:] = 3
    with pytest.raises(
        InputError, match=r"clip: some of its pixels are transparent.*render it onto one first"
    ) as caught:
        written(frame)
    assert caught.value.reason == "transparent"


def test_palettes_are_looked_up():
    frame = av.VideoFrame(WIDTH, HEIGHT, "pal8")
    samples(frame, 0)[...] = np.arange(HEIGHT)[:, None]
    np.frombuffer(frame.planes[1], np.uint32)[:] = 0xFF000000 + np.arange(256) * 0x010203 % 0x1000000
    entries = np.arange(HEIGHT)
    expected = np.stack([entries, 2 * entries, 3 * entries], axis=-1)
    assert (written(frame) == expected[:, None]).all()


@pytest.mark.parametrize("pixel_format", ["gbrpf32le", "grayf32le", "xyz12le", "bayer_rggb8", "y210le"])
def test_formats_with_no_exact_way_are_refused(pixel_format):
    with pytest.raises(InputError, match=f"doesn't read the pixel format {pixel_format}; re-encode") as caught:
        written(av.VideoFrame(WIDTH, HEIGHT, pixel_format))
    assert caught.value.reason == "pixel format"
