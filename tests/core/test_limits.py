"""No path is opened before it is known to be a regular file within its limit, and small files cost little."""

import io
import os
import time
import tracemalloc
import zipfile
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from support import views
from support.clips import moving, write_clip
from support.zeros import repeating, write_zeros

import thgeval
import thgeval.engine.run
from thgeval import protocol
from thgeval.clip import Clip
from thgeval.errors import InputError, OutputError, ProtocolError
from thgeval.features.faces.identity import read_picture
from thgeval.features.frames import npz
from thgeval.features.frames.clip import read_prompt
from thgeval.features.frames.npz import Layout, arrays
from thgeval.features.heads import openface
from thgeval.features.words import av_hubert
from thgeval.limits import LIMITS, VARIABLE, check_file, limit
from thgeval.media import decode, decoded_speech, describe, fingerprint
from thgeval.media.arrays import ARRAY_SUFFIXES
from thgeval.pairing import listed, transcript_rules
from thgeval.timing import read_timing

SPARSE = 1 << 40
pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")


def pipe(path):
    os.mkfifo(path)


def endless(path):
    path.symlink_to("/dev/zero")


def sparse(path):
    with path.open("wb") as file:
        file.truncate(SPARSE)


def folder_of_pipes(path):
    path.mkdir()
    os.mkfifo(path / "0.png")


NO_FILES = {"pipe": pipe, "endless": endless, "sparse": sparse}


@pytest.mark.parametrize("suffix", [".mp4", ".npy", ".npz", ".png", ".gif", ".txt"])
@pytest.mark.parametrize("kind", NO_FILES)
def test_no_such_path_is_opened(kind, suffix, tmp_path):
    """Each of these would be read for ever, or until memory is full."""
    path = tmp_path / f"clip{suffix}"
    NO_FILES[kind](path)
    refused = "too large" if kind == "sparse" else "unreadable"
    silent = suffix in ARRAY_SUFFIXES
    for read, reason in (
        (fingerprint, refused),
        (describe, refused),
        (lambda clip: decoded_speech(clip.source), "no audio" if silent else refused),
    ):
        with pytest.raises(InputError) as caught:
            read(Clip("clip", path))
        assert caught.value.reason == reason


@pytest.mark.parametrize("kind", NO_FILES)
@pytest.mark.parametrize(
    "name", ["a.mp4", "a.npz", "a.txt", "a.prompt.txt", "a.faces.npz", "a.timing.json", "a.source.png"]
)
def test_a_run_ends_whatever_lies_in_its_folders(name, kind, tmp_path):
    """With ``out``, where all content is hashed."""
    for side in ("generated", "reference"):
        (tmp_path / side).mkdir()
        write_clip(tmp_path / side / "b.mp4", moving(3))
        if name != "a.mp4":
            write_clip(tmp_path / side / "a.mp4", moving(3))
    NO_FILES[kind](tmp_path / "generated" / name)
    if name == "a.mp4":
        write_clip(tmp_path / "reference" / name, moving(3))
    if name == "a.npz":
        (tmp_path / "generated" / "a.mp4").unlink()
    run = thgeval.evaluate(
        tmp_path / "generated", tmp_path / "reference", metrics="l1", options=thgeval.Options(out=tmp_path / "r.json")
    )
    assert run.expected == 2
    clips = {clip.id: clip for clip in run.clips}
    assert clips["b"].failure is None
    assert (clips["a"].failure is None) == (name not in {"a.mp4", "a.npz"})


LISTS = {
    "concat.mp4": "ffconcat version 1.0\nfile inner\n",
    "hls.mp4": "#EXTM3U\n#EXTINF:1,\ninner\n#EXT-X-ENDLIST\n",
    "dash.mp4": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><BaseURL>inner</BaseURL></MPD>',
    "sdp.mp4": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 9 RTP/AVP 96\n",
    "redirect.mp4": "[reference]\nRef1=file:inner\n",
    "subtitles.mp4": "1\n00:00:00,000 --> 00:00:01,000\ninner\n",
}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_is_refused_before_what_it_names_is_looked_at(name, tmp_path):
    os.mkfifo(tmp_path / "inner")  # to open this is to wait for ever
    (tmp_path / name).write_text(LISTS[name])
    with pytest.raises(InputError) as caught:
        describe(Clip("clip", tmp_path / name))
    assert caught.value.reason in {"no video", "corrupt"}


