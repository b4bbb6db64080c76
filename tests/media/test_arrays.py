"""Arrays and tensors are clips: values kept, ranges checked, shapes and types refused with what was found."""

from fractions import Fraction

import numpy as np
import pytest

from thgeval.clip import Clip, Memory
from thgeval.errors import InputError
from thgeval.media import decode, probe


def read(source, *, fps=None, **how):
    with decode(Clip("clip", source, fps=fps), **({"chunk": 3} | how)) as batches:
        held = list(batches)
    return np.concatenate([batch.new for batch in held]), held[0].peak


def refused(source):
    with pytest.raises(InputError) as caught:
        read(source)
    return caught.value


@pytest.mark.parametrize(
    ("dtype", "peak", "kept"),
    [("uint8", 255.0, "uint8"), ("float16", 1.0, "float32"), ("float32", 1.0, "float32"), ("float64", 100.0, "float64"),
     (">f4", 1.0, "float32")],
)  # fmt: skip
@pytest.mark.parametrize("layout", ["thwc", "tchw", "thw", "thw1", "t1hw"])
def test_values_are_kept(dtype, peak, kept, layout, moving):
    frames = (moving(5, 6, 7) * (peak / 255.0)).astype(dtype)
    given = {
        "thwc": frames,
        "tchw": np.moveaxis(frames, 3, 1),
        "thw": frames[..., 0],
        "thw1": frames[..., :1],
        "t1hw": frames[:, None, :, :, 0],
    }[layout]
    expected = frames if layout in {"thwc", "tchw"} else np.repeat(frames[..., :1], 3, axis=3)
    got, white = read(Memory(given, peak, layout="tchw" if layout in {"tchw", "t1hw"} else "thwc"))
    assert got.dtype == kept
    assert white == peak
    assert (got == expected).all()


def test_what_is_known_of_an_array(moving):
    info = probe(Clip("clip", Memory(moving(5, 6, 7), 255.0), fps=Fraction(25)))
    assert (info.container, info.codec, info.pixel_format) == ("memory", "raw", "rgb uint8")
    assert (info.frames, info.width, info.height, info.bits) == (5, 7, 6, 8)
    assert (info.fps, info.duration_s, info.matrix, info.audio) == (25, 0.2, "rgb", None)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "uint8"])
def test_tensors_are_read_without_their_graph(dtype, moving):
    torch = pytest.importorskip("torch")
    frames = torch.from_numpy(moving(4, 6, 7).copy())
    if dtype != "uint8":
        frames = (frames / 255.0).to(getattr(torch, dtype)).requires_grad_()
    memory = Memory(frames.movedim(3, 1), 255.0 if dtype == "uint8" else 1.0, layout="tchw")
    got, _ = read(memory)
    assert (got == frames.detach().to(torch.uint8 if dtype == "uint8" else torch.float32).numpy()).all()


def test_batches_leads_and_crops(moving):
    frames = moving(7, 10, 16) / 255.0
    with decode(Clip("clip", Memory(frames, 1.0)), chunk=3, lead=2, crop="centre-square") as batches:
        for batch in batches:
            assert (batch.pixels == frames[batch.start - batch.lead : batch.start + len(batch), :, 3:13]).all()


def test_batches_are_copies(moving):
    frames = moving(2, 6, 7)
    got, _ = read(Memory(frames, 255.0))
    got[:] = 0
    assert frames.any()


@pytest.mark.parametrize(
    ("value", "reason"),
    [(np.nan, "not finite"), (np.inf, "not finite"), (1.001, "out of range"), (-0.001, "out of range")],
)
def test_the_first_frame_that_is_wrong_is_named(value, reason):
    frames = np.full((9, 4, 4, 3), 0.5, np.float32)
    frames[5, 1, 2, 0] = frames[7, 0, 0, 0] = value
    found = refused(Memory(frames, 1.0))
    assert found.reason == reason
    assert "frame 5 " in str(found)


@pytest.mark.parametrize("peak", [0.0, -1.0, np.nan, np.inf])
def test_floats_need_a_peak(peak):
    assert refused(Memory(np.zeros((2, 4, 4, 3), np.float32), peak)).reason == "range not stated"


def test_bytes_have_only_one_peak():
    found = refused(Memory(np.zeros((2, 4, 4, 3), np.uint8), 1.0))
    assert found.reason == "out of range"
    assert "uint8 frames have a peak of 255, not 1" in str(found)


