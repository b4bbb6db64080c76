"""Text to speech: sounds with their times, the same every time, and a sentence for what can't be spoken."""

import numpy as np
import pytest

from thgeval.errors import InputError, MissingExtra, ProtocolError
from thgeval_baselines.speech import tts
from thgeval_baselines.speech.recording import PURPOSES
from thgeval_baselines.speech.tts import STOP_GAP_S, Said, candidates, checked, phones_of, spoken_text
from thgeval_baselines.speech.utterances import chained, fitting_speech, ids, utterance
from thgeval_baselines.speech.visemes import Phone

LOUD = 0.02


@pytest.fixture
def espeak() -> None:
    pytest.importorskip("espeakng_loader")


@pytest.mark.usefixtures("espeak")
def test_a_text_is_spoken_with_its_sounds_in_order_and_the_same_again() -> None:
    said, again = spoken_text("A map of the bay."), spoken_text("A map of the bay.")
    assert np.array_equal(said.samples, again.samples)
    heard = " ".join(phone.name.strip("ˈˌ") for phone in said.phones)
    assert heard.split() == ["ɐ", "m", "æ", "p", "ʌ", "v", "ð", "ə", "b", "eɪ"]
    assert all(first.end_s == second.start_s for first, second in zip(said.phones, said.phones[1:], strict=False))
    assert said.phones[-1].end_s == pytest.approx(said.seconds, abs=0.01)
    assert np.abs(said.samples).max() > LOUD


@pytest.mark.usefixtures("espeak")
@pytest.mark.parametrize(
    ("language", "voice"), [("en-GB", "en"), ("de-AT", "de"), ("fr-FR", "fr"), ("en-us+f4", "en-us+f4")]
)
def test_a_language_finds_its_voice(language: str, voice: str) -> None:
    assert spoken_text("papa", language=language).voice == voice


@pytest.mark.usefixtures("espeak")
def test_a_language_without_a_voice_is_refused() -> None:
    with pytest.raises(InputError, match="espeak-ng has no voice for the language qq, name another"):
        spoken_text("papa", language="qq")


@pytest.mark.parametrize(
    ("text", "language", "message"),
    [
        (" \n", "en-us", "the text is empty, give words to speak"),
        ("... !", "en-us", r"the text '\.\.\. !' has nothing to say in it, give words"),
        ("smile 😀", "en-us", "the text has a character that en-us can't speak, GRINNING FACE: leave it out"),
        ("привет", "de", "the text has a character that de can't speak, CYRILLIC SMALL LETTER PE: leave it out"),
        ("a\0b", "en-us", r"the text has a character that en-us can't speak, U\+0000: leave it out"),
        ("a" * 10_001, "en-us", "the text has 10001 characters, give at most 10000"),
    ],
)
def test_a_text_that_cannot_be_spoken_is_named(text: str, language: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as raised:
        checked(text, language=language)
    assert raised.value.reason == "text"


@pytest.mark.parametrize(
    ("text", "language"),
    [("привет", "ru"), ("Größe 42 %, café!", "de-AT"), ("漢字かな", "ja"), ("नमस्ते", "hi"), ("“It's 5 € – no…”", "en")],
)
def test_a_language_speaks_its_own_script(text: str, language: str) -> None:
    checked(text, language=language)


def test_without_the_extra_its_install_line_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tts, "installed", lambda: False)
    with pytest.raises(
        MissingExtra, match=r"speaking text with espeak-ng needs an optional package: pip install '\.\[tts\]'"
    ):
        spoken_text("papa")


def test_a_process_that_fails_is_an_error_of_this_text(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setattr(tts, "installed", lambda: True)
    monkeypatch.setattr(tts.sys, "executable", "/bin/false")
    with pytest.raises(InputError, match="espeak-ng failed: 1"):
        spoken_text("papa")


def test_a_stop_begins_with_its_closure() -> None:
    phones = phones_of([("a", 0.0), ("p", 0.2), ("ˈa", 0.24), ("b", 0.25), ("", 0.4)], 0.5)
    assert [round(phone.start_s, 4) for phone in phones] == [0.0, round(0.2 - STOP_GAP_S, 4), 0.24, 0.245, 0.4]
    assert phones[-1].end_s == 0.5


def test_voices_are_tried_from_the_nearest() -> None:
    assert candidates("en-GB+m3") == ["en+m3"]
    assert candidates("de-AT") == ["de-at", "de"]
    assert candidates("zh-CN") == ["zh-cn", "cmn"]


def test_everything_that_was_written_down_ships() -> None:
    for purpose, scripts in PURPOSES.items():
        assert ids(purpose) == tuple(script.id for script in scripts)
        assert [utterance(script.id).text for script in scripts] == [script.text for script in scripts]


@pytest.mark.parametrize("name", [*ids("utterance"), *ids("stress"), *ids("fitting")])
def test_each_utterance_is_heard_where_its_sounds_are(name: str) -> None:
    said = utterance(name)
    assert 2.5 < said.seconds < 5.0
    heard = [
        np.sqrt(np.mean(said.samples[round(16000 * a) : round(16000 * b)] ** 2))
        for sound, a, b in said.phones
        if sound.strip("ˈˌ")[:1] in set("aeiouɑæɛɔ") and b - a > 0.05
    ]
    assert len(heard) >= 5
    assert np.mean(np.array(heard) > LOUD) > 0.9


@pytest.mark.usefixtures("espeak")
def test_what_ships_is_what_espeak_says() -> None:
    script = PURPOSES["utterance"][0]
    fresh, shipped = spoken_text(script.text, language=script.language), utterance(script.id)
    assert len(fresh.samples) == len(shipped.samples)
    assert np.corrcoef(fresh.samples, shipped.samples)[0, 1] > 0.99
    assert [phone.name for phone in fresh.phones] == [phone.name for phone in shipped.phones]


def test_no_utterance_goes_by_an_unknown_name() -> None:
    with pytest.raises(ProtocolError, match="no utterance is called 'e99', choose one of e01, e02"):
        utterance("e99")


def test_a_chain_has_its_length_and_moves_every_sound_with_its_part() -> None:
    part = Said(np.full(1600, 0.5, np.float32), (Phone("a", 0.0, 0.1),), "a", "en-us")
    whole = chained([part, part, part], seconds=1.2)
    assert len(whole.samples) == 19200
    assert [round(phone.start_s, 3) for phone in whole.phones] == [0.3, 0.8]
    assert np.abs(whole.samples[:4800]).max() < 1e-4
    assert np.abs(whole.samples[4800:6400] - 0.5).max() < 1e-4
    assert np.all(np.diff(whole.samples[:4800]) != 0)


def test_speech_to_fit_to_is_long_enough_and_its_own_for_every_person() -> None:
    chains = [fitting_speech(turn) for turn in range(4)]
    assert all(len(chain.samples) == 25 * 16000 for chain in chains)
    assert len({chain.text for chain in chains}) == 4
    assert all(20 < chain.phones[-1].end_s <= 25 for chain in chains)