def packed(path, **shapes):
    """An archive whose arrays are zeros, small as a file and large in memory."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, shape in shapes.items():
            with repeating(archive.open(f"{name}.npy", "w", force_zip64=True)) as member:
                np.lib.format.write_array_header_1_0(member, {"descr": "|u1", "fortran_order": False, "shape": shape})
                count = int(np.prod(shape, dtype=object))
                if count < 1 << 31:
                    write_zeros(member, count >> 20)
                    member.write(bytes(count % (1 << 20)))
    return path


@pytest.mark.parametrize("shape", [(700, 1000, 1000, 1), (10**30, 68, 2), (2**62, 4)])
def test_an_archive_is_not_unpacked_beyond_the_limit(shape, tmp_path):
    path = packed(tmp_path / "a.npz", frames=shape)
    tracemalloc.start()
    with pytest.raises(InputError) as caught:
        describe(Clip("clip", path))
    assert caught.value.reason in {"too large", "corrupt"}
    with pytest.raises(InputError):
        arrays(path, {"frames": Layout(("n", "m"), "anything")}, reason="bad")
    with pytest.raises(InputError, match="which is none of"):
        arrays(path, {"other": Layout(("n", "m"), "anything")}, reason="bad")
    assert tracemalloc.get_traced_memory()[1] < 20e6
    tracemalloc.stop()


@pytest.mark.parametrize(("at", "value"), [(6, 1), (8, 77)], ids=["encrypted", "packed otherwise"])
def test_an_archive_in_ways_nobody_reads(at, value, tmp_path):
    path = packed(tmp_path / "a.npz", frames=(2, 3))
    content = bytearray(path.read_bytes())
    for mark, shift in ((b"PK\x03\x04", 0), (b"PK\x01\x02", 2)):
        content[content.index(mark) + at + shift] = value
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        arrays(path, {"frames": Layout(("n", "m"), "anything")}, reason="bad")
    assert caught.value.reason == "bad"
    assert "\n" not in str(caught.value)


def gif(path, delays_s, size=8):
    """An animation whose frames stay for as long as GIF can say."""
    images = [Image.new("RGB", (size, size), (index % 256, index // 256, 9)) for index in range(len(delays_s))]
    images[0].save(path, save_all=True, append_images=images[1:], duration=[round(1000 * d) for d in delays_s])
    return path


def test_a_frame_that_stays_for_minutes_is_refused_at_once(tmp_path):
    path = gif(tmp_path / "a.gif", [655.0] * 300)
    began = time.process_time()
    with pytest.raises(InputError) as caught, decode(Clip("clip", path), chunk=8, fps=25) as batches:
        for _ in batches:
            pass
    assert caught.value.reason == "too long"
    assert "is shown for 655 s, beyond the limit of 60 seconds" in str(caught.value)
    assert time.process_time() - began < 5
    assert describe(Clip("clip", path)).frames == 300


def test_a_clip_of_too_many_frames_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, "frames=20")
    path = write_clip(tmp_path / "a.mp4", moving(21))
    with pytest.raises(InputError, match="it goes on after 20 frames, beyond the limit of 20 frames of a clip"):
        describe(Clip("clip", path))
    np.save(tmp_path / "a.npy", moving(21))
    with pytest.raises(InputError, match="it has 21 frames, beyond the limit of 20 frames of a clip"):
        describe(Clip("clip", tmp_path / "a.npy"))
    monkeypatch.setenv(VARIABLE, "frames=21")
    assert describe(Clip("clip", path)).frames == 21


@pytest.mark.parametrize("name", ["a.mp4", "a.npy", "a.png"])
def test_frames_of_too_many_pixels_are_refused(name, tmp_path, monkeypatch):
    path = tmp_path / name
    if name == "a.mp4":
        write_clip(path, moving(2))
    elif name == "a.npy":
        np.save(path, moving(2))
    else:
        Image.fromarray(moving(1)[0]).save(path)
    monkeypatch.setenv(VARIABLE, f"frame_pixels={64 * 64 - 1}")
    with pytest.raises(InputError) as caught:
        describe(Clip("clip", path))
    assert caught.value.reason == "too large"
    assert f"set {VARIABLE}=frame_pixels=NUMBER" in str(caught.value)
    monkeypatch.setenv(VARIABLE, f"frame_pixels={64 * 64}")
    assert describe(Clip("clip", path)).frames in {1, 2}


def leaping(path, leaps, leap_s):
    """Sound whose clock leaps ahead again and again."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        at = 0
        for _ in range(leaps):
            frame = av.AudioFrame.from_ndarray(np.ones((1, 800), np.int16), format="s16", layout="mono")
            frame.sample_rate, frame.pts = 8000, at
            container.mux(stream.encode(frame))
            at += 800 + leap_s * 8000
        container.mux(stream.encode(None))
    return path


