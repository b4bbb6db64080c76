"""Degraded copies of clips as files, made once and kept by content in ``THGEVAL_HOME/controls``, under a size.

A copy has the clip's frames, changed, at its rate, and its sound: H.264 and AAC. The same clip gives the same bytes
under the same versions of everything, whatever it is called and wherever it lies.
"""

import hashlib
import io
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any

import av
import numpy as np

from thgeval.clip import Clip
from thgeval.controls import CONTROLS, Control
from thgeval.controls.faces import Points, marked
from thgeval.controls.frames import Levels
from thgeval.errors import InputError, OutputError, ProtocolError, ThgevalError
from thgeval.features.faces.landmarks import DLIB_68
from thgeval.files import npy, opened, trouble, without_room, write_atomically
from thgeval.files.bounded import prune
from thgeval.home import home
from thgeval.media import Audio, decode, decoded_speech, fingerprint, probe, write_video
from thgeval.media.encode import FAST, aac_rate_hz
from thgeval.version import release

MOST_BYTES = 2 << 30
"""What copies may take between runs; those of a run that goes on may take more."""
VERSION = 1
"""Goes up whenever copies of the same clip come out otherwise."""
CHUNK_FRAMES = 16
UNTIMED_FPS = 25
"""The rate of copies of clips that have none, such as folders of images."""


def lack(name: str) -> ThgevalError | None:
    """Why copies of a kind can't be made by this installation, as the error that says what helps, or None."""
    if not CONTROLS[name].faces:
        return None
    what = f"a copy with {CONTROLS[name].label}"
    return next((problem for item in DLIB_68 if (problem := item.problem(what)) is not None), None)


def bounded() -> None:
    """Keep the copies of all runs under ``MOST_BYTES``, by removing those that were used longest ago."""
    prune(_folder(), MOST_BYTES)


@dataclass(frozen=True)
class Original:
    """A clip that copies are made of; ``progress`` is called with every few frames that are read."""

    clip: Clip
    progress: Callable[[int], None] = field(default=lambda frames: None, compare=False)

    @cached_property
    def content(self) -> str:
        """The sha256 of its content."""
        return fingerprint(self.clip)

    def copied(self, name: str) -> Clip:
        """The copy of a kind, from ``CONTROLS``, as a clip.

        Raises InputError for a clip of which none can be made, OutputError if it can't be kept.
        """
        control = CONTROLS[name]
        place = self._place(f"{name} {control}", ".mp4")
        if not _used(place):
            _prepared(place)
            self._write(place, control)
        return replace(self.clip, source=place, fps=None)

    def __iter__(self) -> Iterator[Levels]:
        """Its frames from the first to the last, (height, width, 3) ``uint8`` RGB; begins anew every time."""
        with decode(self.clip, chunk=CHUNK_FRAMES) as batches:
            for batch in batches:
                if batch.pixels.dtype != np.uint8:
                    raise InputError(f"{self.clip.name}: copies are made of frames of 8 bits", reason="unable")
                self.progress(len(batch))
                yield from np.asarray(batch.new, np.uint8)

    def _write(self, place: Path, control: Control) -> None:
        info = probe(self.clip)
        sound = self._sound()
        odd = info.width % 2 or info.height % 2
        try:
            write_video(
                place,
                self._changed(control),
                fps=info.fps or UNTIMED_FPS,
                crf=control.crf,
                audio=None if sound is None else sound.samples,
                rate_hz=16000 if sound is None else sound.rate_hz,
                audio_start_s=0.0 if sound is None else sound.start_s,
                pixel_format="yuv444p" if odd else "yuv420p",
                options=FAST,
            )
        except ProtocolError as error:
            if error.__cause__ is not None and without_room(error.__cause__):
                raise OutputError(str(error)) from error
            raise InputError(f"{self.clip.name}: {error}", reason="unable") from error
        except OSError as error:
            raise OutputError(f"{place} can't be written: {trouble(error)}") from error

    def _changed(self, control: Control) -> Iterator[Levels]:
        if not control.change:
            return iter(self)
        module, _, function = control.change.partition(":")
        change: Any = getattr(import_module(f"thgeval.controls.{module}"), function)
        given = (self, self._landmarks()) if control.faces else (self,)
        frames: Iterator[Levels] = change(*given, **control.settings)
        return frames

    def _landmarks(self) -> Points:
        """The landmarks of its one face (``marked``), found once for all copies."""
        place = self._place(f"landmarks dlib-bin {release('dlib-bin')} {release('dlib')}", ".npy")
        if _used(place):
            with suppress(OSError, ValueError), opened(place) as file:
                return np.asarray(npy.array(file, place.stat().st_size), np.float64)
        points, content = marked(self), io.BytesIO()
        np.save(content, points)
        write_atomically(place, content.getvalue())
        return points

    def _sound(self) -> Audio | None:
        if not isinstance(self.clip.source, Path):
            return None
        try:
            heard = decoded_speech(self.clip)
            return decoded_speech(self.clip, rate_hz=aac_rate_hz(heard.original_rate_hz))
        except InputError:
            return None

    def _place(self, what: str, suffix: str) -> Path:
        made_by = f"pyav{av.__version__}-ffmpeg{av.ffmpeg_version_info}-{VERSION}"
        text = "\n".join((self.content, str(self.clip.fps), what, made_by))
        digest = hashlib.sha256(text.encode()).hexdigest()
        return _folder() / digest[:2] / f"{digest}{suffix}"


def _folder() -> Path:
    return home() / "controls"


def _used(place: Path) -> bool:
    """Whether a file is there; it then counts as used now."""
    try:
        os.utime(place)
    except FileNotFoundError:
        return False
    except OSError:  # somebody else's, which may be read all the same
        return place.is_file()
    return True


def _prepared(place: Path) -> None:
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{place} can't be written: {trouble(error)}; THGEVAL_HOME names another place") from error
