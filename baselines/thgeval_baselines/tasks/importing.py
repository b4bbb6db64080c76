"""Task sets from what people have: folders of videos, and lists of pairs.

    folder     every video of a folder: first frame as portrait, own sound as speech
    voxceleb   VoxCeleb's folders, ID/VIDEO/CLIP.mp4; the identity is ID
    hdtf       HDTF's folder of clips, NAME_0.mp4; the identity is NAME
    wav2lip    a file list of Wav2Lip's evaluation: ``AUDIO VIDEO`` a line, both without ``.mp4`` and below a root; the
               video is dubbed with the sound of another (``cross-dub``), so that there is no reference

Videos get a second name in the set's folder where the file system allows, and are copied otherwise. A clip that can't
be used is left out by name, with its reason.
"""

import re
import wave
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from PIL import Image

from thgeval.clip import Clip
from thgeval.errors import InputError, ProtocolError
from thgeval.limits import text
from thgeval.media import decode, decoded_speech
from thgeval.pairing.folders import VIDEOS
from thgeval_baselines.running.collect import linked
from thgeval_baselines.tasks.files import HEAD, write_taskset
from thgeval_baselines.tasks.items import Item, TaskSet

LONGEST_ID = 100
HIGHEST_RATE_HZ = 48000


@dataclass(frozen=True)
class Source:
    """One item to be: its name, whose it is, the video, and whose sound is put under it (None: its own)."""

    name: str
    identity: str
    video: Path
    sound: Path | None = None


@dataclass(frozen=True)
class _Seen:
    """What reading a video once shows."""

    path: Path
    first: Any
    frames: int
    fps: Fraction

    @property
    def size(self) -> tuple[int, int]:
        return int(self.first.shape[0]), int(self.first.shape[1])


def imported(
    kind: str, source: Path, out: Path, *, data: Path | None = None, id: str | None = None, limit: int | None = None
) -> tuple[TaskSet, list[str]]:
    """Make a task set in ``out``, and say what was left out of it.

    Raises ProtocolError for an unknown kind, a folder that holds a set already, or nothing that can be used.
    """
    if kind not in KINDS:
        raise ProtocolError(f"nothing is imported as {kind!r}; there are {', '.join(KINDS)}")
    if (out / HEAD).exists():
        raise ProtocolError(f"{out} holds a task set already, name a new folder")
    maker, left_out = _Maker(out), []
    for number, each in enumerate(KINDS[kind](source, data)):
        if limit is not None and number >= limit:
            break
        try:
            maker.add(each)
        except (InputError, OSError) as error:
            left_out.append(f"{each.name}: {error}")
    if not maker.items:
        why = left_out[0] if left_out else "there are no videos"
        raise ProtocolError(f"nothing in {source} can be made a task set of: {why}")
    tasks = TaskSet(
        id=id or _id(out.resolve().name),
        folder=out,
        items=tuple(maker.items),
        title=f"{len(maker.items)} items of {source.name}",
        data=(kind,) if kind in ("voxceleb", "hdtf") else (),
        made_by={"tool": f"thgeval baseline import {kind}", "left_out": len(left_out)},
    )
    write_taskset(tasks)
    return tasks, left_out