def test_sound_that_leaps_again_and_again_is_not_filled_without_end(tmp_path):
    path = leaping(tmp_path / "a.mka", 150, 590)
    tracemalloc.start()
    with pytest.raises(InputError) as caught:
        decoded_speech(path, rate_hz=8000)
    assert caught.value.reason == "too long"
    assert tracemalloc.get_traced_memory()[1] < 1e9
    tracemalloc.stop()
    assert decoded_speech(leaping(tmp_path / "b.mka", 3, 5), rate_hz=8000).filled_s == pytest.approx(10.0)


def test_limits_are_changed_by_one_variable(tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, "frames=1e3, still_s = 5")
    assert (limit("frames"), limit("still_s"), limit("sound_s")) == (1000, 5, LIMITS["sound_s"].most)
    (tmp_path / "a").write_bytes(b"12345")
    monkeypatch.setenv(VARIABLE, "text_bytes=4")
    with pytest.raises(InputError, match="it has 5 bytes, beyond the limit of 4 bytes of a list"):
        check_file(tmp_path / "a", "text_bytes")


@pytest.mark.parametrize("text", ["frames", "frames=", "frames=-1", "frames=nan", "frames=inf", "other=5", "frames=0"])
def test_a_variable_that_makes_no_sense(text, monkeypatch):
    monkeypatch.setenv(VARIABLE, text)
    with pytest.raises(ProtocolError, match="THGEVAL_LIMITS must be NAME=NUMBER"):
        limit("frames")


