"""Written clips are the same bytes every time, tagged, whole or not there at all."""

from fractions import Fraction

import av
import numpy as np
import pytest

from thgeval.clip import Clip
from thgeval.errors import ProtocolError
from thgeval.media import decoded_speech, probe, write_video


@pytest.mark.parametrize(("height", "width"), [(64, 80), (34, 50), (200, 336)])
def test_the_same_call_writes_the_same_bytes(height, width, tmp_path, moving):
    sound = np.sin(np.arange(16000) / 9).astype(np.float32) / 2
    names = ["a.mp4", "b.mp4", "c.mp4"]
    for name in names:
        write_video(tmp_path / name, moving(25, height, width), fps=25, crf=20, audio=sound, comment="made by a test")
    assert len({(tmp_path / name).read_bytes() for name in names}) == 1
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert container.metadata["comment"] == "made by a test"
        assert "creation_time" not in container.metadata


@pytest.mark.parametrize(("matrix", "codes"), [("bt601", (6, 6, 6)), ("bt709", (1, 1, 1))])
def test_colours_are_tagged(matrix, codes, file):
    with av.open(str(file(matrix=matrix))) as container:
        context = container.streams.video[0].codec_context
        assert (context.colorspace, context.color_primaries, context.color_trc) == codes
        assert context.color_range == 1


def test_quality_follows_crf(tmp_path, moving):
    sizes = []
    for crf in (10, 25, 40):
        write_video(tmp_path / "a.mp4", moving(25, 64, 80), fps=25, crf=crf)
        sizes.append((tmp_path / "a.mp4").stat().st_size)
    assert sizes == sorted(sizes, reverse=True)


def test_rates_and_streams(file, moving):
    path = file(fps=Fraction(30000, 1001), frames=iter(moving(30, 64, 80)), audio=np.zeros(16016, np.float32))
    info = probe(Clip("clip", path))
    assert (info.fps, info.frames, info.width, info.height) == (Fraction(30000, 1001), 30, 80, 64)
    # The encoder rounds up to whole blocks of 1024 samples.
    assert 16016 <= len(decoded_speech(path).samples) <= 16016 + 1024


def test_a_file_appears_only_when_it_is_whole(tmp_path, moving):
    path = tmp_path / "clip.mp4"

    def breaking():
        yield from moving(5, 64, 80)
        assert not path.exists()
        raise RuntimeError("the renderer stopped")

    with pytest.raises(RuntimeError, match="the renderer stopped"):
        write_video(path, breaking(), fps=25)
    assert list(tmp_path.iterdir()) == []
    write_video(path, moving(5, 64, 80), fps=25)
    before = path.read_bytes()
    with pytest.raises(RuntimeError):
        write_video(path, (_ for _ in breaking_at_once()), fps=25)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def breaking_at_once():
    yield np.zeros((64, 80, 3), np.uint8)
    raise RuntimeError("the renderer stopped")


@pytest.mark.parametrize(
    ("frames", "settings", "said"),
    [
        ([], {}, "there are no frames to write"),
        ([np.zeros((64, 80, 3), np.float32)], {}, "frame 0 is float32"),
        ([np.zeros((64, 80), np.uint8)], {}, "frame 0 is uint8"),
        ([np.zeros((64, 80, 3), np.uint8), np.zeros((64, 82, 3), np.uint8)], {}, "frame 1 is uint8"),
        ([np.zeros((63, 81, 3), np.uint8)], {}, "can't be encoded by libx264 as yuv420p at 81 x 63 px"),
        ([np.zeros((64, 80, 3), np.uint8)], {"codec": "none"}, "can't be encoded by none"),
        ([np.zeros((64, 80, 3), np.uint8)], {"pixel_format": "none"}, "can't be encoded by libx264 as none"),
        ([np.zeros((64, 80, 3), np.uint8)], {"matrix": "bt2020"}, "matrix must be one of bt601, bt709"),
    ],
)
def test_what_can_not_be_written_is_refused(frames, settings, said, tmp_path):
    with pytest.raises(ProtocolError, match=said):
        write_video(tmp_path / "clip.mp4", frames, fps=25, **settings)
    assert list(tmp_path.iterdir()) == []
