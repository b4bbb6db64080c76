"""What is said of two files whose sound and picture don't end together."""

import av
import numpy as np
import pytest
from support.clips import moving

import thgeval
from thgeval.clip import Clip, Pair
from thgeval.engine.remarks import SOUND_APART_S, of_sound
from thgeval.media import decode

RATE_HZ, FPS = 16000, 25


def write(path, *, frames, sound_s):
    """A video of 96 px with so much sound."""
    with av.open(str(path), "w") as container:
        picture = container.add_stream("libx264", rate=FPS)
        picture.width = picture.height = 96
        picture.pix_fmt = "yuv420p"
        sound = container.add_stream("aac", rate=RATE_HZ, layout="mono")
        for image in moving(frames, 96):
            container.mux(picture.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")))
        container.mux(picture.encode())
        samples = np.sin(np.arange(round(sound_s * RATE_HZ)) / 9).astype(np.float32)[None]
        heard = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
        heard.sample_rate = RATE_HZ
        container.mux(sound.encode(heard))
        container.mux(sound.encode())
    return path


@pytest.mark.parametrize(("sound_s", "said"), [(1.0, 0), (1.0 + SOUND_APART_S / 2, 0), (0.3, 2), (2.0, 2)])
def test_sound_that_ends_elsewhere_than_the_picture_is_named_where_it_is_heard(tmp_path, sound_s, said):
    path = write(tmp_path / "a.mp4", frames=FPS, sound_s=sound_s)
    notes = thgeval.score(path, path, metrics=["psnr", "sync-envelope"]).clips[0].notes
    ends = [note for note in notes if "its sound after" in note]
    assert len(ends) == said
    assert all(note.startswith("a, ") and "its picture ends after 1.00 s" in note for note in ends)
    assert not any("its sound" in note for note in thgeval.score(path, path, metrics="psnr").clips[0].notes)


def test_sound_of_a_file_beside_the_clip_is_not_that_of_the_clip(tmp_path):
    clip = Clip("a", write(tmp_path / "a.mp4", frames=FPS, sound_s=0.3))
    with decode(clip, chunk=8) as decoder:
        assert len(list(of_sound(Pair("a", clip), decoder, reference=False))) == 1
        assert not list(of_sound(Pair("a", clip, audio=tmp_path / "b.wav"), decoder, reference=False))
