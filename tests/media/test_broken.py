"""Whatever is wrong with a file becomes an InputError with a short reason and a sentence that names the file."""

import os
import re
import sys

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from thgeval.clip import Clip
from thgeval.errors import InputError
from thgeval.media import decode, decoded_speech, fingerprint, probe


def failure(path, **how):
    """The InputError that reading a file to its end raises; its sentence names the file."""
    with pytest.raises(InputError) as caught, decode(Clip("clip", path), **({"chunk": 4} | how)) as batches:
        for _ in batches:
            pass
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    return caught.value


def truncated(path, share):
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


def damaged(path, seed, *, first=0.3, last=0.9, count=40):
    """Overwrite bytes in the middle of a file."""
    generator = np.random.default_rng(seed)
    data = bytearray(path.read_bytes())
    at = int(len(data) * generator.uniform(first, last))
    data[at : at + count] = generator.integers(0, 256, len(data[at : at + count]), dtype=np.uint8).tobytes()
    path.write_bytes(data)
    return path


def test_a_missing_file(tmp_path):
    assert failure(tmp_path / "none.mp4").reason == "missing"
    with pytest.raises(InputError, match="there is no such file"):
        probe(Clip("clip", tmp_path / "none.mp4"))
    with pytest.raises(InputError, match="there is no such file"):
        fingerprint(Clip("clip", tmp_path / "none.mp4"))


def test_an_empty_file(tmp_path):
    (tmp_path / "empty.mp4").touch()
    assert failure(tmp_path / "empty.mp4").reason == "no frames"


@pytest.mark.parametrize("name", ["text.mp4", "text.txt", "text.ans", "text.avi"])
def test_text_is_no_video(name, tmp_path):
    path = tmp_path / name
    path.write_text("It was a dark and stormy night.\n" * 200)
    assert failure(path).reason in {"corrupt", "no video"}


def test_noise_is_no_video(tmp_path):
    path = tmp_path / "noise.mp4"
    path.write_bytes(np.random.default_rng(0).bytes(5000))
    assert failure(path).reason in {"corrupt", "no video", "no frames"}


@pytest.mark.parametrize(
    "listing", ["#EXTM3U\n#EXTINF:1,\n{}\n#EXT-X-ENDLIST\n", "ffconcat version 1.0\nfile '{}'\n"], ids=["hls", "concat"]
)
def test_a_list_of_other_files_is_not_followed(listing, file, tmp_path):
    target = file("clip.ts", codec="mpeg2video")
    path = tmp_path / ("list.m3u8" if "EXTM3U" in listing else "list.ffconcat")
    path.write_text(listing.format(target.name))
    assert failure(path).reason in {"no video", "corrupt", "unreadable"}


def test_a_name_is_never_an_address(tmp_path, file, monkeypatch):
    path = file("concat:a%03d.mp4", count=3)
    monkeypatch.chdir(tmp_path)
    assert probe(Clip("clip", path)).frames == 3
    assert probe(Clip("clip", type(path)("concat:a%03d.mp4"))).frames == 3


def test_names_of_any_characters(file):
    assert probe(Clip("clip", file("späte Grüße %d 🎬 'x'.mp4", count=3))).frames == 3


@pytest.mark.skipif(os.name != "posix" or sys.platform == "darwin", reason="file names are bytes on Linux only")
def test_a_name_that_is_no_text(file, tmp_path):
    path = tmp_path / os.fsdecode(b"\xff\xfe.mp4")
    file("clip.mp4", count=3).rename(path)
    assert probe(Clip("clip", path)).frames == 3


def test_a_path_that_is_no_path(tmp_path):
    with pytest.raises(InputError) as caught:
        probe(Clip("clip", tmp_path / "a\0b.mp4"))
    assert caught.value.reason == "missing"


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX permissions")
def test_a_file_nobody_may_read(file, monkeypatch):
    path = file()
    path.chmod(0)
    if os.access(path, os.R_OK):  # the superuser may read everything

        def refuse(*_, **__):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(type(path), "open", refuse)
    found = failure(path)
    assert found.reason == "unreadable"
    assert "Permission denied" in str(found)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_does_not_hang(tmp_path):
    os.mkfifo(tmp_path / "pipe.mp4")
    assert failure(tmp_path / "pipe.mp4").reason == "unreadable"


@pytest.mark.skipif(os.name != "posix", reason="needs symbolic links")
def test_links_that_go_round_in_circles(tmp_path):
    loop = tmp_path / "loop.mp4"
    loop.symlink_to(loop)
    assert failure(loop).reason == "missing"


def sound_only(path):
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=16000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 16000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def test_sound_alone_is_no_video(tmp_path):
    found = failure(sound_only(tmp_path / "sound.mp4"))
    assert found.reason == "no video"
    assert "only audio" in str(found)


def test_a_cover_picture_is_no_video(tmp_path, moving):
    path = tmp_path / "song.m4a"
    with av.open(str(path), "w", format="mp4") as container:
        sound = container.add_stream("aac", rate=16000, layout="mono")
        cover = container.add_stream("png", rate=1)
        cover.width, cover.height, cover.pix_fmt = 80, 64, "rgb24"
        cover.disposition = av.stream.Disposition.attached_pic
        container.mux(cover.encode(av.VideoFrame.from_ndarray(moving(1, 64, 80)[0], format="rgb24")))
        container.mux(cover.encode(None))
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 16000
        container.mux(sound.encode(frame))
        container.mux(sound.encode(None))
    assert failure(path).reason == "no video"
    assert decoded_speech(path).start_s == 0.0


