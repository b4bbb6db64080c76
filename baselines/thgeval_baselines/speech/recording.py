"""How the speech that ships was made: sentences of ours, spoken by espeak-ng, with the time of every sound.

    python -m thgeval_baselines.speech.recording FOLDER

writes ``utterances.opus`` (mono, 16 kHz before encoding) and ``utterances.json`` beside it, as they ship in this
package. Needs the extra ``tts``: ``espeakng-loader`` 0.2.4, which carries libespeak-ng 1.52.0 (GPL-3.0-or-later, a
separate program). With that version the samples have the sha256 that is in ``utterances.json``; another version sounds
different.

``speech.opus`` and ``speech.json``, the four sentences of the demo, are older: libespeak-ng 1.51 spoke them.
"""

import hashlib
import json
from fractions import Fraction
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import av
import click
import numpy as np
from numpy.typing import NDArray

from thgeval_baselines.speech.tts import RATE_HZ, WORDS_PER_MINUTE, spoken_text

BIT_RATE = 32000
PAUSE_S = 0.4


class Script(NamedTuple):
    """What is said: ``text`` in a ``language`` or by a voice of it; in ``[[...]]`` espeak-ng's own phonemes."""

    id: str
    language: str
    text: str
    words_per_minute: int = WORDS_PER_MINUTE


UTTERANCES = (
    Script("e01", "en-us", "Mary and Bob built a paper boat below the big blue bridge by the park."),
    Script("e02", "en-us", "We value every vivid picture that few of you have ever seen before now."),
    Script("e03", "en-us+f4", "My mother put seven warm blankets on the bench beside a broken pump."),
    Script("e04", "en", "You should choose two juicy peaches, or the chef will shout at you again."),
    Script("e05", "en-gb-x-rp+f1", "Nobody in town knows why the tall man walks so slowly to the river."),
    Script("e06", "en-us+m3", "Please give the grey goose a bowl of green beans and keep the gate shut."),
    Script("e07", "en-gb-scotland", "A farmer with a purple umbrella hopes for rain before the month of May."),
    Script("e08", "en-us+m7", "Five people hummed a simple tune while the film was moving backwards."),
    Script("de1", "de", "Am Morgen fahren wir mit dem Boot über den blauen See und sammeln Pilze."),
    Script("fr1", "fr", "Le matin, un petit bateau bleu passe sous le pont et part vers la mer."),
    Script("es1", "es", "Por la mañana, el barco pequeño pasa por el puente y vuelve muy tarde."),
    Script("ru1", "ru", "Утром маленькая лодка плывёт по тихой воде мимо старого моста."),
)
"""What is said in the clips that are scored: eight in English by seven voices, four in other languages."""

STRESSES = (
    Script("closures", "en-us", "[[ma ba pa ma ba pa mi bi pi mi bi pi mu bu pu mu bu pu ma ba pa mi bi pi]]", 130),
    Script("vowels", "en-us", "[[A:]], [[i:]], [[u:]], [[O:]], [[eI]]", 80),
)
"""Nothing but lips that touch, and nothing but vowels that last."""

FITTING = (
    Script("f01", "en-us", "The quick brown fox jumps over a lazy dog near the old mill."),
    Script("f02", "en-us", "Both of my brothers play the piano and the big bass drum."),
    Script("f03", "en-us", "She sells fresh fish and shrimp from a shop on the shore."),
    Script("f04", "en-us", "Would you rather move to a warm valley or a high mountain?"),
    Script("f05", "en-us", "An empty basket was found under the apple tree this evening."),
    Script("f06", "en-us", "Few voices were heard above the rough and windy water."),
    Script("f07", "en-us", "Could you join us for a huge bowl of tomato soup at noon?"),
    Script("f08", "en-us", "The museum opens at ten, but the map shop opens at eight."),
    Script("f09", "en-us", "Measure the paper twice, then cut it with the sharp blade."),
    Script("f10", "en-us", "Something moved behind the hedge, maybe a rabbit or a bird."),
)
"""What is said in the clips that generators are fitted to; none of it is scored."""

PURPOSES = {"utterance": UTTERANCES, "stress": STRESSES, "fitting": FITTING}


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def main(folder: Path) -> None:
    """Speak everything and write it, with its sounds and its hashes, into FOLDER."""
    records, pieces, start = [], [], 0
    silence = np.zeros(round(PAUSE_S * RATE_HZ), np.int16)
    for purpose, scripts in PURPOSES.items():
        for script in scripts:
            said = spoken_text(
                script.text,
                language=script.language,
                words_per_minute=script.words_per_minute,
                as_phonemes=purpose == "stress",
            )
            samples = np.rint(said.samples * 32768).astype(np.int16)
            records.append(
                {
                    "id": script.id,
                    "purpose": purpose,
                    "voice": said.voice,
                    "text": script.text,
                    "start": start,
                    "samples": len(samples),
                    "sha256": hashlib.sha256(samples.tobytes()).hexdigest(),
                    "phones": [(name, round(begin, 4), round(end, 4)) for name, begin, end in said.phones],
                }
            )
            pieces += [samples, silence]
            start += len(samples) + len(silence)
            click.echo(f"{script.id}  {said.seconds:.2f} s  {script.text}")
    folder.mkdir(parents=True, exist_ok=True)
    _encode(folder / "utterances.opus", np.concatenate(pieces))
    made_with = json.dumps({"espeakng-loader": version("espeakng-loader"), "espeak-ng": "1.52.0"})
    lines = ",\n".join(json.dumps(record, ensure_ascii=False) for record in records)
    (folder / "utterances.json").write_text(f'{{"made_with": {made_with},\n"said": [\n{lines}\n]}}\n', encoding="utf-8")
    for name in ("utterances.json", "utterances.opus"):
        click.echo(f"{folder / name}: {(folder / name).stat().st_size} bytes")


def _encode(path: Path, samples: NDArray[np.int16]) -> None:
    with av.open(str(path), "w", format="ogg", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream("libopus", rate=RATE_HZ, layout="mono", bit_rate=BIT_RATE)
        frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE_HZ, 0, Fraction(1, RATE_HZ)
        for given in (frame, None):
            container.mux(stream.encode(given))


if __name__ == "__main__":
    main()
