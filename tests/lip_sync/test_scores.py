"""The three scores from frames and sound to numbers: against a slow twin, and on clips that are hard to score."""

import math
from fractions import Fraction

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")
from lip_sync.conftest import face_like, in_memory, speech_like
from oracles import syncnet as oracle
from support import random_weights
from support.clips import written_at
from support.tolerances import agree

from thgeval import registry
from thgeval.clip import Clip, Pair
from thgeval.engine.measure import measured
from thgeval.engine.plan import plan
from thgeval.engine.workers import Cores
from thgeval.features.sync import syncnet as features
from thgeval.media import write_video
from thgeval.protocol import Protocol

pytestmark = pytest.mark.usefixtures("seen_once")
NAMES = ("av-offset", "lse-d", "sync-conf")
PRECROPPED = tuple(f"{name}/precropped" for name in NAMES)


@pytest.fixture(scope="module", autouse=True)
def weights():
    with random_weights.installed(["syncnet-v2", "sfd-face"]):
        yield random_weights.tensors("syncnet-v2")


def outcome(pair, requests=PRECROPPED, *, protocol=None, chunk=4, workers=1):
    named = registry.metrics(list(requests))
    planned = plan(named, [pair])
    assert not planned.unscored, planned.unscored
    with Cores(workers) as cores:
        return cores.occupy(measured, pair, planned, protocol or Protocol(), cores, lambda frames: None, chunk)


def values(pair, requests=PRECROPPED, **settings):
    found = outcome(pair, requests, **settings)
    assert not found.failed, found.failed
    return [registry.metric(key).metric.score(found.states[key]) for key in requests]


def failures(pair, requests=PRECROPPED):
    found = outcome(pair, requests)
    assert not found.states
    (only,) = {(failure.reason, failure.message) for failure in found.failed.values()}
    return only


@pytest.mark.parametrize(("frames", "samples"), [(31, 19840), (12, 12877), (25, 6260), (6, 3840)])
def test_scores_equal_the_slow_twin(weights, wav, frames, samples):
    shown, heard = face_like(frames, seed=frames), speech_like(samples, seed=frames)
    expected = oracle.scores(weights, shown[..., ::-1], heard)
    agree(values(in_memory(shown, wav(heard))), expected, "syncnet scores")


def test_chunks_workers_and_rates_of_the_protocol_do_not_change_a_bit(wav):
    pair = in_memory(face_like(18), wav(speech_like(640 * 18)))
    first = outcome(pair)
    for settings in ({"chunk": 1, "workers": 2}, {"chunk": 18}, {"protocol": Protocol(fps=Fraction(10), size=64)}):
        again = outcome(pair, **settings)
        for key, state in first.states.items():
            assert again.states[key].record("a").values.tobytes() == state.record("a").values.tobytes()


def test_there_is_a_value_for_each_of_n_minus_5_windows(wav):
    state = outcome(in_memory(face_like(20), wav(speech_like(640 * 20)))).states["sync-conf/precropped"]
    assert state.record("a").values.shape == (15,)
    assert state.frames == 15
    assert not state.left_out


def test_frames_without_speech_are_left_out_and_counted(wav):
    pair = in_memory(face_like(30), wav(speech_like(640 * 20)))
    state = outcome(pair).states["lse-d/precropped"]
    assert state.frames == 15
    assert state.left_out == {"no speech": 10}
    assert values(pair) == values(in_memory(face_like(30)[:20], wav(speech_like(640 * 20))))


def test_speech_beyond_the_picture_is_not_looked_at(wav):
    shown, heard = face_like(20), speech_like(640 * 40)
    assert values(in_memory(shown, wav(heard))) == values(in_memory(shown, wav(heard[: 640 * 20])))


def test_short_clips_say_what_padding_does_to_them(wav):
    pair = in_memory(face_like(29), wav(speech_like(640 * 29)))
    found = outcome(pair).states["sync-conf/precropped"]
    assert registry.metric("sync-conf/precropped").metric.remark(found) == (
        "1 of 1 tracks have fewer than 100 windows; of the shortest, 24, 32% of what is compared is padding, which "
        "changes its curve"
    )


def test_long_clips_need_no_remark():
    metric = registry.metric("sync-conf").metric
    state = metric._part("a", features.SyncedTrack(0, 105, features.OffsetDistances(np.ones((100, 31)))))
    assert metric.remark(state) is None


@pytest.mark.parametrize("frames", [1, 4, 5])
def test_fewer_than_six_frames_are_too_short(wav, frames):
    reason, message = failures(in_memory(face_like(frames), wav(speech_like(640 * 30))))
    assert reason == "too short"
    assert message == f"SyncNet needs 6 frames of picture with speech; there are {frames}"


