"""wer and cer: counting against a plain table of edits, what stands beside, bad transcripts, real readers."""

import json
import re
import sys
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles.edits import edits
from support.clips import moving, write_clip

import thgeval
from thgeval.engine.run import Options, execute
from thgeval.errors import InputError, ProtocolError
from thgeval.features.faces.lips import at_25_hz
from thgeval.features.frames.frames import Shown, shown
from thgeval.features.words import grid_reading, pocketsphinx, whisper
from thgeval.features.words.reading import READERS, alignment, compared
from thgeval.media.frames import FrameBatch
from thgeval.pairing import paired
from thgeval.pairing.transcript_rules import TranscriptRule
from thgeval.registry import metric
from thgeval.requirements import programs
from thgeval.states import Counts

pytest.importorskip("jiwer")
CLIPS = Path(__file__).resolve().parents[3] / ".." / "shared" / "assets" / "clips"
GRID = {"brbk7n": "bin red by k seven now", "lbax4n": "lay blue at x four now", "swiz3n": "set white in z three now"}
WORD = st.sampled_from(["a", "ab", "b", "\u00e9t\u00e9", "it's"])
FAKE = "wer:reader=checkout,model=fake"


@given(st.lists(WORD, min_size=1, max_size=7), st.lists(WORD, max_size=7))
def test_errors_are_the_fewest_edits(wanted, found):
    by_words = compared(" ".join(wanted), " ".join(found), "words")
    assert (by_words.errors, by_words.said) == (edits(wanted, found), len(wanted))
    by_letters = compared(" ".join(wanted), " ".join(found), "characters")
    assert by_letters.errors == edits(" ".join(wanted), " ".join(found))
    assert by_letters.said == len(" ".join(wanted))


def test_the_alignment_is_shown():
    shown = compared("bin blue at f two now", "bin red at two two two now", "words").shown
    assert shown.splitlines()[0].split()[:3] == ["REF:", "bin", "blue"]
    assert len(shown.splitlines()) == 3


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """Two pairs of clips, and a reader that reads what stands in CLIP.read beside each."""
    monkeypatch.setenv("THGEVAL_HOME", str(tmp_path / "home"))
    place = programs.folder("fake")
    place.mkdir(parents=True)
    (place / "read.py").write_text(
        "import json, pathlib, sys\n"
        "text = pathlib.Path(sys.argv[1]).with_suffix('.read').read_text()\n"
        "pathlib.Path(sys.argv[2]).write_text(json.dumps({'text': text}))\n"
    )
    command = [sys.executable, "read.py", "{clip}", "{out}"]
    (place / programs.RECIPE).write_text(f"command = {json.dumps(command)}")
    texts = {"a": ("one two three four", "One, two THREE!", "one two three four"), "b": ("five", "six seven", "six")}
    made = [tmp_path / side for side in ("generated", "reference")]
    for folder in made:
        folder.mkdir()
    for name, (said, *reads) in texts.items():
        (made[0] / f"{name}.txt").write_text(said)
        for folder, read in zip(made, reads, strict=True):
            write_clip(folder / f"{name}.mp4", moving(3))
            (folder / f"{name}.read").write_text(read)
    return made


def run(folders, *requests, **options):
    return thgeval.evaluate(*folders, metrics=requests, options=Options(workers=1, **options))


def test_all_errors_over_all_words_with_the_references_beside(folders):
    done = run(folders, FAKE, FAKE + ",average=clip-mean", "cer" + FAKE[3:])
    corpus, means, letters = done.scores.values()
    assert corpus.value == pytest.approx((1 + 2) / (4 + 1))
    assert corpus.reference.value == pytest.approx((0 + 1) / (4 + 1))
    assert means.value == pytest.approx((1 / 4 + 2 / 1) / 2)
    expected = [("one two three four", "one two three"), ("five", "six seven")]
    assert letters.value == pytest.approx(sum(edits(*pair) for pair in expected) / (18 + 4))
    assert f"checkout-reading@1:fake,{programs.token('fake')}" in corpus.signature


