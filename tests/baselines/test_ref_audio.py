"""``ref-audio``: speech in, the mouth that says it out."""

import runpy
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest
from PIL import Image

from thgeval.errors import InputError, MissingExtra, ProtocolError
from thgeval_baselines.contamination import contaminated
from thgeval_baselines.generator import Inputs
from thgeval_baselines.generators.audio import Audio
from thgeval_baselines.sets.synth import head_of, rest
from thgeval_baselines.speech import listening
from thgeval_baselines.speech.lips import closures, closures_met, mouth
from thgeval_baselines.speech.sound import windows
from thgeval_baselines.speech.utterances import chained, utterance
from thgeval_baselines.speech.visemes import Phone

SENTENCE = chained([utterance("e08")], seconds=5.0)
TRAINING = Path(__file__).parents[2] / "baselines" / "training" / "train_audio.py"
CARD = TRAINING.with_name("ref_audio.md")


def sound_file(
    path: Path, samples: np.ndarray, *, rate_hz: int = 16000, layout: str = "mono", codec: str = "pcm_s16le"
) -> Path:
    """Samples at 16 kHz as a file of another rate and layout, the same in every channel."""
    into = av.AudioResampler(format="s16", layout=layout, rate=rate_hz)
    frame = av.AudioFrame.from_ndarray(np.rint(samples[None] * 32767).astype("<i2"), format="s16", layout="mono")
    frame.sample_rate = 16000
    with av.open(str(path), "w") as container:
        track = container.add_stream(codec, rate=rate_hz, layout=layout)
        for part in (*into.resample(frame), *into.resample(None)):
            container.mux(track.encode(part))
        container.mux(track.encode(None))
    return path


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sound_file(tmp_path_factory.mktemp("sound") / "e08.wav", SENTENCE.samples)


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("dlib")
    path = tmp_path_factory.mktemp("portrait") / "s1.png"
    Image.fromarray(head_of(0, seed=0).frame(rest(own=False))).save(path)
    return path


def test_lips_follow_a_voice_that_trained_nothing_and_meet_where_it_closes_them(spoken: Path) -> None:
    pytest.importorskip("pocketsphinx")
    seen = listening.listened(spoken, fps=25.0, frames=None)
    assert len(seen.aperture) == len(seen.rounding) == 125
    true, spans = mouth(SENTENCE.phones, fps=25, frames=125).aperture, closures(SENTENCE.phones)
    assert np.corrcoef(seen.aperture, true)[0, 1] > 0.6
    followed = [np.corrcoef(true[4:-4], seen.aperture[4 + late : 121 + late])[0, 1] for late in range(-4, 5)]
    assert abs(int(np.argmax(followed)) - 4) <= 1
    met = closures_met(true, spans, fps=25)
    assert closures_met(seen.aperture, spans, fps=25)[met].mean() >= 0.6
    later = closures_met(np.roll(seen.aperture, 12), spans, fps=25)[met].mean()
    assert later < closures_met(seen.aperture, spans, fps=25)[met].mean()


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("stereo.wav", {"rate_hz": 44100, "layout": "stereo"}),
        ("surround.flac", {"rate_hz": 48000, "layout": "5.1", "codec": "flac"}),
        ("aac.m4a", {"rate_hz": 48000, "layout": "stereo", "codec": "aac"}),
    ],
)
def test_other_rates_and_channels_move_the_lips_alike(spoken: Path, tmp_path: Path, name: str, settings: dict) -> None:
    pytest.importorskip("pocketsphinx")
    plain = listening.listened(spoken, fps=25.0, frames=125).aperture
    other = listening.listened(sound_file(tmp_path / name, SENTENCE.samples, **settings), fps=25.0, frames=125).aperture
    assert np.corrcoef(plain, other)[0, 1] > 0.85