def test_too_little_speech_is_too_short(wav):
    reason, message = failures(in_memory(face_like(20), wav(speech_like(640 * 5 + 600))))
    assert (reason, message) == ("too short", "SyncNet needs 6 frames of picture with speech; there are 5")


def test_silence_is_not_scored(wav):
    reason, message = failures(in_memory(face_like(20), wav(np.zeros(640 * 20, np.int16))))
    assert reason == "silent"
    assert message == "its speech is silent from beginning to end; nothing can be in sync with it"


def test_no_sound_is_said_before_anything_is_decoded():
    planned = plan(registry.metrics(list(PRECROPPED)), [in_memory(face_like(20), None)])
    assert planned.unscored["sync-conf/precropped"] == (
        "sync-conf needs sound (sync-conf <- syncnet <- pcm <- speech <- sound); a has no sound (frames alone have "
        "none)"
    )


def test_a_file_without_an_audio_track_fails_with_that(tmp_path):
    path = tmp_path / "mute.mp4"
    write_video(path, face_like(10), fps=25)
    reason, message = failures(Pair("a", Clip("a", path)))
    assert reason == "no audio"
    assert "it has no audio track; name the file of its speech" in message


@pytest.mark.parametrize("rate_hz", [8000, 16000, 44100, 48000])
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_sound_of_any_rate_and_layout_is_scored_alike(wav, rate_hz, channels):
    t = np.arange(rate_hz) / rate_hz
    tone = (8000 * np.sin(2 * np.pi * (200 + 800 * t) * t)).astype(np.int16)
    pair = in_memory(face_like(9), wav(np.repeat(tone[:, None], channels, axis=1), rate_hz))
    expected = values(in_memory(face_like(9), wav(np.repeat(tone[:, None], 1, axis=1), rate_hz)))
    np.testing.assert_allclose(values(pair), expected, rtol=0.02)


@pytest.mark.parametrize(
    ("fps", "shown"), [(Fraction(24000, 1001), 26), (Fraction(30000, 1001), 21), (50, 13), (10, 63)]
)
def test_other_rates_are_brought_to_25_unless_taken_as_they_are(wav, fps, shown):
    pair = in_memory(face_like(25), wav(speech_like(640 * 70)), fps)
    assert outcome(pair).states["lse-d/precropped"].frames == shown - 5
    assert outcome(pair, ["lse-d/wav2lip-lrs"]).states["lse-d/wav2lip-lrs"].frames == 20


def test_frames_at_uneven_times_are_shown_when_their_clock_says(tmp_path, wav):
    """A file of variable rate equals the frames that stand on the screen every 40 ms."""
    frames, shown_ms = face_like(14), [0, 40, 120, 160, 280, 320, 360, 480, 520, 600, 640, 760, 800, 840]
    path = written_at(tmp_path / "uneven.mkv", frames, shown_ms, Fraction(1, 1000))
    heard = wav(speech_like(640 * 21))
    standing = [max(i for i, at in enumerate(shown_ms) if at <= 40 * tick) for tick in range(22)]
    assert values(Pair("a", Clip("a", path), audio=heard)) == values(in_memory(frames[standing], heard))


def test_frames_without_a_rate_are_only_taken_as_they_are(wav):
    pair = in_memory(face_like(25), wav(speech_like(640 * 25)), None)
    assert failures(pair)[0] == "no frame rate"
    assert math.isfinite(values(pair, ["lse-d/wav2lip-lrs"])[0])


@pytest.mark.parametrize("start_s", [-0.4, 0.4])
def test_sound_that_starts_early_or_late_is_placed_by_the_clock(tmp_path, wav, start_s):
    """AAC changes the sound, so that distances differ a little; from a misplaced sound they differ far more."""
    heard = speech_like(640 * 40)
    path = tmp_path / "clip.mkv"
    sound = heard.astype(np.float32) / 32768
    write_video(path, face_like(30), fps=25, audio=sound, rate_hz=16000, audio_start_s=start_s)

    def distances(pair):
        return outcome(pair, ["lse-d/precropped"]).states["lse-d/precropped"].record("a").values

    own = distances(Pair("a", Clip("a", path)))
    placed = heard[6400:] if start_s < 0 else np.concatenate([np.zeros(6400, np.int16), heard])
    right, wrong = (distances(Pair("a", Clip("a", path), audio=wav(sound))) for sound in (placed, heard))
    assert np.abs(own - right).mean() < 0.3 * np.abs(own - wrong).mean()