def test_aligned_words_are_in_the_clip_records(folders):
    first = run(folders, FAKE).clips[0]
    assert first.details[metric(FAKE).key].splitlines() == [
        "REF: one two three four",
        "HYP: one two three ****",
        "                      D",
    ]


def test_details_survive_resuming(folders, tmp_path):
    out = tmp_path / "run.json"
    first = run(folders, FAKE, out=out)
    first.write(out)
    (folders[0] / "a.read").unlink()  # what was kept is not read again
    again = run(folders, FAKE, out=out)
    assert again.clips[0].details == first.clips[0].details


def test_other_words_are_measured_again(folders):
    pairing = paired(*folders)
    rules = [TranscriptRule(re.compile("(.*)"), (1,), ({"a": text},)) for text in ("one two", "one two three")]
    options = Options(workers=1, cache="read-write")
    clips = [execute(pairing.saying(rule), [FAKE], "native", options).clips[0] for rule in rules]
    assert [next(iter(clip.scores.values())) for clip in clips] == [0.5, 0.0]


def test_verbatim_text_keeps_case_and_punctuation(folders):
    score = next(iter(run(folders, FAKE + ",text=verbatim").scores.values()))
    assert score.value == pytest.approx((3 + 2) / (4 + 1))


@pytest.mark.parametrize(
    ("text", "reason"),
    [(b"", "empty transcript"), (b" ...!? ", "empty transcript"), (b"\xff\xfe", "unreadable transcript")],
)
def test_a_transcript_without_words_leaves_the_clip_out(text, reason, folders):
    (folders[0] / "a.txt").write_bytes(text)
    done = run(folders, FAKE)
    (score,) = done.scores.values()
    assert score.left_out == {reason: 1}
    assert score.clips == 1
    assert done.clips[0].failed[score.key].message


def test_a_silent_reader_misses_every_word(folders):
    (folders[0] / "a.read").write_text("")
    assert run(folders, FAKE).clips[0].scores[metric(FAKE).key] == 1.0


def test_no_transcript_is_a_need_that_is_not_met(folders):
    for path in folders[0].glob("*.txt"):
        path.unlink()
    (score,) = run(folders, FAKE).scores.values()
    assert score.unscored.endswith("(a CLIP.txt or CLIP.align beside it, or --transcripts)")


def test_readers_take_a_model_or_none():
    with pytest.raises(ProtocolError, match="the reader checkout needs the name of a model"):
        metric("wer:reader=checkout")
    with pytest.raises(ProtocolError, match="takes no model"):
        metric("wer:reader=pocketsphinx,model=en")
    with pytest.raises(ProtocolError, match="reader must be one of"):
        metric("wer:reader=me")
    with pytest.raises(ProtocolError, match="not the name of a folder"):
        metric("wer:reader=transformers-whisper,model=openai/whisper-tiny")


def test_the_grid_readers_limits_stand_beside_its_number():
    assert "GRID alone" in metric("wer/grid-landmarks").metric.remark(Counts())
    assert "9 % word errors" in READERS["grid-landmarks"].note


@pytest.mark.parametrize(
    "read", ["\u4eca\u5929\u5929\u6c14\u5f88\u597d\u6211\u4eec\u53bb\u5427", "\u4eca\u5929\u5929\u6c14", ""]
)
def test_words_of_a_script_without_spaces_are_told_to_use_cer(folders, read):
    (folders[0] / "a.txt").write_text("\u4eca\u5929\u5929\u6c14\u5f88\u597d\u6211\u4eec\u53bb\u5427", encoding="utf-8")
    (folders[0] / "a.read").write_text(read, encoding="utf-8")
    (words,) = run(folders, FAKE).scores.values()
    assert "1 of 2 transcripts put no spaces between words" in words.note
    assert "use cer" in words.note
    (letters,) = run(folders, FAKE.replace("wer", "cer")).scores.values()
    assert not letters.note