@pytest.mark.parametrize(
    "shape", [(4,), (2, 4, 4, 2), (2, 4, 4, 4), (1, 2, 4, 4, 3), (), (2, 0, 4, 3), (2, 4, 0), (4, 0), (2, 5, 3, 6)]
)
def test_wrong_shapes(shape):
    found = refused(Memory(np.zeros(shape, np.uint8), 255.0))
    assert found.reason == "wrong shape"
    assert str(shape) in str(found)


@pytest.mark.parametrize("layout", ["thwc", "tchw"])
@pytest.mark.parametrize("shape", [(9, 8, 3), (3, 9, 8), (9, 8, 1), (9, 8, 4), (3, 3, 3)])
@pytest.mark.parametrize("kind", ["array", "tensor"])
def test_what_may_be_one_image_or_grey_frames_is_refused(kind, shape, layout):
    """One image read as many grey frames would score something else, without a word."""
    frames = np.zeros(shape, np.uint8)
    if kind == "tensor":
        frames = pytest.importorskip("torch").from_numpy(frames)
    found = refused(Memory(frames, 255.0, layout=layout))
    assert found.reason == "wrong shape"
    assert f"give one image as {(1, *shape)}, grey frames as {(*shape, 1)}" in str(found)


@pytest.mark.parametrize("name", ["clip.npy", "clip.npz"])
def test_one_image_in_a_file_is_refused_too(name, tmp_path):
    (np.save if name.endswith("npy") else np.savez)(tmp_path / name, np.zeros((9, 8, 3), np.uint8))
    assert refused(tmp_path / name).reason == "wrong shape"


@pytest.mark.parametrize("layout", ["thwc", "tchw"])
def test_axes_that_can_be_one_thing_alone(layout, moving):
    frames = moving(4, 6, 7)
    for given in (frames, np.moveaxis(frames, 3, 1)):
        assert (read(Memory(given, 255.0, layout=layout))[0] == frames).all()
    grey = frames[..., 0]
    for given, wanted in ((grey, grey), (grey[..., None], grey), (grey[:, None], grey), (grey[0], grey[:1])):
        assert (read(Memory(given, 255.0, layout=layout))[0] == wanted[..., None]).all()


def test_masked_values_are_refused(moving):
    frames = np.ma.masked_array(moving(4, 6, 7), mask=False)
    assert (read(Memory(frames, 255.0))[0] == frames.data).all()
    frames[2, 3] = np.ma.masked
    found = refused(Memory(frames, 255.0))
    assert found.reason == "masked"
    assert "some of its values are masked" in str(found)


def test_a_peak_that_frames_never_come_near(moving):
    frames = moving(4, 6, 7) / 255.0
    found = refused(Memory(frames, 255.0))
    assert found.reason == "out of range"
    assert "although 255 is said to be white; state the right peak, which may be 1.0" in str(found)
    assert not read(Memory(frames * 0, 255.0))[0].any()
    assert read(Memory(frames * 200, 255.0))[0].max() > 1
    assert read(Memory(frames, 2.0))[0].max() <= 1


def test_a_range_that_is_hardly_left_is_told_in_digits_that_show_it(moving):
    frames = (moving(4, 6, 7) / 255.0).astype(np.float32)
    frames[1, 2, 3] = np.nextafter(np.float32(1), np.float32(2))
    assert " to 1.000000119" in str(refused(Memory(frames, 1.0)))


def test_wrong_layouts():
    assert refused(Memory(np.zeros((2, 4, 4, 3), np.uint8), 255.0, layout="hwct")).reason == "wrong shape"


@pytest.mark.parametrize("shape", [(0, 4, 4, 3), (0, 4, 4), (0, 0, 0, 3)])
def test_no_frames(shape):
    assert refused(Memory(np.zeros(shape, np.uint8), 255.0)).reason == "no frames"


@pytest.mark.parametrize("dtype", ["int64", "uint16", "bool", "complex64", "int8"])
def test_wrong_types(dtype):
    found = refused(Memory(np.zeros((2, 4, 4, 3), dtype), 255.0))
    assert found.reason == "wrong type"
    assert dtype in str(found)


@pytest.mark.parametrize("frames", [None, "frames", [1, 2], [[[1]]]])
def test_what_is_no_array(frames):
    assert refused(Memory(frames, 255.0)).reason in {"wrong shape", "wrong type"}