def test_delaying_the_sound_lowers_the_offset(weights, monkeypatch, wav):
    """With lips that say the speech's embeddings ahead of time, the offset is how far they were moved."""
    heard = speech_like(640 * 80)
    rows = features._speech(features.mel.mfcc(heard), 75)
    for delay in (-7, 0, 4):
        sound = np.concatenate([np.zeros(max(640 * delay, 0), np.int16), heard[max(-640 * delay, 0) :]])[: 640 * 70]
        (synced,) = features.syncnet().compute((features.LipWindows(0, 70, rows[:66]),), sound)
        assert synced.alignment.offset == -delay
        assert synced.alignment.windows == 65
        assert synced.alignment.distances.shape == (65, 31)


def test_a_first_version_of_the_weights_is_refused_by_name(weights):
    from thgeval import networks
    from thgeval.errors import WeightsError
    from thgeval.networks import memory
    from thgeval.requirements.weights import allowed, folder, policy

    wide = weights | {"netfcaud.0.weight": torch.zeros(2048, 512), "netfcaud.0.bias": torch.zeros(2048)}
    file = folder() / "syncnet_v2.model"
    kept = file.read_bytes()
    random_weights.save(wide, file)
    try:
        with (
            allowed(policy()),
            memory.apart(),
            pytest.raises(WeightsError, match=r"SyncNet's first version, 2048 wide; syncnet_v2\.model is 512 wide"),
        ):
            networks.published("syncnet-v2")
    finally:
        file.unlink()
        file.write_bytes(kept)


def seen_by(scenes, cuts):
    """Cut where it was said, rather than where the picture changes."""
    scenes.cuts.extend({scenes.frames} & {*cuts})
    scenes.frames += 1


def tracked(monkeypatch, boxes, cuts=()):
    """Faces as if S3FD had found them."""
    monkeypatch.setattr(features._Scenes, "see", lambda self, frame: seen_by(self, cuts))
    seen = iter(boxes)
    monkeypatch.setattr(features, "s3fd_boxes", lambda detector, frame: np.array(next(seen), float).reshape(-1, 4))


TRACKED = ("av-offset:min_track=20", "lse-d:min_track=20", "sync-conf:min_track=20")


def test_a_tracked_face_equals_the_twin(weights, wav, monkeypatch):
    shown, heard = face_like(28, height=260, width=300), speech_like(640 * 28)
    boxes = [[(60 + i, 50.5, 170 + i, 170 + i / 2)] for i in range(28)]
    tracked(monkeypatch, boxes)
    x, y, s = (
        oracle.median_13(series)
        for series in zip(*(((a + c) / 2, (b + d) / 2, max(c - a, d - b) / 2) for [(a, b, c, d)] in boxes), strict=True)
    )
    crops = np.stack([oracle.crop(f[..., ::-1], *place) for f, *place in zip(shown, x, y, s, strict=True)])
    expected = oracle.scores(weights, crops, heard)
    agree(values(in_memory(shown, wav(heard)), TRACKED), expected, "syncnet scores")


LEFT, RIGHT = (10, 20, 120, 135), (180, 20, 290, 135)


def test_two_speakers_are_two_tracks(weights, wav, monkeypatch):
    shown, heard = face_like(22, height=220, width=340), speech_like(640 * 22)
    alone = []
    for face in (LEFT, RIGHT):
        tracked(monkeypatch, [[face]] * 22)
        alone.append(values(in_memory(shown, wav(heard)), TRACKED))
    tracked(monkeypatch, [[LEFT, RIGHT]] * 22)
    both = values(in_memory(shown, wav(heard)), TRACKED)
    np.testing.assert_allclose(both, np.mean(alone, axis=0), rtol=1e-6)
    tracked(monkeypatch, [[LEFT, RIGHT]] * 22)
    best = [f"{request},tracks=best" for request in TRACKED]
    offset, distance, confidence = values(in_memory(shown, wav(heard)), best)
    surest = int(np.argmax([one[2] for one in alone]))
    assert (offset, confidence) == pytest.approx((alone[surest][0], alone[surest][2]))
    assert distance == pytest.approx(min(one[1] for one in alone))


def test_a_cut_ends_a_track_and_speech_follows_it(weights, wav, monkeypatch):
    shown, heard = face_like(45, height=220, width=340), speech_like(640 * 45)
    tracked(monkeypatch, [[LEFT]] * 45, cuts=(23,))
    state = outcome(in_memory(shown, wav(heard)), TRACKED).states[TRACKED[1]]
    first, second = state.parts["a"]
    assert (first.start, len(first.values), second.start, len(second.values)) == (0, 18, 23, 17)
    tracked(monkeypatch, [[LEFT]] * 22)
    after = outcome(in_memory(shown[23:], wav(heard[640 * 23 :])), TRACKED).states[TRACKED[1]].record("a").values
    np.testing.assert_allclose(second.values, after, rtol=1e-6)


