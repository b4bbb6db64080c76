"""``ref-video`` saying the sentences in the package, none of which its footage holds: its lips beside the true ones.

    python benchmarks/run.py ref_video

The footage is 25 s of the first head of ``synth-v1``, in one voice; the sentences are in seven voices and five
languages, and are put into one clip of that head. Openings are those that dlib reads in the encoded videos, the true
ones those of the very phones that were spoken. Columns are those of ``ref_audio``.
"""

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from generators import FPS, FRAMES, Kit, opening
from ref_audio import Case, compared, said, wav


def measurements() -> list[dict[str, Any]]:
    """A row for all sentences together, then one for each."""
    with tempfile.TemporaryDirectory() as folder:
        cases = dict(_spoken(Kit(Path(folder))))
    whole = compared(f"{len(cases)} sentences of the package", list(cases.values()))
    return [whole, *(compared(f"sentence {name}", [case]) for name, case in cases.items())]


def _spoken(kit: Kit) -> Iterator[tuple[str, Case]]:
    from thgeval_baselines.generators.video import Video
    from thgeval_baselines.speech.utterances import chained, ids, utterance

    generator, fitted = Video(), kit.folder / "fit"
    fitted.mkdir()
    generator.fit(kit.inputs(generator.fitting), fitted, seed=0)
    about = kit.inputs(generator.needs | {"target_video"})
    for name in ids("utterance"):
        sound = chained([utterance(name)], seconds=FRAMES / FPS).samples
        audio = wav(kit.folder / f"{name}.wav", sound)
        made = generator.generate(replace(about, audio=audio), seed=0, fitted=fitted)
        seen = opening(list(made.frames), kit.folder / f"{name}.mp4")
        there = np.flatnonzero(np.isfinite(seen))
        yield name, said(name)._replace(ours=np.interp(np.arange(len(seen)), there, seen[there]))