def test_npy_files_are_mapped_not_read(tmp_path, moving):
    frames = moving(5, 6, 7)
    np.save(tmp_path / "clip.npy", frames)
    got, peak = read(tmp_path / "clip.npy")
    assert (got == frames).all()
    assert peak == 255.0
    # Far more than memory: a file with holes, of which only the frames that are asked for are touched.
    head = (tmp_path / "clip.npy").read_bytes()[:128].replace(b"(5, 6, 7, 3), }", b"(200000, 100, 100, 3), }")
    with (tmp_path / "long.npy").open("wb") as file:
        file.write(head[:128])
        file.truncate(128 + 200000 * 30000)
    with decode(Clip("clip", tmp_path / "long.npy"), chunk=2) as batches:
        assert not next(iter(batches)).pixels.any()


def test_npz_files_may_state_rate_and_peak(tmp_path, moving):
    frames = (moving(30, 6, 7) / 255.0).astype(np.float32)
    np.savez(tmp_path / "clip.npz", frames=frames, fps=29.97002997, peak=1.0, landmarks=np.zeros(3))
    got, peak = read(tmp_path / "clip.npz")
    assert (got == frames).all()
    assert peak == 1.0
    assert probe(Clip("clip", tmp_path / "clip.npz")).fps == Fraction(30000, 1001)
    assert probe(Clip("clip", tmp_path / "clip.npz", fps=Fraction(25))).fps == 25
    assert len(read(tmp_path / "clip.npz", fps=Fraction(30), chunk=30)[0]) == 30
    np.savez_compressed(tmp_path / "one.npz", moving(3, 6, 7))
    assert (read(tmp_path / "one.npz")[0] == moving(3, 6, 7)).all()


@pytest.mark.parametrize("name", ["clip.npy", "clip.npz"])
def test_float_files_without_a_peak_are_refused(name, tmp_path):
    path = tmp_path / name
    (np.save if name.endswith("npy") else np.savez)(path, np.zeros((2, 4, 4, 3), np.float32))
    found = refused(path)
    assert found.reason == "range not stated"
    assert "save 'peak' beside 'frames' in an .npz" in str(found)


@pytest.mark.parametrize(
    "arrays", [{"a": 1, "b": 2}, {"fps": 25.0}, {"frames": 0, "fps": -1.0}, {"frames": 0, "peak": [1, 2]}]
)
def test_archives_that_leave_it_open_which_array(arrays, tmp_path):
    stack = np.zeros((2, 4, 4, 3), np.uint8)
    np.savez(
        tmp_path / "clip.npz", **{key: stack if key in {"a", "b", "frames"} else value for key, value in arrays.items()}
    )
    assert refused(tmp_path / "clip.npz").reason == "wrong shape"


class Trap:
    """What a malicious pickle would run."""

    def __reduce__(self):
        return (pytest.fail, ("an array file was unpickled",))


@pytest.mark.parametrize("name", ["clip.npy", "clip.npz"])
def test_nothing_is_ever_unpickled(name, tmp_path):
    path = tmp_path / name
    trap = np.array([Trap()], dtype=object)
    (np.save if name.endswith("npy") else np.savez)(path, trap, allow_pickle=True)
    assert refused(path).reason == "corrupt"


@pytest.mark.parametrize("name", ["clip.npy", "clip.npz"])
def test_damaged_and_missing_array_files(name, tmp_path, moving):
    path = tmp_path / name
    assert refused(path).reason == "missing"
    (np.save if name.endswith("npy") else np.savez)(path, moving(5, 6, 7))
    content = path.read_bytes()
    generator = np.random.default_rng(0)
    for _ in range(40):
        path.write_bytes(content[: generator.integers(0, len(content))])
        assert refused(path).reason in {"corrupt", "no frames"}
    for _ in range(40):
        changed = bytearray(content)
        changed[generator.integers(0, len(content))] ^= 0x55
        path.write_bytes(changed)
        try:
            read(path)
        except InputError as error:
            assert error.reason in {"corrupt", "wrong shape", "wrong type", "no frames", "range not stated"}
    path.write_bytes(b"text")
    assert refused(path).reason == "corrupt"


@pytest.mark.parametrize("name", ["clip.npy", "clip.npz"])
def test_array_files_nobody_may_read(name, tmp_path, moving, monkeypatch):
    path = tmp_path / name
    (np.save if name.endswith("npy") else np.savez)(path, moving(5, 6, 7))

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(path), "open", refuse)
    monkeypatch.setattr(np.lib.format, "open_memmap", refuse)
    assert refused(path).reason == "unreadable"