def test_an_image_that_is_cut_in_its_header(tmp_path):
    """A message of one line, whatever Pillow says."""
    stored = io.BytesIO()
    Image.new("RGB", (8, 8)).save(stored, "TIFF")
    (tmp_path / "a.tif").write_bytes(stored.getvalue()[:20])
    with pytest.raises(InputError) as caught:
        describe(Clip("clip", tmp_path / "a.tif"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", NO_FILES)
def test_companions_are_read_within_limits(kind, tmp_path):
    path = tmp_path / "a"
    NO_FILES[kind](path)
    layouts = {"frames": Layout(("n", "m"), "anything")}
    readers = (
        read_timing,
        read_prompt,
        openface.read,
        read_picture,
        lambda where: arrays(where, layouts, reason="bad"),
    )
    for read in readers:
        with pytest.raises(InputError) as caught:
            read(path)
        assert "regular file" in str(caught.value) or "beyond the limit" in str(caught.value)


ENDLESS = Path("/proc/kmsg")  # a regular file of no bytes, by what it says, that never ends


@pytest.mark.skipif(not ENDLESS.exists(), reason="needs Linux")
@pytest.mark.parametrize(
    "read",
    [
        read_timing,
        read_prompt,
        openface.read,
        protocol.read,
        transcript_rules.rule,
        listed,
        thgeval.Run.read,
        npz.names_in,
    ],
)
def test_a_file_that_says_it_is_empty_is_not_read(read):
    arguments = ("companion_bytes",) if read is npz.names_in else ()
    with pytest.raises((InputError, ProtocolError, ValueError)):
        read(ENDLESS, *arguments)


@pytest.mark.parametrize("kind", NO_FILES)
@pytest.mark.parametrize("read", [protocol.read, transcript_rules.rule, listed], ids=["protocol", "rule", "list"])
def test_no_request_is_opened_that_is_no_file(read, kind, tmp_path):
    """Protocols and rules were opened whatever they were."""
    NO_FILES[kind](tmp_path / "given.toml")
    with pytest.raises(ProtocolError):
        read(tmp_path / "given.toml")


def test_rows_of_lip_readers_are_not_unpacked_beyond_the_limit(tmp_path):
    path = packed(tmp_path / "a.avhubert.npz", video=(700, 1000, 1000), model=(1,))
    tracemalloc.start()
    with pytest.raises(InputError, match="unpacks to 700000001 bytes"):
        av_hubert.read(path, "avhubert", "a")
    assert tracemalloc.get_traced_memory()[1] < 20e6
    tracemalloc.stop()


LONG = "a" * 5000


@pytest.mark.parametrize("line", [f"{LONG}.mp4\tb.mp4", f"a.mp4\t{LONG}.mp4", f"{LONG}/a.mp4\tb.mp4\t{LONG}"])
def test_names_that_are_too_long_are_clips_that_can_not_be_read(line, tmp_path):
    (tmp_path / "list.tsv").write_text(line + "\n")
    run = thgeval.engine.run.execute(
        listed(tmp_path / "list.tsv"), "l1", "native", thgeval.Options(out=tmp_path / "r.json")
    )
    assert [clip.failure.reason for clip in run.clips] == ["unreadable" if line.startswith(LONG) else "missing"]


@pytest.mark.parametrize("line", ["/\t/", ".\t.", "a.mp4\t/", "a.mp4\tb.mp4\t/"])
def test_lines_that_name_no_file_are_refused(line, tmp_path):
    (tmp_path / "list.tsv").write_text(line + "\n")
    with pytest.raises(ProtocolError, match="needs two or three fields"):
        listed(tmp_path / "list.tsv")


def test_a_result_is_not_written_through_links_that_lead_nowhere(tmp_path):
    write_clip(tmp_path / "a.mp4", moving(3))
    (tmp_path / "r.json").symlink_to("r.json")
    for out in (tmp_path / "r.json", tmp_path / f"{LONG}.json"):
        with pytest.raises(OutputError, match="can't be written"):
            thgeval.score(tmp_path / "a.mp4", metrics="cpbd", options=thgeval.Options(out=out))


def test_whatever_breaks_outside_measuring_is_one_clips_failure(tmp_path, monkeypatch):
    """What was raised while a clip was looked up or recorded ended the run."""
    from thgeval.clip import Pair

    real = Pair.companions.fget

    def broken(pair):
        if pair.id == "a":
            raise RuntimeError("nobody foresaw this")
        return real(pair)

    monkeypatch.setattr(Pair, "companions", property(broken))
    for side in ("generated", "reference"):
        (tmp_path / side).mkdir()
        for name in ("a", "b"):
            write_clip(tmp_path / side / f"{name}.mp4", moving(3))
    options = thgeval.Options(out=tmp_path / "r.json")
    run = thgeval.evaluate(tmp_path / "generated", tmp_path / "reference", metrics="l1", options=options)
    assert run["l1"].clips == 1
    assert run["l1"].left_out == {"failed inside thgeval": 1}


@pytest.mark.parametrize("factor", [1e70, 1e200])
def test_numbers_too_large_to_compute_with_are_one_clips_failure(factor, tmp_path):
    """They came out infinite, and then no result could be written."""
    for name, times in (("a", factor), ("b", 1.0), ("c", 1.0)):
        write_clip(tmp_path / f"{name}.mp4", moving(3))
        bundle = views.bundle()
        views.write(tmp_path / f"{name}.views.npz", bundle | {"points": bundle["points"] * times})
    run = thgeval.evaluate(tmp_path, metrics="cd", options=thgeval.Options(out=tmp_path / "r.json"))
    assert run["cd"].clips == 2
    assert sum(run["cd"].left_out.values()) == 1
    assert thgeval.Run.read(tmp_path / "r.json")["cd"] == run["cd"]