@pytest.mark.parametrize("mark", ["\u00b4", "`", "\u2032", "\u201b", "\u02bb", "\u2019", "\u00ad'", "\ufeff\u2019"])
def test_no_apostrophe_is_an_error(folders, mark):
    (folders[0] / "a.txt").write_text("I don't", encoding="utf-8")
    (folders[0] / "a.read").write_text(f"i don{mark}t", encoding="utf-8")
    done = run(folders, FAKE)
    assert done.clips[0].scores == dict.fromkeys(done.scores, 0.0)


def test_a_single_word_reader_refuses_sentences():
    settings = {"reader": "lrw-mstcn", "model": "none", "text": "plain", "unit": "words"}
    compute = alignment(**settings).compute
    assert compute("ABOUT", "about", **settings).errors == 0
    assert compute("ABOUT", "above", **settings).errors == 1
    with pytest.raises(InputError, match="reads single words; the transcript has 2") as caught:
        compute("about it", "about", **settings)
    assert caught.value.reason == "several words"


@pytest.mark.parametrize(
    ("frames", "lost", "fps", "reason"),
    [(40, 3, 25.0, "face lost"), (40, 0, np.nan, "frame rate unknown"), (12, 0, 25.0, "too short")],
)
def test_clips_that_the_grid_reader_cannot_read(frames, lost, fps, reason):
    points = np.random.default_rng(0).normal(size=(frames, 1, 68, 2)) + 100
    points[:lost] = np.nan
    how = Shown(np.full((frames, 2), 256), np.full(frames, 1 / fps), np.arange(frames) / fps)
    with pytest.raises(InputError) as caught:
        grid_reading.grid_reading().compute(points, how)
    assert caught.value.reason == reason


def test_rates_and_times_are_those_of_the_frames_handed_out():
    frames = np.zeros((3, 2, 2, 3), np.uint8)
    seen = shown.compute(FrameBatch(frames, 255.0, 5, 1, Fraction(30000, 1001)))
    assert 1 / seen.seconds == pytest.approx([29.97, 29.97], abs=1e-3)
    assert seen.times == pytest.approx(np.array([5, 6]) * 1001 / 30000)
    assert np.isnan(shown.compute(FrameBatch(frames, 255.0, 0))[1:]).all()
    stated = FrameBatch(frames, 255.0, 0, 1, Fraction(25), np.array([0.0, 0.9]))
    assert shown.compute(stated).times.tolist() == [0.0, 0.9]


def test_another_rate_is_brought_to_25():
    line = np.tile((np.arange(61, dtype=float) / 60)[:, None, None], (1, 1, 2))  # 1 s at 60 per second
    moved, seen = at_25_hz(line, line[:, 0, 0])
    assert moved[:, 0, 0] == pytest.approx(np.arange(26) / 25)
    assert seen.all()
    assert (at_25_hz(line, np.arange(61) / 25)[0] == line).all()


@pytest.fixture
def real():
    if not all((CLIPS / f"{name}.mpg").exists() for name in GRID):
        pytest.skip("needs ../shared/assets/clips")
    pairing = paired(CLIPS, None, tuple(GRID))
    return pairing.saying(TranscriptRule(re.compile("(.*)"), (1,), (GRID,)))


@pytest.mark.skipif(find_spec("pocketsphinx") is None, reason="pocketsphinx is not installed")
def test_pocketsphinx_on_real_speech(real):
    """13 of 18 words wrong with pocketsphinx 5.1.1, measured once; another release may hear differently."""
    score = execute(real, ["wer/pocketsphinx"], "native", Options(workers=2))["wer/pocketsphinx"]
    assert score.clips == 3
    assert score.value == pytest.approx(13 / 18, abs=2 / 18)