def test_a_track_after_the_end_of_the_speech_is_counted(wav, monkeypatch):
    shown, heard = face_like(60, height=220, width=340), speech_like(640 * 30)
    tracked(monkeypatch, [[LEFT]] * 60, cuts=(32,))
    state = outcome(in_memory(shown, wav(heard)), TRACKED).states[TRACKED[0]]
    assert state.left_out == {"no speech": 2 + 23}
    assert state.windows == (25,)


SHORT = "a: no face is seen in more than 20 frames of one scene; there are 30 frames, 0 cuts and 15 frames with a face"


@pytest.mark.parametrize(
    ("boxes", "reason", "sentence"),
    [
        ([[]] * 30, "no face", "a: no face is found in any of its 30 frames"),
        (
            [[LEFT]] * 15 + [[]] * 15,
            "short track",
            SHORT,
        ),
        ([[(0, 0, 60, 70)]] * 30, "small face", "a: its largest tracked face measures 70 px, and must exceed 100"),
    ],
)
def test_clips_without_a_track_say_why(wav, monkeypatch, boxes, reason, sentence):
    tracked(monkeypatch, boxes)
    assert failures(in_memory(face_like(30), wav(speech_like(640 * 30))), TRACKED) == (reason, sentence)


def test_latentsync_cuts_the_mean_offset():
    metric = registry.metric("av-offset/latentsync").metric
    curves = []
    for offset in (-3, 0):
        distances = np.ones((12, 31))
        distances[:, 15 - offset] = 0.5
        curves.append(features.SyncedTrack(0, 17, features.OffsetDistances(distances)))

    assert metric.score(metric.measure(Seen(curves))) == -1.0
    plain = registry.metric("av-offset").metric
    assert plain.score(plain.measure(Seen(curves))) == -1.5


class Seen:
    """A view that hands out the same tracks to any metric."""

    clip = "a"

    def __init__(self, tracks):
        self.generated = self
        self._tracks = tuple(tracks)

    def __getitem__(self, feature):
        return self._tracks


def test_fields_that_would_do_nothing_are_refused():
    from thgeval.errors import ProtocolError

    with pytest.raises(ProtocolError, match="clock and resize are for face=whole-frame alone"):
        registry.metric("lse-d:clock=native")
    with pytest.raises(ProtocolError, match="every must be at least 1 and at most 25, not 26"):
        registry.metric("lse-d:every=26")
    with pytest.raises(ProtocolError, match="every, min_track and tracker are for face=s3fd alone"):
        registry.metric("lse-d/precropped:tracker=first")
    with pytest.raises(ProtocolError, match="route must be one of direct, jpeg where face=whole-frame, not 'avi'"):
        registry.metric("lse-d/precropped:route=avi")
    assert (
        registry.metric("lse-c").key == registry.metric("sync-c").key == registry.metric("av-conf").key == "sync-conf"
    )
    assert registry.metric("sync-d/eat").key == "lse-d/eat"


def test_the_lossy_route_delays_both_and_loses_a_little(wav, monkeypatch):
    """The picture comes two frames late; nothing is tracked beyond the frames that video.avi has."""
    shown, heard = face_like(40, height=220, width=340), speech_like(640 * 40)
    found = {}
    for route, delay in (("direct", 0), ("avi", 2), ("avi-pictures", 0)):  # frames in memory have no sound of their own
        tracked(monkeypatch, [[LEFT]] * (40 + delay))
        run = outcome(in_memory(shown, wav(heard)), [f"{TRACKED[1]},route={route}"])
        assert not run.failed
        (state,) = run.states.values()
        found[route] = state.record("a").values
        assert len(found[route]) == 35
        assert np.isfinite(found[route]).all()
    assert np.abs(found["avi"] - found["direct"]).max() > 1e-3
    assert np.abs(found["avi-pictures"] - found["direct"]).max() > 1e-3