CONTAINERS = {
    "clip.mp4": "libx264",
    "clip.mov": "libx264",
    "clip.mkv": "libx264",
    "clip.webm": "libvpx-vp9",
    "clip.avi": "mpeg4",
    "clip.gif": "gif",
}


@pytest.mark.parametrize("share", [0.3, 0.7, 0.99])
@pytest.mark.parametrize("name", CONTAINERS)
def test_files_that_break_off(name, share, file):
    codec = CONTAINERS[name]
    path = file(name, codec=codec, pixel_format="rgb8" if codec == "gif" else "yuv420p")
    assert failure(truncated(path, share)).reason == "truncated"


def test_what_follows_a_whole_file_is_no_matter(file):
    for name, codec in (("clip.mp4", "libx264"), ("clip.mkv", "libx264"), ("clip.avi", "mpeg4")):
        path = file(name, codec=codec, count=5)
        for tail in (b"\0" * 7, b"\xff" * 40, b"TAG" + b" " * 125):
            content = path.read_bytes()
            path.write_bytes(content + tail)
            with decode(Clip("clip", path), chunk=4) as batches:
                assert sum(len(batch) for batch in batches) == 5
            path.write_bytes(content)


def test_a_file_whose_writing_was_interrupted(file):
    """An MP4 gets its index last: until then there is nothing to read it by."""
    path = file()
    data = path.read_bytes()
    index = data.index(b"moov") - 4
    size = int.from_bytes(data[index : index + 4], "big")
    path.write_bytes(data[:index] + data[index + size :])
    found = failure(path)
    assert found.reason == "truncated"
    assert "has no index" in str(found)


def test_an_index_that_promises_more_frames_than_there_are(file):
    """The boxes are whole, so only counting shows it."""
    path = file()
    data = path.read_bytes()
    at = data.index(b"mdat") + 4
    path.write_bytes(data[:at] + b"\0" * (len(data) - at))
    assert failure(path).reason in {"corrupt", "truncated", "no frames"}


def test_a_matroska_file_that_loses_its_tail_but_not_its_length(file):
    path = file("clip.mkv", count=50)
    data = bytearray(path.read_bytes())
    data[len(data) // 2 :] = b"\0" * (len(data) - len(data) // 2)
    path.write_bytes(data)
    assert failure(path).reason in {"truncated", "corrupt"}


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv", "clip.avi", "clip.ts"])
def test_damage_never_gets_past_as_a_crash(name, seed, file):
    path = damaged(file(name, codec="mpeg4" if name.endswith("avi") else "libx264"), seed)
    try:
        with decode(Clip("clip", path), chunk=4) as batches:
            for _ in batches:
                pass
    except InputError as error:
        assert error.reason in {"corrupt", "truncated", "no frames", "no video", "size changes", "unreadable"}


def test_damage_in_the_middle_is_found_and_counted(file):
    """Bytes that no longer decode, between frames that do."""
    path = file(count=50, options={"x264-params": "threads=1:keyint=5"})
    data = bytearray(path.read_bytes())
    begin = data.index(b"mdat") + 4
    middle = begin + (len(data) - begin) // 2
    data[middle : middle + 400] = b"\xff" * 400
    path.write_bytes(data)
    found = failure(path)
    assert found.reason == "corrupt"
    count = int(re.search(r"(\d+) (of its )?frames", str(found))[1])
    assert 5 < count < 45


def test_frames_that_vanish_in_the_decoder_are_missed(file):
    """A packet turned into one that decoders skip without a word: only counting shows it."""
    path = file("clip.mov", codec="libx265", count=12)
    with av.open(str(path)) as container:
        places = [entry.pos for entry in container.streams.video[0].index_entries]
    content = bytearray(path.read_bytes())
    unreferenced = [at for at in places[1:] if content[at + 4] >> 1 in {0, 8}]
    assert unreferenced, "the encoder made no frame that others don't refer to"
    content[unreferenced[0] + 4] = 48 << 1  # a kind of packet that means nothing
    path.write_bytes(content)
    found = failure(path)
    assert found.reason == "corrupt"
    assert "1 of its frames can't be decoded, 11 can" in str(found)


def test_a_clip_that_changes_its_size(file):
    """Two H.264 streams of different size, one after the other, as raw streams and recordings have them."""
    first = file("a.h264", height=64, width=80, count=5).read_bytes()
    second = file("b.h264", height=48, width=80, count=5)
    second.write_bytes(first + second.read_bytes())
    found = failure(second)
    assert found.reason == "size changes"
    assert "at frame 5, to 80 x 48 px" in str(found)


def test_no_frames_in_a_video_track(tmp_path):
    path = tmp_path / "none.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 80, 64, "yuv420p"
        container.start_encoding()
    assert failure(path).reason in {"no frames", "no video"}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_bytes_whatever_crash(data, file):
    """Any stretch of a real file overwritten, removed or repeated is decoded, or refused with a reason."""
    path = file(data.draw(st.sampled_from(["clip.mp4", "clip.mkv", "clip.avi"])), count=6, codec="mpeg4")
    content = path.read_bytes()
    start = data.draw(st.integers(0, len(content) - 1))
    stop = data.draw(st.integers(start, min(start + 200, len(content))))
    new = data.draw(st.one_of(st.binary(max_size=200), st.just(content[start:stop] * 2)))
    path.write_bytes(content[:start] + new + content[stop:])
    try:
        with decode(Clip("clip", path), chunk=4) as batches:
            for batch in batches:
                assert batch.pixels.shape[3] == 3
    except InputError as error:
        assert error.reason
