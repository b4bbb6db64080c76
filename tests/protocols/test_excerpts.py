"""Excerpts of clips: the frames and the sound that are looked at, and what can't be said of them."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from support.benchmarks import PSNR, RATE_HZ, clips, own, scored
from support.clips import moving, written_at

import thgeval
from thgeval.clip import Clip, Excerpt
from thgeval.engine.run import execute
from thgeval.errors import InputError, ProtocolError
from thgeval.features.heads.openface import openface_run
from thgeval.features.sync.avi_route import avi_copy
from thgeval.features.words.av_hubert import embeddings
from thgeval.features.words.program_reading import checkout_reading
from thgeval.media import audio, decode
from thgeval.media.encode import write_video
from thgeval.pairing import listed, pair
from thgeval.protocol import Protocol


def lengths(run):
    return {clip.id: clip.frames for clip in run.clips}


@pytest.mark.parametrize("fps", [None, 25, 10])
def test_the_first_seconds_alone_are_looked_at(tmp_path, fps):
    """The clips differ after the cut, and in length: before it they are one."""
    frames = moving(40)
    other = np.concatenate([frames[:20], 255 - frames[20:]])
    for folder, shown in (("data", frames), ("out", other[:32])):
        (tmp_path / folder).mkdir()
        np.savez(tmp_path / folder / "a.npz", frames=shown, fps=25)
    fields = {"first_s": 0.8} | ({} if fps is None else {"fps": fps})
    run = scored(tmp_path / "out", tmp_path / "data", own(tmp_path, **fields))
    assert lengths(run) == {"a": 20 if fps is None else round(0.8 * fps)}
    assert run["psnr"].value == float("inf")
    assert "excerpt:first-4/5s" in run["psnr"].protocol_part
    whole = scored(tmp_path / "out", tmp_path / "data", own(tmp_path, lengths="truncate"))
    assert whole["psnr"].value < 30


def test_video_files_are_cut_by_their_clock(tmp_path):
    reference = clips(tmp_path / "data", ["a"], frames=30, fps=30)
    generated = clips(tmp_path / "out", ["a"], frames=24, fps=30, seed=3)
    run = scored(generated, reference, own(tmp_path, first_s=0.5))
    assert lengths(run) == {"a": 15}
    run = scored(generated, reference, own(tmp_path, first_s=0.5, fps=10))
    assert lengths(run) == {"a": 5}


def test_frames_evenly_spread(tmp_path):
    frames = moving(50)
    (tmp_path / "data").mkdir()
    (tmp_path / "out").mkdir()
    np.savez(tmp_path / "data" / "a.npz", frames=frames, fps=25)
    taken = [number * 50 // 7 for number in range(7)]
    changed = 255 - frames
    changed[taken] = frames[taken]
    for shown in (changed, frames[taken]):
        np.savez(tmp_path / "out" / "a.npz", frames=shown, fps=25)
        run = scored(tmp_path / "out", tmp_path / "data", own(tmp_path, frames=7))
        assert lengths(run) == {"a": 7}
        assert run["psnr"].value == float("inf")
    np.savez(tmp_path / "out" / "a.npz", frames=frames[:40], fps=25)
    run = scored(tmp_path / "out", tmp_path / "data", own(tmp_path, frames=7))
    assert [clip.failure.reason for clip in run.failures] == ["length differs"]
    assert (
        "a has 40 generated frames and 50 reference frames, of which the protocol takes 7"
        in run.failures[0].failure.message
    )
    run = scored(tmp_path / "data", tmp_path / "data", own(tmp_path, frames=51))
    assert [clip.failure.reason for clip in run.failures] == ["too short"]


@pytest.mark.parametrize("excerpt", [{"frames": 5}, {"first_s": 0.6}, {"last": "1/2"}])
def test_clocks_that_drift_apart_are_refused_in_excerpts_too(tmp_path, excerpt):
    """Frames of one side are shown late from the fourth on; at the end of the held-out half by as much."""
    even = list(range(0, 80, 4))
    late = [at + 3 * (number > 2) for number, at in enumerate(even)]
    drifts = late if "last" not in excerpt else [at + 3 * (number > 15) for number, at in enumerate(even)]
    (tmp_path / "data").mkdir()
    (tmp_path / "out").mkdir()
    shown = moving(20)
    written_at(tmp_path / "data" / "a.mkv", shown, drifts, Fraction(1, 100))
    ours = slice(10, None) if "last" in excerpt else slice(None)
    written_at(tmp_path / "out" / "a.mkv", shown[ours], even[: len(shown[ours])], Fraction(1, 100))
    path = own(tmp_path, **excerpt)
    run = scored(tmp_path / "out", tmp_path / "data", path)
    assert [clip.failure.reason for clip in run.failures] == ["frame times differ"]
    path = own(tmp_path, rates="ignore", **excerpt)
    assert scored(tmp_path / "out", tmp_path / "data", path)["psnr"].value == float("inf")


def test_the_held_out_end_of_the_reference(tmp_path):
    frames = moving(23)
    (tmp_path / "data").mkdir()
    (tmp_path / "out").mkdir()
    np.savez(tmp_path / "data" / "a.npz", frames=frames, fps=25)
    np.savez(tmp_path / "out" / "a.npz", frames=frames[20:], fps=25)  # int(23 * 10 / 11) = 20 frames train
    run = scored(tmp_path / "out", tmp_path / "data", own(tmp_path, last="1/11"))
    assert lengths(run) == {"a": 3}
    assert run["psnr"].value == float("inf")
    np.savez(tmp_path / "out" / "a.npz", frames=frames, fps=25)
    for lengths_are in ("strict", "truncate"):  # the whole clip would be paired with the wrong frames
        run = scored(tmp_path / "out", tmp_path / "data", own(tmp_path, last="1/11", lengths=lengths_are))
        assert [clip.failure.reason for clip in run.failures] == ["length differs"]
        assert "which are the last 1/11 of that clip; generate just these" in run.failures[0].failure.message


def test_sound_is_cut_with_the_picture(tmp_path):
    sound = (np.sin(np.arange(2 * RATE_HZ) / 5) / 2).astype(np.float32)
    write_video(tmp_path / "a.mp4", moving(50), fps=25, audio=sound)
    heard = audio.decoded_speech(Clip("a", tmp_path / "a.mp4", excerpt=Excerpt(first_s=Fraction(4, 5))))
    whole = audio.decoded_speech(Clip("a", tmp_path / "a.mp4"))
    assert len(heard.samples) == round((Fraction(4, 5) - Fraction(heard.start_s)) * RATE_HZ)
    assert len(whole.samples) > 2 * len(heard.samples)
    assert np.array_equal(heard.samples, whole.samples[: len(heard.samples)])


WHOLE = ("transcript", "faces", "openface", "views", "lipreader", "avhubert")


@pytest.mark.parametrize(
    ("excerpt", "generated", "reference"),
    [
        (None, {*WHOLE, "clip", "sound"}, {*WHOLE, "clip", "sound"}),
        (Excerpt(first_s=Fraction(8)), {"clip", "sound"}, {"clip", "sound"}),
        (Excerpt(frames=5), set(), set()),
        (Excerpt(last=Fraction(1, 11)), {*WHOLE, "clip", "sound"}, set()),
    ],
)
def test_what_an_excerpt_offers(tmp_path, excerpt, generated, reference):
    for name in ("g", "r"):
        for suffix in (".mp4", ".txt", ".faces.npz", ".openface.csv", ".views.npz", ".lipreader.npz", ".avhubert.npz"):
            (tmp_path / f"{name}{suffix}").touch()
    whole = replace(pair("a", tmp_path / "g.mp4", tmp_path / "r.mp4"), id="a")
    cut = whole.cut(excerpt)
    asked = (*WHOLE, "clip", "sound")
    assert {what for what in asked if cut.offers(what)} == generated
    theirs = [what for what in asked if what != "transcript"]  # which belongs to the pair
    assert {what for what in theirs if cut.offers(what, reference=True)} == reference - {"transcript"}
    assert cut.offers("frames")
    assert cut.offers("info", reference=True)


def test_metrics_that_need_the_whole_clip_say_so(tmp_path):
    reference = clips(tmp_path / "data", ["a"], frames=30)
    generated = clips(tmp_path / "out", ["a"], frames=30, seed=3)
    for folder in (reference, generated):
        (folder / "a.faces.npz").write_bytes(b"")
    run = scored(generated, reference, own(tmp_path, frames=5), metrics=["psnr", "mkr"])
    assert run["psnr"].clips == 1
    assert run["mkr"].value is None
    assert "needs faces of a whole clip (mkr <- " in run["mkr"].unscored
    assert "the protocol looks at an excerpt of each clip (even-5)" in run["mkr"].unscored


def test_a_driving_speech_of_its_own_can_not_be_cut(tmp_path):
    clips(tmp_path, ["g", "r"])
    (tmp_path / "s.wav").touch()
    (tmp_path / "list.tsv").write_text("g.mp4\tr.mp4\ts.wav\n")
    with pytest.raises(ProtocolError, match=r"g: .*s\.wav can't be cut with its clip; leave the third column out"):
        execute(listed(tmp_path / "list.tsv"), PSNR, Protocol(excerpt=Excerpt(first_s=Fraction(1))), thgeval.Options())


@pytest.mark.parametrize(
    "read",
    [
        openface_run.compute,
        lambda cut: checkout_reading.compute(cut, model="auto-avsr"),
        lambda cut: embeddings.compute(cut, kind="avhubert", model="av-hubert"),
    ],
)
def test_programs_that_read_files_refuse_excerpts(tmp_path, monkeypatch, read):
    monkeypatch.setattr("shutil.which", lambda name: "/bin/false")
    cut = Clip("a", tmp_path / "a.mp4", excerpt=Excerpt(first_s=Fraction(8)))
    with pytest.raises(InputError, match=r"reads whole files, not an excerpt \(first-8s\)"):
        read(cut)


def test_copies_for_lip_sync_are_cut_with_the_clip(tmp_path):
    sound = (np.sin(np.arange(2 * RATE_HZ) / 5) / 2).astype(np.float32)
    write_video(tmp_path / "a.mp4", moving(50), fps=25, audio=sound)
    cut = Clip("a", tmp_path / "a.mp4", excerpt=Excerpt(first_s=Fraction(4, 5)))
    made = avi_copy.compute(cut, cut)
    with decode(made.clip, chunk=50) as batches:
        assert sum(map(len, batches)) == 20
    assert abs(audio.decoded_speech(made.path).duration_s - 0.8) < 0.1  # MP3 comes in frames of 72 ms