class _Maker:
    """Puts sources into a folder, one after the other."""

    def __init__(self, out: Path) -> None:
        self._out = out
        self.items: list[Item] = []

    @cached_property
    def _ids(self) -> set[str]:
        return set()

    def add(self, source: Source) -> None:
        """Make an item; InputError if it can't be one."""
        seen = _seen(source.video)
        heard = decoded_speech(source.sound or source.video)
        rate_hz = min(heard.original_rate_hz, HIGHEST_RATE_HZ)
        if rate_hz != heard.rate_hz:
            heard = decoded_speech(source.sound or source.video, rate_hz=rate_hz)
        id = self._free(_id(source.name))
        inputs = {"source_image": f"image/{id}.png", "audio": f"audio/{id}.wav"}
        own = source.sound is None
        place = f"{'reference' if own else 'target'}/{id}{source.video.suffix.lower()}"
        for name in (*inputs.values(), place):
            (self._out / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(seen.first).save(self._out / inputs["source_image"])
        samples = heard.samples if not own else _placed(heard.samples, heard.start_s, rate_hz)
        _write_wav(self._out / inputs["audio"], samples, rate_hz)
        linked(source.video, self._out / place)
        frames = seen.frames if own else round(len(samples) / rate_hz * seen.fps)
        self.items.append(
            Item(
                id=id,
                inputs=inputs if own else {**inputs, "target_video": place},
                reference=place if own else None,
                identity=source.identity,
                frames=max(frames, 1),
                fps=seen.fps,
                size=seen.size,
                meta={"from": source.name},
            )
        )

    def _free(self, id: str) -> str:
        """The id, or the id with a number where it is taken."""
        number, free = 1, id
        while free.lower() in self._ids:
            number += 1
            free = f"{id[: LONGEST_ID - 6]}-{number}"
        self._ids.add(free.lower())
        return free


def _seen(path: Path) -> _Seen:
    first, frames = None, 0
    with decode(Clip(path.stem, path), chunk=8) as batches:
        for batch in batches:
            first = np.asarray(batch.new[0], np.uint8) if first is None else first
            frames += len(batch)
        fps = batches.info.fps
    if first is None or fps is None:
        raise InputError(f"{path} has no frames, or no frame rate", reason="empty")
    return _Seen(path, first, frames, fps.limit_denominator(1001))


def _placed(samples: Any, start_s: float, rate_hz: int) -> Any:
    """Sound from the moment of the first frame on: cut, or preceded by silence."""
    first = round(start_s * rate_hz)
    return samples[-first:] if first < 0 else np.concatenate([np.zeros(first, np.float32), samples])


def _write_wav(path: Path, samples: Any, rate_hz: int) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(np.rint(np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())


def _id(name: str) -> str:
    """A name as an id: anything but letters, digits, ``_`` and ``-`` becomes ``-``."""
    found = re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-")
    return found[:LONGEST_ID] or "clip"


def _videos(folder: Path, pattern: str) -> list[Path]:
    if not folder.is_dir():
        raise ProtocolError(f"{folder} is no folder")
    return sorted(path for path in folder.glob(pattern) if path.suffix.lower() in VIDEOS and path.is_file())


def _folder(source: Path, data: Path | None) -> Iterator[Source]:
    for path in _videos(source, "*"):
        yield Source(path.stem, path.stem, path)


def _voxceleb(source: Path, data: Path | None) -> Iterator[Source]:
    for path in _videos(source, "*/*/*"):
        identity, video = path.parts[-3:-1]
        yield Source(f"{identity}-{video}-{path.stem}", identity, path)


def _hdtf(source: Path, data: Path | None) -> Iterator[Source]:
    for path in _videos(source, "*"):
        yield Source(path.stem, re.sub(r"_\d+$", "", path.stem), path)


def _wav2lip(source: Path, data: Path | None) -> Iterator[Source]:
    try:
        lines = text(source, "text_bytes").splitlines()
    except (InputError, OSError, UnicodeDecodeError) as error:
        raise ProtocolError(f"the list {source} can't be read: {error}") from None
    root = source.parent if data is None else data
    for number, line in enumerate(lines, 1):
        fields = line.split()
        if not fields:
            continue
        if len(fields) != 2:
            raise ProtocolError(f"line {number} of {source} has {len(fields)} fields, not AUDIO VIDEO")
        sound, video = (_with_suffix(root, field) for field in fields)
        yield Source(f"{fields[1]}--{fields[0]}", fields[1].split("/")[0], video, sound)


def _with_suffix(root: Path, name: str) -> Path:
    """A clip of a list, which names them without ``.mp4``."""
    if not (root / name).resolve().is_relative_to(root.resolve()):
        raise ProtocolError(f"the list names {name!r}, which is not below {root}")
    path = root / name
    return path if path.suffix.lower() in VIDEOS else path.with_name(f"{path.name}.mp4")


KINDS: Mapping[str, Callable[[Path, Path | None], Iterator[Source]]] = MappingProxyType(
    {"folder": _folder, "wav2lip": _wav2lip, "voxceleb": _voxceleb, "hdtf": _hdtf}
)
"""What can be imported, by name."""