@pytest.mark.skipif(find_spec("dlib") is None, reason="dlib is not installed")
def test_the_grid_reader_on_other_speakers(real):
    """13 of 18 words wrong, as its card says: it hardly reads anybody but the speaker it was trained on."""
    score = execute(real, ["wer/grid-landmarks"], "native", Options(workers=1))["wer/grid-landmarks"]
    if score.unscored:
        pytest.skip(score.unscored)
    assert score.value == pytest.approx(13 / 18, abs=2 / 18)


def test_faster_whisper_gets_a_folder_and_fetches_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("THGEVAL_HOME", str(tmp_path))
    programs.folder("tiny").mkdir(parents=True)
    seen = {}

    class Model:
        def __init__(self, place, **options):
            seen.update(options, place=place)

        def transcribe(self, samples, **options):
            seen.update(options, samples=len(samples))
            return iter([SimpleNamespace(text=" Bin blue"), SimpleNamespace(text=" at F.")]), None

    fake = ModuleType("faster_whisper")
    fake.WhisperModel = Model
    monkeypatch.setitem(sys.modules, "faster_whisper", fake)
    how = {"model": "tiny", "release": "1.1.0"}
    heard = whisper.faster_whisper_hearing(**how).compute(np.zeros(16000, np.float32), **how)
    assert heard == "Bin blue at F."
    assert seen["local_files_only"] is True
    assert seen["place"] == str(tmp_path / "checkouts" / "tiny")
    assert seen["temperature"] == 0.0


def test_transformers_whisper_gets_a_folder_and_fetches_nothing(tmp_path, monkeypatch):
    torch = pytest.importorskip("torch")
    monkeypatch.setenv("THGEVAL_HOME", str(tmp_path))
    programs.folder("small").mkdir(parents=True)
    seen = []

    class Loaded:
        @classmethod
        def from_pretrained(cls, place, *, local_files_only):
            seen.append((place, local_files_only))
            return cls()

        def eval(self):
            return self

        def __call__(self, samples, *, sampling_rate, return_tensors):
            assert (sampling_rate, return_tensors) == (16000, "pt")
            return SimpleNamespace(input_features=torch.zeros(1, 80, 3000))

        def generate(self, features, **options):
            assert options == {"num_beams": 1, "do_sample": False}
            return torch.tensor([[1, 2]])

        def batch_decode(self, tokens, *, skip_special_tokens):
            return [" lay red"]

    fake = ModuleType("transformers")
    fake.AutoProcessor = fake.WhisperForConditionalGeneration = Loaded
    monkeypatch.setitem(sys.modules, "transformers", fake)
    how = {"model": "small", "release": "4.45.0"}
    feature = whisper.transformers_whisper_hearing(**how)
    assert feature.compute(np.zeros(16000, np.float32), **how) == " lay red"
    assert seen == [(tmp_path / "checkouts" / "small", True)] * 2
    with pytest.raises(InputError, match="hears at most 30 s"):
        feature.compute(np.zeros(31 * 16000, np.float32), **how)


def test_a_model_that_is_not_there_is_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv("THGEVAL_HOME", str(tmp_path))
    problems = [f.lacks() for f in metric("wer/auto-avsr").metric.needs.every()[0].closure()]
    assert any("there is no folder" in str(problem) for problem in problems)


@pytest.mark.skipif(find_spec("pocketsphinx") is None, reason="pocketsphinx is not installed")
@pytest.mark.parametrize("samples", [1, 300, 16000])
def test_nothing_is_heard_in_silence(samples):
    """Every word is then missed, which is an error rate of one, not a failure."""
    feature = pocketsphinx.pocketsphinx_hearing(release="any")
    assert feature.compute(np.zeros(samples, np.int16), release="any") == ""


def test_a_clip_without_sound_is_left_out(folders):
    done = run(folders, "wer/pocketsphinx")
    (score,) = done.scores.values()
    assert score.unscored if find_spec("pocketsphinx") is None else score.left_out == {"no audio": 2}