@pytest.mark.parametrize("preset", ["wav2lip-lrs", "eat"])
def test_whole_frames_go_through_jpegs(weights, wav, preset):
    """Against the twin on JPEGs: scaled after them by OpenCV, or before them by ffmpeg's bicubic."""
    import av

    from thgeval.features.sync.avi_route import jpegs

    shown, heard = face_like(14, height=240, width=256), speech_like(640 * 14)
    coded = [av.VideoFrame.from_ndarray(frame, "rgb24") for frame in shown]
    side = 224 if preset == "eat" else None
    seen = np.stack([cv2.resize(frame, (224, 224)) for frame in jpegs(coded, finest=False, side_px=side)])
    requests = [f"{name}/{preset}" for name in NAMES]
    found = values(in_memory(shown, wav(heard)), requests)
    np.testing.assert_allclose(found, oracle.scores(weights, seen, heard), rtol=0, atol=1e-4)
    straight = [registry.metric(f"{request}:route=direct").key for request in requests]
    assert np.abs(np.subtract(values(in_memory(shown, wav(heard)), straight), found)[1]) > 1e-4


def test_absolute_offsets_do_not_cancel():
    curves = []
    for offset in (-4, 5):
        distances = np.ones((12, 31))
        distances[:, 15 - offset] = 0.5
        curves.append(features.SyncedTrack(0, 17, features.OffsetDistances(distances)))
    signed, absolute = (registry.metric(request).metric for request in ("av-offset", "av-offset/absolute"))
    early, late = (
        [metric.measure(Seen([curve])).renamed(name) for curve, name in zip(curves, "ab", strict=True)]
        for metric in (signed, absolute)
    )
    assert signed.score(early[0] + early[1]) == 0.5
    assert absolute.score(late[0] + late[1]) == 4.5
    assert absolute.score(absolute.measure(Seen(curves))) == 4.5
    whole = registry.metric("av-offset/latentsync:absolute=yes").metric
    assert whole.score(whole.measure(Seen(curves))) == 0


def test_shifts_that_are_all_alike_have_no_confidence_and_never_less():
    metric = registry.metric("sync-conf").metric
    alike = features.OffsetDistances(np.full((10, 31), 0.1))
    assert alike.confidences.mean() < 0
    assert metric.score(metric.measure(Seen([features.SyncedTrack(0, 15, alike)]))) == 0
    assert math.isnan(metric.score(metric.measure(Seen([features.SyncedTrack(0, 15, None)]))))


def test_no_offset_is_beyond_the_furthest_shift():
    assert registry.metric("av-offset").metric.range == (-15.0, 15.0)
    assert registry.metric("av-offset:furthest=7").metric.range == (-7.0, 7.0)
    assert registry.metric("av-offset/absolute").metric.range == (0.0, 15.0)


def test_results_hold_notes_coverage_and_states_that_come_back(wav, tmp_path):
    import pickle

    from thgeval.engine.run import Options, execute
    from thgeval.pairing import Pairing
    from thgeval.requirements.weights import Policy
    from thgeval.states import checkpoint
    from thgeval.states.checkpoint import Checkpoint, Kept

    good = in_memory(face_like(20), wav(speech_like(640 * 20)))
    short = Pair("b", good.generated, audio=wav(speech_like(640 * 2)))
    options = Options(weights=Policy(unverified=True))
    run = execute(Pairing((good, short), ()), list(PRECROPPED), "native", options)
    for request in PRECROPPED:
        score = run[request]
        assert (score.clips, score.frames, score.left_out) == (1, 15, {"too short": 1})
        assert score.note.startswith("1 of 1 tracks have fewer than 100 windows")
        assert "|face:whole-frame|min_track:100|every:1|tracker:any|tracks:mean|" in score.signature
        assert "|pcm@1|" in score.signature
    assert float(run["av-offset/precropped"].value).is_integer()
    state = outcome(good).states["sync-conf/precropped"]
    checkpoint.save(tmp_path / "a.npz", Checkpoint("a", {}, "", {"m": Kept("p", state)}))
    metric = registry.metric("sync-conf/precropped").metric
    for again in (checkpoint.load(tmp_path / "a.npz").kept["m"].state, pickle.loads(pickle.dumps(state))):
        assert metric.score(again) == metric.score(state)
    assert math.isnan(metric.score(state.only([])))
    two = state.renamed("x") + state.renamed("y")
    assert metric.score(two) == metric.score(state)


def test_tracks_count_alike_within_a_clip_or_over_all():
    from thgeval.states import Part, PooledTracks, TrackMean

    parts = {
        "a": (Part(0, np.array([1.0, 3.0])), Part(0, np.array([6.0] * 5)), Part(9, np.array([np.nan]), {"x": (0,)})),
        "b": (Part(0, np.array([10.0])),),
    }
    assert TrackMean(parts).value == (4 + 10) / 2
    assert PooledTracks(parts).value == (2 + 6 + 10) / 3
    assert TrackMean(parts).windows == (2, 5, 1)
    assert TrackMean(parts).frames == 8