def test_long_sound_is_read_in_windows_that_together_hold_it_once(tmp_path: Path) -> None:
    samples = np.random.default_rng(0).uniform(-0.5, 0.5, 50 * 16000 + 123).astype(np.float32)
    path = sound_file(tmp_path / "long.wav", samples)
    parts = list(windows(path))
    assert [len(part.samples) for part in parts] == [21 * 16000, 22 * 16000, 11 * 16000 + 123]
    own = [part.samples[part.before : len(part.samples) - part.after] for part in parts]
    assert np.allclose(np.concatenate(own), samples, atol=1e-3)
    assert listening.voice_of(columns[core] for _, columns, core in listening._windows(path)).columns == 5000


def test_a_window_s_edge_leaves_the_lips_as_they_are(
    spoken: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pocketsphinx")
    whole = listening.listened(spoken, fps=25.0, frames=125).aperture
    monkeypatch.setattr(listening, "windows", lambda path: windows(path, core=2 * 16000))
    assert np.corrcoef(listening.listened(spoken, fps=25.0, frames=125).aperture, whole)[0, 1] > 0.9


def test_lips_shut_where_an_m_is_heard_whatever_the_network_makes_of_it() -> None:
    columns = np.random.default_rng(3).normal(size=(60, listening.BANDS)).astype(np.float32)
    voice, phones = listening.voice_of([columns]), (Phone("AA", 0.0, 0.3), Phone("M", 0.3, 0.4), Phone("AA", 0.4, 0.6))
    plain = listening.network(listening.features(columns, phones, voice), listening.weights())
    plain[:, 2] = -listening.SURE
    heard = listening.outputs_of(columns, phones, voice, listening.weights())
    ((start_s, end_s),) = closures(phones)
    shut = slice(round(start_s / listening.COLUMN_S), round(end_s / listening.COLUMN_S))
    assert (heard[shut, 2] == listening.SURE).all()
    assert np.array_equal(heard[:, :2], plain[:, :2])
    levels = np.zeros(60, np.float32)
    one, other = (listening.shown(each, levels, voice, fps=50, frames=30).aperture for each in (heard, plain))
    assert not one[16:17].any()
    assert other[16] > 0


def test_the_mouth_is_still_in_silence_and_after_the_sound(spoken: Path, tmp_path: Path) -> None:
    for level in (0, 5e-5):
        silence = np.random.default_rng(1).uniform(-level, level, 16000).astype(np.float32)
        seen = listening.listened(sound_file(tmp_path / f"{level}.wav", silence), fps=25.0, frames=None)
        assert len(seen.aperture) == 25
        assert not seen.aperture.any()
        assert not seen.rounding.any()
    pytest.importorskip("pocketsphinx")
    seen = listening.listened(spoken, fps=25.0, frames=150)
    assert not seen.aperture[126:].any()
    assert not seen.rounding[126:].any()
    cut = listening.listened(spoken, fps=25.0, frames=40)
    assert np.array_equal(cut.aperture, seen.aperture[:40])


@pytest.mark.parametrize("samples", [1, 30, 200, 1000])
def test_sound_of_hardly_any_length_is_spoken(tmp_path: Path, samples: int) -> None:
    pytest.importorskip("pocketsphinx")
    noise = np.random.default_rng(2).uniform(-0.5, 0.5, samples).astype(np.float32)
    seen = listening.listened(sound_file(tmp_path / "short.wav", noise), fps=25.0, frames=None)
    assert np.isfinite(seen.aperture).all()
    assert len(seen.aperture) >= 1


def test_what_is_no_sound_is_said(image: Path, tmp_path: Path) -> None:
    (tmp_path / "words.wav").write_text("no sound")
    (tmp_path / "empty.wav").write_bytes(sound_file(tmp_path / "one.wav", np.zeros(100, np.float32)).read_bytes()[:44])
    for path, says in (
        (tmp_path / "words.wav", r"words\.wav can't be read as sound"),
        (tmp_path / "missing.wav", r"missing\.wav can't be read as sound"),
        (image, r"s1\.png has no sound, give speech"),
        (tmp_path / "empty.wav", r"empty\.wav"),
    ):
        with pytest.raises(InputError, match=says):
            Audio().generate(Inputs("one", source_image=image, audio=path), seed=0, fitted=None)
    with pytest.raises(InputError, match="one has no audio to speak"):
        Audio().generate(Inputs("one", source_image=image), seed=0, fitted=None)


def test_the_same_seed_makes_the_same_frames_and_another_only_moves_the_head(image: Path, spoken: Path) -> None:
    pytest.importorskip("pocketsphinx")
    inputs = Inputs("one", frames=20, size=(200, 256), source_image=image, audio=spoken, fps=Fraction(30))
    made = [Audio().generate(inputs, seed=seed, fitted=None) for seed in (3, 3, 4)]
    first, again, other = (np.stack(list(each.frames)) for each in made)
    assert first.shape == (20, 200, 256, 3)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert made[0].evidence == made[2].evidence
    assert made[0].evidence["curves.csv"].decode().splitlines()[0] == "aperture,rounding"
    assert len(made[0].evidence["curves.csv"].decode().splitlines()) == 21
    assert made[0].sound is None


def test_what_is_missing_is_named_and_nothing_stands_in_for_it(
    image: Path, spoken: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as without:
        without.setattr("thgeval_baselines.generators.talking.find_spec", lambda name: None)
        assert [line.partition(" (")[0] for line in Audio().problems()] == [
            "it needs dlib: pip install '.[faces]'",
            "it needs pocketsphinx: pip install '.[speech]'",
        ]
    monkeypatch.setattr("thgeval_baselines.speech.hearing.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match="speech"):
        Audio().generate(Inputs("one", source_image=image, audio=spoken), seed=0, fitted=None)


def test_weights_are_those_of_the_card_and_others_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert listening.SHA256 in CARD.read_text(encoding="utf-8")
    assert {tensor.dtype for tensor in listening.weights().values()} == {np.dtype(np.float32)}
    listening.weights.cache_clear()
    monkeypatch.setattr(listening, "SHA256", "0" * 64)
    with pytest.raises(ProtocolError, match=r"ref_audio\.npz of thgeval_baselines is not what was published"):
        listening.weights()


def test_numpy_computes_what_torch_trained() -> None:
    torch = pytest.importorskip("torch")
    script = SimpleNamespace(**runpy.run_path(str(TRAINING)))
    network = script.Trained().eval()
    network.load_state_dict({name: torch.from_numpy(tensor) for name, tensor in listening.weights().items()})
    seen = np.random.default_rng(0).normal(size=(90, listening.BANDS + len(listening.ALONG))).astype(np.float32)
    with torch.no_grad():
        expected = network(torch.from_numpy(seen.T[None]))[0].numpy().T
    np.testing.assert_allclose(listening.network(seen, listening.weights()), expected, atol=2e-4)


def test_closures_of_grid_are_where_its_words_have_them(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    script = SimpleNamespace(**runpy.run_path(str(TRAINING)))
    rows = [
        "clip\tstart\tend\tword",
        "a\t0\t25000\tsil",
        "a\t25000\t30000\tbin",
        "a\t30000\t40000\tm",
        "b\t0\t9\twhite",
    ]
    (tmp_path / "align.tsv").write_text("\n".join(rows))
    spans = script.shut(tmp_path / "align.tsv")
    assert np.allclose(spans["a"], [(0.98, 1.06), (1.52, 1.6)])
    assert spans["b"].shape == (0, 2)


def test_what_it_learnt_from_is_marked() -> None:
    said = " ".join(contaminated(Audio.trained_on, None, Audio.id))
    assert "the 177 clips of GRID s1 that trained ref-audio" in said
    assert "wer" in said
    assert "sync-lm" not in said.replace("none of which trained sync-lm", "")
